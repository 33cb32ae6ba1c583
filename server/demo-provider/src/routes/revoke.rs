//! Token revocation ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)).

use axum::{body::Bytes, extract::State, http::HeaderMap};

use super::token::TokenError;
use crate::{client_authentication, form, state::AppState};

/// Revokes a token. A refresh token takes its family along; a token that nobody knows is as good as revoked.
pub(crate) async fn post(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Result<(), TokenError> {
    let parameters = form::read(&headers, &body).ok_or(TokenError::InvalidRequest("The body is not a form."))?;
    if parameters.any_repeated() {
        return Err(TokenError::InvalidRequest("A parameter is there more than once."));
    }
    client_authentication::authenticate(&state, &headers, &parameters, "/revoke").await?;
    let token = parameters.get("token").ok_or(TokenError::InvalidRequest("token is missing."))?;
    // The hint is only a hint: both kinds are looked for whatever it says.
    match state.store.refresh_token(token, &state.config.client_id).await? {
        Some(refresh_token) => state.store.revoke_grant(&refresh_token.grant.id).await?,
        None => state.store.revoke_access_token(token, &state.config.client_id).await?,
    }
    Ok(())
}
