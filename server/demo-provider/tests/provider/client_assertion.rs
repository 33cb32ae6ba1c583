//! Clients that sign who they are.

use aws_lc_rs::hmac;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    client_key::{ClientKey, encode},
    support::{Answer, CLIENT_ID, CLIENT_SECRET, CODE_VERIFIER, REDIRECT_URI, START, TestProvider},
};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn claims(provider: &TestProvider) -> Value {
    json!({ "iss": CLIENT_ID, "sub": CLIENT_ID, "aud": provider.config.issuer, "jti": "1", "iat": START, "exp": START + 60 })
}

async fn exchange(provider: &TestProvider, code: &str, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", CODE_VERIFIER),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    provider.post_form("/token", &[form.as_slice(), more].concat()).await
}

async fn with_key() -> (TestProvider, ClientKey) {
    let key = ClientKey::generate();
    let jwk = key.jwk();
    (TestProvider::start_with(|config| config.client_keys = vec![jwk]).await, key)
}

#[tokio::test]
async fn a_registered_key_proves_the_client_once_for_each_assertion() {
    let (provider, key) = with_key().await;
    let mut browser = provider.browser();
    for (jti, aud) in [("1", json!(provider.config.issuer)), ("2", json!([provider.url("/token"), "https://other.example"]))] {
        let code = browser.code(&[]).await;
        let mut claims = claims(&provider);
        claims["jti"] = jti.into();
        claims["aud"] = aud;
        let assertion = key.sign(&json!({ "alg": "ES256" }), &claims);
        assert_eq!(exchange(&provider, &code, &assertion, &[("client_id", CLIENT_ID)]).await.status, StatusCode::OK);
        exchange(&provider, &browser.code(&[]).await, &assertion, &[]).await.assert_error(401, "invalid_client");
    }
}

#[tokio::test]
async fn the_secret_proves_the_client_too() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let sign = |secret: &str, jti: &str| {
        let mut claims = claims(&provider);
        claims["jti"] = jti.into();
        let message = format!("{}.{}", encode(br#"{"alg":"HS256"}"#), encode(claims.to_string().as_bytes()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_bytes());
        format!("{message}.{}", encode(tag.as_ref()))
    };
    let code = browser.code(&[]).await;
    exchange(&provider, &code, &sign("another secret", "1"), &[]).await.assert_error(401, "invalid_client");
    assert_eq!(exchange(&provider, &code, &sign(CLIENT_SECRET, "1"), &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_assertion_that_does_not_hold_is_refused_and_uses_no_code_up() {
    let (provider, key) = with_key().await;
    let code = provider.browser().code(&[]).await;
    for (name, value) in [
        ("iss", json!("other")),
        ("sub", json!("other")),
        ("aud", json!("https://other.example")),
        ("aud", json!(null)),
        ("exp", json!(START)),
        ("exp", json!(START + 3601)),
        ("exp", json!(null)),
        ("iat", json!(START + 61)),
        ("nbf", json!(START + 61)),
        ("jti", json!(null)),
        ("jti", json!("")),
    ] {
        let mut claims = claims(&provider);
        claims[name] = value.clone();
        let assertion = key.sign(&json!({ "alg": "ES256" }), &claims);
        let answer = exchange(&provider, &code, &assertion, &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}: {value}");
    }
    let claims = claims(&provider);
    for assertion in [
        ClientKey::generate().sign(&json!({ "alg": "ES256" }), &claims),
        key.sign(&json!({ "alg": "none" }), &claims),
        key.sign(&json!({ "alg": "ES256", "crit": ["x"] }), &claims),
        "rubbish".to_owned(),
    ] {
        exchange(&provider, &code, &assertion, &[]).await.assert_error(401, "invalid_client");
    }
    let assertion = key.sign(&json!({ "alg": "ES256" }), &claims);
    exchange(&provider, &code, &assertion, &[("client_id", "other")]).await.assert_error(401, "invalid_client");
    exchange(&provider, &code, &assertion, &[("client_secret", CLIENT_SECRET)]).await.assert_error(400, "invalid_request");
    assert_eq!(exchange(&provider, &code, &assertion, &[]).await.status, StatusCode::OK);
}
