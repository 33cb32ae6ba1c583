//! The login form.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::authorize::{answer, current_session, next_step, refusal, to_interaction, waiting_transaction};
use crate::{
    accounts::Account,
    acr::{Acr, ONE_TIME_CODE},
    csrf,
    failure::Failure,
    form,
    interaction::Interaction,
    pages::{PageError, login::LoginPage},
    parameters::Parameters,
    state::{AppState, Provider},
    store::provider_session::ProviderSession,
    visitor::{self, Visitor},
};

const PURPOSE: &str = "login";

/// Shows the form.
pub(crate) async fn get(State(state): State<AppState>, visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    let parameters = Parameters::parse(&query.unwrap_or_default());
    let (transaction, browser) = waiting_transaction(&state, &visitor, &parameters).await?;
    let page = LoginPage {
        client_name: &state.config.client_name,
        transaction: &transaction.id,
        csrf: &csrf::token(&browser, PURPOSE, &transaction.id),
        user_name: transaction.request.login_hint.as_deref().unwrap_or_default(),
        base: state.config.base_path(),
        second_factor: transaction.request.acr() == Some(Acr::TwoFactor),
        refused: false,
    };
    Ok(page.response())
}

/// Checks the password, starts a session, and goes on with the request.
pub(crate) async fn post(State(state): State<AppState>, visitor: Visitor, headers: HeaderMap, body: Bytes) -> Result<Response, PageError> {
    let parameters = form::read(&headers, &body).ok_or(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
    if parameters.any_repeated() {
        return Err(PageError::status(StatusCode::BAD_REQUEST));
    }
    let (transaction, browser) = waiting_transaction(&state, &visitor, &parameters).await?;
    if !csrf::verify(parameters.get("csrf"), &browser, PURPOSE, &transaction.id) {
        return Err(PageError::status(StatusCode::FORBIDDEN));
    }
    let user_name = parameters.get("username").unwrap_or_default();
    let acr = transaction.request.acr().unwrap_or(Acr::Password);
    let second_factor = acr == Acr::TwoFactor;
    let account = Account::authenticate(user_name, parameters.get("password").unwrap_or_default());
    let code_fits = !second_factor || parameters.get("code") == Some(ONE_TIME_CODE);
    let Some(account) = account.filter(|_| code_fits) else {
        let csrf = csrf::token(&browser, PURPOSE, &transaction.id);
        let client_name = &state.config.client_name;
        let (transaction, base) = (&transaction.id, state.config.base_path());
        return Ok(LoginPage { client_name, transaction, csrf: &csrf, user_name, base, second_factor, refused: true }.response());
    };
    let request = &transaction.request;
    let (session, secret) = start_session(&state, &visitor, account, acr).await?;
    let mut response = if request.hinted_sub.as_deref().is_some_and(|hinted| hinted != account.sub) {
        state.store.finish_transaction(&transaction.id).await?;
        refusal(&state, request, "login_required", "Somebody else signed in than the one asked for.")?
    } else {
        state.store.authenticated(&transaction.id, &session.sid).await?;
        match next_step(&state, request, Some(&session.sid), Some(&session)).await? {
            Interaction::Done if state.store.finish_transaction(&transaction.id).await? => answer(&state, request, &session).await?,
            step => to_interaction(&state, &step, &transaction.id),
        }
    };
    visitor::remember_session(&mut response, &state.config, &secret);
    Ok(response)
}

/// Starts a session with a new secret. The same person's session goes on under its name; that of somebody else is left.
pub(super) async fn start_session(
    state: &Provider,
    visitor: &Visitor,
    account: &Account,
    acr: Acr,
) -> Result<(ProviderSession, String), Failure> {
    let sid = match current_session(state, visitor).await? {
        Some(session) if session.sub == account.sub => session.sid,
        _ => state.identifier()?,
    };
    let session = ProviderSession { sid, sub: account.sub.to_owned(), auth_time: state.now(), acr };
    let secret = state.secret()?;
    let expires_at = state.now() + state.config.session_lifetime.as_secs().cast_signed();
    state.store.start_session(&session, &secret, expires_at).await?;
    Ok((session, secret))
}
