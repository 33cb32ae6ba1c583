//! `GET /auth`: forward authentication. A reverse proxy asks it about every request to an app behind it: nginx (`auth_request`),
//! Traefik (`ForwardAuth`) and Caddy (`forward_auth`); see docs/forward-auth.md.
//!
//! The answer says who is signed in, and never holds a token: browsers can reach this address too.

mod forwarded;

use super::{
    login::Parameters,
    onward::{self, Words},
    session,
};
use crate::{
    error::Failure,
    identity,
    middleware::{client_ip::PeerAddress, csrf, problem::problem_address, request_log::RequestId},
    proxy::Upstream,
    session::live::LiveSession,
    state::AppState,
};
use axum::{
    Extension,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use forwarded::Forwarded;
use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::ReturnTo;
use std::fmt::Write as _;

/// What the proxy wants to know, beside who is signed in.
struct Question<'a> {
    /// The upstream whose rules are in force too.
    upstream: Option<&'a Upstream>,
    /// Where people are sent who are not signed in, if they are.
    sign_in: Option<SignIn>,
    /// Whether a request that changes something has to come from this origin.
    csrf: bool,
}

/// The sign-in that people are sent to.
struct SignIn {
    /// At which provider, where there is more than one.
    provider: Option<String>,
}

/// Says who is signed in, in header fields, for a reverse proxy.
#[utoipa::path(get, path = "/api/v1/auth", operation_id = "forward_auth", tag = "session",
    description = "Forward authentication for reverse proxies: 2xx with the user in header fields (percent-encoded UTF-8), 401 otherwise; never a token.",
    params(
        ("upstream" = Option<String>, Query, description = "An upstream whose rules about who may in, and how strongly signed in, are in force too"),
        ("sign_in" = Option<String>, Query, description = "`redirect`: people who navigate are sent to the sign-in"),
        ("provider" = Option<String>, Query, description = "With `sign_in`, where to; may be left out when there is one provider"),
        ("csrf" = Option<String>, Query, description = "`required`: requests that may change something have to come from this origin")),
    responses(
        (status = 200, description = "Signed in; `X-Auth-Request-User`, `-Email` (verified), `-Name`, `-Login`, `-Provider`, `-Groups`"),
        (status = 303, description = "To the sign-in, or to the page that says who is kept out; only with `sign_in=redirect`"),
        (status = 400, description = "`invalid_request`", body = oauth2flow_app::api::Problem),
        (status = 401, description = "`unauthenticated`, `step_up_required`", body = oauth2flow_app::api::Problem),
        (status = 403, description = "`not_permitted`, `csrf_rejected`", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`unknown_upstream`, `unknown_provider`", body = oauth2flow_app::api::Problem),
        (status = 503, description = "`store_unavailable`", body = oauth2flow_app::api::Problem)))]
pub async fn handler(
    State(app): State<AppState>,
    peer: Option<Extension<PeerAddress>>,
    Extension(request_id): Extension<RequestId>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let question = Question::read(&app, &query.unwrap_or_default())?;
    let is_trusted = peer.is_some_and(|Extension(PeerAddress(address))| {
        app.config.server.trusted_proxies.iter().any(|network| network.contains(&address.ip().to_canonical()))
    });
    let forwarded = Forwarded::read(&headers, is_trusted);
    if question.csrf {
        forwarded.require_own_page(&headers, app.config.server.public_url.origin())?;
    }
    let refused = match session::current(&app, &headers).await? {
        Some((_, session)) => match permit(&app, question.upstream, &session) {
            Ok(()) => return Ok(who(&session)),
            Err(refused) => refused,
        },
        None => ProblemCode::Unauthenticated.into(),
    };
    match &question.sign_in {
        Some(SignIn { provider }) if forwarded.is_navigation(&headers, &app.config.server.public_url) => {
            Ok(lead_on(&app, &refused, provider.as_deref(), &forwarded, &headers, &request_id))
        }
        _ => Ok(with_challenge(refused)),
    }
}

impl<'a> Question<'a> {
    fn read(app: &'a AppState, query: &str) -> Result<Self, Failure> {
        let query = &Parameters::of(query);
        let upstream = match query.get("upstream")? {
            Some(name) => Some(&**app.upstreams.get(name).ok_or(ProblemCode::UnknownUpstream)?),
            None => None,
        };
        let provider = match query.get("provider")? {
            Some(id) if app.providers.get(id).is_none() => return Err(ProblemCode::UnknownProvider.into()),
            Some(id) => Some(id.to_owned()),
            None => app.providers.only().map(|registered| registered.provider.id.clone()),
        };
        let sign_in = is_set(query, "sign_in", "redirect")?.then_some(SignIn { provider });
        Ok(Self { upstream, sign_in, csrf: is_set(query, "csrf", "required")? })
    }
}

/// Whether a parameter is there, with the one value that it can have.
fn is_set(query: &Parameters<'_>, name: &str, value: &str) -> Result<bool, Failure> {
    match query.get(name)? {
        None => Ok(false),
        Some(found) if found == value => Ok(true),
        Some(_) => Err(Failure::new(ProblemCode::InvalidRequest).detail(format!("The parameter {name} can only be {value}."))),
    }
}

/// The answer for somebody who may in.
fn who(session: &LiveSession) -> Response {
    let mut headers = HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]);
    identity::tell(&mut headers, session);
    (StatusCode::OK, headers).into_response()
}

/// Whether the upstream's rules let this session in.
fn permit(app: &AppState, upstream: Option<&Upstream>, session: &LiveSession) -> Result<(), Failure> {
    let Some(upstream) = upstream else { return Ok(()) };
    if !upstream.config.is_for(&session.provider) {
        let detail = format!("What you want to open is not for users of {}.", session.provider);
        return Err(Failure::new(ProblemCode::NotPermitted).detail(detail));
    }
    upstream.permit(app, session)
}

/// The refusal for a program; with the challenge of [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3) where a better
/// sign-in is wanted.
fn with_challenge(refused: Failure) -> Response {
    let challenge = refused.step_up.as_ref().and_then(|step_up| {
        let mut challenge = String::from(r#"Bearer error="insufficient_user_authentication""#);
        if !step_up.acr_values.is_empty() {
            let _ = write!(challenge, r#", acr_values="{}""#, step_up.acr_values.join(" "));
        }
        if let Some(max_age) = step_up.max_age {
            let _ = write!(challenge, r#", max_age="{}""#, max_age.as_secs());
        }
        HeaderValue::try_from(challenge).ok()
    });
    let mut response = refused.into_response();
    if let Some(challenge) = challenge {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Leads somebody who navigates to where it goes on. Addresses are whole ones: Traefik would resolve others against its own address
/// of this server.
fn lead_on(
    app: &AppState,
    refused: &Failure,
    provider: Option<&str>,
    forwarded: &Forwarded<'_>,
    headers: &HeaderMap,
    request_id: &RequestId,
) -> Response {
    let return_to = forwarded.uri.map(ReturnTo::parse).unwrap_or_default();
    let is_from_elsewhere = headers.contains_key(&csrf::SEC_FETCH_SITE) && !csrf::began_here(headers);
    if refused.code == ProblemCode::Unauthenticated && is_from_elsewhere {
        // The Strict cookie does not come along when another site led here. It does when this page goes to the same address itself.
        let words = Words { title: "One moment", heading: "One moment", lead: "Looking whether you are signed in." };
        let mut page = onward::page(app, return_to.as_str(), &words);
        *page.status_mut() = StatusCode::UNAUTHORIZED;
        page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return page;
    }
    let encoded: String = url::form_urlencoded::byte_serialize(return_to.as_str().as_bytes()).collect();
    let step_up = refused.step_up.as_ref().and_then(|step_up| step_up.login_url.as_deref());
    let address = match (refused.code, step_up, provider) {
        (_, Some(login_url), _) => format!("{login_url}&return_to={encoded}"),
        (ProblemCode::Unauthenticated, None, Some(provider)) => {
            let provider: String = url::form_urlencoded::byte_serialize(provider.as_bytes()).collect();
            format!("/api/v1/oauth/login?provider={provider}&return_to={encoded}")
        }
        // The page lets people choose.
        (ProblemCode::Unauthenticated, None, None) => format!("/account?return_to={encoded}"),
        _ => problem_address(refused, request_id),
    };
    match HeaderValue::try_from(format!("{}{address}", app.config.server.public_url.origin())) {
        Ok(location) => {
            let no_store = HeaderValue::from_static("no-store");
            (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, no_store)]).into_response()
        }
        Err(error) => Failure::new(ProblemCode::InternalError).source(error).into_response(),
    }
}
