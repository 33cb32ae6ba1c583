//! Provider metadata. [Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)

use oauth2flow_protocol::discovery::{self, DiscoveryError, MAXIMUM_METADATA_BYTES, MtlsEndpointAliases};
use oauth2flow_protocol::provider::{IssuerRule, ProviderKind};
use oauth2flow_protocol::{JsonError, Method, OutboundResponse, Provider, ProviderMetadata};
use serde_json::{Value, json};
use url::Url;

use crate::support::{
    ISSUER, assert_rejected, deeply_nested, json_response, metadata, metadata_document, oauth_provider, openid_provider, read_metadata,
    response, url,
};

fn with(name: &str, value: Value) -> Result<ProviderMetadata, DiscoveryError> {
    let mut document = metadata_document();
    document[name] = value;
    read_metadata(&document)
}

fn without(name: &str) -> Result<ProviderMetadata, DiscoveryError> {
    let mut document = metadata_document();
    document.as_object_mut().unwrap().remove(name).unwrap();
    read_metadata(&document)
}

fn judge(answer: &OutboundResponse) -> Result<ProviderMetadata, DiscoveryError> {
    discovery::process_metadata(&openid_provider(), answer)
}

/// The OpenID provider with another issuer.
fn openid_at(issuer: &str) -> Provider {
    let mut provider = openid_provider();
    provider.kind = ProviderKind::OpenId { issuer: issuer.to_owned() };
    provider
}

/// A provider without ID tokens that is discovered.
fn oauth_at(issuer: &str, userinfo: Option<Url>) -> Provider {
    let mut provider = oauth_provider();
    provider.kind = ProviderKind::OAuthDiscovered { issuer: issuer.to_owned(), userinfo };
    provider
}

/// Where a provider's metadata may be.
fn places(provider: &Provider) -> Vec<String> {
    discovery::metadata_requests(provider).into_iter().map(|request| request.url.into()).collect()
}

/// The address of the metadata, or nothing for an issuer that cannot be one.
fn address(issuer: &str) -> Option<String> {
    discovery::metadata_url(issuer).ok().map(String::from)
}

#[test]
fn a08_the_metadata_is_asked_for_below_the_issuer() {
    let requests = discovery::metadata_requests(&openid_provider());

    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(request.method, Method::Get);
    assert_eq!(request.url.as_str(), "https://login.example/tenant/.well-known/openid-configuration");
    assert_eq!(request.header("accept"), Some("application/json"));
}

#[test]
fn a08_the_well_known_path_is_appended_with_one_slash() {
    for (issuer, expected) in [
        ("https://login.example", "https://login.example/.well-known/openid-configuration"),
        ("https://login.example/", "https://login.example/.well-known/openid-configuration"),
        ("https://login.example/a/", "https://login.example/a/.well-known/openid-configuration"),
        ("https://login.example:8443/a/b", "https://login.example:8443/a/b/.well-known/openid-configuration"),
        ("http://127.0.0.1:4000", "http://127.0.0.1:4000/.well-known/openid-configuration"),
        ("http://localhost:4000", "http://localhost:4000/.well-known/openid-configuration"),
        ("http://[::1]:4000", "http://[::1]:4000/.well-known/openid-configuration"),
    ] {
        assert_eq!(address(issuer).as_deref(), Some(expected));
        assert_eq!(places(&openid_at(issuer)), [expected]);
    }
}

#[test]
fn a08_an_issuer_that_cannot_be_one_is_refused() {
    for issuer in [
        "",
        "login.example",
        "//login.example",
        "http://login.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://notlocalhost",
        "ftp://login.example",
        "file:///etc/passwd",
        "https://",
        "https://login.example?tenant=a",
        "https://login.example?",
        "https://login.example#a",
        "https://user@login.example",
        "https://user:password@login.example",
        "javascript:alert(1)",
        "data:application/json,{}",
    ] {
        assert_eq!(address(issuer), None, "{issuer}");
        for provider in [openid_at(issuer), oauth_at(issuer, None)] {
            assert!(places(&provider).is_empty(), "{issuer}");
            let result = discovery::process_metadata(&provider, &json_response(&json!({ "issuer": issuer })));
            assert_rejected!(result, DiscoveryError::InvalidIssuer, "{issuer}");
        }
    }
}

#[test]
fn a08_good_metadata_is_read() {
    let metadata = metadata();

    assert_eq!(metadata.issuer.as_deref(), Some(ISSUER));
    assert_eq!(metadata.authorization_endpoint.as_str(), "https://login.example/tenant/authorize");
    assert_eq!(metadata.token_endpoint.as_str(), "https://login.example/tenant/token");
    assert_eq!(metadata.jwks_uri.unwrap().as_str(), "https://login.example/tenant/keys");
    assert_eq!(metadata.userinfo_endpoint.unwrap().as_str(), "https://login.example/tenant/userinfo");
    assert_eq!(metadata.revocation_endpoint.unwrap().as_str(), "https://login.example/tenant/revoke");
    assert_eq!(metadata.end_session_endpoint.unwrap().as_str(), "https://login.example/tenant/logout");
    assert_eq!(metadata.id_token_algorithms, ["RS256", "ES256"]);
    assert_eq!(metadata.code_challenge_methods, ["S256"]);
    assert!(metadata.iss_parameter_supported && metadata.backchannel_logout_supported && metadata.backchannel_logout_session_supported);
}

#[test]
fn a08_members_that_may_be_missing_may_be_missing_or_null() {
    for document in [
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://login.example/authorize",
            "token_endpoint": "https://login.example/token",
            "jwks_uri": "https://login.example/keys",
        }),
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://login.example/authorize",
            "token_endpoint": "https://login.example/token",
            "jwks_uri": "https://login.example/keys",
            "userinfo_endpoint": null,
            "revocation_endpoint": null,
            "end_session_endpoint": null,
            "id_token_signing_alg_values_supported": null,
            "authorization_response_iss_parameter_supported": null,
            "unknown": { "anything": [1, 2] },
        }),
    ] {
        let metadata = read_metadata(&document).unwrap();

        assert_eq!((metadata.userinfo_endpoint, metadata.revocation_endpoint, metadata.end_session_endpoint), (None, None, None));
        assert!(metadata.id_token_algorithms.is_empty() && metadata.token_endpoint_auth_methods.is_empty());
        assert!(!metadata.iss_parameter_supported && !metadata.backchannel_logout_supported);
    }
}

#[test]
fn b_discovery_issuer_mismatch_is_rejected() {
    assert_rejected!(with("issuer", json!("https://evil.example")), DiscoveryError::IssuerMismatch);
}

#[test]
fn a08_an_issuer_that_differs_by_one_character_is_rejected() {
    let shorter = (0..ISSUER.len()).map(|index| format!("{}{}", &ISSUER[..index], &ISSUER[index + 1..]));
    let changed = (0..ISSUER.len()).map(|index| format!("{}x{}", &ISSUER[..index], &ISSUER[index + 1..]));
    let longer = (0..=ISSUER.len()).flat_map(|index| ["/", " ", "a"].map(|more| format!("{}{more}{}", &ISSUER[..index], &ISSUER[index..])));
    let others = ["HTTPS://login.example/tenant", "https://Login.example/tenant", "https://login.example:443/tenant"].map(str::to_owned);

    for issuer in shorter.chain(changed).chain(longer).chain(others).filter(|issuer| issuer != ISSUER) {
        assert_rejected!(with("issuer", json!(issuer)), DiscoveryError::IssuerMismatch, "{issuer}");
    }
}

#[test]
fn a08_a_trailing_slash_counts_in_both_directions() {
    let answer = |issuer: &str| {
        let mut document = metadata_document();
        document["issuer"] = json!(issuer);
        response(200, "application/json", document.to_string())
    };
    let (with_slash, without_slash) = ("https://login.example/", "https://login.example");

    assert!(discovery::process_metadata(&openid_at(with_slash), &answer(with_slash)).is_ok());
    assert!(discovery::process_metadata(&openid_at(without_slash), &answer(without_slash)).is_ok());
    assert_rejected!(discovery::process_metadata(&openid_at(with_slash), &answer(without_slash)), DiscoveryError::IssuerMismatch);
    assert_rejected!(discovery::process_metadata(&openid_at(without_slash), &answer(with_slash)), DiscoveryError::IssuerMismatch);
}

#[test]
fn a08_an_issuer_that_is_missing_or_no_string_is_rejected() {
    assert_rejected!(without("issuer"), DiscoveryError::MissingMember("issuer"));
    for issuer in [json!(null), json!([ISSUER]), json!(1)] {
        assert_rejected!(with("issuer", issuer), DiscoveryError::WrongType("issuer"));
    }
}

#[test]
fn a08_a_required_endpoint_that_is_missing_is_rejected() {
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        for result in [without(name), with(name, json!(null))] {
            match result {
                Err(DiscoveryError::MissingMember(missing)) => assert_eq!(missing, name),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn a08_a_member_of_the_wrong_type_is_rejected() {
    for (name, value) in [
        ("authorization_endpoint", json!(1)),
        ("token_endpoint", json!(["https://login.example/token"])),
        ("jwks_uri", json!({})),
        ("userinfo_endpoint", json!(true)),
        ("revocation_endpoint", json!(1)),
        ("end_session_endpoint", json!(false)),
        ("id_token_signing_alg_values_supported", json!("RS256")),
        ("id_token_signing_alg_values_supported", json!(["RS256", 1])),
        ("token_endpoint_auth_methods_supported", json!({})),
        ("code_challenge_methods_supported", json!("S256")),
        ("authorization_response_iss_parameter_supported", json!("true")),
        ("backchannel_logout_supported", json!(1)),
        ("backchannel_logout_session_supported", json!([])),
        ("pushed_authorization_request_endpoint", json!(["https://login.example/par"])),
        ("require_pushed_authorization_requests", json!("true")),
        ("response_modes_supported", json!("query")),
        ("authorization_signing_alg_values_supported", json!(["RS256", null])),
        ("request_object_signing_alg_values_supported", json!("RS256")),
        ("token_endpoint_auth_signing_alg_values_supported", json!({ "RS256": true })),
        ("dpop_signing_alg_values_supported", json!("ES256")),
        ("userinfo_signing_alg_values_supported", json!(true)),
        ("acr_values_supported", json!([["high"]])),
        ("prompt_values_supported", json!("none")),
        ("scopes_supported", json!("openid profile")),
        ("mtls_endpoint_aliases", json!("https://mtls.example")),
        ("mtls_endpoint_aliases", json!([])),
        ("tls_client_certificate_bound_access_tokens", json!("yes")),
    ] {
        match with(name, value.clone()) {
            Err(DiscoveryError::WrongType(wrong)) => assert_eq!(wrong, name),
            other => panic!("{name}: {value}: {other:?}"),
        }
    }
}

const ENDPOINTS: [&str; 7] = [
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "revocation_endpoint",
    "end_session_endpoint",
    "pushed_authorization_request_endpoint",
];

#[test]
fn c_ssrf_an_endpoint_that_is_not_https_is_refused() {
    for name in ENDPOINTS {
        for address in [
            "http://login.example/x",
            "file:///etc/passwd",
            "ftp://login.example/x",
            "gopher://login.example/x",
            "javascript:alert(1)",
            "data:text/plain,x",
            "/relative",
            "//login.example/x",
            "",
            "https://",
            "https://user@login.example/x",
            "https://user:password@login.example/x",
            "https://login.example/x#fragment",
        ] {
            match with(name, json!(address)) {
                Err(DiscoveryError::InsecureEndpoint(refused)) => assert_eq!(refused, name),
                other => panic!("{name}: {address}: {other:?}"),
            }
        }
    }
}

#[test]
fn c_ssrf_an_endpoint_on_the_inner_network_is_refused() {
    for name in ENDPOINTS {
        for address in [
            "https://127.0.0.1/x",
            "http://127.0.0.1/x",
            "http://localhost:8080/x",
            "https://localhost./x",
            "https://a.localhost/x",
            "https://[::1]/x",
            "https://10.0.0.1/x",
            "https://172.16.0.1/x",
            "https://172.31.255.255/x",
            "https://192.168.1.1/x",
            "https://169.254.169.254/latest/meta-data/",
            "https://2852039166/latest/meta-data/",
            "https://0xa9fea9fe/",
            "https://0251.0376.0251.0376/",
            "https://0.0.0.0/x",
            "https://100.64.0.1/x",
            "https://100.127.255.255/x",
            "https://255.255.255.255/x",
            "https://224.0.0.1/x",
            "https://[::]/x",
            "https://[fe80::1]/x",
            "https://[fd00::1]/x",
            "https://[ff02::1]/x",
            "https://[::ffff:169.254.169.254]/x",
            "https://[::ffff:10.0.0.1]/x",
        ] {
            match with(name, json!(address)) {
                Err(DiscoveryError::InternalEndpoint(refused)) => assert_eq!(refused, name),
                other => panic!("{name}: {address}: {other:?}"),
            }
        }
    }
}

#[test]
fn c_ssrf_an_address_of_the_inner_network_inside_an_ipv6_one_is_refused() {
    // IPv4-compatible, NAT64 of RFC 6052, and 6to4 of RFC 3056: each leads to 169.254.169.254.
    for address in ["https://[::169.254.169.254]/x", "https://[64:ff9b::169.254.169.254]/x", "https://[2002:a9fe:a9fe::1]/x"] {
        assert_rejected!(with("jwks_uri", json!(address)), DiscoveryError::InternalEndpoint("jwks_uri"), "{address}");
    }
}

#[test]
fn c_ssrf_a_public_endpoint_is_accepted_wherever_it_is() {
    for address in [
        "https://cdn.example/keys",
        "https://login.example:8443/keys?a=b",
        "https://8.8.8.8/keys",
        "https://172.32.0.1/x",
        "https://100.128.0.1/x",
        "https://[2606:4700::1111]/x",
        "https://[64:ff9b::8.8.8.8]/x",
        "https://[2002:808:808::1]/x",
    ] {
        assert_eq!(with("jwks_uri", json!(address)).unwrap().jwks_uri.unwrap().as_str().split_once("//").unwrap().0, "https:", "{address}");
    }
}

#[test]
fn c_ssrf_a_provider_on_loopback_may_name_its_own_endpoints() {
    let issuer = "http://127.0.0.1:4000";
    let mut document = metadata_document();
    document["issuer"] = json!(issuer);
    for name in ENDPOINTS {
        document[name] = json!(format!("{issuer}/{name}"));
    }
    let read = |document: &Value| discovery::process_metadata(&openid_at(issuer), &json_response(document));

    assert_eq!(read(&document).unwrap().token_endpoint.as_str(), "http://127.0.0.1:4000/token_endpoint");
    document["token_endpoint"] = json!("http://192.168.1.1/token");
    assert_rejected!(read(&document), DiscoveryError::InsecureEndpoint("token_endpoint"));
    // The inner network is not this machine.
    document["token_endpoint"] = json!("https://192.168.1.1/token");
    assert_rejected!(read(&document), DiscoveryError::InternalEndpoint("token_endpoint"));
    document["token_endpoint"] = json!("https://login.example/token");
    assert!(read(&document).is_ok());
}

#[test]
fn c_ssrf_a_provider_of_the_inner_network_may_name_the_inner_network_only() {
    let issuer = "https://10.0.0.5";
    let provider = openid_at(issuer);
    let mut document = metadata_document();
    document["issuer"] = json!(issuer);
    for (address, is_accepted) in [
        ("https://10.0.0.6/token", true),
        ("https://192.168.7.7/token", true),
        ("https://[fd00::1]/token", true),
        ("https://login.example/token", true),
        ("http://127.0.0.1/token", false),
        ("https://localhost/token", false),
        ("https://169.254.169.254/token", false),
        ("https://[fe80::1]/token", false),
        ("https://0.0.0.0/token", false),
        ("https://255.255.255.255/token", false),
    ] {
        document["token_endpoint"] = json!(address);
        let result = discovery::process_metadata(&provider, &json_response(&document));

        if is_accepted {
            assert_eq!(result.unwrap().token_endpoint.as_str(), address);
        } else {
            assert_rejected!(result, DiscoveryError::InternalEndpoint("token_endpoint"), "{address}");
        }
    }
}

#[test]
fn c_ssrf_no_provider_is_where_clouds_keep_their_secrets() {
    for issuer in ["https://169.254.169.254", "https://[fe80::1]", "https://0.0.0.0"] {
        let mut document = metadata_document();
        document["issuer"] = json!(issuer);
        document["token_endpoint"] = json!(format!("{issuer}/token"));

        let result = discovery::process_metadata(&openid_at(issuer), &json_response(&document));

        assert_rejected!(result, DiscoveryError::InternalEndpoint("token_endpoint"), "{issuer}");
    }
}

#[test]
fn a21_an_answer_that_is_no_json_is_rejected() {
    let body = metadata_document().to_string();

    assert_rejected!(judge(&response(200, "text/html", body.clone())), DiscoveryError::NotJson);
    assert_rejected!(
        judge(&OutboundResponse { status: 200, content_type: None, dpop_nonce: None, link: None, body: body.into_bytes() }),
        DiscoveryError::NotJson
    );
    assert_rejected!(judge(&response(200, "application/json", "<html>")), DiscoveryError::Malformed(JsonError::Malformed(_)));
    assert_rejected!(judge(&response(200, "application/json", "[]")), DiscoveryError::Malformed(JsonError::NotAnObject));
}

#[test]
fn a08_metadata_with_two_issuers_is_rejected() {
    let document = metadata_document().to_string();
    let repeated = format!("{},\"issuer\":\"https://evil.example\"}}", document.strip_suffix('}').unwrap());

    assert_rejected!(judge(&response(200, "application/json", repeated)), DiscoveryError::Malformed(JsonError::Malformed(_)));
}

#[test]
fn a39_another_status_is_rejected_whatever_the_body() {
    let body = metadata_document().to_string();
    for status in [429, 500, 502, 503] {
        assert_rejected!(judge(&response(status, "application/json", body.clone())), DiscoveryError::Unavailable { .. }, "{status}");
    }
    for status in [201, 204, 301, 302, 401, 404] {
        assert_rejected!(judge(&response(status, "application/json", body.clone())), DiscoveryError::UnexpectedStatus { .. }, "{status}");
    }
}

#[test]
fn c_huge_metadata_is_refused_by_its_size() {
    let padded = |bytes: usize| {
        let mut body = metadata_document().to_string();
        body.push_str(&" ".repeat(bytes - body.len()));
        judge(&response(200, "application/json", body))
    };

    assert_eq!(MAXIMUM_METADATA_BYTES, 65_536);
    assert!(padded(MAXIMUM_METADATA_BYTES).is_ok());
    assert_rejected!(padded(MAXIMUM_METADATA_BYTES + 1), DiscoveryError::TooLarge);
}

#[test]
fn c_deep_nesting_in_metadata_is_refused() {
    assert_rejected!(judge(&response(200, "application/json", deeply_nested(6000))), DiscoveryError::Malformed(JsonError::Malformed(_)));
}

#[test]
fn a08_everything_else_that_a_provider_says_is_read() {
    let mut document = metadata_document();
    for (name, value) in [
        ("pushed_authorization_request_endpoint", json!("https://login.example/par")),
        ("require_pushed_authorization_requests", json!(true)),
        ("response_modes_supported", json!(["query", "jwt"])),
        ("authorization_signing_alg_values_supported", json!(["PS256"])),
        ("request_object_signing_alg_values_supported", json!(["none", "ES256"])),
        ("token_endpoint_auth_signing_alg_values_supported", json!(["EdDSA"])),
        ("dpop_signing_alg_values_supported", json!(["ES256", "ES384"])),
        ("userinfo_signing_alg_values_supported", json!(["RS384"])),
        ("acr_values_supported", json!(["high"])),
        ("prompt_values_supported", json!(["none", "create"])),
        ("scopes_supported", json!(["openid"])),
        ("tls_client_certificate_bound_access_tokens", json!(true)),
        (
            "mtls_endpoint_aliases",
            json!({
                "token_endpoint": "https://mtls.example/token",
                "revocation_endpoint": "https://mtls.example/revoke",
                "pushed_authorization_request_endpoint": "https://mtls.example/par",
                "userinfo_endpoint": "https://mtls.example/userinfo",
                "introspection_endpoint": "not looked at",
            }),
        ),
    ] {
        document[name] = value;
    }

    let metadata = read_metadata(&document).unwrap();

    assert_eq!(metadata.pushed_authorization_request_endpoint, Some(url("https://login.example/par")));
    assert!(metadata.require_pushed_authorization_requests && metadata.tls_client_certificate_bound_access_tokens);
    assert_eq!(metadata.response_modes, ["query", "jwt"]);
    assert_eq!(metadata.authorization_signing_algorithms, ["PS256"]);
    assert_eq!(metadata.request_object_algorithms, ["none", "ES256"]);
    assert_eq!(metadata.token_endpoint_auth_signing_algorithms, ["EdDSA"]);
    assert_eq!(metadata.dpop_algorithms, ["ES256", "ES384"]);
    assert_eq!(metadata.userinfo_algorithms, ["RS384"]);
    assert_eq!(metadata.acr_values_supported, ["high"]);
    assert_eq!(metadata.prompt_values_supported, ["none", "create"]);
    assert_eq!(metadata.scopes_supported, ["openid"]);
    let aliases = metadata.mtls_endpoint_aliases;
    assert_eq!(aliases.token_endpoint, Some(url("https://mtls.example/token")));
    assert_eq!(aliases.revocation_endpoint, Some(url("https://mtls.example/revoke")));
    assert_eq!(aliases.pushed_authorization_request_endpoint, Some(url("https://mtls.example/par")));
    assert_eq!(aliases.userinfo_endpoint, Some(url("https://mtls.example/userinfo")));
}

#[test]
fn a08_what_a_provider_does_not_say_is_not_offered() {
    let metadata = metadata();
    let new = ProviderMetadata::new(metadata.authorization_endpoint.clone(), metadata.token_endpoint.clone());

    for metadata in [metadata, new] {
        assert!(!metadata.require_pushed_authorization_requests && !metadata.tls_client_certificate_bound_access_tokens);
        assert_eq!(metadata.pushed_authorization_request_endpoint, None);
        assert_eq!(metadata.mtls_endpoint_aliases, MtlsEndpointAliases::default());
        assert_eq!(metadata.issuer_template, None);
        for list in [
            metadata.response_modes,
            metadata.authorization_signing_algorithms,
            metadata.request_object_algorithms,
            metadata.token_endpoint_auth_signing_algorithms,
            metadata.dpop_algorithms,
            metadata.userinfo_algorithms,
            metadata.acr_values_supported,
            metadata.prompt_values_supported,
            metadata.scopes_supported,
        ] {
            assert!(list.is_empty());
        }
    }
}

#[test]
fn c_ssrf_an_alias_for_clients_with_a_certificate_is_an_endpoint_like_any_other() {
    for name in ["token_endpoint", "revocation_endpoint", "pushed_authorization_request_endpoint", "userinfo_endpoint"] {
        match with("mtls_endpoint_aliases", json!({ name: "http://mtls.example/" })) {
            Err(DiscoveryError::InsecureEndpoint(refused)) => assert_eq!(refused, name),
            other => panic!("{name}: {other:?}"),
        }
        match with("mtls_endpoint_aliases", json!({ name: "https://169.254.169.254/" })) {
            Err(DiscoveryError::InternalEndpoint(refused)) => assert_eq!(refused, name),
            other => panic!("{name}: {other:?}"),
        }
        match with("mtls_endpoint_aliases", json!({ name: 1 })) {
            Err(DiscoveryError::WrongType(refused)) => assert_eq!(refused, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(with("mtls_endpoint_aliases", json!(null)).unwrap().mtls_endpoint_aliases, MtlsEndpointAliases::default());
}

#[test]
fn a08_a_provider_without_id_tokens_is_looked_for_in_three_places() {
    for (issuer, expected) in [
        (
            "https://login.example/tenant/a",
            &[
                "https://login.example/.well-known/oauth-authorization-server/tenant/a",
                "https://login.example/tenant/a/.well-known/oauth-authorization-server",
                "https://login.example/tenant/a/.well-known/openid-configuration",
            ][..],
        ),
        // A slash at the end is taken away first: RFC 8414, section 3.1.
        (
            "https://login.example:8443/tenant/",
            &[
                "https://login.example:8443/.well-known/oauth-authorization-server/tenant",
                "https://login.example:8443/tenant/.well-known/oauth-authorization-server",
                "https://login.example:8443/tenant/.well-known/openid-configuration",
            ],
        ),
        (
            "https://login.example",
            &["https://login.example/.well-known/oauth-authorization-server", "https://login.example/.well-known/openid-configuration"],
        ),
        (
            "http://127.0.0.1:4000/",
            &["http://127.0.0.1:4000/.well-known/oauth-authorization-server", "http://127.0.0.1:4000/.well-known/openid-configuration"],
        ),
    ] {
        let provider = oauth_at(issuer, None);

        assert_eq!(places(&provider), expected);
        for request in discovery::metadata_requests(&provider) {
            assert_eq!((request.method, request.header("accept"), request.body.as_deref()), (Method::Get, Some("application/json"), None));
        }
    }
}

#[test]
fn a08_a_provider_whose_endpoints_are_configured_is_not_looked_for() {
    let provider = oauth_provider();

    assert!(places(&provider).is_empty());
    assert_rejected!(discovery::process_metadata(&provider, &json_response(&metadata_document())), DiscoveryError::InvalidIssuer);
}

#[test]
fn a08_a_provider_without_id_tokens_needs_no_keys() {
    let minimal = json!({
        "issuer": "https://plain.example",
        "authorization_endpoint": "https://plain.example/authorize",
        "token_endpoint": "https://plain.example/token",
    });
    let userinfo = url("https://api.plain.example/me");
    let read = |userinfo: Option<Url>, document: &Value| {
        discovery::process_metadata(&oauth_at("https://plain.example", userinfo), &json_response(document))
    };

    let metadata = read(Some(userinfo.clone()), &minimal).unwrap();
    assert_eq!((metadata.jwks_uri, metadata.userinfo_endpoint), (None, Some(userinfo.clone())));
    assert_eq!(metadata.issuer.as_deref(), Some("https://plain.example"));
    assert_eq!(read(None, &minimal).unwrap().userinfo_endpoint, None);

    let mut full = minimal;
    full["jwks_uri"] = json!("https://plain.example/keys");
    full["userinfo_endpoint"] = json!("https://plain.example/userinfo");
    assert_eq!(read(None, &full).unwrap().userinfo_endpoint, Some(url("https://plain.example/userinfo")));
    let metadata = read(Some(userinfo.clone()), &full).unwrap();
    assert_eq!((metadata.jwks_uri, metadata.userinfo_endpoint), (Some(url("https://plain.example/keys")), Some(userinfo)));

    full["issuer"] = json!("https://plain.example/");
    assert_rejected!(read(None, &full), DiscoveryError::IssuerMismatch);
}

#[test]
fn a08_only_where_there_is_no_metadata_is_the_next_place_tried() {
    let body = metadata_document().to_string();
    for nothing_there in [
        response(404, "application/json", "{}"),
        response(403, "text/html", "<html>"),
        // What a single-page app answers to every path.
        response(200, "text/html", "<html>"),
        response(200, "application/json", "<html>"),
        response(200, "application/json", "[]"),
    ] {
        assert!(judge(&nothing_there).unwrap_err().may_be_elsewhere(), "{nothing_there:?}");
    }
    let changed = |name: &str, value: Value| {
        let mut document = metadata_document();
        document[name] = value;
        json_response(&document)
    };
    for there_and_wrong in [
        response(503, "application/json", body.clone()),
        response(429, "application/json", body.clone()),
        response(200, "application/json", body + &" ".repeat(MAXIMUM_METADATA_BYTES)),
        changed("issuer", json!("https://evil.example")),
        changed("issuer", json!(1)),
        changed("token_endpoint", json!(null)),
        changed("token_endpoint", json!("http://login.example/token")),
        changed("token_endpoint", json!("https://10.0.0.1/token")),
    ] {
        assert!(!judge(&there_and_wrong).unwrap_err().may_be_elsewhere(), "{there_and_wrong:?}");
    }
}

/// What becomes of metadata with this issuer where another one is configured.
fn judge_tenants(rule: IssuerRule, configured: &str, declared: &str) -> Result<ProviderMetadata, DiscoveryError> {
    let mut provider = openid_at(configured);
    provider.issuer_rule = rule;
    let mut document = metadata_document();
    document["issuer"] = json!(declared);
    discovery::process_metadata(&provider, &json_response(&document))
}

#[test]
fn a08_entras_template_is_the_configured_issuer_with_another_tenant() {
    for (configured, declared) in [
        ("https://login.example/common/v2.0", "https://login.example/{tenantid}/v2.0"),
        ("https://login.example/organizations/v2.0", "https://login.example/{tenantid}/v2.0"),
        ("https://login.example/common", "https://login.example/{tenantid}"),
        ("https://login.example/a/common/b/", "https://login.example/a/{tenantid}/b/"),
        ("http://127.0.0.1:4000/common/v2.0", "http://127.0.0.1:4000/{tenantid}/v2.0"),
    ] {
        let metadata = judge_tenants(IssuerRule::TenantTemplate, configured, declared).unwrap();

        assert_eq!(metadata.issuer.as_deref(), Some(configured));
        assert_eq!(metadata.issuer_template.as_deref(), Some(declared));
    }
}

#[test]
fn a08_a_template_that_is_not_the_configured_issuers_is_rejected() {
    let configured = "https://login.example/common/v2.0";
    for declared in [
        "https://evil.example/{tenantid}/v2.0",
        "https://login.example/{tenantid}/v1.0",
        "https://login.example/{tenantid}/v2.0/",
        "https://login.example/{tenantid}",
        "https://login.example/{tenantid}/{tenantid}",
        "https://login.example/x{tenantid}/v2.0",
        "https://login.example/{tenantid}x/v2.0",
        "https://login.example/com{tenantid}/v2.0",
        "https://login.example/{tenantid}on/v2.0",
        "https://login.example/common/{tenantid}/v2.0",
        "https://login.example/{tenantId}/v2.0",
        "https://login.example/%7Btenantid%7D/v2.0",
        "https://{tenantid}/common/v2.0",
        "https://{tenantid}.example/common/v2.0",
        "https:/{tenantid}/login.example/common/v2.0",
        "{tenantid}",
        "https://login.example/common/v2.0{tenantid}",
    ] {
        assert_rejected!(judge_tenants(IssuerRule::TenantTemplate, configured, declared), DiscoveryError::IssuerMismatch, "{declared}");
    }
    // The tenant of the configuration is one segment, and is there.
    for configured in ["https://login.example/a/b/v2.0", "https://login.example//v2.0", "https://login.example/v2.0"] {
        let result = judge_tenants(IssuerRule::TenantTemplate, configured, "https://login.example/{tenantid}/v2.0");
        assert_rejected!(result, DiscoveryError::IssuerMismatch, "{configured}");
    }
}

#[test]
fn a08_a_template_is_for_providers_that_are_configured_to_have_one() {
    let (configured, declared) = ("https://login.example/common/v2.0", "https://login.example/{tenantid}/v2.0");

    for rule in [IssuerRule::Exact, IssuerRule::Alternatives(vec![declared.to_owned()])] {
        assert_rejected!(judge_tenants(rule, configured, declared), DiscoveryError::IssuerMismatch);
    }
    let one_tenant = judge_tenants(IssuerRule::TenantTemplate, configured, configured).unwrap();
    assert_eq!((one_tenant.issuer.as_deref(), one_tenant.issuer_template), (Some(configured), None));
}

#[test]
fn a08_an_issuer_of_the_alternatives_is_no_issuer_of_metadata() {
    let rule = IssuerRule::Alternatives(vec!["https://other.example".to_owned()]);

    assert_rejected!(judge_tenants(rule, ISSUER, "https://other.example"), DiscoveryError::IssuerMismatch);
}
