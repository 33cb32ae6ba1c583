//! Tokens with made-up key ids, each of which wants the keys fetched anew.

use crate::support::{Endpoint, StandInProvider, TestApp};
use axum::http::Method;

async fn post(app: &TestApp, token: &str) {
    let browser = app.browser();
    let request = browser.request(Method::POST, "/api/v1/oauth/backchannel-logout/alpha");
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(format!("logout_token={token}"));
    request.send().await.assert_problem(400, "invalid_request");
}

#[tokio::test]
async fn a31_random_key_ids_cause_one_fetch_per_cooldown() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let token = |number: usize| provider.logout_token("jti", |header, _| header["kid"] = format!("random-{number}").into());
    for number in 0..100 {
        post(&app, &token(number)).await;
    }
    assert_eq!(provider.count(Endpoint::Keys), 1, "they had just been fetched");
    app.clock.advance_seconds(30);
    for number in 100..200 {
        post(&app, &token(number)).await;
    }
    assert_eq!(provider.count(Endpoint::Keys), 2);
    app.clock.advance_seconds(29);
    post(&app, &token(200)).await;
    assert_eq!(provider.count(Endpoint::Keys), 2);
}
