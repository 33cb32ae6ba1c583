//! The whole way from the first redirect to the tokens.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};

use crate::support::{ALL_SCOPES, CLIENT_ID, OTHER_REDIRECT_URI, REDIRECT_URI, START, TestProvider, is_consent, is_login};

#[tokio::test]
async fn a_person_signs_in_allows_it_and_the_client_gets_tokens() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();

    let page = browser.authorize(&[("scope", ALL_SCOPES)]).await;
    assert!(is_login(&page), "{}", page.body);
    let page = browser.log_in(&page, "alice", "demo").await;
    assert!(is_consent(&page), "{}", page.body);
    let answer = browser.decide(&page, "allow").await;
    assert!(answer.location().starts_with(&format!("{REDIRECT_URI}?code=")));
    let parameters = answer.response_parameters();
    assert_eq!(parameters["state"], "the state");
    assert_eq!(parameters["iss"], provider.config.issuer);

    let answer = provider.exchange(&parameters["code"]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 300);
    assert_eq!(tokens["scope"], ALL_SCOPES);

    let (header, claims) = provider.claims(tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    assert_eq!(claims["iss"], provider.config.issuer);
    assert_eq!(claims["aud"], CLIENT_ID);
    assert_eq!(claims["iat"], START);
    assert_eq!(claims["exp"], START + 600);
    assert_eq!(claims["auth_time"], START);
    assert_eq!(claims["nonce"], "the nonce");
    assert_eq!(claims["name"], "Alice Example");
    assert_eq!(claims["preferred_username"], "alice");
    assert_eq!(claims["email"], "alice@example.com");
    assert_eq!(claims["email_verified"], true);
    assert_ne!(claims["sub"], "alice");
    assert!(claims["sid"].as_str().is_some_and(|sid| !sid.is_empty()));
    let hash = digest(&SHA256, tokens["access_token"].as_str().unwrap().as_bytes());
    assert_eq!(claims["at_hash"], URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));

    let notes = provider.call(Method::GET, "/notes", &tokens["access_token"]).await;
    assert_eq!(notes.status, StatusCode::OK);
}

#[tokio::test]
async fn the_subject_is_the_same_at_every_login_and_differs_between_people() {
    let provider = TestProvider::start().await;
    let mut subjects = Vec::new();
    for login in ["alice", "alice", "bob"] {
        let mut browser = provider.browser();
        let page = browser.authorize(&[]).await;
        let page = browser.log_in(&page, login, "demo").await;
        let code = browser.decide(&page, "allow").await.response_parameters()["code"].clone();
        let tokens = provider.exchange(&code).await.json();
        subjects.push(provider.claims(tokens["id_token"].as_str().unwrap()).await.1["sub"].clone());
    }
    assert_eq!(subjects[0], subjects[1]);
    assert_ne!(subjects[0], subjects[2]);
}

#[tokio::test]
async fn only_the_claims_of_the_scope_are_told() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens("openid").await;
    let (_, claims) = provider.claims(tokens["id_token"].as_str().unwrap()).await;
    assert!(claims.get("name").is_none());
    assert!(claims.get("email").is_none());
    assert!(tokens.get("refresh_token").is_none());
}

#[tokio::test]
async fn without_openid_there_is_no_id_token() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens("notes:read").await;
    assert!(tokens.get("id_token").is_none());
    assert_eq!(tokens["scope"], "notes:read");
}

#[tokio::test]
async fn an_unknown_scope_is_left_out() {
    let provider = TestProvider::start().await;
    assert_eq!(provider.tokens("openid admin").await["scope"], "openid");
}

#[tokio::test]
async fn a_response_keeps_the_query_of_the_redirect_uri() {
    let provider = TestProvider::start().await;
    let answer = provider.browser().sign_in(&[("redirect_uri", OTHER_REDIRECT_URI), ("state", "a&b=c d")]).await;
    assert!(answer.location().starts_with(&format!("{OTHER_REDIRECT_URI}&code=")));
    assert_eq!(answer.response_parameters()["state"], "a&b=c d");
}

#[tokio::test]
async fn without_a_state_the_response_has_none() {
    let provider = TestProvider::start().await;
    assert!(!provider.browser().sign_in(&[("state", "")]).await.response_parameters().contains_key("state"));
}
