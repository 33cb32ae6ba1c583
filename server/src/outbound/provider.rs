//! Calls of a provider: to a handful of its endpoints, bounded in time and size.
//!
//! Nothing is followed, kept or unpacked, and nothing is sent again but a request of which not one byte had been sent when an idle
//! connection turned out to be closed.

use super::{
    OutboundError,
    authorities::Authorities,
    certificate::ClientCertificate,
    guard::Guard,
    names::Names,
    upstream::{Connector, ConnectorError, Trust},
};
use crate::config::{HttpVersion, OutboundConfig};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header,
    uri::{Authority, Scheme},
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use oauth2flow_protocol::{OutboundRequest, OutboundResponse, Provider};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("oauth2flow/", env!("CARGO_PKG_VERSION")));

/// An idle connection is kept no longer: many servers close theirs after a minute.
const IDLE_CONNECTION_TIMEOUT: Duration = Duration::from_secs(50);

/// Enough for many who sign in at the same moment: a new connection costs more than the request that it is for.
const IDLE_CONNECTIONS_PER_ORIGIN: usize = 64;

/// A provider has a few; one whose metadata names others again and again gets no room for more.
const ORIGINS: usize = 8;

/// The HTTP client for one provider.
#[derive(Clone)]
pub struct ProviderClient(Arc<Shared>);

struct Shared {
    config: Arc<OutboundConfig>,
    guard: Guard,
    /// The guard, as whoever connects asks it.
    names: Arc<dyn Names>,
    authorities: Arc<Authorities>,
    certificate: Option<ClientCertificate>,
    /// Where it was asked last, the latest at the end.
    origins: RwLock<Vec<Arc<Origin>>>,
}

/// One of the places where a provider has its endpoints.
struct Origin {
    scheme: Scheme,
    authority: Authority,
    client: Client<Connector, Full<Bytes>>,
    /// What a proxy in between wants to see, which passes on what is not encrypted.
    proxy_authorization: Option<HeaderValue>,
}

impl ProviderClient {
    pub(super) fn new(
        provider: &Provider,
        config: Arc<OutboundConfig>,
        names: Arc<dyn Names>,
        authorities: Arc<Authorities>,
        certificate: Option<ClientCertificate>,
    ) -> Self {
        let guard = Guard::new(provider, &config, names);
        let names = Arc::new(guard.clone());
        Self(Arc::new(Shared { config, guard, names, authorities, certificate, origins: RwLock::default() }))
    }

    /// How long the provider has for a whole answer.
    pub fn total_timeout(&self) -> Duration {
        self.0.config.total_timeout
    }

    /// Sends a request to the provider and reads at most `limit_bytes` of its answer.
    ///
    /// # Errors
    /// When there is no whole answer within the limits; any status is an answer.
    pub async fn send(&self, request: OutboundRequest, limit_bytes: usize) -> Result<OutboundResponse, OutboundError> {
        self.send_within(self.total_timeout(), request, limit_bytes).await
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
        self.0.guard.check(&request.url).await.map_err(OutboundError::Endpoint)?;
        let uri: Uri = request.url.as_str().parse().map_err(OutboundError::new)?;
        let origin = self.0.origin(&uri)?;
        let mut outgoing = Request::new(Full::from(request.body.unwrap_or_default()));
        *outgoing.method_mut() = match request.method {
            oauth2flow_protocol::Method::Get => Method::GET,
            oauth2flow_protocol::Method::Post => Method::POST,
            oauth2flow_protocol::Method::Delete => Method::DELETE,
        };
        *outgoing.uri_mut() = uri;
        *outgoing.headers_mut() = headers(request.headers, origin.proxy_authorization.clone());
        let response = origin.client.request(outgoing).await.map_err(OutboundError::new)?;
        read(response, limit_bytes).await
    }
}

impl Shared {
    /// The client for an address, which may be a new one.
    fn origin(&self, uri: &Uri) -> Result<Arc<Origin>, OutboundError> {
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(OutboundError::new(ConnectorError::Address));
        };
        let is_it = |origin: &&Arc<Origin>| origin.scheme == *scheme && origin.authority == *authority;
        if let Some(known) = self.origins.read().unwrap_or_else(PoisonError::into_inner).iter().find(is_it) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(self.connect_to(scheme, authority).map_err(OutboundError::new)?);
        let mut origins = self.origins.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = origins.iter().find(is_it) {
            return Ok(Arc::clone(known));
        }
        if origins.len() >= ORIGINS {
            origins.remove(0);
        }
        origins.push(Arc::clone(&made));
        Ok(made)
    }

    fn connect_to(&self, scheme: &Scheme, authority: &Authority) -> Result<Origin, ConnectorError> {
        if *scheme != Scheme::HTTPS && *scheme != Scheme::HTTP {
            return Err(ConnectorError::Address);
        }
        let trust = Trust { config: &self.config, names: &self.names, authorities: &self.authorities };
        // Nothing here needs more than HTTP/1.1, and a hostile provider has fewer ways to keep this server busy.
        let connector = Connector::new(scheme, authority, &trust, &[], self.certificate.as_ref(), HttpVersion::Http1)?;
        let proxy_authorization = connector.proxy_authorization();
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_CONNECTION_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_ORIGIN)
            .build(connector);
        Ok(Origin { scheme: scheme.clone(), authority: authority.clone(), client, proxy_authorization })
    }
}

/// The header of a request. What it brings itself counts more than what is always there.
fn headers(of_request: Vec<(&'static str, String)>, proxy_authorization: Option<HeaderValue>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    for (name, value) in of_request {
        // Only configuration could bring a value that is none, and the provider will say what is missing.
        let Ok(mut value) = HeaderValue::try_from(value) else { continue };
        value.set_sensitive(true);
        headers.append(HeaderName::from_static(name), value);
    }
    headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
    headers.entry(header::ACCEPT).or_insert(const { HeaderValue::from_static("*/*") });
    if let Some(authorization) = proxy_authorization {
        headers.insert(header::PROXY_AUTHORIZATION, authorization);
    }
    headers
}

/// Reads an answer, giving up as soon as it is too large, or would have to be unpacked to know.
async fn read(response: Response<Incoming>, limit_bytes: usize) -> Result<OutboundResponse, OutboundError> {
    let (head, mut content) = response.into_parts();
    for encoding in head.headers.get_all(header::CONTENT_ENCODING) {
        if !encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity") {
            let shown: String = String::from_utf8_lossy(encoding.as_bytes()).chars().take(40).collect();
            return Err(OutboundError::Encoded(shown));
        }
    }
    let announced = usize::try_from(content.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit_bytes {
        return Err(OutboundError::TooLarge { limit_bytes });
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(frame) = content.frame().await {
        let Ok(chunk) = frame.map_err(OutboundError::new)?.into_data() else { continue };
        if body.len() + chunk.len() > limit_bytes {
            return Err(OutboundError::TooLarge { limit_bytes });
        }
        body.extend_from_slice(&chunk);
    }
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (content_type, dpop_nonce, link) = (text("content-type"), text("dpop-nonce"), text("link"));
    Ok(OutboundResponse { status: head.status.as_u16(), content_type, dpop_nonce, link, body })
}
