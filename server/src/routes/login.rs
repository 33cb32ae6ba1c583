//! `GET /oauth/login`: step 2 of the flow, from the click to the provider.

use crate::{
    entropy::Entropy,
    error::Failure,
    login,
    middleware::csrf,
    session::cookie::{MAXIMUM_TRANSACTIONS, SameSite},
    state::AppState,
};
use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::{ReturnTo, Transaction, authorize::authorization_url};
use std::borrow::Cow;

/// Starts a login: seals a transaction into a cookie and sends the browser to the provider. Nothing is stored, so a
/// flood of starts costs nothing.
#[utoipa::path(get, path = "/api/v1/oauth/login", tag = "login",
    params(
        ("provider" = Option<String>, Query, description = "The provider's id; may be left out when there is one provider"),
        ("return_to" = Option<String>, Query, description = "Where to go afterwards: a path of this origin, with query and fragment")),
    responses(
        (status = 303, description = "To the provider's authorization endpoint"),
        (status = 400, description = "`invalid_request`", body = oauth2flow_app::api::Problem),
        (status = 401, description = "`unauthenticated`: not a navigation", body = oauth2flow_app::api::Problem),
        (status = 403, description = "`csrf_rejected`: another site began this", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`unknown_provider`", body = oauth2flow_app::api::Problem),
        (status = 502, description = "`provider_unavailable`, `provider_invalid_response`, `provider_misconfigured`", body = oauth2flow_app::api::Problem),
        (status = 504, description = "`provider_timeout`", body = oauth2flow_app::api::Problem)))]
pub async fn handler(State(app): State<AppState>, RawQuery(query): RawQuery, headers: HeaderMap) -> Result<Response, Failure> {
    csrf::refuse_cross_site(&headers, app.config.server.public_url.origin())?;
    let query = query.unwrap_or_default();
    let registered = match parameter(&query, "provider")? {
        Some(id) => app.providers.get(&id).ok_or(ProblemCode::UnknownProvider)?,
        None => app
            .providers
            .only()
            .ok_or_else(|| Failure::new(ProblemCode::InvalidRequest).detail("The provider is missing: there are several."))?,
    };
    let return_to = parameter(&query, "return_to")?.map(|target| ReturnTo::parse(&target)).unwrap_or_default();
    let metadata = registered.metadata().await?;
    csrf::require_navigation(&headers)?;
    let (callback, same_site) =
        if registered.server_callback { ("/api/v1/oauth/code", SameSite::Lax) } else { ("/callback", SameSite::Strict) };
    let redirect_uri = format!("{}{callback}", app.config.server.public_url.origin());
    let entropy: &dyn Entropy = &*app.entropy;
    let transaction = Transaction::begin(&registered.provider, &redirect_uri, return_to, &mut |bytes| entropy.fill(bytes), app.clock.now());
    let location = authorization_url(&registered.provider, &metadata, &transaction);
    let mut response = StatusCode::SEE_OTHER.into_response();
    let out = response.headers_mut();
    for id in superfluous(&app, &headers) {
        out.append(header::SET_COOKIE, app.cookies.clear_transaction(&id));
    }
    out.append(header::SET_COOKIE, app.cookies.set_transaction(&transaction.id(), &login::seal(&app, &transaction), same_site));
    out.insert(
        header::LOCATION,
        HeaderValue::try_from(location.as_str()).map_err(|error| Failure::new(ProblemCode::InternalError).source(error))?,
    );
    Ok(response)
}

/// A parameter that may come once.
fn parameter<'query>(query: &'query str, wanted: &str) -> Result<Option<Cow<'query, str>>, Failure> {
    let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Failure::new(ProblemCode::InvalidRequest).detail(format!("The parameter {wanted} is there twice."))),
    }
}

/// The logins that make way so that this one has room: those that cannot be finished any more, then the oldest.
fn superfluous(app: &AppState, headers: &HeaderMap) -> Vec<String> {
    let now = app.clock.now();
    let mut open: Vec<_> = Vec::new();
    let mut dead: Vec<_> = Vec::new();
    for (id, cookie) in app.cookies.transactions(headers) {
        // The id goes into a header again, so it has to look like one of ours.
        if id.len() > 64 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            continue;
        }
        match login::open(app, id, cookie) {
            Some(transaction) if transaction.expires_at() > now => open.push((transaction.created_at(), id.to_owned())),
            _ => dead.push(id.to_owned()),
        }
    }
    open.sort();
    let surplus = (open.len() + 1).saturating_sub(MAXIMUM_TRANSACTIONS);
    dead.into_iter().chain(open.into_iter().take(surplus).map(|(_, id)| id)).collect()
}
