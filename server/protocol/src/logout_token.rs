//! The logout token of a back-channel logout.
//! [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation)

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::discovery::ProviderMetadata;
use crate::id_token::{CLOCK_LEEWAY, whole_seconds};
use crate::issuer::ExpectedIssuer;
use crate::json;
use crate::jwks::JwkSet;
use crate::jws::{self, JwsError, VerifiedToken};
use crate::provider::{IssuerRule, Provider};
use crate::signing_algorithm::SigningAlgorithm;

/// The event that makes a token a logout token.
/// [Back-Channel Logout §2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)
pub const BACKCHANNEL_LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a logout token is held against.
#[derive(Clone, Debug)]
pub struct LogoutTokenExpectations<'a> {
    /// The provider's issuer.
    pub issuer: &'a str,
    /// Which issuer the token may name instead.
    pub issuer_rule: &'a IssuerRule,
    /// The issuer with `{tenantid}` in it, where the metadata declares one: [`ProviderMetadata::issuer_template`].
    pub issuer_template: Option<&'a str>,
    /// This client.
    pub client_id: &'a str,
    /// Audiences that the token may have beside this client.
    pub trusted_audiences: &'a [String],
    /// The pinned algorithms: [`Provider::pinned_algorithms`].
    pub algorithms: Vec<SigningAlgorithm>,
    /// The time.
    pub now: Timestamp,
    /// How far the provider's clock may be off.
    pub leeway: Duration,
}

impl<'a> LogoutTokenExpectations<'a> {
    /// What a logout token of this provider is held against; `None` when the provider issues none.
    pub fn new(provider: &'a Provider, metadata: &'a ProviderMetadata, now: Timestamp) -> Option<Self> {
        Some(Self {
            issuer: provider.openid_issuer()?,
            issuer_rule: &provider.issuer_rule,
            issuer_template: metadata.issuer_template.as_deref(),
            client_id: &provider.client_id,
            trusted_audiences: &provider.trusted_audiences,
            algorithms: provider.pinned_algorithms(metadata),
            now,
            leeway: CLOCK_LEEWAY,
        })
    }

    fn expected_issuer(&self) -> ExpectedIssuer<'a> {
        ExpectedIssuer { issuer: self.issuer, rule: self.issuer_rule, template: self.issuer_template }
    }
}

/// A logout token that has passed every check but one: the caller refuses a `token_id` that it has seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatedLogoutToken {
    /// The issuer half of the user's key: the configured issuer, or `iss` where that names the user's tenant.
    pub issuer: String,
    /// `sub`: end every session of this user.
    pub subject: Option<String>,
    /// `sid`: end this session of the provider's.
    pub session_id: Option<String>,
    /// `jti`: to be remembered until `expires_at`.
    pub token_id: String,
    /// `exp`, with the leeway added.
    pub expires_at: Timestamp,
}

/// Why a logout token is rejected.
#[derive(Debug, thiserror::Error)]
pub enum LogoutTokenError {
    /// The signature is not trusted.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// A required claim is missing. [Back-Channel Logout §2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)
    #[error("the logout token has no {0}")]
    MissingClaim(&'static str),
    /// A claim has the wrong type or a value that it cannot have.
    /// [Back-Channel Logout §2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)
    #[error("the logout token's {0} is not what it must be")]
    InvalidClaim(&'static str),
    /// It is from another issuer. [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation), step 4
    #[error("the logout token is from another issuer")]
    IssuerMismatch,
    /// It is for another client. [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation), step 4
    #[error("the logout token is for another client")]
    AudienceMismatch,
    /// It is for a client that is not trusted, too. [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation), step 4
    #[error("the logout token is for another audience as well")]
    UntrustedAudience,
    /// It has expired. [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation), step 4
    #[error("the logout token has expired")]
    Expired,
    /// It was issued in the future. [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation), step 4
    #[error("the logout token was issued in the future: the provider's clock or this one's is wrong")]
    IssuedInTheFuture,
    /// It says neither whose sessions nor which one. [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation), step 5
    #[error("the logout token has neither sub nor sid")]
    MissingSubjectAndSession,
    /// It is about no logout. [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation), step 6
    #[error("the token is not about a logout")]
    MissingEvent,
    /// It has a nonce, as only ID tokens may. [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation), step 7
    #[error("the logout token has a nonce")]
    NoncePresent,
}

impl LogoutTokenError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Jws(error) => error.code(),
            Self::MissingClaim(_) => "logout_token_claim_missing",
            Self::InvalidClaim(_) => "logout_token_claim_invalid",
            Self::IssuerMismatch => "logout_token_issuer_mismatch",
            Self::AudienceMismatch => "logout_token_audience_mismatch",
            Self::UntrustedAudience => "logout_token_audience_untrusted",
            Self::Expired => "logout_token_expired",
            Self::IssuedInTheFuture => "logout_token_issued_in_the_future",
            Self::MissingSubjectAndSession => "logout_token_without_subject",
            Self::MissingEvent => "logout_token_without_event",
            Self::NoncePresent => "logout_token_with_nonce",
        }
    }

    /// Whether fetching the keys once more may help.
    pub fn wants_fresh_keys(&self) -> bool {
        matches!(self, Self::Jws(error) if error.wants_fresh_keys())
    }
}

/// Validates a logout token. In this order:
///
/// 1. The signature, as for an ID token ([`JwsError`] has each check by name); `typ` is absent, `logout+jwt` or `JWT`.
/// 2. `iss` is the issuer, character by character, or one that the rule allows; `aud` contains the client, and nobody else who is not trusted.
/// 3. `iat` is there and not in the future, `exp` is there and not past, but for the leeway.
/// 4. `sub` or `sid` is there; both are strings that are not empty.
/// 5. `events` is an object with the back-channel logout event, itself an object.
/// 6. There is no `nonce`.
/// 7. `jti` is there and not empty. The caller refuses one that it has seen before.
///
/// # Errors
/// The first check that fails.
pub fn validate(raw: &str, expectations: &LogoutTokenExpectations<'_>, keys: &JwkSet) -> Result<ValidatedLogoutToken, LogoutTokenError> {
    let VerifiedToken { claims, key_issuer, .. } = jws::verify(raw, &expectations.algorithms, &["logout+jwt", "jwt"], keys)?;
    let iss = text(&claims, "iss")?.ok_or(LogoutTokenError::MissingClaim("iss"))?;
    let issuer = expectations.expected_issuer().of_token(&claims, iss, key_issuer.as_deref()).ok_or(LogoutTokenError::IssuerMismatch)?;
    let audience =
        json::audience(&claims).map_err(|_| LogoutTokenError::InvalidClaim("aud"))?.ok_or(LogoutTokenError::MissingClaim("aud"))?;
    if !audience.iter().any(|audience| audience == expectations.client_id) {
        return Err(LogoutTokenError::AudienceMismatch);
    }
    if !audience.iter().all(|audience| audience == expectations.client_id || expectations.trusted_audiences.contains(audience)) {
        return Err(LogoutTokenError::UntrustedAudience);
    }

    let now = expectations.now.as_second();
    let leeway = whole_seconds(expectations.leeway);
    if seconds(&claims, "iat")? > now + leeway {
        return Err(LogoutTokenError::IssuedInTheFuture);
    }
    let end = seconds(&claims, "exp")?.saturating_add(leeway);
    if now >= end {
        return Err(LogoutTokenError::Expired);
    }

    let subject = text(&claims, "sub")?.map(str::to_owned);
    let session_id = text(&claims, "sid")?.map(str::to_owned);
    if subject.is_none() && session_id.is_none() {
        return Err(LogoutTokenError::MissingSubjectAndSession);
    }

    let events = claims.get("events").and_then(Value::as_object).ok_or(LogoutTokenError::MissingEvent)?;
    if !events.get(BACKCHANNEL_LOGOUT_EVENT).is_some_and(Value::is_object) {
        return Err(LogoutTokenError::MissingEvent);
    }
    if claims.contains_key("nonce") {
        return Err(LogoutTokenError::NoncePresent);
    }
    Ok(ValidatedLogoutToken {
        issuer: issuer.to_owned(),
        subject,
        session_id,
        token_id: text(&claims, "jti")?.ok_or(LogoutTokenError::MissingClaim("jti"))?.to_owned(),
        expires_at: Timestamp::from_second(end).unwrap_or(Timestamp::MAX),
    })
}

/// Whether a token that nobody has verified names this issuer and this client: only then are the keys worth fetching once more.
/// It proves nothing.
pub fn is_addressed(raw: &str, expectations: &LogoutTokenExpectations<'_>) -> bool {
    if raw.len() > jws::MAXIMUM_TOKEN_BYTES {
        return false;
    }
    let Some(claims) = jws::unverified_claims(raw) else { return false };
    let expected_issuer = expectations.expected_issuer();
    let is_of_issuer = matches!(text(&claims, "iss"), Ok(Some(iss)) if expected_issuer.of_token(&claims, iss, None).is_some());
    let is_for_client = matches!(json::audience(&claims), Ok(Some(audience)) if audience.iter().any(|one| one == expectations.client_id));
    is_of_issuer && is_for_client
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, LogoutTokenError> {
    match json::string(claims, name) {
        Ok(Some("")) | Err(_) => Err(LogoutTokenError::InvalidClaim(name)),
        Ok(text) => Ok(text),
    }
}

fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<i64, LogoutTokenError> {
    json::seconds(claims, name).map_err(|_| LogoutTokenError::InvalidClaim(name))?.ok_or(LogoutTokenError::MissingClaim(name))
}
