//! A page that goes on by itself, where a redirect would not do.
//!
//! A redirect belongs to the navigation that it answers: if another site began that, the browser leaves the Strict session
//! cookie out at the new address too; if a form did, the pages' policy lets it lead to no other origin. A page begins a
//! navigation of its own.

use crate::state::AppState;
use axum::{
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};

/// What the page says for the moment that it is there.
pub(super) struct Words {
    /// The document's title.
    pub(super) title: &'static str,
    /// What has happened.
    pub(super) heading: &'static str,
    /// What happens next.
    pub(super) lead: &'static str,
}

/// The page that goes on to `address`, which replaces it in the browser's history. It needs no script.
pub(super) fn page(app: &AppState, address: &str, words: &Words) -> Response {
    let address = address.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
    let Words { title, heading, lead } = words;
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"refresh\" content=\"0;url={address}\"><title>{title} · oauth2flow</title>\
         <link rel=\"stylesheet\" href=\"{}\"></head><body><main id=\"content\"><h1>{heading}</h1>\
         <p class=\"lead\">{lead}</p><p><a class=\"button\" href=\"{address}\">Go on</a></p></main></body></html>",
        app.assets.site.css
    );
    let policy =
        HeaderValue::from_static("default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}
