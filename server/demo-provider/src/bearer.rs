//! Access tokens on their way in ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)): in the header, nowhere else.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    accounts::Account,
    failure::Failure,
    scope::{Scope, ScopeSet},
    state::Provider,
};

/// Somebody on whose behalf a client calls.
#[derive(Debug)]
pub(crate) struct Bearer {
    pub(crate) account: &'static Account,
    pub(crate) scope: ScopeSet,
}

/// Why a call is refused ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
#[derive(Debug)]
pub(crate) enum BearerError {
    /// There is no token: nothing more is said.
    Missing,
    /// The header cannot be read.
    InvalidRequest,
    /// Unknown, expired or revoked.
    InvalidToken,
    /// The token does not allow this.
    InsufficientScope(Scope),
    Failure(Failure),
}

impl From<Failure> for BearerError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        let (status, error, description, scope) = match self {
            Self::Missing => {
                let challenge = [(header::WWW_AUTHENTICATE, r#"Bearer realm="demo""#)];
                return (StatusCode::UNAUTHORIZED, challenge).into_response();
            }
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid_request", "The Authorization header cannot be read.", None),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, "invalid_token", "The access token is unknown, expired or revoked.", None),
            Self::InsufficientScope(scope) => {
                (StatusCode::FORBIDDEN, "insufficient_scope", "The access token does not allow this.", Some(scope.name()))
            }
            Self::Failure(failure) => return failure.into_response(),
        };
        let scope = scope.map(|scope| format!(r#", scope="{scope}""#)).unwrap_or_default();
        let challenge = format!(r#"Bearer realm="demo", error="{error}", error_description="{description}"{scope}"#);
        let mut response = (status, Json(json!({ "error": error, "error_description": description }))).into_response();
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Finds out on whose behalf a call is made, and that it is allowed to.
pub(crate) async fn authenticate(state: &Provider, headers: &HeaderMap, required: Scope) -> Result<Bearer, BearerError> {
    let mut authorization = headers.get_all(header::AUTHORIZATION).iter();
    let token = match (authorization.next(), authorization.next()) {
        (None, _) => return Err(BearerError::Missing),
        (Some(_), Some(_)) => return Err(BearerError::InvalidRequest),
        (Some(header), None) => header.to_str().map_err(|_| BearerError::InvalidRequest)?,
    };
    let (scheme, token) = token.split_once(' ').ok_or(BearerError::InvalidRequest)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(BearerError::Missing);
    }
    let access_token = state.store.access_token(token.trim(), state.now()).await?.ok_or(BearerError::InvalidToken)?;
    let account = Account::of(&access_token.sub).ok_or(BearerError::InvalidToken)?;
    if !access_token.scope.contains(required) {
        return Err(BearerError::InsufficientScope(required));
    }
    Ok(Bearer { account, scope: access_token.scope })
}
