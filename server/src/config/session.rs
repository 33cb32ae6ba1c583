//! `[session]`: how long a sign-in lasts and where it is kept.

use super::reader::Reader;
use super::schema::Section;
use super::setting::{Declared, Setting};
use super::value::{choice, duration_text};
use crate::session::{
    seal::key_list::{self, MalformedLine},
    store::{PostgresAddress, RedisAddress},
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};
use std::path::{Path, PathBuf};
use std::time::Duration;

static STORE: Setting<StoreKind> = Setting::optional(
    "store",
    "Where sessions are kept: in a file of this machine (`sqlite`), in a database that several servers share (`postgres`, or `redis`, which \
     is Valkey too), or nowhere but in this process (`memory`). docs/stores.md tells more.",
)
.default("sqlite");
static STORE_URL: Setting<SecretString> = Setting::optional(
    "store_url",
    "Where the shared store is: `postgres://user:password@host/database?sslmode=verify-full`, `rediss://user:password@host`, \
     `rediss-sentinel://host1,host2/master` or `rediss-cluster://host1,host2`; `redis` in place of `rediss` is without TLS.",
)
.example("postgres://oauth2flow@db.example.com/oauth2flow?sslmode=verify-full")
.secret_or_file();
static STORE_ROOTS: Setting<PathBuf> = Setting::optional(
    "store_roots",
    "A file with the certificates in PEM of the authorities to trust for the shared store, and of no others.",
)
.default_in_words("those of the system")
.example("certificates/database.pem");
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
    settings: &[&STORE, &STORE_URL, &STORE_ROOTS, &DATABASE, &KEY, &KEY_FILE, &IDLE, &ABSOLUTE],
};

choice! {
    /// The kinds of stores.
    StoreKind {
        /// A file of this machine.
        Sqlite = "sqlite",
        /// A PostgreSQL database.
        Postgres = "postgres",
        /// Redis or Valkey.
        Redis = "redis",
        /// This process.
        Memory = "memory",
    }
}

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub enum StoreConfig {
    /// In the SQLite file [`SessionConfig::database`].
    Sqlite,
    /// In a PostgreSQL database.
    Postgres {
        /// Which.
        address: PostgresAddress,
        /// The authorities to trust in place of the system's, in PEM.
        roots: Option<Vec<u8>>,
    },
    /// In Redis or Valkey.
    Redis {
        /// Which.
        address: RedisAddress,
        /// The authorities to trust in place of the system's, in PEM.
        roots: Option<Vec<u8>>,
    },
    /// In this process.
    Memory,
}

impl StoreConfig {
    /// Whether other servers may have the same sessions, and so need the same keys.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres { .. } | Self::Redis { .. })
    }
}

/// How long a sign-in lasts and where it is kept.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Where sessions are kept.
    pub store: StoreConfig,
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
        let store = read_store(reader);
        let database = reader.path(&DATABASE).or_else(|| in_data_dir("sessions.sqlite"));
        let key = reader.optional(&KEY);
        let key_file = reader.path(&KEY_FILE).or_else(|| in_data_dir("session.key"));
        let idle = reader.optional(&IDLE);
        let absolute = reader.optional(&ABSOLUTE);
        validate(reader, key.as_ref(), idle, absolute);
        if let (None, Some(path)) = (&key, &key_file) {
            reader.warn_when_others_can_read("session.key_file", path);
        }
        Some(Self { store: store?, database: database?, key, key_file: key_file?, idle: idle?, absolute: absolute? })
    }
}

/// Reads where sessions are kept, and finds what does not go together.
fn read_store(reader: &mut Reader<'_>) -> Option<StoreConfig> {
    let kind = reader.optional(&STORE);
    let url = reader.secret(&STORE_URL);
    let roots = match reader.path(&STORE_ROOTS) {
        Some(path) => Some(read_roots(reader, &path)?),
        None => None,
    };
    let kind = kind?;
    if kind != StoreKind::Sqlite && reader.is_set(&DATABASE) {
        let problem = format!("It is set, and session.store = {} keeps no sessions in a file.", kind.as_str());
        reader.problem(&DATABASE, problem, "Leave it out, or set session.store = sqlite.");
    }
    if matches!(kind, StoreKind::Sqlite | StoreKind::Memory) {
        for setting in [&STORE_URL as &dyn Declared, &STORE_ROOTS] {
            if reader.is_set(setting) {
                let problem = format!("It is set, and session.store = {} is no shared store.", kind.as_str());
                reader.problem(setting, problem, "Set session.store to postgres or redis, or leave it out.");
            }
        }
    }
    match kind {
        StoreKind::Sqlite => Some(StoreConfig::Sqlite),
        StoreKind::Memory => {
            reader.warn(&STORE, "sessions are kept in memory: a restart signs everybody out, and no other server knows them.");
            Some(StoreConfig::Memory)
        }
        StoreKind::Postgres | StoreKind::Redis if !reader.is_set(&STORE_URL) => {
            reader.missing(&STORE_URL, format!("It is required, because session.store = {} is elsewhere.", kind.as_str()));
            None
        }
        StoreKind::Postgres => read_postgres(reader, url?.expose_secret(), roots),
        StoreKind::Redis => read_redis(reader, url?.expose_secret(), roots),
    }
}

const UNVERIFIED_ROOTS: &str = "It is set, and session.store_url has nothing checked against it.";

fn read_postgres(reader: &mut Reader<'_>, url: &str, roots: Option<Vec<u8>>) -> Option<StoreConfig> {
    let address = match PostgresAddress::parse(url) {
        Ok(address) => address,
        Err(_) if RedisAddress::parse(url).is_ok() => {
            reader.problem(&STORE_URL, "It is an address of Redis, and session.store = postgres.", "Set session.store = redis.");
            return None;
        }
        Err(error) => {
            reader.problem(&STORE_URL, error.to_string(), error.fix());
            return None;
        }
    };
    if roots.is_some() && !address.verifies() {
        reader.problem(&STORE_ROOTS, UNVERIFIED_ROOTS, "Add sslmode=verify-full to session.store_url.");
    }
    if !address.is_confidential() {
        let who = if address.encrypts() { "whoever pretends to be it" } else { "whoever is on the way to it" };
        let warning = format!("{who} can read what is said to {address}; sslmode=verify-full prevents that.");
        reader.warn(&STORE_URL, &warning);
    }
    Some(StoreConfig::Postgres { address, roots })
}

fn read_redis(reader: &mut Reader<'_>, url: &str, roots: Option<Vec<u8>>) -> Option<StoreConfig> {
    let address = match RedisAddress::parse(url) {
        Ok(address) => address,
        Err(_) if PostgresAddress::parse(url).is_ok() => {
            reader.problem(&STORE_URL, "It is an address of PostgreSQL, and session.store = redis.", "Set session.store = postgres.");
            return None;
        }
        Err(error) => {
            reader.problem(&STORE_URL, error.to_string(), error.fix());
            return None;
        }
    };
    if roots.is_some() && !["rediss", "valkeys"].iter().any(|encrypted| url.trim_start().starts_with(encrypted)) {
        reader.problem(&STORE_ROOTS, UNVERIFIED_ROOTS, "Begin session.store_url with rediss in place of redis.");
    }
    if !address.is_confidential() {
        let warning = format!("whoever is on the way can read what is said to {address}; rediss in place of redis prevents that.");
        reader.warn(&STORE_URL, &warning);
    }
    Some(StoreConfig::Redis { address, roots })
}

/// Reads certificates in PEM. They stay PEM: that is what the stores' libraries take.
fn read_roots(reader: &mut Reader<'_>, path: &Path) -> Option<Vec<u8>> {
    let shown = path.display();
    let fix = "The file holds certificates in PEM, each between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----.";
    let pem = match std::fs::read(path) {
        Ok(pem) => pem,
        Err(error) => {
            let problem = format!("{shown} cannot be read: {error}.");
            reader.problem(&STORE_ROOTS, problem, "Check the path and who may read the file.");
            return None;
        }
    };
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let usable = certificate.is_ok_and(|certificate| rustls::RootCertStore::empty().add(certificate).is_ok());
        if !usable {
            reader.problem(&STORE_ROOTS, format!("{shown} holds something that is no certificate of an authority."), fix);
            return None;
        }
        found += 1;
    }
    if found == 0 {
        reader.problem(&STORE_ROOTS, format!("{shown} holds no certificate."), fix);
        return None;
    }
    Some(pem)
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
