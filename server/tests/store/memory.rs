//! The contract, in memory.

use crate::harness::{Harness, contract};
use oauth2flow::session::store::{MemoryStore, Store};
use std::sync::Arc;

struct Memory(MemoryStore);

impl Harness for Memory {
    fn start() -> Self {
        Self(MemoryStore::default())
    }

    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }
}

contract!(Memory);
