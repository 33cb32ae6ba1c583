//! `GET /session`: who is signed in, and for how long.

use crate::{
    access,
    error::Failure,
    logout,
    session::{cookie::Presented, live::LiveSession, record::SessionId},
    state::AppState,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use oauth2flow_app::{api::Session, problem::ProblemCode};
use std::sync::Arc;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Describes the session; never a token.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses(
    (status = 200, description = "The session, or that there is none", body = Session),
    (status = 503, description = "`store_unavailable`: the cookie is kept", body = oauth2flow_app::api::Problem)))]
pub async fn handler(State(app): State<AppState>, headers: HeaderMap) -> Result<Response, Failure> {
    Ok(match current(&app, &headers).await? {
        Some((_, session)) => ([(header::CONTENT_TYPE, JSON)], session.description()).into_response(),
        None if app.cookies.session(&headers) == Presented::Absent => Json(Session::anonymous()).into_response(),
        None => ([(header::SET_COOKIE, app.cookies.clear_session())], Json(Session::anonymous())).into_response(),
    })
}

/// The live session of a request's cookie. One that the provider's rule, changed since the sign-in, does not let in ends here.
///
/// # Errors
/// `store_unavailable`
pub async fn current(app: &AppState, headers: &HeaderMap) -> Result<Option<(SessionId, Arc<LiveSession>)>, Failure> {
    let Presented::Value(cookie) = app.cookies.session(headers) else { return Ok(None) };
    let Some(id) = SessionId::parse(cookie) else { return Ok(None) };
    let Some(session) = app.sessions.find(id.key()).await? else { return Ok(None) };
    if access::still_holds(app, &session) {
        return Ok(Some((id, session)));
    }
    logout::take_back(app, app.sessions.end(id.key()).await?.into_iter().collect());
    Ok(None)
}

/// The live session of a request's cookie, which is not used by that.
///
/// # Errors
/// `store_unavailable`
pub async fn peek(app: &AppState, headers: &HeaderMap) -> Result<Option<Arc<LiveSession>>, Failure> {
    let Presented::Value(cookie) = app.cookies.session(headers) else { return Ok(None) };
    let Some(id) = SessionId::parse(cookie) else { return Ok(None) };
    Ok(app.sessions.peek(id.key()).await?)
}

/// The live session of a request's cookie, for those who have to have one.
///
/// # Errors
/// `unauthenticated`, `store_unavailable`
pub async fn required(app: &AppState, headers: &HeaderMap) -> Result<(SessionId, Arc<LiveSession>), Failure> {
    current(app, headers).await?.ok_or_else(|| ProblemCode::Unauthenticated.into())
}
