//! Which calls may be made a second time.
//!
//! A call is made again when the connection broke before there was an answer, and nobody can tell whether the upstream has seen it: only
//! if its method changes nothing more the second time ([RFC 9110 §9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)). And when
//! the upstream itself said that it has not carried it out, for want of a good token or a nonce. In both cases its body must still be there.

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{HeaderMap, Method, header},
};
use http_body_util::BodyExt as _;

/// How large a body may be that is kept until it is known that it need not be sent twice.
const MAXIMUM_REPLAY_BYTES: u64 = 64 * 1024;

/// Whether a second time changes nothing more.
pub(super) const fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
}

/// The length that a call gives for its body.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A body that may be sent a second time, if it is small.
pub(super) enum Replayable {
    Whole(Bytes),
    Stream(Body),
}

impl Replayable {
    /// Keeps a body that says that it is small; another one is passed on as it comes.
    ///
    /// # Errors
    /// When it breaks off.
    pub(super) async fn read(body: Body, headers: &HeaderMap) -> Result<Self, axum::Error> {
        if body.is_end_stream() {
            return Ok(Self::Whole(Bytes::new()));
        }
        if content_length(headers).is_none_or(|length| length > MAXIMUM_REPLAY_BYTES) {
            return Ok(Self::Stream(body));
        }
        Ok(Self::Whole(body.collect().await?.to_bytes()))
    }

    /// Whether it can be sent once more.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// The body, for the next time.
    pub(super) fn take(&mut self) -> Body {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => Body::empty(),
            Self::Whole(bytes) => Body::from(bytes.clone()),
            Self::Stream(body) => std::mem::take(body),
        }
    }
}
