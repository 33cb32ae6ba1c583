//! The headers that every answer carries; a page sets its own content security policy.

use crate::state::AppState;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What an answer that is no page may do: nothing, even when somebody opens it as one.
const NOTHING: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox");

/// How many they are, with the request's id, which comes last.
const MOST: usize = 8;

/// What the answer for a path carries.
#[derive(Clone, Copy)]
pub struct SecurityHeaders {
    referrer_policy: &'static str,
    private: bool,
}

impl SecurityHeaders {
    /// Those for this path.
    pub fn for_path(path: &str) -> Self {
        let referrer_policy =
            if path == "/callback" || path.starts_with("/api/v1/oauth/") { "no-referrer" } else { "strict-origin-when-cross-origin" };
        Self { referrer_policy, private: path.starts_with("/api/v1/") || path == "/callback" }
    }

    /// Sets them.
    pub fn set(self, app: &AppState, headers: &mut HeaderMap) {
        // At once, instead of again and again.
        headers.reserve(MOST);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static(self.referrer_policy));
        headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
        headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING);
        if self.private {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        if app.config.server.public_url.is_secure() {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000"));
        }
    }
}
