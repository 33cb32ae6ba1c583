//! How long the head of a request may be. What is far too long the listener does not even read.

use crate::{config::LimitsConfig, error::Failure};
use axum::extract::Request;
use oauth2flow_app::problem::ProblemCode;

/// What a line takes beside its name and its value: a colon, a blank, and its end.
const LINE_OVERHEAD_BYTES: usize = 4;

/// Refuses a head that is too long, or has too many fields.
///
/// # Errors
/// `head_too_large`
pub fn check(request: &Request, limits: &LimitsConfig) -> Result<(), Failure> {
    let headers = request.headers();
    if headers.len() > limits.head_fields {
        let detail = format!("The request has {} header fields; {} are taken.", headers.len(), limits.head_fields);
        return Err(Failure::new(ProblemCode::HeadTooLarge).detail(detail));
    }
    let target = request.uri().path().len() + request.uri().query().map_or(0, str::len);
    let bytes = headers.iter().fold(target, |bytes, (name, value)| bytes + name.as_str().len() + value.len() + LINE_OVERHEAD_BYTES);
    if bytes > limits.head_bytes {
        let detail = format!("The head of the request has {bytes} bytes; {} are taken.", limits.head_bytes);
        return Err(Failure::new(ProblemCode::HeadTooLarge).detail(detail));
    }
    Ok(())
}
