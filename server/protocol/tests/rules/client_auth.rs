//! How the client proves who it is. [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauth2flow_protocol::provider::ClientAuth;
use oauth2flow_protocol::{ClientSecret, OutboundRequest, Provider, ProviderMetadata, preset};
use serde_json::json;

use crate::support::{CLIENT_ID, CLIENT_SECRET, ISSUER, Login, form, metadata, metadata_with, openid_provider};

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
