//! WebSockets ([RFC 6455](https://www.rfc-editor.org/rfc/rfc6455)): opened with the user's token, then passed on byte by byte.
//!
//! A browser's WebSocket cannot send `X-CSRF`, and any page may open one; so its `Origin` has to be this app's own, which the browser
//! vouches for. One ends with its session, when nobody has said anything for too long, and when the server stops: with a close in
//! both directions where one can be said, and by cutting the connection in any case.

mod frames;

use super::{
    Room, Upstream, answer_to_browser, headers,
    send::{self, Call},
};
use crate::{
    entropy::random,
    error::Failure,
    idle::Moved,
    middleware::client_ip::ClientAddress,
    ongoing::Counted,
    session::{events::Watch, live::LiveSession},
    state::AppState,
    streams::StreamPermit,
};
use axum::{
    body::{Body, HttpBody as _},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header},
};
use frames::Frames;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use oauth2flow_app::problem::ProblemCode;
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    sync::watch,
    time::timeout,
};
use tracing::Instrument as _;

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADE: HeaderValue = HeaderValue::from_static("upgrade");
const VERSION: HeaderName = header::SEC_WEBSOCKET_VERSION;

/// How much is read at a time.
const BUFFER_BYTES: usize = 16 * 1024;

/// How long the browser has to take over the connection that was opened for it.
const OPENING: Duration = Duration::from_secs(10);

/// How long one side may go on after the other has closed.
const CLOSING: Duration = Duration::from_secs(5);

/// How long a close that is said here may take.
const SAYING_CLOSE: Duration = Duration::from_secs(1);

type Connection = TokioIo<Upgraded>;

/// Whether a request wants to become something else than HTTP.
pub fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE) && headers::has_token(headers, &header::CONNECTION, "upgrade")
}

/// Whether it wants to become a WebSocket.
pub fn is_handshake(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::GET && wants_upgrade(headers) && is_to_websocket(headers)
}

/// Whether a WebSocket is the one thing that is asked for, or agreed to.
fn is_to_websocket(headers: &HeaderMap) -> bool {
    let mut protocols = headers.get_all(header::UPGRADE).iter();
    let is_websocket = protocols.next().is_some_and(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(WEBSOCKET.as_bytes()));
    is_websocket && protocols.next().is_none()
}

/// Opens a WebSocket to the upstream and joins the browser to it. An upstream that does not open one answers as to any other call.
///
/// # Errors
/// `invalid_request` for what is not the beginning of a WebSocket, or where the upstream cannot have one; `too_many_connections`; whatever
/// keeps the upstream from answering.
pub async fn open(
    app: &AppState,
    upstream: &Arc<Upstream>,
    session: Arc<LiveSession>,
    uri: Uri,
    mut request: Request,
    room: Room,
) -> Result<Response<Body>, Failure> {
    check(upstream, &request)?;
    let permit = app.streams.acquire(session.key)?;
    let of_browser = hyper::upgrade::on(&mut request);
    let (mut parts, _no_body) = request.into_parts();
    let client = parts.extensions.get::<ClientAddress>().copied();
    headers::to_upstream(&mut parts.headers, upstream, &session, client, app.config.server.public_url.origin());
    parts.headers.insert(header::CONNECTION, UPGRADE);
    parts.headers.insert(header::UPGRADE, WEBSOCKET);
    let call = Call { method: Method::GET, uri, headers: parts.headers, upgrades: true };
    let mut answer = send::send(app, upstream, &session, call, Body::empty()).await?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS || !is_to_websocket(answer.headers()) {
        return answer_to_browser(app, upstream, session, answer, false, room);
    }
    let of_upstream = hyper::upgrade::on(&mut answer);
    let tunnel = Tunnel {
        watch: app.sessions.watch(&session),
        stopping: app.stopping.clone(),
        idle_timeout: upstream.config.idle_timeout,
        mask: random(&*app.entropy),
        _kept: (room, permit, app.upstreams.tunnels.begin()),
    };
    let run = async move {
        // Whoever has gone away meanwhile has nothing more to say.
        let (Ok(Ok(browser)), Ok(upstream)) = (timeout(OPENING, of_browser).await, of_upstream.await) else { return };
        tunnel.run(TokioIo::new(browser), TokioIo::new(upstream)).await;
    };
    tokio::spawn(run.in_current_span());
    let mut headers = std::mem::take(answer.headers_mut());
    headers::to_browser(&mut headers, &upstream.config.headers, false);
    headers.insert(header::CONNECTION, UPGRADE);
    headers.insert(header::UPGRADE, WEBSOCKET);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    Ok(response)
}

/// [RFC 6455 §4.2.1](https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1)
fn check(upstream: &Upstream, request: &Request) -> Result<(), Failure> {
    let headers = request.headers();
    let detail = if !is_handshake(request.method(), headers) {
        "A connection can become a WebSocket, by GET, and nothing else."
    } else if headers.get(VERSION).is_none_or(|version| version != "13") || !headers.contains_key(header::SEC_WEBSOCKET_KEY) {
        "This is not how a WebSocket begins."
    } else if !request.body().is_end_stream() {
        "A WebSocket does not begin with a body."
    } else if !upstream.client.can_upgrade() {
        "This API is spoken to in HTTP/2 only, and there are no WebSockets."
    } else {
        return Ok(());
    };
    Err(Failure::new(ProblemCode::InvalidRequest).detail(detail))
}

/// Two connections that are one.
struct Tunnel {
    watch: Watch,
    stopping: watch::Receiver<bool>,
    idle_timeout: Duration,
    mask: [u8; 4],
    _kept: (Room, StreamPermit, Counted),
}

/// Why a tunnel is closed here.
#[derive(Clone, Copy, Debug)]
enum Reason {
    SessionEnded,
    Silent,
    Stopping,
}

impl Reason {
    /// [RFC 6455 §7.4.1](https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1)
    const fn code(self) -> u16 {
        match self {
            Self::SessionEnded => 1008,
            Self::Silent | Self::Stopping => 1001,
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::SessionEnded => "session ended",
            Self::Silent => "idle",
            Self::Stopping => "server stopping",
        }
    }
}

impl Tunnel {
    async fn run(mut self, browser: Connection, upstream: Connection) {
        let (browser, upstream) = (split(browser), split(upstream));
        let moved = Moved::default();
        let mut down = Direction { reader: upstream.0, writer: browser.1, frames: Frames::default() };
        let mut up = Direction { reader: browser.0, writer: upstream.1, frames: Frames::default() };
        let reason = {
            let both = copy_both(down.copy(&moved), up.copy(&moved));
            tokio::select! {
                () = both => return,
                () = self.watch.ended() => Reason::SessionEnded,
                () = moved.silent_for(self.idle_timeout) => Reason::Silent,
                // When nobody can tell any more, the server is gone.
                _ = self.stopping.wait_for(|stopping| *stopping) => Reason::Stopping,
            }
        };
        tracing::debug!(reason = reason.words(), "a WebSocket is closed");
        let close = async {
            let _ = tokio::join!(down.close(reason, None), up.close(reason, Some(self.mask)));
            // Whoever is hung up on with something unread might not get to read the close.
            let _ = tokio::join!(down.drain(), up.drain());
        };
        let _ = timeout(SAYING_CLOSE, close).await;
    }
}

/// Copies both ways; when one has ended, the other has a little time to end as well.
async fn copy_both(down: impl Future<Output = io::Result<()>>, up: impl Future<Output = io::Result<()>>) {
    tokio::pin!(down, up);
    let _ = tokio::select! {
        ended = &mut down => if ended.is_ok() { timeout(CLOSING, up).await.map(drop) } else { Ok(()) },
        ended = &mut up => if ended.is_ok() { timeout(CLOSING, down).await.map(drop) } else { Ok(()) },
    };
}

/// From one side to the other.
struct Direction {
    reader: ReadHalf<Connection>,
    writer: WriteHalf<Connection>,
    frames: Frames,
}

impl Direction {
    /// Copies until there is nothing more. May be given up at any time: what was written is known.
    async fn copy(&mut self, moved: &Moved) -> io::Result<()> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let length = self.reader.read(&mut buffer).await?;
            if length == 0 {
                return self.writer.shutdown().await;
            }
            moved.now();
            let mut rest = &buffer[..length];
            while !rest.is_empty() {
                let written = self.writer.write(rest).await?;
                if written == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                self.frames.pass(&rest[..written]);
                rest = &rest[written..];
            }
            self.writer.flush().await?;
            moved.now();
        }
    }

    /// Says that it is over, if anything may be said, and ends what is written.
    async fn close(&mut self, reason: Reason, mask: Option<[u8; 4]>) -> io::Result<()> {
        if self.frames.may_say() {
            self.writer.write_all(&frames::close(reason.code(), reason.words(), mask)).await?;
        }
        self.writer.shutdown().await
    }

    /// Reads what is still said, without anybody listening.
    async fn drain(&mut self) -> io::Result<()> {
        tokio::io::copy(&mut self.reader, &mut tokio::io::sink()).await.map(drop)
    }
}
