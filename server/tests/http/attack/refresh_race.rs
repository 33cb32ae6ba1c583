//! Fifty calls at the moment the token ends, at a provider that ends the whole family when a refresh token comes twice.

use crate::support::{Endpoint, SignIn as _, StandInProvider, TestApp, Upstream};
use axum::http::Method;
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_signed_out_by_reuse_in_round_after_round() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for round in 0..4 {
        app.clock.advance_seconds(301);
        let answers = join_all((0..50).map(|_| browser.call(Method::GET, "/api/v1/proxy/api/").send())).await;
        for answer in &answers {
            answer.assert_status(200);
        }
        assert_eq!(provider.count(Endpoint::Token), round + 2);
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn the_demo_provider_ends_the_family_on_reuse_and_the_app_never_reuses() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    browser.sign_in_with_demo(&app, "alice").await;
    for _ in 0..3 {
        app.clock.advance_seconds(301);
        let answers = join_all((0..20).map(|_| browser.call(Method::GET, "/api/v1/proxy/notes").send())).await;
        for answer in &answers {
            answer.assert_status(200);
        }
    }
}

#[tokio::test]
async fn different_sessions_are_renewed_side_by_side() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let (one, two) = (app.browser(), app.browser());
    one.sign_in(&provider).await;
    two.sign_in(&provider).await;
    app.clock.advance_seconds(301);
    let gate = provider.hold(Endpoint::Token);
    let first = one.call(Method::GET, "/api/v1/proxy/api/").send();
    let second = two.call(Method::GET, "/api/v1/proxy/api/").send();
    let release = async {
        gate.arrived_times(2).await;
        gate.release();
    };
    let (first, second, ()) = tokio::join!(first, second, release);
    first.assert_status(200);
    second.assert_status(200);
}
