//! A Cluster: which node has which slot, as far as it is known, and one connection to each.
//!
//! A node that is gone is no trouble for the others: whoever needs it fails at once, and asks them who has its slots now.

use super::{
    address::RedisAddress,
    call::{Call, SLOTS},
    node::{self, Node},
};
use redis::{ErrorKind, RedisError, RedisResult, TlsCertificates, Value};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// How soon the nodes are asked again who has which slot.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// A node, as others call it.
pub(super) type Place = (String, u16);

/// The nodes of a Cluster.
pub(super) struct Cluster {
    address: RedisAddress,
    certificates: Option<TlsCertificates>,
    nodes: Mutex<HashMap<Place, Arc<Node>>>,
    slots: RwLock<Slots>,
    /// Held by whoever asks who has which slot; when that was done the last time.
    looking: tokio::sync::Mutex<Option<Instant>>,
    turn: AtomicUsize,
}

/// Who has which slot.
#[derive(Default)]
struct Slots {
    owners: Vec<Place>,
    /// For each slot, who of the owners.
    table: Vec<Option<usize>>,
}

impl Slots {
    fn owner(&self, slot: u16) -> Option<&Place> {
        self.owners.get((*self.table.get(usize::from(slot))?)?)
    }

    fn give(&mut self, first: u16, last: u16, owner: Place) {
        self.table.resize(usize::from(SLOTS), None);
        let number = self.owners.iter().position(|known| *known == owner).unwrap_or_else(|| {
            self.owners.push(owner);
            self.owners.len() - 1
        });
        for slot in first..=last.min(SLOTS - 1) {
            self.table[usize::from(slot)] = Some(number);
        }
    }

    /// Reads what `CLUSTER SLOTS` answers. A node that is not named is the one that was asked.
    fn parse(answer: &Value, asked: &Place) -> Option<Self> {
        let Value::Array(ranges) = answer else { return None };
        let mut slots = Self::default();
        for range in ranges {
            let Value::Array(range) = range else { return None };
            let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = range.as_slice() else { return None };
            let [host, Value::Int(port), ..] = master.as_slice() else { return None };
            let host = match host {
                Value::BulkString(host) if !host.is_empty() => String::from_utf8(host.clone()).ok()?,
                Value::SimpleString(host) if !host.is_empty() => host.clone(),
                _ => asked.0.clone(),
            };
            slots.give(u16::try_from(*first).ok()?, u16::try_from(*last).ok()?, (host, u16::try_from(*port).ok()?));
        }
        Some(slots)
    }
}

impl Cluster {
    pub(super) fn new(address: &RedisAddress, certificates: Option<TlsCertificates>) -> Self {
        Self {
            address: address.clone(),
            certificates,
            nodes: Mutex::default(),
            slots: RwLock::default(),
            looking: tokio::sync::Mutex::default(),
            turn: AtomicUsize::new(0),
        }
    }

    fn nodes(&self) -> MutexGuard<'_, HashMap<Place, Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node at a place.
    pub(super) fn node(&self, place: &Place) -> RedisResult<Arc<Node>> {
        let mut nodes = self.nodes();
        if let Some(node) = nodes.get(place) {
            return Ok(Arc::clone(node));
        }
        let (host, port) = place;
        let made = Arc::new(Node::server(node::server(&self.address, host, *port, self.certificates.as_ref())?)?);
        nodes.insert(place.clone(), Arc::clone(&made));
        Ok(made)
    }

    /// Who has a slot, as far as it is known.
    pub(super) fn owner(&self, slot: u16) -> Option<Place> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).owner(slot).cloned()
    }

    /// Everybody who has slots, as far as it is known.
    pub(super) fn owners(&self) -> Vec<Place> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).owners.clone()
    }

    /// Learns who has a slot now.
    pub(super) fn learn(&self, slot: u16, owner: &Place) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).give(slot, slot, owner.clone());
    }

    /// Every place that is known, another one first each time.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut places = self.owners();
        places.extend(self.address.hosts.iter().filter(|host| !places.contains(host)).cloned().collect::<Vec<_>>());
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % places.len().max(1);
        places.rotate_left(turn);
        places
    }

    /// Asks the nodes who has which slot, those first that there is a connection to. One does it for all, and not too often.
    ///
    /// # Errors
    /// When none of them knows.
    pub(super) async fn look(&self) -> RedisResult<()> {
        let mut last = self.looking.lock().await;
        if last.is_some_and(|last| last.elapsed() < LOOK_INTERVAL) {
            return Ok(());
        }
        let mut nodes = Vec::new();
        for place in self.places() {
            let node = self.node(&place)?;
            nodes.push((place, node));
        }
        nodes.sort_by_key(|(_, node)| !node.is_connected());
        let call = Call::anywhere("CLUSTER").arg("SLOTS");
        let mut why = RedisError::from((ErrorKind::ClusterConnectionNotFound, "no node of the Cluster answers"));
        for (place, node) in nodes {
            match node.ask(&call, false).await {
                Ok(answer) => match Slots::parse(&answer, &place) {
                    Some(slots) if !slots.owners.is_empty() => {
                        self.nodes().retain(|place, _| slots.owners.contains(place) || self.address.hosts.contains(place));
                        *self.slots.write().unwrap_or_else(PoisonError::into_inner) = slots;
                        *last = Some(Instant::now());
                        return Ok(());
                    }
                    _ => why = RedisError::from((ErrorKind::ClusterConnectionNotFound, "nobody in the Cluster has any slots")),
                },
                Err(node::Undone::Unconnected(error)) => why = error,
                Err(node::Undone::Answered(number, error)) => {
                    if error.is_io_error() {
                        node.give_up(number);
                    }
                    why = error;
                }
            }
        }
        *last = Some(Instant::now());
        Err(why)
    }

    /// Lets go of all connections.
    pub(super) fn close(&self) {
        for node in self.nodes().values() {
            node.close();
        }
    }
}

/// Where a node sends whoever asked it; a host that it leaves out is its own.
pub(super) fn redirected(error: &RedisError, asked: &Place) -> Option<Place> {
    let (address, _slot) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    let host = if host.is_empty() { &asked.0 } else { host.trim_start_matches('[').trim_end_matches(']') };
    Some((host.to_owned(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Place, Slots, redirected};

    fn place(host: &str, port: u16) -> Place {
        (host.to_owned(), port)
    }

    #[test]
    fn the_owners_of_slots_are_understood() {
        let said = b"*2\r\n*4\r\n:0\r\n:5460\r\n*3\r\n$7\r\n10.0.0.\r\n:7001\r\n$2\r\nid\r\n*3\r\n$1\r\nr\r\n:7002\r\n$2\r\nid\r\n\
                     *3\r\n:5461\r\n:16383\r\n*3\r\n$-1\r\n:7003\r\n$2\r\nid\r\n";
        let answer = redis::parse_redis_value(said).unwrap();
        let mut slots = Slots::parse(&answer, &place("asked", 1)).unwrap();
        assert_eq!(slots.owner(0), Some(&place("10.0.0.", 7001)));
        assert_eq!(slots.owner(5460), Some(&place("10.0.0.", 7001)));
        assert_eq!(slots.owner(5461), Some(&place("asked", 7003)));
        assert_eq!(slots.owner(16383), Some(&place("asked", 7003)));
        slots.give(7, 7, place("new", 7004));
        assert_eq!(slots.owner(7), Some(&place("new", 7004)));
        assert_eq!(slots.owner(8), Some(&place("10.0.0.", 7001)));
        assert!(Slots::default().owner(1).is_none());
    }

    #[test]
    fn nonsense_is_not_understood() {
        for said in [&b"+OK\r\n"[..], b"*1\r\n:1\r\n", b"*1\r\n*2\r\n:0\r\n:1\r\n", b"*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n"] {
            assert!(Slots::parse(&redis::parse_redis_value(said).unwrap(), &place("asked", 1)).is_none());
        }
    }

    #[test]
    fn a_redirection_is_followed_to_where_it_points() {
        let error = |text: &str| redis::parse_redis_value(text.as_bytes()).unwrap().extract_error().unwrap_err();
        let asked = place("asked", 1);
        assert_eq!(redirected(&error("-MOVED 3999 127.0.0.1:6381\r\n"), &asked), Some(place("127.0.0.1", 6381)));
        assert_eq!(redirected(&error("-ASK 3999 ::1:6381\r\n"), &asked), Some(place("::1", 6381)));
        assert_eq!(redirected(&error("-MOVED 3999 :6381\r\n"), &asked), Some(place("asked", 6381)));
        assert_eq!(redirected(&error("-MOVED 3999 nowhere\r\n"), &asked), None);
        assert_eq!(redirected(&error("-ERR something\r\n"), &asked), None);
    }
}
