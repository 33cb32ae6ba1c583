//! Where a call goes: the same path below the upstream's address, and nowhere else (A36).

use crate::error::Failure;
use axum::http::uri::PathAndQuery;
use oauth2flow_app::problem::ProblemCode;

const PREFIX: &str = "/api/v1/proxy/";

/// Whether a path names an upstream.
pub fn is_below(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

/// The upstream's name and the rest of the path, as they came over the wire.
pub fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(PREFIX)?;
    Some(match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    })
}

/// Refuses a path that could mean another place to the upstream than it does here, however often that decodes it. In this order:
///
/// 1. No slash, backslash, dot or zero byte is encoded, not even several times, and not in pieces.
/// 2. It holds no backslash, and no two slashes one after the other.
/// 3. No segment is `.` or `..`, with parameters behind a semicolon or without.
///
/// # Errors
/// `invalid_path`
pub fn check(path: &str) -> Result<(), Failure> {
    let means_one_place = if path.contains('%') {
        decoded(path.as_bytes()).is_some_and(|decoded| means_one_place(&decoded))
    } else {
        means_one_place(path.as_bytes())
    };
    if means_one_place { Ok(()) } else { Err(ProblemCode::InvalidPath.into()) }
}

fn means_one_place(path: &[u8]) -> bool {
    let mut before = 0;
    let is_clear = path.iter().all(|&byte| byte != b'\\' && !(std::mem::replace(&mut before, byte) == b'/' && byte == b'/'));
    is_clear && path.split(|&byte| byte == b'/').all(|segment| !is_dots(segment))
}

fn is_dots(segment: &[u8]) -> bool {
    matches!(segment, [b'.'] | [b'.', b'.'] | [b'.', b';', ..] | [b'.', b'.', b';', ..])
}

/// The path as it is when there is nothing left to decode; `None` when something that means something in a path comes out of that.
///
/// What a code stands for can be a part of the next one, so after each byte it is looked whether it ends a code.
fn decoded(path: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(path.len());
    for &byte in path {
        decoded.push(byte);
        while let Some(([rest @ .., b'%'], &[high, low])) = decoded.split_last_chunk() {
            let (Some(high), Some(low), length) = (hexadecimal(high), hexadecimal(low), rest.len()) else { break };
            let byte = high << 4 | low;
            if matches!(byte, b'/' | b'\\' | b'.' | 0) {
                return None;
            }
            decoded.truncate(length);
            decoded.push(byte);
        }
    }
    Some(decoded)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
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
    use proptest::prelude::*;

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
            "/%25%32%65",
            "/%2%65%2%65/admin",
            "/%%32%65",
            "/%2%35%32%65",
            "/..%3b/admin",
            "/..%253Bx",
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
            "/a%3bb",
            "/%25%32%35",
            "/%2%2%2",
        ] {
            assert!(check(path).is_ok(), "{path}");
        }
    }

    /// Decodes what can be, all at once and once.
    fn decode_once(mut path: &[u8]) -> Vec<u8> {
        let mut decoded = Vec::new();
        while let [byte, rest @ ..] = path {
            let code = rest.first_chunk::<2>().and_then(|code| str::from_utf8(code).ok()).filter(|_| *byte == b'%');
            let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
            decoded.push(code.unwrap_or(*byte));
            path = if code.is_some() { &rest[2..] } else { rest };
        }
        decoded
    }

    /// Each character as it is, or encoded, over and over.
    fn encodings(text: &'static str) -> impl Strategy<Value = String> {
        let start = Just(text.to_owned()).boxed();
        (0..4).fold(start, |texts, _| {
            let encode = |text: String| {
                let choices = prop::collection::vec(0..3_u8, text.len());
                choices.prop_map(move |choices| {
                    let each = text.bytes().zip(choices);
                    each.map(|(byte, choice)| match choice {
                        0 => format!("%{byte:02x}"),
                        1 => format!("%{byte:02X}"),
                        _ => char::from(byte).to_string(),
                    })
                    .collect()
                })
            };
            texts.prop_flat_map(encode).boxed()
        })
    }

    proptest! {
        #[test]
        fn a36_nothing_hides_behind_any_number_of_encodings(
            hidden in prop_oneof![encodings(".."), encodings("."), encodings("..;"), encodings("x/../y"), encodings("\\"), encodings("//")],
        ) {
            let path = format!("/a/{hidden}/b");
            prop_assert!(check(&path).is_err(), "{path}");
        }

        #[test]
        fn a36_what_is_let_through_means_the_same_however_often_it_is_decoded(path in "/[%23456EeFfCc0/.;a]{0,24}") {
            prop_assume!(check(&path).is_ok());
            let count = |text: &[u8], wanted: u8| text.split(|byte| *byte == wanted).count();
            let mut decoded = path.clone().into_bytes();
            for _ in 0..path.len() {
                decoded = decode_once(&decoded);
                for syntax in [b'/', b'.', b'\\', 0] {
                    prop_assert_eq!(count(&decoded, syntax), count(path.as_bytes(), syntax));
                }
                let is_dots = |segment: &[u8]| matches!(segment.split(|byte| *byte == b';').next(), Some(b"." | b".."));
                prop_assert!(!decoded.split(|byte| *byte == b'/').any(is_dots));
            }
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
