//! Which addresses lead inwards, in every way of writing them.

use crate::support::{json_response, metadata_document, openid_provider};
use oauth2flow_protocol::discovery::{self, DiscoveryError};
use serde_json::json;

use oauth2flow_protocol::address::AddressKind::{self, LinkLocal, Loopback, Private, Public, Reserved};

fn kind(address: &str) -> AddressKind {
    AddressKind::of(address.parse().unwrap())
}

#[test]
fn every_special_block_is_known_from_its_first_to_its_last_address() {
    for (first, last, expected) in [
        ("0.0.0.0", "0.255.255.255", Reserved),
        ("10.0.0.0", "10.255.255.255", Private),
        ("100.64.0.0", "100.127.255.255", Private),
        ("127.0.0.0", "127.255.255.255", Loopback),
        ("169.254.0.0", "169.254.255.255", LinkLocal),
        ("172.16.0.0", "172.31.255.255", Private),
        ("192.0.0.0", "192.0.0.255", Reserved),
        ("192.168.0.0", "192.168.255.255", Private),
        ("198.18.0.0", "198.19.255.255", Private),
        ("224.0.0.0", "239.255.255.255", Reserved),
        ("240.0.0.0", "255.255.255.255", Reserved),
        ("::", "::", Reserved),
        ("::1", "::1", Loopback),
        ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Private),
        ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", LinkLocal),
        ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Private),
        ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved),
        ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Private),
    ] {
        assert_eq!(kind(first), expected, "{first}");
        assert_eq!(kind(last), expected, "{last}");
    }
}

#[test]
fn their_neighbours_are_public() {
    for address in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "8.8.8.8",
        "2606:4700::1111",
        "fbff::1",
        "fe7f::1",
        "64:ff9b:2::1",
    ] {
        assert_eq!(kind(address), Public, "{address}");
    }
}

#[test]
fn an_ipv4_address_in_an_ipv6_address_decides() {
    // Mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
    for (inner, expected, written) in [
        (
            "127.0.0.1",
            Loopback,
            [
                "::ffff:7f00:1",
                "::7f00:1",
                "::ffff:0:7f00:1",
                "64:ff9b::7f00:1",
                "2002:7f00:1::1",
                "2001:0:1:2:3:4:80ff:fffe",
                "2001:db8::5efe:7f00:1",
            ],
        ),
        (
            "169.254.169.254",
            LinkLocal,
            [
                "::ffff:a9fe:a9fe",
                "::a9fe:a9fe",
                "::ffff:0:a9fe:a9fe",
                "64:ff9b::a9fe:a9fe",
                "2002:a9fe:a9fe::",
                "2001::5601:5601",
                "2001:db8::200:5efe:a9fe:a9fe",
            ],
        ),
        (
            "10.0.0.1",
            Private,
            ["::ffff:a00:1", "::a00:1", "::ffff:0:a00:1", "64:ff9b::a00:1", "2002:a00:1::", "2001::f5ff:fffe", "2001:db8::5efe:a00:1"],
        ),
        (
            "8.8.8.8",
            Public,
            [
                "::ffff:808:808",
                "::808:808",
                "::ffff:0:808:808",
                "64:ff9b::808:808",
                "2002:808:808::",
                "2001::f7f7:f7f7",
                "2001:db8::5efe:808:808",
            ],
        ),
    ] {
        for address in written {
            assert_eq!(kind(address), expected, "{inner} in {address}");
        }
    }
}

#[test]
fn a_kind_has_a_word() {
    let words: std::collections::HashSet<_> = [Public, Loopback, LinkLocal, Private, Reserved].map(AddressKind::as_str).into();
    assert_eq!(words.len(), 5);
}

#[test]
fn an_endpoint_inside_is_read_only_where_that_is_configured_by_its_loud_name() {
    let mut provider = openid_provider();
    let mut document = metadata_document();
    for address in ["https://10.0.0.1/token", "https://[::1]/token", "https://169.254.169.254/token"] {
        document["token_endpoint"] = json!(address);
        let refused = discovery::process_metadata(&provider, &json_response(&document));
        assert!(matches!(refused, Err(DiscoveryError::InternalEndpoint("token_endpoint"))), "{address}: {refused:?}");
        provider.dangerous_allow_internal_endpoints = true;
        let read = discovery::process_metadata(&provider, &json_response(&document)).unwrap();
        assert_eq!(read.token_endpoint.as_str(), address);
        provider.dangerous_allow_internal_endpoints = false;
    }
    // That it is reached without encryption is another matter.
    provider.dangerous_allow_internal_endpoints = true;
    document["token_endpoint"] = json!("http://10.0.0.1/token");
    let refused = discovery::process_metadata(&provider, &json_response(&document));
    assert!(matches!(refused, Err(DiscoveryError::InsecureEndpoint("token_endpoint"))), "{refused:?}");
}
