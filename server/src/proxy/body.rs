//! What is streamed: until the session ends, or the other side has paused for too long.
//!
//! A body that ends early ends with an error, so that the other side sees that it was cut, and takes no half for the whole. Nothing is
//! paid for by an answer that is there at once: its session is watched, and its pauses are timed, when it has first made somebody wait.

use super::{Room, headers};
use crate::{error::Failure, session::live::LiveSession, state::AppState, streams::StreamPermit};
use axum::body::{Body, Bytes, HttpBody};
use futures_util::future::BoxFuture;
use hyper::body::{Frame, Incoming, SizeHint};
use oauth2flow_app::problem::ProblemCode;
use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use thiserror::Error;
use tokio::time::{Instant, Sleep, sleep};

/// So many frames are passed on unwatched, even if nobody had to wait for them.
const UNWATCHED_FRAMES: u8 = 2;

/// Why a body ends early.
#[derive(Debug, Error)]
pub enum BodyError {
    /// The session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// Nothing came for too long.
    #[error("nothing came for {} seconds", .0.as_secs())]
    Idle(Duration),
    /// It is larger than it may be.
    #[error("the body is larger than {0} bytes")]
    TooLarge(u64),
    /// It broke off.
    #[error("the body broke off")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

/// What a body larger than this is answered with.
pub(super) fn too_large(limit_bytes: u64) -> Failure {
    Failure::new(ProblemCode::PayloadTooLarge).detail(format!("The body may have {limit_bytes} bytes."))
}

/// What ends a body early.
pub(super) struct Guard {
    app: AppState,
    session: Arc<LiveSession>,
    idle_timeout: Duration,
    frames: u8,
    watching: Option<Box<Watching>>,
}

struct Watching {
    ended: BoxFuture<'static, ()>,
    idle: Pin<Box<Sleep>>,
    /// Whether the present pause is being timed.
    pauses: bool,
}

impl Guard {
    pub(super) fn new(app: &AppState, session: Arc<LiveSession>, idle_timeout: Duration) -> Self {
        Self { app: app.clone(), session, idle_timeout, frames: 0, watching: None }
    }

    /// Something has come.
    fn moved(&mut self, context: &mut Context<'_>) -> Result<(), BodyError> {
        self.frames = self.frames.saturating_add(1);
        if self.watching.is_none() && self.frames <= UNWATCHED_FRAMES {
            return Ok(());
        }
        let watching = self.watching();
        watching.pauses = false;
        if watching.ended.as_mut().poll(context).is_ready() { Err(BodyError::SessionEnded) } else { Ok(()) }
    }

    /// Nothing has come yet.
    fn waits(&mut self, context: &mut Context<'_>) -> Result<(), BodyError> {
        let idle_timeout = self.idle_timeout;
        let watching = self.watching();
        if watching.ended.as_mut().poll(context).is_ready() {
            return Err(BodyError::SessionEnded);
        }
        if !watching.pauses {
            watching.pauses = true;
            watching.idle.as_mut().reset(Instant::now() + idle_timeout);
        }
        if watching.idle.as_mut().poll(context).is_ready() { Err(BodyError::Idle(idle_timeout)) } else { Ok(()) }
    }

    fn watching(&mut self) -> &mut Watching {
        self.watching.get_or_insert_with(|| {
            let mut watch = self.app.sessions.watch(&self.session);
            Box::new(Watching {
                ended: Box::pin(async move { watch.ended().await }),
                idle: Box::pin(sleep(self.idle_timeout)),
                pauses: true,
            })
        })
    }
}

/// A body on its way through.
pub(super) struct Streamed<B> {
    body: B,
    guard: Guard,
    passes_trailers: bool,
    limit: Option<Limit>,
    ended: bool,
    _kept: (Room, Option<StreamPermit>),
}

#[derive(Clone, Copy)]
struct Limit {
    bytes: u64,
    left: u64,
}

impl Streamed<Incoming> {
    /// An answer on its way to the browser, with what is given back at its end.
    pub(super) fn answer(body: Incoming, guard: Guard, passes_trailers: bool, kept: (Room, Option<StreamPermit>)) -> Self {
        Self { body, guard, passes_trailers, limit: None, ended: false, _kept: kept }
    }
}

impl Streamed<Body> {
    /// The body of a call on its way to the upstream.
    pub(super) fn upload(body: Body, guard: Guard, limit_bytes: Option<u64>) -> Self {
        let limit = limit_bytes.map(|bytes| Limit { bytes, left: bytes });
        Self { body, guard, passes_trailers: true, limit, ended: false, _kept: (None, None) }
    }
}

impl<B> Streamed<B> {
    fn pass(&mut self, frame: Frame<Bytes>) -> Result<Option<Frame<Bytes>>, BodyError> {
        let frame = match frame.into_data() {
            Ok(data) => {
                if let Some(limit) = &mut self.limit {
                    limit.left = limit.left.checked_sub(data.len() as u64).ok_or(BodyError::TooLarge(limit.bytes))?;
                }
                return Ok(Some(Frame::data(data)));
            }
            Err(frame) => frame,
        };
        let trailers = frame.into_trailers().ok().filter(|_| self.passes_trailers);
        Ok(trailers.map(headers::trailer).filter(|trailers| !trailers.is_empty()).map(Frame::trailers))
    }
}

impl<B> HttpBody for Streamed<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.ended {
            return Poll::Ready(None);
        }
        let result = match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Ok(frame))) => this.guard.moved(context).and_then(|()| this.pass(frame)),
            Poll::Ready(Some(Err(error))) => Err(BodyError::Broken(error.into())),
            Poll::Pending => match this.guard.waits(context) {
                Ok(()) => return Poll::Pending,
                Err(error) => Err(error),
            },
        };
        this.ended = result.is_err();
        Poll::Ready(result.transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
