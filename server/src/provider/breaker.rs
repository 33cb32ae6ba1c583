//! Leaving a provider alone that is down: many sessions want new tokens from it, and to ask for each of them would keep it down.
//!
//! Only renewals and exchanges for upstreams heed it. A person who signs in waits for an answer anyway, and may be the first to find
//! that it is back.

use crate::entropy::{Entropy, random};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// After so many failures in a row, the provider is left alone.
const FAILURES: u32 = 3;
/// For so long at first, then twice as long after each attempt that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// And no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Counts how often a provider has failed at requests of one kind, by the monotonic clock.
#[derive(Debug)]
pub struct Breaker {
    requests: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    open: Option<Open>,
}

/// The provider is being left alone.
#[derive(Debug)]
struct Open {
    until: Duration,
    /// What the next pause is made from.
    pause: Duration,
    /// Whether somebody is finding out if it is back.
    probing: bool,
}

/// The provider is left alone for this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paused(pub Duration);

/// The right to ask the provider. Whoever drops it without a word has found nothing out.
#[derive(Debug)]
pub struct Permit<'breaker> {
    breaker: &'breaker Breaker,
    probes: bool,
    said: bool,
}

impl Breaker {
    /// Of a provider that has not failed yet, for requests that the log calls this.
    pub fn new(requests: &'static str) -> Self {
        Self { requests, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it makes sense to prepare a request. `now` is [`Clock::elapsed`](crate::clock::Clock::elapsed).
    ///
    /// # Errors
    /// While the provider is left alone.
    pub fn check(&self, now: Duration) -> Result<(), Paused> {
        self.state().open.as_ref().map_or(Ok(()), |open| open.check(now))
    }

    /// Asks for the right to send a request: anybody may while the provider answers, and one at a time to find out whether it does
    /// again.
    ///
    /// # Errors
    /// While the provider is left alone, and while another is finding out.
    pub fn enter(&self, now: Duration) -> Result<Permit<'_>, Paused> {
        let mut state = self.state();
        let probes = match &mut state.open {
            Some(open) => {
                open.check(now)?;
                open.probing = true;
                true
            }
            None => false,
        };
        Ok(Permit { breaker: self, probes, said: false })
    }
}

impl Open {
    fn check(&self, now: Duration) -> Result<(), Paused> {
        match self.until.checked_sub(now).filter(|left| !left.is_zero()) {
            Some(left) => Err(Paused(left)),
            None if self.probing => Err(Paused(FIRST_PAUSE)),
            None => Ok(()),
        }
    }
}

impl Permit<'_> {
    /// The provider has answered, whatever it said.
    pub fn answered(mut self, provider: &str) {
        self.said = true;
        if std::mem::take(&mut *self.breaker.state()).open.is_some() {
            tracing::info!(provider, requests = self.breaker.requests, "the provider answers again");
        }
    }

    /// There was no answer, or the provider said that it is in trouble.
    pub fn failed(mut self, provider: &str, now: Duration, entropy: &dyn Entropy) {
        self.said = true;
        let mut state = self.breaker.state();
        state.failures = state.failures.saturating_add(1);
        let failures = state.failures;
        match &mut state.open {
            None if failures >= FAILURES => {
                let until = now + jittered(FIRST_PAUSE, entropy);
                state.open = Some(Open { until, pause: FIRST_PAUSE, probing: false });
                let requests = self.breaker.requests;
                tracing::warn!(provider, requests, failures, "the provider does not answer: it is left alone until it does");
            }
            Some(open) if self.probes => {
                open.pause = (open.pause * 2).min(LONGEST_PAUSE);
                open.until = now + jittered(open.pause, entropy);
                open.probing = false;
            }
            // Sent before the provider was left alone: this was known.
            Some(_) | None => {}
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.probes
            && !self.said
            && let Some(open) = &mut self.breaker.state().open
        {
            open.probing = false;
        }
    }
}

/// Between three quarters of the pause and all of it, so that many servers do not come back in step.
fn jittered(pause: Duration, entropy: &dyn Entropy) -> Duration {
    pause * (768 + u32::from(u16::from_le_bytes(random(entropy)) % 257)) / 1024
}

#[cfg(test)]
mod tests {
    use super::{Breaker, FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Paused};
    use crate::entropy::{Entropy, SystemEntropy};
    use std::time::Duration;

    /// Makes every pause as long as it can be.
    struct Longest;

    impl Entropy for Longest {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&256_u16.to_le_bytes());
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn fail(breaker: &Breaker, now: Duration) {
        breaker.enter(now).unwrap().failed("alpha", now, &Longest);
    }

    fn opened() -> Breaker {
        let breaker = Breaker::new("renewals");
        for _ in 0..FAILURES {
            fail(&breaker, Duration::ZERO);
        }
        breaker
    }

    #[test]
    fn a_few_failures_in_a_row_are_what_it_takes() {
        let breaker = Breaker::new("renewals");
        for _ in 1..FAILURES {
            fail(&breaker, Duration::ZERO);
        }
        assert_eq!(breaker.check(Duration::ZERO), Ok(()));
        breaker.enter(Duration::ZERO).unwrap().answered("alpha");
        for _ in 1..FAILURES {
            fail(&breaker, Duration::ZERO);
        }
        assert_eq!(breaker.check(Duration::ZERO), Ok(()), "an answer in between begins the count anew");
        fail(&breaker, Duration::ZERO);
        assert_eq!(breaker.check(Duration::ZERO), Err(Paused(FIRST_PAUSE)));
        assert_eq!(breaker.enter(Duration::from_millis(400)).unwrap_err(), Paused(Duration::from_millis(600)));
    }

    #[test]
    fn one_finds_out_whether_it_is_back() {
        let breaker = opened();
        let probe = breaker.enter(seconds(1)).unwrap();
        assert!(breaker.enter(seconds(1)).is_err() && breaker.check(seconds(1)).is_err());
        probe.answered("alpha");
        assert!(breaker.enter(seconds(1)).is_ok() && breaker.enter(seconds(1)).is_ok());
    }

    #[test]
    fn who_finds_nothing_out_lets_the_next_one_try() {
        let breaker = opened();
        drop(breaker.enter(seconds(1)).unwrap());
        assert!(breaker.enter(seconds(1)).is_ok());
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_begin_anew_after_an_answer() {
        let breaker = opened();
        let mut now = seconds(1);
        for pause in [2, 4, 8, 16, 32, 60, 60] {
            fail(&breaker, now);
            assert_eq!(breaker.check(now), Err(Paused(seconds(pause).min(LONGEST_PAUSE))));
            now += seconds(pause);
        }
        breaker.enter(now).unwrap().answered("alpha");
        for _ in 0..FAILURES {
            fail(&breaker, now);
        }
        assert_eq!(breaker.check(now), Err(Paused(FIRST_PAUSE)));
    }

    #[test]
    fn what_was_sent_before_makes_no_pause_longer() {
        let breaker = Breaker::new("renewals");
        let early: Vec<_> = (0..20).map(|_| breaker.enter(Duration::ZERO).unwrap()).collect();
        for permit in early {
            permit.failed("alpha", Duration::ZERO, &Longest);
        }
        assert_eq!(breaker.check(Duration::ZERO), Err(Paused(FIRST_PAUSE)));
    }

    #[test]
    fn pauses_differ_a_little() {
        let pauses: Vec<_> = (0..50)
            .map(|_| {
                let breaker = Breaker::new("renewals");
                for _ in 0..FAILURES {
                    breaker.enter(Duration::ZERO).unwrap().failed("alpha", Duration::ZERO, &SystemEntropy);
                }
                breaker.check(Duration::ZERO).unwrap_err().0
            })
            .collect();
        assert!(pauses.iter().all(|pause| (FIRST_PAUSE * 3 / 4..=FIRST_PAUSE).contains(pause)), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
