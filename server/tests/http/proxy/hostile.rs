//! Upstreams that do what they should not.

use super::{API, raw_app};
use axum::http::Method;

/// What becomes of an answer.
async fn answered_with(bytes: &str) -> crate::support::Answer {
    let raw = raw_app(&[]).await;
    let call = raw.browser.call(Method::POST, &format!("{API}/x"));
    let (answer, ()) = tokio::join!(call.send(), async {
        let (mut upstream, _) = raw.upstream.request().await;
        // It may be hung up on in the middle.
        upstream.try_send(bytes).await;
    });
    assert!(raw.browser.is_signed_in().await);
    answer
}

#[tokio::test]
async fn what_is_no_answer_is_none() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\ncontent-length: 1\r\nx : y\r\n\r\na",
        "HTTP/1.1 200 OK\r\nx-a: b\r\n folded: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx-a: b\0c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx-a : b\r\n\r\n",
    ] {
        let answer = answered_with(bytes).await;
        assert_eq!(answer.status, 502, "{bytes:?}: {}", answer.text());
        answer.assert_problem(502, "upstream_unavailable");
    }
}

#[tokio::test]
async fn a_head_without_an_end_is_not_kept() {
    let huge = format!("HTTP/1.1 200 OK\r\nx-huge: {}\r\n\r\n", "x".repeat(2 * 1024 * 1024));
    answered_with(&huge).await.assert_problem(502, "upstream_unavailable");
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-many: x\r\n".repeat(10_000));
    answered_with(&many).await.assert_problem(502, "upstream_unavailable");
}

#[tokio::test]
async fn a_change_of_protocol_that_nobody_asked_for_is_refused() {
    for protocol in ["websocket", "h2c"] {
        let bytes = format!("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: {protocol}\r\n\r\nrest");
        answered_with(&bytes).await.assert_problem(502, "upstream_unavailable");
    }
}

#[tokio::test]
async fn a_change_to_another_protocol_than_the_one_asked_for_is_refused() {
    let raw = raw_app(&[]).await;
    let fields = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x\r\n";
    let mut browser = raw.call(&format!("GET {API}/chat"), &format!("origin: {}\r\n{fields}", raw.app.origin())).await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n").await;
    assert!(browser.until("}").await.starts_with("HTTP/1.1 502 "));
}

#[tokio::test]
async fn chunks_and_a_length_make_one_answer() {
    // The length is wrong, and chunks win (RFC 9112 §6.3); what follows is nobody's answer.
    let bytes = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n\
                 HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil";
    let answer = answered_with(bytes).await;
    assert_eq!(answer.assert_status(200).text(), "ok");
    assert_eq!(answer.header("content-length"), None);
}

#[tokio::test]
async fn what_follows_an_answer_is_no_answer_to_the_next_call() {
    let raw = raw_app(&[]).await;
    let call = || raw.browser.call(Method::POST, &format!("{API}/x"));
    let (first, ()) = tokio::join!(call().send(), async {
        let (mut upstream, _) = raw.upstream.request().await;
        upstream.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil").await;
    });
    assert_eq!(first.assert_status(200).text(), "ok");
    let (second, ()) = tokio::join!(call().send(), async {
        let (mut upstream, _) = raw.upstream.request().await;
        upstream.send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood").await;
    });
    assert_eq!(second.assert_status(200).text(), "good");
}
