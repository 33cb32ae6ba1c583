//! Slowloris and its relatives: requests that never quite arrive, and answers that nobody takes.

use crate::support::{Browser, Reply, SignIn as _, StandInProvider, TestApp, TestAppBuilder, Upstream, pass};
use axum::http::Method;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

fn impatient() -> TestAppBuilder {
    TestApp::builder().set("limits.head_timeout", "1s").set("limits.body_timeout", "1s").set("limits.idle_timeout", "3s")
}

/// Writes byte after byte, each after somebody else has been served, until the server has had enough. Answers what it said.
async fn drip(app: &TestApp, others: &Browser, head: &str, bytes: &str) -> String {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let dripping = async {
        for byte in bytes.bytes().cycle() {
            others.request(Method::GET, "/healthz").send().await.assert_status(200);
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        _ = reading.read_to_end(&mut answer) => {}
        () = dripping => { let _ = reading.read_to_end(&mut answer).await; }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_cut_off_and_others_are_served() {
    let app = impatient().start().await;
    let others = app.browser();
    let answer = drip(&app, &others, "GET / HTTP/1.1\r\nhost: localhost\r\n", "x-slow: 1\r\n").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 ") || answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn a_connection_on_which_nothing_comes_is_closed() {
    let app = impatient().start().await;
    let mut silent = TcpStream::connect(app.address()).await.unwrap();
    assert_eq!(silent.read_to_end(&mut Vec::new()).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_body_that_stops_is_answered_with_408() {
    let app = impatient().start().await;
    let origin = app.origin();
    let host = origin.trim_start_matches("http://");
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let head = format!(
        "POST /api/v1/oauth/code HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\nx-csrf: 1\r\ncontent-type: \
         application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request_timeout"), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_outlives_the_head_timeout_and_is_closed_in_the_end() {
    let app = TestApp::builder().set("limits.head_timeout", "300ms").set("limits.idle_timeout", "2s").start().await;
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let started = tokio::time::Instant::now();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).ends_with("ok\n"));
    assert!(started.elapsed() >= Duration::from_secs(2), "{:?}", started.elapsed());
}

/// Asks for more than the system keeps on the way, and takes no more of it than its beginning.
async fn take_nothing(app: &TestApp, upstream: &Upstream, browser: &Browser) -> TcpStream {
    upstream.replace("/base/long", Reply::new(200, "text/plain", vec![b'x'; 32 * 1024 * 1024]));
    let head = format!(
        "GET /api/v1/proxy/api/long HTTP/1.1\r\nhost: localhost\r\nx-csrf: 1\r\nsec-fetch-site: same-origin\r\ncookie: session={}\r\n\r\n",
        browser.session_cookie().unwrap()
    );
    let mut lazy = TcpStream::connect(app.address()).await.unwrap();
    lazy.write_all(head.as_bytes()).await.unwrap();
    let mut beginning = [0; 12];
    lazy.read_exact(&mut beginning).await.unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200");
    lazy
}

async fn ask(app: &TestApp) -> String {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn an_answer_that_nobody_takes_does_not_keep_its_connection() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = impatient().openid("alpha", &provider).upstream("api", &upstream).start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let mut lazy = take_nothing(&app, &upstream, &browser).await;
    // Until the server is tired of waiting: then whatever is sent comes back.
    let more = vec![b'x'; 64 * 1024];
    while lazy.write_all(&more).await.is_ok() {}
}

#[tokio::test]
async fn an_answer_that_nobody_takes_makes_way_for_somebody_who_needs_the_place() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let builder = TestApp::builder().openid("alpha", &provider).upstream("api", &upstream);
    let app = builder.set("limits.connections", "1").set("limits.idle_timeout", "1h").start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let lazy = take_nothing(&app, &upstream, &browser).await;
    // It has the only connection there is, and what the system keeps on the way may have yet to fill up.
    while !ask(&app).await.starts_with("HTTP/1.1 200 ") {
        pass(Duration::from_secs(15)).await;
    }
    drop(lazy);
}
