//! The authorization response, as the query or the form that a browser brings.

use oauth2flow_protocol::AuthorizationResponse;
use oauth2flow_protocol::callback::{self, CallbackError};
use url::form_urlencoded;

use super::stand_in::{DRAWN, ISSUER, assert_is_plain, metadata, now, provider, transaction};

/// Only a code can be accepted: one code, no error, the state and the issuer of this login, each once. Only an error with that
/// state and that issuer is believed.
pub fn callback(input: &[u8]) -> bool {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(input).into_owned().collect();
    let values = |wanted: &str| {
        let named = pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        named.filter(|value| !value.is_empty()).collect::<Vec<_>>()
    };
    let Ok(response) = AuthorizationResponse::from_pairs(pairs.iter().map(|(name, value)| (name, value))) else { return false };
    // Unless it comes as something else that may be printed.
    if !values("iss").concat().contains(DRAWN) && !values("error").concat().contains(DRAWN) {
        assert!(!format!("{response:?}").contains(DRAWN), "the state is printed");
    }
    match callback::validate(response, transaction(provider()), provider(), metadata(), None, now()) {
        Ok(callback) => {
            assert_eq!(values("code").len(), 1);
            assert!(values("error").is_empty(), "a code and an error");
            assert_eq!(values("state"), [DRAWN]);
            assert_eq!(values("iss"), [ISSUER]);
            assert!(values("response").is_empty(), "a plain answer and a signed one");
            assert_eq!(callback.provider_id(), "example");
            true
        }
        Err(CallbackError::Provider { error, description, .. }) => {
            assert!(values("code").is_empty(), "a code and an error");
            assert_eq!(values("state"), [DRAWN]);
            assert_eq!(values("iss"), [ISSUER]);
            assert_is_plain(error.as_str());
            if let Some(description) = description {
                assert_is_plain(description.as_str());
            }
            false
        }
        Err(_) => false,
    }
}
