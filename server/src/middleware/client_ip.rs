//! Whose request it is: the address of the connection's other end, or, where that is a known reverse proxy, the address that it names.
//!
//! Anybody can send `X-Forwarded-For` and `Forwarded` ([RFC 7239](https://www.rfc-editor.org/rfc/rfc7239)), and proxies add to what
//! they get. So both are read from the end, where the nearest proxy has written, and only for as long as it is known proxies that
//! have written; what stands before the first stranger is the stranger's own invention. Neither wins over the other: where both are
//! there they have to agree, since a proxy that sets one of them passes the other on as it came.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, header},
};
use ipnet::IpNet;
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicBool, Ordering},
};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of the connection; the listener puts it into the extensions of each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub SocketAddr);

/// The address of the client, as far as it can be trusted; in the extensions of each request. IPv4 is never written as IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl fmt::Display for ClientAddress {
    /// Every request is logged with it, and the library takes its time for fields that could have a width.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IpAddr::V4(address) = self.0 else { return self.0.fmt(formatter) };
        let (mut text, mut length) = ([b'.'; "255.255.255.255".len()], 0);
        for (place, octet) in address.octets().into_iter().enumerate() {
            length += usize::from(place > 0);
            for (digit, least) in [(octet / 100, 100), (octet / 10 % 10, 10), (octet % 10, 0)] {
                if octet >= least {
                    text[length] = b'0' + digit;
                    length += 1;
                }
            }
        }
        formatter.write_str(str::from_utf8(&text[..length]).unwrap_or_default())
    }
}

/// Finds out whose requests they are.
#[derive(Debug)]
pub struct ClientAddresses {
    trusted_proxies: Vec<IpNet>,
    warned: AtomicBool,
}

impl ClientAddresses {
    /// With the proxies whose word counts.
    pub fn new(trusted_proxies: Vec<IpNet>) -> Self {
        Self { trusted_proxies, warned: AtomicBool::new(false) }
    }

    /// Finds the client's address and puts it into the request's extensions.
    ///
    /// Where the connection is not from a known proxy it is the connection's. Otherwise it is the last address in the headers that
    /// is no known proxy's, or the first of all when every one is. It is the connection's again where the headers cannot be read
    /// that far, or contradict each other.
    pub fn identify(&self, request: &mut Request) -> ClientAddress {
        let peer = request.extensions().get::<PeerAddress>().map_or(UNKNOWN, |PeerAddress(address)| address.ip().to_canonical());
        let client = ClientAddress(self.client(peer, request.headers()));
        request.extensions_mut().insert(client);
        client
    }

    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            self.warn_once(peer, headers);
            return peer;
        }
        let of_list = headers.contains_key(X_FORWARDED_FOR).then(|| self.last_stranger(x_forwarded_for(headers)));
        let of_elements = headers.contains_key(header::FORWARDED).then(|| self.last_stranger(forwarded(headers)));
        match (of_list, of_elements) {
            (Some(client), None) | (None, Some(client)) => client,
            (Some(one), Some(other)) if one == other => one,
            _ => None,
        }
        .unwrap_or(peer)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }

    /// The first address, counted from the nearest proxy, that is not a proxy's; nothing when something unreadable comes before.
    fn last_stranger(&self, nearest_first: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        let mut farthest = None;
        for address in nearest_first {
            farthest = Some(address?);
            if farthest.is_some_and(|address| !self.trusts(address)) {
                break;
            }
        }
        farthest
    }

    /// Everybody behind a proxy that nobody has made known looks like one client, and shares its limits.
    fn warn_once(&self, peer: IpAddr, headers: &HeaderMap) {
        let claims = || headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(header::FORWARDED);
        if !self.warned.load(Ordering::Relaxed) && claims() && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                peer = %peer,
                "a request says whom it was forwarded for, and is not believed: if a reverse proxy connects from this address, put it into \
                 server.trusted_proxies, or all people behind it count as one"
            );
        }
    }
}

/// What stands for the other end where there is no connection.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The entries of `X-Forwarded-For`, of all its lines, the last one first.
fn x_forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    headers.get_all(X_FORWARDED_FOR).iter().rev().flat_map(|line| match line.to_str() {
        Ok(line) => Entries::List(line.rsplit(',').map(|entry| address(entry.trim()))),
        Err(_) => Entries::Unreadable(false),
    })
}

/// The `for` of every element of `Forwarded`, of all its lines, the last one first.
/// [RFC 7239 §4](https://www.rfc-editor.org/rfc/rfc7239#section-4)
fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    headers.get_all(header::FORWARDED).iter().rev().flat_map(|line| match line.to_str().ok().and_then(elements) {
        Some(elements) => Entries::List(elements.into_iter().rev().map(|pairs| node(&pairs))),
        None => Entries::Unreadable(false),
    })
}

/// The entries of a line: a line that cannot be read is one entry that cannot be read.
enum Entries<I> {
    List(I),
    Unreadable(bool),
}

impl<I: Iterator<Item = Option<IpAddr>>> Iterator for Entries<I> {
    type Item = Option<IpAddr>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::List(list) => list.next(),
            Self::Unreadable(done) => (!std::mem::replace(done, true)).then_some(None),
        }
    }
}

/// The elements of a line, each as its pairs. Commas and semicolons between quotation marks separate nothing, and backslashes
/// there stand for the character behind them.
fn elements(line: &str) -> Option<Vec<Vec<String>>> {
    let mut elements = vec![vec![String::new()]];
    let mut characters = line.chars();
    let mut quoted = false;
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' if quoted => elements.last_mut()?.last_mut()?.push(characters.next()?),
            ',' if !quoted => elements.push(vec![String::new()]),
            ';' if !quoted => elements.last_mut()?.push(String::new()),
            _ => elements.last_mut()?.last_mut()?.push(character),
        }
    }
    (!quoted).then_some(elements)
}

/// The address in the one `for` of an element.
fn node(pairs: &[String]) -> Option<IpAddr> {
    let mut nodes = pairs.iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    match (nodes.next(), nodes.next()) {
        (Some(node), None) => address(node),
        _ => None,
    }
}

/// An address, in brackets or not, with a port or not; `unknown` and made-up names are none.
fn address(text: &str) -> Option<IpAddr> {
    let is_port = |port: &str| port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let address = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        if !is_port(port) {
            return None;
        }
        IpAddr::V6(address.parse().ok()?)
    } else if let (Some((address, port)), 1) = (text.split_once(':'), text.matches(':').count()) {
        port.parse::<u16>().ok()?;
        IpAddr::V4(address.parse().ok()?)
    } else {
        text.parse().ok()?
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::{ClientAddress, ClientAddresses, PeerAddress, address};
    use axum::{body::Body, extract::Request};
    use std::net::{IpAddr, SocketAddr};

    /// Whose request it is, with these headers from this peer, where `10.0.0.0/8` and `::1` are proxies.
    fn client(peer: &str, headers: &[(&str, &str)]) -> String {
        let proxies = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let mut request = headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        let peer: IpAddr = peer.parse().unwrap();
        request = request.extension(PeerAddress(SocketAddr::new(peer, 1)));
        let mut request = request.body(Body::empty()).unwrap();
        let client = ClientAddresses::new(proxies).identify(&mut request);
        assert_eq!(request.extensions().get(), Some(&client));
        client.0.to_string()
    }

    #[test]
    fn a_stranger_is_who_it_is_whatever_it_says() {
        for header in [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1"), ("x-real-ip", "192.0.2.1")] {
            assert_eq!(client("198.51.100.7", &[header]), "198.51.100.7");
        }
        assert_eq!(client("::ffff:198.51.100.7", &[]), "198.51.100.7");
    }

    #[test]
    fn the_last_address_that_is_no_proxy_counts_over_all_lines() {
        for headers in [
            [("x-forwarded-for", "192.0.2.1")].as_slice(),
            &[("x-forwarded-for", "127.0.0.1, 203.0.113.9,192.0.2.1")],
            &[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.1, 10.1.1.1"), ("x-forwarded-for", "10.2.2.2")],
            &[("x-forwarded-for", "nonsense"), ("x-forwarded-for", "192.0.2.1:4711 , 10.1.1.1:80")],
            &[("x-forwarded-for", "::ffff:192.0.2.1")],
            &[("forwarded", "for=192.0.2.1")],
            &[("forwarded", r#"For="192.0.2.1:4711";proto=https;by=10.0.0.1"#)],
            &[("forwarded", r#"for=203.0.113.9, for=192.0.2.1;by="a,b;for=c\"", for=10.1.1.1"#)],
            &[("forwarded", "for=_hidden"), ("forwarded", r#"for="[::ffff:192.0.2.1]""#)],
            &[("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "203.0.113.9, 192.0.2.1")],
        ] {
            assert_eq!(client("10.0.0.1", headers), "192.0.2.1", "{headers:?}");
        }
        assert_eq!(client("::1", &[("x-forwarded-for", "2001:db8::1")]), "2001:db8::1");
        assert_eq!(client("::1", &[("forwarded", r#"for="[2001:db8::1]:4711""#)]), "2001:db8::1");
    }

    #[test]
    fn where_everybody_is_a_proxy_the_farthest_one_counts() {
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "10.3.3.3, 10.2.2.2")]), "10.3.3.3");
    }

    #[test]
    fn what_cannot_be_read_or_contradicts_itself_leaves_the_peer() {
        for headers in [
            [].as_slice(),
            &[("x-forwarded-for", "")],
            &[("x-forwarded-for", "192.0.2.1, unknown")],
            &[("x-forwarded-for", "192.0.2.1,")],
            &[("x-forwarded-for", "192.0.2.1 203.0.113.9")],
            &[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "é")],
            &[("forwarded", "for=192.0.2.1, for=unknown")],
            &[("forwarded", "for=192.0.2.1, for=_hidden")],
            &[("forwarded", "for=192.0.2.1;for=203.0.113.9")],
            &[("forwarded", "by=192.0.2.1")],
            &[("forwarded", r#"for="192.0.2.1"#)],
            &[("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "203.0.113.9")],
            &[("forwarded", "for=unknown"), ("x-forwarded-for", "203.0.113.9")],
        ] {
            assert_eq!(client("10.0.0.1", headers), "10.0.0.1", "{headers:?}");
        }
    }

    #[test]
    fn an_address_is_an_address() {
        for wrong in
            ["", "1.2.3", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:65536", "[::1", "[::1]80", "[::1]:x", "[1.2.3.4]", "localhost", "1.2.3.4 "]
        {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_is_written_as_everybody_writes_it() {
        for text in ["0.0.0.0", "1.20.255.100", "10.9.99.105", "255.255.255.255", "2001:db8::1"] {
            assert_eq!(ClientAddress(text.parse().unwrap()).to_string(), text);
        }
    }
}
