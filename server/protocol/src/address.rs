//! Which IP addresses are not of the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an IP address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// To the public internet.
    Public,
    /// To this machine: `127.0.0.0/8` and `::1`.
    Loopback,
    /// To the neighbours on the same wire, clouds' metadata services among them: `169.254.0.0/16` and `fe80::/10`.
    LinkLocal,
    /// Into an inner network: [RFC 1918](https://www.rfc-editor.org/rfc/rfc1918), the shared addresses of carriers
    /// ([RFC 6598](https://www.rfc-editor.org/rfc/rfc6598)), those of laboratories
    /// ([RFC 2544](https://www.rfc-editor.org/rfc/rfc2544)), and IPv6's unique local ones
    /// ([RFC 4193](https://www.rfc-editor.org/rfc/rfc4193)).
    Private,
    /// To no single machine: unspecified, multicast, broadcast and reserved addresses. Nothing is ever served there.
    Reserved,
}

impl AddressKind {
    /// The kind of an address. An IPv6 address with an IPv4 address in it is of that one's kind.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_ipv4(address),
            IpAddr::V6(address) => of_ipv6(address),
        }
    }

    /// The kind in words, for messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Private => "private",
            Self::Reserved => "reserved",
        }
    }
}

fn of_ipv4(address: Ipv4Addr) -> AddressKind {
    match address.octets() {
        [127, ..] => AddressKind::Loopback,
        [169, 254, ..] => AddressKind::LinkLocal,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => AddressKind::Private,
        // "This network", IETF protocol assignments (RFC 6890), multicast, and all that is kept for later, broadcast included.
        [0 | 224..=255, ..] | [192, 0, 0, _] => AddressKind::Reserved,
        _ => AddressKind::Public,
    }
}

fn of_ipv6(address: Ipv6Addr) -> AddressKind {
    if address.is_loopback() {
        AddressKind::Loopback
    } else if address.is_unspecified() || address.is_multicast() {
        AddressKind::Reserved
    } else if address.is_unicast_link_local() {
        AddressKind::LinkLocal
    } else if address.is_unique_local() || is_site_local(address) || is_local_nat64(address) {
        AddressKind::Private
    } else {
        embedded_ipv4(address).map_or(AddressKind::Public, of_ipv4)
    }
}

/// `fec0::/10`, given up by [RFC 3879](https://www.rfc-editor.org/rfc/rfc3879) and still routed inwards by some.
fn is_site_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfec0
}

/// `64:ff9b:1::/48`, whose translator only the network itself knows:
/// [RFC 8215](https://www.rfc-editor.org/rfc/rfc8215).
fn is_local_nat64(address: Ipv6Addr) -> bool {
    matches!(address.segments(), [0x64, 0xff9b, 1, ..])
}

/// The IPv4 address that a packet to an IPv6 address ends up at: mapped and compatible ones
/// ([RFC 4291 §2.5.5](https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5)), translated ones
/// ([RFC 2765 §2.1](https://www.rfc-editor.org/rfc/rfc2765#section-2.1)), NAT64
/// ([RFC 6052 §2.1](https://www.rfc-editor.org/rfc/rfc6052#section-2.1)), 6to4
/// ([RFC 3056 §2](https://www.rfc-editor.org/rfc/rfc3056#section-2)), Teredo
/// ([RFC 4380 §4](https://www.rfc-editor.org/rfc/rfc4380#section-4)), ISATAP
/// ([RFC 5214 §6.1](https://www.rfc-editor.org/rfc/rfc5214#section-6.1)).
fn embedded_ipv4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let ipv4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x2002, high, low, ..]
        | [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => Some(ipv4(high, low)),
        // Teredo hides the client's address from translators by inverting it.
        [0x2001, 0, _, _, _, _, high, low] => Some(ipv4(!high, !low)),
        _ => address.to_ipv4(),
    }
}
