//! Which header fields go through, in either direction, and which are added.
//!
//! A call loses what is for one connection only, what is private, and what only this server may say (A37). An answer loses what would
//! speak for the app's origin, which is not the upstream's.

use super::Upstream;
use crate::{config::HeaderRules, identity, middleware::client_ip::ClientAddress, session::live::LiveSession};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use oauth2flow_app::api::CSRF_HEADER;

pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");
pub(super) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
const NAMES_TE: HeaderValue = HeaderValue::from_static("te");

/// How a call over gRPC has ended.
const GRPC_TRAILER: HeaderValue = HeaderValue::from_static("grpc-status, grpc-message, grpc-status-details-bin");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Fields that concern one connection only ([RFC 9110 §7.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)).
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What the upstream must not learn, or must not be told by the browser. Whoever waits for `100 Continue` gets it from this server.
const PRIVATE: [HeaderName; 7] =
    [header::HOST, header::COOKIE, header::AUTHORIZATION, header::ORIGIN, header::REFERER, header::EXPECT, DPOP];

/// Fields of an answer that would speak for this origin, which is not the upstream's.
const NOT_FOR_THE_BROWSER: [HeaderName; 18] = [
    header::SET_COOKIE,
    header::STRICT_TRANSPORT_SECURITY,
    header::CONTENT_SECURITY_POLICY,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
    header::CONTENT_SECURITY_POLICY_REPORT_ONLY,
    header::REFRESH,
    header::ALT_SVC,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("nel"),
    HeaderName::from_static("report-to"),
    HeaderName::from_static("reporting-endpoints"),
    DPOP_NONCE,
];

/// Makes a call's header what the upstream is to see, but for its token. Answers whether the browser takes trailers.
pub(super) fn to_upstream(
    headers: &mut HeaderMap,
    upstream: &Upstream,
    session: &LiveSession,
    client: Option<ClientAddress>,
    own_origin: &str,
) -> bool {
    let trailers_are_welcome = takes_trailers(headers);
    if !headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::TRAILER);
    }
    drop_hop_by_hop(headers);
    for name in &PRIVATE {
        headers.remove(name);
    }
    headers.remove(CSRF_HEADER);
    drop_claims(headers);
    let config = &upstream.config;
    for name in &config.headers.remove_request {
        headers.remove(name);
    }
    for (name, value) in &config.headers.set_request {
        headers.insert(name.clone(), value.clone());
    }
    if trailers_are_welcome {
        headers.insert(header::TE, TRAILERS);
        if upstream.client.is_http1() {
            // HTTP/2 has no options of a connection, and what they name would be left out there.
            headers.insert(header::CONNECTION, NAMES_TE);
        }
    }
    if config.forward_user {
        identity::tell(headers, session);
    }
    if config.forward_client {
        name_client(headers, client, own_origin);
    }
    trailers_are_welcome
}

/// Makes an answer's header what the browser is to see.
pub(super) fn to_browser(headers: &mut HeaderMap, rules: &HeaderRules, trailers_are_welcome: bool) {
    if !trailers_are_welcome || headers.contains_key(header::CONTENT_LENGTH) {
        headers.remove(header::TRAILER);
    }
    drop_hop_by_hop(headers);
    if trailers_are_welcome && !headers.contains_key(header::TRAILER) && is_grpc(headers) {
        // In HTTP/1.1 nothing comes in a trailer that was not announced, and in HTTP/2 nobody announces it.
        headers.insert(header::TRAILER, GRPC_TRAILER);
    }
    for name in &NOT_FOR_THE_BROWSER {
        headers.remove(name);
    }
    for name in &rules.remove_response {
        headers.remove(name);
    }
    for (name, value) in &rules.set_response {
        headers.insert(name.clone(), value.clone());
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// Takes out of a trailer what belongs into a header or is not for the other side
/// ([RFC 9110 §6.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1)).
pub(super) fn trailer(mut trailer: HeaderMap) -> HeaderMap {
    let forbidden: Vec<_> = trailer.keys().filter(|name| is_forbidden_in_trailer(name)).cloned().collect();
    for name in forbidden {
        trailer.remove(name);
    }
    trailer
}

fn is_forbidden_in_trailer(name: &HeaderName) -> bool {
    const NAMES: [&str; 12] = [
        "age",
        "cache-control",
        "date",
        "expires",
        "location",
        "max-forwards",
        "pragma",
        "range",
        "retry-after",
        "trailer",
        "vary",
        "warning",
    ];
    let text = name.as_str();
    let is_listed = NAMES.contains(&text) || HOP_BY_HOP.contains(name) || PRIVATE.contains(name) || NOT_FOR_THE_BROWSER.contains(name);
    is_listed || text == CSRF_HEADER || text.starts_with("content-") || text.starts_with("if-") || is_claim(text)
}

/// Whether the browser takes trailers: it says so for this connection, or it does not say so
/// ([RFC 9110 §10.1.4](https://www.rfc-editor.org/rfc/rfc9110#section-10.1.4)).
fn takes_trailers(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TE) && has_token(headers, &header::TE, "trailers") && has_token(headers, &header::CONNECTION, "te")
}

/// Whether a list has this member.
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|member| member.eq_ignore_ascii_case(token))
}

fn tokens<'headers>(headers: &'headers HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'headers str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// Takes out what concerns one connection only; `Connection` may name more.
fn drop_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = tokens(headers, &header::CONNECTION).filter_map(|name| name.parse().ok()).collect();
        for name in named {
            headers.remove(name);
        }
    }
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // A length beside chunks counts for nothing (RFC 9112 §6.3), and somebody further on might believe it.
        headers.remove(header::CONTENT_LENGTH);
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Takes out what only this server says of the user and the client.
fn drop_claims(headers: &mut HeaderMap) {
    let claims: Vec<HeaderName> = headers.keys().filter(|name| is_claim(name.as_str())).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
}

/// Whether a field says who the user or the client is. Some servers take an underscore for a hyphen, so it is taken for one here.
fn is_claim(name: &str) -> bool {
    let is_like = |prefix: &str| {
        let same = |(byte, wanted): (u8, u8)| byte == wanted || byte == b'_' && wanted == b'-';
        name.len() >= prefix.len() && name.bytes().zip(prefix.bytes()).all(same)
    };
    match name.as_bytes().first() {
        Some(b'f') => name == "forwarded",
        Some(b'x') => is_like("x-forwarded") || is_like("x-auth-request-") || is_like("x-real-ip"),
        _ => false,
    }
}

/// Says where the call comes from.
fn name_client(headers: &mut HeaderMap, client: Option<ClientAddress>, own_origin: &str) {
    if let Some(value) = client.and_then(|ClientAddress(address)| HeaderValue::try_from(address.to_string()).ok()) {
        headers.insert(FORWARDED_FOR, value);
    }
    let Some((scheme, authority)) = own_origin.split_once("://") else { return };
    for (name, text) in [(FORWARDED_PROTO, scheme), (FORWARDED_HOST, authority)] {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{drop_hop_by_hop, is_claim, takes_trailers, trailer};
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    fn headers(fields: &[(&str, &'static str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_connection_names_goes_no_further() {
        let mut headers = headers(&[("connection", "close, X-Secret"), ("x-secret", "1"), ("accept", "*/*"), ("proxy-connection", "x")]);
        drop_hop_by_hop(&mut headers);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["accept"]);
    }

    #[test]
    fn trailers_are_taken_by_who_says_so_for_this_connection() {
        assert!(takes_trailers(&headers(&[("te", "deflate;q=0.5, Trailers"), ("connection", "close, TE")])));
        assert!(!takes_trailers(&headers(&[("te", "trailers")])));
        assert!(!takes_trailers(&headers(&[("te", "deflate"), ("connection", "te")])));
    }

    #[test]
    fn a_trailer_says_nothing_about_the_message_the_connection_or_the_user() {
        let left = trailer(headers(&[
            ("content-length", "1"),
            ("transfer-encoding", "chunked"),
            ("host", "evil"),
            ("authorization", "Bearer x"),
            ("set-cookie", "session=x"),
            ("x-auth-request-user", "root"),
            ("x-forwarded-for", "127.0.0.1"),
            ("connection", "close"),
            ("if-match", "x"),
            ("grpc-status", "0"),
            ("x-checksum", "1"),
        ]));
        let mut names: Vec<_> = left.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["grpc-status", "x-checksum"]);
    }

    #[test]
    fn only_this_server_says_who_somebody_is() {
        for name in [
            "forwarded",
            "x-forwarded-for",
            "x_forwarded_for",
            "x-forwarded",
            "x-real-ip",
            "x-real_ip",
            "x-auth-request-user",
            "x_auth_request_email",
        ] {
            assert!(is_claim(name), "{name}");
        }
        for name in ["x-own", "x-auth", "x-real", "from", "xforwarded-for"] {
            assert!(!is_claim(name), "{name}");
        }
    }
}
