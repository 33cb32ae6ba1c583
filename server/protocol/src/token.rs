//! The token request and its response.

use jiff::Timestamp;

use crate::callback::ValidatedCallback;
use crate::discovery::ProviderMetadata;
use crate::http::{OutboundRequest, OutboundResponse};
use crate::provider::Provider;
use crate::provider_text::ProviderText;
use crate::secret::{AccessToken, IdToken, RefreshToken};

/// The largest token response accepted, in bytes.
pub const MAXIMUM_TOKEN_RESPONSE_BYTES: usize = 64 * 1024;

/// What the token endpoint granted. The ID token, if any, is not validated yet: nobody is signed in.
#[derive(Clone, Debug)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: AccessToken,
    /// The refresh token; after a refresh without a new one, the old one.
    pub refresh_token: Option<RefreshToken>,
    /// The ID token as it came. OpenID providers always send it with a code's exchange.
    pub id_token: Option<IdToken>,
    /// The granted scopes; the requested ones when the provider did not say.
    pub scopes: Vec<String>,
    /// When the access token ends, if known.
    pub expires_at: Option<Timestamp>,
    /// The nonce that the ID token must hold.
    pub nonce: Option<String>,
}

/// A code's exchange under way: judges the response that belongs to it.
#[derive(Debug)]
pub struct PendingExchange {}

/// Why a token response is rejected.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The callback was validated for another provider. [RFC 9700 §4.4](https://www.rfc-editor.org/rfc/rfc9700#section-4.4)
    #[error("the callback belongs to another provider")]
    WrongProvider,
    /// The provider said no. [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)
    #[error("the token endpoint answered {error}")]
    Provider {
        /// What the error is.
        kind: TokenErrorCode,
        /// The error's code, as the provider wrote it.
        error: ProviderText,
        /// The provider's words about it.
        description: Option<ProviderText>,
        /// The HTTP status it came with.
        status: u16,
    },
    /// The provider is at fault or overloaded: 5xx or 429.
    #[error("the token endpoint answered with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
}

/// The errors of the token endpoint, [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2), and GitHub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenErrorCode {
    /// The code or the refresh token is no longer good.
    InvalidGrant,
    /// The client's id or secret is wrong.
    InvalidClient,
    /// The request is malformed.
    InvalidRequest,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// The provider does not know this grant.
    UnsupportedGrantType,
    /// A scope is unknown.
    InvalidScope,
    /// The redirect address is not registered (GitHub).
    RedirectUriMismatch,
    /// The user's e-mail address is not verified (GitHub).
    UnverifiedUserEmail,
    /// The provider failed or is overloaded.
    TemporarilyUnavailable,
    /// Anything else.
    Other,
}

impl TokenError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        todo!()
    }

    /// Whether the grant is gone for good: the only answer that may end a session.
    pub fn is_invalid_grant(&self) -> bool {
        matches!(self, Self::Provider { kind: TokenErrorCode::InvalidGrant, .. })
    }
}

/// The request that exchanges the code, and what judges its response.
///
/// # Errors
/// [`TokenError::WrongProvider`]
pub fn exchange_request(
    _provider: &Provider,
    _metadata: &ProviderMetadata,
    _callback: ValidatedCallback,
) -> Result<(OutboundRequest, PendingExchange), TokenError> {
    todo!()
}

impl PendingExchange {
    /// Judges the token response.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn process(self, _response: &OutboundResponse, _now: Timestamp) -> Result<TokenResponse, TokenError> {
        todo!()
    }
}
