//! `POST /oauth/code`: step 5 of the flow, the app forwards what the provider put into the redirect.
//! `GET /oauth/code`: the server callback, for those who want the code to arrive by navigation (RFC 10017 §6.1.2.1).

use super::onward::{self, Words};
use crate::{
    body,
    error::Failure,
    flow,
    login::{self, Completed, Outcome},
    middleware::{
        client_ip::ClientAddress,
        csrf::{self, is_form, is_speculative, media_type},
    },
    session::cookie::SameSite,
    state::AppState,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use oauth2flow_app::{api, problem::ProblemCode};
use oauth2flow_protocol::AuthorizationResponse;
use thiserror::Error;

/// Finishes a login.
///
/// A program posts JSON and gets JSON; a page without script, and the provider's own page with `response_mode=form_post`, posts a
/// form and is sent on.
#[utoipa::path(post, path = "/api/v1/oauth/code", operation_id = "complete_login", tag = "login", request_body = api::AuthorizationResponse,
    responses(
        (status = 200, description = "Signed in; sets the session cookie", body = api::Completed),
        (status = 303, description = "Signed in, for a form; 200 with a page that goes on, for a form of the provider's page"),
        (status = 400, description = "`invalid_request`, `state_mismatch`, `login_expired`, `issuer_mismatch`, `code_rejected`", body = api::Problem),
        (status = 401, description = "`interaction_required`", body = api::Problem),
        (status = 403, description = "`access_denied`, `authentication_too_weak`, `csrf_rejected`", body = api::Problem),
        (status = 409, description = "`already_completed`", body = api::Problem),
        (status = 413, description = "`payload_too_large`", body = api::Problem),
        (status = 415, description = "`unsupported_media_type`", body = api::Problem),
        (status = 500, description = "`clock_skew`", body = api::Problem),
        (status = 502, description = "`provider_unavailable`, `provider_refused`, `provider_misconfigured`, `provider_invalid_response`, `id_token_invalid`", body = api::Problem),
        (status = 503, description = "`store_unavailable`", body = api::Problem),
        (status = 504, description = "`provider_timeout`", body = api::Problem)))]
pub async fn post(
    State(app): State<AppState>,
    client: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    request_body: Body,
) -> Result<Response, Failure> {
    let address = client.map(|Extension(address)| address);
    // A provider's own page may post its answer here, if it was asked to.
    let foreign = csrf::require_own_page(&headers, app.config.server.public_url.origin()).err();
    let may_be_foreign = app.providers.any_posts_its_answer() && csrf::is_posted_navigation(&headers);
    if let Some(refused) = foreign.clone().filter(|_| !may_be_foreign) {
        return Err(refused);
    }
    let bytes = body::read(request_body).await?;
    if is_form(&headers) {
        let recorder = flow::login::arrived(&app, &headers, &Method::POST, url::form_urlencoded::parse(&bytes));
        let response = read(url::form_urlencoded::parse(&bytes), recorder.as_ref())?;
        // Whoever else posts knows no state of this browser's, and is told that in the next step.
        let is_expected = || login::find(&app, &headers, &response).is_none_or(|login| login.same_site == SameSite::None);
        if let Some(refused) = foreign.filter(|_| !is_expected()) {
            return Err(refused);
        }
        let completing = flow::within(recorder, login::complete(&app, &headers, address, response));
        return Ok(navigate(&app, &headers, completing.await));
    }
    if !media_type(&headers).eq_ignore_ascii_case("application/json") {
        return Err(ProblemCode::UnsupportedMediaType.into());
    }
    let posted: api::AuthorizationResponse =
        serde_json::from_slice(&bytes).map_err(|error| Failure::new(ProblemCode::InvalidRequest).source(UnreadableBody::from(&error)))?;
    let recorder = flow::login::arrived(&app, &headers, &Method::POST, pairs(&posted));
    let response = read(pairs(&posted), recorder.as_ref())?;
    let Outcome { finished, result } = flow::within(recorder, login::complete(&app, &headers, address, response)).await;
    let answered = match result {
        Ok(Completed { session, user, return_to }) => {
            let mut response = Json(api::Completed { user, return_to: return_to.to_string() }).into_response();
            response.headers_mut().append(header::SET_COOKIE, app.cookies.set_session(&session.to_cookie()));
            response
        }
        Err(failure) => failure.into_response(),
    };
    Ok(without_transaction(&app, answered, finished))
}

/// Finishes a login at the server callback. A HEAD request or a prefetch uses nothing up.
#[utoipa::path(get, path = "/api/v1/oauth/code", operation_id = "server_callback", tag = "login", responses(
    (status = 200, description = "Signed in; a page that goes on by itself, since a redirect of another site's navigation would leave the session cookie out"),
    (status = 303, description = "Signed in already, or to the page that says why not")))]
pub async fn get(
    State(app): State<AppState>,
    client: Option<Extension<ClientAddress>>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let address = client.map(|Extension(address)| address);
    if is_speculative(&method, &headers) {
        return Ok(csrf::not_yet());
    }
    csrf::require_navigation(&headers)?;
    let query = query.unwrap_or_default();
    let recorder = flow::login::arrived(&app, &headers, &method, url::form_urlencoded::parse(query.as_bytes()));
    let response = read(url::form_urlencoded::parse(query.as_bytes()), recorder.as_ref())?;
    let completing = flow::within(recorder, login::complete(&app, &headers, address, response));
    Ok(navigate(&app, &headers, completing.await))
}

/// Reads the provider's answer.
fn read<N: AsRef<str>, V: AsRef<str>>(
    pairs: impl Iterator<Item = (N, V)>,
    recorder: Option<&flow::Recorder>,
) -> Result<AuthorizationResponse, Failure> {
    AuthorizationResponse::from_pairs(pairs).map_err(|error| {
        flow::login::unreadable(recorder, &error);
        let failure = Failure::from(error);
        if let Some(recorder) = recorder {
            recorder.refused(&failure);
        }
        failure
    })
}

/// Sends the browser on.
fn navigate(app: &AppState, headers: &HeaderMap, Outcome { finished, result }: Outcome) -> Response {
    let answered = match result {
        Ok(Completed { session, return_to, .. }) => {
            let mut response = go_on(app, headers, return_to.as_str());
            response.headers_mut().append(header::SET_COOKIE, app.cookies.set_session(&session.to_cookie()));
            response
        }
        Err(failure) if failure.code == ProblemCode::AlreadyCompleted => go_on(app, headers, failure.return_to.as_deref().unwrap_or("/")),
        Err(failure) => failure.into_response(),
    };
    without_transaction(app, answered, finished)
}

/// To a path of this origin, with the session cookie that is set on the way.
fn go_on(app: &AppState, headers: &HeaderMap, location: &str) -> Response {
    if csrf::began_here(headers) {
        return see_other(location);
    }
    let words = Words { title: "Signed in", heading: "You are signed in", lead: "One moment: back to where you were." };
    onward::page(app, location, &words)
}

fn without_transaction(app: &AppState, mut response: Response, finished: Option<(String, SameSite)>) -> Response {
    if let Some((id, same_site)) = finished {
        response.headers_mut().append(header::SET_COOKIE, app.cookies.clear_transaction(&id, same_site));
    }
    response
}

/// 303 to a path of this origin.
pub fn see_other(location: &str) -> Response {
    match HeaderValue::try_from(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(error) => Failure::new(ProblemCode::InternalError).source(error).into_response(),
    }
}

/// Where the body is wrong. The JSON error itself quotes what it found there, which may be the code.
#[derive(Debug, Error)]
#[error("the body is not as it has to be ({category:?} error at line {line}, column {column})")]
struct UnreadableBody {
    category: serde_json::error::Category,
    line: usize,
    column: usize,
}

impl From<&serde_json::Error> for UnreadableBody {
    fn from(error: &serde_json::Error) -> Self {
        Self { category: error.classify(), line: error.line(), column: error.column() }
    }
}

fn pairs(posted: &api::AuthorizationResponse) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("code", &posted.code),
        ("state", &posted.state),
        ("iss", &posted.iss),
        ("response", &posted.response),
        ("error", &posted.error),
        ("error_description", &posted.error_description),
        ("error_uri", &posted.error_uri),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.as_deref()?)))
}
