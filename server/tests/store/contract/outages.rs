//! A store that is gone for a while: nothing is lost, and nobody waits for long.

use super::{inserted, is_there, next};
use crate::{
    harness::Server,
    records::{ALICE, ISSUER, assert_same, key, lease, minutes, now, session},
    servers::patience::PATIENCE,
};
use oauth2flow::session::store::{Change, NamedSessions, Store, StoreError};
use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// Within this a call is to fail, with room for a busy machine.
const SOON: Duration = Duration::from_secs(5);

async fn fails_soon<T>(what: &str, call: impl Future<Output = Result<T, StoreError>>) {
    let begun = Instant::now();
    assert!(call.await.is_err(), "{what} has worked without a server");
    assert!(begun.elapsed() < SOON, "{what} took {:?}", begun.elapsed());
}

/// Waits until the store answers again, which needs nobody's help.
async fn recovered(store: &dyn Store) {
    let again = async { while store.ping().await.is_err() {} };
    tokio::time::timeout(PATIENCE, again).await.unwrap();
}

pub(crate) async fn a_server_that_is_gone_fails_every_call_soon_and_loses_nothing(mut place: impl Server) {
    let store = place.open().await;
    let record = inserted(&*store, session()).await;
    let claimed = key();
    assert!(store.claim(claimed, None, minutes(10)).await.unwrap());
    place.kill();
    let named = NamedSessions { issuer: ISSUER, sub: None, sid: Some("1") };
    let calls = async {
        tokio::join!(
            fails_soon("ping", store.ping()),
            fails_soon("get", store.get(record.key)),
            fails_soon("insert", async { store.insert(&session()).await }),
            fails_soon("sessions_of", store.sessions_of(ALICE)),
            fails_soon("swap_lease", store.swap_lease(record.key, 1, None, Some(lease()))),
            fails_soon("replace_tokens", store.replace_tokens(&record)),
            fails_soon("touch", store.touch(record.key, minutes(1), minutes(31))),
            fails_soon("remove", store.remove(record.key)),
            fails_soon("remove_user", store.remove_user(ALICE, None)),
            fails_soon("remove_named", store.remove_named(named, key(), minutes(5))),
            fails_soon("claim", store.claim(key(), None, minutes(5))),
            fails_soon("claim_led_to", store.claim_led_to(claimed, record.key)),
            fails_soon("key_check", store.key_check(b"check")),
            fails_soon("replace_key_check", store.replace_key_check(b"check", b"other")),
            fails_soon("sweep", store.sweep(now())),
        );
    };
    calls.await;
    place.start_again();
    recovered(&*store).await;
    assert_same(&store.get(record.key).await.unwrap().unwrap(), &record);
    assert!(!store.claim(claimed, None, minutes(10)).await.unwrap());
    assert!(store.replace_tokens(&record).await.unwrap());
    assert!(is_there(&*place.open().await, record.key).await);
}

pub(crate) async fn a_listener_is_told_that_it_may_have_missed_something(mut place: impl Server) {
    let reader = place.open().await;
    let record = inserted(&*reader, session()).await;
    let mut changes = reader.changes();
    for _ in 0..2 {
        let before = reader.turn().unwrap();
        place.kill();
        tokio::time::timeout(PATIENCE, async {
            while reader.turn().is_some() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
        place.start_again();
        while next(&mut changes).await != Change::Missed {}
        assert!(reader.turn().unwrap() > before, "who has asked no one meanwhile can tell that something was missed");
    }
    // And it hears of everything again.
    let writer = place.open().await;
    assert!(writer.remove(record.key).await.unwrap().is_some());
    while next(&mut changes).await != Change::Ended(record.key) {}
}
