//! A line of the log as text: time, level, the spans around it, the message, its fields.
//!
//! The library's own format does the same with colours and settings that nobody needs in a file; this one costs a quarter of it, and
//! every request pays for a line.

use std::{
    cell::Cell,
    fmt::{self, Write as _},
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, format::Writer},
    registry::LookupSpan,
};

/// Room for more than this is given back: a line that long does not come often.
const KEPT_BYTES: usize = 4096;

thread_local! {
    /// Where the next line of this thread is written, so that it is handed on in one piece.
    static LINE: Cell<String> = const { Cell::new(String::new()) };
    /// The second of the last line of this thread, and how it is written.
    static SECOND: Cell<(i64, String)> = const { Cell::new((i64::MIN, String::new())) };
}

/// Writes text in one piece. What is logged while that is done finds nothing to write to, and takes room of its own.
fn in_one_piece(mut writer: Writer<'_>, write: impl FnOnce(&mut String) -> fmt::Result) -> fmt::Result {
    let mut text = LINE.take();
    let written = write(&mut text).and_then(|()| writer.write_str(&text));
    if text.capacity() <= KEPT_BYTES {
        text.clear();
        LINE.set(text);
    }
    written
}

/// Formats an event.
pub(super) struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        in_one_piece(writer, |line| {
            write_time(line)?;
            line.push_str(match *event.metadata().level() {
                Level::ERROR => " ERROR ",
                Level::WARN => "  WARN ",
                Level::INFO => "  INFO ",
                Level::DEBUG => " DEBUG ",
                Level::TRACE => " TRACE ",
            });
            let mut has_spans = false;
            for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
                line.push_str(span.name());
                let extensions = span.extensions();
                if let Some(fields) = extensions.get::<FormattedFields<N>>().filter(|fields| !fields.is_empty()) {
                    line.push('{');
                    line.push_str(fields);
                    line.push('}');
                }
                line.push(':');
                has_spans = true;
            }
            if has_spans {
                line.push(' ');
            }
            write_fields(line, event)?;
            line.push('\n');
            Ok(())
        })
    }
}

/// Formats the fields of a span.
pub(super) struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        in_one_piece(writer, |text| write_fields(text, fields))
    }
}

fn write_fields(text: &mut String, fields: impl RecordFields) -> fmt::Result {
    let mut visitor = Visitor { text, is_first: true, result: Ok(()) };
    fields.record(&mut visitor);
    visitor.result
}

struct Visitor<'text> {
    text: &'text mut String,
    is_first: bool,
    result: fmt::Result,
}

impl Visitor<'_> {
    /// What comes before a value.
    fn begin(&mut self, field: &Field) -> &mut String {
        if !std::mem::replace(&mut self.is_first, false) {
            self.text.push(' ');
        }
        // The message stands for itself.
        if field.name() != "message" {
            self.text.push_str(field.name().strip_prefix("r#").unwrap_or(field.name()));
            self.text.push('=');
        }
        self.text
    }
}

impl Visit for Visitor<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        push_number(self.begin(field), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        let text = self.begin(field);
        if value < 0 {
            text.push('-');
        }
        push_number(text, value.unsigned_abs());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if push_thousandths(self.begin(field), value).is_none() {
            self.result = self.result.and(write!(self.text, "{value:?}"));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.begin(field).push_str(if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = self.begin(field);
        if field.name() == "message" {
            let start = text.len();
            text.push_str(value);
            escape(text, start);
        } else if is_plain(value) && !value.bytes().any(|byte| byte == b'"' || byte == b'\\') {
            text.push('"');
            text.push_str(value);
            text.push('"');
        } else {
            self.result = self.result.and(write!(self.text, "{value:?}"));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = self.begin(field);
        let start = text.len();
        let written = write!(text, "{value:?}");
        escape(text, start);
        self.result = self.result.and(written);
    }
}

/// Lets no value that begins here end the line, or speak to a terminal.
fn escape(text: &mut String, start: usize) {
    let Some(value) = text.get(start..).filter(|value| !is_plain(value)).map(str::to_owned) else { return };
    text.truncate(start);
    for character in value.chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
}

/// Whether there is nothing to escape: printable ASCII only.
fn is_plain(text: &str) -> bool {
    // Without an end before the end, many bytes are looked at at once.
    text.bytes().fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte))
}

/// Writes a number in digits.
fn push_number(text: &mut String, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.push_str(str::from_utf8(&digits[first..]).unwrap_or_default());
}

/// Writes a number of at most three decimals, as durations are, the way in which the library would; any other is left alone.
fn push_thousandths(text: &mut String, value: f64) -> Option<()> {
    const MOST: f64 = 4_294_967_295.0;
    let thousandths = (value * 1000.0).round();
    // A number of so few digits is the only one that reads as this value. Negative zero has a sign.
    if !(0.0..=MOST).contains(&thousandths) || value.is_sign_negative() || (thousandths / 1000.0).to_bits() != value.to_bits() {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole, and within the range that was just checked")]
    let thousandths = thousandths as u64;
    push_number(text, thousandths / 1000);
    text.push('.');
    let decimals = digits::<3>(thousandths % 1000);
    let decimals = str::from_utf8(&decimals).unwrap_or_default();
    text.push_str(&decimals[..1]);
    text.push_str(decimals[1..].trim_end_matches('0'));
    Some(())
}

/// The last `N` digits of a number, with zeros in front.
fn digits<const N: usize>(mut number: u64) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// RFC 3339 in UTC, with six decimals. Most of it is the same for a whole second.
fn write_time(line: &mut String) -> fmt::Result {
    #[expect(clippy::disallowed_methods, reason = "the log tells when it was written, and no rule of the server depends on that")]
    let now = jiff::Timestamp::now();
    let (mut second, mut text) = SECOND.replace((i64::MIN, String::new()));
    let mut written = Ok(());
    if second != now.as_second() {
        second = now.as_second();
        text.clear();
        written = write!(text, "{}", jiff::Timestamp::from_second(second).unwrap_or_default());
        text.truncate(text.trim_end_matches('Z').len());
        text.push('.');
    }
    line.push_str(&text);
    SECOND.set((second, text));
    line.push_str(str::from_utf8(&digits::<6>(now.subsec_microsecond().unsigned_abs().into())).unwrap_or_default());
    line.push('Z');
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::{Arc, Mutex},
    };
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Lines {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// What is logged meanwhile, in this format or in that of the library.
    fn logged(in_ours: bool, log: impl FnOnce()) -> String {
        let lines = Lines::default();
        let builder = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_target(false).with_ansi(false).with_writer(lines.clone());
        if in_ours {
            tracing::subscriber::with_default(builder.fmt_fields(Fields).event_format(Line).finish(), log);
        } else {
            tracing::subscriber::with_default(builder.finish(), log);
        }
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    /// Lines without their times, which end at the first space.
    fn untimed(text: &str) -> Vec<&str> {
        text.lines().map(|line| line.split_once(' ').unwrap().1).collect()
    }

    #[test]
    fn lines_are_what_the_librarys_own_would_be() {
        let log = || {
            tracing::info!(status = 200, duration_ms = 1.25, "request answered");
            let path = "/a \"path\" and \\";
            let span = tracing::info_span!("request", request_id = %"0123456789abcdef", method = %"GET", path);
            let _outer = span.enter();
            tracing::warn!(error = %"it broke", count = 3_u64, negative = -3, good = true, optional = ?Some(1), "a warning");
            let _inner = tracing::debug_span!("within").entered();
            tracing::error!(code = "internal_error", causes = "", "request failed");
            tracing::trace!("{} of {}", 1, 2);
            tracing::debug!(alone = 1);
            for value in [0.0, -0.0, 0.001, 0.1, 0.25, 1.0, 12.345, 4_294_967.295, 4_294_967.296, 1.0005, -1.5, 1e300, f64::NAN] {
                tracing::info!(value, count = u64::MAX, negative = i64::MIN, "a number");
            }
        };
        let (ours, theirs) = (logged(true, log), logged(false, log));
        assert_eq!(untimed(&ours), untimed(&theirs));
        assert_eq!(ours.lines().count(), 18);
    }

    #[test]
    fn times_are_rfc_3339_in_utc_with_six_decimals() {
        let text = logged(true, || tracing::info!("now"));
        let time = text.split_once(' ').unwrap().0;
        assert_eq!(time.len(), "2026-11-22T17:53:09.682890Z".len(), "{time}");
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }

    #[test]
    fn no_value_ends_the_line_or_speaks_to_a_terminal() {
        let text = logged(true, || {
            let hostile = "a\nINFO forged\r\u{1b}[31mred\u{9b}\u{7f}";
            let span = tracing::info_span!("request", shown = %hostile, hostile);
            span.in_scope(|| tracing::info!(shown = %hostile, hostile, "{hostile}"));
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.chars().all(|character| !character.is_control() || character == '\n'), "{text:?}");
    }
}
