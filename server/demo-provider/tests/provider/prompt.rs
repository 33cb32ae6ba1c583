//! `prompt`, `max_age` and `id_token_hint`.

use crate::support::{TestProvider, is_consent, is_login};

#[tokio::test]
async fn prompt_none_answers_at_once_or_not_at_all() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let error = browser.authorize(&[("prompt", "none")]).await.response_parameters()["error"].clone();
    assert_eq!(error, "login_required");
    browser.sign_in(&[]).await;
    assert!(browser.authorize(&[("prompt", "none")]).await.response_parameters().contains_key("code"));
    let error = browser.authorize(&[("prompt", "none"), ("scope", "openid email")]).await.response_parameters()["error"].clone();
    assert_eq!(error, "consent_required");
}

#[tokio::test]
async fn prompt_login_asks_for_the_password_again_once() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    browser.sign_in(&[]).await;
    provider.advance(100);
    for prompt in ["login", "select_account"] {
        let page = browser.authorize(&[("prompt", prompt)]).await;
        assert!(is_login(&page));
        let code = browser.log_in(&page, "alice", "demo").await.response_parameters()["code"].clone();
        let tokens = provider.exchange(&code).await.json();
        let (_, claims) = provider.claims(tokens["id_token"].as_str().unwrap()).await;
        assert_eq!(claims["auth_time"], claims["iat"]);
    }
}

#[tokio::test]
async fn prompt_consent_asks_again_for_what_was_allowed() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    browser.sign_in(&[]).await;
    let page = browser.authorize(&[("prompt", "consent")]).await;
    assert!(is_consent(&page));
    assert!(browser.decide(&page, "allow").await.response_parameters().contains_key("code"));
}

#[tokio::test]
async fn max_age_asks_for_the_password_when_it_was_given_too_long_ago() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    browser.sign_in(&[]).await;
    provider.advance(60);
    assert!(browser.authorize(&[("max_age", "60")]).await.response_parameters().contains_key("code"));
    provider.advance(1);
    let error = browser.authorize(&[("max_age", "60"), ("prompt", "none")]).await.response_parameters()["error"].clone();
    assert_eq!(error, "login_required");
    let page = browser.authorize(&[("max_age", "60")]).await;
    assert!(is_login(&page));
    assert!(browser.log_in(&page, "alice", "demo").await.response_parameters().contains_key("code"));
}

#[tokio::test]
async fn an_id_token_hint_lets_only_that_person_answer() {
    let provider = TestProvider::start().await;
    let alices = provider.tokens("openid").await["id_token"].as_str().unwrap().to_owned();

    let mut browser = provider.browser();
    let page = browser.authorize(&[("id_token_hint", &alices)]).await;
    let parameters = browser.log_in(&page, "bob", "demo").await.response_parameters();
    assert_eq!(parameters["error"], "login_required");

    let page = browser.authorize(&[("id_token_hint", &alices)]).await;
    assert!(is_login(&page), "bob's session does not answer for alice");
    let page = browser.log_in(&page, "alice", "demo").await;
    assert!(browser.decide(&page, "allow").await.response_parameters().contains_key("code"));
}
