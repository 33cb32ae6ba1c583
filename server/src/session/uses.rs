//! Uses of sessions that could not be written down: the disk is full, or the database takes no writes. Whoever is signed in stays so.
//!
//! Until they can be written, they stand in for what the store says of the sessions that it still has. It is tried again with one of
//! them at a time; what is used meanwhile waits with them.

use super::record::{Key, SessionRecord};
use jiff::Timestamp;
use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
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

/// The last uses that this process alone knows of, at most one for each session that there is, and how writing goes.
pub(super) struct UnsavedUses {
    state: Mutex<State>,
    arrived: Notify,
}

struct State {
    waiting: HashMap<Key, Waiting>,
    /// Which one is tried next.
    turn: usize,
    /// Whether uses cannot be written at present.
    is_failing: bool,
    /// When something last could not be written, since this server has started, and when something last could. Here and below, times are
    /// those of a clock that never goes back.
    failed_at: Option<Duration>,
    wrote_at: Option<Duration>,
    started_at: Duration,
}

struct Waiting {
    last: Use,
    /// It could not be written where others could: it says nothing of them.
    is_alone: bool,
}

impl UnsavedUses {
    /// None yet.
    pub(super) fn new(started_at: Duration) -> Self {
        let state = State { waiting: HashMap::new(), turn: 0, is_failing: false, failed_at: None, wrote_at: None, started_at };
        Self { state: Mutex::new(state), arrived: Notify::new() }
    }

    /// Has a use wait with the others, while they cannot be written. Answers whether it does.
    pub(super) fn join(&self, last: Use) -> bool {
        let mut state = self.state();
        if state.is_failing {
            state.keep_later(last);
            self.arrived.notify_one();
        }
        state.is_failing
    }

    /// Keeps a use that could not be written.
    pub(super) fn keep(&self, last: Use, at: Duration) {
        let mut state = self.state();
        state.keep_later(last);
        state.is_failing = true;
        state.failed_at = Some(at);
        self.arrived.notify_one();
    }

    /// Forgets a use that was written, unless there has been a later one. Answers whether that had not been possible before.
    pub(super) fn forget(&self, written: Use, at: Duration) -> bool {
        let mut state = self.state();
        if state.waiting.get(&written.key).is_some_and(|waiting| waiting.last.last_seen_at <= written.last_seen_at) {
            state.waiting.remove(&written.key);
        }
        state.wrote_at = Some(at);
        mem::take(&mut state.is_failing)
    }

    /// Has what the store says of a session say what is known here.
    pub(super) fn complete(&self, record: &mut SessionRecord) {
        if let Some(Waiting { last, .. }) = self.state().waiting.get(&record.key)
            && record.last_seen_at < last.last_seen_at
        {
            record.last_seen_at = last.last_seen_at;
            record.idle_expires_at = last.idle_expires_at;
        }
    }

    /// Waits until there are some.
    pub(super) async fn wait(&self) {
        while self.state().waiting.is_empty() {
            self.arrived.notified().await;
        }
    }

    /// One to try, by turns; those of sessions that are over in any case are forgotten.
    pub(super) fn next(&self, now: Timestamp) -> Option<Use> {
        let mut state = self.state();
        state.waiting.retain(|_, waiting| now < waiting.last.expires_at);
        let turn = state.turn.checked_rem(state.waiting.len())?;
        state.turn = state.turn.wrapping_add(1);
        state.waiting.values().nth(turn).map(|waiting| waiting.last)
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Use> {
        self.state().waiting.values().map(|waiting| waiting.last).collect()
    }

    /// The one that was tried could not be written, either.
    pub(super) fn note_vain(&self, tried: Use, at: Duration) {
        let mut state = self.state();
        if state.waiting.get(&tried.key).is_some_and(|waiting| !waiting.is_alone) {
            state.is_failing = true;
            state.failed_at = Some(at);
        }
    }

    /// It could not be written where another just could.
    pub(super) fn set_alone(&self, tried: Use) {
        if let Some(waiting) = self.state().waiting.get_mut(&tried.key) {
            waiting.is_alone = true;
        }
    }

    /// Something else could not be written.
    pub(super) fn note_failure(&self, at: Duration) {
        self.state().failed_at = Some(at);
    }

    /// Something else could be written.
    pub(super) fn note_success(&self, at: Duration) {
        self.state().wrote_at = Some(at);
    }

    /// Whether something could not be written for so long before `now`.
    pub(super) fn have_failed_within(&self, time: Duration, now: Duration) -> bool {
        self.state().failed_at.is_some_and(|at| now.saturating_sub(at) < time)
    }

    /// Whether something could be written for so long before `now`, and everything since.
    pub(super) fn have_worked_within(&self, time: Duration, now: Duration) -> bool {
        let state = self.state();
        state.wrote_at.is_some_and(|at| now.saturating_sub(at) < time) && state.failed_at < state.wrote_at
    }

    /// Whether this server has been there for so long, and has seen nothing fail.
    pub(super) fn have_been_quiet_for(&self, time: Duration, now: Duration) -> bool {
        let state = self.state();
        now.saturating_sub(state.failed_at.unwrap_or(state.started_at)) >= time
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep_later(&mut self, last: Use) {
        let kept = self.waiting.entry(last.key).or_insert(Waiting { last, is_alone: false });
        if kept.last.last_seen_at < last.last_seen_at {
            kept.last = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{UnsavedUses, Use};
    use crate::session::record::Key;
    use jiff::{SignedDuration, Timestamp};
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_mins(1);
    const BEGIN: Duration = Duration::ZERO;

    fn a_use(session: &str) -> Use {
        let now = Timestamp::UNIX_EPOCH;
        let end = now + SignedDuration::from_hours(1);
        Use { key: Key::of_claim("test", session), last_seen_at: now, idle_expires_at: end, expires_at: end }
    }

    #[test]
    fn as_soon_as_one_could_be_written_nobody_joins_those_that_still_wait() {
        let uses = UnsavedUses::new(BEGIN);
        assert!(!uses.join(a_use("1")));
        uses.keep(a_use("1"), BEGIN);
        assert!(uses.join(a_use("2")));
        assert!(uses.forget(a_use("1"), BEGIN));
        assert!(!uses.join(a_use("3")));
        assert_eq!(uses.all(), [a_use("2")]);
    }

    #[test]
    fn one_that_alone_cannot_be_written_says_nothing_of_the_others() {
        let uses = UnsavedUses::new(BEGIN);
        let (one, other) = (a_use("1"), a_use("2"));
        uses.keep(one, BEGIN);
        uses.keep(other, BEGIN);
        uses.note_vain(one, MINUTE);
        assert!(!uses.have_been_quiet_for(MINUTE, MINUTE));
        uses.forget(other, MINUTE);
        uses.set_alone(one);
        uses.note_vain(one, 2 * MINUTE);
        assert!(uses.have_been_quiet_for(MINUTE, 2 * MINUTE) && !uses.join(other));
        assert_eq!(uses.next(Timestamp::UNIX_EPOCH), Some(one));
    }

    #[test]
    fn a_server_that_has_just_started_does_not_know_what_was_before() {
        let uses = UnsavedUses::new(MINUTE);
        assert!(!uses.have_been_quiet_for(MINUTE, MINUTE));
        assert!(uses.have_been_quiet_for(MINUTE, 2 * MINUTE));
        assert!(!uses.have_failed_within(MINUTE, MINUTE) && !uses.have_worked_within(MINUTE, MINUTE));
        uses.note_success(MINUTE);
        assert!(uses.have_worked_within(MINUTE, MINUTE) && !uses.have_worked_within(MINUTE, 2 * MINUTE));
        uses.note_failure(MINUTE);
        assert!(!uses.have_worked_within(MINUTE, MINUTE) && uses.have_failed_within(MINUTE, MINUTE));
    }
}
