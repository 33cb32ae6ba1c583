//! The least that a JSON route costs: axum, one handler, an answer of the size that `GET /session` has.

use crate::serve::serve;
use anyhow::Result;
use axum::{Json, Router, routing::get};
use serde::Serialize;
use std::net::SocketAddr;

/// Where the answer is.
pub(crate) const PATH: &str = "/json";

#[derive(Serialize)]
struct Answer {
    authenticated: bool,
    user: User,
    provider: String,
    scopes: Vec<String>,
    session: Lifetime,
    access_token: Lifetime,
}

#[derive(Serialize)]
struct User {
    sub: String,
    name: String,
    email: String,
    email_verified: bool,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the real answer, so that it has the same length")]
struct Lifetime {
    created_at: String,
    idle_expires_at: String,
    expires_at: String,
}

/// Serves the route.
pub(crate) async fn run(listen: SocketAddr) -> Result<()> {
    serve(listen, Router::new().route(PATH, get(async || Json(answer())))).await
}

/// Made anew for every request, as the real one is.
fn answer() -> Answer {
    let lifetime = || Lifetime {
        created_at: "2026-01-01T00:00:00Z".to_owned(),
        idle_expires_at: "2026-01-01T00:30:00Z".to_owned(),
        expires_at: "2026-01-01T08:00:00Z".to_owned(),
    };
    Answer {
        authenticated: true,
        user: User {
            sub: "user-1".to_owned(),
            name: "Alice Example".to_owned(),
            email: "alice@example.com".to_owned(),
            email_verified: true,
        },
        provider: "bench".to_owned(),
        scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
        session: lifetime(),
        access_token: lifetime(),
    }
}
