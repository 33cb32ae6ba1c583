//! What a provider can do wrong: one defect an issuer, so that a client under test meets each of them alone.

pub(crate) mod attacker;
pub(crate) mod authorization_response;
pub(crate) mod id_token;
pub(crate) mod journal;
pub(crate) mod keys;
pub(crate) mod logout_token;
pub(crate) mod metadata;
pub(crate) mod reply;
pub(crate) mod token;
pub(crate) mod userinfo;

use std::fmt;

use crate::{DemoProviderConfig, Offer, SigningAlgorithm};

/// What a correct client does about a defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It never sends the browser to the provider.
    RefuseBeforeRedirect,
    /// It refuses the authorization response, and makes no token request.
    RefuseAtCallback,
    /// It fails the login after the token request, and does not use the tokens.
    RefuseAtExchange,
    /// It fails the login after it has asked for userinfo.
    RefuseAtUserinfo,
    /// It does not take the refreshed tokens; the session stays.
    RefuseAtRefresh,
    /// It answers the logout token with 400; the session stays.
    RefuseLogoutToken,
    /// It takes the logout token once, and answers with 400 from then on.
    RefuseSecondLogoutToken,
    /// It signs the user in: the defect is none, or does no harm.
    Accept,
    /// It signs the user in, or fails the login after the token request.
    AcceptOrRefuseAtExchange,
}

impl Expected {
    /// Every expectation.
    pub const ALL: [Self; 9] = [
        Self::RefuseBeforeRedirect,
        Self::RefuseAtCallback,
        Self::RefuseAtExchange,
        Self::RefuseAtUserinfo,
        Self::RefuseAtRefresh,
        Self::RefuseLogoutToken,
        Self::RefuseSecondLogoutToken,
        Self::Accept,
        Self::AcceptOrRefuseAtExchange,
    ];

    /// In a few words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::RefuseBeforeRedirect => "never sends the browser to the provider",
            Self::RefuseAtCallback => "refuses the authorization response; no token request",
            Self::RefuseAtExchange => "fails the login; the tokens are not used, userinfo is not asked for",
            Self::RefuseAtUserinfo => "fails the login",
            Self::RefuseAtRefresh => "signs in; does not take the refreshed tokens, keeps the session",
            Self::RefuseLogoutToken => "answers the logout token with 400, keeps the session",
            Self::RefuseSecondLogoutToken => "takes the logout token once, then answers with 400",
            Self::Accept => "signs in",
            Self::AcceptOrRefuseAtExchange => "signs in, or fails the login after the token request",
        }
    }
}

/// What a client has to use for a defect to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// The authorization code flow, and nothing else.
    Nothing,
    /// Pushed authorization requests ([RFC 9126](https://www.rfc-editor.org/rfc/rfc9126)).
    PushedRequests,
    /// `response_mode=jwt` ([JARM](https://openid.net/specs/oauth-v2-jarm.html)).
    Jarm,
    /// `DPoP`, and nothing weaker ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
    Dpop,
    /// `acr_values=urn:example:acr:two-factor`, which the ID token must confirm.
    StrongAuthentication,
    /// `max_age=300`, which the ID token must confirm.
    RecentAuthentication,
    /// Signed userinfo, and nothing weaker ([Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)).
    SignedUserinfo,
    /// The scope `offline_access`, and a refresh.
    Refresh,
}

impl Feature {
    /// What the client's configuration has to say; empty when nothing is needed.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::PushedRequests => "pushed authorization requests",
            Self::Jarm => "`response_mode=jwt`",
            Self::Dpop => "DPoP, required",
            Self::StrongAuthentication => "`acr_values=urn:example:acr:two-factor`",
            Self::RecentAuthentication => "`max_age=300`",
            Self::SignedUserinfo => "signed userinfo, required",
            Self::Refresh => "the scope `offline_access`, and a refresh",
        }
    }
}

macro_rules! defects {
    ($($variant:ident, $name:literal, $expected:ident, $feature:ident, $section:literal, $description:literal;)*) => {
        /// The one thing that a provider does wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Defect {
            $(
                #[doc = $description]
                $variant,
            )*
        }

        impl Defect {
            /// Every defect, in the order of a login.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            const fn row(self) -> (&'static str, Expected, Feature, &'static str, &'static str) {
                match self {
                    $(Self::$variant => ($name, Expected::$expected, Feature::$feature, $section, $description),)*
                }
            }
        }
    };
}

defects! {
    MetadataIssuerOther, "metadata-issuer-other", RefuseBeforeRedirect, Nothing, "Discovery §4.3", "The metadata's `issuer` differs from the configured one in its last character.";
    MetadataIssuerSlash, "metadata-issuer-slash", RefuseBeforeRedirect, Nothing, "Discovery §4.3", "The metadata's `issuer` has a slash at the end that the configured one has not.";
    MetadataIssuerMissing, "metadata-issuer-missing", RefuseBeforeRedirect, Nothing, "Discovery §3", "The metadata has no `issuer`.";
    MetadataHtml, "metadata-html", RefuseBeforeRedirect, Nothing, "Discovery §4.2", "The metadata is an HTML page, as a captive portal would show it.";
    MetadataServerError, "metadata-server-error", RefuseBeforeRedirect, Nothing, "Discovery §4.2", "The metadata's address answers with status 500.";
    MetadataRedirected, "metadata-redirected", RefuseBeforeRedirect, Nothing, "Discovery §4.2", "The metadata's address redirects to the metadata of another provider.";
    MetadataHung, "metadata-hung", RefuseBeforeRedirect, Nothing, "RFC 9700 §4", "The metadata's address takes the connection and never answers.";
    MetadataHuge, "metadata-huge", RefuseBeforeRedirect, Nothing, "RFC 9700 §4", "The metadata has 100 MB.";
    MetadataGzipBomb, "metadata-gzip-bomb", RefuseBeforeRedirect, Nothing, "RFC 9110 §12.5.3", "The metadata is compressed without being asked for, and grows to a gigabyte.";
    MetadataDeepNesting, "metadata-deep-nesting", RefuseBeforeRedirect, Nothing, "RFC 8259 §9", "The metadata holds 20,000 arrays, one in the other.";
    MetadataManyMembers, "metadata-many-members", RefuseBeforeRedirect, Nothing, "RFC 8259 §9", "The metadata has 10,000 members that nobody knows.";
    MetadataWrongTypes, "metadata-wrong-types", RefuseBeforeRedirect, Nothing, "Discovery §3", "The metadata's endpoints are numbers.";
    MetadataTokenEndpointMissing, "metadata-token-endpoint-missing", RefuseBeforeRedirect, Nothing, "Discovery §3", "The metadata has no `token_endpoint`.";
    MetadataTokenEndpointLinkLocal, "metadata-token-endpoint-link-local", RefuseBeforeRedirect, Nothing, "RFC 9700 §4.11", "The `token_endpoint` is the metadata service of a cloud, `http://169.254.169.254/`.";
    MetadataTokenEndpointFile, "metadata-token-endpoint-file", RefuseBeforeRedirect, Nothing, "RFC 8414 §2", "The `token_endpoint` is a `file:` address.";
    MetadataTokenEndpointPlain, "metadata-token-endpoint-plain", RefuseBeforeRedirect, Nothing, "RFC 8414 §2", "The `token_endpoint` is plain `http` on another host.";
    MetadataKeysLinkLocal, "metadata-keys-link-local", RefuseBeforeRedirect, Nothing, "RFC 9700 §4.11", "The `jwks_uri` is the metadata service of a cloud, `http://169.254.169.254/`.";
    MetadataAuthorizationEndpointScript, "metadata-authorization-endpoint-script", RefuseBeforeRedirect, Nothing, "RFC 8414 §2", "The `authorization_endpoint` is a `javascript:` address.";
    MetadataPushedRequestsImpossible, "metadata-pushed-requests-impossible", RefuseBeforeRedirect, Nothing, "RFC 9126 §5", "Requests must be pushed, and there is no endpoint to push them to.";
    MetadataPkcePlainOnly, "metadata-pkce-plain-only", Accept, Nothing, "RFC 9700 §2.1.1", "The metadata offers PKCE with `plain` only. `S256` is sent nevertheless.";
    MetadataAuthorizationEndpointForeign, "metadata-authorization-endpoint-foreign", RefuseAtCallback, Nothing, "RFC 9700 §4.4", "The `authorization_endpoint` is that of an honest provider, whose codes this one would like to have (mix-up).";
    PushedRequestNonsense, "pushed-request-nonsense", RefuseBeforeRedirect, PushedRequests, "RFC 9126 §2.2", "The answer to a pushed request holds no `request_uri`.";
    PushedRequestHtml, "pushed-request-html", RefuseBeforeRedirect, PushedRequests, "RFC 9126 §2.2", "The answer to a pushed request is an HTML page.";
    PushedRequestError, "pushed-request-error", RefuseBeforeRedirect, PushedRequests, "RFC 9126 §2.3", "Every pushed request is refused, with script in the `error_description`.";
    PushedRequestServerError, "pushed-request-server-error", RefuseBeforeRedirect, PushedRequests, "RFC 9126 §2.3", "Pushed requests get the status 503.";
    PushedRequestRedirected, "pushed-request-redirected", RefuseBeforeRedirect, PushedRequests, "RFC 9700 §4.12", "Pushed requests, with the client's credentials, are redirected to an attacker.";
    PushedRequestHuge, "pushed-request-huge", RefuseBeforeRedirect, PushedRequests, "RFC 9700 §4", "The answer to a pushed request has 100 MB.";
    ResponseIssOther, "response-iss-other", RefuseAtCallback, Nothing, "RFC 9207 §2.4", "The authorization response's `iss` is another provider.";
    ResponseIssMissing, "response-iss-missing", RefuseAtCallback, Nothing, "RFC 9207 §2.4", "The authorization response has no `iss`, although the metadata says that it has.";
    ResponseIssSlash, "response-iss-slash", RefuseAtCallback, Nothing, "RFC 9207 §2.4", "The authorization response's `iss` has a slash at the end.";
    ResponseIssCase, "response-iss-case", RefuseAtCallback, Nothing, "RFC 9207 §2.4", "The authorization response's `iss` is written in capitals.";
    ResponseIssTwice, "response-iss-twice", RefuseAtCallback, Nothing, "RFC 6749 §3.1", "The authorization response has two `iss`, the right one first.";
    ResponseStateOther, "response-state-other", RefuseAtCallback, Nothing, "RFC 6749 §10.12", "The authorization response's `state` is another one.";
    ResponseStateMissing, "response-state-missing", RefuseAtCallback, Nothing, "RFC 6749 §10.12", "The authorization response has no `state`.";
    ResponseStateTwice, "response-state-twice", RefuseAtCallback, Nothing, "RFC 6749 §3.1", "The authorization response has two `state`, the right one first.";
    ResponseCodeMissing, "response-code-missing", RefuseAtCallback, Nothing, "RFC 6749 §4.1.2", "The authorization response has neither a code nor an error.";
    ResponseCodeTwice, "response-code-twice", RefuseAtCallback, Nothing, "RFC 6749 §3.1", "The authorization response has two codes.";
    ResponseCodeAndError, "response-code-and-error", RefuseAtCallback, Nothing, "RFC 6749 §4.1.2", "The authorization response has a code and an error.";
    ResponseCodeHuge, "response-code-huge", RefuseAtCallback, Nothing, "RFC 6749 §4.1.2", "The authorization code has 12,000 characters.";
    ResponseErrorScript, "response-error-script", RefuseAtCallback, Nothing, "RFC 6749 §4.1.2.1", "Access is denied, with script in the `error_description`.";
    ResponseErrorUnknown, "response-error-unknown", RefuseAtCallback, Nothing, "RFC 6749 §4.1.2.1", "The error is script itself.";
    ResponseErrorIssOther, "response-error-iss-other", RefuseAtCallback, Nothing, "RFC 9207 §2.4", "Access is denied in the name of another provider.";
    ResponseErrorStateMissing, "response-error-state-missing", RefuseAtCallback, Nothing, "RFC 6749 §4.1.2.1", "Access is denied without a `state`.";
    JarmUnsigned, "jarm-unsigned", RefuseAtCallback, Jarm, "JARM §2.4", "The signed response has the algorithm `none`.";
    JarmSignatureBad, "jarm-signature-bad", RefuseAtCallback, Jarm, "JARM §2.4", "One bit of the signed response's signature is wrong.";
    JarmAlgHs256PublicKey, "jarm-alg-hs256-public-key", RefuseAtCallback, Jarm, "JARM §2.4", "The signed response is signed with HS256, keyed with the public key.";
    JarmIssOther, "jarm-iss-other", RefuseAtCallback, Jarm, "JARM §2.4", "The signed response's `iss` is another provider.";
    JarmAudOther, "jarm-aud-other", RefuseAtCallback, Jarm, "JARM §2.4", "The signed response is for another client.";
    JarmExpired, "jarm-expired", RefuseAtCallback, Jarm, "JARM §2.4", "The signed response has expired.";
    JarmExpMissing, "jarm-exp-missing", RefuseAtCallback, Jarm, "JARM §2.4", "The signed response does not say when it expires.";
    JarmStateOther, "jarm-state-other", RefuseAtCallback, Jarm, "JARM §2.4", "The signed response's `state` is another one.";
    JarmLeftOut, "jarm-left-out", RefuseAtCallback, Jarm, "JARM §2.4", "The response is plain, although a signed one was asked for.";
    JarmUnasked, "jarm-unasked", RefuseAtCallback, Nothing, "JARM §2.3", "The response is a signed one, although a plain one was asked for.";
    TokenErrorWith200, "token-error-with-200", RefuseAtExchange, Nothing, "RFC 6749 §5.2", "The token endpoint answers `{\"error\": …}` with status 200.";
    TokenErrorScript, "token-error-script", RefuseAtExchange, Nothing, "RFC 6749 §5.2", "The token endpoint refuses, with script in the `error_description`.";
    TokenHtml, "token-html", RefuseAtExchange, Nothing, "RFC 6749 §5.1", "The token endpoint answers with an HTML page and status 200.";
    TokenServerError, "token-server-error", RefuseAtExchange, Nothing, "RFC 6749 §5.2", "The token endpoint answers with status 503.";
    TokenRedirected, "token-redirected", RefuseAtExchange, Nothing, "RFC 9700 §4.12", "The token endpoint redirects to an attacker with status 307, who would get the code, its verifier and the client's secret.";
    TokenHung, "token-hung", RefuseAtExchange, Nothing, "RFC 9700 §4", "The token endpoint takes the request and never answers.";
    TokenHuge, "token-huge", RefuseAtExchange, Nothing, "RFC 9700 §4", "The token endpoint's answer has 100 MB.";
    TokenGzipBomb, "token-gzip-bomb", RefuseAtExchange, Nothing, "RFC 9110 §12.5.3", "The token endpoint's answer is compressed without being asked for, and grows to a gigabyte.";
    TokenDeepNesting, "token-deep-nesting", RefuseAtExchange, Nothing, "RFC 8259 §9", "The token endpoint's answer holds 20,000 arrays, one in the other.";
    TokenManyMembers, "token-many-members", RefuseAtExchange, Nothing, "RFC 8259 §9", "The token endpoint's answer has 10,000 members that nobody knows.";
    TokenWrongTypes, "token-wrong-types", RefuseAtExchange, Nothing, "RFC 6749 §5.1", "The access token is a number.";
    TokenAccessTokenMissing, "token-access-token-missing", RefuseAtExchange, Nothing, "RFC 6749 §5.1", "There is no access token.";
    TokenTypeMissing, "token-type-missing", RefuseAtExchange, Nothing, "RFC 6749 §5.1", "There is no `token_type`.";
    TokenTypeUnknown, "token-type-unknown", RefuseAtExchange, Nothing, "RFC 6749 §7.1", "The `token_type` is `mac`.";
    TokenTypeCapitals, "token-type-capitals", Accept, Nothing, "RFC 6749 §5.1", "The `token_type` is written `BEARER`.";
    TokenExpiresInMissing, "token-expires-in-missing", Accept, Nothing, "RFC 6749 §5.1", "There is no `expires_in`.";
    TokenIdTokenMissing, "token-id-token-missing", RefuseAtExchange, Nothing, "Core §3.1.3.3", "There is no ID token, although `openid` was asked for.";
    TokenIdTokenRubbish, "token-id-token-rubbish", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token is no token at all.";
    PkceIgnored, "pkce-ignored", Accept, Nothing, "RFC 9700 §2.1.1", "The code verifier is not looked at. It is sent nevertheless.";
    DpopDowngraded, "dpop-downgraded", RefuseAtExchange, Dpop, "RFC 9449 §5", "A bound access token was asked for, and a bearer token is given.";
    DpopNonceEndless, "dpop-nonce-endless", RefuseAtExchange, Dpop, "RFC 9449 §8", "Every token request is answered with the demand for another nonce. It is met once.";
    IdTokenIssOther, "id-token-iss-other", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token's `iss` is another provider.";
    IdTokenIssMissing, "id-token-iss-missing", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token has no `iss`.";
    IdTokenAudOther, "id-token-aud-other", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token is for another client.";
    IdTokenAudMissing, "id-token-aud-missing", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token has no `aud`.";
    IdTokenAudExtra, "id-token-aud-extra", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token is for this client and for another that nobody trusts.";
    IdTokenAudArray, "id-token-aud-array", Accept, Nothing, "Core §2", "The ID token's `aud` is an array with the client as its only element.";
    IdTokenAzpOther, "id-token-azp-other", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token's `azp` is another client.";
    IdTokenSubMissing, "id-token-sub-missing", RefuseAtExchange, Nothing, "Core §2", "The ID token has no `sub`.";
    IdTokenSubEmpty, "id-token-sub-empty", RefuseAtExchange, Nothing, "Core §2", "The ID token's `sub` is empty.";
    IdTokenIatMissing, "id-token-iat-missing", RefuseAtExchange, Nothing, "Core §2", "The ID token has no `iat`.";
    IdTokenIatFuture, "id-token-iat-future", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token was issued in an hour, after it expires.";
    IdTokenNbfFuture, "id-token-nbf-future", RefuseAtExchange, Nothing, "RFC 7519 §4.1.5", "The ID token is not valid for another hour.";
    IdTokenExpMissing, "id-token-exp-missing", RefuseAtExchange, Nothing, "Core §2", "The ID token does not say when it expires.";
    IdTokenExpired, "id-token-expired", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token was issued just now, and expired two minutes ago.";
    IdTokenOtherClock, "id-token-other-clock", RefuseAtExchange, Nothing, "Core §3.1.3.7", "All times of the ID token are a day in the past, as if one of the two clocks were wrong.";
    IdTokenNonceMissing, "id-token-nonce-missing", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token has no `nonce`.";
    IdTokenNonceOther, "id-token-nonce-other", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token's `nonce` is another one.";
    IdTokenAtHashOther, "id-token-at-hash-other", RefuseAtExchange, Nothing, "Core §3.1.3.8", "The ID token's `at_hash` is that of another access token.";
    IdTokenAcrMissing, "id-token-acr-missing", RefuseAtExchange, StrongAuthentication, "Core §3.1.3.7", "A strong authentication was asked for, and the ID token does not say what there was.";
    IdTokenAcrWeak, "id-token-acr-weak", RefuseAtExchange, StrongAuthentication, "Core §3.1.3.7", "A strong authentication was asked for, and there was a weak one.";
    IdTokenAuthTimeMissing, "id-token-auth-time-missing", RefuseAtExchange, RecentAuthentication, "Core §3.1.3.7", "A recent authentication was asked for, and the ID token does not say when there was one.";
    IdTokenAuthTimeOld, "id-token-auth-time-old", RefuseAtExchange, RecentAuthentication, "Core §3.1.3.7", "A recent authentication was asked for, and there was one yesterday.";
    IdTokenSignatureBadRs256, "id-token-signature-bad-rs256", RefuseAtExchange, Nothing, "Core §3.1.3.7", "One bit of the ID token's RS256 signature is wrong.";
    IdTokenSignatureBadPs256, "id-token-signature-bad-ps256", RefuseAtExchange, Nothing, "Core §3.1.3.7", "One bit of the ID token's PS256 signature is wrong.";
    IdTokenSignatureBadEs256, "id-token-signature-bad-es256", RefuseAtExchange, Nothing, "Core §3.1.3.7", "One bit of the ID token's ES256 signature is wrong.";
    IdTokenSignatureMissing, "id-token-signature-missing", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token's signature has been cut off.";
    IdTokenAlgNone, "id-token-alg-none", RefuseAtExchange, Nothing, "RFC 8725 §3.2", "The ID token has the algorithm `none`.";
    IdTokenAlgNoneCapitals, "id-token-alg-none-capitals", RefuseAtExchange, Nothing, "RFC 8725 §3.2", "The ID token has the algorithm `NONE`.";
    IdTokenAlgNoneOffered, "id-token-alg-none-offered", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token has the algorithm `none`, and the metadata offers it.";
    IdTokenAlgHs256PublicKey, "id-token-alg-hs256-public-key", RefuseAtExchange, Nothing, "RFC 8725 §3.1", "The ID token is signed with HS256, keyed with the text of the RSA public key.";
    IdTokenAlgHs256Secret, "id-token-alg-hs256-secret", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token is signed with HS256, keyed with the client's secret, although the metadata offers RS256 only.";
    IdTokenAlgOther, "id-token-alg-other", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token is signed with a published key, and with another algorithm than the metadata offers.";
    IdTokenHeaderJwk, "id-token-header-jwk", RefuseAtExchange, Nothing, "RFC 8725 §3.10", "The ID token brings the attacker's key along, in the header's `jwk`.";
    IdTokenHeaderJku, "id-token-header-jku", RefuseAtExchange, Nothing, "RFC 8725 §3.10", "The ID token says where the attacker's key is, in the header's `jku`.";
    IdTokenHeaderX5u, "id-token-header-x5u", RefuseAtExchange, Nothing, "RFC 8725 §3.10", "The ID token says where the attacker's certificate is, in the header's `x5u`.";
    IdTokenHeaderCrit, "id-token-header-crit", RefuseAtExchange, Nothing, "RFC 7515 §4.1.11", "The ID token's header says that something unknown must be understood.";
    IdTokenKidUnknown, "id-token-kid-unknown", RefuseAtExchange, Nothing, "Core §10.1", "The ID token's key is none of the published ones, at every login another.";
    IdTokenKidMissing, "id-token-kid-missing", Accept, Nothing, "Core §10.1", "The ID token does not name its key, and there is only one.";
    IdTokenKidMissingManyKeys, "id-token-kid-missing-many-keys", AcceptOrRefuseAtExchange, Nothing, "Core §10.1", "The ID token does not name its key, and there are several.";
    IdTokenEncrypted, "id-token-encrypted", RefuseAtExchange, Nothing, "Core §3.1.3.7", "The ID token is encrypted, which nobody has agreed on.";
    IdTokenIsLogoutToken, "id-token-is-logout-token", RefuseAtExchange, Nothing, "RFC 8725 §3.12", "In the place of the ID token there is a logout token.";
    IdTokenIsAccessToken, "id-token-is-access-token", RefuseAtExchange, Nothing, "RFC 8725 §3.11", "In the place of the ID token there is a token of the type `at+jwt`.";
    KeysEmpty, "keys-empty", RefuseAtExchange, Nothing, "RFC 7517 §5", "There are no keys.";
    KeysHtml, "keys-html", RefuseAtExchange, Nothing, "RFC 7517 §5", "The keys are an HTML page.";
    KeysServerError, "keys-server-error", RefuseAtExchange, Nothing, "RFC 7517 §5", "The keys' address answers with status 500.";
    KeysRedirected, "keys-redirected", RefuseAtExchange, Nothing, "RFC 9700 §4", "The keys' address redirects to the attacker's keys, and they have signed the ID token.";
    KeysHung, "keys-hung", RefuseAtExchange, Nothing, "RFC 9700 §4", "The keys' address takes the connection and never answers.";
    KeysHuge, "keys-huge", RefuseAtExchange, Nothing, "RFC 9700 §4", "The keys have 100 MB.";
    KeysTenThousand, "keys-ten-thousand", RefuseAtExchange, Nothing, "RFC 9700 §4", "There are 10,000 keys, and the right one is the last.";
    KeysSymmetric, "keys-symmetric", RefuseAtExchange, Nothing, "RFC 8725 §3.1", "The published key is a symmetric one, and the ID token is signed with it.";
    KeysForEncryption, "keys-for-encryption", RefuseAtExchange, Nothing, "RFC 7517 §4.2", "The published key is for encryption, and the ID token is signed with it.";
    KeysRotated, "keys-rotated", Accept, Nothing, "Core §10.1.1", "Every login is signed with another key, which is published just before.";
    UserinfoSubOther, "userinfo-sub-other", RefuseAtUserinfo, Nothing, "Core §5.3.2", "The userinfo's `sub` is somebody else.";
    UserinfoSubMissing, "userinfo-sub-missing", RefuseAtUserinfo, Nothing, "Core §5.3.2", "The userinfo has no `sub`.";
    UserinfoSubNumber, "userinfo-sub-number", RefuseAtUserinfo, Nothing, "Core §5.1", "The userinfo's `sub` is a number.";
    UserinfoHtml, "userinfo-html", RefuseAtUserinfo, Nothing, "Core §5.3.2", "The userinfo is an HTML page.";
    UserinfoServerError, "userinfo-server-error", RefuseAtUserinfo, Nothing, "Core §5.3.3", "The userinfo endpoint answers with status 500.";
    UserinfoRedirected, "userinfo-redirected", RefuseAtUserinfo, Nothing, "RFC 9700 §4", "The userinfo endpoint redirects to an attacker, who would get the access token.";
    UserinfoHuge, "userinfo-huge", RefuseAtUserinfo, Nothing, "RFC 9700 §4", "The userinfo has 100 MB.";
    UserinfoUnsigned, "userinfo-unsigned", RefuseAtUserinfo, SignedUserinfo, "Core §5.3.2", "The userinfo is plain JSON, although the client wants it signed.";
    UserinfoSignatureBad, "userinfo-signature-bad", RefuseAtUserinfo, SignedUserinfo, "Core §5.3.2", "One bit of the signed userinfo's signature is wrong.";
    UserinfoAlgNone, "userinfo-alg-none", RefuseAtUserinfo, SignedUserinfo, "Core §5.3.2", "The signed userinfo has the algorithm `none`.";
    UserinfoIssOther, "userinfo-iss-other", RefuseAtUserinfo, SignedUserinfo, "Core §5.3.2", "The signed userinfo's `iss` is another provider.";
    UserinfoAudOther, "userinfo-aud-other", RefuseAtUserinfo, SignedUserinfo, "Core §5.3.2", "The signed userinfo is for another client.";
    UserinfoScript, "userinfo-script", Accept, Nothing, "Core §5.1", "The name is script, in the ID token and in the userinfo, and so is the address of the picture.";
    RefreshIssOther, "refresh-iss-other", RefuseAtRefresh, Refresh, "Core §12.2", "The refreshed ID token's `iss` is another provider.";
    RefreshSubOther, "refresh-sub-other", RefuseAtRefresh, Refresh, "Core §12.2", "The refreshed ID token's `sub` is somebody else.";
    RefreshAudOther, "refresh-aud-other", RefuseAtRefresh, Refresh, "Core §12.2", "The refreshed ID token is for another client.";
    RefreshSignatureBad, "refresh-signature-bad", RefuseAtRefresh, Refresh, "Core §12.2", "One bit of the refreshed ID token's signature is wrong.";
    RefreshErrorWith200, "refresh-error-with-200", RefuseAtRefresh, Refresh, "RFC 6749 §5.2", "A refresh is answered with `{\"error\": \"server_error\"}` and status 200.";
    RefreshHtml, "refresh-html", RefuseAtRefresh, Refresh, "RFC 6749 §5.1", "A refresh is answered with an HTML page and status 200.";
    RefreshServerError, "refresh-server-error", RefuseAtRefresh, Refresh, "RFC 6749 §5.2", "A refresh is answered with status 503.";
    LogoutAlgNone, "logout-alg-none", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.6", "The logout token has the algorithm `none`.";
    LogoutAlgOther, "logout-alg-other", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.6", "The logout token is signed with a published key, and with another algorithm than the metadata offers.";
    LogoutSignatureBad, "logout-signature-bad", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.6", "One bit of the logout token's signature is wrong.";
    LogoutIssOther, "logout-iss-other", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.6", "The logout token's `iss` is another provider.";
    LogoutAudOther, "logout-aud-other", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.6", "The logout token is for another client.";
    LogoutEventMissing, "logout-event-missing", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.6", "The logout token has no `events`.";
    LogoutEventOther, "logout-event-other", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.6", "The logout token's event is another one.";
    LogoutNonce, "logout-nonce", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.6", "The logout token has a `nonce`, as ID tokens have.";
    LogoutJtiMissing, "logout-jti-missing", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.4", "The logout token has no `jti`.";
    LogoutIatMissing, "logout-iat-missing", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.4", "The logout token has no `iat`.";
    LogoutExpired, "logout-expired", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.6", "The logout token expired an hour ago.";
    LogoutNobody, "logout-nobody", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.4", "The logout token has neither `sub` nor `sid`.";
    LogoutIsIdToken, "logout-is-id-token", RefuseLogoutToken, Nothing, "Back-Channel Logout §2.6", "In the place of the logout token there is an ID token.";
    LogoutReplayed, "logout-replayed", RefuseSecondLogoutToken, Nothing, "Back-Channel Logout §2.6", "One logout token is posted twice.";
    LogoutStateOther, "logout-state-other", Accept, Nothing, "RP-Initiated Logout §3", "After a logout the `state` that comes back is another one.";
    LogoutStateMissing, "logout-state-missing", Accept, Nothing, "RP-Initiated Logout §3", "After a logout no `state` comes back.";
}

impl Defect {
    /// The name, as in the issuer's path: `nonce-missing`.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// The defect of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|defect| defect.name() == name)
    }

    /// What a correct client does about it.
    pub const fn expected(self) -> Expected {
        self.row().1
    }

    /// What the client has to use for it to show.
    pub const fn needs(self) -> Feature {
        self.row().2
    }

    /// Where it is written what a correct client does.
    pub const fn section(self) -> &'static str {
        self.row().3
    }

    /// What the provider does wrong, in a sentence.
    pub const fn description(self) -> &'static str {
        self.row().4
    }

    /// What the rest of the provider has to be like for the defect to show.
    pub(crate) fn configure(self, config: &mut DemoProviderConfig) {
        config.defect = Some(self);
        // An elliptic key is made in no time.
        config.signing_algorithm = match self {
            Self::IdTokenSignatureBadRs256
            | Self::IdTokenAlgHs256PublicKey
            | Self::IdTokenAlgHs256Secret
            | Self::IdTokenAlgNoneOffered
            | Self::JarmAlgHs256PublicKey => SigningAlgorithm::Rs256,
            Self::IdTokenSignatureBadPs256 => SigningAlgorithm::Ps256,
            _ => SigningAlgorithm::Es256,
        };
        if self.needs() == Feature::SignedUserinfo {
            config.signed_userinfo = true;
        }
        if self.needs() == Feature::PushedRequests {
            config.pushed_requests = Offer::Required;
        }
        // Refreshing is due at once, so that nobody has to wait for it.
        if self.needs() == Feature::Refresh {
            config.access_token_lifetime = std::time::Duration::from_secs(1);
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_defect_has_a_name_of_its_own_that_can_stand_in_an_address() {
        let names: BTreeSet<_> = Defect::ALL.iter().map(|defect| defect.name()).collect();
        assert_eq!(names.len(), Defect::ALL.len());
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{name}");
            assert_eq!(Defect::named(name).unwrap().name(), name);
        }
        assert_eq!(Defect::named("none"), None);
    }

    #[test]
    fn every_defect_is_explained() {
        for defect in Defect::ALL {
            assert!(defect.description().ends_with('.') && !defect.description().contains('|'), "{defect}");
            assert!(defect.section().contains('§'), "{defect}");
        }
    }
}
