//! The authorization endpoint ([RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)).

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};

use super::{login, par};
use crate::{
    Offer,
    accounts::Account,
    acr::Acr,
    authorization_request::{AuthorizationError, AuthorizationRequest, Prompt},
    authorization_response,
    failure::Failure,
    form,
    interaction::{self, Interaction},
    pages::{PageError, notice::Notice},
    parameters::Parameters,
    state::{AppState, Provider},
    store::{
        grant::{AuthorizationCode, Grant},
        provider_session::ProviderSession,
        transaction::Transaction,
    },
    visitor::{self, Visitor},
};

/// How long a request waits for a person, in seconds.
const TRANSACTION_SECONDS: i64 = 600;
/// No honest request is longer.
const MAX_QUERY_BYTES: usize = 16 * 1024;

/// Starts a login: answers at once when nothing has to be asked, else sends the browser to the form.
pub(crate) async fn get(
    method: Method,
    State(state): State<AppState>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    // A HEAD request must not use up a login.
    if method == Method::HEAD {
        return Err(PageError::status(StatusCode::METHOD_NOT_ALLOWED));
    }
    let query = query.unwrap_or_default();
    if query.len() > MAX_QUERY_BYTES {
        return Err(PageError::status(StatusCode::URI_TOO_LONG));
    }
    let parameters = Parameters::parse(&query);
    let request = match parameters.get("request_uri") {
        Some(uri) if uri.starts_with(par::URI_PREFIX) => pushed_request(&state, &parameters, uri).await?,
        _ if state.config.pushed_requests == Offer::Required => return Ok(refuse(&state, NOT_PUSHED)?),
        _ => match AuthorizationRequest::parse(&parameters, &state) {
            Ok(request) => request,
            Err(error) => return Ok(refuse(&state, error)?),
        },
    };
    if let Some(login) = &state.config.automatic_login {
        return answer_automatically(&state, &visitor, &request, login).await;
    }
    let session = current_session(&state, &visitor).await?;
    let step = next_step(&state, &request, None, session.as_ref()).await?;
    if request.prompts(Prompt::None) {
        match step {
            Interaction::Login => {
                return Ok(refusal(&state, &request, "login_required", "Nobody is signed in, or not recently or strongly enough.")?);
            }
            Interaction::Consent => return Ok(refusal(&state, &request, "consent_required", "Nobody has allowed this.")?),
            Interaction::Done => {}
        }
    }
    match (step, session) {
        (Interaction::Done, Some(session)) => Ok(answer(&state, &request, &session).await?),
        (step, _) => {
            let id = state.secret()?;
            let browser = visitor.browser.map_or_else(|| state.secret(), Ok)?;
            let expires_at = state.now() + TRANSACTION_SECONDS;
            state.store.add_transaction(&id, &browser, &request, state.now(), expires_at).await?;
            let mut response = to_interaction(&state, &step, &id);
            visitor::remember_browser(&mut response, &state.config, &browser);
            Ok(response)
        }
    }
}

/// A request in a form is the same request ([OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).
/// A cross-site form brings no cookies, the redirect that follows does.
pub(crate) async fn post(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Result<Response, PageError> {
    if form::read(&headers, &body).is_none() {
        return Err(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(url::form_urlencoded::parse(&body)).finish();
    Ok(authorization_response::redirect(state.path(&format!("/authorize?{query}"))))
}

const NOT_PUSHED: AuthorizationError = AuthorizationError::Unredirectable("The app has to push its requests to this provider first.");

/// The request that a client has pushed; it works once ([RFC 9126 §4](https://www.rfc-editor.org/rfc/rfc9126#section-4)).
async fn pushed_request(state: &Provider, parameters: &Parameters, uri: &str) -> Result<AuthorizationRequest, PageError> {
    let client_id = parameters.get("client_id").unwrap_or_default();
    let request = state.store.take_pushed_request(uri, client_id, state.now()).await?;
    request.ok_or_else(|| {
        let reason = "The app's request is not known, has been used, or has waited for more than a minute.";
        Notice::new("This sign-in cannot go on").text(reason).client(&state.config).with_status(StatusCode::BAD_REQUEST).into()
    })
}

/// Signs somebody in who is not asked, as strongly as is wanted, and answers.
async fn answer_automatically(
    state: &Provider,
    visitor: &Visitor,
    request: &AuthorizationRequest,
    login: &str,
) -> Result<Response, PageError> {
    let Some(account) = Account::named(login) else {
        return Ok(refusal(state, request, "access_denied", "There is no such account.")?);
    };
    let acr = request.acr().unwrap_or(Acr::Password);
    let (session, secret) = login::start_session(state, visitor, account, acr).await?;
    let mut response = answer(state, request, &session).await?;
    visitor::remember_session(&mut response, &state.config, &secret);
    Ok(response)
}

fn refuse(state: &Provider, error: AuthorizationError) -> Result<Response, Failure> {
    match error {
        AuthorizationError::Unredirectable(reason) => Ok(Notice::new("This sign-in cannot go on")
            .text(reason)
            .text("For your safety you are sent nowhere. If you are setting up the app, compare its client id and redirect URI with those that this provider was started with.")
            .client(&state.config)
            .response(StatusCode::BAD_REQUEST)),
        AuthorizationError::Refused { destination, error, description } => {
            authorization_response::refusal(state, &destination, error, description)
        }
    }
}

/// Sends the browser back to the client with an error.
pub(crate) fn refusal(state: &Provider, request: &AuthorizationRequest, error: &str, description: &str) -> Result<Response, Failure> {
    authorization_response::refusal(state, &request.into(), error, description)
}

/// The session of this browser, if it has one.
pub(crate) async fn current_session(state: &Provider, visitor: &Visitor) -> Result<Option<ProviderSession>, Failure> {
    match &visitor.session {
        Some(secret) => state.store.session(secret, state.now()).await,
        None => Ok(None),
    }
}

/// Decides what has to happen next for a request.
pub(crate) async fn next_step(
    state: &Provider,
    request: &AuthorizationRequest,
    authenticated_sid: Option<&str>,
    session: Option<&ProviderSession>,
) -> Result<Interaction, Failure> {
    let consented = match session {
        Some(session) => state.store.consented(&session.sid, &request.client_id, &request.scope).await?,
        None => false,
    };
    Ok(interaction::next(request, authenticated_sid, session, consented, state.now()))
}

/// Sends the browser to the form that comes next; there is none after the last.
pub(crate) fn to_interaction(state: &Provider, step: &Interaction, transaction_id: &str) -> Response {
    let path = if *step == Interaction::Login { "login" } else { "consent" };
    authorization_response::redirect(state.path(&format!("/{path}?transaction={transaction_id}")))
}

/// Gives the client its code.
pub(crate) async fn answer(state: &Provider, request: &AuthorizationRequest, session: &ProviderSession) -> Result<Response, Failure> {
    let secret = state.named_secret("ac")?;
    let code = AuthorizationCode {
        grant: Grant {
            id: state.identifier()?,
            client_id: request.client_id.clone(),
            sub: session.sub.clone(),
            sid: session.sid.clone(),
            scope: request.scope.clone(),
            auth_time: session.auth_time,
            acr: session.acr,
        },
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
        expires_at: state.now() + state.config.code_lifetime.as_secs().cast_signed(),
    };
    state.store.add_code(&secret, &code).await?;
    authorization_response::success(state, &request.into(), secret)
}

/// The request that a form is about, and the browser's secret.
///
/// # Errors
/// A page, when the request is over, or was begun in another browser.
pub(crate) async fn waiting_transaction(
    state: &Provider,
    visitor: &Visitor,
    parameters: &Parameters,
) -> Result<(Transaction, String), PageError> {
    let over = || {
        PageError::from(
            Notice::new("This sign-in is over")
                .text("It has been finished, it has waited for more than ten minutes, or it was begun in another browser.")
                .text("Go back to the app and sign in again.")
                .client(&state.config)
                .with_status(StatusCode::BAD_REQUEST),
        )
    };
    let (Some(id), Some(browser)) = (parameters.get("transaction"), &visitor.browser) else { return Err(over()) };
    let transaction = state.store.transaction(id, browser, state.now()).await?;
    Ok((transaction.ok_or_else(over)?, browser.clone()))
}
