//! How long Redis keeps what: by the times of the sessions and this server's clock. A sweep goes by Redis's own where that is behind.

use super::open_at;
use crate::{
    records::{ALICE, key, lease, session_with_sid},
    servers::redis::Single,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{Timestamp, ToSpan as _};
use oauth2flow::{
    clock::{Clock, SystemClock},
    session::record::SessionRecord,
};
use std::{sync::Arc, time::Duration};

const FIFTEEN_MINUTES: i64 = 15 * 60 * 1000;
const AN_HOUR: i64 = 60 * 60 * 1000;

/// Always says the same.
struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// Whether it is what it should be, and the little that the test has taken.
fn is_about(milliseconds: i64, expected: i64) -> bool {
    (expected - 60_000..=expected).contains(&milliseconds)
}

fn names(place: &Single, pattern: &str) -> Vec<String> {
    place.node.ask(&format!("KEYS {pattern}"))
}

fn left(place: &Single, name: &str) -> i64 {
    place.node.ask(&format!("PTTL {name}"))
}

fn session_name(record: &SessionRecord) -> String {
    format!("oauth2flow:session:{}", URL_SAFE_NO_PAD.encode(record.key.0))
}

fn record_at(now: Timestamp) -> SessionRecord {
    SessionRecord {
        created_at: now,
        last_seen_at: now,
        idle_expires_at: now + 1.hour(),
        expires_at: now + 8.hours(),
        lease: Some(lease()),
        ..session_with_sid(ALICE, "1")
    }
}

/// In whatever year this server thinks it is.
async fn lifetimes_are_those_of_the_session(now: Timestamp) {
    let is_ahead = now > SystemClock::start().now();
    let place = Single::start();
    let store = open_at(&place.url(), Arc::new(Stopped(now))).await;
    let record = record_at(now);
    store.insert(&record).await.unwrap();
    let session = names(&place, "oauth2flow:session:*").remove(0);
    // However long its uses cannot be written down.
    assert!(is_about(left(&place, &session), 8 * AN_HOUR + FIFTEEN_MINUTES));
    for kind in ["user", "sid"] {
        let index = names(&place, &format!("oauth2flow:{kind}:*")).remove(0);
        assert!(is_about(left(&place, &index), 8 * AN_HOUR + FIFTEEN_MINUTES), "{kind}");
    }

    // New tokens and leases change nothing of it, nor does a use.
    assert!(store.replace_tokens(&record).await.unwrap());
    assert!(store.swap_lease(record.key, 2, None, Some(lease())).await.unwrap());
    assert!(is_about(left(&place, &session), 8 * AN_HOUR + FIFTEEN_MINUTES));
    store.touch(record.key, now + 1.minute(), now + 2.hours()).await.unwrap();
    assert!(is_about(left(&place, &session), 8 * AN_HOUR + FIFTEEN_MINUTES));
    assert!(store.get(record.key).await.unwrap().is_some());

    let claimed = key();
    assert!(store.claim(claimed, Some(record.key), now + 1.hour()).await.unwrap());
    let claim = names(&place, "oauth2flow:claim:*").remove(0);
    assert!(is_about(left(&place, &claim), AN_HOUR + FIFTEEN_MINUTES));

    // What is over is kept for a sweep to find it.
    let over = SessionRecord { idle_expires_at: now - 1.hour(), ..record_at(now) };
    store.insert(&over).await.unwrap();
    assert!(store.get(over.key).await.unwrap().is_some());
    assert_eq!(store.sweep(now).await.unwrap(), u64::from(!is_ahead));
    assert_eq!(store.get(over.key).await.unwrap().is_some(), is_ahead);
    assert!(store.get(record.key).await.unwrap().is_some());
}

#[tokio::test]
async fn lifetimes_are_those_of_the_session_now() {
    lifetimes_are_those_of_the_session(SystemClock::start().now()).await;
}

#[tokio::test]
async fn lifetimes_are_those_of_the_session_by_a_clock_of_the_past() {
    lifetimes_are_those_of_the_session("1999-12-31T23:30:00Z".parse().unwrap()).await;
}

#[tokio::test]
async fn lifetimes_are_those_of_the_session_by_a_clock_of_the_future() {
    lifetimes_are_those_of_the_session("2150-01-01T00:00:00Z".parse().unwrap()).await;
}

#[tokio::test]
async fn the_end_of_all_time_is_no_trouble() {
    let place = Single::start();
    let now = SystemClock::start().now();
    let store = open_at(&place.url(), Arc::new(Stopped(now))).await;
    let record = SessionRecord { idle_expires_at: Timestamp::MAX, expires_at: Timestamp::MAX, ..record_at(now) };
    store.insert(&record).await.unwrap();
    store.touch(record.key, now + 1.minute(), Timestamp::MAX).await.unwrap();
    assert_eq!(store.get(record.key).await.unwrap().unwrap().expires_at.as_second(), Timestamp::MAX.as_second());
}

#[tokio::test]
async fn nothing_stays_of_sessions_that_have_ended() {
    let place = Single::start();
    let now = SystemClock::start().now();
    let store = open_at(&place.url(), Arc::new(Stopped(now))).await;
    let [swept, removed, gone] = [(); 3].map(|()| record_at(now - 2.hours()));
    for record in [&swept, &removed, &gone] {
        store.insert(record).await.unwrap();
    }
    store.remove(removed.key).await.unwrap().unwrap();
    // As if Redis had dropped it: what pointed to it is found out.
    place.node.ask::<()>(&format!("DEL {}", session_name(&gone)));
    let listed = store.sessions_of(ALICE).await.unwrap();
    assert_eq!(listed.into_iter().map(|record| record.key).collect::<Vec<_>>(), [swept.key]);
    assert_eq!(store.sweep(now).await.unwrap(), 1);
    // Nobody has come by the other index, which goes by itself.
    let rest = names(&place, "*");
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(rest[0].starts_with("oauth2flow:sid:") && left(&place, &rest[0]) > 0, "{rest:?}");
}

#[tokio::test]
async fn a_session_that_is_used_is_not_swept() {
    let place = Single::start();
    let began = SystemClock::start().now() - 2.hours();
    let store = open_at(&place.url(), Arc::new(Stopped(began))).await;
    let record = record_at(began);
    store.insert(&record).await.unwrap();
    store.touch(record.key, began + 30.minutes(), began + 90.minutes()).await.unwrap();
    for (after, swept) in [(61, 0), (89, 0), (91, 1), (91, 0)] {
        assert_eq!(store.sweep(began + after.minutes()).await.unwrap(), swept, "after {after} minutes");
    }
    assert_eq!(names(&place, "*"), Vec::<String>::new());
}

#[tokio::test]
async fn an_index_does_not_grow_with_sessions_that_are_long_over() {
    let place = Single::start();
    let now = SystemClock::start().now();
    let store = open_at(&place.url(), Arc::new(Stopped(now))).await;
    for days in (0..40).rev() {
        store.insert(&record_at(now - (24 * days).hours())).await.unwrap();
    }
    let index = names(&place, "oauth2flow:user:*").remove(0);
    let members: usize = place.node.ask(&format!("ZCARD {index}"));
    assert_eq!(members, 2, "of today, and of yesterday");
}
