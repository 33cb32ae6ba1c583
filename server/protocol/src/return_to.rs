//! Where the user was going: a path of this origin, and nothing else.

use std::fmt;

use url::{Position, Url};

/// The longest target, in bytes.
pub const MAXIMUM_RETURN_TO_BYTES: usize = 1024;

/// How often a path may be percent-encoded on top of itself. Nobody means more than one; each of them is looked through.
const MAXIMUM_ENCODINGS: usize = 4;

/// A path of this origin with its query and fragment: what a login may lead back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Reads a target; anything that is not a plain path of this origin becomes `/`. What is kept is the path as the
    /// [URL standard](https://url.spec.whatwg.org/) writes it, in ASCII. In this order:
    ///
    /// 1. It has at most [`MAXIMUM_RETURN_TO_BYTES`], before and after.
    /// 2. It begins with a `/`, but not with two, and has no backslash, which browsers read as a slash, and no control
    ///    character, which they skip over.
    /// 3. Resolved against an origin as a browser resolves it, it stays on that origin, and its path does not begin with `//`:
    ///    `/.//evil.example` would, and a router that takes the path for an address would leave.
    /// 4. The same holds for the path after percent-decoding, however often it is encoded: somebody may decode it.
    /// 5. It is neither the callback, which would find nothing to finish, nor the API.
    ///
    /// [RFC 9700 §4.11](https://www.rfc-editor.org/rfc/rfc9700#section-4.11)
    pub fn parse(target: &str) -> Self {
        Self::read(target).map_or_else(Self::default, Self)
    }

    /// The target: always begins with exactly one `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(target: &str) -> Option<String> {
        if target.len() > MAXIMUM_RETURN_TO_BYTES || !is_plain(target) {
            return None;
        }
        let base = Url::parse(BASE).ok()?;
        let url = base.join(target).ok().filter(|url| url.origin() == base.origin())?;
        let kept = &url[Position::BeforePath..];
        if kept.len() > MAXIMUM_RETURN_TO_BYTES {
            return None;
        }
        let mut path = url.path().to_owned();
        for _ in 0..=MAXIMUM_ENCODINGS {
            let plain = is_plain(&path).then(|| without_dot_segments(&path)).filter(|path| is_plain(path))?;
            if is_reserved(&plain) {
                return None;
            }
            let decoded = percent_decode(&path)?;
            if decoded == path {
                return Some(kept.to_owned());
            }
            path = decoded;
        }
        None
    }
}

/// Any origin will do: what matters is whether a target stays on it.
const BASE: &str = "https://origin.invalid/";

/// Whether the text begins with exactly one slash and holds nothing that a browser reads as a slash or skips over.
fn is_plain(target: &str) -> bool {
    target.starts_with('/')
        && !target.starts_with("//")
        && !target.chars().any(|character| character == '\\' || character.is_control() || matches!(character, '\u{2028}' | '\u{2029}'))
}

/// Whether the path is the callback's or the API's.
fn is_reserved(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    ["/callback", "/api"]
        .into_iter()
        .any(|reserved| path.strip_prefix(reserved).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// The path without `.` and `..`. [RFC 3986 §5.2.4](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4)
fn without_dot_segments(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/"))
}

/// The text that is percent-encoded, if it is text.
fn percent_decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let digits = (byte == b'%').then(|| text.get(index + 1..index + 3)).flatten();
        // `from_str_radix` would take a sign for a digit.
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        if let Some(value) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(value);
            index += 3;
        } else {
            decoded.push(byte);
            index += 1;
        }
    }
    String::from_utf8(decoded).ok()
}

impl Default for ReturnTo {
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl fmt::Display for ReturnTo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
