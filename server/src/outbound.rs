//! The only place that makes HTTP requests: to providers, bounded in time and size, and to upstreams, streamed.
//!
//! Each provider has a client of its own, made by [`Outbound::to_provider`], with its own connections and, where there is one,
//! its own certificate; so has each upstream, made by [`Outbound::to_upstream`]. No client follows a redirect, keeps a cookie or heeds `Alt-Svc`; providers are spoken to in HTTP/1.1.
//! What a provider's metadata names is reached only where it may lead: [`Names`] says how that is found out.

mod certificate;
mod guard;
mod names;
mod upstream;

pub use certificate::{ClientCertificate, ClientCertificateError};
pub use guard::EndpointError;
pub use names::{Names, SystemNames};
pub use upstream::{UpstreamClient, UpstreamError};

use crate::config::{OutboundConfig, ProxyAddress, UpstreamConfig};
use guard::Guard;
use http::{Method, header};
use oauth2flow_protocol::{OutboundRequest, OutboundResponse, Provider};
use rustls::CertificateError;
use rustls_platform_verifier::Verifier;
use secrecy::ExposeSecret as _;
use std::{
    error::Error,
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};
use thiserror::Error;
use upstream::Trust;

const USER_AGENT: &str = concat!("oauth2flow/", env!("CARGO_PKG_VERSION"));
/// What is on this machine is never asked for through a proxy.
const NEVER_THROUGH_A_PROXY: [&str; 3] = ["localhost", "127.0.0.0/8", "::1"];
/// An idle connection is kept no longer: many servers close theirs after a minute.
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(50);
const IDLE_CONNECTIONS_PER_PROVIDER: usize = 4;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum OutboundError {
    /// No connection came about within the time limit.
    #[error("no connection within the time limit")]
    Timeout(#[source] reqwest::Error),
    /// The whole answer, or of an upstream its head, was not there within the time limit.
    #[error("no answer within the time limit")]
    Silent,
    /// No connection, or it broke.
    #[error("no connection")]
    Unavailable(#[source] reqwest::Error),
    /// The certificate comes from an authority that nobody here trusts.
    #[error(
        "the certificate comes from an authority that is not trusted; when it is your company's own, name its certificate in \
         outbound.root_certificates_file"
    )]
    Untrusted(#[source] reqwest::Error),
    /// The endpoint leads where no provider may send this server.
    #[error("the endpoint is not asked")]
    Endpoint(#[source] EndpointError),
    /// The answer is packed in a way that nobody asked for, and that could blow up.
    #[error("the answer is encoded as {0:?}, and only an unencoded one was asked for")]
    Encoded(String),
    /// The answer is larger than any real one.
    #[error("the answer is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
}

impl OutboundError {
    /// Takes the URL out of the error: its query may hold what no log should.
    fn from_reqwest(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(refused) = cause::<EndpointError>(&error) {
            return Self::Endpoint(refused.clone());
        }
        if error.is_timeout() {
            return Self::Timeout(error);
        }
        match cause::<rustls::Error>(&error) {
            // The signature is bad when an authority of the same name is trusted, its predecessor for instance.
            Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) => {
                Self::Untrusted(error)
            }
            _ => Self::Unavailable(error),
        }
    }
}

/// Finds a cause of this type. An [`io::Error`] does not count what it was made of among its causes, so it is looked into.
pub(crate) fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<E>() {
            return Some(found);
        }
        let within = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = within.and_then(|within| cause::<E>(within)) {
            return Some(found);
        }
        next = current.source();
    }
    None
}

/// Why no HTTP client can be made of the configuration.
#[derive(Debug, Error)]
pub enum OutboundSetupError {
    /// TLS, its certificates or the proxy cannot be set up.
    #[error("the HTTP client cannot be set up; see [outbound] in the configuration")]
    Client(#[source] reqwest::Error),
    /// The same with a client certificate, which is most probably why.
    #[error("the HTTP client cannot be set up with the client certificate; check that certificate and key belong together")]
    Certificate(#[source] reqwest::Error),
    /// There can be no connections to an upstream.
    #[error("the upstream {0} cannot be connected to")]
    Upstream(String, #[source] Box<dyn Error + Send + Sync>),
}

/// Makes HTTP clients: one for each provider, and one for each upstream.
#[derive(Clone)]
pub struct Outbound {
    config: Arc<OutboundConfig>,
    names: Arc<dyn Names>,
    /// Whom upstreams are believed by; made when the first one needs it.
    verifier: Arc<OnceLock<Arc<Verifier>>>,
}

impl Outbound {
    /// Keeps what it takes to make clients.
    pub fn new(config: OutboundConfig, names: Arc<dyn Names>) -> Self {
        Self { config: Arc::new(config), names, verifier: Arc::default() }
    }

    /// Builds the client for one provider, with the certificate to show it, if any.
    ///
    /// # Errors
    /// When TLS, the certificates or the proxy cannot be set up.
    pub fn to_provider(&self, provider: &Provider, certificate: Option<&ClientCertificate>) -> Result<ProviderClient, OutboundSetupError> {
        let guard = Guard::new(provider, &self.config, Arc::clone(&self.names));
        let build = || {
            let mut builder = builder(&self.config)?
                .user_agent(USER_AGENT)
                .dns_resolver(guard.clone())
                .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
                .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_PROVIDER)
                // Nothing here needs more, and a hostile provider has fewer ways to keep this server busy.
                .http1_only();
            if let Some(certificate) = certificate {
                builder = builder.identity(certificate.identity());
            }
            builder.build()
        };
        let client = build().map_err(|error| match certificate {
            Some(_) => OutboundSetupError::Certificate(error),
            None => OutboundSetupError::Client(error),
        })?;
        Ok(ProviderClient { client, guard, total_timeout: self.config.total_timeout })
    }

    /// Makes the connections to one upstream possible, with the certificate to show it, if any.
    ///
    /// # Errors
    /// When TLS, the certificates or the proxy cannot be set up.
    pub fn to_upstream(&self, upstream: &UpstreamConfig) -> Result<UpstreamClient, OutboundSetupError> {
        let certificate = upstream.client_certificate.as_ref();
        let certificate = certificate
            .map(|certificate| ClientCertificate::from_pem(&certificate.chain, certificate.key.expose_secret()))
            .transpose()
            .map_err(|error| OutboundSetupError::Upstream(upstream.name.clone(), error.into()))?;
        let trust = Trust { config: &self.config, names: &self.names, verifier: &self.verifier };
        UpstreamClient::new(upstream, &trust, certificate.as_ref())
            .map_err(|error| OutboundSetupError::Upstream(upstream.name.clone(), error.into()))
    }
}

/// What all clients have in common.
#[expect(clippy::disallowed_methods, reason = "this is the one place that makes HTTP clients")]
fn builder(config: &OutboundConfig) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    // A redirect would carry the secret, or the token, to wherever the answer says. `no_proxy` keeps the library from
    // reading the environment by itself: the configuration has read it already.
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(config.connect_timeout)
        .no_proxy();
    let direct = config.no_proxy.iter().map(String::as_str).chain(NEVER_THROUGH_A_PROXY).collect::<Vec<_>>().join(",");
    let direct = || reqwest::NoProxy::from_string(&direct);
    if let Some(proxy) = config.https_proxy.as_ref().map(ProxyAddress::url) {
        builder = builder.proxy(reqwest::Proxy::https(proxy.clone())?.no_proxy(direct()));
    }
    if let Some(proxy) = config.http_proxy.as_ref().map(ProxyAddress::url) {
        builder = builder.proxy(reqwest::Proxy::http(proxy.clone())?.no_proxy(direct()));
    }
    if !config.root_certificates.is_empty() {
        let roots = config.root_certificates.iter().map(|der| reqwest::Certificate::from_der(der));
        builder = builder.tls_certs_merge(roots.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(builder)
}

/// The HTTP client for one provider.
#[derive(Clone)]
pub struct ProviderClient {
    client: reqwest::Client,
    guard: Guard,
    total_timeout: Duration,
}

impl ProviderClient {
    /// How long the provider has for a whole answer.
    pub const fn total_timeout(&self) -> Duration {
        self.total_timeout
    }

    /// Sends a request to the provider and reads at most `limit_bytes` of its answer.
    ///
    /// # Errors
    /// When there is no whole answer within the limits; any status is an answer.
    pub async fn send(&self, request: OutboundRequest, limit_bytes: usize) -> Result<OutboundResponse, OutboundError> {
        self.send_within(self.total_timeout, request, limit_bytes).await
    }

    /// The same with less time.
    ///
    /// # Errors
    /// When there is no whole answer within the limits; any status is an answer.
    pub async fn send_within(
        &self,
        timeout: Duration,
        request: OutboundRequest,
        limit_bytes: usize,
    ) -> Result<OutboundResponse, OutboundError> {
        tokio::time::timeout(timeout, self.exchange(request, limit_bytes)).await.unwrap_or(Err(OutboundError::Silent))
    }

    async fn exchange(&self, request: OutboundRequest, limit_bytes: usize) -> Result<OutboundResponse, OutboundError> {
        self.guard.check(&request.url).await.map_err(OutboundError::Endpoint)?;
        let method = match request.method {
            oauth2flow_protocol::Method::Get => Method::GET,
            oauth2flow_protocol::Method::Post => Method::POST,
            oauth2flow_protocol::Method::Delete => Method::DELETE,
        };
        let mut builder = self.client.request(method, request.url).header(header::ACCEPT_ENCODING, "identity");
        for (name, value) in request.headers {
            // Only configuration could bring a value that is none, and the provider will say what is missing.
            let Ok(mut value) = http::HeaderValue::try_from(value) else { continue };
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let response = builder.send().await.map_err(OutboundError::from_reqwest)?;
        read(response, limit_bytes).await
    }
}

/// Reads an answer, giving up as soon as it is too large, or would have to be unpacked to know.
async fn read(mut response: reqwest::Response, limit_bytes: usize) -> Result<OutboundResponse, OutboundError> {
    for encoding in response.headers().get_all(header::CONTENT_ENCODING) {
        if !encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity") {
            let shown: String = String::from_utf8_lossy(encoding.as_bytes()).chars().take(40).collect();
            return Err(OutboundError::Encoded(shown));
        }
    }
    if response.content_length().is_some_and(|announced| announced > limit_bytes as u64) {
        return Err(OutboundError::TooLarge { limit_bytes });
    }
    let status = response.status().as_u16();
    let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (content_type, dpop_nonce, link) = (text("content-type"), text("dpop-nonce"), text("link"));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(OutboundError::from_reqwest)? {
        if body.len() + chunk.len() > limit_bytes {
            return Err(OutboundError::TooLarge { limit_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(OutboundResponse { status, content_type, dpop_nonce, link, body })
}
