//! Many replicas in one world, under every accident that it holds: crashes, a store that is late or away, a provider that is slow, down or
//! never answers, clocks that are set, leases that get lost. Time is virtual and chance has a seed, so that what goes wrong can be
//! looked at again: `OAUTH2FLOW_SIMULATION_SEED=17 cargo test --test simulation -- --nocapture replay`.
//! `OAUTH2FLOW_SIMULATION_SEEDS` says how many are tried.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should end there")]

mod link;
mod provider;
mod random;
mod replica;
mod world;

use oauth2flow::session::refresh::coordination::Rhythm;
use std::{
    collections::BTreeMap,
    env,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};
use world::{Breakage, Report, World};

const SEEDS: u64 = 3_000;
const THREADS: u64 = 2;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|number| number.parse().unwrap())
}

/// The worlds of the seeds from `first` on, until one of them says stop.
fn worlds(first: u64, count: u64, breakage: Breakage, visit: impl Fn(u64, Report) -> bool + Sync) {
    let next = AtomicU64::new(first);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    if !visit(seed, World::run(seed, breakage, false)) {
                        next.store(u64::MAX / 2, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

#[test]
fn whatever_happens_each_session_is_renewed_once_and_lives() {
    let total = std::sync::Mutex::new((Report::default(), BTreeMap::new()));
    let count = number("OAUTH2FLOW_SIMULATION_SEEDS").unwrap_or(SEEDS);
    worlds(1, count, Breakage::Nothing, |seed, report| {
        let (total, failed) = &mut *total.lock().unwrap();
        total.calls += report.calls;
        total.tokens += report.tokens;
        total.renewals += report.renewals;
        total.crashes += report.crashes;
        for (excuse, times) in report.reuse {
            *total.reuse.entry(excuse).or_default() += times;
        }
        if !report.violations.is_empty() {
            failed.insert(seed, report.violations);
        }
        failed.len() < 10
    });
    let (total, failed) = total.into_inner().unwrap();
    println!("{count} worlds: {total:?}");
    assert!(failed.is_empty(), "replay with OAUTH2FLOW_SIMULATION_SEED and the test `replay`: {failed:#?}");
    if count >= SEEDS {
        // Chance has had its chance.
        assert!(total.renewals > count && total.crashes > count && total.tokens > 10 * count, "{total:?}");
        assert_eq!(total.reuse.len(), 4, "each thing that cannot be helped has happened: {total:?}");
    }
}

#[test]
fn replay() {
    let seed = number("OAUTH2FLOW_SIMULATION_SEED").unwrap_or(1);
    let report = World::run(seed, Breakage::Nothing, true);
    for line in &report.trace {
        println!("{line}");
    }
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
}

#[test]
fn the_same_seed_makes_the_same_world() {
    for seed in 1..=25 {
        let (first, second) = (World::run(seed, Breakage::Nothing, true), World::run(seed, Breakage::Nothing, true));
        let differs = first.trace.iter().zip(&second.trace).position(|(first, second)| first != second);
        assert_eq!(differs, None, "seed {seed}: {:?}", differs.map(|line| (&first.trace[line], &second.trace[line])));
        assert_eq!(first, second);
        assert!(first.trace.len() > 20, "{:?}", first.trace);
    }
}

#[test]
fn a_dead_holder_is_replaced_as_soon_as_its_lease_is_known_to_be_dead() {
    let rhythm = Rhythm::default();
    let a_bit = Duration::from_millis(1_500);
    let (mut replaced, mut lost) = (0, 0);
    for steps in 1..=10 {
        for seed in 0..30 {
            let (took, has_token) = World::neighbour_dies(seed, steps);
            if has_token {
                replaced += u64::from(took > rhythm.patience);
                assert!(took < rhythm.patience + a_bit, "{took:?} after {steps} steps of seed {seed}");
            } else {
                lost += 1;
                // As long again, in case that the holder was only cut off and has new tokens to write down.
                assert!(took < 2 * rhythm.patience + 2 * a_bit, "{took:?} after {steps} steps of seed {seed}");
            }
        }
    }
    assert!(replaced > 50 && lost > 20, "{replaced} were replaced, {lost} died with the tokens in their hand");
}

/// The simulation is worth nothing unless it finds what is wrong.
#[track_caller]
fn assert_found(breakage: Breakage, expected: &str) {
    let found = std::sync::Mutex::new(None);
    worlds(1, 500, breakage, |seed, report| {
        let hit = report.violations.into_iter().find(|violation| violation.contains(expected));
        let done = hit.is_some();
        if done {
            found.lock().unwrap().get_or_insert((seed, hit));
        }
        !done
    });
    println!("{breakage:?}: {:?}", found.lock().unwrap());
    assert!(found.lock().unwrap().is_some(), "{breakage:?} goes unnoticed");
}

#[test]
fn without_leases_two_renew_at_once() {
    assert_found(Breakage::NoLease, "has shown, lives, and has its store");
}

#[test]
fn without_patience_living_holders_are_robbed() {
    assert_found(Breakage::Impatient, "has shown, lives, and has its store");
}

#[test]
fn without_comparing_versions_ended_sessions_come_back() {
    assert_found(Breakage::Resurrects, "has come back");
}

#[test]
fn without_revoking_tokens_outlive_their_sessions() {
    assert_found(Breakage::RevokesNothing, "its tokens live on");
}

#[test]
fn without_telling_trouble_from_refusal_sessions_end() {
    assert_found(Breakage::EndsOnTrouble, "nobody has signed out, and the grant holds");
}
