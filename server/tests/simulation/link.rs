//! The store as one replica sees it: late, sometimes not at all, and sometimes it does what it does not say.

use crate::{
    random::Random,
    world::{Life, World},
};
use async_trait::async_trait;
use jiff::Timestamp;
use oauth2flow::session::{
    record::{Key, Lease, SessionRecord},
    store::{Change, MemoryStore, NamedSessions, Store, StoreError, UserKey},
};
use std::{
    future::{Future, pending},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::broadcast,
    time::{Instant, sleep},
};

/// How an outage looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    Refuses,
    Hangs,
    /// What is asked is done later, when nobody waits for it any more.
    Delays,
}

/// The connection of one replica.
pub(crate) struct Link {
    pub(crate) world: Arc<World>,
    pub(crate) replica: usize,
    pub(crate) life: Arc<Life>,
    pub(crate) random: Random,
}

/// What becomes of one call.
enum Fate {
    Answer,
    Refuse,
    LoseAnswer,
    Hang,
    DoLater(Duration),
}

impl Link {
    fn fate(&self) -> Fate {
        match self.world.outage(self.replica) {
            Some(Outage::Refuses) => return Fate::Refuse,
            Some(Outage::Hangs) => return Fate::Hang,
            Some(Outage::Delays) => return Fate::DoLater(self.random.milliseconds(100..9_000)),
            None => {}
        }
        let faults = self.world.store_faults();
        if faults && self.random.percent(2) {
            return if self.random.percent(50) { Fate::Refuse } else { Fate::LoseAnswer };
        }
        // One call that hangs costs no lease; two in a row would be a store that does not answer.
        if faults && self.random.percent(3) && self.world.may_hang(self.replica) {
            return if self.random.percent(50) { Fate::Hang } else { Fate::DoLater(self.random.milliseconds(100..5_000)) };
        }
        Fate::Answer
    }

    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.life.step().await;
        let (there, back) = (self.random.milliseconds(0..40), self.random.milliseconds(0..40));
        let fate = self.fate();
        let replica = self.replica;
        match fate {
            Fate::Answer => {
                sleep(there).await;
                let result = work.await;
                // It may be the last thing that this replica has done.
                self.life.step().await;
                sleep(back).await;
                result
            }
            Fate::Refuse => {
                self.world.note(|| format!("replica {replica}: {what} is refused"));
                sleep(back).await;
                Err(StoreError::new("refused"))
            }
            Fate::LoseAnswer => {
                self.world.note(|| format!("replica {replica}: {what} loses its answer"));
                sleep(there).await;
                let _ = work.await;
                self.life.step().await;
                Err(StoreError::new("the answer is lost"))
            }
            Fate::Hang => {
                self.world.note(|| format!("replica {replica}: {what} hangs"));
                pending().await
            }
            Fate::DoLater(delay) => {
                self.world.note(|| format!("replica {replica}: {what} is done later"));
                tokio::spawn(async move {
                    sleep(delay).await;
                    let _ = work.await;
                });
                pending().await
            }
        }
    }

    fn memory(&self) -> MemoryStore {
        self.world.memory.clone()
    }
}

#[async_trait]
impl Store for Link {
    async fn ping(&self) -> Result<(), StoreError> {
        let memory = self.memory();
        self.call("ping", async move { memory.ping().await }).await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<(), StoreError> {
        let (memory, record) = (self.memory(), record.clone());
        self.call("insert", async move { memory.insert(&record).await }).await
    }

    async fn get(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        let (memory, without_leases) = (self.memory(), self.world.plan.breakage == crate::world::Breakage::NoLease);
        self.call("get", async move {
            let mut record = memory.get(key).await?;
            if let Some(record) = record.as_mut().filter(|_| without_leases) {
                record.lease = None;
            }
            Ok(record)
        })
        .await
    }

    async fn sessions_of(&self, user: UserKey<'_>) -> Result<Vec<SessionRecord>, StoreError> {
        self.memory().sessions_of(user).await
    }

    async fn swap_lease(&self, key: Key, version: i64, held: Option<Lease>, new: Option<Lease>) -> Result<bool, StoreError> {
        let (memory, world, replica) = (self.memory(), Arc::clone(&self.world), self.replica);
        self.call("swap_lease", async move {
            if world.plan.breakage == crate::world::Breakage::NoLease {
                return Ok(true);
            }
            let swapped = memory.swap_lease(key, version, held, new).await?;
            world.note(|| format!("replica {replica} swaps {held:?} of version {version} for {new:?}: {swapped}"));
            Ok(swapped)
        })
        .await
    }

    async fn replace_tokens(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        let (memory, world, replica, record) = (self.memory(), Arc::clone(&self.world), self.replica, record.clone());
        self.call("replace_tokens", async move {
            let mut replaced = memory.replace_tokens(&record).await?;
            if !replaced && world.plan.breakage == crate::world::Breakage::Resurrects && memory.get(record.key).await?.is_none() {
                memory.insert(&record).await?;
                replaced = true;
            }
            world.note(|| format!("replica {replica} writes over version {}: {replaced}", record.version));
            if replaced {
                world.written(&record);
            }
            Ok(replaced)
        })
        .await
    }

    async fn touch(&self, key: Key, last_seen_at: Timestamp, idle_expires_at: Timestamp) -> Result<(), StoreError> {
        self.memory().touch(key, last_seen_at, idle_expires_at).await
    }

    async fn remove(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        let (memory, world, replica) = (self.memory(), Arc::clone(&self.world), self.replica);
        self.call("remove", async move {
            let removed = memory.remove(key).await?;
            if removed.is_some() {
                world.removed(key, replica);
            }
            Ok(removed)
        })
        .await
    }

    async fn remove_user(&self, user: UserKey<'_>, except: Option<Key>) -> Result<Vec<SessionRecord>, StoreError> {
        self.memory().remove_user(user, except).await
    }

    async fn remove_named(&self, named: NamedSessions<'_>, token: Key, expires_at: Timestamp) -> Result<Option<usize>, StoreError> {
        self.memory().remove_named(named, token, expires_at).await
    }

    async fn claim(&self, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, StoreError> {
        self.memory().claim(key, session, expires_at).await
    }

    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError> {
        self.memory().claim_led_to(key, session).await
    }

    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.memory().key_check(proposed).await
    }

    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        self.memory().replace_key_check(current, new).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.memory().sweep(now).await
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        if self.world.plan.announcements { self.memory().changes() } else { self.world.silence.subscribe() }
    }

    async fn close(&self) {}
}

/// When a replica could not reach the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unreachable {
    pub(crate) until: Instant,
    pub(crate) how: Outage,
}
