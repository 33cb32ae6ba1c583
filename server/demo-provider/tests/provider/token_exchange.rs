//! An access token in exchange for another one (RFC 8693).

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{ALL_SCOPES, TestProvider};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A request that holds, with something added or put in another's place.
async fn exchange(provider: &TestProvider, subject: &Value, changes: &[(&str, &str)]) -> crate::support::Answer {
    let mut form = vec![("grant_type", GRANT_TYPE), ("subject_token", subject.as_str().unwrap()), ("subject_token_type", ACCESS_TOKEN)];
    for (name, value) in changes {
        form.retain(|(known, _)| known != name);
        form.push((name, value));
    }
    provider.post_as_client("/token", &form).await
}

#[tokio::test]
async fn a_token_is_given_that_allows_no_more_and_ends_no_later() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    provider.advance(100);
    let wanted = [("audience", "notes"), ("scope", "notes:read"), ("requested_token_type", ACCESS_TOKEN)];
    let exchanged = exchange(&provider, &tokens["access_token"], &wanted).await.json();
    assert_eq!((&exchanged["issued_token_type"], &exchanged["token_type"]), (&ACCESS_TOKEN.into(), &"Bearer".into()));
    assert_eq!((&exchanged["scope"], &exchanged["expires_in"]), (&"notes:read".into(), &200.into()));
    assert!(exchanged.get("refresh_token").is_none() && exchanged.get("id_token").is_none());
    assert_ne!(exchanged["access_token"], tokens["access_token"]);
    assert_eq!(provider.call(Method::GET, "/notes", &exchanged["access_token"]).await.status, StatusCode::OK);
    provider.call(Method::GET, "/userinfo", &exchanged["access_token"]).await.assert_error(403, "insufficient_scope");
    // The user's own goes on working.
    assert_eq!(provider.call(Method::GET, "/userinfo", &tokens["access_token"]).await.status, StatusCode::OK);
    provider.advance(200);
    provider.call(Method::GET, "/notes", &exchanged["access_token"]).await.assert_error(401, "invalid_token");
}

#[tokio::test]
async fn it_ends_with_its_family() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    let exchanged = exchange(&provider, &tokens["access_token"], &[]).await.json();
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    provider.post_as_client("/revoke", &[("token", refresh_token)]).await;
    provider.call(Method::GET, "/notes", &exchanged["access_token"]).await.assert_error(401, "invalid_token");
    exchange(&provider, &tokens["access_token"], &[]).await.assert_error(400, "invalid_request");
}

#[tokio::test]
async fn what_does_not_hold_is_refused() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens("openid notes:read offline_access").await;
    let token = &tokens["access_token"];
    for (changes, error) in [
        (vec![("subject_token_type", "urn:ietf:params:oauth:token-type:id_token")], "invalid_request"),
        (vec![("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")], "invalid_request"),
        (vec![("actor_token", "x")], "invalid_request"),
        (vec![("audience", "orders")], "invalid_target"),
        (vec![("resource", "https://orders.example.com/")], "invalid_target"),
        (vec![("scope", "notes:read notes:write")], "invalid_scope"),
        (vec![("scope", "admin")], "invalid_scope"),
        (vec![("subject_token", "made-up")], "invalid_request"),
    ] {
        exchange(&provider, token, &changes).await.assert_error(400, error);
    }
    exchange(&provider, &tokens["refresh_token"], &[]).await.assert_error(400, "invalid_request");
    provider
        .post_form("/token", &[("grant_type", GRANT_TYPE), ("subject_token", token.as_str().unwrap())])
        .await
        .assert_error(401, "invalid_client");
    provider.advance(300);
    exchange(&provider, token, &[]).await.assert_error(400, "invalid_request");
}

#[tokio::test]
async fn the_metadata_says_that_it_can_be_done() {
    let provider = TestProvider::start().await;
    let metadata = provider.get("/.well-known/openid-configuration").await.json();
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&GRANT_TYPE.into()));
}
