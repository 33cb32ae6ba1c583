//! What a provider says about itself.

use oauth2flow_protocol::discovery;
use url::{Host, Url};

use super::stand_in::{ISSUER, provider, read_response};

/// Accepted metadata names the configured issuer, and every endpoint in it is a public `https` address.
pub fn metadata(input: &[u8]) -> bool {
    let Some(response) = read_response(input) else { return false };
    let Ok(metadata) = discovery::process_metadata(provider(), &response) else { return false };
    assert_eq!(metadata.issuer.as_deref(), Some(ISSUER));
    let endpoints = [
        Some(&metadata.authorization_endpoint),
        Some(&metadata.token_endpoint),
        metadata.jwks_uri.as_ref(),
        metadata.userinfo_endpoint.as_ref(),
        metadata.revocation_endpoint.as_ref(),
        metadata.end_session_endpoint.as_ref(),
        metadata.pushed_authorization_request_endpoint.as_ref(),
    ];
    endpoints.into_iter().flatten().for_each(assert_is_public);
    assert!(metadata.jwks_uri.is_some(), "an OpenID provider without keys");
    true
}

fn assert_is_public(endpoint: &Url) {
    assert_eq!(endpoint.scheme(), "https", "{endpoint}");
    assert!(endpoint.username().is_empty() && endpoint.password().is_none() && endpoint.fragment().is_none(), "{endpoint}");
    match endpoint.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            assert!(name != "localhost" && !name.ends_with(".localhost"), "{endpoint}");
        }
        Some(Host::Ipv4(address)) => {
            let is_internal = address.is_loopback() || address.is_private() || address.is_link_local() || address.is_unspecified();
            assert!(!is_internal, "{endpoint}");
        }
        Some(Host::Ipv6(address)) => {
            let is_internal =
                address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local();
            assert!(!is_internal, "{endpoint}");
        }
        None => panic!("{endpoint} has no host"),
    }
}
