//! Signing out at the provider.

use reqwest::{Method, StatusCode};

use crate::support::{ALL_SCOPES, POST_LOGOUT_REDIRECT_URI, TestProvider, encode, is_login};

fn path(parameters: &[(&str, &str)]) -> String {
    format!("/logout?{}", encode(parameters))
}

#[tokio::test]
async fn a_valid_hint_signs_out_and_returns_at_once() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let tokens = browser.tokens("openid").await;
    let request =
        [("id_token_hint", tokens["id_token"].as_str().unwrap()), ("post_logout_redirect_uri", POST_LOGOUT_REDIRECT_URI), ("state", "a b")];
    let answer = browser.get(&path(&request)).await;
    assert_eq!(answer.location(), format!("{POST_LOGOUT_REDIRECT_URI}?state=a+b"));
    assert!(!browser.cookies.contains_key("demo_provider_session"));
    assert!(is_login(&browser.authorize(&[]).await));
}

#[tokio::test]
async fn a_hint_that_has_expired_is_still_a_hint() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let tokens = browser.tokens("openid").await;
    provider.advance(3600);
    let request = [("id_token_hint", tokens["id_token"].as_str().unwrap()), ("post_logout_redirect_uri", POST_LOGOUT_REDIRECT_URI)];
    assert_eq!(browser.get(&path(&request)).await.location(), POST_LOGOUT_REDIRECT_URI);
}

#[tokio::test]
async fn the_old_session_cookie_is_dead_afterwards() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let tokens = browser.tokens("openid").await;
    let old_cookies = browser.cookies.clone();
    browser.get(&path(&[("id_token_hint", tokens["id_token"].as_str().unwrap())])).await;
    browser.cookies = old_cookies;
    assert!(is_login(&browser.authorize(&[]).await));
}

#[tokio::test]
async fn without_a_hint_the_user_is_asked() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    browser.sign_in(&[]).await;
    let page = browser.get(&path(&[("post_logout_redirect_uri", POST_LOGOUT_REDIRECT_URI), ("state", "s")])).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<h1>Sign out of Demo?</h1>"));

    let forged = [("csrf", "rubbish")];
    assert_eq!(browser.post("/logout/confirm", &forged).await.status, StatusCode::FORBIDDEN);
    assert!(browser.authorize(&[]).await.response_parameters().contains_key("code"), "still signed in");

    let form = [
        ("csrf", page.field("csrf")),
        ("post_logout_redirect_uri", page.field("post_logout_redirect_uri")),
        ("state", page.field("state")),
    ];
    assert_eq!(browser.post("/logout/confirm", &form).await.location(), format!("{POST_LOGOUT_REDIRECT_URI}?state=s"));
    assert!(is_login(&browser.authorize(&[]).await));
}

#[tokio::test]
async fn a_hint_that_does_not_hold_counts_as_none() {
    let provider = TestProvider::start().await;
    let somebody_elses = {
        let mut browser = provider.browser();
        let page = browser.authorize(&[]).await;
        let page = browser.log_in(&page, "bob", "demo").await;
        let code = browser.decide(&page, "allow").await.response_parameters()["code"].clone();
        provider.exchange(&code).await.json()["id_token"].as_str().unwrap().to_owned()
    };
    let mut browser = provider.browser();
    let tokens = browser.tokens(ALL_SCOPES).await;
    let id_token = tokens["id_token"].as_str().unwrap();
    let (message, _) = id_token.rsplit_once('.').unwrap();
    for hint in ["rubbish", &format!("{message}.AAAA"), tokens["access_token"].as_str().unwrap(), &somebody_elses] {
        let page = browser.get(&path(&[("id_token_hint", hint)])).await;
        assert!(page.body.contains("<h1>Sign out of Demo?</h1>"), "{hint}");
    }
    assert!(browser.authorize(&[]).await.response_parameters().contains_key("code"), "still signed in");
}

#[tokio::test]
async fn an_address_that_is_not_registered_is_never_a_destination() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let tokens = browser.tokens("openid").await;
    for uri in ["https://evil.example/", "http://localhost:3000", "http://localhost:3000/x", "javascript:alert(1)"] {
        let request = [("id_token_hint", tokens["id_token"].as_str().unwrap()), ("post_logout_redirect_uri", uri)];
        let answer = browser.get(&path(&request)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{uri}");
        assert!(!answer.headers.contains_key("location"));
    }
    let answer = browser.get(&path(&[("client_id", "other")])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let answer = browser.get(&path(&[("state", "a"), ("state", "b")])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(browser.authorize(&[]).await.response_parameters().contains_key("code"), "still signed in");
}

#[tokio::test]
async fn who_is_signed_out_already_is_told_so() {
    let provider = TestProvider::start().await;
    let answer = provider.get("/logout").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("<h1>You are signed out</h1>"));
    let answer = provider.get(&path(&[("post_logout_redirect_uri", POST_LOGOUT_REDIRECT_URI)])).await;
    assert_eq!(answer.location(), POST_LOGOUT_REDIRECT_URI);
}

#[tokio::test]
async fn a_request_in_a_form_is_the_same_request() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let tokens = browser.tokens("openid").await;
    let request = [("id_token_hint", tokens["id_token"].as_str().unwrap()), ("post_logout_redirect_uri", POST_LOGOUT_REDIRECT_URI)];
    let answer = browser.post("/logout", &request).await;
    assert_eq!(browser.follow(answer).await.location(), POST_LOGOUT_REDIRECT_URI);
}

#[tokio::test]
async fn a_head_request_signs_nobody_out() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let tokens = browser.tokens("openid").await;
    let head = provider.url(&path(&[("id_token_hint", tokens["id_token"].as_str().unwrap())]));
    assert_eq!(provider.send(provider.http.request(Method::HEAD, head)).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(browser.authorize(&[]).await.response_parameters().contains_key("code"));
}

#[tokio::test]
async fn access_ends_with_the_session_unless_it_was_allowed_offline() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let online = browser.tokens("openid").await;
    let offline = browser.tokens("openid offline_access").await;
    browser.get(&path(&[("id_token_hint", online["id_token"].as_str().unwrap())])).await;
    provider.call(Method::GET, "/userinfo", &online["access_token"]).await.assert_error(401, "invalid_token");
    assert_eq!(provider.call(Method::GET, "/userinfo", &offline["access_token"]).await.status, StatusCode::OK);
    assert_eq!(provider.refresh(&offline["refresh_token"]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_that_nobody_has_exchanged_ends_with_the_session() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let tokens = browser.tokens("openid").await;
    let code = browser.code(&[]).await;
    browser.get(&path(&[("id_token_hint", tokens["id_token"].as_str().unwrap())])).await;
    provider.exchange(&code).await.assert_error(400, "invalid_grant");
}
