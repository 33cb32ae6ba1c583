//! The end: what runs may finish, nothing new begins.

use crate::{
    browser::Browser,
    http::{Connection, Request, exchange},
    server::{Server, Setup},
    stand_in::StandIn,
};
use std::time::Duration;

/// Less than the ten seconds after which an idle connection is closed anyway, far more than an end takes.
const SOON: Duration = Duration::from_secs(8);

/// Asks the upstream for what it holds back, on a connection of its own, and reads the first half.
fn half_of_what_is_held(server: &Server, browser: &Browser) -> Connection {
    let mut connection = server.connect();
    let request = Request::new("GET", "localhost", "/api/v1/proxy/api/held")
        .header("x-csrf", "1")
        .header("sec-fetch-site", "same-origin")
        .header("cookie", &format!("session={}", browser.cookie("session").unwrap()));
    connection.send(&request.head()).unwrap();
    let head = connection.until(b"first half").unwrap();
    assert!(head.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&head));
    connection
}

/// Asks until nobody listens any more. The server stops listening after it has said so, and may serve until then.
fn wait_until_nobody_listens(server: &Server) {
    let asked = (0..10_000).find(|_| exchange(server.address(), Request::new("GET", "localhost", "/healthz")).is_err());
    assert!(asked.is_some(), "the server still listens");
    Connection::open(server.address()).map(drop).unwrap_err();
}

fn running_requests_finish(signal: &str) {
    let stand_in = StandIn::start();
    let server = stand_in.configure(Setup::new()).set("server.shutdown_grace", "1h").start();
    let browser = Browser::signed_in(&server);
    let mut downloading = half_of_what_is_held(&server, &browser);
    let held = stand_in.wait_until_held();
    let mut uploading = server.connect();
    let upload = Request::new("POST", "localhost", "/api/v1/oauth/code")
        .header("x-csrf", "1")
        .header("sec-fetch-site", "same-origin")
        .body("application/json", r#"{"code": "a", "state": "b"}"#);
    uploading.send(&upload.head()).unwrap();
    uploading.send(&upload.content()[..5]).unwrap();
    // A connection is served in the order of its arrival: when this one has been answered, the others have been accepted.
    assert_eq!(exchange(server.address(), Request::new("GET", "localhost", "/healthz")).unwrap().status, 200);

    server.signal(signal);
    server.wait_for_line("stopping");
    wait_until_nobody_listens(&server);

    uploading.send(&upload.content()[5..]).unwrap();
    let answer = uploading.answer().unwrap();
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.json()["code"], "state_mismatch");
    drop(held);
    downloading.until(b"other half").unwrap();
    server.end_within(SOON).assert_orderly();
}

#[test]
fn after_sigterm_running_requests_finish_and_no_others_begin() {
    running_requests_finish("TERM");
}

#[test]
fn after_ctrl_c_running_requests_finish_and_no_others_begin() {
    running_requests_finish("INT");
}

#[test]
fn a_request_that_does_not_finish_is_cut_off_after_the_grace() {
    let stand_in = StandIn::start();
    let server = stand_in.configure(Setup::new()).set("server.shutdown_grace", "1s").start();
    let browser = Browser::signed_in(&server);
    let downloading = half_of_what_is_held(&server, &browser);
    let held = stand_in.wait_until_held();
    server.signal("TERM");
    let ended = server.end_within(SOON);
    ended.assert_orderly();
    assert!(ended.stdout.contains("some requests did not finish in time"), "{}", ended.stdout);
    assert_eq!(downloading.until_closed().unwrap(), "");
    drop(held);
}

#[test]
fn a_second_signal_does_not_wait_for_running_requests() {
    let stand_in = StandIn::start();
    let server = stand_in.configure(Setup::new()).set("server.shutdown_grace", "1h").start();
    let browser = Browser::signed_in(&server);
    let downloading = half_of_what_is_held(&server, &browser);
    let held = stand_in.wait_until_held();
    server.signal("INT");
    server.wait_for_line("stopping");
    server.signal("INT");
    let ended = server.end_within(SOON);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stdout);
    assert!(ended.stdout.contains("stopped at once"), "{}", ended.stdout);
    assert_eq!(downloading.until_closed().unwrap(), "");
    drop(held);
}

#[test]
fn without_requests_the_end_comes_at_once() {
    let server = Setup::new().set("server.shutdown_grace", "1h").start();
    let mut browser = Browser::new(&server);
    browser.sign_in().unwrap();
    assert!(!browser.notes().is_empty());
    let mut kept_alive = server.connect();
    assert_eq!(kept_alive.exchange(&Request::new("GET", "localhost", "/healthz")).unwrap().status, 200);
    let silent = server.connect();
    assert_eq!(server.connect().exchange(&Request::new("GET", "localhost", "/healthz")).unwrap().status, 200);
    server.signal("TERM");
    server.end_within(SOON).assert_orderly();
    assert_eq!(kept_alive.until_closed().unwrap(), "");
    assert_eq!(silent.until_closed().unwrap(), "");
}

#[test]
fn a_signal_just_after_the_ready_line_is_heard() {
    for signal in ["TERM", "INT"] {
        let server = Setup::new().start();
        server.signal(signal);
        server.end_within(SOON).assert_orderly();
    }
}
