//! A provider in trouble: a problem in time, and everybody else unaffected.

use crate::support::{Endpoint, Reply, SignIn as _, StandInProvider, TestApp, start_login};
use axum::http::Method;
use serde_json::json;

const LOGIN_AT_BETA: &str = "/api/v1/oauth/login?provider=beta";

/// An app with two providers, and a browser that is signed in at the first.
async fn signed_in_beside_a_second() -> (StandInProvider, StandInProvider, TestApp, crate::support::Browser) {
    let (alpha, beta) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let app = TestApp::builder().openid("alpha", &alpha).openid("beta", &beta).start().await;
    let browser = app.browser();
    browser.sign_in(&alpha).await;
    (alpha, beta, app, browser)
}

/// The session lives, and others can sign in.
async fn assert_unaffected(alpha: &StandInProvider, app: &TestApp, browser: &crate::support::Browser) {
    assert!(browser.is_signed_in().await);
    app.browser().sign_in(alpha).await;
    browser.navigate("/").send().await.assert_status(200);
}

#[tokio::test]
async fn metadata_that_is_none_is_a_problem_of_this_provider_alone() {
    let (alpha, beta, app, browser) = signed_in_beside_a_second().await;
    let huge = format!("{{\"issuer\":\"{}\"}}", "x".repeat(64 * 1024));
    let keys = (0..10_000).map(|number| format!("\"k{number}\":0,")).collect::<Vec<_>>().concat();
    for (reply, code) in [
        (Reply::html(200), "provider_invalid_response"),
        (Reply::html(404), "provider_invalid_response"),
        (Reply::json(500, &json!({})), "provider_unavailable"),
        (Reply::json(429, &json!({})), "provider_unavailable"),
        (Reply::json(200, &json!([])), "provider_invalid_response"),
        (Reply::json(200, &json!({})), "provider_invalid_response"),
        (Reply::new(200, "application/json", "rubbish"), "provider_invalid_response"),
        (Reply::new(200, "application/json", vec![0xff; 100]), "provider_invalid_response"),
        (Reply::new(200, "application/json", huge), "provider_invalid_response"),
        (Reply::new(200, "application/json", format!("{{{keys}\"x\":0}}")), "provider_invalid_response"),
        (Reply::new(200, "application/json", format!("{}{}", "[".repeat(30_000), "]".repeat(30_000))), "provider_invalid_response"),
        (Reply::redirect(302, alpha.issuer()), "provider_invalid_response"),
    ] {
        beta.replace(Endpoint::Metadata, reply);
        browser.call(Method::GET, LOGIN_AT_BETA).send().await.assert_problem(502, code);
        browser.navigate(LOGIN_AT_BETA).send().await.assert_problem_page(code);
        app.clock.advance_seconds(5);
    }
    assert_unaffected(&alpha, &app, &browser).await;
    assert_eq!(alpha.count_at("/"), 0, "no redirect was followed");
    // It comes back by itself.
    beta.restore(Endpoint::Metadata);
    start_login(&browser, "beta", "/").await;
}

#[tokio::test]
async fn metadata_that_lacks_what_is_needed_is_refused() {
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        let provider = StandInProvider::start().await;
        provider.edit_metadata(move |metadata| drop(metadata.as_object_mut().unwrap().remove(name)));
        let app = TestApp::with_provider(&provider).await;
        let answer = app.browser().call(Method::GET, "/api/v1/oauth/login").send().await;
        answer.assert_problem(502, "provider_invalid_response");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_a_problem_page() {
    let alpha = StandInProvider::named("alpha").await;
    // Nobody listens at a port that has just been given back.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let app = TestApp::builder()
        .openid("alpha", &alpha)
        .set("providers.beta.issuer", format!("http://{closed}"))
        .set("providers.beta.client_id", "client")
        .variable("OAUTH2FLOW_PROVIDERS_BETA_CLIENT_SECRET", "secret")
        .start()
        .await;
    let browser = app.browser();
    browser.sign_in(&alpha).await;
    let page = browser.navigate(&format!("{LOGIN_AT_BETA}&return_to=/flow")).send().await;
    page.assert_problem_page("provider_unavailable");
    let query: std::collections::HashMap<_, _> = page.location().query_pairs().into_owned().collect();
    assert_eq!((query["login_url"].as_str(), query["return_to"].as_str()), ("/api/v1/oauth/login?provider=beta", "/flow"));
    browser.call(Method::GET, LOGIN_AT_BETA).send().await.assert_problem(502, "provider_unavailable");
    assert_unaffected(&alpha, &app, &browser).await;
}

#[tokio::test]
async fn keys_that_cannot_be_had_fail_the_login_and_no_more() {
    let many: Vec<_> = (0..101).map(|number| json!({ "kty": "EC", "kid": number.to_string() })).collect();
    for (reply, code) in [
        (Reply::html(200), "provider_invalid_response"),
        (Reply::json(500, &json!({})), "provider_unavailable"),
        (Reply::json(404, &json!({})), "provider_invalid_response"),
        (Reply::json(200, &json!({})), "provider_invalid_response"),
        (Reply::json(200, &json!({ "keys": many })), "provider_invalid_response"),
        (Reply::json(200, &json!({ "keys": [], "padding": "x".repeat(256 * 1024) })), "provider_invalid_response"),
        (Reply::json(200, &json!({ "keys": [] })), "id_token_invalid"),
        (Reply::redirect(307, "https://evil.example/jwks"), "provider_invalid_response"),
    ] {
        let (alpha, beta, app, browser) = signed_in_beside_a_second().await;
        beta.replace(Endpoint::Keys, reply);
        let other = app.browser();
        let callback = beta.authorize(&start_login(&other, "beta", "/").await);
        other.finish(&callback).await.assert_problem(502, code);
        assert!(!other.is_signed_in().await);
        assert_eq!(beta.count(Endpoint::UserInfo), 0);
        assert_unaffected(&alpha, &app, &browser).await;
    }
}

#[tokio::test]
async fn a_login_whose_provider_goes_down_in_the_middle_can_be_started_again() {
    let (_alpha, beta, app, _browser) = signed_in_beside_a_second().await;
    let browser = app.browser();
    let callback = beta.authorize(&start_login(&browser, "beta", "/").await);
    beta.replace(Endpoint::Token, Reply::json(503, &json!({})));
    browser.finish(&callback).await.assert_problem(502, "provider_unavailable");
    beta.restore(Endpoint::Token);
    let callback = beta.authorize(&start_login(&browser, "beta", "/").await);
    browser.finish(&callback).await.assert_status(200);
}
