//! What each parameter is for.

use super::reference::{
    Reference, backchannel_logout, clear_site_data, core, discovery, fetch_metadata, jarm, rfc, rp_logout, session_management,
};
use crate::{
    flow::{MessageName, Place},
    texts::{Text, flow, t},
};

/// What to say about a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParameterMeaning {
    /// What it is for, in a line.
    pub(crate) why: &'static str,
    /// Where it is defined; nowhere for what is this project's own.
    pub(crate) defined: Option<Reference>,
}

/// What a parameter of a message is for, where that is known: providers add their own.
pub(crate) fn parameter(message: MessageName, name: &str, place: Place) -> Option<ParameterMeaning> {
    match place {
        Place::Body if (message, name) == (MessageName::LoginRefused, "code") => Some(own(flow::PARAMETER_COOKIE_WHAT_HAPPENED)),
        Place::Body if message == MessageName::MetadataResponse => metadata(name).or_else(|| request_or_response(name)),
        Place::Cookie => Some(cookie(message, name)),
        Place::Header => header(&name.to_ascii_lowercase()),
        Place::Query | Place::Body => request_or_response(name).or_else(|| claim(name)),
        // A signed request says what an unsigned one says in its query.
        Place::Claim => match message {
            MessageName::AuthorizationRequest | MessageName::PushedAuthorizationRequest => {
                request_or_response(name).or_else(|| claim(name))
            }
            _ => claim(name).or_else(|| request_or_response(name)),
        },
    }
}

/// What a member of the provider's metadata says.
pub(crate) fn metadata(name: &str) -> Option<ParameterMeaning> {
    let (why, defined) = match name {
        "issuer" => (flow::PARAMETER_METADATA_ISSUER, rfc(8414, "2")),
        "authorization_endpoint" => (flow::PARAMETER_METADATA_AUTHORIZATION_ENDPOINT, rfc(8414, "2")),
        "token_endpoint" => (flow::PARAMETER_METADATA_TOKEN_ENDPOINT, rfc(8414, "2")),
        "userinfo_endpoint" => (flow::PARAMETER_METADATA_USERINFO_ENDPOINT, discovery("3", "ProviderMetadata")),
        "jwks_uri" => (flow::PARAMETER_METADATA_JWKS_URI, rfc(8414, "2")),
        "end_session_endpoint" => (flow::PARAMETER_METADATA_END_SESSION_ENDPOINT, rp_logout("2.1", "OPMetadata")),
        "revocation_endpoint" => (flow::PARAMETER_METADATA_REVOCATION_ENDPOINT, rfc(8414, "2")),
        "introspection_endpoint" => (flow::PARAMETER_METADATA_INTROSPECTION_ENDPOINT, rfc(8414, "2")),
        "pushed_authorization_request_endpoint" => (flow::PARAMETER_METADATA_PUSHED_AUTHORIZATION_REQUEST_ENDPOINT, rfc(9126, "5")),
        "require_pushed_authorization_requests" => (flow::PARAMETER_METADATA_REQUIRE_PUSHED_AUTHORIZATION_REQUESTS, rfc(9126, "5")),
        "registration_endpoint" => (flow::PARAMETER_METADATA_REGISTRATION_ENDPOINT, rfc(8414, "2")),
        "device_authorization_endpoint" => (flow::PARAMETER_METADATA_DEVICE_AUTHORIZATION_ENDPOINT, rfc(8628, "4")),
        "scopes_supported" => (flow::PARAMETER_METADATA_SCOPES_SUPPORTED, rfc(8414, "2")),
        "response_types_supported" => (flow::PARAMETER_METADATA_RESPONSE_TYPES_SUPPORTED, rfc(8414, "2")),
        "response_modes_supported" => (flow::PARAMETER_METADATA_RESPONSE_MODES_SUPPORTED, rfc(8414, "2")),
        "grant_types_supported" => (flow::PARAMETER_METADATA_GRANT_TYPES_SUPPORTED, rfc(8414, "2")),
        "subject_types_supported" => (flow::PARAMETER_METADATA_SUBJECT_TYPES_SUPPORTED, discovery("3", "ProviderMetadata")),
        "id_token_signing_alg_values_supported" => {
            (flow::PARAMETER_METADATA_ID_TOKEN_SIGNING_ALG_VALUES_SUPPORTED, discovery("3", "ProviderMetadata"))
        }
        "userinfo_signing_alg_values_supported" => {
            (flow::PARAMETER_METADATA_USERINFO_SIGNING_ALG_VALUES_SUPPORTED, discovery("3", "ProviderMetadata"))
        }
        "token_endpoint_auth_methods_supported" => (flow::PARAMETER_METADATA_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED, rfc(8414, "2")),
        "token_endpoint_auth_signing_alg_values_supported"
        | "revocation_endpoint_auth_signing_alg_values_supported"
        | "introspection_endpoint_auth_signing_alg_values_supported" => {
            (flow::PARAMETER_METADATA_TOKEN_ENDPOINT_AUTH_SIGNING_ALG_VALUES_SUPPORTED, rfc(8414, "2"))
        }
        "code_challenge_methods_supported" => (flow::PARAMETER_METADATA_CODE_CHALLENGE_METHODS_SUPPORTED, rfc(8414, "2")),
        "authorization_response_iss_parameter_supported" => {
            (flow::PARAMETER_METADATA_AUTHORIZATION_RESPONSE_ISS_PARAMETER_SUPPORTED, rfc(9207, "3"))
        }
        "dpop_signing_alg_values_supported" => (flow::PARAMETER_METADATA_DPOP_SIGNING_ALG_VALUES_SUPPORTED, rfc(9449, "5.1")),
        "claims_supported" => (flow::PARAMETER_METADATA_CLAIMS_SUPPORTED, discovery("3", "ProviderMetadata")),
        "claims_parameter_supported" => (flow::PARAMETER_METADATA_CLAIMS_PARAMETER_SUPPORTED, discovery("3", "ProviderMetadata")),
        "request_parameter_supported" => (flow::PARAMETER_METADATA_REQUEST_PARAMETER_SUPPORTED, discovery("3", "ProviderMetadata")),
        "request_uri_parameter_supported" => (flow::PARAMETER_METADATA_REQUEST_URI_PARAMETER_SUPPORTED, discovery("3", "ProviderMetadata")),
        "request_object_signing_alg_values_supported" => {
            (flow::PARAMETER_METADATA_REQUEST_OBJECT_SIGNING_ALG_VALUES_SUPPORTED, discovery("3", "ProviderMetadata"))
        }
        "acr_values_supported" => (flow::PARAMETER_METADATA_ACR_VALUES_SUPPORTED, discovery("3", "ProviderMetadata")),
        "prompt_values_supported" => (flow::PARAMETER_METADATA_PROMPT_VALUES_SUPPORTED, rfc(8414, "2")),
        "ui_locales_supported" => (flow::PARAMETER_METADATA_UI_LOCALES_SUPPORTED, rfc(8414, "2")),
        "service_documentation" => (flow::PARAMETER_METADATA_SERVICE_DOCUMENTATION, rfc(8414, "2")),
        "op_policy_uri" | "op_tos_uri" => (flow::PARAMETER_METADATA_OP_POLICY_URI, rfc(8414, "2")),
        "require_signed_request_object" => (flow::PARAMETER_METADATA_REQUIRE_SIGNED_REQUEST_OBJECT, rfc(9101, "10.5")),
        "revocation_endpoint_auth_methods_supported" => {
            (flow::PARAMETER_METADATA_REVOCATION_ENDPOINT_AUTH_METHODS_SUPPORTED, rfc(8414, "2"))
        }
        "introspection_endpoint_auth_methods_supported" => {
            (flow::PARAMETER_METADATA_INTROSPECTION_ENDPOINT_AUTH_METHODS_SUPPORTED, rfc(8414, "2"))
        }
        "tls_client_certificate_bound_access_tokens" => {
            (flow::PARAMETER_METADATA_TLS_CLIENT_CERTIFICATE_BOUND_ACCESS_TOKENS, rfc(8705, "3.3"))
        }
        "mtls_endpoint_aliases" => (flow::PARAMETER_METADATA_MTLS_ENDPOINT_ALIASES, rfc(8705, "5")),
        "display_values_supported" => (flow::PARAMETER_METADATA_DISPLAY_VALUES_SUPPORTED, discovery("3", "ProviderMetadata")),
        "claim_types_supported" => (flow::PARAMETER_METADATA_CLAIM_TYPES_SUPPORTED, discovery("3", "ProviderMetadata")),
        "claims_locales_supported" => (flow::PARAMETER_METADATA_CLAIMS_LOCALES_SUPPORTED, discovery("3", "ProviderMetadata")),
        "require_request_uri_registration" => {
            (flow::PARAMETER_METADATA_REQUIRE_REQUEST_URI_REGISTRATION, discovery("3", "ProviderMetadata"))
        }
        "authorization_encryption_alg_values_supported" | "authorization_encryption_enc_values_supported" => {
            (flow::PARAMETER_METADATA_ENCRYPTION, jarm("4", "section-4"))
        }
        "introspection_encryption_alg_values_supported" | "introspection_encryption_enc_values_supported" => {
            (flow::PARAMETER_METADATA_ENCRYPTION, rfc(9701, "7"))
        }
        name if name.ends_with("_encryption_alg_values_supported") || name.ends_with("_encryption_enc_values_supported") => {
            (flow::PARAMETER_METADATA_ENCRYPTION, discovery("3", "ProviderMetadata"))
        }
        "backchannel_logout_supported" => (flow::PARAMETER_METADATA_BACKCHANNEL_LOGOUT_SUPPORTED, backchannel_logout("2.1", "BCSupport")),
        "backchannel_logout_session_supported" => {
            (flow::PARAMETER_METADATA_BACKCHANNEL_LOGOUT_SESSION_SUPPORTED, backchannel_logout("2.1", "BCSupport"))
        }
        "check_session_iframe" => (flow::PARAMETER_METADATA_CHECK_SESSION_IFRAME, session_management("3.3", "OPMetadata")),
        "authorization_signing_alg_values_supported" => {
            (flow::PARAMETER_METADATA_AUTHORIZATION_SIGNING_ALG_VALUES_SUPPORTED, jarm("4", "section-4"))
        }
        _ => return None,
    };
    Some(ParameterMeaning { why: t(why), defined: Some(defined) })
}

/// The cookies of this project, of which each message sets one: everything else in a browser's cookies is nobody's business here.
fn cookie(message: MessageName, name: &str) -> ParameterMeaning {
    let (why, defined) = match (message, name) {
        (_, "cookie_attributes") => (flow::PARAMETER_COOKIE_ATTRIBUTES, rfc(6265, "4.1.2")),
        (MessageName::LoginRedirect, _) => (flow::PARAMETER_COOKIE_LOGIN, rfc(6265, "4.1")),
        _ => (flow::PARAMETER_COOKIE_SESSION, rfc(10017, "6.1.3.2")),
    };
    ParameterMeaning { why: t(why), defined: Some(defined) }
}

fn header(name: &str) -> Option<ParameterMeaning> {
    let (why, defined) = match name {
        "authorization" => (flow::PARAMETER_HEADER_AUTHORIZATION, rfc(9110, "11.6.2")),
        "authorization_scheme" => (flow::PARAMETER_HEADER_AUTHORIZATION_SCHEME, rfc(9110, "11.1")),
        "dpop" => (flow::PARAMETER_HEADER_DPOP, rfc(9449, "4")),
        "dpop-nonce" => (flow::PARAMETER_HEADER_DPOP_NONCE, rfc(9449, "8")),
        "www-authenticate" => (flow::PARAMETER_HEADER_WWW_AUTHENTICATE, rfc(6750, "3")),
        "location" => (flow::PARAMETER_HEADER_LOCATION, rfc(9110, "10.2.2")),
        "set-cookie" => (flow::PARAMETER_HEADER_SET_COOKIE, rfc(6265, "4.1")),
        "cookie" => (flow::PARAMETER_HEADER_COOKIE, rfc(6265, "4.2")),
        "origin" => (flow::PARAMETER_HEADER_ORIGIN, rfc(6454, "7")),
        "x-csrf" => (flow::PARAMETER_HEADER_X_CSRF, rfc(10017, "6.1.3.3")),
        "referer" => (flow::PARAMETER_HEADER_REFERER, rfc(9110, "10.1.3")),
        "content-type" => (flow::PARAMETER_HEADER_CONTENT_TYPE, rfc(9110, "8.3")),
        "content-length" => (flow::PARAMETER_HEADER_CONTENT_LENGTH, rfc(9110, "8.6")),
        "accept" => (flow::PARAMETER_HEADER_ACCEPT, rfc(9110, "12.5.1")),
        "cache-control" => (flow::PARAMETER_HEADER_CACHE_CONTROL, rfc(6749, "5.1")),
        "retry-after" => (flow::PARAMETER_HEADER_RETRY_AFTER, rfc(9110, "10.2.3")),
        "date" => (flow::PARAMETER_HEADER_DATE, rfc(9110, "6.6.1")),
        "host" => (flow::PARAMETER_HEADER_HOST, rfc(9110, "7.2")),
        "user-agent" => (flow::PARAMETER_HEADER_USER_AGENT, rfc(9110, "10.1.5")),
        "sec-fetch-site" => (flow::PARAMETER_HEADER_SEC_FETCH_SITE, fetch_metadata("sec-fetch-site-header")),
        "sec-fetch-mode" => (flow::PARAMETER_HEADER_SEC_FETCH_MODE, fetch_metadata("sec-fetch-mode-header")),
        "sec-fetch-dest" => (flow::PARAMETER_HEADER_SEC_FETCH_DEST, fetch_metadata("sec-fetch-dest-header")),
        "clear-site-data" => (flow::PARAMETER_HEADER_CLEAR_SITE_DATA, clear_site_data("3.1", "header")),
        _ => return None,
    };
    Some(ParameterMeaning { why: t(why), defined: Some(defined) })
}

fn own(why: Text) -> ParameterMeaning {
    ParameterMeaning { why: t(why), defined: None }
}

fn request_or_response(name: &str) -> Option<ParameterMeaning> {
    let (why, defined) = match name {
        // The authorization request.
        "response_type" => (flow::PARAMETER_PARAMETER_RESPONSE_TYPE, rfc(6749, "4.1.1")),
        "client_id" => (flow::PARAMETER_PARAMETER_CLIENT_ID, rfc(6749, "2.2")),
        "redirect_uri" => (flow::PARAMETER_PARAMETER_REDIRECT_URI, rfc(6749, "3.1.2")),
        "scope" => (flow::PARAMETER_PARAMETER_SCOPE, rfc(6749, "3.3")),
        "state" => (flow::PARAMETER_PARAMETER_STATE, rfc(6749, "10.12")),
        "code_challenge" => (flow::PARAMETER_PARAMETER_CODE_CHALLENGE, rfc(7636, "4.3")),
        "code_challenge_method" => (flow::PARAMETER_PARAMETER_CODE_CHALLENGE_METHOD, rfc(7636, "4.3")),
        "nonce" => (flow::PARAMETER_PARAMETER_NONCE, core("3.1.2.1", "AuthRequest")),
        "prompt" => (flow::PARAMETER_PARAMETER_PROMPT, core("3.1.2.1", "AuthRequest")),
        "max_age" => (flow::PARAMETER_PARAMETER_MAX_AGE, core("3.1.2.1", "AuthRequest")),
        "login_hint" => (flow::PARAMETER_PARAMETER_LOGIN_HINT, core("3.1.2.1", "AuthRequest")),
        "ui_locales" => (flow::PARAMETER_PARAMETER_UI_LOCALES, core("3.1.2.1", "AuthRequest")),
        "display" => (flow::PARAMETER_PARAMETER_DISPLAY, core("3.1.2.1", "AuthRequest")),
        "acr_values" => (flow::PARAMETER_PARAMETER_ACR_VALUES, core("3.1.2.1", "AuthRequest")),
        "id_token_hint" => (flow::PARAMETER_PARAMETER_ID_TOKEN_HINT, core("3.1.2.1", "AuthRequest")),
        "claims" => (flow::PARAMETER_PARAMETER_CLAIMS, core("5.5", "ClaimsParameter")),
        "response_mode" => (flow::PARAMETER_PARAMETER_RESPONSE_MODE, jarm("2.3", "section-2.3")),
        "request" => (flow::PARAMETER_PARAMETER_REQUEST, rfc(9101, "4")),
        "request_uri" => (flow::PARAMETER_PARAMETER_REQUEST_URI, rfc(9126, "2.2")),
        "resource" => (flow::PARAMETER_PARAMETER_RESOURCE, rfc(8707, "2")),
        "dpop_jkt" => (flow::PARAMETER_PARAMETER_DPOP_JKT, rfc(9449, "10")),
        "authorization_details" => (flow::PARAMETER_PARAMETER_AUTHORIZATION_DETAILS, rfc(9396, "2")),
        // The authorization response.
        "code" => (flow::PARAMETER_PARAMETER_CODE, rfc(6749, "4.1.2")),
        "iss" => (flow::PARAMETER_PARAMETER_ISS, rfc(9207, "2")),
        "response" => (flow::PARAMETER_PARAMETER_RESPONSE, jarm("2.3", "section-2.3")),
        "session_state" => (flow::PARAMETER_PARAMETER_SESSION_STATE, session_management("2", "CreatingUpdatingSessions")),
        "error" => (flow::PARAMETER_PARAMETER_ERROR, rfc(6749, "4.1.2.1")),
        "error_description" => (flow::PARAMETER_PARAMETER_ERROR_DESCRIPTION, rfc(6749, "4.1.2.1")),
        "error_uri" => (flow::PARAMETER_PARAMETER_ERROR_URI, rfc(6749, "4.1.2.1")),
        // The token request.
        "grant_type" => (flow::PARAMETER_PARAMETER_GRANT_TYPE, rfc(6749, "4.1.3")),
        "code_verifier" => (flow::PARAMETER_PARAMETER_CODE_VERIFIER, rfc(7636, "4.5")),
        "client_secret" => (flow::PARAMETER_PARAMETER_CLIENT_SECRET, rfc(6749, "2.3.1")),
        "client_assertion" => (flow::PARAMETER_PARAMETER_CLIENT_ASSERTION, rfc(7523, "2.2")),
        "client_assertion_type" => (flow::PARAMETER_PARAMETER_CLIENT_ASSERTION_TYPE, rfc(7523, "2.2")),
        "refresh_token" => (flow::PARAMETER_PARAMETER_REFRESH_TOKEN, rfc(6749, "1.5")),
        "subject_token" => (flow::PARAMETER_PARAMETER_SUBJECT_TOKEN, rfc(8693, "2.1")),
        "subject_token_type" | "requested_token_type" => (flow::PARAMETER_PARAMETER_SUBJECT_TOKEN_TYPE, rfc(8693, "2.1")),
        "issued_token_type" => (flow::PARAMETER_PARAMETER_ISSUED_TOKEN_TYPE, rfc(8693, "2.2.1")),
        // The token response.
        "access_token" => (flow::PARAMETER_PARAMETER_ACCESS_TOKEN, rfc(6749, "1.4")),
        "token_type" => (flow::PARAMETER_PARAMETER_TOKEN_TYPE, rfc(6749, "7.1")),
        "expires_in" => (flow::PARAMETER_PARAMETER_EXPIRES_IN, rfc(6749, "5.1")),
        "refresh_expires_in" | "refresh_token_expires_in" => return Some(own(flow::PARAMETER_PARAMETER_REFRESH_EXPIRES_IN)),
        "not-before-policy" => return Some(own(flow::PARAMETER_PARAMETER_NOT_BEFORE_POLICY)),
        "id_token" => (flow::PARAMETER_PARAMETER_ID_TOKEN, core("2", "IDToken")),
        // Giving back, and signing out.
        "token" => (flow::PARAMETER_PARAMETER_TOKEN, rfc(7009, "2.1")),
        "token_type_hint" => (flow::PARAMETER_PARAMETER_TOKEN_TYPE_HINT, rfc(7009, "2.1")),
        "post_logout_redirect_uri" => (flow::PARAMETER_PARAMETER_POST_LOGOUT_REDIRECT_URI, rp_logout("3", "RedirectionAfterLogout")),
        "logout_hint" => (flow::PARAMETER_PARAMETER_LOGOUT_HINT, rp_logout("2", "RPLogout")),
        "logout_token" => (flow::PARAMETER_PARAMETER_LOGOUT_TOKEN, backchannel_logout("2.4", "LogoutToken")),
        "keys" => (flow::PARAMETER_PARAMETER_KEYS, rfc(7517, "5.1")),
        // This project's own.
        "provider" => return Some(own(flow::PARAMETER_PARAMETER_PROVIDER)),
        "return_to" => return Some(own(flow::PARAMETER_PARAMETER_RETURN_TO)),
        "upstream" => return Some(own(flow::PARAMETER_PARAMETER_UPSTREAM)),
        "csrf_token" => return Some(own(flow::PARAMETER_PARAMETER_CSRF_TOKEN)),
        "redirect_to" => return Some(own(flow::PARAMETER_PARAMETER_REDIRECT_TO)),
        "everywhere" => return Some(own(flow::PARAMETER_PARAMETER_EVERYWHERE)),
        "type" => (flow::PARAMETER_PARAMETER_TYPE, rfc(9457, "3.1.1")),
        "title" => (flow::PARAMETER_PARAMETER_TITLE, rfc(9457, "3.1.3")),
        "status" => (flow::PARAMETER_PARAMETER_STATUS, rfc(9457, "3.1.2")),
        "detail" => (flow::PARAMETER_PARAMETER_DETAIL, rfc(9457, "3.1.4")),
        "instance" | "request_id" => return Some(own(flow::PARAMETER_PARAMETER_INSTANCE)),
        // An extra of GitHub's.
        "allow_signup" => return Some(own(flow::PARAMETER_PARAMETER_ALLOW_SIGNUP)),
        "access_type" => return Some(own(flow::PARAMETER_PARAMETER_ACCESS_TYPE)),
        "audience" => return Some(own(flow::PARAMETER_PARAMETER_AUDIENCE)),
        "include_granted_scopes" => return Some(own(flow::PARAMETER_PARAMETER_INCLUDE_GRANTED_SCOPES)),
        // Of APIs.
        "page" | "per_page" => return Some(own(flow::PARAMETER_PARAMETER_PAGE)),
        "message" => return Some(own(flow::PARAMETER_PARAMETER_MESSAGE)),
        // What has no names of its own.
        "list" => return Some(own(flow::PARAMETER_PARAMETER_LIST)),
        "body" => return Some(own(flow::PARAMETER_PARAMETER_BODY)),
        _ => return None,
    };
    Some(ParameterMeaning { why: t(why), defined: Some(defined) })
}

/// What a member of a token's header or claims says.
pub(crate) fn claim(name: &str) -> Option<ParameterMeaning> {
    let (why, defined) = match name {
        "iss" => (flow::PARAMETER_CLAIM_ISS, core("2", "IDToken")),
        "sub" => (flow::PARAMETER_CLAIM_SUB, core("2", "IDToken")),
        "aud" => (flow::PARAMETER_CLAIM_AUD, core("2", "IDToken")),
        "exp" => (flow::PARAMETER_CLAIM_EXP, core("2", "IDToken")),
        "iat" => (flow::PARAMETER_CLAIM_IAT, core("2", "IDToken")),
        "nbf" => (flow::PARAMETER_CLAIM_NBF, rfc(7519, "4.1.5")),
        "jti" => (flow::PARAMETER_CLAIM_JTI, rfc(7519, "4.1.7")),
        "auth_time" => (flow::PARAMETER_CLAIM_AUTH_TIME, core("2", "IDToken")),
        "nonce" => (flow::PARAMETER_CLAIM_NONCE, core("2", "IDToken")),
        "acr" => (flow::PARAMETER_CLAIM_ACR, core("2", "IDToken")),
        "amr" => (flow::PARAMETER_CLAIM_AMR, core("2", "IDToken")),
        "azp" => (flow::PARAMETER_CLAIM_AZP, core("2", "IDToken")),
        "at_hash" => (flow::PARAMETER_CLAIM_AT_HASH, core("3.1.3.6", "CodeIDToken")),
        "c_hash" => (flow::PARAMETER_CLAIM_C_HASH, core("3.3.2.11", "HybridIDToken")),
        "sid" => (flow::PARAMETER_CLAIM_SID, backchannel_logout("2.1", "BCSupport")),
        "events" => (flow::PARAMETER_CLAIM_EVENTS, backchannel_logout("2.4", "LogoutToken")),
        "name" => (flow::PARAMETER_CLAIM_NAME, core("5.1", "StandardClaims")),
        "given_name" | "family_name" | "middle_name" | "nickname" => (flow::PARAMETER_CLAIM_GIVEN_NAME, core("5.1", "StandardClaims")),
        "preferred_username" | "login" => (flow::PARAMETER_CLAIM_PREFERRED_USERNAME, core("5.1", "StandardClaims")),
        "profile" | "website" => (flow::PARAMETER_CLAIM_PROFILE, core("5.1", "StandardClaims")),
        "picture" | "avatar_url" => (flow::PARAMETER_CLAIM_PICTURE, core("5.1", "StandardClaims")),
        "email" => (flow::PARAMETER_CLAIM_EMAIL, core("5.1", "StandardClaims")),
        "email_verified" => (flow::PARAMETER_CLAIM_EMAIL_VERIFIED, core("5.1", "StandardClaims")),
        "gender" | "birthdate" | "zoneinfo" | "locale" | "phone_number" | "phone_number_verified" | "address" => {
            (flow::PARAMETER_CLAIM_GENDER, core("5.1", "StandardClaims"))
        }
        "updated_at" => (flow::PARAMETER_CLAIM_UPDATED_AT, core("5.1", "StandardClaims")),
        // A token's header.
        "alg" => (flow::PARAMETER_CLAIM_ALG, rfc(7515, "4.1.1")),
        "kid" => (flow::PARAMETER_CLAIM_KID, rfc(7515, "4.1.4")),
        "typ" => (flow::PARAMETER_CLAIM_TYP, rfc(7515, "4.1.9")),
        "cty" => (flow::PARAMETER_CLAIM_CTY, rfc(7515, "4.1.10")),
        "crit" => (flow::PARAMETER_CLAIM_CRIT, rfc(7515, "4.1.11")),
        "jku" | "x5u" | "jwk" | "x5c" => (flow::PARAMETER_CLAIM_JKU, rfc(8725, "3.10")),
        _ => return None,
    };
    Some(ParameterMeaning { why: t(why), defined: Some(defined) })
}

#[cfg(test)]
mod tests {
    use super::{metadata, parameter};
    use crate::flow::{MessageName, Place};

    #[test]
    fn the_same_name_means_what_it_means_in_its_place() {
        let why = |message, name: &str, place| parameter(message, name, place).unwrap().why;
        let (request, response) = (MessageName::AuthorizationRequest, MessageName::TokenResponse);
        assert_ne!(why(request, "nonce", Place::Query), why(response, "nonce", Place::Claim));
        assert_eq!(why(request, "nonce", Place::Query), why(request, "nonce", Place::Claim));
        let (login, session) = (MessageName::LoginRedirect, MessageName::SessionCreated);
        assert_ne!(why(login, "set-cookie", Place::Cookie), why(session, "set-cookie", Place::Cookie));
        assert_ne!(why(login, "set-cookie", Place::Cookie), why(login, "cookie_attributes", Place::Cookie));
        assert_ne!(why(MessageName::MetadataResponse, "issuer", Place::Body), why(response, "iss", Place::Body));
        assert_eq!(why(request, "DPoP-Nonce", Place::Header), why(request, "dpop-nonce", Place::Header));
        assert_eq!(why(response, "sub", Place::Body), why(response, "sub", Place::Claim));
        assert_ne!(why(MessageName::CodeForwarded, "code", Place::Body), why(MessageName::LoginRefused, "code", Place::Body));
    }

    #[test]
    fn what_a_provider_has_invented_has_no_meaning() {
        for place in [Place::Query, Place::Body, Place::Header, Place::Claim] {
            assert!(parameter(MessageName::TokenResponse, "x_invented", place).is_none());
        }
        assert!(metadata("x_invented").is_none());
    }
}
