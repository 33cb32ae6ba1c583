//! What happens to sessions, told to whoever is watching one: pages that are open, answers that are still being streamed.
//!
//! One task of the process listens to the store, which announces what any process does. A second one looks at the sessions that
//! are watched here: at those that have changed, at all of them when announcements may have been missed, and at those whose time has
//! come. The end of a session is a time on the wall clock, which may be set; so while anybody watches, that clock is read at least
//! once a second. While nobody watches, nothing runs.

use super::{
    cache::Cache,
    live::LiveSession,
    record::Key,
    store::{Change, StoreError},
};
use crate::clock::Clock;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use std::{
    collections::{HashMap, hash_map::Entry},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, broadcast, watch};

/// How long the clock is left unread at most.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How long it is left unread at least, however near an end is.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// How many sessions are read at a time.
const READS_AT_A_TIME: usize = 8;

/// Something that happened to a session.
#[derive(Clone, Debug)]
pub enum SessionEvent {
    /// It has new tokens, or a later end than [`SessionEvent::Expiring`] has said.
    Refreshed(Arc<LiveSession>),
    /// It will end at this time.
    Expiring(Timestamp),
    /// It has ended.
    Ended {
        /// By itself, for its time has run out.
        expired: bool,
    },
}

/// The sessions that are watched in this process.
#[derive(Default)]
pub(super) struct Hub {
    watched: Mutex<HashMap<Key, Watched>>,
    wake: Notify,
    closing: watch::Sender<bool>,
}

struct Watched {
    state: watch::Sender<State>,
    watchers: usize,
    /// Whether it has to be read again.
    stale: bool,
}

#[derive(Clone)]
enum State {
    Live { session: Arc<LiveSession>, expiring: bool },
    Ended { expired: bool },
}

/// One who watches a session, until it is dropped.
pub struct Watch {
    hub: Arc<Hub>,
    key: Key,
    state: watch::Receiver<State>,
    closing: watch::Receiver<bool>,
    told: Told,
}

/// What the watcher knows.
struct Told {
    version: i64,
    warned_of: Option<Timestamp>,
    ended: bool,
}

impl Watch {
    /// Waits until the session has ended, for whatever reason. May be given up and begun again.
    pub async fn ended(&mut self) {
        // Without a hub nobody would tell.
        let _ = self.state.wait_for(|state| matches!(state, State::Ended { .. })).await;
    }

    /// Waits for the next thing that happens; nothing comes after the end, and nothing more when the server is about to stop.
    /// May be given up and begun again.
    pub async fn next(&mut self) -> Option<SessionEvent> {
        loop {
            if self.told.ended || *self.closing.borrow() {
                return None;
            }
            let state = self.state.borrow_and_update().clone();
            if let Some(event) = self.told.tell(&state) {
                return Some(event);
            }
            tokio::select! {
                changed = self.state.changed() => changed.ok()?,
                _ = self.closing.wait_for(|closing| *closing) => return None,
            }
        }
    }
}

impl Told {
    fn tell(&mut self, state: &State) -> Option<SessionEvent> {
        let (session, expiring) = match state {
            State::Live { session, expiring } => (session, expiring),
            &State::Ended { expired } => {
                self.ended = true;
                return Some(SessionEvent::Ended { expired });
            }
        };
        if session.version != self.version || self.warned_of.is_some_and(|end| end < session.end()) {
            self.version = session.version;
            self.warned_of = None;
            return Some(SessionEvent::Refreshed(Arc::clone(session)));
        }
        if *expiring && self.warned_of.is_none() {
            self.warned_of = Some(session.end());
            return Some(SessionEvent::Expiring(session.end()));
        }
        None
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.hub.watched();
        // What has ended is watched no longer, and another session cannot have its key.
        if matches!(*self.state.borrow(), State::Ended { .. }) {
            return;
        }
        if let Entry::Occupied(mut entry) = watched.entry(self.key) {
            entry.get_mut().watchers -= 1;
            if entry.get().watchers == 0 {
                entry.remove();
            }
        }
    }
}

impl Hub {
    /// Watches a session from what is known of it. `is_current` tells, once the session is watched, whether nothing has happened
    /// to it meanwhile.
    pub(super) fn watch(self: &Arc<Self>, session: &Arc<LiveSession>, is_current: impl FnOnce() -> bool) -> Watch {
        let key = session.key;
        let state = Watched::entry(&mut self.watched(), session).state.subscribe();
        let told = Told { version: session.version, warned_of: None, ended: false };
        let watch = Watch { hub: Arc::clone(self), key, state, closing: self.closing.subscribe(), told };
        if !is_current() {
            self.mark_stale(key);
        }
        // There may be nobody who reads the clock.
        self.wake.notify_one();
        watch
    }

    /// Ends all waiting for events, since the server is about to stop.
    pub(super) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Has every watched session read again.
    pub(super) fn look_again(&self) {
        for watched in self.watched().values_mut() {
            watched.stale = true;
        }
        self.wake.notify_one();
    }

    /// Listens to the store until that is closed.
    pub(super) async fn listen(self: Arc<Self>, cache: Arc<Cache>, mut changes: broadcast::Receiver<Change>) {
        loop {
            match changes.recv().await {
                Ok(Change::Ended(key)) => {
                    cache.forget(key);
                    self.publish_end(key, false);
                }
                Ok(Change::Renewed(key)) => {
                    cache.forget(key);
                    self.mark_stale(key);
                }
                Ok(Change::Missed) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    cache.forget_all();
                    self.look_again();
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    /// Looks at the watched sessions whenever there is a reason to; `read` answers a session that is alive.
    pub(super) async fn look<R>(self: Arc<Self>, clock: Arc<dyn Clock>, read: impl Fn(Key) -> R)
    where
        R: Future<Output = Result<Option<Arc<LiveSession>>, StoreError>>,
    {
        loop {
            let now = clock.now();
            let (due, pause) = self.due(now);
            let reads = stream::iter(due).map(|key| {
                let read = read(key);
                async move { (key, read.await) }
            });
            let mut reads = reads.buffer_unordered(READS_AT_A_TIME);
            while let Some((key, read)) = reads.next().await {
                match read {
                    Ok(Some(found)) => self.publish(key, found),
                    Ok(None) => self.publish_end(key, self.has_expired(key, now)),
                    Err(error) => self.postpone(key, now, &error),
                }
            }
            match pause {
                Some(pause) => {
                    let _ = tokio::time::timeout(pause, self.wake.notified()).await;
                }
                None => self.wake.notified().await,
            }
        }
    }

    /// The sessions to read now, and how long until the next look; nothing when nobody watches. Whoever is to be warned is.
    fn due(&self, now: Timestamp) -> (Vec<Key>, Option<Duration>) {
        let mut watched = self.watched();
        let mut next = None;
        let mut keys = Vec::new();
        for (key, watched) in &mut *watched {
            let mut warn = false;
            let mut has_expired = false;
            if let State::Live { session, expiring } = &*watched.state.borrow() {
                has_expired = session.has_expired(now);
                let warn_at = session.warn_at().filter(|_| !expiring);
                warn = warn_at.is_some_and(|warn_at| now >= warn_at);
                let upcoming = warn_at.filter(|_| !warn).unwrap_or_else(|| session.end());
                // What has expired is read now, and if that fails, not before the longest pause.
                let upcoming = if has_expired { Timestamp::MAX } else { upcoming };
                next = Some(next.map_or(upcoming, |next: Timestamp| next.min(upcoming)));
            }
            if warn && !has_expired {
                watched.state.send_modify(State::warn);
            }
            if std::mem::take(&mut watched.stale) || has_expired {
                keys.push(*key);
            }
        }
        let pause = next.map(|next| {
            let until = Duration::try_from(next.duration_since(now)).unwrap_or_default();
            until.clamp(SHORTEST_INTERVAL, LOOK_INTERVAL)
        });
        (keys, pause)
    }

    /// Tells how a session is now.
    fn publish(&self, key: Key, found: Arc<LiveSession>) {
        if let Some(watched) = self.watched().get(&key) {
            watched.state.send_if_modified(|state| state.learn(found));
        }
    }

    /// Tells that a session has ended.
    fn publish_end(&self, key: Key, expired: bool) {
        if let Some(watched) = self.watched().remove(&key) {
            watched.state.send_replace(State::Ended { expired });
        }
    }

    /// Whether the time of a session, as it was last known, has run out.
    fn has_expired(&self, key: Key, now: Timestamp) -> bool {
        self.watched()
            .get(&key)
            .is_some_and(|watched| matches!(&*watched.state.borrow(), State::Live { session, .. } if session.has_expired(now)))
    }

    /// The store does not answer: it is asked again in a while, and only what ends in any case has ended.
    fn postpone(&self, key: Key, now: Timestamp, error: &StoreError) {
        let is_over = match self.watched().get_mut(&key) {
            Some(watched) => {
                watched.stale = true;
                matches!(&*watched.state.borrow(), State::Live { session, .. } if now >= session.expires_at)
            }
            None => return,
        };
        tracing::debug!(error = %error, "a watched session could not be read");
        if is_over {
            self.publish_end(key, true);
        }
    }

    fn mark_stale(&self, key: Key) {
        if let Some(watched) = self.watched().get_mut(&key) {
            watched.stale = true;
            self.wake.notify_one();
        }
    }

    fn watched(&self) -> MutexGuard<'_, HashMap<Key, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    /// The entry of a session, with one watcher more.
    fn entry<'map>(map: &'map mut HashMap<Key, Self>, session: &Arc<LiveSession>) -> &'map mut Self {
        let watched = map.entry(session.key).or_insert_with(|| Self {
            state: watch::Sender::new(State::Live { session: Arc::clone(session), expiring: false }),
            watchers: 0,
            stale: false,
        });
        watched.watchers += 1;
        watched
    }
}

impl State {
    fn warn(&mut self) {
        if let Self::Live { expiring, .. } = self {
            *expiring = true;
        }
    }

    /// Takes over what was read, and answers whether that is news.
    fn learn(&mut self, found: Arc<LiveSession>) -> bool {
        let Self::Live { session, expiring } = self else { return false };
        if (found.version, found.end()) == (session.version, session.end()) {
            return false;
        }
        *expiring &= found.end() <= session.end();
        *session = found;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{SessionEvent, Watch};
    use crate::{
        clock::Clock,
        entropy::SystemEntropy,
        session::{
            NewSession, Sessions,
            live::LiveSession,
            record::{Profile, Tokens},
            seal::KeyRing,
            store::{MemoryStore, Store},
        },
    };
    use jiff::{SignedDuration, Timestamp};
    use oauth2flow_app::api::User;
    use oauth2flow_protocol::AccessToken;
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    #[derive(Clone)]
    struct SetClock(Arc<Mutex<Timestamp>>);

    impl SetClock {
        fn advance(&self, seconds: i64) {
            *self.0.lock().unwrap() += SignedDuration::from_secs(seconds);
        }
    }

    impl Clock for SetClock {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }

        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }
    }

    struct Setup {
        sessions: Sessions,
        store: MemoryStore,
        clock: SetClock,
    }

    /// Sessions that live for ten minutes unused, and for an hour at most.
    fn setup() -> Setup {
        let clock = SetClock(Arc::new(Mutex::new("2026-06-01T12:00:00Z".parse().unwrap())));
        let store = MemoryStore::default();
        let keys = Arc::new(KeyRing::parse(&"A".repeat(43).into(), "a test", Arc::new(clock.clone())).unwrap());
        let (idle, absolute) = (Duration::from_mins(10), Duration::from_hours(1));
        let sessions = Sessions::new(Arc::new(store.clone()), keys, Arc::new(clock.clone()), Arc::new(SystemEntropy), idle, absolute);
        Setup { sessions, store, clock }
    }

    impl Setup {
        async fn begin(&self) -> Arc<LiveSession> {
            let new = NewSession {
                provider: "test".to_owned(),
                issuer: "https://provider.example".to_owned(),
                sid: None,
                profile: Profile { user: User { sub: "user-1".to_owned(), ..User::default() }, ..Profile::default() },
                tokens: Tokens {
                    access: AccessToken::new("access".to_owned()),
                    refresh: None,
                    id: None,
                    audience: Vec::new(),
                    dpop_key: None,
                },
            };
            let id = self.sessions.draw_id();
            self.sessions.begin(&id, &new).await.unwrap();
            self.sessions.find(id.key()).await.unwrap().unwrap()
        }

        fn watched(&self) -> usize {
            self.sessions.hub.watched().len()
        }
    }

    async fn assert_ended(watch: &mut Watch, by_time: bool) {
        assert!(matches!(watch.next().await, Some(SessionEvent::Ended { expired }) if expired == by_time));
        assert!(watch.next().await.is_none());
        watch.ended().await;
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_watches_hears_of_the_end_and_is_forgotten() {
        let setup = setup();
        let session = setup.begin().await;
        let (mut one, mut two) = (setup.sessions.watch(&session), setup.sessions.watch(&session));
        assert_eq!(setup.watched(), 1);
        setup.sessions.end(session.key).await.unwrap();
        assert_ended(&mut one, false).await;
        two.ended().await;
        assert_ended(&mut two, false).await;
        assert_eq!(setup.watched(), 0);
        drop((one, two));
        assert_eq!(setup.watched(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_goes_away_leaves_nothing_behind() {
        let setup = setup();
        let session = setup.begin().await;
        let watches: Vec<_> = (0..3).map(|_| setup.sessions.watch(&session)).collect();
        assert_eq!(setup.watched(), 1);
        drop(watches);
        assert_eq!(setup.watched(), 0);
        assert_eq!(setup.sessions.hub.due(setup.clock.now()).1, None, "nobody has to read the clock");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_ended_before_it_was_watched_is_noticed() {
        let setup = setup();
        let session = setup.begin().await;
        setup.sessions.end(session.key).await.unwrap();
        assert_ended(&mut setup.sessions.watch(&session), false).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_whose_time_has_come_ends_without_anybody_doing_anything() {
        let setup = setup();
        let session = setup.begin().await;
        let mut watch = setup.sessions.watch(&session);
        setup.clock.advance(8 * 60);
        assert!(matches!(watch.next().await, Some(SessionEvent::Expiring(end)) if end == session.end()));
        setup.clock.advance(2 * 60);
        assert_ended(&mut watch, true).await;
        assert!(setup.sessions.find(session.key).await.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_use_that_another_process_has_written_down_keeps_a_session_alive() {
        let setup = setup();
        let session = setup.begin().await;
        let mut watch = setup.sessions.watch(&session);
        setup.clock.advance(9 * 60);
        assert!(matches!(watch.next().await, Some(SessionEvent::Expiring(_))));
        let now = setup.clock.now();
        setup.store.touch(session.key, now, now + SignedDuration::from_mins(10)).await.unwrap();
        let Some(SessionEvent::Refreshed(later)) = watch.next().await else { panic!("it was used") };
        assert!(later.end() > session.end());
        setup.clock.advance(8 * 60);
        assert!(matches!(watch.next().await, Some(SessionEvent::Expiring(end)) if end == later.end()));
    }

    #[tokio::test(start_paused = true)]
    async fn only_new_tokens_are_told_and_each_time_once() {
        let setup = setup();
        let session = setup.begin().await;
        let mut watch = setup.sessions.watch(&session);
        setup.clock.advance(90);
        setup.sessions.find(session.key).await.unwrap().unwrap();
        let mut record = setup.store.get(session.key).await.unwrap().unwrap();
        record.profile.scopes = vec!["read".to_owned()];
        assert!(setup.sessions.store().replace_tokens(&record).await.unwrap());
        let Some(SessionEvent::Refreshed(now)) = watch.next().await else { panic!("the tokens are new") };
        assert_eq!(now.profile.scopes, ["read"]);
        setup.sessions.end(session.key).await.unwrap();
        assert_ended(&mut watch, false).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stops_ends_the_events_but_not_what_waits_for_the_end() {
        let setup = setup();
        let session = setup.begin().await;
        let (mut page, mut answer) = (setup.sessions.watch(&session), setup.sessions.watch(&session));
        setup.sessions.close_events();
        assert!(page.next().await.is_none());
        assert!(tokio::time::timeout(Duration::from_mins(5), answer.ended()).await.is_err());
    }
}
