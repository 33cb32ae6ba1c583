//! Client authentication ([RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use url::form_urlencoded;

use crate::{DemoProviderConfig, client_assertion, digest::same_secret, failure::Failure, parameters::Parameters, state::Provider};

/// Why a client is not who it says it is.
#[derive(Debug)]
pub(crate) enum ClientAuthenticationError {
    /// It used more than one method, or said two things about itself.
    Ambiguous,
    /// Unknown, no proof, or a wrong one.
    Invalid,
    Failure(Failure),
}

impl From<Failure> for ClientAuthenticationError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Every way in which a client may authenticate.
pub(crate) const METHODS: [&str; 4] = ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"];

/// Authenticates the client at the endpoint at `path`, by its secret or by what it signed.
pub(crate) async fn authenticate(
    state: &Provider,
    headers: &HeaderMap,
    parameters: &Parameters,
    path: &str,
) -> Result<(), ClientAuthenticationError> {
    let Some(assertion) = parameters.get("client_assertion") else { return by_secret(headers, parameters, &state.config) };
    if headers.contains_key(header::AUTHORIZATION) || parameters.get("client_secret").is_some() {
        return Err(ClientAuthenticationError::Ambiguous);
    }
    let is_named = parameters.get("client_id").is_none_or(|client_id| client_id == state.config.client_id);
    if parameters.get("client_assertion_type") != Some(client_assertion::TYPE) || !is_named {
        return Err(ClientAuthenticationError::Invalid);
    }
    client_assertion::authenticate(state, assertion, path).await
}

/// Authenticates the client with `client_secret_basic` or `client_secret_post`.
fn by_secret(headers: &HeaderMap, parameters: &Parameters, config: &DemoProviderConfig) -> Result<(), ClientAuthenticationError> {
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
        by_secret(&header(credentials), &Parameters::parse(form), &config())
    }

    #[test]
    fn the_secret_is_accepted_encoded_in_the_header() {
        with_header("client:se%3Ac+r%26e%3Dt%25", "").unwrap();
        with_header("client:se%3Ac%20r%26e%3Dt%25", "client_id=client").unwrap();
    }

    #[test]
    fn the_secret_is_accepted_in_the_form() {
        let parameters = Parameters::parse("client_id=client&client_secret=se%3Ac+r%26e%3Dt%25");
        by_secret(&HeaderMap::new(), &parameters, &config()).unwrap();
    }

    #[test]
    fn both_methods_at_once_are_refused() {
        for form in ["client_secret=se%3Ac+r%26e%3Dt%25", "client_id=other"] {
            let refused = with_header("client:se%3Ac+r%26e%3Dt%25", form);
            assert!(matches!(refused, Err(ClientAuthenticationError::Ambiguous)));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for credentials in ["client:wrong", "other:se%3Ac+r%26e%3Dt%25", "client:", ":", "client", ""] {
            assert!(matches!(with_header(credentials, ""), Err(ClientAuthenticationError::Invalid)), "{credentials}");
        }
        for form in ["", "client_id=client", "client_id=client&client_secret=wrong"] {
            let parameters = Parameters::parse(form);
            assert!(matches!(by_secret(&HeaderMap::new(), &parameters, &config()), Err(ClientAuthenticationError::Invalid)));
        }
    }
}
