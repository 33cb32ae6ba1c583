//! Every route, on one page.

use crate::{
    body::BodyLimit,
    error::Failure,
    middleware::{csrf, envelope::Envelope},
    openapi, pages,
    routes::{
        auth, backchannel_logout, code, events, flow, health, jwks, lab, language, login, logout, providers, session, sessions, texts,
    },
    state::AppState,
};
use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use oauth2flow_app::{lab::LAB, problem::ProblemCode};

/// Where the routes of the app's developer are.
pub const OWN_ROUTES: &str = "/api/v1/app";

/// The whole application, with `own` routes of the app's developer, whose bodies are held to a limit. What is below `/api/v1/proxy/` the
/// envelope hands to [`crate::routes::proxy`], whatever the method.
pub fn router(app: AppState, own: Router, own_bodies: BodyLimit) -> Envelope {
    let reads = Router::new()
        .route("/api/v1/oauth/providers", get(providers::handler))
        .route("/api/v1/oauth/login", get(login::handler))
        .route("/api/v1/session", get(session::handler))
        .route("/api/v1/auth", get(auth::handler))
        .route("/api/v1/session/events", get(events::handler))
        .route("/api/v1/flow/events", get(flow::events))
        .route("/api/v1/sessions", get(sessions::list));
    let changes = Router::new()
        .route("/api/v1/oauth/logout", post(logout::handler))
        .route("/api/v1/sessions/{id}/end", post(sessions::end))
        // The layer lets what only reads pass.
        .route("/api/v1/flow", get(flow::get).delete(flow::forget))
        .route("/api/v1/lab/runs", post(lab::run))
        // The page itself, which takes a form where there is no script.
        .route(LAB, get(pages::handler).post(lab::form))
        .route("/api/v1/language", post(language::handler))
        .layer(from_fn_with_state(app.clone(), csrf::state_changing));
    // A provider's page may bring the browser here with its answer, so the handler itself looks at who asks.
    let answers = Router::new().route("/api/v1/oauth/code", get(code::get).post(code::post));
    // The provider calls these, not a browser.
    let provider_api = Router::new()
        .route("/api/v1/oauth/jwks.json", get(jwks::handler))
        .route("/api/v1/oauth/backchannel-logout/{provider}", post(backchannel_logout::handler));
    let own = own
        .layer(DefaultBodyLimit::max(own_bodies.maximum_bytes))
        .layer(from_fn_with_state(own_bodies, hold_body))
        .layer(Extension(app.clone()))
        .layer(from_fn_with_state(app.clone(), csrf::own_routes));
    let routes = reads
        .merge(changes)
        .merge(answers)
        .merge(provider_api)
        .merge(openapi::router())
        // As a fallback, not as a route, which would come before the fallback of the developer's.
        .nest("/api", Router::new().fallback(async || Failure::from(ProblemCode::NotFound)))
        .nest(OWN_ROUTES, own.with_state(()))
        .route("/pkg/texts/{version}/{language}/{group}", get(texts::handler))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(pages::handler)
        .method_not_allowed_fallback(async || Failure::from(ProblemCode::MethodNotAllowed))
        .with_state(app.clone());
    Envelope::new(app, routes)
}

/// Holds the body of a request to a limit: not every handler reads it by an extractor that knows one.
async fn hold_body(State(limit): State<BodyLimit>, request: Request, next: Next) -> Result<Response, Failure> {
    if limit.is_exceeded_by(request.body()) {
        return Err(ProblemCode::PayloadTooLarge.into());
    }
    Ok(next.run(request.map(|body| limit.bind(body))).await)
}
