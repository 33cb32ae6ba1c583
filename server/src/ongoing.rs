//! What goes on by itself, whoever began it and went away: counted, so that a server that stops can wait for it.

use std::future::Future;
use tokio::{sync::watch, task::JoinHandle};
use tracing::Instrument as _;

/// What is going on.
#[derive(Clone, Debug)]
pub struct Ongoing(watch::Sender<usize>);

impl Default for Ongoing {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Ongoing {
    /// How much there is.
    pub fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until there is nothing.
    pub async fn ended(&self) {
        // There is a sender for as long as there is this.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Counts something for as long as the answer is kept.
    pub fn begin(&self) -> Counted {
        self.0.send_modify(|count| *count += 1);
        Counted(self.0.clone())
    }

    /// Has work done to its end, whether or not anybody waits for it.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let counted = self.begin();
        let work = async move {
            let _until_it_ends = counted;
            work.await
        };
        tokio::spawn(work.in_current_span())
    }
}

/// Something that is going on, until this is dropped.
#[derive(Debug)]
#[must_use = "it counts only until this is dropped"]
pub struct Counted(watch::Sender<usize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::Ongoing;
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn who_waits_for_the_end_waits_for_work_that_nobody_else_waits_for() {
        let ongoing = Ongoing::default();
        assert!(ongoing.ended().now_or_never().is_some());
        let (finish, finished) = oneshot::channel::<()>();
        drop(ongoing.spawn(finished));
        let counted = ongoing.begin();
        assert_eq!(ongoing.count(), 2);
        assert!(ongoing.ended().now_or_never().is_none());
        drop(counted);
        assert!(ongoing.ended().now_or_never().is_none());
        finish.send(()).unwrap();
        ongoing.ended().await;
    }
}
