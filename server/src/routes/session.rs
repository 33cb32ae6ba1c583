//! `GET /session`: who is signed in, and for how long.

use crate::{
    access::{self, Standing},
    error::Failure,
    logout,
    session::{cookie::Presented, live::LiveSession, record::SessionId},
    state::AppState,
};
use axum::{
    Json,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use oauth2flow_app::{api::Session, problem::ProblemCode};
use std::sync::Arc;
use url::form_urlencoded;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Describes the session; never a token.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "current_session", tag = "session",
    params(("prolong" = Option<bool>, Query, description = "`false`: only looks; else the session is used by this, and lives longer")), responses(
    (status = 200, description = "The session, or that there is none", body = Session),
    (status = 503, description = "`store_unavailable`: the cookie is kept", body = oauth2flow_app::api::Problem)))]
pub async fn handler(State(app): State<AppState>, RawQuery(query): RawQuery, headers: HeaderMap) -> Result<Response, Failure> {
    let session = if query.is_some_and(|query| only_looks(&query)) {
        peek(&app, &headers).await?
    } else {
        current(&app, &headers).await?.map(|(_, session)| session)
    };
    Ok(match session {
        Some(session) => ([(header::CONTENT_TYPE, JSON)], session.description()).into_response(),
        // A cookie that leads nowhere stays: by the time that this answer arrives, a sign-in in another tab may have replaced it.
        None => Json(Session::anonymous()).into_response(),
    })
}

fn only_looks(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == "prolong" && value == "false")
}

/// The live session of a request's cookie. One that the provider's rule, changed since the sign-in, does not let in ends here.
///
/// # Errors
/// `store_unavailable`
pub async fn current(app: &AppState, headers: &HeaderMap) -> Result<Option<(SessionId, Arc<LiveSession>)>, Failure> {
    let Some((id, session)) = presented(app, headers).await? else { return Ok(None) };
    match access::standing(app, &session) {
        Standing::Admitted => Ok(Some((id, session))),
        // The provider is not configured at present, and may be again: nobody is signed in by the session, and it stays.
        Standing::Dormant => Ok(None),
        Standing::KeptOut => {
            logout::end(app, id.key()).await?;
            Ok(None)
        }
    }
}

/// The live session of a request's cookie, whether or not it may still be used: to end it.
///
/// # Errors
/// `store_unavailable`
pub async fn presented(app: &AppState, headers: &HeaderMap) -> Result<Option<(SessionId, Arc<LiveSession>)>, Failure> {
    let Some(id) = id(app, headers) else { return Ok(None) };
    Ok(app.sessions.find(id.key()).await?.map(|session| (id, session)))
}

/// The live session of a request's cookie, which is not used by that.
///
/// # Errors
/// `store_unavailable`
pub async fn peek(app: &AppState, headers: &HeaderMap) -> Result<Option<Arc<LiveSession>>, Failure> {
    let Some(id) = id(app, headers) else { return Ok(None) };
    let session = app.sessions.peek(id.key()).await?;
    Ok(session.filter(|session| access::standing(app, session) == Standing::Admitted))
}

fn id(app: &AppState, headers: &HeaderMap) -> Option<SessionId> {
    match app.cookies.session(headers) {
        Presented::Value(cookie) => SessionId::parse(cookie),
        Presented::Absent | Presented::Ambiguous => None,
    }
}

/// The live session of a request's cookie, for those who have to have one.
///
/// # Errors
/// `unauthenticated`, `store_unavailable`
pub async fn required(app: &AppState, headers: &HeaderMap) -> Result<(SessionId, Arc<LiveSession>), Failure> {
    current(app, headers).await?.ok_or_else(|| ProblemCode::Unauthenticated.into())
}
