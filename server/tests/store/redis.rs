//! The contract, in Redis: one server, a set watched by Sentinel, a Cluster, each with TLS and without. `valkey.rs` has the same of Valkey.

use crate::{
    harness::{Harness, Server, Written},
    servers::redis::{Cluster, Kind, Node, Sentinels, Single, Wire},
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
use std::{marker::PhantomData, sync::Arc};

mod expiry;
pub(crate) mod faults;
mod refusals;

async fn try_open(url: &str, roots: Option<&[u8]>) -> Result<RedisStore, RedisOpenError> {
    oauth2flow_protocol::install_crypto_provider();
    let address = RedisAddress::parse(url).unwrap();
    // In a box, because the compiler looks only so deep into futures that hold each other.
    Box::pin(RedisStore::open(&address, roots, Arc::new(SystemClock::start()), Arc::new(SystemEntropy))).await
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

/// Servers that keep sessions together.
pub(crate) trait Place {
    /// Starts them.
    fn of(kind: Kind) -> Self;

    /// What they are.
    fn kind(&self) -> &Kind;

    /// Where they are.
    fn url(&self) -> String;

    /// The one that keeps what has this name.
    fn owner(&self, name: &str) -> &Node;

    /// Ends all that keep something.
    fn kill(&mut self);

    /// Starts them once more, and waits until they answer.
    fn start_again(&mut self);

    /// Opens what is there.
    async fn open(&self) -> Arc<dyn Store> {
        open(&self.url(), self.kind().roots()).await
    }
}

impl Place for Single {
    fn of(kind: Kind) -> Self {
        Self::of(kind)
    }

    fn kind(&self) -> &Kind {
        &self.kind
    }

    fn url(&self) -> String {
        self.url()
    }

    fn owner(&self, _name: &str) -> &Node {
        &self.node
    }

    fn kill(&mut self) {
        self.node.kill();
    }

    fn start_again(&mut self) {
        self.node.start_again();
    }
}

impl Place for Sentinels {
    fn of(kind: Kind) -> Self {
        Self::of(kind, 1)
    }

    fn kind(&self) -> &Kind {
        &self.kind
    }

    fn url(&self) -> String {
        self.url()
    }

    fn owner(&self, _name: &str) -> &Node {
        &self.master
    }

    fn kill(&mut self) {
        self.replica.kill();
        self.master.kill();
    }

    fn start_again(&mut self) {
        self.master.start_again();
        self.replica.start_again();
    }
}

impl Place for Cluster {
    fn of(kind: Kind) -> Self {
        Self::of(kind)
    }

    fn kind(&self) -> &Kind {
        &self.kind
    }

    fn url(&self) -> String {
        self.url()
    }

    fn owner(&self, name: &str) -> &Node {
        self.owner(name)
    }

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

/// A kind of servers, as a type: a rule's test is made for one.
pub(crate) trait OfKind {
    fn kind() -> Kind;
}

struct Plain;

impl OfKind for Plain {
    fn kind() -> Kind {
        Kind::redis(Wire::Plain)
    }
}

struct Tls;

impl OfKind for Tls {
    fn kind() -> Kind {
        Kind::redis(Wire::tls())
    }
}

/// A place whose servers are of this kind.
pub(crate) struct Of<K, P>(P, PhantomData<K>);

impl<K: OfKind, P: Place> Harness for Of<K, P> {
    fn start() -> Self {
        Self(P::of(K::kind()), PhantomData)
    }

    async fn open(&self) -> Arc<dyn Store> {
        self.0.open().await
    }
}

impl<K: OfKind, P: Place> Written for Of<K, P> {
    async fn damage(&self, key: Key) {
        let name = name_of(key);
        self.0.owner(&name).ask::<()>(&format!("SET {name} damaged XX KEEPTTL"));
    }
}

impl<K: OfKind, P: Place> Server for Of<K, P> {
    fn kill(&mut self) {
        self.0.kill();
    }

    fn start_again(&mut self) {
        self.0.start_again();
    }
}

mod single {
    crate::harness::whole_contract!(super::Of<super::Plain, super::Single>);
}

mod single_tls {
    crate::harness::whole_contract!(super::Of<super::Tls, super::Single>);
}

mod sentinel {
    crate::harness::whole_contract!(super::Of<super::Plain, super::Sentinels>);
}

mod sentinel_tls {
    crate::harness::whole_contract!(super::Of<super::Tls, super::Sentinels>);
}

mod cluster {
    crate::harness::whole_contract!(super::Of<super::Plain, super::Cluster>);
}

mod cluster_tls {
    crate::harness::whole_contract!(super::Of<super::Tls, super::Cluster>);
}
