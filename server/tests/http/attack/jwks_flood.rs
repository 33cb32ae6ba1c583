//! Tokens with made-up key ids, each of which wants the keys fetched anew.

use crate::support::{Endpoint, Reply, SignIn as _, SigningKey, StandInProvider, TestApp};
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

#[tokio::test]
async fn a31_random_key_ids_cause_one_fetch_per_cooldown_also_while_the_keys_cannot_be_had() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let send = async |number: usize| {
        let token = provider.logout_token("jti", |header, _| header["kid"] = format!("random-{number}").into());
        let browser = app.browser();
        let request = browser.request(Method::POST, "/api/v1/oauth/backchannel-logout/alpha");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(format!("logout_token={token}"));
        request.send().await
    };
    provider.replace(Endpoint::Keys, Reply::json(503, &serde_json::json!({})));
    for number in 0..100 {
        assert_ne!(send(number).await.status, 200);
        if number % 10 == 9 {
            app.clock.advance_seconds(2);
        }
    }
    assert_eq!(provider.count(Endpoint::Keys), 1);
    app.clock.advance_seconds(10);
    send(100).await;
    assert_eq!(provider.count(Endpoint::Keys), 2);
    // And when there were keys once, a fetch that fails is no reason for another one either.
    provider.restore(Endpoint::Keys);
    app.clock.advance_seconds(30);
    send(101).await;
    provider.replace(Endpoint::Keys, Reply::json(503, &serde_json::json!({})));
    app.clock.advance_seconds(30);
    for number in 102..200 {
        send(number).await.assert_problem(400, "invalid_request");
    }
    assert_eq!(provider.count(Endpoint::Keys), 4);
}

#[tokio::test]
async fn a31_a_flood_that_comes_at_once_causes_one_fetch() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let token = |number: usize| provider.logout_token("jti", |header, _| header["kid"] = format!("random-{number}").into());
    post(&app, &token(0)).await;
    app.clock.advance_seconds(30);
    let gate = provider.hold(Endpoint::Keys);
    let tokens: Vec<_> = (1..50).map(token).collect();
    let flood = futures_util::future::join_all(tokens.iter().map(|token| post(&app, token)));
    let release = async {
        gate.arrived().await;
        gate.release();
    };
    tokio::join!(flood, release);
    assert_eq!(provider.count(Endpoint::Keys), 2);
}

#[tokio::test]
async fn a31_a_strangers_token_does_not_use_up_the_fetch_of_a_login() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    app.clock.advance_seconds(31);
    post(&app, &provider.logout_token("jti", |header, _| header["kid"] = "random".into())).await;
    assert_eq!(provider.count(Endpoint::Keys), 2);
    // The provider rotates at that very moment.
    provider.rotate_key(SigningKey::es256("key-2"));
    browser.sign_in(&provider).await;
    assert_eq!(provider.count(Endpoint::Keys), 3);
}

#[tokio::test]
async fn a31_a_strangers_token_does_not_use_up_the_first_fetch_of_a_login_either() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    provider.replace_once(Endpoint::Keys, Reply::json(503, &serde_json::json!({})));
    let token = provider.logout_token("jti", |_, _| {});
    app.browser().submit("/api/v1/oauth/backchannel-logout/alpha", &[("logout_token", &token)]).send().await;
    assert_eq!(provider.count(Endpoint::Keys), 1);
    app.browser().sign_in(&provider).await;
    assert_eq!(provider.count(Endpoint::Keys), 2);
}

#[tokio::test]
async fn a31_strangers_have_the_keys_fetched_anew_once_in_five_minutes() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    app.browser().sign_in(&provider).await;
    let token = |number: i64| provider.logout_token("jti", |header, _| header["kid"] = format!("random-{number}").into());
    app.clock.advance_seconds(30);
    for number in 0..10 {
        post(&app, &token(number)).await;
        app.clock.advance_seconds(if number == 9 { 29 } else { 30 });
    }
    post(&app, &token(10)).await;
    assert_eq!(provider.count(Endpoint::Keys), 2);
    app.clock.advance_seconds(1);
    post(&app, &token(11)).await;
    assert_eq!(provider.count(Endpoint::Keys), 3);
}

#[tokio::test]
async fn a31_a_token_that_is_not_for_this_client_has_no_keys_fetched_anew() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    app.browser().sign_in(&provider).await;
    app.clock.advance_seconds(31);
    for (claim, value) in [("iss", "https://evil.example"), ("aud", "another-client")] {
        let token = provider.logout_token("jti", |header, claims| {
            header["kid"] = "random".into();
            claims[claim] = value.into();
        });
        post(&app, &token).await;
    }
    post(&app, "eyJhbGciOiJFUzI1NiJ9.e30.e30").await;
    assert_eq!(provider.count(Endpoint::Keys), 1);
}

#[tokio::test]
async fn a31_a_logout_token_of_a_new_key_has_the_keys_fetched_once_more() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    provider.rotate_key(SigningKey::es256("key-2"));
    app.clock.advance_seconds(31);
    let token = provider.logout_token("jti", |_, _| {});
    let address = "/api/v1/oauth/backchannel-logout/alpha";
    app.browser().submit(address, &[("logout_token", &token)]).send().await.assert_status(200);
    assert_eq!(provider.count(Endpoint::Keys), 2);
    assert!(!browser.is_signed_in().await);
}
