//! What each check looks at, and who demands it.

use super::reference::{Reference, backchannel_logout, core, discovery, jarm, rfc};
use crate::{
    flow::{CheckName, SkipReason},
    texts::{flow, t},
};

/// What to say about a check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckMeaning {
    /// What has to be so.
    pub(crate) rule: &'static str,
    /// What it is good for.
    pub(crate) why: &'static str,
    /// Who demands it.
    pub(crate) demanded: Reference,
}

/// What a check is for.
pub(crate) fn check(name: CheckName) -> CheckMeaning {
    let (rule, why, demanded) = match name {
        CheckName::LoginRequestOrigin => (flow::CHECK_LOGIN_REQUEST_ORIGIN_RULE, flow::CHECK_LOGIN_REQUEST_ORIGIN_WHY, rfc(9700, "4.7")),
        CheckName::ReturnTo => (flow::CHECK_RETURN_TO_RULE, flow::CHECK_RETURN_TO_WHY, rfc(9700, "4.11")),
        CheckName::Metadata => (flow::CHECK_METADATA_RULE, flow::CHECK_METADATA_WHY, discovery("4.3", "ProviderConfigurationValidation")),
        CheckName::AuthorizationRequest => {
            (flow::CHECK_AUTHORIZATION_REQUEST_RULE, flow::CHECK_AUTHORIZATION_REQUEST_WHY, rfc(6749, "4.1.1"))
        }
        CheckName::ClientAuthentication => {
            (flow::CHECK_CLIENT_AUTHENTICATION_RULE, flow::CHECK_CLIENT_AUTHENTICATION_WHY, rfc(6749, "2.3"))
        }
        CheckName::PushedAuthorization => (flow::CHECK_PUSHED_AUTHORIZATION_RULE, flow::CHECK_PUSHED_AUTHORIZATION_WHY, rfc(9126, "2.2")),
        CheckName::Pkce => (flow::CHECK_PKCE_RULE, flow::CHECK_PKCE_WHY, rfc(9700, "2.1.1")),
        CheckName::CallbackOrigin => (flow::CHECK_CALLBACK_ORIGIN_RULE, flow::CHECK_CALLBACK_ORIGIN_WHY, rfc(10017, "6.1.3.3")),
        CheckName::CallbackParameters => (flow::CHECK_CALLBACK_PARAMETERS_RULE, flow::CHECK_CALLBACK_PARAMETERS_WHY, rfc(6749, "3.1")),
        CheckName::LoginCookie => (flow::CHECK_LOGIN_COOKIE_RULE, flow::CHECK_LOGIN_COOKIE_WHY, rfc(9700, "4.7")),
        CheckName::CallbackProvider => (flow::CHECK_CALLBACK_PROVIDER_RULE, flow::CHECK_CALLBACK_PROVIDER_WHY, rfc(9700, "4.4")),
        CheckName::CallbackSignature => {
            (flow::CHECK_CALLBACK_SIGNATURE_RULE, flow::CHECK_CALLBACK_SIGNATURE_WHY, jarm("2.4", "section-2.4"))
        }
        CheckName::State => (flow::CHECK_STATE_RULE, flow::CHECK_STATE_WHY, rfc(6749, "10.12")),
        CheckName::LoginAge => (flow::CHECK_LOGIN_AGE_RULE, flow::CHECK_LOGIN_AGE_WHY, rfc(9700, "4.7")),
        CheckName::CallbackIssuer => (flow::CHECK_CALLBACK_ISSUER_RULE, flow::CHECK_CALLBACK_ISSUER_WHY, rfc(9207, "2.4")),
        CheckName::CallbackShape => (flow::CHECK_CALLBACK_SHAPE_RULE, flow::CHECK_CALLBACK_SHAPE_WHY, rfc(6749, "4.1.2")),
        CheckName::ProviderConsent => (flow::CHECK_PROVIDER_CONSENT_RULE, flow::CHECK_PROVIDER_CONSENT_WHY, rfc(6749, "4.1.2.1")),
        CheckName::FirstUse => (flow::CHECK_FIRST_USE_RULE, flow::CHECK_FIRST_USE_WHY, rfc(9700, "4.2.4")),
        CheckName::TokenEndpointAvailable => {
            (flow::CHECK_TOKEN_ENDPOINT_AVAILABLE_RULE, flow::CHECK_TOKEN_ENDPOINT_AVAILABLE_WHY, rfc(9110, "15.6"))
        }
        CheckName::TokenResponseFormat => (flow::CHECK_TOKEN_RESPONSE_FORMAT_RULE, flow::CHECK_TOKEN_RESPONSE_FORMAT_WHY, rfc(6749, "5.1")),
        CheckName::GrantAccepted => (flow::CHECK_GRANT_ACCEPTED_RULE, flow::CHECK_GRANT_ACCEPTED_WHY, rfc(6749, "5.2")),
        CheckName::AccessToken => (flow::CHECK_ACCESS_TOKEN_RULE, flow::CHECK_ACCESS_TOKEN_WHY, rfc(6749, "5.1")),
        CheckName::TokenType => (flow::CHECK_TOKEN_TYPE_RULE, flow::CHECK_TOKEN_TYPE_WHY, rfc(6749, "7.1")),
        CheckName::TokenResponseMembers => {
            (flow::CHECK_TOKEN_RESPONSE_MEMBERS_RULE, flow::CHECK_TOKEN_RESPONSE_MEMBERS_WHY, rfc(6749, "5.1"))
        }
        CheckName::IdTokenPresent => {
            (flow::CHECK_ID_TOKEN_PRESENT_RULE, flow::CHECK_ID_TOKEN_PRESENT_WHY, core("3.1.3.3", "TokenResponse"))
        }
        CheckName::ProviderKeys => (flow::CHECK_PROVIDER_KEYS_RULE, flow::CHECK_PROVIDER_KEYS_WHY, core("10.1", "Signing")),
        CheckName::IdTokenFormat => (flow::CHECK_ID_TOKEN_FORMAT_RULE, flow::CHECK_ID_TOKEN_FORMAT_WHY, rfc(7515, "3.1")),
        CheckName::IdTokenAlgorithm => (flow::CHECK_ID_TOKEN_ALGORITHM_RULE, flow::CHECK_ID_TOKEN_ALGORITHM_WHY, rfc(8725, "3.1")),
        CheckName::IdTokenHeader => (flow::CHECK_ID_TOKEN_HEADER_RULE, flow::CHECK_ID_TOKEN_HEADER_WHY, rfc(7515, "4.1.11")),
        CheckName::IdTokenKey => (flow::CHECK_ID_TOKEN_KEY_RULE, flow::CHECK_ID_TOKEN_KEY_WHY, core("10.1", "Signing")),
        CheckName::IdTokenSignature => {
            (flow::CHECK_ID_TOKEN_SIGNATURE_RULE, flow::CHECK_ID_TOKEN_SIGNATURE_WHY, core("3.1.3.7", "IDTokenValidation"))
        }
        CheckName::IdTokenPurpose => (flow::CHECK_ID_TOKEN_PURPOSE_RULE, flow::CHECK_ID_TOKEN_PURPOSE_WHY, rfc(8725, "3.11")),
        CheckName::IdTokenIssuer => {
            (flow::CHECK_ID_TOKEN_ISSUER_RULE, flow::CHECK_ID_TOKEN_ISSUER_WHY, core("3.1.3.7", "IDTokenValidation"))
        }
        CheckName::IdTokenAudience => {
            (flow::CHECK_ID_TOKEN_AUDIENCE_RULE, flow::CHECK_ID_TOKEN_AUDIENCE_WHY, core("3.1.3.7", "IDTokenValidation"))
        }
        CheckName::IdTokenAuthorizedParty => {
            (flow::CHECK_ID_TOKEN_AUTHORIZED_PARTY_RULE, flow::CHECK_ID_TOKEN_AUTHORIZED_PARTY_WHY, core("3.1.3.7", "IDTokenValidation"))
        }
        CheckName::IdTokenTimes => (flow::CHECK_ID_TOKEN_TIMES_RULE, flow::CHECK_ID_TOKEN_TIMES_WHY, core("3.1.3.7", "IDTokenValidation")),
        CheckName::IdTokenNonce => (flow::CHECK_ID_TOKEN_NONCE_RULE, flow::CHECK_ID_TOKEN_NONCE_WHY, core("3.1.3.7", "IDTokenValidation")),
        CheckName::IdTokenSubject => (flow::CHECK_ID_TOKEN_SUBJECT_RULE, flow::CHECK_ID_TOKEN_SUBJECT_WHY, core("2", "IDToken")),
        CheckName::IdTokenAccessTokenHash => (
            flow::CHECK_ID_TOKEN_ACCESS_TOKEN_HASH_RULE,
            flow::CHECK_ID_TOKEN_ACCESS_TOKEN_HASH_WHY,
            core("3.1.3.8", "CodeFlowTokenValidation"),
        ),
        CheckName::IdTokenRequiredClaims => {
            (flow::CHECK_ID_TOKEN_REQUIRED_CLAIMS_RULE, flow::CHECK_ID_TOKEN_REQUIRED_CLAIMS_WHY, core("5.1", "StandardClaims"))
        }
        CheckName::IdTokenAcr => (flow::CHECK_ID_TOKEN_ACR_RULE, flow::CHECK_ID_TOKEN_ACR_WHY, rfc(9470, "5")),
        CheckName::IdTokenAuthenticationTime => {
            (flow::CHECK_ID_TOKEN_AUTHENTICATION_TIME_RULE, flow::CHECK_ID_TOKEN_AUTHENTICATION_TIME_WHY, core("3.1.2.1", "AuthRequest"))
        }
        CheckName::IdTokenIdentity => {
            (flow::CHECK_ID_TOKEN_IDENTITY_RULE, flow::CHECK_ID_TOKEN_IDENTITY_WHY, core("12.2", "RefreshTokenResponse"))
        }
        CheckName::UserinfoAvailable => (flow::CHECK_USERINFO_AVAILABLE_RULE, flow::CHECK_USERINFO_AVAILABLE_WHY, rfc(9110, "15.6")),
        CheckName::UserinfoAuthorized => (flow::CHECK_USERINFO_AUTHORIZED_RULE, flow::CHECK_USERINFO_AUTHORIZED_WHY, rfc(6750, "3.1")),
        CheckName::UserinfoFormat => (flow::CHECK_USERINFO_FORMAT_RULE, flow::CHECK_USERINFO_FORMAT_WHY, core("5.3.2", "UserInfoResponse")),
        CheckName::UserinfoSignature => {
            (flow::CHECK_USERINFO_SIGNATURE_RULE, flow::CHECK_USERINFO_SIGNATURE_WHY, core("5.3.2", "UserInfoResponse"))
        }
        CheckName::UserinfoSubject => {
            (flow::CHECK_USERINFO_SUBJECT_RULE, flow::CHECK_USERINFO_SUBJECT_WHY, core("5.3.4", "UserInfoResponseValidation"))
        }
        CheckName::AccessRule => (flow::CHECK_ACCESS_RULE_RULE, flow::CHECK_ACCESS_RULE_WHY, rfc(6749, "1.1")),
        CheckName::SessionStored => (flow::CHECK_SESSION_STORED_RULE, flow::CHECK_SESSION_STORED_WHY, rfc(10017, "6.1")),
        CheckName::LogoutToken => (flow::CHECK_LOGOUT_TOKEN_RULE, flow::CHECK_LOGOUT_TOKEN_WHY, backchannel_logout("2.6", "Validation")),
        CheckName::Revocation => (flow::CHECK_REVOCATION_RULE, flow::CHECK_REVOCATION_WHY, rfc(7009, "2.2")),
    };
    CheckMeaning { rule: t(rule), why: t(why), demanded }
}

/// Why there was nothing to look at.
pub(crate) fn skip_reason(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NotSent => t(flow::SKIP_NOT_SENT),
        SkipReason::NotAskedFor => t(flow::SKIP_NOT_ASKED_FOR),
        SkipReason::NotSupported => t(flow::SKIP_NOT_SUPPORTED),
        SkipReason::TurnedOff => t(flow::SKIP_TURNED_OFF),
        SkipReason::LeftOut => t(flow::SKIP_LEFT_OUT),
    }
}
