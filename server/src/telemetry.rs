//! Logs: to standard output, as text for people or as JSON for machines.
//!
//! A secret never gets here: the types that hold one have no revealing `Debug`, and neither queries, headers nor bodies
//! are logged.

mod line;
mod output;

use crate::config::{LogConfig, LogFormat};
use line::{Fields, Line};
use output::Output;
use std::{
    io::{self, IsTerminal as _},
    sync::OnceLock,
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{ParseError, Targets},
    fmt::layer,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Where the log goes.
static OUTPUT: OnceLock<Output> = OnceLock::new();

/// Begins to log.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(config: &LogConfig) -> Result<(), ParseError> {
    let filter = filter(&config.filter)?;
    // Colours are for people who look on, not for files; https://no-color.org has the variable.
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let output = OUTPUT.get_or_init(|| Output::start(Box::new(io::stdout()))).clone();
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.format {
        LogFormat::Text if colours => Box::new(layer().with_target(false).with_writer(output)),
        LogFormat::Text => Box::new(layer().with_ansi(false).fmt_fields(Fields).event_format(Line).with_writer(output)),
        LogFormat::Json => Box::new(
            layer().with_target(false).json().flatten_event(true).with_current_span(true).with_span_list(false).with_writer(output),
        ),
    };
    // The filter is the outer one: what it keeps out does not even get a span.
    tracing_subscriber::registry().with(lines).with(filter).init();
    // Where it happened is for the log; what a value was might not be. The middleware answers the request.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "a task panicked: this is a bug, please report it");
    }));
    Ok(())
}

/// Writes out what has been logged: before the process ends, or something else is printed.
pub fn flush() {
    if let Some(output) = OUTPUT.get() {
        output.flush();
    }
}

/// Most filters name levels and modules only; those cost nothing at a span's every turn.
fn filter<S>(text: &str) -> Result<Box<dyn Layer<S> + Send + Sync>, ParseError>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    Ok(match text.parse::<Targets>() {
        Ok(targets) => Box::new(targets),
        Err(_) => Box::new(EnvFilter::builder().parse(text)?),
    })
}
