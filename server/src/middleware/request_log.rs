//! Gives every request an id, puts it on every log line about it, and logs the request once when it is answered.
//!
//! Never logged: queries, which hold codes and states; headers and bodies, which hold cookies and tokens.

use crate::{entropy::random, state::AppState};
use axum::{extract::Request, http::HeaderValue, response::Response};
use std::{fmt, time::Duration};
use tracing::Span;

/// The request's id: 16 hexadecimal characters that the log and the problem answer share.
#[derive(Clone, Copy)]
pub struct RequestId([u8; 16]);

impl RequestId {
    fn new(number: u64) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let nibbles = number.to_be_bytes().map(|byte| [byte >> 4, byte & 15]);
        let nibbles = nibbles.as_flattened();
        Self(std::array::from_fn(|place| DIGITS[usize::from(nibbles[place])]))
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Default for RequestId {
    /// The id of what is no request of anybody's.
    fn default() -> Self {
        Self::new(0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A request under way.
pub struct Observed {
    id: RequestId,
    span: Span,
    started: Duration,
}

impl Observed {
    /// Gives the request its id, and finds out whose it is.
    pub fn begin(app: &AppState, request: &mut Request) -> Self {
        let id = RequestId::new(u64::from_be_bytes(random(&*app.entropy)));
        request.extensions_mut().insert(id);
        let client = app.client_addresses.identify(request);
        let (method, path) = (request.method(), request.uri().path());
        let span = tracing::info_span!("request", request_id = %id, client = %client.0, method = %method, path);
        Self { id, span, started: app.clock.elapsed() }
    }

    /// What all that is logged about the request belongs to.
    pub const fn span(&self) -> &Span {
        &self.span
    }

    /// Logs the request, and tells its id to whoever asked.
    pub fn answered(self, app: &AppState, response: &mut Response) {
        let duration_ms = app.clock.elapsed().saturating_sub(self.started).as_secs_f64() * 1000.0;
        tracing::info!(status = response.status().as_u16(), duration_ms, "request answered");
        if let Ok(value) = HeaderValue::from_bytes(&self.id.0) {
            response.headers_mut().insert("x-request-id", value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn an_id_is_sixteen_hexadecimal_characters() {
        assert_eq!(RequestId::new(0x0123_4567_89ab_cdef).to_string(), "0123456789abcdef");
        assert_eq!(RequestId::new(0xf).to_string(), "000000000000000f");
    }
}
