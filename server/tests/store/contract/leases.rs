//! The right to renew a session's tokens is in one hand.

use super::{at_once, inserted};
use crate::{
    harness::Harness,
    records::{assert_same, key, lease, session},
};
use oauth2flow::session::record::SessionRecord;

pub(crate) async fn a_lease_goes_only_from_the_hand_that_holds_it(place: impl Harness) {
    let store = place.open().await;
    let other = place.open().await;
    let record = inserted(&*store, session()).await;
    let (key, version) = (record.key, record.version);
    let (mine, beat, theirs) = (lease(), lease(), lease());

    assert!(!store.swap_lease(key, version, Some(mine), Some(beat)).await.unwrap(), "nobody holds it");
    assert!(!store.swap_lease(key, version + 1, None, Some(mine)).await.unwrap(), "another version");
    assert!(!store.swap_lease(crate::records::key(), version, None, Some(mine)).await.unwrap(), "another session");
    assert!(store.swap_lease(key, version, None, Some(mine)).await.unwrap());
    assert!(!other.swap_lease(key, version, None, Some(theirs)).await.unwrap(), "it is held");
    assert!(store.swap_lease(key, version, Some(mine), Some(beat)).await.unwrap());
    assert!(!other.swap_lease(key, version, Some(mine), Some(theirs)).await.unwrap(), "its holder is alive");
    let held = SessionRecord { lease: Some(beat), ..record.clone() };
    assert_same(&other.get(key).await.unwrap().unwrap(), &held);

    // The holder has died: whoever saw its last beat takes over, and it finds that out.
    assert!(other.swap_lease(key, version, Some(beat), Some(theirs)).await.unwrap());
    assert!(!store.swap_lease(key, version, Some(beat), Some(mine)).await.unwrap(), "it has been taken over");
    assert!(!store.swap_lease(key, version, Some(beat), None).await.unwrap(), "what is not held cannot be given back");
    assert!(other.swap_lease(key, version, Some(theirs), None).await.unwrap());
    assert_same(&store.get(key).await.unwrap().unwrap(), &record);

    // New tokens end it, and nobody renews a version that is past.
    assert!(store.swap_lease(key, version, None, Some(mine)).await.unwrap());
    assert!(store.replace_tokens(&record).await.unwrap());
    assert!(!other.swap_lease(key, version, None, Some(theirs)).await.unwrap());
    assert!(!store.swap_lease(key, version, Some(mine), Some(beat)).await.unwrap());
    assert!(other.swap_lease(key, version + 1, None, Some(theirs)).await.unwrap());
}

pub(crate) async fn of_fifty_who_want_the_lease_one_gets_it(place: impl Harness) {
    let stores = [place.open().await, place.open().await];
    let record = inserted(&*stores[0], session()).await;
    let mut held = None;
    for _ in 0..3 {
        let answers = at_once(&stores, |store| {
            let (key, version, mine) = (record.key, record.version, lease());
            async move { store.swap_lease(key, version, held, Some(mine)).await.unwrap().then_some(mine) }
        })
        .await;
        let winners: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        held = Some(winners[0]);
        assert_eq!(stores[1].get(record.key).await.unwrap().unwrap().lease, held);
    }
    assert!(!stores[0].swap_lease(key(), record.version, held, None).await.unwrap());
}
