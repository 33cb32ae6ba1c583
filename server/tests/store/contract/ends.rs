//! A session ends once, and for good.

use super::{at_once, inserted, is_there};
use crate::{
    harness::{Harness, Server, Written},
    records::{ALICE, ISSUER, assert_same, key, lease, minutes, now, session, session_of, session_with_sid},
};
use oauth2flow::session::{
    record::{Key, SessionRecord},
    store::{Change, NamedSessions, Store, UserKey},
};
use std::collections::HashSet;
use tokio::sync::broadcast::Receiver;

const BOB: UserKey<'static> = UserKey { issuer: ISSUER, sub: "bob" };
const OTHER_ISSUER: &str = "https://other.example.com";

pub(crate) async fn a_session_ends_for_one_caller_only(place: impl Harness) {
    let stores = [place.open().await, place.open().await];
    let record = inserted(&*stores[0], SessionRecord { lease: Some(lease()), ..session_with_sid(ALICE, "1") }).await;
    let key = record.key;
    let answers = at_once(&stores, |store| async move { store.remove(key).await.unwrap() }).await;
    let ended: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(ended.len(), 1);
    assert_same(&ended[0], &record);
    for store in &stores {
        assert!(!is_there(&**store, key).await);
    }
    // Whoever ends all sessions of the user at the same time is answered what is left, and no more.
    for _ in 0..3 {
        inserted(&*stores[0], session()).await;
    }
    let answers = at_once(&stores, |store| async move { store.remove_user(ALICE, None).await.unwrap().len() }).await;
    assert_eq!(answers.into_iter().sum::<usize>(), 3);
}

pub(crate) async fn an_ended_session_never_comes_back(place: impl Harness) {
    let store = place.open().await;
    let slow = place.open().await;
    let mine = lease();
    let record = inserted(&*store, SessionRecord { lease: Some(mine), ..session_with_sid(ALICE, "1") }).await;
    store.remove(record.key).await.unwrap().unwrap();

    // A server that has read it before knows nothing of its end.
    assert!(!slow.replace_tokens(&record).await.unwrap());
    assert!(!slow.swap_lease(record.key, record.version, Some(mine), Some(lease())).await.unwrap());
    slow.touch(record.key, minutes(5), minutes(35)).await.unwrap();
    for store in [&store, &slow] {
        assert!(!is_there(&**store, record.key).await);
        assert!(store.sessions_of(ALICE).await.unwrap().is_empty());
        assert!(store.remove_user(ALICE, None).await.unwrap().is_empty());
        let named = NamedSessions { issuer: ISSUER, sub: None, sid: Some("1") };
        assert_eq!(store.remove_named(named, key(), minutes(5)).await.unwrap(), Some(0));
    }
    // Also when end and write are under way at the same time.
    for _ in 0..10 {
        let record = inserted(&*store, session()).await;
        let writing = tokio::spawn({
            let (slow, record) = (slow.clone(), record.clone());
            async move { slow.replace_tokens(&record).await.unwrap() }
        });
        let ended = store.remove(record.key).await.unwrap().unwrap();
        let written = writing.await.unwrap();
        assert!(!is_there(&*slow, record.key).await);
        assert!(written || ended.version == record.version, "a write that was refused has changed the record");
    }
}

pub(crate) async fn everything_of_a_user_ends_but_one(place: impl Harness) {
    let store = place.open().await;
    let mut keys: Vec<Key> = Vec::new();
    for _ in 0..3 {
        keys.push(inserted(&*store, session()).await.key);
    }
    let bystanders = [inserted(&*store, session_of(BOB)).await, {
        let user = UserKey { issuer: OTHER_ISSUER, sub: ALICE.sub };
        inserted(&*store, session_of(user)).await
    }];
    let other = place.open().await;
    let mut ended: Vec<_> = other.remove_user(ALICE, Some(keys[0])).await.unwrap().into_iter().map(|record| record.key.0).collect();
    ended.sort_unstable();
    let mut expected = [keys[1].0, keys[2].0];
    expected.sort_unstable();
    assert_eq!(ended, expected);
    assert!(is_there(&*store, keys[0]).await);
    assert_eq!(store.sessions_of(ALICE).await.unwrap().len(), 1);
    let last = store.remove_user(ALICE, None).await.unwrap();
    assert_eq!(last.iter().map(|record| record.key).collect::<Vec<_>>(), [keys[0]]);
    for bystander in bystanders {
        assert_same(&store.get(bystander.key).await.unwrap().unwrap(), &bystander);
    }
}

pub(crate) async fn a_logout_token_ends_what_it_names(place: impl Harness) {
    /// By their places in the list: who is named, and what is left.
    const CASES: [(Option<&str>, Option<&str>, &[usize]); 7] = [
        (None, Some("1"), &[1, 2, 4, 5]),
        (Some("alice"), Some("1"), &[1, 2, 3, 4, 5]),
        (Some("alice"), None, &[3, 4, 5]),
        (Some("bob"), Some("2"), &[0, 1, 2, 3, 4, 5]),
        (Some("nobody"), None, &[0, 1, 2, 3, 4, 5]),
        (None, Some("3"), &[0, 1, 2, 3, 4, 5]),
        (None, None, &[0, 1, 2, 3, 4, 5]),
    ];
    let elsewhere = UserKey { issuer: OTHER_ISSUER, sub: ALICE.sub };
    let store = place.open().await;
    for (sub, sid, left) in CASES {
        let records = [
            session_with_sid(ALICE, "1"),
            session_with_sid(ALICE, "2"),
            session(),
            session_with_sid(BOB, "1"),
            session_with_sid(elsewhere, "1"),
            session_of(BOB),
        ];
        for record in &records {
            store.insert(record).await.unwrap();
        }
        let named = NamedSessions { issuer: ISSUER, sub, sid };
        let ended = store.remove_named(named, key(), minutes(5)).await.unwrap();
        let mut found = Vec::new();
        for (index, record) in records.iter().enumerate() {
            if store.remove(record.key).await.unwrap().is_some() {
                found.push(index);
            }
        }
        assert_eq!(found, left, "{named:?}");
        assert_eq!(ended, Some(records.len() - left.len()), "{named:?}");
    }
}

pub(crate) async fn a_logout_token_works_once(place: impl Harness) {
    let store = place.open().await;
    let token = key();
    let named = NamedSessions { issuer: ISSUER, sub: Some(ALICE.sub), sid: None };
    inserted(&*store, session()).await;
    assert_eq!(store.remove_named(named, token, minutes(5)).await.unwrap(), Some(1));
    let later = inserted(&*store, session()).await;
    assert_eq!(store.remove_named(named, token, minutes(5)).await.unwrap(), None);
    assert_eq!(place.open().await.remove_named(named, token, minutes(5)).await.unwrap(), None);
    assert!(is_there(&*store, later.key).await, "a login after the logout stays");
    assert!(!store.claim(token, None, minutes(5)).await.unwrap());
    // What has been claimed otherwise is no unused token either.
    let claimed = key();
    assert!(store.claim(claimed, None, minutes(5)).await.unwrap());
    assert_eq!(store.remove_named(named, claimed, minutes(5)).await.unwrap(), None);
    assert!(is_there(&*store, later.key).await);
}

pub(crate) async fn a_logout_token_works_once_whoever_brings_it(place: impl Harness) {
    let stores = [place.open().await, place.open().await];
    for _ in 0..5 {
        inserted(&*stores[0], session_with_sid(ALICE, "1")).await;
    }
    let token = key();
    let answers = at_once(&stores, |store| async move {
        let named = NamedSessions { issuer: ISSUER, sub: None, sid: Some("1") };
        store.remove_named(named, token, minutes(5)).await.unwrap()
    })
    .await;
    assert_eq!(answers.into_iter().flatten().collect::<Vec<_>>(), [5]);
}

pub(crate) async fn a_damaged_session_can_be_ended_and_keeps_no_other_from_it(place: impl Written) {
    let store = place.open().await;
    let mut changes = store.changes();
    let damaged = async |record: SessionRecord| {
        let record = inserted(&*store, record).await;
        place.damage(record.key).await;
        store.get(record.key).await.unwrap_err();
        record.key.0
    };

    let key_of_whole = inserted(&*store, session()).await.key;
    let key_of_damaged = damaged(session()).await;
    let removed = store.remove_user(ALICE, None).await.unwrap();
    assert_eq!(removed.iter().map(|record| record.key).collect::<Vec<_>>(), [key_of_whole]);
    assert!(announced_ends(&mut changes).is_superset(&HashSet::from([key_of_whole.0, key_of_damaged])));
    assert!(store.sessions_of(ALICE).await.unwrap().is_empty());

    for sub in [None, Some(ALICE.sub)] {
        let key_of_whole = inserted(&*store, session_with_sid(ALICE, "1")).await.key;
        let key_of_damaged = damaged(session_with_sid(ALICE, "1")).await;
        let named = NamedSessions { issuer: ISSUER, sub, sid: Some("1") };
        assert_eq!(store.remove_named(named, key(), minutes(5)).await.unwrap(), Some(2));
        assert!(announced_ends(&mut changes).is_superset(&HashSet::from([key_of_whole.0, key_of_damaged])));
    }

    let key_of_damaged = damaged(session()).await;
    assert!(store.remove(Key(key_of_damaged)).await.unwrap().is_none());
    assert!(announced_ends(&mut changes).contains(&key_of_damaged));
    assert!(!is_there(&*store, Key(key_of_damaged)).await);
    store.close().await;
}

/// Which sessions have been announced to have ended, by the time the call that ended them has answered.
fn announced_ends(changes: &mut Receiver<Change>) -> HashSet<[u8; 32]> {
    std::iter::from_fn(|| changes.try_recv().ok())
        .filter_map(|change| if let Change::Ended(key) = change { Some(key.0) } else { None })
        .collect()
}

pub(crate) async fn what_has_expired_is_swept_and_nothing_else(place: impl Harness) {
    let store = place.open().await;
    let idle = SessionRecord { last_seen_at: minutes(-31), idle_expires_at: minutes(-1), ..session_with_sid(ALICE, "1") };
    let over = SessionRecord { created_at: minutes(-600), idle_expires_at: now(), expires_at: now(), ..session() };
    let live = SessionRecord { idle_expires_at: minutes(1), ..session() };
    let touched = SessionRecord { last_seen_at: minutes(-31), idle_expires_at: minutes(-1), ..session() };
    for record in [&idle, &over, &live, &touched] {
        store.insert(record).await.unwrap();
    }
    store.touch(touched.key, now(), minutes(30)).await.unwrap();
    let (old_claim, live_claim) = (key(), key());
    store.claim(old_claim, None, minutes(-1)).await.unwrap();
    store.claim(live_claim, None, minutes(1)).await.unwrap();

    sweep_all(&*store).await;
    for (record, stays) in [(&idle, false), (&over, false), (&live, true), (&touched, true)] {
        assert_eq!(is_there(&*store, record.key).await, stays);
    }
    let listed = store.sessions_of(ALICE).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(store.claim(old_claim, None, minutes(1)).await.unwrap());
    assert!(!store.claim(live_claim, None, minutes(1)).await.unwrap());
    assert_eq!(place.open().await.sweep(now()).await.unwrap(), 0);
    assert_eq!(store.remove_user(ALICE, None).await.unwrap().len(), 2);
}

pub(crate) async fn a_clock_that_is_ahead_sweeps_nothing_that_is_alive(place: impl Server) {
    let store = place.open().await;
    let live = inserted(&*store, session()).await;
    let over = inserted(&*store, SessionRecord { last_seen_at: minutes(-31), idle_expires_at: minutes(-1), ..session() }).await;
    let (live_claim, old_claim) = (key(), key());
    store.claim(live_claim, None, minutes(5)).await.unwrap();
    store.claim(old_claim, None, minutes(-1)).await.unwrap();
    while store.sweep(minutes(60)).await.unwrap() > 0 {}
    assert!(is_there(&*store, live.key).await && !is_there(&*store, over.key).await);
    assert!(!store.claim(live_claim, None, minutes(5)).await.unwrap());
    assert!(store.claim(old_claim, None, minutes(5)).await.unwrap());
}

/// Sweeps until there is nothing left to sweep.
async fn sweep_all(store: &dyn Store) {
    while store.sweep(now()).await.unwrap() > 0 {}
}
