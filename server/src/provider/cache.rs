//! What a provider says about itself, kept for a while.
//!
//! Whoever asks is answered from what is there as long as that counts; it is renewed behind their back. Only who comes when
//! nothing is there, or when it has become too old, waits, and all who wait share one fetch. The fetch goes on when they
//! go away. No lock is held while it is under way.

use super::ProviderError;
use crate::clock::Clock;
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tracing::Instrument as _;

/// For how long what was fetched counts.
pub(super) struct Lifetimes {
    /// So long it is new: nobody asks again.
    pub(super) fresh: SignedDuration,
    /// So long it is served while it is being renewed.
    pub(super) stale: SignedDuration,
    /// So long it is served when it cannot be renewed.
    pub(super) last_resort: SignedDuration,
}

/// How long after an attempt the next one may be made.
#[derive(Clone, Copy)]
pub(super) enum Pause {
    /// After a failure: a second, then twice as long after each further one, at most this long.
    Growing(SignedDuration),
    /// After every attempt, however it ended.
    Always(SignedDuration),
}

/// What somebody wants who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// What counts.
    Current,
    /// Something newer than what is there, if it may be asked for.
    Newer,
}

/// Who asks.
#[derive(Clone, Copy)]
pub(super) enum Asker {
    /// Somebody whom the provider itself has answered.
    Known,
    /// Anybody. What they cause holds up no one who is known, while every attempt holds them up; what is newer than what is
    /// there is fetched for them once in this time.
    Stranger(SignedDuration),
}

/// The answer to a question: what is there, or what has to be waited for.
enum Answer<T> {
    There(Arc<T>),
    ThereWhileFetching(Arc<T>),
    Fetching(Fetch<T>),
    Failed(ProviderError),
}

type Fetched<T> = Result<Arc<T>, ProviderError>;
type Fetch<T> = Shared<BoxFuture<'static, Fetched<T>>>;

/// One thing that is kept.
pub(super) struct Cache<T> {
    what: &'static str,
    lifetimes: Lifetimes,
    pause: Pause,
    clock: Arc<dyn Clock>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Option<Kept<T>>,
    /// The last attempt for somebody who is known, and the last one for a stranger.
    attempt: Option<Attempt>,
    attempt_for_stranger: Option<Attempt>,
    /// When something newer was last fetched for a stranger.
    renewed_for_stranger_at: Option<Timestamp>,
    under_way: Option<UnderWay<T>>,
}

/// What was fetched, from where and when.
struct Kept<T> {
    value: Arc<T>,
    source: String,
    at: Timestamp,
}

/// The last attempt that has ended.
struct Attempt {
    source: String,
    at: Timestamp,
    failure: Option<ProviderError>,
    failures_in_a_row: u32,
}

struct UnderWay<T> {
    source: String,
    fetch: Fetch<T>,
}

impl<T: Send + Sync + 'static> Cache<T> {
    /// A cache with nothing in it; `what` names it in the log.
    pub(super) fn new(what: &'static str, lifetimes: Lifetimes, pause: Pause, clock: Arc<dyn Clock>) -> Self {
        let state = State { value: None, attempt: None, attempt_for_stranger: None, renewed_for_stranger_at: None, under_way: None };
        Self { what, lifetimes, pause, clock, state: Mutex::new(state) }
    }

    /// Answers with what is there, or with what `fetch` gets from `source`. What came from another source does not count.
    pub(super) async fn get<F>(self: &Arc<Self>, want: Want, asker: Asker, source: &str, fetch: impl FnOnce() -> F) -> Fetched<T>
    where
        F: Future<Output = Result<T, ProviderError>> + Send + 'static,
    {
        let answer = self.look(want, asker, source, fetch);
        match answer {
            Answer::There(value) | Answer::ThereWhileFetching(value) => Ok(value),
            Answer::Failed(error) => Err(error),
            Answer::Fetching(fetch) => fetch.await,
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look<F>(self: &Arc<Self>, want: Want, asker: Asker, source: &str, fetch: impl FnOnce() -> F) -> Answer<T>
    where
        F: Future<Output = Result<T, ProviderError>> + Send + 'static,
    {
        let now = self.clock.now();
        let mut state = self.state();
        let within = |at: Timestamp, age: SignedDuration| {
            let elapsed = now.duration_since(at);
            // A clock that was set back says nothing about age.
            !elapsed.is_negative() && elapsed < age
        };
        let there = state.value.as_ref().filter(|kept| kept.source == source);
        let younger_than = |age: SignedDuration| there.filter(|kept| within(kept.at, age)).map(|kept| Arc::clone(&kept.value));
        if want == Want::Current
            && let Some(value) = younger_than(self.lifetimes.fresh)
        {
            return Answer::There(value);
        }
        let aging = if want == Want::Current { younger_than(self.lifetimes.stale) } else { None };
        let last_resort = younger_than(self.lifetimes.last_resort);
        if let Some(under_way) = state.under_way.as_ref().filter(|under_way| under_way.source == source) {
            return match aging {
                Some(value) => Answer::ThereWhileFetching(value),
                None => Answer::Fetching(under_way.fetch.clone()),
            };
        }
        let renews_for_stranger = match asker {
            Asker::Stranger(pause) if want == Want::Newer => {
                if let Some(value) = &last_resort
                    && state.renewed_for_stranger_at.is_some_and(|at| within(at, pause))
                {
                    return Answer::There(Arc::clone(value));
                }
                true
            }
            _ => false,
        };
        let for_stranger = matches!(asker, Asker::Stranger(_));
        let attempts = [state.attempt.as_ref(), state.attempt_for_stranger.as_ref().filter(|_| for_stranger)];
        let in_pause = |attempt: &&Attempt| attempt.source == source && within(attempt.at, self.pause.after(attempt));
        if let Some(attempt) = attempts.into_iter().flatten().filter(in_pause).max_by_key(|attempt| attempt.at) {
            match (last_resort, &attempt.failure) {
                (Some(value), _) => return Answer::There(value),
                (None, Some(failure)) => return Answer::Failed(failure.clone()),
                // The last attempt succeeded, and yet what it brought has expired: a pause longer than that is none.
                (None, None) => {}
            }
        }
        if renews_for_stranger {
            state.renewed_for_stranger_at = Some(now);
        }
        let fetch = self.start(source.to_owned(), for_stranger, fetch());
        state.under_way = Some(UnderWay { source: source.to_owned(), fetch: fetch.clone() });
        aging.map_or(Answer::Fetching(fetch), Answer::ThereWhileFetching)
    }

    /// Starts a fetch that goes on by itself.
    fn start(
        self: &Arc<Self>,
        source: String,
        for_stranger: bool,
        fetch: impl Future<Output = Result<T, ProviderError>> + Send + 'static,
    ) -> Fetch<T> {
        let cache = Arc::clone(self);
        let task = tokio::spawn(
            async move {
                // Whatever becomes of the fetch, the next one may come.
                let mut ending = Ending { cache: &cache, source, done: false };
                let fetched = fetch.await;
                ending.done = true;
                cache.keep(&ending.source, for_stranger, fetched)
            }
            .in_current_span(),
        );
        async move { task.await.unwrap_or(Err(ProviderError::Interrupted)) }.boxed().shared()
    }

    /// Keeps what was fetched; a failure is answered with the old value while that counts.
    fn keep(&self, source: &str, for_stranger: bool, fetched: Result<T, ProviderError>) -> Fetched<T> {
        let now = self.clock.now();
        let mut state = self.state();
        if state.under_way.as_ref().is_some_and(|under_way| under_way.source != source) {
            // The provider has moved meanwhile, and what counts is being fetched from there.
            return fetched.map(Arc::new);
        }
        state.under_way = None;
        let attempt = if for_stranger { &mut state.attempt_for_stranger } else { &mut state.attempt };
        match fetched {
            Ok(value) => {
                *attempt = Some(Attempt { source: source.to_owned(), at: now, failure: None, failures_in_a_row: 0 });
                let value = Arc::new(value);
                state.value = Some(Kept { value: Arc::clone(&value), source: source.to_owned(), at: now });
                Ok(value)
            }
            Err(error) => {
                let before = attempt.as_ref().filter(|attempt| attempt.source == source);
                let failures_in_a_row = before.map_or(0, |attempt| attempt.failures_in_a_row).saturating_add(1);
                *attempt = Some(Attempt { source: source.to_owned(), at: now, failure: Some(error.clone()), failures_in_a_row });
                let old = state.value.as_ref().filter(|kept| {
                    let age = now.duration_since(kept.at);
                    kept.source == source && !age.is_negative() && age < self.lifetimes.last_resort
                });
                match old {
                    Some(kept) => {
                        tracing::warn!(what = self.what, error = %error, "a provider does not answer; what it said before still counts");
                        Ok(Arc::clone(&kept.value))
                    }
                    None => Err(error),
                }
            }
        }
    }
}

impl Pause {
    fn after(self, attempt: &Attempt) -> SignedDuration {
        match self {
            Self::Always(pause) => pause,
            Self::Growing(_) if attempt.failures_in_a_row == 0 => SignedDuration::ZERO,
            Self::Growing(longest) => {
                let doublings = attempt.failures_in_a_row.saturating_sub(1).min(30);
                SignedDuration::from_secs(1 << doublings).min(longest)
            }
        }
    }
}

/// Lets the next fetch come when this one dies.
struct Ending<'a, T: Send + Sync + 'static> {
    cache: &'a Cache<T>,
    source: String,
    done: bool,
}

impl<T: Send + Sync + 'static> Drop for Ending<'_, T> {
    fn drop(&mut self) {
        if !self.done {
            let mut state = self.cache.state();
            state.under_way = state.under_way.take().filter(|under_way| under_way.source != self.source);
        }
    }
}
