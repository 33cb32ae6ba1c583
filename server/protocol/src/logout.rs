//! The end of a session: token revocation and logout at the provider.

use url::Url;

use crate::client_auth::{self, Client, ClientAuthError};
use crate::context::Context;
use crate::discovery::ProviderMetadata;
use crate::http::{Method, OutboundRequest, OutboundResponse};
use crate::provider::{Provider, RevocationStyle};
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
    /// The client cannot prove who it is. [RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1)
    #[error(transparent)]
    ClientAuth(#[from] ClientAuthError),
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
        match self {
            Self::ClientAuth(error) => error.code(),
            Self::Status { .. } => "revocation_unexpected_status",
        }
    }
}

/// The request that takes a token back; `None` when the provider cannot do that for this kind of token.
/// [RFC 7009 §2.1](https://www.rfc-editor.org/rfc/rfc7009#section-2.1)
///
/// # Errors
/// [`RevocationError::ClientAuth`]
pub fn revocation_request(
    provider: &Provider,
    metadata: &ProviderMetadata,
    token: TokenToRevoke<'_>,
    context: &mut Context<'_>,
) -> Result<Option<OutboundRequest>, RevocationError> {
    let Some(endpoint) = metadata.revocation_endpoint.as_ref() else { return Ok(None) };
    match (provider.revocation, token) {
        (RevocationStyle::None, _) | (RevocationStyle::GitHub, TokenToRevoke::Refresh(_)) => Ok(None),
        (RevocationStyle::Rfc7009, token) => {
            let (token, hint) = match token {
                TokenToRevoke::Refresh(token) => (token.expose(), "refresh_token"),
                TokenToRevoke::Access(token) => (token.expose(), "access_token"),
            };
            let form = [("token", token), ("token_type_hint", hint)];
            let alias = metadata.mtls_endpoint_aliases.revocation_endpoint.as_ref();
            let endpoint = client_auth::reached_at(provider, endpoint, alias);
            Ok(Some(Client::new(provider, metadata)?.form(endpoint, &form, context)))
        }
        (RevocationStyle::GitHub, TokenToRevoke::Access(token)) => {
            let secret = provider.client_secret.as_ref().ok_or(ClientAuthError::MissingSecret)?;
            let body = serde_json::json!({ "access_token": token.expose() }).to_string();
            let request = OutboundRequest { method: Method::Delete, url: endpoint.clone(), headers: Vec::new(), body: Some(body) };
            let request = request
                .with_header("accept", "application/json")
                .with_headers(&provider.extra_request_headers)
                .with_header("content-type", "application/json")
                .with_header("authorization", client_auth::basic(&provider.client_id, secret.expose()));
            Ok(Some(request))
        }
    }
}

/// Judges the answer: any status of success will do, and a token that the provider did not know is gone too
/// ([RFC 7009 §2.2](https://www.rfc-editor.org/rfc/rfc7009#section-2.2)).
///
/// # Errors
/// [`RevocationError::Status`]
pub fn process_revocation(response: &OutboundResponse) -> Result<(), RevocationError> {
    match response.status {
        200..=299 => Ok(()),
        status => Err(RevocationError::Status { status }),
    }
}

/// Where to send the browser to sign out at the provider; `None` when that is not offered or not wanted.
/// [RP-Initiated Logout §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout)
pub fn end_session_url(
    provider: &Provider,
    metadata: &ProviderMetadata,
    id_token_hint: Option<&IdToken>,
    post_logout_redirect_uri: &str,
    state: Option<&str>,
) -> Option<Url> {
    let mut url = metadata.end_session_endpoint.clone().filter(|_| provider.end_session)?;
    {
        let mut query = url.query_pairs_mut();
        if let Some(id_token_hint) = id_token_hint {
            query.append_pair("id_token_hint", id_token_hint.expose());
        }
        query.append_pair("client_id", &provider.client_id);
        query.append_pair("post_logout_redirect_uri", post_logout_redirect_uri);
        if let Some(state) = state {
            query.append_pair("state", state);
        }
    }
    Some(url)
}
