//! `POST /api/v1/language`: the language that somebody chooses, and the one that a request wants.

use crate::{body, error::Failure, middleware::csrf::is_form, session::cookie::Presented, state::AppState};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use oauth2flow_app::{language::Language, problem::ProblemCode, routes::safe_return_to};

/// Keeps the choice in a cookie, and goes back to the page that the form was on, as far as the browser says which.
///
/// # Errors
/// `invalid_request` when there is no such language, or not one; `unsupported_media_type`, `payload_too_large`, `request_timeout`;
/// `csrf_rejected`, by the layer, for another site's form
pub async fn handler(State(app): State<AppState>, headers: HeaderMap, request_body: Body) -> Result<Response, Failure> {
    if !is_form(&headers) {
        return Err(ProblemCode::UnsupportedMediaType.into());
    }
    let form = body::read(request_body).await?;
    let mut chosen = url::form_urlencoded::parse(&form).filter_map(|(name, value)| (name == "language").then_some(value));
    let (Some(language), None) = (chosen.next(), chosen.next()) else { return Err(ProblemCode::InvalidRequest.into()) };
    let language = Language::parse(&language).ok_or(ProblemCode::InvalidRequest)?;
    let back = page_before(&headers, app.config.server.public_url.origin());
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::SET_COOKIE, app.cookies.set_language(language.tag()));
    response.headers_mut().insert(header::LOCATION, back);
    Ok(response)
}

/// The path and query of the page of this origin that the request came from, else the home page.
fn page_before(headers: &HeaderMap, origin: &str) -> HeaderValue {
    let referrer = headers.get(header::REFERER).and_then(|referrer| referrer.to_str().ok()).unwrap_or_default();
    let page = referrer.strip_prefix(origin).map_or("/", safe_return_to);
    HeaderValue::try_from(page).unwrap_or(HeaderValue::from_static("/"))
}

/// The language of the answer: what was chosen here, else what the browser prefers, else English.
pub fn wanted(app: &AppState, headers: &HeaderMap) -> Language {
    let chosen = match app.cookies.language(headers) {
        Presented::Value(tag) => Language::parse(tag),
        Presented::Absent | Presented::Ambiguous => None,
    };
    chosen.unwrap_or_else(|| {
        // Several headers are one list (RFC 9110 §5.3); browsers send one.
        let preferred = headers.get(header::ACCEPT_LANGUAGE).and_then(|preferred| preferred.to_str().ok());
        preferred.map_or_else(Language::default, Language::negotiate)
    })
}

#[cfg(test)]
mod tests {
    use super::page_before;
    use axum::http::{HeaderMap, HeaderValue, header};

    #[test]
    fn only_a_page_of_this_origin_is_gone_back_to() {
        let back = |referrer: &'static str| {
            let headers = HeaderMap::from_iter([(header::REFERER, HeaderValue::from_static(referrer))]);
            page_before(&headers, "https://app.example")
        };
        assert_eq!(back("https://app.example/problem?code=access_denied"), "/problem?code=access_denied");
        assert_eq!(back("https://app.example/"), "/");
        let elsewhere = [
            "",
            "https://app.example",
            "https://app.example.evil.example/x",
            "https://app.example:8443/x",
            "https://app.example//evil.example",
            "https://app.example/\\evil.example",
            "http://app.example/x",
            "https://evil.example/",
            "/account",
        ];
        for referrer in elsewhere {
            assert_eq!(back(referrer), "/", "{referrer}");
        }
        assert_eq!(page_before(&HeaderMap::new(), "https://app.example"), "/");
    }
}
