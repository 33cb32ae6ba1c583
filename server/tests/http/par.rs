//! Requests that go to the provider before the browser does (RFC 9126), and signed ones (RFC 9101).

use crate::support::{Endpoint, Reply, StandInProvider, TestApp, start_login};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey},
};
use axum::http::Method;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use oauth2flow::state::MAXIMUM_PUSHES;
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

async fn provider_with_endpoint() -> StandInProvider {
    let provider = StandInProvider::start().await;
    let endpoint = format!("{}/par", provider.issuer());
    provider.edit_metadata(move |metadata| metadata["pushed_authorization_request_endpoint"] = endpoint.as_str().into());
    provider
}

fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_provider_that_offers_it_is_asked_first_and_the_browser_carries_a_name_only() {
    let provider = provider_with_endpoint().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let url = start_login(&browser, "alpha", "/account").await;
    let pushed = provider.only(Endpoint::PushedRequest);
    let sent = query(&url);
    assert_eq!(sent.len(), 2, "{url}");
    assert_eq!(sent["client_id"], StandInProvider::CLIENT_ID);
    assert!(sent["request_uri"].starts_with("urn:ietf:params:oauth:request_uri:"));
    assert_eq!(pushed.form("response_type").unwrap(), "code");
    assert_eq!(pushed.form("redirect_uri").unwrap(), format!("{}/callback", app.origin()));
    assert_eq!(pushed.form("code_challenge_method").unwrap(), "S256");
    assert!(pushed.header("authorization").unwrap().starts_with("Basic "));
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(pushed.form(name).unwrap().len(), 43, "{name}");
    }
    browser.finish(&provider.authorize(&url)).await.assert_status(200);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn the_configuration_may_do_without() {
    let provider = provider_with_endpoint().await;
    let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.par", "never").start().await;
    let browser = app.browser();
    let url = start_login(&browser, "alpha", "/").await;
    assert!(query(&url).contains_key("code_challenge"));
    assert_eq!(provider.count(Endpoint::PushedRequest), 0);
}

#[tokio::test]
async fn a_push_that_fails_is_a_problem_and_no_login_begins() {
    for (reply, status, code) in [
        (Reply::json(400, &json!({ "error": "invalid_request" })), 502, "provider_misconfigured"),
        (Reply::json(401, &json!({ "error": "invalid_client" })), 502, "provider_misconfigured"),
        (Reply::json(400, &json!({ "error": "something_else" })), 502, "provider_refused"),
        (Reply::html(503), 502, "provider_unavailable"),
        (Reply::html(201), 502, "provider_invalid_response"),
        (Reply::json(201, &json!({ "expires_in": 60 })), 502, "provider_invalid_response"),
        (Reply::redirect(302, "https://elsewhere.example"), 502, "provider_invalid_response"),
    ] {
        let provider = provider_with_endpoint().await;
        provider.replace(Endpoint::PushedRequest, reply);
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        let answer = browser.call(Method::GET, "/api/v1/oauth/login").header("sec-fetch-mode", "navigate").send().await;
        answer.assert_problem(status, code);
        assert!(answer.begins_nothing(), "{:?}", answer.set_cookies());
        browser.navigate("/api/v1/oauth/login").send().await.assert_problem_page(code);
        assert!(browser.transactions().is_empty() && browser.session_cookie().is_none());
    }
}

#[tokio::test]
async fn what_is_demanded_and_not_offered_is_a_matter_of_configuration() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.par", "always").start().await;
    app.browser().navigate("/api/v1/oauth/login").send().await.assert_problem_page("provider_misconfigured");
}

#[tokio::test]
async fn a_picture_or_a_script_pushes_nothing() {
    let provider = provider_with_endpoint().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let image = browser.request(Method::GET, "/api/v1/oauth/login").header("sec-fetch-mode", "no-cors");
    image.send().await.assert_problem(401, "unauthenticated");
    assert_eq!(provider.count(Endpoint::PushedRequest), 0);
}

#[tokio::test]
async fn nobody_pushes_by_only_looking() {
    let provider = provider_with_endpoint().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.request(Method::HEAD, "/api/v1/oauth/login").send().await.assert_status(204);
    browser.navigate("/api/v1/oauth/login").header("sec-purpose", "prefetch;prerender").send().await.assert_status(204);
    assert!(browser.cookies().is_empty());
    assert_eq!(provider.count(Endpoint::PushedRequest), 0);
}

#[tokio::test]
async fn c_transaction_flood_of_starts_does_not_flood_the_provider() {
    let provider = provider_with_endpoint().await;
    let app = TestApp::with_provider(&provider).await;
    let gate = provider.hold(Endpoint::PushedRequest);
    let starts: Vec<_> = (0..MAXIMUM_PUSHES)
        .map(|_| {
            let browser = app.browser();
            tokio::spawn(async move {
                browser.navigate("/api/v1/oauth/login").send().await.assert_status(303);
            })
        })
        .collect();
    gate.arrived_times(MAXIMUM_PUSHES).await;
    let browser = app.browser();
    browser.navigate("/api/v1/oauth/login").send().await.assert_problem_page("provider_unavailable");
    assert_eq!(provider.count(Endpoint::PushedRequest), MAXIMUM_PUSHES);

    // Nobody stays locked out.
    gate.release();
    for start in starts {
        start.await.unwrap();
    }
    start_login(&browser, "alpha", "/").await;
}

/// A private key as operators have it, and its public point.
fn private_key() -> (String, Vec<u8>) {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
    let body: Vec<_> =
        STANDARD.encode(document.as_ref()).as_bytes().chunks(64).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", body.join("\n"));
    (pem, aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref().to_vec())
}

#[tokio::test]
async fn a_signed_request_holds_everything_and_its_key_is_published() {
    let (pem, public_key) = private_key();
    let provider = StandInProvider::start().await;
    let app = TestApp::builder()
        .openid("alpha", &provider)
        .set("providers.alpha.request_object", "true")
        .variable("OAUTH2FLOW_PROVIDERS_ALPHA_PRIVATE_KEY", pem)
        .start()
        .await;
    let browser = app.browser();
    let sent = query(&start_login(&browser, "alpha", "/").await);
    let parts: Vec<_> = sent["request"].split('.').collect();
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (header, claims) = (read(parts[0]), read(parts[1]));
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("ES256"), Some("oauth-authz-req+jwt")));
    assert_eq!(claims["redirect_uri"], format!("{}/callback", app.origin()));
    assert_eq!(claims["client_id"], StandInProvider::CLIENT_ID);
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(claims[name].as_str().unwrap().len(), 43, "{name}");
        assert!(!sent.contains_key(name), "{name} is not beside it as well");
    }
    let message = format!("{}.{}", parts[0], parts[1]);
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &public_key).verify(message.as_bytes(), &signature).unwrap();

    let keys = browser.request(Method::GET, "/api/v1/oauth/jwks.json").send().await.assert_status(200).json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1, "{keys}");
    let key = &keys["keys"][0];
    assert_eq!(key["kid"], header["kid"]);
    assert_eq!(key["x"], URL_SAFE_NO_PAD.encode(&public_key[1..33]));
    assert_eq!(key["y"], URL_SAFE_NO_PAD.encode(&public_key[33..]));
    assert_eq!(key["d"], Value::Null);
}

#[tokio::test]
async fn without_a_key_of_its_own_the_client_publishes_an_empty_set() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let answer = app.browser().request(Method::GET, "/api/v1/oauth/jwks.json").send().await;
    assert_eq!(answer.assert_status(200).json(), json!({ "keys": [] }));
}
