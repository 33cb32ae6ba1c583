//! `POST /oauth/logout`: ends the session here, then at the provider.

use super::code::see_other;
use crate::{body, error::Failure, logout, middleware::csrf::is_form, routes::session, state::AppState};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
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

/// A page that goes on to the provider. A redirect would be the form's, and the pages' policy, `form-action 'self'`, lets no
/// form leave this origin.
fn leave(app: &AppState, address: &str) -> Response {
    let address = address.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"refresh\" content=\"0;url={address}\"><title>Signing out · oauth2flow</title>\
         <link rel=\"stylesheet\" href=\"{}\"></head><body><main id=\"content\"><h1>You are signed out here</h1>\
         <p class=\"lead\">One moment: the provider signs you out, too.</p>\
         <p><a class=\"button\" href=\"{address}\">Go on</a></p></main></body></html>",
        app.assets.site.css
    );
    let policy =
        HeaderValue::from_static("default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}

fn check_token(form: &[u8], expected: &str) -> Result<(), Failure> {
    let matches = url::form_urlencoded::parse(form)
        .find(|(name, _)| name == "csrf_token")
        .is_some_and(|(_, value)| bool::from(value.as_bytes().ct_eq(expected.as_bytes())));
    if matches { Ok(()) } else { Err(Failure::new(ProblemCode::CsrfRejected).detail("The form's token does not belong to this session.")) }
}
