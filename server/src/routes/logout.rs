//! `POST /oauth/logout`: ends the session here, then at the provider.

use super::{
    code::see_other,
    onward::{self, Words},
};
use crate::{
    body,
    error::Failure,
    flow, logout,
    middleware::csrf::{is_form, media_type},
    routes::session,
    session::{live::LiveSession, record::SessionRecord},
    state::AppState,
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use oauth2flow_app::{
    api::{LogOut, LoggedOut},
    problem::ProblemCode,
};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

/// Signs out: of this session, or with `everywhere` of every session of the user. Without a session there is nothing to do, and that is
/// said the same way.
#[utoipa::path(post, path = "/api/v1/oauth/logout", operation_id = "sign_out", tag = "session",
    request_body(content = LogOut, description = "May be left out; a form has the field `everywhere=true`, and the page's `csrf_token`"),
    responses(
        (status = 200, description = "Signed out; where to go next, to sign out at the provider too", body = LoggedOut),
        (status = 303, description = "Signed out, for a form; 200 with a page that goes on to the provider, where there is more to do"),
        (status = 400, description = "`invalid_request`: still signed in", body = oauth2flow_app::api::Problem),
        (status = 403, description = "`csrf_rejected`", body = oauth2flow_app::api::Problem),
        (status = 415, description = "`unsupported_media_type`: still signed in", body = oauth2flow_app::api::Problem),
        (status = 503, description = "`store_unavailable`: still signed in", body = oauth2flow_app::api::Problem)))]
pub async fn handler(State(app): State<AppState>, headers: HeaderMap, request_body: Body) -> Result<Response, Failure> {
    let is_form = is_form(&headers);
    let request = body::read(request_body).await?;
    let wish = if is_form { of_form(&request) } else { of_json(&headers, &request)? };
    let Some((id, session)) = session::presented(&app, &headers).await? else { return Ok(nothing_to_end(&app, is_form)) };
    if is_form {
        check_token(&request, &id.csrf_token())?;
    }
    let ended = if wish.everywhere { logout::end_everywhere(&app, &session).await? } else { logout::end(&app, session.key).await? };
    tracing::info!(provider = session.provider, ended = ended.len(), everywhere = wish.everywhere, "signed out");
    Ok(ended_here(&app, &session, &ended, is_form).await)
}

/// What to answer whose own session has ended, with whatever ended together with it: the way to the provider, if there is one.
pub(super) async fn ended_here(app: &AppState, session: &LiveSession, ended: &[SessionRecord], is_form: bool) -> Response {
    // The store has the last word on the tokens; but somebody else may have ended the session at the same moment.
    let own = ended.iter().find(|record| record.key == session.key);
    let recorder = flow::session::logout_begins(app, session.key);
    let address = logout::end_session_url(app, own.unwrap_or(session)).await;
    flow::session::logged_out(recorder.as_ref(), address.as_ref());
    let address = address.map(String::from);
    let mut response = match (is_form, address) {
        (true, Some(address)) => leave(app, &address),
        (true, None) => see_other("/"),
        (false, redirect_to) => Json(LoggedOut { redirect_to }).into_response(),
    };
    response.headers_mut().append(header::SET_COOKIE, app.cookies.clear_session());
    response
}

fn nothing_to_end(app: &AppState, is_form: bool) -> Response {
    let mut response = if is_form { see_other("/") } else { Json(LoggedOut { redirect_to: None }).into_response() };
    response.headers_mut().append(header::SET_COOKIE, app.cookies.clear_session());
    response
}

fn of_form(form: &[u8]) -> LogOut {
    LogOut { everywhere: url::form_urlencoded::parse(form).any(|(name, value)| name == "everywhere" && value == "true") }
}

fn of_json(headers: &HeaderMap, request: &Bytes) -> Result<LogOut, Failure> {
    if request.is_empty() {
        return Ok(LogOut::default());
    }
    if !media_type(headers).eq_ignore_ascii_case("application/json") {
        return Err(ProblemCode::UnsupportedMediaType.into());
    }
    // Read as an object first: an array would do for a structure as well.
    serde_json::from_slice::<Map<String, Value>>(request)
        .and_then(|object| serde_json::from_value(Value::Object(object)))
        .map_err(|error| Failure::new(ProblemCode::InvalidRequest).detail("The request's body is not what a sign-out takes.").source(error))
}

/// A page that goes on to the provider: the pages' policy, `form-action 'self'`, lets no form leave this origin by a redirect.
fn leave(app: &AppState, address: &str) -> Response {
    let words = Words { title: "Signing out", heading: "You are signed out here", lead: "One moment: the provider signs you out, too." };
    onward::page(app, address, &words)
}

/// Refuses a form that this session's page has not shown.
///
/// # Errors
/// `csrf_rejected`
pub(super) fn check_token(form: &[u8], expected: &str) -> Result<(), Failure> {
    let matches = url::form_urlencoded::parse(form)
        .find(|(name, _)| name == "csrf_token")
        .is_some_and(|(_, value)| bool::from(value.as_bytes().ct_eq(expected.as_bytes())));
    if matches { Ok(()) } else { Err(Failure::new(ProblemCode::CsrfRejected).detail("The form's token does not belong to this session.")) }
}
