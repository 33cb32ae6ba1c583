//! The ID token and what comes with it: the conformance cases of the OpenID Foundation by their names, and some more.

use crate::support::{Answer, Browser, Endpoint, Reply, SigningKey, StandInProvider, TestApp, sign_with_secret, start_login, unsigned};
use serde_json::{Value, json};

async fn sign_in(provider: &StandInProvider) -> (TestApp, Browser, Answer) {
    let app = TestApp::with_provider(provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let answer = browser.finish(&callback).await;
    (app, browser, answer)
}

/// The login fails, nobody is signed in, and the tokens that came with the ID token are not used.
async fn assert_refused(provider: &StandInProvider, case: &str) {
    let (_app, browser, answer) = sign_in(provider).await;
    assert_eq!(answer.json()["code"], "id_token_invalid", "{case}: {}", answer.text());
    answer.assert_problem(502, "id_token_invalid");
    assert!(!browser.is_signed_in().await, "{case}");
    assert_eq!(provider.count(Endpoint::UserInfo), 0, "{case}");
}

async fn assert_accepted(provider: &StandInProvider) {
    let (_app, browser, answer) = sign_in(provider).await;
    answer.assert_status(200);
    assert!(browser.is_signed_in().await);
}

fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}

#[tokio::test]
async fn a24_to_a29_claims_that_do_not_hold_are_refused_and_the_tokens_are_not_used() {
    type Edit = fn(&mut Value);
    let cases: [(&str, Edit); 24] = [
        ("invalid-iss", |claims| claims["iss"] = format!("{}/", claims["iss"].as_str().unwrap()).into()),
        ("missing-iss", |claims| remove(claims, "iss")),
        ("missing-sub", |claims| remove(claims, "sub")),
        ("empty-sub", |claims| claims["sub"] = "".into()),
        ("long-sub", |claims| claims["sub"] = "x".repeat(256).into()),
        ("sub-is-a-number", |claims| claims["sub"] = 1.into()),
        ("invalid-aud", |claims| claims["aud"] = "another-client".into()),
        ("missing-aud", |claims| remove(claims, "aud")),
        ("invalid-secondary-aud", |claims| {
            claims["azp"] = claims["aud"].clone();
            claims["aud"] = json!([claims["aud"], "another-client"]);
        }),
        ("missing-iat", |claims| remove(claims, "iat")),
        ("missing-exp", |claims| remove(claims, "exp")),
        ("expired-exp", |claims| claims["exp"] = (claims["iat"].as_i64().unwrap() - 61).into()),
        ("exp-is-text", |claims| claims["exp"] = "tomorrow".into()),
        ("iat-in-the-future", |claims| claims["iat"] = (claims["iat"].as_i64().unwrap() + 3600).into()),
        ("nbf-in-the-future", |claims| claims["nbf"] = (claims["iat"].as_i64().unwrap() + 3600).into()),
        ("nonce-invalid", |claims| claims["nonce"] = "another".into()),
        ("missing-nonce", |claims| remove(claims, "nonce")),
        ("nonce-is-an-array", |claims| claims["nonce"] = json!([claims["nonce"]])),
        ("azp-of-another-client", |claims| claims["azp"] = "another-client".into()),
        ("invalid-at-hash", |claims| claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA".into()),
        ("empty-aud", |claims| claims["aud"] = json!([])),
        ("aud-is-an-object", |claims| claims["aud"] = json!({})),
        ("everything-missing", |claims| *claims = json!({})),
        ("logout-token", |claims| claims["events"] = json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
    ];
    for (case, edit) in cases {
        let provider = StandInProvider::start().await;
        provider.edit_claims(edit);
        assert_refused(&provider, case).await;
    }
}

#[tokio::test]
async fn a25_clocks_may_differ_by_a_minute() {
    for (name, offset) in [("exp", -59), ("iat", 60), ("nbf", 60)] {
        let provider = StandInProvider::start().await;
        provider.edit_claims(move |claims| claims[name] = (claims["iat"].as_i64().unwrap() + offset).into());
        assert_accepted(&provider).await;
    }
}

#[tokio::test]
async fn a28_a_signature_that_does_not_hold_is_refused() {
    let another = || SigningKey::es256("key-1");
    let provider = StandInProvider::start().await;
    provider.sign_with_unpublished(another());
    assert_refused(&provider, "invalid-sig-es256").await;

    let provider = StandInProvider::with_key("alpha", SigningKey::rs256("key-1")).await;
    provider.sign_with_unpublished(SigningKey::rs256("key-1"));
    assert_refused(&provider, "invalid-sig-rs256").await;

    let provider = StandInProvider::start().await;
    provider.forge_id_token(|key, header, claims| {
        let token = key.sign(&header, &claims);
        let mut parts = token.split('.');
        let (header, signature) = (parts.next().unwrap(), parts.nth(1).unwrap());
        let altered = unsigned(&json!({}), &json!({ "sub": "somebody-else" }));
        format!("{header}.{}.{signature}", altered.split('.').nth(1).unwrap())
    });
    assert_refused(&provider, "payload-altered").await;
}

#[tokio::test]
async fn a28_the_algorithm_is_pinned() {
    for name in ["none", "NONE", "None", "nOnE"] {
        let provider = StandInProvider::start().await;
        provider.forge_id_token(move |_, _, claims| unsigned(&json!({ "alg": name }), &claims));
        assert_refused(&provider, "idtoken-sig-none").await;
    }
    // RS256 with a key that is published, from a provider that says it signs with ES256 only.
    let provider = StandInProvider::start().await;
    let rsa = SigningKey::rs256("key-2");
    provider.publish(vec![provider.public_key(), rsa.public()]);
    provider.forge_id_token(move |_, _, claims| rsa.sign(&rsa.header(), &claims));
    assert_refused(&provider, "alternate-alg").await;

    let provider = StandInProvider::start().await;
    provider.edit_header(|header| remove(header, "alg"));
    assert_refused(&provider, "no-alg").await;
}

#[tokio::test]
async fn a28_no_secret_signs_an_id_token() {
    let provider = StandInProvider::start().await;
    provider.edit_metadata(|metadata| metadata["id_token_signing_alg_values_supported"] = json!(["ES256", "HS256", "none"]));
    provider.forge_id_token(|_, _, claims| {
        sign_with_secret(StandInProvider::CLIENT_SECRET.as_bytes(), &json!({ "alg": "HS256", "kid": "key-1" }), &claims)
    });
    assert_refused(&provider, "invalid-sig-hs256").await;
}

#[tokio::test]
async fn a28_an_unknown_extension_is_refused() {
    let provider = StandInProvider::start().await;
    provider.edit_header(|header| {
        header["crit"] = json!(["exp"]);
        header["exp"] = 1.into();
    });
    assert_refused(&provider, "crit").await;
}

#[tokio::test]
async fn a_token_answer_without_an_id_token_is_refused() {
    let provider = StandInProvider::start().await;
    provider.edit_tokens(|tokens| remove(tokens, "id_token"));
    assert_refused(&provider, "no ID token").await;
    for rubbish in ["x", "a.b", "a.b.c", "a.b.c.d.e", "..", "e30.e30.e30"] {
        let provider = StandInProvider::start().await;
        provider.edit_tokens(move |tokens| tokens["id_token"] = rubbish.into());
        assert_refused(&provider, rubbish).await;
    }
}

#[tokio::test]
async fn the_conformance_cases_to_accept_are_accepted() {
    // idtoken-sig-rs256
    assert_accepted(&StandInProvider::with_key("alpha", SigningKey::rs256("key-1")).await).await;
    // kid-absent-single-jwks
    let provider = StandInProvider::start().await;
    provider.edit_header(|header| remove(header, "kid"));
    assert_accepted(&provider).await;
    // aud-as-array
    let provider = StandInProvider::start().await;
    provider.edit_claims(|claims| claims["aud"] = json!([claims["aud"]]));
    assert_accepted(&provider).await;
    // at_hash is optional in the code flow
    let provider = StandInProvider::start().await;
    provider.edit_claims(|claims| remove(claims, "at_hash"));
    assert_accepted(&provider).await;
}

#[tokio::test]
async fn a30_a_userinfo_of_somebody_else_fails_the_login() {
    for sub in [json!("user-2"), json!(1), Value::Null] {
        let provider = StandInProvider::start().await;
        provider.edit_userinfo(move |user| user["sub"] = sub.clone());
        let (_app, browser, answer) = sign_in(&provider).await;
        answer.assert_problem(502, "provider_invalid_response");
        assert!(!browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a30_the_userinfo_is_asked_for_with_the_token_in_the_header() {
    let provider = StandInProvider::start().await;
    assert_accepted(&provider).await;
    let request = provider.only(Endpoint::UserInfo);
    assert!(request.header("authorization").unwrap().starts_with("Bearer sentinel-access-alpha-"));
    assert_eq!(request.uri.query(), None);
}

#[tokio::test]
async fn a_userinfo_that_cannot_be_had_fails_the_login() {
    for (reply, code) in [
        (Reply::html(200), "provider_invalid_response"),
        (Reply::json(401, &json!({})), "provider_invalid_response"),
        (Reply::json(500, &json!({})), "provider_unavailable"),
        (Reply::redirect(302, "https://evil.example/"), "provider_invalid_response"),
    ] {
        let provider = StandInProvider::start().await;
        provider.replace(Endpoint::UserInfo, reply);
        let (_app, browser, answer) = sign_in(&provider).await;
        answer.assert_problem(502, code);
        assert!(!browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a31_after_a_rotation_the_keys_are_fetched_once_more() {
    let provider = StandInProvider::start().await;
    let (app, browser, answer) = sign_in(&provider).await;
    answer.assert_status(200);
    assert_eq!(provider.count(Endpoint::Keys), 1);
    provider.rotate_key(SigningKey::es256("key-2"));
    app.clock.advance_seconds(31);
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_status(200);
    assert_eq!(provider.count(Endpoint::Keys), 2);
    // From now on the new keys are known.
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_status(200);
    assert_eq!(provider.count(Endpoint::Keys), 2);
}

#[tokio::test]
async fn a31_a_rotation_that_keeps_the_keys_nameless_is_followed_too() {
    let provider = StandInProvider::start().await;
    provider.edit_header(|header| remove(header, "kid"));
    let (app, browser, answer) = sign_in(&provider).await;
    answer.assert_status(200);
    provider.rotate_key(SigningKey::es256("key-1"));
    app.clock.advance_seconds(31);
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_status(200);
    assert_eq!(provider.count(Endpoint::Keys), 2);
}

#[tokio::test]
async fn a31_keys_are_kept_for_ten_minutes() {
    let provider = StandInProvider::start().await;
    let (app, browser, answer) = sign_in(&provider).await;
    answer.assert_status(200);
    app.clock.advance_seconds(599);
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_status(200);
    assert_eq!(provider.count(Endpoint::Keys), 1);
    app.clock.advance_seconds(1);
    let gate = provider.hold(Endpoint::Keys);
    gate.release();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_status(200);
    gate.arrived().await;
    assert_eq!(provider.count(Endpoint::Keys), 2);
}
