//! Who gains when a defect is not noticed: a key of their own, and addresses where things arrive that nobody should send.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{DemoProviderError, SigningAlgorithm, signing_key::SigningKey, state::AppState};

/// What is below this path is the attacker's.
pub(crate) const PATH: &str = "/attacker";

/// The attacker.
pub(crate) struct Attacker {
    pub(crate) key: SigningKey,
}

impl Attacker {
    pub(crate) fn new() -> Result<Self, DemoProviderError> {
        Ok(Self { key: SigningKey::generate(SigningAlgorithm::Es256)? })
    }
}

/// `GET /attacker/jwks`: the attacker's keys, for whoever is so careless as to fetch them.
pub(crate) async fn jwks(State(state): State<AppState>) -> Json<Value> {
    Json(json!({ "keys": [state.attacker_jwk()] }))
}
