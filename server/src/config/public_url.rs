//! The address that people's browsers know the app by.

use std::net::SocketAddr;
use url::{Host, Url};

/// The app's origin: scheme, host and port, without a path.
///
/// It is https, or http on a loopback host. The redirect URI, the cookies' attributes and the checks of `Origin` derive
/// from it and from nothing that a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    host: String,
    secure: bool,
    loopback: bool,
}

/// Why a text is no public URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// It cannot be read as a URL.
    #[error("“{0}” is not a web address.")]
    NotAnAddress(String),
    /// It holds a user name or a password; the text is kept out of the message.
    #[error("It holds a user name or a password.")]
    Credentials,
    /// It has a path, a query or a fragment.
    #[error("“{0}” has something behind the host, and the app is always at the root of its host.")]
    NotAnOrigin(String),
    /// It is http, and not on this machine.
    #[error("“{0}” is http, which anybody between the browser and the server can read and change.")]
    NotConfidential(String),
}

impl PublicUrlError {
    /// What to write instead.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NotAnAddress(_) => "Write the scheme and the host, such as https://app.example.com.",
            Self::Credentials => "Leave out what stands before the @.",
            Self::NotAnOrigin(_) => "Leave out the path, the query and the fragment, as in https://app.example.com.",
            Self::NotConfidential(_) => {
                "Write https://, with a proxy in front that speaks TLS; http is only for localhost, 127.0.0.1 and [::1]."
            }
        }
    }
}

impl PublicUrl {
    /// Reads an origin such as `https://app.example.com` or `http://localhost:3000`; one slash at the end is dropped.
    ///
    /// # Errors
    /// When it is not http or https, has credentials, a path, a query or a fragment, or is http off loopback.
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        let url = Url::parse(text).map_err(|_| PublicUrlError::NotAnAddress(text.to_owned()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PublicUrlError::Credentials);
        }
        let (true, Some(host)) = (matches!(url.scheme(), "http" | "https"), url.host_str()) else {
            return Err(PublicUrlError::NotAnAddress(text.to_owned()));
        };
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(PublicUrlError::NotAnOrigin(text.to_owned()));
        }
        let (secure, loopback) = (url.scheme() == "https", is_loopback(&url));
        if !secure && !loopback {
            return Err(PublicUrlError::NotConfidential(text.to_owned()));
        }
        Ok(Self { origin: url.origin().ascii_serialization(), host: host.to_owned(), secure, loopback })
    }

    /// Where a browser on this machine finds a server that listens there: `http://localhost:<port>`, when `listen` is a
    /// loopback address with a known port.
    pub fn of_loopback_listener(listen: SocketAddr) -> Option<Self> {
        (listen.ip().is_loopback() && listen.port() != 0).then(|| Self::parse(&format!("http://localhost:{}", listen.port())).ok())?
    }

    /// The origin as browsers write it: no slash at the end, no default port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host without the port; an IPv6 address has its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is https.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether only browsers on this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.origin)
    }
}

/// Whether the URL's host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{PublicUrl, PublicUrlError};

    #[test]
    fn an_origin_is_normalised() {
        for (text, origin) in [
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://localhost:3000/", "http://localhost:3000"),
            ("HTTPS://App.Example.COM:443/", "https://app.example.com"),
            ("https://app.example.com:8443", "https://app.example.com:8443"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://127.4.5.6:80", "http://127.4.5.6"),
        ] {
            assert_eq!(PublicUrl::parse(text).unwrap().origin(), origin, "{text}");
        }
    }

    #[test]
    fn http_is_for_this_machine_only() {
        for text in
            ["http://app.example.com", "http://0.0.0.0:3000", "http://192.168.1.2", "http://localhost.example.com", "http://128.0.0.1"]
        {
            assert!(matches!(PublicUrl::parse(text), Err(PublicUrlError::NotConfidential(_))), "{text}");
        }
    }

    #[test]
    fn anything_but_an_origin_is_refused() {
        for text in ["https://example.com/app", "https://example.com/?a", "https://example.com/#a", "https://user:secret@example.com"] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
        for text in ["localhost:3000", "app.example.com", "ftp://example.com", "", "https://"] {
            assert!(matches!(PublicUrl::parse(text), Err(PublicUrlError::NotAnAddress(_))), "{text}");
        }
        let error = PublicUrl::parse("https://user:hunter2@example.com").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn it_knows_whether_it_is_secure_and_local() {
        let local = PublicUrl::parse("http://[::1]:3000").unwrap();
        assert_eq!((local.is_secure(), local.is_loopback(), local.host()), (false, true, "[::1]"));
        let remote = PublicUrl::parse("https://app.example.com").unwrap();
        assert_eq!((remote.is_secure(), remote.is_loopback(), remote.host()), (true, false, "app.example.com"));
    }
}
