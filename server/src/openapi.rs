//! The API's description (`/api/openapi.json`) and a page to read and try it (`/api/docs`).

use crate::{routes, state::AppState};
use axum::{
    Json, Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use std::sync::LazyLock;
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

/// The description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "oauth2flow",
        description = "Sign-in by the OAuth 2.0 authorization code flow, sessions, and a proxy that attaches the access token.\n\n\
            Calls that change something, and every proxied call, carry the header `X-CSRF: 1` and come from this origin. \
            Errors are `application/problem+json`; `code` is stable and explained in docs/errors.md.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        routes::providers::handler,
        routes::login::handler,
        routes::code::post,
        routes::code::get,
        routes::jwks::handler,
        routes::session::handler,
        routes::auth::handler,
        routes::events::handler,
        routes::flow::get,
        routes::flow::forget,
        routes::flow::events,
        routes::lab::run,
        routes::sessions::list,
        routes::sessions::end,
        routes::logout::handler,
        routes::backchannel_logout::handler,
        routes::proxy::handler
    ),
    tags(
        (name = "login", description = "From the click to the session"),
        (name = "session", description = "Who is signed in, and where; what happens to the session; signing out"),
        (name = "flow", description = "The X-ray: this browser's own logins, as they really happened"),
        (name = "lab", description = "The attack lab, beside the demo provider: what happens to a sign-in that leaves one defence out"),
        (name = "proxy", description = "Calling an API with the token that the backend keeps")
    )
)]
struct Description;

/// The description of the API.
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// What the page about the API needs: its own scripts and styles, and the pictures in them.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

const ADDRESS: &str = "/api/openapi.json";

/// The two routes.
pub fn router() -> Router<AppState> {
    let page = SwaggerUi::new("/api/docs").config(Config::from(ADDRESS).validator_url("none"));
    Router::from(page).route(ADDRESS, get(document)).layer(from_fn(policy))
}

/// The description, which is made when somebody asks for it the first time: few servers are ever asked.
async fn document() -> Json<&'static utoipa::openapi::OpenApi> {
    static DESCRIPTION: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(description);
    Json(&DESCRIPTION)
}

async fn policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    response
}
