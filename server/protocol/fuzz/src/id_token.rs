//! The ID token.

use std::sync::OnceLock;

use oauth2flow_protocol::id_token::{self, IdTokenError, IdTokenExpectations};
use oauth2flow_protocol::{IdToken, TokenResponse, ValidatedIdToken};
use serde_json::Value;

use super::stand_in::{
    ACCESS_TOKEN, CLIENT_ID, DRAWN, ISSUER, access_token_hash, assert_not_future, assert_not_past, is_signed_by_provider, keys, metadata,
    now, provider, sign,
};
use super::token_answer;

/// What the provider has signed, and no change of these bytes may be accepted.
const SIGNED: [&str; 2] = [include_str!("../seeds/id_token/accepted-rs256"), include_str!("../seeds/id_token/accepted-es256")];

fn judge(token: &str) -> Result<ValidatedIdToken, IdTokenError> {
    static TOKENS: OnceLock<TokenResponse> = OnceLock::new();
    let tokens = TOKENS.get_or_init(|| token_answer::tokens_with(ACCESS_TOKEN));
    let expectations = IdTokenExpectations::new(provider(), metadata(), tokens, now()).unwrap();
    id_token::validate(&IdToken::new(token.to_owned()), &expectations, keys())
}

/// The ID token of a login that has gone well.
pub(super) fn of_the_login() -> &'static ValidatedIdToken {
    static TOKEN: OnceLock<ValidatedIdToken> = OnceLock::new();
    TOKEN.get_or_init(|| judge(SIGNED[1].trim()).unwrap())
}

/// Nothing validates under a key that did not sign it.
pub fn id_token(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let text = text.trim_end_matches('\n');
    let accepted = judge(text).is_ok();
    assert!(!accepted || is_signed_by_provider(text, &SIGNED), "accepted without a signature: {text}");
    accepted
}

/// Of what the provider signs, only an ID token for this client and this login is accepted.
pub fn id_token_claims(input: &[u8]) -> bool {
    let Ok(token) = judge(&sign("JWT", input)) else { return false };
    let claims: Value = serde_json::from_slice(input).unwrap();
    assert_eq!(claims["iss"], ISSUER);
    assert!(
        claims["aud"] == CLIENT_ID || claims["aud"].as_array().is_some_and(|all| !all.is_empty() && all.iter().all(|one| one == CLIENT_ID))
    );
    assert!(claims["azp"].is_null() || claims["azp"] == CLIENT_ID, "{}", claims["azp"]);
    assert_is_now(&claims);
    assert_eq!(claims["nonce"], DRAWN);
    assert!(claims["sub"].as_str().is_some_and(|sub| (1..=255).contains(&sub.chars().count())), "{}", claims["sub"]);
    assert!(claims["at_hash"].is_null() || claims["at_hash"] == access_token_hash(), "{}", claims["at_hash"]);
    assert!(claims["events"]["http://schemas.openid.net/event/backchannel-logout"].is_null(), "a logout token");
    assert_eq!((token.issuer(), Some(token.subject())), (ISSUER, claims["sub"].as_str()));
    true
}

/// The times are those of a token that is valid now.
pub(super) fn assert_is_now(claims: &Value) {
    assert_not_past(&claims["exp"]);
    assert_not_future(&claims["iat"]);
    if !claims["nbf"].is_null() {
        assert_not_future(&claims["nbf"]);
    }
}
