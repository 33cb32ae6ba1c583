//! Sessions: made at login, looked up by the cookie, used up by time, ended by sign-out.

mod cache;
pub mod cookie;
pub mod device;
pub mod events;
pub mod key_check;
pub mod live;
pub mod record;
pub mod refresh;
pub mod seal;
pub mod store;
mod uses;

use crate::{
    clock::Clock,
    entropy::{Entropy, random},
    session::{
        cache::{Cache, Exchanged, Invalidating},
        events::{Hub, Watch},
        live::LiveSession,
        record::{Key, Profile, SessionId, SessionRecord, Tokens},
        refresh::Access,
        seal::{KeyRing, KeysDiffer, OpenError},
        store::{Store, StoreError},
        uses::Use,
    },
};
use jiff::{SignedDuration, Timestamp};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

/// How often a use of the session is written down.
const TOUCH_INTERVAL_SECONDS: i64 = 60;

/// For how long it is known how a session ended: until every page that is open has been told.
const ENDING_REMEMBERED: SignedDuration = SignedDuration::from_mins(1);

/// Everything about sessions that a handler needs.
pub struct Sessions {
    store: Arc<Invalidating>,
    cache: Arc<Cache>,
    hub: Arc<Hub>,
    keys: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    idle: SignedDuration,
    absolute: SignedDuration,
    /// One refresh a session at a time.
    pub(crate) renewals: refresh::Renewals,
    /// What listens to the store, what looks at the sessions that are watched, and what writes down uses that could not be written before.
    tasks: [JoinHandle<()>; 3],
}

/// How a session ends that nobody has signed out of.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// The provider renews it no longer.
    Withdrawal,
    /// Its browser has signed the same user in anew.
    Replacement,
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
    /// Sessions of these lifetimes in this store; what is announced there is listened to from now on.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(
        store: Arc<dyn Store>,
        keys: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        idle: Duration,
        absolute: Duration,
    ) -> Self {
        let signed = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let (cache, hub) = (Arc::<Cache>::default(), Arc::<Hub>::default());
        let listening = tokio::spawn(Arc::clone(&hub).listen(Arc::clone(&cache), store.changes()));
        let store = Arc::new(Invalidating::new(store, Arc::clone(&cache), Arc::clone(&hub), Arc::clone(&clock)));
        let looking = {
            let (store, cache, of_reads) = (Arc::clone(&store), Arc::clone(&cache), Arc::clone(&clock));
            let read = move |key| {
                let (store, cache, now) = (Arc::clone(&store), Arc::clone(&cache), of_reads.now());
                async move { cache.read(&store, key, now).await }
            };
            tokio::spawn(Arc::clone(&hub).look(Arc::clone(&clock), read))
        };
        let saving = tokio::spawn(Arc::clone(&store).save_uses_later());
        Self {
            store,
            cache,
            hub,
            keys,
            clock,
            entropy,
            idle: signed(idle),
            absolute: signed(absolute),
            renewals: refresh::Renewals::default(),
            tasks: [listening, looking, saving],
        }
    }

    /// Where they are kept. What is read here is what the store says now.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// An id for a session that is to begin.
    pub fn draw_id(&self) -> SessionId {
        SessionId::new(random(&*self.entropy))
    }

    /// Begins a session under a fresh id.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn begin(&self, id: &SessionId, new: &NewSession) -> Result<(), StoreError> {
        let key = id.key();
        let now = self.clock.now();
        let expires_at = later(now, self.absolute);
        let record = SessionRecord {
            key,
            version: 1,
            provider: new.provider.clone(),
            issuer: new.issuer.clone(),
            sub: new.profile.user.sub.clone(),
            sid: new.sid.clone(),
            profile: new.profile.clone(),
            created_at: now,
            last_seen_at: now,
            idle_expires_at: later(now, self.idle).min(expires_at),
            expires_at,
            tokens: self.keys.seal(&place(key), &new.tokens.to_plaintext(), &*self.entropy),
            lease: None,
        };
        self.store.insert(&record).await
    }

    /// The live session of this key, with its use written down at most once a minute.
    ///
    /// # Errors
    /// When the store has to be asked and does not answer.
    pub async fn find(&self, key: Key) -> Result<Option<Arc<LiveSession>>, StoreError> {
        let now = self.clock.now();
        let Some(session) = self.cache.read(&self.store, key, now).await? else { return Ok(None) };
        // A short idle time needs a finer clock, or a busy session would end.
        let interval = TOUCH_INTERVAL_SECONDS.min(self.idle.as_secs() / 4);
        if now.as_second() - session.last_seen_at.as_second() < interval {
            return Ok(Some(session));
        }
        Ok(Some(self.touch(session, now).await))
    }

    /// Writes the use of a session down. While there is time, nobody waits for that. What cannot be written is remembered.
    async fn touch(&self, session: Arc<LiveSession>, now: Timestamp) -> Arc<LiveSession> {
        let idle_expires_at = later(now, self.idle).min(session.expires_at);
        let used = Arc::new(session.used(now, idle_expires_at));
        let writing = {
            let store = Arc::clone(&self.store);
            let last = Use { key: session.key, last_seen_at: now, idle_expires_at, expires_at: session.expires_at };
            async move { store.write_use(last).await }
        };
        let left = session.idle_expires_at.duration_since(now);
        if left > self.idle / 2 && self.cache.is_reliable(&*self.store) {
            match self.cache.exchange(&session, Arc::clone(&used)) {
                Exchanged::Done => {
                    tokio::spawn(writing.in_current_span());
                    return used;
                }
                Exchanged::Already(other) => return other,
                Exchanged::Gone => {}
            }
        }
        writing.await;
        used
    }

    /// The live session of this key, which is not used by that.
    ///
    /// # Errors
    /// When the store has to be asked and does not answer.
    pub async fn peek(&self, key: Key) -> Result<Option<Arc<LiveSession>>, StoreError> {
        self.cache.read(&self.store, key, self.clock.now()).await
    }

    /// Watches a session that was just found, until the [`Watch`] is dropped. To watch a session is no use of it.
    pub fn watch(&self, session: &Arc<LiveSession>) -> Watch {
        self.hub.watch(session, || self.is_current(session))
    }

    /// Whether nothing has happened to a session since it was found.
    fn is_current(&self, session: &Arc<LiveSession>) -> bool {
        self.cache.is_reliable(&*self.store) && self.cache.holds(session)
    }

    /// Ends the streams of events: the server is about to stop, and the browsers will find another.
    pub fn close_events(&self) {
        self.hub.close();
    }

    /// Ends a session and hands back what it held, so that the provider can be told.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn end(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        self.store.remove(key).await
    }

    /// Notes, for a moment and for every server, how a session ends, just before it does: nobody has signed out, so the pages that are open
    /// may keep what is on them.
    pub async fn note_ending(&self, key: Key, ending: Ending) {
        let noted = self.store.claim(ending.of(key), Some(key), later(self.clock.now(), ENDING_REMEMBERED));
        if let Err(error) = noted.await {
            tracing::debug!(error = %error, "open pages will take the end of a session for a sign-out");
        }
    }

    /// Whether a session that has ended is known to have ended so.
    pub async fn ended_by(&self, key: Key, ending: Ending) -> bool {
        self.store.claim_led_to(ending.of(key), key).await.unwrap_or_default()
    }

    /// Opens a session's tokens; `None` when what the store holds is damaged.
    ///
    /// # Errors
    /// When another server sealed them, with a key that this one does not have. The session stays.
    pub fn tokens(&self, record: &SessionRecord) -> Result<Option<Tokens>, KeysDiffer> {
        match self.keys.open_stored(&place(record.key), &record.tokens) {
            Ok(plaintext) => Ok(Tokens::from_plaintext(&plaintext)),
            Err(OpenError::Corrupt) => Ok(None),
            Err(OpenError::UnknownKey(differ)) => Err(differ),
        }
    }

    /// What a call to an API carries for this session, opened once; `None` when its tokens are damaged.
    ///
    /// # Errors
    /// As for [`Sessions::tokens`].
    pub fn access<'session>(&self, session: &'session LiveSession) -> Result<Option<&'session Access>, KeysDiffer> {
        session.access(|record| self.tokens(record))
    }

    /// Puts new tokens into a record, sealed.
    pub fn seal_tokens(&self, record: &mut SessionRecord, tokens: &Tokens) {
        record.tokens = self.keys.seal(&place(record.key), &tokens.to_plaintext(), &*self.entropy);
        record.profile.refreshable = tokens.refresh.is_some();
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Ending {
    /// What stands in the store while it is known that a session ended so.
    fn of(self, session: Key) -> Key {
        let kind = match self {
            Self::Withdrawal => "withdrawal",
            Self::Replacement => "replacement",
        };
        Key::of_claim(kind, &session.name())
    }
}

/// Tokens are bound to their session: copied into another row, they do not open.
fn place(key: Key) -> Vec<u8> {
    [b"oauth2flow session tokens".as_slice(), &key.0].concat()
}

fn later(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.saturating_add(duration).unwrap_or(Timestamp::MAX)
}
