//! Signing keys: every algorithm, and a new one now and then.

use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use oauth2flow_demo_provider::SigningAlgorithm;
use reqwest::Method;

use crate::support::{CLIENT_ID, TestProvider};

#[tokio::test]
async fn id_tokens_are_signed_with_any_algorithm() {
    for algorithm in SigningAlgorithm::ALL {
        let provider = TestProvider::start_with(|config| config.signing_algorithm = algorithm).await;
        let tokens = provider.tokens("openid").await;
        let (header, claims) = provider.claims(tokens["id_token"].as_str().unwrap()).await;
        assert_eq!(format!("{:?}", header.alg), algorithm.name());
        let hash = match algorithm.name().get(2..) {
            Some("256") => &SHA256,
            Some("384") => &SHA384,
            _ => &SHA512,
        };
        let hash = digest(hash, tokens["access_token"].as_str().unwrap().as_bytes());
        let left_half = &hash.as_ref()[..hash.as_ref().len() / 2];
        assert_eq!(claims["at_hash"], crate::client_key::encode(left_half), "{algorithm:?}");
        let metadata = provider.get("/.well-known/openid-configuration").await.json();
        assert_eq!(metadata["id_token_signing_alg_values_supported"], serde_json::json!([algorithm.name()]));
    }
}

#[tokio::test]
async fn a_new_key_signs_and_the_old_one_stays_for_a_while() {
    let provider = TestProvider::start().await;
    let first = provider.tokens("openid").await["id_token"].clone();
    provider.provider.rotate_signing_key().await.unwrap();
    let second = provider.tokens("openid").await["id_token"].clone();
    let (old, _) = provider.claims(first.as_str().unwrap()).await;
    let (new, _) = provider.claims(second.as_str().unwrap()).await;
    assert_ne!(old.kid, new.kid);
    provider.provider.rotate_signing_key().await.unwrap();
    let keys = provider.get("/jwks").await.json();
    let kids: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids.len(), 2);
    assert!(kids.contains(&new.kid.unwrap().as_str()) && !kids.contains(&old.kid.unwrap().as_str()));
}

#[tokio::test]
async fn userinfo_is_signed_when_the_registration_says_so() {
    let provider = TestProvider::start_with(|config| {
        config.signed_userinfo = true;
        config.signing_algorithm = SigningAlgorithm::Es256;
    })
    .await;
    let tokens = provider.tokens("openid email").await;
    let answer = provider.call(Method::GET, "/userinfo", &tokens["access_token"]).await;
    assert_eq!(answer.header("content-type"), "application/jwt");
    let (_, claims) = provider.claims(&answer.body).await;
    assert_eq!(claims["iss"], provider.config.issuer);
    assert_eq!(claims["aud"], CLIENT_ID);
    assert_eq!(claims["email"], "alice@example.com");
}
