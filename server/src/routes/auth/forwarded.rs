//! The request that the reverse proxy asks about, as far as the proxy says and is to be believed.

use crate::{config::PublicUrl, error::Failure, middleware::csrf};
use axum::http::{HeaderMap, Method, header};
use oauth2flow_app::problem::ProblemCode;

/// What a known proxy says about the request. The browser's own header fields come along with the proxy's.
pub(super) struct Forwarded<'a> {
    /// The method.
    pub(super) method: Option<&'a str>,
    /// The path and the query.
    pub(super) uri: Option<&'a str>,
    host: Said<'a>,
    scheme: Said<'a>,
}

/// What a header field says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said<'a> {
    Nothing,
    Once(&'a str),
    /// Several things, or nothing that can be read.
    Unclear,
}

impl<'a> Forwarded<'a> {
    /// Reads the fields of Traefik and Caddy (`X-Forwarded-*`) and those that are usual with nginx (`X-Original-*`). A field that is
    /// there twice, or in both forms with different words, says nothing: one of them may be the client's.
    pub(super) fn read(headers: &'a HeaderMap, is_trusted: bool) -> Self {
        let said = |name: &str| if is_trusted { said(headers, name) } else { Said::Nothing };
        let either = |one: &str, other: &str| match (said(one), said(other)) {
            (Said::Once(value), Said::Nothing) | (Said::Nothing, Said::Once(value)) => Some(value),
            (Said::Once(one), Said::Once(other)) if one == other => Some(one),
            _ => None,
        };
        Self {
            method: either("x-forwarded-method", "x-original-method"),
            uri: either("x-forwarded-uri", "x-original-uri"),
            host: said("x-forwarded-host"),
            scheme: said("x-forwarded-proto"),
        }
    }

    /// Whether a person is waiting for a page of this origin. Anything else is never sent to a sign-in (A50): a script could do
    /// nothing with it, and a form would lose what was written into it.
    pub(super) fn is_navigation(&self, headers: &HeaderMap, public_url: &PublicUrl) -> bool {
        let accepts_html = || {
            let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
            accept.is_some_and(|accept| accept.contains("text/html"))
        };
        let navigates = headers.get(&csrf::SEC_FETCH_MODE).map_or_else(accepts_html, |mode| mode == "navigate");
        let is_get = self.method.is_none_or(|method| method == Method::GET.as_str());
        is_get && navigates && !csrf::is_speculative(&Method::GET, headers) && self.is_here(public_url)
    }

    /// Whether the request was for this origin; the cookies of another would not come along after the sign-in.
    fn is_here(&self, public_url: &PublicUrl) -> bool {
        let (scheme, authority) = public_url.origin().split_once("://").unwrap_or_default();
        let is_scheme = match self.scheme {
            Said::Nothing => true,
            Said::Once(said) => said.eq_ignore_ascii_case(scheme),
            Said::Unclear => false,
        };
        let is_host = match self.host {
            Said::Nothing => true,
            Said::Once(said) => {
                let default_port = if public_url.is_secure() { ":443" } else { ":80" };
                said.strip_suffix(default_port).unwrap_or(said).eq_ignore_ascii_case(authority)
            }
            Said::Unclear => false,
        };
        is_scheme && is_host
    }

    /// Refuses what may change something, unless the browser says that a page of this origin sent it. What the proxy does not say
    /// counts as the worst.
    ///
    /// # Errors
    /// `csrf_rejected`
    pub(super) fn require_own_page(&self, headers: &HeaderMap, own_origin: &str) -> Result<(), Failure> {
        let Some(method) = self.method else {
            let detail = "The proxy does not say the request's method in X-Forwarded-Method, or is not in server.trusted_proxies.";
            return Err(Failure::new(ProblemCode::CsrfRejected).detail(detail));
        };
        let only_reads = matches!(method, "GET" | "HEAD" | "OPTIONS");
        // A WebSocket begins with a GET, and can change something afterwards.
        let opens_web_socket =
            headers.contains_key("sec-websocket-key") || headers.get(&csrf::SEC_FETCH_MODE).is_some_and(|mode| mode == "websocket");
        if only_reads && !opens_web_socket { Ok(()) } else { csrf::require_same_origin(headers, own_origin) }
    }
}

fn said<'a>(headers: &'a HeaderMap, name: &str) -> Said<'a> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next().map(|line| line.to_str()), lines.next()) {
        (None, _) => Said::Nothing,
        (Some(Ok(value)), None) if !value.is_empty() => Said::Once(value),
        _ => Said::Unclear,
    }
}
