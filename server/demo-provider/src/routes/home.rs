//! The home page, and what every page needs.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::authorize::current_session;
use crate::{
    accounts::Account,
    pages::{PageError, assets, home::HomePage},
    state::AppState,
    visitor::Visitor,
};

/// Says what this is.
pub(crate) async fn get(State(state): State<AppState>, visitor: Visitor) -> Result<Response, PageError> {
    let session = current_session(&state, &visitor).await?;
    let account = session.and_then(|session| Account::of(&session.sub));
    let page = HomePage {
        issuer: &state.config.issuer,
        base: state.config.base_path(),
        client_name: &state.config.client_name,
        client_home: state.config.client_home(),
        account,
    };
    Ok(page.response())
}

/// The style sheet.
pub(crate) async fn stylesheet() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], assets::STYLESHEET)
}

/// The icon.
pub(crate) async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "public, max-age=86400")], assets::ICON)
}
