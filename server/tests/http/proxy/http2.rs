//! HTTP/2 to the upstream, and TLS.

use super::{API, chunk};
use crate::support::{
    Authority, Browser, Connection, Http2Upstream, RawUpstream, SignIn as _, StandInProvider, TestApp, TlsFront, raw_head,
};
use axum::http::{Method, Version};
use tempfile::TempDir;

const NAME: &str = "api.example";

async fn signed_in(settings: &[(&str, &str)]) -> (TestApp, Browser) {
    let provider = StandInProvider::start().await;
    let mut builder = TestApp::builder().openid("alpha", &provider).name(NAME, "127.0.0.1");
    for (name, value) in settings {
        // Secrets are not for the command line.
        builder = if name.starts_with("client_certificate") {
            builder.variable(&format!("OAUTH2FLOW_UPSTREAMS_API_{}", name.to_uppercase()), *value)
        } else {
            builder.set(&format!("upstreams.api.{name}"), value)
        };
    }
    let app = builder.start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    (app, browser)
}

/// A file with the certificate of an authority.
fn roots(authority: &Authority) -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("roots.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    let path = path.display().to_string();
    (directory, path)
}

#[tokio::test]
async fn an_upstream_can_be_known_to_speak_http_2() {
    let upstream = Http2Upstream::start();
    let (_app, browser) = signed_in(&[("url", &format!("{}/base", upstream.origin())), ("http_version", "2")]).await;
    let answer = browser
        .call(Method::POST, &format!("{API}/items?x=1"))
        .header("connection", "x-named")
        .header("x-named", "1")
        .body("hello")
        .send()
        .await;
    assert_eq!(answer.assert_status(200).text(), "hello");
    let seen = upstream.only();
    assert_eq!(seen.version, Version::HTTP_2);
    assert_eq!(seen.uri, format!("{}/base/items?x=1", upstream.origin()));
    assert!(seen.headers["authorization"].to_str().unwrap().starts_with("Bearer sentinel-access-alpha-"));
    for name in ["host", "connection", "x-named", "te", "cookie"] {
        assert!(!seen.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a_conversation_goes_both_ways_at_once_and_ends_with_trailers() {
    let upstream = Http2Upstream::start();
    let (app, browser) = signed_in(&[("url", &upstream.origin()), ("http_version", "2")]).await;
    let mut connection = Connection::open(&app).await;
    let fields =
        "content-type: application/grpc+proto\r\ntransfer-encoding: chunked\r\nte: trailers\r\nconnection: te\r\ntrailer: grpc-status\r\n";
    connection.send(raw_head(&app, &browser, &format!("POST {API}/chat.Chat/Talk"), fields)).await;
    connection.send(chunk("first")).await;
    let head = connection.head().await;
    assert!(head.starts_with("http/1.1 200 ") && head.contains("\r\ntrailer: grpc-status, "), "{head}");
    connection.until("5\r\nfirst\r\n").await;
    for message in ["second", "third"] {
        connection.send(chunk(message)).await;
        connection.until(&chunk(message)).await;
    }
    connection.send("0\r\ngrpc-status: 0\r\n\r\n").await;
    assert_eq!(connection.until("\r\n\r\n").await, "0\r\ngrpc-status: 0\r\n\r\n");
    assert_eq!(upstream.only().headers["te"], "trailers");
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_answered_is_given_up() {
    let upstream = RawUpstream::start();
    let (_app, browser) = signed_in(&[("url", &upstream.origin()), ("http_version", "2"), ("timeout", "1s")]).await;
    let call = || browser.call(Method::GET, &format!("{API}/x")).send();
    let (answer, mut first) = tokio::join!(call(), upstream.accept());
    answer.assert_problem(504, "upstream_timeout");
    assert!(first.until("SM\r\n\r\n").await.starts_with("PRI * HTTP/2.0"), "it is there still, for all that anybody knows");
    tokio::select! {
        biased;
        _second = upstream.accept() => {}
        answer = call() => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn over_tls_the_upstream_says_what_it_speaks() {
    let (authority, upstream) = (Authority::new(), Http2Upstream::start());
    let front = TlsFront::start(&authority, NAME);
    front.forward_to(upstream.address());
    let (_directory, roots) = roots(&authority);
    let (_app, browser) = signed_in(&[("url", front.origin()), ("root_certificates_file", &roots)]).await;
    for _ in 0..2 {
        browser.call(Method::POST, &format!("{API}/x")).body("hello").send().await.assert_status(200);
    }
    assert_eq!(front.protocols(), [Some(b"h2".to_vec())], "one connection for both");
}

#[tokio::test]
async fn http_1_1_is_spoken_where_nothing_else_is_wanted() {
    let (authority, upstream) = (Authority::new(), RawUpstream::start());
    let front = TlsFront::start(&authority, NAME);
    front.forward_to(upstream.address());
    upstream.answer_always("HTTP/1.1 204 No Content\r\n\r\n");
    let (_directory, roots) = roots(&authority);
    let (_app, browser) = signed_in(&[("url", front.origin()), ("root_certificates_file", &roots), ("http_version", "1.1")]).await;
    browser.call(Method::GET, &format!("{API}/x")).send().await.assert_status(204);
    assert_eq!(front.protocols(), [Some(b"http/1.1".to_vec())]);
}

#[tokio::test]
async fn a_websocket_is_opened_over_http_1_1_whatever_else_the_upstream_speaks() {
    let (authority, upstream) = (Authority::new(), RawUpstream::start());
    let front = TlsFront::start(&authority, NAME);
    front.forward_to(upstream.address());
    let (_directory, roots) = roots(&authority);
    let (app, browser) = signed_in(&[("url", front.origin()), ("root_certificates_file", &roots)]).await;
    let mut connection = Connection::open(&app).await;
    let fields = format!(
        "origin: {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x\r\n",
        app.origin()
    );
    connection.send(raw_head(&app, &browser, &format!("GET {API}/chat"), &fields)).await;
    let (mut upstream, _) = upstream.request().await;
    upstream.send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n").await;
    assert!(connection.head().await.starts_with("http/1.1 101 "));
    assert_eq!(front.protocols(), [Some(b"http/1.1".to_vec())]);
}

#[tokio::test]
async fn an_authority_is_trusted_by_the_upstream_that_it_is_configured_for() {
    let authority = Authority::new();
    let front = TlsFront::start(&authority, NAME);
    let (_app, browser) = signed_in(&[("url", front.origin())]).await;
    browser.call(Method::GET, &format!("{API}/x")).send().await.assert_problem(502, "upstream_unavailable");
    assert!(front.protocols().is_empty());
}

#[tokio::test]
async fn an_upstream_that_demands_a_certificate_gets_it() {
    let (authority, upstream) = (Authority::new(), RawUpstream::start());
    let front = TlsFront::requiring_certificates(&authority, NAME);
    front.forward_to(upstream.address());
    upstream.answer_always("HTTP/1.1 204 No Content\r\n\r\n");
    let (_directory, roots) = roots(&authority);
    let settings = [("url", front.origin()), ("root_certificates_file", &roots), ("http_version", "1.1")];
    let (_app, browser) = signed_in(&settings).await;
    browser.call(Method::GET, &format!("{API}/x")).send().await.assert_problem(502, "upstream_unavailable");
    let certificate = authority.client("app.example.com");
    let shown = [("client_certificate", certificate.chain.as_str()), ("client_certificate_key", certificate.key.as_str())];
    let (_app, browser) = signed_in(&[settings.as_slice(), &shown].concat()).await;
    browser.call(Method::GET, &format!("{API}/x")).send().await.assert_status(204);
    assert!(front.certificates().iter().any(Option::is_some));
}
