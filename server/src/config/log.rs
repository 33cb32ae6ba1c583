//! `[log]`: what the server tells.

use super::reader::Reader;
use super::schema::Section;
use super::setting::Setting;
use super::value::choice;
use tracing_subscriber::EnvFilter;

static FORMAT: Setting<LogFormat> = Setting::optional("format", "Lines for people (`text`) or for machines (`json`).").default("text");
static FILTER: Setting<String> = Setting::optional(
    "filter",
    "What is logged: a level (error, warn, info, debug, trace), and levels for modules, as in `info,oauth2flow=debug`.",
)
.default("info");

pub(super) static SECTION: Section = Section { name: "log", element: None, doc: "What the server tells.", settings: &[&FORMAT, &FILTER] };

choice! {
    /// How lines of the log are written.
    LogFormat {
        /// For people.
        Text = "text",
        /// For machines: one JSON object a line.
        Json = "json",
    }
}

/// What the server tells.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// How lines are written.
    pub format: LogFormat,
    /// What is logged, as `tracing` filters write it; it has been checked.
    pub filter: String,
}

impl LogConfig {
    /// Reads the section.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let format = reader.optional(&FORMAT);
        let filter = reader.optional(&FILTER);
        validate(reader, filter.as_deref());
        Some(Self { format: format?, filter: filter? })
    }
}

fn validate(reader: &mut Reader<'_>, filter: Option<&str>) {
    if let Some(filter) = filter
        && EnvFilter::try_new(filter).is_err()
    {
        reader.problem(&FILTER, format!("“{filter}” is not a filter."), "Write a level, such as info, or info,oauth2flow=debug.");
    }
}
