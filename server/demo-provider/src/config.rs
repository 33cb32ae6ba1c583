//! What the demo provider is told when it starts.

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use url::{Host, Url};

use crate::{Clock, DemoProviderError, Entropy};

/// The settings of a [`DemoProvider`](crate::DemoProvider).
#[derive(Clone)]
pub struct DemoProviderConfig {
    /// The provider's identifier and address, such as `http://127.0.0.1:4000`: a loopback origin without a path.
    pub issuer: String,
    /// The one client's identifier.
    pub client_id: String,
    /// The one client's secret.
    pub client_secret: String,
    /// The one client's name, as the consent page shows it. Default: `oauth2flow`.
    pub client_name: String,
    /// Where an authorization response may be sent; compared character by character. Default: none.
    pub redirect_uris: Vec<String>,
    /// Where the browser may be sent after a logout; compared character by character. Default: none.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where logout tokens are posted to. Default: nowhere.
    pub backchannel_logout_uri: Option<String>,
    /// The SQLite file. Default: none, everything is kept in memory.
    pub database: Option<PathBuf>,
    /// How long a code can be exchanged. Default: 60 seconds.
    pub code_lifetime: Duration,
    /// How long an access token works. Default: 5 minutes.
    pub access_token_lifetime: Duration,
    /// How long a refresh token works when nobody uses it. Default: 14 days.
    pub refresh_token_lifetime: Duration,
    /// How long an ID token is valid. Default: 10 minutes.
    pub id_token_lifetime: Duration,
    /// How long the provider remembers that somebody signed in. Default: 8 hours.
    pub session_lifetime: Duration,
    /// Where the time comes from. Default: the system.
    pub clock: Clock,
    /// Where randomness comes from. Default: the system.
    pub entropy: Entropy,
}

impl DemoProviderConfig {
    /// The defaults, for this issuer and this client.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            client_name: "oauth2flow".to_owned(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            database: None,
            code_lifetime: Duration::from_mins(1),
            access_token_lifetime: Duration::from_mins(5),
            refresh_token_lifetime: Duration::from_hours(14 * 24),
            id_token_lifetime: Duration::from_mins(10),
            session_lifetime: Duration::from_hours(8),
            clock: Clock::system(),
            entropy: Entropy::system(),
        }
    }

    /// Checks, in this order: the issuer is a bare loopback `http` origin; the client has an id and a secret; every
    /// redirect URI is absolute and has no fragment ([RFC 6749 §3.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2));
    /// the back-channel logout URI is an `http` or `https` URL.
    pub(crate) fn validate(&self) -> Result<(), DemoProviderError> {
        let not_loopback = || DemoProviderError::Issuer(self.issuer.clone());
        let issuer = Url::parse(&self.issuer).map_err(|_| not_loopback())?;
        if issuer.scheme() != "http" || !is_loopback(&issuer) || issuer.origin().ascii_serialization() != self.issuer {
            return Err(not_loopback());
        }
        if self.client_id.is_empty() || self.client_secret.is_empty() {
            return Err(DemoProviderError::Client);
        }
        for uri in self.redirect_uris.iter().chain(&self.post_logout_redirect_uris) {
            if !Url::parse(uri).is_ok_and(|uri| uri.fragment().is_none() && uri.has_host()) {
                return Err(DemoProviderError::RedirectUri(uri.clone()));
            }
        }
        if let Some(uri) = &self.backchannel_logout_uri
            && !Url::parse(uri).is_ok_and(|uri| matches!(uri.scheme(), "http" | "https"))
        {
            return Err(DemoProviderError::BackchannelLogoutUri(uri.clone()));
        }
        Ok(())
    }

    /// The client's own address: where its redirect URI lives.
    pub(crate) fn client_home(&self) -> Option<String> {
        self.redirect_uris.first().and_then(|uri| Url::parse(uri).ok()).map(|uri| uri.origin().ascii_serialization())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Debug for DemoProviderConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DemoProviderConfig")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("client_secret", &"[redacted]")
            .field("redirect_uris", &self.redirect_uris)
            .field("post_logout_redirect_uris", &self.post_logout_redirect_uris)
            .field("backchannel_logout_uri", &self.backchannel_logout_uri)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_issuer(issuer: &str) -> Result<(), DemoProviderError> {
        DemoProviderConfig::new(issuer, "client", "secret").validate()
    }

    #[test]
    fn loopback_origins_are_accepted() {
        for issuer in ["http://127.0.0.1:4000", "http://localhost:4000", "http://[::1]:4000", "http://127.8.9.1:1"] {
            with_issuer(issuer).unwrap();
        }
    }

    #[test]
    fn everything_but_a_bare_loopback_http_origin_is_refused() {
        for issuer in [
            "http://192.168.0.7:4000",
            "http://example.com",
            "https://127.0.0.1:4000",
            "http://127.0.0.1:4000/",
            "http://127.0.0.1:4000/demo",
            "http://127.0.0.1.example.com:4000",
            "http://localhost.example.com",
            "http://user@127.0.0.1:4000",
            "http://0.0.0.0:4000",
            "127.0.0.1:4000",
            "",
        ] {
            assert!(matches!(with_issuer(issuer), Err(DemoProviderError::Issuer(_))), "{issuer}");
        }
    }

    #[test]
    fn the_secret_is_not_printed() {
        let config = DemoProviderConfig::new("http://127.0.0.1:4000", "client", "sentinel-secret");
        assert!(!format!("{config:?}").contains("sentinel"));
    }
}
