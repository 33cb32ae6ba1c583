//! ID token validation. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::discovery::ProviderMetadata;
use crate::jwks::JwkSet;
use crate::provider::Provider;
use crate::secret::{AccessToken, IdToken};
use crate::signing_algorithm::SigningAlgorithm;
use crate::token::TokenResponse;

/// How far the provider's clock may be off.
pub const CLOCK_LEEWAY: Duration = Duration::from_secs(60);

/// What an ID token is held against.
#[derive(Clone, Debug)]
pub struct IdTokenExpectations<'a> {
    /// The provider's issuer.
    pub issuer: &'a str,
    /// This client.
    pub client_id: &'a str,
    /// The nonce that was sent; without one, the token must not have one.
    pub nonce: Option<&'a str>,
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
    pub fn new(_provider: &'a Provider, _metadata: &'a ProviderMetadata, _tokens: &'a TokenResponse, _now: Timestamp) -> Option<Self> {
        todo!()
    }
}

/// An ID token that has passed every check.
#[derive(Clone, Debug)]
pub struct ValidatedIdToken {
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
    /// No key of the set has the token's key id: fetch the set once more.
    /// [Core §10.1.1](https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys)
    #[error("no known key has the token's key id")]
    UnknownKeyId,
}

impl IdTokenError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        todo!()
    }

    /// Whether fetching the keys once more may help: the provider may have rotated them.
    pub fn wants_fresh_keys(&self) -> bool {
        todo!()
    }
}

impl ValidatedIdToken {
    /// `iss`
    pub fn issuer(&self) -> &str {
        todo!()
    }

    /// `sub`
    pub fn subject(&self) -> &str {
        todo!()
    }

    /// `aud`
    pub fn audience(&self) -> &[String] {
        todo!()
    }

    /// `sid`, the provider's name of its session.
    pub fn session_id(&self) -> Option<&str> {
        todo!()
    }

    /// `exp`
    pub fn expires_at(&self) -> Timestamp {
        todo!()
    }

    /// Every claim.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// What a refreshed ID token must keep.
    pub fn identity(&self) -> IdTokenIdentity {
        todo!()
    }
}

/// Validates an ID token.
///
/// # Errors
/// The first check that fails.
pub fn validate(_raw: &IdToken, _expectations: &IdTokenExpectations<'_>, _keys: &JwkSet) -> Result<ValidatedIdToken, IdTokenError> {
    todo!()
}
