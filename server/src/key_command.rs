//! `oauth2flow keys`: making, changing and listing the keys that seal sessions, while the servers run.

use crate::{
    clock::Clock,
    config::{Config, ConfigProblems, KeysCommand},
    entropy::{Entropy, random},
    session::seal::{
        KeyError,
        key_file::{self, Rotation},
        key_list::{self, ListedKey},
    },
};
use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp, Unit};
use std::{fmt::Write as _, io, path::Path, path::PathBuf, time::Duration};
use thiserror::Error;
use zeroize::Zeroizing;

/// The keys are not in a file that could be changed.
#[derive(Debug, Error)]
#[error(
    "the keys come from session.key, not from a file: write the line that `oauth2flow keys generate` prints above them and start the \
     servers again, or keep the keys in a file, session.key_file. docs/keys.md tells more"
)]
struct NotInFile;

/// Carries the command out, and answers what to print; only `keys generate` prints a key.
///
/// # Errors
/// When the configuration or the key file cannot be used; the message says what to do.
pub fn run(
    command: &KeysCommand,
    config: impl FnOnce() -> Result<Config, ConfigProblems>,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> anyhow::Result<Zeroizing<String>> {
    let new_key = |sealing_from| ListedKey::new(Zeroizing::new(random(entropy)), sealing_from);
    match command {
        KeysCommand::Generate { file: None } => {
            let mut line = new_key(None).line();
            line.push('\n');
            Ok(line)
        }
        KeysCommand::Generate { file: Some(path) } => {
            let key = new_key(None);
            key_file::create(path, &key, entropy).map_err(|error| not_created(path, error))?;
            let shown = path.display();
            Ok(format!("{shown} has a new key, {}, and only you can read it. Name it in session.key_file.\n", key.id).into())
        }
        KeysCommand::List { file: Some(path) } => list(path, clock.now()),
        KeysCommand::List { file: None } => list(&file_of(&config()?)?, clock.now()),
        KeysCommand::Rotate { file, now, after } => {
            let config = config()?;
            let path = file.clone().map_or_else(|| file_of(&config), Ok)?;
            let delay = if *now { Duration::ZERO } else { *after };
            let time = clock.now().round(Unit::Second).unwrap_or_else(|_| clock.now());
            let sealing_from = time.checked_add(SignedDuration::try_from(delay)?).context("that is too far away")?;
            let rotation = key_file::rotate(&path, new_key(Some(sealing_from)), config.session.absolute, clock.now())?;
            Ok(report(&path, &rotation, delay))
        }
    }
}

fn file_of(config: &Config) -> Result<PathBuf, NotInFile> {
    if config.session.key.is_some() { Err(NotInFile) } else { Ok(config.session.key_file.clone()) }
}

fn not_created(path: &Path, error: io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return anyhow::anyhow!(
            "{} is there already, and stays as it is: `oauth2flow keys rotate` puts a new key on top of it",
            path.display()
        );
    }
    KeyError::NotCreated { path: path.to_owned(), source: error }.into()
}

fn names(keys: &[ListedKey]) -> String {
    keys.iter().map(|key| key.id.to_string()).collect::<Vec<_>>().join(", ")
}

fn list(path: &Path, now: Timestamp) -> anyhow::Result<Zeroizing<String>> {
    let keys = key_file::read(path)?;
    let sealing = key_list::sealing(keys.iter().map(|key| key.sealing_from), || now);
    let mut text = Zeroizing::new(format!("{}\n", path.display()));
    for (index, key) in keys.iter().enumerate() {
        let since = key.sealing_from.map(|from| format!(" since {from}")).unwrap_or_default();
        let does = match (key.sealing_from, index) {
            (Some(from), _) if from > now => format!("opens, and will seal from {from} on"),
            (_, index) if index == sealing => format!("seals{since}, and opens"),
            _ => format!("opens what it has sealed{since}"),
        };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {}  {does}", key.id);
    }
    Ok(text)
}

/// What was done, and what to do now.
fn report(path: &Path, rotation: &Rotation, delay: Duration) -> Zeroizing<String> {
    let Rotation { new, kept, dropped } = rotation;
    let shown = path.display();
    let mut text = Zeroizing::new(String::new());
    let from = new.sealing_from.map(|from| from.to_string()).unwrap_or_default();
    if delay.is_zero() {
        let _ = writeln!(text, "{shown} has a new key, {}. It opens and seals from now on.", new.id);
    } else {
        let _ = writeln!(text, "{shown} has a new key, {}. It opens from now on, and seals from {from} on.", new.id);
    }
    let _ = writeln!(text, "Kept, because sessions may still need them: {}.", names(kept));
    if !dropped.is_empty() {
        let _ = writeln!(text, "Dropped, because no session that they sealed can still be alive: {}.", names(dropped));
    }
    let _ = writeln!(text, "\nRunning servers notice by themselves within seconds. Nobody is signed out.");
    if delay.is_zero() {
        let _ = writeln!(text, "This is for a single server: several that share sessions need the new key before it seals, without --now.");
    } else {
        let _ = writeln!(text, "If several servers share sessions, give this file to all of them before {from}.");
    }
    text
}
