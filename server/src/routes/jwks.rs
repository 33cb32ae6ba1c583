//! `GET /oauth/jwks.json`: the public halves of the keys that this client signs with, for providers that fetch them
//! ([RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2), `jwks_uri`).

use crate::state::AppState;
use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A JWK set, [RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5).
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySet {
    /// Public keys.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<Value>,
}

/// Lists the keys; there are none when no provider has a private key configured.
#[utoipa::path(get, path = "/api/v1/oauth/jwks.json", operation_id = "client_keys", tag = "login", responses((status = 200, description = "The public keys (RFC 7517 §5)", body = KeySet)))]
pub async fn handler(State(app): State<AppState>) -> Json<KeySet> {
    let mut keys: Vec<Value> = Vec::new();
    for key in app.providers.iter().filter_map(|registered| registered.provider.signing_key.as_ref()) {
        let key = key.public_jwk();
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Json(KeySet { keys })
}
