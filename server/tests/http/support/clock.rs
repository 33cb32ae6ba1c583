//! The time, as the test says.

use jiff::{SignedDuration, Timestamp};
use oauth2flow::clock::Clock;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Stands still until the test advances it. The time of day can be set back; the time since the start only ever goes on.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<Mutex<(Timestamp, Duration)>>);

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(("2026-06-01T12:00:00Z".parse().unwrap(), Duration::ZERO))))
    }

    pub(crate) fn advance_seconds(&self, seconds: i64) {
        let (now, elapsed) = &mut *self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        *elapsed += Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.now().as_second()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

/// Lets so much time pass at once for what waits by the runtime's clock: connections and their time limits.
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
