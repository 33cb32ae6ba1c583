//! A line of the log as text: time, level, the spans around it, the message, its fields.
//!
//! The library's own format does the same with colours and settings that nobody needs in a file; this one costs a quarter of it, and
//! every request pays for a line.

use std::{
    cell::RefCell,
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

/// Formats an event.
pub(super) struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        write_time(&mut writer)?;
        writer.write_str(match *event.metadata().level() {
            Level::ERROR => " ERROR ",
            Level::WARN => "  WARN ",
            Level::INFO => "  INFO ",
            Level::DEBUG => " DEBUG ",
            Level::TRACE => " TRACE ",
        })?;
        let mut has_spans = false;
        for span in context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root) {
            writer.write_str(span.name())?;
            let extensions = span.extensions();
            if let Some(fields) = extensions.get::<FormattedFields<N>>().filter(|fields| !fields.is_empty()) {
                writer.write_char('{')?;
                writer.write_str(fields)?;
                writer.write_char('}')?;
            }
            writer.write_char(':')?;
            has_spans = true;
        }
        if has_spans {
            writer.write_char(' ')?;
        }
        Fields.format_fields(writer.by_ref(), event)?;
        writer.write_char('\n')
    }
}

/// Formats the fields of an event or a span.
pub(super) struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, is_first: true, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'writer> {
    writer: Writer<'writer>,
    is_first: bool,
    result: fmt::Result,
}

impl Visitor<'_> {
    fn field(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.result.is_err() {
            return;
        }
        let is_first = std::mem::replace(&mut self.is_first, false);
        self.result = self.write(field, is_first, value);
    }

    fn write(&mut self, field: &Field, is_first: bool, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) -> fmt::Result {
        let writer = &mut self.writer;
        if !is_first {
            writer.write_char(' ')?;
        }
        // The message stands for itself.
        if field.name() != "message" {
            writer.write_str(field.name().trim_start_matches("r#"))?;
            writer.write_char('=')?;
        }
        value(writer)
    }
}

impl Visit for Visitor<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.field(field, |writer| write!(writer, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.field(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.field(field, |writer| writer.write_str(if value { "true" } else { "false" }));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.field(field, |writer| Escaped(writer).write_str(value));
        } else if is_plain(value) && !value.contains(['"', '\\']) {
            self.field(field, |writer| {
                writer.write_char('"')?;
                writer.write_str(value)?;
                writer.write_char('"')
            });
        } else {
            self.field(field, |writer| write!(writer, "{value:?}"));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field, |writer| write!(Escaped(writer), "{value:?}"));
    }
}

/// Lets no value end the line, or speak to a terminal.
struct Escaped<'a, 'writer>(&'a mut Writer<'writer>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if is_plain(text) {
            return self.0.write_str(text);
        }
        for character in text.chars() {
            if character.is_control() {
                write!(self.0, "{}", character.escape_default())?;
            } else {
                self.0.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// Whether there is nothing to escape: printable ASCII only.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

thread_local! {
    /// The second of the last line of this thread, and how it is written.
    static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

/// RFC 3339 in UTC, with six decimals. Most of it is the same for a whole second.
fn write_time(writer: &mut Writer<'_>) -> fmt::Result {
    #[expect(clippy::disallowed_methods, reason = "the log tells when it was written, and no rule of the server depends on that")]
    let now = jiff::Timestamp::now();
    SECOND.with_borrow_mut(|(second, text)| {
        if *second != now.as_second() {
            *second = now.as_second();
            text.clear();
            write!(text, "{}", jiff::Timestamp::from_second(*second).unwrap_or_default())?;
            text.truncate(text.trim_end_matches('Z').len());
        }
        writer.write_str(text)
    })?;
    write!(writer, ".{:06}Z", now.subsec_microsecond())
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
        };
        let (ours, theirs) = (logged(true, log), logged(false, log));
        assert_eq!(untimed(&ours), untimed(&theirs));
        assert_eq!(ours.lines().count(), 5);
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
