//! Holding the right to renew a session's tokens.

use super::coordination::{Rhythm, answered};
use crate::{
    entropy::{Entropy, random},
    session::{
        record::{Key, Lease},
        store::Store,
    },
};
use std::{
    convert::Infallible,
    future::{Future, pending},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep, sleep_until};

/// How long a holder waits when the store did not take a beat.
const BEAT_AGAIN: Duration = Duration::from_millis(100);

/// A lease that this process has asked the store to put into the record, and when.
#[derive(Clone, Copy)]
pub(super) struct Proposed {
    pub(super) lease: Lease,
    pub(super) at: Instant,
}

impl Proposed {
    /// A lease that nobody else can have, proposed now.
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        Self { lease: Lease(random(entropy)), at: Instant::now() }
    }
}

/// Says whether a request may still be sent: no longer when others may soon think that this server has died.
pub struct Fence {
    /// When the swap began that the store is known to have done last; nothing when another has the lease.
    confirmed: Mutex<Option<Instant>>,
    sure: Duration,
}

impl Fence {
    /// Whether the lease is surely held.
    pub fn stands(&self) -> bool {
        self.confirmed().is_some_and(|confirmed| confirmed.elapsed() < self.sure)
    }

    fn confirmed(&self) -> MutexGuard<'_, Option<Instant>> {
        self.confirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a beat.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// The lease is a fresh one.
    Kept,
    /// The store did not say.
    Unanswered,
    /// The session has ended, has new tokens, or is somebody else's to renew.
    Lost,
}

/// A lease in the hand of this process.
pub(super) struct Held {
    pub(super) key: Key,
    pub(super) version: i64,
    pub(super) fence: Fence,
    leases: Mutex<Leases>,
    rhythm: Rhythm,
}

struct Leases {
    current: Lease,
    /// What may have got into its place: the store was asked and did not say.
    proposed: Vec<Proposed>,
}

impl Held {
    /// A lease that the store has put into the record; `proposed` may have come after it.
    pub(super) fn new(key: Key, version: i64, won: Proposed, proposed: Vec<Proposed>, rhythm: Rhythm) -> Self {
        let fence = Fence { confirmed: Mutex::new(Some(won.at)), sure: rhythm.sure };
        Self { key, version, fence, leases: Mutex::new(Leases { current: won.lease, proposed }), rhythm }
    }

    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a lease in the record is this one.
    pub(super) fn is(&self, lease: Option<Lease>) -> bool {
        let leases = self.leases();
        lease.is_some_and(|lease| leases.current == lease || leases.proposed.iter().any(|proposed| proposed.lease == lease))
    }

    /// Exchanges the lease for a fresh one.
    pub(super) async fn beat(&self, store: &dyn Store, entropy: &dyn Entropy) -> Beat {
        let fresh = Proposed::new(entropy);
        let current = {
            let mut leases = self.leases();
            // Noted first: the store may do it, and the answer may never come.
            leases.proposed.push(fresh);
            leases.current
        };
        match answered(self.rhythm.sure, store.swap_lease(self.key, self.version, Some(current), Some(fresh.lease))).await {
            Ok(true) => self.confirm(fresh),
            // Lost, or an earlier beat was done and the answer to it was not heard.
            Ok(false) => match answered(self.rhythm.sure, store.get(self.key)).await {
                Ok(Some(record)) if record.version == self.version && record.lease == Some(current) => Beat::Unanswered,
                Ok(Some(record)) if record.version == self.version => {
                    let found = self.leases().proposed.iter().find(|proposed| Some(proposed.lease) == record.lease).copied();
                    match found {
                        Some(found) => self.confirm(found),
                        None => self.lose(),
                    }
                }
                Ok(_) => self.lose(),
                Err(_) => Beat::Unanswered,
            },
            Err(_) => Beat::Unanswered,
        }
    }

    fn confirm(&self, found: Proposed) -> Beat {
        let mut leases = self.leases();
        leases.current = found.lease;
        // The others were to replace what is no longer there.
        leases.proposed.clear();
        *self.fence.confirmed() = Some(found.at);
        Beat::Kept
    }

    fn lose(&self) -> Beat {
        *self.fence.confirmed() = None;
        Beat::Lost
    }

    /// Works with the lease in hand, and exchanges it for a fresh one in time all the while.
    pub(super) async fn during<T>(&self, store: &dyn Store, entropy: &dyn Entropy, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.beats(store, entropy) => match never {},
        }
    }

    async fn beats(&self, store: &dyn Store, entropy: &dyn Entropy) -> Infallible {
        loop {
            let confirmed = *self.fence.confirmed();
            let Some(confirmed) = confirmed else { return pending().await };
            sleep_until(confirmed + self.rhythm.beat).await;
            if self.beat(store, entropy).await == Beat::Unanswered {
                sleep(BEAT_AGAIN).await;
            }
        }
    }

    /// Gives the lease back, so that nobody has to wait for it to be recognised as dead. Whether the store hears it or not.
    pub(super) async fn release(&self, store: &dyn Store) {
        let (current, proposed) = {
            let leases = self.leases();
            (leases.current, leases.proposed.clone())
        };
        for lease in proposed.iter().rev().map(|proposed| proposed.lease).chain([current]) {
            match answered(self.rhythm.sure, store.swap_lease(self.key, self.version, Some(lease), None)).await {
                Ok(false) => {}
                Ok(true) | Err(_) => return,
            }
        }
    }
}
