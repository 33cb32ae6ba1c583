//! Signed authorization requests. [RFC 9101](https://www.rfc-editor.org/rfc/rfc9101)

use std::time::Duration;

use oauth2flow_protocol::SigningAlgorithm::{EdDsa, Es256, Ps256, Rs256};
use oauth2flow_protocol::authorize::AuthorizationRequestError;
use oauth2flow_protocol::provider::ResponseMode;
use oauth2flow_protocol::request_object::REQUEST_OBJECT_LIFETIME;
use oauth2flow_protocol::{AuthorizationOptions, Prompt, Provider, ProviderMetadata, SigningKey, authorization_url};
use serde_json::{Map, Value, json};

use crate::client_key::{client_key, private_key_pem, verified};
use crate::signing_key::decode;
use crate::support::{
    CLIENT_ID, ISSUER, Login, REDIRECT_URI, START, assert_rejected, metadata, metadata_with, oauth_provider, openid_provider, parameters,
    url, with_context,
};

fn signing(key: &SigningKey) -> Provider {
    let mut provider = openid_provider();
    (provider.request_object, provider.signing_key) = (true, Some(key.clone()));
    provider
}

/// The header and the claims of the request that a login sends.
fn sent(login: &Login) -> (Value, Value) {
    let key = login.provider.signing_key.as_ref().unwrap();
    verified(&login.request()["request"], &key.public_jwk())
}

fn claims_with(options: AuthorizationOptions, change: impl FnOnce(&mut Provider)) -> Value {
    let mut provider = signing(&client_key(Es256));
    change(&mut provider);
    sent(&Login::begin_with(1, options, provider, metadata())).1
}

#[test]
fn rfc_9101_section_5_the_client_and_the_object_are_all_that_is_outside() {
    let mut provider = signing(&client_key(Es256));
    provider.extra_authorization_params = vec![("audience".to_owned(), "api".to_owned())];
    let metadata = metadata_with(
        "authorization_endpoint",
        json!("https://login.example/authorize?tenant=a&request=planted&request_uri=planted&audience=planted&scope=planted"),
    );

    let login = Login::begin(provider, metadata);

    assert_eq!(login.request().keys().collect::<Vec<_>>(), ["client_id", "request", "tenant"]);
    assert_eq!(login.request()["client_id"], CLIENT_ID);
    assert_eq!(sent(&login).1["audience"], "api");
}

#[test]
fn rfc_9101_section_4_the_object_holds_the_request_and_says_who_asks_whom_and_for_how_long() {
    let login = Login::begin(signing(&client_key(Es256)), metadata());

    let (header, claims) = sent(&login);

    assert_eq!(header, json!({ "alg": "ES256", "kid": "client-key", "typ": "oauth-authz-req+jwt" }));
    let mut claims: Map<String, Value> = claims.as_object().unwrap().clone();
    let token_id = claims.remove("jti").unwrap();
    assert_eq!(decode(token_id.as_str().unwrap()).len(), 16, "128 bits");
    let plain = Login::begin(openid_provider(), metadata()).request();
    for (name, value) in &plain {
        assert_eq!(claims.remove(name.as_str()).as_ref().and_then(Value::as_str), Some(value.as_str()), "{name}");
    }
    let expected = json!({ "iss": CLIENT_ID, "aud": ISSUER, "iat": START, "nbf": START - 60, "exp": START + 300 });
    assert_eq!(Value::Object(claims), expected);
    assert_eq!(REQUEST_OBJECT_LIFETIME, Duration::from_mins(5));
}

#[test]
fn rfc_9101_section_4_values_keep_their_json_types() {
    let claims = json!({ "id_token": { "acr": { "essential": true } } });
    let options = AuthorizationOptions {
        prompt: vec![Prompt::Login, Prompt::Consent],
        max_age: Some(Duration::from_mins(5)),
        claims: claims.as_object().cloned(),
        resource: vec![url("https://api.example/a"), url("https://api.example/b")],
        ..AuthorizationOptions::default()
    };

    let sent = claims_with(options, |_| {});

    assert_eq!(sent["prompt"], "login consent");
    assert_eq!(sent["max_age"], 300);
    assert_eq!(sent["claims"], claims);
    assert_eq!(sent["resource"], json!(["https://api.example/a", "https://api.example/b"]));
    let one = AuthorizationOptions { resource: vec![url("https://api.example/a")], ..AuthorizationOptions::default() };
    assert_eq!(claims_with(one, |_| {})["resource"], "https://api.example/a");
}

#[test]
fn rfc_9101_section_10_8_no_extra_makes_an_assertion_of_the_object_or_changes_what_it_says() {
    let names = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub", "client_id", "state", "request_uri"];

    let claims = claims_with(AuthorizationOptions::default(), |provider| {
        provider.extra_authorization_params = names.map(|name| (name.to_owned(), "planted".to_owned())).to_vec();
    });

    assert!(!claims.to_string().contains("planted"), "{claims}");
    assert_eq!(claims.get("sub"), None);
    assert_eq!(claims.get("request"), None);
}

#[test]
fn rfc_9101_section_4_a_provider_without_an_issuer_is_named_by_its_origin() {
    let mut provider = oauth_provider();
    (provider.request_object, provider.signing_key) = (true, Some(client_key(Es256)));

    assert_eq!(sent(&Login::fixed(provider)).1["aud"], "https://plain.example");
}

#[test]
fn rfc_9101_section_10_1_no_two_objects_are_the_same() {
    let login = Login::begin(signing(&client_key(Es256)), metadata());
    let token_id = |seed| {
        let address =
            with_context(seed, |context| authorization_url(&login.provider, &login.metadata, &login.transaction, context)).unwrap();
        let request = parameters(url(&address).query().unwrap())["request"].clone();
        verified(&request, &login.provider.signing_key.as_ref().unwrap().public_jwk()).1["jti"].clone()
    };

    assert_ne!(token_id(1), token_id(2));
}

#[test]
fn rfc_9101_section_10_5_the_algorithm_is_one_that_the_provider_declares() {
    let algorithm = |key: &SigningKey, declared: Value| {
        sent(&Login::begin(signing(key), metadata_with("request_object_signing_alg_values_supported", declared))).0["alg"].clone()
    };
    let rsa = SigningKey::from_pem(&private_key_pem(Rs256), None, None).unwrap();

    assert_eq!(algorithm(&rsa, json!(null)), "RS256");
    assert_eq!(algorithm(&rsa, json!(["RS256", "PS256"])), "PS256");
    assert_eq!(algorithm(&client_key(EdDsa), json!(["EdDSA"])), "EdDSA");
    for declared in [json!(["ES256"]), json!(["none"]), json!(["HS256"]), json!(["RS256"])] {
        let metadata = metadata_with("request_object_signing_alg_values_supported", declared.clone());
        let login = Login::begin(signing(&client_key(Ps256)), metadata);
        assert_rejected!(login.try_url(), AuthorizationRequestError::NoCommonAlgorithm, "{declared}");
    }
}

#[test]
fn rfc_9101_section_4_nothing_is_sent_unsigned_for_want_of_a_key() {
    let mut provider = openid_provider();
    provider.request_object = true;

    assert_rejected!(Login::begin(provider, metadata()).try_url(), AuthorizationRequestError::MissingSigningKey);
}

#[test]
fn a05_the_redirect_uri_inside_is_the_one_of_the_token_request() {
    let login = Login::begin(signing(&client_key(Es256)), metadata());

    assert_eq!(sent(&login).1["redirect_uri"], REDIRECT_URI);
    assert_eq!(crate::support::form(&login.exchange().0)["redirect_uri"], REDIRECT_URI);
}

#[test]
fn jarm_the_response_mode_is_inside() {
    let claims = claims_with(AuthorizationOptions::default(), |provider| provider.response_mode = ResponseMode::FormPost);

    assert_eq!(claims["response_mode"], "form_post");
}

#[test]
fn a_signed_request_is_checked_like_any_other() {
    let options = AuthorizationOptions { login_hint: Some(String::new()), ..AuthorizationOptions::default() };
    let (provider, metadata): (Provider, ProviderMetadata) = (signing(&client_key(Es256)), metadata());

    assert_rejected!(Login::begin_with(1, options, provider, metadata).try_url(), AuthorizationRequestError::InvalidOption("login_hint"));
}
