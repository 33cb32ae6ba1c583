//! The one place that reads the time.

use jiff::Timestamp;
use std::time::{Duration, Instant};

/// Tells the time; handed in, so that tests can set it.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock, for everything that is compared with another machine's time.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary moment that never goes back, for measuring how long something took.
    fn elapsed(&self) -> Duration;
}

/// The machine's own clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Starts measuring now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the monotonic clock")]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
