//! Signing out: here first, then at the provider.

use crate::{
    flow,
    provider::Registered,
    session::{
        record::{Key, SessionRecord, Tokens},
        store::{StoreError, UserKey},
    },
    state::AppState,
};
use futures_util::{StreamExt as _, stream};
use oauth2flow_protocol::logout::{self, TokenToRevoke};
use std::{future::Future, sync::Arc};
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

/// Ends a session, and has what it held taken back. It is done whole, also when whoever wants it goes away meanwhile.
///
/// # Errors
/// When the store does not answer.
pub async fn end(app: &AppState, key: Key) -> Result<Arc<[SessionRecord]>, StoreError> {
    ending(app, move |app| async move { Ok(app.sessions.end(key).await?.into_iter().collect()) }).await
}

/// The same for every session of the user to whom this one belongs.
///
/// # Errors
/// When the store does not answer.
pub async fn end_everywhere(app: &AppState, session: &SessionRecord) -> Result<Arc<[SessionRecord]>, StoreError> {
    let (issuer, sub) = (session.issuer.clone(), session.sub.clone());
    let work = |app: AppState| async move { app.sessions.store().remove_user(UserKey { issuer: &issuer, sub: &sub }, None).await };
    ending(app, work).await
}

async fn ending<W>(app: &AppState, work: impl FnOnce(AppState) -> W + Send + 'static) -> Result<Arc<[SessionRecord]>, StoreError>
where
    W: Future<Output = Result<Vec<SessionRecord>, StoreError>> + Send,
{
    let whole = {
        let app = app.clone();
        async move {
            let ended: Arc<[SessionRecord]> = work(app.clone()).await?.into();
            // Nobody waits for the providers: the sessions have ended here whatever they say.
            app.ongoing.spawn(take_back(app.clone(), Arc::clone(&ended)));
            Ok(ended)
        }
    };
    app.ongoing.spawn(whole).await.unwrap_or_else(|died| Err(StoreError::new(died)))
}

/// Takes back what a sign-in had got that has come to nothing: the session, if it may have `begun`, and the tokens. Nobody waits for that.
pub fn give_back(app: &AppState, registered: &Registered, begun: Option<Key>, tokens: Tokens) {
    let (of_task, provider) = (app.clone(), registered.provider.id.clone());
    app.ongoing.spawn(flow::carry(async move {
        if let Some(key) = begun
            && let Err(error) = of_task.sessions.end(key).await
        {
            tracing::warn!(error = %error, "a session that nobody was told of could not be ended");
        }
        if let Some(registered) = of_task.providers.get(&provider) {
            revoke(&of_task, registered, &tokens).await;
        }
    }));
}

/// Takes the tokens of ended sessions back.
async fn take_back(app: AppState, ended: Arc<[SessionRecord]>) {
    let app = &app;
    stream::iter(&*ended)
        .for_each_concurrent(REVOCATIONS_AT_A_TIME, |record| async move {
            if let (Some(registered), Some(tokens)) = (app.providers.get(&record.provider), tokens_of(app, record)) {
                flow::within(flow::of_session(app, record.key), revoke(app, registered, &tokens)).await;
            }
        })
        .await;
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
                let answer = logout::process_revocation(&response);
                flow::session::revoked(&answer);
                if let Err(error) = answer {
                    tracing::warn!(provider, error = %error, "the provider did not revoke a token");
                }
            }
            Err(error) => tracing::warn!(provider, error = %error, "the provider could not be asked to revoke a token"),
        }
    }
}
