//! A forger chooses the algorithm, or brings the key along (RFC 8725 §2.1).

use crate::support::{Endpoint, SigningKey, StandInProvider, TestApp, Upstream, sign_with_secret, start_login};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

async fn assert_refused(provider: &StandInProvider) {
    let app = TestApp::with_provider(provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_problem(502, "id_token_invalid");
    assert!(!browser.is_signed_in().await);
    assert_eq!(provider.count(Endpoint::UserInfo), 0);
}

/// What an attacker might take for the key of the HMAC: whatever of the public key is public.
fn public_forms(key: &Value) -> Vec<Vec<u8>> {
    let modulus = key["n"].as_str().unwrap();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(modulus));
    vec![pem.into_bytes(), modulus.as_bytes().to_vec(), key.to_string().into_bytes(), Vec::new()]
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let public = SigningKey::rs256("key-1");
    for (index, name) in [(0, "HS256"), (1, "HS256"), (2, "hs256"), (3, "HS512")] {
        let provider = StandInProvider::with_key("alpha", SigningKey::rs256("key-1")).await;
        let secret = public_forms(&public.public())[index].clone();
        provider.publish(vec![public.public()]);
        provider.forge_id_token(move |_, mut header, claims| {
            header["alg"] = name.into();
            sign_with_secret(&secret, &header, &claims)
        });
        assert_refused(&provider).await;
    }
}

#[tokio::test]
async fn a_key_in_the_header_is_not_looked_at() {
    let attacker = Upstream::start().await;
    for name in ["jwk", "jku", "x5c", "x5u"] {
        let provider = StandInProvider::start().await;
        let key = SigningKey::es256("key-1");
        let value = match name {
            "jwk" => key.public(),
            "x5c" => json!(["AAAA"]),
            _ => format!("{}/key", attacker.origin()).into(),
        };
        provider.forge_id_token(move |_, mut header, claims| {
            header[name] = value.clone();
            key.sign(&header, &claims)
        });
        assert_refused(&provider).await;
    }
    assert_eq!(attacker.count(), 0);
}

#[tokio::test]
async fn a_key_for_encryption_signs_nothing() {
    let provider = StandInProvider::start().await;
    let mut key = provider.public_key();
    key["use"] = "enc".into();
    provider.publish(vec![key]);
    assert_refused(&provider).await;
}

#[tokio::test]
async fn a_key_whose_private_half_is_published_is_not_trusted() {
    let provider = StandInProvider::start().await;
    let mut key = provider.public_key();
    key["d"] = "AAAA".into();
    provider.publish(vec![key]);
    assert_refused(&provider).await;
}
