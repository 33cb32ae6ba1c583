//! Several servers that share a store in which nothing can be changed for a while.

use crate::servers::patience::PATIENCE;
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
use tokio::time::{sleep, timeout};

#[derive(Clone)]
struct SetClock(Arc<Mutex<Timestamp>>);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

async fn server(file: &Path, clock: &SetClock) -> Sessions {
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

#[tokio::test]
async fn who_is_active_at_one_server_is_signed_out_by_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("sessions.sqlite");
    let clock = SetClock(Arc::new(Mutex::new("2026-06-01T12:00:00Z".parse().unwrap())));
    let (one, other) = (server(&file, &clock).await, server(&file, &clock).await);
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
        assert_eq!(server.store().sweep(clock.now()).await.unwrap(), 0);
    }

    database.execute_batch("DROP TRIGGER full").unwrap();
    let saved = async {
        while !is_found(&other, active).await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, saved).await.unwrap();
    assert!(!is_found(&other, away).await && !is_found(&one, away).await);
    let mut swept = 0;
    for server in [&one, &other, &one, &other] {
        swept += server.store().sweep(clock.now()).await.unwrap();
    }
    assert_eq!(swept, 1);
    assert!(is_found(&one, active).await && is_found(&other, active).await);
}
