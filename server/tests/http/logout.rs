//! Signing out, from either end.

use crate::support::{Connection, Endpoint, Initiator, SignIn as _, SigningKey, StandInProvider, TestApp, raw_head};
use axum::http::Method;
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use std::{collections::HashMap, pin::pin};

async fn signed_in() -> (StandInProvider, TestApp, crate::support::Browser) {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    (provider, app, browser)
}

/// Posts a logout token as the provider does: no cookies, no header, no origin.
async fn post_logout_token(app: &TestApp, provider: &str, token: &str) -> crate::support::Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", token).finish();
    let request = app.browser();
    let request = request.request(Method::POST, &format!("/api/v1/oauth/backchannel-logout/{provider}"));
    request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await
}

#[tokio::test]
async fn a42_the_refresh_token_is_revoked() {
    let (provider, _app, browser) = signed_in().await;
    let gate = provider.hold(Endpoint::Revocation);
    browser.log_out().await.assert_status(200);
    // The browser's answer did not wait for the provider.
    gate.arrived().await;
    let revocation = &provider.received(Endpoint::Revocation)[0];
    assert!(revocation.form("token").unwrap().starts_with("sentinel-refresh-alpha-"));
    assert_eq!(revocation.form("token_type_hint").unwrap(), "refresh_token");
    assert!(revocation.header("authorization").unwrap().starts_with("Basic "));
    gate.release();
}

#[tokio::test]
async fn a42_the_tokens_of_who_goes_away_during_the_sign_out_are_revoked_too() {
    let (provider, mut app, browser) = signed_in().await;
    // A server that has just started has to ask what the provider says of itself, and the sign-out waits for that.
    app.stop().await;
    app.start().await;
    let (metadata, revocation) = (provider.hold(Endpoint::Metadata), provider.hold(Endpoint::Revocation));
    let mut connection = Connection::open(&app).await;
    connection.send(raw_head(&app, &browser, "POST /api/v1/oauth/logout", "content-length: 0\r\n")).await;
    metadata.arrived().await;
    connection.go_away().await;
    assert_eq!(connection.rest().await, b"", "there is nobody to answer");
    metadata.release();
    revocation.arrived().await;
    revocation.release();
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a42_a_server_stops_when_the_tokens_are_revoked() {
    let (provider, mut app, browser) = signed_in().await;
    let revocation = provider.hold(Endpoint::Revocation);
    browser.log_out().await.assert_status(200);
    revocation.arrived().await;
    {
        let mut stopping = pin!(app.stop());
        // As far as it comes by itself.
        for _ in 0..10_000 {
            assert!(stopping.as_mut().now_or_never().is_none(), "the server has stopped too early");
            tokio::task::yield_now().await;
        }
        revocation.release();
        stopping.await;
    }
    assert_eq!(provider.count(Endpoint::Revocation), 2, "the refresh token, then the access token");
}

#[tokio::test]
async fn a43_the_end_session_address_has_the_hint_and_the_exact_way_back() {
    let (provider, app, browser) = signed_in().await;
    let out = browser.log_out().await;
    let redirect_to: url::Url = out.json()["redirect_to"].as_str().unwrap().parse().unwrap();
    assert!(redirect_to.as_str().starts_with(&format!("{}/logout?", provider.issuer())));
    let query: HashMap<_, _> = redirect_to.query_pairs().into_owned().collect();
    assert_eq!(query["post_logout_redirect_uri"], format!("{}/", app.origin()));
    assert_eq!(query["client_id"], StandInProvider::CLIENT_ID);
    assert_eq!(query["id_token_hint"].split('.').count(), 3);
}

#[tokio::test]
async fn a43_a_wrong_or_missing_state_on_the_way_back_still_ends_signed_out() {
    let (_provider, _app, browser) = signed_in().await;
    browser.log_out().await.assert_status(200);
    for address in ["/", "/?state=of-somebody-else"] {
        browser.navigate(address).from(Initiator::CrossSite).send().await.assert_status(200);
        assert!(!browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a43_signing_out_at_the_demo_provider_too_comes_back_without_a_question() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    browser.sign_in_with_demo(&app, "alice").await;
    let redirect_to = browser.log_out().await.json()["redirect_to"].as_str().unwrap().to_owned();
    let back = browser.navigate(&redirect_to).from(Initiator::CrossSite).send().await;
    back.assert_redirect(&format!("{}/", app.origin()));
}

#[tokio::test]
async fn a_provider_without_an_end_session_endpoint_is_left_alone() {
    let provider = StandInProvider::start().await;
    provider.edit_metadata(|metadata| {
        for name in ["end_session_endpoint", "revocation_endpoint"] {
            metadata.as_object_mut().unwrap().remove(name);
        }
    });
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    assert_eq!(browser.log_out().await.assert_status(200).json()["redirect_to"], Value::Null);
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a44_a_logout_at_the_demo_provider_ends_the_session_here() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    browser.sign_in_with_demo(&app, "alice").await;
    // The person signs out at the provider itself, which asks first, because nothing shows whose wish it is.
    let demo = app.demo_origin();
    let page = browser.navigate(&format!("{demo}/logout")).send().await.assert_status(200).text();
    let csrf = crate::support::between(&page, r#"name="csrf" value=""#, "\"");
    browser.submit(&format!("{demo}/logout/confirm"), &[("csrf", &csrf)]).send().await.assert_status(200);
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a44_a_logout_token_ends_the_session_that_it_names() {
    let (provider, app, browser) = signed_in().await;
    let answer = post_logout_token(&app, "alpha", &provider.logout_token("jti-1", |_, _| {})).await;
    answer.assert_status(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.body.is_empty());
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a44_by_sub_every_session_of_the_user_ends() {
    let (provider, app, browser) = signed_in().await;
    let other = app.browser();
    other.sign_in(&provider).await;
    let token = provider.logout_token("jti-1", |_, claims| {
        claims.as_object_mut().unwrap().remove("sid");
    });
    post_logout_token(&app, "alpha", &token).await.assert_status(200);
    assert!(!browser.is_signed_in().await);
    assert!(!other.is_signed_in().await);
}

#[tokio::test]
async fn a44_by_sid_the_other_sessions_live_on() {
    let (provider, app, browser) = signed_in().await;
    provider.edit_claims(|claims| claims["sid"] = "provider-session-2".into());
    let other = app.browser();
    other.sign_in(&provider).await;
    for (named, drop_sub) in [("provider-session-2", true), ("provider-session-unknown", false)] {
        let token = provider.logout_token(named, |_, claims| {
            claims["sid"] = named.into();
            if drop_sub {
                claims.as_object_mut().unwrap().remove("sub");
            }
        });
        post_logout_token(&app, "alpha", &token).await.assert_status(200);
    }
    assert!(browser.is_signed_in().await);
    assert!(!other.is_signed_in().await);
}

#[tokio::test]
async fn a44_a_logout_token_works_once() {
    let (provider, app, browser) = signed_in().await;
    let token = provider.logout_token("jti-1", |_, _| {});
    post_logout_token(&app, "alpha", &token).await.assert_status(200);
    browser.sign_in(&provider).await;
    post_logout_token(&app, "alpha", &token).await.assert_problem(400, "invalid_request");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a44_a_logout_token_that_does_not_hold_is_refused_and_ends_nothing() {
    type Edit = fn(&mut Value, &mut Value);
    let (provider, app, browser) = signed_in().await;
    let event = "http://schemas.openid.net/event/backchannel-logout";
    let cases: [(&str, Edit); 13] = [
        ("with-nonce", |_, claims| claims["nonce"] = "n".into()),
        ("wrong-aud", |_, claims| claims["aud"] = "another-client".into()),
        ("wrong-iss", |_, claims| claims["iss"] = "https://evil.example".into()),
        ("no-event", |_, claims| claims["events"] = json!({})),
        ("wrong-event", |_, claims| claims["events"] = json!({ "http://schemas.openid.net/event/other": {} })),
        ("event-is-no-object", |_, claims| claims["events"] = json!({ "http://schemas.openid.net/event/backchannel-logout": true })),
        ("no-jti", |_, claims| drop(claims.as_object_mut().unwrap().remove("jti"))),
        ("no-iat", |_, claims| drop(claims.as_object_mut().unwrap().remove("iat"))),
        ("no-exp", |_, claims| drop(claims.as_object_mut().unwrap().remove("exp"))),
        ("expired", |_, claims| claims["exp"] = 1.into()),
        ("neither-sub-nor-sid", |_, claims| {
            claims.as_object_mut().unwrap().retain(|name, _| name != "sub" && name != "sid");
        }),
        ("wrong-alg", |header, _| header["alg"] = "RS256".into()),
        ("wrong-typ", |header, _| header["typ"] = "at+jwt".into()),
    ];
    for (name, edit) in cases {
        let token = provider.logout_token(name, edit);
        post_logout_token(&app, "alpha", &token).await.assert_problem(400, "invalid_request");
        assert!(browser.is_signed_in().await, "{name}");
    }

    let claims = json!({ "iss": provider.issuer(), "aud": StandInProvider::CLIENT_ID, "iat": app.clock.seconds(),
        "exp": app.clock.seconds() + 60, "jti": "forged", "sub": StandInProvider::SUB, "events": { event: {} } });
    let forged = [
        crate::support::unsigned(&json!({ "alg": "none", "typ": "logout+jwt" }), &claims),
        crate::support::sign_with_secret(b"sentinel-client-secret", &json!({ "alg": "HS256", "kid": "key-1" }), &claims),
        SigningKey::es256("key-1").sign(&json!({ "alg": "ES256", "kid": "key-1" }), &claims),
        "no token at all".to_owned(),
        String::new(),
    ];
    for token in forged {
        post_logout_token(&app, "alpha", &token).await.assert_problem(400, "invalid_request");
        assert!(browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a44_a_logout_token_is_posted_once_as_a_form_to_a_known_provider() {
    let (provider, app, browser) = signed_in().await;
    let token = provider.logout_token("jti-1", |_, _| {});
    post_logout_token(&app, "unknown", &token).await.assert_problem(404, "unknown_provider");
    let address = "/api/v1/oauth/backchannel-logout/alpha";
    let twice = format!("logout_token={token}&logout_token={token}");
    let form = "application/x-www-form-urlencoded";
    let stranger = app.browser();
    let post = |content_type: &'static str, body: String| {
        stranger.request(Method::POST, address).header("content-type", content_type).body(body).send()
    };
    post(form, twice).await.assert_problem(400, "invalid_request");
    post(form, String::new()).await.assert_problem(400, "invalid_request");
    post("application/json", json!({ "logout_token": token }).to_string()).await.assert_problem(415, "unsupported_media_type");
    post(form, "x".repeat(17 * 1024)).await.assert_problem(413, "payload_too_large");
    stranger.request(Method::GET, address).send().await.assert_problem(405, "method_not_allowed");
    assert!(browser.is_signed_in().await);
}
