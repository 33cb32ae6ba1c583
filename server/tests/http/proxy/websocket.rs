//! WebSockets, byte by byte.

use super::{API, Raw, raw_app, raw_app_with};
use crate::support::{Connection, Endpoint};

const HANDSHAKE: &str = "connection: keep-alive, Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: chat, superchat\r\n\
                         sec-websocket-extensions: permessage-deflate\r\n";
const OPENED: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                      sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nsec-websocket-protocol: chat\r\n\
                      sec-websocket-extensions: permessage-deflate\r\nset-cookie: session=planted\r\nx-own: kept\r\n\r\n";

/// "hello", masked as a browser's and unmasked as a server's.
const OF_BROWSER: [u8; 11] = [0x81, 0x85, 1, 2, 3, 4, b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1];
const OF_SERVER: [u8; 7] = [0x81, 5, b'h', b'e', b'l', b'l', b'o'];

/// A browser begins a WebSocket: not with `X-CSRF`, and with the `Origin` of its page.
async fn begin(raw: &Raw, path: &str) -> Connection {
    let origin = raw.app.origin();
    let host = origin.trim_start_matches("http://");
    let cookie = raw.browser.session_cookie().unwrap();
    let mut connection = Connection::open(&raw.app).await;
    let head = format!("GET {API}{path} HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\ncookie: session={cookie}\r\n{HANDSHAKE}\r\n");
    connection.send(head).await;
    connection
}

/// Both ends of an open one.
async fn opened(raw: &Raw) -> (Connection, Connection) {
    let mut browser = begin(raw, "/chat").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send(OPENED).await;
    let head = browser.head().await;
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    (browser, upstream)
}

/// Both ends have exchanged something, so nothing is on its way any more.
async fn talking(raw: &Raw) -> (Connection, Connection) {
    let (mut browser, mut upstream) = opened(raw).await;
    browser.send(OF_BROWSER).await;
    assert_eq!(upstream.exactly(OF_BROWSER.len()).await, OF_BROWSER);
    upstream.send(OF_SERVER).await;
    assert_eq!(browser.exactly(OF_SERVER.len()).await, OF_SERVER);
    (browser, upstream)
}

/// The close that both sides are told, with its code.
async fn assert_closed(mut browser: Connection, mut upstream: Connection, code: u16) {
    let told = browser.rest().await;
    assert_eq!((told[0], usize::from(told[1])), (0x88, told.len() - 2), "{told:?}");
    assert_eq!(u16::from_be_bytes([told[2], told[3]]), code);
    let told = upstream.rest().await;
    assert_eq!((told[0], usize::from(told[1])), (0x88, 0x80 | (told.len() - 6)), "{told:?}");
    assert_eq!(u16::from_be_bytes([told[6] ^ told[2], told[7] ^ told[3]]), code);
}

#[tokio::test]
async fn it_is_opened_with_the_token_and_bytes_go_both_ways() {
    let raw = raw_app(&[]).await;
    let mut browser = begin(&raw, "/chat?room=1").await;
    let (mut upstream, head) = raw.upstream.request().await;
    assert!(head.starts_with("get /chat?room=1 http/1.1\r\n"), "{head}");
    for field in [
        "authorization: bearer sentinel-access-alpha-",
        "connection: upgrade\r\n",
        "upgrade: websocket\r\n",
        "sec-websocket-version: 13\r\n",
        "sec-websocket-key: dghlihnhbxbszsbub25jzq==\r\n",
        "sec-websocket-protocol: chat, superchat\r\n",
        "sec-websocket-extensions: permessage-deflate\r\n",
    ] {
        assert!(head.contains(&format!("\r\n{field}")), "{field} in {head}");
    }
    for name in ["cookie", "origin", "x-csrf"] {
        assert!(!head.contains(&format!("\r\n{name}:")), "{name} in {head}");
    }
    upstream.send(OPENED).await;
    let head = browser.head().await;
    assert!(head.starts_with("http/1.1 101 switching protocols\r\n"), "{head}");
    for field in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
        "sec-websocket-protocol: chat",
        "x-own: kept",
    ] {
        assert!(head.contains(&format!("\r\n{field}\r\n")), "{field} in {head}");
    }
    assert!(!head.contains("set-cookie"), "{head}");
    for _ in 0..3 {
        upstream.send(OF_SERVER).await;
        assert_eq!(browser.exactly(OF_SERVER.len()).await, OF_SERVER);
        browser.send(OF_BROWSER).await;
        assert_eq!(upstream.exactly(OF_BROWSER.len()).await, OF_BROWSER);
    }
    // A large message, in one piece and in many.
    let mut large = vec![0x82, 127, 0, 0, 0, 0, 0, 16, 0, 0];
    large.extend(vec![7; 1024 * 1024]);
    let (sent, received) = tokio::join!(upstream.try_send(&large), browser.exactly(large.len()));
    assert!(sent && received == large);
    // Whoever closes is followed by the other.
    drop(browser);
    assert_eq!(upstream.rest().await, b"");
}

#[tokio::test]
async fn an_upstream_that_hangs_up_ends_it() {
    let raw = raw_app(&[]).await;
    let (mut browser, mut upstream) = talking(&raw).await;
    upstream.send([0x88, 2, 3, 232]).await;
    drop(upstream);
    assert_eq!(browser.rest().await, [0x88, 2, 3, 232]);
}

#[tokio::test]
async fn it_ends_with_its_session() {
    let raw = raw_app(&[]).await;
    let (browser, upstream) = talking(&raw).await;
    raw.browser.log_out().await.assert_status(200);
    assert_closed(browser, upstream, 1008).await;
}

#[tokio::test]
async fn in_the_middle_of_a_message_it_is_only_cut() {
    let raw = raw_app(&[]).await;
    let (mut browser, mut upstream) = talking(&raw).await;
    upstream.send(&OF_SERVER[..4]).await;
    assert_eq!(browser.exactly(4).await, OF_SERVER[..4]);
    raw.browser.log_out().await.assert_status(200);
    assert_eq!(browser.rest().await, b"");
}

#[tokio::test]
async fn nobody_is_told_twice_that_it_is_over() {
    let raw = raw_app(&[]).await;
    let (mut browser, mut upstream) = talking(&raw).await;
    upstream.send([0x88, 2, 3, 232]).await;
    assert_eq!(browser.exactly(4).await, [0x88, 2, 3, 232]);
    raw.browser.log_out().await.assert_status(200);
    assert_eq!(browser.rest().await, b"");
}

#[tokio::test]
async fn it_ends_when_nobody_says_anything() {
    let raw = raw_app(&[("idle_timeout", "50ms")]).await;
    let (browser, upstream) = opened(&raw).await;
    assert_closed(browser, upstream, 1001).await;
    assert!(raw.browser.is_signed_in().await);
}

#[tokio::test]
async fn it_ends_in_order_when_the_server_stops() {
    let mut raw = raw_app(&[]).await;
    let (browser, upstream) = talking(&raw).await;
    tokio::join!(raw.app.stop(), assert_closed(browser, upstream, 1001));
}

#[tokio::test]
async fn an_upstream_that_opens_none_answers_as_ever() {
    let raw = raw_app(&[]).await;
    let mut browser = begin(&raw, "/chat").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.send("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nset-cookie: a=b\r\n\r\nno").await;
    let head = browser.head().await;
    assert!(head.starts_with("http/1.1 403 ") && !head.contains("set-cookie"), "{head}");
    assert_eq!(browser.exactly(2).await, b"no");
}

#[tokio::test]
async fn a_rejected_token_is_renewed_for_it_as_well() {
    let raw = raw_app(&[]).await;
    // A token of this very moment would be believed to be as good as any.
    raw.app.clock.advance_seconds(100);
    let mut browser = begin(&raw, "/chat").await;
    let (mut upstream, first) = raw.upstream.request().await;
    upstream.send("HTTP/1.1 401 Unauthorized\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
    let (mut upstream, second) = raw.upstream.request().await;
    let token = |head: &str| head.lines().find(|line| line.starts_with("authorization")).unwrap().to_owned();
    assert_ne!(token(&first), token(&second));
    upstream.send(OPENED).await;
    assert!(browser.head().await.starts_with("http/1.1 101 "));
    assert_eq!(raw.provider.count(Endpoint::Token), 2);
}

#[tokio::test]
async fn a_session_has_so_many_and_no_more() {
    let raw = raw_app_with(|builder| builder.set("limits.session_streams", "1"), &[]).await;
    let (_browser, _upstream) = talking(&raw).await;
    let mut second = begin(&raw, "/chat").await;
    let head = second.head().await;
    assert!(head.starts_with("http/1.1 503 ") && head.contains("retry-after: "), "{head}");
}

#[tokio::test]
async fn what_is_no_beginning_of_one_is_refused() {
    let raw = raw_app(&[]).await;
    for (method, fields) in [
        // Something else than a WebSocket.
        ("GET", "connection: upgrade\r\nupgrade: h2c\r\n"),
        ("GET", "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"),
        ("GET", "connection: upgrade\r\nupgrade: websocket, h2c\r\nsec-websocket-version: 13\r\nsec-websocket-key: x\r\n"),
        ("GET", "connection: upgrade\r\nupgrade: websocket\r\nupgrade: h2c\r\nsec-websocket-version: 13\r\nsec-websocket-key: x\r\n"),
        ("POST", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x\r\ncontent-length: 0\r\n"),
        // No WebSocket of this version, or with a body.
        ("GET", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\n"),
        ("GET", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 8\r\nsec-websocket-key: x\r\n"),
        ("GET", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"),
        ("GET", "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x\r\ncontent-length: 1\r\n"),
    ] {
        let fields = format!("origin: {}\r\n{fields}", raw.app.origin());
        let mut browser = raw.call(&format!("{method} {API}/chat"), &fields).await;
        let answer = browser.until("}").await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("invalid_request"), "{fields}: {answer}");
    }
}

#[tokio::test]
async fn an_upgrade_that_the_connection_does_not_name_is_none() {
    let raw = raw_app(&[]).await;
    let mut browser = raw.call(&format!("GET {API}/x"), "upgrade: websocket\r\n").await;
    let (mut upstream, head) = raw.upstream.request().await;
    assert!(!head.contains("upgrade"), "{head}");
    upstream.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    assert!(browser.head().await.starts_with("http/1.1 200 "));
}

#[tokio::test]
async fn an_upstream_of_http_2_only_has_none() {
    let raw = raw_app(&[("http_version", "2")]).await;
    let mut browser = begin(&raw, "/chat").await;
    assert!(browser.until("}").await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn methods_paths_and_sign_ins_count_for_it_too() {
    let raw = raw_app(&[("paths", "/allowed")]).await;
    let mut browser = begin(&raw, "/chat").await;
    assert!(browser.until("}").await.starts_with("HTTP/1.1 404 "));
    let raw = raw_app(&[("methods", "POST")]).await;
    let mut browser = begin(&raw, "/chat").await;
    assert!(browser.until("}").await.starts_with("HTTP/1.1 405 "));
    let raw = raw_app(&[("acr_values", "urn:gold")]).await;
    let mut browser = begin(&raw, "/chat").await;
    let answer = browser.until("}").await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.contains("step_up_required"), "{answer}");
}
