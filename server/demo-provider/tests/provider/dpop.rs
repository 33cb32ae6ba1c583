//! Tokens that are bound to a key (RFC 9449).

use aws_lc_rs::digest::{SHA256, digest};
use oauth2flow_demo_provider::Offer;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    client_key::{ClientKey, encode},
    support::{ALL_SCOPES, Answer, CLIENT_ID, CLIENT_SECRET, CODE_VERIFIER, REDIRECT_URI, START, TestProvider, basic, encode as form},
};

async fn post(provider: &TestProvider, fields: &[(&str, &str)], proof: Option<&str>) -> Answer {
    let request = provider.http.post(provider.url("/token")).header("authorization", basic(CLIENT_ID, CLIENT_SECRET));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form(fields));
    provider.send(proof.into_iter().fold(request, |request, proof| request.header("dpop", proof))).await
}

async fn exchange(provider: &TestProvider, code: &str, proof: &str) -> Answer {
    let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT_URI), ("code_verifier", CODE_VERIFIER)];
    post(provider, &fields, Some(proof).filter(|proof| !proof.is_empty())).await
}

fn token_proof(provider: &TestProvider, jti: &str) -> Value {
    json!({ "htm": "POST", "htu": provider.url("/token"), "iat": START, "jti": jti })
}

fn call_proof(provider: &TestProvider, jti: &str, access_token: &Value) -> Value {
    let ath = encode(digest(&SHA256, access_token.as_str().unwrap().as_bytes()).as_ref());
    json!({ "htm": "GET", "htu": provider.url("/notes"), "iat": START, "jti": jti, "ath": ath })
}

async fn call(provider: &TestProvider, scheme: &str, access_token: &Value, proof: Option<&str>) -> Answer {
    let request = provider.http.get(provider.url("/notes?page=1"));
    let request = request.header("authorization", format!("{scheme} {}", access_token.as_str().unwrap()));
    provider.send(proof.into_iter().fold(request, |request, proof| request.header("dpop", proof))).await
}

#[tokio::test]
async fn a_bound_token_works_with_its_key_and_with_no_other() {
    let provider = TestProvider::start().await;
    let key = ClientKey::generate();
    let code = provider.browser().code(&[("scope", ALL_SCOPES), ("dpop_jkt", &key.thumbprint())]).await;
    let tokens = exchange(&provider, &code, &key.proof(&token_proof(&provider, "1"))).await.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let access_token = &tokens["access_token"];
    let proof = key.proof(&call_proof(&provider, "2", access_token));
    assert_eq!(call(&provider, "DPoP", access_token, Some(&proof)).await.status, StatusCode::OK);
    call(&provider, "DPoP", access_token, Some(&proof)).await.assert_error(401, "invalid_dpop_proof");
    call(&provider, "DPoP", access_token, None).await.assert_error(401, "invalid_dpop_proof");
    call(&provider, "Bearer", access_token, None).await.assert_error(401, "invalid_token");
    let stolen = ClientKey::generate().proof(&call_proof(&provider, "3", access_token));
    let answer = call(&provider, "DPoP", access_token, Some(&stolen)).await;
    answer.assert_error(401, "invalid_token");
    for (name, value) in [("htm", "POST"), ("htu", "http://other.example/notes"), ("ath", "AAAA")] {
        let mut claims = call_proof(&provider, name, access_token);
        claims[name] = value.into();
        let answer = call(&provider, "DPoP", access_token, Some(&key.proof(&claims))).await;
        answer.assert_error(401, "invalid_dpop_proof");
        assert!(answer.header("www-authenticate").starts_with("DPoP "), "{}", answer.header("www-authenticate"));
    }
}

#[tokio::test]
async fn a_refreshed_token_is_bound_to_the_key_of_the_refresh() {
    let provider = TestProvider::start().await;
    let key = ClientKey::generate();
    let code = provider.browser().code(&[("scope", ALL_SCOPES)]).await;
    let tokens = exchange(&provider, &code, &key.proof(&token_proof(&provider, "1"))).await.json();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    let refreshed = post(&provider, &fields, Some(&key.proof(&token_proof(&provider, "2")))).await.json();
    assert_eq!(refreshed["token_type"], "DPoP");
    let proof = key.proof(&call_proof(&provider, "3", &refreshed["access_token"]));
    assert_eq!(call(&provider, "DPoP", &refreshed["access_token"], Some(&proof)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_proof_that_is_none_uses_no_code_up() {
    let provider = TestProvider::start().await;
    let key = ClientKey::generate();
    let code = provider.browser().code(&[]).await;
    for (name, value) in [
        ("htm", json!("GET")),
        ("htu", json!(provider.url("/notes"))),
        ("htu", json!(null)),
        ("iat", json!(START - 301)),
        ("iat", json!(START + 301)),
        ("iat", json!(null)),
        ("ath", json!("AAAA")),
        ("jti", json!(null)),
    ] {
        let mut claims = token_proof(&provider, "1");
        claims[name] = value.clone();
        let answer = exchange(&provider, &code, &key.proof(&claims)).await;
        assert_eq!(answer.json()["error"], "invalid_dpop_proof", "{name}: {value}");
    }
    let claims = token_proof(&provider, "2");
    let mut private = key.jwk();
    private["d"] = "AAAA".into();
    for header in [
        json!({ "typ": "JWT", "alg": "ES256", "jwk": key.jwk() }),
        json!({ "typ": "dpop+jwt", "alg": "none", "jwk": key.jwk() }),
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": private }),
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": ClientKey::generate().jwk() }),
        json!({ "typ": "dpop+jwt", "alg": "ES256" }),
    ] {
        exchange(&provider, &code, &key.sign(&header, &claims)).await.assert_error(400, "invalid_dpop_proof");
    }
    exchange(&provider, &code, "rubbish").await.assert_error(400, "invalid_dpop_proof");
    assert_eq!(exchange(&provider, &code, &key.proof(&claims)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn another_key_than_that_of_the_authorization_request_is_refused() {
    let provider = TestProvider::start().await;
    let (key, other) = (ClientKey::generate(), ClientKey::generate());
    let mut browser = provider.browser();
    for proof in [other.proof(&token_proof(&provider, "1")), String::new()] {
        let code = browser.code(&[("dpop_jkt", &key.thumbprint())]).await;
        exchange(&provider, &code, &proof).await.assert_error(400, "invalid_dpop_proof");
    }
}

#[tokio::test]
async fn a_nonce_is_demanded_and_then_accepted() {
    let provider = TestProvider::start_with(|config| {
        config.dpop = Offer::Required;
        config.dpop_nonces = true;
    })
    .await;
    let key = ClientKey::generate();
    let code = provider.browser().code(&[("scope", ALL_SCOPES)]).await;
    exchange(&provider, &code, "").await.assert_error(400, "invalid_dpop_proof");
    let with_nonce = |mut claims: Value, nonce: &str| {
        claims["nonce"] = nonce.into();
        key.proof(&claims)
    };
    for nonce in ["", "guessed", "9999999999.guessed"] {
        exchange(&provider, &code, &with_nonce(token_proof(&provider, "1"), nonce)).await.assert_error(400, "use_dpop_nonce");
    }
    let answer = exchange(&provider, &code, &key.proof(&token_proof(&provider, "1"))).await;
    answer.assert_error(400, "use_dpop_nonce");
    let nonce = answer.header("dpop-nonce").to_owned();
    let tokens = exchange(&provider, &code, &with_nonce(token_proof(&provider, "1"), &nonce)).await.json();
    let access_token = &tokens["access_token"];

    let answer = call(&provider, "DPoP", access_token, Some(&key.proof(&call_proof(&provider, "2", access_token)))).await;
    answer.assert_error(401, "use_dpop_nonce");
    let nonce = answer.header("dpop-nonce").to_owned();
    let proof = with_nonce(call_proof(&provider, "2", access_token), &nonce);
    assert_eq!(call(&provider, "DPoP", access_token, Some(&proof)).await.status, StatusCode::OK);

    provider.advance(300);
    let mut late = call_proof(&provider, "3", access_token);
    late["iat"] = (START + 300).into();
    // The access token lives as long as the nonce, so a new one is needed for both.
    assert_eq!(call(&provider, "DPoP", access_token, Some(&with_nonce(late, &nonce))).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_a_proof_tokens_are_bearer_tokens() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    assert_eq!(tokens["token_type"], "Bearer");
    let proof = ClientKey::generate().proof(&call_proof(&provider, "1", &tokens["access_token"]));
    call(&provider, "DPoP", &tokens["access_token"], Some(&proof)).await.assert_error(401, "invalid_token");
}
