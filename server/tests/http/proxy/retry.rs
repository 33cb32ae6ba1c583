//! Calls that are made a second time, and those that never are.

use super::{API, Raw, raw_app};
use crate::support::{Answer, Connection, Endpoint};
use axum::http::Method;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const REJECTED: &str = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer error=\"invalid_token\"\r\ncontent-length: 0\r\n\r\n";

fn token(head: &str) -> &str {
    head.lines().find_map(|line| line.strip_prefix("authorization: bearer ")).unwrap()
}

/// Makes a call, and has the upstream do this on its connections, one after the other.
async fn call(raw: &Raw, method: Method, body: &str, replies: &[&str]) -> (Answer, Vec<String>) {
    let call = raw.browser.call(method, &format!("{API}/x")).body(body);
    let play = async {
        let mut heads = Vec::new();
        for reply in replies {
            let (mut upstream, head) = raw.upstream.request().await;
            upstream.exactly(body.len()).await;
            upstream.send(reply).await;
            heads.push(head);
        }
        heads
    };
    tokio::join!(call.send(), play)
}

#[tokio::test]
async fn what_changes_nothing_more_is_called_again_when_the_connection_breaks() {
    let raw = raw_app(&[]).await;
    for (method, body) in [(Method::GET, ""), (Method::OPTIONS, ""), (Method::DELETE, ""), (Method::PUT, "small")] {
        for broken in ["", "HTTP/1.1 200 OK\r\ncontent-le"] {
            let (answer, heads) = call(&raw, method.clone(), body, &[broken, OK]).await;
            assert_eq!(answer.assert_status(200).text(), "ok");
            assert_eq!(heads[0], heads[1]);
        }
    }
}

#[tokio::test]
async fn it_is_called_again_once() {
    let raw = raw_app(&[]).await;
    let (answer, _) = call(&raw, Method::GET, "", &["", ""]).await;
    answer.assert_problem(502, "upstream_unavailable");
    // The next connection is that of the next call.
    let (answer, heads) = call(&raw, Method::GET, "", &[OK]).await;
    answer.assert_status(200);
    assert_eq!(heads.len(), 1);
}

#[tokio::test]
async fn what_may_have_been_done_is_never_done_twice() {
    let raw = raw_app(&[]).await;
    for method in [Method::POST, Method::PATCH] {
        let (answer, _) = call(&raw, method, "small", &[""]).await;
        answer.assert_problem(502, "upstream_unavailable");
    }
    // The body of this one is gone.
    let large = "x".repeat(64 * 1024 + 1);
    let (answer, _) = call(&raw, Method::PUT, &large, &[""]).await;
    answer.assert_problem(502, "upstream_unavailable");
    let (answer, heads) = call(&raw, Method::GET, "", &[OK]).await;
    answer.assert_status(200);
    assert!(heads[0].starts_with("get "), "{heads:?}");
}

#[tokio::test]
async fn an_answer_that_has_begun_is_never_asked_for_again() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("GET {API}/x"), "").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    browser.until("half").await;
    drop(upstream);
    assert_eq!(browser.rest().await, b"");
    let (answer, heads) = call(&raw, Method::DELETE, "", &[OK]).await;
    answer.assert_status(200);
    assert!(heads[0].starts_with("delete "));
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_costs_nothing() {
    let raw = raw_app(&[]).await;
    // Kept alive, and closed by the upstream between two calls.
    for _ in 0..3 {
        let (answer, _) = call(&raw, Method::POST, "small", &[OK]).await;
        answer.assert_status(200);
    }
}

#[tokio::test]
async fn a_rejected_token_is_renewed_once_and_the_call_made_again() {
    for (method, body) in [(Method::GET, ""), (Method::POST, "small")] {
        let raw = raw_app(&[]).await;
        // A token of this very moment would be believed to be as good as any.
        raw.app.clock.advance_seconds(100);
        let (answer, heads) = call(&raw, method, body, &[REJECTED, OK]).await;
        assert_eq!(answer.assert_status(200).text(), "ok");
        assert_ne!(token(&heads[0]), token(&heads[1]));
        assert_eq!(raw.provider.count(Endpoint::Token), 2);
        let (_, next) = call(&raw, Method::GET, "", &[OK]).await;
        assert_eq!(token(&next[0]), token(&heads[1]), "the new one is kept");
        assert!(raw.browser.is_signed_in().await);
    }
}

/// Makes two calls with the same token, both rejected: the second while the provider is asked because of the first. Answers what they
/// were answered, and how often the provider was asked for tokens in all.
async fn two_rejected_at_once(Raw { provider, upstream, app: _app, browser }: Raw) -> ([Answer; 2], usize) {
    let gate = provider.hold(Endpoint::Token);
    let call = || browser.call(Method::GET, &format!("{API}/x"));
    let play = async {
        let (mut first, head) = upstream.request().await;
        let (mut second, same) = upstream.request().await;
        assert_eq!(token(&head), token(&same));
        upstream.answer_always(OK);
        first.send(REJECTED).await;
        drop(first);
        gate.arrived().await;
        second.send(REJECTED).await;
        drop(second);
        // Long enough for the server to have read that.
        for _ in 0..20 {
            browser.request(Method::GET, "/healthz").send().await.assert_status(200);
        }
        gate.release();
    };
    let (first, second, ()) = tokio::join!(call().send(), call().send(), play);
    ([first, second], provider.count(Endpoint::Token))
}

#[tokio::test]
async fn whoever_is_rejected_while_the_token_is_being_renewed_waits_for_the_new_one() {
    let raw = raw_app(&[]).await;
    raw.app.clock.advance_seconds(100);
    let (answers, asked) = two_rejected_at_once(raw).await;
    for answer in answers {
        assert_eq!(answer.assert_status(200).text(), "ok");
    }
    assert_eq!(asked, 2, "it was renewed once");
}

#[tokio::test]
async fn whoever_is_rejected_while_the_token_is_being_exchanged_anew_waits_for_the_new_one() {
    let raw = raw_app(&[("token_exchange", "true"), ("audience", "orders-api")]).await;
    let (answer, _) = call(&raw, Method::GET, "", &[OK]).await;
    answer.assert_status(200);
    let (answers, asked) = two_rejected_at_once(raw).await;
    for answer in answers {
        assert_eq!(answer.assert_status(200).text(), "ok");
    }
    assert_eq!(asked, 3, "one sign-in, and two exchanges");
}

#[tokio::test]
async fn an_upstream_that_rejects_every_token_costs_the_provider_one_renewal() {
    let raw = raw_app(&[]).await;
    raw.app.clock.advance_seconds(100);
    let (answer, _) = call(&raw, Method::GET, "", &[REJECTED, REJECTED]).await;
    answer.assert_status(401);
    for _ in 0..3 {
        let (answer, _) = call(&raw, Method::GET, "", &[REJECTED]).await;
        answer.assert_status(401);
    }
    assert_eq!(raw.provider.count(Endpoint::Token), 2);
    assert!(raw.browser.is_signed_in().await);
}

#[tokio::test]
async fn a_401_that_is_about_something_else_or_whose_body_is_gone_is_passed_on() {
    let raw = raw_app(&[]).await;
    raw.app.clock.advance_seconds(100);
    for challenge in ["Basic realm=\"x\"", "Bearer error=\"insufficient_scope\"", "DPoP error=\"invalid_dpop_proof\""] {
        let rejected = format!("HTTP/1.1 401 Unauthorized\r\nwww-authenticate: {challenge}\r\ncontent-length: 0\r\n\r\n");
        let (answer, _) = call(&raw, Method::GET, "", &[&rejected]).await;
        answer.assert_status(401);
        assert_eq!(answer.header("www-authenticate"), None);
    }
    let (answer, _) = call(&raw, Method::POST, &"x".repeat(64 * 1024 + 1), &[REJECTED]).await;
    answer.assert_status(401);
    assert_eq!(raw.provider.count(Endpoint::Token), 1);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_sent_once() {
    let raw = raw_app(&[]).await;
    let mut browser: Connection = raw.call(&format!("PUT {API}/x"), "transfer-encoding: chunked\r\n").await;
    browser.send("5\r\nhello\r\n0\r\n\r\n").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.until("0\r\n\r\n").await;
    drop(upstream);
    assert!(browser.until("}").await.starts_with("HTTP/1.1 502 "));
}
