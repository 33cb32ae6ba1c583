//! What must not be printed. Each type that holds a secret is made with secrets that can be looked for.

use std::error::Error;
use std::fmt::Debug;

use oauth2flow_protocol::id_token::IdTokenExpectations;
use oauth2flow_protocol::logout::{self, TokenToRevoke};
use oauth2flow_protocol::provider::ClientAuth;
use oauth2flow_protocol::refresh::PendingRefresh;
use oauth2flow_protocol::{
    AccessToken, AuthorizationCode, AuthorizationResponse, ClientSecret, IdToken, Nonce, OutboundRequest, OutboundResponse, PkceVerifier,
    Provider, RefreshToken, Transaction, preset, refresh, userinfo,
};
use serde_json::{Value, json};

use crate::signing_key::{SigningKey, key_set};
use crate::support::{Login, assert_not_implemented, json_response, metadata, now, openid_provider, response, with_context};

/// Every secret of these tests has this in it.
const SENTINEL: &str = "S3NT1NEL";

fn secret(name: &str) -> String {
    format!("{SENTINEL}-{name}")
}

/// A login whose state, verifier and nonce are sentinels, of a client whose secret is one.
fn login() -> Login {
    let mut provider = openid_provider();
    provider.client_secret = Some(ClientSecret::new(secret("client-secret")));
    let login = Login::begin(provider, metadata());
    let mut plaintext: Value = serde_json::from_slice(&login.transaction.to_plaintext()).unwrap();
    for (member, name) in [("s", "state"), ("v", "verifier"), ("n", "nonce")] {
        plaintext[member] = json!(secret(name));
    }
    Login { transaction: Transaction::from_plaintext(plaintext.to_string().as_bytes()).unwrap(), ..login }
}

fn token_response() -> OutboundResponse {
    json_response(&json!({
        "access_token": secret("access-token"),
        "refresh_token": secret("refresh-token"),
        "id_token": secret("id-token"),
        "token_type": "Bearer",
    }))
}

fn refresh(login: &Login, refresh_token: &RefreshToken) -> (OutboundRequest, PendingRefresh) {
    with_context(1, |context| refresh::request(&login.provider, &login.metadata, refresh_token, &[], None, None, context)).unwrap()
}

fn assert_hidden(value: &impl Debug) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!text.is_empty());
        assert!(!text.contains(SENTINEL), "{text}");
    }
}

/// Neither the error nor anything that it is from says more than it should.
fn assert_error_hidden(error: &(dyn Error + 'static)) {
    let mut next = Some(error);
    while let Some(error) = next {
        assert!(!error.to_string().contains(SENTINEL), "{error}");
        assert_hidden(&error);
        next = error.source();
    }
}

#[test]
fn a20_the_sentinels_are_where_they_are_looked_for() {
    let login = login();

    assert_eq!(login.state(), "S3NT1NEL-state");
    assert_eq!(login.nonce(), "S3NT1NEL-nonce");
    let body = login.exchange().0.body.unwrap();
    assert!(body.contains("code_verifier=S3NT1NEL-verifier"), "{body}");
}

#[test]
fn a20_no_secret_string_prints_itself() {
    macro_rules! check {
        ($($type:ident),+) => {$(
            let value = $type::new(secret("value"));
            assert_eq!(format!("{value:?}"), concat!(stringify!($type), "([redacted])"));
            assert_hidden(&value);
            assert_eq!(value.expose(), "S3NT1NEL-value");
        )+};
    }
    check!(AccessToken, RefreshToken, ClientSecret, AuthorizationCode, PkceVerifier, Nonce, IdToken);
}

#[test]
fn a20_no_secret_string_can_be_displayed_or_serialized() {
    macro_rules! check {
        ($($type:ident),+) => {$(
            assert_not_implemented!($type, std::fmt::Display);
            assert_not_implemented!($type, serde::Serialize);
            assert_not_implemented!($type, AsRef<str>);
            assert_not_implemented!($type, std::ops::Deref);
            assert_not_implemented!($type, PartialEq);
        )+};
    }
    check!(AccessToken, RefreshToken, ClientSecret, AuthorizationCode, PkceVerifier, Nonce, IdToken);
    assert_not_implemented!(Transaction, serde::Serialize);
    assert_not_implemented!(Provider, serde::Serialize);
    assert_not_implemented!(oauth2flow_protocol::TokenResponse, serde::Serialize);
    assert_not_implemented!(oauth2flow_protocol::SigningKey, serde::Serialize);
    assert_not_implemented!(oauth2flow_protocol::SigningKey, std::fmt::Display);
    assert_not_implemented!(oauth2flow_protocol::par::PushedRequest, serde::Serialize);
}

#[test]
fn a20_a_provider_prints_no_client_secret() {
    assert_hidden(&login().provider);
    assert_hidden(&preset::github("id", ClientSecret::new(secret("client-secret"))).unwrap());
}

#[test]
fn a20_a_transaction_prints_neither_state_nor_verifier_nor_nonce() {
    assert_hidden(&login().transaction);
}

#[test]
fn a20_an_authorization_response_prints_neither_code_nor_state() {
    let response =
        AuthorizationResponse::from_pairs([("code", secret("code")), ("state", secret("state")), ("iss", "https://a.example".to_owned())])
            .unwrap();

    assert_hidden(&response);
    assert!(format!("{response:?}").contains("https://a.example"), "what is no secret may be seen");
}

#[test]
fn a20_a_callback_prints_nothing_that_it_will_be_exchanged_with() {
    let login = login();
    let iss = login.metadata.issuer.clone().unwrap();
    let callback = login.answer(&[("code", &secret("code")), ("state", &secret("state")), ("iss", &iss)]).unwrap();

    assert_hidden(&callback);
}

#[test]
fn a20_no_request_prints_its_headers_body_or_query() {
    let mut login = login();
    let access_token = AccessToken::new(secret("access-token"));
    let refresh_token = RefreshToken::new(secret("refresh-token"));
    for auth in [ClientAuth::Basic, ClientAuth::Post] {
        login.provider.client_auth = auth;
        let (provider, metadata) = (&login.provider, &login.metadata);

        assert_hidden(&login.exchange().0);
        assert_hidden(&refresh(&login, &refresh_token).0);
        for token in [TokenToRevoke::Refresh(&refresh_token), TokenToRevoke::Access(&access_token)] {
            let request = with_context(1, |context| logout::revocation_request(provider, metadata, token, context));
            assert_hidden(&request.unwrap().unwrap());
        }
        assert_hidden(&userinfo::request(provider, metadata, &access_token).unwrap());
    }
    let github = preset::github("id", ClientSecret::new(secret("client-secret"))).unwrap();
    let metadata = github.fixed_metadata().unwrap();
    let token = TokenToRevoke::Access(&access_token);
    let request = with_context(1, |context| logout::revocation_request(&github, &metadata, token, context));
    assert_hidden(&request.unwrap().unwrap());
    assert_hidden(&userinfo::emails_request(&github, &access_token).unwrap());

    let mut request = login.exchange().0;
    request.url.set_query(Some(&format!("code={}", secret("code"))));
    request.url.set_fragment(Some(&secret("fragment")));
    assert_hidden(&request);
    assert!(format!("{request:?}").contains("https://login.example/tenant/token"), "what is no secret may be seen");
}

#[test]
fn a20_a_token_to_revoke_does_not_print_itself() {
    assert_hidden(&TokenToRevoke::Refresh(&RefreshToken::new(secret("refresh-token"))));
    assert_hidden(&TokenToRevoke::Access(&AccessToken::new(secret("access-token"))));
}

#[test]
fn a20_no_response_prints_its_body() {
    assert_hidden(&token_response());
}

#[test]
fn a20_neither_an_exchange_nor_a_refresh_under_way_prints_its_secrets() {
    let login = login();
    let refresh_token = RefreshToken::new(secret("refresh-token"));

    assert_hidden(&login.exchange().1);
    assert_hidden(&refresh(&login, &refresh_token).1);
}

#[test]
fn a20_tokens_and_what_they_are_held_against_print_no_secret() {
    let login = login();
    let tokens = login.exchange().1.process(&token_response(), now()).unwrap();
    assert_eq!(tokens.nonce.as_ref().unwrap().expose(), "S3NT1NEL-nonce");

    assert_hidden(&tokens);
    assert_hidden(&IdTokenExpectations::new(&login.provider, &login.metadata, &tokens, now()).unwrap());
}

#[test]
fn a20_an_id_token_that_holds_does_not_print_its_claims() {
    let (login, key) = (login(), SigningKey::es256("key-1"));
    let mut claims = login.claims();
    claims["name"] = json!(secret("name"));
    claims["sub"] = json!(secret("sub"));

    assert_hidden(&login.judge(&key.sign(&claims), &key_set(&[&key])).unwrap());
}

#[test]
fn a20_no_error_about_a_callback_prints_its_parameters() {
    let login = login();
    let (code, state) = (secret("code"), secret("other-state"));
    for pairs in [
        vec![("code", code.as_str()), ("state", state.as_str())],
        vec![("code", code.as_str())],
        vec![("code", code.as_str()), ("code", code.as_str())],
        vec![("code", code.as_str()), ("error", "x"), ("state", "S3NT1NEL-state"), ("iss", "https://login.example/tenant")],
        vec![("code", code.as_str()), ("state", "S3NT1NEL-state"), ("iss", "https://evil.example")],
    ] {
        assert_error_hidden(&login.answer(&pairs).unwrap_err());
    }
}

#[test]
fn a20_no_error_about_a_token_response_prints_what_is_in_it() {
    let login = login();
    let good = String::from_utf8(token_response().body).unwrap();
    let token = secret("access-token");
    for answer in [
        response(200, "text/html", good.clone()),
        response(200, "application/json", good[..good.len() - 3].to_owned()),
        response(200, "application/json", format!(r#"{{"access_token":"{token}","access_token":"{token}"}}"#)),
        response(200, "application/json", format!(r#"{{"access_token":"{token} x","token_type":"bearer"}}"#)),
        response(200, "application/json", format!(r#"{{"access_token":"{token}","token_type":"bearer","expires_in":"{token}"}}"#)),
        response(200, "application/json", format!(r#"{{"access_token":["{token}"]}}"#)),
        response(200, "application/json", format!(r#""{token}""#)),
        response(200, "application/json", token.clone()),
        response(404, "application/json", good.clone()),
        response(503, "application/json", good),
    ] {
        assert_error_hidden(&login.tokens(&answer).unwrap_err());
    }
}

#[test]
fn a20_no_error_about_an_id_token_prints_it() {
    let (login, key) = (login(), SigningKey::es256("key-1"));
    let keys = key_set(&[&key]);
    let judge = |name: &str, value: Value| {
        let mut claims = login.claims();
        claims[name] = value;
        login.judge(&key.sign(&claims), &keys).unwrap_err()
    };

    for name in ["iss", "aud", "azp", "nonce", "at_hash", "exp", "iat"] {
        assert_error_hidden(&judge(name, json!(secret("claim"))));
    }
    assert_error_hidden(&login.judge(&secret("id-token"), &keys).unwrap_err());
    assert_error_hidden(&login.judge(&key.sign_text(&secret("header"), "{}"), &keys).unwrap_err());
    assert_error_hidden(&login.judge(&key.sign_text(&key.header().to_string(), &secret("payload")), &keys).unwrap_err());
}

#[test]
fn a20_no_error_about_a_transaction_prints_it() {
    let plaintext = login().transaction.to_plaintext();

    assert_error_hidden(&Transaction::from_plaintext(&plaintext[..plaintext.len() - 1]).unwrap_err());
    for (name, value) in
        [("v", json!([secret("verifier")])), ("n", json!({ "a": secret("nonce") })), ("s", json!({ "a": secret("state") }))]
    {
        let mut content: Value = serde_json::from_slice(&plaintext).unwrap();
        content[name] = value;
        assert_error_hidden(&Transaction::from_plaintext(content.to_string().as_bytes()).unwrap_err());
    }
}
