//! An API that speaks HTTP/2 and nothing else, with prior knowledge or behind TLS.

use super::recording::socket;
use axum::http::{HeaderMap, Request, Response, Version};
use http_body_util::{BodyExt as _, combinators::BoxBody};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    convert::Infallible,
    future::ready,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

/// It sends every frame back that it gets, trailers included, as `gRPC` does.
pub(crate) struct Http2Upstream {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// What came.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) version: Version,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
}

impl Http2Upstream {
    pub(crate) fn start() -> Self {
        let (listener, address) = socket();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        tokio::spawn(accept(listener, Arc::clone(&seen)));
        Self { address, seen }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen.lock().unwrap();
        assert_eq!(seen.len(), 1, "requests to the API");
        seen[0].clone()
    }
}

async fn accept(listener: TcpListener, seen: Arc<Mutex<Vec<Seen>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let seen = Arc::clone(&seen);
        let service = service_fn(move |request| ready(Ok::<_, Infallible>(echo(request, &seen))));
        tokio::spawn(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service));
    }
}

fn echo(request: Request<Incoming>, seen: &Mutex<Vec<Seen>>) -> Response<BoxBody<axum::body::Bytes, hyper::Error>> {
    let (parts, body) = request.into_parts();
    let content_type = parts.headers.get("content-type").cloned();
    seen.lock().unwrap().push(Seen { version: parts.version, uri: parts.uri.to_string(), headers: parts.headers });
    let mut response = Response::new(body.boxed());
    if let Some(content_type) = content_type {
        response.headers_mut().insert("content-type", content_type);
    }
    response
}
