//! Somebody ends other people's sessions.

use crate::support::{Answer, SignIn as _, StandInProvider, TestApp};
use axum::http::Method;

async fn post(app: &TestApp, provider: &str, token: &str) -> Answer {
    let browser = app.browser();
    let request = browser.request(Method::POST, &format!("/api/v1/oauth/backchannel-logout/{provider}"));
    request.header("content-type", "application/x-www-form-urlencoded").body(format!("logout_token={token}")).send().await
}

#[tokio::test]
async fn an_unknown_session_is_no_mistake_and_ends_nothing() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for (name, value) in [("sid", "unknown"), ("sub", "unknown"), ("sub", "%"), ("sid", "' OR 1=1 --")] {
        let token = provider.logout_token(&format!("{name}{value}"), |_, claims| {
            claims.as_object_mut().unwrap().retain(|claim, _| claim != "sid" && claim != "sub");
            claims[name] = value.into();
        });
        post(&app, "alpha", &token).await.assert_status(200);
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_provider_ends_its_own_sessions_only() {
    let (alpha, beta) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let app = TestApp::builder().openid("alpha", &alpha).openid("beta", &beta).start().await;
    let browser = app.browser();
    browser.sign_in(&alpha).await;
    // beta's token at its own address names nobody, at alpha's it is forged, and with alpha's issuer too.
    post(&app, "beta", &beta.logout_token("jti-1", |_, _| {})).await.assert_status(200);
    post(&app, "alpha", &beta.logout_token("jti-2", |_, _| {})).await.assert_problem(400, "invalid_request");
    let issuer = alpha.issuer().to_owned();
    let forged = beta.logout_token("jti-3", |_, claims| claims["iss"] = issuer.as_str().into());
    post(&app, "alpha", &forged).await.assert_problem(400, "invalid_request");
    post(&app, "beta", &forged).await.assert_problem(400, "invalid_request");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_replayed_token_is_refused_even_after_a_restart() {
    let provider = StandInProvider::start().await;
    let mut app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let token = provider.logout_token("jti-1", |_, _| {});
    post(&app, "alpha", &token).await.assert_status(200);
    app.stop().await;
    app.start().await;
    browser.sign_in(&provider).await;
    post(&app, "alpha", &token).await.assert_problem(400, "invalid_request");
    assert!(browser.is_signed_in().await);
}
