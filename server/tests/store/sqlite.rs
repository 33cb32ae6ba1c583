//! The contract, in an SQLite file.

use crate::{
    harness::{Harness, contract},
    records::{ALICE, ISSUER, key, minutes, session, session_with_sid},
};
use oauth2flow::session::{
    record::{Key, SessionRecord},
    store::{Change, NamedSessions, SqliteStore, Store},
};
use rusqlite::{Connection, params};
use std::{collections::HashSet, path::Path, sync::Arc};
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

struct Sqlite(TempDir);

impl Harness for Sqlite {
    const TELLS_WHAT: bool = false;

    fn start() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.0.path().join("sessions.sqlite")).await.unwrap())
    }
}

contract!(Sqlite);

/// Writes the session, with something else in the place of its profile.
async fn insert_damaged(store: &SqliteStore, path: &Path, record: &SessionRecord) {
    store.insert(record).await.unwrap();
    let update = "UPDATE sessions SET profile = 'damaged' WHERE key = ?";
    assert_eq!(Connection::open(path).unwrap().execute(update, params![record.key.0]).unwrap(), 1);
    store.get(record.key).await.unwrap_err();
}

/// Which sessions have been announced to have ended.
fn ended(changes: &mut Receiver<Change>) -> HashSet<[u8; 32]> {
    std::iter::from_fn(|| changes.try_recv().ok())
        .filter_map(|change| if let Change::Ended(key) = change { Some(key.0) } else { None })
        .collect()
}

#[tokio::test]
async fn a_damaged_session_can_be_ended_and_keeps_no_other_from_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sessions.sqlite");
    let store = SqliteStore::open(&path).await.unwrap();
    let keys = |keys: &[Key]| keys.iter().map(|key| key.0).collect::<HashSet<_>>();

    let (whole, damaged) = (session(), session());
    store.insert(&whole).await.unwrap();
    insert_damaged(&store, &path, &damaged).await;
    let mut changes = store.changes();
    let removed = store.remove_user(ALICE, None).await.unwrap();
    assert_eq!(removed.iter().map(|record| record.key).collect::<Vec<_>>(), [whole.key]);
    assert_eq!(ended(&mut changes), keys(&[whole.key, damaged.key]));
    assert!(store.sessions_of(ALICE).await.unwrap().is_empty());

    let (whole, damaged) = (session_with_sid(ALICE, "here"), session_with_sid(ALICE, "here"));
    store.insert(&whole).await.unwrap();
    insert_damaged(&store, &path, &damaged).await;
    let named = NamedSessions { issuer: ISSUER, sub: None, sid: Some("here") };
    assert_eq!(store.remove_named(named, key(), minutes(5)).await.unwrap(), Some(2));
    assert_eq!(ended(&mut changes), keys(&[whole.key, damaged.key]));

    let damaged = session();
    insert_damaged(&store, &path, &damaged).await;
    assert!(store.remove(damaged.key).await.unwrap().is_none());
    assert_eq!(ended(&mut changes), keys(&[damaged.key]));
    assert!(store.get(damaged.key).await.unwrap().is_none());
    store.close().await;
}
