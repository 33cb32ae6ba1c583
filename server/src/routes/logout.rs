//! `POST /oauth/logout`: ends the session here, then at the provider.

use super::{
    code::see_other,
    onward::{self, Words},
};
use crate::{body, error::Failure, logout, middleware::csrf::is_form, routes::session, state::AppState};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use oauth2flow_app::{api::LoggedOut, problem::ProblemCode};
use subtle::ConstantTimeEq as _;

/// Signs out. Without a session there is nothing to do, and that is said the same way.
#[utoipa::path(post, path = "/api/v1/oauth/logout", tag = "session", responses(
    (status = 200, description = "Signed out; where to go next, to sign out at the provider too", body = LoggedOut),
    (status = 303, description = "Signed out, for a form; 200 with a page that goes on to the provider, where there is more to do"),
    (status = 403, description = "`csrf_rejected`", body = oauth2flow_app::api::Problem),
    (status = 503, description = "`store_unavailable`: still signed in", body = oauth2flow_app::api::Problem)))]
pub async fn handler(State(app): State<AppState>, headers: HeaderMap, request_body: Body) -> Result<Response, Failure> {
    let form = is_form(&headers).then_some(body::read(request_body).await?);
    let current = session::current(&app, &headers).await?;
    let redirect_to = match current {
        Some((id, record)) => {
            if let Some(form) = &form {
                check_token(form, &id.csrf_token())?;
            }
            app.sessions.end(record.key).await?;
            tracing::info!(provider = record.provider, "signed out");
            logout::at_provider(&app, &record).await.map(String::from)
        }
        None => None,
    };
    let mut response = match (form, redirect_to) {
        (Some(_), Some(address)) => leave(&app, &address),
        (Some(_), None) => see_other("/"),
        (None, redirect_to) => Json(LoggedOut { redirect_to }).into_response(),
    };
    response.headers_mut().append(header::SET_COOKIE, app.cookies.clear_session());
    Ok(response)
}

/// A page that goes on to the provider: the pages' policy, `form-action 'self'`, lets no form leave this origin by a redirect.
fn leave(app: &AppState, address: &str) -> Response {
    let words = Words { title: "Signing out", heading: "You are signed out here", lead: "One moment: the provider signs you out, too." };
    onward::page(app, address, &words)
}

fn check_token(form: &[u8], expected: &str) -> Result<(), Failure> {
    let matches = url::form_urlencoded::parse(form)
        .find(|(name, _)| name == "csrf_token")
        .is_some_and(|(_, value)| bool::from(value.as_bytes().ct_eq(expected.as_bytes())));
    if matches { Ok(()) } else { Err(Failure::new(ProblemCode::CsrfRejected).detail("The form's token does not belong to this session.")) }
}
