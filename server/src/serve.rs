//! The listener: HTTP/1.1 on a bounded number of connections, with time limits for whoever dawdles, and an orderly end.

mod activity;
mod body;
mod places;
mod stream;

use crate::{
    config::LimitsConfig,
    middleware::{client_ip::PeerAddress, envelope::Envelope},
};
use activity::{Activity, Timeouts};
use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use body::{Answer, Arriving};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use oauth2flow_app::{api::Problem, problem::ProblemCode};
use places::{Place, Places};
use std::{convert::Infallible, future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use stream::Stream;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tower_service::Service as _;

pub use body::BodyTimeout;

/// How long to wait before accepting again when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the parser reads into without a table of its own on the heap.
const FIELDS_WITHOUT_HEAP: usize = 100;

/// How many of those for whom there is no room are told so at a time, and how long each may take to listen; others are just left.
const REFUSALS: usize = 64;
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
const REFUSAL_READS_BYTES: u64 = 64 * 1024;

/// Serves until `shutdown` ends, then lets running requests finish for at most `grace`.
pub async fn serve(listener: TcpListener, router: Envelope, limits: &LimitsConfig, shutdown: impl Future<Output = ()>, grace: Duration) {
    let server = Server::new(router, limits);
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let mut shutdown = pin!(shutdown);
    let mut full = false;
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
        };
        // Small answers should not wait for more to send.
        let _ = stream.set_nodelay(true);
        if let Some(place) = server.places.take() {
            full = false;
            server.spawn(stream, peer, place);
            continue;
        }
        if !full {
            full = true;
            tracing::warn!(connections = limits.connections, "every connection is taken, and none is idle: new ones are refused");
        }
        if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
            tokio::spawn(async move {
                let _ = tokio::time::timeout(REFUSAL_TIMEOUT, refuse(stream)).await;
                drop(permit);
            });
        }
    }
    drop(listener);
    server.places.finish();
    if tokio::time::timeout(grace, server.places.empty()).await.is_err() {
        tracing::warn!(grace_seconds = grace.as_secs(), "some requests did not finish in time and were cut off");
        server.places.cut();
    }
}

/// What every connection needs.
struct Server {
    router: Envelope,
    http: http1::Builder,
    places: Arc<Places>,
    timeouts: Timeouts,
    body_timeout: Duration,
}

impl Server {
    fn new(router: Envelope, limits: &LimitsConfig) -> Self {
        let mut http = http1::Builder::new();
        // What is a little too large gets an answer in words, and what is far too large is not even read.
        http.max_buf_size(limits.head_bytes * 4);
        if limits.head_fields > FIELDS_WITHOUT_HEAP {
            http.max_headers(limits.head_fields);
        }
        // The connection's own activity is watched instead: it tells waiting from reading.
        http.header_read_timeout(None);
        Self {
            router,
            http,
            places: Arc::new(Places::new(limits.connections)),
            timeouts: Timeouts { head: limits.head_timeout, idle: limits.idle_timeout },
            body_timeout: limits.body_timeout,
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, place: Place) {
        let (peer, body_timeout, timeouts) = (PeerAddress(peer), self.body_timeout, self.timeouts);
        let activity = Arc::clone(place.activity());
        let (router, of_requests) = (self.router.clone(), Arc::clone(&activity));
        let service = service_fn(move |request| answer(router.clone(), request, peer, body_timeout, Arc::clone(&of_requests)));
        let connection = self.http.serve_connection(TokioIo::new(Stream::new(stream, place)), service).with_upgrades();
        tokio::spawn(async move {
            if let Err(error) = activity::drive(connection, &activity, timeouts).await {
                tracing::debug!(error = %error, "a connection broke");
            }
        });
    }
}

async fn answer(
    mut router: Envelope,
    request: Request<Incoming>,
    peer: PeerAddress,
    body_timeout: Duration,
    activity: Arc<Activity>,
) -> Result<Response<Answer>, Infallible> {
    activity.handles();
    let mut request = request.map(|body| {
        // Most requests have no body, and nothing to watch over.
        if body.is_end_stream() { Body::empty() } else { Body::new(Arriving::new(body, Arc::clone(&activity), body_timeout)) }
    });
    request.extensions_mut().insert(peer);
    let response = router.call(request).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        activity.is_handed_over();
    } else {
        activity.answers();
    }
    Ok(response.map(|body| Answer::new(body, activity)))
}

/// Tells somebody for whom there is no room to come again, whatever they wanted.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    let code = ProblemCode::TooManyConnections;
    let kind = format!("/problem?code={}", code.code());
    let problem = Problem { kind, detail: code.explain().why.to_owned(), ..Problem::local(code) };
    let body = serde_json::to_string(&problem)?;
    let head = "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\ncache-control: no-store\r\ncontent-type: \
                application/problem+json";
    stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    stream.shutdown().await?;
    // With something unread the system would take the answer back.
    let mut unread = stream.take(REFUSAL_READS_BYTES);
    let mut buffer = [0; 1024];
    while unread.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// A connection that is gone before it was accepted is nobody's fault; running out of sockets needs a moment.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(error = %error, "cannot accept connections");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
