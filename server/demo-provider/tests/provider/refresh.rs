//! Refresh tokens rotate, and a second use ends the family.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{ALL_SCOPES, START, TestProvider};

#[tokio::test]
async fn a_refresh_gives_a_new_pair_and_keeps_the_identity() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    provider.advance(300);
    provider.call(Method::GET, "/userinfo", &tokens["access_token"]).await.assert_error(401, "invalid_token");

    assert!(tokens["refresh_token"].as_str().unwrap().starts_with("demo-rt-4b1d9c07."), "the tests of the browser look for this");
    let refreshed = provider.refresh(&tokens["refresh_token"]).await.json();
    assert_ne!(refreshed["refresh_token"], tokens["refresh_token"]);
    assert_eq!(refreshed["scope"], ALL_SCOPES);
    assert_eq!(provider.call(Method::GET, "/userinfo", &refreshed["access_token"]).await.status, StatusCode::OK);

    let (_, before) = provider.claims(tokens["id_token"].as_str().unwrap()).await;
    let (_, after) = provider.claims(refreshed["id_token"].as_str().unwrap()).await;
    for claim in ["iss", "sub", "aud", "sid", "auth_time"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert_eq!(after["iat"], START + 300);
    assert!(after.get("nonce").is_none());
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_the_whole_family() {
    let provider = TestProvider::start().await;
    let first = provider.tokens(ALL_SCOPES).await;
    let second = provider.refresh(&first["refresh_token"]).await.json();
    let third = provider.refresh(&second["refresh_token"]).await.json();

    provider.refresh(&first["refresh_token"]).await.assert_error(400, "invalid_grant");
    provider.refresh(&third["refresh_token"]).await.assert_error(400, "invalid_grant");
    for tokens in [&first, &second, &third] {
        provider.call(Method::GET, "/userinfo", &tokens["access_token"]).await.assert_error(401, "invalid_token");
    }
}

#[tokio::test]
async fn of_two_refreshes_at_once_one_is_refused_and_the_family_ends() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    let (one, two) = tokio::join!(provider.refresh(&tokens["refresh_token"]), provider.refresh(&tokens["refresh_token"]));
    let (succeeded, refused) = if one.status == StatusCode::OK { (one, two) } else { (two, one) };
    refused.assert_error(400, "invalid_grant");
    provider.refresh(&succeeded.json()["refresh_token"]).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn one_family_does_not_end_another() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let one = browser.tokens(ALL_SCOPES).await;
    let other = browser.tokens(ALL_SCOPES).await;
    provider.refresh(&one["refresh_token"]).await;
    provider.refresh(&one["refresh_token"]).await.assert_error(400, "invalid_grant");
    assert_eq!(provider.refresh(&other["refresh_token"]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_but_not_for_more() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens("openid notes:read offline_access").await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    let form = |scope| [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("scope", scope)];
    for scope in ["notes:read notes:write", "admin", "notes:read admin", " "] {
        provider.post_as_client("/token", &form(scope)).await.assert_error(400, "invalid_scope");
    }
    let less = provider.post_as_client("/token", &form("notes:read")).await.json();
    assert_eq!(less["scope"], "notes:read");
    assert!(less.get("id_token").is_none());
    provider.call(Method::GET, "/userinfo", &less["access_token"]).await.assert_error(403, "insufficient_scope");
    assert_eq!(provider.refresh(&less["refresh_token"]).await.json()["scope"], "openid notes:read offline_access");
}

#[tokio::test]
async fn an_unused_refresh_token_expires() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    provider.advance(14 * 24 * 60 * 60);
    provider.refresh(&tokens["refresh_token"]).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn an_access_token_is_no_refresh_token() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    provider.refresh(&tokens["access_token"]).await.assert_error(400, "invalid_grant");
    provider.refresh(&json!("unknown")).await.assert_error(400, "invalid_grant");
}
