//! What a provider with a defect was asked, so that a test can see what the client did.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use serde_json::{Value, json};

use super::reply;
use crate::state::AppState;

/// What came so far.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Entries>);

#[derive(Clone, Debug, Default)]
struct Entries {
    /// Requests by path.
    requests: BTreeMap<String, u64>,
    /// What a provider that does not look at code verifiers would have found.
    code_verifier: Option<&'static str>,
}

/// Paths that anybody makes up are not all kept.
const MAX_PATHS: usize = 100;

impl Journal {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, path: &str) {
        let counts = &mut self.entries().requests;
        if counts.len() < MAX_PATHS || counts.contains_key(path) {
            *counts.entry(path.to_owned()).or_default() += 1;
        }
    }

    /// How many requests came to a path.
    pub(crate) fn count(&self, path: &str) -> u64 {
        self.entries().requests.get(path).copied().unwrap_or_default()
    }

    /// Notes whether a code came with its verifier.
    pub(crate) fn note_verifier(&self, is_right: bool) {
        self.entries().code_verifier = Some(if is_right { "right" } else { "wrong or missing" });
    }
}

/// Notes a request, and answers it wrongly where that is the defect.
pub(crate) async fn middleware(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if path != "/journal" {
        state.journal.note(&path);
    }
    match reply::instead(&state, &path).await {
        Some(response) => response,
        None => next.run(request).await,
    }
}

/// `GET /journal`: the defect, what a correct client does, and what this one has done so far.
pub(crate) async fn get(State(state): State<AppState>) -> Json<Value> {
    let Entries { requests, code_verifier } = state.journal.entries().clone();
    Json(json!({
        "defect": state.config.defect.map(super::Defect::name),
        "description": state.config.defect.map(super::Defect::description),
        "expected": state.config.defect.map(|defect| defect.expected().description()),
        "requests": requests,
        "code_verifier": code_verifier,
    }))
}
