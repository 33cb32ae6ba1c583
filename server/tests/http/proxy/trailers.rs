//! Trailers: what is known only at the end of a body.

use super::{API, chunk, raw_app};

const ANSWER: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-checksum, set-cookie, content-length\r\n\r\n5\r\nhello\r\n0\r\n\
                      x-checksum: 7\r\nset-cookie: session=planted\r\ncontent-length: 1\r\n\r\n";

#[tokio::test]
async fn an_answer_s_trailers_reach_whoever_takes_them() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("GET {API}/x"), "te: trailers\r\nconnection: te\r\n").await;
    let (mut upstream, head) = raw.upstream.request().await;
    assert!(head.contains("\r\nte: trailers\r\n") && head.contains("\r\nconnection: te\r\n"), "{head}");
    upstream.send(ANSWER).await;
    assert!(browser.head().await.contains("\r\ntrailer: x-checksum, set-cookie, content-length\r\n"));
    assert_eq!(browser.until("0\r\nx-checksum: 7\r\n\r\n").await, "5\r\nhello\r\n0\r\nx-checksum: 7\r\n\r\n");
}

#[tokio::test]
async fn whoever_takes_none_gets_none_and_the_upstream_knows() {
    let raw = raw_app(&[]).await;
    for fields in ["", "te: trailers\r\n", "te: deflate\r\nconnection: te\r\n"] {
        let mut browser = raw.call(&format!("GET {API}/x"), fields).await;
        let (mut upstream, head) = raw.upstream.request().await;
        assert!(!head.contains("\r\nte:") && !head.contains("\r\nconnection:"), "{head}");
        upstream.send(ANSWER).await;
        drop(upstream);
        assert!(!browser.head().await.contains("\r\ntrailer:"));
        assert_eq!(browser.until("0\r\n\r\n").await, "5\r\nhello\r\n0\r\n\r\n");
    }
}

#[tokio::test]
async fn a_call_s_trailers_reach_the_upstream_but_for_what_only_a_header_says() {
    let raw = raw_app(&[]).await;
    let trailer = "trailer: x-checksum, authorization, x-auth-request-user, cookie\r\n";
    let mut browser = raw.call(&format!("PUT {API}/x"), &format!("transfer-encoding: chunked\r\n{trailer}")).await;
    browser.send(chunk("hello")).await;
    let (mut upstream, head) = raw.upstream.request().await;
    assert!(head.contains(trailer) && head.contains("transfer-encoding: chunked"), "{head}");
    upstream.until("hello\r\n").await;
    browser.send("0\r\nx-checksum: 7\r\nauthorization: Bearer evil\r\nx-auth-request-user: root\r\ncookie: a=b\r\n\r\n").await;
    assert_eq!(upstream.until("\r\n\r\n").await, "0\r\nx-checksum: 7\r\n\r\n");
    upstream.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(browser.head().await.starts_with("http/1.1 204 "));
}

#[tokio::test]
async fn a_trailer_is_announced_for_a_body_in_chunks_only() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("PUT {API}/x"), "content-length: 0\r\ntrailer: x-checksum\r\n").await;
    let (mut upstream, head) = raw.upstream.request().await;
    assert!(!head.contains("trailer"), "{head}");
    upstream.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    browser.head().await;
}
