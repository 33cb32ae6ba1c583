//! Sessions in this process's memory: for tests, and for whoever wants no file. They end with the process.

use super::{Change, NamedSessions, Store, StoreError, UserKey};
use crate::session::record::{Key, Lease, SessionRecord};
use async_trait::async_trait;
use jiff::Timestamp;
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::broadcast;

/// The sessions of one process. A clone shares them, as another server shares a database.
#[derive(Clone, Debug)]
pub struct MemoryStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    content: Mutex<Content>,
    changes: broadcast::Sender<Change>,
}

#[derive(Debug, Default)]
struct Content {
    sessions: HashMap<Key, SessionRecord>,
    claims: HashMap<Key, Claim>,
    key_check: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Claim {
    session: Option<Key>,
    expires_at: Timestamp,
}

impl Default for MemoryStore {
    fn default() -> Self {
        let changes = broadcast::Sender::new(super::CHANGES_KEPT);
        Self(Arc::new(Shared { content: Mutex::default(), changes }))
    }
}

impl MemoryStore {
    /// What is remembered. No method leaves it half written, so one that panicked has done no harm.
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self, change: Change) {
        // Nobody has to listen.
        let _ = self.0.changes.send(change);
    }

    /// Ends the sessions that `ends` says, and announces it.
    fn end(&self, content: &mut Content, ends: impl Fn(&SessionRecord) -> bool) -> Vec<SessionRecord> {
        let ended: Vec<_> = content.sessions.extract_if(|_, record| ends(record)).map(|(_, record)| record).collect();
        for record in &ended {
            self.announce(Change::Ended(record.key));
        }
        ended
    }
}

impl Content {
    fn claim(&mut self, key: Key, session: Option<Key>, expires_at: Timestamp) -> bool {
        match self.claims.entry(key) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(Claim { session, expires_at });
                true
            }
        }
    }
}

fn is_of(record: &SessionRecord, user: UserKey<'_>) -> bool {
    record.issuer == user.issuer && record.sub == user.sub
}

#[async_trait]
impl Store for MemoryStore {
    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn insert(&self, record: &SessionRecord) -> Result<(), StoreError> {
        match self.content().sessions.entry(record.key) {
            Entry::Occupied(_) => Err(StoreError::new("there is a session of this key already")),
            Entry::Vacant(place) => {
                place.insert(record.clone());
                Ok(())
            }
        }
    }

    async fn get(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        Ok(self.content().sessions.get(&key).cloned())
    }

    async fn sessions_of(&self, user: UserKey<'_>) -> Result<Vec<SessionRecord>, StoreError> {
        let mut records: Vec<_> = self.content().sessions.values().filter(|record| is_of(record, user)).cloned().collect();
        records.sort_by_key(|record| (std::cmp::Reverse(record.created_at), record.key.0));
        Ok(records)
    }

    async fn swap_lease(&self, key: Key, version: i64, held: Option<Lease>, new: Option<Lease>) -> Result<bool, StoreError> {
        let mut content = self.content();
        let record = content.sessions.get_mut(&key).filter(|record| record.version == version && record.lease == held);
        let swapped = record.is_some();
        if let Some(record) = record {
            record.lease = new;
        }
        Ok(swapped)
    }

    async fn replace_tokens(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        let mut content = self.content();
        let Some(kept) = content.sessions.get_mut(&record.key).filter(|kept| kept.version == record.version) else { return Ok(false) };
        kept.profile.clone_from(&record.profile);
        kept.tokens.clone_from(&record.tokens);
        kept.version += 1;
        kept.lease = None;
        self.announce(Change::Renewed(record.key));
        Ok(true)
    }

    async fn touch(&self, key: Key, last_seen_at: Timestamp, idle_expires_at: Timestamp) -> Result<(), StoreError> {
        let mut content = self.content();
        if let Some(record) = content.sessions.get_mut(&key).filter(|record| record.last_seen_at < last_seen_at) {
            record.last_seen_at = last_seen_at;
            record.idle_expires_at = idle_expires_at;
            self.announce(Change::Renewed(key));
        }
        Ok(())
    }

    async fn remove(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        let removed = self.content().sessions.remove(&key);
        if removed.is_some() {
            self.announce(Change::Ended(key));
        }
        Ok(removed)
    }

    async fn remove_user(&self, user: UserKey<'_>, except: Option<Key>) -> Result<Vec<SessionRecord>, StoreError> {
        Ok(self.end(&mut self.content(), |record| is_of(record, user) && Some(record.key) != except))
    }

    async fn remove_named(&self, named: NamedSessions<'_>, token: Key, expires_at: Timestamp) -> Result<Option<usize>, StoreError> {
        let mut content = self.content();
        if !content.claim(token, None, expires_at) {
            return Ok(None);
        }
        let ended = self.end(&mut content, |record| {
            record.issuer == named.issuer
                && (named.sid.is_some() || named.sub.is_some())
                && named.sid.is_none_or(|sid| record.sid.as_deref() == Some(sid))
                && named.sub.is_none_or(|sub| record.sub == sub)
        });
        Ok(Some(ended.len()))
    }

    async fn claim(&self, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, StoreError> {
        Ok(self.content().claim(key, session, expires_at))
    }

    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError> {
        Ok(self.content().claims.get(&key).is_some_and(|claim| claim.session == Some(session)))
    }

    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        Ok(self.content().key_check.get_or_insert_with(|| proposed.to_vec()).clone())
    }

    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        let mut content = self.content();
        let is_current = content.key_check.as_deref() == Some(current);
        if is_current {
            content.key_check = Some(new.to_vec());
        }
        Ok(is_current)
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut content = self.content();
        let before = content.sessions.len() + content.claims.len();
        content.sessions.retain(|_, record| record.idle_expires_at > now);
        content.claims.retain(|_, claim| claim.expires_at > now);
        Ok((before - content.sessions.len() - content.claims.len()) as u64)
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    async fn close(&self) {}
}
