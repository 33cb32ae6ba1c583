//! Every route of the provider.

use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde_json::json;

use crate::{
    backchannel_logout,
    defect::{attacker, journal},
    pages::{self, notice::Notice},
    routes::{authorize, consent, end_session, home, login, metadata, notes, par, revoke, token, userinfo},
    security_headers,
    state::AppState,
};

/// No request of OAuth's is larger than this.
const MAX_BODY_BYTES: usize = 16 * 1024;

pub(crate) fn router(state: AppState) -> Router {
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(metadata::openid_configuration))
        .route("/.well-known/oauth-authorization-server", get(metadata::openid_configuration))
        .route("/jwks", get(metadata::jwks))
        .route("/authorize", get(authorize::get).post(authorize::post))
        .route("/login", get(login::get).post(login::post))
        .route("/consent", get(consent::get).post(consent::post))
        .route("/token", post(token::post))
        .route("/userinfo", get(userinfo::get).post(userinfo::get))
        .route("/par", post(par::post))
        .route("/revoke", post(revoke::post))
        .route("/logout", get(end_session::get).post(end_session::post))
        .route("/logout/confirm", post(end_session::confirm))
        .route("/notes", get(notes::list).post(notes::create))
        .route("/notes/{id}", delete(notes::delete))
        .route("/", get(home::get))
        .route(pages::STYLESHEET_PATH, get(home::stylesheet))
        .route(pages::ICON_PATH, get(home::icon))
        .fallback(not_found);
    let router = if state.config.defect.is_some() { with_defect(router, &state) } else { router };
    router
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::map_response_with_state(state.clone(), security_headers::add))
        .with_state(state)
}

/// What a provider with a defect has besides: an attacker, a journal, and a way to make it post its logout tokens.
fn with_defect(router: Router<AppState>, state: &AppState) -> Router<AppState> {
    router
        .route("/attacker/jwks", get(attacker::jwks))
        .route("/journal", get(journal::get))
        .route("/post-logout-tokens", post(backchannel_logout::post_logout_tokens))
        .layer(middleware::from_fn_with_state(state.clone(), journal::middleware))
}

async fn not_found(headers: HeaderMap) -> Response {
    let wants_html = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    if wants_html {
        return Notice::new("There is nothing here").text("The demo provider has no page at this address.").response(StatusCode::NOT_FOUND);
    }
    (StatusCode::NOT_FOUND, Json(json!({ "error": "not_found" }))).into_response()
}
