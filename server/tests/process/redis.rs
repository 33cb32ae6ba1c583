//! Sessions in a real Redis: what happens when it is stopped, and when the server is.

use crate::{
    browser::Browser,
    http::{Answer, Request, exchange},
    patience::{PATIENCE, wait_for},
    redis_server::Single,
    server::{Server, Setup},
};
use std::{sync::mpsc::channel, thread};

const BROWSERS: usize = 8;
const LOGINS_BEFORE_THE_END: usize = 12;

fn setup(redis: &Single) -> Setup {
    Setup::new().in_store("redis", &redis.url())
}

fn readiness(server: &Server) -> Answer {
    exchange(server.address(), Request::new("GET", "localhost", "/readyz")).unwrap()
}

#[test]
fn a41_a_redis_that_is_stopped_and_started_signs_nobody_out() {
    let mut redis = Single::start();
    let server = setup(&redis).start();
    let mut browser = Browser::new(&server);
    browser.sign_in().unwrap();
    assert_eq!(browser.add_note("before").status, 201);
    assert_eq!(readiness(&server).status, 200);
    for _ in 0..2 {
        redis.node.kill();
        let cookie = browser.cookie("session").unwrap().to_owned();
        for path in ["/api/v1/session", "/api/v1/proxy/notes"] {
            // What was read before may be known until the server has heard that nothing is to be heard any more.
            let answer = (0..10_000).map(|_| browser.call("GET", path, None).unwrap()).find(|answer| answer.status != 200).unwrap();
            assert_eq!(answer.status, 503, "{answer:?}");
            assert_eq!(answer.json()["code"], "store_unavailable", "{answer:?}");
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            assert_eq!(browser.cookie("session"), Some(cookie.as_str()), "the cookie is kept");
        }
        assert_eq!(readiness(&server).status, 503);
        assert_eq!(exchange(server.address(), Request::new("GET", "localhost", "/healthz")).unwrap().status, 200);

        redis.node.start_again();
        wait_for(|| readiness(&server).status == 200);
        assert!(browser.is_signed_in());
        assert!(browser.notes().contains(&"before".to_owned()));
    }
    Browser::new(&server).sign_in().unwrap();
    let ended = server.stop();
    assert_eq!(ended.status.code(), Some(0), "{ended:#?}");
    for said in [&ended.stdout, &ended.stderr] {
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn servers_that_share_a_redis_share_who_is_signed_in() {
    let redis = Single::start();
    let setup = setup(&redis);
    let first = setup.start();
    let second = setup.neighbour().in_store("redis", &redis.url()).start();
    let mut browser = Browser::new(&first);
    browser.sign_in().unwrap();
    let mut at_second = browser.at(&second);
    assert!(at_second.is_signed_in());
    let answer = at_second.call("POST", "/api/v1/oauth/logout", None).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    // The first has read the session before, and hears of its end.
    wait_for(|| !browser.is_signed_in());
    first.stop().assert_orderly();
    second.stop().assert_orderly();
}

#[test]
fn nobody_who_is_signed_in_is_lost_when_a_server_with_redis_is_killed() {
    let redis = Single::start();
    let setup = setup(&redis);
    let server = setup.start();
    let (sender, signed_in) = channel();
    let logins: Vec<_> = (0..BROWSERS)
        .map(|_| {
            let (origin, sender) = (server.origin(), sender.clone());
            thread::spawn(move || {
                loop {
                    let mut browser = Browser::of(origin.clone());
                    match browser.sign_in() {
                        Ok(()) => sender.send(browser).unwrap(),
                        Err(_gone) => return,
                    }
                }
            })
        })
        .collect();
    drop(sender);
    let mut everybody: Vec<Browser> = (0..LOGINS_BEFORE_THE_END).map(|_| signed_in.recv_timeout(PATIENCE).unwrap()).collect();
    server.kill();
    for login in logins {
        login.join().unwrap();
    }
    everybody.extend(signed_in);

    let server = setup.start();
    for browser in &mut everybody {
        assert!(browser.is_signed_in());
    }
    let mut browser = everybody.pop().unwrap();
    let answer = browser.call("POST", "/api/v1/oauth/logout", Some(&serde_json::json!({ "everywhere": true }))).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    // All were alice's, and each could be found.
    for browser in &mut everybody {
        assert!(!browser.is_signed_in());
    }
    server.stop().assert_orderly();
}

#[test]
fn the_password_of_a_redis_is_in_no_log() {
    let mut redis = Single::start();
    redis.node.ask::<()>("ACL SETUSER app on >sentinel-store-password ~* &* +@all");
    let url = redis.url().replace("redis://", "redis://app:sentinel-store-password@");
    let server = Setup::new().set("log.filter", "trace").in_store("redis", &url).start();
    Browser::new(&server).sign_in().unwrap();
    redis.node.kill();
    assert_eq!(readiness(&server).status, 503);
    // Started again, it does not know this user any more.
    redis.node.start_again();
    assert_eq!(readiness(&server).status, 503);
    let ended = server.stop();
    for said in [&ended.stdout, &ended.stderr] {
        assert!(!said.contains("sentinel-store-password"), "{said}");
    }
}

#[test]
fn a_redis_that_may_throw_sessions_away_is_warned_of() {
    let redis = Single::start();
    redis.node.ask::<()>("CONFIG SET maxmemory-policy allkeys-lru");
    let server = setup(&redis).start();
    let ended = server.stop();
    assert!(ended.stdout.contains("noeviction"), "{}", ended.stdout);
}
