//! A posted form.

use axum::http::{HeaderMap, header};

use crate::parameters::Parameters;

/// Reads a form; `None` when the body is not one.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Option<Parameters> {
    is_form(headers).then_some(())?;
    std::str::from_utf8(body).ok().map(Parameters::parse)
}

fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// The content type without its parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()?.split(';').next().map(str::trim)
}
