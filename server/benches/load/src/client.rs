//! The browsers: a bounded number of requests over a few connections that are kept, each sent when the one before is answered.

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream::FuturesUnordered};
use http::{HeaderMap, Method, Request, StatusCode, header, request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::{cell::Cell, net::SocketAddr, time::Duration};
use tokio::{net::TcpStream, time::Instant};

/// How long a slice of work may take, whatever happens.
const SLICE_LIMIT: Duration = Duration::from_mins(2);

/// A connection that is kept.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    port: u16,
}

/// What came back.
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The fields.
    pub(crate) headers: HeaderMap,
    /// All of the content.
    pub(crate) body: Bytes,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("nobody listens on {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // How it ends is seen by whoever waits for an answer.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, port: address.port() })
    }

    /// A request with the fields that a browser sends.
    pub(crate) fn request(&self, method: Method, path: &str) -> request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, format!("localhost:{}", self.port))
            .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
            .header(header::ACCEPT, "*/*")
            .header(header::ACCEPT_LANGUAGE, "en-US,en;q=0.5")
            .header(header::ACCEPT_ENCODING, "gzip, deflate, br, zstd")
            .header("sec-fetch-site", "same-origin")
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        self.sender.ready().await.context("the connection was closed")?;
        let (parts, body) = self.sender.send_request(request).await?.into_parts();
        Ok(Answer { status: parts.status, headers: parts.headers, body: body.collect().await?.to_bytes() })
    }
}

impl Answer {
    /// Fails unless it has this status.
    pub(crate) fn expect(self, status: StatusCode) -> Result<Self> {
        ensure!(self.status == status, "the answer was {} instead of {status}: {}", self.status, String::from_utf8_lossy(&self.body));
        Ok(self)
    }
}

/// Several connections to one server.
pub(crate) struct Crowd(Vec<Connection>);

/// What became of a slice of work.
pub(crate) struct Slice {
    /// How long it took.
    pub(crate) duration: Duration,
    /// How long each request took, the shortest first.
    pub(crate) latencies: Vec<Duration>,
}

impl Crowd {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr, connections: usize) -> Result<Self> {
        let mut opened = Vec::with_capacity(connections);
        for _ in 0..connections {
            opened.push(Connection::open(address).await?);
        }
        Ok(Self(opened))
    }

    /// Does `exchange` so many times, with the number of the time; each connection does the next as soon as it is free.
    pub(crate) async fn work(&mut self, times: usize, exchange: &impl AsyncFn(&mut Connection, usize) -> Result<()>) -> Result<Slice> {
        let next = Cell::new(0);
        let started = Instant::now();
        let workers: FuturesUnordered<_> = self.0.iter_mut().map(|connection| worker(connection, &next, times, exchange)).collect();
        let Ok(latencies) = tokio::time::timeout(SLICE_LIMIT, workers.try_collect::<Vec<_>>()).await else {
            bail!("{times} requests were not answered within {} s", SLICE_LIMIT.as_secs());
        };
        let duration = started.elapsed();
        let mut latencies = latencies?.concat();
        latencies.sort_unstable();
        Ok(Slice { duration, latencies })
    }
}

async fn worker(
    connection: &mut Connection,
    next: &Cell<usize>,
    times: usize,
    exchange: &impl AsyncFn(&mut Connection, usize) -> Result<()>,
) -> Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    loop {
        let index = next.get();
        if index >= times {
            return Ok(latencies);
        }
        next.set(index + 1);
        let started = Instant::now();
        exchange(connection, index).await?;
        latencies.push(started.elapsed());
    }
}
