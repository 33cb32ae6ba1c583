//! Who is signed in, in header fields: for apps behind a reverse proxy, and for APIs behind the proxy of this server.

use crate::session::live::LiveSession;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use oauth2flow_protocol::access::Known;
use std::fmt::Write as _;

const USER: HeaderName = HeaderName::from_static("x-auth-request-user");
const EMAIL: HeaderName = HeaderName::from_static("x-auth-request-email");
const NAME: HeaderName = HeaderName::from_static("x-auth-request-name");
const LOGIN: HeaderName = HeaderName::from_static("x-auth-request-login");
const PROVIDER: HeaderName = HeaderName::from_static("x-auth-request-provider");
const GROUPS: HeaderName = HeaderName::from_static("x-auth-request-groups");
const GROUPS_INCOMPLETE: HeaderName = HeaderName::from_static("x-auth-request-groups-incomplete");

/// The most bytes of the groups: nginx takes 4 KiB for all header fields of an answer, unless it is told otherwise.
const MAXIMUM_GROUPS_BYTES: usize = 2 * 1024;

/// Says who the user is, and who says so: `sub` is one provider's word. An address that nobody has verified is left out, since
/// anybody may have claimed it.
pub fn tell(headers: &mut HeaderMap, session: &LiveSession) {
    let user = &session.profile.user;
    let email = user.email.as_deref().filter(|_| user.email_verified == Some(true));
    for (name, value) in [
        (USER, Some(user.sub.as_str())),
        (EMAIL, email),
        (NAME, user.name.as_deref()),
        (LOGIN, user.login.as_deref()),
        (PROVIDER, Some(session.provider.as_str())),
    ] {
        if let Some(value) = value {
            insert(headers, name, &encode(value));
        }
    }
    let (groups, is_incomplete) = list(&session.profile.facts.groups);
    if !groups.is_empty() {
        insert(headers, GROUPS, &groups);
    }
    if is_incomplete {
        headers.insert(GROUPS_INCOMPLETE, HeaderValue::from_static("true"));
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // What is encoded is visible ASCII, which every field may hold.
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// The groups with commas between them, and whether some are missing.
fn list(groups: &Known) -> (String, bool) {
    let mut text = String::new();
    for group in &groups.values {
        let group = encode(group);
        if text.len() + group.len() + 1 > MAXIMUM_GROUPS_BYTES {
            return (text, true);
        }
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&group);
    }
    (text, groups.incomplete)
}

/// The text as a field can hold it: UTF-8, percent-encoded ([RFC 3986 §2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)) but
/// for the visible ASCII characters and the blank between two of them. The percent sign itself, and the comma, which separates lists,
/// are encoded too, so that decoding is all that a reader has to do.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (index, byte) in text.bytes().enumerate() {
        let is_inner_blank = byte == b' ' && index != 0 && index != last;
        if is_inner_blank || byte.is_ascii_graphic() && !matches!(byte, b'%' | b',') {
            encoded.push(byte.into());
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::{MAXIMUM_GROUPS_BYTES, encode, list};
    use oauth2flow_protocol::access::Known;

    #[test]
    fn a_value_cannot_end_its_field_and_is_decoded_to_what_it_was() {
        for (text, encoded) in [
            ("Alice Example", "Alice Example"),
            ("alice@example.com", "alice@example.com"),
            ("Zoë, 100%", "Zo%C3%AB%2C 100%25"),
            ("a\r\nX-Auth-Request-User: admin", "a%0D%0AX-Auth-Request-User: admin"),
            (" \t\0", "%20%09%00"),
            ("\u{202e}", "%E2%80%AE"),
            (" ", "%20"),
            ("", ""),
        ] {
            assert_eq!(encode(text), encoded, "{text:?}");
        }
    }

    #[test]
    fn groups_that_do_not_fit_are_missed() {
        let known = |values: Vec<String>| Known { values: values.into_iter().collect(), incomplete: false };
        assert_eq!(list(&known(vec!["b".into(), "a,c".into()])), ("a%2Cc,b".to_owned(), false));
        assert_eq!(list(&Known::left_out()), (String::new(), true));
        let (text, is_incomplete) = list(&known((0..1000).map(|number| format!("group-{number}")).collect()));
        assert!(is_incomplete && text.len() <= MAXIMUM_GROUPS_BYTES && text.len() > MAXIMUM_GROUPS_BYTES - 20, "{}", text.len());
    }
}
