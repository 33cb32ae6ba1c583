//! Several servers that share a store in which nothing can be changed for a while.

use crate::servers::patience::wait_for;
use jiff::{SignedDuration, Timestamp};
use oauth2flow::{
    clock::Clock,
    entropy::SystemEntropy,
    session::{
        NewSession, Sessions,
        record::{Key, Profile, Tokens},
        seal::KeyRing,
        store::SqliteStore,
    },
};
use oauth2flow_protocol::AccessToken;
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Clone)]
struct SetClock(Arc<Mutex<Timestamp>>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn elapsed(&self) -> Duration {
        self.now().duration_since(Timestamp::UNIX_EPOCH).unsigned_abs()
    }
}

async fn open(file: &Path, clock: &SetClock) -> Sessions {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let keys = Arc::new(KeyRing::parse(&"A".repeat(43).into(), "a test", Arc::clone(&clock)).unwrap());
    let store = Arc::new(SqliteStore::open(file).await.unwrap());
    Sessions::new(store, keys, clock, Arc::new(SystemEntropy), Duration::from_mins(30), Duration::from_hours(8))
}

async fn begin(server: &Sessions) -> Key {
    let tokens = Tokens { access: AccessToken::new("access".to_owned()), refresh: None, id: None, audience: Vec::new(), dpop_key: None };
    let (provider, issuer) = ("example".to_owned(), "https://provider.example.com".to_owned());
    let id = server.draw_id();
    server.begin(&id, &NewSession { provider, issuer, sid: None, profile: Profile::default(), tokens }).await.unwrap();
    id.key()
}

async fn is_found(server: &Sessions, key: Key) -> bool {
    server.find(key).await.unwrap().is_some()
}

fn last_seen(database: &Connection, key: Key) -> i64 {
    database.query_row("SELECT last_seen_at FROM sessions WHERE key = ?", [&key.0], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_active_at_one_server_is_signed_out_by_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("sessions.sqlite");
    let clock = SetClock(Arc::new(Mutex::new("2026-06-01T12:00:00Z".parse().unwrap())));
    let (one, other) = (open(&file, &clock).await, open(&file, &clock).await);
    let (active, away) = (begin(&one).await, begin(&one).await);
    let database = Connection::open(&file).unwrap();
    // What takes room cannot be written, as on a full disk; what gives room back can.
    database.execute_batch("CREATE TRIGGER full BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'full'); END").unwrap();
    for _ in 0..5 {
        *clock.0.lock().unwrap() += SignedDuration::from_mins(20);
        assert!(is_found(&one, active).await);
    }
    for key in [active, away] {
        other.find(key).await.unwrap_err();
    }
    for server in [&one, &other] {
        assert_eq!(server.store().sweep(clock.now()).await.unwrap_or_default(), 0);
    }
    // One that has seen nothing of it does not know what others remember.
    let idle = open(&file, &clock).await;
    *clock.0.lock().unwrap() += SignedDuration::from_mins(1);
    idle.store().sweep(clock.now()).await.unwrap_err();

    database.execute_batch("DROP TRIGGER full").unwrap();
    let newcomer = begin(&one).await;
    *clock.0.lock().unwrap() += SignedDuration::from_mins(2);
    assert!(is_found(&one, newcomer).await);
    wait_for(|| last_seen(&database, active) > last_seen(&database, away));
    *clock.0.lock().unwrap() += SignedDuration::from_mins(2);
    for key in [active, newcomer] {
        assert!(is_found(&one, key).await);
        wait_for(|| last_seen(&database, key) == clock.now().as_second());
    }
    assert!(is_found(&other, active).await && !is_found(&other, away).await && !is_found(&one, away).await);
    let mut swept = 0;
    for server in [&one, &other, &one, &other] {
        swept += server.store().sweep(clock.now()).await.unwrap();
    }
    assert_eq!(swept, 1);
    assert!(is_found(&one, active).await && is_found(&other, active).await);
}
