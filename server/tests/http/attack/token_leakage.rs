//! Tokens in what the browser gets (A20).

use crate::support::{Answer, Browser, Endpoint, Reply, SignIn as _, StandInProvider, TestApp, Upstream, start_login};
use axum::http::Method;
use serde_json::json;

#[track_caller]
fn assert_clean(answer: &Answer) {
    let mut parts = vec![String::from_utf8_lossy(&answer.body).into_owned()];
    parts.extend(answer.headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))));
    for part in parts {
        assert!(!part.contains("sentinel"), "{}: {part}", answer.url.path());
    }
}

async fn assert_everything_clean(browser: &Browser) {
    for path in [
        "/",
        "/account",
        "/callback",
        "/problem?code=x",
        "/api/v1/session",
        "/api/v1/oauth/providers",
        "/api/v1/proxy/none/",
        "/api/openapi.json",
        "/readyz",
    ] {
        assert_clean(&browser.call(Method::GET, path).send().await);
        assert_clean(&browser.navigate(path).send().await);
    }
    for (name, value) in browser.cookies() {
        assert!(!value.contains("sentinel"), "{name}");
    }
}

#[tokio::test]
async fn a20_no_token_reaches_the_browser_in_either_mode() {
    for render in ["spa", "ssr"] {
        let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
        let app = TestApp::builder().openid("alpha", &provider).upstream("api", &upstream).set("server.render", render).start().await;
        let browser = app.browser();
        let started = browser.navigate("/api/v1/oauth/login?provider=alpha").send().await;
        assert_clean(&started);
        let finished = browser.finish(&provider.authorize(&started.location())).await;
        assert_clean(finished.assert_status(200));
        assert_everything_clean(&browser).await;
        assert_clean(&browser.call(Method::GET, "/api/v1/proxy/api/").send().await);
        app.clock.advance_seconds(301);
        assert_clean(&browser.call(Method::GET, "/api/v1/proxy/api/").send().await);
        assert!(upstream.tokens().iter().all(|token| token.contains("sentinel-access")), "the upstream did get them");
        assert_everything_clean(&browser).await;
        // The end-session address carries the ID token, as RP-Initiated Logout wants it, and no other.
        assert_clean(&browser.log_out().await);
        assert_everything_clean(&browser).await;
    }
}

#[tokio::test]
async fn a20_no_failure_tells_a_token() {
    for reply in [
        Reply::json(200, &json!({ "access_token": "sentinel", "token_type": "mac" })),
        Reply::json(200, &json!({ "access_token": "sentinel", "token_type": "Bearer", "id_token": "sentinel.sentinel.sentinel" })),
        Reply::json(400, &json!({ "error": "invalid_grant", "error_description": "the token sentinel is not known" })),
        Reply::new(200, "text/html", "sentinel"),
        Reply::new(500, "text/html", "sentinel"),
    ] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        provider.replace(Endpoint::Token, reply);
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        let answer = browser.finish(&callback).await;
        assert!(answer.status.as_u16() >= 400);
        assert_clean(&answer);
    }
}

#[tokio::test]
async fn a20_the_database_holds_no_token_in_clear() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let cookie = browser.session_cookie().unwrap();
    let mut contents = Vec::new();
    for entry in std::fs::read_dir(app.database().parent().unwrap()).unwrap() {
        contents.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    for secret in ["sentinel-access", "sentinel-refresh", cookie.as_str()] {
        assert!(!contents.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    assert!(contents.windows(5).any(|window| window == b"alice"), "what is no secret is there");
}
