//! Stores that are gone for a while, full, or not what the configuration says.

use crate::{
    browser::Browser,
    database_file::Database,
    http::Answer,
    patience::wait_for,
    postgres::PostgresServer,
    server::{Server, Setup},
    stand_in::StandIn,
};
use std::{process::Command, thread};

/// Asks again until the answer has this status; until then it is the other.
fn until_status(browser: &mut Browser, path: &str, status: u16) -> Answer {
    let mut answer = None;
    wait_for(|| {
        let answered = browser.call("GET", path, None).unwrap();
        assert!(matches!(answered.status, 200 | 503), "{answered:?}");
        answered.status == status && answer.replace(answered).is_none()
    });
    answer.unwrap()
}

/// That the store cannot be asked, and that nobody is signed out for it.
fn assert_unavailable(browser: &mut Browser) {
    until_status(browser, "/readyz", 503);
    let answer = until_status(browser, "/api/v1/session", 503);
    assert_eq!(answer.json()["code"], "store_unavailable");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(browser.call("GET", "/healthz", None).unwrap().status, 200);
}

#[test]
fn postgresql_that_is_gone_for_a_while_signs_nobody_out() {
    let stand_in = StandIn::start();
    let mut database = PostgresServer::start();
    let setup = stand_in.configure(Setup::new().in_store("postgres", &database.url()));
    let server = setup.start();
    let mut browser = Browser::signed_in(&server);
    let before = browser.call("GET", "/api/v1/session", None).unwrap().json();
    for end in [PostgresServer::kill, PostgresServer::stop_at_once] {
        end(&mut database);
        assert_unavailable(&mut browser);
        database.start_again();
        until_status(&mut browser, "/readyz", 200);
        let after = until_status(&mut browser, "/api/v1/session", 200).json();
        assert_eq!(after["session"]["created_at"], before["session"]["created_at"]);
        assert!(Browser::signed_in(&server).is_signed_in());
    }
    assert_eq!(browser.call("POST", "/api/v1/oauth/logout", None).unwrap().status, 200);
    assert!(!browser.is_signed_in());
    server.stop().assert_orderly();
}

#[test]
fn a_server_that_starts_before_its_database_finds_it_later() {
    let stand_in = StandIn::start();
    let mut database = PostgresServer::prepare();
    let setup = stand_in.configure(Setup::new().in_store("postgres", &database.url()));
    let server = setup.start();
    let mut early = Browser::new(&server);
    until_status(&mut early, "/readyz", 503);
    assert!(!early.is_signed_in(), "who has no cookie is nobody, whatever the store says");
    database.start_again();
    until_status(&mut early, "/readyz", 200);
    assert!(Browser::signed_in(&server).is_signed_in());
    server.stop().assert_orderly();
}

#[test]
fn servers_that_start_at_once_on_an_empty_database_share_it() {
    let stand_in = StandIn::start();
    let database = PostgresServer::start();
    let setup = Setup::new();
    let setups = [(); 4].map(|()| stand_in.configure(setup.neighbour().in_store("postgres", &database.url())));
    thread::scope(|scope| {
        let starting = setups.each_ref().map(|setup| scope.spawn(|| setup.start()));
        let servers = starting.map(|starting| starting.join().unwrap());
        let mut browser = Browser::signed_in(&servers[0]);
        let mut elsewhere = servers.each_ref().map(|server| browser.at(server));
        for there in &mut elsewhere {
            assert!(there.is_signed_in());
        }
        // Signed out here is signed out everywhere, also where the session was looked at a moment ago.
        assert_eq!(browser.call("POST", "/api/v1/oauth/logout", None).unwrap().status, 200);
        for mut there in elsewhere {
            wait_for(|| !there.is_signed_in());
        }
        for server in servers {
            server.stop().assert_orderly();
        }
    });
}

#[test]
fn a_store_url_that_cannot_work_is_refused_with_what_to_do() {
    let database = PostgresServer::start();
    for (user, password, name, said) in [
        ("app", "sentinel-wrong", "postgres", ["it refuses the password", "Check user and password in session.store_url"]),
        ("nobody", "sentinel-wrong", "sign-in", ["it refuses the password", "Check user and password in session.store_url"]),
        ("app", "open%20sesame", "elsewhere", ["there is no such database", "createdb elsewhere"]),
        ("app", "open%20sesame", "postgres", ["this user may not make tables there", "GRANT CREATE ON SCHEMA public"]),
    ] {
        let ended = Setup::new().in_store("postgres", &database.url_for(user, password, name)).refusal();
        ended.assert_refused(&[&said[..], &["The server cannot start", &format!("the PostgreSQL database “{name}”")]].concat());
        assert!(!ended.stderr.contains("sentinel"), "{}", ended.stderr);
    }
    let secure = format!("{}&sslmode=verify-full", database.url());
    Setup::new().in_store("postgres", &secure).refusal().assert_refused(&["no safe connection to it can be made", "Check sslmode"]);
}

#[test]
fn a_shared_store_makes_no_key_by_itself() {
    let database = PostgresServer::start();
    let setup = Setup::new().set("session.store", "postgres").variable("OAUTH2FLOW_SESSION_STORE_URL", &database.url());
    setup.refusal().assert_refused(&[
        "session.key is missing",
        "the session store is shared",
        "oauth2flow keys generate",
        "give it to every server",
    ]);
    assert!(!setup.path("data/session.key").exists());
}

#[test]
fn sessions_in_memory_end_with_the_process() {
    let setup = Setup::new().set("session.store", "memory");
    let server = setup.start();
    let mut browser = Browser::new(&server);
    browser.sign_in().unwrap();
    assert!(browser.is_signed_in());
    let ended = server.stop();
    assert!(ended.stdout.contains("a restart signs everybody out"), "{}", ended.stdout);
    let server = setup.start();
    assert!(!browser.is_signed_in());
    server.stop().assert_orderly();
    assert!(!setup.path("data/sessions.sqlite").exists());
}

/// Lets this process write no file beyond this, as on a disk that is full.
fn limit_files(server: &Server, bytes: &str) {
    let limited = Command::new("prlimit").args(["--pid", &server.pid().to_string(), &format!("--fsize={bytes}:")]).status().unwrap();
    assert!(limited.success());
}

#[test]
fn a_disk_that_is_full_loses_nothing() {
    // A write beyond the limit fails then, and does not end the process.
    let setup = Setup::new().after("trap '' XFSZ");
    let server = setup.start();
    let mut signed_in = Browser::new(&server);
    signed_in.sign_in().unwrap();
    let mut waiting = Browser::new(&server);
    let authorization = waiting.begin_login("demo").unwrap();
    let callback = waiting.authenticate(&authorization).unwrap();

    // Not even the part of a file that is used again.
    limit_files(&server, "0");
    let answer = waiting.finish_login(&callback).unwrap();
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["code"], "store_unavailable");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert!(signed_in.is_signed_in());
    let answer = signed_in.call("POST", "/api/v1/oauth/logout", None).unwrap();
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(signed_in.is_signed_in(), "who could not be signed out is told so, and is not half signed out");
    assert_eq!(until_status(&mut signed_in, "/readyz", 503).json()["code"], "store_unavailable");

    limit_files(&server, "unlimited");
    until_status(&mut signed_in, "/readyz", 200);
    waiting.sign_in().unwrap();
    assert!(signed_in.is_signed_in() && waiting.is_signed_in());
    server.kill();

    let server = setup.start();
    assert!(signed_in.is_signed_in() && waiting.is_signed_in());
    server.stop().assert_orderly();
    let mut database = Database::open(&setup.path("data/sessions.sqlite"));
    assert_eq!(database.text("PRAGMA integrity_check"), "ok");
    database.close();
}
