//! What happens to sessions is announced, in every process.

use super::{inserted, is_there, next};
use crate::{
    harness::Harness,
    records::{ALICE, ISSUER, key, lease, minutes, session, session_with_sid},
    servers::patience::PATIENCE,
};
use oauth2flow::session::{
    record::{Key, SessionRecord},
    store::{Change, NamedSessions, Store},
};
use std::task::Poll;
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

/// Does everything that changes a session, each to one of these.
struct Deeds {
    renewed: SessionRecord,
    touched: SessionRecord,
    removed: SessionRecord,
    named: SessionRecord,
    of_user: SessionRecord,
}

/// How many kinds of changes there are.
const DEEDS: usize = 5;

impl Deeds {
    async fn prepare(store: &dyn Store) -> Self {
        let records =
            Self { renewed: session(), touched: session(), removed: session(), named: session_with_sid(ALICE, "1"), of_user: session() };
        for record in [&records.renewed, &records.touched, &records.removed, &records.named, &records.of_user] {
            store.insert(record).await.unwrap();
        }
        records
    }

    /// Does one of them and answers what has to be announced.
    async fn perform(&self, store: &dyn Store, number: usize) -> Change {
        match number {
            0 => {
                assert!(store.replace_tokens(&self.renewed).await.unwrap());
                Change::Renewed(self.renewed.key)
            }
            1 => {
                store.touch(self.touched.key, minutes(2), minutes(32)).await.unwrap();
                Change::Renewed(self.touched.key)
            }
            2 => {
                assert!(store.remove(self.removed.key).await.unwrap().is_some());
                Change::Ended(self.removed.key)
            }
            3 => {
                let named = NamedSessions { issuer: ISSUER, sub: None, sid: Some("1") };
                assert_eq!(store.remove_named(named, key(), minutes(5)).await.unwrap(), Some(1));
                Change::Ended(self.named.key)
            }
            _ => {
                // The other two stay.
                let ended = store.remove_user(ALICE, Some(self.renewed.key)).await.unwrap();
                assert_eq!(ended.len(), 2);
                Change::Ended(self.of_user.key)
            }
        }
    }
}

/// Waits until this has been announced; what comes before it has been announced twice, or belongs to others.
async fn hear(changes: &mut Receiver<Change>, expected: Change) {
    while next(changes).await != expected {}
}

pub(crate) async fn every_change_is_announced_here(place: impl Harness) {
    let store = place.open().await;
    let deeds = Deeds::prepare(&*store).await;
    let mut changes = store.changes();
    for number in 0..DEEDS {
        let expected = deeds.perform(&*store, number).await;
        // Before the answer, so that this process never acts on what it knows to be over.
        let mut heard = Vec::new();
        while let Ok(change) = changes.try_recv() {
            heard.push(change);
        }
        assert!(heard.contains(&expected), "{expected:?} is not in {heard:?}");
    }
}

pub(crate) async fn every_change_is_announced_elsewhere<H: Harness>(place: H) {
    let writer = place.open().await;
    let reader = place.open().await;
    let deeds = Deeds::prepare(&*writer).await;
    let mut changes = reader.changes();
    for number in 0..DEEDS {
        let expected = deeds.perform(&*writer, number).await;
        hear(&mut changes, if H::TELLS_WHAT { expected } else { Change::Missed }).await;
        let (Change::Ended(key) | Change::Renewed(key)) = expected else { panic!("{expected:?}") };
        // Whoever is told finds it so.
        let read = reader.get(key).await.unwrap();
        match expected {
            Change::Ended(_) => assert!(read.is_none()),
            _ => assert!(read.is_some_and(|read| read.version > 1 || read.last_seen_at > read.created_at)),
        }
        if !H::TELLS_WHAT {
            // Only the next one counts for the next.
            while changes.try_recv().is_ok() {}
        }
    }
    assert!(reader.turn().is_some());
}

pub(crate) async fn what_did_not_happen_is_not_announced(place: impl Harness) {
    let store = place.open().await;
    let record = inserted(&*store, session()).await;
    let mut changes = store.changes();
    let stale = SessionRecord { version: 7, ..record.clone() };
    assert!(!store.replace_tokens(&stale).await.unwrap());
    store.touch(record.key, minutes(-5), minutes(25)).await.unwrap();
    store.touch(key(), minutes(5), minutes(35)).await.unwrap();
    assert!(store.remove(key()).await.unwrap().is_none());
    assert!(store.remove_user(ALICE, Some(record.key)).await.unwrap().is_empty());
    let named = NamedSessions { issuer: ISSUER, sub: None, sid: Some("1") };
    assert_eq!(store.remove_named(named, key(), minutes(5)).await.unwrap(), Some(0));
    // A lease is no news for anybody but those who want it.
    assert!(store.swap_lease(record.key, 1, None, Some(lease())).await.unwrap());
    store.remove(record.key).await.unwrap();
    assert_eq!(next(&mut changes).await, Change::Ended(record.key));
}

pub(crate) async fn whoever_falls_behind_is_told(place: impl Harness) {
    let store = place.open().await;
    let record = inserted(&*store, session()).await;
    let mut changes = store.changes();
    let mut lagged = false;
    // Nobody keeps an endless list for who does not listen.
    for version in record.version..4000 {
        assert!(store.replace_tokens(&SessionRecord { version, ..record.clone() }).await.unwrap());
        if changes.len() > 1024 {
            lagged = matches!(changes.try_recv(), Err(TryRecvError::Lagged(_)));
            break;
        }
    }
    assert!(lagged);
}

/// What is left of a call that nobody waits for any more, however far it has come.
pub(crate) async fn a_caller_who_goes_away_leaves_nothing_unannounced(place: impl Harness) {
    let store = place.open().await;
    for turns in 0..12 {
        let record = inserted(&*store, session()).await;
        let mut changes = store.changes();
        poll_times(store.remove(record.key), turns).await;
        // The call may have done its work or not, and may be about to.
        let ended = wait_for_end_or_quiet(&*store, record.key, turns).await;
        if ended {
            hear(&mut changes, Change::Ended(record.key)).await;
        }
    }
}

/// Polls a call so many times, then drops it.
async fn poll_times<T>(call: impl Future<Output = T>, times: usize) {
    let mut call = Box::pin(call);
    let mut left = times;
    std::future::poll_fn(move |context| {
        if left == 0 || call.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        left -= 1;
        Poll::Pending
    })
    .await;
}

/// Whether the session has ended, once whatever the call has left behind has come to rest: a write of ours comes after it.
async fn wait_for_end_or_quiet(store: &dyn Store, key: Key, turns: usize) -> bool {
    let quiet = async {
        for _ in 0..=turns {
            store.claim(crate::records::key(), None, minutes(1)).await.unwrap();
            if !is_there(store, key).await {
                return true;
            }
        }
        false
    };
    tokio::time::timeout(PATIENCE, quiet).await.unwrap()
}
