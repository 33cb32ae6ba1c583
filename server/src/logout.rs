//! Signing out: here first, then at the provider.

use crate::{
    provider::Registered,
    session::record::{SessionRecord, Tokens},
    state::AppState,
};
use oauth2flow_protocol::logout::{self, TokenToRevoke};
use tracing::Instrument as _;
use url::Url;

/// Takes the tokens of an ended session back and answers the provider's end-session address, when it has one.
pub async fn at_provider(app: &AppState, record: &SessionRecord) -> Option<Url> {
    let registered = app.providers.get(&record.provider)?;
    let tokens = app.sessions.tokens(record)?;
    let metadata = registered.metadata().await.ok()?;
    let post_logout_redirect_uri = format!("{}/", app.config.server.public_url.origin());
    let url = logout::end_session_url(&registered.provider, &metadata, tokens.id.as_ref(), &post_logout_redirect_uri, None);
    // The browser need not wait for the provider to have forgotten.
    let app = app.clone();
    let provider = record.provider.clone();
    let revoking = async move {
        if let Some(registered) = app.providers.get(&provider) {
            revoke(&app, registered, &tokens).await;
        }
    };
    tokio::spawn(revoking.in_current_span());
    url
}

/// Takes tokens back at the provider ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)): the refresh token, with which a
/// provider ends the whole grant, or the access token where there is none. A failure is logged: the session here has ended anyway.
pub async fn revoke(app: &AppState, registered: &Registered, tokens: &Tokens) {
    let Ok(metadata) = registered.metadata().await else { return };
    let requests = [tokens.refresh.as_ref().map(TokenToRevoke::Refresh), Some(TokenToRevoke::Access(&tokens.access))];
    for token in requests.into_iter().flatten() {
        let provider = registered.provider.id.as_str();
        let request = match app.with_context(|context| logout::revocation_request(&registered.provider, &metadata, token, context)) {
            Ok(Some(request)) => request,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(provider, error = %error, "no token can be revoked: the client cannot prove who it is");
                continue;
            }
        };
        match registered.send(request).await {
            Ok(response) => {
                if let Err(error) = logout::process_revocation(&response) {
                    tracing::warn!(provider, error = %error, "the provider did not revoke a token");
                }
            }
            Err(error) => tracing::warn!(provider, error = %error, "the provider could not be asked to revoke a token"),
        }
    }
}
