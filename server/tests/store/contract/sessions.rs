//! Sessions are written, read, and written anew by whoever has read the latest.

use super::{MANY, at_once, inserted, is_there};
use crate::{
    harness::Harness,
    records::{ALICE, ISSUER, assert_same, key, lease, minutes, session, session_of, session_with_sid},
};
use futures_util::future::join_all;
use oauth2flow::session::{
    record::SessionRecord,
    store::{NamedSessions, UserKey},
};

pub(crate) async fn a_session_comes_back_as_it_was_written(place: impl Harness) {
    let store = place.open().await;
    let other = place.open().await;
    let strange = "quoted ' \" \\ % _ \u{0} \u{1f980} \u{202e}\r\n\t ü 日本";
    let mut full = SessionRecord {
        version: i64::MAX - 1,
        provider: "my_provider-2".to_owned(),
        issuer: format!("https://{strange}"),
        sub: strange.to_owned(),
        sid: Some(strange.repeat(100)),
        created_at: minutes(-60 * 24 * 300),
        last_seen_at: minutes(-1),
        idle_expires_at: minutes(60 * 24 * 399),
        expires_at: minutes(60 * 24 * 400),
        tokens: (0..=255).cycle().take(200_000).collect(),
        lease: Some(lease()),
        ..session()
    };
    full.profile.user.name = Some(strange.to_owned());
    full.profile.scopes.clear();
    full.profile.access_token_expires_at = None;
    let mut bare = SessionRecord { tokens: Vec::new(), ..session() };
    bare.profile.user.name = None;
    for record in [full, bare, session(), session_with_sid(ALICE, "")] {
        store.insert(&record).await.unwrap();
        for store in [&store, &other] {
            assert_same(&store.get(record.key).await.unwrap().unwrap(), &record);
            let user = UserKey { issuer: &record.issuer, sub: &record.sub };
            let listed = store.sessions_of(user).await.unwrap();
            assert_same(listed.iter().find(|listed| listed.key == record.key).unwrap(), &record);
        }
        assert_same(&other.remove(record.key).await.unwrap().unwrap(), &record);
    }
}

pub(crate) async fn a_session_that_is_not_there_is_none(place: impl Harness) {
    let store = place.open().await;
    assert!(!is_there(&*store, key()).await);
    let nobody = UserKey { issuer: ISSUER, sub: "nobody" };
    assert!(store.sessions_of(nobody).await.unwrap().is_empty());
    assert!(!store.swap_lease(key(), 1, None, Some(lease())).await.unwrap());
    assert!(!store.replace_tokens(&session()).await.unwrap());
    store.touch(key(), minutes(0), minutes(30)).await.unwrap();
    assert!(store.remove(key()).await.unwrap().is_none());
    assert!(store.remove_user(nobody, None).await.unwrap().is_empty());
    let named = NamedSessions { issuer: ISSUER, sub: Some("nobody"), sid: Some("none") };
    assert_eq!(store.remove_named(named, key(), minutes(5)).await.unwrap(), Some(0));
    assert_eq!(store.sweep(minutes(0)).await.unwrap(), 0);
    store.ping().await.unwrap();
}

pub(crate) async fn a_session_is_written_once(place: impl Harness) {
    let store = place.open().await;
    let record = inserted(&*store, session()).await;
    let other = SessionRecord { tokens: vec![1], ..session_of(UserKey { issuer: ISSUER, sub: "bob" }) };
    store.insert(&SessionRecord { key: record.key, ..other }).await.unwrap_err();
    assert_same(&store.get(record.key).await.unwrap().unwrap(), &record);
    assert!(store.sessions_of(UserKey { issuer: ISSUER, sub: "bob" }).await.unwrap().is_empty());
}

pub(crate) async fn new_tokens_raise_the_version_and_take_the_lease_away(place: impl Harness) {
    let store = place.open().await;
    let other = place.open().await;
    let old = inserted(&*store, SessionRecord { lease: Some(lease()), ..session() }).await;
    let mut new = SessionRecord { tokens: vec![9; 20], ..old.clone() };
    new.profile.scopes = vec!["openid".to_owned()];
    new.profile.refreshable = false;
    assert!(store.replace_tokens(&new).await.unwrap());
    let expected = SessionRecord { version: 2, lease: None, ..new.clone() };
    assert_same(&other.get(old.key).await.unwrap().unwrap(), &expected);

    // Whoever has read the version before comes too late.
    assert!(!other.replace_tokens(&SessionRecord { tokens: vec![1], ..old }).await.unwrap());
    assert!(!store.replace_tokens(&SessionRecord { version: 3, ..new }).await.unwrap());
    assert_same(&store.get(expected.key).await.unwrap().unwrap(), &expected);

    // What else has happened meanwhile stays.
    store.touch(expected.key, minutes(2), minutes(32)).await.unwrap();
    assert!(other.replace_tokens(&SessionRecord { tokens: vec![2], ..expected.clone() }).await.unwrap());
    let expected = SessionRecord { version: 3, tokens: vec![2], last_seen_at: minutes(2), idle_expires_at: minutes(32), ..expected };
    let read = store.get(expected.key).await.unwrap().unwrap();
    assert_eq!((read.version, &read.tokens), (3, &expected.tokens));
    assert!(read.last_seen_at > expected.created_at && read.idle_expires_at > minutes(31));
}

pub(crate) async fn of_fifty_writers_of_one_version_one_wins(place: impl Harness) {
    let stores = [place.open().await, place.open().await];
    let mut record = inserted(&*stores[0], session()).await;
    for version in 1..=3 {
        assert_eq!(record.version, version);
        let read = record.clone();
        let answers = at_once(&stores, |store| {
            let mine = SessionRecord { tokens: key().0.to_vec(), ..read.clone() };
            async move { store.replace_tokens(&mine).await.unwrap().then_some(mine.tokens) }
        })
        .await;
        let winners: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "{} of {MANY}", winners.len());
        record = stores[1].get(record.key).await.unwrap().unwrap();
        assert_eq!(record.tokens, winners[0]);
    }
}

pub(crate) async fn a_session_is_touched_forwards_only(place: impl Harness) {
    let store = place.open().await;
    let record = inserted(&*store, session()).await;
    let (later, latest) = (minutes(1), minutes(2));
    store.touch(record.key, latest, minutes(32)).await.unwrap();
    let touched = store.get(record.key).await.unwrap().unwrap();
    let expected = SessionRecord { last_seen_at: touched.last_seen_at, idle_expires_at: touched.idle_expires_at, ..record.clone() };
    assert_same(&touched, &expected);
    assert_eq!(touched.last_seen_at, latest);

    // A server whose write was under way for longer does not take it back, nor does one that knew no version of it.
    store.touch(record.key, later, minutes(31)).await.unwrap();
    store.touch(record.key, latest, minutes(90)).await.unwrap();
    assert_same(&store.get(record.key).await.unwrap().unwrap(), &touched);

    let stores = [place.open().await, store.clone()];
    let at_the_same_time = at_once(&stores, |store| {
        let (key, version) = (record.key, record.version);
        async move {
            store.touch(key, minutes(3), minutes(33)).await.unwrap();
            store.get(key).await.unwrap().is_some_and(|read| read.version == version && read.last_seen_at > latest)
        }
    });
    assert!(at_the_same_time.await.into_iter().all(|touched| touched));
}

pub(crate) async fn the_sessions_of_a_user_come_youngest_first(place: impl Harness) {
    let store = place.open().await;
    let other_sub = UserKey { issuer: ISSUER, sub: "bob" };
    let other_issuer = UserKey { issuer: "https://other.example.com", sub: ALICE.sub };
    for user in [other_sub, other_issuer] {
        inserted(&*store, session_of(user)).await;
    }
    // Whoever can choose a `sub` must not be able to choose an issuer by it.
    inserted(&*store, session_of(UserKey { issuer: "https://provider.example.co", sub: "malice" })).await;
    let mut keys = Vec::new();
    for age in [30, 10, 40, 20] {
        let record = SessionRecord { created_at: minutes(-age), ..session() };
        keys.push((age, inserted(&*store, record).await.key));
    }
    keys.sort_by_key(|(age, _)| *age);
    let listed: Vec<_> = place.open().await.sessions_of(ALICE).await.unwrap().into_iter().map(|record| record.key).collect();
    assert_eq!(listed, keys.into_iter().map(|(_, key)| key).collect::<Vec<_>>());
}

pub(crate) async fn several_stores_begin_at_once(place: impl Harness) {
    let stores = join_all((0..8).map(|_| place.open())).await;
    for writer in &stores {
        let record = inserted(&**writer, session()).await;
        for reader in &stores {
            assert_same(&reader.get(record.key).await.unwrap().unwrap(), &record);
        }
    }
    for store in &stores {
        store.close().await;
    }
    // What they made is there for whoever comes later.
    assert_eq!(place.open().await.sessions_of(ALICE).await.unwrap().len(), stores.len());
}
