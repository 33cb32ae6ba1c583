//! Provider metadata. [Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)

use oauth2flow_protocol::discovery::{self, DiscoveryError, MAXIMUM_METADATA_BYTES};
use oauth2flow_protocol::{JsonError, Method, OutboundResponse, ProviderMetadata};
use serde_json::{Value, json};

use crate::support::{ISSUER, assert_rejected, deeply_nested, metadata, metadata_document, read_metadata, response};

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
    discovery::process_metadata(ISSUER, answer)
}

/// The address of the metadata, or nothing for an issuer that cannot be one.
fn address(issuer: &str) -> Option<String> {
    discovery::metadata_url(issuer).ok().map(String::from)
}

#[test]
fn a08_the_metadata_is_asked_for_below_the_issuer() {
    let request = discovery::metadata_request(ISSUER).unwrap();

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
        assert_rejected!(discovery::metadata_request(issuer), DiscoveryError::InvalidIssuer, "{issuer}");
        assert_rejected!(
            discovery::process_metadata(issuer, &response(200, "application/json", "{}")),
            DiscoveryError::InvalidIssuer,
            "{issuer}"
        );
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

    assert!(discovery::process_metadata(with_slash, &answer(with_slash)).is_ok());
    assert!(discovery::process_metadata(without_slash, &answer(without_slash)).is_ok());
    assert_rejected!(discovery::process_metadata(with_slash, &answer(without_slash)), DiscoveryError::IssuerMismatch);
    assert_rejected!(discovery::process_metadata(without_slash, &answer(with_slash)), DiscoveryError::IssuerMismatch);
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
    ] {
        match with(name, value.clone()) {
            Err(DiscoveryError::WrongType(wrong)) => assert_eq!(wrong, name),
            other => panic!("{name}: {value}: {other:?}"),
        }
    }
}

const ENDPOINTS: [&str; 6] =
    ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "revocation_endpoint", "end_session_endpoint"];

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
    let read = |document: &Value| discovery::process_metadata(issuer, &response(200, "application/json", document.to_string()));

    assert_eq!(read(&document).unwrap().token_endpoint.as_str(), "http://127.0.0.1:4000/token_endpoint");
    document["token_endpoint"] = json!("http://192.168.1.1/token");
    assert_rejected!(read(&document), DiscoveryError::InsecureEndpoint("token_endpoint"));
}

#[test]
fn a21_an_answer_that_is_no_json_is_rejected() {
    let body = metadata_document().to_string();

    assert_rejected!(judge(&response(200, "text/html", body.clone())), DiscoveryError::NotJson);
    assert_rejected!(judge(&OutboundResponse { status: 200, content_type: None, body: body.into_bytes() }), DiscoveryError::NotJson);
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
