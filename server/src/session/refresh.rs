//! Renewing an access token: before it ends, once whatever the load, and without losing a session to a provider that
//! is merely down.

use crate::outbound::OutboundError;
use crate::{
    provider::{ProviderError, Registered},
    session::{
        live::LiveSession,
        record::{Key, SessionRecord, Tokens},
        seal::KeysDiffer,
        store::StoreError,
    },
    state::AppState,
    token_endpoint,
};
use jiff::Timestamp;
use oauth2flow_protocol::{
    AccessToken, Context, JwkSet, ProviderMetadata, RefreshToken, TokenResponse,
    dpop::DpopKey,
    id_token::IdTokenIdentity,
    refresh::{self, PendingRefresh, RefreshError},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use thiserror::Error;
use tracing::Instrument as _;

/// A token that ends within this time is renewed before it is used.
const RENEW_BEFORE_SECONDS: i64 = 30;

/// How often new tokens are tried to be written down, and how long the store is left alone in between.
const WRITE_ATTEMPTS: u32 = 5;
const WRITE_PAUSE: Duration = Duration::from_millis(300);

/// Why there is no usable access token.
#[derive(Debug, Error)]
pub enum AccessTokenError {
    /// The provider has taken the grant back: the session is over.
    #[error("the provider no longer renews the grant")]
    GrantEnded(#[source] Option<RefreshError>),
    /// The token has ended, and the provider gave nothing to renew it with. Who the user is stays known.
    #[error("the access token has ended and cannot be renewed")]
    Expired,
    /// The provider answered something else than new tokens.
    #[error("the provider does not renew the token")]
    Refused(#[source] RefreshError),
    /// The provider did not answer.
    #[error("the provider does not answer")]
    Outbound(#[from] OutboundError),
    /// The provider's metadata or keys cannot be had.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another server sealed the tokens, with a key that this one does not have.
    #[error(transparent)]
    KeysDiffer(#[from] KeysDiffer),
    /// The task that renews has died.
    #[error("the renewal was interrupted")]
    Interrupted,
}

/// What a call to an API carries.
#[derive(Clone, Debug)]
pub struct Access {
    /// The token.
    pub token: AccessToken,
    /// The key that it is bound to, if it is ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
    pub dpop_key: Option<DpopKey>,
}

impl From<Tokens> for Access {
    fn from(tokens: Tokens) -> Self {
        Self { token: tokens.access, dpop_key: tokens.dpop_key }
    }
}

/// Which sessions are being renewed by this process.
#[derive(Default)]
pub struct InFlight(Mutex<HashMap<Key, Weak<tokio::sync::Mutex<()>>>>);

impl InFlight {
    fn lock_of(&self, key: Key) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        locks.insert(key, Arc::downgrade(&lock));
        lock
    }
}

/// The access token of a session, renewed first when it is about to end.
///
/// # Errors
/// When there is none to be had; only [`AccessTokenError::GrantEnded`] means that the session is over.
pub async fn access_token(app: &AppState, session: &LiveSession) -> Result<Access, AccessTokenError> {
    if is_fresh(app, session)
        && let Some(access) = app.sessions.access(session)?
    {
        return Ok(access.clone());
    }
    // The renewal goes on when the browser that caused it goes away: the provider may have spent the old refresh token.
    let (app, key) = (app.clone(), session.key);
    tokio::spawn(async move { renew_once(&app, key).await }.in_current_span()).await.map_err(|_| AccessTokenError::Interrupted)?
}

fn usable(app: &AppState, record: &SessionRecord) -> Result<Option<Access>, KeysDiffer> {
    if is_fresh(app, record) { Ok(app.sessions.tokens(record)?.map(Access::from)) } else { Ok(None) }
}

fn is_fresh(app: &AppState, record: &SessionRecord) -> bool {
    let ends = record.profile.access_token_expires_at;
    let wanted_until = app.clock.now().as_second() + if record.profile.refreshable { RENEW_BEFORE_SECONDS } else { 0 };
    ends.is_none_or(|ends| ends > wanted_until)
}

async fn renew_once(app: &AppState, key: Key) -> Result<Access, AccessTokenError> {
    let lock = app.sessions.refreshing.lock_of(key);
    let _one_at_a_time = lock.lock().await;
    // Whoever waited here takes what the first one got.
    let Some(record) = app.sessions.store().get(key).await? else { return Err(AccessTokenError::GrantEnded(None)) };
    if let Some(token) = usable(app, &record)? {
        return Ok(token);
    }
    let (Some(registered), Some(tokens)) = (app.providers.get(&record.provider), app.sessions.tokens(&record)?) else {
        app.sessions.end(key).await?;
        return Err(AccessTokenError::GrantEnded(None));
    };
    match renew(app, registered, record.clone(), &tokens).await {
        Err(error @ AccessTokenError::GrantEnded(_)) => {
            // Another process may have spent the refresh token, and have the new one.
            match app.sessions.store().get(key).await? {
                Some(now) if now.version != record.version => {
                    return app.sessions.tokens(&now)?.map(Access::from).ok_or(error);
                }
                _ => app.sessions.end(key).await?,
            };
            Err(error)
        }
        // A provider that is down does not stop a token that still works.
        Err(_) if still_valid(&record, app.clock.now()) => Ok(tokens.into()),
        other => other,
    }
}

fn still_valid(record: &SessionRecord, now: Timestamp) -> bool {
    record.profile.access_token_expires_at.is_none_or(|ends| ends > now.as_second())
}

async fn renew(app: &AppState, registered: &Registered, mut record: SessionRecord, tokens: &Tokens) -> Result<Access, AccessTokenError> {
    let Some(refresh_token) = &tokens.refresh else { return Err(AccessTokenError::Expired) };
    let metadata = registered.metadata().await?;
    // What the answer is checked with is fetched first: once the provider has spent the old refresh token, losing the new
    // one for want of a key would lose the session.
    if tokens.id.is_some() {
        registered.keys(&metadata).await?;
    }
    let scopes = &record.profile.scopes;
    let refresh = |nonce: Option<&str>, context: &mut Context<'_>| {
        refresh::request(&registered.provider, &metadata, refresh_token, scopes, tokens.dpop_key.as_ref(), nonce, context)
            .map_err(AccessTokenError::Refused)
    };
    let (response, pending) = token_endpoint::ask(app, registered, refresh, PendingRefresh::retry_with_nonce).await?;
    let renewed = pending.process(&response, app.clock.now()).map_err(|error| {
        if error.is_invalid_grant() { AccessTokenError::GrantEnded(Some(error)) } else { AccessTokenError::Refused(error) }
    })?;
    let verdict = judge_id_token(app, registered, &metadata, &record, tokens, &renewed).await;
    let (expires_at, scopes) = (renewed.expires_at.map(Timestamp::as_second), renewed.scopes);
    let new = Tokens {
        access: renewed.access_token,
        refresh: renewed.refresh_token,
        id: if matches!(verdict, IdTokenVerdict::Holds) { renewed.id_token } else { None }.or_else(|| tokens.id.clone()),
        audience: tokens.audience.clone(),
        dpop_key: renewed.dpop_key,
    };
    if let IdTokenVerdict::Wrong(error) = verdict {
        give_up_grant(app, registered, record, tokens, &new).await?;
        return Err(AccessTokenError::Refused(error));
    }
    record.profile.access_token_expires_at = expires_at;
    record.profile.scopes = scopes;
    app.sessions.seal_tokens(&mut record, &new);
    if keep(app, &record).await? {
        return Ok(new.into());
    }
    if let Some(winner) = app.sessions.store().get(record.key).await? {
        // Another process was faster, and its tokens are of the same grant: revoking ours would end both.
        return app.sessions.tokens(&winner)?.map(Access::from).ok_or(AccessTokenError::GrantEnded(None));
    }
    // The session ended while the provider was thinking: nobody may use what it gave.
    crate::logout::revoke(app, registered, &new).await;
    Err(AccessTokenError::GrantEnded(None))
}

/// Writes the new tokens down. The old ones are spent, so a store that is busy for a moment is asked again.
async fn keep(app: &AppState, record: &SessionRecord) -> Result<bool, StoreError> {
    for _ in 1..WRITE_ATTEMPTS {
        match app.sessions.store().replace_tokens(record).await {
            Ok(kept) => return Ok(kept),
            Err(error) => tracing::warn!(error = %error, "new tokens could not be written down; trying again"),
        }
        tokio::time::sleep(WRITE_PAUSE).await;
    }
    app.sessions.store().replace_tokens(record).await
}

/// Gives the grant up whose new tokens must not be used. The old refresh token is spent where the provider has sent another
/// one, and to show it again would look like a theft: the session lives on without, knows who the user is, and can call no API
/// once its access token has ended.
async fn give_up_grant(
    app: &AppState,
    registered: &Registered,
    mut record: SessionRecord,
    old: &Tokens,
    new: &Tokens,
) -> Result<(), StoreError> {
    if old.refresh.as_ref().map(RefreshToken::expose) == new.refresh.as_ref().map(RefreshToken::expose) {
        // Nothing is spent, and the provider may have come to its senses by the next time.
        return Ok(());
    }
    let left = Tokens {
        access: old.access.clone(),
        refresh: None,
        id: old.id.clone(),
        audience: old.audience.clone(),
        dpop_key: old.dpop_key.clone(),
    };
    app.sessions.seal_tokens(&mut record, &left);
    // Where another process was faster, its tokens are of the same grant: revoking ours would end both.
    if keep(app, &record).await? || app.sessions.store().get(record.key).await?.is_none() {
        crate::logout::revoke(app, registered, new).await;
    }
    Ok(())
}

/// What is known of the ID token that a refresh brought.
enum IdTokenVerdict {
    /// It holds, or there is none: a refresh need not bring one
    /// ([Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)).
    Holds,
    /// There is no key to verify it with. Nothing is taken from it, and the tokens beside it are all that is left of the grant.
    Unverifiable,
    /// It is not what it must be.
    Wrong(RefreshError),
}

async fn judge_id_token(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    record: &SessionRecord,
    tokens: &Tokens,
    renewed: &TokenResponse,
) -> IdTokenVerdict {
    if renewed.id_token.is_none() {
        return IdTokenVerdict::Holds;
    }
    let provider = registered.provider.id.as_str();
    let original = IdTokenIdentity { issuer: record.issuer.clone(), subject: record.sub.clone(), audience: tokens.audience.clone() };
    let now = app.clock.now();
    let validate = |keys: &JwkSet| refresh::validate_id_token(&registered.provider, metadata, renewed, &original, keys, now);
    match registered.judge(metadata, validate, RefreshError::wants_fresh_keys).await {
        Ok(Ok(_)) => IdTokenVerdict::Holds,
        Ok(Err(error)) if error.wants_fresh_keys() => {
            tracing::warn!(provider, error = %error, code = error.code(), "a renewed ID token has an unknown key: the old one stays");
            IdTokenVerdict::Unverifiable
        }
        Ok(Err(error)) => IdTokenVerdict::Wrong(error),
        Err(error) => {
            tracing::warn!(provider, error = %error, "there are no keys for a renewed ID token: the old one stays");
            IdTokenVerdict::Unverifiable
        }
    }
}
