//! Renewals under way in this process: all who want the same session renewed share one.

use super::coordination::{Leader, Renewal};
use crate::session::record::Key;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// The renewals that are under way.
pub struct Flights<A, E>(Arc<Mutex<Board<A, E>>>);

type Board<A, E> = HashMap<Key, Arc<Flight<A, E>>>;

impl<A, E> Default for Flights<A, E> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// One renewal, and all who wait for it.
pub(super) struct Flight<A, E> {
    progress: Mutex<Progress<A, E>>,
    news: Notify,
}

enum Progress<A, E> {
    UnderWay,
    /// New tokens are there and cannot be written down. That is tried further, but nobody should wait for it.
    Stuck(E),
    Landed(Result<A, E>),
    Interrupted,
}

impl<A: Clone + Send + Sync + 'static, E: Clone + Send + Sync + 'static> Flights<A, E> {
    /// Renews a session's tokens, or joins whoever is doing it. The renewal goes on when nobody waits for it any more: the provider
    /// may have spent the old refresh token.
    ///
    /// # Errors
    /// When there are no tokens to be had.
    pub async fn renew<R: Renewal<Access = A, Error = E>>(&self, key: Key, renewal: R) -> Result<A, E> {
        let interrupted = renewal.interrupted();
        self.join(key, renewal).landed().await.unwrap_or(Err(interrupted))
    }

    /// Joins whoever is renewing a session's tokens; when nobody is, renews them if `may_begin` says so. `None` when neither is so.
    pub async fn renew_if<R: Renewal<Access = A, Error = E>>(
        &self,
        key: Key,
        renewal: R,
        may_begin: impl FnOnce() -> bool,
    ) -> Option<Result<A, E>> {
        let interrupted = renewal.interrupted();
        let flight = {
            let flights = self.flights();
            match flights.get(&key) {
                Some(flight) => Arc::clone(flight),
                None if may_begin() => self.begin(flights, key, renewal),
                None => return None,
            }
        };
        Some(flight.landed().await.unwrap_or(Err(interrupted)))
    }

    /// Renews a session's tokens while nobody waits, unless somebody is doing it; `failed` hears why nothing came of it.
    pub fn renew_in_background<R: Renewal<Access = A, Error = E>>(&self, key: Key, renewal: &R, failed: impl FnOnce(E) + Send + 'static) {
        if self.flights().contains_key(&key) {
            return;
        }
        let flight = self.join(key, renewal.clone());
        renewal.spawn(async move {
            if let Some(Err(error)) = flight.landed().await {
                failed(error);
            }
        });
    }

    /// Waits until nothing is being renewed.
    pub async fn settle(&self) {
        loop {
            let Some(flight) = self.flights().values().next().cloned() else { return };
            flight.gone().await;
        }
    }

    fn flights(&self) -> MutexGuard<'_, Board<A, E>> {
        lock(&self.0)
    }

    fn join<R: Renewal<Access = A, Error = E>>(&self, key: Key, renewal: R) -> Arc<Flight<A, E>> {
        let flights = self.flights();
        match flights.get(&key) {
            Some(flight) => Arc::clone(flight),
            None => self.begin(flights, key, renewal),
        }
    }

    fn begin<R: Renewal<Access = A, Error = E>>(
        &self,
        mut flights: MutexGuard<'_, Board<A, E>>,
        key: Key,
        renewal: R,
    ) -> Arc<Flight<A, E>> {
        let flight = Arc::new(Flight { progress: Mutex::new(Progress::UnderWay), news: Notify::new() });
        flights.insert(key, Arc::clone(&flight));
        drop(flights);
        // The task gives the place up in whatever way it ends, also when it never begins.
        let place = Place { flights: Arc::clone(&self.0), key, flight: Arc::clone(&flight), landed: false };
        renewal.clone().spawn(async move {
            let result = Leader::new(renewal, key, &place.flight).lead().await;
            place.land(result);
        });
        flight
    }
}

/// A flight's place among the others.
struct Place<A, E> {
    flights: Arc<Mutex<Board<A, E>>>,
    key: Key,
    flight: Arc<Flight<A, E>>,
    landed: bool,
}

impl<A, E> Place<A, E> {
    fn land(mut self, result: Result<A, E>) {
        self.landed = true;
        self.give_up(Progress::Landed(result));
    }

    /// The place is free before anybody hears of it: who then comes back begins a flight of their own.
    fn give_up(&self, progress: Progress<A, E>) {
        lock(&self.flights).remove(&self.key);
        self.flight.tell(progress);
    }
}

impl<A, E> Drop for Place<A, E> {
    fn drop(&mut self) {
        if !self.landed {
            self.give_up(Progress::Interrupted);
        }
    }
}

impl<A, E> Flight<A, E> {
    /// Lets those go who wait, and those who are yet to come; the flight goes on.
    pub(super) fn is_stuck(&self, error: E) {
        self.tell(Progress::Stuck(error));
    }

    fn tell(&self, progress: Progress<A, E>) {
        *lock(&self.progress) = progress;
        self.news.notify_waiters();
    }

    /// What came of it; nothing if it was interrupted.
    async fn landed(&self) -> Option<Result<A, E>>
    where
        A: Clone,
        E: Clone,
    {
        loop {
            let news = self.news.notified();
            match &*lock(&self.progress) {
                Progress::UnderWay => {}
                Progress::Stuck(error) => return Some(Err(error.clone())),
                Progress::Landed(result) => return Some(result.clone()),
                Progress::Interrupted => return None,
            }
            news.await;
        }
    }

    async fn gone(&self) {
        loop {
            let news = self.news.notified();
            if matches!(*lock(&self.progress), Progress::Landed(_) | Progress::Interrupted) {
                return;
            }
            news.await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
