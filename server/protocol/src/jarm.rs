//! The authorization response as a signed token. [JARM](https://openid.net/specs/oauth-v2-jarm.html)

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::discovery::ProviderMetadata;
use crate::id_token::{CLOCK_LEEWAY, whole_seconds};
use crate::issuer::ExpectedIssuer;
use crate::json;
use crate::jwks::JwkSet;
use crate::jws::{self, JwsError, VerifiedToken};
use crate::provider::Provider;
use crate::signing_algorithm::SigningAlgorithm;

/// Why a signed authorization response is rejected.
#[derive(Debug, thiserror::Error)]
pub enum JarmError {
    /// The signature is not trusted. [JARM §2.4](https://openid.net/specs/oauth-v2-jarm.html#section-2.4), step 6
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// There are no keys to verify it with. [JARM §2.4](https://openid.net/specs/oauth-v2-jarm.html#section-2.4), step 6
    #[error("there are no keys to verify the response with")]
    NoKeys,
    /// A required claim is missing. [JARM §2.1](https://openid.net/specs/oauth-v2-jarm.html#section-2.1)
    #[error("the signed response has no {0}")]
    MissingClaim(&'static str),
    /// A claim has the wrong type. [JARM §2.1](https://openid.net/specs/oauth-v2-jarm.html#section-2.1)
    #[error("the signed response's {0} is not what it must be")]
    InvalidClaim(&'static str),
    /// It is from another issuer, or nobody said which one it should be from.
    /// [JARM §2.4](https://openid.net/specs/oauth-v2-jarm.html#section-2.4), step 3
    #[error("the signed response is from another issuer")]
    IssuerMismatch,
    /// It is for another client. [JARM §2.4](https://openid.net/specs/oauth-v2-jarm.html#section-2.4), step 4
    #[error("the signed response is for another client")]
    AudienceMismatch,
    /// It has expired. [JARM §2.4](https://openid.net/specs/oauth-v2-jarm.html#section-2.4), step 5
    #[error("the signed response has expired")]
    Expired,
    /// It was issued in the future, or is not valid yet. [RFC 7519 §4.1.5](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.5)
    #[error("the signed response is of the future: the provider's clock or this one's is wrong")]
    NotYetValid,
}

impl JarmError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Jws(error) => error.code(),
            Self::NoKeys => "jarm_keys_missing",
            Self::MissingClaim(_) => "jarm_claim_missing",
            Self::InvalidClaim(_) => "jarm_claim_invalid",
            Self::IssuerMismatch => "jarm_issuer_mismatch",
            Self::AudienceMismatch => "jarm_audience_mismatch",
            Self::Expired => "jarm_expired",
            Self::NotYetValid => "jarm_not_yet_valid",
        }
    }

    /// Whether fetching the keys once more may help: the provider may have rotated them.
    pub fn wants_fresh_keys(&self) -> bool {
        matches!(self, Self::Jws(error) if error.wants_fresh_keys())
    }
}

/// Verifies a signed authorization response, and yields its claims, the response's parameters among them. In this order:
///
/// 1. The signature, as an ID token's, with an algorithm that is pinned for authorization responses ([`JwsError`] has each check by
///    name): never `none`, never encrypted.
/// 2. `iss` is the issuer, character by character.
/// 3. `aud` contains the client.
/// 4. `exp` is there and not past; `iat` and `nbf`, where present, are not in the future; but for the leeway.
///
/// [JARM §2.4](https://openid.net/specs/oauth-v2-jarm.html#section-2.4) begins with the state, as the caller does, and ends with the
/// signature; here it comes before the claims: what nobody has signed is not worth a look.
pub(crate) fn verify(
    raw: &str,
    provider: &Provider,
    metadata: &ProviderMetadata,
    keys: Option<&JwkSet>,
    now: Timestamp,
) -> Result<Map<String, Value>, JarmError> {
    let algorithms = SigningAlgorithm::pinned(&provider.id_token_algorithms, &metadata.authorization_signing_algorithms);
    let VerifiedToken { claims, .. } = jws::verify(raw, &algorithms, &["jwt"], keys.ok_or(JarmError::NoKeys)?)?;

    let iss = json::string(&claims, "iss").map_err(|_| JarmError::InvalidClaim("iss"))?.ok_or(JarmError::MissingClaim("iss"))?;
    if !ExpectedIssuer::new(provider, metadata).is_some_and(|expected| expected.may_answer(iss)) {
        return Err(JarmError::IssuerMismatch);
    }
    let audience = json::audience(&claims).map_err(|_| JarmError::InvalidClaim("aud"))?.ok_or(JarmError::MissingClaim("aud"))?;
    if !audience.contains(&provider.client_id) {
        return Err(JarmError::AudienceMismatch);
    }
    let (now, leeway) = (now.as_second(), whole_seconds(CLOCK_LEEWAY));
    let end = seconds(&claims, "exp")?.ok_or(JarmError::MissingClaim("exp"))?;
    if now >= end.saturating_add(leeway) {
        return Err(JarmError::Expired);
    }
    for begin in [seconds(&claims, "iat")?, seconds(&claims, "nbf")?].into_iter().flatten() {
        if begin > now + leeway {
            return Err(JarmError::NotYetValid);
        }
    }
    Ok(claims)
}

fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, JarmError> {
    json::seconds(claims, name).map_err(|_| JarmError::InvalidClaim(name))
}
