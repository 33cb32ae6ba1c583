//! How the client proves who it is. [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauth2flow_protocol::SigningAlgorithm::{Es256, Ps256};
use oauth2flow_protocol::client_auth::{APPLE_SECRET_LIFETIME, ASSERTION_LIFETIME, ClientAuthError};
use oauth2flow_protocol::provider::{ClientAuth, IssuerRule};
use oauth2flow_protocol::token::{self, TokenError};
use oauth2flow_protocol::{AccessToken, ClientSecret, OutboundRequest, Provider, ProviderMetadata, SigningKey, preset, userinfo};
use serde_json::json;

use crate::client_key::{client_key, verified};
use crate::signing_key::sign_with_secret;
use crate::support::{
    CLIENT_ID, CLIENT_SECRET, ISSUER, Login, START, form, metadata, metadata_with, oauth_provider, openid_provider, with_context,
};

fn exchange(provider: Provider, metadata: ProviderMetadata) -> OutboundRequest {
    Login::begin(provider, metadata).exchange().0
}

/// What is in the Basic header, still form-encoded.
fn credentials(request: &OutboundRequest) -> String {
    let encoded = request.header("authorization").unwrap().strip_prefix("Basic ").unwrap();
    String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
}

#[test]
fn b_client_secret_basic_is_the_default() {
    let request = exchange(openid_provider(), metadata());

    assert_eq!(credentials(&request), "app-1:a+client%27s+secret");
    assert!(!form(&request).contains_key("client_id") && !form(&request).contains_key("client_secret"));
}

#[test]
fn rfc_6749_section_2_3_1_special_characters_are_form_encoded_before_base64() {
    let mut provider = openid_provider();
    provider.client_id = "https://app.example/?a=1&b".to_owned();
    provider.client_secret = Some(ClientSecret::new("p:a s+s%w=\u{f6}&/~*-._".to_owned()));

    let request = exchange(provider, metadata());

    assert_eq!(credentials(&request), "https%3A%2F%2Fapp.example%2F%3Fa%3D1%26b:p%3Aa+s%2Bs%25w%3D%C3%B6%26%2F%7E*-._");
}

#[test]
fn the_basic_header_is_the_one_of_rfc_7617() {
    let mut provider = openid_provider();
    provider.client_id = "Aladdin".to_owned();
    provider.client_secret = Some(ClientSecret::new("opensesame".to_owned()));

    assert_eq!(exchange(provider, metadata()).header("authorization"), Some("Basic QWxhZGRpbjpvcGVuc2VzYW1l"));
}

#[test]
fn client_secret_post_puts_the_secret_into_the_body_and_nowhere_else() {
    let mut provider = openid_provider();
    provider.client_auth = ClientAuth::Post;

    let request = exchange(provider, metadata());

    assert_eq!(form(&request)["client_id"], CLIENT_ID);
    assert_eq!(form(&request)["client_secret"], CLIENT_SECRET);
    assert_eq!(request.header("authorization"), None);
    assert!(!request.url.as_str().contains("secret"));
}

#[test]
fn a_public_client_only_says_who_it_is() {
    let request = exchange(preset::openid("example", "Example", ISSUER, CLIENT_ID, None), metadata());

    assert_eq!(form(&request)["client_id"], CLIENT_ID);
    assert!(!form(&request).contains_key("client_secret"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(form(&request)["code_verifier"].len(), 43);
}

#[test]
fn the_metadata_decides_between_header_and_body_where_only_one_is_declared() {
    for (declared, in_body) in [
        (json!(null), false),
        (json!(["client_secret_basic"]), false),
        (json!(["client_secret_post", "client_secret_basic"]), false),
        (json!(["client_secret_post"]), true),
        (json!(["private_key_jwt", "client_secret_post"]), true),
        (json!(["private_key_jwt"]), false),
    ] {
        let request = exchange(openid_provider(), metadata_with("token_endpoint_auth_methods_supported", declared.clone()));

        assert_eq!(form(&request).contains_key("client_secret"), in_body, "{declared}");
        assert_eq!(request.header("authorization").is_none(), in_body, "{declared}");
    }
}

#[test]
fn a_configured_body_stays_whatever_the_metadata_declares() {
    let mut provider = openid_provider();
    provider.client_auth = ClientAuth::Post;

    let request = exchange(provider, metadata_with("token_endpoint_auth_methods_supported", json!(["client_secret_basic"])));

    assert!(form(&request).contains_key("client_secret"));
}

#[test]
fn extra_headers_go_along_but_replace_no_credentials() {
    let mut provider = openid_provider();
    provider.extra_request_headers.push(("x-tenant", "a".to_owned()));
    provider.extra_request_headers.push(("authorization", "Basic injected".to_owned()));

    let request = exchange(provider, metadata());

    assert_eq!(request.header("x-tenant"), Some("a"));
    assert_eq!(credentials(&request), "app-1:a+client%27s+secret");
    assert_eq!(request.headers.iter().filter(|(name, _)| *name == "authorization").count(), 1);
    assert_eq!(request.header("user-agent"), Some(concat!("oauth2flow/", env!("CARGO_PKG_VERSION"))));
}

/// A client that signs its assertions with a private key.
fn key_client(key: &SigningKey) -> Provider {
    let mut provider = openid_provider();
    (provider.client_auth, provider.client_secret, provider.signing_key) = (ClientAuth::PrivateKeyJwt, None, Some(key.clone()));
    provider
}

/// A client that signs its assertions with its secret.
fn secret_client(secret: &str) -> Provider {
    let mut provider = openid_provider();
    (provider.client_auth, provider.client_secret) = (ClientAuth::SecretJwt, Some(ClientSecret::new(secret.to_owned())));
    provider
}

fn apple(key: Option<SigningKey>) -> Provider {
    let mut provider = openid_provider();
    (provider.client_auth, provider.client_secret, provider.signing_key) = (ClientAuth::AppleSecret, None, key);
    provider.apple_team_id = Some("TEAM123456".to_owned());
    provider
}

fn assert_fails(provider: Provider, metadata: ProviderMetadata, expected: ClientAuthError) {
    match Login::begin(provider, metadata).try_exchange() {
        Err(error @ TokenError::ClientAuth(found)) => {
            assert_eq!(found, expected);
            assert_eq!(error.code(), expected.code());
        }
        other => panic!("{other:?}"),
    }
}

/// An assertion's parts: the one of the token request that a login makes.
fn assertion(request: &OutboundRequest) -> String {
    let form = form(request);
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!(form["client_id"], CLIENT_ID);
    assert!(!form.contains_key("client_secret"));
    assert_eq!(request.header("authorization"), None);
    form["client_assertion"].clone()
}

#[test]
fn rfc_7523_section_3_an_assertion_is_the_clients_for_this_issuer_for_one_minute() {
    let key = client_key(Es256);

    let (header, claims) = verified(&assertion(&exchange(key_client(&key), metadata())), &key.public_jwk());

    assert_eq!(header, json!({ "alg": "ES256", "kid": "client-key", "typ": "JWT" }));
    assert_eq!(crate::signing_key::decode(claims["jti"].as_str().unwrap()).len(), 16, "128 bits");
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT_ID), &json!(CLIENT_ID)));
    assert_eq!(claims["aud"], ISSUER, "one string, and not the token endpoint");
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(START), &json!(START + 60)));
    assert_eq!(claims.as_object().unwrap().len(), 6);
    assert_eq!(ASSERTION_LIFETIME, Duration::from_mins(1));
}

#[test]
fn rfc_7523_section_3_a_provider_without_a_name_of_its_own_is_named_by_its_token_endpoint() {
    let key = client_key(Es256);
    let audience = |provider: Provider, metadata: ProviderMetadata| {
        verified(&assertion(&exchange(provider, metadata)), &key.public_jwk()).1["aud"].clone()
    };
    let with_key = |mut provider: Provider| {
        (provider.client_auth, provider.signing_key) = (ClientAuth::PrivateKeyJwt, Some(key.clone()));
        provider
    };
    let plain = with_key(oauth_provider());
    let mut named = plain.clone();
    named.expected_iss = Some("https://plain.example/issuer".to_owned());
    let mut template = with_key(openid_provider());
    template.issuer_rule = IssuerRule::TenantTemplate;

    assert_eq!(audience(plain.clone(), plain.fixed_metadata().unwrap()), "https://plain.example/token");
    assert_eq!(audience(named.clone(), named.fixed_metadata().unwrap()), "https://plain.example/issuer");
    assert_eq!(audience(template, metadata()), "https://login.example/tenant/token");
}

#[test]
fn rfc_7523_section_3_no_two_assertions_are_the_same() {
    let key = client_key(Es256);
    let login = Login::begin(key_client(&key), metadata());
    let token_id = |seed| {
        let exchange =
            with_context(seed, |context| token::exchange_request(&login.provider, &login.metadata, login.callback(), None, context));
        verified(&assertion(&exchange.unwrap().0), &key.public_jwk()).1["jti"].clone()
    };

    assert_ne!(token_id(1), token_id(2));
}

#[test]
fn rfc_8725_section_3_1_the_algorithm_of_an_assertion_is_one_that_key_and_provider_share() {
    let declaring = |algorithms: serde_json::Value| metadata_with("token_endpoint_auth_signing_alg_values_supported", algorithms);
    let key = client_key(Ps256);

    let (header, _) = verified(&assertion(&exchange(key_client(&key), declaring(json!(["RS256", "PS256"])))), &key.public_jwk());

    assert_eq!(header["alg"], "PS256");
    for algorithms in [json!(["RS256"]), json!(["ES256", "HS256"]), json!(["none"])] {
        assert_fails(key_client(&key), declaring(algorithms), ClientAuthError::NoCommonAlgorithm);
    }
    assert_fails(secret_client(&"s".repeat(32)), declaring(json!(["RS256", "HS512"])), ClientAuthError::NoCommonAlgorithm);
}

#[test]
fn client_secret_jwt_is_signed_with_the_secret_and_does_not_send_it() {
    let secret = "a secret of thirty-two characters";
    for declared in [json!(null), json!(["RS256", "HS256"])] {
        let metadata = metadata_with("token_endpoint_auth_signing_alg_values_supported", declared);
        let request = exchange(secret_client(secret), metadata);

        let token = assertion(&request);
        let parts = token.split('.').collect::<Vec<_>>();
        let header: serde_json::Value = serde_json::from_slice(&crate::signing_key::decode(parts[0])).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&crate::signing_key::decode(parts[1])).unwrap();
        assert_eq!(header, json!({ "alg": "HS256", "typ": "JWT" }));
        assert_eq!((&claims["iss"], &claims["sub"], &claims["aud"]), (&json!(CLIENT_ID), &json!(CLIENT_ID), &json!(ISSUER)));
        assert_eq!(sign_with_secret(secret.as_bytes(), &header, &claims), token);
        assert!(!request.body.unwrap().contains("thirty-two"));
    }
}

#[test]
fn rfc_7518_section_3_2_a_short_secret_signs_nothing() {
    assert_fails(secret_client(&"s".repeat(31)), metadata(), ClientAuthError::ShortSecret);
    assert!(Login::begin(secret_client(&"s".repeat(32)), metadata()).try_exchange().is_ok());
}

#[test]
fn apple_gets_a_secret_that_is_signed_by_the_team_for_five_minutes() {
    let key = client_key(Es256);

    let request = exchange(apple(Some(key.clone())), metadata());

    assert_eq!(request.header("authorization"), None);
    let form = form(&request);
    assert_eq!(form["client_id"], CLIENT_ID);
    assert!(!form.contains_key("client_assertion"));
    let (header, claims) = verified(&form["client_secret"], &key.public_jwk());
    assert_eq!((&header["alg"], &header["kid"]), (&json!("ES256"), &json!("client-key")));
    let expected = json!({ "iss": "TEAM123456", "sub": CLIENT_ID, "aud": "https://appleid.apple.com", "iat": START, "exp": START + 300 });
    assert_eq!(claims, expected);
    assert_eq!(APPLE_SECRET_LIFETIME, Duration::from_mins(5));
}

#[test]
fn rfc_8705_section_2_a_client_with_a_certificate_only_says_who_it_is() {
    for auth in [ClientAuth::TlsClientAuth, ClientAuth::SelfSignedTls] {
        let mut provider = openid_provider();
        provider.client_auth = auth;

        let request = exchange(provider, metadata());

        assert_eq!(form(&request)["client_id"], CLIENT_ID);
        assert!(!form(&request).contains_key("client_secret"), "not even when there is one");
        assert_eq!(request.header("authorization"), None);
    }
}

#[test]
fn rfc_8705_section_5_only_a_client_with_a_certificate_goes_to_the_alias() {
    let metadata = metadata_with("mtls_endpoint_aliases", json!({ "token_endpoint": "https://mtls.login.example/token" }));
    let at = |auth, metadata: &ProviderMetadata| {
        let mut provider = openid_provider();
        provider.client_auth = auth;
        exchange(provider, metadata.clone()).url.to_string()
    };

    assert_eq!(at(ClientAuth::TlsClientAuth, &metadata), "https://mtls.login.example/token");
    assert_eq!(at(ClientAuth::SelfSignedTls, &metadata), "https://mtls.login.example/token");
    for auth in [ClientAuth::Basic, ClientAuth::Post, ClientAuth::None] {
        assert_eq!(at(auth, &metadata), "https://login.example/tenant/token", "{auth:?}");
    }
    assert_eq!(at(ClientAuth::TlsClientAuth, &crate::support::metadata()), "https://login.example/tenant/token");
}

#[test]
fn rfc_8705_section_5_a_client_with_a_certificate_asks_for_the_user_at_the_alias() {
    let metadata = metadata_with("mtls_endpoint_aliases", json!({ "userinfo_endpoint": "https://mtls.login.example/userinfo" }));
    let at = |auth| {
        let mut provider = openid_provider();
        provider.client_auth = auth;
        let token = AccessToken::new("token".to_owned());
        userinfo::request(&provider, &metadata, &token).unwrap().url.to_string()
    };

    assert_eq!(at(ClientAuth::SelfSignedTls), "https://mtls.login.example/userinfo");
    assert_eq!(at(ClientAuth::Post), "https://login.example/tenant/userinfo");
}

#[test]
fn nothing_is_sent_without_the_credential_that_is_configured() {
    for auth in [ClientAuth::Basic, ClientAuth::Post, ClientAuth::SecretJwt] {
        for secret in [None, Some(ClientSecret::new(String::new()))] {
            let mut provider = openid_provider();
            (provider.client_auth, provider.client_secret) = (auth, secret);
            assert_fails(provider, metadata(), ClientAuthError::MissingSecret);
        }
    }
    let mut keyless = key_client(&client_key(Es256));
    keyless.signing_key = None;
    assert_fails(keyless, metadata(), ClientAuthError::MissingKey);
    assert_fails(apple(None), metadata(), ClientAuthError::MissingKey);
    assert_fails(apple(Some(client_key(Ps256))), metadata(), ClientAuthError::NoCommonAlgorithm);
    for team in [None, Some(String::new())] {
        let mut teamless = apple(Some(client_key(Es256)));
        teamless.apple_team_id = team;
        assert_fails(teamless, metadata(), ClientAuthError::MissingTeam);
    }
}

#[test]
fn every_error_of_client_authentication_has_a_code_of_its_own() {
    let errors = [
        ClientAuthError::MissingSecret,
        ClientAuthError::ShortSecret,
        ClientAuthError::MissingKey,
        ClientAuthError::MissingTeam,
        ClientAuthError::NoCommonAlgorithm,
    ];

    let codes = errors.iter().map(ClientAuthError::code).collect::<std::collections::BTreeSet<_>>();

    assert_eq!(codes.len(), errors.len());
    assert!(codes.iter().all(|code| code.starts_with("client_auth_")));
}
