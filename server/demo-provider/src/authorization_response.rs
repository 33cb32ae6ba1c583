//! The authorization response: the way back to the client, with `iss` on every answer
//! ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)).

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use url::Url;

/// Where the browser goes with a code.
pub(crate) fn success(redirect_uri: &str, state: Option<&str>, issuer: &str, code: &str) -> Response {
    redirect(with_parameters(redirect_uri, &[("code", Some(code)), ("state", state), ("iss", Some(issuer))]))
}

/// Where the browser goes with an error.
pub(crate) fn refusal(redirect_uri: &str, state: Option<&str>, issuer: &str, error: &str, description: &str) -> Response {
    redirect(with_parameters(
        redirect_uri,
        &[("error", Some(error)), ("error_description", Some(description)), ("state", state), ("iss", Some(issuer))],
    ))
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
}
