//! Chance that repeats itself: the same seed, the same numbers.

use oauth2flow::entropy::Entropy;
use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// A generator (`SplitMix64`) of its own for everybody who acts, so that nobody's numbers depend on who else is acting.
#[derive(Debug)]
pub(crate) struct Random(Mutex<u64>);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// Another generator, whose numbers have nothing to do with those of this one.
    pub(crate) fn fork(&self) -> Self {
        Self::new(self.next())
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of the numbers of a range.
    pub(crate) fn of(&self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// The index of one of so many.
    pub(crate) fn index(&self, length: usize) -> usize {
        usize::try_from(self.of(0..length as u64)).unwrap_or_default()
    }

    /// So many milliseconds.
    pub(crate) fn milliseconds(&self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.of(range))
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&self, percent: u64) -> bool {
        self.of(0..100) < percent
    }
}

impl Entropy for Random {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}
