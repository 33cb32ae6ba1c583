//! Signed authorization requests (RFC 9101).

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    client_key::ClientKey,
    support::{CLIENT_ID, CODE_CHALLENGE, REDIRECT_URI, START, TestProvider, authorization_path, encode, is_login},
};

fn claims(provider: &TestProvider) -> Value {
    json!({
        "iss": CLIENT_ID, "aud": provider.config.issuer, "exp": START + 60, "iat": START, "client_id": CLIENT_ID,
        "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "openid", "state": "signed state", "nonce": "signed nonce",
        "code_challenge": CODE_CHALLENGE, "code_challenge_method": "S256", "max_age": 60,
    })
}

fn path(object: &str) -> String {
    format!("/authorize?{}", encode(&[("client_id", CLIENT_ID), ("request", object), ("redirect_uri", REDIRECT_URI), ("state", "plain")]))
}

fn header() -> Value {
    json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" })
}

async fn with_key(require: bool) -> (TestProvider, ClientKey) {
    let key = ClientKey::generate();
    let jwk = key.jwk();
    let provider = TestProvider::start_with(|config| {
        config.client_keys = vec![jwk];
        config.require_signed_requests = require;
    });
    (provider.await, key)
}

#[tokio::test]
async fn nothing_but_what_is_signed_counts() {
    let (provider, key) = with_key(true).await;
    let mut browser = provider.browser();
    let page = browser.visit(&path(&key.sign(&header(), &claims(&provider)))).await;
    assert!(is_login(&page), "{}", page.body);
    let page = browser.log_in(&page, "alice", "demo").await;
    let parameters = browser.decide(&page, "allow").await.response_parameters();
    assert_eq!(parameters["state"], "signed state");
    let tokens = provider.exchange(&parameters["code"]).await.json();
    assert_eq!(provider.claims(tokens["id_token"].as_str().unwrap()).await.1["nonce"], "signed nonce");
}

#[tokio::test]
async fn where_signing_is_required_a_plain_request_is_refused() {
    let (provider, _) = with_key(true).await;
    assert_eq!(provider.get(&authorization_path(&[])).await.response_parameters()["error"], "invalid_request");
    let metadata = provider.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["require_signed_request_object"], true);
}

#[tokio::test]
async fn a_request_object_that_does_not_hold_is_refused() {
    let (provider, key) = with_key(false).await;
    let mut objects = vec![
        "rubbish".to_owned(),
        ClientKey::generate().sign(&header(), &claims(&provider)),
        key.sign(&json!({ "alg": "none" }), &claims(&provider)),
        key.sign(&json!({ "alg": "ES256", "typ": "logout+jwt" }), &claims(&provider)),
    ];
    for (name, value) in [
        ("iss", json!("other")),
        ("aud", json!("https://other.example")),
        ("exp", json!(START)),
        ("exp", json!(null)),
        ("iat", json!(START + 61)),
        ("client_id", json!("other")),
        ("client_id", json!(null)),
        ("request", json!("e30.e30.")),
        ("request_uri", json!("https://evil.example/")),
    ] {
        let mut claims = claims(&provider);
        claims[name] = value;
        objects.push(key.sign(&header(), &claims));
    }
    for object in objects {
        let parameters = provider.get(&path(&object)).await.response_parameters();
        assert_eq!(parameters["error"], "invalid_request_object", "{object}");
        assert_eq!(parameters["state"], "plain");
    }
}

#[tokio::test]
async fn a_signed_redirect_uri_must_be_registered_too() {
    let (provider, key) = with_key(false).await;
    let mut claims = claims(&provider);
    claims["redirect_uri"] = "https://evil.example/".into();
    let answer = provider.get(&path(&key.sign(&header(), &claims))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(!answer.headers.contains_key("location"));
}
