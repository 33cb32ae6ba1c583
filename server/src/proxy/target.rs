//! Where a call goes: the same path below the upstream's address, and nowhere else (A36).

use crate::error::Failure;
use axum::http::uri::PathAndQuery;
use oauth2flow_app::problem::ProblemCode;

const PREFIX: &str = "/api/v1/proxy/";

/// The upstream's name and the rest of the path, as they came over the wire.
pub fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(PREFIX)?;
    Some(match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    })
}

/// Refuses a path that could mean another place to the upstream than it does here. In this order:
///
/// 1. It holds no backslash, and no two slashes one after the other.
/// 2. No slash, backslash, dot or zero byte is encoded, not even twice.
/// 3. No segment is `.` or `..`, with parameters behind a semicolon or without.
///
/// # Errors
/// `invalid_path`
pub fn check(path: &str) -> Result<(), Failure> {
    let bytes = path.as_bytes();
    let mut before = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        let is_ambiguous = match byte {
            b'\\' => true,
            b'/' => before == b'/',
            b'%' => hides_syntax(&bytes[index + 1..]),
            _ => false,
        };
        if is_ambiguous {
            return Err(ProblemCode::InvalidPath.into());
        }
        before = byte;
    }
    if path.contains("/.") && path.split('/').any(|segment| matches!(segment.split(';').next(), Some("." | ".."))) {
        return Err(ProblemCode::InvalidPath.into());
    }
    Ok(())
}

/// Whether what stands behind a percent sign is a character that means something in a path, encoded once or several times.
fn hides_syntax(mut code: &[u8]) -> bool {
    while let [b'2', b'5', rest @ ..] = code {
        code = rest;
    }
    matches!(code, [b'2', b'e' | b'E' | b'f' | b'F', ..] | [b'5', b'c' | b'C', ..] | [b'0', b'0', ..])
}

/// The path at the upstream, whose own path comes first.
///
/// # Errors
/// `invalid_path`
pub(super) fn path_and_query(base: &str, path: &str, query: Option<&str>) -> Result<PathAndQuery, Failure> {
    let mut target = String::with_capacity(base.len() + path.len() + 1 + query.map_or(0, |query| query.len() + 1));
    target.push_str(base);
    target.push_str(path);
    if target.is_empty() {
        target.push('/');
    }
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    PathAndQuery::from_maybe_shared(target).map_err(|error| Failure::new(ProblemCode::InvalidPath).source(error))
}

#[cfg(test)]
mod tests {
    use super::{check, path_and_query, split};
    use axum::http::Uri;

    #[test]
    fn a36_a_path_that_means_two_places_is_refused() {
        for path in [
            "/../secret",
            "/a/../../secret",
            "/a/..",
            "/./a",
            "//evil.example",
            "/http://evil",
            "/%2e%2e/secret",
            "/%2E%2e/secret",
            "/a%2f..%2fb",
            "/a%5Cb",
            "/\\evil",
            "/a%00b",
            "/..;/admin",
            "/a/.;x/b",
            "/%252e%252e/admin",
            "/a%252Fb",
            "/a%25252Fb",
            "/a%2500",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
        for path in [
            "",
            "/",
            "/notes/1",
            "/@evil.example/",
            "/a.b/..c/d..",
            "/.well-known/x",
            "/a%20b%c3%a4",
            "/100%25",
            "/%25",
            "/a%2",
            "/%",
            "/a:b;c=d",
        ] {
            assert!(check(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn a36_a_path_never_leaves_its_upstream() {
        for (base, path, query, expected) in [
            ("", "", None, "/"),
            ("", "", Some("x"), "/?x"),
            ("", "/", None, "/"),
            ("/v1", "", None, "/v1"),
            ("/v1", "/", None, "/v1/"),
            ("/v1", "/notes/1", None, "/v1/notes/1"),
            ("/v1", "/@evil.example/", None, "/v1/@evil.example/"),
            ("/v1", "/a", Some("x=//../&y=1"), "/v1/a?x=//../&y=1"),
            ("/v1", "/a", Some(""), "/v1/a?"),
        ] {
            assert_eq!(path_and_query(base, path, query).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn a36_an_absolute_form_target_counts_by_its_path_only() {
        let uri: Uri = "http://evil.example/api/v1/proxy/notes/1".parse().unwrap();
        assert_eq!(split(uri.path()), Some(("notes", "/1")));
        assert_eq!(split("/api/v1/proxy/notes"), Some(("notes", "")));
        assert_eq!(split("/api/v1/session"), None);
    }
}
