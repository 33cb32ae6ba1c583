//! The sessions that were read lately, so that not every request asks the store.
//!
//! What is remembered has to be forgotten the moment that it is out of date. A write of this process takes it out before the writer is
//! answered ([`Invalidating`]); one of another process is announced by the store. And a read that was under way meanwhile must not
//! put back what it has seen: each read begins with a ticket, and what is forgotten makes the tickets of its time void.

use super::{
    events::Hub,
    live::LiveSession,
    record::{Key, Lease, SessionRecord},
    store::{Change, NamedSessions, Store, StoreError, UserKey},
    uses::{UnsavedUses, Use},
};
use crate::clock::Clock;
use async_trait::async_trait;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use quick_cache::{Weighter, sync};
use std::{
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::broadcast, time::timeout};
use tracing::Instrument as _;

/// How much memory the sessions may take, and how many there are about.
const CAPACITY_BYTES: u64 = 24 * 1024 * 1024;
const CAPACITY_SESSIONS: usize = 10_000;

/// How many parts there are that can be forgotten from apart.
const STRIPES: usize = 64;

/// How long to wait before a use that could not be written down is tried again, and how many are written at a time once that works.
const SAVE_PAUSE: Duration = Duration::from_secs(1);
const SAVED_AT_A_TIME: usize = 16;

/// How long the last attempt may take when the server ends.
const SAVE_PATIENCE: Duration = Duration::from_secs(5);

/// For how long something that was written shows that the store takes writes.
const PROVEN_FOR: Duration = Duration::from_secs(10);

/// So long after a failure, others may still be writing down what they could not before: they need a second or two. Nothing is swept for
/// longer, as that cannot be undone.
const RECOVERY: Duration = Duration::from_secs(5);
const QUIET_BEFORE_SWEEP: Duration = Duration::from_secs(30);

/// Sessions by their key.
pub(super) struct Cache {
    sessions: sync::Cache<Key, Arc<LiveSession>, Weight>,
    /// How often something was forgotten, for each part of the keys. Whoever forgets or remembers holds the lock.
    forgotten: [Mutex<u64>; STRIPES],
    /// The turn of the store's announcements to which all of it belongs.
    turn: AtomicU64,
    entering: Mutex<()>,
}

/// The right to remember what is read from now on.
#[derive(Clone, Copy)]
struct Ticket {
    key: Key,
    forgotten: u64,
}

/// What came of exchanging a session for a later one.
pub(super) enum Exchanged {
    /// It was exchanged.
    Done,
    /// Somebody else has done it.
    Already(Arc<LiveSession>),
    /// It is no longer remembered.
    Gone,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<LiveSession>> for Weight {
    fn weight(&self, _key: &Key, session: &Arc<LiveSession>) -> u64 {
        session.weight()
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            sessions: sync::Cache::with_weighter(CAPACITY_SESSIONS, CAPACITY_BYTES, Weight),
            forgotten: [const { Mutex::new(0) }; STRIPES],
            turn: AtomicU64::new(0),
            entering: Mutex::default(),
        }
    }
}

impl Cache {
    /// Whether what is remembered may be believed. While the store cannot tell what others do, it may not; and what was remembered
    /// until then is not believed later, either, whether or not anybody has asked meanwhile.
    pub(super) fn is_reliable(&self, store: &dyn Store) -> bool {
        self.enter(store.turn())
    }

    fn enter(&self, turn: Option<u64>) -> bool {
        let Some(turn) = turn else {
            if !self.sessions.is_empty() {
                self.forget_all();
            }
            return false;
        };
        if self.turn.load(Ordering::Acquire) < turn {
            let _one_at_a_time = self.entering.lock().unwrap_or_else(PoisonError::into_inner);
            if self.turn.load(Ordering::Acquire) < turn {
                self.forget_all();
                self.turn.store(turn, Ordering::Release);
            }
        }
        true
    }

    /// The session of this key, if it is alive: from memory, or else from the store.
    pub(super) async fn read(&self, store: &Invalidating, key: Key, now: Timestamp) -> Result<Option<Arc<LiveSession>>, StoreError> {
        if !self.is_reliable(store) {
            return store.get_live(key, now).await;
        }
        match self.sessions.get(&key) {
            Some(session) if !session.has_expired(now) => return Ok(Some(session)),
            // It may have been used elsewhere.
            Some(_) => self.forget(key),
            None => {}
        }
        let ticket = self.ticket(key);
        let read = store.get_live(key, now).await?;
        if let Some(session) = &read {
            self.remember(ticket, Arc::clone(session));
        }
        Ok(read)
    }

    /// To be had before the store is asked.
    fn ticket(&self, key: Key) -> Ticket {
        Ticket { key, forgotten: *self.stripe(key) }
    }

    /// Remembers what was read, if it was not forgotten meanwhile.
    fn remember(&self, ticket: Ticket, session: Arc<LiveSession>) {
        let forgotten = self.stripe(ticket.key);
        if *forgotten == ticket.forgotten {
            self.sessions.insert(ticket.key, session);
        }
    }

    /// Puts a later one in the place of `old`.
    pub(super) fn exchange(&self, old: &Arc<LiveSession>, new: Arc<LiveSession>) -> Exchanged {
        let _no_other = self.stripe(old.key);
        match self.sessions.get(&old.key) {
            Some(there) if Arc::ptr_eq(&there, old) => {
                self.sessions.insert(old.key, new);
                Exchanged::Done
            }
            Some(there) => Exchanged::Already(there),
            None => Exchanged::Gone,
        }
    }

    /// Whether nothing has happened to a session since it was found here.
    pub(super) fn holds(&self, session: &Arc<LiveSession>) -> bool {
        self.sessions.peek(&session.key).is_some_and(|there| Arc::ptr_eq(&there, session))
    }

    pub(super) fn forget(&self, key: Key) {
        let mut forgotten = self.stripe(key);
        *forgotten = forgotten.wrapping_add(1);
        self.sessions.remove(&key);
    }

    pub(super) fn forget_all(&self) {
        self.void_tickets();
        self.sessions.clear();
    }

    fn forget_those(&self, wanted: impl Fn(&SessionRecord) -> bool) {
        self.void_tickets();
        self.sessions.retain(|_, session| !wanted(session));
    }

    fn void_tickets(&self) {
        for stripe in &self.forgotten {
            let mut forgotten = stripe.lock().unwrap_or_else(PoisonError::into_inner);
            *forgotten = forgotten.wrapping_add(1);
        }
    }

    fn stripe(&self, key: Key) -> MutexGuard<'_, u64> {
        self.forgotten[usize::from(key.0[0]) % STRIPES].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The store, as everybody in this process uses it: what is written through it is forgotten before the writer is answered, and what could
/// not be written of the use of sessions is added to what it says.
///
/// What ends a session is done whole even when the request that wanted it is given up in the middle: otherwise the session could be gone
/// from the store without anybody having been told.
pub(super) struct Invalidating {
    store: Arc<dyn Store>,
    cache: Arc<Cache>,
    hub: Arc<Hub>,
    clock: Arc<dyn Clock>,
    unsaved: UnsavedUses,
}

impl Invalidating {
    pub(super) fn new(store: Arc<dyn Store>, cache: Arc<Cache>, hub: Arc<Hub>, clock: Arc<dyn Clock>) -> Self {
        let unsaved = UnsavedUses::new(clock.elapsed());
        Self { store, cache, hub, clock, unsaved }
    }

    /// The session of this key, if it is alive.
    async fn get_live(&self, key: Key, now: Timestamp) -> Result<Option<Arc<LiveSession>>, StoreError> {
        let Some(session) = self.get(key).await?.map(LiveSession::new) else { return Ok(None) };
        if !session.has_expired(now) {
            return Ok(Some(Arc::new(session)));
        }
        if now >= session.expires_at {
            return Ok(None);
        }
        // It may have been used where that could not be written down. Only where it can be, and nobody has, it is over.
        if self.unsaved.have_failed_within(RECOVERY, self.clock.elapsed()) {
            return Err(StoreError::new("other servers may not have written down yet how sessions were used"));
        }
        if !self.unsaved.have_worked_within(PROVEN_FOR, self.clock.elapsed()) {
            let a_second_later = session.last_seen_at.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
            let written = self.store.touch(key, a_second_later, session.idle_expires_at).await;
            written.inspect_err(|_| self.unsaved.note_failure(self.clock.elapsed()))?;
            self.unsaved.note_success(self.clock.elapsed());
        }
        let session = self.get(key).await?.map(LiveSession::new);
        Ok(session.filter(|session| !session.has_expired(now)).map(Arc::new))
    }

    /// Writes the use of a session down, or remembers it until that is possible.
    pub(super) async fn write_use(&self, last: Use) {
        if !self.unsaved.join(last) {
            match self.store.touch(last.key, last.last_seen_at, last.idle_expires_at).await {
                Ok(()) => {
                    self.unsaved.forget(last, self.clock.elapsed());
                }
                Err(error) => {
                    tracing::warn!(error = %error, "the use of a session could not be written down; this server remembers it and tries again");
                    self.unsaved.keep(last, self.clock.elapsed());
                }
            }
        }
        self.cache.forget(last.key);
    }

    /// Writes down what could not be written before, whenever there is such a thing.
    pub(super) async fn save_uses_later(self: Arc<Self>) {
        loop {
            self.unsaved.wait().await;
            tokio::time::sleep(SAVE_PAUSE).await;
            self.save_uses().await;
        }
    }

    /// Writes down what could not be written before: one use, to see whether that works again, and then the others while it does.
    async fn save_uses(&self) {
        let Some(one) = self.unsaved.next(self.clock.now()) else { return };
        if !self.save_use(one).await {
            self.unsaved.note_vain(one, self.clock.elapsed());
            return;
        }
        for some in self.unsaved.all().chunks(SAVED_AT_A_TIME) {
            let saved = join_all(some.iter().map(|last| self.save_use(*last))).await;
            let vain: Vec<_> = some.iter().zip(saved).filter(|(_, saved)| !saved).collect();
            if !vain.is_empty() {
                for (last, _) in vain {
                    self.unsaved.set_alone(*last);
                }
                return;
            }
        }
    }

    async fn save_use(&self, last: Use) -> bool {
        match self.store.touch(last.key, last.last_seen_at, last.idle_expires_at).await {
            Ok(()) => {
                if self.unsaved.forget(last, self.clock.elapsed()) {
                    tracing::info!("the use of sessions can be written down again");
                }
                self.cache.forget(last.key);
                true
            }
            Err(error) => {
                tracing::debug!(error = %error, "the use of a session could still not be written down");
                false
            }
        }
    }

    /// Ends sessions: `work` does it, `forget` takes them out of the cache.
    async fn ending<T, W>(
        &self,
        work: impl FnOnce(Arc<dyn Store>) -> W + Send + 'static,
        forget: impl FnOnce(&Cache) + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, StoreError>> + Send,
    {
        let (store, cache, hub) = (Arc::clone(&self.store), Arc::clone(&self.cache), Arc::clone(&self.hub));
        let whole = async move {
            let result = work(store).await;
            forget(&cache);
            if result.is_err() {
                // It may have been done all the same, and then nobody has announced it.
                hub.look_again();
            }
            result
        };
        tokio::spawn(whole.in_current_span()).await.unwrap_or_else(|died| Err(StoreError::new(died)))
    }
}

#[async_trait]
impl Store for Invalidating {
    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<(), StoreError> {
        self.store.insert(record).await
    }

    async fn get(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        let mut record = self.store.get(key).await?;
        if let Some(record) = &mut record {
            self.unsaved.complete(record);
        }
        Ok(record)
    }

    async fn sessions_of(&self, user: UserKey<'_>) -> Result<Vec<SessionRecord>, StoreError> {
        let mut records = self.store.sessions_of(user).await?;
        for record in &mut records {
            self.unsaved.complete(record);
        }
        Ok(records)
    }

    async fn swap_lease(&self, key: Key, version: i64, held: Option<Lease>, new: Option<Lease>) -> Result<bool, StoreError> {
        self.store.swap_lease(key, version, held, new).await
    }

    async fn replace_tokens(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        let replaced = self.store.replace_tokens(record).await;
        self.cache.forget(record.key);
        replaced
    }

    async fn touch(&self, key: Key, last_seen_at: Timestamp, idle_expires_at: Timestamp) -> Result<(), StoreError> {
        let touched = self.store.touch(key, last_seen_at, idle_expires_at).await;
        self.cache.forget(key);
        touched
    }

    async fn remove(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        self.ending(move |store| async move { store.remove(key).await }, move |cache| cache.forget(key)).await
    }

    async fn remove_user(&self, user: UserKey<'_>, except: Option<Key>) -> Result<Vec<SessionRecord>, StoreError> {
        let (issuer, sub): (Arc<str>, Arc<str>) = (user.issuer.into(), user.sub.into());
        let (of_issuer, of_sub) = (Arc::clone(&issuer), Arc::clone(&sub));
        self.ending(
            move |store| async move { store.remove_user(UserKey { issuer: &issuer, sub: &sub }, except).await },
            move |cache| cache.forget_those(|session| *session.issuer == *of_issuer && *session.sub == *of_sub),
        )
        .await
    }

    async fn remove_named(&self, named: NamedSessions<'_>, token: Key, expires_at: Timestamp) -> Result<Option<usize>, StoreError> {
        let (issuer, sub, sid) = (named.issuer.to_owned(), named.sub.map(str::to_owned), named.sid.map(str::to_owned));
        let issuer_of_named: Arc<str> = named.issuer.into();
        self.ending(
            move |store| async move {
                let named = NamedSessions { issuer: &issuer, sub: sub.as_deref(), sid: sid.as_deref() };
                store.remove_named(named, token, expires_at).await
            },
            // Which of them it was, only the store knows.
            move |cache| cache.forget_those(|session| *session.issuer == *issuer_of_named),
        )
        .await
    }

    async fn claim(&self, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, StoreError> {
        self.store.claim(key, session, expires_at).await
    }

    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError> {
        self.store.claim_led_to(key, session).await
    }

    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.store.key_check(proposed).await
    }

    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        self.store.replace_key_check(current, new).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        // After something could not be written, sessions may look unused that are not: this server has yet to write that down, or another
        // one has. What happened before this server started, it does not know.
        if !self.unsaved.have_been_quiet_for(QUIET_BEFORE_SWEEP, self.clock.elapsed()) {
            tracing::debug!("nothing is swept until the uses of sessions can have been written down everywhere");
            return Ok(0);
        }
        self.store.sweep(now).await.inspect_err(|_| self.unsaved.note_failure(self.clock.elapsed()))
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.store.changes()
    }

    fn turn(&self) -> Option<u64> {
        self.store.turn()
    }

    async fn close(&self) {
        // Where the store does not answer, nobody waits for it for long.
        let _ = timeout(SAVE_PATIENCE, self.save_uses()).await;
        self.store.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Cache, Exchanged};
    use crate::session::{
        live::LiveSession,
        record::{Key, Profile, SessionRecord},
    };
    use jiff::{SignedDuration, Timestamp};
    use std::sync::Arc;

    fn session(key: Key) -> Arc<LiveSession> {
        let now = Timestamp::UNIX_EPOCH;
        let end = now + SignedDuration::from_hours(1);
        Arc::new(LiveSession::new(SessionRecord {
            key,
            version: 1,
            provider: "test".to_owned(),
            issuer: "https://provider.example".to_owned(),
            sub: "user-1".to_owned(),
            sid: None,
            profile: Profile::default(),
            created_at: now,
            last_seen_at: now,
            idle_expires_at: end,
            expires_at: end,
            tokens: vec![0; 2000],
            lease: None,
        }))
    }

    fn key(number: u32) -> Key {
        Key::of_claim("test", &number.to_string())
    }

    #[test]
    fn what_was_forgotten_during_a_slow_read_is_not_put_back_by_it() {
        let forget: [fn(&Cache); 3] =
            [|cache| cache.forget(key(1)), Cache::forget_all, |cache| cache.forget_those(|session| session.sub == "user-1")];
        for forget in forget {
            let cache = Cache::default();
            let slow = cache.ticket(key(1));
            forget(&cache);
            cache.remember(slow, session(key(1)));
            assert!(cache.sessions.get(&key(1)).is_none());
            // A read that begins afterwards sees what is true now.
            cache.remember(cache.ticket(key(1)), session(key(1)));
            assert!(cache.sessions.get(&key(1)).is_some());
            forget(&cache);
            assert!(cache.sessions.get(&key(1)).is_none());
        }
    }

    #[test]
    fn what_was_read_before_announcements_were_lost_is_not_believed_afterwards() {
        let cache = Cache::default();
        assert!(cache.enter(Some(2)));
        cache.remember(cache.ticket(key(1)), session(key(1)));
        // Nobody has asked in between, and nobody has told yet that something may have been missed.
        let slow = cache.ticket(key(2));
        assert!(cache.enter(Some(4)));
        assert!(cache.sessions.get(&key(1)).is_none());
        cache.remember(slow, session(key(2)));
        assert!(cache.sessions.get(&key(2)).is_none());
        // What is read from now on is newer than what somebody else takes for the present.
        cache.remember(cache.ticket(key(1)), session(key(1)));
        assert!(cache.enter(Some(2)) && cache.sessions.get(&key(1)).is_some());
        assert!(!cache.enter(None));
        assert!(cache.sessions.get(&key(1)).is_none());
    }

    #[test]
    fn one_of_many_who_use_a_session_writes_it_down() {
        let cache = Cache::default();
        let (old, new) = (session(key(1)), session(key(1)));
        assert!(matches!(cache.exchange(&old, Arc::clone(&new)), Exchanged::Gone));
        cache.remember(cache.ticket(key(1)), Arc::clone(&old));
        assert!(cache.holds(&old));
        assert!(matches!(cache.exchange(&old, Arc::clone(&new)), Exchanged::Done));
        assert!(cache.holds(&new) && !cache.holds(&old));
        assert!(matches!(cache.exchange(&old, session(key(1))), Exchanged::Already(there) if Arc::ptr_eq(&there, &new)));
    }

    #[test]
    fn however_many_sessions_there_are_the_memory_is_bounded() {
        let cache = Cache::default();
        for number in 0..20_000 {
            cache.remember(cache.ticket(key(number)), session(key(number)));
        }
        assert!(cache.sessions.weight() <= super::CAPACITY_BYTES);
        assert!(cache.sessions.len() > 1000, "{}", cache.sessions.len());
    }
}
