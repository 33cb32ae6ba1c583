//! Revocation of access and refresh tokens.

use reqwest::{Method, StatusCode};

use crate::support::{ALL_SCOPES, TestProvider};

#[tokio::test]
async fn a_revoked_refresh_token_takes_its_access_tokens_along() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    let form = [("token", tokens["refresh_token"].as_str().unwrap()), ("token_type_hint", "access_token")];
    assert_eq!(provider.post_as_client("/revoke", &form).await.status, StatusCode::OK);
    provider.refresh(&tokens["refresh_token"]).await.assert_error(400, "invalid_grant");
    provider.call(Method::GET, "/userinfo", &tokens["access_token"]).await.assert_error(401, "invalid_token");
}

#[tokio::test]
async fn a_revoked_access_token_leaves_the_refresh_token() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    let form = [("token", tokens["access_token"].as_str().unwrap())];
    assert_eq!(provider.post_as_client("/revoke", &form).await.status, StatusCode::OK);
    provider.call(Method::GET, "/userinfo", &tokens["access_token"]).await.assert_error(401, "invalid_token");
    assert_eq!(provider.refresh(&tokens["refresh_token"]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_token_is_as_good_as_revoked() {
    let provider = TestProvider::start().await;
    assert_eq!(provider.post_as_client("/revoke", &[("token", "unknown")]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_the_client_may_revoke() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    let token = ("token", tokens["refresh_token"].as_str().unwrap());
    provider.post_form("/revoke", &[token]).await.assert_error(401, "invalid_client");
    provider.post_as_client("/revoke", &[]).await.assert_error(400, "invalid_request");
    provider.post_as_client("/revoke", &[token, token]).await.assert_error(400, "invalid_request");
    assert_eq!(provider.refresh(&tokens["refresh_token"]).await.status, StatusCode::OK);
}
