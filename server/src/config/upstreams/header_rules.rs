//! Header fields that the configuration adds and takes away.

use super::settings::{REMOVE_REQUEST_HEADERS, REMOVE_RESPONSE_HEADERS, SET_REQUEST_HEADERS, SET_RESPONSE_HEADERS};
use crate::config::reader::Reader;
use crate::config::setting::Declared;
use crate::config::value::{Raw, Unreadable, Value, quoted};
use http::{HeaderName, HeaderValue};

/// The header fields that the configuration adds and takes away. The values that go to the API are secrets; `Debug` does not show them.
#[derive(Clone, Debug, Default)]
pub struct HeaderRules {
    /// What every call gets, in the place of what the browser has sent.
    pub set_request: Vec<(HeaderName, HeaderValue)>,
    /// What the API is not to see.
    pub remove_request: Vec<HeaderName>,
    /// What every answer gets, in the place of the API's own.
    pub set_response: Vec<(HeaderName, HeaderValue)>,
    /// What the browser is not to see.
    pub remove_response: Vec<HeaderName>,
}

impl HeaderRules {
    /// Reads the rules.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let fields = |fields: Option<HeaderFields>| fields.map(|HeaderFields(fields)| fields).unwrap_or_default();
        let mut set_request = fields(reader.value_or_file(&SET_REQUEST_HEADERS));
        for (_, value) in &mut set_request {
            value.set_sensitive(true);
        }
        let set_response = fields(reader.optional(&SET_RESPONSE_HEADERS));
        let remove_request = reader.optional(&REMOVE_REQUEST_HEADERS).unwrap_or_default();
        let remove_response = reader.optional(&REMOVE_RESPONSE_HEADERS).unwrap_or_default();
        for (name, _) in &set_request {
            refuse(reader, &SET_REQUEST_HEADERS, name, |name| is_framing(name) || is_of_the_call(name));
        }
        for (name, _) in &set_response {
            refuse(reader, &SET_RESPONSE_HEADERS, name, |name| is_framing(name) || is_of_the_origin(name));
        }
        let remove_request = names(reader, &REMOVE_REQUEST_HEADERS, &remove_request);
        let remove_response = names(reader, &REMOVE_RESPONSE_HEADERS, &remove_response);
        Self { set_request, remove_request, set_response, remove_response }
    }
}

fn names(reader: &mut Reader<'_>, setting: &dyn Declared, texts: &[String]) -> Vec<HeaderName> {
    let mut names = Vec::new();
    for text in texts {
        match text.parse::<HeaderName>() {
            Ok(name) => {
                refuse(reader, setting, &name, is_framing);
                names.push(name);
            }
            Err(_) => {
                reader.problem(setting, format!("“{text}” is not the name of a header field."), "Write names, such as [\"X-Api-Key\"].");
            }
        }
    }
    names
}

fn refuse(reader: &mut Reader<'_>, setting: &dyn Declared, name: &HeaderName, is_refused: impl FnOnce(&str) -> bool) {
    if is_refused(name.as_str()) {
        reader.problem(setting, format!("“{name}” is the server's own business."), "Leave it out.");
    }
}

/// What says where a message ends, or is for one connection only.
fn is_framing(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "sec-websocket-accept",
        "sec-websocket-key",
        "sec-websocket-version",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.contains(&name)
}

/// What this server says of the call, the user and the client, or never says.
fn is_of_the_call(name: &str) -> bool {
    const NAMES: [&str; 6] = ["authorization", "cookie", "dpop", "forwarded", "host", "x-real-ip"];
    NAMES.contains(&name) || name.starts_with("x-forwarded-") || name.starts_with("x-auth-request-")
}

/// What would speak for the app's origin, or is set on every answer anyway.
fn is_of_the_origin(name: &str) -> bool {
    const NAMES: [&str; 13] = [
        "cache-control",
        "clear-site-data",
        "content-security-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "dpop-nonce",
        "referrer-policy",
        "set-cookie",
        "strict-transport-security",
        "www-authenticate",
        "x-content-type-options",
        "x-request-id",
        "alt-svc",
    ];
    NAMES.contains(&name) || name.starts_with("access-control-")
}

/// Header fields in the order in which they are written.
#[derive(Clone, Debug)]
pub(in crate::config) struct HeaderFields(Vec<(HeaderName, HeaderValue)>);

impl Value for HeaderFields {
    fn kind() -> String {
        "table of header fields".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        const FIX: &str = "Write a table, such as { X-Api-Key = \"…\" }; as text, one field a line, such as X-Api-Key: …";
        match raw {
            Raw::Text(text) => text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .map(|line| match line.split_once(':') {
                    Some((name, value)) => field(name, value),
                    // The line is not shown: it may be a secret.
                    None => Err(Unreadable::new("A line has no colon.", FIX)),
                })
                .collect::<Result<_, _>>()
                .map(Self),
            Raw::Table(members) => members
                .iter()
                .map(|(name, value)| match value {
                    Raw::Text(value) => field(name, value),
                    _ => Err(Unreadable::new(format!("The value of {name} is not text."), FIX)),
                })
                .collect::<Result<_, _>>()
                .map(Self),
            _ => Err(Unreadable::new("It is neither a table nor text.", FIX)),
        }
    }

    fn toml(text: &str) -> String {
        let member = |line: &str| line.split_once(':').map(|(name, value)| format!("{} = {}", name.trim(), quoted(value.trim())));
        let members: Vec<_> = text.lines().filter_map(member).collect();
        format!("{{ {} }}", members.join(", "))
    }
}

fn field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Unreadable> {
    let name = name.trim();
    let parsed = name.parse::<HeaderName>().map_err(|_| {
        Unreadable::new("It holds a name that is none of a header field.", "Names are made of letters, digits and hyphens.")
    })?;
    // The library would send other characters as they are; what the other end reads there is anybody's guess.
    let value = Some(value.trim()).filter(|value| value.is_ascii()).and_then(|value| HeaderValue::from_str(value).ok());
    let value = value
        .ok_or_else(|| Unreadable::new(format!("The value of {name} cannot stand in a header."), "Write visible ASCII on one line."))?;
    Ok((parsed, value))
}

#[cfg(test)]
mod tests {
    use super::HeaderFields;
    use crate::config::value::{Raw, Value as _};

    #[test]
    fn fields_are_a_table_or_lines() {
        let table = Raw::Table(vec![("X-Api-Key".to_owned(), Raw::Text("a: b".to_owned())), ("x-b".to_owned(), Raw::Text(String::new()))]);
        let HeaderFields(of_table) = HeaderFields::read(&table).unwrap();
        let HeaderFields(of_text) = HeaderFields::read(&Raw::Text("X-Api-Key: a: b\n\n x-b:\n".to_owned())).unwrap();
        assert_eq!(of_table, of_text);
        assert_eq!(of_table[0].0, "x-api-key");
        assert_eq!(of_table[0].1, "a: b");
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused_without_being_shown() {
        for wrong in ["secret", "a b: secret", ": secret", "x-a: secr\u{e9}t", "x-a: secret\u{0}"] {
            let unreadable = HeaderFields::read(&Raw::Text(wrong.to_owned())).unwrap_err();
            assert!(!unreadable.problem.contains("secr"), "{}", unreadable.problem);
        }
    }
}
