//! The token endpoint's answer, to a code and to a refresh token.

use oauth2flow_protocol::{AuthorizationResponse, OutboundResponse, RefreshToken, TokenResponse, callback, refresh, token};
use serde_json::{Value, json};

use super::stand_in::{DRAWN, ISSUER, json_response, metadata, now, provider, read_response, transaction, with_context};

fn exchange(response: &OutboundResponse) -> Result<TokenResponse, token::TokenError> {
    let pairs = [("code", "code-from-the-provider"), ("state", DRAWN), ("iss", ISSUER)];
    let answer = AuthorizationResponse::from_pairs(pairs).unwrap();
    let callback = callback::validate(answer, transaction(provider()), provider(), metadata(), None, now()).unwrap();
    let (_, pending) = with_context(|context| token::exchange_request(provider(), metadata(), callback, None, context)).unwrap();
    pending.process(response, now())
}

/// The tokens of a provider that does everything right.
pub(super) fn tokens_with(access_token: &str) -> TokenResponse {
    let body = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": 3600, "id_token": "a.b.c" });
    exchange(&json_response(&body)).unwrap()
}

/// Accepted tokens fit into a header, are printed nowhere, and come from an answer with status 200 and without an error; an OpenID
/// provider's come with an ID token.
pub fn token_answer(input: &[u8]) -> bool {
    let Some(response) = read_response(input) else { return false };
    let refreshed = refresh_with(&response);
    let Ok(tokens) = exchange(&response) else { return false };
    assert_eq!(response.status, 200);
    let members: Value = serde_json::from_slice(&response.body).unwrap();
    assert!(members["error"].is_null(), "an error is taken for tokens");
    let access_token = tokens.access_token.expose();
    assert!(!access_token.is_empty() && access_token.bytes().all(|byte| byte.is_ascii_graphic()), "{access_token:?}");
    assert_eq!(members["access_token"], access_token);
    assert!(members["token_type"].as_str().is_some_and(|name| name.eq_ignore_ascii_case("bearer")), "{}", members["token_type"]);
    assert!(tokens.id_token.is_some(), "no ID token");
    assert!(tokens.expires_at.is_none_or(|time| time >= now()), "the past");
    // Shorter ones may be part of a field's name.
    assert!(access_token.len() < 24 || !format!("{tokens:?}").contains(access_token), "the access token is printed");
    // What holds for a code holds for a refresh, which may keep what it has.
    let refreshed = refreshed.expect("the refresh of a good answer");
    assert!(refreshed.refresh_token.is_some(), "the refresh token is lost");
    assert_eq!(refreshed.access_token.expose(), access_token);
    true
}

fn refresh_with(response: &OutboundResponse) -> Option<TokenResponse> {
    let refresh_token = RefreshToken::new("refresh-token-from-the-provider".to_owned());
    let scopes = ["openid".to_owned()];
    let (_, pending) =
        with_context(|context| refresh::request(provider(), metadata(), &refresh_token, &scopes, None, None, context)).unwrap();
    let tokens = pending.process(response, now()).ok()?;
    assert_eq!(response.status, 200);
    Some(tokens)
}
