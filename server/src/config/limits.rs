//! `[limits]`: how much one client, one session and all together may ask of the server.

use super::reader::Reader;
use super::schema::Section;
use super::setting::Setting;
use super::value::{ByteSize, Raw, Unreadable, Value, duration_text, parse_duration};
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

static LOGIN_STARTS: Setting<Rate> =
    Setting::optional("login_starts", "How many sign-ins may be started from one address.").default("600/m");
static CODE_EXCHANGES: Setting<Rate> =
    Setting::optional("code_exchanges", "How many sign-ins may be finished, or tried to, from one address.").default("600/m");
static BACKCHANNEL_LOGOUTS: Setting<Rate> =
    Setting::optional("backchannel_logouts", "How many logout tokens may be posted from one address.").default("6000/m");
static REQUESTS: Setting<Rate> =
    Setting::optional("requests", "How many requests of all other kinds may come from one address.").default("60000/m");
static SESSION_CALLS: Setting<Rate> =
    Setting::optional("session_calls", "How many calls to upstreams may be made in one session.").default("6000/m");
static CONNECTIONS: Setting<usize> = Setting::optional(
    "connections",
    "How many connections are kept open at a time. When all are taken, one that is idle or has yet to send a whole request makes way for a \
     new one; when there is none of those, the new one is told to come again later.",
)
.default_in_words("10000, or half of the files that the system lets the process open, if that is less")
.example("10000");
static STREAMS: Setting<usize> = Setting::optional(
    "streams",
    "How many answers that do not end by themselves are kept open at a time: session events, and the event streams and WebSockets of upstreams.",
)
.default_in_words("half of `connections`")
.example("5000");
static SESSION_STREAMS: Setting<usize> =
    Setting::optional("session_streams", "How many of these may belong to one session: every open tab of the app has one.").default("64");
static HEAD_SIZE: Setting<ByteSize> = Setting::optional(
    "head_size",
    "How long the head of a request may be: the address and all header fields, cookies included. Four times that is not even read.",
)
.default("32KiB");
static HEAD_FIELDS: Setting<usize> = Setting::optional("head_fields", "How many header fields a request may have.").default("80");
static HEAD_TIMEOUT: Setting<Duration> =
    Setting::optional("head_timeout", "How long the head of a request may take to arrive.").default("10s");
static BODY_TIMEOUT: Setting<Duration> = Setting::optional(
    "body_timeout",
    "How long the body of a request may pause. One that is not passed on to an upstream has half a minute in all.",
)
.default("60s");
static IDLE_TIMEOUT: Setting<Duration> = Setting::optional(
    "idle_timeout",
    "How long a connection without requests is kept open. Longer than a reverse proxy keeps its own connections, or it now and then sends a \
     request into one that is just being closed.",
)
.default("75s");

pub(super) static SECTION: Section = Section {
    name: "limits",
    element: None,
    doc: "How much one client, one session and all together may ask of the server; docs/limits.md tells more. `600/m` is 600 a minute, all \
          at once or spread out; `100/10s` is the same rate with shorter bursts, and `off` no limit. An IPv6 client is its /64 network.",
    settings: &[
        &LOGIN_STARTS,
        &CODE_EXCHANGES,
        &BACKCHANNEL_LOGOUTS,
        &REQUESTS,
        &SESSION_CALLS,
        &CONNECTIONS,
        &STREAMS,
        &SESSION_STREAMS,
        &HEAD_SIZE,
        &HEAD_FIELDS,
        &HEAD_TIMEOUT,
        &BODY_TIMEOUT,
        &IDLE_TIMEOUT,
    ],
};

/// How much one client, one session and all together may ask of the server.
#[derive(Clone, Debug)]
pub struct LimitsConfig {
    /// Sign-ins that may be started from one address.
    pub login_starts: Rate,
    /// Sign-ins that may be finished from one address.
    pub code_exchanges: Rate,
    /// Logout tokens that may be posted from one address.
    pub backchannel_logouts: Rate,
    /// All other requests from one address.
    pub requests: Rate,
    /// Calls to upstreams in one session.
    pub session_calls: Rate,
    /// Connections that are kept open at a time.
    pub connections: usize,
    /// Answers without an end that are kept open at a time.
    pub streams: usize,
    /// Those of one session.
    pub session_streams: usize,
    /// The length of a request's head.
    pub head_bytes: usize,
    /// The number of its fields.
    pub head_fields: usize,
    /// How long it may take to arrive.
    pub head_timeout: Duration,
    /// How long a body may pause.
    pub body_timeout: Duration,
    /// How long a connection without requests is kept open.
    pub idle_timeout: Duration,
}

/// So many in such a time, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(Option<(NonZeroU32, Duration)>);

impl Rate {
    /// No limit.
    pub const OFF: Self = Self(None);

    /// How many, all at once or spread out, in which time; nothing when there is no limit.
    pub const fn limit(self) -> Option<(NonZeroU32, Duration)> {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => formatter.write_str("off"),
            Some((count, time)) => {
                let time = duration_text(time);
                write!(
                    formatter,
                    "{count}/{}",
                    time.strip_prefix('1').filter(|unit| !unit.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(&time)
                )
            }
        }
    }
}

impl Value for Rate {
    fn kind() -> String {
        "rate, or `off`".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, Unreadable> {
        const FIX: &str = "Write a number and a time, such as \"600/m\" or \"100/10s\", or \"off\".";
        let text = match raw {
            Raw::Integer(0) => return Ok(Self::OFF),
            Raw::Text(text) => text.trim(),
            _ => return Err(Unreadable::new("It is not a rate.", FIX)),
        };
        if matches!(text, "off" | "0") {
            return Ok(Self::OFF);
        }
        parse_rate(text).ok_or_else(|| Unreadable::new(format!("“{text}” is not a rate."), FIX))
    }
}

fn parse_rate(text: &str) -> Option<Rate> {
    let (count, time) = text.split_once('/')?;
    let count = count.trim().parse().ok()?;
    let time = time.trim();
    let time = parse_duration(time).or_else(|| parse_duration(&format!("1{time}")))?;
    // More than a year would be no rate, and less than a nanosecond each no limit.
    let each = time.checked_div(count)?;
    (!each.is_zero() && time <= Duration::from_hours(366 * 24)).then_some(Rate(Some((NonZeroU32::new(count)?, time))))
}

/// How many connections there may be when nobody says it.
const CONNECTIONS_BY_DEFAULT: usize = 10_000;

impl LimitsConfig {
    /// Reads the section.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let [login_starts, code_exchanges, backchannel_logouts, requests, session_calls] =
            [&LOGIN_STARTS, &CODE_EXCHANGES, &BACKCHANNEL_LOGOUTS, &REQUESTS, &SESSION_CALLS].map(|setting| reader.optional(setting));
        let connections = match reader.optional(&CONNECTIONS) {
            None if !reader.is_set(&CONNECTIONS) => {
                Some(open_files().map_or(CONNECTIONS_BY_DEFAULT, |files| (files / 2).clamp(64, CONNECTIONS_BY_DEFAULT)))
            }
            connections => connections,
        };
        let streams = match reader.optional(&STREAMS) {
            None if !reader.is_set(&STREAMS) => connections.map(|connections| connections.div_ceil(2).max(1)),
            streams => streams,
        };
        let session_streams = reader.optional(&SESSION_STREAMS);
        let head_bytes = reader.optional(&HEAD_SIZE).and_then(|size| usize::try_from(size.0).ok());
        let head_fields = reader.optional(&HEAD_FIELDS);
        let [head_timeout, body_timeout, idle_timeout] =
            [&HEAD_TIMEOUT, &BODY_TIMEOUT, &IDLE_TIMEOUT].map(|setting| reader.optional(setting));
        for (setting, value, least) in [
            (&CONNECTIONS, connections, 1),
            (&STREAMS, streams, 1),
            (&SESSION_STREAMS, session_streams, 1),
            (&HEAD_FIELDS, head_fields, 20),
        ] {
            if value.is_some_and(|value| value < least) {
                reader.problem(setting, "That is less than the app itself needs.", format!("Write {least} or more."));
            }
        }
        if head_bytes.is_some_and(|bytes| !(4096..=1024 * 1024).contains(&bytes)) {
            reader.problem(
                &HEAD_SIZE,
                "The app needs a few KiB for its cookies, and nobody needs more than 1 MiB.",
                "Write something like \"32KiB\".",
            );
        }
        for (setting, value) in [(&HEAD_TIMEOUT, head_timeout), (&BODY_TIMEOUT, body_timeout), (&IDLE_TIMEOUT, idle_timeout)] {
            if value.is_some_and(|value| value.is_zero()) {
                reader.problem(setting, "Nothing arrives in no time.", "Write a duration above zero, such as \"10s\".");
            }
        }
        Some(Self {
            login_starts: login_starts?,
            code_exchanges: code_exchanges?,
            backchannel_logouts: backchannel_logouts?,
            requests: requests?,
            session_calls: session_calls?,
            connections: connections?,
            streams: streams?,
            session_streams: session_streams?,
            head_bytes: head_bytes?,
            head_fields: head_fields?,
            head_timeout: head_timeout?,
            body_timeout: body_timeout?,
            idle_timeout: idle_timeout?,
        })
    }
}

/// How many files, and so connections, the system lets this process have open; Linux says it in a file.
fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Rate, parse_rate};
    use std::time::Duration;

    #[test]
    fn a_rate_is_a_number_in_a_time() {
        for (text, count, time) in [("600/m", 600, 60), ("100/10s", 100, 10), ("1/1h30m", 1, 5400), (" 5 / s ", 5, 1)] {
            let (read, period) = parse_rate(text).and_then(Rate::limit).unwrap();
            assert_eq!((read.get(), period), (count, Duration::from_secs(time)), "{text}");
        }
        for wrong in ["", "600", "/m", "600/", "-1/m", "0/m", "1/0s", "600/minute", "4000000000/1ms", "1/367d", "1.5/s"] {
            assert_eq!(parse_rate(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_written_as_it_is_read() {
        for text in ["600/m", "100/10s", "5/s", "1/90m"] {
            assert_eq!(parse_rate(text).unwrap().to_string(), text);
        }
        assert_eq!(Rate::OFF.to_string(), "off");
    }
}
