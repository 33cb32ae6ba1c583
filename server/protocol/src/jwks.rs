//! The provider's keys. [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)

use url::Url;

use crate::http::{OutboundRequest, OutboundResponse};

/// The largest key set accepted, in bytes.
pub const MAXIMUM_JWKS_BYTES: usize = 256 * 1024;

/// The most keys accepted in one set.
pub const MAXIMUM_KEYS: usize = 100;

/// Public keys for signatures.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {}

/// Why a key set is not used.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The body is larger than [`MAXIMUM_JWKS_BYTES`].
    #[error("the key set is too large")]
    TooLarge,
}

impl JwksError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        todo!()
    }
}

/// The request for the key set.
pub fn request(_jwks_uri: &Url) -> OutboundRequest {
    todo!()
}

/// Judges the key set.
///
/// # Errors
/// The first check that fails.
pub fn process_jwks(_response: &OutboundResponse) -> Result<JwkSet, JwksError> {
    todo!()
}
