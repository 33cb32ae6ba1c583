//! Uses of sessions that could not be written down: the disk is full, or the database takes no writes. Whoever is signed in stays so.
//!
//! Until they can be written, they stand in for what the store says of the sessions that it still has. It is tried again with one of
//! them at a time; what is used meanwhile waits with them.

use super::record::{Key, SessionRecord};
use jiff::Timestamp;
use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// A use of a session, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Use {
    /// Of which session.
    pub(super) key: Key,
    /// When that was.
    pub(super) last_seen_at: Timestamp,
    /// When the session ends unless it is used again.
    pub(super) idle_expires_at: Timestamp,
    /// When it ends whatever happens.
    pub(super) expires_at: Timestamp,
}

/// The last uses that this process alone knows of, at most one for each session that there is.
#[derive(Default)]
pub(super) struct UnsavedUses {
    uses: Mutex<HashMap<Key, Use>>,
    arrived: Notify,
    /// Which one is tried next: there may be some that alone cannot be written.
    turn: AtomicUsize,
    /// Whether something could not be written since the last sweep.
    failed: AtomicBool,
}

impl UnsavedUses {
    /// Has a use wait with the others, if there are any. Answers whether it does.
    pub(super) fn join(&self, last: Use) -> bool {
        let mut uses = self.uses();
        let others_wait = !uses.is_empty();
        if others_wait {
            keep_later(&mut uses, last);
        }
        others_wait
    }

    /// Keeps a use that could not be written.
    pub(super) fn keep(&self, last: Use) {
        self.note_failure();
        keep_later(&mut self.uses(), last);
        self.arrived.notify_one();
    }

    /// Forgets a use that was written, unless there has been a later one.
    pub(super) fn forget(&self, written: Use) {
        let mut uses = self.uses();
        if uses.get(&written.key) == Some(&written) {
            uses.remove(&written.key);
        }
    }

    /// Has what the store says of a session say what is known here.
    pub(super) fn complete(&self, record: &mut SessionRecord) {
        if let Some(last) = self.uses().get(&record.key)
            && record.last_seen_at < last.last_seen_at
        {
            record.last_seen_at = last.last_seen_at;
            record.idle_expires_at = last.idle_expires_at;
        }
    }

    /// Waits until there are some.
    pub(super) async fn wait(&self) {
        while self.uses().is_empty() {
            self.arrived.notified().await;
        }
    }

    /// One to try, and the others; those of sessions that are over in any case are forgotten.
    pub(super) fn by_turns(&self, now: Timestamp) -> Option<(Use, Vec<Use>)> {
        let mut uses = self.uses();
        uses.retain(|_, last| now < last.expires_at);
        let mut all: Vec<_> = uses.values().copied().collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(all.len())?;
        let one = all.swap_remove(turn);
        Some((one, all))
    }

    /// Something could not be written.
    pub(super) fn note_failure(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Whether everything could be written since this was last asked, and nothing waits.
    pub(super) fn are_settled(&self) -> bool {
        !self.failed.swap(false, Ordering::Relaxed) && self.uses().is_empty()
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<Key, Use>> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep_later(uses: &mut HashMap<Key, Use>, last: Use) {
    let kept = uses.entry(last.key).or_insert(last);
    if kept.last_seen_at < last.last_seen_at {
        *kept = last;
    }
}
