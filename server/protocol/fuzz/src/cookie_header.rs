//! The Cookie header. [RFC 6265 §5.4](https://www.rfc-editor.org/rfc/rfc6265#section-5.4)

use crate::cookie::{Cookies, Presented};
use axum::http::{HeaderMap, HeaderValue, header::COOKIE};

/// The name that this origin alone can set.
const SESSION: &str = "__Host-Http-session";
const TRANSACTION_PREFIX: &str = "__Host-Http-tx-";

/// A value is trusted only when its name comes once, in all lines together. Accepted is a request with a session.
pub fn cookie_header(input: &[u8]) -> bool {
    let headers: HeaderMap =
        input.split(|byte| *byte == b'\n').filter_map(|line| Some((COOKIE, HeaderValue::from_bytes(line).ok()?))).collect();
    let cookies = Cookies::new(true);
    // Counted by another rule than the parser's: by every place where a cookie of this name could begin.
    let lines: Vec<&str> = headers.values().filter_map(|value| value.to_str().ok()).collect();
    let values: Vec<&str> =
        lines.iter().flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().strip_prefix(SESSION)?.strip_prefix('=')).collect();
    match cookies.session(&headers) {
        Presented::Value(value) => assert_eq!(values, [value]),
        Presented::Ambiguous => assert!(values.len() > 1, "{values:?}"),
        Presented::Absent => assert!(values.is_empty(), "{values:?}"),
    }
    for (id, value) in cookies.transactions(&headers) {
        assert!(lines.iter().any(|line| line.contains(&format!("{TRANSACTION_PREFIX}{id}={value}"))), "{id:?}");
        match cookies.transaction(&headers, id) {
            Presented::Value(found) => assert_eq!(found, value),
            Presented::Ambiguous => {}
            Presented::Absent => panic!("{id:?} is there and is not found"),
        }
    }
    matches!(cookies.session(&headers), Presented::Value(_))
}
