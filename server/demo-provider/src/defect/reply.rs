//! Whole answers that are not what they should be.

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Defect, attacker, authorization_response::SCRIPT};
use crate::{dpop, hostile, state::Provider};

/// How large a huge answer is.
const HUGE_BYTES: usize = 100 * 1024 * 1024;
/// How large a compressed answer is when it is unpacked.
const UNPACKED_BYTES: usize = 1024 * 1024 * 1024;
const DEPTH: usize = 20_000;
const MEMBERS: usize = 10_000;

/// What comes instead of an answer.
enum Reply {
    Html,
    Status(StatusCode),
    /// 307 keeps the method and the body.
    Redirect(String),
    Hung,
    Huge,
    GzipBomb,
    DeepNesting,
    ManyMembers,
    Json(StatusCode, Value),
    AnotherNonce,
}

const METADATA: &str = "/.well-known/openid-configuration";

/// The answer that comes instead of the right one, if that is the defect.
pub(crate) async fn instead(provider: &Provider, path: &str) -> Option<Response> {
    let defect = provider.config.defect?;
    let (spoiled, reply) = reply(defect, provider)?;
    let is_first_token = defect_of_refresh(defect) && provider.journal.count(path) <= 1;
    if path != spoiled || is_first_token {
        return None;
    }
    Some(response(reply, provider).await)
}

/// The first token answer is the one at login.
const fn defect_of_refresh(defect: Defect) -> bool {
    matches!(defect, Defect::RefreshErrorWith200 | Defect::RefreshHtml | Defect::RefreshServerError)
}

fn reply(defect: Defect, provider: &Provider) -> Option<(&'static str, Reply)> {
    let issuer = &provider.config.issuer;
    let attackers = |path: &str| Reply::Redirect(format!("{issuer}{}{path}", attacker::PATH));
    let error = json!({ "error": "invalid_grant", "error_description": SCRIPT });
    Some(match defect {
        Defect::MetadataHtml => (METADATA, Reply::Html),
        Defect::MetadataServerError => (METADATA, Reply::Status(StatusCode::INTERNAL_SERVER_ERROR)),
        Defect::MetadataRedirected => (METADATA, Reply::Redirect(format!("{}{METADATA}", hostile::honest_sibling(issuer)))),
        Defect::MetadataHung => (METADATA, Reply::Hung),
        Defect::MetadataHuge => (METADATA, Reply::Huge),
        Defect::MetadataGzipBomb => (METADATA, Reply::GzipBomb),
        Defect::MetadataDeepNesting => (METADATA, Reply::DeepNesting),
        Defect::MetadataManyMembers => (METADATA, Reply::ManyMembers),
        Defect::PushedRequestNonsense => ("/par", Reply::Json(StatusCode::CREATED, json!({ "expires_in": 60 }))),
        Defect::PushedRequestHtml => ("/par", Reply::Html),
        Defect::PushedRequestError => {
            ("/par", Reply::Json(StatusCode::BAD_REQUEST, json!({ "error": "invalid_request", "error_description": SCRIPT })))
        }
        Defect::PushedRequestServerError => ("/par", Reply::Status(StatusCode::SERVICE_UNAVAILABLE)),
        Defect::PushedRequestRedirected => ("/par", attackers("/par")),
        Defect::PushedRequestHuge => ("/par", Reply::Huge),
        Defect::TokenErrorWith200 => ("/token", Reply::Json(StatusCode::OK, error)),
        Defect::RefreshErrorWith200 => ("/token", Reply::Json(StatusCode::OK, json!({ "error": "server_error" }))),
        Defect::TokenErrorScript => ("/token", Reply::Json(StatusCode::BAD_REQUEST, error)),
        Defect::TokenHtml | Defect::RefreshHtml => ("/token", Reply::Html),
        Defect::TokenServerError | Defect::RefreshServerError => ("/token", Reply::Status(StatusCode::SERVICE_UNAVAILABLE)),
        Defect::TokenRedirected => ("/token", attackers("/token")),
        Defect::TokenHung => ("/token", Reply::Hung),
        Defect::TokenHuge => ("/token", Reply::Huge),
        Defect::TokenGzipBomb => ("/token", Reply::GzipBomb),
        Defect::TokenDeepNesting => ("/token", Reply::DeepNesting),
        Defect::TokenManyMembers => ("/token", Reply::ManyMembers),
        Defect::DpopNonceEndless => ("/token", Reply::AnotherNonce),
        Defect::KeysHtml => ("/jwks", Reply::Html),
        Defect::KeysServerError => ("/jwks", Reply::Status(StatusCode::INTERNAL_SERVER_ERROR)),
        Defect::KeysRedirected => ("/jwks", attackers("/jwks")),
        Defect::KeysHung => ("/jwks", Reply::Hung),
        Defect::KeysHuge => ("/jwks", Reply::Huge),
        Defect::UserinfoHtml => ("/userinfo", Reply::Html),
        Defect::UserinfoServerError => ("/userinfo", Reply::Status(StatusCode::INTERNAL_SERVER_ERROR)),
        Defect::UserinfoRedirected => ("/userinfo", attackers("/userinfo")),
        Defect::UserinfoHuge => ("/userinfo", Reply::Huge),
        _ => return None,
    })
}

async fn response(reply: Reply, provider: &Provider) -> Response {
    let json = |text: String| ([(header::CONTENT_TYPE, "application/json")], text).into_response();
    match reply {
        Reply::Html => Html("<!doctype html><title>Sign in to the hotel's network</title><p>Room number?</p>").into_response(),
        Reply::Status(status) => (status, Json(json!({ "error": "server_error" }))).into_response(),
        Reply::Redirect(location) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response(),
        Reply::Hung => std::future::pending().await,
        Reply::Huge => json(format!("{{\"access_token\":\"{}\"}}", "x".repeat(HUGE_BYTES))),
        Reply::GzipBomb => {
            let mut response = Response::new(Body::from(gzip_of_spaces(UNPACKED_BYTES)));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        Reply::DeepNesting => json(format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH))),
        Reply::ManyMembers => {
            let members = (0..MEMBERS).map(|number| format!("\"m{number}\":0")).collect::<Vec<_>>().join(",");
            json(format!("{{{members}}}"))
        }
        Reply::Json(status, body) => (status, Json(body)).into_response(),
        Reply::AnotherNonce => {
            let body = Json(json!({ "error": "use_dpop_nonce" }));
            (StatusCode::BAD_REQUEST, [("dpop-nonce", dpop::nonce(provider))], body).into_response()
        }
    }
}

/// At least so many spaces, compressed ([RFC 1951](https://www.rfc-editor.org/rfc/rfc1951), in the frame of
/// [RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)): one block with the fixed codes, a literal and its repetitions.
/// The checksum at the end is wrong: whoever has come that far has unpacked it all.
fn gzip_of_spaces(unpacked_bytes: usize) -> Vec<u8> {
    /// A match of 258 bytes (code 285, eight bits) at distance 1 (code 0, five bits), as bits in the order of the stream.
    const REPEAT: [bool; 13] = [true, true, false, false, false, true, false, true, false, false, false, false, false];
    let mut bits = Bits { bytes: vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], used: 0 };
    // The last block, with the fixed codes; a space is 0x30 + 0x20, most significant bit first.
    bits.push(&[true, true, false]);
    bits.push(&[false, true, false, true, false, false, false, false]);
    for _ in 0..=unpacked_bytes / 258 {
        bits.push(&REPEAT);
    }
    // The end of the block, the checksum, and the size.
    bits.push(&[false; 7]);
    bits.bytes.extend([0; 8]);
    bits.bytes
}

/// A stream of bits, the least significant of each byte first.
struct Bits {
    bytes: Vec<u8>,
    /// How many bits of the last byte are used; none when a new one has to begin.
    used: u8,
}

impl Bits {
    fn push(&mut self, bits: &[bool]) {
        for bit in bits {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::from(*bit) << self.used;
            }
            self.used = (self.used + 1) % 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bomb_is_what_a_compressor_makes_of_spaces() {
        // zlib unpacks this block to 259 spaces: the first, and its repetition.
        let bomb = gzip_of_spaces(1);
        assert_eq!(bomb[10..bomb.len() - 8], [0x53, 0x18, 0x05, 0x00]);
        assert_eq!(gzip_of_spaces(UNPACKED_BYTES).len() / 1_000_000, 6);
    }
}
