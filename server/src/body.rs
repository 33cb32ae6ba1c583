//! Reading a request's body, bounded in size and time.

use crate::error::Failure;
use axum::body::{Body, Bytes};
use http_body_util::LengthLimitError;
use oauth2flow_app::problem::ProblemCode;
use std::{error::Error, time::Duration};

/// The largest body that is read outside the proxy.
pub const MAXIMUM_BODY_BYTES: usize = 16 * 1024;

/// How long a browser may take to send it.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the whole body.
///
/// # Errors
/// `payload_too_large`, or `invalid_request` when it does not arrive.
pub async fn read(body: Body) -> Result<Bytes, Failure> {
    match tokio::time::timeout(READ_TIMEOUT, axum::body::to_bytes(body, MAXIMUM_BODY_BYTES)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => {
            Err(Failure::new(ProblemCode::PayloadTooLarge).detail("The request is larger than 16 KiB."))
        }
        Ok(Err(error)) => Err(Failure::new(ProblemCode::InvalidRequest).detail("The request's body did not arrive whole.").source(error)),
        Err(_) => Err(Failure::new(ProblemCode::InvalidRequest).detail("The request's body took longer than ten seconds to arrive.")),
    }
}
