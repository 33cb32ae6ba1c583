//! The contract, in an SQLite file.

use crate::harness::{Harness, contract};
use oauth2flow::session::store::{SqliteStore, Store};
use std::sync::Arc;
use tempfile::TempDir;

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
