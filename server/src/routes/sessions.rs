//! `GET /sessions`: where the user is signed in. `POST /sessions/{id}/end`: ends it there.

use super::{
    code::see_other,
    logout::{check_token, ended_here},
};
use crate::{
    body,
    error::Failure,
    logout,
    middleware::csrf::is_form,
    routes::session,
    session::{live::LiveSession, record::SessionRecord, store::UserKey},
    state::AppState,
};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use oauth2flow_app::{
    api::{SessionList, SessionSummary},
    problem::ProblemCode,
};

/// Lists the user's sessions in every browser, the youngest first.
#[utoipa::path(get, path = "/api/v1/sessions", operation_id = "list_sessions", tag = "session", responses(
    (status = 200, description = "The sessions, the one that asks among them", body = SessionList),
    (status = 401, description = "`unauthenticated`", body = oauth2flow_app::api::Problem),
    (status = 503, description = "`store_unavailable`", body = oauth2flow_app::api::Problem)))]
pub async fn list(State(app): State<AppState>, headers: HeaderMap) -> Result<Json<SessionList>, Failure> {
    let (_, session) = session::required(&app, &headers).await?;
    Ok(Json(SessionList { sessions: summaries(&app, &session).await? }))
}

/// Ends one of the user's sessions.
#[utoipa::path(post, path = "/api/v1/sessions/{id}/end", operation_id = "end_session", tag = "session",
    params(("id" = String, Path, description = "The session's id in the list")),
    responses(
        (status = 200, description = "It was the session that asked: the same as signing out", body = oauth2flow_app::api::LoggedOut),
        (status = 204, description = "It has ended"),
        (status = 303, description = "It has ended, for a form"),
        (status = 401, description = "`unauthenticated`", body = oauth2flow_app::api::Problem),
        (status = 403, description = "`csrf_rejected`", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`not_found`: the user has no such session, or not any more", body = oauth2flow_app::api::Problem),
        (status = 503, description = "`store_unavailable`", body = oauth2flow_app::api::Problem)))]
pub async fn end(
    State(app): State<AppState>,
    Path(wanted): Path<String>,
    headers: HeaderMap,
    request_body: Body,
) -> Result<Response, Failure> {
    let form = if is_form(&headers) { Some(body::read(request_body).await?) } else { None };
    let (id, session) = session::required(&app, &headers).await?;
    if let Some(form) = &form {
        check_token(form, &id.csrf_token())?;
    }
    let Some(named) = of_user(&app, &session).await?.into_iter().find(|record| record.key.name() == wanted) else {
        return Err(Failure::new(ProblemCode::NotFound).detail("You have no such session, or not any more."));
    };
    let ended = logout::end(&app, named.key).await?;
    tracing::info!(provider = named.provider, "a session was ended from the list");
    if named.key == session.key {
        return Ok(ended_here(&app, &session, &ended, form.is_some()).await);
    }
    Ok(if form.is_some() { see_other("/account") } else { StatusCode::NO_CONTENT.into_response() })
}

/// The sessions of a session's user, as the browser may know them.
///
/// # Errors
/// `store_unavailable`
pub async fn summaries(app: &AppState, session: &LiveSession) -> Result<Vec<SessionSummary>, Failure> {
    let records = of_user(app, session).await?;
    Ok(records.into_iter().map(|record| summary(record, session)).collect())
}

async fn of_user(app: &AppState, session: &LiveSession) -> Result<Vec<SessionRecord>, Failure> {
    let now = app.clock.now();
    let mut records = app.sessions.store().sessions_of(UserKey { issuer: &session.issuer, sub: &session.sub }).await?;
    records.retain(|record| now < record.idle_expires_at && now < record.expires_at);
    Ok(records)
}

fn summary(record: SessionRecord, asking: &LiveSession) -> SessionSummary {
    let current = record.key == asking.key;
    // What was used a moment ago may not have been written down yet.
    let last_seen_at = if current { record.last_seen_at.max(asking.last_seen_at) } else { record.last_seen_at };
    let device = record.profile.device.unwrap_or_default();
    SessionSummary {
        id: record.key.name(),
        provider: record.provider,
        browser: device.browser,
        system: device.system,
        address: device.address,
        created_at: record.created_at.to_string(),
        last_seen_at: last_seen_at.to_string(),
        current,
    }
}
