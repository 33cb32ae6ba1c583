//! Secrets in the log (A20): looked for at the finest level, through success and failure.

use crate::support::{Browser, Decision, Endpoint, Log, Reply, SignIn as _, StandInProvider, TestApp, Upstream, start_login};
use axum::http::Method;
use serde_json::json;

#[track_caller]
fn assert_clean(log: &Log, secrets: &[&str]) {
    let text = log.text();
    assert!(text.contains("request answered"), "the log is collected at all");
    for secret in secrets {
        let line = text.lines().find(|line| line.contains(secret)).unwrap_or_default();
        assert_eq!(line, "", "{secret} is in the log");
    }
}

/// What of a login has to stay secret, besides everything that is called a sentinel.
fn secrets_of(browser: &Browser, callback: &url::Url) -> Vec<String> {
    let mut secrets: Vec<_> =
        callback.query_pairs().filter(|(name, _)| name == "code" || name == "state").map(|(_, value)| value.into_owned()).collect();
    secrets.extend(browser.cookies().into_values());
    secrets.push("sentinel".to_owned());
    secrets
}

#[tokio::test]
async fn a20_a_login_that_works_leaves_no_secret_in_the_log() {
    let log = Log::collect();
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/account?sentinel").await);
    let mut secrets = secrets_of(&browser, &callback);
    browser.finish(&callback).await.assert_status(200);
    secrets.extend(browser.cookies().into_values());
    secrets.push(provider.only(Endpoint::Token).form("code_verifier").unwrap());
    browser.call(Method::GET, "/api/v1/proxy/api/items?q=sentinel").send().await.assert_status(200);
    app.clock.advance_seconds(301);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    let gate = provider.hold(Endpoint::Revocation);
    browser.log_out().await.assert_status(200);
    gate.arrived().await;
    assert_clean(&log, &secrets.iter().map(String::as_str).collect::<Vec<_>>());
}

#[tokio::test]
async fn a20_logins_that_fail_leave_no_secret_in_the_log() {
    let log = Log::collect();
    let mut secrets = Vec::new();
    for reply in [
        Reply::json(200, &json!({ "access_token": "sentinel-a", "token_type": "sentinel-free", "refresh_token": 1 })),
        Reply::json(200, &json!({ "access_token": "sentinel a", "token_type": "Bearer" })),
        Reply::json(200, &json!({ "access_token": "sentinel", "token_type": "Bearer", "id_token": "sentinel.sentinel.sentinel" })),
        Reply::json(200, &json!({ "access_token": "sentinel", "token_type": "Bearer", "expires_in": "sentinel" })),
        Reply::new(200, "application/json", r#"{"access_token":"sentinel","access_token":"sentinel"}"#),
        Reply::new(200, "application/json", r#"{"access_token":"sentinel"#),
        Reply::new(200, "application/json", r#""sentinel""#),
        Reply::new(200, "text/html", "sentinel"),
        Reply::new(500, "text/plain", "sentinel"),
        Reply::redirect(302, "https://evil.example/?token=sentinel"),
    ] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        provider.replace(Endpoint::Token, reply);
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        secrets.extend(secrets_of(&browser, &callback));
        assert!(browser.finish(&callback).await.status.as_u16() >= 400);
    }
    secrets.retain(|secret| secret != "sentinel");
    // `token_type` is no secret, and helps.
    let text = log.text().replace("sentinel-free", "");
    assert!(!text.contains("sentinel"), "{text}");
    assert_clean(&log, &secrets.iter().map(String::as_str).collect::<Vec<_>>());
}

#[tokio::test]
async fn a20_a_body_that_cannot_be_read_is_not_quoted() {
    let log = Log::collect();
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for body in [
        r#""{\"code\":\"sentinel\"}""#,
        r#"{"code":{"sentinel":1}}"#,
        r#"{"sentinel":"x"}"#,
        r#"{"code":"x","code":"sentinel"}"#,
        r#"["sentinel"]"#,
        "sentinel",
        r#"{"error":"sentinel","code":"sentinel","state":"sentinel"}"#,
        r#"{"code":"x","state":"sentinel"}"#,
    ] {
        let answer = browser.post_code(&json!({})).body(body).send().await;
        assert_eq!(answer.status, 400);
        assert!(!answer.text().contains("sentinel"), "{}", answer.text());
    }
    browser.call(Method::GET, "/api/v1/session").header("cookie", "session=sentinel").send().await.assert_status(200);
    let address = "/api/v1/oauth/backchannel-logout/alpha";
    browser
        .submit(address, &[("logout_token", "sentinel.sentinel.sentinel")])
        .header("accept", "*/*")
        .send()
        .await
        .assert_problem(400, "invalid_request");
    assert_clean(&log, &["sentinel"]);
}

#[tokio::test]
async fn a20_the_demo_provider_logs_no_secret_either() {
    let log = Log::collect();
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    let url = start_login(&browser, "demo", "/account").await;
    let callback = browser.visit_demo(&url, &app, "alice", Decision::Allow).await;
    let mut secrets = secrets_of(&browser, &callback);
    browser.finish(&callback).await.assert_status(200);
    secrets.extend(browser.cookies().into_values());
    browser.call(Method::GET, "/api/v1/proxy/notes").send().await.assert_status(200);
    app.clock.advance_seconds(301);
    browser.call(Method::GET, "/api/v1/proxy/notes").send().await.assert_status(200);
    let hint: url::Url = browser.log_out().await.json()["redirect_to"].as_str().unwrap().parse().unwrap();
    secrets.push(hint.query_pairs().find(|(name, _)| name == "id_token_hint").unwrap().1.into_owned());
    assert_clean(&log, &secrets.iter().map(String::as_str).collect::<Vec<_>>());
}
