//! Proof of possession ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)): a client shows that it has the key which its
//! tokens are bound to.

use aws_lc_rs::{digest, hmac};
use axum::http::{HeaderMap, Method};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use url::Url;

use crate::{failure::Failure, json_web_key, jwt::Unverified, state::Provider};

/// How far from now a proof may have been made, in seconds.
const PROOF_SECONDS: i64 = 300;
/// How long a nonce is good for, in seconds.
const NONCE_SECONDS: i64 = 300;

/// Why a proof is none ([RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)).
#[derive(Debug)]
pub(crate) enum DpopError {
    Invalid(&'static str),
    /// It has to hold this nonce.
    UseNonce(String),
    Failure(Failure),
}

impl From<Failure> for DpopError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The request that a proof is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'request> {
    pub(crate) method: &'request Method,
    /// The whole path, with that of the issuer.
    pub(crate) path: &'request str,
    /// The access token that goes with it.
    pub(crate) access_token: Option<&'request str>,
}

/// Checks a request's proof, if it has one, and returns the thumbprint of its key.
///
/// Checks, in this order: one header; three parts; the type; a public key in the header; its signature, with an algorithm that has
/// a public key; `htm` and `htu` are this request; the nonce, where one is wanted; `iat` is about now; `ath` is the access
/// token's; `jti` is new.
pub(crate) async fn verify(state: &Provider, headers: &HeaderMap, target: Target<'_>) -> Result<Option<String>, DpopError> {
    let mut proofs = headers.get_all("dpop").iter();
    let proof = match (proofs.next(), proofs.next()) {
        (None, _) => return Ok(None),
        (Some(_), Some(_)) => return Err(DpopError::Invalid("There is more than one proof.")),
        (Some(proof), None) => proof.to_str().ok().and_then(Unverified::parse),
    };
    let proof = proof.ok_or(DpopError::Invalid("The proof is not a signed token."))?;
    let thumbprint = check_signature(&proof)?;
    check_claims(&proof.claims, target, state)?;
    let jti = proof.claims["jti"].as_str().filter(|jti| !jti.is_empty()).ok_or(DpopError::Invalid("The proof has no jti."))?;
    if !state.store.first_sight("dpop", &thumbprint, jti, state.now() + 2 * PROOF_SECONDS).await? {
        return Err(DpopError::Invalid("The proof has been used."));
    }
    Ok(Some(thumbprint))
}

fn check_signature(proof: &Unverified) -> Result<String, DpopError> {
    if proof.header["typ"] != "dpop+jwt" {
        return Err(DpopError::Invalid("The proof is a token of another type."));
    }
    let jwk = &proof.header["jwk"];
    if json_web_key::is_private(jwk) {
        return Err(DpopError::Invalid("The proof gives its private key away."));
    }
    if !proof.is_signed_by(jwk) {
        return Err(DpopError::Invalid("The proof is not signed with the key in its header."));
    }
    json_web_key::thumbprint(jwk).ok_or(DpopError::Invalid("The proof's key has no name."))
}

fn check_claims(claims: &Value, target: Target<'_>, state: &Provider) -> Result<(), DpopError> {
    if claims["htm"] != target.method.as_str() {
        return Err(DpopError::Invalid("The proof is for another method."));
    }
    if !claims["htu"].as_str().is_some_and(|htu| is_address(htu, target.path, state)) {
        return Err(DpopError::Invalid("The proof is for another address."));
    }
    if state.config.dpop_nonces && !claims["nonce"].as_str().is_some_and(|nonce| is_fresh(state, nonce)) {
        return Err(DpopError::UseNonce(nonce(state)));
    }
    if claims["iat"].as_i64().is_none_or(|iat| state.now().abs_diff(iat) > PROOF_SECONDS.unsigned_abs()) {
        return Err(DpopError::Invalid("The proof was not made just now."));
    }
    let ath = target.access_token.map(|token| URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.as_bytes())));
    if ath.as_deref() != claims["ath"].as_str() {
        return Err(DpopError::Invalid("The proof is for another access token."));
    }
    Ok(())
}

/// Whether `htu` is this path of ours, apart from a query or fragment.
fn is_address(htu: &str, path: &str, state: &Provider) -> bool {
    let (Ok(mut htu), Ok(issuer)) = (Url::parse(htu), Url::parse(&state.config.issuer)) else { return false };
    htu.set_query(None);
    htu.set_fragment(None);
    issuer.join(path).is_ok_and(|address| address == htu)
}

/// A nonce: until when it is good, and that we have said so. Nothing is kept.
pub(crate) fn nonce(state: &Provider) -> String {
    let ends = (state.now() + NONCE_SECONDS).to_string();
    let tag = tag(state, &ends);
    format!("{ends}.{tag}")
}

fn is_fresh(state: &Provider, nonce: &str) -> bool {
    let Some((ends, sent)) = nonce.split_once('.') else { return false };
    let genuine = aws_lc_rs::constant_time::verify_slices_are_equal(sent.as_bytes(), tag(state, ends).as_bytes()).is_ok();
    genuine && ends.parse::<i64>().is_ok_and(|ends| ends > state.now())
}

fn tag(state: &Provider, ends: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, state.nonce_secret.as_bytes());
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, format!("dpop nonce\n{ends}").as_bytes()))
}
