//! A store whose server did not answer when this one started: opened as soon as it does, and as it is known that its sessions are sealed
//! with the keys of this server.

use super::{CHANGES_KEPT, Change, NamedSessions, OpenError, Store, StoreError, UserKey};
use crate::{
    entropy::Entropy,
    session::{
        key_check::{self, KeyCheckError},
        record::{Key, Lease, SessionRecord},
        seal::KeyRing,
    },
};
use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use thiserror::Error;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::JoinHandle,
    time::sleep,
};

/// How long to wait before the next attempt.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// There is nobody to ask yet.
#[derive(Debug, Error)]
#[error("the session store could not be used since this server started")]
struct NotYet;

/// An attempt to open a store.
pub(super) type Opening = BoxFuture<'static, Result<Arc<dyn Store>, OpenError>>;

/// Finds out whether all servers of a store have the same keys, before anybody uses it.
pub(super) struct KeyCheck {
    pub(super) keys: Arc<KeyRing>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl KeyCheck {
    /// The store that was opened, if this server's keys are those of the others.
    async fn after(&self, opening: Opening) -> Result<Arc<dyn Store>, OpenError> {
        let store = opening.await?;
        match key_check::check(&*store, &self.keys, &*self.entropy).await {
            Ok(()) => {
                self.keys.set_lacking(None);
                Ok(store)
            }
            Err(KeyCheckError::Store(source)) => Err(OpenError::Unreachable { place: "the session store".to_owned(), source }),
            Err(error @ KeyCheckError::Differ { sealed_with, .. }) => {
                self.keys.set_lacking(Some(sealed_with));
                Err(OpenError::KeysDiffer(error))
            }
        }
    }
}

/// Stands for a store until it is there and may be used, and in front of it from then on.
pub(super) struct LateStore {
    opened: Arc<OnceLock<Arc<dyn Store>>>,
    changes: broadcast::Sender<Change>,
    opening: JoinHandle<()>,
}

impl LateStore {
    /// Opens a store now, or later when nobody answers.
    pub(super) async fn open(open: impl Fn() -> Opening + Send + Sync + 'static, check: KeyCheck) -> Result<Arc<dyn Store>, OpenError> {
        match check.after(open()).await {
            Err(error @ OpenError::Unreachable { .. }) => {
                tracing::warn!(
                    error = &error as &(dyn std::error::Error + 'static),
                    "the session store is not there yet: nobody can sign in until it is"
                );
                let opened = Arc::new(OnceLock::new());
                let changes = broadcast::Sender::new(CHANGES_KEPT);
                let opening = tokio::spawn(open_later(open, check, Arc::clone(&opened), changes.clone()));
                Ok(Arc::new(Self { opened, changes, opening }))
            }
            result => result,
        }
    }

    fn store(&self) -> Result<&dyn Store, StoreError> {
        self.opened.get().map(|store| &**store).ok_or_else(|| StoreError::new(NotYet))
    }
}

impl Drop for LateStore {
    fn drop(&mut self) {
        self.opening.abort();
    }
}

/// Tries again and again, then passes on what the store announces.
async fn open_later(
    open: impl Fn() -> Opening + Send + Sync,
    check: KeyCheck,
    opened: Arc<OnceLock<Arc<dyn Store>>>,
    changes: broadcast::Sender<Change>,
) {
    let mut refused = false;
    let store = loop {
        sleep(AGAIN_AFTER).await;
        match check.after(open()).await {
            Ok(store) => break store,
            Err(error @ OpenError::Unreachable { .. }) => tracing::debug!(%error, "the session store is still not there"),
            // It may be put right without a new start, and is said once.
            Err(error) if !refused => {
                refused = true;
                let error = &error as &(dyn std::error::Error + 'static);
                tracing::error!(error, "the session store is there and cannot be used");
            }
            Err(_) => {}
        }
    };
    let mut heard = store.changes();
    // Nobody else sets it.
    let _ = opened.set(store);
    tracing::info!("the session store is there now");
    let mut change = Change::Missed;
    loop {
        // Nobody has to listen.
        let _ = changes.send(change);
        change = match heard.recv().await {
            Ok(change) => change,
            Err(RecvError::Lagged(_)) => Change::Missed,
            Err(RecvError::Closed) => return,
        };
    }
}

#[async_trait]
impl Store for LateStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.store()?.ping().await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<(), StoreError> {
        self.store()?.insert(record).await
    }

    async fn get(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        self.store()?.get(key).await
    }

    async fn sessions_of(&self, user: UserKey<'_>) -> Result<Vec<SessionRecord>, StoreError> {
        self.store()?.sessions_of(user).await
    }

    async fn swap_lease(&self, key: Key, version: i64, held: Option<Lease>, new: Option<Lease>) -> Result<bool, StoreError> {
        self.store()?.swap_lease(key, version, held, new).await
    }

    async fn replace_tokens(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        self.store()?.replace_tokens(record).await
    }

    async fn touch(&self, key: Key, last_seen_at: Timestamp, idle_expires_at: Timestamp) -> Result<(), StoreError> {
        self.store()?.touch(key, last_seen_at, idle_expires_at).await
    }

    async fn remove(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        self.store()?.remove(key).await
    }

    async fn remove_user(&self, user: UserKey<'_>, except: Option<Key>) -> Result<Vec<SessionRecord>, StoreError> {
        self.store()?.remove_user(user, except).await
    }

    async fn remove_named(&self, named: NamedSessions<'_>, token: Key, expires_at: Timestamp) -> Result<Option<usize>, StoreError> {
        self.store()?.remove_named(named, token, expires_at).await
    }

    async fn claim(&self, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, StoreError> {
        self.store()?.claim(key, session, expires_at).await
    }

    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError> {
        self.store()?.claim_led_to(key, session).await
    }

    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.store()?.key_check(proposed).await
    }

    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        self.store()?.replace_key_check(current, new).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.store()?.sweep(now).await
    }

    fn turn(&self) -> Option<u64> {
        self.opened.get()?.turn()
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn close(&self) {
        self.opening.abort();
        if let Ok(store) = self.store() {
            store.close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, KeyCheck, LateStore, OpenError, Opening, Store, StoreError};
    use crate::{
        clock::SystemClock,
        entropy::SystemEntropy,
        session::{key_check, record::Key, seal::KeyRing, store::MemoryStore},
    };
    use std::{
        collections::VecDeque,
        sync::{Arc, Mutex},
    };

    fn keys(letter: &str) -> Arc<KeyRing> {
        Arc::new(KeyRing::parse(&letter.repeat(43).into(), "a test", Arc::new(SystemClock::start())).unwrap())
    }

    fn check(keys: &Arc<KeyRing>) -> KeyCheck {
        KeyCheck { keys: Arc::clone(keys), entropy: Arc::new(SystemEntropy) }
    }

    fn unreachable() -> OpenError {
        OpenError::Unreachable { place: "the store".to_owned(), source: StoreError::new("nobody is there") }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_comes_late_serves_nobody_before_the_keys_are_known_to_be_those_of_its_sessions() {
        let (others, own) = (keys("A"), keys("E"));
        let (foreign, empty) = (MemoryStore::default(), MemoryStore::default());
        key_check::check(&foreign, &others, &SystemEntropy).await.unwrap();
        let attempts = Mutex::new(VecDeque::from([Err(unreachable()), Ok(foreign.clone()), Ok(foreign.clone()), Ok(empty)]));
        let (tried, mut attempted) = tokio::sync::watch::channel(0);
        let open = move || -> Opening {
            tried.send_modify(|times| *times += 1);
            let found = attempts.lock().unwrap().pop_front().unwrap();
            Box::pin(async move { found.map(|store| Arc::new(store) as Arc<dyn Store>) })
        };
        let store = LateStore::open(open, check(&own)).await.unwrap();
        let mut changes = store.changes();
        // When it tries for the third time, the second has come to its end.
        attempted.wait_for(|times| *times == 3).await.unwrap();
        store.get(Key([1; 32])).await.unwrap_err();
        store.claim(Key([1; 32]), None, jiff::Timestamp::MAX).await.unwrap_err();
        assert_eq!(store.turn(), None);
        assert!(own.lacking().is_some());
        // It is put right.
        assert_eq!(changes.recv().await.unwrap(), Change::Missed);
        assert!(store.get(Key([1; 32])).await.unwrap().is_none());
        assert_eq!(own.lacking(), None);
    }

    #[tokio::test]
    async fn a_store_of_other_keys_is_refused_at_once() {
        let store = MemoryStore::default();
        key_check::check(&store, &keys("A"), &SystemEntropy).await.unwrap();
        let open = move || -> Opening {
            let store = store.clone();
            Box::pin(async move { Ok(Arc::new(store) as Arc<dyn Store>) })
        };
        assert!(matches!(LateStore::open(open, check(&keys("E"))).await, Err(OpenError::KeysDiffer(_))));
    }
}
