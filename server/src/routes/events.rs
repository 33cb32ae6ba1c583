//! `GET /session/events`: what happens to the session, as it happens
//! ([server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)).

use crate::{
    entropy::random,
    error::Failure,
    middleware::csrf,
    routes::session,
    session::{
        Ending,
        events::{SessionEvent, Watch},
        live::LiveSession,
        record::Key,
    },
    state::AppState,
    streams::StreamPermit,
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use oauth2flow_app::{
    api::{Session, SessionExpiring, session_event},
    problem::ProblemCode,
};
use serde::Serialize;
use std::{convert::Infallible, sync::Arc, time::Duration};

/// How often a comment shows both ends and everybody between them that the connection is in use.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a browser waits before it connects again, at least, and how much later at most: when a server stops, not everybody should
/// come back at the same moment.
const RECONNECT_MILLISECONDS: u64 = 1000;
const RECONNECT_SPREAD_MILLISECONDS: u64 = 3000;

/// Streams the session's events until it ends. To listen is no use of the session: it does not live longer for a page that is open.
///
/// A page cannot send a header with an `EventSource`, so it is the browser's own word that no other site is asking.
#[utoipa::path(get, path = "/api/v1/session/events", operation_id = "session_events", tag = "session",
    description = "Streams the events of the session (`text/event-stream`): `signed_in` first, with what `GET /session` answers; `refreshed`, \
        with the same, when there are new tokens; `expiring`, with `expires_at`, two minutes before the session ends for want of use or for \
        its age; `signed_out` when it has ended, wherever that was done, with `expired` when its time has run out or the provider no longer \
        renews it, and with `replaced` when this browser has signed in anew, which has given it another session. Then the stream ends. A comment every 15 seconds keeps it open.",
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = String),
        (status = 401, description = "`unauthenticated`", body = oauth2flow_app::api::Problem),
        (status = 403, description = "`csrf_rejected`", body = oauth2flow_app::api::Problem),
        (status = 503, description = "`store_unavailable`, `too_many_connections`: more streams than one session may have", body = oauth2flow_app::api::Problem)))]
pub async fn handler(State(app): State<AppState>, method: Method, headers: HeaderMap) -> Result<Response, Failure> {
    csrf::refuse_other_sites(&headers, app.config.server.public_url.origin())?;
    if csrf::is_speculative(&method, &headers) {
        return Ok(csrf::not_yet());
    }
    let session = session::peek(&app, &headers).await?.ok_or(ProblemCode::Unauthenticated)?;
    let permit = app.streams.acquire(session.key)?;
    let watch = app.sessions.watch(&session);
    let events = Sse::new(events(app.clone(), session, watch, reconnect(&app), permit)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    // Some reverse proxies would collect the answer first.
    Ok(([(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))], events).into_response())
}

/// How long this browser is to wait before it connects again.
pub(super) fn reconnect(app: &AppState) -> Duration {
    let spread = u64::from_ne_bytes(random(&*app.entropy)) % RECONNECT_SPREAD_MILLISECONDS;
    Duration::from_millis(RECONNECT_MILLISECONDS + spread)
}

fn events(
    app: AppState,
    session: Arc<LiveSession>,
    watch: Watch,
    reconnect: Duration,
    permit: StreamPermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let whose = (app, session.key);
    stream::unfold((Some((session, reconnect)), watch, permit, whose), async |(first, mut watch, permit, (app, key))| {
        let event = match first {
            Some((session, reconnect)) => describing(session_event::SIGNED_IN, &session).retry(reconnect),
            None => match watch.next().await? {
                SessionEvent::Refreshed(session) => describing(session_event::REFRESHED, &session),
                SessionEvent::Expiring(end) => with_data(session_event::EXPIRING, &SessionExpiring { expires_at: end.to_string() }),
                SessionEvent::Ended { expired } => ended(&app, key, expired).await,
            },
        };
        Some((Ok(event), (None, watch, permit, (app, key))))
    })
}

/// How a session has ended, as far as its pages have to know.
async fn ended(app: &AppState, key: Key, expired: bool) -> Event {
    let ended_by = |ending| app.sessions.ended_by(key, ending);
    if expired || ended_by(Ending::Withdrawal).await {
        with_data(session_event::SIGNED_OUT, &Session::expired())
    } else if ended_by(Ending::Replacement).await {
        with_data(session_event::SIGNED_OUT, &Session::replaced())
    } else {
        with_data(session_event::SIGNED_OUT, &Session::anonymous())
    }
}

fn describing(name: &str, session: &LiveSession) -> Event {
    // It is JSON, and so it is UTF-8.
    Event::default().event(name).data(String::from_utf8_lossy(&session.description()))
}

fn with_data(name: &str, data: &impl Serialize) -> Event {
    // Strings and truth values always serialize.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}
