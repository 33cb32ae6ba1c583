//! Signing out: here first, then at the provider.

use crate::{
    provider::Registered,
    session::record::{SessionRecord, Tokens},
    state::AppState,
};
use futures_util::{StreamExt as _, stream};
use oauth2flow_protocol::logout::{self, TokenToRevoke};
use tracing::Instrument as _;
use url::Url;

/// How many sessions' tokens are taken back at a time when several end at once.
const REVOCATIONS_AT_A_TIME: usize = 4;

/// The provider's end-session address for a session that has ended, when it has one.
pub async fn end_session_url(app: &AppState, record: &SessionRecord) -> Option<Url> {
    let registered = app.providers.get(&record.provider)?;
    let tokens = tokens_of(app, record)?;
    let metadata = registered.metadata().await.ok()?;
    let post_logout_redirect_uri = format!("{}/", app.config.server.public_url.origin());
    logout::end_session_url(&registered.provider, &metadata, tokens.id.as_ref(), &post_logout_redirect_uri, None)
}

/// Takes the tokens of ended sessions back. Nobody waits for that: the sessions have ended here whatever the providers say.
pub fn take_back(app: &AppState, ended: Vec<SessionRecord>) {
    let app = app.clone();
    let revoking = async move {
        let app = &app;
        stream::iter(ended)
            .for_each_concurrent(REVOCATIONS_AT_A_TIME, |record| async move {
                if let (Some(registered), Some(tokens)) = (app.providers.get(&record.provider), tokens_of(app, &record)) {
                    revoke(app, registered, &tokens).await;
                }
            })
            .await;
    };
    tokio::spawn(revoking.in_current_span());
}

/// The tokens of an ended session, as far as this server can open them.
fn tokens_of(app: &AppState, record: &SessionRecord) -> Option<Tokens> {
    let opened = app.sessions.tokens(record);
    opened.inspect_err(|error| tracing::warn!(error = %error, "the tokens of an ended session cannot be revoked")).ok()?
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
