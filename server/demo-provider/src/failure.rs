//! The provider's own mistakes: what no request can be blamed for.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::EntropyError;

/// Something that should work did not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the database failed")]
    Store(#[from] sqlx::Error),
    #[error("a stored request cannot be read or written")]
    Stored(#[from] serde_json::Error),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error("a token could not be signed")]
    Signing,
}

impl Failure {
    /// Writes the failure to the log, once, where it leaves the provider.
    pub(crate) fn log(&self) {
        tracing::error!(error = self as &dyn std::error::Error, "the demo provider failed");
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.log();
        let body = json!({ "error": "server_error", "error_description": "The demo provider made a mistake." });
        (StatusCode::INTERNAL_SERVER_ERROR, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}
