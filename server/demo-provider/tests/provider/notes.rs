//! The notes API.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, TestProvider};

async fn add(provider: &TestProvider, access_token: &Value, body: &str) -> Answer {
    let request = provider.http.post(provider.url("/notes")).bearer_auth(access_token.as_str().unwrap());
    provider.send(request.header("content-type", "application/json").body(body.to_owned())).await
}

#[tokio::test]
async fn everybody_begins_with_two_notes_and_can_add_and_delete_more() {
    let provider = TestProvider::start().await;
    let access_token = provider.tokens("notes:read notes:write").await["access_token"].clone();
    let notes = provider.call(Method::GET, "/notes", &access_token).await.json();
    assert_eq!(notes.as_array().unwrap().len(), 2);

    let answer = add(&provider, &access_token, r#"{"text": "  <b>Buy</b> Äpfel 🍎 "}"#).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let note = answer.json();
    assert_eq!(note["text"], "<b>Buy</b> Äpfel 🍎");
    assert_eq!(note["created_at"], "2027-01-15T08:00:00Z");
    let path = answer.header("location").to_owned();
    assert_eq!(path, format!("/notes/{}", note["id"].as_str().unwrap()));
    assert_eq!(provider.call(Method::GET, "/notes", &access_token).await.json()[2], note);

    assert_eq!(provider.call(Method::DELETE, &path, &access_token).await.status, StatusCode::NO_CONTENT);
    provider.call(Method::DELETE, &path, &access_token).await.assert_error(404, "not_found");
    assert_eq!(provider.call(Method::GET, "/notes", &access_token).await.json().as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn every_call_needs_its_scope() {
    let provider = TestProvider::start().await;
    let reader = provider.tokens("openid notes:read").await["access_token"].clone();
    let writer = provider.tokens("openid notes:write").await["access_token"].clone();
    let id = provider.call(Method::GET, "/notes", &reader).await.json()[0]["id"].as_str().unwrap().to_owned();

    let answer = provider.call(Method::GET, "/notes", &writer).await;
    answer.assert_error(403, "insufficient_scope");
    assert!(answer.header("www-authenticate").contains(r#"error="insufficient_scope""#));
    assert!(answer.header("www-authenticate").contains(r#"scope="notes:read""#));
    add(&provider, &reader, r#"{"text": "a"}"#).await.assert_error(403, "insufficient_scope");
    provider.call(Method::DELETE, &format!("/notes/{id}"), &reader).await.assert_error(403, "insufficient_scope");
}

#[tokio::test]
async fn without_a_live_token_nothing_is_told() {
    let provider = TestProvider::start().await;
    let access_token = provider.tokens("notes:read notes:write").await["access_token"].clone();
    let answer = provider.get("/notes").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="demo""#);
    provider.advance(300);
    provider.call(Method::GET, "/notes", &access_token).await.assert_error(401, "invalid_token");
    add(&provider, &access_token, r#"{"text": "a"}"#).await.assert_error(401, "invalid_token");
}

#[tokio::test]
async fn nobody_sees_or_deletes_the_notes_of_others() {
    let provider = TestProvider::start().await;
    let alices = provider.tokens("notes:read notes:write").await["access_token"].clone();
    let mut browser = provider.browser();
    let page = browser.authorize(&[("scope", "notes:read notes:write")]).await;
    let page = browser.log_in(&page, "bob", "demo").await;
    let code = browser.decide(&page, "allow").await.response_parameters()["code"].clone();
    let bobs = provider.exchange(&code).await.json()["access_token"].clone();

    let note = add(&provider, &alices, r#"{"text": "alice's"}"#).await.json();
    let path = format!("/notes/{}", note["id"].as_str().unwrap());
    assert!(!provider.call(Method::GET, "/notes", &bobs).await.body.contains("alice's"));
    provider.call(Method::DELETE, &path, &bobs).await.assert_error(404, "not_found");
    assert_eq!(provider.call(Method::DELETE, &path, &alices).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn notes_have_limits() {
    let provider = TestProvider::start().await;
    let access_token = provider.tokens("notes:read notes:write").await["access_token"].clone();
    for (body, status, error) in [
        ("", 400, "malformed"),
        ("[]", 400, "malformed"),
        ("{}", 400, "malformed"),
        (r#"{"text": 7}"#, 400, "malformed"),
        (r#"{"text": " \n\t"}"#, 422, "empty"),
    ] {
        add(&provider, &access_token, body).await.assert_error(status, error);
    }
    let text = |length| json!({ "text": "ä".repeat(length) }).to_string();
    assert_eq!(add(&provider, &access_token, &text(500)).await.status, StatusCode::CREATED);
    add(&provider, &access_token, &text(501)).await.assert_error(422, "too_long");
    assert_eq!(add(&provider, &access_token, &text(10_000)).await.status, StatusCode::PAYLOAD_TOO_LARGE);

    let request = provider.http.post(provider.url("/notes")).bearer_auth(access_token.as_str().unwrap());
    provider.send(request.body(r#"{"text": "a"}"#)).await.assert_error(415, "unsupported_media_type");

    for _ in 3..100 {
        assert_eq!(add(&provider, &access_token, r#"{"text": "a"}"#).await.status, StatusCode::CREATED);
    }
    add(&provider, &access_token, r#"{"text": "a"}"#).await.assert_error(409, "too_many");
}
