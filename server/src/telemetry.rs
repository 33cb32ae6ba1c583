//! Logs: to standard output, as text for people or as JSON for machines.
//!
//! A secret never gets here: the types that hold one have no revealing `Debug`, and neither queries, headers nor bodies
//! are logged.

use crate::config::{LogConfig, LogFormat};
use std::io::IsTerminal as _;
use tracing_subscriber::{EnvFilter, filter::ParseError};

/// Begins to log.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(config: &LogConfig) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(&config.filter)?;
    // Colours are for people who look on, not for files; https://no-color.org has the variable.
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(colours);
    match config.format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
    }
    // Where it happened is for the log; what a value was might not be. The middleware answers the request.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "a task panicked: this is a bug, please report it");
    }));
    Ok(())
}
