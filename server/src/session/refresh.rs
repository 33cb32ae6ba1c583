//! Renewing an access token: before it ends, once whatever the load, and without losing a session to a provider that
//! is merely down.
//!
//! This is what renewing means; [`coordination`] decides who does it.

pub mod coordination;
mod flight;
mod lease;

pub use flight::Flights;
pub use lease::Fence;

use crate::{
    entropy::Entropy,
    flow,
    outbound::OutboundError,
    provider::{ProviderError, Registered, breaker::Paused},
    session::{
        Ending,
        live::LiveSession,
        record::{Key, SessionRecord, Tokens},
        seal::KeysDiffer,
        store::{Store, StoreError},
    },
    state::AppState,
    token_endpoint,
};
use coordination::{Outcome, Renewal};
use jiff::Timestamp;
use oauth2flow_protocol::{
    AccessToken, Context, JwkSet, ProviderMetadata, RefreshToken, TokenResponse,
    dpop::DpopKey,
    id_token::{IdTokenIdentity, ValidatedIdToken},
    refresh::{self, PendingRefresh, RefreshError},
    token::TokenError,
};
use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use thiserror::Error;
use tracing::Instrument as _;

/// A token that ends within this time is renewed.
const RENEW_BEFORE_SECONDS: i64 = 30;
/// And some are a little earlier, so that sessions that began together are not renewed together: by up to a tenth of the token's life,
/// and no more than this.
const MOST_JITTER_SECONDS: i64 = 300;
/// A token that lasts longer than this is used while it is being renewed; otherwise the call waits for the new one.
const SERVED_WHILE_RENEWING_SECONDS: i64 = 5;
/// A token that an API has refused is renewed this long after the last time at the earliest: one API that refuses everything must
/// not make this server flood the provider.
const FORCED_PAUSE: Duration = Duration::from_secs(30);
/// A renewal that nobody waits for is not tried again for this long when it has failed.
const BACKGROUND_PAUSE: Duration = Duration::from_secs(5);

/// Why there is no usable access token.
#[derive(Clone, Debug, Error)]
pub enum AccessTokenError {
    /// The provider has taken the grant back, or the user has signed out: the session is over.
    #[error("the provider no longer renews the grant")]
    GrantEnded(#[source] Option<Arc<RefreshError>>),
    /// The token has ended, and the provider gave nothing to renew it with. Who the user is stays known.
    #[error("the access token has ended and cannot be renewed")]
    Expired,
    /// The API refuses a token that is new, or that was to be renewed a moment ago.
    #[error("the access token was renewed a moment ago, or could not be")]
    JustRenewed,
    /// The provider answered something else than new tokens.
    #[error("the provider does not renew the token")]
    Refused(#[source] Arc<RefreshError>),
    /// The provider did not answer.
    #[error("the provider does not answer")]
    Outbound(#[source] Arc<OutboundError>),
    /// The provider has not answered for some time, and is left alone for this long.
    #[error("the provider has not answered for some time, and is asked again in {} ms", .0.as_millis())]
    Paused(Duration),
    /// The provider's metadata or keys cannot be had.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another server sealed the tokens, with a key that this one does not have.
    #[error(transparent)]
    KeysDiffer(#[from] KeysDiffer),
    /// The task that renews has died, or another server takes too long.
    #[error("the renewal was interrupted")]
    Interrupted,
}

impl From<OutboundError> for AccessTokenError {
    fn from(error: OutboundError) -> Self {
        Self::Outbound(Arc::new(error))
    }
}

impl From<RefreshError> for AccessTokenError {
    fn from(error: RefreshError) -> Self {
        Self::Refused(Arc::new(error))
    }
}

impl From<Paused> for AccessTokenError {
    fn from(paused: Paused) -> Self {
        Self::Paused(paused.0)
    }
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

/// The renewals of this process: those under way, and what is still known of earlier ones.
#[derive(Default)]
pub struct Renewals {
    flights: Flights<Access, AccessTokenError>,
    forced: Recent<Key>,
    failed: Recent<Key>,
}

impl Renewals {
    /// Waits until no renewal is under way: a provider may have answered with tokens that nobody has written down yet.
    pub async fn settle(&self) {
        self.flights.settle().await;
    }
}

/// When something last happened to each of many, as long as that matters.
pub(crate) struct Recent<K>(Mutex<HashMap<K, Duration>>);

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Recent<K> {
    /// So many are kept before it is looked which of them still matter.
    const KEPT: usize = 1024;

    /// Whether it has not happened within the pause; then it happens now.
    pub(crate) fn begins(&self, key: K, now: Duration, pause: Duration) -> bool {
        let mut times = self.times();
        let begins = times.get(&key).is_none_or(|at| now.saturating_sub(*at) >= pause);
        if begins {
            Self::insert(&mut times, key, now, pause);
        }
        begins
    }

    fn note(&self, key: K, now: Duration, pause: Duration) {
        Self::insert(&mut self.times(), key, now, pause);
    }

    fn is_within(&self, key: &K, now: Duration, pause: Duration) -> bool {
        self.times().get(key).is_some_and(|at| now.saturating_sub(*at) < pause)
    }

    fn insert(times: &mut HashMap<K, Duration>, key: K, now: Duration, pause: Duration) {
        if times.len() >= Self::KEPT && times.len().is_power_of_two() {
            times.retain(|_, at| now.saturating_sub(*at) < pause);
        }
        times.insert(key, now);
    }

    fn times(&self) -> MutexGuard<'_, HashMap<K, Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an access token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Fresh,
    /// It works, and it is time to renew it.
    Aging,
    /// It has ended, or is about to.
    Ended,
}

impl Standing {
    fn of(record: &SessionRecord, now: Timestamp) -> Self {
        let profile = &record.profile;
        let Some(ends_at) = profile.access_token_expires_at else { return Self::Fresh };
        let left = ends_at.saturating_sub(now.as_second());
        if !profile.refreshable {
            return if left > 0 { Self::Fresh } else { Self::Ended };
        }
        // Of a token that lives for a few seconds only, half of that is enough.
        let life = profile.access_token_issued_at.map(|issued_at| ends_at.saturating_sub(issued_at));
        let renew_before = (RENEW_BEFORE_SECONDS + jitter(record.key, life)).min(life.map_or(i64::MAX, |life| life / 2));
        if left > renew_before {
            Self::Fresh
        } else if left > SERVED_WHILE_RENEWING_SECONDS.min(renew_before) {
            Self::Aging
        } else {
            Self::Ended
        }
    }
}

/// How much earlier than others the tokens of this session are renewed. The key is a hash, and as good as random.
fn jitter(key: Key, life: Option<i64>) -> i64 {
    let most = life.map_or(RENEW_BEFORE_SECONDS, |life| life / 10).clamp(0, MOST_JITTER_SECONDS);
    i64::from(u16::from_le_bytes([key.0[0], key.0[1]])) * most / i64::from(u16::MAX)
}

fn still_valid(record: &SessionRecord, now: Timestamp) -> bool {
    record.profile.access_token_expires_at.is_none_or(|ends| ends > now.as_second())
}

/// Whether [`access_token`] has to wait for a renewal, which changes the session.
pub fn has_to_wait(session: &SessionRecord, now: Timestamp) -> bool {
    Standing::of(session, now) == Standing::Ended
}

/// The access token of a session. Nobody waits for a renewal while the token still works; one that is about to end is renewed first.
///
/// # Errors
/// When there is none to be had; only [`AccessTokenError::GrantEnded`] means that the session is over.
pub async fn access_token(app: &AppState, session: &LiveSession) -> Result<Access, AccessTokenError> {
    let standing = Standing::of(session, app.clock.now());
    if standing != Standing::Ended
        && let Some(access) = app.sessions.access(session)?
    {
        if standing == Standing::Aging {
            renew_in_background(app, session);
        }
        return Ok(access.clone());
    }
    let renewal = Refresh { app: app.clone(), goal: Goal::Fresh };
    match app.sessions.renewals.flights.renew(session.key, renewal).await {
        Ok(access) => Ok(access),
        Err(error @ (AccessTokenError::GrantEnded(_) | AccessTokenError::KeysDiffer(_))) => Err(error),
        // A provider that is down does not stop a token that still works.
        Err(error) => match app.sessions.access(session)? {
            Some(access) if still_valid(session, app.clock.now()) => Ok(access.clone()),
            _ => Err(error),
        },
    }
}

fn renew_in_background(app: &AppState, session: &LiveSession) {
    let (key, renewals) = (session.key, &app.sessions.renewals);
    if renewals.failed.is_within(&key, app.clock.elapsed(), BACKGROUND_PAUSE) {
        return;
    }
    let failed = {
        let (app, provider) = (app.clone(), session.provider.clone());
        move |error: AccessTokenError| {
            app.sessions.renewals.failed.note(key, app.clock.elapsed(), BACKGROUND_PAUSE);
            if !matches!(error, AccessTokenError::Paused(_)) {
                tracing::warn!(provider, error = %error, "an access token could not be renewed; it still works");
            }
        }
    };
    renewals.flights.renew_in_background(key, &Refresh { app: app.clone(), goal: Goal::Fresh }, failed);
}

/// Another access token than the one that an API has `rejected`: the provider may have ended it early. For each session this asks
/// the provider only now and then.
///
/// # Errors
/// When there is none to be had, and [`AccessTokenError::JustRenewed`] when the token is as new as can be: then the API's answer is
/// its last word. Only [`AccessTokenError::GrantEnded`] means that the session is over.
pub async fn renew_rejected(app: &AppState, key: Key, rejected: &AccessToken) -> Result<Access, AccessTokenError> {
    let renewal = Refresh { app: app.clone(), goal: Goal::Another(rejected.clone()) };
    let renewals = &app.sessions.renewals;
    // Twice: the renewal that was under way may have been one for which the same token was good enough.
    for _ in 0..2 {
        let record = match renewal.look(key).await? {
            Looked::Another(access) => return Ok(access),
            Looked::Same(record) => record,
        };
        if !record.profile.refreshable {
            return Err(AccessTokenError::Expired);
        }
        // Any server may have renewed it; each remembers for itself what it has tried.
        let age = record.profile.access_token_issued_at.map(|issued_at| app.clock.now().as_second().saturating_sub(issued_at));
        let is_new = age.and_then(|age| u64::try_from(age).ok()).is_some_and(|age| Duration::from_secs(age) < FORCED_PAUSE);
        // A token whose time ran out on the way was rightly rejected, and its renewal is nothing out of turn. Providers count in seconds.
        let has_ended = record.profile.access_token_expires_at.is_some_and(|end| end <= app.clock.now().as_second() + 1);
        let may_begin = || has_ended || (!is_new && renewals.forced.begins(key, app.clock.elapsed(), FORCED_PAUSE));
        match renewals.flights.renew_if(key, renewal.clone(), may_begin).await {
            Some(Ok(access)) if access.token.expose() == rejected.expose() => {}
            Some(renewed) => return renewed,
            // Somebody may have renewed it since the record was read.
            None => {
                return match renewal.look(key).await? {
                    Looked::Another(access) => Ok(access),
                    Looked::Same(_) => Err(AccessTokenError::JustRenewed),
                };
            }
        }
    }
    Err(AccessTokenError::Interrupted)
}

/// The renewal of a session's tokens at its provider.
#[derive(Clone)]
struct Refresh {
    app: AppState,
    goal: Goal,
}

/// What a renewal is to bring.
#[derive(Clone)]
enum Goal {
    /// A token that lasts.
    Fresh,
    /// Another token than this one.
    Another(AccessToken),
}

/// What the store has.
enum Looked {
    /// Tokens as good as the goal.
    Another(Access),
    /// Others.
    Same(Box<SessionRecord>),
}

impl Refresh {
    /// Looks whether anybody has renewed the tokens meanwhile.
    async fn look(&self, key: Key) -> Result<Looked, AccessTokenError> {
        let Some(record) = self.app.sessions.store().get(key).await? else { return Err(AccessTokenError::GrantEnded(None)) };
        Ok(match self.renewed(&record, record.version)? {
            Some(tokens) => Looked::Another(tokens.into()),
            None => Looked::Same(Box::new(record)),
        })
    }
}

impl Renewal for Refresh {
    type Tokens = Tokens;
    type Access = Access;
    type Error = AccessTokenError;
    type Prepared = Option<Arc<ProviderMetadata>>;

    fn store(&self) -> &dyn Store {
        self.app.sessions.store()
    }

    fn entropy(&self) -> &dyn Entropy {
        &*self.app.entropy
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(task.in_current_span());
    }

    fn renewed(&self, record: &SessionRecord, since: i64) -> Result<Option<Tokens>, AccessTokenError> {
        let now = self.app.clock.now();
        let good = Standing::of(record, now) == Standing::Fresh || (record.version != since && still_valid(record, now));
        match &self.goal {
            Goal::Fresh if good => Ok(self.app.sessions.tokens(record)?),
            Goal::Fresh => Ok(None),
            Goal::Another(rejected) => {
                let tokens = self.app.sessions.tokens(record)?;
                Ok(tokens.filter(|tokens| still_valid(record, now) && tokens.access.expose() != rejected.expose()))
            }
        }
    }

    fn tokens(&self, record: &SessionRecord) -> Option<Tokens> {
        self.app.sessions.tokens(record).ok().flatten()
    }

    async fn prepare(&self, record: &SessionRecord) -> Result<Self::Prepared, AccessTokenError> {
        // A provider that was taken out of the configuration may come back, and its sessions with it.
        let Some(registered) = self.app.providers.get(&record.provider) else { return Err(AccessTokenError::Expired) };
        let Some(tokens) = self.app.sessions.tokens(record)? else { return Ok(None) };
        if tokens.refresh.is_none() {
            return Err(AccessTokenError::Expired);
        }
        registered.breaker.check(self.app.clock.elapsed())?;
        let metadata = registered.metadata().await?;
        // What the answer is checked with is fetched first: once the provider has spent the old refresh token, losing the new
        // one for want of a key would lose the session.
        if tokens.id.is_some() {
            registered.keys(&metadata).await?;
        }
        Ok(Some(metadata))
    }

    async fn ask(&self, record: SessionRecord, metadata: Self::Prepared, fence: &Fence) -> Outcome<Tokens, AccessTokenError> {
        let app = &self.app;
        let (Some(registered), Some(metadata)) = (app.providers.get(&record.provider), metadata) else {
            return Outcome::GrantEnded(AccessTokenError::GrantEnded(None));
        };
        let tokens = match app.sessions.tokens(&record) {
            Ok(Some(tokens)) => tokens,
            Ok(None) => return Outcome::GrantEnded(AccessTokenError::GrantEnded(None)),
            Err(error) => return Outcome::Failed(error.into()),
        };
        let recorder = flow::of_session(app, record.key);
        match flow::within(recorder.clone(), request(app, registered, &metadata, &record, &tokens, fence)).await {
            Ok(renewed) => flow::within(recorder, judge(app, registered, &metadata, record, tokens, renewed)).await,
            Err(AccessTokenError::Refused(error)) if error.is_invalid_grant() => {
                Outcome::GrantEnded(AccessTokenError::GrantEnded(Some(error)))
            }
            Err(error) => Outcome::Failed(error),
        }
    }

    async fn revoke(&self, record: &SessionRecord, tokens: Tokens) {
        if let Some(registered) = self.app.providers.get(&record.provider) {
            crate::logout::revoke(&self.app, registered, &tokens).await;
        }
    }

    async fn ends(&self, key: Key) {
        self.app.sessions.note_ending(key, Ending::Withdrawal).await;
    }

    fn session_ended(&self) -> AccessTokenError {
        AccessTokenError::GrantEnded(None)
    }

    fn interrupted(&self) -> AccessTokenError {
        AccessTokenError::Interrupted
    }
}

/// Asks the provider for new tokens, unless it is being left alone, and tells the breaker how that went.
async fn request(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    record: &SessionRecord,
    tokens: &Tokens,
    fence: &Fence,
) -> Result<TokenResponse, AccessTokenError> {
    let Some(refresh_token) = &tokens.refresh else { return Err(AccessTokenError::Expired) };
    let permit = registered.breaker.enter(app.clock.elapsed())?;
    let refresh = |nonce: Option<&str>, context: &mut Context<'_>| {
        let (scopes, dpop_key) = (&record.profile.scopes, tokens.dpop_key.as_ref());
        Ok(refresh::request(&registered.provider, metadata, refresh_token, scopes, dpop_key, nonce, context)?)
    };
    let again = |pending: &mut PendingRefresh, response: &_, context: &mut Context<'_>| {
        if fence.stands() { pending.retry_with_nonce(response, context) } else { None }
    };
    let renewed = match token_endpoint::ask::<_, AccessTokenError>(app, registered, refresh, again).await {
        Ok((response, pending)) => {
            let renewed = pending.process(&response, app.clock.now());
            flow::session::renewed(&renewed);
            renewed.map_err(AccessTokenError::from)
        }
        Err(error) => Err(error),
    };
    let provider = registered.provider.id.as_str();
    match &renewed {
        Err(error) if is_in_trouble(error) => permit.failed(provider, app.clock.elapsed(), &*app.entropy),
        // Nothing was sent.
        Err(AccessTokenError::Refused(error)) if matches!(**error, RefreshError::Token(TokenError::ClientAuth(_))) => drop(permit),
        _ => permit.answered(provider),
    }
    renewed
}

/// Whether the provider is down, or says that it is in trouble. One that is asked too much (429) is not down.
fn is_in_trouble(error: &AccessTokenError) -> bool {
    match error {
        AccessTokenError::Outbound(error) => error.is_silence(),
        AccessTokenError::Refused(error) => {
            matches!(**error, RefreshError::Token(TokenError::Unavailable { status }) if status >= 500)
        }
        _ => false,
    }
}

/// What becomes of the provider's answer.
async fn judge(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    mut record: SessionRecord,
    tokens: Tokens,
    renewed: TokenResponse,
) -> Outcome<Tokens, AccessTokenError> {
    let verdict = judge_id_token(app, registered, metadata, &record, &tokens, &renewed).await;
    if let IdTokenVerdict::Holds(Some(token)) = &verdict {
        // Whoever has left a group since must not stay in until the session ends.
        record.profile.facts = mem::take(&mut record.profile.facts).updated_by(token, tokens.id.as_ref(), &registered.provider);
    }
    let (expires_at, scopes) = (renewed.expires_at.map(Timestamp::as_second), renewed.scopes);
    let new = Tokens {
        access: renewed.access_token,
        refresh: renewed.refresh_token,
        id: if matches!(verdict, IdTokenVerdict::Holds(_)) { renewed.id_token } else { None }.or_else(|| tokens.id.clone()),
        audience: tokens.audience.clone(),
        dpop_key: renewed.dpop_key,
    };
    if let IdTokenVerdict::Wrong(error) = verdict {
        if tokens.refresh.as_ref().map(RefreshToken::expose) == new.refresh.as_ref().map(RefreshToken::expose) {
            // Nothing is spent, and the provider may have come to its senses by the next time.
            return Outcome::Failed(error.into());
        }
        // The old refresh token is spent, and to show it again would look like a theft. The session lives on without, knows who the
        // user is, and can call no API once its access token has ended.
        app.sessions.seal_tokens(&mut record, &Tokens { refresh: None, ..tokens });
        return Outcome::Unusable { left: record, tokens: new, error: error.into() };
    }
    record.profile.access_token_issued_at = Some(app.clock.now().as_second());
    record.profile.access_token_expires_at = expires_at;
    record.profile.scopes = scopes;
    app.sessions.seal_tokens(&mut record, &new);
    Outcome::Renewed { record, tokens: new }
}

/// What is known of the ID token that a refresh brought.
enum IdTokenVerdict {
    /// It holds, or there is none: a refresh need not bring one
    /// ([Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)).
    Holds(Option<Box<ValidatedIdToken>>),
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
        return IdTokenVerdict::Holds(None);
    }
    let provider = registered.provider.id.as_str();
    let original = IdTokenIdentity { issuer: record.issuer.clone(), subject: record.sub.clone(), audience: tokens.audience.clone() };
    let now = app.clock.now();
    let validate = |keys: &JwkSet| refresh::validate_id_token(&registered.provider, metadata, renewed, &original, keys, now);
    let judged = registered.judge(metadata, validate, RefreshError::wants_fresh_keys).await;
    if let Ok(judged) = &judged {
        flow::session::renewed_id_token(judged);
    }
    match judged {
        Ok(Ok(token)) => IdTokenVerdict::Holds(token.map(Box::new)),
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

#[cfg(test)]
mod tests {
    use super::{Recent, Standing, jitter};
    use crate::session::record::{Key, Profile, SessionRecord};
    use jiff::Timestamp;
    use oauth2flow_app::api::User;
    use std::time::Duration;

    /// A session whose token was issued at 0 and lives for so many seconds.
    fn session(key: u16, life: i64, refreshable: bool) -> SessionRecord {
        let mut hash = [0; 32];
        hash[..2].copy_from_slice(&key.to_le_bytes());
        let text = String::from("x");
        SessionRecord {
            key: Key(hash),
            version: 1,
            provider: text.clone(),
            issuer: text.clone(),
            sub: text.clone(),
            sid: None,
            profile: Profile {
                user: User { sub: text, name: None, login: None, email: None, email_verified: None, picture: None },
                scopes: Vec::new(),
                access_token_issued_at: Some(0),
                access_token_expires_at: Some(life),
                refreshable,
                acr: None,
                authenticated_at: None,
                device: None,
                facts: oauth2flow_protocol::access::Facts::default(),
            },
            created_at: Timestamp::UNIX_EPOCH,
            last_seen_at: Timestamp::UNIX_EPOCH,
            idle_expires_at: Timestamp::MAX,
            expires_at: Timestamp::MAX,
            tokens: Vec::new(),
            lease: None,
        }
    }

    fn standing(record: &SessionRecord, second: i64) -> Standing {
        Standing::of(record, Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn a_token_is_renewed_half_a_minute_before_its_end_and_waited_for_in_the_last_seconds() {
        let session = session(0, 3600, true);
        for (second, expected) in [
            (0, Standing::Fresh),
            (3569, Standing::Fresh),
            (3570, Standing::Aging),
            (3594, Standing::Aging),
            (3595, Standing::Ended),
            (3601, Standing::Ended),
        ] {
            assert_eq!(standing(&session, second), expected, "{second}");
        }
    }

    #[test]
    fn sessions_that_began_together_are_renewed_one_after_the_other() {
        let begins = |key| (0..=3600).find(|second| standing(&session(key, 3600, true), *second) == Standing::Aging).unwrap();
        assert_eq!(begins(0), 3570);
        assert_eq!(begins(u16::MAX), 3270);
        let each: std::collections::BTreeSet<_> = (0..=u16::MAX).step_by(257).map(begins).collect();
        assert!(each.len() > 200, "{}", each.len());
        assert_eq!(jitter(Key([255; 32]), Some(1_000_000)), 300, "never earlier than by some minutes");
    }

    #[test]
    fn a_token_that_lives_for_seconds_is_not_renewed_at_every_call() {
        let session = session(u16::MAX, 10, true);
        assert_eq!(standing(&session, 4), Standing::Fresh);
        assert_eq!(standing(&session, 5), Standing::Ended);
    }

    #[test]
    fn a_token_that_cannot_be_renewed_is_used_to_its_end() {
        let session = session(u16::MAX, 300, false);
        assert_eq!(standing(&session, 299), Standing::Fresh);
        assert_eq!(standing(&session, 300), Standing::Ended);
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let (recent, pause) = (Recent::default(), Duration::from_secs(30));
        let key = |number: u64| Key(std::array::from_fn(|byte| number.to_le_bytes()[byte % 8]));
        for number in 0..20_000 {
            let now = Duration::from_millis(number * 20);
            recent.note(key(number), now, pause);
            assert!(recent.is_within(&key(number), now, pause) && !recent.is_within(&key(number), now + pause, pause));
        }
        assert!(recent.0.lock().unwrap().len() <= 4096);
    }
}
