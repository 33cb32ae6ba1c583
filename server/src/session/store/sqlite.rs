//! Sessions in an embedded SQLite file: the default.
//!
//! One connection writes, so that no two of ours ever wait for each other's lock; others read, and in WAL mode no write keeps them
//! waiting. What takes no longer than a look into memory is done where it is asked for: to hand it to another thread and to be woken by
//! that one costs several times as much. What has to wait — for another process, for the disk — is done by a thread that may.
//! What another process writes shows in the `data_version` of the connection that writes.

mod opening;
mod readers;
mod writer;

use super::{Change, NamedSessions, OpenError, Store, StoreError, UserKey, turns::Turns};
use crate::session::record::{Key, Lease, SessionRecord};
use async_trait::async_trait;
use jiff::Timestamp;
use opening::{APPLICATION_ID, Opened, Settling};
use readers::Readers;
use rusqlite::{Connection, Error, OptionalExtension as _, Params, Row, params, types::Type};
use std::{
    path::Path,
    sync::{Arc, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::{Mutex, broadcast},
    time::{Instant, timeout},
};
use writer::Writer;

/// How long a write waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How soon what another process has written is noticed.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// How long it counts that the file took what was written, or did not.
const WRITE_INTERVAL: Duration = Duration::from_secs(2);

/// How long it may take to finish what is under way: two waits for another process, and the disk.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// How many records are swept before others may write.
const SWEPT_AT_ONCE: u32 = 500;

/// How many statements a connection keeps ready: all that there are.
const STATEMENTS: usize = 32;

/// The sessions of one SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteStore(Arc<File>);

#[derive(Debug)]
struct File {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    /// While a new file is on its way to the disk.
    settling: Mutex<Option<Settling>>,
    changes: broadcast::Sender<Change>,
    /// The turns of seeing what other processes write.
    turns: Turns,
    /// When it was last tried whether the file takes what is written, and what came of it.
    tried_to_write: Mutex<Option<(Instant, Result<(), StoreError>)>>,
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

impl SqliteStore {
    /// Opens the file, or makes it, and brings its tables up to date. Others may do the same at the same moment.
    ///
    /// # Errors
    /// When the file cannot be used; see [`OpenError`]. A file that is not ours is not written to.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let file = Arc::new(File::open(path).await?);
        let seen = file.data_version().await.map_err(|source| OpenError::Unreachable { place: path.display().to_string(), source })?;
        tokio::spawn(look_at_times(Arc::downgrade(&file), seen));
        Ok(Self(file))
    }

    /// Writes, all of it or nothing, also when whoever asks goes away meanwhile. What was written is announced by `announce`.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T, Error> + Send + 'static,
        announce: impl FnOnce(&T, &broadcast::Sender<Change>) + Send + 'static,
    ) -> Result<T, StoreError> {
        let changes = self.0.changes.clone();
        self.0.writer.write(work, move |done| announce(done, &changes)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        self.0.readers.read(work).await
    }
}

impl File {
    async fn open(path: &Path) -> Result<Self, OpenError> {
        let Opened { writer, reader, settling } = opening::open(path).await?;
        let changes = broadcast::Sender::new(super::CHANGES_KEPT);
        let turns = Turns::new();
        turns.begin();
        Ok(Self {
            writer: Arc::new(Writer::new(path, writer)),
            readers: Arc::new(Readers::new(path, reader)),
            settling: Mutex::new(settling),
            changes,
            turns,
            tried_to_write: Mutex::default(),
        })
    }

    /// Changes when another process has written; what this one writes leaves it as it is, because one connection writes it all.
    async fn data_version(&self) -> Result<i64, StoreError> {
        self.writer.look(|connection| connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))).await
    }

    /// Looks whether another process has written since `seen`, and says so.
    async fn look(&self, seen: &mut i64) {
        match self.data_version().await {
            Ok(version) => {
                let was_blind = self.turns.begin();
                if std::mem::replace(seen, version) != version || was_blind {
                    announce(&self.changes, Change::Missed);
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
        let result = self.try_to_write().await;
        *tried = Some((Instant::now(), result.clone()));
        result
    }

    /// Writes what is there already.
    async fn try_to_write(&self) -> Result<(), StoreError> {
        self.writer.write(|connection| connection.pragma_update(None, "application_id", APPLICATION_ID), |()| {}).await
    }
}

fn announce(changes: &broadcast::Sender<Change>, change: Change) {
    // Nobody has to listen.
    let _ = changes.send(change);
}

/// Sessions that have been deleted.
struct Deleted {
    keys: Vec<Key>,
    /// Those of which it can be read what they were.
    records: Vec<SessionRecord>,
}

/// Deletes sessions by a statement that returns them. One that cannot be read keeps nobody from ending it, or others.
fn delete(connection: &Connection, statement: &str, parameters: impl Params) -> Result<Deleted, Error> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(parameters)?;
    let mut deleted = Deleted { keys: Vec::new(), records: Vec::new() };
    while let Some(row) = rows.next()? {
        deleted.keys.push(Key(row.get("key")?));
        deleted.records.extend(decode(row));
    }
    Ok(deleted)
}

fn announce_ended(deleted: &Deleted, changes: &broadcast::Sender<Change>) {
    for key in &deleted.keys {
        announce(changes, Change::Ended(*key));
    }
    super::warn_of_damaged(deleted.keys.len() - deleted.records.len());
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|connection| connection.prepare_cached("SELECT count(*) FROM key_check")?.query_row([], |_| Ok(()))).await?;
        self.0.can_write().await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<(), StoreError> {
        let record = record.clone();
        let profile = super::encode(&record.profile);
        let work = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO sessions (key, version, provider, issuer, sub, sid, profile, created_at, last_seen_at, idle_expires_at, \
                 expires_at, tokens, lease) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            statement.execute(params![
                record.key.0,
                record.version,
                record.provider,
                record.issuer,
                record.sub,
                record.sid,
                profile,
                record.created_at.as_second(),
                record.last_seen_at.as_second(),
                record.idle_expires_at.as_second(),
                record.expires_at.as_second(),
                record.tokens,
                bytes(record.lease.as_ref()),
            ])
        };
        self.write(work, |_, _| {}).await.map(drop)
    }

    async fn get(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        self.read(move |connection| {
            connection.prepare_cached("SELECT * FROM sessions WHERE key = ?")?.query_row([key.0], decode).optional()
        })
        .await
    }

    async fn sessions_of(&self, user: UserKey<'_>) -> Result<Vec<SessionRecord>, StoreError> {
        let (issuer, sub) = (user.issuer.to_owned(), user.sub.to_owned());
        self.read(move |connection| {
            let select = "SELECT * FROM sessions WHERE issuer = ? AND sub = ? ORDER BY created_at DESC, key";
            connection.prepare_cached(select)?.query_map(params![issuer, sub], decode)?.collect()
        })
        .await
    }

    async fn swap_lease(&self, key: Key, version: i64, held: Option<Lease>, new: Option<Lease>) -> Result<bool, StoreError> {
        let work = move |connection: &Connection| {
            let update = "UPDATE sessions SET lease = ? WHERE key = ? AND version = ? AND lease IS ?";
            let parameters = params![bytes(new.as_ref()), key.0, version, bytes(held.as_ref())];
            Ok(connection.prepare_cached(update)?.execute(parameters)? == 1)
        };
        self.write(work, |_, _| {}).await
    }

    async fn replace_tokens(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        let (key, version) = (record.key, record.version);
        let (profile, tokens) = (super::encode(&record.profile), record.tokens.clone());
        let work = move |connection: &Connection| {
            let update = "UPDATE sessions SET profile = ?, tokens = ?, version = version + 1, lease = NULL WHERE key = ? AND version = ?";
            Ok(connection.prepare_cached(update)?.execute(params![profile, tokens, key.0, version])? == 1)
        };
        self.write(work, move |replaced, changes| {
            if *replaced {
                announce(changes, Change::Renewed(key));
            }
        })
        .await
    }

    async fn touch(&self, key: Key, last_seen_at: Timestamp, idle_expires_at: Timestamp) -> Result<(), StoreError> {
        let work = move |connection: &Connection| {
            let update = "UPDATE sessions SET last_seen_at = ?1, idle_expires_at = ?2 WHERE key = ?3 AND last_seen_at < ?1";
            connection.prepare_cached(update)?.execute(params![last_seen_at.as_second(), idle_expires_at.as_second(), key.0])
        };
        let touched = self.write(work, move |touched, changes| {
            if *touched == 1 {
                announce(changes, Change::Renewed(key));
            }
        });
        touched.await.map(drop)
    }

    async fn remove(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        let work = move |connection: &Connection| delete(connection, "DELETE FROM sessions WHERE key = ? RETURNING *", [key.0]);
        Ok(self.write(work, announce_ended).await?.records.pop())
    }

    async fn remove_user(&self, user: UserKey<'_>, except: Option<Key>) -> Result<Vec<SessionRecord>, StoreError> {
        let (issuer, sub) = (user.issuer.to_owned(), user.sub.to_owned());
        let work = move |connection: &Connection| {
            let statement = "DELETE FROM sessions WHERE issuer = ?1 AND sub = ?2 AND (?3 IS NULL OR key <> ?3) RETURNING *";
            let except = except.as_ref().map(|key| key.0.as_slice());
            delete(connection, statement, params![issuer, sub, except])
        };
        Ok(self.write(work, announce_ended).await?.records)
    }

    async fn remove_named(&self, named: NamedSessions<'_>, token: Key, expires_at: Timestamp) -> Result<Option<usize>, StoreError> {
        let issuer = named.issuer.to_owned();
        let (sub, sid) = (named.sub.map(str::to_owned), named.sid.map(str::to_owned));
        let work = move |connection: &Connection| {
            if !claim(connection, token, None, expires_at)? {
                return Ok(None);
            }
            let ended = match &sid {
                Some(sid) => {
                    let statement = "DELETE FROM sessions WHERE issuer = ?1 AND sid = ?2 AND (?3 IS NULL OR sub = ?3) RETURNING *";
                    delete(connection, statement, params![issuer, sid, sub])
                }
                None => delete(connection, "DELETE FROM sessions WHERE issuer = ?1 AND sub = ?2 RETURNING *", params![issuer, sub]),
            };
            ended.map(Some)
        };
        let announce_ended = |ended: &Option<Deleted>, changes: &broadcast::Sender<Change>| {
            if let Some(ended) = ended {
                announce_ended(ended, changes);
            }
        };
        let ended = self.write(work, announce_ended).await?;
        Ok(ended.map(|ended| ended.keys.len()))
    }

    async fn claim(&self, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, StoreError> {
        self.write(move |connection| claim(connection, key, session, expires_at), |_, _| {}).await
    }

    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError> {
        self.read(move |connection| {
            connection.prepare_cached("SELECT 1 FROM claims WHERE key = ? AND session_key = ?")?.exists([key.0, session.0])
        })
        .await
    }

    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let proposed = proposed.to_vec();
        let work = move |connection: &Connection| {
            let insert = "INSERT INTO key_check (only, sealed) VALUES (1, ?) ON CONFLICT DO NOTHING";
            connection.prepare_cached(insert)?.execute([&proposed])?;
            connection.prepare_cached("SELECT sealed FROM key_check")?.query_row([], |row| row.get(0))
        };
        self.write(work, |_, _| {}).await
    }

    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        let (current, new) = (current.to_vec(), new.to_vec());
        let work = move |connection: &Connection| {
            Ok(connection.prepare_cached("UPDATE key_check SET sealed = ? WHERE sealed = ?")?.execute([&new, &current])? == 1)
        };
        self.write(work, |_, _| {}).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        const SESSIONS: &str = "DELETE FROM sessions WHERE key IN (SELECT key FROM sessions WHERE idle_expires_at <= ? LIMIT ?)";
        const CLAIMS: &str = "DELETE FROM claims WHERE key IN (SELECT key FROM claims WHERE expires_at <= ? LIMIT ?)";
        // What is due may be so only because its use could not be written: a disk that is full takes the end of a session all the same.
        const PROOF: &str = "UPDATE sessions SET idle_expires_at = idle_expires_at WHERE key = \
                             (SELECT key FROM sessions WHERE idle_expires_at <= ? LIMIT 1)";
        let prove = move |connection: &Connection| connection.prepare_cached(PROOF)?.execute(params![now.as_second()]);
        self.0.writer.write_at_leisure(prove, |_| {}).await?;
        let mut swept = 0;
        for statement in [SESSIONS, CLAIMS] {
            loop {
                let delete =
                    move |connection: &Connection| connection.prepare_cached(statement)?.execute(params![now.as_second(), SWEPT_AT_ONCE]);
                let deleted = self.0.writer.write_at_leisure(delete, |_| {}).await? as u64;
                swept += deleted;
                if deleted < u64::from(SWEPT_AT_ONCE) {
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
        let closing = async {
            if let Some(settling) = self.0.settling.lock().await.take() {
                let _ = settling.await;
            }
            self.0.readers.close();
            // The last to close is one that may write the WAL back into the file.
            self.0.writer.close().await;
        };
        if timeout(CLOSE_PATIENCE, closing).await.is_err() {
            tracing::warn!("the session database could not be closed in time; what was committed is in its log");
        }
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

fn claim(connection: &Connection, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, Error> {
    let insert = "INSERT INTO claims (key, session_key, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    let session = session.as_ref().map(|session| session.0.as_slice());
    Ok(connection.prepare_cached(insert)?.execute(params![key.0, session, expires_at.as_second()])? == 1)
}

fn bytes(lease: Option<&Lease>) -> Option<&[u8]> {
    lease.map(|lease| lease.0.as_slice())
}

fn decode(row: &Row<'_>) -> Result<SessionRecord, Error> {
    let time = |column: &str| {
        Timestamp::from_second(row.get(column)?).map_err(|error| {
            Error::FromSqlConversionFailure(row.as_ref().column_index(column).unwrap_or_default(), Type::Integer, error.into())
        })
    };
    let profile = row.get_ref("profile")?.as_str()?;
    let profile = serde_json::from_str(profile).map_err(|error| {
        Error::FromSqlConversionFailure(row.as_ref().column_index("profile").unwrap_or_default(), Type::Text, error.into())
    })?;
    Ok(SessionRecord {
        key: Key(row.get("key")?),
        version: row.get("version")?,
        provider: row.get("provider")?,
        issuer: row.get("issuer")?,
        sub: row.get("sub")?,
        sid: row.get("sid")?,
        profile,
        created_at: time("created_at")?,
        last_seen_at: time("last_seen_at")?,
        idle_expires_at: time("idle_expires_at")?,
        expires_at: time("expires_at")?,
        tokens: row.get("tokens")?,
        lease: row.get::<_, Option<_>>("lease")?.map(Lease),
    })
}

/// Whether another process is in the way, which may soon be gone.
fn is_busy(error: &Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}

/// What was asked of a store that is closed, or is being.
fn closed() -> StoreError {
    StoreError::new("the session database is closed")
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Change, File, Key, SqliteStore, Store as _, writer};
    use jiff::Timestamp;
    use rusqlite::Connection;
    use std::{
        fs,
        path::Path,
        sync::{Arc, mpsc},
    };
    use tokio::sync::{broadcast::error::TryRecvError, oneshot};

    async fn open(path: &Path) -> SqliteStore {
        SqliteStore(Arc::new(File::open(path).await.unwrap()))
    }

    async fn claim(store: &SqliteStore, number: u8) -> Result<bool, super::StoreError> {
        store.claim(Key([number; 32]), None, Timestamp::MAX).await
    }

    #[tokio::test]
    async fn another_process_that_is_in_the_way_for_long_is_an_error_for_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.sqlite");
        let store = open(&path).await;
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let (claims, ping) = tokio::join!(futures_util::future::join_all((0..200).map(|number| claim(&store, number))), store.ping());
        assert!(claims.iter().all(Result::is_err));
        ping.unwrap_err();
        other.execute_batch("ROLLBACK").unwrap();
        // None of those that failed has been written.
        assert!(claim(&store, 0).await.unwrap());
        store.close().await;
    }

    #[tokio::test]
    async fn a_disk_that_does_not_answer_is_an_error_and_what_was_asked_for_is_done_in_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory.path().join("sessions.sqlite")).await;
        let (begin, is_hanging) = oneshot::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let (hanging, mut begin) = (Arc::clone(&store.0.writer), Some(begin));
        let hanging = tokio::spawn(async move {
            let work = move |_: &Connection| {
                begin.take().unwrap().send(()).unwrap();
                may_go_on.recv().unwrap();
                Ok(())
            };
            hanging.write_at_leisure(work, |()| {}).await
        });
        is_hanging.await.unwrap();
        let mut seen = 0;
        let (claimed, ping, ()) = tokio::join!(claim(&store, 1), store.ping(), store.0.look(&mut seen));
        claimed.unwrap_err();
        ping.unwrap_err();
        assert_eq!(store.turn(), None);
        go_on.send(()).unwrap();
        hanging.await.unwrap().unwrap();
        assert!(!claim(&store, 1).await.unwrap());
        store.0.look(&mut seen).await;
        assert!(store.turn().is_some());
        store.close().await;
    }

    #[tokio::test]
    async fn the_log_stays_short_when_nothing_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.sqlite");
        let store = open(&path).await;
        let frame = 4096 + 24;
        for _ in 0..20 * writer::GROUPS_BETWEEN_CHECKPOINTS {
            store.0.try_to_write().await.unwrap();
            while store.0.writer.is_writing_back() {
                tokio::task::yield_now().await;
            }
            let log = fs::metadata(path.with_extension("sqlite-wal")).unwrap().len();
            // Whoever reads at that moment keeps the log from beginning anew, so that it may take another turn or two.
            assert!(log < 8 * writer::GROUPS_BETWEEN_CHECKPOINTS * frame, "{log}");
        }
        store.close().await;
    }

    #[tokio::test]
    async fn only_what_another_process_has_written_is_news() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.sqlite");
        let (ours, theirs) = (open(&path).await, open(&path).await);
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
