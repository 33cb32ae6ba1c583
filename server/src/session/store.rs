//! The store: what is remembered between requests, by this process or by several that share it.

mod late;
mod memory;
mod postgres;
mod redis;
mod sqlite;
mod turns;

pub use memory::MemoryStore;
pub use postgres::{PostgresAddress, PostgresAddressError, PostgresStore};
pub use redis::{RedisAddress, RedisAddressError, RedisOpenError, RedisStore};
pub use sqlite::SqliteStore;

use super::{
    key_check::KeyCheckError,
    record::{Key, Lease, Profile, SessionRecord},
    seal::KeyRing,
};
use crate::{
    clock::Clock,
    config::{SessionConfig, StoreConfig},
    entropy::Entropy,
};
use async_trait::async_trait;
use futures_util::{FutureExt as _, future};
use jiff::Timestamp;
use late::{KeyCheck, LateStore, Opening};
use std::{error::Error, io, path::PathBuf, sync::Arc};
use thiserror::Error;
use tokio::sync::broadcast;

/// How many changes a slow listener may be behind before it is told to look again.
const CHANGES_KEPT: usize = 1024;

/// The store did not do what it was asked; nobody is signed out for that.
#[derive(Clone, Debug, Error)]
#[error("the session store does not answer")]
pub struct StoreError(#[source] Arc<dyn Error + Send + Sync>);

impl StoreError {
    /// Keeps what the store's own library said, for the log.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(source.into()))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::new(error)
    }
}

/// Why a store cannot be used. A file is left as it was.
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
    /// The server of the store does not answer now, and may do so later.
    #[error("{place} cannot be reached; check that it runs, and host and port in session.store_url")]
    Unreachable {
        /// Where it should be.
        place: String,
        /// What was said.
        source: StoreError,
    },
    /// It does answer, and cannot be used as it is.
    #[error("{place} cannot be used: {reason}. {fix}")]
    Unusable {
        /// Where it is.
        place: String,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        fix: String,
        /// What it said, if that was it.
        source: Option<StoreError>,
    },
    /// Redis cannot be used.
    #[error(transparent)]
    Redis(RedisOpenError),
    /// Its sessions are sealed with keys that this server does not have.
    #[error("this server has other keys than those of the session store")]
    KeysDiffer(#[source] KeyCheckError),
}

impl From<RedisOpenError> for OpenError {
    fn from(error: RedisOpenError) -> Self {
        match error {
            RedisOpenError::Unreachable { address, source } => Self::Unreachable { place: address, source },
            other => Self::Redis(other),
        }
    }
}

/// Opens or makes the file of the store that is configured, where there is one. That needs no keys, and may be done while they are made.
///
/// # Errors
/// When it cannot be used as it is; the message says what to do.
pub async fn open_file(config: &SessionConfig) -> Result<Option<SqliteStore>, OpenError> {
    match config.store {
        StoreConfig::Sqlite => SqliteStore::open(&config.database).await.map(Some),
        StoreConfig::Memory | StoreConfig::Postgres { .. } | StoreConfig::Redis { .. } => Ok(None),
    }
}

/// Opens the store that is configured, and makes sure that its sessions are sealed with this server's keys. One whose server does not
/// answer is opened later, by itself; until then every call fails. A `file` is one that [`open_file`] has opened.
///
/// # Errors
/// When it cannot be used as it is; the message says what to do.
pub async fn open(
    config: &SessionConfig,
    file: Option<SqliteStore>,
    keys: &Arc<KeyRing>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<dyn Store>, OpenError> {
    let check = KeyCheck { keys: Arc::clone(keys), entropy: Arc::clone(entropy) };
    match &config.store {
        StoreConfig::Sqlite => {
            // A file is there or never will be; only its keys may have to wait.
            let file = match file {
                Some(file) => file,
                None => SqliteStore::open(&config.database).await?,
            };
            let store: Arc<dyn Store> = Arc::new(file);
            LateStore::open(move || future::ready(Ok(Arc::clone(&store))).boxed(), check).await
        }
        StoreConfig::Memory => Ok(Arc::new(MemoryStore::default())),
        StoreConfig::Postgres { address, roots } => {
            let (address, roots) = (address.clone(), roots.clone());
            let opening = move || -> Opening {
                let (address, roots) = (address.clone(), roots.clone());
                Box::pin(async move { Ok(Arc::new(PostgresStore::open(&address, roots.as_deref()).await?) as Arc<dyn Store>) })
            };
            LateStore::open(opening, check).await
        }
        StoreConfig::Redis { address, roots } => {
            let (address, roots, clock, entropy) = (address.clone(), roots.clone(), Arc::clone(clock), Arc::clone(entropy));
            let opening = move || -> Opening {
                let (address, roots, clock, entropy) = (address.clone(), roots.clone(), Arc::clone(&clock), Arc::clone(&entropy));
                Box::pin(async move { Ok(Arc::new(RedisStore::open(&address, roots.as_deref(), clock, entropy).await?) as Arc<dyn Store>) })
            };
            LateStore::open(opening, check).await
        }
    }
}

/// What the browser may know, as stores keep it.
#[expect(clippy::expect_used, reason = "a profile is made of strings and numbers, which always serialize")]
fn encode(profile: &Profile) -> String {
    serde_json::to_string(profile).expect("a profile serializes")
}

/// Says how many sessions have ended of which it could not be read what they were.
fn warn_of_damaged(sessions: usize) {
    if sessions > 0 {
        // What the record says is nobody's business.
        tracing::warn!(sessions, "sessions have ended that were damaged in the session database");
    }
}

/// What has become of a session, whoever did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has ended.
    Ended(Key),
    /// Its record has changed: new tokens, or a later end.
    Renewed(Key),
    /// Changes may have been missed: whoever remembers something should look again.
    Missed,
}

/// The user that an issuer answers for; never the e-mail address.
#[derive(Clone, Copy, Debug)]
pub struct UserKey<'a> {
    /// Who answers for `sub`.
    pub issuer: &'a str,
    /// The user at that issuer.
    pub sub: &'a str,
}

/// The sessions that a logout token names.
#[derive(Clone, Copy, Debug)]
pub struct NamedSessions<'token> {
    /// Who answers for `sub` and `sid`.
    pub issuer: &'token str,
    /// The user.
    pub sub: Option<&'token str>,
    /// The session at the provider.
    pub sid: Option<&'token str>,
}

/// Remembers sessions, and what may be used once.
///
/// Every method fails when the store does not answer, and only then. Each does its work whole or not at all, whoever else is at
/// work in the same store, and every write to a session is announced to all who listen to [`Store::changes`], in every process.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Whether it answers, and can remember more.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Writes a new session.
    async fn insert(&self, record: &SessionRecord) -> Result<(), StoreError>;

    /// Reads a session, whether or not it has expired.
    async fn get(&self, key: Key) -> Result<Option<SessionRecord>, StoreError>;

    /// The sessions of a user, whether or not they have expired, the youngest first.
    async fn sessions_of(&self, user: UserKey<'_>) -> Result<Vec<SessionRecord>, StoreError>;

    /// Takes, keeps or gives back the right to renew a session's tokens: puts `new` in the place of `held` if the session is still there, its
    /// version is still `version` and its lease still `held`. Answers whether it did. The version stays.
    async fn swap_lease(&self, key: Key, version: i64, held: Option<Lease>, new: Option<Lease>) -> Result<bool, StoreError>;

    /// Replaces tokens and profile if nobody has written since `record` was read, raises the version and takes the lease away.
    /// Answers whether it did: not when the session has ended meanwhile.
    async fn replace_tokens(&self, record: &SessionRecord) -> Result<bool, StoreError>;

    /// Moves the idle end of a live session forward; it is no reason for anybody's write to fail, so the version stays.
    async fn touch(&self, key: Key, last_seen_at: Timestamp, idle_expires_at: Timestamp) -> Result<(), StoreError>;

    /// Ends a session, and answers it if it was there: to one caller only.
    async fn remove(&self, key: Key) -> Result<Option<SessionRecord>, StoreError>;

    /// Ends every session of a user but one, and answers them.
    async fn remove_user(&self, user: UserKey<'_>, except: Option<Key>) -> Result<Vec<SessionRecord>, StoreError>;

    /// Ends the sessions that a logout token names: one provider session by `sid`, or every session of a `sub`.
    /// Answers how many, or `None` when this token has been used before; the two go together or not at all, so that a
    /// provider whose call failed can repeat it.
    async fn remove_named(&self, named: NamedSessions<'_>, token: Key, expires_at: Timestamp) -> Result<Option<usize>, StoreError>;

    /// Claims something that may be used once, and remembers the key of the session that it is to lead to. Answers whether this was
    /// the first time.
    async fn claim(&self, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, StoreError>;

    /// Whether something has been claimed for this session.
    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError>;

    /// What the first server sealed here, so that every other can see whether its keys open it; `proposed` if there is nothing yet.
    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Puts another in its place, if it is still `current`: the key that sealed it is about to be given up.
    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError>;

    /// Forgets what has expired, and answers how much. A store that is a server forgets nothing that is alive by its own clock, either: one
    /// replica with a clock that is ahead would end everybody's sessions.
    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// In which turn the changes that others make are announced; in none while they are not. What was read in one turn may be out of
    /// date in the next, which has a higher number: that counts at once, before anybody is told by the [`Change::Missed`] that follows.
    fn turn(&self) -> Option<u64> {
        Some(0)
    }

    /// What happens to sessions from now on, each at least once: a change may be announced twice, and never before it can be
    /// read. Whoever falls behind gets `Lagged`, which means the same as [`Change::Missed`].
    fn changes(&self) -> broadcast::Receiver<Change>;

    /// Finishes what is under way and lets go of everything.
    async fn close(&self);
}
