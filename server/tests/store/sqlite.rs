//! The contract, in an SQLite file.

use crate::harness::{Harness, Written, contract, contract_of_what_is_written};
use oauth2flow::session::{
    record::Key,
    store::{SqliteStore, Store},
};
use rusqlite::{Connection, params};
use std::{path::PathBuf, sync::Arc};
use tempfile::TempDir;

struct Sqlite(TempDir);

impl Sqlite {
    fn path(&self) -> PathBuf {
        self.0.path().join("sessions.sqlite")
    }
}

impl Harness for Sqlite {
    const TELLS_WHAT: bool = false;

    fn start() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.path()).await.unwrap())
    }
}

impl Written for Sqlite {
    async fn damage(&self, key: Key) {
        let update = "UPDATE sessions SET profile = 'damaged' WHERE key = ?";
        assert_eq!(Connection::open(self.path()).unwrap().execute(update, params![key.0]).unwrap(), 1);
    }
}

contract!(Sqlite);
contract_of_what_is_written!(Sqlite);
