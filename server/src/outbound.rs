//! The only place that makes HTTP requests: to providers, bounded in time and size, and to upstreams, streamed.
//!
//! Each provider has a client of its own, made by [`Outbound::to_provider`], with its own connections and, where there is one,
//! its own certificate; so has each upstream, made by [`Outbound::to_upstream`]. No client follows a redirect, keeps a cookie or heeds `Alt-Svc`; providers are spoken to in HTTP/1.1.
//! What a provider's metadata names is reached only where it may lead: [`Names`] says how that is found out.

mod authorities;
mod certificate;
mod guard;
mod names;
mod provider;
mod upstream;

pub use certificate::{ClientCertificate, ClientCertificateError};
pub use guard::EndpointError;
pub use names::{Names, SystemNames};
pub use provider::ProviderClient;
pub use upstream::{UpstreamClient, UpstreamError};

use crate::config::{OutboundConfig, UpstreamConfig};
use authorities::Authorities;
use oauth2flow_protocol::Provider;
use rustls::CertificateError;
use secrecy::ExposeSecret as _;
use std::{error::Error, io, sync::Arc};
use thiserror::Error;
use upstream::Trust;

/// What is on this machine is never asked for through a proxy.
const NEVER_THROUGH_A_PROXY: [&str; 3] = ["localhost", "127.0.0.0/8", "::1"];
type BoxError = Box<dyn Error + Send + Sync>;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum OutboundError {
    /// No connection came about within the time limit.
    #[error("no connection within the time limit")]
    Timeout(#[source] BoxError),
    /// The whole answer, or of an upstream its head, was not there within the time limit.
    #[error("no answer within the time limit")]
    Silent,
    /// No connection, or it broke.
    #[error("no connection")]
    Unavailable(#[source] BoxError),
    /// The certificate comes from an authority that nobody here trusts.
    #[error(
        "the certificate comes from an authority that is not trusted; when it is your company's own, name its certificate in \
         outbound.root_certificates_file"
    )]
    Untrusted(#[source] BoxError),
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
    /// Whether nobody has answered, as when the other end is down.
    pub const fn is_silence(&self) -> bool {
        match self {
            Self::Timeout(_) | Self::Silent | Self::Unavailable(_) | Self::Untrusted(_) => true,
            Self::Endpoint(error) => matches!(error, EndpointError::Unresolved { .. }),
            Self::Encoded(_) | Self::TooLarge { .. } => false,
        }
    }

    /// Says what the failure of a call means.
    fn new(error: impl Into<BoxError>) -> Self {
        let error = error.into();
        if let Some(refused) = cause::<EndpointError>(&*error) {
            return Self::Endpoint(refused.clone());
        }
        if cause::<io::Error>(&*error).is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return Self::Timeout(error);
        }
        match cause::<rustls::Error>(&*error) {
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
    /// TLS cannot be set up with the client certificate.
    #[error("the HTTP client cannot be set up with the client certificate; check that certificate and key belong together")]
    Certificate(#[source] rustls::Error),
    /// There can be no connections to an upstream.
    #[error("the upstream {0} cannot be connected to")]
    Upstream(String, #[source] BoxError),
}

/// Makes HTTP clients: one for each provider, and one for each upstream.
#[derive(Clone)]
pub struct Outbound {
    config: Arc<OutboundConfig>,
    names: Arc<dyn Names>,
    /// Whose certificates are believed, by all clients together.
    authorities: Arc<Authorities>,
}

impl Outbound {
    /// Keeps what it takes to make clients.
    pub fn new(config: OutboundConfig, names: Arc<dyn Names>) -> Self {
        let authorities = Arc::new(Authorities::new(config.root_certificates.clone()));
        Self { config: Arc::new(config), names, authorities }
    }

    /// Builds the client for one provider, with the certificate to show it, if any.
    ///
    /// # Errors
    /// When TLS cannot be set up with the certificate.
    pub fn to_provider(&self, provider: &Provider, certificate: Option<&ClientCertificate>) -> Result<ProviderClient, OutboundSetupError> {
        if certificate.is_some() {
            // Whether certificate and key belong together is found out now, and not at the first login.
            Arc::clone(&self.authorities).client(certificate).map_err(OutboundSetupError::Certificate)?;
        }
        let (config, names, authorities) = (Arc::clone(&self.config), Arc::clone(&self.names), Arc::clone(&self.authorities));
        Ok(ProviderClient::new(provider, config, names, authorities, certificate.cloned()))
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
        let trust = Trust { config: &self.config, names: &self.names, authorities: &self.authorities };
        UpstreamClient::new(upstream, &trust, certificate.as_ref())
            .map_err(|error| OutboundSetupError::Upstream(upstream.name.clone(), error.into()))
    }
}
