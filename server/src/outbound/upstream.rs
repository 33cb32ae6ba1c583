//! Calls of upstreams: passed on as they are, with a pool of connections for each upstream.
//!
//! Bodies are streamed both ways, frame by frame, trailers included. Nothing is followed, kept or repeated here, but for a request of
//! which not one byte had been sent when an idle connection turned out to be closed.

mod connector;

use super::{cause, certificate::ClientCertificate};
use crate::{
    config::{HttpVersion, UpstreamConfig},
    idle::Moved,
};
use axum::{
    body::{Body, Bytes, HttpBody},
    http::{
        HeaderMap, HeaderValue, Method, Request, Response, Uri, header,
        uri::{Authority, PathAndQuery, Scheme},
    },
};
pub(super) use connector::{Connector, ConnectorError, Trust};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper_util::{
    client::legacy::{Client, connect::capture_connection},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::CertificateError;
use std::{
    error::Error,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use thiserror::Error;
use tokio::time::sleep;

/// Why an upstream did not begin to answer.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// There is no connection to it.
    #[error("no connection to the upstream")]
    Connect(#[source] hyper_util::client::legacy::Error),
    /// Its certificate comes from an authority that nobody here trusts.
    #[error(
        "the upstream's certificate comes from an authority that is not trusted; when it is your company's own, name its certificate in \
         root_certificates_file of the upstream, or of outbound"
    )]
    Untrusted(#[source] hyper_util::client::legacy::Error),
    /// It took nothing of the request's body for as long as the time limit, or then did not begin to answer.
    #[error("the upstream did not answer within the time limit")]
    Silent,
    /// The connection broke before there was a whole head of an answer.
    #[error("the connection to the upstream broke before it had answered")]
    Broken(#[source] hyper_util::client::legacy::Error),
    /// It answered something that is not HTTP, or the request's body could not be had to its end.
    #[error("the call of the upstream failed")]
    Failed(#[source] hyper_util::client::legacy::Error),
}

impl UpstreamError {
    fn new(error: hyper_util::client::legacy::Error) -> Self {
        if error.is_connect() {
            return match cause::<rustls::Error>(&error) {
                // The signature is bad when an authority of the same name is trusted, its predecessor for instance.
                Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)) => {
                    Self::Untrusted(error)
                }
                _ => Self::Connect(error),
            };
        }
        let of_http = cause::<hyper::Error>(&error);
        let is_closed = of_http.is_some_and(|error| error.is_incomplete_message() || error.is_canceled() || error.is_closed());
        let is_of_caller = of_http.is_some_and(hyper::Error::is_user);
        if is_closed || !is_of_caller && cause::<io::Error>(&error).is_some() { Self::Broken(error) } else { Self::Failed(error) }
    }

    /// Whether the connection failed before there was an answer, so that the same call may be made again if it can be repeated.
    pub fn is_of_connection(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Broken(_))
    }

    /// The cause of this type, if it has one: what the request's body has failed with, for instance.
    pub fn cause<E: Error + 'static>(&self) -> Option<&E> {
        cause(self)
    }
}

/// The connections to one upstream.
#[derive(Clone)]
pub struct UpstreamClient {
    client: Client<Connector, Body>,
    /// The same over HTTP/1.1, for what HTTP/2 has no way to ask for; none where only HTTP/2 is spoken.
    upgrading: Option<Client<Connector, Body>>,
    scheme: Scheme,
    authority: Authority,
    timeout: Duration,
    is_http1: bool,
    /// What a proxy in between wants to see, which passes on what is not encrypted.
    proxy_authorization: Option<HeaderValue>,
}

impl UpstreamClient {
    pub(super) fn new(config: &UpstreamConfig, trust: &Trust<'_>, certificate: Option<&ClientCertificate>) -> Result<Self, ConnectorError> {
        let uri: Uri = config.url.as_str().parse()?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else { return Err(ConnectorError::Address) };
        let make = |version| {
            let connector = Connector::new(&scheme, &authority, trust, &config.root_certificates, certificate, version)?;
            let mut builder = Client::builder(TokioExecutor::new());
            builder.timer(TokioTimer::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(config.pool_idle);
            builder.http2_only(version == HttpVersion::Http2).http2_adaptive_window(true);
            Ok::<_, ConnectorError>((connector.proxy_authorization(), builder.build(connector)))
        };
        let (proxy_authorization, client) = make(config.http_version)?;
        let upgrading = match config.http_version {
            HttpVersion::Http2 => None,
            // Without TLS nobody asks which version it is to be.
            HttpVersion::Auto if scheme == Scheme::HTTPS => Some(make(HttpVersion::Http1)?.1),
            HttpVersion::Auto | HttpVersion::Http1 => Some(client.clone()),
        };
        let is_http1 = config.http_version == HttpVersion::Http1 || config.http_version == HttpVersion::Auto && scheme == Scheme::HTTP;
        Ok(Self { is_http1, client, upgrading, scheme, authority, timeout: config.timeout, proxy_authorization })
    }

    /// Whether HTTP/1.1 is spoken for sure.
    pub fn is_http1(&self) -> bool {
        self.is_http1
    }

    /// Whether a connection can become something else than HTTP.
    pub fn can_upgrade(&self) -> bool {
        self.upgrading.is_some()
    }

    /// Its address with this path.
    ///
    /// # Errors
    /// When that is none.
    pub fn uri(&self, path_and_query: PathAndQuery) -> Result<Uri, http::Error> {
        Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone()).path_and_query(path_and_query).build()
    }

    /// Makes a call, and answers as soon as the head of the answer is there. The time limit begins anew with each piece of the body that
    /// the upstream takes, and does not count while the next one has yet to come: however long that takes, the upstream cannot help it.
    ///
    /// # Errors
    /// When the upstream does not begin to answer.
    pub async fn send(&self, method: Method, uri: Uri, headers: HeaderMap, body: Body) -> Result<Response<Incoming>, UpstreamError> {
        self.send_by(&self.client, method, uri, headers, body).await
    }

    /// Asks for a connection that becomes something else than HTTP; an answer with status 101 is one.
    ///
    /// # Errors
    /// When the upstream does not begin to answer.
    pub async fn upgrade(&self, uri: Uri, headers: HeaderMap) -> Result<Response<Incoming>, UpstreamError> {
        let client = self.upgrading.as_ref().unwrap_or(&self.client);
        self.send_by(client, Method::GET, uri, headers, Body::empty()).await
    }

    async fn send_by(
        &self,
        client: &Client<Connector, Body>,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Incoming>, UpstreamError> {
        let (body, moved) = if body.is_end_stream() {
            (body, None)
        } else {
            let moved = Arc::new(Moved::default());
            (Body::new(Upload { body, moved: Arc::clone(&moved) }), Some(moved))
        };
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        if let Some(authorization) = &self.proxy_authorization {
            request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        // Over HTTP/1.1 an answer that nobody waits for takes its connection along. One that others share would stay, even if its other end
        // is gone without a word.
        let shared = (!self.is_http1).then(|| capture_connection(&mut request));
        let silent = async {
            match moved {
                Some(moved) => moved.silent_for(self.timeout).await,
                None => sleep(self.timeout).await,
            }
        };
        tokio::select! {
            biased;
            response = client.request(request) => response.map_err(UpstreamError::new),
            () = silent => {
                if let Some(shared) = shared
                    && let Some(connection) = &*shared.connection_metadata()
                {
                    connection.poison();
                }
                Err(UpstreamError::Silent)
            }
        }
    }
}

/// A body on its way to an upstream, which says when it moves.
struct Upload {
    body: Body,
    moved: Arc<Moved>,
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            self.moved.now();
        } else {
            self.moved.waits();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // Now it is the upstream's turn, whatever is missing.
        self.moved.now();
    }
}
