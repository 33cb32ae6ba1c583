//! `GET /healthz` and `GET /readyz`: for whoever keeps the process running.

use crate::{error::Failure, state::AppState};
use axum::extract::State;
use oauth2flow_app::problem::ProblemCode;

/// Answers while the process does.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// Answers 200 when requests can be served, 503 while the store cannot be reached, or holds what this server
/// has no key for.
///
/// # Errors
/// `store_unavailable`, `keys_differ`
pub async fn ready(State(app): State<AppState>) -> Result<&'static str, Failure> {
    // A store of other keys is not even asked.
    if let Some(differ) = app.keys.lacking() {
        return Err(Failure::new(ProblemCode::KeysDiffer).source(differ));
    }
    app.sessions.store().ping().await?;
    Ok("ready\n")
}
