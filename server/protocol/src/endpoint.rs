//! Which addresses a provider may name as its own.

use url::{Host, Url};

use crate::address::AddressKind;

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndpointFault {
    /// Neither `https` nor `http` on loopback, or it holds credentials or a fragment.
    Insecure,
    /// An address that is not of the public internet, and of another kind than the issuer's.
    Internal,
}

/// Reads an endpoint, [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1): `https`, or `http` on
/// loopback; no credentials, no fragment. An address of this machine or of the inner network is accepted only when the issuer is
/// there too, so that a provider's metadata cannot send this server to itself or to its neighbours; where clouds keep their secrets
/// (link-local), or where nothing can be (reserved), no provider is. With `allow_internal` it may be anywhere.
pub(crate) fn read(text: &str, issuer: &Url, allow_internal: bool) -> Result<Url, EndpointFault> {
    let url = Url::parse(text).map_err(|_| EndpointFault::Insecure)?;
    if !is_secure(&url) {
        return Err(EndpointFault::Insecure);
    }
    match kind(&url) {
        AddressKind::Public => Ok(url),
        _ if allow_internal => Ok(url),
        kind_of_url @ (AddressKind::Loopback | AddressKind::Private) if kind_of_url == kind(issuer) => Ok(url),
        _ => Err(EndpointFault::Internal),
    }
}

/// `https`, or `http` on loopback; no credentials, no fragment.
pub(crate) fn is_secure(url: &Url) -> bool {
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    scheme && url.has_host() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

/// Whether the host is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| match host {
        Host::Domain(domain) => is_localhost(domain),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    })
}

/// Names of this machine, [RFC 6761 §6.3](https://www.rfc-editor.org/rfc/rfc6761#section-6.3).
fn is_localhost(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    domain == "localhost" || domain.ends_with(".localhost")
}

/// Where the host is. Names are judged by whoever resolves them.
fn kind(url: &Url) -> AddressKind {
    match url.host() {
        Some(Host::Domain(domain)) if is_localhost(domain) => AddressKind::Loopback,
        Some(Host::Domain(_)) => AddressKind::Public,
        Some(Host::Ipv4(address)) => AddressKind::of(address.into()),
        Some(Host::Ipv6(address)) => AddressKind::of(address.into()),
        None => AddressKind::Reserved,
    }
}
