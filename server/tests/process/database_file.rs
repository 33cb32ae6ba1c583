//! A database file that cannot be used: named, with the way out, and left as it is.

use crate::{
    browser::Browser,
    server::{Ended, Setup, shown},
};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};
use tokio::runtime::Runtime;

/// Another program's connection to a database.
pub(crate) struct Database {
    runtime: Runtime,
    connection: SqliteConnection,
}

impl Database {
    pub(crate) fn open(path: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let connection = runtime.block_on(SqliteConnection::connect_with(&options)).unwrap();
        Self { runtime, connection }
    }

    pub(crate) fn execute(&mut self, sql: &'static str) {
        self.runtime.block_on(sqlx::query(sql).execute(&mut self.connection)).unwrap();
    }

    pub(crate) fn text(&mut self, sql: &'static str) -> String {
        self.runtime.block_on(sqlx::query_scalar(sql).fetch_one(&mut self.connection)).unwrap()
    }

    pub(crate) fn number(&mut self, sql: &'static str) -> i64 {
        self.runtime.block_on(sqlx::query_scalar(sql).fetch_one(&mut self.connection)).unwrap()
    }

    pub(crate) fn close(self) {
        self.runtime.block_on(self.connection.close()).unwrap();
    }
}

/// A setup with a database in the data directory that a server made and somebody signed in to.
fn used() -> (Setup, PathBuf) {
    let setup = Setup::new();
    let server = setup.start();
    Browser::new(&server).sign_in().unwrap();
    server.stop().assert_orderly();
    let path = setup.path("data/sessions.sqlite");
    (setup, path)
}

/// A setup whose session database holds these bytes.
fn with_database(bytes: &[u8]) -> (Setup, PathBuf) {
    let setup = Setup::new();
    let path = setup.path("data/sessions.sqlite");
    fs::create_dir(setup.path("data")).unwrap();
    fs::write(&path, bytes).unwrap();
    (setup, path)
}

/// What is in a file, read by another process: a process that closes a file loses every lock it has on it.
fn content(path: &Path) -> Vec<u8> {
    let output = Command::new("cat").arg(path).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// That the server refuses to start, and leaves the file as it is.
fn refused(setup: &Setup, path: &Path, said: &[&str]) -> Ended {
    let before = content(path);
    let ended = setup.refusal();
    ended.assert_refused(&[&[shown(path).as_str()], said].concat());
    assert!(content(path) == before, "{} has been changed", path.display());
    ended
}

const FOREIGN: [&str; 3] = ["is not a session database of oauth2flow", "It has not been touched", "Name another file in session.database"];

#[test]
fn a_file_that_is_no_database() {
    for bytes in
        [b"hello\n".repeat(1000), vec![0; 4096], b"SQLite format 3\0".to_vec(), [b"SQLite format 3\0".as_slice(), &[7; 8192]].concat()]
    {
        let (setup, path) = with_database(&bytes);
        refused(&setup, &path, &FOREIGN);
    }
}

#[test]
fn a_database_of_another_program() {
    for journal_mode in ["PRAGMA journal_mode = DELETE", "PRAGMA journal_mode = WAL"] {
        let (setup, path) = with_database(b"");
        let mut other = Database::open(&path);
        other.execute(journal_mode);
        other.execute("CREATE TABLE recipes (title TEXT)");
        other.execute("INSERT INTO recipes VALUES ('Potato soup')");
        other.close();
        refused(&setup, &path, &[FOREIGN.as_slice(), &["another program made it"]].concat());
        let mut other = Database::open(&path);
        assert_eq!(other.text("SELECT title FROM recipes"), "Potato soup");
        assert_eq!(other.number("PRAGMA application_id"), 0);
        other.close();
    }
}

#[test]
fn a_database_of_another_program_that_marks_its_files() {
    let (setup, path) = with_database(b"");
    let mut other = Database::open(&path);
    other.execute("PRAGMA application_id = 12345");
    other.close();
    refused(&setup, &path, &FOREIGN);
}

#[test]
fn a_database_that_another_process_has_locked() {
    let (setup, path) = used();
    let mut other = Database::open(&path);
    other.execute("BEGIN EXCLUSIVE");
    refused(&setup, &path, &["is locked by another process", "End that process, or name another file in session.database"]);
    other.execute("ROLLBACK");
    other.close();
    setup.start().stop().assert_orderly();
}

#[test]
fn a_database_that_another_process_lets_nobody_read() {
    let (setup, path) = used();
    let mut other = Database::open(&path);
    other.execute("PRAGMA journal_mode = DELETE");
    other.execute("BEGIN EXCLUSIVE");
    refused(&setup, &path, &["is locked by another process", "End that process, or name another file in session.database"]);
    other.execute("ROLLBACK");
    other.close();
    setup.start().stop().assert_orderly();
}

#[test]
fn a_database_that_may_only_be_read() {
    let (setup, path) = used();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    refused(&setup, &path, &["is read-only", "Give this user the right to write it, or name another file in session.database"]);
}

#[test]
fn a_directory_in_place_of_a_database() {
    let setup = Setup::new();
    let path = setup.path("data/sessions.sqlite");
    fs::create_dir_all(&path).unwrap();
    setup.refusal().assert_refused(&[[shown(&path).as_str()].as_slice(), &FOREIGN, &["it is a directory"]].concat());
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
}

#[test]
fn a_database_below_a_file() {
    let setup = Setup::new().set("session.database", "file/sessions.sqlite");
    fs::write(setup.path("file"), "not a directory").unwrap();
    setup.refusal().assert_refused(&[&shown(&setup.path("file/sessions.sqlite")), "cannot be opened", "check that its directory exists"]);
    assert_eq!(fs::read_to_string(setup.path("file")).unwrap(), "not a directory");
}

#[test]
fn a_database_of_ours_that_is_damaged_or_cut() {
    let (setup, path) = used();
    let whole = fs::read(&path).unwrap();
    let mut without_schema = whole.clone();
    without_schema[100..4096].fill(0xa5);
    for damaged in [without_schema, whole[..5000].to_vec(), whole[..whole.len() - 4096].to_vec()] {
        fs::write(&path, damaged).unwrap();
        refused(&setup, &path, &FOREIGN);
    }
    fs::write(&path, whole).unwrap();
    setup.start().stop().assert_orderly();
}

#[test]
fn a_database_of_a_newer_version() {
    let (setup, path) = used();
    let mut newer = Database::open(&path);
    newer.execute(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)",
    );
    newer.close();
    refused(&setup, &path, &["a newer version of oauth2flow made it"]);
}

#[test]
fn a_database_of_the_demo_provider_that_cannot_be_used() {
    let (setup, _) = used();
    let path = setup.path("data/demo-provider.sqlite");
    let whole = fs::read(&path).unwrap();
    let foreign = fs::read(setup.path("data/sessions.sqlite")).unwrap();
    for unusable in [b"hello\n".repeat(1000), foreign] {
        fs::write(&path, unusable).unwrap();
        refused(&setup, &path, &["ove it away"]);
    }
    fs::write(&path, whole).unwrap();
    setup.start().stop().assert_orderly();
}

#[test]
fn a_database_that_is_locked_while_the_server_runs_signs_nobody_out() {
    let (setup, path) = used();
    let server = setup.start();
    let mut signed_in = Browser::new(&server);
    signed_in.sign_in().unwrap();
    let mut waiting = Browser::new(&server);
    let authorization = waiting.begin_login("demo").unwrap();
    let callback = waiting.authenticate(&authorization).unwrap();

    let mut other = Database::open(&path);
    other.execute("BEGIN EXCLUSIVE");
    let answer = waiting.finish_login(&callback).unwrap();
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["code"], "store_unavailable");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert!(signed_in.is_signed_in());
    other.execute("ROLLBACK");
    other.close();

    assert!(signed_in.is_signed_in());
    waiting.sign_in().unwrap();
    server.stop().assert_orderly();
}
