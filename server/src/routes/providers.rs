//! `GET /oauth/providers`: what the sign-in buttons show.

use crate::state::AppState;
use axum::{Json, extract::State};
use oauth2flow_app::api::Provider;

/// Lists the providers, in the order of the configuration.
#[utoipa::path(get, path = "/api/v1/oauth/providers", operation_id = "list_providers", tag = "login", responses((status = 200, description = "The configured providers", body = Vec<Provider>)))]
pub async fn handler(State(app): State<AppState>) -> Json<Vec<Provider>> {
    Json(app.providers.describe())
}
