//! The exchange of a token for one that is for a certain API (RFC 8693).

use crate::support::{
    ACCESS_TOKEN, CLIENT_ID, REFRESH_TOKEN, after, assert_rejected, form, json_response, metadata, now, openid_provider, parameters,
    response, with_context,
};
use oauth2flow_protocol::provider::DpopPolicy;
use oauth2flow_protocol::token::{TokenError, TokenErrorCode};
use oauth2flow_protocol::token_exchange::{self, ACCESS_TOKEN_TYPE, ExchangedToken, PendingTokenExchange, Target, TokenExchangeError};
use oauth2flow_protocol::{AccessToken, DpopKey, OutboundRequest, OutboundResponse, TokenType};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;

const EXCHANGED: &str = "token-for-the-orders";

fn scopes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn begin(scopes: &[String], dpop: Option<&DpopKey>, policy: DpopPolicy) -> (OutboundRequest, PendingTokenExchange) {
    let mut provider = openid_provider();
    provider.dpop = policy;
    let subject = AccessToken::new(ACCESS_TOKEN.to_owned());
    let (audience, resource) = (["orders-api".to_owned(), "stock-api".to_owned()], ["https://orders.example.com/v1".to_owned()]);
    let target = Target { audience: &audience, resource: &resource, scopes };
    with_context(1, |context| token_exchange::request(&provider, &metadata(), &subject, target, dpop, None, context)).unwrap()
}

fn key() -> DpopKey {
    with_context(7, DpopKey::generate)
}

/// A response that holds.
fn answer() -> Value {
    json!({ "access_token": EXCHANGED, "issued_token_type": ACCESS_TOKEN_TYPE, "token_type": "Bearer", "expires_in": 60 })
}

fn judge(response: &OutboundResponse) -> Result<ExchangedToken, TokenExchangeError> {
    begin(&scopes(&["orders:read", "orders:write"]), None, DpopPolicy::Off).1.process(response, now())
}

/// What becomes of a response with one member changed, or taken away with `null`.
fn judge_with(name: &str, value: Value) -> Result<ExchangedToken, TokenExchangeError> {
    let mut answer = answer();
    answer[name] = value;
    judge(&json_response(&answer))
}

#[test]
fn the_user_s_token_is_the_subject_and_the_client_says_who_it_is() {
    let (request, _) = begin(&scopes(&["orders:read", "orders:write"]), None, DpopPolicy::Off);
    assert_eq!(request.url.as_str(), "https://login.example/tenant/token");
    assert!(request.header("authorization").unwrap().starts_with("Basic "));
    let body = request.body.clone().unwrap();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        pairs,
        [
            pair("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            pair("subject_token", ACCESS_TOKEN),
            pair("subject_token_type", ACCESS_TOKEN_TYPE),
            pair("requested_token_type", ACCESS_TOKEN_TYPE),
            pair("audience", "orders-api"),
            pair("audience", "stock-api"),
            pair("resource", "https://orders.example.com/v1"),
            pair("scope", "orders:read orders:write"),
        ]
    );
    assert!(!body.contains(CLIENT_ID), "its id is in the header");
}

#[test]
fn nothing_is_asked_for_that_is_not_configured() {
    let subject = AccessToken::new(ACCESS_TOKEN.to_owned());
    let provider = openid_provider();
    let (request, _) =
        with_context(1, |context| token_exchange::request(&provider, &metadata(), &subject, Target::default(), None, None, context))
            .unwrap();
    let sent = form(&request);
    assert_eq!(sent.keys().collect::<Vec<_>>(), ["grant_type", "requested_token_type", "subject_token", "subject_token_type"]);
    assert_eq!(parameters(request.body.as_deref().unwrap()), sent);
}

#[test]
fn a_client_that_cannot_prove_itself_exchanges_nothing() {
    let mut provider = openid_provider();
    provider.client_secret = None;
    let subject = AccessToken::new(ACCESS_TOKEN.to_owned());
    let begun =
        with_context(1, |context| token_exchange::request(&provider, &metadata(), &subject, Target::default(), None, None, context));
    assert_rejected!(begun, TokenExchangeError::Token(TokenError::ClientAuth(_)));
}

#[test]
fn a_response_that_holds_yields_the_token() {
    let token = judge(&json_response(&answer())).unwrap();
    assert_eq!((token.access_token.expose(), token.token_type), (EXCHANGED, TokenType::Bearer));
    assert_eq!(token.expires_at, Some(after(Duration::from_mins(1))));
    assert_eq!(token.scopes, ["orders:read", "orders:write"], "those that were asked for, when nobody says otherwise");
    assert_eq!(judge_with("expires_in", Value::Null).unwrap().expires_at, None);
    assert_eq!(judge_with("token_type", json!("bearer")).unwrap().token_type, TokenType::Bearer);
}

#[test]
fn a_refresh_token_or_an_id_token_is_not_kept() {
    let mut answer = answer();
    answer["refresh_token"] = json!(REFRESH_TOKEN);
    answer["id_token"] = json!("a.b.c");
    let token = judge(&json_response(&answer)).unwrap();
    assert!(!format!("{token:?}").contains("refresh"), "there is no place for it");
}

#[test]
fn it_must_say_that_it_is_an_access_token() {
    assert_rejected!(judge_with("issued_token_type", Value::Null), TokenExchangeError::MissingIssuedTokenType);
    assert_rejected!(judge_with("issued_token_type", json!("")), TokenExchangeError::MissingIssuedTokenType);
    assert_rejected!(judge_with("issued_token_type", json!(1)), TokenExchangeError::MissingIssuedTokenType);
    for other in ["id_token", "refresh_token", "saml2", "jwt", "Access_Token"] {
        let other = format!("urn:ietf:params:oauth:token-type:{other}");
        assert_rejected!(judge_with("issued_token_type", json!(other)), TokenExchangeError::UnexpectedIssuedTokenType(_));
    }
}

#[test]
fn it_may_allow_less_than_was_asked_for_and_never_more() {
    assert_eq!(judge_with("scope", json!("orders:write")).unwrap().scopes, ["orders:write"]);
    assert_eq!(judge_with("scope", json!("")).unwrap().scopes, Vec::<String>::new());
    assert_eq!(judge_with("scope", json!("orders:write orders:read")).unwrap().scopes, ["orders:write", "orders:read"]);
    for more in ["admin", "orders:read admin", "ORDERS:READ"] {
        assert_rejected!(judge_with("scope", json!(more)), TokenExchangeError::ScopeExceeded(_));
    }
    // Who asks for nothing takes what the provider gives.
    let mut answer = answer();
    answer["scope"] = json!("anything at all");
    let token = begin(&[], None, DpopPolicy::Off).1.process(&json_response(&answer), now()).unwrap();
    assert_eq!(token.scopes, ["anything", "at", "all"]);
}

#[test]
fn its_type_is_one_that_can_be_used() {
    for other in ["N_A", "mac", ""] {
        let rejected = judge_with("token_type", json!(other));
        assert!(matches!(rejected, Err(TokenExchangeError::Token(_))), "{other}: {rejected:?}");
    }
    assert_rejected!(judge_with("token_type", json!("DPoP")), TokenExchangeError::Token(TokenError::UnexpectedlyBound));
}

#[test]
fn a_bound_token_is_exchanged_with_its_key() {
    let key = key();
    let (request, pending) = begin(&[], Some(&key), DpopPolicy::Auto);
    assert!(request.header("dpop").is_some());
    let mut bound = answer();
    bound["token_type"] = json!("DPoP");
    let token = pending.process(&json_response(&bound), now()).unwrap();
    assert_eq!(token.dpop_key.unwrap().thumbprint(), key.thumbprint());
    // A provider may leave the new one unbound, unless that is not accepted.
    let (_, pending) = begin(&[], Some(&key), DpopPolicy::Auto);
    assert!(pending.process(&json_response(&answer()), now()).unwrap().dpop_key.is_none());
    let (_, pending) = begin(&[], Some(&key), DpopPolicy::Require);
    assert_rejected!(pending.process(&json_response(&answer()), now()), TokenExchangeError::Token(TokenError::NotBound));
}

#[test]
fn a_nonce_is_put_into_the_proof_once() {
    let key = key();
    let (_, mut pending) = begin(&[], Some(&key), DpopPolicy::Auto);
    let mut wants = response(400, "application/json", r#"{"error":"use_dpop_nonce"}"#);
    wants.dpop_nonce = Some("nonce-1".to_owned());
    assert!(with_context(2, |context| pending.retry_with_nonce(&wants, context)).is_some());
    assert!(with_context(3, |context| pending.retry_with_nonce(&wants, context)).is_none());
}

#[test]
fn what_the_provider_says_no_with_is_kept() {
    let refused = |error: &str| judge(&response(400, "application/json", json!({ "error": error }).to_string()));
    assert_rejected!(
        refused("invalid_target"),
        TokenExchangeError::Token(TokenError::Provider { kind: TokenErrorCode::InvalidTarget, .. })
    );
    assert_rejected!(
        refused("unsupported_grant_type"),
        TokenExchangeError::Token(TokenError::Provider { kind: TokenErrorCode::UnsupportedGrantType, .. })
    );
    assert_rejected!(judge(&response(503, "text/html", "")), TokenExchangeError::Token(TokenError::Unavailable { status: 503 }));
    assert_rejected!(judge(&response(200, "text/html", "<html>")), TokenExchangeError::Token(TokenError::NotJson));
    assert_rejected!(judge_with("access_token", json!("a b")), TokenExchangeError::Token(TokenError::InvalidMember("access_token")));
    assert_rejected!(judge_with("access_token", Value::Null), TokenExchangeError::Token(TokenError::MissingMember("access_token")));
}

proptest! {
    #[test]
    fn no_response_gives_more_than_was_asked_for(asked in prop::collection::vec("[a-z]{1,3}", 1..4), given in prop::collection::vec("[a-z]{1,3}", 0..5)) {
        let mut answer = answer();
        answer["scope"] = json!(given.join(" "));
        let judged = begin(&asked, None, DpopPolicy::Off).1.process(&json_response(&answer), now());
        let is_covered = given.iter().all(|scope| asked.contains(scope));
        prop_assert_eq!(judged.is_ok(), is_covered);
        if let Ok(token) = judged {
            prop_assert!(token.scopes.iter().all(|scope| asked.contains(scope)));
        }
    }

    #[test]
    fn no_response_is_too_strange_to_be_judged(status in 100_u16..600, content_type in "(application/json|text/html|)", body in prop::collection::vec(any::<u8>(), 0..200)) {
        // Nothing that is made up says of itself what it must say.
        prop_assert!(judge(&response(status, &content_type, body)).is_err());
    }

    #[test]
    fn only_the_type_of_an_access_token_will_do(kind in "[ -~]{0,60}") {
        prop_assume!(kind != ACCESS_TOKEN_TYPE);
        prop_assert!(judge_with("issued_token_type", json!(kind)).is_err());
    }
}
