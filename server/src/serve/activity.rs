//! What a connection is doing, and how long it may go on like that.

use hyper::{
    body::{Body, Incoming},
    rt::{Read, Write},
    server::conn::http1::UpgradeableConnection,
    service::HttpService,
};
use std::{
    error::Error,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// Whoever sends nothing of a body for this long may lose the request to somebody who needs the place.
pub(super) const SENDS_NOTHING: Duration = Duration::from_secs(2);

/// Whoever takes nothing of an answer for this long may lose it to somebody who needs the place. The system keeps a part of it, and
/// takes more only when a third of that has gone: with somebody whose line is slow, that goes on for seconds.
pub(super) const TAKES_NOTHING: Duration = Duration::from_secs(15);

/// How long a connection may stay as it is.
#[derive(Clone, Copy)]
pub(super) struct Timeouts {
    /// While the head of a request arrives.
    pub(super) head: Duration,
    /// Between requests, and while the other end takes nothing of the answer.
    pub(super) idle: Duration,
}

/// What it is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// The head of a request arrives, or has yet to begin to on a new connection.
    Reading,
    /// Nothing: the last request has been answered. While the other end takes nothing, the last of the answer is still on its way.
    Waiting,
    /// A request is being handled, and its answer has yet to begin.
    Handling,
    /// The same, and whoever handles it waits for more of its body.
    Receiving,
    /// An answer is on its way.
    Answering,
    /// It speaks another protocol now, and is no business of this module.
    HandedOver,
}

/// What it was told to do.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Order {
    Stay,
    /// To end after the request that is under way.
    Finish,
    /// To end now.
    Leave,
}

/// What a connection is doing.
pub(super) struct Activity {
    opened: Instant,
    phase: AtomicU8,
    /// Since when, in milliseconds after it was opened.
    since: AtomicU64,
    /// Since when the other end takes nothing, or zero.
    stalled: AtomicU64,
    order: AtomicU8,
    ordered: Notify,
}

impl Activity {
    /// Of a connection that was just opened.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            phase: AtomicU8::new(Phase::Reading as u8),
            since: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            order: AtomicU8::new(Order::Stay as u8),
            ordered: Notify::new(),
        })
    }

    fn is(&self, phase: Phase) -> bool {
        self.phase.load(Relaxed) == phase as u8
    }

    fn becomes(&self, phase: Phase) {
        self.since.store(self.milliseconds(), Relaxed);
        self.phase.store(phase as u8, Relaxed);
    }

    /// The body of a request may be read in another task than its connection.
    fn becomes_if(&self, phase: Phase, next: Phase) {
        let _ = self.phase.compare_exchange(phase as u8, next as u8, Relaxed, Relaxed);
    }

    /// Never zero.
    fn milliseconds(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// Bytes have arrived.
    pub(super) fn reads(&self) {
        if self.is(Phase::Waiting) && self.stalled().is_none() {
            self.becomes(Phase::Reading);
        }
    }

    /// The head of a request has arrived.
    pub(super) fn handles(&self) {
        self.phase.store(Phase::Handling as u8, Relaxed);
    }

    /// More of the request's body is waited for, or is not any more. Once the answer has begun, the other end may take its time.
    pub(super) fn receives(&self, waits: bool) {
        if waits {
            if self.is(Phase::Handling) {
                self.since.store(self.milliseconds(), Relaxed);
                self.becomes_if(Phase::Handling, Phase::Receiving);
            }
        } else {
            self.becomes_if(Phase::Receiving, Phase::Handling);
        }
    }

    /// The answer begins.
    pub(super) fn answers(&self) {
        self.phase.store(Phase::Answering as u8, Relaxed);
    }

    /// The answer is handed over, though not all of it may be written.
    pub(super) fn has_answered(&self) {
        if self.is(Phase::Answering) {
            self.becomes(Phase::Waiting);
        }
    }

    /// It speaks another protocol from now on.
    pub(super) fn is_handed_over(&self) {
        self.phase.store(Phase::HandedOver as u8, Relaxed);
    }

    /// The other end takes bytes, or does not.
    pub(super) fn writes(&self, stalls: bool) {
        if stalls == self.stalled().is_some() {
            return;
        }
        let now = self.milliseconds();
        if self.is(Phase::Waiting) {
            self.since.store(now, Relaxed);
        }
        self.stalled.store(if stalls { now } else { 0 }, Relaxed);
    }

    fn stalled(&self) -> Option<u64> {
        Some(self.stalled.load(Relaxed)).filter(|since| *since != 0)
    }

    /// Since when it waits for the other end, and little would be lost with it. Who only pauses in the middle of something does not, and
    /// whose pause has become too long has waited from then on: a transfer is worth more than a connection on which nothing is under way.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let (since, pause) = match self.stalled() {
            Some(stalled) if self.is(Phase::Answering) || self.is(Phase::Waiting) => (stalled, TAKES_NOTHING),
            _ if self.is(Phase::Receiving) => (self.since.load(Relaxed), SENDS_NOTHING),
            _ if self.is(Phase::Waiting) || self.is(Phase::Reading) => (self.since.load(Relaxed), Duration::ZERO),
            _ => return None,
        };
        Some(self.opened + Duration::from_millis(since)).filter(|since| since.elapsed() >= pause).map(|since| since + pause)
    }

    /// When it has been as it is for too long.
    fn deadline(&self, timeouts: Timeouts) -> Option<Instant> {
        let after = |milliseconds: u64, timeout| self.opened + Duration::from_millis(milliseconds) + timeout;
        if self.is(Phase::Reading) {
            return Some(after(self.since.load(Relaxed), timeouts.head));
        }
        let waiting = || self.is(Phase::Waiting).then(|| self.since.load(Relaxed));
        self.stalled().or_else(waiting).map(|since| after(since, timeouts.idle))
    }

    /// Tells it to end after the request that is under way.
    pub(super) fn finish(&self) {
        self.order(Order::Finish);
    }

    /// Tells it to end now.
    pub(super) fn leave(&self) {
        self.order(Order::Leave);
    }

    fn order(&self, order: Order) {
        self.order.store(order as u8, Relaxed);
        self.ordered.notify_one();
    }
}

/// Runs a connection until it ends, is told to, or has dawdled for too long.
pub(super) async fn drive<I, S, B>(
    connection: UpgradeableConnection<I, S>,
    activity: &Activity,
    timeouts: Timeouts,
) -> Result<(), hyper::Error>
where
    I: Read + Write + Unpin + Send + 'static,
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut connection = pin!(connection);
    let mut ordered = pin!(activity.ordered.notified());
    let mut alarm = pin!(sleep_until(Instant::now() + timeouts.head));
    poll_fn(|context| {
        loop {
            // First of all: whoever is to leave does not begin another request.
            if activity.order.load(Relaxed) == Order::Leave as u8 {
                return Poll::Ready(Ok(()));
            }
            if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                return Poll::Ready(ended);
            }
            if ordered.as_mut().poll(context).is_ready() {
                connection.as_mut().graceful_shutdown();
                ordered.set(activity.ordered.notified());
                continue;
            }
            let deadline = activity.deadline(timeouts);
            if deadline.is_some_and(|deadline| deadline < alarm.deadline()) {
                alarm.as_mut().reset(deadline.unwrap_or_else(Instant::now));
            }
            if alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            // What it was set for may long be over: then it is set for what comes next.
            match deadline {
                Some(deadline) if deadline <= Instant::now() => return Poll::Ready(Ok(())),
                later => alarm.as_mut().reset(later.unwrap_or_else(|| Instant::now() + timeouts.idle)),
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::{Activity, TAKES_NOTHING, Timeouts, drive};
    use axum::body::Body;
    use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use std::{convert::Infallible, time::Duration};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex},
        time::{Instant, advance},
    };

    const TIMEOUTS: Timeouts = Timeouts { head: Duration::from_secs(10), idle: Duration::from_secs(75) };

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_on_its_way_until_its_end_is_taken() {
        let activity = Activity::new();
        activity.handles();
        activity.answers();
        // A small one is handed over as a whole before any of it is written.
        activity.has_answered();
        for _ in 0..10 {
            activity.writes(true);
            activity.reads();
            advance(TAKES_NOTHING.saturating_sub(Duration::from_millis(1))).await;
            assert_eq!(activity.idle_since(), None);
            assert!(activity.deadline(TIMEOUTS).unwrap() > Instant::now());
            activity.writes(false);
        }
        assert_eq!(activity.idle_since(), Some(Instant::now()));
        assert_eq!(activity.deadline(TIMEOUTS), Some(Instant::now() + TIMEOUTS.idle));
    }

    #[tokio::test]
    async fn whoever_is_to_leave_begins_no_request() {
        let (mut client, server) = duplex(1024);
        client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let service = service_fn(async |_: Request<Incoming>| Ok::<_, Infallible>(Response::new(Body::empty())));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(server), service).with_upgrades();
        let activity = Activity::new();
        activity.leave();
        drive(connection, &activity, TIMEOUTS).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "");
    }
}
