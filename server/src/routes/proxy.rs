//! `ANY /proxy/{upstream}/{*path}`: step 7 of the flow, the API call with the token that the backend keeps.

use crate::{
    error::Failure,
    flow,
    middleware::csrf,
    proxy::{self, target, websocket},
    routes::session,
    state::AppState,
};
use axum::{body::Body, extract::Request, http::Response};
use oauth2flow_app::problem::ProblemCode;

/// Passes a call on to an upstream with the session's access token, and streams the answer back.
#[utoipa::path(get, path = "/api/v1/proxy/{upstream}/{path}", operation_id = "call_upstream", tag = "proxy",
    description = "Passes a call on to a configured upstream with the session's access token, whatever the method, and streams the answer \
        back. A WebSocket is opened here too, with the app's own `Origin` in the place of `X-CSRF`.",
    params(
        ("upstream" = String, Path, description = "The upstream's name"),
        ("path" = String, Path, description = "The path at the upstream"),
        ("X-CSRF" = String, Header, description = "Always `1`")),
    responses(
        (status = 200, description = "Whatever the upstream answers"),
        (status = 101, description = "The WebSocket is open"),
        (status = 401, description = "`unauthenticated`, `session_ended`, `permission_expired`, `step_up_required`", body = oauth2flow_app::api::Problem),
        (status = 403, description = "`csrf_rejected`, `not_permitted`", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`unknown_upstream`", body = oauth2flow_app::api::Problem),
        (status = 413, description = "`payload_too_large`", body = oauth2flow_app::api::Problem),
        (status = 429, description = "`rate_limited`", body = oauth2flow_app::api::Problem),
        (status = 502, description = "`upstream_unavailable`", body = oauth2flow_app::api::Problem),
        (status = 503, description = "`too_many_connections`", body = oauth2flow_app::api::Problem),
        (status = 504, description = "`upstream_timeout`", body = oauth2flow_app::api::Problem)))]
pub async fn handler(app: &AppState, request: Request) -> Result<Response<Body>, Failure> {
    csrf::require_proxied(app, request.method(), request.headers())?;
    let (_, session) = session::required(app, request.headers()).await?;
    app.limits.count_session_call(session.key)?;
    let (name, path) = target::split(request.uri().path()).ok_or(ProblemCode::NotFound)?;
    let upstream = app.upstreams.get(name).ok_or(ProblemCode::UnknownUpstream)?;
    upstream.admit(request.method(), path, &session)?;
    upstream.permit(app, &session)?;
    let address = upstream.uri(path, request.uri().query())?;
    let room = upstream.room()?;
    let recorder = flow::session::api_call(app, session.key, request.method(), request.uri());
    if websocket::wants_upgrade(request.headers()) {
        return flow::within(recorder, Box::pin(websocket::open(app, upstream, session, address, request, room))).await;
    }
    // On the heap, so that a call that is refused before it gets here does not carry the room for all that with it.
    flow::within(recorder, Box::pin(proxy::pass_on(app, upstream, session, address, request, room))).await
}
