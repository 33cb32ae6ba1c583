//! Sessions in an embedded SQLite file: the default.

use super::{Change, NamedSessions, Store, StoreError, UserKey};
use crate::session::record::{Key, Lease, Profile, SessionRecord};
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Row, SqliteExecutor, SqlitePool,
    error::DatabaseError,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use std::{
    array::TryFromSliceError,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;
use tokio::sync::broadcast;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Marks the file as ours (`PRAGMA application_id`): "o2fl".
const APPLICATION_ID: i64 = 0x6f32_666c;

/// How long a write waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Why the file cannot be used; it is left as it was.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory or the file cannot be made, read or written.
    #[error("the session database {} cannot be opened; check that its directory exists and that this user may write there", path.display())]
    Inaccessible {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file may be read but not written.
    #[error("the session database {} is read-only. Give this user the right to write it, or name another file in session.database.", path.display())]
    ReadOnly {
        /// Which file.
        path: PathBuf,
    },
    /// Another process holds the file.
    #[error("the session database {} is locked by another process. End that process, or name another file in session.database.", path.display())]
    Locked {
        /// Which file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error(
        "the file {} is not a session database of oauth2flow ({reason}). It has not been touched. Name another file in session.database, \
         or move this one away; a new one signs everybody out.",
        path.display()
    )]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The sessions of one SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
    changes: broadcast::Sender<Change>,
}

impl SqliteStore {
    /// Opens the file, or makes it, and brings its tables up to date.
    ///
    /// # Errors
    /// When the file cannot be used; see [`OpenError`]. A file that is not ours is not written to.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let inaccessible = |source| OpenError::Inaccessible { path: path.to_owned(), source };
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            fs::create_dir_all(directory).map_err(inaccessible)?;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(OpenError::Foreign { path: path.to_owned(), reason: "it is a directory".to_owned() });
            }
            Ok(metadata) if metadata.permissions().readonly() => return Err(OpenError::ReadOnly { path: path.to_owned() }),
            Ok(metadata) if metadata.len() > 0 => inspect(path).await?,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => create_private(path).map_err(inaccessible)?,
            Err(error) => return Err(inaccessible(error)),
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await
            .map_err(|error| classify(path, &error))?;
        claim_file(&pool).await.map_err(|error| classify(path, &error))?;
        MIGRATIONS.run(&pool).await.map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => classify(path, &error),
            MigrateError::VersionMissing(_) => {
                OpenError::Foreign { path: path.to_owned(), reason: "a newer version of oauth2flow made it".to_owned() }
            }
            other => OpenError::Foreign { path: path.to_owned(), reason: other.to_string() },
        })?;
        Ok(Self { pool, changes: broadcast::Sender::new(super::CHANGES_KEPT) })
    }

    fn announce(&self, change: Change) {
        // Nobody listens to a store that nobody watches.
        let _ = self.changes.send(change);
    }

    /// The sessions that a statement has ended, announced.
    fn ended(&self, rows: &[SqliteRow]) -> Result<Vec<SessionRecord>, StoreError> {
        let records = rows.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
        for record in &records {
            self.announce(Change::Ended(record.key));
        }
        Ok(records)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    async fn insert(&self, record: &SessionRecord) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO sessions (key, version, provider, issuer, sub, sid, profile, created_at, last_seen_at, idle_expires_at, expires_at, tokens, lease) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(record.key.0.as_slice())
        .bind(record.version)
        .bind(&record.provider)
        .bind(&record.issuer)
        .bind(&record.sub)
        .bind(&record.sid)
        .bind(encode(&record.profile))
        .bind(record.created_at.as_second())
        .bind(record.last_seen_at.as_second())
        .bind(record.idle_expires_at.as_second())
        .bind(record.expires_at.as_second())
        .bind(&record.tokens)
        .bind(bytes(record.lease.as_ref()))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn get(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM sessions WHERE key = ?").bind(key.0.as_slice()).fetch_optional(&self.pool).await?;
        row.as_ref().map(decode).transpose()
    }

    async fn sessions_of(&self, user: UserKey<'_>) -> Result<Vec<SessionRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM sessions WHERE issuer = ? AND sub = ? ORDER BY created_at DESC, key")
            .bind(user.issuer)
            .bind(user.sub)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(decode).collect()
    }

    async fn swap_lease(&self, key: Key, version: i64, held: Option<Lease>, new: Option<Lease>) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE sessions SET lease = ? WHERE key = ? AND version = ? AND lease IS ?")
            .bind(bytes(new.as_ref()))
            .bind(key.0.as_slice())
            .bind(version)
            .bind(bytes(held.as_ref()))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    async fn replace_tokens(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        let done =
            sqlx::query("UPDATE sessions SET profile = ?, tokens = ?, version = version + 1, lease = NULL WHERE key = ? AND version = ?")
                .bind(encode(&record.profile))
                .bind(&record.tokens)
                .bind(record.key.0.as_slice())
                .bind(record.version)
                .execute(&self.pool)
                .await?;
        let replaced = done.rows_affected() == 1;
        if replaced {
            self.announce(Change::Renewed(record.key));
        }
        Ok(replaced)
    }

    async fn touch(&self, key: Key, last_seen_at: Timestamp, idle_expires_at: Timestamp) -> Result<(), StoreError> {
        let done = sqlx::query("UPDATE sessions SET last_seen_at = ?1, idle_expires_at = ?2 WHERE key = ?3 AND last_seen_at < ?1")
            .bind(last_seen_at.as_second())
            .bind(idle_expires_at.as_second())
            .bind(key.0.as_slice())
            .execute(&self.pool)
            .await?;
        if done.rows_affected() == 1 {
            self.announce(Change::Renewed(key));
        }
        Ok(())
    }

    async fn remove(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        let row = sqlx::query("DELETE FROM sessions WHERE key = ? RETURNING *").bind(key.0.as_slice()).fetch_optional(&self.pool).await?;
        Ok(self.ended(row.as_slice())?.pop())
    }

    async fn remove_user(&self, user: UserKey<'_>, except: Option<Key>) -> Result<Vec<SessionRecord>, StoreError> {
        let rows = sqlx::query("DELETE FROM sessions WHERE issuer = ?1 AND sub = ?2 AND (?3 IS NULL OR key <> ?3) RETURNING *")
            .bind(user.issuer)
            .bind(user.sub)
            .bind(except.as_ref().map(|key| key.0.as_slice()))
            .fetch_all(&self.pool)
            .await?;
        self.ended(&rows)
    }

    async fn remove_named(&self, named: NamedSessions<'_>, token: Key, expires_at: Timestamp) -> Result<Option<usize>, StoreError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        if !claim(&mut *transaction, token, expires_at).await? {
            return Ok(None);
        }
        let rows = match named.sid {
            Some(sid) => sqlx::query("DELETE FROM sessions WHERE issuer = ?1 AND sid = ?2 AND (?3 IS NULL OR sub = ?3) RETURNING *")
                .bind(named.issuer)
                .bind(sid)
                .bind(named.sub),
            None => sqlx::query("DELETE FROM sessions WHERE issuer = ?1 AND sub = ?2 RETURNING *").bind(named.issuer).bind(named.sub),
        }
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(self.ended(&rows)?.len()))
    }

    async fn claim(&self, key: Key, expires_at: Timestamp) -> Result<bool, StoreError> {
        Ok(claim(&self.pool, key, expires_at).await?)
    }

    async fn complete_claim(&self, key: Key, session: Key) -> Result<(), StoreError> {
        sqlx::query("UPDATE claims SET session_key = ? WHERE key = ?")
            .bind(session.0.as_slice())
            .bind(key.0.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM claims WHERE key = ? AND session_key = ?")
            .bind(key.0.as_slice())
            .bind(session.0.as_slice())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        sqlx::query("INSERT INTO key_check (only, sealed) VALUES (1, ?) ON CONFLICT DO NOTHING").bind(proposed).execute(&self.pool).await?;
        Ok(sqlx::query_scalar("SELECT sealed FROM key_check").fetch_one(&self.pool).await?)
    }

    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE key_check SET sealed = ? WHERE sealed = ?").bind(new).bind(current).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let now = now.as_second();
        let sessions = sqlx::query("DELETE FROM sessions WHERE idle_expires_at <= ?").bind(now).execute(&self.pool).await?;
        let claims = sqlx::query("DELETE FROM claims WHERE expires_at <= ?").bind(now).execute(&self.pool).await?;
        Ok(sessions.rows_affected() + claims.rows_affected())
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

async fn claim(executor: impl SqliteExecutor<'_>, key: Key, expires_at: Timestamp) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("INSERT INTO claims (key, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(key.0.as_slice())
        .bind(expires_at.as_second())
        .execute(executor)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Looks, without writing, whether an existing file is one of ours.
async fn inspect(path: &Path) -> Result<(), OpenError> {
    let foreign = |reason: &str| OpenError::Foreign { path: path.to_owned(), reason: reason.to_owned() };
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(|error| classify(path, &error))?;
    let looked = async {
        let application_id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await?;
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await?;
        Ok::<_, sqlx::Error>((application_id, tables))
    }
    .await;
    let _ = connection.close().await;
    match looked.map_err(|error| classify(path, &error))? {
        (APPLICATION_ID, _) | (0, 0) => Ok(()),
        _ => Err(foreign("another program made it")),
    }
}

/// Finds out whether the file can be written, and marks a new one as ours. One that is marked already is not changed.
async fn claim_file(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    let application_id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *transaction).await?;
    if application_id == 0 {
        let mark = AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION_ID}"));
        sqlx::query(mark).execute(&mut *transaction).await?;
    }
    transaction.commit().await
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

fn classify(path: &Path, error: &sqlx::Error) -> OpenError {
    let path = path.to_owned();
    let code = error.as_database_error().and_then(DatabaseError::code).and_then(|code| code.parse::<i32>().ok());
    // The low byte is the primary result code, the rest says more about it.
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => OpenError::Locked { path },
        Some(8) => OpenError::ReadOnly { path },
        Some(11 | 26) => OpenError::Foreign { path, reason: "it is damaged, or no SQLite file at all".to_owned() },
        _ => OpenError::Inaccessible { path, source: io::Error::other(error.to_string()) },
    }
}

#[expect(clippy::expect_used, reason = "a profile is made of strings and numbers, which always serialize")]
fn encode(profile: &Profile) -> String {
    serde_json::to_string(profile).expect("a profile serializes")
}

fn bytes(lease: Option<&Lease>) -> Option<&[u8]> {
    lease.map(|lease| lease.0.as_slice())
}

fn array<const N: usize>(column: &str, bytes: &[u8]) -> Result<[u8; N], sqlx::Error> {
    bytes.try_into().map_err(|error: TryFromSliceError| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
}

fn decode(row: &SqliteRow) -> Result<SessionRecord, StoreError> {
    let time = |column: &str| {
        Timestamp::from_second(row.try_get(column)?)
            .map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
    };
    let profile: &str = row.try_get("profile")?;
    let lease: Option<&[u8]> = row.try_get("lease")?;
    Ok(SessionRecord {
        key: Key(array("key", row.try_get("key")?)?),
        version: row.try_get("version")?,
        provider: row.try_get("provider")?,
        issuer: row.try_get("issuer")?,
        sub: row.try_get("sub")?,
        sid: row.try_get("sid")?,
        profile: serde_json::from_str(profile)
            .map_err(|error| sqlx::Error::ColumnDecode { index: "profile".to_owned(), source: error.into() })?,
        created_at: time("created_at")?,
        last_seen_at: time("last_seen_at")?,
        idle_expires_at: time("idle_expires_at")?,
        expires_at: time("expires_at")?,
        tokens: row.try_get("tokens")?,
        lease: lease.map(|lease| array("lease", lease)).transpose()?.map(Lease),
    })
}
