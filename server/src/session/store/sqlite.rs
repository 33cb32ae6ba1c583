//! Sessions in an embedded SQLite file: the default.
//!
//! One connection writes, one statement after the other, so that no two of ours ever wait for each other's lock; others read, and in
//! WAL mode no write keeps them waiting. What another process writes shows in the `data_version` of the connection that writes.

use super::{Change, NamedSessions, OpenError, Store, StoreError, UserKey, turns::Turns};
use crate::session::record::{Key, Lease, SessionRecord};
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
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{
    sync::{Mutex, broadcast},
    task::JoinHandle,
    time::Instant,
};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Marks the file as ours (`PRAGMA application_id`): "o2fl".
const APPLICATION_ID: i64 = 0x6f32_666c;

/// How long a write waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a write waits for those before it.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long other servers may take that make the same file at the same moment. Turning on the WAL waits for nobody by itself.
const OPEN_PATIENCE: Duration = Duration::from_secs(4);
const OPEN_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// How many connections read.
const READERS: u32 = 4;

/// How soon what another process has written is noticed.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// How long it counts that the file took what was written, or did not.
const WRITE_INTERVAL: Duration = Duration::from_secs(2);

/// How many records are swept before others may write.
const SWEPT_AT_ONCE: u32 = 500;

/// The sessions of one SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteStore(Arc<File>);

#[derive(Debug)]
struct File {
    writer: SqlitePool,
    readers: SqlitePool,
    /// While a new file is on its way to the disk.
    settling: Mutex<Option<JoinHandle<()>>>,
    changes: broadcast::Sender<Change>,
    /// The turns of seeing what other processes write.
    turns: Turns,
    /// When it was last tried whether the file takes what is written, and what came of it.
    tried_to_write: Mutex<Option<(Instant, Result<(), StoreError>)>>,
}

impl SqliteStore {
    /// Opens the file, or makes it, and brings its tables up to date. Others may do the same at the same moment.
    ///
    /// # Errors
    /// When the file cannot be used; see [`OpenError`]. A file that is not ours is not written to.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let file = Arc::new(File::open(path).await?);
        let seen = file.data_version().await.map_err(|error| classify(path, &error))?;
        tokio::spawn(look_at_times(Arc::downgrade(&file), seen));
        Ok(Self(file))
    }

    /// Does work to its end and announces it, also when whoever asked for it has gone away meanwhile.
    async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        tokio::spawn(work).await.map_err(StoreError::new)?
    }
}

impl File {
    async fn open(path: &Path) -> Result<Self, OpenError> {
        let inaccessible = |source| OpenError::Inaccessible { path: path.to_owned(), source };
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            fs::create_dir_all(directory).map_err(inaccessible)?;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(OpenError::Foreign { path: path.to_owned(), reason: "it is a directory".to_owned() });
            }
            Ok(metadata) if metadata.permissions().readonly() => return Err(OpenError::ReadOnly { path: path.to_owned() }),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => create_private(path).map_err(inaccessible)?,
            Err(error) => return Err(inaccessible(error)),
        }
        let begun = Instant::now();
        let Connections { writer, readers, settling } = loop {
            match connect(path).await {
                Err(OpenError::Locked { .. }) if begun.elapsed() < OPEN_PATIENCE => tokio::time::sleep(OPEN_AGAIN_AFTER).await,
                result => break result?,
            }
        };
        let changes = broadcast::Sender::new(super::CHANGES_KEPT);
        let turns = Turns::new();
        turns.begin();
        Ok(Self { writer, readers, settling: Mutex::new(settling), changes, turns, tried_to_write: Mutex::default() })
    }

    /// Changes when another process has written; what this one writes leaves it as it is, because one connection writes it all.
    async fn data_version(&self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("PRAGMA data_version").fetch_one(&self.writer).await
    }

    /// Looks whether another process has written since `seen`, and says so.
    async fn look(&self, seen: &mut i64) {
        match self.data_version().await {
            Ok(version) => {
                let was_blind = self.turns.begin();
                if std::mem::replace(seen, version) != version || was_blind {
                    self.announce(Change::Missed);
                }
            }
            Err(error) => {
                if self.turns.end() {
                    tracing::warn!(%error, "it cannot be seen whether another process has changed the session database");
                }
            }
        }
    }

    /// Whether the file takes what is written, by writing: a disk that is full is read as ever. Tried now and then only.
    async fn can_write(&self) -> Result<(), StoreError> {
        let mut tried = self.tried_to_write.lock().await;
        if let Some((at, result)) = &*tried
            && at.elapsed() < WRITE_INTERVAL
        {
            return result.clone();
        }
        let mark = AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION_ID}"));
        let result = sqlx::query(mark).execute(&self.writer).await.map(drop).map_err(StoreError::from);
        *tried = Some((Instant::now(), result.clone()));
        result
    }

    fn announce(&self, change: Change) {
        // Nobody has to listen.
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
        sqlx::query("SELECT 1").execute(&self.0.readers).await?;
        self.0.can_write().await
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
        .bind(super::encode(&record.profile))
        .bind(record.created_at.as_second())
        .bind(record.last_seen_at.as_second())
        .bind(record.idle_expires_at.as_second())
        .bind(record.expires_at.as_second())
        .bind(&record.tokens)
        .bind(bytes(record.lease.as_ref()))
        .execute(&self.0.writer)
        .await?;
        Ok(())
    }

    async fn get(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM sessions WHERE key = ?").bind(key.0.as_slice()).fetch_optional(&self.0.readers).await?;
        row.as_ref().map(decode).transpose()
    }

    async fn sessions_of(&self, user: UserKey<'_>) -> Result<Vec<SessionRecord>, StoreError> {
        let rows = sqlx::query("SELECT * FROM sessions WHERE issuer = ? AND sub = ? ORDER BY created_at DESC, key")
            .bind(user.issuer)
            .bind(user.sub)
            .fetch_all(&self.0.readers)
            .await?;
        rows.iter().map(decode).collect()
    }

    async fn swap_lease(&self, key: Key, version: i64, held: Option<Lease>, new: Option<Lease>) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE sessions SET lease = ? WHERE key = ? AND version = ? AND lease IS ?")
            .bind(bytes(new.as_ref()))
            .bind(key.0.as_slice())
            .bind(version)
            .bind(bytes(held.as_ref()))
            .execute(&self.0.writer)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    async fn replace_tokens(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        let (file, key, version) = (Arc::clone(&self.0), record.key, record.version);
        let (profile, tokens) = (super::encode(&record.profile), record.tokens.clone());
        self.to_its_end(async move {
            let done = sqlx::query(
                "UPDATE sessions SET profile = ?, tokens = ?, version = version + 1, lease = NULL WHERE key = ? AND version = ?",
            )
            .bind(profile)
            .bind(tokens)
            .bind(key.0.as_slice())
            .bind(version)
            .execute(&file.writer)
            .await?;
            let replaced = done.rows_affected() == 1;
            if replaced {
                file.announce(Change::Renewed(key));
            }
            Ok(replaced)
        })
        .await
    }

    async fn touch(&self, key: Key, last_seen_at: Timestamp, idle_expires_at: Timestamp) -> Result<(), StoreError> {
        let file = Arc::clone(&self.0);
        self.to_its_end(async move {
            let done = sqlx::query("UPDATE sessions SET last_seen_at = ?1, idle_expires_at = ?2 WHERE key = ?3 AND last_seen_at < ?1")
                .bind(last_seen_at.as_second())
                .bind(idle_expires_at.as_second())
                .bind(key.0.as_slice())
                .execute(&file.writer)
                .await?;
            if done.rows_affected() == 1 {
                file.announce(Change::Renewed(key));
            }
            Ok(())
        })
        .await
    }

    async fn remove(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        let file = Arc::clone(&self.0);
        self.to_its_end(async move {
            // To the end: a statement is committed when it has come to its end, and what goes wrong then must not go unheard.
            let rows = sqlx::query("DELETE FROM sessions WHERE key = ? RETURNING *").bind(key.0.as_slice()).fetch_all(&file.writer).await?;
            Ok(file.ended(&rows)?.pop())
        })
        .await
    }

    async fn remove_user(&self, user: UserKey<'_>, except: Option<Key>) -> Result<Vec<SessionRecord>, StoreError> {
        let (file, issuer, sub) = (Arc::clone(&self.0), user.issuer.to_owned(), user.sub.to_owned());
        self.to_its_end(async move {
            let rows = sqlx::query("DELETE FROM sessions WHERE issuer = ?1 AND sub = ?2 AND (?3 IS NULL OR key <> ?3) RETURNING *")
                .bind(issuer)
                .bind(sub)
                .bind(except.as_ref().map(|key| key.0.as_slice()))
                .fetch_all(&file.writer)
                .await?;
            file.ended(&rows)
        })
        .await
    }

    async fn remove_named(&self, named: NamedSessions<'_>, token: Key, expires_at: Timestamp) -> Result<Option<usize>, StoreError> {
        let (file, issuer) = (Arc::clone(&self.0), named.issuer.to_owned());
        let (sub, sid) = (named.sub.map(str::to_owned), named.sid.map(str::to_owned));
        self.to_its_end(async move {
            let mut transaction = file.writer.begin_with("BEGIN IMMEDIATE").await?;
            if !claim(&mut *transaction, token, None, expires_at).await? {
                return Ok(None);
            }
            let rows = match sid {
                Some(sid) => sqlx::query("DELETE FROM sessions WHERE issuer = ?1 AND sid = ?2 AND (?3 IS NULL OR sub = ?3) RETURNING *")
                    .bind(issuer)
                    .bind(sid)
                    .bind(sub),
                None => sqlx::query("DELETE FROM sessions WHERE issuer = ?1 AND sub = ?2 RETURNING *").bind(issuer).bind(sub),
            }
            .fetch_all(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(Some(file.ended(&rows)?.len()))
        })
        .await
    }

    async fn claim(&self, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, StoreError> {
        Ok(claim(&self.0.writer, key, session, expires_at).await?)
    }

    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM claims WHERE key = ? AND session_key = ?")
            .bind(key.0.as_slice())
            .bind(session.0.as_slice())
            .fetch_optional(&self.0.readers)
            .await?;
        Ok(row.is_some())
    }

    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let insert = "INSERT INTO key_check (only, sealed) VALUES (1, ?) ON CONFLICT DO NOTHING";
        sqlx::query(insert).bind(proposed).execute(&self.0.writer).await?;
        Ok(sqlx::query_scalar("SELECT sealed FROM key_check").fetch_one(&self.0.readers).await?)
    }

    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE key_check SET sealed = ? WHERE sealed = ?").bind(new).bind(current).execute(&self.0.writer).await?;
        Ok(done.rows_affected() == 1)
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        const SESSIONS: &str = "DELETE FROM sessions WHERE key IN (SELECT key FROM sessions WHERE idle_expires_at <= ? LIMIT ?)";
        const CLAIMS: &str = "DELETE FROM claims WHERE key IN (SELECT key FROM claims WHERE expires_at <= ? LIMIT ?)";
        let mut swept = 0;
        for statement in [SESSIONS, CLAIMS] {
            loop {
                let done = sqlx::query(statement).bind(now.as_second()).bind(SWEPT_AT_ONCE).execute(&self.0.writer).await?;
                swept += done.rows_affected();
                if done.rows_affected() < u64::from(SWEPT_AT_ONCE) {
                    break;
                }
            }
        }
        Ok(swept)
    }

    fn turn(&self) -> Option<u64> {
        self.0.turns.current()
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    async fn close(&self) {
        let settling = self.0.settling.lock().await.take();
        if let Some(settling) = settling {
            let _ = settling.await;
        }
        self.0.readers.close().await;
        // The last to close is one that may write the WAL back into the file.
        self.0.writer.close().await;
    }
}

/// Looks now and then whether another process has written, while somebody listens.
async fn look_at_times(file: Weak<File>, mut seen: i64) {
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let Some(file) = file.upgrade() else { return };
        if file.writer.is_closed() {
            return;
        }
        if file.changes.receiver_count() > 0 {
            file.look(&mut seen).await;
        }
    }
}

/// The connections to a file.
struct Connections {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Brings what has just been made to the disk.
    settling: Option<JoinHandle<()>>,
}

/// Opens the connections, with the tables up to date.
async fn connect(path: &Path) -> Result<Connections, OpenError> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).busy_timeout(BUSY_TIMEOUT).disable_statement_logging();
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            // Nothing can have happened to a file that is open.
            .test_before_acquire(false)
    };
    let made = if fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
        inspect(path).await?;
        None
    } else {
        let unsynchronised = options.clone().synchronous(SqliteSynchronous::Off);
        let made = pool(1).connect_with(unsynchronised).await.map_err(|error| classify(path, &error))?;
        make(path, &made).await?;
        Some(made)
    };
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Normal);
    let writer = pool(1).connect_with(options.clone()).await.map_err(|error| classify(path, &error))?;
    prepare(path, &writer).await?;
    let readers = pool(READERS).connect_with(options.pragma("query_only", "ON")).await.map_err(|error| classify(path, &error))?;
    Ok(Connections { writer, readers, settling: made.map(|made| tokio::spawn(settle(made))) })
}

/// Makes the tables of a new file without waiting for the disk: there is nothing in them to be lost. Should the machine stop at this
/// moment, the file is empty, and made anew; what is in the WAL counts as far as it is whole.
async fn make(path: &Path, unsynchronised: &SqlitePool) -> Result<(), OpenError> {
    // Only now that nothing is synchronised: this is what would wait most.
    sqlx::query("PRAGMA journal_mode = WAL").execute(unsynchronised).await.map_err(|error| classify(path, &error))?;
    prepare(path, unsynchronised).await
}

/// Brings a new file to the disk, while others use it already.
async fn settle(made: SqlitePool) {
    for step in ["PRAGMA synchronous = FULL", "PRAGMA wal_checkpoint(PASSIVE)"] {
        if let Err(error) = sqlx::query(step).execute(&made).await {
            // The next checkpoint does it.
            tracing::debug!(%error, "the new session database is not on the disk yet");
        }
    }
    made.close().await;
}

/// Marks a new file as ours and brings the tables up to date, all at once: whoever comes at the same moment waits, and finds it done.
/// This also finds out whether the file can be written.
async fn prepare(path: &Path, writer: &SqlitePool) -> Result<(), OpenError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(|error| classify(path, &error))?;
    let marked = async {
        let application_id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *transaction).await?;
        if application_id == 0 {
            let mark = AssertSqlSafe(format!("PRAGMA application_id = {APPLICATION_ID}"));
            sqlx::query(mark).execute(&mut *transaction).await?;
        }
        Ok::<_, sqlx::Error>(())
    };
    marked.await.map_err(|error| classify(path, &error))?;
    MIGRATIONS.run(&mut *transaction).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => classify(path, &error),
        MigrateError::VersionMissing(_) => {
            OpenError::Foreign { path: path.to_owned(), reason: "a newer version of oauth2flow made it".to_owned() }
        }
        other => OpenError::Foreign { path: path.to_owned(), reason: other.to_string() },
    })?;
    transaction.commit().await.map_err(|error| classify(path, &error))
}

async fn claim(executor: impl SqliteExecutor<'_>, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("INSERT INTO claims (key, session_key, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(key.0.as_slice())
        .bind(session.as_ref().map(|session| session.0.as_slice()))
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

#[cfg(test)]
mod tests {
    use super::{Change, File, Key, SqliteStore, Store as _};
    use jiff::Timestamp;
    use std::sync::Arc;
    use tokio::sync::broadcast::error::TryRecvError;

    #[tokio::test]
    async fn only_what_another_process_has_written_is_news() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.sqlite");
        let open = async || SqliteStore(Arc::new(File::open(&path).await.unwrap()));
        let (ours, theirs) = (open().await, open().await);
        let mut seen = ours.0.data_version().await.unwrap();
        let mut changes = ours.changes();
        let mut claimed = 0;
        let mut claim = async |store: &SqliteStore| {
            claimed += 1;
            assert!(store.claim(Key([claimed; 32]), None, Timestamp::MAX).await.unwrap());
        };
        for _ in 0..3 {
            claim(&ours).await;
            ours.0.look(&mut seen).await;
            assert_eq!(changes.try_recv(), Err(TryRecvError::Empty));
            claim(&theirs).await;
            claim(&ours).await;
            ours.0.look(&mut seen).await;
            assert_eq!(changes.try_recv(), Ok(Change::Missed));
            ours.0.look(&mut seen).await;
            assert_eq!(changes.try_recv(), Err(TryRecvError::Empty));
        }
    }
}
