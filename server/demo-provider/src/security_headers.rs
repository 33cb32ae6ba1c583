//! The headers that every answer carries.

use std::collections::BTreeSet;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use url::Url;

use crate::{DemoProviderConfig, state::AppState};

/// The policy of every page: no script, nothing foreign, no frames.
///
/// Chromium holds `form-action` against the redirects after a form too, so the client's own origins are in it.
pub(crate) fn content_security_policy(config: &DemoProviderConfig) -> HeaderValue {
    let client_origins: BTreeSet<String> = config
        .redirect_uris
        .iter()
        .chain(&config.post_logout_redirect_uris)
        .filter_map(|uri| Url::parse(uri).ok())
        .map(|uri| uri.origin())
        .filter(url::Origin::is_tuple)
        .map(|origin| origin.ascii_serialization())
        .collect();
    let origins = client_origins.into_iter().map(|origin| format!(" {origin}")).collect::<Vec<_>>().concat();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{origins}; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

/// Adds the headers to an answer.
pub(crate) async fn add(State(state): State<AppState>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    // A page that posts itself has a policy of its own.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| state.content_security_policy.clone());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
