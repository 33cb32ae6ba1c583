//! Every route, on one page.

use crate::{
    error::Failure,
    middleware::{csrf, problem, rate_limit, request_log, security_headers},
    openapi, pages,
    routes::{auth, backchannel_logout, code, events, health, jwks, login, logout, providers, proxy, session, sessions},
    state::AppState,
};
use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{any, get, post},
};
use oauth2flow_app::problem::ProblemCode;

/// The whole application.
pub fn router(app: AppState) -> Router {
    let browser_api = Router::new()
        .route("/oauth/providers", get(providers::handler))
        .route("/oauth/login", get(login::handler))
        .route("/oauth/logout", post(logout::handler))
        .route("/session", get(session::handler))
        .route("/auth", get(auth::handler))
        .route("/session/events", get(events::handler))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}/end", post(sessions::end))
        .layer(from_fn_with_state(app.clone(), csrf::state_changing));
    let proxied = Router::new()
        .route("/proxy/{upstream}", any(proxy::handler))
        .route("/proxy/{upstream}/", any(proxy::handler))
        .route("/proxy/{upstream}/{*path}", any(proxy::handler))
        .layer(from_fn_with_state(app.clone(), csrf::proxied));
    // A provider's page may bring the browser here with its answer, so the handler itself looks at who asks.
    let answers = Router::new().route("/oauth/code", get(code::get).post(code::post));
    // The provider calls these, not a browser.
    let provider_api = Router::new()
        .route("/oauth/jwks.json", get(jwks::handler))
        .route("/oauth/backchannel-logout/{provider}", post(backchannel_logout::handler));
    let api = browser_api
        .merge(proxied)
        .merge(answers)
        .merge(provider_api)
        .method_not_allowed_fallback(async || Failure::from(ProblemCode::MethodNotAllowed))
        .fallback(async || Failure::from(ProblemCode::NotFound));
    Router::new()
        .nest("/api/v1", api)
        .merge(openapi::router())
        .route("/api/{*path}", any(async || Failure::from(ProblemCode::NotFound)))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(pages::handler)
        .method_not_allowed_fallback(async || Failure::from(ProblemCode::MethodNotAllowed))
        .layer(from_fn_with_state(app.clone(), rate_limit::by_address))
        .layer(from_fn(problem::write))
        .layer(from_fn_with_state(app.clone(), security_headers::set))
        .layer(from_fn_with_state(app.clone(), request_log::observe))
        .with_state(app)
}
