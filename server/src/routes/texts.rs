//! `GET /pkg/texts/{version}/{language}/{group}`: what a part of the app says, in one language.

use crate::error::Failure;
use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use oauth2flow_app::{
    language::Language,
    problem::ProblemCode,
    texts::{Group, VERSION, catalog},
};

/// The texts, one a line. They never change: other texts have another version, and with it another address.
///
/// # Errors
/// `not_found`, also for a page of another version of the app: it offers to be loaded again
pub async fn handler(Path((version, language, group)): Path<(String, String, String)>) -> Result<Response, Failure> {
    let language = Language::parse(&language).filter(|_| version == VERSION).ok_or(ProblemCode::NotFound)?;
    let group = Group::ALL.into_iter().find(|known| known.name() == group).ok_or(ProblemCode::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag())),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    Ok((headers, catalog(language, group)).into_response())
}
