//! What is open at one server when its session ends at another that shares the store: it ends too, and soon.

use crate::{browser::Browser, http::Connection, postgres::PostgresServer, redis_server::Single, server::Setup, stand_in::StandIn};
use std::{iter, thread, time::Duration};
use tokio::time::Instant;

/// How much later than the answer to the sign-out something may end: that is promised, and no measure of patience.
const SOON: Duration = Duration::from_secs(1);

/// One person, who signs out at one server while the other has everything open that stays open.
fn signing_out_at_one_ends_what_is_open_at_the_other(share: impl Fn(Setup) -> Setup) {
    let stand_in = StandIn::start();
    let setup = Setup::new();
    let servers = [(), ()].map(|()| share(stand_in.configure(setup.neighbour())).start());
    let mut here = Browser::signed_in(&servers[0]);
    let there = here.at(&servers[1]);

    let mut events = there.listen();
    assert_eq!(events.next().as_deref(), Some("signed_in"));
    let download = there.download();
    let websocket = there.open_websocket();
    let _held = [stand_in.wait_until_held(), stand_in.wait_until_held()];
    let until_closed = |connection: Connection| {
        thread::spawn(move || {
            let rest = connection.until_closed().unwrap();
            (Instant::now(), rest)
        })
    };
    let listening = thread::spawn(move || {
        // Whatever is opened here renews the token.
        let names: Vec<_> = iter::from_fn(|| events.next()).filter(|name| name != "refreshed").collect();
        (Instant::now(), names)
    });
    let [download, websocket] = [download, websocket].map(until_closed);

    let asked = Instant::now();
    let answer = here.call("POST", "/api/v1/oauth/logout", None).unwrap();
    let answered = Instant::now();
    assert_eq!(answer.status, 200, "{answer:?}");
    let (events_ended, names) = listening.join().unwrap();
    assert_eq!(names, ["signed_out"]);
    let (download_ended, rest) = download.join().unwrap();
    assert_eq!(rest, "");
    let (websocket_ended, rest) = websocket.join().unwrap();
    assert!(rest.contains("session ended"), "{rest:?}");
    for (name, ended) in [("events", events_ended), ("download", download_ended), ("websocket", websocket_ended)] {
        assert!(ended >= asked, "{name} ended before the sign-out");
        let later = ended.saturating_duration_since(answered);
        assert!(later <= SOON, "{name} ended {later:?} after the answer");
    }
    for server in servers {
        server.stop().assert_orderly();
    }
}

#[test]
fn signing_out_at_one_server_ends_what_is_open_at_another_within_a_second_with_sqlite() {
    signing_out_at_one_ends_what_is_open_at_the_other(|setup| setup);
}

#[test]
fn signing_out_at_one_server_ends_what_is_open_at_another_within_a_second_with_postgresql() {
    let database = PostgresServer::start();
    signing_out_at_one_ends_what_is_open_at_the_other(|setup| setup.in_store("postgres", &database.url()));
}

#[test]
fn signing_out_at_one_server_ends_what_is_open_at_another_within_a_second_with_redis() {
    let redis = Single::start();
    signing_out_at_one_ends_what_is_open_at_the_other(|setup| setup.in_store("redis", &redis.url()));
}
