//! Bodies that take their time, or do not end: streamed as they are, in either direction.

use super::{API, Raw, chunk, raw_app, raw_app_with};
use crate::support::Connection;
use axum::http::Method;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

const SSE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn each_event_is_there_when_it_is_sent() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("GET {API}/events"), "").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send(SSE).await;
    assert!(browser.head().await.contains("content-type: text/event-stream"));
    for number in 0..3 {
        let event = format!("data: {number}\n\n");
        upstream.send(chunk(&event)).await;
        browser.until(&event).await;
    }
    upstream.send("0\r\n\r\n").await;
    browser.until("0\r\n\r\n").await;
}

#[tokio::test]
async fn a_stream_is_cut_when_its_session_ends_and_does_not_look_complete() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("GET {API}/events"), "").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send(format!("{SSE}{}", chunk("data: 1\n\n"))).await;
    browser.until("data: 1\n\n").await;
    raw.browser.log_out().await.assert_status(200);
    let rest = browser.rest().await;
    assert!(!String::from_utf8_lossy(&rest).contains("0\r\n\r\n"), "{rest:?}");
    // The upstream is told as well.
    assert_eq!(upstream.rest().await, b"");
}

#[tokio::test]
async fn a_download_that_never_pauses_is_cut_too() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("GET {API}/large"), "").await;
    let (mut upstream, _) = raw.upstream.request().await;
    let feeding = tokio::spawn(async move {
        upstream.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n").await;
        let piece = vec![b'x'; 16 * 1024];
        while upstream.try_send(&piece).await {}
    });
    browser.head().await;
    browser.exactly(1024 * 1024).await;
    raw.browser.log_out().await.assert_status(200);
    // Nobody reads so much, unless it goes on for ever.
    let mut read = 0;
    while browser.try_until(&[b'x'; 1024]).await.is_some() {
        read += 1024;
        assert!(read < 1024 * 1024 * 1024);
    }
    feeding.await.unwrap();
}

#[tokio::test]
async fn an_upload_is_cut_when_its_session_ends() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("POST {API}/upload"), "transfer-encoding: chunked\r\n").await;
    browser.send(chunk("beginning")).await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.until("beginning").await;
    raw.browser.log_out().await.assert_status(200);
    let answer = String::from_utf8(browser.rest().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("session_ended"), "{answer}");
    let rest = upstream.rest().await;
    assert!(!String::from_utf8_lossy(&rest).contains("0\r\n\r\n"), "{rest:?}");
}

#[tokio::test]
async fn a_call_that_is_not_answered_yet_ends_with_its_session() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("GET {API}/poll"), "").await;
    let (mut upstream, _) = raw.upstream.request().await;
    raw.browser.log_out().await.assert_status(200);
    let head = browser.head().await;
    assert!(head.starts_with("http/1.1 401 "), "{head}");
    browser.until("session_ended").await;
    // What it says now is heard by nobody.
    assert_eq!(upstream.rest().await, b"");
}

#[tokio::test]
async fn an_answer_that_pauses_for_too_long_is_cut() {
    let raw = raw_app(&[("idle_timeout", "50ms")]).await;
    let mut browser = raw.call(&format!("GET {API}/events"), "").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send(format!("{SSE}{}", chunk("data: 1\n\n"))).await;
    browser.until("data: 1\n\n").await;
    let rest = browser.rest().await;
    assert!(!String::from_utf8_lossy(&rest).contains("0\r\n\r\n"), "{rest:?}");
    assert_eq!(upstream.rest().await, b"");
    assert!(raw.browser.is_signed_in().await);
}

#[tokio::test]
async fn half_an_answer_is_no_answer_to_the_browser_either() {
    let raw = raw_app(&[]).await;
    for head in ["content-length: 100", "transfer-encoding: chunked"] {
        let mut browser = raw.call(&format!("GET {API}/half"), "").await;
        let (mut upstream, _) = raw.upstream.request().await;
        let half = if head.starts_with("content") { "half".to_owned() } else { chunk("half") };
        upstream.send(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{half}")).await;
        browser.until("half").await;
        drop(upstream);
        let rest = browser.rest().await;
        assert!(!String::from_utf8_lossy(&rest).contains("0\r\n\r\n"), "{rest:?}");
    }
}

#[tokio::test]
async fn whoever_goes_away_takes_the_call_along() {
    let raw = raw_app(&[]).await;
    // Before the answer, and in the middle of it.
    for answer in ["", SSE] {
        let browser = raw.call(&format!("GET {API}/slow"), "").await;
        let (mut upstream, _) = raw.upstream.request().await;
        upstream.send(answer).await;
        drop(browser);
        assert_eq!(upstream.rest().await, b"");
    }
}

/// Waits until a count has not grown for a while: as long as it takes to let everybody else go on often.
async fn settled(count: &AtomicUsize) -> usize {
    let (mut seen, mut quiet) = (0, 0);
    while quiet < 2000 {
        tokio::task::yield_now().await;
        let now = count.load(Ordering::Relaxed);
        quiet = if now == seen { quiet + 1 } else { 0 };
        seen = now;
    }
    seen
}

const ALL: usize = 100 * 1024 * 1024;
const PIECE: usize = 64 * 1024;
/// Far more than the sockets' buffers hold, far less than everything.
const KEPT: usize = 32 * 1024 * 1024;

/// Sends everything, and counts what is taken.
fn feed(mut connection: Connection) -> (tokio::task::JoinHandle<Connection>, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let feeding = tokio::spawn(async move {
        let piece = vec![b'x'; PIECE];
        for _ in 0..ALL / PIECE {
            connection.send(&piece).await;
            counter.fetch_add(PIECE, Ordering::Relaxed);
        }
        connection
    });
    (feeding, taken)
}

/// Reads everything, and never finds that much more was taken from the other side than was read here.
async fn drain(connection: &mut Connection, taken: &AtomicUsize) {
    assert!(settled(taken).await < KEPT, "nobody reads, and everything is taken");
    for read in 0..ALL / PIECE {
        assert!(taken.load(Ordering::Relaxed) < read * PIECE + KEPT);
        connection.exactly(PIECE).await;
    }
}

#[tokio::test]
async fn a_hundred_megabytes_come_down_without_being_kept() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("GET {API}/large"), "").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {ALL}\r\n\r\n")).await;
    let (feeding, taken) = feed(upstream);
    let head = browser.head().await;
    assert!(head.contains(&format!("content-length: {ALL}\r\n")) && !head.contains("transfer-encoding"), "{head}");
    drain(&mut browser, &taken).await;
    feeding.await.unwrap();
}

#[tokio::test]
async fn a_hundred_megabytes_go_up_without_being_kept() {
    let raw = raw_app(&[]).await;
    let browser = raw.call(&format!("PUT {API}/large"), &format!("content-length: {ALL}\r\n")).await;
    let (feeding, taken) = feed(browser);
    let (mut upstream, head) = raw.upstream.request().await;
    assert!(head.contains(&format!("content-length: {ALL}\r\n")) && !head.contains("transfer-encoding"), "{head}");
    drain(&mut upstream, &taken).await;
    upstream.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    let mut browser = feeding.await.unwrap();
    assert!(browser.head().await.starts_with("http/1.1 204 "));
}

#[tokio::test]
async fn an_upload_may_take_longer_than_the_upstream_has_for_its_answer() {
    const LIMIT: Duration = Duration::from_secs(1);
    let raw = raw_app(&[("timeout", "1s")]).await;
    let mut browser = raw.call(&format!("POST {API}/upload"), "transfer-encoding: chunked\r\n").await;
    browser.send(chunk("beginning")).await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.until("beginning").await;
    let began = Instant::now();
    while began.elapsed() < LIMIT * 3 {
        // However long the next piece takes: it is not the upstream that is waited for.
        for _ in 0..20 {
            raw.browser.request(Method::GET, "/healthz").send().await.assert_status(200);
        }
        browser.send(chunk("piece")).await;
        upstream.until("piece").await;
    }
    browser.send("0\r\n\r\n").await;
    upstream.until("0\r\n\r\n").await;
    upstream.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(browser.head().await.starts_with("http/1.1 204 "));
}

#[tokio::test]
async fn lengths_stay_what_they_are() {
    let raw = raw_app(&[]).await;
    for (method, status, fields, expected) in [
        ("GET", "200 OK", "content-length: 5\r\n", "content-length: 5\r\n"),
        ("HEAD", "200 OK", "content-length: 12345\r\n", "content-length: 12345\r\n"),
        ("GET", "204 No Content", "", ""),
        ("GET", "304 Not Modified", "etag: \"x\"\r\n", "etag: \"x\"\r\n"),
    ] {
        let mut browser = raw.call(&format!("{method} {API}/x"), "connection: close\r\n").await;
        let (mut upstream, head) = raw.upstream.request().await;
        assert!(head.starts_with(&method.to_ascii_lowercase()), "{head}");
        let body = if method == "GET" && status.starts_with("200") { "hello" } else { "" };
        upstream.send(format!("HTTP/1.1 {status}\r\n{fields}connection: close\r\n\r\n{body}")).await;
        drop(upstream);
        let answer = String::from_utf8(browser.rest().await).unwrap().to_ascii_lowercase();
        assert!(answer.starts_with(&format!("http/1.1 {}", status.to_ascii_lowercase())), "{answer}");
        assert!(answer.contains(expected) && !answer.contains("transfer-encoding"), "{answer}");
        assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer}");
        assert!(answer.matches("content-length").count() <= 1, "{answer}");
    }
}

#[tokio::test]
async fn whoever_waits_to_be_told_to_go_on_is_told() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("PUT {API}/x"), "content-length: 5\r\nexpect: 100-continue\r\n").await;
    browser.until("HTTP/1.1 100 Continue\r\n\r\n").await;
    browser.send("hello").await;
    let (mut upstream, head) = raw.upstream.request().await;
    assert!(!head.contains("expect"), "{head}");
    upstream.until("hello").await;
    upstream.send("HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await;
    assert!(browser.head().await.starts_with("http/1.1 201 "));
}

#[tokio::test]
async fn what_comes_before_the_answer_is_not_taken_for_it() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("GET {API}/x"), "").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send("HTTP/1.1 103 Early Hints\r\nlink: </x.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n").await;
    upstream.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let head = browser.head().await;
    assert!(head.starts_with("http/1.1 200 ") && !head.contains("x.css"), "{head}");
    assert_eq!(browser.exactly(2).await, b"ok");
}

#[tokio::test]
async fn no_more_calls_are_made_at_a_time_than_are_allowed() {
    let raw = raw_app(&[("max_concurrent", "1")]).await;
    let mut first = raw.call(&format!("GET {API}/events"), "").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send(format!("{SSE}{}", chunk("data: 1\n\n"))).await;
    first.until("data: 1\n\n").await;
    let refused = raw.browser.call(Method::GET, &format!("{API}/x")).send().await;
    refused.assert_problem(503, "too_many_connections");
    assert_eq!(refused.header("retry-after"), Some("1"));
    upstream.send("0\r\n\r\n").await;
    first.until("0\r\n\r\n").await;
    // The connection could be used again, and nobody would answer there.
    drop((first, upstream));
    let Raw { app: _app, browser, upstream, .. } = raw;
    upstream.answer_always("HTTP/1.1 204 No Content\r\n\r\n");
    // The room is given back once the browser has all of it.
    let answer = loop {
        let answer = browser.call(Method::GET, &format!("{API}/x")).send().await;
        if answer.status != 503 {
            break answer;
        }
    };
    answer.assert_status(204);
}

#[tokio::test]
async fn a_session_has_so_many_streams_and_no_more() {
    let raw = raw_app_with(|builder| builder.set("limits.session_streams", "1"), &[]).await;
    let mut first = raw.call(&format!("GET {API}/events"), "").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send(format!("{SSE}{}", chunk("data: 1\n\n"))).await;
    first.until("data: 1\n\n").await;
    let mut second = raw.call(&format!("GET {API}/events"), "").await;
    let (mut of_second, _) = raw.upstream.request().await;
    of_second.send(SSE).await;
    assert!(second.head().await.starts_with("http/1.1 503 "));
    assert_eq!(of_second.rest().await, b"", "the upstream's stream is not kept");
}

#[tokio::test]
async fn an_upstream_that_dawdles_over_its_head_is_not_waited_for() {
    let raw = raw_app(&[("timeout", "1s")]).await;
    let slow = raw.browser.call(Method::GET, &format!("{API}/x"));
    let (answer, mut upstream) = tokio::join!(slow.send(), async {
        let (mut upstream, _) = raw.upstream.request().await;
        upstream.send("HTTP/1.1 200 OK\r\nx-slow: ").await;
        upstream
    });
    answer.assert_problem(504, "upstream_timeout");
    assert_eq!(upstream.rest().await, b"");
}
