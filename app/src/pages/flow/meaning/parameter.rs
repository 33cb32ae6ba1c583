//! What each parameter is for.

use super::reference::{Reference, backchannel_logout, core, discovery, jarm, rfc, rp_logout, session_management};
use crate::flow::{MessageName, Place};

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
        Place::Body if (message, name) == (MessageName::LoginRefused, "code") => {
            Some(own("What happened, in one word that never changes."))
        }
        Place::Cookie => Some(cookie(name)),
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
        "issuer" => ("The provider's one true name.", rfc(8414, "2")),
        "authorization_endpoint" => ("Where browsers are sent to sign in.", rfc(8414, "2")),
        "token_endpoint" => ("Where codes are exchanged for tokens.", rfc(8414, "2")),
        "userinfo_endpoint" => ("Where it tells who the user is.", discovery("3", "ProviderMetadata")),
        "jwks_uri" => ("Where its public keys are.", rfc(8414, "2")),
        "end_session_endpoint" => ("Where browsers are sent to sign out.", rp_logout("2.1", "OPMetadata")),
        "revocation_endpoint" => ("Where tokens are given back.", rfc(8414, "2")),
        "introspection_endpoint" => ("Where an API may ask about a token.", rfc(8414, "2")),
        "pushed_authorization_request_endpoint" => ("Where requests can be handed in beforehand.", rfc(9126, "5")),
        "require_pushed_authorization_requests" => ("Whether they have to be.", rfc(9126, "5")),
        "registration_endpoint" => ("Where a client can register itself.", rfc(8414, "2")),
        "device_authorization_endpoint" => ("Where devices without a browser begin.", rfc(8628, "4")),
        "scopes_supported" => ("The permissions that can be asked for.", rfc(8414, "2")),
        "response_types_supported" => ("The kinds of answer that it gives; here only the code counts.", rfc(8414, "2")),
        "response_modes_supported" => ("The ways in which the answer can travel.", rfc(8414, "2")),
        "grant_types_supported" => ("What can be exchanged for tokens.", rfc(8414, "2")),
        "subject_types_supported" => {
            ("Whether every app sees the same user identifier, or each its own.", discovery("3", "ProviderMetadata"))
        }
        "id_token_signing_alg_values_supported" => ("The algorithms that it signs ID tokens with.", discovery("3", "ProviderMetadata")),
        "userinfo_signing_alg_values_supported" => {
            ("The algorithms that it signs user information with.", discovery("3", "ProviderMetadata"))
        }
        "token_endpoint_auth_methods_supported" => ("The ways in which a client can prove who it is.", rfc(8414, "2")),
        "token_endpoint_auth_signing_alg_values_supported" => ("The algorithms for a client's signed proof.", rfc(8414, "2")),
        "code_challenge_methods_supported" => ("The methods of PKCE that it knows; S256 is the good one.", rfc(8414, "2")),
        "authorization_response_iss_parameter_supported" => ("Whether it names itself in its answers.", rfc(9207, "3")),
        "dpop_signing_alg_values_supported" => ("The algorithms for tokens that are bound to a key.", rfc(9449, "5.1")),
        "claims_supported" => ("What it may tell of a user.", discovery("3", "ProviderMetadata")),
        "claims_parameter_supported" => ("Whether single claims can be asked for.", discovery("3", "ProviderMetadata")),
        "request_parameter_supported" => ("Whether it takes signed requests.", discovery("3", "ProviderMetadata")),
        "request_uri_parameter_supported" => ("Whether it fetches signed requests from an address.", discovery("3", "ProviderMetadata")),
        "request_object_signing_alg_values_supported" => ("The algorithms for signed requests.", discovery("3", "ProviderMetadata")),
        "acr_values_supported" => ("How strongly it can authenticate a user.", discovery("3", "ProviderMetadata")),
        "prompt_values_supported" => ("How it can be told to ask the user.", rfc(8414, "2")),
        "ui_locales_supported" => ("The languages of its pages.", rfc(8414, "2")),
        "service_documentation" => ("Where its developers' guide is.", rfc(8414, "2")),
        "op_policy_uri" | "op_tos_uri" => ("Its terms.", rfc(8414, "2")),
        "backchannel_logout_supported" => {
            ("Whether it tells apps directly that a user has signed out.", backchannel_logout("2.1", "BCSupport"))
        }
        "backchannel_logout_session_supported" => ("Whether it then says which session.", backchannel_logout("2.1", "BCSupport")),
        "check_session_iframe" => {
            ("A page by which a script can watch the session; not used here.", session_management("3.3", "OPMetadata"))
        }
        "authorization_signing_alg_values_supported" => ("The algorithms that it signs its answers with.", jarm("3", "section-3")),
        _ => return None,
    };
    Some(ParameterMeaning { why, defined: Some(defined) })
}

/// The cookies of this project: everything else in a browser's cookies is nobody's business here.
fn cookie(name: &str) -> ParameterMeaning {
    if name.contains("tx-") {
        ParameterMeaning {
            why: "This login itself, sealed so that only the backend can open it: state, nonce, verifier, and the way back. The backend stores nothing.",
            defined: Some(rfc(6265, "4.1")),
        }
    } else if name.ends_with("flow") {
        ParameterMeaning { why: "By this the X-ray knows which logins are this browser's. It opens nothing.", defined: None }
    } else {
        ParameterMeaning {
            why: "The name of your session, drawn by lot. No script can read it, and no other site can have it sent.",
            defined: Some(rfc(10017, "6.1.3.2")),
        }
    }
}

fn header(name: &str) -> Option<ParameterMeaning> {
    let (why, defined) = match name {
        "authorization" => ("Who is calling: the client's own proof, or the access token.", rfc(9110, "11.6.2")),
        "dpop" => {
            ("A signature, fresh for this call, by the key that the token is bound to: a stolen token is not enough.", rfc(9449, "4"))
        }
        "dpop-nonce" => ("What the next such signature has to contain.", rfc(9449, "8")),
        "www-authenticate" => ("What was wrong with the token, or what is wanted instead.", rfc(6750, "3")),
        "location" => ("Where the browser goes next.", rfc(9110, "10.2.2")),
        "set-cookie" => ("A cookie for the browser to keep.", rfc(6265, "4.1")),
        "cookie" => ("What the browser keeps for this site.", rfc(6265, "4.2")),
        "origin" => ("Which site's page sends this; the browser says so, and no page can change it.", rfc(6454, "7")),
        "x-csrf" => {
            ("A header that only a page of this site can send: it shows that no other site is behind the call.", rfc(10017, "6.1.3.3"))
        }
        "referer" => ("The page that the browser comes from.", rfc(9110, "10.1.3")),
        "content-type" => ("What the body is.", rfc(9110, "8.3")),
        "content-length" => ("How long the body is.", rfc(9110, "8.6")),
        "accept" => ("What the sender can read.", rfc(9110, "12.5.1")),
        "cache-control" => ("Whether the answer may be kept; with a token in it, it may not.", rfc(6749, "5.1")),
        "retry-after" => ("How long to wait before the next try.", rfc(9110, "10.2.3")),
        "date" => ("The time on the sender's clock.", rfc(9110, "6.6.1")),
        "host" => ("Which site is meant.", rfc(9110, "7.2")),
        "user-agent" => ("Which program asks.", rfc(9110, "10.1.5")),
        "sec-fetch-site" => {
            return Some(own("Whether the request comes from this site or another; the browser says so, and no page can change it."));
        }
        "sec-fetch-mode" => return Some(own("Whether the browser navigates or a script calls.")),
        "sec-fetch-dest" => return Some(own("What the answer is meant for.")),
        "clear-site-data" => return Some(own("Asks the browser to forget what it keeps for this site.")),
        _ => return None,
    };
    Some(ParameterMeaning { why, defined: Some(defined) })
}

const fn own(why: &'static str) -> ParameterMeaning {
    ParameterMeaning { why, defined: None }
}

fn request_or_response(name: &str) -> Option<ParameterMeaning> {
    let (why, defined) = match name {
        // The authorization request.
        "response_type" => ("“code”: the answer is to be a code, never a token.", rfc(6749, "4.1.1")),
        "client_id" => ("Which app asks. It is public, and proves nothing.", rfc(6749, "2.2")),
        "redirect_uri" => {
            ("Where the answer goes. The provider compares it with what was registered, letter by letter.", rfc(6749, "3.1.2"))
        }
        "scope" => ("The permissions that are asked for, or granted.", rfc(6749, "3.3")),
        "state" => {
            ("Drawn by lot for this login. It has to come back unchanged, which ties the answer to your own click.", rfc(6749, "10.12"))
        }
        "code_challenge" => {
            ("The hash of the PKCE verifier. The verifier itself is shown only when the code is exchanged.", rfc(7636, "4.3"))
        }
        "code_challenge_method" => ("How the challenge is made: S256, a SHA-256 hash.", rfc(7636, "4.3")),
        "nonce" => (
            "Drawn by lot for this login. The provider puts it into the ID token, which ties the token to this login.",
            core("3.1.2.1", "AuthRequest"),
        ),
        "prompt" => ("Whether the provider is to ask the user again, or not at all.", core("3.1.2.1", "AuthRequest")),
        "max_age" => ("How long ago the user may have signed in, at most.", core("3.1.2.1", "AuthRequest")),
        "login_hint" => ("Who is expected to sign in.", core("3.1.2.1", "AuthRequest")),
        "ui_locales" => ("The languages that the user prefers.", core("3.1.2.1", "AuthRequest")),
        "display" => ("How the provider's page is to be shown.", core("3.1.2.1", "AuthRequest")),
        "acr_values" => ("How strongly the user is to be authenticated.", core("3.1.2.1", "AuthRequest")),
        "id_token_hint" => ("Who is meant: an ID token from before.", core("3.1.2.1", "AuthRequest")),
        "claims" => ("Single claims that are asked for.", core("5.5", "ClaimsParameter")),
        "response_mode" => ("How the answer is to travel.", jarm("2.3", "section-2.3")),
        "request" => ("The whole request as a signed token, so that nobody can change it on the way.", rfc(9101, "4")),
        "request_uri" => ("The name of a request that was handed in beforehand.", rfc(9126, "2.2")),
        "resource" => ("The API that the token is to be for.", rfc(8707, "2")),
        "dpop_jkt" => ("The fingerprint of the key that the code will be bound to.", rfc(9449, "10")),
        "authorization_details" => ("The permissions in detail.", rfc(9396, "2")),
        // The authorization response.
        "code" => {
            ("The authorization code: works once, for a short time, and only together with the client's own proof.", rfc(6749, "4.1.2"))
        }
        "iss" => ("Who answers: the provider's name.", rfc(9207, "2")),
        "response" => ("The whole answer in one signed token.", jarm("2.3", "section-2.3")),
        "session_state" => (
            "By this a script could watch the session at the provider; not used here.",
            session_management("2", "CreatingUpdatingSessions"),
        ),
        "error" => ("Why there is nothing better, in one agreed word.", rfc(6749, "4.1.2.1")),
        "error_description" => ("The provider's own words about it; shown as text and never believed.", rfc(6749, "4.1.2.1")),
        "error_uri" => ("A page about the error; never followed.", rfc(6749, "4.1.2.1")),
        // The token request.
        "grant_type" => ("What is being exchanged for tokens.", rfc(6749, "4.1.3")),
        "code_verifier" => (
            "The PKCE verifier. The provider hashes it and compares it with the challenge: so whoever began the login is the one who ends it.",
            rfc(7636, "4.5"),
        ),
        "client_secret" => ("The app's password at the provider. Only the backend has it.", rfc(6749, "2.3.1")),
        "client_assertion" => ("The client's proof: a token that it has signed with its own key.", rfc(7523, "2.2")),
        "client_assertion_type" => ("What kind of proof that is.", rfc(7523, "2.2")),
        "refresh_token" => ("With this the backend gets the next access token, without the user.", rfc(6749, "1.5")),
        "subject_token" => ("The token that is shown, to get another one.", rfc(8693, "2.1")),
        "subject_token_type" | "requested_token_type" => ("What kind of token is shown, or wanted.", rfc(8693, "2.1")),
        "issued_token_type" => ("What kind of token was given.", rfc(8693, "2.2.1")),
        // The token response.
        "access_token" => {
            ("What opens the user's data, for a while and as far as the scopes go. It stays in the backend.", rfc(6749, "1.4"))
        }
        "token_type" => ("How the token is used: “Bearer” works for whoever has it.", rfc(6749, "7.1")),
        "expires_in" => ("For how many seconds it is good.", rfc(6749, "5.1")),
        "refresh_expires_in" => return Some(own("For how many seconds the refresh token is good; an extra of this provider.")),
        "id_token" => ("Who the user is, signed by the provider. It is taken apart further down.", core("2", "IDToken")),
        // Giving back, and signing out.
        "token" => ("The token that is given back.", rfc(7009, "2.1")),
        "token_type_hint" => ("Which kind of token it is.", rfc(7009, "2.1")),
        "post_logout_redirect_uri" => ("Where the browser goes after the provider's sign-out.", rp_logout("3", "RedirectionAfterLogout")),
        "logout_hint" => ("Who is signing out.", rp_logout("2", "RPLogout")),
        "logout_token" => ("The provider's signed word that a session has ended.", backchannel_logout("2.4", "LogoutToken")),
        "keys" => ("The public keys.", rfc(7517, "5.1")),
        // This project's own.
        "provider" => return Some(own("Which of the configured providers you chose.")),
        "return_to" => return Some(own("Where you wanted to go: a page of this site, and nothing else.")),
        "upstream" => return Some(own("The API whose demands the sign-in has to meet.")),
        "csrf_token" => return Some(own("Shows that the form is this site's own.")),
        "redirect_to" => return Some(own("Where the browser goes next.")),
        "everywhere" => return Some(own("Whether all of the user's sessions end.")),
        "type" => ("The page that documents the problem.", rfc(9457, "3.1.1")),
        "title" => ("What happened, in a few words.", rfc(9457, "3.1.3")),
        "status" => ("The HTTP status.", rfc(9457, "3.1.2")),
        "detail" => ("What happened this time.", rfc(9457, "3.1.4")),
        "instance" | "request_id" => return Some(own("By this number whoever runs the app finds the request in the log.")),
        // An extra of GitHub's.
        "allow_signup" => return Some(own("Whether the provider offers to make a new account.")),
        "access_type" => return Some(own("Whether the provider is to give a refresh token; an extra of this provider.")),
        "audience" => return Some(own("The API that the token is to be for; an extra of this provider.")),
        _ => return None,
    };
    Some(ParameterMeaning { why, defined: Some(defined) })
}

/// What a member of a token's header or claims says.
pub(crate) fn claim(name: &str) -> Option<ParameterMeaning> {
    let (why, defined) = match name {
        "iss" => ("Who has written the token.", core("2", "IDToken")),
        "sub" => (
            "The user, as the provider counts. Together with the issuer it never changes, unlike a name or an address.",
            core("2", "IDToken"),
        ),
        "aud" => ("Whom the token is for: this app's client id.", core("2", "IDToken")),
        "exp" => ("When it ends.", core("2", "IDToken")),
        "iat" => ("When it was written.", core("2", "IDToken")),
        "nbf" => ("When it begins.", rfc(7519, "4.1.5")),
        "jti" => ("Its own number.", rfc(7519, "4.1.7")),
        "auth_time" => ("When the user last signed in at the provider.", core("2", "IDToken")),
        "nonce" => ("The value from the authorization request: it ties the token to this login.", core("2", "IDToken")),
        "acr" => ("How strongly the user was authenticated.", core("2", "IDToken")),
        "amr" => ("By what means.", core("2", "IDToken")),
        "azp" => ("To whom the token was issued.", core("2", "IDToken")),
        "at_hash" => ("Half of the access token's hash: it ties the two together.", core("3.1.3.6", "CodeIDToken")),
        "c_hash" => ("Half of the code's hash.", core("3.3.2.11", "HybridIDToken")),
        "sid" => ("The session at the provider; by it the provider can end the one here.", backchannel_logout("2.1", "BCSupport")),
        "events" => ("What has happened: a sign-out.", backchannel_logout("2.4", "LogoutToken")),
        "name" => ("The user's name.", core("5.1", "StandardClaims")),
        "given_name" | "family_name" | "middle_name" | "nickname" => ("A part of the user's name.", core("5.1", "StandardClaims")),
        "preferred_username" | "login" => {
            ("What the user is called there. It may change hands, so nobody is recognized by it.", core("5.1", "StandardClaims"))
        }
        "profile" | "website" => ("A page of the user's.", core("5.1", "StandardClaims")),
        "picture" | "avatar_url" => ("The address of the user's picture.", core("5.1", "StandardClaims")),
        "email" => ("The user's e-mail address.", core("5.1", "StandardClaims")),
        "email_verified" => ("Whether the provider has seen that the address is the user's.", core("5.1", "StandardClaims")),
        "gender" | "birthdate" | "zoneinfo" | "locale" | "phone_number" | "phone_number_verified" | "address" => {
            ("About the user.", core("5.1", "StandardClaims"))
        }
        "updated_at" => ("When that was last changed.", core("5.1", "StandardClaims")),
        // A token's header.
        "alg" => ("The algorithm of the signature. It counts only if it is one of those agreed on before.", rfc(7515, "4.1.1")),
        "kid" => ("Which of the provider's keys has signed.", rfc(7515, "4.1.4")),
        "typ" => ("What kind of token it is.", rfc(7515, "4.1.9")),
        "cty" => ("What is inside it.", rfc(7515, "4.1.10")),
        "crit" => ("What the reader must understand, or else throw the token away.", rfc(7515, "4.1.11")),
        "jku" | "x5u" | "jwk" | "x5c" => {
            ("A key to check with. It is never followed: whoever forges a token can write here too.", rfc(8725, "3.10"))
        }
        _ => return None,
    };
    Some(ParameterMeaning { why, defined: Some(defined) })
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
        assert_ne!(why(request, "tx-abc", Place::Cookie), why(request, "session", Place::Cookie));
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
