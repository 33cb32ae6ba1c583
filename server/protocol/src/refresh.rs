//! The refresh of an access token. [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)

use jiff::Timestamp;

use crate::discovery::ProviderMetadata;
use crate::http::{OutboundRequest, OutboundResponse};
use crate::id_token::{IdTokenError, IdTokenIdentity, ValidatedIdToken};
use crate::jwks::JwkSet;
use crate::provider::Provider;
use crate::secret::RefreshToken;
use crate::token::{TokenError, TokenResponse};

/// A refresh under way: judges the response that belongs to it.
#[derive(Debug)]
pub struct PendingRefresh {}

/// Why a refresh is rejected.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token response is rejected.
    #[error("the token response is rejected")]
    Token(#[from] TokenError),
    /// The refreshed ID token does not hold.
    #[error("the refreshed ID token does not hold")]
    IdToken(#[from] IdTokenError),
    /// The refreshed ID token is about another user. [Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)
    #[error("the refreshed ID token is about another user")]
    SubjectChanged,
    /// The refreshed ID token is for another audience. [Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)
    #[error("the refreshed ID token is for another audience")]
    AudienceChanged,
}

impl RefreshError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        todo!()
    }

    /// Whether the grant is gone for good: the only answer that may end a session.
    pub fn is_invalid_grant(&self) -> bool {
        matches!(self, Self::Token(error) if error.is_invalid_grant())
    }
}

/// The request that refreshes, and what judges its response. `granted_scopes` are kept when the response names none.
pub fn request(
    _provider: &Provider,
    _metadata: &ProviderMetadata,
    _refresh_token: &RefreshToken,
    _granted_scopes: &[String],
) -> (OutboundRequest, PendingRefresh) {
    todo!()
}

impl PendingRefresh {
    /// Judges the token response; a missing refresh token keeps the old one.
    ///
    /// # Errors
    /// [`RefreshError::Token`]
    pub fn process(self, _response: &OutboundResponse, _now: Timestamp) -> Result<TokenResponse, RefreshError> {
        todo!()
    }
}

/// Validates the ID token of a refresh against the one of the login; `None` when the response has none.
///
/// # Errors
/// The first check that fails.
pub fn validate_id_token(
    _provider: &Provider,
    _metadata: &ProviderMetadata,
    _tokens: &TokenResponse,
    _original: &IdTokenIdentity,
    _keys: &JwkSet,
    _now: Timestamp,
) -> Result<Option<ValidatedIdToken>, RefreshError> {
    todo!()
}
