//! Gives every request an id, puts it on every log line about it, and logs the request once when it is answered.
//!
//! Never logged: queries, which hold codes and states; headers and bodies, which hold cookies and tokens.

use crate::{entropy::random, state::AppState};
use axum::{
    extract::{Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};
use std::{fmt, sync::Arc};
use tracing::Instrument as _;

/// The request's id: 16 hexadecimal characters that the log and the problem answer share.
#[derive(Clone, Default)]
pub struct RequestId(Arc<str>);

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Identifies and logs a request.
pub async fn observe(State(app): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = RequestId(format!("{:016x}", u64::from_ne_bytes(random(&*app.entropy))).into());
    request.extensions_mut().insert(id.clone());
    let client = app.client_addresses.identify(&mut request);
    let span = tracing::info_span!("request", request_id = %id, client = %client.0, method = %request.method(), path = request.uri().path());
    let started = app.clock.elapsed();
    async move {
        let mut response = next.run(request).await;
        let duration_ms = app.clock.elapsed().saturating_sub(started).as_secs_f64() * 1000.0;
        tracing::info!(status = response.status().as_u16(), duration_ms, "request answered");
        if let Ok(value) = HeaderValue::try_from(&*id.0) {
            response.headers_mut().insert("x-request-id", value);
        }
        response
    }
    .instrument(span)
    .await
}
