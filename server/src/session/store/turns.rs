//! How often somebody has begun to hear what other processes do to sessions.

use std::sync::atomic::{AtomicU64, Ordering};

/// Turns of hearing. What was read in one turn may be out of date in the next: in between, something may have been missed.
#[derive(Debug)]
pub(super) struct Turns(AtomicU64);

impl Turns {
    /// Nothing is heard yet.
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(1))
    }

    /// Which turn this is; none while nothing is heard. A later one has a higher number.
    pub(super) fn current(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Acquire)).filter(|turns| turns.is_multiple_of(2))
    }

    /// From now on everything is heard. Answers whether that was not so.
    pub(super) fn begin(&self) -> bool {
        self.advance(|turns| !turns.is_multiple_of(2))
    }

    /// From now on nothing is heard. Answers whether anything was.
    pub(super) fn end(&self) -> bool {
        self.advance(|turns| turns.is_multiple_of(2))
    }

    fn advance(&self, from: impl Fn(u64) -> bool) -> bool {
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |turns| from(turns).then_some(turns + 1)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;

    #[test]
    fn each_turn_is_another_and_begins_and_ends_once() {
        let turns = Turns::new();
        assert_eq!(turns.current(), None);
        assert!(!turns.end());
        assert!(turns.begin() && !turns.begin());
        let first = turns.current().unwrap();
        assert!(turns.end() && !turns.end());
        assert_eq!(turns.current(), None);
        assert!(turns.begin());
        assert!(turns.current().unwrap() > first);
    }
}
