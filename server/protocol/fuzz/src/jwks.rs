//! The provider's keys.

use oauth2flow_protocol::jwks;
use serde_json::Value;

use super::stand_in::read_response;

/// No set has more keys than the document, nor more than a hundred, and none of them comes from an entry with a private half.
/// Accepted is a set with a usable key.
pub fn jwks(input: &[u8]) -> bool {
    let Some(response) = read_response(input) else { return false };
    let Ok(keys) = jwks::process_jwks(&response) else { return false };
    assert_eq!(response.status, 200);
    let document: Value = serde_json::from_slice(&response.body).unwrap();
    let public = document["keys"].as_array().unwrap().iter().filter(|key| key.is_object() && key.get("d").is_none());
    assert!(keys.len() <= public.count().min(100), "{} keys", keys.len());
    !keys.is_empty()
}
