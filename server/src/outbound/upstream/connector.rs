//! From an upstream's address to a connection: with TLS or without, directly or through a proxy.

use crate::{
    config::{HttpVersion, OutboundConfig, ProxyAddress},
    outbound::{NEVER_THROUGH_A_PROXY, authorities::Authorities, certificate::ClientCertificate, names::Names},
};
use axum::http::{
    HeaderValue, Uri,
    uri::{Authority, InvalidUri, Scheme},
};
use futures_util::{FutureExt as _, TryFutureExt as _, future::BoxFuture};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{DefaultServerNameResolver, HttpsConnector};
use hyper_util::client::{
    legacy::connect::{Connected, Connection, HttpConnector, dns, proxy::Tunnel},
    proxy::matcher::{Intercept, Matcher},
};
use rustls::ClientConfig;
use std::{
    error::Error,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use thiserror::Error;
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;
type Tcp = HttpConnector<Resolver>;

/// An idle connection is probed this often, so that one whose other end has vanished does not stay for ever.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// Why there can be no connections to an upstream.
#[derive(Debug, Error)]
pub(crate) enum ConnectorError {
    /// Its address cannot be asked.
    #[error("the address cannot be asked")]
    Address,
    /// Its address, or that of the proxy, is none.
    #[error("the address cannot be read")]
    Uri(#[from] InvalidUri),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up; check that certificate and key belong together")]
    Tls(#[from] rustls::Error),
}

/// What all upstreams have in common.
pub(in crate::outbound) struct Trust<'a> {
    pub(in crate::outbound) config: &'a OutboundConfig,
    pub(in crate::outbound) names: &'a Arc<dyn Names>,
    /// Whom everybody trusts.
    pub(in crate::outbound) authorities: &'a Arc<Authorities>,
}

impl Trust<'_> {
    /// The authorities of everybody, and these.
    fn with(&self, own: &[Vec<u8>]) -> Arc<Authorities> {
        match own {
            [] => Arc::clone(self.authorities),
            own => Arc::new(Authorities::new([&self.config.root_certificates, own].concat())),
        }
    }

    fn proxies(&self) -> Matcher {
        let address = |proxy: &Option<ProxyAddress>| proxy.as_ref().map(|proxy| proxy.url().to_string()).unwrap_or_default();
        let direct = self.config.no_proxy.iter().map(String::as_str).chain(NEVER_THROUGH_A_PROXY).collect::<Vec<_>>().join(",");
        Matcher::builder().https(address(&self.config.https_proxy)).http(address(&self.config.http_proxy)).no(direct).build()
    }

    fn tcp(&self) -> Tcp {
        let mut tcp = HttpConnector::new_with_resolver(Resolver(Arc::clone(self.names)));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        tcp
    }
}

/// Connects to one upstream, or one place where a provider is.
#[derive(Clone)]
pub(in crate::outbound) struct Connector {
    way: Way,
    timeout: Duration,
    proxy_authorization: Option<HeaderValue>,
}

#[derive(Clone)]
enum Way {
    /// Straight, without TLS.
    Plain(Tcp),
    /// Straight, with TLS.
    Secure(HttpsConnector<Tcp>),
    /// With TLS through a tunnel, in which the proxy sees nothing.
    Tunnel(HttpsConnector<Tunnel<HttpsConnector<Tcp>>>),
    /// To a proxy that passes on what it is asked.
    Through(HttpsConnector<Tcp>, Uri),
}

impl Connector {
    pub(in crate::outbound) fn new(
        scheme: &Scheme,
        authority: &Authority,
        trust: &Trust<'_>,
        root_certificates: &[Vec<u8>],
        certificate: Option<&ClientCertificate>,
        version: HttpVersion,
    ) -> Result<Self, ConnectorError> {
        let uri = Uri::builder().scheme(scheme.clone()).authority(authority.clone()).path_and_query("/").build();
        let uri = uri.map_err(|_| ConnectorError::Address)?;
        let proxy = trust.proxies().intercept(&uri);
        let is_secure = *scheme == Scheme::HTTPS;
        let to_proxy = || Ok::<_, rustls::Error>(secured(trust.tcp(), trust.with(&[]).client(None)?, HttpVersion::Http1));
        let to_upstream = || trust.with(root_certificates).client(certificate);
        let way = match &proxy {
            None if is_secure => Way::Secure(secured(trust.tcp(), to_upstream()?, version)),
            None => Way::Plain(trust.tcp()),
            Some(proxy) if is_secure => Way::Tunnel(secured(tunnel(proxy, to_proxy()?), to_upstream()?, version)),
            Some(proxy) => Way::Through(to_proxy()?, proxy.uri().clone()),
        };
        let proxy_authorization = proxy.filter(|_| !is_secure).and_then(|proxy| proxy.basic_auth().cloned());
        Ok(Self { way, timeout: trust.config.connect_timeout, proxy_authorization })
    }

    /// What every request carries for the proxy that passes it on.
    pub(in crate::outbound) fn proxy_authorization(&self) -> Option<HeaderValue> {
        self.proxy_authorization.clone()
    }
}

fn secured<C>(connector: C, mut tls: ClientConfig, version: HttpVersion) -> HttpsConnector<C> {
    const HTTP_1_1: &[u8] = b"http/1.1";
    const HTTP_2: &[u8] = b"h2";
    let protocols: &[&[u8]] = match version {
        HttpVersion::Auto => &[HTTP_2, HTTP_1_1],
        HttpVersion::Http1 => &[HTTP_1_1],
        HttpVersion::Http2 => &[HTTP_2],
    };
    tls.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    HttpsConnector::new(connector, tls, false, Arc::new(DefaultServerNameResolver::default()))
}

fn tunnel(proxy: &Intercept, connector: HttpsConnector<Tcp>) -> Tunnel<HttpsConnector<Tcp>> {
    let tunnel = Tunnel::new(proxy.uri().clone(), connector);
    match proxy.basic_auth() {
        Some(authorization) => tunnel.with_auth(authorization.clone()),
        None => tunnel,
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Stream, BoxError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // None of them has a queue.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = match &mut self.way {
            Way::Plain(tcp) => tcp.call(uri).map_ok(Stream::new).map_err(BoxError::from).boxed(),
            Way::Secure(tls) => tls.call(uri).map_ok(Stream::new).boxed(),
            Way::Tunnel(tls) => tls.call(uri).map_ok(Stream::new).boxed(),
            Way::Through(proxy, address) => proxy.call(address.clone()).map_ok(Stream::to_proxy).boxed(),
        };
        let timeout = self.timeout;
        async move {
            match tokio::time::timeout(timeout, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        }
        .boxed()
    }
}

/// Finds the upstream's addresses.
#[derive(Clone)]
struct Resolver(Arc<dyn Names>);

impl Service<dns::Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: dns::Name) -> Self::Future {
        let addresses = self.0.addresses(name.as_str());
        // The connector puts the right port in the place of 0.
        addresses
            .map_ok(|addresses| addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect::<Vec<_>>().into_iter())
            .boxed()
    }
}

/// A connection, of whatever kind.
pub(in crate::outbound) struct Stream {
    bytes: Box<dyn ReadWrite>,
    /// A proxy wants to see whole addresses.
    is_to_proxy: bool,
}

trait ReadWrite: Connection + Read + Write + Send + Unpin {}

impl<T: Connection + Read + Write + Send + Unpin> ReadWrite for T {}

impl Stream {
    fn new(stream: impl ReadWrite + 'static) -> Self {
        Self { bytes: Box::new(stream), is_to_proxy: false }
    }

    fn to_proxy(stream: impl ReadWrite + 'static) -> Self {
        Self { bytes: Box::new(stream), is_to_proxy: true }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.bytes.connected().proxy(self.is_to_proxy)
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.bytes).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.bytes.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.bytes).poll_shutdown(context)
    }
}
