//! Cross-site request forgery: a state-changing or proxied call proves that a page of this app made it.
//!
//! A header that no cross-site page can send without a preflight (RFC 10017 §6.1.3.3.2), and the browser's own word
//! on where the request comes from. A plain form cannot send the header; its handler checks a token instead.

use crate::{error::Failure, state::AppState};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, header},
    middleware::Next,
    response::Response,
};
use oauth2flow_app::{api::CSRF_HEADER, problem::ProblemCode};

/// Guards the API: calls that change something, unless they only read.
///
/// # Errors
/// `csrf_rejected`.
pub async fn state_changing(State(app): State<AppState>, request: Request, next: Next) -> Result<Response, Failure> {
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        if !is_form(request.headers()) {
            require_header(request.headers())?;
        }
        require_same_origin(request.headers(), app.config.server.public_url.origin())?;
    }
    Ok(next.run(request).await)
}

/// Guards the proxy: every call, whatever its method and content.
///
/// # Errors
/// `csrf_rejected`.
pub async fn proxied(State(app): State<AppState>, request: Request, next: Next) -> Result<Response, Failure> {
    require_header(request.headers())?;
    require_same_origin(request.headers(), app.config.server.public_url.origin())?;
    Ok(next.run(request).await)
}

/// Whether the body is a plain form's.
pub fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The body's media type, without its parameters.
pub fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

fn require_header(headers: &HeaderMap) -> Result<(), Failure> {
    if headers.get(CSRF_HEADER).is_some_and(|value| value == "1") {
        return Ok(());
    }
    Err(Failure::new(ProblemCode::CsrfRejected).detail("The request lacks the header X-CSRF: 1."))
}

fn require_same_origin(headers: &HeaderMap, own_origin: &str) -> Result<(), Failure> {
    let rejected = |detail: &str| Err(Failure::new(ProblemCode::CsrfRejected).detail(detail));
    match (headers.get("sec-fetch-site"), headers.get(header::ORIGIN)) {
        (Some(site), _) if site == "same-origin" => Ok(()),
        (Some(_), _) => rejected("The browser says that another site made this request."),
        (None, Some(origin)) if origin == own_origin => Ok(()),
        (None, Some(_)) => rejected("The request's Origin is not this app's."),
        (None, None) => rejected("The request says neither Sec-Fetch-Site nor Origin."),
    }
}

/// Refuses to start a login that another site began: it would end with the user signed in to whatever that site wants.
///
/// # Errors
/// `csrf_rejected`
pub fn refuse_cross_site(headers: &HeaderMap, own_origin: &str) -> Result<(), Failure> {
    let cross_site = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    let foreign = headers.get(header::ORIGIN).is_some_and(|origin| origin != own_origin && origin != "null");
    if cross_site || foreign {
        return Err(Failure::new(ProblemCode::CsrfRejected).detail("Another site tried to start this sign-in."));
    }
    Ok(())
}

/// Refuses to send anything but a navigation to the provider: a picture or a script of a neighbour would push open logins
/// out, and a fetch could do nothing with the answer.
///
/// # Errors
/// `unauthenticated`
pub fn require_navigation(headers: &HeaderMap) -> Result<(), Failure> {
    match headers.get("sec-fetch-mode") {
        Some(mode) if mode != "navigate" => {
            Err(Failure::new(ProblemCode::Unauthenticated).detail("A sign-in is started by navigating to it."))
        }
        _ => Ok(()),
    }
}
