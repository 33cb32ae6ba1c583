//! The only place that makes HTTP requests: to providers, bounded in time and size, and to upstreams, streamed.

use axum::body::{Body, HttpBody as _};
use http::{HeaderMap, Method, header};
use oauth2flow_protocol::{OutboundRequest, OutboundResponse};
use std::time::Duration;
use thiserror::Error;
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("oauth2flow/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum OutboundError {
    /// Nothing came within the time limit.
    #[error("no answer within the time limit")]
    Timeout(#[source] reqwest::Error),
    /// The upstream did not begin to answer.
    #[error("no answer within the time limit")]
    Silent,
    /// No connection, or it broke.
    #[error("no connection")]
    Unavailable(#[source] reqwest::Error),
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
        if error.is_timeout() { Self::Timeout(error) } else { Self::Unavailable(error) }
    }
}

/// The HTTP client.
#[derive(Clone, Debug)]
pub struct Outbound {
    providers: Clients,
    upstreams: Clients,
}

/// A proxy of the environment (`HTTP_PROXY`) stands between this machine and others, never between two of its own programs.
#[derive(Clone, Debug)]
struct Clients {
    to_others: reqwest::Client,
    to_loopback: reqwest::Client,
}

impl Clients {
    fn build(builder: impl Fn() -> reqwest::ClientBuilder) -> Result<Self, reqwest::Error> {
        Ok(Self { to_others: builder().build()?, to_loopback: builder().no_proxy().build()? })
    }

    fn to(&self, url: &Url) -> &reqwest::Client {
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if loopback { &self.to_loopback } else { &self.to_others }
    }
}

impl Outbound {
    /// Builds the client.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes HTTP clients")]
    pub fn new() -> Result<Self, reqwest::Error> {
        // A redirect would carry the secret, or the token, to wherever the answer says.
        let builder =
            || reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT_TIMEOUT).referer(false);
        Ok(Self {
            providers: Clients::build(|| builder().user_agent(USER_AGENT).timeout(TOTAL_TIMEOUT))?,
            upstreams: Clients::build(builder)?,
        })
    }

    /// Sends a request to a provider and reads at most `limit_bytes` of its answer.
    ///
    /// # Errors
    /// When there is no whole answer within the limits; any status is an answer.
    pub async fn send(&self, request: OutboundRequest, limit_bytes: usize) -> Result<OutboundResponse, OutboundError> {
        let method = match request.method {
            oauth2flow_protocol::Method::Get => Method::GET,
            oauth2flow_protocol::Method::Post => Method::POST,
            oauth2flow_protocol::Method::Delete => Method::DELETE,
        };
        let mut builder = self.providers.to(&request.url).request(method, request.url);
        for (name, value) in request.headers {
            // Only configuration could bring a value that is none, and the provider will say what is missing.
            let Ok(mut value) = http::HeaderValue::try_from(value) else { continue };
            value.set_sensitive(true);
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let mut response = builder.send().await.map_err(OutboundError::from_reqwest)?;
        let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(OutboundError::from_reqwest)? {
            if body.len() + chunk.len() > limit_bytes {
                return Err(OutboundError::TooLarge { limit_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(OutboundResponse { status, content_type, body })
    }

    /// Passes a request on to an upstream, and its answer back, both streamed; `timeout` is for the answer's head.
    ///
    /// # Errors
    /// When the upstream does not begin to answer.
    pub async fn forward(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Body,
        timeout: Duration,
    ) -> Result<http::Response<Body>, OutboundError> {
        let mut request = self.upstreams.to(&url).request(method, url).headers(headers);
        // An empty stream would go out in chunks, and some upstreams refuse a GET that seems to have a body.
        if !body.is_end_stream() {
            request = request.body(reqwest::Body::wrap_stream(body.into_data_stream()));
        }
        let response = match tokio::time::timeout(timeout, request.send()).await {
            Ok(response) => response.map_err(OutboundError::from_reqwest)?,
            Err(_) => return Err(OutboundError::Silent),
        };
        Ok(http::Response::<reqwest::Body>::from(response).map(Body::new))
    }
}
