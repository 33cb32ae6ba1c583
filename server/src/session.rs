//! Sessions: made at login, looked up by the cookie, used up by time, ended by sign-out.

pub mod cookie;
pub mod record;
pub mod refresh;
pub mod seal;
pub mod store;

use crate::{
    clock::Clock,
    entropy::{Entropy, random},
    session::{
        record::{Key, Profile, SessionId, SessionRecord, Tokens},
        seal::KeyRing,
        store::{Store, StoreError},
    },
};
use jiff::{SignedDuration, Timestamp};
use oauth2flow_app::api;
use std::{sync::Arc, time::Duration};

/// How often a use of the session is written down.
const TOUCH_INTERVAL_SECONDS: i64 = 60;

/// Everything about sessions that a handler needs.
pub struct Sessions {
    store: Arc<dyn Store>,
    keys: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    idle: SignedDuration,
    absolute: SignedDuration,
    /// One refresh a session at a time.
    pub(crate) refreshing: refresh::InFlight,
}

/// What a login hands over.
pub struct NewSession {
    /// The id of the provider.
    pub provider: String,
    /// Who answers for `sub`.
    pub issuer: String,
    /// The session at the provider.
    pub sid: Option<String>,
    /// What the browser may know.
    pub profile: Profile,
    /// What it may not.
    pub tokens: Tokens,
}

impl Sessions {
    /// Sessions of these lifetimes in this store.
    pub fn new(
        store: Arc<dyn Store>,
        keys: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        idle: Duration,
        absolute: Duration,
    ) -> Self {
        let signed = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        Self { store, keys, clock, entropy, idle: signed(idle), absolute: signed(absolute), refreshing: refresh::InFlight::default() }
    }

    /// Where they are kept.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// Begins a session and answers the id for the cookie.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn begin(&self, new: NewSession) -> Result<(SessionId, Key), StoreError> {
        let id = SessionId::new(random(&*self.entropy));
        let key = id.key();
        let now = self.clock.now();
        let expires_at = later(now, self.absolute);
        let record = SessionRecord {
            key,
            version: 1,
            provider: new.provider,
            issuer: new.issuer,
            sub: new.profile.user.sub.clone(),
            sid: new.sid,
            profile: new.profile,
            created_at: now,
            last_seen_at: now,
            idle_expires_at: later(now, self.idle).min(expires_at),
            expires_at,
            tokens: self.keys.seal(&place(key), &new.tokens.to_plaintext(), &*self.entropy),
            lease: None,
        };
        self.store.insert(&record).await?;
        Ok((id, key))
    }

    /// The live session of this key, with its use written down at most once a minute.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn find(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        let Some(mut record) = self.store.get(key).await? else { return Ok(None) };
        let now = self.clock.now();
        if now >= record.expires_at || now >= record.idle_expires_at {
            return Ok(None);
        }
        // A short idle time needs a finer clock, or a busy session would end.
        let interval = TOUCH_INTERVAL_SECONDS.min(self.idle.as_secs() / 4);
        if now.as_second() - record.last_seen_at.as_second() >= interval {
            record.last_seen_at = now;
            record.idle_expires_at = later(now, self.idle).min(record.expires_at);
            self.store.touch(key, now, record.idle_expires_at).await?;
        }
        Ok(Some(record))
    }

    /// Ends a session and hands back what it held, so that the provider can be told.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn end(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        self.store.remove(key).await
    }

    /// Opens a session's tokens; `None` when none of our keys sealed them.
    pub fn tokens(&self, record: &SessionRecord) -> Option<Tokens> {
        Tokens::from_plaintext(&self.keys.open_sealed(&place(record.key), &record.tokens)?)
    }

    /// Puts new tokens into a record, sealed.
    pub fn seal_tokens(&self, record: &mut SessionRecord, tokens: &Tokens) {
        record.tokens = self.keys.seal(&place(record.key), &tokens.to_plaintext(), &*self.entropy);
        record.profile.refreshable = tokens.refresh.is_some();
    }
}

/// What the browser may know of a session.
pub fn describe(record: &SessionRecord) -> api::Session {
    api::Session::SignedIn(Box::new(api::SignedIn {
        authenticated: true,
        user: record.profile.user.clone(),
        provider: record.provider.clone(),
        scopes: record.profile.scopes.clone(),
        session: api::SessionLifetime {
            created_at: record.created_at.to_string(),
            idle_expires_at: record.idle_expires_at.to_string(),
            expires_at: record.expires_at.to_string(),
        },
        access_token: api::AccessTokenLifetime {
            expires_at: record
                .profile
                .access_token_expires_at
                .and_then(|seconds| Timestamp::from_second(seconds).ok())
                .map(|time| time.to_string()),
            refreshable: record.profile.refreshable,
        },
    }))
}

/// Tokens are bound to their session: copied into another row, they do not open.
fn place(key: Key) -> Vec<u8> {
    [b"oauth2flow session tokens".as_slice(), &key.0].concat()
}

fn later(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.saturating_add(duration).unwrap_or(Timestamp::MAX)
}
