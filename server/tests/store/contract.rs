//! The rules, for whichever store.

pub(crate) mod changes;
pub(crate) mod claims;
pub(crate) mod ends;
pub(crate) mod leases;
pub(crate) mod outages;
pub(crate) mod sessions;

use crate::servers::patience::PATIENCE;
use futures_util::future::join_all;
use oauth2flow::session::{
    record::{Key, SessionRecord},
    store::{Change, Store},
};
use std::{future::Future, sync::Arc};
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// How many callers stand for many.
const MANY: usize = 50;

/// Lets many callers do the same at once, by turns through each of these stores, and answers what each got.
async fn at_once<T, F>(stores: &[Arc<dyn Store>], call: impl Fn(Arc<dyn Store>) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let calls: Vec<_> = stores.iter().cycle().take(MANY).map(|store| tokio::spawn(call(Arc::clone(store)))).collect();
    join_all(calls).await.into_iter().map(Result::unwrap).collect()
}

/// The next change, which has to come.
pub(crate) async fn next(changes: &mut Receiver<Change>) -> Change {
    match tokio::time::timeout(PATIENCE, changes.recv()).await.unwrap() {
        Ok(change) => change,
        Err(RecvError::Lagged(_)) => Change::Missed,
        Err(RecvError::Closed) => panic!("no change will ever be announced"),
    }
}

/// Writes a session and reads it back.
async fn inserted(store: &dyn Store, record: SessionRecord) -> SessionRecord {
    store.insert(&record).await.unwrap();
    record
}

/// Whether there is a session.
async fn is_there(store: &dyn Store, key: Key) -> bool {
    store.get(key).await.unwrap().is_some()
}
