//! What the demo provider is told when it starts.

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use serde_json::Value;
use url::{Host, Url};

use crate::{Clock, Defect, DemoProviderError, Entropy, SigningAlgorithm};

/// The settings of a [`DemoProvider`](crate::DemoProvider).
#[derive(Clone)]
pub struct DemoProviderConfig {
    /// The provider's identifier and address, such as `http://127.0.0.1:4000`: a loopback origin, with a path or without.
    /// With a path, [`router`](crate::DemoProvider::router) is for [`Router::nest`](axum::Router::nest).
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
    /// The client's public keys, each a JSON Web Key: what it signs request objects and `private_key_jwt` assertions with.
    /// Default: none.
    pub client_keys: Vec<Value>,
    /// Whether codes are bound to a verifier ([RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)). Where they can be, a code whose request
    /// had no challenge is exchanged without a verifier, and any other with its own. Default: they must be.
    pub pkce: Offer,
    /// Whether authorization requests can be pushed ([RFC 9126](https://www.rfc-editor.org/rfc/rfc9126)). Default: no.
    pub pushed_requests: Offer,
    /// Whether authorization requests must be signed ([RFC 9101](https://www.rfc-editor.org/rfc/rfc9101)); they always can be.
    /// Default: no.
    pub require_signed_requests: bool,
    /// Whether access tokens are bound to a key of the client ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
    /// Default: for a client that asks for it.
    pub dpop: Offer,
    /// Whether a `DPoP` proof must hold a nonce of this provider
    /// ([RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)). Default: no.
    pub dpop_nonces: bool,
    /// What ID tokens and everything else are signed with. Default: `RS256`.
    pub signing_algorithm: SigningAlgorithm,
    /// Whether userinfo is a signed token instead of JSON. Default: no.
    pub signed_userinfo: bool,
    /// What the notes API demands of the login behind a token. Default: nothing.
    pub step_up: Option<StepUp>,
    /// Who is signed in, and allows everything, without being asked: the login of an account. Default: nobody, there are forms.
    pub automatic_login: Option<String>,
    /// The one thing that this provider does wrong. Default: none.
    pub defect: Option<Defect>,
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

/// Whether something can be used, or must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It is not there.
    Unavailable,
    /// Whoever wants to uses it.
    Available,
    /// Nothing works without it.
    Required,
}

/// What an API demands of the login behind a token ([RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// The authentication context class that is needed, one of the metadata's `acr_values_supported`.
    pub acr: Option<String>,
    /// How old the authentication may be.
    pub max_age: Option<Duration>,
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
            client_keys: Vec::new(),
            pkce: Offer::Required,
            pushed_requests: Offer::Unavailable,
            require_signed_requests: false,
            dpop: Offer::Available,
            dpop_nonces: false,
            signing_algorithm: SigningAlgorithm::Rs256,
            signed_userinfo: false,
            step_up: None,
            automatic_login: None,
            defect: None,
            code_lifetime: Duration::from_mins(1),
            access_token_lifetime: Duration::from_mins(5),
            refresh_token_lifetime: Duration::from_hours(14 * 24),
            id_token_lifetime: Duration::from_mins(10),
            session_lifetime: Duration::from_hours(8),
            clock: Clock::system(),
            entropy: Entropy::system(),
        }
    }

    /// Checks, in this order: the issuer is a loopback `http` origin, with a plain path or without; the client has an id and a secret; every
    /// redirect URI is absolute and has no fragment ([RFC 6749 §3.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2));
    /// the back-channel logout URI is an `http` or `https` URL.
    pub(crate) fn validate(&self) -> Result<(), DemoProviderError> {
        let not_loopback = || DemoProviderError::Issuer(self.issuer.clone());
        let issuer = Url::parse(&self.issuer).map_err(|_| not_loopback())?;
        let rebuilt = format!("{}{}", issuer.origin().ascii_serialization(), issuer.path().trim_end_matches('/'));
        if issuer.scheme() != "http" || !is_loopback(&issuer) || rebuilt != self.issuer || !is_plain(issuer.path()) {
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

    /// The path of the issuer, without a slash at the end: what every path of this provider begins with.
    pub(crate) fn base_path(&self) -> &str {
        let (_, after_scheme) = self.issuer.split_once("://").unwrap_or_default();
        after_scheme.find('/').map_or("", |start| after_scheme.get(start..).unwrap_or_default())
    }

    /// The client's own address: where its redirect URI lives.
    pub(crate) fn client_home(&self) -> Option<String> {
        self.redirect_uris.first().and_then(|uri| Url::parse(uri).ok()).map(|uri| uri.origin().ascii_serialization())
    }
}

/// Whether a path can stand in a page, a header and a cookie as it is.
fn is_plain(path: &str) -> bool {
    !path.contains("//") && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_'))
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
    fn loopback_origins_are_accepted_with_a_path_or_without() {
        for (issuer, path) in [
            ("http://127.0.0.1:4000", ""),
            ("http://localhost:4000", ""),
            ("http://[::1]:4000", ""),
            ("http://127.8.9.1:1", ""),
            ("http://127.0.0.1:4000/demo", "/demo"),
            ("http://[::1]:4000/defects/nonce-wrong", "/defects/nonce-wrong"),
        ] {
            with_issuer(issuer).unwrap();
            assert_eq!(DemoProviderConfig::new(issuer, "client", "secret").base_path(), path);
        }
    }

    #[test]
    fn everything_but_a_loopback_http_origin_is_refused() {
        for issuer in [
            "http://192.168.0.7:4000",
            "http://example.com",
            "https://127.0.0.1:4000",
            "http://127.0.0.1:4000/",
            "http://127.0.0.1:4000/demo/",
            "http://127.0.0.1:4000/demo?a",
            "http://127.0.0.1:4000/demo//a",
            "http://127.0.0.1:4000/demo;a",
            "http://127.0.0.1:4000/../demo",
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
