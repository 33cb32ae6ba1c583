//! Clients that sign who they are, with a key (`private_key_jwt`) or with their secret (`client_secret_jwt`)
//! ([RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3)).

use aws_lc_rs::hmac;
use serde_json::Value;

use crate::{client_authentication::ClientAuthenticationError, jwt::Unverified, request_object::names, state::Provider};

/// The one `client_assertion_type`.
pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Nobody signs for longer than this, in seconds.
const MAX_LIFETIME_SECONDS: i64 = 3600;
/// How far ahead a client's clock may be, in seconds.
const LEEWAY_SECONDS: i64 = 60;

/// Authenticates the client by what it signed.
///
/// Checks, in this order: three parts; the signature, of a registered key or with the secret; `iss` and `sub` are the client; `aud`
/// is this provider, or the endpoint at `path`; it has not expired, soon will, and is not of the future; `jti` is new.
pub(crate) async fn authenticate(state: &Provider, assertion: &str, path: &str) -> Result<(), ClientAuthenticationError> {
    let assertion = Unverified::parse(assertion).ok_or(ClientAuthenticationError::Invalid)?;
    if !assertion.is_signed_by_one_of(&state.config.client_keys) && !is_signed_with_secret(&assertion, &state.config.client_secret) {
        return Err(ClientAuthenticationError::Invalid);
    }
    let claims = &assertion.claims;
    let jti = check(claims, state, path).ok_or(ClientAuthenticationError::Invalid)?;
    let expires_at = state.now() + MAX_LIFETIME_SECONDS + LEEWAY_SECONDS;
    if state.store.first_sight("assertion", &state.config.client_id, jti, expires_at).await? {
        Ok(())
    } else {
        Err(ClientAuthenticationError::Invalid)
    }
}

fn check<'claims>(claims: &'claims Value, state: &Provider, path: &str) -> Option<&'claims str> {
    let (client_id, issuer, now) = (&state.config.client_id, &state.config.issuer, state.now());
    let is_client = claims["iss"] == client_id.as_str() && claims["sub"] == client_id.as_str();
    let audiences = [issuer.clone(), format!("{issuer}{path}"), format!("{issuer}/token")];
    let is_for_us = audiences.iter().any(|audience| names(&claims["aud"], audience));
    let lives = claims["exp"].as_i64().is_some_and(|exp| exp > now && exp <= now + MAX_LIFETIME_SECONDS);
    let is_of_the_future = ["iat", "nbf"].iter().filter_map(|name| claims[*name].as_i64()).any(|time| time > now + LEEWAY_SECONDS);
    (is_client && is_for_us && lives && !is_of_the_future).then_some(())?;
    claims["jti"].as_str().filter(|jti| !jti.is_empty())
}

fn is_signed_with_secret(assertion: &Unverified, secret: &str) -> bool {
    let algorithm = match assertion.header["alg"].as_str() {
        Some("HS256") => hmac::HMAC_SHA256,
        Some("HS384") => hmac::HMAC_SHA384,
        Some("HS512") => hmac::HMAC_SHA512,
        _ => return false,
    };
    let key = hmac::Key::new(algorithm, secret.as_bytes());
    assertion.header.get("crit").is_none() && hmac::verify(&key, assertion.message.as_bytes(), &assertion.signature).is_ok()
}
