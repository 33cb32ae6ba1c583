//! Headers that mean one thing here and another at the upstream.

use crate::support::{SignIn as _, StandInProvider, TestApp, Upstream};
use axum::http::Method;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::test]
async fn connection_cannot_take_the_token_away() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for named in ["authorization", "Authorization, Host", "close, content-length, x-csrf"] {
        browser.call(Method::GET, "/api/v1/proxy/api/").header("connection", named).send().await.assert_status(200);
    }
    assert!(upstream.tokens().iter().all(|token| token.starts_with("Bearer sentinel-access-alpha-")));
}

#[tokio::test]
async fn a_length_beside_chunks_never_makes_two_requests_of_one() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let cookie = browser.session_cookie().unwrap();
    let host = app.origin().trim_start_matches("http://").to_owned();
    let common = format!("host: {host}\r\ncookie: session={cookie}\r\nx-csrf: 1\r\nsec-fetch-site: same-origin\r\nconnection: close\r\n");
    let smuggled = "0\r\n\r\nGET /base/smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    for lengths in [
        format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", smuggled.len()),
        format!("transfer-encoding: chunked\r\ncontent-length: {}\r\n", smuggled.len()),
        format!("content-length: 5\r\ncontent-length: {}\r\n", smuggled.len()),
        format!("transfer-encoding: chunked, identity\r\ncontent-length: {}\r\n", smuggled.len()),
        format!("transfer-encoding: xchunked\r\ncontent-length: {}\r\n", smuggled.len()),
    ] {
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        let request = format!("POST /api/v1/proxy/api/items HTTP/1.1\r\n{common}{lengths}\r\n{smuggled}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // The server may close the connection in the middle, which is an answer too.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{lengths}: {answer}");
        assert_eq!(upstream.recording.count("/base/smuggled"), 0, "{lengths}");
    }
}

#[tokio::test]
async fn a_header_with_a_line_break_is_no_request() {
    let app = TestApp::with_demo().await;
    for request in [
        "GET / HTTP/1.1\r\nhost: x\r\nx-a: b\r\n folded: c\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nx-a : b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nx-a: b\u{0}c\r\n\r\n",
        "GET / HTTP/9.9\r\nhost: x\r\n\r\n",
        "\u{16}\u{3}\u{1}rubbish\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 200"), "{request:?}");
    }
    app.browser().navigate("/").send().await.assert_status(200);
}
