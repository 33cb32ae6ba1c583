//! The consent page.

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::authorize::{answer, current_session, next_step, refusal, to_interaction, waiting_transaction};
use crate::{
    accounts::Account,
    csrf, form,
    interaction::Interaction,
    pages::{PageError, consent::ConsentPage},
    parameters::Parameters,
    state::{AppState, Provider},
    store::{provider_session::ProviderSession, transaction::Transaction},
    visitor::Visitor,
};

const PURPOSE: &str = "consent";

/// Shows what the client would like to do.
pub(crate) async fn get(State(state): State<AppState>, visitor: Visitor, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    let parameters = Parameters::parse(&query.unwrap_or_default());
    let (transaction, browser) = waiting_transaction(&state, &visitor, &parameters).await?;
    let Some((session, account)) = signed_in(&state, &visitor, &transaction).await? else {
        return Ok(to_interaction(&state, &Interaction::Login, &transaction.id));
    };
    let page = ConsentPage {
        client_name: &state.config.client_name,
        client_home: state.config.client_home(),
        base: state.config.base_path(),
        transaction: &transaction.id,
        csrf: &csrf::token(&browser, PURPOSE, &subject(&transaction, &session)),
        account,
        scope: &transaction.request.scope,
    };
    Ok(page.response())
}

/// Takes the answer.
pub(crate) async fn post(State(state): State<AppState>, visitor: Visitor, headers: HeaderMap, body: Bytes) -> Result<Response, PageError> {
    let parameters = form::read(&headers, &body).ok_or(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
    if parameters.any_repeated() {
        return Err(PageError::status(StatusCode::BAD_REQUEST));
    }
    let (transaction, browser) = waiting_transaction(&state, &visitor, &parameters).await?;
    let Some((session, _)) = signed_in(&state, &visitor, &transaction).await? else {
        return Ok(to_interaction(&state, &Interaction::Login, &transaction.id));
    };
    // The token also holds the session: whoever was shown the question gives the answer.
    if !csrf::verify(parameters.get("csrf"), &browser, PURPOSE, &subject(&transaction, &session)) {
        return Err(PageError::status(StatusCode::FORBIDDEN));
    }
    let request = &transaction.request;
    let allowed = match parameters.get("decision") {
        Some("allow") => true,
        Some("deny") => false,
        _ => return Err(PageError::status(StatusCode::BAD_REQUEST)),
    };
    // Two clicks are one answer: only the one that ends the wait gets a code.
    if !state.store.finish_transaction(&transaction.id).await? {
        return Err(PageError::status(StatusCode::CONFLICT));
    }
    if !allowed {
        return Ok(refusal(&state, request, "access_denied", "The user did not allow it.")?);
    }
    state.store.add_consent(&session.sid, &request.client_id, &request.scope).await?;
    Ok(answer(&state, request, &session).await?)
}

fn subject(transaction: &Transaction, session: &ProviderSession) -> String {
    format!("{}\n{}", transaction.id, session.sid)
}

/// Who is signed in, recently enough for this request.
async fn signed_in(
    state: &Provider,
    visitor: &Visitor,
    transaction: &Transaction,
) -> Result<Option<(ProviderSession, &'static Account)>, PageError> {
    let Some(session) = current_session(state, visitor).await? else { return Ok(None) };
    let step = next_step(state, &transaction.request, transaction.authenticated_sid.as_deref(), Some(&session)).await?;
    if step == Interaction::Login {
        return Ok(None);
    }
    Ok(Account::of(&session.sub).map(|account| (session, account)))
}
