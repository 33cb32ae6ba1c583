//! Rubbish gets an answer, and nothing stops.

use reqwest::{Method, StatusCode};

use crate::support::TestProvider;

#[tokio::test]
async fn bodies_that_are_too_large_are_refused() {
    let provider = TestProvider::start().await;
    for path in ["/token", "/revoke", "/login", "/consent", "/authorize", "/logout", "/logout/confirm"] {
        let answer = provider.post_form(path, &[("a", &"x".repeat(17 * 1024))]).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
}

#[tokio::test]
async fn bodies_that_are_no_forms_are_refused() {
    let provider = TestProvider::start().await;
    for path in ["/token", "/revoke", "/login", "/consent", "/authorize", "/logout", "/logout/confirm"] {
        for (content_type, body) in
            [("application/json", b"{}".as_slice()), ("text/plain", b"a=b"), ("application/x-www-form-urlencoded", b"\xff\xfe")]
        {
            let request = provider.http.post(provider.url(path)).header("content-type", content_type).body(body.to_vec());
            let answer = provider.send(request).await;
            assert!(answer.status.is_client_error(), "{path} {content_type}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn rubbish_in_queries_headers_and_paths_is_refused() {
    let provider = TestProvider::start().await;
    for path in [
        "/authorize",
        "/authorize?%ff=%00",
        "/authorize?&&&===",
        "/login",
        "/login?transaction=%00",
        "/consent?transaction=%f0%28",
        "/notes/%ff",
        "/notes/%00",
    ] {
        let answer = provider.get(path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
    for authorization in ["Bearer \u{fffd}", "Bearer  ", "", "Basic", "Basic !!!", "Basic /////w=="] {
        for (method, path) in [(Method::GET, "/userinfo"), (Method::GET, "/notes"), (Method::POST, "/token")] {
            let request = provider.http.request(method, provider.url(path)).header("authorization", authorization.as_bytes());
            let request = request.header("content-type", "application/x-www-form-urlencoded").body("grant_type=refresh_token");
            let answer = provider.send(request).await;
            assert!(answer.status.is_client_error(), "{path} {authorization}: {}", answer.status);
        }
    }
    for cookie in ["demo_provider_session", "demo_provider_session=", ";;=;", "demo_provider_browser=\u{e9}"] {
        let request = provider.http.get(provider.url("/")).header("cookie", cookie.as_bytes());
        assert_eq!(provider.send(request).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn other_methods_are_refused() {
    let provider = TestProvider::start().await;
    for (method, path) in
        [(Method::GET, "/token"), (Method::GET, "/revoke"), (Method::PUT, "/notes"), (Method::DELETE, "/"), (Method::PATCH, "/login")]
    {
        let answer = provider.send(provider.http.request(method, provider.url(path))).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}
