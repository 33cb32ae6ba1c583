//! Opening the file, or making it.

use super::{BUSY_TIMEOUT, STATEMENTS};
use crate::session::store::OpenError;
use rusqlite::{Connection, Error, OpenFlags, params};
use sqlx::migrate::Migrator;
use std::{fs, io, path::Path, time::Duration};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::Instant,
};

/// What has become of the tables so far is written down in the file as sqlx does it.
static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// What they come to. A new file gets its tables by this: each step on the way there would cost it a change of the schema.
const SCHEMA: &str = include_str!("../../../../schema/sqlite.sql");

/// Marks the file as ours (`PRAGMA application_id`): "o2fl".
pub(super) const APPLICATION_ID: i64 = 0x6f32_666c;

/// How long other servers may take that make the same file at the same moment. Turning on the WAL waits for nobody by itself.
const OPEN_PATIENCE: Duration = Duration::from_secs(4);
/// How long they may take that bring the tables of the version before up to date.
const MIGRATION_PATIENCE: Duration = Duration::from_mins(1);
const OPEN_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// The way of a new file to the disk.
pub(super) type Settling = JoinHandle<()>;

/// The connections to a file.
pub(super) struct Opened {
    /// The one that writes.
    pub(super) writer: Connection,
    /// The first that reads.
    pub(super) reader: Connection,
    /// Brings what has just been made to the disk.
    pub(super) settling: Option<Settling>,
}

/// Opens the connections, with the tables up to date.
pub(super) async fn open(path: &Path) -> Result<Opened, OpenError> {
    let begun = Instant::now();
    let mut has_told = false;
    loop {
        let of_thread = path.to_owned();
        let opened = spawn_blocking(move || connect(&of_thread).map_err(|error| (error, patience(&of_thread)))).await;
        match opened.unwrap_or_else(|error| Err((inaccessible(path, io::Error::other(error)), OPEN_PATIENCE))) {
            Err((OpenError::Locked { .. }, patience)) if begun.elapsed() < patience => {
                if patience == MIGRATION_PATIENCE && !std::mem::replace(&mut has_told, true) {
                    tracing::info!("another process seems to bring the session database up to date; waiting for it");
                }
                tokio::time::sleep(OPEN_AGAIN_AFTER).await;
            }
            opened => return opened.map_err(|(error, _)| error),
        }
    }
}

/// How long to wait for whoever holds the file: longer while its tables are those of a version before, because that takes its time.
fn patience(path: &Path) -> Duration {
    let done = open_existing(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(|connection| applied(&connection));
    if done.is_ok_and(|done| done.len() < MIGRATIONS.iter().count()) { MIGRATION_PATIENCE } else { OPEN_PATIENCE }
}

fn connect(path: &Path) -> Result<Opened, OpenError> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(|source| inaccessible(path, source))?;
    }
    let is_new = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(OpenError::Foreign { path: path.to_owned(), reason: "it is a directory".to_owned() });
        }
        Ok(metadata) if metadata.permissions().readonly() => return Err(OpenError::ReadOnly { path: path.to_owned() }),
        Ok(metadata) => metadata.len() == 0,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_private(path).map_err(|source| inaccessible(path, source))?;
            true
        }
        Err(error) => return Err(inaccessible(path, error)),
    };
    let failed = |error| classify(path, &error);
    if !is_new {
        inspect(path)?;
    }
    // A new file is made without waiting for the disk: there is nothing in it to be lost. Should the machine stop at this moment, it is
    // empty, and made anew; what is in the WAL counts as far as it is whole.
    let writer = open_writer(path, if is_new { "OFF" } else { "NORMAL" }).map_err(failed)?;
    prepare(path, &writer)?;
    writer.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    writer.busy_timeout(Duration::ZERO).map_err(failed)?;
    let reader = reader(path).map_err(failed)?;
    let of_thread = path.to_owned();
    let settling = is_new.then(|| spawn_blocking(move || settle(&of_thread)));
    Ok(Opened { writer, reader, settling })
}

/// Opens a file that is there.
fn open_existing(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// A connection that may write, and waits for other processes.
pub(super) fn writer(path: &Path) -> Result<Connection, Error> {
    open_writer(path, "NORMAL")
}

fn open_writer(path: &Path, synchronous: &str) -> Result<Connection, Error> {
    let connection = open_existing(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // First of all: what comes next would wait for the disk.
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    // The WAL is written back by another connection, and not by whoever happens to write.
    connection.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(()))?;
    // Once it begins anew it gives back what it took beyond this.
    connection.query_row("PRAGMA journal_size_limit = 16777216", [], |_| Ok(()))?;
    // There may be no directory to write to but that of the file; bringing the tables up to date sorts them.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// A connection that reads.
pub(super) fn reader(path: &Path) -> Result<Connection, Error> {
    let connection = open_existing(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", "ON")?;
    Ok(connection)
}

/// Brings a new file to the disk, while others use it already.
fn settle(path: &Path) {
    let settled = writer(path).and_then(|connection| {
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
    });
    if let Err(error) = settled {
        // The next checkpoint does it.
        tracing::debug!(%error, "the new session database is not on the disk yet");
    }
}

/// Marks a new file as ours and brings the tables up to date, all at once: whoever comes at the same moment waits, and finds it done.
/// This also finds out whether the file can be written.
fn prepare(path: &Path, writer: &Connection) -> Result<(), OpenError> {
    let failed = |error| classify(path, &error);
    // When it is dropped before its end, all is as it was.
    let transaction = rusqlite::Transaction::new_unchecked(writer, rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    let application_id: i64 = transaction.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    if application_id == 0 {
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    }
    migrate(path, &transaction)?;
    transaction.commit().map_err(failed)
}

/// Brings the tables up to date.
fn migrate(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let failed = |error| classify(path, &error);
    let foreign = |reason: String| OpenError::Foreign { path: path.to_owned(), reason };
    let tables = "SELECT count(*), coalesce(sum(name = '_sqlx_migrations'), 0) FROM sqlite_schema";
    let (tables, lists): (i64, i64) = connection.query_row(tables, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
    let is_empty = tables == 0;
    if lists == 0 {
        let table = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                     installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
                     execution_time BIGINT NOT NULL)";
        connection.execute_batch(table).map_err(failed)?;
    }
    let done = applied(connection).map_err(failed)?;
    for (version, success, checksum) in &done {
        match MIGRATIONS.iter().find(|migration| migration.version == *version) {
            None => return Err(foreign("a newer version of oauth2flow made it".to_owned())),
            Some(migration) if *success && *migration.checksum == **checksum => {}
            Some(_) => return Err(foreign(format!("its tables are not those of version {version}"))),
        }
    }
    if is_empty {
        connection.execute_batch(SCHEMA).map_err(failed)?;
    }
    for migration in MIGRATIONS.iter().filter(|migration| done.iter().all(|(version, ..)| *version != migration.version)) {
        if !is_empty {
            connection.execute_batch(migration.sql.as_str()).map_err(failed)?;
        }
        let note = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (?, ?, TRUE, ?, -1)";
        connection.execute(note, params![migration.version, migration.description, migration.checksum]).map_err(failed)?;
    }
    Ok(())
}

/// The versions of the tables that there have been, whether each came about, and what it was made by.
fn applied(connection: &Connection) -> Result<Vec<(i64, bool, Vec<u8>)>, Error> {
    let mut statement = connection.prepare("SELECT version, success, checksum FROM _sqlx_migrations")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
}

/// Looks, without writing, whether an existing file is one of ours.
fn inspect(path: &Path) -> Result<(), OpenError> {
    let looked = open_existing(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(|connection| {
        // Both at one moment: in between, somebody else may make of an empty file one of ours.
        let transaction = connection.unchecked_transaction()?;
        let application_id: i64 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((application_id, tables))
    });
    match looked.map_err(|error| classify(path, &error))? {
        (APPLICATION_ID, _) | (0, 0) => Ok(()),
        _ => Err(OpenError::Foreign { path: path.to_owned(), reason: "another program made it".to_owned() }),
    }
}

/// The tokens in it are sealed, but who has a session is nobody else's business either.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn inaccessible(path: &Path, source: io::Error) -> OpenError {
    OpenError::Inaccessible { path: path.to_owned(), source }
}

fn classify(path: &Path, error: &Error) -> OpenError {
    // The low byte is the primary result code, the rest says more about it.
    match error.sqlite_error().map(|error| error.extended_code & 0xff) {
        Some(5 | 6) => OpenError::Locked { path: path.to_owned() },
        Some(8) => OpenError::ReadOnly { path: path.to_owned() },
        Some(11 | 26) => OpenError::Foreign { path: path.to_owned(), reason: "it is damaged, or no SQLite file at all".to_owned() },
        _ => inaccessible(path, io::Error::other(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::{MIGRATION_PATIENCE, MIGRATIONS, OPEN_PATIENCE, SCHEMA, inspect, open, patience};
    use crate::session::store::OpenError;
    use rusqlite::Connection;
    use std::fs::File;

    /// The tables and indexes of a database: kind, name, and the statement, in whatever way it is written.
    fn tables(of: &Connection) -> Vec<(String, String, String)> {
        let mut statement = of.prepare("SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name").unwrap();
        let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))).unwrap();
        let plain = |sql: &str| sql.replace('"', "").split_whitespace().collect::<Vec<_>>().join(" ");
        tables.map(Result::unwrap).map(|(kind, name, sql)| (kind, name, plain(&sql))).collect()
    }

    #[test]
    fn a_new_file_has_the_tables_that_an_old_one_comes_to() {
        let (made, migrated) = (Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap());
        made.execute_batch(SCHEMA).unwrap();
        for migration in MIGRATIONS.iter() {
            migrated.execute_batch(migration.sql.as_str()).unwrap();
        }
        assert_eq!(tables(&made), tables(&migrated));
        assert!(tables(&made).len() > 6);
    }

    #[tokio::test]
    async fn a_new_file_knows_every_migration() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.sqlite");
        drop(open(&path).await.unwrap());
        let known = super::applied(&Connection::open(&path).unwrap()).unwrap();
        let expected = MIGRATIONS.iter().map(|migration| (migration.version, true, migration.checksum.to_vec()));
        assert_eq!(known, expected.collect::<Vec<_>>());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_somebody_is_making_never_looks_foreign() {
        for _ in 0..40 {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("sessions.sqlite");
            File::create(&path).unwrap();
            let of_maker = path.clone();
            let making = tokio::spawn(async move { open(&of_maker).await.map(drop) });
            while !making.is_finished() {
                let looked = inspect(&path);
                assert!(matches!(looked, Ok(()) | Err(OpenError::Locked { .. })), "{looked:?}");
            }
            making.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn who_migrates_may_take_longer() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.sqlite");
        drop(open(&path).await.unwrap());
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert_eq!(patience(&path), OPEN_PATIENCE);
        let undo = "ROLLBACK; DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations); BEGIN IMMEDIATE";
        other.execute_batch(undo).unwrap();
        assert_eq!(patience(&path), MIGRATION_PATIENCE);
    }
}
