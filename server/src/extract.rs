//! What handlers of an app's developer take, refused by a problem document where it cannot be read: axum's own extractors would answer with
//! plain text, which the kit's `fetch` does not understand.

use crate::{
    body::{is_late, is_too_large},
    error::Failure,
};
use axum::{
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use oauth2flow_app::problem::ProblemCode;
use serde::{Serialize, de::DeserializeOwned};
use std::error::Error;

/// JSON, as [`axum::Json`]: what a handler takes, and what it answers.
///
/// ```
/// use axum::{Router, routing::post};
/// use oauth2flow::{CurrentUser, Json};
///
/// async fn shout(_user: CurrentUser, Json(text): Json<String>) -> Json<String> {
///     Json(text.to_uppercase())
/// }
///
/// let routes: Router = Router::new().route("/shout", post(shout));
/// ```
///
/// Refused with `unsupported_media_type`, `payload_too_large`, `request_timeout` or `invalid_request`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// The query, as [`axum::extract::Query`]. Refused with `invalid_request`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Query<T>(pub T);

/// What stands in the path where the route has a name, as [`axum::extract::Path`]. Refused with `invalid_request`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let axum::extract::Query(value) = axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        unreadable(rejection.status(), rejection.body_text(), &rejection)
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Self {
        unreadable(rejection.status(), rejection.body_text(), &rejection)
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Self {
        unreadable(rejection.status(), rejection.body_text(), &rejection)
    }
}

/// What is wrong is told to whoever has sent it, and not to the log: it quotes what it found.
fn unreadable(status: StatusCode, detail: String, rejection: &(dyn Error + 'static)) -> Failure {
    if is_too_large(rejection) || status == StatusCode::PAYLOAD_TOO_LARGE {
        return ProblemCode::PayloadTooLarge.into();
    }
    if is_late(rejection) {
        return ProblemCode::RequestTimeout.into();
    }
    if status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return ProblemCode::UnsupportedMediaType.into();
    }
    if status.is_server_error() {
        // The handler takes what its route does not have.
        return ProblemCode::InternalError.into();
    }
    Failure::new(ProblemCode::InvalidRequest).detail(detail)
}
