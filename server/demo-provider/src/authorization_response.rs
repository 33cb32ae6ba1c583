//! The authorization response: the way back to the client, with `iss` on every answer
//! ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)), in the query or in a form, signed
//! ([JARM](https://openid.net/specs/oauth-v2-jarm.html)) or plain.

use aws_lc_rs::digest;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    authorization_request::AuthorizationRequest,
    defect,
    failure::Failure,
    jwt::{self, TokenType},
    pages::form_post,
    state::Provider,
};

/// How long a signed response holds, in seconds.
const RESPONSE_SECONDS: i64 = 600;

/// How the response travels
/// ([OAuth 2.0 Multiple Response Types §2.1](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResponseMode {
    #[default]
    Query,
    FormPost,
    QueryJwt,
    FormPostJwt,
}

impl ResponseMode {
    /// The names on the wire: the default of a code is the query, signed or not.
    pub(crate) const NAMES: [&'static str; 5] = ["query", "form_post", "jwt", "query.jwt", "form_post.jwt"];

    /// The mode of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "query" => Some(Self::Query),
            "form_post" => Some(Self::FormPost),
            "jwt" | "query.jwt" => Some(Self::QueryJwt),
            "form_post.jwt" => Some(Self::FormPostJwt),
            _ => None,
        }
    }

    const fn is_signed(self) -> bool {
        matches!(self, Self::QueryJwt | Self::FormPostJwt)
    }

    const fn is_form(self) -> bool {
        matches!(self, Self::FormPost | Self::FormPostJwt)
    }
}

/// Where a response goes, and how.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) redirect_uri: String,
    pub(crate) response_mode: ResponseMode,
    pub(crate) state: Option<String>,
}

impl From<&AuthorizationRequest> for Destination {
    fn from(request: &AuthorizationRequest) -> Self {
        Self { redirect_uri: request.redirect_uri.clone(), response_mode: request.response_mode, state: request.state.clone() }
    }
}

/// The parameters of a response, in order.
pub(crate) type ResponseParameters = Vec<(&'static str, String)>;

/// Sends the browser back with a code.
pub(crate) fn success(provider: &Provider, destination: &Destination, code: String) -> Result<Response, Failure> {
    send(provider, destination, vec![("code", code)])
}

/// Sends the browser back with an error.
pub(crate) fn refusal(provider: &Provider, destination: &Destination, error: &str, description: &str) -> Result<Response, Failure> {
    send(provider, destination, vec![("error", error.to_owned()), ("error_description", description.to_owned())])
}

fn send(provider: &Provider, destination: &Destination, mut parameters: ResponseParameters) -> Result<Response, Failure> {
    parameters.extend(destination.state.clone().map(|state| ("state", state)));
    parameters.push(("iss", provider.config.issuer.clone()));
    let mut mode = destination.response_mode;
    if let Some(defect) = provider.config.defect {
        defect::authorization_response::spoil(defect, provider, &mut parameters);
        mode = defect::authorization_response::mode(defect, mode);
    }
    if mode.is_signed() {
        parameters = vec![("response", signed(provider, parameters)?)];
    }
    if mode.is_form() { Ok(form_post::response(&destination.redirect_uri, &parameters)) } else { Ok(in_query(destination, &parameters)) }
}

fn in_query(destination: &Destination, parameters: &ResponseParameters) -> Response {
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, Some(value.as_str()))).collect();
    redirect(with_parameters(&destination.redirect_uri, &parameters))
}

/// The response as a token for the client alone ([JARM §2.1](https://openid.net/specs/oauth-v2-jarm.html#name-the-jwt-response-document)).
fn signed(provider: &Provider, parameters: ResponseParameters) -> Result<String, Failure> {
    let mut claims: Map<String, Value> = parameters.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    claims.insert("aud".to_owned(), provider.config.client_id.as_str().into());
    claims.insert("exp".to_owned(), (provider.now() + RESPONSE_SECONDS).into());
    let key = provider.signing_key()?;
    let (header, claims) = (jwt::header(&key, TokenType::AuthorizationResponse), Value::from(claims));
    match provider.config.defect {
        Some(defect) => defect::authorization_response::sign(defect, provider, &key, header, claims),
        None => jwt::sign_with_header(&key, &header, &claims),
    }
}

/// Adds parameters to those that an address has already.
pub(crate) fn with_parameters(address: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let Ok(mut url) = Url::parse(address) else { return address.to_owned() };
    let present = parameters.iter().filter_map(|(name, value)| value.map(|value| (*name, value)));
    let mut present = present.peekable();
    if present.peek().is_some() {
        url.query_pairs_mut().extend_pairs(present);
    }
    url.into()
}

/// Sends the browser to another address with GET.
pub(crate) fn redirect(location: impl AsRef<str>) -> Response {
    match HeaderValue::from_str(location.as_ref()) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// How a policy names a script that it lets run.
pub(crate) fn script_source(script: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest::digest(&digest::SHA256, script.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_join_those_of_the_redirect_uri() {
        let location = with_parameters("http://localhost:3000/callback?tenant=a", &[("code", Some("c&d")), ("state", None)]);
        assert_eq!(location, "http://localhost:3000/callback?tenant=a&code=c%26d");
    }

    #[test]
    fn without_parameters_the_address_stays_bare() {
        assert_eq!(with_parameters("http://localhost:3000/", &[("state", None)]), "http://localhost:3000/");
    }

    #[test]
    fn every_mode_that_is_offered_is_one() {
        for name in ResponseMode::NAMES {
            let mode = ResponseMode::named(name).unwrap();
            assert_eq!((mode.is_signed(), mode.is_form()), (name.ends_with("jwt"), name.starts_with("form_post")), "{name}");
        }
        assert_eq!(ResponseMode::named("fragment"), None);
    }
}
