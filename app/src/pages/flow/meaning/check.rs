//! What each check looks at, and who demands it.

use super::reference::{Reference, backchannel_logout, core, discovery, jarm, rfc};
use crate::flow::{CheckName, SkipReason};

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
#[expect(clippy::too_many_lines, reason = "a table, one row for each")]
pub(crate) fn check(name: CheckName) -> CheckMeaning {
    let (rule, why, demanded) = match name {
        CheckName::LoginRequestOrigin => {
            ("The login was asked for here, by a click", "Another site must not be able to start a login in your name.", rfc(9700, "4.7"))
        }
        CheckName::ReturnTo => {
            ("The way back is a page of this site", "Else a login could be made to end on somebody else's page.", rfc(9700, "4.11"))
        }
        CheckName::Metadata => (
            "The metadata are the configured provider's",
            "Its issuer has to be the configured one, letter by letter, or somebody else's endpoints would be used.",
            discovery("4.3", "ProviderConfigurationValidation"),
        ),
        CheckName::AuthorizationRequest => {
            ("The request can be made", "What is configured and what the provider offers fit together.", rfc(6749, "4.1.1"))
        }
        CheckName::ClientAuthentication => {
            ("The backend can prove who it is", "Only the registered client may exchange a code.", rfc(6749, "2.3"))
        }
        CheckName::PushedAuthorization => {
            ("The provider has taken the pushed request", "Only then is there a name to send the browser with.", rfc(9126, "2.2"))
        }
        CheckName::Pkce => (
            "The request carries a PKCE challenge (S256)",
            "A code that is stolen on the way is useless to the thief, who does not know the verifier.",
            rfc(9700, "2.1.1"),
        ),
        CheckName::CallbackOrigin => (
            "The answer was posted by this site's own page",
            "Another site must not be able to hand in a code of its choice.",
            rfc(10017, "6.1.3.3"),
        ),
        CheckName::CallbackParameters => (
            "Each parameter is there once, in a sensible length",
            "Of two values, two programs may choose different ones; so a repeated parameter voids the answer.",
            rfc(6749, "3.1"),
        ),
        CheckName::LoginCookie => (
            "This browser holds the cookie of this login",
            "An answer to somebody else's login would sign you in as somebody else.",
            rfc(9700, "4.7"),
        ),
        CheckName::CallbackProvider => {
            ("The login was begun with this provider", "An answer must not be carried from one provider to another.", rfc(9700, "4.4"))
        }
        CheckName::CallbackSignature => {
            ("A signed answer's signature holds", "Where a signed answer was asked for, nothing else counts.", jarm("2.4", "section-2.4"))
        }
        CheckName::State => {
            ("The state that came back is the one that was sent", "It ties the answer to your own click.", rfc(6749, "10.12"))
        }
        CheckName::LoginAge => {
            ("The login is not older than ten minutes", "What lies around for long is found by others.", rfc(9700, "4.7"))
        }
        CheckName::CallbackIssuer => (
            "The answer names the right provider (iss)",
            "With several providers, one could pass off another's answer as its own; its name shows it.",
            rfc(9207, "2.4"),
        ),
        CheckName::CallbackShape => {
            ("The answer is either a code or an error", "Both at once, or neither, is no answer.", rfc(6749, "4.1.2"))
        }
        CheckName::ProviderConsent => {
            ("The provider has not answered with an error", "An error here means that you, or the provider, said no.", rfc(6749, "4.1.2.1"))
        }
        CheckName::FirstUse => {
            ("The answer has not been used before", "A login is finished once. A copy of the answer opens nothing.", rfc(9700, "4.2.4"))
        }
        CheckName::TokenEndpointAvailable => (
            "The provider's token endpoint is well",
            "A provider that is overloaded or broken has not refused anything.",
            rfc(9110, "15.6"),
        ),
        CheckName::TokenResponseFormat => ("The answer can be read", "It has to be a JSON object.", rfc(6749, "5.1")),
        CheckName::GrantAccepted => (
            "The provider has accepted what it was shown",
            "It refuses a code or a refresh token that it does not know, that was used, or that belongs to somebody else.",
            rfc(6749, "5.2"),
        ),
        CheckName::AccessToken => ("There is an access token", "Without one there is nothing to call an API with.", rfc(6749, "5.1")),
        CheckName::TokenType => (
            "The token is of the type that was asked for",
            "A client must not use a token in a way that it does not understand.",
            rfc(6749, "7.1"),
        ),
        CheckName::TokenResponseMembers => {
            ("The other members are what they must be", "A lifetime is a number, scopes are a text, and so on.", rfc(6749, "5.1"))
        }
        CheckName::IdTokenPresent => {
            ("There is an ID token", "Who was asked as an OpenID provider has to say who the user is.", core("3.1.3.3", "TokenResponse"))
        }
        CheckName::ProviderKeys => ("The provider's keys are there", "Without them no signature can be checked.", core("10.1", "Signing")),
        CheckName::IdTokenFormat => {
            ("The ID token is a signed token", "Three parts: a header, the claims, and the signature.", rfc(7515, "3.1"))
        }
        CheckName::IdTokenAlgorithm => (
            "Its algorithm is one of those agreed on",
            "The token itself does not get to choose; else it could choose “none”.",
            rfc(8725, "3.1"),
        ),
        CheckName::IdTokenHeader => (
            "Its header demands nothing and is an ID token's",
            "A header that must be understood, and is not, voids the token.",
            rfc(7515, "4.1.11"),
        ),
        CheckName::IdTokenKey => {
            ("The key that it names is the provider's", "Only keys that the provider has published count.", core("10.1", "Signing"))
        }
        CheckName::IdTokenSignature => (
            "Its signature holds",
            "So the provider has written it, and nobody has changed it since.",
            core("3.1.3.7", "IDTokenValidation"),
        ),
        CheckName::IdTokenPurpose => ("It is no logout token", "A token for one purpose must not serve another.", rfc(8725, "3.11")),
        CheckName::IdTokenIssuer => ("It comes from this provider (iss)", "Letter by letter.", core("3.1.3.7", "IDTokenValidation")),
        CheckName::IdTokenAudience => (
            "It is meant for this app (aud)",
            "A token that was made for another app must not open this one.",
            core("3.1.3.7", "IDTokenValidation"),
        ),
        CheckName::IdTokenAuthorizedParty => (
            "It was issued to this app (azp)",
            "Where a token is for several, it says to whom it was given.",
            core("3.1.3.7", "IDTokenValidation"),
        ),
        CheckName::IdTokenTimes => (
            "It has not ended, and is not from the future (exp, iat, nbf)",
            "An old token proves nothing any more.",
            core("3.1.3.7", "IDTokenValidation"),
        ),
        CheckName::IdTokenNonce => (
            "Its nonce is the one that was sent",
            "It ties the token to this very login: a token from elsewhere has another.",
            core("3.1.3.7", "IDTokenValidation"),
        ),
        CheckName::IdTokenSubject => {
            ("It says who the user is (sub)", "A user is known by issuer and subject, never by an e-mail address.", core("2", "IDToken"))
        }
        CheckName::IdTokenAccessTokenHash => (
            "It belongs to this access token (at_hash)",
            "So that nobody can swap the one for another.",
            core("3.1.3.8", "CodeFlowTokenValidation"),
        ),
        CheckName::IdTokenRequiredClaims => {
            ("It has the claims that the configuration demands", "Whoever runs this app may demand more.", core("5.1", "StandardClaims"))
        }
        CheckName::IdTokenAcr => {
            ("You signed in as strongly as was asked for (acr)", "Some things want more than a password.", rfc(9470, "5"))
        }
        CheckName::IdTokenAuthenticationTime => (
            "You signed in as recently as was asked for (auth_time)",
            "Some things want you to show that it is still you.",
            core("3.1.2.1", "AuthRequest"),
        ),
        CheckName::IdTokenIdentity => {
            ("A renewed ID token is of the same user", "A session does not change hands.", core("12.2", "RefreshTokenResponse"))
        }
        CheckName::UserinfoAvailable => {
            ("The user endpoint answers", "A provider that is overloaded or broken has not refused anything.", rfc(9110, "15.6"))
        }
        CheckName::UserinfoAuthorized => ("It accepts the access token", "The token has just been issued, and for this.", rfc(6750, "3.1")),
        CheckName::UserinfoFormat => {
            ("Its answer can be read", "It has to be a JSON object, or a signed token.", core("5.3.2", "UserInfoResponse"))
        }
        CheckName::UserinfoSignature => {
            ("A signed answer's signature holds", "Where the answer is signed, the signature counts.", core("5.3.2", "UserInfoResponse"))
        }
        CheckName::UserinfoSubject => (
            "It is about the user of the ID token",
            "Else somebody could be signed in with another's name.",
            core("5.3.4", "UserInfoResponseValidation"),
        ),
        CheckName::AccessRule => (
            "The rules of this app let you in",
            "Who you are is settled by now. Whether you may in is this app's own rule.",
            rfc(6749, "1.1"),
        ),
        CheckName::SessionStored => (
            "The session is stored",
            "Once, under the hash of a name drawn by lot; the state leads to it and is used up.",
            rfc(10017, "6.1"),
        ),
        CheckName::LogoutToken => (
            "The provider's logout token holds",
            "Anybody can send such a message; only the provider can sign it.",
            backchannel_logout("2.6", "Validation"),
        ),
        CheckName::Revocation => {
            ("The provider has taken the token back", "Where it has not, the token ends by itself when its time is over.", rfc(7009, "2.2"))
        }
    };
    CheckMeaning { rule, why, demanded }
}

/// Why there was nothing to look at.
pub(crate) fn skip_reason(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NotSent => "it is optional, and was not sent",
        SkipReason::NotAskedFor => "nobody asked for it",
        SkipReason::NotSupported => "this provider cannot do it",
        SkipReason::TurnedOff => "the configuration turns it off",
        SkipReason::LeftOut => "this experiment leaves it out",
    }
}
