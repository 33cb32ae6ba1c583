//! Which token a call carries: the user's own, or, where the upstream has tokens of its own, one that the provider exchanges it for
//! ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)).
//!
//! What was exchanged is kept in memory alone, until shortly before its end, and only for as long as the token lasts that it was exchanged
//! for: a renewed token is exchanged anew. Who asks while an exchange is under way waits for it, and hears what comes of it. What the
//! provider refuses is not asked again for some seconds, and a provider that does not answer is left alone.

use super::Upstream;
use crate::{
    error::Failure,
    flow,
    outbound::OutboundError,
    provider::{ProviderError, Registered, breaker::Paused},
    session::{
        live::LiveSession,
        record::Key,
        refresh::{self, Access, AccessTokenError, Recent},
        store::Change,
    },
    state::AppState,
    token_endpoint,
};
use jiff::{SignedDuration, Timestamp};
use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::{
    AccessToken,
    token::TokenError,
    token_exchange::{self, ExchangedToken, Target, TokenExchangeError},
};
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use std::{
    convert::Infallible,
    sync::{Arc, OnceLock},
    time::Duration,
};
use thiserror::Error;
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        watch,
    },
    task::JoinHandle,
};
use tracing::Instrument as _;

/// How many tokens are kept.
const MAXIMUM_TOKENS: usize = 4096;

/// A token that ends within this time is exchanged anew.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_secs(30);

/// How long an upstream that has rejected a token is not believed when it rejects the next one too: its 401 is about something else.
const EXCHANGED_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// How long the provider's refusal is the answer to whoever wants the same.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// How long a token is kept whose end the provider has not told.
const UNKNOWN_LIFETIME: SignedDuration = SignedDuration::from_mins(1);

/// Why a token was not exchanged.
#[derive(Debug, Error)]
pub enum ExchangeError {
    /// The provider's answer will not do.
    #[error("the token is not exchanged")]
    Refused(#[from] TokenExchangeError),
    /// The provider did not answer.
    #[error("the provider does not answer")]
    Outbound(#[from] OutboundError),
    /// The provider has not answered for some time, and is left alone for this long.
    #[error("the provider has not answered for some time, and is asked again in {} ms", .0.as_millis())]
    Paused(Duration),
    /// The provider's metadata cannot be had.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl From<Paused> for ExchangeError {
    fn from(paused: Paused) -> Self {
        Self::Paused(paused.0)
    }
}

/// The tokens that were exchanged.
pub(super) struct Exchange {
    tokens: Arc<Tokens>,
    /// Of which sessions a token was exchanged anew because the upstream had rejected one, and for which upstreams.
    rejected: Recent<(Key, String)>,
    /// What forgets the tokens of sessions that change or end, since the first of them was exchanged.
    forgetting: OnceLock<JoinHandle<()>>,
}

type Tokens = Cache<Subject, Exchanging>;

/// What a token was exchanged for: whose, which, and for which upstream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Subject {
    session: Key,
    upstream: String,
    token: [u8; 32],
}

/// An exchange that is under way, or what came of it. It goes on when nobody waits for it any more.
#[derive(Clone)]
struct Exchanging(watch::Receiver<Option<Outcome>>);

type Outcome = Result<Arc<Exchanged>, Unexchanged>;

struct Exchanged {
    access: Access,
    until: Timestamp,
}

/// Why there is no token.
#[derive(Clone)]
struct Unexchanged {
    failure: Failure,
    /// Until when nobody asks again, by the monotonic clock.
    until: Duration,
}

impl From<Failure> for Unexchanged {
    fn from(failure: Failure) -> Self {
        Self { failure, until: Duration::ZERO }
    }
}

impl Exchanging {
    /// Whether there is no need for another one.
    fn counts(&self, app: &AppState) -> bool {
        match &*self.0.borrow() {
            // Whoever was at it may have died.
            None => self.0.has_changed().is_ok(),
            Some(Ok(exchanged)) => exchanged.until > app.clock.now(),
            Some(Err(unexchanged)) => unexchanged.until > app.clock.elapsed(),
        }
    }

    /// Whether it has brought this token.
    fn has_brought(&self, token: &AccessToken) -> bool {
        matches!(&*self.0.borrow(), Some(Ok(exchanged)) if exchanged.access.token.expose() == token.expose())
    }

    async fn ended(mut self) -> Result<Access, Failure> {
        match self.0.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Ok(exchanged))) => Ok(exchanged.access.clone()),
            Ok(Some(Err(unexchanged))) => Err(unexchanged.failure.clone()),
            Ok(None) | Err(_) => Err(AccessTokenError::Interrupted.into()),
        }
    }
}

impl Default for Exchange {
    fn default() -> Self {
        Self { tokens: Arc::new(Cache::new(MAXIMUM_TOKENS)), rejected: Recent::default(), forgetting: OnceLock::new() }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(forgetting) = self.forgetting.get() {
            forgetting.abort();
        }
    }
}

/// Forgets the tokens of sessions that have changed or ended, until the store is closed.
async fn forget(tokens: Arc<Tokens>, mut changes: broadcast::Receiver<Change>) {
    loop {
        match changes.recv().await {
            Ok(Change::Ended(key) | Change::Renewed(key)) => tokens.retain(|subject, _| subject.session != key),
            Ok(Change::Missed) | Err(RecvError::Lagged(_)) => tokens.clear(),
            Err(RecvError::Closed) => return,
        }
    }
}

impl Exchange {
    async fn token(&self, app: &AppState, upstream: &Arc<Upstream>, session: &LiveSession, own: Access) -> Result<Access, Failure> {
        let subject = Subject::new(upstream, session, &own);
        self.tokens.remove_if(&subject, |exchanging| !exchanging.counts(app));
        let begin = || Ok::<_, Infallible>(self.begin(app, upstream, session, own));
        let Ok(exchanging) = self.tokens.get_or_insert_with(&subject, begin);
        exchanging.ended().await
    }

    fn begin(&self, app: &AppState, upstream: &Arc<Upstream>, session: &LiveSession, own: Access) -> Exchanging {
        self.forgetting.get_or_init(|| tokio::spawn(forget(Arc::clone(&self.tokens), app.sessions.store().changes())));
        self.tokens.retain(|_, exchanging| exchanging.counts(app));
        let (sender, receiver) = watch::channel(None);
        let (app, upstream, provider, session) = (app.clone(), Arc::clone(upstream), session.provider.clone(), session.key);
        let work = async move {
            sender.send_replace(Some(exchange(&app, &upstream, &provider, session, &own).await.map(Arc::new)));
        };
        tokio::spawn(flow::carry(work).in_current_span());
        Exchanging(receiver)
    }

    /// Forgets what this token was exchanged for, if that is what was rejected; others may have had it exchanged anew already. Answers
    /// whether there is another one to be had: not when the rejected one is the new one.
    fn forget(&self, app: &AppState, upstream: &Upstream, session: &LiveSession, own: &Access, rejected: &AccessToken) -> bool {
        let mut is_new = false;
        self.tokens.remove_if(&Subject::new(upstream, session, own), |exchanging| {
            let is_rejected = exchanging.has_brought(rejected);
            let place = (session.key, upstream.config.name.clone());
            is_new = is_rejected && !self.rejected.begins(place, app.clock.elapsed(), EXCHANGED_AGAIN_AFTER);
            is_rejected && !is_new
        });
        !is_new
    }
}

impl Subject {
    fn new(upstream: &Upstream, session: &LiveSession, own: &Access) -> Self {
        Self { session: session.key, upstream: upstream.config.name.clone(), token: Sha256::digest(own.token.expose()).into() }
    }
}

async fn exchange(app: &AppState, upstream: &Upstream, provider: &str, session: Key, own: &Access) -> Result<Exchanged, Unexchanged> {
    let ended = || Failure::new(ProblemCode::SessionEnded);
    let registered = app.providers.get(provider).ok_or_else(ended)?;
    let token = ask(app, registered, upstream, own).await.map_err(|error| {
        let refused_for = if matches!(error, ExchangeError::Refused(_)) { REFUSED_FOR } else { Duration::ZERO };
        Unexchanged { failure: error.into(), until: app.clock.elapsed() + refused_for }
    })?;
    // It may have ended before anybody here would have heard of that.
    app.sessions.peek(session).await.map_err(Failure::from)?.ok_or_else(ended)?;
    let expires_at = token.expires_at.unwrap_or_else(|| later(app.clock.now(), UNKNOWN_LIFETIME + RENEW_BEFORE));
    let until = later(expires_at, -RENEW_BEFORE);
    Ok(Exchanged { access: Access { token: token.access_token, dpop_key: token.dpop_key }, until })
}

/// Asks the provider for a token, unless it is being left alone, and tells the breaker of exchanges how that went. That of renewals
/// does not hear of it: a provider may be in trouble with exchanges alone, and renewals must not have to wait for that.
async fn ask(app: &AppState, registered: &Registered, upstream: &Upstream, own: &Access) -> Result<ExchangedToken, ExchangeError> {
    registered.breaker.check(app.clock.elapsed())?;
    let wanted = upstream.config.exchange.clone().unwrap_or_default();
    let target = Target { audience: &wanted.audience, resource: &wanted.resource, scopes: &wanted.scopes };
    let metadata = registered.metadata().await?;
    let permit = registered.exchange_breaker.enter(app.clock.elapsed())?;
    let asked = token_endpoint::ask(
        app,
        registered,
        |nonce, context| {
            let key = own.dpop_key.as_ref();
            let begun = token_exchange::request(&registered.provider, &metadata, &own.token, target, key, nonce, context);
            begun.map_err(ExchangeError::from)
        },
        token_exchange::PendingTokenExchange::retry_with_nonce,
    )
    .await
    .and_then(|(response, pending)| Ok(pending.process(&response, app.clock.now())?));
    let provider = registered.provider.id.as_str();
    match &asked {
        Err(error) if is_in_trouble(error) => permit.failed(provider, app.clock.elapsed(), &*app.entropy),
        // Nothing was sent.
        Err(ExchangeError::Refused(TokenExchangeError::Token(TokenError::ClientAuth(_)))) => drop(permit),
        _ => permit.answered(provider),
    }
    asked
}

/// Whether the provider is down, or says that it is in trouble. One that is asked too much (429) is not down.
fn is_in_trouble(error: &ExchangeError) -> bool {
    match error {
        ExchangeError::Outbound(error) => error.is_silence(),
        ExchangeError::Refused(TokenExchangeError::Token(TokenError::Unavailable { status })) => *status >= 500,
        _ => false,
    }
}

fn later(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

/// What a call to this upstream carries.
///
/// # Errors
/// When there is no token to be had.
pub(super) async fn access(app: &AppState, upstream: &Arc<Upstream>, session: &LiveSession) -> Result<Access, Failure> {
    let own = refresh::access_token(app, session).await?;
    if upstream.config.exchange.is_none() {
        return Ok(own);
    }
    app.upstreams.exchange.token(app, upstream, session, own).await
}

/// Another token, in the place of one that the upstream has rejected; `None` when there is none to be had.
pub(super) async fn renew(app: &AppState, upstream: &Arc<Upstream>, session: &LiveSession, rejected: &Access) -> Option<Access> {
    let renewed = if upstream.config.exchange.is_some() {
        exchange_again(app, upstream, session.key, &rejected.token).await
    } else {
        refresh::renew_rejected(app, session.key, &rejected.token).await.map_err(Failure::from)
    };
    match renewed {
        Ok(access) => Some(access),
        Err(failure) => {
            tracing::info!(
                code = failure.code.code(),
                causes = failure.causes(),
                "an upstream has rejected a token, and there is no other"
            );
            None
        }
    }
}

/// The provider may have taken back what it gave in exchange, and not the user's own token.
async fn exchange_again(app: &AppState, upstream: &Arc<Upstream>, session: Key, rejected: &AccessToken) -> Result<Access, Failure> {
    // It may have been renewed since the call began.
    let session = app.sessions.peek(session).await?.ok_or(ProblemCode::SessionEnded)?;
    let own = refresh::access_token(app, &session).await?;
    let exchange = &app.upstreams.exchange;
    if !exchange.forget(app, upstream, &session, &own, rejected) {
        return Err(AccessTokenError::JustRenewed.into());
    }
    exchange.token(app, upstream, &session, own).await
}

#[cfg(test)]
mod tests {
    use super::{Access, Change, Exchanged, Exchanging, Key, MAXIMUM_TOKENS, Subject, Tokens, forget};
    use jiff::Timestamp;
    use oauth2flow_protocol::AccessToken;
    use std::sync::Arc;
    use tokio::sync::{broadcast, watch};

    fn session(number: u8) -> Key {
        Key([number; 32])
    }

    /// What is left of the tokens of three sessions when these things have happened.
    async fn left_after(changes: &[Change]) -> Vec<Key> {
        let tokens = Arc::new(Tokens::new(MAXIMUM_TOKENS));
        for number in 1..=3 {
            let access = Access { token: AccessToken::new("exchanged".to_owned()), dpop_key: None };
            let subject = Subject { session: session(number), upstream: "api".to_owned(), token: [0; 32] };
            let exchanged = Ok(Arc::new(Exchanged { access, until: Timestamp::MAX }));
            tokens.insert(subject, Exchanging(watch::channel(Some(exchanged)).1));
        }
        let (sender, receiver) = broadcast::channel(2);
        for change in changes {
            sender.send(*change).unwrap();
        }
        drop(sender);
        forget(Arc::clone(&tokens), receiver).await;
        let mut left: Vec<_> = tokens.iter().map(|(subject, _)| subject.session).collect();
        left.sort_unstable_by_key(|key| key.0);
        left
    }

    #[tokio::test]
    async fn the_tokens_of_a_session_go_with_it() {
        assert_eq!(left_after(&[]).await, [session(1), session(2), session(3)]);
        assert_eq!(left_after(&[Change::Ended(session(2))]).await, [session(1), session(3)]);
        assert_eq!(left_after(&[Change::Ended(session(1)), Change::Renewed(session(3))]).await, [session(2)]);
    }

    #[tokio::test]
    async fn when_something_was_missed_none_is_kept() {
        assert_eq!(left_after(&[Change::Missed]).await, []);
        assert_eq!(left_after(&[Change::Ended(session(4)), Change::Ended(session(5)), Change::Ended(session(6))]).await, []);
    }
}
