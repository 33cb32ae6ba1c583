//! The logout token of a back-channel logout.

use oauth2flow_protocol::logout_token::{self, BACKCHANNEL_LOGOUT_EVENT, LogoutTokenError, LogoutTokenExpectations, ValidatedLogoutToken};
use serde_json::Value;

use super::id_token::assert_is_now;
use super::stand_in::{CLIENT_ID, ISSUER, is_signed_by_provider, keys, metadata, now, provider, sign};

/// What the provider has signed, and no change of these bytes may be accepted.
const SIGNED: [&str; 2] = [include_str!("../seeds/logout_token/accepted-rs256"), include_str!("../seeds/logout_token/accepted-es256")];

fn judge(token: &str) -> Result<ValidatedLogoutToken, LogoutTokenError> {
    let expectations = LogoutTokenExpectations::new(provider(), metadata(), now()).unwrap();
    logout_token::validate(token, &expectations, keys())
}

/// Nothing validates under a key that did not sign it.
pub fn logout_token(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let text = text.trim_end_matches('\n');
    let accepted = judge(text).is_ok();
    assert!(!accepted || is_signed_by_provider(text, &SIGNED), "accepted without a signature: {text}");
    accepted
}

/// Of what the provider signs, only a logout token for this client is accepted, and never an ID token.
pub fn logout_token_claims(input: &[u8]) -> bool {
    let Ok(token) = judge(&sign("logout+jwt", input)) else { return false };
    let claims: Value = serde_json::from_slice(input).unwrap();
    assert_eq!(claims["iss"], ISSUER);
    assert!(
        claims["aud"] == CLIENT_ID || claims["aud"].as_array().is_some_and(|all| !all.is_empty() && all.iter().all(|one| one == CLIENT_ID))
    );
    assert_is_now(&claims);
    assert!(claims["events"][BACKCHANNEL_LOGOUT_EVENT].is_object(), "not about a logout");
    assert!(claims.get("nonce").is_none_or(Value::is_null), "an ID token");
    assert!(!token.token_id.is_empty() && claims["jti"] == token.token_id, "could be replayed");
    assert!(token.subject.is_some() || token.session_id.is_some(), "ends nothing in particular");
    assert!(token.subject.as_deref().is_none_or(|subject| claims["sub"] == subject));
    assert!(token.session_id.as_deref().is_none_or(|session| claims["sid"] == session));
    true
}
