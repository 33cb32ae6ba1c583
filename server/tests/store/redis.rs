//! The contract, in Redis: one server, one behind TLS, a set watched by Sentinel, a Cluster.

use crate::{
    harness::{Harness, Server, Written},
    servers::redis::{Cluster, Node, Sentinels, Single, Tls},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth2flow::{
    clock::{Clock, SystemClock},
    entropy::SystemEntropy,
    session::{
        record::Key,
        store::{RedisAddress, RedisOpenError, RedisStore, Store},
    },
};
use std::sync::Arc;

mod expiry;
mod faults;
mod refusals;

async fn try_open(url: &str, roots: Option<&[u8]>) -> Result<RedisStore, RedisOpenError> {
    oauth2flow_protocol::install_crypto_provider();
    RedisStore::open(&RedisAddress::parse(url).unwrap(), roots, Arc::new(SystemClock::start()), Arc::new(SystemEntropy)).await
}

/// Opens it as the app does: a server that is not reached in time is tried again.
async fn open(url: &str, roots: Option<&[u8]>) -> Arc<dyn Store> {
    loop {
        match try_open(url, roots).await {
            Err(RedisOpenError::Unreachable { .. }) => {}
            opened => return Arc::new(opened.unwrap()),
        }
    }
}

/// One whose server goes by another clock.
async fn open_at(url: &str, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
    Arc::new(RedisStore::open(&RedisAddress::parse(url).unwrap(), None, clock, Arc::new(SystemEntropy)).await.unwrap())
}

/// Where a session is kept.
fn name_of(key: Key) -> String {
    format!("oauth2flow:session:{}", URL_SAFE_NO_PAD.encode(key.0))
}

/// Writes something else where this server keeps a session.
fn damage(node: &Node, key: Key) {
    node.ask::<()>(&format!("SET {} damaged XX KEEPTTL", name_of(key)));
}

impl Harness for Single {
    fn start() -> Self {
        Self::start()
    }

    async fn open(&self) -> Arc<dyn Store> {
        open(&self.url(), None).await
    }
}

impl Written for Single {
    async fn damage(&self, key: Key) {
        damage(&self.node, key);
    }
}

impl Server for Single {
    fn kill(&mut self) {
        self.node.kill();
    }

    fn start_again(&mut self) {
        self.node.start_again();
    }
}

impl Harness for Tls {
    fn start() -> Self {
        Self::start()
    }

    async fn open(&self) -> Arc<dyn Store> {
        open(&self.url(), Some(self.authority.as_bytes())).await
    }
}

impl Written for Tls {
    async fn damage(&self, key: Key) {
        damage(&self.node, key);
    }
}

impl Server for Tls {
    fn kill(&mut self) {
        self.node.kill();
    }

    fn start_again(&mut self) {
        self.node.start_again();
    }
}

impl Harness for Sentinels {
    fn start() -> Self {
        Self::start(1)
    }

    async fn open(&self) -> Arc<dyn Store> {
        open(&self.url(), None).await
    }
}

impl Written for Sentinels {
    async fn damage(&self, key: Key) {
        damage(&self.master, key);
    }
}

impl Server for Sentinels {
    fn kill(&mut self) {
        self.replica.kill();
        self.master.kill();
    }

    fn start_again(&mut self) {
        self.master.start_again();
        self.replica.start_again();
    }
}

impl Harness for Cluster {
    fn start() -> Self {
        Self::start()
    }

    async fn open(&self) -> Arc<dyn Store> {
        open(&self.url(), None).await
    }
}

impl Written for Cluster {
    async fn damage(&self, key: Key) {
        damage(self.owner(&name_of(key)), key);
    }
}

impl Server for Cluster {
    fn kill(&mut self) {
        for node in &mut self.nodes {
            node.kill();
        }
    }

    fn start_again(&mut self) {
        for node in &mut self.nodes {
            node.start_again();
        }
        self.wait_until_whole();
    }
}

mod single {
    use super::Single;

    crate::harness::contract!(Single);
    crate::harness::contract_of_servers!(Single);
    crate::harness::contract_of_what_is_written!(Single);
}

mod tls {
    use super::Tls;

    crate::harness::contract!(Tls);
    crate::harness::contract_of_servers!(Tls);
    crate::harness::contract_of_what_is_written!(Tls);
}

mod sentinel {
    use super::Sentinels;

    crate::harness::contract!(Sentinels);
    crate::harness::contract_of_servers!(Sentinels);
    crate::harness::contract_of_what_is_written!(Sentinels);
}

mod cluster {
    use super::Cluster;

    crate::harness::contract!(Cluster);
    crate::harness::contract_of_servers!(Cluster);
    crate::harness::contract_of_what_is_written!(Cluster);
}
