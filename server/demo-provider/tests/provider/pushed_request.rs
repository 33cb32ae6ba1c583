//! Pushed authorization requests (RFC 9126).

use oauth2flow_demo_provider::Offer;
use reqwest::StatusCode;

use crate::support::{CLIENT_ID, REDIRECT_URI, TestProvider, authorization_path, encode, is_login};

fn form(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(authorization_path(changes).split_once('?').unwrap().1.as_bytes()).into_owned().collect()
}

async fn push(provider: &TestProvider, changes: &[(&str, &str)]) -> crate::support::Answer {
    let form = form(changes);
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    provider.post_as_client("/par", &form).await
}

async fn required() -> TestProvider {
    TestProvider::start_with(|config| config.pushed_requests = Offer::Required).await
}

#[tokio::test]
async fn a_pushed_request_goes_all_the_way_and_works_once() {
    let provider = required().await;
    let metadata = provider.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["pushed_authorization_request_endpoint"], provider.url("/par"));
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    let answer = push(&provider, &[]).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.header("cache-control"), "no-store");
    let pushed = answer.json();
    assert_eq!(pushed["expires_in"], 60);
    let path = format!("/authorize?{}", encode(&[("client_id", CLIENT_ID), ("request_uri", pushed["request_uri"].as_str().unwrap())]));
    let mut browser = provider.browser();
    let page = browser.visit(&path).await;
    assert!(is_login(&page), "{}", page.body);
    let page = browser.log_in(&page, "alice", "demo").await;
    let answer = browser.decide(&page, "allow").await;
    assert!(answer.location().starts_with(REDIRECT_URI));
    assert_eq!(answer.response_parameters()["state"], "the state");
    assert_eq!(provider.exchange(&answer.response_parameters()["code"]).await.status, StatusCode::OK);
    let again = browser.visit(&path).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.body.contains("has been used"));
}

#[tokio::test]
async fn a_pushed_request_waits_for_a_minute_and_for_its_client_alone() {
    let provider = required().await;
    let uri = push(&provider, &[]).await.json()["request_uri"].as_str().unwrap().to_owned();
    let path = |client_id| format!("/authorize?{}", encode(&[("client_id", client_id), ("request_uri", uri.as_str())]));
    assert_eq!(provider.get(&path("other")).await.status, StatusCode::BAD_REQUEST);
    provider.advance(60);
    assert_eq!(provider.get(&path(CLIENT_ID)).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn where_pushing_is_required_nothing_else_works() {
    let provider = required().await;
    let answer = provider.get(&authorization_path(&[])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(!answer.headers.contains_key("location"));
}

#[tokio::test]
async fn a_push_is_checked_at_once() {
    let provider = required().await;
    let unauthenticated = form(&[]);
    let unauthenticated: Vec<_> = unauthenticated.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    provider.post_form("/par", &unauthenticated).await.assert_error(401, "invalid_client");
    for (changes, error) in [
        (vec![("redirect_uri", "https://evil.example/")], "invalid_request"),
        (vec![("scope", "admin")], "invalid_scope"),
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("request_uri", "urn:ietf:params:oauth:request_uri:x")], "request_uri_not_supported"),
    ] {
        push(&provider, &changes).await.assert_error(400, error);
    }
}

#[tokio::test]
async fn where_pushing_is_not_offered_there_is_nothing_to_push_to_in_the_metadata() {
    let provider = TestProvider::start().await;
    let metadata = provider.get("/.well-known/openid-configuration").await.json();
    assert!(metadata.get("pushed_authorization_request_endpoint").is_none());
}
