//! Gives every request an id, puts it on every log line about it, and logs the request once when it is answered.
//!
//! Never logged: queries, which hold codes and states; headers and bodies, which hold cookies and tokens.

use crate::{
    entropy::{Entropy, random},
    state::AppState,
};
use axum::{extract::Request, http::HeaderValue, response::Response};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
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

    /// As text.
    pub fn as_str(&self) -> &str {
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

/// Makes ids for requests: each once, and elsewhere others. They are no secrets, so the system is not asked for each.
#[derive(Debug)]
pub struct RequestIds(AtomicU64);

impl RequestIds {
    /// Begins anywhere.
    pub fn new(entropy: &dyn Entropy) -> Self {
        Self(AtomicU64::new(u64::from_be_bytes(random(entropy))))
    }

    /// The next one. An odd step comes to every number once, and what mixes its bits can be undone, so no two are the same.
    /// [Steele, Lea and Flood: Fast splittable pseudorandom number generators](https://doi.org/10.1145/2660193.2660195)
    fn next(&self) -> RequestId {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let number = self.0.fetch_add(STEP, Ordering::Relaxed);
        let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        RequestId::new(number ^ (number >> 31))
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
    pub fn begin(app: &AppState, ids: &RequestIds, request: &mut Request) -> Self {
        let id = ids.next();
        request.extensions_mut().insert(id);
        let client = app.client_addresses.identify(request);
        let (method, path) = (request.method(), request.uri().path());
        let span = tracing::info_span!("request", request_id = %id, client = %client, method = %method, path);
        Self { id, span, started: app.clock.elapsed() }
    }

    /// What all that is logged about the request belongs to.
    pub const fn span(&self) -> &Span {
        &self.span
    }

    /// Logs the request, and tells its id to whoever asked.
    pub fn answered(self, app: &AppState, response: &mut Response) {
        let duration = app.clock.elapsed().saturating_sub(self.started);
        // To the microsecond: nobody reads more.
        let duration_ms =
            u32::try_from(duration.as_micros()).map_or_else(|_| duration.as_secs_f64() * 1000.0, |micros| f64::from(micros) / 1000.0);
        tracing::info!(status = response.status().as_u16(), duration_ms, "request answered");
        if let Ok(value) = HeaderValue::from_bytes(&self.id.0) {
            response.headers_mut().insert("x-request-id", value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RequestId, RequestIds};
    use crate::entropy::SystemEntropy;
    use std::collections::HashSet;

    #[test]
    fn an_id_is_sixteen_hexadecimal_characters() {
        assert_eq!(RequestId::new(0x0123_4567_89ab_cdef).to_string(), "0123456789abcdef");
        assert_eq!(RequestId::new(0xf).to_string(), "000000000000000f");
    }

    #[test]
    fn no_two_requests_have_the_same_id() {
        let ids = RequestIds::new(&SystemEntropy);
        let drawn: HashSet<_> = (0..10_000).map(|_| ids.next().to_string()).collect();
        assert_eq!(drawn.len(), 10_000);
        let elsewhere = RequestIds::new(&SystemEntropy);
        assert!((0..10_000).all(|_| !drawn.contains(elsewhere.next().as_str())));
    }
}
