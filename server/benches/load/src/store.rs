//! The stores, and how a great many sessions get into them at once: as copies of one that a real login made.

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::path::Path;

mod postgres;
mod redis;
mod sqlite;

/// A key to seal with, which shared stores want to be told.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Where sessions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum StoreKind {
    /// An SQLite file.
    Sqlite,
    /// The server's own memory.
    Memory,
    /// A PostgreSQL server.
    Postgres,
    /// A Redis server.
    Redis,
}

impl StoreKind {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [Self::Sqlite, Self::Memory, Self::Postgres, Self::Redis];

    /// The server's configuration, as lines of `[session]`; `url` is where the database is.
    pub(crate) fn settings(self, url: Option<&str>) -> String {
        let store = match self {
            // What holds without any.
            Self::Sqlite => return String::new(),
            Self::Memory => "memory",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
        };
        let url = url.map(|url| format!("store_url = \"{url}\"\n")).unwrap_or_default();
        format!("store = \"{store}\"\n{url}key = \"{KEY}\"\n")
    }

    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Memory => "memory",
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
        }
    }
}

/// The cookie of the session of this number.
pub(crate) fn cookie(number: usize) -> String {
    format!("session={}", URL_SAFE_NO_PAD.encode(id(number)))
}

/// The session ids: they only have to look random, and to be known again.
fn id(number: usize) -> [u8; 32] {
    Sha256::digest(format!("a session to measure with, number {number}")).into()
}

/// Under which a store keeps a session.
fn key(id: &[u8]) -> [u8; 32] {
    Sha256::digest(id).into()
}

/// The key of a session that a login has made.
pub(crate) fn key_of_cookie(cookie: &str) -> Result<[u8; 32]> {
    let (_, value) = cookie.split_once('=').context("that is no cookie")?;
    Ok(key(&URL_SAFE_NO_PAD.decode(value).context("the cookie holds no session id")?))
}

/// The keys of these sessions, in their own order: that is the one in which trees grow fastest.
fn keys(numbers: std::ops::Range<usize>) -> Vec<[u8; 32]> {
    let mut keys: Vec<_> = numbers.map(|number| key(&id(number))).collect();
    keys.sort_unstable();
    keys
}

/// Where to put sessions.
pub(crate) enum Place<'a> {
    /// This file.
    Sqlite(&'a Path),
    /// The PostgreSQL server at this address.
    Postgres(&'a str),
    /// The Redis server at this address.
    Redis(&'a str),
}

impl Place<'_> {
    /// Puts sessions of these numbers in, all like the one under `template` but for their keys and users.
    pub(crate) async fn fill(&self, template: [u8; 32], numbers: std::ops::Range<usize>) -> Result<()> {
        let keys = keys(numbers);
        match self {
            Self::Sqlite(path) => sqlite::fill(path, template, &keys).await,
            Self::Postgres(url) => postgres::fill(url, template, &keys).await,
            Self::Redis(url) => redis::fill(url, template, &keys).await,
        }
    }
}

/// How far in the future a session was last used: one that has just been seen is not written to when it is read.
const SEEN_AHEAD_SECONDS: i64 = 3600;

/// A statement that copies the session under the key `template` for each row of `list`: every column, those that nobody here knows too,
/// but for a copy's own.
fn copies(table: &str, columns: &[String], own: &[(&str, &str)], list: &str, template: &str) -> String {
    let sources = columns.iter().map(|column| match own.iter().find(|(name, _)| name == column) {
        Some((_, source)) => (*source).to_owned(),
        None => format!("template.{column}"),
    });
    let (columns, sources) = (columns.join(", "), sources.collect::<Vec<_>>().join(", "));
    format!("INSERT INTO {table} ({columns}) SELECT {sources} FROM {list}, (SELECT * FROM {table} WHERE key = {template}) AS template")
}

/// In base 16, which SQL reads.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_leads_to_the_key_that_was_put_in() {
        assert_eq!(keys(7..8), [key_of_cookie(&cookie(7)).unwrap()]);
        assert!(keys(0..100).is_sorted());
        assert!(key_of_cookie("session").is_err());
    }

    #[test]
    fn columns_that_nobody_here_knows_are_copied() {
        let columns = ["key", "novelty"].map(str::to_owned);
        assert_eq!(
            copies("sessions", &columns, &[("key", "list.key"), ("sid", "list.sid")], "rows AS list", "?1"),
            "INSERT INTO sessions (key, novelty) SELECT list.key, template.novelty FROM rows AS list, \
             (SELECT * FROM sessions WHERE key = ?1) AS template"
        );
    }

    #[test]
    fn base_16_has_two_digits_for_a_byte() {
        assert_eq!(hexadecimal(&[0, 10, 255]), "000aff");
    }
}
