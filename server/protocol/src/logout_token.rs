//! The logout token of a back-channel logout.
//! [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation)

use std::time::Duration;

use jiff::Timestamp;

use crate::discovery::ProviderMetadata;
use crate::jwks::JwkSet;
use crate::provider::Provider;
use crate::signing_algorithm::SigningAlgorithm;

/// What a logout token is held against.
#[derive(Clone, Debug)]
pub struct LogoutTokenExpectations<'a> {
    /// The provider's issuer.
    pub issuer: &'a str,
    /// This client.
    pub client_id: &'a str,
    /// The pinned algorithms: [`Provider::pinned_algorithms`].
    pub algorithms: Vec<SigningAlgorithm>,
    /// The time.
    pub now: Timestamp,
    /// How far the provider's clock may be off.
    pub leeway: Duration,
}

impl<'a> LogoutTokenExpectations<'a> {
    /// What a logout token of this provider is held against; `None` when the provider issues none.
    pub fn new(_provider: &'a Provider, _metadata: &'a ProviderMetadata, _now: Timestamp) -> Option<Self> {
        todo!()
    }
}

/// A logout token that has passed every check but one: the caller refuses a `token_id` that it has seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatedLogoutToken {
    /// `iss`
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
    /// No key of the set has the token's key id: fetch the set once more.
    #[error("no known key has the token's key id")]
    UnknownKeyId,
}

impl LogoutTokenError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        todo!()
    }

    /// Whether fetching the keys once more may help.
    pub fn wants_fresh_keys(&self) -> bool {
        todo!()
    }
}

/// Validates a logout token.
///
/// # Errors
/// The first check that fails.
pub fn validate(_raw: &str, _expectations: &LogoutTokenExpectations<'_>, _keys: &JwkSet) -> Result<ValidatedLogoutToken, LogoutTokenError> {
    todo!()
}
