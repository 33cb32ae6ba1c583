//! A refresh is slow, and meanwhile the person signs out.

use crate::support::{Endpoint, SignIn as _, StandInProvider, TestApp, Upstream};
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn the_session_stays_dead_and_the_new_tokens_are_revoked() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let cookie = browser.session_cookie().unwrap();
    app.clock.advance_seconds(301);
    let gate = provider.hold(Endpoint::Token);
    let call = browser.call(Method::GET, "/api/v1/proxy/api/").send();
    let sign_out = async {
        gate.arrived().await;
        browser.log_out().await.assert_status(200);
        gate.release();
    };
    let (call, ()) = tokio::join!(call, sign_out);
    call.assert_problem(401, "session_ended");
    assert_eq!(upstream.count(), 0);

    browser.put_cookie("session", &cookie);
    assert!(!browser.is_signed_in().await);
    // The answer to the call comes after the revocation of what the refresh brought.
    let new = provider.received(Endpoint::Revocation).into_iter().filter_map(|request| request.form("token")).collect::<Vec<_>>();
    let refreshed = "sentinel-refresh-alpha-3";
    assert!(new.iter().any(|token| token == refreshed), "{new:?}");
}

#[tokio::test]
async fn a_logout_everywhere_from_another_browser_counts_as_well() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let (browser, other) = (app.browser(), app.browser());
    browser.sign_in(&provider).await;
    other.sign_in(&provider).await;
    app.clock.advance_seconds(301);
    let gate = provider.hold(Endpoint::Token);
    let call = browser.call(Method::GET, "/api/v1/proxy/api/").send();
    let sign_out = async {
        gate.arrived().await;
        other.call(Method::POST, "/api/v1/oauth/logout").json(&json!({ "everywhere": true })).send().await.assert_status(200);
        gate.release();
    };
    let (call, ()) = tokio::join!(call, sign_out);
    call.assert_problem(401, "session_ended");
    assert_eq!(upstream.count(), 0);
    assert!(!browser.is_signed_in().await && !other.is_signed_in().await);
    let revoked = provider.received(Endpoint::Revocation).into_iter().filter_map(|request| request.form("token")).collect::<Vec<_>>();
    assert!(revoked.iter().any(|token| token == "sentinel-refresh-alpha-4"), "what the refresh brought: {revoked:?}");
}

#[tokio::test]
async fn a_logout_by_the_provider_in_the_middle_of_a_refresh_counts_as_well() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    app.clock.advance_seconds(301);
    let gate = provider.hold(Endpoint::Token);
    let call = browser.call(Method::GET, "/api/v1/proxy/api/").send();
    let logout = async {
        gate.arrived().await;
        let token = provider.logout_token("jti-1", |_, _| {});
        let address = "/api/v1/oauth/backchannel-logout/alpha";
        app.browser().submit(address, &[("logout_token", &token)]).send().await.assert_status(200);
        gate.release();
    };
    let (call, ()) = tokio::join!(call, logout);
    call.assert_problem(401, "session_ended");
    assert!(!browser.is_signed_in().await);
    assert_eq!(upstream.count(), 0);
}
