//! More connections than the server keeps.

use crate::support::{SignIn as _, StandInProvider, TestApp, Upstream, pass};
use axum::http::Method;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::test]
async fn connections_that_send_nothing_push_out_each_other_and_nobody_else() {
    let app = TestApp::builder().set("limits.connections", "8").set("limits.head_timeout", "1h").start().await;
    let silent = join_all((0..40).map(|_| TcpStream::connect(app.address()))).await;
    for _ in 0..20 {
        let browser = app.browser();
        browser.call(Method::GET, "/api/v1/session").send().await.assert_status(200);
    }
    // Of those that came first, nobody is left.
    for stream in silent.into_iter().take(20) {
        let read = stream.unwrap().read_to_end(&mut Vec::new()).await;
        assert_eq!(read.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn requests_whose_bodies_never_come_push_out_each_other_and_nobody_else() {
    let (provider, app) = (StandInProvider::start().await, TestApp::builder().set("limits.connections", "8"));
    let app = app.openid("alpha", &provider).start().await;
    let origin = app.origin();
    let host = origin.trim_start_matches("http://");
    let head = format!(
        "POST /api/v1/oauth/logout HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\nx-csrf: 1\r\ncontent-type: \
         application/json\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n"
    );
    let mut unfinished = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // That the body may come is said when somebody waits for it.
        let mut said = [0; 12];
        stream.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"HTTP/1.1 100");
        unfinished.push(stream);
        // A body that has paused for less may only be slow.
        pass(Duration::from_secs(2)).await;
    }
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for _ in 0..20 {
        app.browser().call(Method::GET, "/api/v1/session").send().await.assert_status(200);
    }
    for mut stream in unfinished.into_iter().take(32) {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert_eq!(String::from_utf8_lossy(&rest), " Continue\r\n\r\n");
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn where_everybody_is_at_work_a_new_one_is_told_to_come_again_and_nobody_is_cut_off() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::builder().openid("alpha", &provider).upstream("api", &upstream).set("limits.connections", "3").start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let gate = upstream.recording.hold("/base/held");
    let calls = join_all((0..3).map(|_| browser.call(Method::GET, "/api/v1/proxy/api/held").send()));
    let refused = async {
        gate.arrived_times(3).await;
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        gate.release();
        answer
    };
    let (answers, refused) = tokio::join!(calls, refused);
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("\r\nretry-after: "), "{refused}");
    assert!(refused.contains("application/problem+json") && refused.contains("too_many_connections"), "{refused}");
    for answer in answers {
        answer.assert_status(200);
    }
    assert!(browser.is_signed_in().await);
}
