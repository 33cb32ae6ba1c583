//! `GET /flow`: the X-ray of this browser's own last logins. `GET /flow/events` tells them as they happen; `DELETE /flow` forgets them.

use super::events::{HEARTBEAT, reconnect};
use crate::{
    error::Failure,
    flow::{BrowserId, Follower, Recordings},
    middleware::{client_ip::ClientAddress, csrf, rate_limit},
    session::record::Key,
    state::AppState,
    streams::StreamPermit,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use oauth2flow_app::{
    flow::{Flow, LOGIN_EVENT},
    problem::ProblemCode,
};
use std::{convert::Infallible, time::Duration};
use tokio::sync::watch;

const NO_STORE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// The logins that this browser has begun, redacted, the youngest first.
#[utoipa::path(get, path = "/api/v1/flow", operation_id = "recorded_logins", tag = "flow",
    responses(
        (status = 200, description = "The logins; none for a browser that has begun none", body = Flow),
        (status = 403, description = "`csrf_rejected`", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`not_found`: logins are not recorded here", body = oauth2flow_app::api::Problem)))]
pub async fn get(State(app): State<AppState>, headers: HeaderMap) -> Result<Response, Failure> {
    csrf::refuse_other_sites(&headers, app.config.server.public_url.origin())?;
    let recordings = recordings(&app)?;
    let browser = recordings.browser(app.cookies, &headers);
    let response = ([NO_STORE], Json(Flow { logins: recordings.logins(&browser) })).into_response();
    Ok(known_from_now_on(response, browser))
}

/// Forgets the logins of this browser, and the browser.
#[utoipa::path(delete, path = "/api/v1/flow", operation_id = "forget_recorded_logins", tag = "flow",
    params(("X-CSRF" = String, Header, description = "Always `1`")),
    responses(
        (status = 204, description = "They are forgotten"),
        (status = 403, description = "`csrf_rejected`", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`not_found`: logins are not recorded here", body = oauth2flow_app::api::Problem)))]
pub async fn forget(State(app): State<AppState>, headers: HeaderMap) -> Result<Response, Failure> {
    recordings(&app)?.forget(app.cookies, &headers);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, app.cookies.clear_flow())]).into_response())
}

/// Streams the logins of this browser: all that there are, the oldest first, and then each one again whenever it has grown.
#[utoipa::path(get, path = "/api/v1/flow/events", operation_id = "recorded_login_events", tag = "flow",
    description = "Streams the logins of this browser (`text/event-stream`): an event `login` for each that there is, the oldest first, and \
        another one whenever a login has begun or grown, with all that is known of it. A comment every 15 seconds keeps it open.",
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = String),
        (status = 403, description = "`csrf_rejected`", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`not_found`: logins are not recorded here", body = oauth2flow_app::api::Problem),
        (status = 503, description = "`too_many_connections`", body = oauth2flow_app::api::Problem)))]
pub async fn events(
    State(app): State<AppState>,
    client: Option<Extension<ClientAddress>>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    csrf::refuse_other_sites(&headers, app.config.server.public_url.origin())?;
    if csrf::is_speculative(&method, &headers) {
        return Ok(csrf::not_yet());
    }
    let recordings = recordings(&app)?;
    let browser = recordings.browser(app.cookies, &headers);
    // Nobody has to be signed in, and a cookie is easily made: only where the browser is counts.
    let place = client.map(|Extension(address)| rate_limit::network(address).to_string()).unwrap_or_default();
    let permit = app.streams.acquire(Key::of_claim("flow streams", &place))?;
    let told = told(recordings.follow(&browser), app.stopping.clone(), reconnect(&app), permit);
    let mut response = Sse::new(told).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    // Some reverse proxies would collect the answer first.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(known_from_now_on(response, browser))
}

/// Gives the browser the cookie that its logins are known by, before the first of them: a page that is open while one begins in another
/// tab is to see that one.
fn known_from_now_on(mut response: Response, browser: BrowserId) -> Response {
    if let Some(set_cookie) = browser.set_cookie {
        response.headers_mut().append(header::SET_COOKIE, set_cookie);
    }
    response
}

fn recordings(app: &AppState) -> Result<&Recordings, Failure> {
    let off = || Failure::new(ProblemCode::NotFound).detail("This server records no logins (flow.enabled).");
    app.flow.as_ref().ok_or_else(off)
}

fn told(
    follower: Follower,
    stopping: watch::Receiver<bool>,
    reconnect: Duration,
    permit: StreamPermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((Some(reconnect), follower, stopping, permit), async |(first, mut follower, mut stopping, permit)| {
        if let Some(reconnect) = first {
            let event = Event::default().comment("the logins of this browser").retry(reconnect);
            return Some((Ok(event), (None, follower, stopping, permit)));
        }
        let login = tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => return None,
            login = follower.next() => login?,
        };
        // Strings and numbers always serialize.
        let event = Event::default().event(LOGIN_EVENT).data(serde_json::to_string(&login).unwrap_or_default());
        Some((Ok(event), (None, follower, stopping, permit)))
    })
}
