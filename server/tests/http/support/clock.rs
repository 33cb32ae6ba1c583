//! The time, as the test says.

use jiff::{SignedDuration, Timestamp};
use oauth2flow::clock::Clock;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Stands still until the test advances it.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(start())))
    }

    pub(crate) fn advance_seconds(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.now().as_second()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn elapsed(&self) -> Duration {
        self.now().duration_since(start()).unsigned_abs()
    }
}

fn start() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}
