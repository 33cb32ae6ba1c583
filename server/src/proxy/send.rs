//! Sending a call with its token; again where the upstream wants another proof or a newer token, or where the connection failed.

use super::{
    Upstream,
    body::{self, BodyError},
    exchange,
    headers::{DPOP, DPOP_NONCE},
    retry::{Replayable, is_idempotent},
    step_up,
};
use crate::{
    access::{self, Standing},
    dpop::Role,
    error::Failure,
    flow::session::UpstreamCall,
    outbound::{UpstreamError, cause},
    serve::BodyTimeout,
    session::{
        live::LiveSession,
        record::Key,
        refresh::{self, Access},
    },
    state::AppState,
};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header},
};
use hyper::body::Incoming;
use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::dpop::is_nonce;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use url::Url;

/// A call that is answered within this time does not have its session watched.
const UNWATCHED: Duration = Duration::from_millis(500);

/// A call, but for its body and its token.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    /// Whether the connection is to become something else than HTTP.
    pub(super) upgrades: bool,
}

/// What has been done again already; nothing is, twice.
#[derive(Default)]
struct Repeated {
    connection: bool,
    nonce: bool,
    token: bool,
}

/// Sends a call, and answers as soon as the head of its answer is there; nobody waits for that when the session has ended. It is sent
/// again, each time for one of these reasons and once:
///
/// 1. The connection broke before there was an answer, and the method is idempotent.
/// 2. The token is bound to a key, and the upstream wants its nonce in the proof
///    ([RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9)).
/// 3. The upstream does not accept the token (401), and there is a new one to be had.
///
/// # Errors
/// Whatever keeps the upstream from answering, and the user's token from being had.
pub(super) async fn send(
    app: &AppState,
    upstream: &Arc<Upstream>,
    session: &Arc<LiveSession>,
    call: Call,
    body: Body,
) -> Result<Response<Incoming>, Failure> {
    let waits = refresh::has_to_wait(session, app.clock.now());
    let mut access = exchange::access(app, upstream, session).await?;
    if waits {
        permit_renewed(app, upstream, session.key).await?;
    }
    let mut body = Replayable::read(body, &call.headers).await.map_err(of_body)?;
    let mut nonce = access.dpop_key.as_ref().and_then(|_| app.dpop_nonces.of(Role::Upstream, &upstream.config.name));
    let mut repeated = Repeated::default();
    loop {
        let headers = authorized(app, &access, &call, nonce.as_deref())?;
        let answered = tokio::select! {
            biased;
            answered = attempt(upstream, &call, headers, body.take()) => answered,
            () = ended(app, session) => return Err(ProblemCode::SessionEnded.into()),
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(error) if error.is_of_connection() && !repeated.connection && is_idempotent(&call.method) && body.is_whole() => {
                tracing::debug!(error = %error, "the connection to an upstream failed; trying once more");
                repeated.connection = true;
                continue;
            }
            Err(error) => return Err(of_upstream(error)),
        };
        if access.dpop_key.is_some()
            && let Some(wanted) = wanted_nonce(app, upstream, nonce.as_deref(), &answer)
            && !repeated.nonce
        {
            if !body.is_whole() {
                let detail = "The API wants to be called once more, and the body was too large to be kept.";
                return Err(Failure::new(ProblemCode::UpstreamUnavailable).detail(detail));
            }
            repeated.nonce = true;
            nonce = Some(wanted);
            continue;
        }
        if repeated.token || !body.is_whole() || !rejects_token(&answer) {
            return Ok(answer);
        }
        match exchange::renew(app, upstream, session, &access).await {
            Some(renewed) => access = renewed,
            None => return Ok(answer),
        }
        permit_renewed(app, upstream, session.key).await?;
        repeated.token = true;
    }
}

/// Decides once more after a renewal: with it the provider may have said that the user has left a group.
async fn permit_renewed(app: &AppState, upstream: &Upstream, session: Key) -> Result<(), Failure> {
    let renewed = app.sessions.peek(session).await?;
    let renewed = renewed.filter(|session| access::standing(app, session) == Standing::Admitted).ok_or(ProblemCode::Unauthenticated)?;
    upstream.permit(app, &renewed)
}

/// Waits until the session has ended, but not before [`UNWATCHED`] is over.
async fn ended(app: &AppState, session: &Arc<LiveSession>) {
    sleep(UNWATCHED).await;
    app.sessions.watch(session).ended().await;
}

async fn attempt(upstream: &Upstream, call: &Call, headers: HeaderMap, body: Body) -> Result<Response<Incoming>, UpstreamError> {
    let recorded = UpstreamCall::begin(&call.method, &call.uri, &headers);
    let uri = call.uri.clone();
    let answered = if call.upgrades {
        upstream.client.upgrade(uri, headers).await
    } else {
        upstream.client.send(call.method.clone(), uri, headers, body).await
    };
    if let Some(recorded) = recorded {
        recorded.end(answered.as_ref().map(Response::status));
    }
    answered
}

/// The call's header with its token, and with a proof where the token is bound to a key.
fn authorized(app: &AppState, access: &Access, call: &Call, nonce: Option<&str>) -> Result<HeaderMap, Failure> {
    let mut headers = call.headers.clone();
    let scheme = if access.dpop_key.is_some() { "DPoP" } else { "Bearer" };
    headers.insert(header::AUTHORIZATION, secret_header(format!("{scheme} {}", access.token.expose()))?);
    if let Some(key) = &access.dpop_key {
        let url = Url::parse(&call.uri.to_string()).map_err(|error| Failure::new(ProblemCode::InvalidPath).source(error))?;
        let proof = app.with_context(|context| key.proof(call.method.as_str(), &url, nonce, Some(&access.token), context));
        headers.insert(DPOP, secret_header(proof)?);
    }
    Ok(headers)
}

fn secret_header(value: String) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| Failure::new(ProblemCode::ProviderInvalidResponse).detail("The access token cannot be sent in a header."))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Keeps the nonce that the upstream has sent, and answers it if the call is to be made again with it.
fn wanted_nonce(app: &AppState, upstream: &Upstream, sent: Option<&str>, answer: &Response<Incoming>) -> Option<String> {
    // What is no nonce would be left out of the proof, which would then be the one that was refused.
    let new = answer.headers().get(DPOP_NONCE).and_then(|nonce| nonce.to_str().ok()).filter(|nonce| is_nonce(nonce));
    app.dpop_nonces.remember(Role::Upstream, &upstream.config.name, new);
    let wants = || answer.status() == StatusCode::UNAUTHORIZED && challenges(answer).any(|challenge| challenge.contains("use_dpop_nonce"));
    new.filter(|new| Some(*new) != sent && wants()).map(str::to_owned)
}

fn challenges(answer: &Response<Incoming>) -> impl Iterator<Item = &str> {
    answer.headers().get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok())
}

/// Whether an answer is a 401 that can be about the token: it says so, or does not say what it is about. One that wants another login,
/// another proof, or another way to authenticate says something else.
/// [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)
fn rejects_token(answer: &Response<Incoming>) -> bool {
    if answer.status() != StatusCode::UNAUTHORIZED || step_up::challenge(answer).is_some() {
        return false;
    }
    let mut challenges = challenges(answer).peekable();
    if challenges.peek().is_none() {
        return true;
    }
    challenges.any(|challenge| {
        let scheme = challenge.split(' ').next().unwrap_or_default();
        let is_of_token = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("dpop");
        is_of_token && (!challenge.contains("error") || challenge.contains("invalid_token"))
    })
}

/// What the browser is told when its own body could not be read.
fn of_body(error: axum::Error) -> Failure {
    match cause::<BodyError>(&error) {
        Some(early) => of_early_end(early).source(error),
        None => Failure::new(ProblemCode::InvalidRequest).detail("The body broke off.").source(error),
    }
}

fn of_early_end(error: &BodyError) -> Failure {
    match error {
        BodyError::SessionEnded => Failure::new(ProblemCode::SessionEnded),
        BodyError::TooLarge(limit) => body::too_large(*limit),
        BodyError::Idle(_) => Failure::new(ProblemCode::RequestTimeout),
        BodyError::Broken(_) if cause::<BodyTimeout>(error).is_some() => Failure::new(ProblemCode::RequestTimeout),
        BodyError::Broken(_) => Failure::new(ProblemCode::InvalidRequest).detail("The body broke off."),
    }
}

fn of_upstream(error: UpstreamError) -> Failure {
    if let Some(early) = error.cause::<BodyError>() {
        return of_early_end(early).source(error);
    }
    let code = match error {
        UpstreamError::Silent => ProblemCode::UpstreamTimeout,
        _ => ProblemCode::UpstreamUnavailable,
    };
    Failure::new(code).source(error)
}
