//! A proxied path that tries to leave its upstream (A36), also in ways that no browser would send.

use crate::support::{Browser, SignIn as _, StandInProvider, TestApp, Upstream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Sends a request line as it is, and answers what comes back.
async fn raw(app: &TestApp, browser: &Browser, target: &str) -> String {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let host = app.origin().trim_start_matches("http://").to_owned();
    let cookie = browser.session_cookie().unwrap();
    let request = format!(
        "GET {target} HTTP/1.1\r\nhost: {host}\r\ncookie: session={cookie}\r\nx-csrf: 1\r\nsec-fetch-site: same-origin\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a36_no_path_leaves_the_upstream() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let evil = Upstream::start().await;
    let host = evil.origin().trim_start_matches("http://").to_owned();
    let prefix = "/api/v1/proxy/api";
    let targets = [
        format!("{prefix}/../secret"),
        format!("{prefix}/../../../../secret"),
        format!("{prefix}/items/../../secret"),
        format!("{prefix}/./items"),
        format!("{prefix}/.."),
        format!("{prefix}//{host}/"),
        format!("{prefix}/items//x"),
        format!("{prefix}/%2e%2e/secret"),
        format!("{prefix}/%2E%2E/secret"),
        format!("{prefix}/.%2e/secret"),
        format!("{prefix}/items%2f%2e%2e%2f%2e%2e"),
        format!("{prefix}/..%2fsecret"),
        format!("{prefix}/..%5csecret"),
        format!("{prefix}/items%00"),
        format!("{prefix}/http://{host}/"),
    ];
    for target in &targets {
        let answer = raw(&app, &browser, target).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"invalid_path\""), "{target}: {answer}");
    }
    // None of these names an upstream.
    for target in [
        format!("/api/v1/proxy/../proxy/x/{host}"),
        format!("/api/v1/proxy//{host}/"),
        format!("/api/v1/proxy/@{host}/"),
        format!("/api/v1/proxy/{host}/"),
    ] {
        let answer = raw(&app, &browser, &target).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{target}: {answer}");
    }
    assert_eq!(upstream.count(), 0);
    assert_eq!(evil.count(), 0);
}

#[tokio::test]
async fn a36_an_absolute_target_reaches_the_configured_upstream_or_none() {
    let (provider, upstream, evil) = (StandInProvider::start().await, Upstream::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let answer = raw(&app, &browser, &format!("{}/api/v1/proxy/api/items", evil.origin())).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(upstream.recording.count("/base/items"), 1);
    let host = evil.origin().trim_start_matches("http://").to_owned();
    for target in [format!("{}/", evil.origin()), format!("http://user@{host}/api/v1/proxy/api/../x"), format!("http://{host}//{host}/")] {
        raw(&app, &browser, &target).await;
    }
    assert_eq!(evil.count(), 0);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn a36_an_at_sign_stays_in_the_path() {
    let (provider, upstream, evil) = (StandInProvider::start().await, Upstream::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let host = evil.origin().trim_start_matches("http://").to_owned();
    let answer = raw(&app, &browser, &format!("/api/v1/proxy/api/@{host}/x")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(upstream.count(), 1);
    assert_eq!(evil.count(), 0);
}
