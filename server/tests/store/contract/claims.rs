//! What may be used once is used once.

use super::at_once;
use crate::{
    harness::Harness,
    records::{key, minutes},
};

pub(crate) async fn a_claim_is_made_once(place: impl Harness) {
    let stores = [place.open().await, place.open().await];
    for _ in 0..3 {
        let claimed = key();
        let answers = at_once(&stores, |store| async move { store.claim(claimed, None, minutes(10)).await.unwrap() }).await;
        assert_eq!(answers.into_iter().filter(|first| *first).count(), 1);
        assert!(!place.open().await.claim(claimed, None, minutes(20)).await.unwrap());
    }
}

pub(crate) async fn a_claim_remembers_where_it_led(place: impl Harness) {
    let store = place.open().await;
    let other = place.open().await;
    let (claimed, session) = (key(), key());
    assert!(!store.claim_led_to(claimed, session).await.unwrap());
    assert!(store.claim(claimed, Some(session), minutes(10)).await.unwrap());
    assert!(store.claim_led_to(claimed, session).await.unwrap());
    assert!(other.claim_led_to(claimed, session).await.unwrap());
    assert!(!store.claim_led_to(claimed, key()).await.unwrap());
    assert!(!store.claim_led_to(key(), session).await.unwrap());
    assert!(!other.claim(claimed, Some(key()), minutes(10)).await.unwrap());
    assert!(other.claim_led_to(claimed, session).await.unwrap());
    let led_nowhere = key();
    assert!(store.claim(led_nowhere, None, minutes(10)).await.unwrap());
    assert!(!store.claim_led_to(led_nowhere, session).await.unwrap());
}

pub(crate) async fn the_first_key_check_stays(place: impl Harness) {
    let stores = [place.open().await, place.open().await];
    let answers = at_once(&stores, |store| async move {
        let mine = key().0.to_vec();
        (store.key_check(&mine).await.unwrap(), mine)
    })
    .await;
    let (first, _) = &answers[0];
    assert!(answers.iter().all(|(kept, _)| kept == first));
    assert_eq!(answers.iter().filter(|(kept, mine)| kept == mine).count(), 1);
    assert_eq!(&place.open().await.key_check(b"later").await.unwrap(), first);
}

pub(crate) async fn a_key_check_is_replaced_by_who_knows_it(place: impl Harness) {
    let store = place.open().await;
    assert!(!store.replace_key_check(b"first", b"second").await.unwrap(), "there is none yet");
    assert_eq!(store.key_check(b"first\0\xff").await.unwrap(), b"first\0\xff");
    assert!(!store.replace_key_check(b"other", b"second").await.unwrap());
    assert!(store.replace_key_check(b"first\0\xff", b"second").await.unwrap());
    let stores = [store, place.open().await];
    assert_eq!(stores[1].key_check(b"first").await.unwrap(), b"second");
    let answers = at_once(&stores, |store| async move { store.replace_key_check(b"second", &key().0).await.unwrap() }).await;
    assert_eq!(answers.into_iter().filter(|replaced| *replaced).count(), 1);
}
