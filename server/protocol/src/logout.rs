//! The end of a session: token revocation and logout at the provider.

use url::Url;

use crate::discovery::ProviderMetadata;
use crate::http::{OutboundRequest, OutboundResponse};
use crate::provider::Provider;
use crate::secret::{AccessToken, IdToken, RefreshToken};

/// The token to take back.
#[derive(Clone, Copy, Debug)]
pub enum TokenToRevoke<'a> {
    /// A refresh token: its access tokens go with it. [RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1)
    Refresh(&'a RefreshToken),
    /// An access token.
    Access(&'a AccessToken),
}

/// Why a token may still be good.
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// The provider answered with a status that is no success. [RFC 7009 §2.2](https://www.rfc-editor.org/rfc/rfc7009#section-2.2)
    #[error("the revocation endpoint answered with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
}

impl RevocationError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        todo!()
    }
}

/// The request that takes a token back; `None` when the provider cannot do that for this kind of token.
pub fn revocation_request(_provider: &Provider, _metadata: &ProviderMetadata, _token: TokenToRevoke<'_>) -> Option<OutboundRequest> {
    todo!()
}

/// Judges the answer.
///
/// # Errors
/// [`RevocationError::Status`]
pub fn process_revocation(_response: &OutboundResponse) -> Result<(), RevocationError> {
    todo!()
}

/// Where to send the browser to sign out at the provider; `None` when that is not offered or not wanted.
/// [RP-Initiated Logout §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout)
pub fn end_session_url(
    _provider: &Provider,
    _metadata: &ProviderMetadata,
    _id_token_hint: Option<&IdToken>,
    _post_logout_redirect_uri: &str,
    _state: Option<&str>,
) -> Option<Url> {
    todo!()
}
