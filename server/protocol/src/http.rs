//! Requests to send and responses to judge, as plain values.

use std::fmt;

use url::Url;

use crate::{dpop, form};

/// The methods that this crate's requests use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method as it goes over the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A request for the caller to send: redirects off, with a time limit, and with a cap on the response's bytes.
///
/// Headers and body hold secrets, so `Debug` shows neither.
#[derive(Clone)]
pub struct OutboundRequest {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Every header that the operation needs, `Content-Type` and `Accept` included; names are lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body, encoded as the `content-type` header says.
    pub body: Option<String>,
}

impl OutboundRequest {
    /// The value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn get(url: Url) -> Self {
        Self { method: Method::Get, url, headers: Vec::new(), body: None }
    }

    pub(crate) fn post_form(url: Url, form: &[(&str, &str)]) -> Self {
        let mut body = String::new();
        form::append_pairs(&mut body, form.iter().copied());
        Self {
            method: Method::Post,
            url,
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: Some(body),
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(header, _)| *header != name);
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_headers(self, headers: &[(&'static str, String)]) -> Self {
        headers.iter().fold(self, |request, (name, value)| request.with_header(name, value.clone()))
    }
}

impl fmt::Debug for OutboundRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut address = self.url.clone();
        address.set_query(None);
        address.set_fragment(None);
        formatter
            .debug_struct("OutboundRequest")
            .field("method", &self.method)
            .field("url", &address.as_str())
            .field("header_names", &self.headers.iter().map(|(name, _)| *name).collect::<Vec<_>>())
            .field("body_bytes", &self.body.as_ref().map(String::len))
            .finish()
    }
}

/// What the provider answered. The body may hold tokens, so `Debug` does not show it.
#[derive(Clone)]
pub struct OutboundResponse {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `DPoP-Nonce` header, [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8).
    pub dpop_nonce: Option<String>,
    /// The `Link` header, [RFC 8288](https://www.rfc-editor.org/rfc/rfc8288).
    pub link: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl OutboundResponse {
    /// The server's nonce, if it is one that a server may send.
    pub fn dpop_nonce(&self) -> Option<&str> {
        self.dpop_nonce.as_deref().filter(|nonce| dpop::is_nonce(nonce))
    }

    /// The media type without its parameters, in lower case.
    pub(crate) fn media_type(&self) -> Option<String> {
        let content_type = self.content_type.as_deref()?;
        Some(content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// Whether the content type is JSON, be it plain or of the `+json` kind.
    pub(crate) fn is_json(&self) -> bool {
        self.media_type().is_some_and(|media_type| {
            media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
        })
    }

    /// Whether the status says that the provider, not the request, is at fault, or that it wants to be left alone.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.status >= 500 || self.status == 429
    }
}

impl fmt::Debug for OutboundResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OutboundResponse")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
