//! The proxy: calls of the app to the APIs that the configuration names, each with the token that the backend keeps.
//!
//! A call is looked at first ([`Upstream::admit`], [`target`], `step_up`), then loses what is private or for one connection only
//! ([`headers`]), gets its token, where the upstream has one of its own by an exchange ([`exchange`]), and is sent ([`send`]), a second time
//! only where that is safe ([`retry`]). Bodies are streamed both ways; what is streamed ends with its session ([`body`]), and so does a
//! WebSocket ([`websocket`]).

pub mod body;
pub mod exchange;
pub mod headers;
pub mod retry;
pub mod send;
pub(crate) mod step_up;
pub mod target;
pub mod websocket;

use crate::{
    access,
    config::UpstreamConfig,
    error::Failure,
    middleware::client_ip::ClientAddress,
    ongoing::Ongoing,
    outbound::{Outbound, OutboundSetupError, UpstreamClient},
    session::live::LiveSession,
    state::AppState,
};
use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::Request,
    http::{HeaderMap, Method, Response, StatusCode, Uri, header},
};
use body::{Guard, Streamed};
use exchange::Exchange;
use oauth2flow_app::{api::Note, problem::ProblemCode};
use send::Call;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a page waits for the notes in it, and how many of them it takes.
const NOTES_TIMEOUT: Duration = Duration::from_secs(2);
const MAXIMUM_NOTES_BYTES: usize = 256 * 1024;

/// When to call again where an upstream has as many calls as it may have.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The upstreams.
pub struct Upstreams {
    by_name: HashMap<String, Arc<Upstream>>,
    /// The tokens that were exchanged for those of users.
    exchange: Exchange,
    /// The WebSockets that are open.
    pub tunnels: Ongoing,
}

impl Upstreams {
    /// Makes them known, with connections of their own.
    ///
    /// # Errors
    /// When TLS or the certificates of one cannot be set up.
    pub fn new(configs: &[UpstreamConfig], outbound: &Outbound) -> Result<Self, OutboundSetupError> {
        let upstream = |config: &UpstreamConfig| {
            let upstream = Upstream {
                client: outbound.to_upstream(config)?,
                base_path: config.url.path().trim_end_matches('/').to_owned(),
                calls: config.max_concurrent.map(|calls| Arc::new(Semaphore::new(calls.min(Semaphore::MAX_PERMITS)))),
                config: config.clone(),
            };
            Ok((config.name.clone(), Arc::new(upstream)))
        };
        let by_name = configs.iter().map(upstream).collect::<Result<_, _>>()?;
        Ok(Self { by_name, exchange: Exchange::default(), tunnels: Ongoing::default() })
    }

    /// The upstream of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Upstream>> {
        self.by_name.get(name)
    }
}

/// An upstream: an API behind the proxy.
pub struct Upstream {
    /// What the configuration says of it.
    pub config: UpstreamConfig,
    client: UpstreamClient,
    base_path: String,
    /// How many more calls there may be at a time.
    calls: Option<Arc<Semaphore>>,
}

/// Room for a call, until it is dropped.
pub type Room = Option<OwnedSemaphorePermit>;

impl Upstream {
    /// Whether a call may be made at all. In this order:
    ///
    /// 1. Its method is passed on; never CONNECT, which asks for a tunnel, or TRACE, which asks for its own header back, the token
    ///    among it.
    /// 2. Tokens of the user's provider may go there.
    /// 3. The path can mean but one place, and the configuration lets it through.
    ///
    /// # Errors
    /// `method_not_allowed`, `unknown_upstream`, `invalid_path`, `not_found`
    pub fn admit(&self, method: &Method, path: &str, session: &LiveSession) -> Result<(), Failure> {
        let name = &self.config.name;
        let never = matches!(*method, Method::CONNECT | Method::TRACE);
        if never || self.config.methods.as_ref().is_some_and(|methods| methods.iter().all(|known| known != method.as_str())) {
            return Err(Failure::new(ProblemCode::MethodNotAllowed).detail(format!("The upstream {name} does not take {method}.")));
        }
        if !self.config.is_for(&session.provider) {
            // A provider's token is for that provider's APIs: sent elsewhere, it could be used by whoever runs the other.
            let detail = format!("The upstream {name} is not for users of {}.", session.provider);
            return Err(Failure::new(ProblemCode::UnknownUpstream).detail(detail));
        }
        target::check(path)?;
        if self.config.paths.as_ref().is_some_and(|paths| paths.iter().all(|pattern| !pattern.matches(path))) {
            return Err(Failure::new(ProblemCode::NotFound).detail(format!("The upstream {name} has nothing for you at this path.")));
        }
        Ok(())
    }

    /// Whether the configuration lets this user in: who it is, and how strongly signed in.
    ///
    /// # Errors
    /// `not_permitted`, `step_up_required`
    pub fn permit(&self, app: &AppState, session: &LiveSession) -> Result<(), Failure> {
        access::require_at_upstream(app, &self.config, session)?;
        step_up::require(app, self, session)
    }

    /// The address of a path that was admitted.
    ///
    /// # Errors
    /// `invalid_path`
    pub fn uri(&self, path: &str, query: Option<&str>) -> Result<Uri, Failure> {
        let path_and_query = target::path_and_query(&self.base_path, path, query)?;
        self.client.uri(path_and_query).map_err(|error| Failure::new(ProblemCode::InvalidPath).source(error))
    }

    /// Takes room for one call.
    ///
    /// # Errors
    /// `too_many_connections`
    pub fn room(&self) -> Result<Room, Failure> {
        let Some(calls) = &self.calls else { return Ok(None) };
        Arc::clone(calls).try_acquire_owned().map(Some).map_err(|_| {
            let detail = format!("The upstream {} has as many calls as it may have at a time.", self.config.name);
            Failure::new(ProblemCode::TooManyConnections).detail(detail).retry_after(RETRY_AFTER)
        })
    }
}

/// Passes a call on that was admitted, and its answer back.
///
/// # Errors
/// Whatever keeps the upstream from answering.
pub async fn pass_on(
    app: &AppState,
    upstream: &Arc<Upstream>,
    session: Arc<LiveSession>,
    uri: Uri,
    request: Request,
    room: Room,
) -> Result<Response<Body>, Failure> {
    let (mut parts, body) = request.into_parts();
    check_length(upstream, &parts.headers)?;
    let client = parts.extensions.get::<ClientAddress>().copied();
    let welcome = headers::to_upstream(&mut parts.headers, upstream, &session, client, app.config.server.public_url.origin());
    let body = if body.is_end_stream() { Body::empty() } else { upload(app, upstream, &session, body) };
    let call = Call { method: parts.method, uri, headers: parts.headers, upgrades: false };
    let answer = send::send(app, upstream, &session, call, body).await?;
    answer_to_browser(app, upstream, session, answer, welcome, room)
}

/// Makes the browser's answer of the upstream's.
fn answer_to_browser(
    app: &AppState,
    upstream: &Upstream,
    session: Arc<LiveSession>,
    answer: Response<hyper::body::Incoming>,
    trailers_are_welcome: bool,
    room: Room,
) -> Result<Response<Body>, Failure> {
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let detail = "The API wants to speak something else than HTTP, and nobody asked for that.";
        return Err(Failure::new(ProblemCode::UpstreamUnavailable).detail(detail));
    }
    if let Some(challenge) = step_up::challenge(&answer) {
        // The upstream's own demand (RFC 9470) looks to the app like one that is configured here.
        let login_url = app.providers.get(&session.provider).and_then(|registered| step_up::login_for(&registered.provider, &challenge));
        return Err(step_up::failure(challenge, login_url));
    }
    let (mut parts, body) = answer.into_parts();
    headers::to_browser(&mut parts.headers, &upstream.config.headers, trailers_are_welcome);
    if body.is_end_stream() {
        // There is nothing to guard; for HEAD the length stays in the header.
        return Ok(Response::from_parts(parts, Body::empty()));
    }
    let endless = is_event_stream(&parts.headers).then(|| app.streams.acquire(session.key)).transpose()?;
    let guard = Guard::new(app, session, upstream.config.idle_timeout);
    Ok(Response::from_parts(parts, Body::new(Streamed::answer(body, guard, trailers_are_welcome, (room, endless)))))
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/event-stream")
}

fn upload(app: &AppState, upstream: &Upstream, session: &Arc<LiveSession>, body: Body) -> Body {
    let guard = Guard::new(app, Arc::clone(session), upstream.config.idle_timeout);
    Body::new(Streamed::upload(body, guard, upstream.config.max_body_bytes))
}

/// Refuses a body that says itself that it is too large.
fn check_length(upstream: &Upstream, headers: &HeaderMap) -> Result<(), Failure> {
    match (retry::content_length(headers), upstream.config.max_body_bytes) {
        (Some(length), Some(limit)) if length > limit => Err(body::too_large(limit)),
        _ => Ok(()),
    }
}

/// The notes of the demo provider's user, for the account page that is rendered here; `None` when they cannot be had soon.
pub async fn notes(app: &AppState, session: &Arc<LiveSession>) -> Option<Vec<Note>> {
    let upstream = app.upstreams.get("notes").filter(|upstream| upstream.config.providers.is_some())?;
    upstream.admit(&Method::GET, "", session).ok()?;
    upstream.permit(app, session).ok()?;
    let call = Call { method: Method::GET, uri: upstream.uri("", None).ok()?, headers: HeaderMap::new(), upgrades: false };
    let read = async {
        let answer = send::send(app, upstream, session, call, Body::empty()).await.ok()?;
        let body: Bytes = axum::body::to_bytes(Body::new(answer.into_body()), MAXIMUM_NOTES_BYTES).await.ok()?;
        serde_json::from_slice(&body).ok()
    };
    tokio::time::timeout(NOTES_TIMEOUT, read).await.ok()?
}
