//! The authorization endpoint ([RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)).

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};

use crate::{
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
    let request = match AuthorizationRequest::parse(&Parameters::parse(&query), &state.config, &state.signing_key) {
        Ok(request) => request,
        Err(error) => return Ok(refuse(&state, error)),
    };
    let session = current_session(&state, &visitor).await?;
    let step = next_step(&state, &request, None, session.as_ref()).await?;
    if request.prompts(Prompt::None) {
        match step {
            Interaction::Login => return Ok(refusal(&state, &request, "login_required", "Nobody is signed in.")),
            Interaction::Consent => return Ok(refusal(&state, &request, "consent_required", "Nobody has allowed this.")),
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
            let mut response = to_interaction(&step, &id);
            visitor::remember_browser(&mut response, &browser);
            Ok(response)
        }
    }
}

/// A request in a form is the same request ([OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).
/// A cross-site form brings no cookies, the redirect that follows does.
pub(crate) async fn post(headers: HeaderMap, body: Bytes) -> Result<Response, PageError> {
    if form::read(&headers, &body).is_none() {
        return Err(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(url::form_urlencoded::parse(&body)).finish();
    Ok(authorization_response::redirect(format!("/authorize?{query}")))
}

fn refuse(state: &Provider, error: AuthorizationError) -> Response {
    match error {
        AuthorizationError::Unredirectable(reason) => Notice::new("This sign-in cannot go on")
            .text(reason)
            .text("For your safety you are sent nowhere. If you are setting up the app, compare its client id and redirect URI with those that this provider was started with.")
            .client(&state.config)
            .response(StatusCode::BAD_REQUEST),
        AuthorizationError::Refused { redirect_uri, state: client_state, error, description } => {
            authorization_response::refusal(&redirect_uri, client_state.as_deref(), &state.config.issuer, error, description)
        }
    }
}

/// Sends the browser back to the client with an error.
pub(crate) fn refusal(state: &Provider, request: &AuthorizationRequest, error: &str, description: &str) -> Response {
    authorization_response::refusal(&request.redirect_uri, request.state.as_deref(), &state.config.issuer, error, description)
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
pub(crate) fn to_interaction(step: &Interaction, transaction_id: &str) -> Response {
    let path = if *step == Interaction::Login { "login" } else { "consent" };
    authorization_response::redirect(format!("/{path}?transaction={transaction_id}"))
}

/// Gives the client its code.
pub(crate) async fn answer(state: &Provider, request: &AuthorizationRequest, session: &ProviderSession) -> Result<Response, Failure> {
    let secret = state.secret()?;
    let code = AuthorizationCode {
        grant: Grant {
            id: state.identifier()?,
            client_id: request.client_id.clone(),
            sub: session.sub.clone(),
            sid: session.sid.clone(),
            scope: request.scope.clone(),
            auth_time: session.auth_time,
        },
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        expires_at: state.now() + state.config.code_lifetime.as_secs().cast_signed(),
    };
    state.store.add_code(&secret, &code).await?;
    Ok(authorization_response::success(&request.redirect_uri, request.state.as_deref(), &state.config.issuer, &secret))
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
