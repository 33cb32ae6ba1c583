//! Reading a request's body, bounded in size and time.

use crate::{error::Failure, serve::BodyTimeout};
use axum::body::{Body, Bytes};
use http_body_util::{LengthLimitError, Limited};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use oauth2flow_app::problem::ProblemCode;
use std::{
    error::Error,
    future::Future as _,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// The largest body that is read outside the proxy.
pub const MAXIMUM_BODY_BYTES: usize = 16 * 1024;

/// How long a browser may take to send it, however steadily it does. One that stops is noticed by the listener.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads the whole body.
///
/// # Errors
/// `payload_too_large`, `request_timeout`, or `invalid_request` when it does not arrive.
pub async fn read(body: Body) -> Result<Bytes, Failure> {
    match tokio::time::timeout(READ_TIMEOUT, axum::body::to_bytes(body, MAXIMUM_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => {
            Err(Failure::new(ProblemCode::PayloadTooLarge).detail("The request is larger than 16 KiB."))
        }
        Ok(Err(error)) if is_late(&error) => Err(ProblemCode::RequestTimeout.into()),
        Ok(Err(error)) => Err(Failure::new(ProblemCode::InvalidRequest).detail("The request's body did not arrive whole.").source(error)),
        Err(_) => Err(ProblemCode::RequestTimeout.into()),
    }
}

/// How large the bodies of requests to routes of an app's developer may be, and how long each may take to arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit {
    /// The most bytes.
    pub maximum_bytes: usize,
    /// The most time, from when the handler begins to read, however steadily the bytes come.
    pub timeout: Duration,
}

impl Default for BodyLimit {
    fn default() -> Self {
        Self { maximum_bytes: MAXIMUM_BODY_BYTES, timeout: READ_TIMEOUT }
    }
}

impl BodyLimit {
    /// Whether a body says of itself that it is larger.
    pub fn is_exceeded_by(self, body: &Body) -> bool {
        usize::try_from(body.size_hint().lower()).map_or(true, |bytes| bytes > self.maximum_bytes)
    }

    /// Holds a body to the limit, whoever reads it.
    pub fn bind(self, body: Body) -> Body {
        // Nothing to wait for, and nothing to measure.
        if body.is_end_stream() {
            return body;
        }
        Body::new(Bounded { body: Limited::new(body, self.maximum_bytes), timeout: self.timeout, alarm: None })
    }
}

/// A body that ends in an error where it is too large or too late.
struct Bounded {
    body: Limited<Body>,
    timeout: Duration,
    /// Set when somebody begins to read.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let timeout = self.timeout;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(timeout)));
        if alarm.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(BodyTimeout.into())));
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether a body is not read whole because it is too large.
pub(crate) fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(<dyn Error>::is::<LengthLimitError>)
}

/// Whether a body is not read whole because it takes too long.
pub(crate) fn is_late(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(<dyn Error>::is::<BodyTimeout>)
}

/// An error and what caused it.
fn causes<'error>(error: &'error (dyn Error + 'static)) -> impl Iterator<Item = &'error (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'error (dyn Error + 'static)| (*error).source())
}

#[cfg(test)]
mod tests {
    use super::{BodyLimit, is_late, is_too_large};
    use axum::body::{Body, Bytes, to_bytes};
    use futures_util::{StreamExt as _, stream};
    use std::{convert::Infallible, time::Duration};

    const LIMIT: BodyLimit = BodyLimit { maximum_bytes: 4, timeout: Duration::from_secs(30) };

    /// A body that does not say how long it is.
    fn pieces(pieces: &'static [&'static str]) -> Body {
        Body::from_stream(stream::iter(pieces).map(|piece| Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes()))))
    }

    #[tokio::test]
    async fn a_body_is_held_to_its_size_whoever_reads_it() {
        assert_eq!(to_bytes(LIMIT.bind(pieces(&["12", "34"])), usize::MAX).await.unwrap(), "1234");
        let error = to_bytes(LIMIT.bind(pieces(&["12", "34", "5"])), usize::MAX).await.unwrap_err();
        assert!(is_too_large(&error) && !is_late(&error), "{error:?}");
        assert!(LIMIT.is_exceeded_by(&Body::from("12345")) && !LIMIT.is_exceeded_by(&Body::from("1234")));
        assert!(!LIMIT.is_exceeded_by(&pieces(&["12345"])), "nobody knows yet");
        assert!(to_bytes(LIMIT.bind(Body::empty()), 0).await.unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_steadily_but_too_slowly_ends_in_an_error() {
        let drip = |count| {
            let steps = stream::iter(0..count).then(|_| async {
                tokio::time::sleep(Duration::from_secs(14)).await;
                Ok::<_, Infallible>(Bytes::from_static(b"x"))
            });
            LIMIT.bind(Body::from_stream(steps))
        };
        assert_eq!(to_bytes(drip(2), usize::MAX).await.unwrap(), "xx");
        let error = to_bytes(drip(3), usize::MAX).await.unwrap_err();
        assert!(is_late(&error) && !is_too_large(&error), "{error:?}");
    }
}
