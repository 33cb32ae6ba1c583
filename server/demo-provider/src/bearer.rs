//! Access tokens on their way in ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)): in the header, nowhere else, and with
//! a proof when they are bound to a key ([RFC 9449 §7](https://www.rfc-editor.org/rfc/rfc9449#section-7)).

use std::convert::Infallible;

use axum::{
    Json,
    extract::{FromRequestParts, OriginalUri},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    SigningAlgorithm, StepUp,
    accounts::Account,
    acr::Acr,
    dpop::{self, DpopError},
    failure::Failure,
    scope::{Scope, ScopeSet},
    state::Provider,
};

/// A call of an API, as far as tokens and proofs care.
#[derive(Debug)]
pub(crate) struct Call {
    method: Method,
    /// The whole path, with that of the issuer.
    path: String,
    headers: HeaderMap,
}

impl<State: Send + Sync> FromRequestParts<State> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, state).await?;
        Ok(Self { method: parts.method.clone(), path: uri.path().to_owned(), headers: parts.headers.clone() })
    }
}

/// Somebody on whose behalf a client calls.
#[derive(Debug)]
pub(crate) struct Bearer {
    pub(crate) account: &'static Account,
    pub(crate) scope: ScopeSet,
    auth_time: i64,
    acr: Acr,
}

/// Why a call is refused ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
#[derive(Debug)]
pub(crate) enum BearerError {
    /// There is no token: nothing more is said.
    Missing,
    /// The header cannot be read.
    InvalidRequest,
    /// Unknown, expired, revoked, or bound to another key.
    InvalidToken,
    /// The token does not allow this.
    InsufficientScope(Scope),
    /// The login behind the token is too weak or too old ([RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)).
    InsufficientAuthentication(StepUp),
    /// The proof that goes with the token is none.
    Dpop(&'static str),
    /// The proof has to hold this nonce.
    UseNonce(String),
    Failure(Failure),
}

impl From<Failure> for BearerError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<DpopError> for BearerError {
    fn from(error: DpopError) -> Self {
        match error {
            DpopError::Invalid(reason) => Self::Dpop(reason),
            DpopError::UseNonce(nonce) => Self::UseNonce(nonce),
            DpopError::Failure(failure) => Self::Failure(failure),
        }
    }
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        let mut nonce = None;
        let mut scheme = r#"Bearer realm="demo""#.to_owned();
        let (status, error, description, more) = match self {
            Self::Missing => {
                let challenge = [(header::WWW_AUTHENTICATE, scheme)];
                return (StatusCode::UNAUTHORIZED, challenge).into_response();
            }
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid_request", "The Authorization header cannot be read.", String::new()),
            Self::InvalidToken => {
                (StatusCode::UNAUTHORIZED, "invalid_token", "The access token is unknown, expired or revoked.", String::new())
            }
            Self::InsufficientScope(scope) => {
                let more = format!(r#", scope="{}""#, scope.name());
                (StatusCode::FORBIDDEN, "insufficient_scope", "The access token does not allow this.", more)
            }
            Self::InsufficientAuthentication(wanted) => {
                let acr = wanted.acr.map(|acr| format!(r#", acr_values="{acr}""#)).unwrap_or_default();
                let max_age = wanted.max_age.map(|age| format!(r#", max_age="{}""#, age.as_secs())).unwrap_or_default();
                let error = "insufficient_user_authentication";
                (StatusCode::UNAUTHORIZED, error, "A stronger or more recent login is needed.", acr + &max_age)
            }
            Self::Dpop(reason) => {
                scheme = dpop_scheme();
                (StatusCode::UNAUTHORIZED, "invalid_dpop_proof", reason, String::new())
            }
            Self::UseNonce(fresh) => {
                scheme = dpop_scheme();
                nonce = Some(fresh);
                (StatusCode::UNAUTHORIZED, "use_dpop_nonce", "The proof has to hold the nonce of this answer.", String::new())
            }
            Self::Failure(failure) => return failure.into_response(),
        };
        let challenge = format!(r#"{scheme}, error="{error}", error_description="{description}"{more}"#);
        let mut response = (status, Json(json!({ "error": error, "error_description": description }))).into_response();
        let headers = response.headers_mut();
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            headers.insert("dpop-nonce", nonce);
        }
        response
    }
}

fn dpop_scheme() -> String {
    format!(r#"DPoP realm="demo", algs="{}""#, SigningAlgorithm::ALL.map(SigningAlgorithm::name).join(" "))
}

/// Finds out on whose behalf a call is made, and that it is allowed to.
pub(crate) async fn authenticate(state: &Provider, call: &Call, required: Scope) -> Result<Bearer, BearerError> {
    let mut authorization = call.headers.get_all(header::AUTHORIZATION).iter();
    let token = match (authorization.next(), authorization.next()) {
        (None, _) => return Err(BearerError::Missing),
        (Some(_), Some(_)) => return Err(BearerError::InvalidRequest),
        (Some(header), None) => header.to_str().map_err(|_| BearerError::InvalidRequest)?,
    };
    let (scheme, token) = token.split_once(' ').ok_or(BearerError::InvalidRequest)?;
    let token = token.trim();
    let is_bound = scheme.eq_ignore_ascii_case("dpop");
    if !is_bound && !scheme.eq_ignore_ascii_case("bearer") {
        return Err(BearerError::Missing);
    }
    let access_token = state.store.access_token(token, state.now()).await?.ok_or(BearerError::InvalidToken)?;
    // A bound token that goes as a bearer token may have been stolen, and the other way round somebody is mistaken.
    if is_bound != access_token.dpop_jkt.is_some() {
        return Err(BearerError::InvalidToken);
    }
    if let Some(bound_to) = &access_token.dpop_jkt {
        let target = dpop::Target { method: &call.method, path: &call.path, access_token: Some(token) };
        let thumbprint = dpop::verify(state, &call.headers, target).await?.ok_or(BearerError::Dpop("The proof is missing."))?;
        if thumbprint != *bound_to {
            return Err(BearerError::InvalidToken);
        }
    }
    let account = Account::of(&access_token.sub).ok_or(BearerError::InvalidToken)?;
    if !access_token.scope.contains(required) {
        return Err(BearerError::InsufficientScope(required));
    }
    Ok(Bearer { account, scope: access_token.scope, auth_time: access_token.auth_time, acr: access_token.acr })
}

impl Bearer {
    /// Whether the login behind the token is what the provider's API wants.
    pub(crate) fn stepped_up(self, state: &Provider) -> Result<Self, BearerError> {
        let Some(wanted) = &state.config.step_up else { return Ok(self) };
        let weak = wanted.acr.as_deref().is_some_and(|acr| Acr::named(acr).is_none_or(|acr| self.acr < acr));
        let age = state.now().saturating_sub(self.auth_time);
        let old = wanted.max_age.is_some_and(|max_age| age > max_age.as_secs().cast_signed());
        if weak || old { Err(BearerError::InsufficientAuthentication(wanted.clone())) } else { Ok(self) }
    }
}
