//! Another site's page opens a WebSocket: the browser sends cookies along, and no preflight first.

use crate::{proxy::raw_app, support::Connection};

const HANDSHAKE: &str =
    "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[tokio::test]
async fn only_a_page_of_the_app_opens_a_websocket() {
    let raw = raw_app(&[]).await;
    let own = raw.app.origin();
    let cookie = raw.browser.session_cookie().unwrap();
    let host = own.trim_start_matches("http://").to_owned();
    let with = |fields: &str| {
        format!("GET /api/v1/proxy/api/chat HTTP/1.1\r\nhost: {host}\r\ncookie: session={cookie}\r\n{HANDSHAKE}{fields}\r\n")
    };
    let foreign = [
        String::new(),
        "origin: null\r\n".to_owned(),
        "origin: https://evil.example\r\n".to_owned(),
        format!("origin: {own}.evil.example\r\n"),
        format!("origin: {own}/\r\n"),
        format!("origin: {}\r\n", own.to_ascii_uppercase()),
        format!("origin: {}\r\n", own.replace("http:", "https:")),
        "origin: http://localhost\r\n".to_owned(),
        format!("origin: {own}\r\norigin: https://evil.example\r\n"),
        format!("origin: https://evil.example\r\norigin: {own}\r\n"),
        // The browser itself knows better.
        format!("origin: {own}\r\nsec-fetch-site: cross-site\r\n"),
        format!("origin: {own}\r\nsec-fetch-site: same-site\r\n"),
        // What proves a call of a script proves nothing here.
        "x-csrf: 1\r\n".to_owned(),
        "x-csrf: 1\r\nsec-fetch-site: same-origin\r\n".to_owned(),
        "origin: https://evil.example\r\nx-csrf: 1\r\nsec-fetch-site: same-origin\r\n".to_owned(),
    ];
    for fields in foreign {
        let mut connection = Connection::open(&raw.app).await;
        connection.send(with(&fields)).await;
        let answer = connection.until("}").await;
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("csrf_rejected"), "{fields}: {answer}");
    }
    // The first connection that the upstream ever sees is the app's own.
    let mut connection = Connection::open(&raw.app).await;
    connection.send(with(&format!("origin: {own}\r\nsec-fetch-site: same-origin\r\n"))).await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n").await;
    assert!(connection.head().await.starts_with("http/1.1 101 "));
}

#[tokio::test]
async fn the_origin_alone_proves_no_other_call() {
    let raw = raw_app(&[]).await;
    let own = raw.app.origin();
    let cookie = raw.browser.session_cookie().unwrap();
    let host = own.trim_start_matches("http://");
    for upgrade in ["", "connection: upgrade\r\nupgrade: h2c\r\n", "upgrade: websocket\r\n", "connection: upgrade\r\n"] {
        let mut connection = Connection::open(&raw.app).await;
        let fields = format!("host: {host}\r\ncookie: session={cookie}\r\norigin: {own}\r\nsec-fetch-site: same-origin\r\n{upgrade}");
        connection.send(format!("GET /api/v1/proxy/api/chat HTTP/1.1\r\n{fields}\r\n")).await;
        let answer = connection.until("}").await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{upgrade}: {answer}");
    }
}
