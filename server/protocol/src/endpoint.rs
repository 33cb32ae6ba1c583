//! Which addresses a provider may name as its own.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndpointFault {
    /// Neither `https` nor `http` on loopback, or it holds credentials or a fragment.
    Insecure,
    /// An address of the inner network that the issuer itself is not on.
    Internal,
}

/// Reads an endpoint, [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1): `https`, or `http` on
/// loopback; no credentials, no fragment. An address of the inner network is accepted only when the issuer is one too,
/// so that a provider's metadata cannot send this server to its neighbours.
pub(crate) fn read(text: &str, issuer: &Url) -> Result<Url, EndpointFault> {
    let url = Url::parse(text).map_err(|_| EndpointFault::Insecure)?;
    if !is_secure(&url) {
        return Err(EndpointFault::Insecure);
    }
    if is_internal(&url) && !is_internal(issuer) {
        return Err(EndpointFault::Internal);
    }
    Ok(url)
}

/// `https`, or `http` on loopback; no credentials, no fragment.
pub(crate) fn is_secure(url: &Url) -> bool {
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    scheme && url.has_host() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

/// Whether the host is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => is_localhost(domain),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Names of this machine, [RFC 6761 §6.3](https://www.rfc-editor.org/rfc/rfc6761#section-6.3).
fn is_localhost(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    domain == "localhost" || domain.ends_with(".localhost")
}

/// Whether the host is an address that is not of the public internet. Names are judged by whoever resolves them.
fn is_internal(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => is_localhost(domain),
        Some(Host::Ipv4(address)) => is_internal_ipv4(address),
        Some(Host::Ipv6(address)) => is_internal_ipv6(address),
        None => true,
    }
}

fn is_internal_ipv4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || first == 0
        // Shared address space of carriers, RFC 6598.
        || (first == 100 && (64..128).contains(&second))
}

fn is_internal_ipv6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_multicast()
        || embedded_ipv4(address).is_some_and(is_internal_ipv4)
}

/// The IPv4 address that a packet to an IPv6 address ends up at: mapped and compatible ones
/// ([RFC 4291 §2.5.5](https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5)), NAT64
/// ([RFC 6052 §2.1](https://www.rfc-editor.org/rfc/rfc6052#section-2.1)), 6to4
/// ([RFC 3056 §2](https://www.rfc-editor.org/rfc/rfc3056#section-2)).
fn embedded_ipv4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let ipv4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(ipv4(high, low)),
        _ => address.to_ipv4(),
    }
}
