//! Reading a request's body, bounded in size and time.

use crate::{error::Failure, serve::BodyTimeout};
use axum::body::{Body, Bytes};
use http_body_util::LengthLimitError;
use oauth2flow_app::problem::ProblemCode;
use std::{error::Error, time::Duration};

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
        Ok(Err(error)) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => {
            Err(Failure::new(ProblemCode::PayloadTooLarge).detail("The request is larger than 16 KiB."))
        }
        Ok(Err(error)) if causes(&error).any(<dyn Error>::is::<BodyTimeout>) => Err(ProblemCode::RequestTimeout.into()),
        Ok(Err(error)) => Err(Failure::new(ProblemCode::InvalidRequest).detail("The request's body did not arrive whole.").source(error)),
        Err(_) => Err(ProblemCode::RequestTimeout.into()),
    }
}

/// An error and what caused it.
fn causes<'error>(error: &'error (dyn Error + 'static)) -> impl Iterator<Item = &'error (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'error (dyn Error + 'static)| (*error).source())
}
