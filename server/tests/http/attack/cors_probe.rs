//! Another origin asks whether it may read.

use crate::support::{SignIn as _, StandInProvider, TestApp};
use axum::http::Method;

#[tokio::test]
async fn no_origin_is_ever_let_in() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for path in [
        "/",
        "/account",
        "/api/v1/session",
        "/api/v1/oauth/code",
        "/api/v1/oauth/logout",
        "/api/v1/proxy/api/x",
        "/api/openapi.json",
        "/nothing",
    ] {
        for origin in ["https://evil.example", "null", "http://localhost:1", &app.origin()] {
            for method in [Method::OPTIONS, Method::GET, Method::HEAD] {
                let request = browser.request(method, path).header("origin", origin);
                let request = request
                    .header("access-control-request-method", "POST")
                    .header("access-control-request-headers", "x-csrf, content-type")
                    .header("access-control-request-private-network", "true");
                let answer = request.send().await;
                for name in answer.headers.keys() {
                    assert!(!name.as_str().starts_with("access-control-"), "{name} at {path} for {origin}");
                }
            }
        }
    }
}
