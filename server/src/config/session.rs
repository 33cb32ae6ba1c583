//! `[session]`: how long a sign-in lasts and where it is kept.

use super::reader::Reader;
use super::schema::Section;
use super::setting::Setting;
use super::value::duration_text;
use crate::session::seal::key_list::{self, MalformedLine};
use secrecy::{ExposeSecret as _, SecretString};
use std::path::{Path, PathBuf};
use std::time::Duration;

static DATABASE: Setting<PathBuf> = Setting::optional("database", "The SQLite file with the sessions; it is made when it is missing.")
    .default_in_words("`sessions.sqlite` in `server.data_dir`")
    .example("data/sessions.sqlite");
static KEY: Setting<SecretString> = Setting::optional(
    "key",
    "The keys that seal tokens and cookies, one a line, the newest first: the first seals, every one opens, so that a key can be changed \
     without signing anybody out. A key is 32 random bytes in base64url, 43 characters; `oauth2flow keys generate` makes one. Servers that \
     share sessions share them; docs/keys.md tells more.",
)
.default_in_words("what is in `key_file`")
.example("…")
.secret();
static KEY_FILE: Setting<PathBuf> = Setting::optional(
    "key_file",
    "The file with those keys. When it is missing, a key is made and written there, readable for nobody else. A running server notices \
     when it changes: `oauth2flow keys rotate` puts a new key on top.",
)
.default_in_words("`session.key` in `server.data_dir`")
.example("data/session.key");
static IDLE: Setting<Duration> = Setting::optional("idle", "How long a session lives without being used.").default("30m");
static ABSOLUTE: Setting<Duration> =
    Setting::optional("absolute", "How long a session lives at most, however much it is used.").default("8h");

pub(super) static SECTION: Section = Section {
    name: "session",
    element: None,
    doc: "How long a sign-in lasts and where it is kept.",
    settings: &[&DATABASE, &KEY, &KEY_FILE, &IDLE, &ABSOLUTE],
};

/// How long a sign-in lasts and where it is kept.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The SQLite file.
    pub database: PathBuf,
    /// The sealing keys, one a line, if they are configured themselves.
    pub key: Option<SecretString>,
    /// The file with the sealing keys, made when it is missing.
    pub key_file: PathBuf,
    /// The lifetime of a session without use.
    pub idle: Duration,
    /// The lifetime of a session at most.
    pub absolute: Duration,
}

impl SessionConfig {
    /// Reads the section.
    pub(super) fn read(reader: &mut Reader<'_>, data_dir: Option<&Path>) -> Option<Self> {
        let in_data_dir = |name: &str| data_dir.map(|directory| directory.join(name));
        let database = reader.path(&DATABASE).or_else(|| in_data_dir("sessions.sqlite"));
        let key = reader.optional(&KEY);
        let key_file = reader.path(&KEY_FILE).or_else(|| in_data_dir("session.key"));
        let idle = reader.optional(&IDLE);
        let absolute = reader.optional(&ABSOLUTE);
        validate(reader, key.as_ref(), idle, absolute);
        if let (None, Some(path)) = (&key, &key_file) {
            reader.warn_when_others_can_read("session.key_file", path);
        }
        Some(Self { database: database?, key, key_file: key_file?, idle: idle?, absolute: absolute? })
    }
}

/// The first line that is not a key, counted from 1.
fn malformed_line(key: &SecretString) -> Option<usize> {
    key_list::parse(key.expose_secret()).err().map(|MalformedLine(line)| line)
}

fn validate(reader: &mut Reader<'_>, key: Option<&SecretString>, idle: Option<Duration>, absolute: Option<Duration>) {
    if reader.is_set(&KEY) && reader.is_set(&KEY_FILE) {
        reader.problem(&KEY, "It is set, and so is key_file.", "Keep one of the two.");
    }
    if let Some(line) = key.and_then(malformed_line) {
        reader.problem(
            &KEY,
            format!("Its line {line} is not a key: 32 bytes in base64url, 43 characters."),
            "Make one with: oauth2flow keys generate",
        );
    }
    for (setting, value) in [(&IDLE, idle), (&ABSOLUTE, absolute)] {
        if value.is_some_and(|value| value.is_zero()) {
            reader.problem(setting, "Nobody could stay signed in.", "Write a duration above zero, such as \"30m\".");
        }
    }
    if let (Some(idle), Some(absolute)) = (idle, absolute)
        && idle > absolute
    {
        let (idle, absolute) = (duration_text(idle), duration_text(absolute));
        reader.problem(
            &IDLE,
            format!("{idle} is longer than a session lives at most, session.absolute = {absolute}."),
            "Make idle shorter or absolute longer.",
        );
    }
}
