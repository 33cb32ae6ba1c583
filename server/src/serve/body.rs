//! The bodies of a connection: that one is waited for is noted, and one that stops arriving ends in an error; so is the end of an answer.

use super::activity::Activity;
use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use std::{
    error::Error,
    future::Future as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use thiserror::Error;
use tokio::time::{Instant, Sleep, sleep};

/// The body of a request has not gone on arriving.
#[derive(Clone, Copy, Debug, Error)]
#[error("the request's body stopped arriving")]
pub struct BodyTimeout;

/// The body of a request, as it arrives.
pub(super) struct Arriving {
    body: Incoming,
    activity: Arc<Activity>,
    timeout: Duration,
    /// Set while somebody waits and nothing comes.
    alarm: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Arriving {
    /// A body on this connection that may pause for so long.
    pub(super) fn new(body: Incoming, activity: Arc<Activity>, timeout: Duration) -> Self {
        Self { body, activity, timeout, alarm: None, waiting: false }
    }

    /// Whether it was not so before.
    fn is_waiting(&mut self, waiting: bool) -> bool {
        let changes = std::mem::replace(&mut self.waiting, waiting) != waiting;
        if changes {
            self.activity.receives(waiting);
        }
        changes
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.is_waiting(false);
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let timeout = self.timeout;
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.is_waiting(false);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let began = self.is_waiting(true);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(timeout)));
        if began {
            alarm.as_mut().reset(Instant::now() + timeout);
        }
        ready!(alarm.as_mut().poll(context));
        Poll::Ready(Some(Err(BodyTimeout.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer. When it is gone its connection waits for the next request, once what is left of it has been written.
pub(super) struct Answer {
    body: Body,
    activity: Arc<Activity>,
}

impl Answer {
    /// The body of an answer on this connection.
    pub(super) fn new(body: Body, activity: Arc<Activity>) -> Self {
        Self { body, activity }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.activity.has_answered();
    }
}
