//! The signed authorization response. [JARM](https://openid.net/specs/oauth-v2-jarm.html)

use std::sync::OnceLock;

use oauth2flow_protocol::callback::{self, CallbackError};
use oauth2flow_protocol::provider::ResponseMode;
use oauth2flow_protocol::{AuthorizationResponse, Provider, ValidatedCallback};
use serde_json::Value;

use super::stand_in::{
    CLIENT_ID, DRAWN, ISSUER, assert_not_past, is_signed_by_provider, keys, metadata, new_provider, now, sign, transaction,
};

/// What the provider has signed, and no change of these bytes may be accepted.
const SIGNED: [&str; 2] = [include_str!("../seeds/jarm/accepted-rs256"), include_str!("../seeds/jarm/accepted-es256")];

fn judge(response: &str) -> Result<ValidatedCallback, CallbackError> {
    static PROVIDER: OnceLock<Provider> = OnceLock::new();
    let provider = PROVIDER.get_or_init(|| Provider { response_mode: ResponseMode::Jwt, ..new_provider() });
    let response = AuthorizationResponse::from_pairs([("response", response)])?;
    callback::validate(response, transaction(provider), provider, metadata(), Some(keys()), now())
}

/// Nothing is accepted but what the provider has signed.
pub fn jarm(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let text = text.trim_end_matches('\n');
    let accepted = judge(text).is_ok();
    assert!(!accepted || is_signed_by_provider(text, &SIGNED), "accepted without a signature: {text}");
    accepted
}

/// Of what the provider signs, only an answer to this client and this login is accepted, with a code and no error.
pub fn jarm_claims(input: &[u8]) -> bool {
    let accepted = match judge(&sign("JWT", input)) {
        Ok(_) => true,
        Err(CallbackError::Provider { .. }) => false,
        Err(_) => return false,
    };
    let claims: Value = serde_json::from_slice(input).unwrap();
    assert_eq!(claims["iss"], ISSUER);
    let audience = &claims["aud"];
    assert!(audience == CLIENT_ID || audience.as_array().is_some_and(|all| all.iter().any(|one| one == CLIENT_ID)), "{audience}");
    assert_not_past(&claims["exp"]);
    assert_eq!(claims["state"], DRAWN);
    let is_there = |name: &str| claims[name].as_str().is_some_and(|text| !text.is_empty());
    assert_eq!(is_there("code"), accepted, "{claims}");
    assert_eq!(is_there("error"), !accepted, "{claims}");
    accepted
}
