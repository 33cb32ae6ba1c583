//! The command line.

use super::environment::Target;
use super::layers::{Entry, Findings, Values};
use super::problem::Source;
use super::schema::{SECTIONS, nearest};
use super::value::{Raw, parse_duration};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  oauth2flow
      With nothing configured: a local demo provider to sign in with.
  GITHUB_CLIENT_ID=… GITHUB_CLIENT_SECRET_FILE=github.secret oauth2flow
      Sign in with GitHub.
  oauth2flow --config production.toml --listen 0.0.0.0:8080 --public-url https://app.example.com
      Settings from a file, and two of them overridden.
  oauth2flow --set session.idle=1h --set log.format=json
      Any setting, by its key.
  oauth2flow keys rotate
      Seal with a new key from now on, with nobody signed out.

Settings come from oauth2flow.toml (or the file of --config or OAUTH2FLOW_CONFIG), then from the environment,
then from flags; the last one wins.
All of them: oauth2flow --settings";

/// The arguments of the command line. Values are checked together with all others, so that all problems are reported at once.
// No Debug: somebody may have put a secret behind --set.
#[derive(Clone, Default, clap::Parser)]
#[command(name = "oauth2flow", version, about = "Sign-in, sessions and an API proxy for a web app, with any OAuth 2.0 or OpenID Connect provider", after_help = EXAMPLES)]
pub struct Arguments {
    /// Read the settings from this file instead of oauth2flow.toml
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Listen on this IP address and port [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// The address people's browsers use: https, or http on this machine
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Render in the browser (spa) or on the server (ssr) [default: spa]
    #[arg(long, value_name = "MODE")]
    pub render: Option<String>,
    /// The directory with the app's files
    #[arg(long, value_name = "DIRECTORY")]
    pub site_dir: Option<String>,
    /// The directory for the session database and its key [default: data]
    #[arg(long, value_name = "DIRECTORY", global = true)]
    pub data_dir: Option<String>,
    /// Set any setting by its key; can be repeated
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    pub set: Vec<String>,
    /// Print every setting with its variable and its default, and stop
    #[arg(long)]
    pub settings: bool,
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Make, change and list the keys that seal sessions
    Keys {
        /// What to do with them
        #[command(subcommand)]
        command: KeysCommand,
    },
}

/// What to do with the keys that seal sessions.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum KeysCommand {
    /// Print a new key, or write it into a new file
    Generate {
        /// Write it into this file, which must not exist yet, readable by you alone
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Put a new key on top of the key file; the old ones stay for as long as sessions may need them
    Rotate {
        /// This file instead of the configured one
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Seal with it at once: for a single server
        #[arg(long, conflicts_with = "after")]
        now: bool,
        /// Seal with it only after this time, by which every server has to have the file
        #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
        after: Duration,
    },
    /// List the names of the keys, and since when each seals; never the keys themselves
    List {
        /// This file instead of the configured one
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text).ok_or("write a number with its unit (s, m, h), such as 5m")
}

/// Reads the flags into `values`.
pub(super) fn read(arguments: &Arguments, values: &mut Values, findings: &mut Findings) {
    let named = [
        ("--listen", "server.listen", &arguments.listen),
        ("--public-url", "server.public_url", &arguments.public_url),
        ("--render", "server.render", &arguments.render),
        ("--site-dir", "server.site_dir", &arguments.site_dir),
        ("--data-dir", "server.data_dir", &arguments.data_dir),
    ];
    for (flag, key, value) in named {
        if let (Some(value), Some(target)) = (value, Target::of_key(key)) {
            let entry = Entry { raw: Raw::Text(value.clone()), source: Source::Flag(flag.to_owned()) };
            values.set(target.section, None, &target.key, entry);
        }
    }
    for argument in &arguments.set {
        set(argument, values, findings);
    }
}

fn set(argument: &str, values: &mut Values, findings: &mut Findings) {
    let Some((key, value)) = argument.split_once('=') else {
        // The argument is not shown: it may be a secret with a slip in it.
        findings.problem("--set", "One of its values has no “=”.", "Write --set key=value, such as --set session.idle=1h.", None);
        return;
    };
    let key = key.trim();
    let source = Source::Flag(format!("--set {key}"));
    let Some(target) = Target::of_key(key) else {
        let known = known_keys(values);
        let fix = nearest(key, known.iter().map(String::as_str)).map_or_else(
            || "Leave it out; oauth2flow --settings lists every key.".to_owned(),
            |meant| format!("Did you mean {meant}? Otherwise leave it out."),
        );
        findings.problem(key, "There is no such setting.", fix, Some(source));
        return;
    };
    if target.section.is_secret(&target.key) {
        let fix = format!("Use {key}_file, the environment or the configuration file.");
        findings.problem(key, "A secret on the command line can be read by everybody on this machine.", fix, Some(source));
        return;
    }
    if target.element.as_ref().is_none_or(|element| findings.accepts_name(target.section, element, &source)) {
        values.set(target.section, target.element.as_deref(), &target.key, Entry { raw: Raw::Text(value.to_owned()), source });
    }
}

fn known_keys(values: &Values) -> Vec<String> {
    let mut keys = Vec::new();
    for section in SECTIONS {
        let Some(example) = section.element else {
            keys.extend(section.keys().map(|key| format!("{}.{key}", section.name)));
            continue;
        };
        let names = values.elements(section).iter().map(|element| element.name.as_str()).chain(std::iter::once(example));
        keys.extend(names.flat_map(|name| section.keys().map(move |key| format!("{}.{name}.{key}", section.name))));
    }
    keys
}
