//! `GET /healthz` and `GET /readyz`: for whoever keeps the process running.

use crate::{error::Failure, state::AppState};
use axum::extract::State;

/// Answers while the process does.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// Answers 200 when requests can be served, 503 while the store cannot be reached.
///
/// # Errors
/// `store_unavailable`
pub async fn ready(State(app): State<AppState>) -> Result<&'static str, Failure> {
    app.sessions.store().ping().await?;
    Ok("ready\n")
}
