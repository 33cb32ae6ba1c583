//! The way to Redis: whom to ask, and what to do when it was not done.

use super::{
    address::{RedisAddress, Topology},
    call::{Call, Meaning, failed, too_late},
    cluster::{Cluster, Place, redirected},
    node::{self, Node, Undone},
};
use crate::session::store::StoreError;
use redis::{ErrorKind, FromRedisValue, RedisError, RedisResult, Value, aio::PubSub};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// How long anything may take altogether.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// How long to wait before something that was not done is asked for again, the first time and at most.
const FIRST_RETRY: Duration = Duration::from_millis(10);
const LONGEST_RETRY: Duration = Duration::from_millis(160);

/// The way to Redis.
pub(super) enum Link {
    /// There is one server that matters.
    One(Arc<Node>),
    /// It depends on the key.
    Many(Box<Cluster>),
}

/// A way to say something: through a node of a Cluster, or the one server that there is.
pub(super) struct Way(Option<Place>);

/// Whom to ask next.
struct Target {
    node: Arc<Node>,
    /// Where that is in a Cluster.
    place: Option<Place>,
    /// Whether its slot is being moved there.
    asking: bool,
}

impl Link {
    /// Prepares the way; nothing is connected yet.
    ///
    /// # Errors
    /// When the certificates cannot be read.
    pub(super) fn new(address: &RedisAddress, roots: Option<&[u8]>) -> RedisResult<Self> {
        let certificates = node::certificates(address, roots);
        let servers = address.hosts.iter().map(|(host, port)| node::server(address, host, *port, certificates.as_ref()));
        let servers = servers.collect::<RedisResult<Vec<_>>>()?;
        Ok(match &address.topology {
            Topology::Single => {
                let server = servers.into_iter().next().ok_or_else(|| RedisError::from((ErrorKind::InvalidClientConfig, "no host")))?;
                Self::One(Arc::new(Node::server(server)?))
            }
            Topology::Sentinel { master } => Self::One(Arc::new(Node::master(node::sentinel(address, master, &servers, certificates)?))),
            Topology::Cluster => Self::Many(Box::new(Cluster::new(address, certificates))),
        })
    }

    /// Asks Redis for something.
    ///
    /// # Errors
    /// When it is not known to be done within [`PATIENCE`].
    pub(super) async fn run<T: FromRedisValue>(&self, call: Call) -> Result<T, StoreError> {
        let value = self.try_run(&call).await.map_err(|error| failed(&error))?;
        T::from_redis_value(value).map_err(|error| failed(&error.into()))
    }

    /// The same, with what the library says.
    pub(super) async fn try_run(&self, call: &Call) -> RedisResult<Value> {
        self.try_run_by(Way(None), call).await
    }

    /// The same, by one of the [`ways`](Self::ways).
    pub(super) async fn try_run_by(&self, Way(place): Way, call: &Call) -> RedisResult<Value> {
        let mut last = None;
        let persisting = timeout(PATIENCE, self.persist(call, place, &mut last)).await;
        persisting.unwrap_or_else(|_| Err(last.unwrap_or_else(too_late)))
    }

    /// The ways to say something to everybody: each node of a Cluster tells the others what was said to it, as far as they hear it.
    pub(super) fn ways(&self) -> Vec<Way> {
        let owners = match self {
            Self::One(_) => Vec::new(),
            Self::Many(cluster) => cluster.owners(),
        };
        if owners.is_empty() { vec![Way(None)] } else { owners.into_iter().map(|place| Way(Some(place))).collect() }
    }

    /// Asks until it is done or refused; `last` is why it is not done yet. What may have been done is asked for once more at most, and
    /// only if that does no harm.
    async fn persist(&self, call: &Call, place: Option<Place>, last: &mut Option<RedisError>) -> RedisResult<Value> {
        let mut pause = FIRST_RETRY;
        let mut may_repeat = call.repeatable;
        let mut redirect = place.map(|place| (place, false));
        loop {
            let target = self.target(call, redirect.take()).await?;
            let (error, meaning) = match target.node.ask(call, target.asking).await {
                Ok(value) => return Ok(value),
                Err(Undone::Unconnected(error)) => {
                    if self.has_another_owner(call, target.place.as_ref()).await {
                        continue;
                    }
                    return Err(error);
                }
                Err(Undone::Answered(number, error)) => {
                    let meaning = Meaning::of(&error);
                    if matches!(meaning, Meaning::NotHere | Meaning::Lost) {
                        target.node.give_up(number);
                    }
                    (error, meaning)
                }
            };
            match meaning {
                Meaning::Refused => return Err(error),
                Meaning::Lost if !std::mem::take(&mut may_repeat) => return Err(error),
                Meaning::Lost => {}
                Meaning::Elsewhere { asking } => {
                    redirect = target.place.as_ref().and_then(|asked| redirected(&error, asked)).map(|place| (place, asking));
                    if let (Self::Many(cluster), Some(slot), Some((place, false))) = (self, call.slot, &redirect) {
                        cluster.learn(slot, place);
                    }
                    // Nodes may send each other's visitors to and fro for a moment.
                    if last.replace(error).is_some() {
                        sleep(pause).await;
                    }
                }
                Meaning::NotYet | Meaning::NotHere => {
                    *last = Some(error);
                    sleep(pause).await;
                    self.has_another_owner(call, target.place.as_ref()).await;
                }
            }
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }

    async fn target(&self, call: &Call, redirect: Option<(Place, bool)>) -> RedisResult<Target> {
        let cluster = match self {
            Self::One(node) => return Ok(Target { node: Arc::clone(node), place: None, asking: false }),
            Self::Many(cluster) => cluster,
        };
        let (place, asking) = match (redirect, call.slot) {
            (Some(redirect), _) => redirect,
            (None, Some(slot)) => {
                if cluster.owner(slot).is_none() {
                    cluster.look().await?;
                }
                let nobody = || RedisError::from((ErrorKind::ClusterConnectionNotFound, "nobody in the Cluster has this slot"));
                (cluster.owner(slot).ok_or_else(nobody)?, false)
            }
            (None, None) => {
                let anybody = cluster.places().into_iter().next();
                (anybody.ok_or_else(|| RedisError::from((ErrorKind::InvalidClientConfig, "no host")))?, false)
            }
        };
        Ok(Target { node: cluster.node(&place)?, place: Some(place), asking })
    }

    /// Looks whether a slot has another owner than the one who does not answer.
    async fn has_another_owner(&self, call: &Call, asked: Option<&Place>) -> bool {
        let (Self::Many(cluster), Some(slot)) = (self, call.slot) else { return false };
        cluster.look().await.is_ok() && cluster.owner(slot).as_ref() != asked
    }

    /// A connection of its own for listening to a channel; in a Cluster, to another node each time.
    ///
    /// # Errors
    /// When it did not come about.
    pub(super) async fn listen(&self, channel: &str) -> RedisResult<PubSub> {
        if let Self::Many(cluster) = self {
            // One that has left is listened to no more, nor spoken through. Whom nobody can tell about is found out below.
            let _ = timeout(PATIENCE, cluster.look()).await;
        }
        let node = self.target(&Call::anywhere("SUBSCRIBE"), None).await?.node;
        timeout(PATIENCE, node.listen(channel)).await.unwrap_or_else(|_| Err(too_late()))
    }

    /// What a server says of itself, if it may be asked.
    pub(super) async fn about(&self) -> Option<String> {
        String::from_redis_value(self.try_run(&Call::anywhere("INFO")).await.ok()?).ok()
    }

    /// Lets go of the connections.
    pub(super) fn close(&self) {
        match self {
            Self::One(node) => node.close(),
            Self::Many(cluster) => cluster.close(),
        }
    }
}
