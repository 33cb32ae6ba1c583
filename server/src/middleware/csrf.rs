//! Cross-site request forgery: a state-changing or proxied call proves that a page of this app made it.
//!
//! A header that no cross-site page can send without a preflight (RFC 10017 §6.1.3.3.2), and the browser's own word
//! on where the request comes from. A plain form cannot send the header; its handler checks a token instead,
//! or where it changes nothing of anybody's, the origin alone.

use crate::{error::Failure, proxy::websocket, state::AppState};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use oauth2flow_app::{api::CSRF_HEADER, problem::ProblemCode};

/// Where the browser says a request comes from. [Fetch Metadata §2](https://www.w3.org/TR/fetch-metadata/)
pub static SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Whether the browser navigates, or a page asks.
pub static SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// What the answer is for.
pub static SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// Whether the browser only gets ready for what may be asked.
static SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");

/// Guards the API: calls that change something, unless they only read.
///
/// # Errors
/// `csrf_rejected`.
pub async fn state_changing(State(app): State<AppState>, request: Request, next: Next) -> Result<Response, Failure> {
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        require_own_page(request.headers(), app.config.server.public_url.origin())?;
    }
    Ok(next.run(request).await)
}

/// Guards the routes of the app's developer: what changes something needs the header, whatever its content, since no form there has been
/// given a token; what only reads may not be asked for by another site.
///
/// # Errors
/// `csrf_rejected`
pub async fn own_routes(State(app): State<AppState>, request: Request, next: Next) -> Result<Response, Failure> {
    let (headers, own_origin) = (request.headers(), app.config.server.public_url.origin());
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        refuse_other_sites(headers, own_origin)?;
    } else {
        require_header(headers)?;
        require_same_origin(headers, own_origin)?;
    }
    Ok(next.run(request).await)
}

/// Refuses what no page of this app has sent: a script sends the header, a form cannot.
///
/// # Errors
/// `csrf_rejected`
pub fn require_own_page(headers: &HeaderMap, own_origin: &str) -> Result<(), Failure> {
    if !is_form(headers) {
        require_header(headers)?;
    }
    require_same_origin(headers, own_origin)
}

/// Whether a form of another site has brought the browser here by a navigation of the whole window, as a provider's page does
/// with its answer.
pub fn is_posted_navigation(headers: &HeaderMap) -> bool {
    let says = |name: &HeaderName, wanted: &str| headers.get(name).is_none_or(|value| value == wanted);
    is_form(headers) && says(&SEC_FETCH_MODE, "navigate") && says(&SEC_FETCH_DEST, "document")
}

/// Whether the browser sends the Strict cookies along when it follows a redirect of the answer: not when another site began
/// the navigation.
pub fn began_here(headers: &HeaderMap) -> bool {
    headers.get(&SEC_FETCH_SITE).is_some_and(|site| site == "same-origin" || site == "none")
}

/// Refuses a call to the proxy that no page of this app has made: guarded is every call, whatever its method and content.
///
/// A browser opens a WebSocket for any page and without a header of the page's; but it always says whose page it is
/// ([RFC 6455 §10.2](https://www.rfc-editor.org/rfc/rfc6455#section-10.2)).
///
/// # Errors
/// `csrf_rejected`
pub fn require_proxied(app: &AppState, method: &Method, headers: &HeaderMap) -> Result<(), Failure> {
    let own_origin = app.config.server.public_url.origin();
    if websocket::is_handshake(method, headers) {
        return require_own_origin(headers, own_origin);
    }
    require_header(headers)?;
    require_same_origin(headers, own_origin)
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

/// Refuses what the browser does not say a page of this origin has sent.
///
/// # Errors
/// `csrf_rejected`
pub fn require_same_origin(headers: &HeaderMap, own_origin: &str) -> Result<(), Failure> {
    let rejected = |detail: &'static str| Err(Failure::new(ProblemCode::CsrfRejected).detail(detail));
    match (headers.get(&SEC_FETCH_SITE), headers.get(header::ORIGIN)) {
        (Some(site), _) if site == "same-origin" => Ok(()),
        (Some(_), _) => rejected("The browser says that another site made this request."),
        (None, Some(origin)) if origin == own_origin => Ok(()),
        (None, Some(_)) => rejected("The request's Origin is not this app's."),
        (None, None) => rejected("The request says neither Sec-Fetch-Site nor Origin."),
    }
}

/// Refuses what does not say, once and to the letter, that it comes from this origin, or says otherwise elsewhere.
fn require_own_origin(headers: &HeaderMap, own_origin: &str) -> Result<(), Failure> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let is_own = origins.next().is_some_and(|origin| origin == own_origin) && origins.next().is_none();
    if is_own && headers.get(&SEC_FETCH_SITE).is_none_or(|site| site == "same-origin") {
        return Ok(());
    }
    Err(Failure::new(ProblemCode::CsrfRejected).detail("A WebSocket is opened by a page of this app only."))
}

/// Refuses to start a login that another site began: it would end with the user signed in to whatever that site wants.
///
/// # Errors
/// `csrf_rejected`
pub fn refuse_cross_site(headers: &HeaderMap, own_origin: &str) -> Result<(), Failure> {
    let cross_site = headers.get(&SEC_FETCH_SITE).is_some_and(|site| site == "cross-site");
    let foreign = headers.get(header::ORIGIN).is_some_and(|origin| origin != own_origin && origin != "null");
    if cross_site || foreign {
        return Err(Failure::new(ProblemCode::CsrfRejected).detail("Another site tried to start this sign-in."));
    }
    Ok(())
}

/// Refuses to read for a page of another site, a sibling of the same domain among them: it could not see the answer, but keep the
/// server busy with it. A person who opens the address may.
///
/// # Errors
/// `csrf_rejected`
pub fn refuse_other_sites(headers: &HeaderMap, own_origin: &str) -> Result<(), Failure> {
    let other_site = headers.get(&SEC_FETCH_SITE).is_some_and(|site| site != "same-origin" && site != "none");
    let foreign = headers.get(header::ORIGIN).is_some_and(|origin| origin != own_origin);
    if other_site || foreign {
        return Err(Failure::new(ProblemCode::CsrfRejected).detail("Another site made this request."));
    }
    Ok(())
}

/// Whether nobody means this request yet: a HEAD, or a browser that prefetches what somebody may click. It uses nothing up.
pub fn is_speculative(method: &Method, headers: &HeaderMap) -> bool {
    let purpose = headers.get(&SEC_PURPOSE).and_then(|purpose| purpose.to_str().ok());
    *method != Method::GET || purpose.is_some_and(|purpose| purpose.contains("prefetch"))
}

/// The answer to a request that nobody means yet; nobody keeps it for when somebody does.
pub fn not_yet() -> Response {
    (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response()
}

/// Refuses to send anything but a navigation to the provider: a picture or a script of a neighbour would push open logins
/// out, and a fetch could do nothing with the answer.
///
/// # Errors
/// `unauthenticated`
pub fn require_navigation(headers: &HeaderMap) -> Result<(), Failure> {
    match headers.get(&SEC_FETCH_MODE) {
        Some(mode) if mode != "navigate" => {
            Err(Failure::new(ProblemCode::Unauthenticated).detail("A sign-in is started by navigating to it."))
        }
        _ => Ok(()),
    }
}
