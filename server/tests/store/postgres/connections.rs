//! Connections that are cut while nobody uses them, and a database that can only be read for a while.

use super::Postgres;
use crate::{
    harness::Harness as _,
    records::{ALICE, ISSUER, key, lease, minutes, now, session, session_with_sid},
    servers::patience::PATIENCE,
};
use futures_util::future::join_all;
use oauth2flow::session::{record::SessionRecord, store::NamedSessions};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::timeout;

/// Ends the connections of a store but its first, which listens, and answers how many when they are gone.
const CUT: &str = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE usename = 'app' AND pid <> \
                   (SELECT pid FROM pg_stat_activity WHERE usename = 'app' ORDER BY backend_start LIMIT 1)";

async fn administrator(place: &Postgres) -> PgConnection {
    PgConnection::connect(&place.0.url_for("postgres", "none", "postgres")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_were_cut_cost_nobody_a_call() {
    let place = Postgres::start();
    let store = place.open().await;
    let mut administrator = administrator(&place).await;
    let mut cut = async || {
        for answer in join_all((0..3).map(|_| store.ping())).await {
            answer.unwrap();
        }
        let connections: i64 = sqlx::query_scalar(CUT).fetch_one(&mut administrator).await.unwrap();
        assert!(connections > 1, "{connections}");
    };
    let record = SessionRecord { sid: Some("1".to_owned()), ..session() };
    cut().await;
    store.insert(&record).await.unwrap();
    cut().await;
    assert!(store.get(record.key).await.unwrap().is_some());
    cut().await;
    assert_eq!(store.sessions_of(ALICE).await.unwrap().len(), 1);
    cut().await;
    assert!(store.swap_lease(record.key, 1, None, Some(lease())).await.unwrap());
    cut().await;
    assert!(store.replace_tokens(&record).await.unwrap());
    let later = minutes(1);
    cut().await;
    store.touch(record.key, later, minutes(31)).await.unwrap();
    assert_eq!(store.get(record.key).await.unwrap().unwrap().last_seen_at, later);
    let claimed = key();
    cut().await;
    assert!(store.claim(claimed, Some(record.key), minutes(-1)).await.unwrap());
    cut().await;
    assert!(store.claim_led_to(claimed, record.key).await.unwrap());
    cut().await;
    assert_eq!(store.key_check(b"check").await.unwrap(), b"check");
    cut().await;
    assert!(store.replace_key_check(b"check", b"other").await.unwrap());
    cut().await;
    let named = NamedSessions { issuer: ISSUER, sub: None, sid: Some("1") };
    assert_eq!(store.remove_named(named, key(), minutes(-1)).await.unwrap(), Some(1));
    let records = [session(), session_with_sid(ALICE, "2")];
    for record in &records {
        store.insert(record).await.unwrap();
    }
    cut().await;
    assert!(store.remove(records[0].key).await.unwrap().is_some());
    cut().await;
    assert_eq!(store.remove_user(ALICE, None).await.unwrap().len(), 1);
    cut().await;
    assert_eq!(store.sweep(now()).await.unwrap(), 2);
}

/// What was the primary may come back as a standby, or be one that nobody may write to for now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_can_only_be_read_is_not_ready_and_what_led_there_is_not_kept() {
    let place = Postgres::start();
    let store = place.open().await;
    store.ping().await.unwrap();
    let mut administrator = administrator(&place).await;
    // It holds for whoever connects from now on, and so does its end.
    administrator.execute("ALTER DATABASE \"sign-in\" SET default_transaction_read_only = on").await.unwrap();
    administrator.execute(CUT).await.unwrap();
    let record = session();
    store.insert(&record).await.unwrap_err();
    store.ping().await.unwrap_err();
    assert!(store.get(record.key).await.unwrap().is_none());
    let connections = async |administrator: &mut PgConnection| -> Vec<i32> {
        sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE usename = 'app' ORDER BY pid").fetch_all(administrator).await.unwrap()
    };
    // Those that write in vain leave the connections to those that read.
    let before = connections(&mut administrator).await;
    store.insert(&record).await.unwrap_err();
    store.ping().await.unwrap_err();
    assert!(store.get(record.key).await.unwrap().is_none());
    // Whoever listens to changes may have come back meanwhile.
    let after = connections(&mut administrator).await;
    assert!(before.iter().all(|connection| after.contains(connection)), "{before:?} {after:?}");
    administrator.execute("ALTER DATABASE \"sign-in\" RESET default_transaction_read_only").await.unwrap();
    let works = async || {
        let record = session();
        let is_written = store.ping().await.is_ok() && store.insert(&record).await.is_ok();
        is_written && store.remove(record.key).await.is_ok_and(|ended| ended.is_some())
    };
    timeout(PATIENCE, async { while !works().await {} }).await.unwrap();
}
