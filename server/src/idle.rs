//! Noticing that nothing moves any more.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// When something last moved.
#[derive(Debug)]
pub struct Moved(Mutex<Option<Instant>>);

impl Default for Moved {
    /// It moves now.
    fn default() -> Self {
        Self(Mutex::new(Some(Instant::now())))
    }
}

impl Moved {
    /// It moves now.
    pub fn now(&self) {
        *self.last() = Some(Instant::now());
    }

    /// From now on it waits for somebody else, until it moves again; that does not count.
    pub fn waits(&self) {
        *self.last() = None;
    }

    /// Waits until nothing has moved for so long.
    pub async fn silent_for(&self, limit: Duration) {
        loop {
            let end = self.last().unwrap_or_else(Instant::now) + limit;
            sleep_until(end).await;
            if self.last().is_some_and(|last| last + limit <= Instant::now()) {
                return;
            }
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Moved;
    use std::time::Duration;
    use tokio::time::{Instant, advance};

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn silence_begins_when_something_has_last_moved() {
        let (moved, began) = (Moved::default(), Instant::now());
        let moving = async {
            for _ in 0..10 {
                advance(Duration::from_secs(29)).await;
                moved.now();
            }
        };
        tokio::join!(moving, moved.silent_for(LIMIT));
        assert_eq!(began.elapsed().as_secs(), 10 * 29 + 30);
    }

    #[tokio::test(start_paused = true)]
    async fn to_wait_for_somebody_else_is_no_silence() {
        let (moved, began) = (Moved::default(), Instant::now());
        moved.waits();
        let moving = async {
            advance(Duration::from_mins(5)).await;
            moved.now();
        };
        tokio::join!(moving, moved.silent_for(LIMIT));
        assert_eq!(began.elapsed().as_secs(), 5 * 60 + 30);
    }
}
