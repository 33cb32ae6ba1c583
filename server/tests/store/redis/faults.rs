//! What goes wrong with servers and connections, and that nothing is lost or left half by it.

use super::Place as _;
use crate::{
    contract::next,
    records::{ALICE, assert_same, key, minutes, now, session, session_with_sid},
    servers::{
        patience::{PATIENCE, wait_for},
        redis::{Cluster, Kind, Node, Sentinels, Single, Wire},
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth2flow::session::{
    record::{Key, SessionRecord},
    store::{Change, NamedSessions, Store},
};
use std::{
    collections::HashSet,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// Within this a call is to fail, with room for a busy machine.
const SOON: Duration = Duration::from_secs(5);

fn signal(node: &Node, name: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", node.pid())]).status().unwrap();
    assert!(status.success());
}

fn number(about: &str, name: &str) -> u64 {
    let line = about.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().parse().unwrap()
}

/// Waits until the store answers again, which needs nobody's help.
async fn recovered(store: &dyn Store) {
    let begun = Instant::now();
    while let Err(error) = store.ping().await {
        assert!(begun.elapsed() < PATIENCE, "{error:?}");
    }
}

#[tokio::test]
async fn a_server_whose_memory_is_full_learns_of_uses_and_ends_and_of_nothing_new() {
    let place = Single::start();
    let store = place.open().await;
    let idle = || SessionRecord { last_seen_at: minutes(-31), idle_expires_at: minutes(-1), ..session() };
    let (used, over) = (idle(), idle());
    for record in [&used, &over] {
        store.insert(record).await.unwrap();
    }
    place.node.ask::<()>("CONFIG SET maxmemory 1");
    store.insert(&session()).await.unwrap_err();
    let later = minutes(31);
    store.touch(used.key, minutes(1), later).await.unwrap();
    assert_eq!(store.get(used.key).await.unwrap().unwrap().idle_expires_at, later);
    assert_eq!(store.sweep(now()).await.unwrap(), 1);
    store.remove(used.key).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_not_waited_for() {
    let place = Single::start();
    let store = place.open().await;
    let record = session();
    store.insert(&record).await.unwrap();
    signal(&place.node, "STOP");
    let begun = Instant::now();
    let calls: Vec<_> = (0..50).map(|_| store.get(record.key)).collect();
    for answer in futures_util::future::join_all(calls).await {
        answer.unwrap_err();
    }
    assert!(store.remove(record.key).await.is_err());
    assert!(begun.elapsed() < SOON * 2, "{:?}", begun.elapsed());
    signal(&place.node, "CONT");
    recovered(&*store).await;
    // The one that nobody waited for may have been done, whole, or not at all.
    let listed = store.sessions_of(ALICE).await.unwrap();
    match store.get(record.key).await.unwrap() {
        Some(found) => assert_same(&found, &record),
        None => assert!(listed.is_empty()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_rushes_at_a_server_that_comes_back() {
    let mut place = Single::start();
    let store = place.open().await;
    place.node.kill();
    let tired = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..200 {
        let (store, tired) = (Arc::clone(&store), Arc::clone(&tired));
        callers.spawn(async move {
            while !tired.load(Ordering::Relaxed) {
                if store.get(key()).await.is_err() {
                    tokio::task::yield_now().await;
                }
            }
        });
    }
    place.node.start_again();
    recovered(&*store).await;
    tired.store(true, Ordering::Relaxed);
    while let Some(caller) = callers.join_next().await {
        caller.unwrap();
    }
    // One connection for all who ask and one to listen; the others are the test's own.
    let of_us: String = place.node.ask("CLIENT LIST");
    let of_us = of_us.lines().filter(|line| line.contains("cmd=get") || line.contains("cmd=subscribe") || line.contains("cmd=publish"));
    assert!(of_us.count() <= 2);
    assert!(number(&place.node.ask::<String>("INFO stats"), "total_connections_received") < 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_has_forgotten_the_scripts_is_told_again() {
    let place = Single::start();
    let store = place.open().await;
    let record = session();
    for _ in 0..2 {
        place.node.ask::<()>("SCRIPT FLUSH");
        store.insert(&record).await.unwrap();
        place.node.ask::<()>("SCRIPT FLUSH");
        assert!(store.replace_tokens(&record).await.unwrap());
        place.node.ask::<()>("SCRIPT FLUSH");
        assert!(store.remove(record.key).await.unwrap().is_some());
    }
}

/// Connections break at any moment, while many are at work. What was answered is so, and what was not is so or not, but never half.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_leave_nothing_half() {
    let place = Single::start();
    let store = place.open().await;
    let tired = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..20 {
        let (store, tired) = (Arc::clone(&store), Arc::clone(&tired));
        callers.spawn(async move {
            let (mut there, mut gone) = (Vec::new(), Vec::new());
            while !tired.load(Ordering::Relaxed) {
                // By its times it is over, so that a sweep finds it.
                let record = SessionRecord { idle_expires_at: now(), ..session_with_sid(ALICE, "1") };
                if store.insert(&record).await.is_err() {
                    continue;
                }
                if record.key.0[0].is_multiple_of(2) {
                    there.push(record.key);
                } else if store.remove(record.key).await.is_ok() {
                    gone.push(record.key);
                }
            }
            (there, gone)
        });
    }
    for _ in 0..200 {
        place.node.ask::<u64>("CLIENT KILL TYPE normal");
        recovered(&*store).await;
    }
    tired.store(true, Ordering::Relaxed);
    let (mut there, mut gone) = (HashSet::new(), HashSet::new());
    while let Some(caller) = callers.join_next().await {
        let (more_there, more_gone) = caller.unwrap();
        there.extend(more_there);
        gone.extend(more_gone);
    }
    assert!(there.len() > 100 && gone.len() > 100, "{} {}", there.len(), gone.len());
    let listed: HashSet<Key> = store.sessions_of(ALICE).await.unwrap().into_iter().map(|record| record.key).collect();
    assert!(there.is_subset(&listed), "an answered session is not found");
    assert!(gone.is_disjoint(&listed), "an ended session is found");
    // A session whose beginning was never answered may stand in one list only: no cookie leads to it.
    let of_sid = NamedSessions { issuer: ALICE.issuer, sub: None, sid: Some("1") };
    let ended = store.remove_named(of_sid, key(), now()).await.unwrap().unwrap();
    let left: HashSet<Key> = store.sessions_of(ALICE).await.unwrap().into_iter().map(|record| record.key).collect();
    assert!(there.is_disjoint(&left), "an answered session is not ended by its sid");
    assert!(ended + left.len() >= listed.len(), "{ended} and {} of {}", left.len(), listed.len());
    let of_sub = NamedSessions { issuer: ALICE.issuer, sub: Some(ALICE.sub), sid: None };
    assert_eq!(store.remove_named(of_sub, key(), now()).await.unwrap(), Some(left.len()));
    assert!(store.sessions_of(ALICE).await.unwrap().is_empty());
    // Of those that were never answered something may be left, which goes by itself.
    while store.sweep(now()).await.unwrap() > 0 {}
    for name in place.node.ask::<Vec<String>>("KEYS oauth2flow:*") {
        assert!(place.node.ask::<i64>(&format!("PTTL {name}")) > 0, "{name} stays for good");
    }
}

/// A logout token's work fails midway; what its provider tries again ends the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_that_failed_midway_can_be_repeated() {
    let mut place = Cluster::start();
    for node in &place.nodes {
        node.ask::<()>("CONFIG SET cluster-require-full-coverage no");
    }
    let store = place.open().await;
    let mut records = Vec::new();
    for _ in 0..60 {
        let record = session_with_sid(ALICE, "1");
        store.insert(&record).await.unwrap();
        records.push(record);
    }
    let before: Vec<usize> = place.nodes.iter().map(|node| node.ask("DBSIZE")).collect();
    assert!(before.iter().all(|size| *size > 0), "{before:?}");
    // One of those that hold neither the index nor the claim.
    let (named, token) = (NamedSessions { issuer: ALICE.issuer, sub: Some(ALICE.sub), sid: None }, key());
    let victim = victim(&place, token);
    place.nodes[victim].kill();
    store.remove_named(named, token, minutes(5)).await.unwrap_err();
    place.nodes[victim].start_again();
    place.wait_until_whole();
    recovered(&*store).await;
    let again = async {
        loop {
            match store.remove_named(named, token, minutes(5)).await {
                Ok(answer) => return answer,
                Err(_not_whole_yet) => tokio::task::yield_now().await,
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE, again).await.unwrap();
    assert!(ended.is_some_and(|ended| ended > 0), "{ended:?}");
    for record in &records {
        assert!(store.get(record.key).await.unwrap().is_none());
    }
    assert_eq!(store.remove_named(named, token, minutes(5)).await.unwrap(), None);
}

/// Every node serves everybody, and one tells another nothing: no connection of ours is lost by that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_passes_nothing_on_is_noticed() {
    let place = Cluster::start();
    let store = place.open().await;
    let mut changes = store.changes();
    let is_listened_to = |node: &&Node| node.ask::<String>("CLIENT LIST TYPE pubsub").contains("sub=1");
    let (listened_to, others): (Vec<_>, Vec<_>) = place.nodes.iter().partition(is_listened_to);
    let id: String = listened_to[0].ask("CLUSTER MYID");
    others[0].ask::<()>("CONFIG SET cluster-require-full-coverage no");
    others[0].ask::<()>(&format!("CLUSTER FORGET {id}"));
    while next(&mut changes).await != Change::Missed {}
}

/// A node without which the work can begin, and not be finished.
fn victim(place: &Cluster, token: Key) -> usize {
    let index: String = place.nodes.iter().find_map(|node| node.ask::<Vec<String>>("KEYS oauth2flow:user:*").into_iter().next()).unwrap();
    let claim = format!("oauth2flow:claim:{}", URL_SAFE_NO_PAD.encode(token.0));
    let slots = [index, claim].map(|name| place.nodes[0].ask::<u32>(&format!("CLUSTER KEYSLOT {name}")));
    let owner = |slot: u32| usize::try_from(slot / 5461).unwrap().min(2);
    let owners = slots.map(owner);
    (0..3).find(|node| !owners.contains(node)).unwrap()
}

/// A slot moves from node to node while its sessions are used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_found_wherever_their_slot_goes() {
    let place = Cluster::start();
    let store = place.open().await;
    let mut record = session();
    store.insert(&record).await.unwrap();
    let name = format!("oauth2flow:session:{}", URL_SAFE_NO_PAD.encode(record.key.0));
    let slot: u32 = place.nodes[0].ask(&format!("CLUSTER KEYSLOT {name}"));
    let from = usize::try_from(slot / 5461).unwrap().min(2);
    let to = (from + 1) % 3;
    let [source, target] = [from, to].map(|index| place.nodes[index].ask::<String>("CLUSTER MYID"));
    place.nodes[to].ask::<()>(&format!("CLUSTER SETSLOT {slot} IMPORTING {source}"));
    place.nodes[from].ask::<()>(&format!("CLUSTER SETSLOT {slot} MIGRATING {target}"));
    let port = place.nodes[to].port;
    // Between the two blanks is the name of a single key, which stands further back.
    place.nodes[from].ask::<()>(&format!("MIGRATE 127.0.0.1 {port}  0 5000 KEYS {name}"));
    // The node that the slot still belongs to sends whoever asks on to the other.
    assert_same(&store.get(record.key).await.unwrap().unwrap(), &record);
    place.nodes[to].ask::<()>("SCRIPT FLUSH");
    assert!(store.replace_tokens(&record).await.unwrap());
    record.version += 1;
    assert_same(&store.get(record.key).await.unwrap().unwrap(), &record);
    for node in [to, from, 3 - from - to] {
        place.nodes[node].ask::<()>(&format!("CLUSTER SETSLOT {slot} NODE {target}"));
    }
    assert_same(&store.get(record.key).await.unwrap().unwrap(), &record);
    assert!(store.remove(record.key).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_master_is_followed_and_knows_what_was_passed_on() {
    a_master_dies(Kind::redis(Wire::Plain)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_master_is_followed_by_its_name_where_certificates_count() {
    a_master_dies(Kind::redis(Wire::tls())).await;
}

/// Under load: after the sentinels have agreed on another everything that it had passed on is there.
pub(crate) async fn a_master_dies(kind: Kind) {
    let mut place = Sentinels::of(kind, 3);
    place.wait_until_watched();
    let store = place.open().await;
    let reader = place.open().await;
    let mut changes = reader.changes();
    let mut records: Vec<SessionRecord> = (0..50).map(|_| session()).collect();
    for record in &mut records {
        store.insert(record).await.unwrap();
        assert!(store.replace_tokens(record).await.unwrap());
        record.version += 1;
    }
    let (tired, under_way) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for record in records.clone() {
        let (store, tired, under_way) = (Arc::clone(&store), Arc::clone(&tired), Arc::clone(&under_way));
        callers.spawn(async move {
            let mut answered = 0_usize;
            while !tired.load(Ordering::Relaxed) {
                match store.get(record.key).await {
                    Ok(found) => {
                        assert_same(&found.unwrap(), &record);
                        answered += 1;
                        under_way.fetch_add(usize::from(answered == 1), Ordering::Relaxed);
                    }
                    Err(_nobody_is_master) => tokio::task::yield_now().await,
                }
            }
        });
    }
    // Replication is asynchronous: what the replica has is what survives.
    let sent: u64 = number(&place.master.ask::<String>("INFO replication"), "master_repl_offset");
    wait_for(|| number(&place.replica.ask::<String>("INFO replication"), "slave_repl_offset") >= sent);
    wait_for(|| under_way.load(Ordering::Relaxed) == records.len());
    place.master.kill();
    wait_for(|| place.replica.ask::<String>("INFO replication").contains("role:master"));
    recovered(&*store).await;
    tired.store(true, Ordering::Relaxed);
    while let Some(called) = callers.join_next().await {
        called.unwrap();
    }
    let heard = async { while changes.recv().await.unwrap() != Change::Missed {} };
    tokio::time::timeout(PATIENCE, heard).await.unwrap();
    for record in &records {
        assert!(store.remove(record.key).await.unwrap().is_some());
    }
    let last = records.last().unwrap().key;
    let heard = async { while changes.recv().await.unwrap() != Change::Ended(last) {} };
    tokio::time::timeout(PATIENCE, heard).await.unwrap();
}
