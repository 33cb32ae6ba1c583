//! Client authentication ([RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use url::form_urlencoded;

use crate::{DemoProviderConfig, digest::same_secret, parameters::Parameters};

/// Why a client is not who it says it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ClientAuthenticationError {
    /// It used both methods, or said two things about itself.
    Ambiguous,
    /// Unknown, no secret, or the wrong one.
    Invalid,
}

/// Authenticates the client with `client_secret_basic` or `client_secret_post`.
pub(crate) fn authenticate(
    headers: &HeaderMap,
    parameters: &Parameters,
    config: &DemoProviderConfig,
) -> Result<(), ClientAuthenticationError> {
    let mut authorization = headers.get_all(header::AUTHORIZATION).iter();
    let posted_id = parameters.get("client_id");
    let posted_secret = parameters.get("client_secret");
    let (id, secret) = match (authorization.next(), authorization.next()) {
        (Some(_), Some(_)) => return Err(ClientAuthenticationError::Ambiguous),
        (Some(header), None) => {
            let (id, secret) = header.to_str().ok().and_then(basic).ok_or(ClientAuthenticationError::Invalid)?;
            if posted_secret.is_some() || posted_id.is_some_and(|posted| posted != id) {
                return Err(ClientAuthenticationError::Ambiguous);
            }
            (id, secret)
        }
        (None, _) => {
            let (Some(id), Some(secret)) = (posted_id, posted_secret) else { return Err(ClientAuthenticationError::Invalid) };
            (id.to_owned(), secret.to_owned())
        }
    };
    // Both are always compared, so that the time says nothing about which is wrong.
    let same_id = same_secret(&id, &config.client_id);
    let same_secret = same_secret(&secret, &config.client_secret);
    if same_id && same_secret { Ok(()) } else { Err(ClientAuthenticationError::Invalid) }
}

/// The id and secret, each form-encoded before they were joined.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(())?;
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    Some((form_decode(id), form_decode(secret)))
}

fn form_decode(value: &str) -> String {
    // Only the part before a `&` would be read: a value that was encoded has none.
    form_urlencoded::parse(value.replace('&', "%26").replace('=', "%3D").as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> DemoProviderConfig {
        DemoProviderConfig::new("http://127.0.0.1:4000", "client", "se:c r&e=t%")
    }

    fn header(credentials: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(credentials)).parse().unwrap());
        headers
    }

    fn with_header(credentials: &str, form: &str) -> Result<(), ClientAuthenticationError> {
        authenticate(&header(credentials), &Parameters::parse(form), &config())
    }

    #[test]
    fn the_secret_is_accepted_encoded_in_the_header() {
        with_header("client:se%3Ac+r%26e%3Dt%25", "").unwrap();
        with_header("client:se%3Ac%20r%26e%3Dt%25", "client_id=client").unwrap();
    }

    #[test]
    fn the_secret_is_accepted_in_the_form() {
        let parameters = Parameters::parse("client_id=client&client_secret=se%3Ac+r%26e%3Dt%25");
        authenticate(&HeaderMap::new(), &parameters, &config()).unwrap();
    }

    #[test]
    fn both_methods_at_once_are_refused() {
        for form in ["client_secret=se%3Ac+r%26e%3Dt%25", "client_id=other"] {
            assert_eq!(with_header("client:se%3Ac+r%26e%3Dt%25", form), Err(ClientAuthenticationError::Ambiguous));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for credentials in ["client:wrong", "other:se%3Ac+r%26e%3Dt%25", "client:", ":", "client", ""] {
            assert_eq!(with_header(credentials, ""), Err(ClientAuthenticationError::Invalid), "{credentials}");
        }
        for form in ["", "client_id=client", "client_id=client&client_secret=wrong"] {
            let parameters = Parameters::parse(form);
            assert_eq!(authenticate(&HeaderMap::new(), &parameters, &config()), Err(ClientAuthenticationError::Invalid));
        }
    }
}
