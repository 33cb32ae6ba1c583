//! The kinds of values, and how each is read from TOML, a variable or a flag.

use super::public_url::{PublicUrl, is_loopback};
use ipnet::IpNet;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// A value as it was found. Variables and flags are always `Text`.
#[derive(Clone)]
pub(super) enum Raw {
    /// Text.
    Text(String),
    /// `true` or `false`, unquoted.
    Boolean(bool),
    /// A whole number, unquoted.
    Integer(i64),
    /// A list.
    List(Vec<Raw>),
    /// A table.
    Table(Vec<(String, Raw)>),
    /// A kind that no setting takes as it is; the words name it.
    Other(&'static str),
}

impl Raw {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Boolean(_) => "true or false",
            Self::Integer(_) => "a number",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(words) => words,
        }
    }

    /// The text, when it is text and more than blanks.
    fn text(&self) -> Result<&str, Unreadable> {
        match self {
            Self::Text(text) if text.trim().is_empty() => Err(Unreadable::new("It is empty.", "Write a value, or leave the setting out.")),
            Self::Text(text) => Ok(text.trim()),
            other => Err(Unreadable::new(format!("It is {}, and should be text.", other.kind()), "Put the value in quotes.")),
        }
    }
}

/// Why a value cannot be used, and what to write instead.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) problem: String,
    pub(super) fix: String,
}

impl Unreadable {
    pub(super) fn new(problem: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { problem: problem.into(), fix: fix.into() }
    }
}

/// A type that a setting can have.
pub(super) trait Value: Sized {
    /// The kind in words, for the documentation.
    fn kind() -> String;

    /// Reads it.
    fn read(raw: &Raw) -> Result<Self, Unreadable>;

    /// How the text that a variable would carry is written in TOML.
    fn toml(text: &str) -> String {
        quoted(text)
    }
}

/// The text as a TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl Value for String {
    fn kind() -> String {
        "text".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        raw.text().map(str::to_owned)
    }
}

impl Value for SecretString {
    fn kind() -> String {
        "secret text".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        // Blanks are kept: they may belong to the secret.
        match raw {
            Raw::Text(text) if !text.trim().is_empty() => Ok(Self::from(text.as_str())),
            other => other.text().map(Self::from),
        }
    }
}

impl Value for PathBuf {
    fn kind() -> String {
        "path".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        raw.text().map(Self::from)
    }
}

impl Value for bool {
    fn kind() -> String {
        "`true` or `false`".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        match raw {
            Raw::Boolean(value) => Ok(*value),
            Raw::Text(text) if text.trim() == "true" => Ok(true),
            Raw::Text(text) if text.trim() == "false" => Ok(false),
            Raw::Text(text) => Err(Unreadable::new(format!("“{text}” is neither true nor false."), "Write true or false.")),
            other => Err(Unreadable::new(format!("It is {}, and should be true or false.", other.kind()), "Write true or false.")),
        }
    }

    fn toml(text: &str) -> String {
        text.to_owned()
    }
}

impl Value for SocketAddr {
    fn kind() -> String {
        "IP address and port".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        let text = raw.text()?;
        text.parse().map_err(|_| {
            Unreadable::new(
                format!("“{text}” is not an IP address with a port."),
                "Write both, such as 127.0.0.1:3000, or [::1]:3000 for IPv6; a host name will not do.",
            )
        })
    }
}

/// No setting needs more, and additions to the present stay far from overflowing.
const LONGEST: Duration = Duration::from_hours(400 * 24);

impl Value for Duration {
    fn kind() -> String {
        "duration".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        const FIX: &str = "Write a number with its unit (ms, s, m, h, d), such as \"90s\", \"30m\" or \"1h30m\".";
        if matches!(raw, Raw::Integer(_) | Raw::Other("a number")) {
            return Err(Unreadable::new("It is a number without a unit.", FIX));
        }
        let text = raw.text()?;
        let duration = parse_duration(text).ok_or_else(|| Unreadable::new(format!("“{text}” is not a duration."), FIX))?;
        if duration > LONGEST {
            return Err(Unreadable::new(format!("“{text}” is longer than 400 days."), "Write a shorter duration."));
        }
        Ok(duration)
    }
}

pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|character: char| character.is_ascii_digit() || character == ' ').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let milliseconds_per_unit: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let milliseconds = number.parse::<u64>().ok()?.checked_mul(milliseconds_per_unit)?;
        sum = sum.checked_add(Duration::from_millis(milliseconds))?;
        rest = tail.trim_start();
    }
    Some(sum)
}

/// The duration as a person would write it.
pub(super) fn duration_text(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")]
        .into_iter()
        .find(|(unit, _)| milliseconds >= *unit && milliseconds.is_multiple_of(*unit))
        .map_or_else(|| format!("{milliseconds}ms"), |(unit, name)| format!("{}{name}", milliseconds / unit))
}

/// A number of things.
impl Value for usize {
    fn kind() -> String {
        "number".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        const FIX: &str = "Write a whole number, such as 100.";
        let number = match raw {
            Raw::Integer(number) => Self::try_from(*number).map_err(|_| number.to_string()),
            other => other.text().map(|text| text.parse().map_err(|_| text.to_owned()))?,
        };
        number.map_err(|text| Unreadable::new(format!("“{text}” is not a number of things."), FIX))
    }

    fn toml(text: &str) -> String {
        text.to_owned()
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ByteSize(pub(super) u64);

impl Value for ByteSize {
    fn kind() -> String {
        "size".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        const FIX: &str = "Write a number with its unit (B, KiB, MiB, GiB), such as \"64KiB\" or \"10MiB\".";
        if matches!(raw, Raw::Integer(_)) {
            return Err(Unreadable::new("It is a number without a unit.", FIX));
        }
        let text = raw.text()?;
        parse_size(text).map(Self).ok_or_else(|| Unreadable::new(format!("“{text}” is not a size."), FIX))
    }
}

fn parse_size(text: &str) -> Option<u64> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit_bytes = match unit.trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit_bytes)
}

impl Value for Vec<String> {
    fn kind() -> String {
        "list of texts".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        match raw {
            Raw::Text(text) => {
                let separator = |character: char| character == ',' || character.is_whitespace();
                Ok(text.split(separator).filter(|item| !item.is_empty()).map(str::to_owned).collect())
            }
            Raw::List(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
            other => {
                Err(Unreadable::new(format!("It is {}, and should be a list.", other.kind()), "Write a list, such as [\"one\", \"two\"]."))
            }
        }
    }

    fn toml(text: &str) -> String {
        let items: Vec<_> = text.split_whitespace().map(quoted).collect();
        format!("[{}]", items.join(", "))
    }
}

/// A list of words to choose from.
impl<T: Choice> Value for Vec<T> {
    fn kind() -> String {
        format!("list of {}", T::kind())
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        Vec::<String>::read(raw)?.into_iter().map(|word| T::read(&Raw::Text(word))).collect()
    }

    fn toml(text: &str) -> String {
        Vec::<String>::toml(text)
    }
}

/// Addresses and networks; an address is a network of its own.
impl Value for Vec<IpNet> {
    fn kind() -> String {
        "list of addresses and networks".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        Vec::<String>::read(raw)?
            .into_iter()
            .map(|item| {
                let network = item.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical())).or_else(|_| item.parse::<IpNet>());
                network.map(|network| network.trunc()).map_err(|_| {
                    Unreadable::new(
                        format!("“{item}” is neither an IP address nor a network."),
                        "Write an address such as 127.0.0.1 or ::1, or a network such as 10.0.0.0/8.",
                    )
                })
            })
            .collect()
    }

    fn toml(text: &str) -> String {
        Vec::<String>::toml(text)
    }
}

/// A JSON object, written as text.
#[derive(Clone, Debug)]
pub(super) struct JsonObject(pub(super) serde_json::Map<String, serde_json::Value>);

impl Value for JsonObject {
    fn kind() -> String {
        "JSON object as text".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        const FIX: &str = r#"Write an object in single quotes, such as '{"id_token":{"auth_time":null}}'."#;
        let text = raw.text()?;
        serde_json::from_str(text).map(Self).map_err(|error| Unreadable::new(format!("It is not a JSON object: {error}."), FIX))
    }
}

/// Something that is not secret, in the form that certificates and keys are kept in ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)).
#[derive(Clone, Debug)]
pub(super) struct Pem(pub(super) String);

impl Value for Pem {
    fn kind() -> String {
        "PEM text".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        let text = raw.text()?;
        if !text.contains("-----BEGIN ") {
            return Err(Unreadable::new("It is not PEM.", "Write it with its line -----BEGIN …-----, or name its file."));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Value for BTreeMap<String, String> {
    fn kind() -> String {
        "table of texts".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        match raw {
            Raw::Text(text) => {
                if let Some(part) = text.split('&').find(|part| !part.contains('=')) {
                    return Err(Unreadable::new(format!("“{part}” has no value."), "Write it like a query: name=value&other=value."));
                }
                Ok(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
            }
            Raw::Table(members) => members
                .iter()
                .map(|(name, value)| match value {
                    Raw::Text(text) => Ok((name.clone(), text.clone())),
                    other => Err(Unreadable::new(
                        format!("Its “{name}” is {}, and should be text.", other.kind()),
                        format!("Put the value of {name} in quotes."),
                    )),
                })
                .collect(),
            other => Err(Unreadable::new(
                format!("It is {}, and should be a table.", other.kind()),
                "Write a table, such as { name = \"value\" }.",
            )),
        }
    }

    fn toml(text: &str) -> String {
        let members: Vec<_> =
            url::form_urlencoded::parse(text.as_bytes()).map(|(name, value)| format!("{name} = {}", quoted(&value))).collect();
        format!("{{ {} }}", members.join(", "))
    }
}

impl Value for PublicUrl {
    fn kind() -> String {
        "origin".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        let text = raw.text()?;
        Self::parse(text).map_err(|error| Unreadable::new(error.to_string(), error.fix()))
    }
}

/// An http or https address, as it was written and as it was understood. Issuers are compared character by character, so
/// what was written must not get lost.
#[derive(Clone, Debug)]
pub(super) struct WebAddress {
    pub(super) text: String,
    pub(super) url: Url,
}

impl WebAddress {
    /// Whether secrets and tokens may travel there: https, or this very machine.
    pub(super) fn is_confidential(&self) -> bool {
        self.url.scheme() == "https" || is_loopback(&self.url)
    }
}

impl Value for WebAddress {
    fn kind() -> String {
        "URL".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        let text = raw.text()?;
        let Ok(url) = Url::parse(text) else {
            return Err(Unreadable::new(format!("“{text}” is not a URL."), "Write it in full, starting with https://."));
        };
        // First, so that a password is in no message.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Unreadable::new("It holds a user name or a password.", "Leave out what stands before the @."));
        }
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return Err(Unreadable::new(format!("“{text}” is not a web address."), "Write it in full, starting with https://."));
        }
        if url.fragment().is_some() {
            return Err(Unreadable::new(format!("“{text}” has a fragment."), "Leave out the # and what follows."));
        }
        Ok(Self { text: text.to_owned(), url })
    }
}

/// A setting with a few words to choose from.
pub(super) trait Choice: Copy + 'static {
    /// Every word with its meaning.
    const ALL: &'static [(&'static str, Self)];
}

impl<T: Choice> Value for T {
    fn kind() -> String {
        let words: Vec<_> = T::ALL.iter().map(|(word, _)| format!("`{word}`")).collect();
        either(&words)
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        let text = raw.text()?;
        T::ALL.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<_> = T::ALL.iter().map(|(word, _)| (*word).to_owned()).collect();
            Unreadable::new(format!("“{text}” is not one of its values."), format!("Write {}.", either(&words)))
        })
    }
}

fn either(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Declares an enum of words with its `Choice`.
macro_rules! choice {
    ($(#[$documentation:meta])* $name:ident { $($(#[$variant_documentation:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_documentation])* $variant),+
        }

        impl $name {
            /// The word for it in the configuration.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl $crate::config::value::Choice for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),+];
        }
    };
}
pub(super) use choice;

#[cfg(test)]
mod tests {
    use super::{Raw, Value, duration_text, parse_duration, parse_size};
    use std::collections::BTreeMap;
    use std::time::Duration;

    #[test]
    fn durations_are_numbers_with_units() {
        assert_eq!(parse_duration("30m"), Some(Duration::from_mins(30)));
        assert_eq!(parse_duration("8h"), Some(Duration::from_hours(8)));
        assert_eq!(parse_duration("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("1h 30m"), Some(Duration::from_mins(90)));
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        for wrong in ["90", "m", "1 h", "-1s", "1.5h", "5 minutes", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["250ms", "90s", "30m", "8h", "7d", "0ms"] {
            assert_eq!(parse_duration(text).map(duration_text).as_deref(), Some(text));
        }
    }

    #[test]
    fn sizes_are_numbers_with_units() {
        assert_eq!(parse_size("0B"), Some(0));
        assert_eq!(parse_size("64KiB"), Some(65_536));
        assert_eq!(parse_size("10 MiB"), Some(10_485_760));
        assert_eq!(parse_size("1GiB"), Some(1_073_741_824));
        for wrong in ["", "64", "KiB", "64KB", "1.5MiB", "-1B", "18446744073709551615KiB"] {
            assert_eq!(parse_size(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_number_is_whole_and_not_negative() {
        assert_eq!(usize::read(&Raw::Integer(7)).ok(), Some(7));
        assert_eq!(usize::read(&Raw::Text(" 7 ".to_owned())).ok(), Some(7));
        for wrong in [Raw::Integer(-1), Raw::Text("7.5".to_owned()), Raw::Text("many".to_owned()), Raw::Boolean(true)] {
            assert!(usize::read(&wrong).is_err());
        }
    }

    #[test]
    fn a_duration_that_could_overflow_the_clock_is_refused() {
        assert!(Duration::read(&Raw::Text("401d".to_owned())).is_err());
    }

    #[test]
    fn lists_and_tables_can_be_written_as_text() {
        let list = Vec::<String>::read(&Raw::Text("openid, email profile".to_owned())).unwrap();
        assert_eq!(list, ["openid", "email", "profile"]);
        let table = BTreeMap::<String, String>::read(&Raw::Text("access_type=offline&prompt=select%20account".to_owned())).unwrap();
        assert_eq!(table["prompt"], "select account");
        assert!(BTreeMap::<String, String>::read(&Raw::Text("offline".to_owned())).is_err());
    }
}
