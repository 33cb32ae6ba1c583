//! The consent page, and what is remembered of its answers.

use reqwest::StatusCode;

use crate::support::{ALL_SCOPES, TestProvider, is_consent, is_login};

#[tokio::test]
async fn the_page_says_in_words_what_is_asked() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[("scope", ALL_SCOPES)]).await;
    let page = browser.log_in(&page, "bob", "demo").await;
    for text in ["see your e-mail address, bob@example.com", "read your notes", "add and delete notes", "Bob Example", ">Allow<", ">Deny<"]
    {
        assert!(page.body.contains(text), "{text}");
    }
}

#[tokio::test]
async fn deny_tells_the_client_and_gives_no_code() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[]).await;
    let page = browser.log_in(&page, "alice", "demo").await;
    let parameters = browser.decide(&page, "deny").await.response_parameters();
    assert_eq!(parameters["error"], "access_denied");
    assert_eq!(parameters["state"], "the state");
    assert_eq!(parameters["iss"], provider.config.issuer);
    assert!(!parameters.contains_key("code"));
    assert!(is_consent(&browser.authorize(&[]).await), "a refusal is not remembered as permission");
}

#[tokio::test]
async fn only_the_same_or_less_is_allowed_without_asking_again() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    browser.sign_in(&[("scope", "openid email")]).await;
    for (scope, asked) in [("openid email", false), ("openid", false), ("openid profile", true), ("openid email notes:read", true)] {
        assert_eq!(is_consent(&browser.authorize(&[("scope", scope)]).await), asked, "{scope}");
    }
}

#[tokio::test]
async fn what_was_allowed_counts_for_that_session_only() {
    let provider = TestProvider::start().await;
    provider.browser().sign_in(&[]).await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[]).await;
    assert!(is_consent(&browser.log_in(&page, "alice", "demo").await));
}

#[tokio::test]
async fn an_answer_is_taken_once() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[]).await;
    let page = browser.log_in(&page, "alice", "demo").await;
    assert!(browser.decide(&page, "allow").await.response_parameters().contains_key("code"));
    assert_eq!(browser.decide(&page, "allow").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_form_from_another_page_or_without_a_decision_is_refused() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[]).await;
    let login_csrf = page.field("csrf").to_owned();
    let page = browser.log_in(&page, "alice", "demo").await;
    let transaction = page.field("transaction");
    let forged = [("transaction", transaction), ("csrf", &login_csrf), ("decision", "allow")];
    assert_eq!(browser.post("/consent", &forged).await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.decide(&page, "").await.status, StatusCode::BAD_REQUEST);
    assert!(browser.decide(&page, "allow").await.response_parameters().contains_key("code"));
}

#[tokio::test]
async fn whoever_was_asked_gives_the_answer() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[]).await;
    let alices_page = browser.log_in(&page, "alice", "demo").await;
    let other_tab = browser.get(&format!("/login?transaction={}", alices_page.field("transaction"))).await;
    assert!(is_login(&other_tab));
    let bobs_page = browser.log_in(&other_tab, "bob", "demo").await;
    assert_eq!(browser.decide(&alices_page, "allow").await.status, StatusCode::FORBIDDEN);

    let code = browser.decide(&bobs_page, "allow").await.response_parameters()["code"].clone();
    let access_token = provider.exchange(&code).await.json()["access_token"].clone();
    let userinfo = provider.call(reqwest::Method::GET, "/userinfo", &access_token).await.json();
    assert_eq!(userinfo["sub"], "e04b92d86c175af3");
}

#[tokio::test]
async fn without_a_session_the_page_leads_to_the_login() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[]).await;
    let consent = format!("/consent?transaction={}", page.field("transaction"));
    assert!(is_login(&browser.visit(&consent).await));
    let answer = browser.decide(&page, "allow").await;
    assert!(is_login(&browser.follow(answer).await));
}
