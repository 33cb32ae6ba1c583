//! Who is asking: the cookies of a browser.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::Response,
};

use crate::DemoProviderConfig;

/// Holds the secret that forms and transactions are bound to.
const BROWSER: &str = "demo_provider_browser";
/// Holds the secret of the provider's own session.
const SESSION: &str = "demo_provider_session";

/// The cookies that this provider set in a browser.
#[derive(Debug, Default)]
pub(crate) struct Visitor {
    /// The browser's secret.
    pub(crate) browser: Option<String>,
    /// The session's secret.
    pub(crate) session: Option<String>,
}

impl<State: Send + Sync> FromRequestParts<State> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &State) -> Result<Self, Infallible> {
        Ok(Self { browser: cookie(&parts.headers, BROWSER), session: cookie(&parts.headers, SESSION) })
    }
}

/// The value of a cookie that is there exactly once: two of one name were not both set by us.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned());
    values.next().filter(|value| !value.is_empty() && values.next().is_none())
}

/// Remembers the browser's secret.
pub(crate) fn remember_browser(response: &mut Response, config: &DemoProviderConfig, secret: &str) {
    append(response, &format!("{BROWSER}={secret}; {}", attributes(config)));
}

/// Remembers the session's secret.
pub(crate) fn remember_session(response: &mut Response, config: &DemoProviderConfig, secret: &str) {
    append(response, &format!("{SESSION}={secret}; {}", attributes(config)));
}

/// Forgets the session's secret.
pub(crate) fn forget_session(response: &mut Response, config: &DemoProviderConfig) {
    append(response, &format!("{SESSION}=; {}; Max-Age=0", attributes(config)));
}

/// Providers that share an origin do not share their cookies.
fn attributes(config: &DemoProviderConfig) -> String {
    let base = config.base_path();
    format!("Path={}; HttpOnly; SameSite=Lax", if base.is_empty() { "/" } else { base })
}

fn append(response: &mut Response, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
