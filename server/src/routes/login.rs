//! `GET /oauth/login`: step 2 of the flow, from the click to the provider.

mod parameters;

use crate::{
    error::Failure,
    flow,
    login::{self, Login},
    middleware::csrf,
    provider::Registered,
    session::{
        cookie::{MAXIMUM_TRANSACTIONS, Presented, SameSite},
        record::SessionId,
    },
    state::AppState,
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::{
    AuthorizationOptions, ProviderMetadata, ReturnTo, Transaction, authorize::authorization_url, par, provider::ResponseMode,
};
pub(crate) use parameters::MAXIMUM_AGE;
pub(super) use parameters::Parameters;
use parameters::options;

/// How many transaction cookies of a request are looked at: a browser that plays by the rules has fewer, and each costs an unsealing.
const MAXIMUM_LOOKED_AT: usize = 4 * MAXIMUM_TRANSACTIONS;

/// Starts a login: seals a transaction into a cookie and sends the browser to the provider. Nothing is stored, so a
/// flood of starts costs nothing here; a provider that wants the request pushed is asked each time, by a few at a time.
#[utoipa::path(get, path = "/api/v1/oauth/login", operation_id = "start_login", tag = "login",
    params(
        ("provider" = Option<String>, Query, description = "The provider's id; may be left out when there is one provider"),
        ("return_to" = Option<String>, Query, description = "Where to go afterwards: a path of this origin, with query and fragment"),
        ("prompt" = Option<String>, Query, description = "What the provider asks of the user: `none` (a silent sign-in), or some of `login`, `consent`, `select_account`, `create`"),
        ("max_age" = Option<u64>, Query, description = "How many seconds ago the user may have signed in at the provider"),
        ("acr_values" = Option<String>, Query, description = "Authentication context classes of which one will do, the best first"),
        ("login_hint" = Option<String>, Query, description = "Who is about to sign in"),
        ("ui_locales" = Option<String>, Query, description = "The languages of the provider's pages, the best first"),
        ("upstream" = Option<String>, Query, description = "An upstream whose configured demand the sign-in is to meet")),
    responses(
        (status = 303, description = "To the provider's authorization endpoint"),
        (status = 400, description = "`invalid_request`", body = oauth2flow_app::api::Problem),
        (status = 401, description = "`unauthenticated`: not a navigation", body = oauth2flow_app::api::Problem),
        (status = 403, description = "`csrf_rejected`: another site began this", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`unknown_provider`, `unknown_upstream`", body = oauth2flow_app::api::Problem),
        (status = 502, description = "`provider_unavailable`, `provider_invalid_response`, `provider_misconfigured`, `provider_refused`", body = oauth2flow_app::api::Problem),
        (status = 504, description = "`provider_timeout`", body = oauth2flow_app::api::Problem)))]
pub async fn handler(State(app): State<AppState>, request: Request) -> Result<Response, Failure> {
    let (Parts { method, uri, headers, .. }, _) = request.into_parts();
    if csrf::is_speculative(&method, &headers) {
        return Ok(csrf::not_yet());
    }
    csrf::refuse_cross_site(&headers, app.config.server.public_url.origin())?;
    let raw_query = uri.query().unwrap_or_default();
    let query = Parameters::of(raw_query);
    let registered = match query.get("provider")? {
        Some(id) => app.providers.get(id).ok_or(ProblemCode::UnknownProvider)?,
        None => app
            .providers
            .only()
            .ok_or_else(|| Failure::new(ProblemCode::InvalidRequest).detail("The provider is missing: there are several."))?,
    };
    let return_to = query.get("return_to")?.map(ReturnTo::parse).unwrap_or_default();
    let asked = options(&app, registered, &query)?;
    // What is no navigation gets nowhere, and is not worth a recording.
    let navigates = csrf::require_navigation(&headers).is_ok();
    let recording = if navigates { flow::login::begin(&app, &headers, registered, raw_query, &return_to) } else { None };
    let recorder = recording.as_ref().map(flow::login::Begun::recorder);
    let sent = flow::within(recorder, send_off(&app, &headers, registered, return_to.clone(), asked)).await;
    // Read once more where it failed, rather than kept for every login that does not.
    let sent = sent.map_err(|failure| match options(&app, registered, &query) {
        Ok(asked) => login::with_next_try(failure, &registered.provider.id, &asked, &return_to),
        Err(unreadable) => unreadable,
    });
    match recording {
        Some(recording) => Ok(recording.sent(sent)),
        None => sent,
    }
}

/// Sends the browser to the provider, with the login in a cookie.
async fn send_off(
    app: &AppState,
    headers: &HeaderMap,
    registered: &Registered,
    return_to: ReturnTo,
    options: AuthorizationOptions,
) -> Result<Response, Failure> {
    let metadata = registered.metadata().await?;
    csrf::require_navigation(headers)?;
    flow::login::metadata(&metadata);
    let (callback, same_site) = match registered.provider.response_mode {
        ResponseMode::FormPost => ("/api/v1/oauth/code", SameSite::None),
        _ if registered.server_callback => ("/api/v1/oauth/code", SameSite::Lax),
        _ => ("/callback", SameSite::Strict),
    };
    let redirect_uri = format!("{}{callback}", app.config.server.public_url.origin());
    let transaction =
        app.with_context(|context| Transaction::begin(&registered.provider, &metadata, &redirect_uri, return_to, options, context));
    let location = authorization_address(app, registered, &metadata, &transaction).await?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    let out = response.headers_mut();
    for (id, same_site) in superfluous(app, headers) {
        out.append(header::SET_COOKIE, app.cookies.clear_transaction(&id, same_site));
    }
    let session = match app.cookies.session(headers) {
        Presented::Value(cookie) => SessionId::parse(cookie).map(|session| session.key()),
        Presented::Absent | Presented::Ambiguous => None,
    };
    let login = Login { transaction, same_site, session };
    let id = login.transaction.id();
    let set_transaction = app.cookies.set_transaction(&id, &login::seal(app, &id, &login), same_site);
    flow::login::redirected(&location, &id, &set_transaction);
    out.append(header::SET_COOKIE, set_transaction);
    out.insert(header::LOCATION, HeaderValue::try_from(location).map_err(|error| Failure::new(ProblemCode::InternalError).source(error))?);
    Ok(response)
}

/// Where to send the browser: with the whole request, or with the name that the provider has given to it
/// ([RFC 9126](https://www.rfc-editor.org/rfc/rfc9126)).
async fn authorization_address(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    transaction: &Transaction,
) -> Result<String, Failure> {
    let provider = &registered.provider;
    if !par::uses(provider, metadata)? {
        return Ok(app.with_context(|context| authorization_url(provider, metadata, transaction, context))?);
    }
    let Ok(_one_of_a_few) = app.pushes.try_acquire() else {
        return Err(Failure::new(ProblemCode::ProviderUnavailable).detail("Too many sign-ins are being started at once."));
    };
    let (request, pending) = app.with_context(|context| par::request(provider, metadata, transaction, context))?;
    // Behind a pointer: few providers want it, and it would be the larger part of what every login moves from place to place.
    let response = Box::pin(registered.send(request)).await?;
    let pushed = pending.process(&response, app.clock.now());
    flow::login::pushed(&pushed);
    Ok(par::authorization_url(pushed?))
}

/// The logins that make way so that this one has room: those that cannot be finished any more, then the oldest.
fn superfluous(app: &AppState, headers: &HeaderMap) -> Vec<(String, SameSite)> {
    let now = app.clock.now();
    let mut open: Vec<_> = Vec::new();
    let mut dead: Vec<_> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (id, cookie) in app.cookies.transactions(headers) {
        // The id goes into a header again, so it has to look like one of ours.
        let is_ours = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !is_ours || seen.contains(&id) {
            continue;
        }
        if seen.len() == MAXIMUM_LOOKED_AT {
            break;
        }
        seen.push(id);
        match login::open(app, id, cookie) {
            Some(login) if login.transaction.expires_at() > now => {
                open.push((login.transaction.created_at(), (id.to_owned(), login.same_site)));
            }
            login => dead.push((id.to_owned(), login.map_or(SameSite::Strict, |login| login.same_site))),
        }
    }
    open.sort_by_key(|(created_at, _)| *created_at);
    let surplus = (open.len() + 1).saturating_sub(MAXIMUM_TRANSACTIONS);
    dead.into_iter().chain(open.into_iter().take(surplus).map(|(_, cookie)| cookie)).collect()
}
