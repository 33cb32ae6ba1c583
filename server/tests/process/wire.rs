//! What no browser sends.

use crate::{
    http::{Connection, Request},
    server::Setup,
};

#[test]
fn whoever_dawdles_is_cut_off() {
    let server = Setup::new().set("limits.head_timeout", "2s").set("limits.body_timeout", "3s").set("limits.idle_timeout", "3s").start();
    let mut one_byte = server.connect();
    one_byte.send(b"G").unwrap();
    let mut half_a_head = server.connect();
    half_a_head.send(b"GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ").unwrap();
    let mut half_a_body = server.connect();
    let request = Request::new("POST", "localhost", "/api/v1/oauth/code").header("x-csrf", "1").header("sec-fetch-site", "same-origin");
    half_a_body.send(&request.body("application/json", r#"{"code": "a"}"#).head()).unwrap();
    half_a_body.send(b"{").unwrap();
    let mut idle = server.connect();
    assert_eq!(idle.exchange(&Request::new("GET", "localhost", "/healthz")).unwrap().status, 200);
    for dawdler in [one_byte, half_a_head] {
        let answer = dawdler.until_closed().unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    let answer = half_a_body.answer().unwrap();
    assert_eq!(answer.status, 408, "{answer:?}");
    assert_eq!(answer.json()["code"], "request_timeout");
    assert_eq!(half_a_body.until_closed().unwrap(), "");
    assert_eq!(idle.until_closed().unwrap(), "");
    // Everybody else was served all the while.
    assert_eq!(server.connect().exchange(&Request::new("GET", "localhost", "/healthz")).unwrap().status, 200);
    server.stop().assert_orderly();
}

/// The answers to bytes that are followed by a request of somebody else, as far as a proxy in front would know.
fn answers(mut connection: Connection, bytes: &str) -> String {
    connection.send(bytes.as_bytes()).unwrap();
    // The other side may have hung up already.
    let _ = connection.finish();
    connection.until_closed().unwrap()
}

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[test]
fn a_request_whose_end_is_in_doubt_is_refused_and_what_follows_is_not_read() {
    let server = Setup::new().start();
    for head in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 6",
        "content-length: +5",
        "content-length: -1",
        "content-length: 0x5",
        "content-length: 99999999999999999999",
        "transfer-encoding: identity",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: xchunked",
        "transfer-encoding : chunked",
        " content-length: 5",
        "x: a\0b",
    ] {
        let request = format!("POST /api/v1/oauth/code HTTP/1.1\r\nhost: localhost\r\n{head}\r\n\r\n0\r\n\r\n{SMUGGLED}");
        let answers = answers(server.connect(), &request);
        assert!(answers.starts_with("HTTP/1.1 400 "), "{head}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{head}: {answers}");
    }
    let ended = server.stop();
    ended.assert_orderly();
    assert!(!ended.stdout.contains("smuggled"), "{}", ended.stdout);
}

#[test]
fn a_request_with_two_lengths_is_the_last_one_of_its_connection() {
    let server = Setup::new().start();
    for lengths in ["content-length: 6\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 6"] {
        let request = format!(
            "POST /api/v1/oauth/code HTTP/1.1\r\nhost: localhost\r\nx-csrf: 1\r\nsec-fetch-site: same-origin\r\n\
             content-type: application/json\r\n{lengths}\r\n\r\n0\r\n\r\n{SMUGGLED}"
        );
        let answers = answers(server.connect(), &request);
        assert!(answers.starts_with("HTTP/1.1 400 "), "{lengths}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{lengths}: {answers}");
    }
    let ended = server.stop();
    ended.assert_orderly();
    assert!(!ended.stdout.contains("smuggled"), "{}", ended.stdout);
}

#[test]
fn a_request_line_that_cannot_be_read_is_refused() {
    let server = Setup::new().start();
    for line in ["GET / HTTP/9.9", "GET /", "\u{16}\u{3}\u{1}", "GET / / HTTP/1.1", "G\u{0}T / HTTP/1.1"] {
        let answers = answers(server.connect(), &format!("{line}\r\nhost: localhost\r\n\r\n{SMUGGLED}"));
        assert!(answers.is_empty() || answers.starts_with("HTTP/1.1 400 "), "{line}: {answers}");
        assert!(answers.matches("HTTP/1.1 ").count() <= 1, "{line}: {answers}");
    }
    let long = format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(1 << 20));
    let mut connection = server.connect();
    // It need not read all of it.
    let _ = connection.send(long.as_bytes());
    let answer = connection.until_closed().unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 414 ") || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    assert_eq!(server.connect().exchange(&Request::new("GET", "localhost", "/healthz")).unwrap().status, 200);
    server.stop().assert_orderly();
}
