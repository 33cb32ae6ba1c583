//! Who the user is: from the userinfo endpoint, a provider's own user endpoint, or the ID token.

use std::collections::BTreeSet;
use std::str;

use jiff::Timestamp;
use serde_json::{Map, Value};
use url::Url;

use crate::access::{EmailAddress, Facts, Known};
use crate::client_auth;
use crate::discovery::ProviderMetadata;
use crate::endpoint;
use crate::http::{OutboundRequest, OutboundResponse};
use crate::id_token::{CLOCK_LEEWAY, ValidatedIdToken, whole_seconds};
use crate::issuer::ExpectedIssuer;
use crate::json::{self, JsonError};
use crate::jwks::JwkSet;
use crate::jws::{self, JwsError, VerifiedToken};
use crate::provider::{Provider, ProviderKind, SignedUserInfo};
use crate::provider_text::ProviderText;
use crate::secret::AccessToken;
use crate::signing_algorithm::SigningAlgorithm;

/// The largest description of a user accepted, in bytes.
pub const MAXIMUM_USERINFO_BYTES: usize = 64 * 1024;

/// A user, whom only a validated ID token or [`process`] yields. The key is (`issuer`, `sub`), never the e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Who describes the user: [`Provider::user_issuer`].
    pub issuer: String,
    /// The provider's stable identifier of the user.
    pub sub: String,
    /// The name to greet the user by.
    pub name: Option<String>,
    /// The login name.
    pub login: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the provider has verified the address.
    pub email_verified: Option<bool>,
    /// The address of the user's picture: `https`, or `http` on loopback.
    pub picture: Option<String>,
    /// What rules are decided by.
    pub facts: Facts,
}

/// Why a description of the user is rejected.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The provider is at fault or overloaded: 5xx or 429.
    #[error("the user endpoint answered with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// The access token is not accepted. [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)
    #[error("the user endpoint refused the access token")]
    Unauthorized,
    /// The status is not 200. [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("the user endpoint answered with status {status}")]
    UnexpectedStatus {
        /// The HTTP status.
        status: u16,
    },
    /// The body is larger than [`MAXIMUM_USERINFO_BYTES`].
    #[error("the description of the user is too large")]
    TooLarge,
    /// The content type is neither JSON nor `application/jwt`.
    /// [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("the description of the user is not JSON")]
    NotJson,
    /// The description is not signed, and has to be ([`SignedUserInfo::Require`]).
    /// [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("the description of the user is not signed")]
    NotSigned,
    /// The description is signed, and the provider has no keys.
    /// [Core §5.3.4](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponseValidation)
    #[error("there are no keys to verify the description of the user with")]
    NoKeys,
    /// The description's signature is not trusted.
    /// [Core §5.3.4](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponseValidation)
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// A signed description lacks a claim that it must have.
    /// [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("the signed description of the user has no {0}")]
    MissingClaim(&'static str),
    /// A claim of a signed description has the wrong type.
    /// [RFC 7519 §4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)
    #[error("the signed description's {0} is not what it must be")]
    InvalidClaim(&'static str),
    /// A signed description is from another issuer.
    /// [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("the signed description of the user is from another issuer")]
    IssuerMismatch,
    /// A signed description is for another client.
    /// [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("the signed description of the user is for another client")]
    AudienceMismatch,
    /// A signed description has expired. [RFC 7519 §4.1.4](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4)
    #[error("the signed description of the user has expired")]
    Expired,
    /// The provider said no. [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)
    #[error("the user endpoint answered {error}")]
    Provider {
        /// The HTTP status.
        status: u16,
        /// The error's code, as the provider wrote it.
        error: ProviderText,
        /// The provider's words about it.
        description: Option<ProviderText>,
    },
    /// The body cannot be read.
    #[error("the description of the user cannot be read")]
    Malformed(#[source] JsonError),
    /// There is no identifier, or one that is neither a string nor an integer.
    /// [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("the description of the user has no identifier")]
    MissingIdentifier,
    /// An OpenID provider's description must be held against a validated ID token's subject, and none was given.
    /// [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("there is no ID token to compare the description of the user with")]
    MissingExpectedSubject,
    /// The description is of somebody else. [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("the description is of another user than the ID token")]
    SubjectMismatch,
}

impl UserInfoError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "userinfo_unavailable",
            Self::Unauthorized => "userinfo_unauthorized",
            Self::UnexpectedStatus { .. } => "userinfo_unexpected_status",
            Self::TooLarge => "userinfo_too_large",
            Self::NotJson => "userinfo_not_json",
            Self::NotSigned => "userinfo_not_signed",
            Self::NoKeys => "userinfo_keys_missing",
            Self::Jws(error) => error.code(),
            Self::MissingClaim(_) => "userinfo_claim_missing",
            Self::InvalidClaim(_) => "userinfo_claim_invalid",
            Self::IssuerMismatch => "userinfo_issuer_mismatch",
            Self::AudienceMismatch => "userinfo_audience_mismatch",
            Self::Expired => "userinfo_expired",
            Self::Provider { .. } => "userinfo_provider_error",
            Self::Malformed(_) => "userinfo_malformed",
            Self::MissingIdentifier => "userinfo_identifier_missing",
            Self::MissingExpectedSubject => "userinfo_subject_unknown",
            Self::SubjectMismatch => "userinfo_subject_mismatch",
        }
    }

    /// Whether fetching the keys once more may help: the provider may have rotated them.
    pub fn wants_fresh_keys(&self) -> bool {
        matches!(self, Self::Jws(error) if error.wants_fresh_keys())
    }
}

impl User {
    /// The user that an ID token describes. The identifier is always `sub`.
    pub fn from_id_token(token: &ValidatedIdToken, provider: &Provider) -> Self {
        let (issuer, sub) = (token.issuer().to_owned(), token.subject().to_owned());
        Self::describe(issuer, sub, token.claims(), token.foreign_claims(), provider)
    }

    /// This description with its gaps filled from another of the same user; one of somebody else adds nothing. An e-mail
    /// address and whether it is verified stay together.
    #[must_use]
    pub fn completed_with(mut self, other: &Self) -> Self {
        if (&self.issuer, &self.sub) != (&other.issuer, &other.sub) {
            return self;
        }
        if self.email.is_none() {
            self.email.clone_from(&other.email);
            self.email_verified = other.email_verified;
            self.facts.email.clone_from(&other.facts.email);
        }
        Self {
            facts: self.facts.completed_with(&other.facts),
            name: self.name.or_else(|| other.name.clone()),
            login: self.login.or_else(|| other.login.clone()),
            picture: self.picture.or_else(|| other.picture.clone()),
            ..self
        }
    }

    /// This description with an address that [`process_emails`] found.
    #[must_use]
    pub fn with_verified_email(self, email: Option<String>) -> Self {
        let facts = Facts { email: email.as_deref().and_then(EmailAddress::parse), ..self.facts };
        Self { email_verified: email.as_ref().map(|_| true), email, facts, ..self }
    }

    /// This description with what [`crate::membership`] found.
    #[must_use]
    pub fn with_memberships(self, organizations: Known, teams: Known) -> Self {
        Self { facts: Facts { organizations, teams, ..self.facts }, ..self }
    }

    /// This description with the name that came with the authorization response
    /// ([`crate::ValidatedCallback::claimed_name`]), if it has none: nobody has verified that name.
    #[must_use]
    pub fn with_claimed_name(self, name: Option<String>) -> Self {
        Self { name: self.name.or(name), ..self }
    }

    fn describe(issuer: String, sub: String, members: &Map<String, Value>, foreign: &BTreeSet<String>, provider: &Provider) -> Self {
        let mapping = &provider.user_mapping;
        let text = |place: &Option<String>| {
            let text = ProviderText::new(json::lookup(members, place.as_deref()?)?.as_str()?).as_str().to_owned();
            Some(text).filter(|text| !text.is_empty())
        };
        let email = text(&mapping.email);
        let email_verified = mapping.email_verified.as_deref().and_then(|place| boolean(json::lookup(members, place)?));
        let picture = mapping.picture.as_deref().and_then(|place| picture(json::lookup(members, place)?.as_str()?));
        // As the provider wrote it: what is made fit to be shown could be another address.
        let written = mapping.email.as_deref().and_then(|place| json::lookup(members, place)?.as_str());
        let verified = written.filter(|_| email_verified == Some(true)).and_then(EmailAddress::parse);
        Self {
            facts: Facts { email: verified, ..Facts::collect(members, foreign, &provider.facts) },
            issuer,
            sub,
            name: text(&mapping.name),
            login: text(&mapping.login),
            email_verified: email_verified.filter(|_| email.is_some()),
            email,
            picture,
        }
    }
}

/// The request for the user's description; `None` when the provider has no endpoint for it, or is not to be asked. The token goes into
/// the header, never into the address. [Core §5.3.1](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoRequest)
pub fn request(provider: &Provider, metadata: &ProviderMetadata, access_token: &AccessToken) -> Option<OutboundRequest> {
    let endpoint = metadata.userinfo_endpoint.as_ref().filter(|_| provider.userinfo)?;
    let alias = metadata.mtls_endpoint_aliases.userinfo_endpoint.as_ref();
    Some(bearer_request(client_auth::reached_at(provider, endpoint, alias), provider, access_token))
}

/// Whether a description is a signed one, for which [`process`] needs the provider's keys.
/// [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
pub fn is_signed(response: &OutboundResponse) -> bool {
    response.status == 200 && response.media_type().as_deref() == Some("application/jwt")
}

/// Judges the user's description. An OpenID provider's is held against the validated ID token, and `keys` are those of the provider,
/// needed where [`is_signed`] says so. In this order:
///
/// 1. The status is 200, the body has at most 64 KiB, and its content type is JSON or `application/jwt`; only the latter where the
///    configuration demands a signature.
/// 2. JSON is an object without repeated members. Where the provider is known to answer so, it is not `ok: false`.
/// 3. A signed token is verified as an ID token is, with an algorithm that is pinned for it ([`JwsError`] has each check by name); an
///    encrypted one is refused. It has `iss`, an issuer that the provider may name, and `aud`, which contains the client. Both must be
///    there, as [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse) has demanded since its second
///    errata: without them a token that was made for another client, or for another purpose, would pass. `exp` and `nbf`, where
///    present, hold.
/// 4. An OpenID provider's `sub` is there and is the ID token's.
/// 5. Another provider's mapped identifier is there: a string, or an integer, which becomes its decimal digits.
///
/// # Errors
/// The first check that fails.
pub fn process(
    response: &OutboundResponse,
    provider: &Provider,
    metadata: &ProviderMetadata,
    keys: Option<&JwkSet>,
    id_token: Option<&ValidatedIdToken>,
    now: Timestamp,
) -> Result<User, UserInfoError> {
    let mut members = if is_signed(response) {
        verified_claims(checked_body(response)?, provider, metadata, keys.ok_or(UserInfoError::NoKeys)?, now)?
    } else {
        let body = checked_json(response)?;
        if provider.userinfo_signed == SignedUserInfo::Require {
            return Err(UserInfoError::NotSigned);
        }
        json::parse_object(body).map_err(UserInfoError::Malformed)?
    };
    let foreign = json::drop_foreign_claims(&mut members);
    if provider.error_in_userinfo && members.get("ok") == Some(&Value::Bool(false)) {
        return Err(refusal(&members, response.status));
    }
    let place = match provider.kind {
        ProviderKind::OpenId { .. } if id_token.is_none() => return Err(UserInfoError::MissingExpectedSubject),
        ProviderKind::OpenId { .. } => "sub",
        ProviderKind::OAuthDiscovered { .. } | ProviderKind::OAuth { .. } => &provider.user_mapping.id,
    };
    let sub = json::lookup(&members, place).and_then(identifier).ok_or(UserInfoError::MissingIdentifier)?;
    if id_token.is_some_and(|token| token.subject() != sub) {
        return Err(UserInfoError::SubjectMismatch);
    }
    let issuer = id_token.map_or_else(|| provider.user_issuer(), |token| token.issuer().to_owned());
    Ok(User::describe(issuer, sub, &members, &foreign, provider))
}

/// The claims of a signed description.
fn verified_claims(
    body: &[u8],
    provider: &Provider,
    metadata: &ProviderMetadata,
    keys: &JwkSet,
    now: Timestamp,
) -> Result<Map<String, Value>, UserInfoError> {
    let raw = str::from_utf8(body).map_err(|_| JwsError::NotCompact)?.trim_ascii();
    let declared = [&metadata.userinfo_algorithms, &metadata.id_token_algorithms].into_iter().find(|names| !names.is_empty());
    let algorithms = SigningAlgorithm::pinned(&provider.id_token_algorithms, declared.map_or(&[], Vec::as_slice));
    let VerifiedToken { claims, key_issuer, .. } = jws::verify(raw, &algorithms, &["jwt"], keys)?;

    let iss = json::string(&claims, "iss").map_err(|_| UserInfoError::InvalidClaim("iss"))?.ok_or(UserInfoError::MissingClaim("iss"))?;
    let expected = ExpectedIssuer::new(provider, metadata).ok_or(UserInfoError::IssuerMismatch)?;
    expected.of_token(&claims, iss, key_issuer.as_deref()).ok_or(UserInfoError::IssuerMismatch)?;
    let audience = json::audience(&claims).map_err(|_| UserInfoError::InvalidClaim("aud"))?.ok_or(UserInfoError::MissingClaim("aud"))?;
    if !audience.contains(&provider.client_id) {
        return Err(UserInfoError::AudienceMismatch);
    }

    let (now, leeway) = (now.as_second(), whole_seconds(CLOCK_LEEWAY));
    if json::seconds(&claims, "exp").map_err(|_| UserInfoError::InvalidClaim("exp"))?.is_some_and(|end| now >= end.saturating_add(leeway)) {
        return Err(UserInfoError::Expired);
    }
    if json::seconds(&claims, "nbf").map_err(|_| UserInfoError::InvalidClaim("nbf"))?.is_some_and(|begin| begin > now + leeway) {
        return Err(UserInfoError::InvalidClaim("nbf"));
    }
    Ok(claims)
}

/// The request for the user's e-mail addresses; `None` when the provider keeps them with the user.
pub fn emails_request(provider: &Provider, access_token: &AccessToken) -> Option<OutboundRequest> {
    Some(bearer_request(provider.email_endpoint.as_ref()?, provider, access_token))
}

/// The address that is primary and verified, if any, from a list in GitHub's form: `[{"email", "primary", "verified"}]`.
///
/// # Errors
/// The first check that fails.
pub fn process_emails(response: &OutboundResponse) -> Result<Option<String>, UserInfoError> {
    let list = json::parse(checked_json(response)?).map_err(UserInfoError::Malformed)?;
    let is_true = |entry: &Value, name: &str| entry.get(name) == Some(&Value::Bool(true));
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let chosen = entries.iter().find(|entry| is_true(entry, "primary") && is_true(entry, "verified"));
    let email = chosen.and_then(|entry| entry.get("email")?.as_str()).map(|email| ProviderText::new(email).as_str().to_owned());
    Ok(email.filter(|email| !email.is_empty()))
}

pub(crate) fn bearer_request(endpoint: &Url, provider: &Provider, access_token: &AccessToken) -> OutboundRequest {
    OutboundRequest::get(endpoint.clone())
        .with_header("accept", "application/json")
        .with_headers(&provider.extra_request_headers)
        .with_header("authorization", format!("Bearer {}", access_token.expose()))
}

fn checked_body(response: &OutboundResponse) -> Result<&[u8], UserInfoError> {
    if response.is_unavailable() {
        return Err(UserInfoError::Unavailable { status: response.status });
    }
    if response.body.len() > MAXIMUM_USERINFO_BYTES {
        return Err(UserInfoError::TooLarge);
    }
    match response.status {
        200 => Ok(&response.body),
        401 => Err(UserInfoError::Unauthorized),
        status => {
            let members = if response.is_json() { json::parse_object(&response.body).unwrap_or_default() } else { Map::new() };
            Err(if members.contains_key("error") { refusal(&members, status) } else { UserInfoError::UnexpectedStatus { status } })
        }
    }
}

fn checked_json(response: &OutboundResponse) -> Result<&[u8], UserInfoError> {
    let body = checked_body(response)?;
    if response.is_json() { Ok(body) } else { Err(UserInfoError::NotJson) }
}

/// What a provider that refuses says about it: as RFC 6750 has it, or in Facebook's way, whose `error` is an object with `type` and
/// `message`.
fn refusal(members: &Map<String, Value>, status: u16) -> UserInfoError {
    let text = |value: Option<&Value>| Some(ProviderText::new(value?.as_str()?));
    let (name, description) = match members.get("error") {
        Some(Value::Object(nested)) => (text(nested.get("type")), text(nested.get("message"))),
        error => (text(error), text(members.get("error_description"))),
    };
    UserInfoError::Provider { status, error: name.unwrap_or_else(|| ProviderText::new("an error")), description }
}

/// Numbers become strings, so that a user's key does not change when a provider changes its mind.
fn identifier(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    (1..=255).contains(&text.chars().count()).then_some(text)
}

/// Some providers write booleans as strings.
fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(boolean) => Some(*boolean),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) if text == "false" => Some(false),
        _ => None,
    }
}

/// The address of a picture goes into a page, so it is `https`, or `http` on loopback, and of sensible length.
fn picture(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(endpoint::is_secure)?;
    Some(String::from(url)).filter(|address| address.len() <= 2048)
}
