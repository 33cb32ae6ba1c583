//! How strongly and how recently somebody has to sign in, and what the notes want of it (RFC 9470).

use std::time::Duration;

use oauth2flow_demo_provider::StepUp;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{ALL_SCOPES, START, TestProvider, is_consent, is_login};

const PASSWORD: &str = "urn:example:acr:password";
const TWO_FACTOR: &str = "urn:example:acr:two-factor";

#[tokio::test]
async fn a_second_factor_is_asked_for_and_confirmed() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[("acr_values", &format!("unknown {TWO_FACTOR} {PASSWORD}"))]).await;
    assert!(is_login(&page) && page.body.contains("One-time code"), "{}", page.body);
    let refused = browser.log_in(&page, "alice", "demo").await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let form = [
        ("transaction", page.field("transaction")),
        ("csrf", page.field("csrf")),
        ("username", "alice"),
        ("password", "demo"),
        ("code", "246810"),
    ];
    let answer = browser.post("/login", &form).await;
    let page = browser.follow(answer).await;
    assert!(is_consent(&page), "{}", page.body);
    let code = browser.decide(&page, "allow").await.response_parameters()["code"].clone();
    let tokens = provider.exchange(&code).await.json();
    let (_, claims) = provider.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["acr"], TWO_FACTOR);
    assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));

    // The stronger login is good enough for the weaker wish.
    assert!(browser.authorize(&[("acr_values", PASSWORD)]).await.response_parameters().contains_key("code"));
}

#[tokio::test]
async fn a_password_is_not_enough_for_a_second_factor() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let tokens = browser.tokens("openid").await;
    let (_, claims) = provider.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(claims["acr"], PASSWORD);
    let silent = browser.authorize(&[("acr_values", TWO_FACTOR), ("prompt", "none")]).await;
    assert_eq!(silent.response_parameters()["error"], "login_required");
    assert!(is_login(&browser.authorize(&[("acr_values", TWO_FACTOR)]).await));
}

#[tokio::test]
async fn the_notes_demand_a_stronger_login() {
    let provider = TestProvider::start_with(|config| {
        config.step_up = Some(StepUp { acr: Some(TWO_FACTOR.into()), max_age: Some(Duration::from_mins(1)) });
    })
    .await;
    let access_token = provider.tokens(ALL_SCOPES).await["access_token"].clone();
    let answer = provider.call(Method::GET, "/notes", &access_token).await;
    answer.assert_error(401, "insufficient_user_authentication");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
    assert!(challenge.contains(&format!(r#"acr_values="{TWO_FACTOR}", max_age="60""#)), "{challenge}");
    assert_eq!(provider.call(Method::GET, "/userinfo", &access_token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_notes_demand_a_recent_login() {
    let wanted = StepUp { max_age: Some(Duration::from_mins(1)), ..StepUp::default() };
    let provider = TestProvider::start_with(|config| config.step_up = Some(wanted)).await;
    let mut browser = provider.browser();
    let access_token = browser.tokens(ALL_SCOPES).await["access_token"].clone();
    provider.advance(60);
    assert_eq!(provider.call(Method::GET, "/notes", &access_token).await.status, StatusCode::OK);
    provider.advance(1);
    let answer = provider.call(Method::GET, "/notes", &access_token).await;
    answer.assert_error(401, "insufficient_user_authentication");
    assert!(answer.header("www-authenticate").ends_with(r#"max_age="60""#));
    let page = browser.authorize(&[("scope", ALL_SCOPES), ("max_age", "60")]).await;
    let answer = browser.log_in(&page, "alice", "demo").await;
    let tokens = provider.exchange(&answer.response_parameters()["code"]).await.json();
    assert_eq!(provider.claims(tokens["id_token"].as_str().unwrap()).await.1["auth_time"], START + 61);
    assert_eq!(provider.call(Method::GET, "/notes", &tokens["access_token"]).await.status, StatusCode::OK);
}
