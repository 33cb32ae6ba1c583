//! What the configuration of an upstream says of calls and answers.

use super::{API, chunk, raw_app, raw_app_with};
use crate::support::{Reply, SignIn as _, StandInProvider, TestApp, Upstream};
use axum::http::Method;

#[tokio::test]
async fn only_the_configured_paths_are_there() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::builder()
        .openid("alpha", &provider)
        .upstream("api", &upstream)
        .set("upstreams.api.paths", "/orders /orders/* /health")
        .start()
        .await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for path in ["/orders", "/orders/", "/orders/1/lines?x=/admin", "/health"] {
        browser.call(Method::GET, &format!("{API}{path}")).send().await.assert_status(200);
    }
    assert_eq!(upstream.count(), 4);
    for path in ["", "/", "/ordersx", "/Orders", "/%6frders", "/health/", "/admin", "/x/orders"] {
        browser.call(Method::GET, &format!("{API}{path}")).send().await.assert_problem(404, "not_found");
    }
    // What is ambiguous is refused before anybody asks what it matches.
    browser.call(Method::GET, &format!("{API}/orders/..%2fadmin")).send().await.assert_problem(400, "invalid_path");
    assert_eq!(upstream.count(), 4);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_sent() {
    let raw = raw_app(&[("max_body", "10B")]).await;
    let answer = raw.browser.call(Method::POST, &format!("{API}/x")).body("12345678901").send().await;
    answer.assert_problem(413, "payload_too_large");
    let mut browser = raw.call(&format!("POST {API}/x"), "content-length: 10\r\n").await;
    browser.send("1234567890").await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.until("1234567890").await;
    upstream.send("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert!(browser.head().await.starts_with("http/1.1 204 "));
}

#[tokio::test]
async fn a_body_that_turns_out_to_be_too_large_is_cut() {
    let raw = raw_app(&[("max_body", "10B")]).await;
    let mut browser = raw.call(&format!("POST {API}/x"), "transfer-encoding: chunked\r\n").await;
    browser.send(chunk("1234567890")).await;
    let (mut upstream, _) = raw.upstream.request().await;
    upstream.until("1234567890").await;
    browser.send(chunk("1")).await;
    let answer = browser.until("}").await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("payload_too_large"), "{answer}");
    let rest = upstream.rest().await;
    assert!(!String::from_utf8_lossy(&rest).contains("0\r\n\r\n"), "the upstream does not take it for complete: {rest:?}");
}

#[tokio::test]
async fn header_fields_are_added_and_taken_away_in_both_directions() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::builder()
        .openid("alpha", &provider)
        .upstream("api", &upstream)
        .variable("OAUTH2FLOW_UPSTREAMS_API_SET_REQUEST_HEADERS", "X-Api-Key: sentinel-api-key\nAccept-Language: de")
        .set("upstreams.api.remove_request_headers", "Accept X-Noise")
        .set("upstreams.api.set_response_headers", "X-Served-By: orders")
        .set("upstreams.api.remove_response_headers", "Server X-Powered-By")
        .start()
        .await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let reply = Reply::json(200, &serde_json::json!({})).header("server", "x").header("x-powered-by", "x").header("x-served-by", "itself");
    upstream.replace("/base/", reply.header("x-own", "kept"));
    let call = browser.call(Method::GET, &format!("{API}/")).header("x-api-key", "of the browser").header("accept-language", "fr");
    let answer = call.header("x-noise", "1").send().await;
    let received = upstream.only();
    assert_eq!(received.headers.get_all("x-api-key").iter().collect::<Vec<_>>(), ["sentinel-api-key"]);
    assert_eq!((received.header("accept-language"), received.header("accept"), received.header("x-noise")), (Some("de"), None, None));
    assert_eq!((answer.header("x-served-by"), answer.header("x-own")), (Some("orders"), Some("kept")));
    assert_eq!((answer.header("server"), answer.header("x-powered-by")), (None, None));
    assert!(!format!("{:?}", answer.headers).contains("sentinel-api-key"));
}

#[tokio::test]
async fn a37_only_this_server_says_who_calls() {
    let spoofed = [
        ("x-auth-request-user", "root"),
        ("x-auth-request-email", "root@example.com"),
        ("x-auth-request-name", "Root"),
        ("x-auth-request-groups", "admins"),
        ("x_auth_request_user", "root"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x_forwarded_for", "127.0.0.1"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded", "for=127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
    ];
    for forwards in [false, true] {
        let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
        provider.edit_claims(|claims| claims["name"] = "Ali\u{e7}e Example".into());
        provider.edit_userinfo(|user| user["name"] = "Ali\u{e7}e Example".into());
        let app = TestApp::builder()
            .openid("alpha", &provider)
            .upstream("api", &upstream)
            .set("upstreams.api.forward_user", forwards)
            .set("upstreams.api.forward_client", forwards)
            .start()
            .await;
        let browser = app.browser();
        browser.sign_in(&provider).await;
        let call = browser.call(Method::GET, &format!("{API}/"));
        spoofed.iter().fold(call, |call, (name, value)| call.header(name, value)).send().await.assert_status(200);
        let received = upstream.only();
        let told = |name: &str| {
            received.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect::<Vec<_>>()
        };
        let host = app.origin().trim_start_matches("http://").to_owned();
        let expected = [
            ("x-auth-request-user", StandInProvider::SUB),
            ("x-auth-request-provider", "alpha"),
            ("x-auth-request-email", "alice@example.com"),
            ("x-auth-request-name", "Ali%C3%A7e Example"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-host", &host),
            ("x-forwarded-proto", "http"),
        ];
        for (name, value) in expected {
            assert_eq!(told(name), if forwards { vec![value] } else { Vec::new() }, "{name}");
        }
        for name in ["x-auth-request-groups", "x_auth_request_user", "x_forwarded_for", "x-forwarded", "x-real-ip", "forwarded"] {
            assert!(told(name).is_empty(), "{name}");
        }
    }
}

#[tokio::test]
async fn the_address_that_a_trusted_proxy_names_is_passed_on() {
    let raw = raw_app_with(|builder| builder.set("server.trusted_proxies", "127.0.0.1"), &[("forward_client", "true")]).await;
    let _browser = raw.call(&format!("GET {API}/x"), "x-forwarded-for: 10.9.9.9, 192.0.2.7\r\n").await;
    let (_upstream, head) = raw.upstream.request().await;
    assert!(head.contains("\r\nx-forwarded-for: 192.0.2.7\r\n") && head.matches("x-forwarded-for").count() == 1, "{head}");
}

#[tokio::test]
async fn who_somebody_is_cannot_break_out_of_its_header() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let name = "Alice\r\nX-Auth-Request-User: root";
    provider.edit_claims(move |claims| claims["name"] = name.into());
    provider.edit_userinfo(move |user| user["name"] = name.into());
    let app =
        TestApp::builder().openid("alpha", &provider).upstream("api", &upstream).set("upstreams.api.forward_user", true).start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
    let received = upstream.only();
    assert_eq!(received.header("x-auth-request-user"), Some(StandInProvider::SUB));
    assert!(received.headers.get_all("x-auth-request-user").iter().count() == 1);
    assert_eq!(received.header("x-auth-request-name"), Some("Alice  X-Auth-Request-User: root"));
}
