//! The command line.

use super::environment::Target;
use super::layers::{Entry, Findings, Values};
use super::problem::Source;
use super::schema::{SECTIONS, nearest};
use super::value::Raw;
use std::path::PathBuf;

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

Settings come from oauth2flow.toml (or the file of --config or OAUTH2FLOW_CONFIG), then from the environment,
then from flags; the last one wins.
All of them: oauth2flow --settings";

/// The arguments of the command line. Values are checked together with all others, so that all problems are reported at once.
// No Debug: somebody may have put a secret behind --set.
#[derive(Clone, Default, clap::Parser)]
#[command(name = "oauth2flow", version, about = "Sign-in, sessions and an API proxy for a web app, with any OAuth 2.0 or OpenID Connect provider", after_help = EXAMPLES)]
pub struct Arguments {
    /// Read the settings from this file instead of oauth2flow.toml
    #[arg(long, value_name = "FILE")]
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
    #[arg(long, value_name = "DIRECTORY")]
    pub data_dir: Option<String>,
    /// Set any setting by its key; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Print every setting with its variable and its default, and stop
    #[arg(long)]
    pub settings: bool,
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
