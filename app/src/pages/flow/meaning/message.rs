//! What each message is for.

use super::reference::{Reference, backchannel_logout, core, discovery, rfc, rp_logout};
use crate::{
    flow::MessageName,
    texts::{flow, t},
};

/// What to say about a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageMeaning {
    /// What its sender does, after the sender's name: `asks to sign in`.
    pub(crate) act: &'static str,
    /// What it is for, in a sentence or two.
    pub(crate) why: &'static str,
    /// Where it is defined.
    pub(crate) defined: Reference,
}

/// What a message is for.
pub(crate) fn message(name: MessageName) -> MessageMeaning {
    let (act, why, defined) = match name {
        MessageName::LoginRequest => (flow::MESSAGE_LOGIN_REQUEST_ACT, flow::MESSAGE_LOGIN_REQUEST_WHY, rfc(6749, "4.1")),
        MessageName::MetadataRequest => {
            (flow::MESSAGE_METADATA_REQUEST_ACT, flow::MESSAGE_METADATA_REQUEST_WHY, discovery("4.1", "ProviderConfigurationRequest"))
        }
        MessageName::MetadataResponse => {
            (flow::MESSAGE_METADATA_RESPONSE_ACT, flow::MESSAGE_METADATA_RESPONSE_WHY, discovery("4.2", "ProviderConfigurationResponse"))
        }
        MessageName::PushedAuthorizationRequest => {
            (flow::MESSAGE_PUSHED_AUTHORIZATION_REQUEST_ACT, flow::MESSAGE_PUSHED_AUTHORIZATION_REQUEST_WHY, rfc(9126, "2.1"))
        }
        MessageName::PushedAuthorizationResponse => {
            (flow::MESSAGE_PUSHED_AUTHORIZATION_RESPONSE_ACT, flow::MESSAGE_PUSHED_AUTHORIZATION_RESPONSE_WHY, rfc(9126, "2.2"))
        }
        MessageName::LoginRedirect => (flow::MESSAGE_LOGIN_REDIRECT_ACT, flow::MESSAGE_LOGIN_REDIRECT_WHY, rfc(6749, "4.1.1")),
        MessageName::AuthorizationRequest => {
            (flow::MESSAGE_AUTHORIZATION_REQUEST_ACT, flow::MESSAGE_AUTHORIZATION_REQUEST_WHY, rfc(6749, "4.1.1"))
        }
        MessageName::Authentication => (flow::MESSAGE_AUTHENTICATION_ACT, flow::MESSAGE_AUTHENTICATION_WHY, rfc(6749, "3.1")),
        MessageName::AuthorizationResponse => {
            (flow::MESSAGE_AUTHORIZATION_RESPONSE_ACT, flow::MESSAGE_AUTHORIZATION_RESPONSE_WHY, rfc(6749, "4.1.2"))
        }
        MessageName::CodeForwarded => (flow::MESSAGE_CODE_FORWARDED_ACT, flow::MESSAGE_CODE_FORWARDED_WHY, rfc(6749, "4.1.2")),
        MessageName::TokenRequest => (flow::MESSAGE_TOKEN_REQUEST_ACT, flow::MESSAGE_TOKEN_REQUEST_WHY, rfc(6749, "4.1.3")),
        MessageName::TokenResponse => (flow::MESSAGE_TOKEN_RESPONSE_ACT, flow::MESSAGE_TOKEN_RESPONSE_WHY, rfc(6749, "4.1.4")),
        MessageName::JwksRequest => (flow::MESSAGE_JWKS_REQUEST_ACT, flow::MESSAGE_JWKS_REQUEST_WHY, core("10.1", "Signing")),
        MessageName::JwksResponse => (flow::MESSAGE_JWKS_RESPONSE_ACT, flow::MESSAGE_JWKS_RESPONSE_WHY, rfc(7517, "5")),
        MessageName::UserinfoRequest => {
            (flow::MESSAGE_USERINFO_REQUEST_ACT, flow::MESSAGE_USERINFO_REQUEST_WHY, core("5.3.1", "UserInfoRequest"))
        }
        MessageName::UserinfoResponse => {
            (flow::MESSAGE_USERINFO_RESPONSE_ACT, flow::MESSAGE_USERINFO_RESPONSE_WHY, core("5.3.2", "UserInfoResponse"))
        }
        MessageName::SessionCreated => (flow::MESSAGE_SESSION_CREATED_ACT, flow::MESSAGE_SESSION_CREATED_WHY, rfc(10017, "6.1")),
        MessageName::LoginRefused => (flow::MESSAGE_LOGIN_REFUSED_ACT, flow::MESSAGE_LOGIN_REFUSED_WHY, rfc(9457, "3")),
        MessageName::ApiCall => (flow::MESSAGE_API_CALL_ACT, flow::MESSAGE_API_CALL_WHY, rfc(10017, "6.1")),
        MessageName::UpstreamRequest => (flow::MESSAGE_UPSTREAM_REQUEST_ACT, flow::MESSAGE_UPSTREAM_REQUEST_WHY, rfc(6750, "2.1")),
        MessageName::UpstreamResponse => (flow::MESSAGE_UPSTREAM_RESPONSE_ACT, flow::MESSAGE_UPSTREAM_RESPONSE_WHY, rfc(6749, "7")),
        MessageName::TokenExchangeRequest => {
            (flow::MESSAGE_TOKEN_EXCHANGE_REQUEST_ACT, flow::MESSAGE_TOKEN_EXCHANGE_REQUEST_WHY, rfc(8693, "2.1"))
        }
        MessageName::TokenExchangeResponse => {
            (flow::MESSAGE_TOKEN_EXCHANGE_RESPONSE_ACT, flow::MESSAGE_TOKEN_EXCHANGE_RESPONSE_WHY, rfc(8693, "2.2"))
        }
        MessageName::RefreshRequest => (flow::MESSAGE_REFRESH_REQUEST_ACT, flow::MESSAGE_REFRESH_REQUEST_WHY, rfc(6749, "6")),
        MessageName::RefreshResponse => (flow::MESSAGE_REFRESH_RESPONSE_ACT, flow::MESSAGE_REFRESH_RESPONSE_WHY, rfc(6749, "6")),
        MessageName::LogoutRequest => (flow::MESSAGE_LOGOUT_REQUEST_ACT, flow::MESSAGE_LOGOUT_REQUEST_WHY, rp_logout("1", "Introduction")),
        MessageName::LogoutResponse => {
            (flow::MESSAGE_LOGOUT_RESPONSE_ACT, flow::MESSAGE_LOGOUT_RESPONSE_WHY, rp_logout("1", "Introduction"))
        }
        MessageName::RevocationRequest => (flow::MESSAGE_REVOCATION_REQUEST_ACT, flow::MESSAGE_REVOCATION_REQUEST_WHY, rfc(7009, "2.1")),
        MessageName::RevocationResponse => (flow::MESSAGE_REVOCATION_RESPONSE_ACT, flow::MESSAGE_REVOCATION_RESPONSE_WHY, rfc(7009, "2.2")),
        MessageName::EndSessionRequest => {
            (flow::MESSAGE_END_SESSION_REQUEST_ACT, flow::MESSAGE_END_SESSION_REQUEST_WHY, rp_logout("2", "RPLogout"))
        }
        MessageName::BackchannelLogout => {
            (flow::MESSAGE_BACKCHANNEL_LOGOUT_ACT, flow::MESSAGE_BACKCHANNEL_LOGOUT_WHY, backchannel_logout("2.5", "BCRequest"))
        }
    };
    MessageMeaning { act: t(act), why: t(why), defined }
}
