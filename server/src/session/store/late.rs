//! A store whose server did not answer when this one started: opened as soon as it does.

use super::{CHANGES_KEPT, Change, NamedSessions, OpenError, Store, StoreError, UserKey};
use crate::session::record::{Key, Lease, SessionRecord};
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
#[error("the session store has not been reached since this server started")]
struct NotYet;

/// Stands for a store until it is there, and in front of it from then on.
pub(super) struct LateStore {
    opened: Arc<OnceLock<Arc<dyn Store>>>,
    changes: broadcast::Sender<Change>,
    opening: JoinHandle<()>,
}

impl LateStore {
    /// Opens a store now, or later when nobody answers.
    pub(super) async fn open(
        open: impl Fn() -> BoxFuture<'static, Result<Arc<dyn Store>, OpenError>> + Send + Sync + 'static,
    ) -> Result<Arc<dyn Store>, OpenError> {
        match open().await {
            Err(error @ OpenError::Unreachable { .. }) => {
                tracing::warn!(
                    error = &error as &(dyn std::error::Error + 'static),
                    "the session store is not there yet: nobody can sign in until it is"
                );
                let opened = Arc::new(OnceLock::new());
                let changes = broadcast::Sender::new(CHANGES_KEPT);
                let opening = tokio::spawn(open_later(open, Arc::clone(&opened), changes.clone()));
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
    open: impl Fn() -> BoxFuture<'static, Result<Arc<dyn Store>, OpenError>> + Send + Sync,
    opened: Arc<OnceLock<Arc<dyn Store>>>,
    changes: broadcast::Sender<Change>,
) {
    let mut refused = false;
    let store = loop {
        sleep(AGAIN_AFTER).await;
        match open().await {
            Ok(store) => break store,
            Err(error @ OpenError::Unreachable { .. }) => tracing::debug!(%error, "the session store is still not there"),
            // It may be put right without a new start, and is said once.
            Err(error) if !refused => {
                refused = true;
                tracing::error!(%error, "the session store is there and cannot be used");
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

    async fn claim(&self, key: Key, expires_at: Timestamp) -> Result<bool, StoreError> {
        self.store()?.claim(key, expires_at).await
    }

    async fn complete_claim(&self, key: Key, session: Key) -> Result<(), StoreError> {
        self.store()?.complete_claim(key, session).await
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

    fn announces(&self) -> bool {
        self.opened.get().is_some_and(|store| store.announces())
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
