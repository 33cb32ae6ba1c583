//! Three servers with one store: a session's tokens are renewed once, whoever dies and however the provider is.

mod provider;

use crate::{
    browser::Browser,
    clock::WallClock,
    http::Answer,
    postgres::PostgresServer,
    redis_server,
    server::{Server, Setup},
};
use provider::{Mood, RotatingProvider};
use std::{
    cell::RefCell,
    io,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

/// Three servers, a provider, and somebody who is signed in, whose token has ended already.
struct Replicas {
    provider: RotatingProvider,
    servers: Vec<Server>,
    person: Browser,
}

impl Replicas {
    fn start(configure: impl Fn(Setup) -> Setup) -> Self {
        let provider = RotatingProvider::start();
        let setup = configure(provider.configure(Setup::new()));
        let servers: Vec<_> = [provider.configure(setup.neighbour()), provider.configure(setup.neighbour())]
            .into_iter()
            .map(configure)
            .chain([setup])
            .map(|setup| setup.start())
            .collect();
        let person = Browser::signed_in(&servers[0]);
        Self { provider, servers, person }
    }

    fn browser(&self, server: usize) -> Browser {
        self.person.at(&self.servers[server])
    }
}

fn call(browser: &mut Browser) -> io::Result<Answer> {
    browser.call("GET", "/api/v1/proxy/api/things", None)
}

fn problem(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

/// Calls until the API answers, and counts how often it did not.
fn call_until_answered(browser: &mut Browser) {
    loop {
        let answer = call(browser).unwrap();
        if answer.status == 200 {
            return;
        }
        assert!(["provider_unavailable", "provider_timeout"].contains(&problem(&answer).1.as_str()), "{answer:?}");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
}

#[test]
fn a38_two_hundred_calls_over_three_servers_make_one_refresh_and_all_succeed_with_sqlite() {
    two_hundred_calls_make_one_refresh(&Replicas::start(|setup| setup));
}

#[test]
fn a38_two_hundred_calls_over_three_servers_make_one_refresh_and_all_succeed_with_postgresql() {
    let database = PostgresServer::start();
    two_hundred_calls_make_one_refresh(&Replicas::start(|setup| setup.in_store("postgres", &database.url())));
}

#[test]
fn a38_two_hundred_calls_over_three_servers_make_one_refresh_and_all_succeed_with_redis() {
    let redis = redis_server::Single::start();
    two_hundred_calls_make_one_refresh(&Replicas::start(|setup| setup.in_store("redis", &redis.url())));
}

fn two_hundred_calls_make_one_refresh(replicas: &Replicas) {
    let begin = std::sync::Barrier::new(200);
    thread::scope(|scope| {
        let calls: Vec<_> = (0..200)
            .map(|number| {
                let (mut browser, begin) = (replicas.browser(number % 3), &begin);
                scope.spawn(move || {
                    begin.wait();
                    call(&mut browser).unwrap()
                })
            })
            .collect();
        for call in calls {
            let answer = call.join().unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    });
    assert_eq!(replicas.provider.refreshes(), 1);
    assert_eq!(replicas.provider.good_calls(), 200);
    assert!(!replicas.provider.saw_reuse());
    for server in 0..3 {
        assert!(replicas.browser(server).is_signed_in());
    }
}

#[test]
fn servers_whose_clocks_are_apart_make_one_refresh_and_lose_nobody() {
    let clocks = RefCell::new(Vec::new());
    let replicas = Replicas::start(|setup| {
        let mut clocks = clocks.borrow_mut();
        let (clock, setup) = WallClock::of(setup, &format!("clock {}", clocks.len()));
        clocks.push(clock);
        setup
    });
    let clocks = clocks.into_inner();
    clocks[1].set(5);
    clocks[2].set(-5);
    two_hundred_calls_make_one_refresh(&replicas);
    // Now the slow one is the fast one.
    clocks[1].set(-5);
    clocks[2].set(5);
    for server in 0..3 {
        assert_eq!(call(&mut replicas.browser(server)).unwrap().status, 200);
    }
    assert_eq!(replicas.provider.refreshes(), 1);
    assert!(!replicas.provider.saw_reuse());
}

#[test]
fn a_server_that_is_killed_while_the_provider_is_slow_is_replaced_and_nobody_is_signed_out_with_sqlite() {
    killed_while_the_provider_is_slow(Replicas::start(|setup| setup));
}

#[test]
fn a_server_that_is_killed_while_the_provider_is_slow_is_replaced_and_nobody_is_signed_out_with_postgresql() {
    let database = PostgresServer::start();
    killed_while_the_provider_is_slow(Replicas::start(|setup| setup.in_store("postgres", &database.url())));
}

#[test]
fn a_server_that_is_killed_while_the_provider_is_slow_is_replaced_and_nobody_is_signed_out_with_redis() {
    let redis = redis_server::Single::start();
    killed_while_the_provider_is_slow(Replicas::start(|setup| setup.in_store("redis", &redis.url())));
}

fn killed_while_the_provider_is_slow(mut replicas: Replicas) {
    let held = replicas.provider.hold_next();
    let mut at_first = replicas.browser(0);
    thread::scope(|scope| {
        let lost = scope.spawn(move || call(&mut at_first));
        // It has the lease, and has asked; the others wait for it.
        held.wait();
        let others: Vec<_> = (0..40)
            .map(|number| {
                let mut browser = replicas.browser(1 + number % 2);
                scope.spawn(move || call(&mut browser).unwrap())
            })
            .collect();
        replicas.servers.remove(0).kill();
        assert!(lost.join().unwrap().is_err(), "it was killed");
        // The provider has done nothing yet, and sees that nobody is there any more.
        held.forget();
        for other in others {
            let answer = other.join().unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    });
    assert_eq!(replicas.provider.refreshes(), 2, "the one that was forgotten, and one in its place");
    assert!(!replicas.provider.saw_reuse());
    for server in 0..2 {
        assert!(replicas.browser(server).is_signed_in());
    }
}

#[test]
fn a_server_that_is_killed_under_load_costs_nobody_the_session() {
    let mut replicas = Replicas::start(|setup| setup);
    let people: Vec<_> = (0..6).map(|_| Browser::signed_in(&replicas.servers[0])).collect();
    // Each has a token that lasts before anything happens.
    for person in &people {
        call_until_answered(&mut person.at(&replicas.servers[1]));
    }
    let refreshes = replicas.provider.refreshes();
    let (calls, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for (number, person) in people.iter().enumerate() {
            let mut browsers = [person.at(&replicas.servers[number % 3]), person.at(&replicas.servers[1 + number % 2])];
            let (calls, stop) = (&calls, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // The first server may be gone.
                    if let Ok(answer) = call(&mut browsers[0]) {
                        assert_eq!(answer.status, 200, "{answer:?}");
                    }
                    let answer = call(&mut browsers[1]).unwrap();
                    assert_eq!(answer.status, 200, "{answer:?}");
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let wait_for = |number: usize| {
            while calls.load(Ordering::Relaxed) < number {
                thread::yield_now();
            }
        };
        wait_for(60);
        replicas.servers.remove(0).kill();
        wait_for(calls.load(Ordering::Relaxed) + 120);
        stop.store(true, Ordering::Relaxed);
    });
    for person in &people {
        assert!(person.at(&replicas.servers[0]).is_signed_in() && person.at(&replicas.servers[1]).is_signed_in());
    }
    assert_eq!(replicas.provider.refreshes(), refreshes, "tokens that last are left alone");
    assert!(!replicas.provider.saw_reuse());
}

#[test]
fn a39_a_provider_that_is_down_or_slow_or_fails_ends_no_session() {
    for (mood, expected) in
        [(Mood::Fails, "provider_unavailable"), (Mood::HangsUp, "provider_unavailable"), (Mood::IsSilent, "provider_timeout")]
    {
        let is_silent = matches!(mood, Mood::IsSilent);
        let replicas = Replicas::start(|setup| {
            if is_silent { setup.set("outbound.total_timeout", "3s").set("outbound.connect_timeout", "3s") } else { setup }
        });
        replicas.provider.set_mood(mood);
        for server in 0..3 {
            let answer = call(&mut replicas.browser(server)).unwrap();
            assert_eq!(problem(&answer).1, expected, "{answer:?}");
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            assert!(replicas.browser(server).is_signed_in());
        }
        replicas.provider.set_mood(Mood::Well);
        for server in 0..3 {
            call_until_answered(&mut replicas.browser(server));
        }
        assert!(!replicas.provider.saw_reuse());
        assert_eq!(replicas.provider.spent(), 1, "{mood:?}: what was not done has spent nothing");
    }
}
