//! Who the user is: from the userinfo endpoint, a provider's own user endpoint, or the ID token.

use serde_json::{Map, Value};
use url::Url;

use crate::discovery::ProviderMetadata;
use crate::endpoint;
use crate::http::{OutboundRequest, OutboundResponse};
use crate::id_token::ValidatedIdToken;
use crate::json::{self, JsonError};
use crate::provider::{Provider, ProviderKind, UserMapping};
use crate::provider_text::ProviderText;
use crate::secret::AccessToken;

/// The largest description of a user accepted, in bytes.
pub const MAXIMUM_USERINFO_BYTES: usize = 64 * 1024;

/// A user. The key is (`issuer`, `sub`), never the e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// The content type is not JSON. [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("the description of the user is not JSON")]
    NotJson,
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
            Self::Malformed(_) => "userinfo_malformed",
            Self::MissingIdentifier => "userinfo_identifier_missing",
            Self::MissingExpectedSubject => "userinfo_subject_unknown",
            Self::SubjectMismatch => "userinfo_subject_mismatch",
        }
    }
}

impl User {
    /// The user that an ID token describes. The identifier is always `sub`.
    pub fn from_id_token(token: &ValidatedIdToken, provider: &Provider) -> Self {
        Self::describe(token.issuer().to_owned(), token.subject().to_owned(), token.claims(), &provider.user_mapping)
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
        }
        Self {
            name: self.name.or_else(|| other.name.clone()),
            login: self.login.or_else(|| other.login.clone()),
            picture: self.picture.or_else(|| other.picture.clone()),
            ..self
        }
    }

    /// This description with an address that [`process_emails`] found.
    #[must_use]
    pub fn with_verified_email(self, email: Option<String>) -> Self {
        Self { email_verified: email.as_ref().map(|_| true), email, ..self }
    }

    fn describe(issuer: String, sub: String, members: &Map<String, Value>, mapping: &UserMapping) -> Self {
        let text = |place: &Option<String>| {
            let text = ProviderText::new(lookup(members, place.as_deref()?)?.as_str()?).as_str().to_owned();
            Some(text).filter(|text| !text.is_empty())
        };
        let email = text(&mapping.email);
        let email_verified = mapping.email_verified.as_deref().and_then(|place| boolean(lookup(members, place)?));
        let picture = mapping.picture.as_deref().and_then(|place| picture(lookup(members, place)?.as_str()?));
        Self {
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

/// The request for the user's description; `None` when the provider has no endpoint for it. The token goes into the header, never
/// into the address. [Core §5.3.1](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoRequest)
pub fn request(provider: &Provider, metadata: &ProviderMetadata, access_token: &AccessToken) -> Option<OutboundRequest> {
    Some(bearer_request(metadata.userinfo_endpoint.as_ref()?, provider, access_token))
}

/// Judges the user's description. `expected_sub` is the validated ID token's subject, where there is one. In this order:
///
/// 1. The status is 200, the body has at most 64 KiB and is a JSON object without repeated members.
/// 2. An OpenID provider's `sub` is there and is the ID token's.
/// 3. Another provider's mapped identifier is there: a string, or an integer, which becomes its decimal digits.
///
/// # Errors
/// The first check that fails.
pub fn process(response: &OutboundResponse, provider: &Provider, expected_sub: Option<&str>) -> Result<User, UserInfoError> {
    let members = json::parse_object(checked_body(response)?).map_err(UserInfoError::Malformed)?;
    let place = match provider.kind {
        ProviderKind::OpenId { .. } if expected_sub.is_none() => return Err(UserInfoError::MissingExpectedSubject),
        ProviderKind::OpenId { .. } => "sub",
        ProviderKind::OAuth { .. } => &provider.user_mapping.id,
    };
    let sub = lookup(&members, place).and_then(identifier).ok_or(UserInfoError::MissingIdentifier)?;
    if expected_sub.is_some_and(|expected| expected != sub) {
        return Err(UserInfoError::SubjectMismatch);
    }
    Ok(User::describe(provider.user_issuer(), sub, &members, &provider.user_mapping))
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
    let list = json::parse(checked_body(response)?).map_err(UserInfoError::Malformed)?;
    let is_true = |entry: &Value, name: &str| entry.get(name) == Some(&Value::Bool(true));
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let chosen = entries.iter().find(|entry| is_true(entry, "primary") && is_true(entry, "verified"));
    let email = chosen.and_then(|entry| entry.get("email")?.as_str()).map(|email| ProviderText::new(email).as_str().to_owned());
    Ok(email.filter(|email| !email.is_empty()))
}

fn bearer_request(endpoint: &Url, provider: &Provider, access_token: &AccessToken) -> OutboundRequest {
    OutboundRequest::get(endpoint.clone())
        .with_header("accept", "application/json")
        .with_headers(&provider.extra_request_headers)
        .with_header("authorization", format!("Bearer {}", access_token.expose()))
}

fn checked_body(response: &OutboundResponse) -> Result<&[u8], UserInfoError> {
    if response.is_unavailable() {
        return Err(UserInfoError::Unavailable { status: response.status });
    }
    match response.status {
        200 => {}
        401 => return Err(UserInfoError::Unauthorized),
        status => return Err(UserInfoError::UnexpectedStatus { status }),
    }
    if response.body.len() > MAXIMUM_USERINFO_BYTES {
        return Err(UserInfoError::TooLarge);
    }
    if !response.is_json() {
        return Err(UserInfoError::NotJson);
    }
    Ok(&response.body)
}

/// The member at a place of a [`UserMapping`].
fn lookup<'a>(members: &'a Map<String, Value>, place: &str) -> Option<&'a Value> {
    let Some(pointer) = place.strip_prefix('/') else { return members.get(place) };
    let (first, rest) = match pointer.find('/') {
        Some(end) => pointer.split_at(end),
        None => (pointer, ""),
    };
    members.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(rest)
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
