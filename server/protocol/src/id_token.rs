//! ID token validation. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::discovery::ProviderMetadata;
use crate::json;
use crate::jwks::JwkSet;
use crate::jws::{self, JwsError, VerifiedToken};
use crate::logout_token::BACKCHANNEL_LOGOUT_EVENT;
use crate::provider::Provider;
use crate::secret::{AccessToken, IdToken, Nonce};
use crate::signing_algorithm::SigningAlgorithm;
use crate::token::TokenResponse;

/// How far the provider's clock may be off.
pub const CLOCK_LEEWAY: Duration = Duration::from_mins(1);

/// What an ID token is held against.
#[derive(Clone, Debug)]
pub struct IdTokenExpectations<'a> {
    /// The provider's issuer.
    pub issuer: &'a str,
    /// This client.
    pub client_id: &'a str,
    /// Audiences that the token may have beside this client.
    pub trusted_audiences: &'a [String],
    /// The nonce that was sent; without one, the token must not have one.
    pub nonce: Option<&'a Nonce>,
    /// The pinned algorithms: [`Provider::pinned_algorithms`].
    pub algorithms: Vec<SigningAlgorithm>,
    /// The access token that came with it, for `at_hash`.
    pub access_token: Option<&'a AccessToken>,
    /// The time.
    pub now: Timestamp,
    /// How far the provider's clock may be off.
    pub leeway: Duration,
    /// How long ago the user may have logged in, when `max_age` was asked for.
    pub max_age: Option<Duration>,
}

impl<'a> IdTokenExpectations<'a> {
    /// What the ID token of a code's exchange is held against; `None` when the provider issues none.
    pub fn new(provider: &'a Provider, metadata: &'a ProviderMetadata, tokens: &'a TokenResponse, now: Timestamp) -> Option<Self> {
        Some(Self {
            issuer: provider.openid_issuer()?,
            client_id: &provider.client_id,
            trusted_audiences: &provider.trusted_audiences,
            nonce: tokens.nonce.as_ref(),
            algorithms: provider.pinned_algorithms(metadata),
            access_token: Some(&tokens.access_token),
            now,
            leeway: CLOCK_LEEWAY,
            max_age: None,
        })
    }
}

/// An ID token that has passed every check.
#[derive(Clone)]
pub struct ValidatedIdToken {
    identity: IdTokenIdentity,
    expires_at: Timestamp,
    claims: Map<String, Value>,
}

/// Who an ID token is about and for: what a refreshed one must keep.
/// [Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct IdTokenIdentity {
    /// `iss`
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// `aud`
    pub audience: Vec<String>,
}

/// Why an ID token is rejected.
#[derive(Debug, thiserror::Error)]
pub enum IdTokenError {
    /// The signature is not trusted.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// A required claim is missing. [Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)
    #[error("the ID token has no {0}")]
    MissingClaim(&'static str),
    /// A claim has the wrong type or a value that it cannot have. [Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)
    #[error("the ID token's {0} is not what it must be")]
    InvalidClaim(&'static str),
    /// It is a logout token. [Back-Channel Logout §4.1](https://openid.net/specs/openid-connect-backchannel-1_0.html#CrossJWT)
    #[error("the token is a logout token")]
    LogoutToken,
    /// It is from another issuer. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 2
    #[error("the ID token is from another issuer")]
    IssuerMismatch,
    /// It is for another client. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 3
    #[error("the ID token is for another client")]
    AudienceMismatch,
    /// It is for a client that is not trusted, too. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 3
    #[error("the ID token is for another audience as well")]
    UntrustedAudience,
    /// It was issued to another client. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 5
    #[error("the ID token was issued to another client")]
    AuthorizedPartyMismatch,
    /// It has expired. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 9
    #[error("the ID token expired {seconds} s ago")]
    Expired {
        /// For how long, in seconds.
        seconds: i64,
    },
    /// It was issued in the future: one of the two clocks is wrong.
    /// [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 10
    #[error("the ID token was issued {seconds} s in the future: the provider's clock or this one's is wrong")]
    IssuedInTheFuture {
        /// How far, in seconds.
        seconds: i64,
    },
    /// It is not valid yet. [RFC 7519 §4.1.5](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.5)
    #[error("the ID token becomes valid in {seconds} s")]
    NotYetValid {
        /// When, in seconds from now.
        seconds: i64,
    },
    /// The nonce is not the one that was sent, or there is one and none was sent.
    /// [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 11
    #[error("the ID token's nonce is not the one that was sent")]
    NonceMismatch,
    /// The access token beside it is not the one it was issued with.
    /// [Core §3.1.3.8](https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowTokenValidation)
    #[error("the ID token belongs to another access token")]
    AccessTokenHashMismatch,
    /// The user logged in too long ago. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 13
    #[error("the login at the provider is too old")]
    AuthenticationTooOld,
}

impl IdTokenError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Jws(error) => error.code(),
            Self::MissingClaim(_) => "id_token_claim_missing",
            Self::InvalidClaim(_) => "id_token_claim_invalid",
            Self::LogoutToken => "id_token_is_logout_token",
            Self::IssuerMismatch => "id_token_issuer_mismatch",
            Self::AudienceMismatch => "id_token_audience_mismatch",
            Self::UntrustedAudience => "id_token_audience_untrusted",
            Self::AuthorizedPartyMismatch => "id_token_azp_mismatch",
            Self::Expired { .. } => "id_token_expired",
            Self::IssuedInTheFuture { .. } => "id_token_issued_in_the_future",
            Self::NotYetValid { .. } => "id_token_not_yet_valid",
            Self::NonceMismatch => "id_token_nonce_mismatch",
            Self::AccessTokenHashMismatch => "id_token_at_hash_mismatch",
            Self::AuthenticationTooOld => "id_token_authentication_too_old",
        }
    }

    /// Whether fetching the keys once more may help: the provider may have rotated them.
    pub fn wants_fresh_keys(&self) -> bool {
        matches!(self, Self::Jws(error) if error.wants_fresh_keys())
    }
}

impl ValidatedIdToken {
    /// `iss`
    pub fn issuer(&self) -> &str {
        &self.identity.issuer
    }

    /// `sub`
    pub fn subject(&self) -> &str {
        &self.identity.subject
    }

    /// `aud`
    pub fn audience(&self) -> &[String] {
        &self.identity.audience
    }

    /// `sid`, the provider's name of its session.
    pub fn session_id(&self) -> Option<&str> {
        self.claims.get("sid").and_then(Value::as_str)
    }

    /// `exp`
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Every claim.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// What a refreshed ID token must keep.
    pub fn identity(&self) -> IdTokenIdentity {
        self.identity.clone()
    }
}

impl fmt::Debug for ValidatedIdToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The other claims describe a person, and the nonce is a secret of the login.
        formatter.debug_struct("ValidatedIdToken").field("issuer", &self.identity.issuer).finish_non_exhaustive()
    }
}

/// Validates an ID token. In this order:
///
/// 1. The signature: three parts, a header without repeated members, a pinned asymmetric algorithm, no `crit`, `typ` absent or
///    `JWT`, a key from the provider's set that fits the algorithm and has 2048 bits if it is RSA; `jku`, `jwk`, `x5u` and
///    `x5c` are not looked at ([`JwsError`] has each by name).
/// 2. It is no logout token: there is no back-channel logout event.
/// 3. `iss` is the issuer, character by character.
/// 4. `aud`, a string or an array of strings, contains the client, and nobody else who is not trusted.
/// 5. `azp`, where present, is the client; where there are several audiences, it is present.
/// 6. `exp` is there and not past, but for the leeway.
/// 7. `iat` is there and not in the future, but for the leeway.
/// 8. `nbf`, where present, is not in the future, but for the leeway.
/// 9. `nonce` is the one that was sent, compared in constant time; absent when none was sent.
/// 10. `sub` is there, and has 1 to 255 characters.
/// 11. `at_hash`, where present, fits the access token.
/// 12. `auth_time` is there and not older than `max_age`, where that was asked for.
///
/// The signature comes first although [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)
/// begins with the claims: what nobody has signed is not worth a look.
///
/// # Errors
/// The first check that fails.
pub fn validate(raw: &IdToken, expectations: &IdTokenExpectations<'_>, keys: &JwkSet) -> Result<ValidatedIdToken, IdTokenError> {
    validate_with(raw, expectations, NonceRule::AsSent, keys)
}

/// What an ID token's nonce is held against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NonceRule {
    /// It is the one that was sent, if one was sent.
    AsSent,
    /// Nothing: a refresh sends none, and the login's may come back.
    Unchecked,
}

pub(crate) fn validate_with(
    raw: &IdToken,
    expectations: &IdTokenExpectations<'_>,
    nonce_rule: NonceRule,
    keys: &JwkSet,
) -> Result<ValidatedIdToken, IdTokenError> {
    let VerifiedToken { algorithm, claims } = jws::verify(raw.expose(), &expectations.algorithms, &["jwt"], keys)?;
    if claims.get("events").and_then(Value::as_object).is_some_and(|events| events.contains_key(BACKCHANNEL_LOGOUT_EVENT)) {
        return Err(IdTokenError::LogoutToken);
    }
    if required_string(&claims, "iss")? != expectations.issuer {
        return Err(IdTokenError::IssuerMismatch);
    }
    let audience = check_audience(&claims, expectations)?;
    let expires_at = check_times(&claims, expectations)?;
    if nonce_rule == NonceRule::AsSent {
        check_nonce(&claims, expectations.nonce)?;
    }
    let subject = required_string(&claims, "sub")?;
    if subject.is_empty() || subject.chars().count() > 255 {
        return Err(IdTokenError::InvalidClaim("sub"));
    }
    if let (Some(hash), Some(access_token)) = (optional_string(&claims, "at_hash")?, expectations.access_token)
        && hash != algorithm.left_half_hash(access_token.expose())
    {
        return Err(IdTokenError::AccessTokenHashMismatch);
    }
    if let Some(max_age) = expectations.max_age {
        let authenticated_at = seconds(&claims, "auth_time")?.ok_or(IdTokenError::MissingClaim("auth_time"))?;
        let oldest = expectations.now.as_second() - whole_seconds(max_age) - whole_seconds(expectations.leeway);
        if authenticated_at < oldest {
            return Err(IdTokenError::AuthenticationTooOld);
        }
    }
    let identity = IdTokenIdentity { issuer: expectations.issuer.to_owned(), subject: subject.to_owned(), audience };
    Ok(ValidatedIdToken { identity, expires_at, claims })
}

fn check_audience(claims: &Map<String, Value>, expectations: &IdTokenExpectations<'_>) -> Result<Vec<String>, IdTokenError> {
    let audience = match json::present(claims, "aud").ok_or(IdTokenError::MissingClaim("aud"))? {
        Value::String(audience) => vec![audience.clone()],
        _ => json::strings(claims, "aud").ok().flatten().ok_or(IdTokenError::InvalidClaim("aud"))?,
    };
    if !audience.iter().any(|audience| audience == expectations.client_id) {
        return Err(IdTokenError::AudienceMismatch);
    }
    if !audience.iter().all(|audience| audience == expectations.client_id || expectations.trusted_audiences.contains(audience)) {
        return Err(IdTokenError::UntrustedAudience);
    }
    match optional_string(claims, "azp")? {
        Some(authorized_party) if authorized_party != expectations.client_id => Err(IdTokenError::AuthorizedPartyMismatch),
        None if audience.len() > 1 => Err(IdTokenError::MissingClaim("azp")),
        _ => Ok(audience),
    }
}

fn check_times(claims: &Map<String, Value>, expectations: &IdTokenExpectations<'_>) -> Result<Timestamp, IdTokenError> {
    let now = expectations.now.as_second();
    let leeway = whole_seconds(expectations.leeway);
    let expiry = seconds(claims, "exp")?.ok_or(IdTokenError::MissingClaim("exp"))?;
    if now >= expiry.saturating_add(leeway) {
        return Err(IdTokenError::Expired { seconds: now.saturating_sub(expiry) });
    }
    let issued_at = seconds(claims, "iat")?.ok_or(IdTokenError::MissingClaim("iat"))?;
    if issued_at > now + leeway {
        return Err(IdTokenError::IssuedInTheFuture { seconds: issued_at.saturating_sub(now) });
    }
    if let Some(not_before) = seconds(claims, "nbf")?
        && not_before > now + leeway
    {
        return Err(IdTokenError::NotYetValid { seconds: not_before.saturating_sub(now) });
    }
    Ok(Timestamp::from_second(expiry).unwrap_or(Timestamp::MAX))
}

fn check_nonce(claims: &Map<String, Value>, sent: Option<&Nonce>) -> Result<(), IdTokenError> {
    match (sent, optional_string(claims, "nonce")?) {
        (Some(_), None) => Err(IdTokenError::MissingClaim("nonce")),
        (Some(sent), Some(nonce)) if bool::from(sent.expose().as_bytes().ct_eq(nonce.as_bytes())) => Ok(()),
        (None, None) => Ok(()),
        (_, Some(_)) => Err(IdTokenError::NonceMismatch),
    }
}

fn optional_string<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, IdTokenError> {
    json::string(claims, name).map_err(|_| IdTokenError::InvalidClaim(name))
}

fn required_string<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, IdTokenError> {
    optional_string(claims, name)?.ok_or(IdTokenError::MissingClaim(name))
}

fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, IdTokenError> {
    json::seconds(claims, name).map_err(|_| IdTokenError::InvalidClaim(name))
}

/// No configured time is longer than the years that a timestamp can hold.
pub(crate) fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}
