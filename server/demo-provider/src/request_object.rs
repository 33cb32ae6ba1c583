//! Request objects: an authorization request that the client has signed ([RFC 9101](https://www.rfc-editor.org/rfc/rfc9101)).

use serde_json::{Map, Value};

use crate::{jwt::Unverified, parameters::Parameters, state::Provider};

/// How far ahead a client's clock may be, in seconds.
const LEEWAY_SECONDS: i64 = 60;

/// Reads a request object: nothing but what it holds counts from then on.
///
/// Checks, in this order: three parts; the type; the signature is of one of the client's registered keys; `iss` is the client and
/// `aud` this provider; it has not expired and is not of the future; `client_id` is the client's; it holds no other request
/// ([RFC 9101 §6](https://www.rfc-editor.org/rfc/rfc9101#section-6)).
pub(crate) fn read(object: &str, client_id: &str, provider: &Provider) -> Result<Parameters, &'static str> {
    let token = Unverified::parse(object).ok_or("The request object is not a signed token.")?;
    if !matches!(token.header["typ"].as_str(), None | Some("JWT" | "oauth-authz-req+jwt")) {
        return Err("The request object is a token of another type.");
    }
    if !token.is_signed_by_one_of(&provider.config.client_keys) {
        return Err("The request object is not signed with a registered key of the client's.");
    }
    let Value::Object(claims) = token.claims else { return Err("The request object is not an object.") };
    check(&claims, client_id, provider)?;
    Ok(Parameters::from_members(claims.into_iter().filter_map(|(name, value)| Some((name, parameter(value)?)))))
}

fn check(claims: &Map<String, Value>, client_id: &str, provider: &Provider) -> Result<(), &'static str> {
    if claims.get("iss").is_none_or(|iss| iss != client_id) {
        return Err("The request object's iss is not the client.");
    }
    if !claims.get("aud").is_some_and(|aud| names(aud, &provider.config.issuer)) {
        return Err("The request object's aud is not this provider.");
    }
    let (now, time) = (provider.now(), |name| claims.get(name).and_then(Value::as_i64));
    if time("exp").is_none_or(|exp| exp <= now) {
        return Err("The request object has expired, or does not say when it does.");
    }
    if ["iat", "nbf"].into_iter().filter_map(time).any(|time| time > now + LEEWAY_SECONDS) {
        return Err("The request object is of the future.");
    }
    if claims.get("client_id").is_none_or(|inner| inner != client_id) {
        return Err("The request object's client_id is another one.");
    }
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err("A request object holds no other request.");
    }
    Ok(())
}

/// Whether an `aud`, a string or an array of strings, has `audience` in it.
pub(crate) fn names(aud: &Value, audience: &str) -> bool {
    aud == audience || aud.as_array().is_some_and(|list| list.iter().any(|one| one == audience))
}

/// A claim as the parameter that it stands for.
fn parameter(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}
