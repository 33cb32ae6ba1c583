//! Pushed authorization requests ([RFC 9126](https://www.rfc-editor.org/rfc/rfc9126)).

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::token::{TokenError, never_stored};
use crate::{
    authorization_request::{AuthorizationError, AuthorizationRequest},
    client_authentication,
    dpop::{self, Target},
    form,
    state::AppState,
};

/// What every request's address begins with.
pub(crate) const URI_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// How long a request waits for its browser, in seconds.
const LIFETIME_SECONDS: i64 = 60;

/// Takes a request from a client that has proved who it is.
pub(crate) async fn post(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Result<Response, TokenError> {
    let parameters = form::read(&headers, &body).ok_or(TokenError::InvalidRequest("The body is not a form."))?;
    if parameters.any_repeated() {
        return Err(TokenError::InvalidRequest("A parameter is there more than once."));
    }
    client_authentication::authenticate(&state, &headers, &parameters, "/par").await?;
    let path = state.path("/par");
    let proved = dpop::verify(&state, &headers, Target { method: &Method::POST, path: &path, access_token: None }).await?;
    let mut request = AuthorizationRequest::parse(&parameters, &state).map_err(|error| match error {
        AuthorizationError::Unredirectable(description) => TokenError::InvalidRequest(description),
        AuthorizationError::Refused { error, description, .. } => TokenError::Authorization(error, description),
    })?;
    if let Some(proved) = proved {
        // RFC 9449 §10.1: when both say something, they say the same.
        if request.dpop_jkt.as_ref().is_some_and(|named| *named != proved) {
            return Err(TokenError::InvalidDpopProof("The proof's key is not that of dpop_jkt."));
        }
        request.dpop_jkt = Some(proved);
    }
    let uri = format!("{URI_PREFIX}{}", state.secret()?);
    state.store.add_pushed_request(&uri, &request, state.now() + LIFETIME_SECONDS).await?;
    let answer = json!({ "request_uri": uri, "expires_in": LIFETIME_SECONDS });
    Ok(never_stored((StatusCode::CREATED, Json(answer)).into_response()))
}
