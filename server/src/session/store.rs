//! The store: what is remembered between requests, by this process or by several that share it.

mod memory;
mod redis;
mod sqlite;

pub use memory::MemoryStore;
pub use redis::{RedisAddress, RedisAddressError, RedisOpenError, RedisStore};
pub use sqlite::{OpenError, SqliteStore};

use super::record::{Key, Lease, SessionRecord};
use async_trait::async_trait;
use jiff::Timestamp;
use std::{error::Error, sync::Arc};
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
    /// Whether it answers.
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

    /// Claims something that may be used once. Answers whether this was the first time.
    async fn claim(&self, key: Key, expires_at: Timestamp) -> Result<bool, StoreError>;

    /// Remembers which session a claim led to.
    async fn complete_claim(&self, key: Key, session: Key) -> Result<(), StoreError>;

    /// Whether a claim led to this session.
    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError>;

    /// What the first server sealed here, so that every other can see whether its keys open it; `proposed` if there is nothing yet.
    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Puts another in its place, if it is still `current`: the key that sealed it is about to be given up.
    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError>;

    /// Forgets what has expired, and answers how much.
    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Whether changes that others make are announced at present. While they are not, what was read before may be out of date;
    /// afterwards comes a [`Change::Missed`].
    fn announces(&self) -> bool {
        true
    }

    /// What happens to sessions from now on, each at least once: a change may be announced twice, and never before it can be
    /// read. Whoever falls behind gets `Lagged`, which means the same as [`Change::Missed`].
    fn changes(&self) -> broadcast::Receiver<Change>;

    /// Finishes what is under way and lets go of everything.
    async fn close(&self);
}
