//! A sibling subdomain, or another port of the same host, sets cookies of the same name.

use crate::support::{SignIn as _, StandInProvider, TestApp, start_login};
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn two_session_cookies_are_nobody() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let (attacker, victim) = (app.browser(), app.browser());
    attacker.sign_in(&provider).await;
    victim.sign_in(&provider).await;
    let (tossed, own) = (attacker.session_cookie().unwrap(), victim.session_cookie().unwrap());
    for cookies in
        [format!("session={tossed}; session={own}"), format!("session={own}; session={tossed}"), format!("session={own}; session={own}")]
    {
        let answer = victim.call(Method::GET, "/api/v1/session").header("cookie", &cookies).send().await;
        assert_eq!(answer.json(), json!({ "authenticated": false }));
        let call = victim.call(Method::GET, "/api/v1/proxy/api/").header("cookie", &cookies).send().await;
        call.assert_problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn two_transaction_cookies_finish_nothing() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let (name, value) = browser.transactions().into_iter().next().unwrap();
    let body: serde_json::Map<_, _> = callback.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect();
    let request = browser.post_code(&body.into()).header("cookie", &format!("{name}={value}; {name}={value}"));
    request.send().await.assert_problem(400, "state_mismatch");
    assert_eq!(provider.count(crate::support::Endpoint::Token), 0);
}

#[tokio::test]
async fn over_https_a_cookie_without_the_prefix_is_not_looked_at() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().public_url("https://app.example").openid("alpha", &provider).start().await;
    let (attacker, victim) = (app.browser(), app.browser());
    attacker.sign_in(&provider).await;
    let tossed = attacker.session_cookie().unwrap();
    for name in ["session", "__Host-session", "__Secure-session", "__host-http-session"] {
        victim.put_cookie(name, &tossed);
    }
    assert!(!victim.is_signed_in().await);
    victim.sign_in(&provider).await;
    assert!(victim.is_signed_in().await);
}
