//! Tokens that are bound to a key. [RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use oauth2flow_protocol::authorize::{AuthorizationRequestError, TransactionError};
use oauth2flow_protocol::dpop::{self, DpopKey, MAXIMUM_NONCE_BYTES};
use oauth2flow_protocol::provider::{ClientAuth, DpopPolicy};
use oauth2flow_protocol::refresh::{self, RefreshError};
use oauth2flow_protocol::token::{self, TokenError, TokenErrorCode, TokenType};
use oauth2flow_protocol::{
    AccessToken, OutboundRequest, OutboundResponse, Provider, ProviderMetadata, RefreshToken, TokenResponse, Transaction, userinfo,
};
use serde_json::{Value, json};

use crate::client_key::{client_key, verified};
use crate::signing_key::{decode, encode};
use crate::support::{
    ACCESS_TOKEN, Login, START, assert_not_implemented, assert_rejected, form, json_response, metadata, metadata_with, now, oauth_provider,
    openid_provider, response, token_answer, url, with_context,
};

const NONCE: &str = "eyJ7S_zG.eyJH0-Z.HX4w-7v";

fn with_policy(dpop: DpopPolicy) -> Provider {
    let mut provider = openid_provider();
    provider.dpop = dpop;
    provider
}

fn declaring(algorithms: &Value) -> ProviderMetadata {
    metadata_with("dpop_signing_alg_values_supported", algorithms.clone())
}

fn bound_login() -> Login {
    Login::begin(with_policy(DpopPolicy::Require), metadata())
}

fn key() -> DpopKey {
    with_context(9, DpopKey::generate)
}

/// The header and the claims of a proof, after its signature has been verified with the key that it shows.
fn proof_of(token: &str) -> (Value, Value) {
    let header: Value = serde_json::from_slice(&decode(token.split('.').next().unwrap())).unwrap();
    verified(token, &header["jwk"])
}

fn proof_in(request: &OutboundRequest) -> (Value, Value) {
    assert_eq!(request.headers.iter().filter(|(name, _)| *name == "dpop").count(), 1);
    proof_of(request.header("dpop").unwrap())
}

fn wants_nonce(status: u16) -> OutboundResponse {
    let mut answer = response(status, "application/json", r#"{"error":"use_dpop_nonce"}"#);
    answer.dpop_nonce = Some(NONCE.to_owned());
    answer
}

/// What becomes of a token answer of this type.
fn exchanged(login: &Login, token_type: &str) -> Result<TokenResponse, TokenError> {
    let mut answer = token_answer();
    answer["token_type"] = json!(token_type);
    answer["id_token"] = json!("a.b.c");
    login.tokens(&json_response(&answer))
}

fn refreshed(provider: &Provider, key: Option<&DpopKey>, token_type: &str) -> Result<TokenResponse, RefreshError> {
    let token = RefreshToken::new("refresh".to_owned());
    let (_, pending) = with_context(3, |context| refresh::request(provider, &metadata(), &token, &[], key, None, context))?;
    let mut answer = token_answer();
    answer["token_type"] = json!(token_type);
    pending.process(&json_response(&answer), now())
}

#[test]
fn rfc_9449_section_4_2_a_proof_is_for_one_request_and_shows_its_key() {
    let address = url("https://login.example:8443/token?tenant=a#part");

    let proof = with_context(1, |context| key().proof("POST", &address, None, None, context));

    let (header, claims) = proof_of(&proof);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("dpop+jwt")));
    let members = header["jwk"].as_object().unwrap().keys().map(String::as_str).collect::<BTreeSet<_>>();
    assert_eq!(members, BTreeSet::from(["crv", "kty", "x", "y"]), "nothing private");
    assert_eq!(header.as_object().unwrap().len(), 3);
    assert_eq!(decode(claims["jti"].as_str().unwrap()).len(), 16, "128 bits");
    assert_eq!(claims["htm"], "POST");
    assert_eq!(claims["htu"], "https://login.example:8443/token", "without query and fragment");
    assert_eq!(claims["iat"], START);
    assert_eq!(claims.as_object().unwrap().len(), 4);
}

#[test]
fn rfc_9449_section_4_2_the_access_token_goes_into_the_proof_as_its_hash() {
    // The hash that RFC 9449 §7.1 prints for the access token of its example.
    let token = AccessToken::new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU".to_owned());

    let proof =
        with_context(1, |context| key().proof("GET", &url("https://resource.example.org/protectedresource"), None, Some(&token), context));

    assert_eq!(proof_of(&proof).1["ath"], "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
}

#[test]
fn rfc_9449_section_8_1_a_nonce_that_no_server_may_send_is_left_out() {
    let nonce_of = |nonce: &str| {
        let proof = with_context(1, |context| key().proof("POST", &url("https://a.example/"), Some(nonce), None, context));
        proof_of(&proof).1.get("nonce").cloned()
    };

    assert_eq!(nonce_of(NONCE), Some(json!(NONCE)));
    assert_eq!(nonce_of("!#[]~"), Some(json!("!#[]~")));
    assert!(nonce_of(&"a".repeat(MAXIMUM_NONCE_BYTES)).is_some());
    for nonce in ["", "a b", "a\"b", "a\\b", "a\r\nb", "ä", "a\u{7f}", &"a".repeat(MAXIMUM_NONCE_BYTES + 1)] {
        assert_eq!(nonce_of(nonce), None, "{nonce:?}");
    }
}

#[test]
fn rfc_9449_section_11_1_no_two_proofs_are_the_same() {
    let key = key();
    let proofs = with_context(1, |context| {
        [0; 3].map(|_| proof_of(&key.proof("POST", &url("https://a.example/"), None, None, context)).1["jti"].to_string())
    });

    assert_eq!(BTreeSet::from(proofs).len(), 3);
}

#[test]
fn rfc_7638_the_thumbprint_is_that_of_the_key_in_the_proof() {
    // The key of RFC 7515, appendix A.3.
    let key = DpopKey::from_bytes(&decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")).unwrap();
    let (x, y) = ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");

    let proof = with_context(1, |context| key.proof("POST", &url("https://a.example/"), None, None, context));

    assert_eq!(proof_of(&proof).0["jwk"], json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }));
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    assert_eq!(key.thumbprint(), encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref()));
}

#[test]
fn a_key_comes_back_from_its_bytes_and_from_no_others() {
    let key = key();

    assert_eq!(DpopKey::from_bytes(key.to_bytes().as_slice()).unwrap().thumbprint(), key.thumbprint());
    for bytes in [&[0; 32][..], &[0xff; 32], &[1; 31], &[1; 33], &[]] {
        assert!(DpopKey::from_bytes(bytes).is_none(), "{bytes:?}");
    }
}

#[test]
fn a_key_is_drawn_from_the_given_randomness_and_always_is_one() {
    let drawn_from = |byte: u8| {
        let mut calls = 0;
        let mut random = |bytes: &mut [u8]| {
            calls += 1;
            assert_eq!(bytes.len(), 32);
            bytes.fill(byte);
        };
        let key = DpopKey::generate(&mut oauth2flow_protocol::Context::new(now(), &mut random));
        assert_eq!(calls, 1);
        key.to_bytes()
    };

    assert_eq!(drawn_from(0).as_slice(), [&[0; 31][..], &[1]].concat());
    assert_eq!(drawn_from(0xff).as_slice(), [&[0x7f][..], &[0xff; 31]].concat());
    assert_eq!(drawn_from(0x55).as_slice(), [0x55; 32]);
    assert_ne!(with_context(1, DpopKey::generate).thumbprint(), with_context(2, DpopKey::generate).thumbprint());
}

#[test]
fn a20_a_key_never_prints_itself() {
    let key = key();

    assert_eq!(format!("{key:?} {key:#?}"), "DpopKey([redacted]) DpopKey([redacted])");
    assert_not_implemented!(DpopKey, serde::Serialize);
    assert_not_implemented!(DpopKey, std::fmt::Display);
    assert_not_implemented!(DpopKey, PartialEq);
}

#[test]
fn rfc_9449_section_10_a_bound_login_binds_its_code_as_well() {
    let login = bound_login();

    let (request, _) = login.exchange();
    let (header, claims) = proof_in(&request);

    let jwk = &header["jwk"];
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
    assert_eq!(login.request()["dpop_jkt"], encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref()));
    assert_eq!((&claims["htm"], &claims["htu"]), (&json!("POST"), &json!("https://login.example/tenant/token")));
    assert_eq!(claims.get("ath"), None, "there is no access token yet");
    assert_eq!(claims.get("nonce"), None, "nobody has asked for one yet");
}

#[test]
fn rfc_9449_section_5_1_the_policy_and_the_metadata_decide_whether_tokens_are_bound() {
    for (policy, declared, bound) in [
        (DpopPolicy::Off, json!(["ES256"]), false),
        (DpopPolicy::Auto, json!(null), false),
        (DpopPolicy::Auto, json!([]), false),
        (DpopPolicy::Auto, json!(["RS256", "EdDSA"]), false),
        (DpopPolicy::Auto, json!(["RS256", "ES256"]), true),
        (DpopPolicy::Require, json!(null), true),
        (DpopPolicy::Require, json!(["ES256"]), true),
    ] {
        let login = Login::begin(with_policy(policy), declaring(&declared));

        assert_eq!(login.request().contains_key("dpop_jkt"), bound, "{policy:?} {declared}");
        assert_eq!(login.exchange().0.header("dpop").is_some(), bound, "{policy:?} {declared}");
    }
    let impossible = Login::begin(with_policy(DpopPolicy::Require), declaring(&json!(["RS256"])));
    assert_rejected!(impossible.try_url(), AuthorizationRequestError::DpopNotOffered);
}

#[test]
fn rfc_9449_section_5_a_token_of_the_wrong_type_is_refused() {
    let auto = Login::begin(with_policy(DpopPolicy::Auto), declaring(&json!(["ES256"])));

    assert_rejected!(exchanged(&bound_login(), "Bearer"), TokenError::NotBound);
    assert_rejected!(exchanged(&Login::openid(), "DPoP"), TokenError::UnexpectedlyBound);
    assert_rejected!(exchanged(&bound_login(), "mac"), TokenError::UnsupportedTokenType(_));
    assert_rejected!(exchanged(&auto, "N_A"), TokenError::UnsupportedTokenType(_));
    for (login, token_type, expected) in [
        (&bound_login(), "DPoP", TokenType::Dpop),
        (&bound_login(), "dpop", TokenType::Dpop),
        (&auto, "DPOP", TokenType::Dpop),
        (&auto, "bearer", TokenType::Bearer),
        (&Login::openid(), "Bearer", TokenType::Bearer),
    ] {
        let tokens = exchanged(login, token_type).unwrap();
        assert_eq!(tokens.token_type, expected, "{token_type}");
        assert_eq!(tokens.dpop_key.map(|key| key.thumbprint()), expected_key(login, expected), "{token_type}");
    }
}

fn expected_key(login: &Login, token_type: TokenType) -> Option<String> {
    (token_type == TokenType::Dpop).then(|| login.request()["dpop_jkt"].clone())
}

#[test]
fn the_errors_of_token_types_have_stable_codes() {
    assert_eq!(exchanged(&bound_login(), "Bearer").unwrap_err().code(), "token_type_not_bound");
    assert_eq!(exchanged(&Login::openid(), "DPoP").unwrap_err().code(), "token_type_unexpectedly_bound");
}

#[test]
fn rfc_9449_section_8_a_nonce_is_put_into_a_new_proof_once() {
    let login = bound_login();
    let (first, mut pending) = login.exchange();

    let second = with_context(50, |context| pending.retry_with_nonce(&wants_nonce(400), context)).unwrap();

    let ((_, before), (header, after)) = (proof_in(&first), proof_in(&second));
    assert_eq!(after["nonce"], NONCE);
    assert_ne!(after["jti"], before["jti"]);
    assert_eq!(header["jwk"], proof_in(&first).0["jwk"], "the same key");
    assert_eq!(form(&second), form(&first));
    assert!(with_context(51, |context| pending.retry_with_nonce(&wants_nonce(400), context)).is_none(), "once");
    assert_rejected!(
        pending.process(&wants_nonce(400), now()),
        TokenError::Provider { kind: TokenErrorCode::UseDpopNonce, status: 400, .. }
    );
}

#[test]
fn rfc_9449_section_8_the_second_request_has_an_assertion_of_its_own() {
    let mut provider = with_policy(DpopPolicy::Require);
    let key = client_key(oauth2flow_protocol::SigningAlgorithm::Es256);
    (provider.client_auth, provider.signing_key) = (ClientAuth::PrivateKeyJwt, Some(key.clone()));
    let (first, mut pending) = Login::begin(provider, metadata()).exchange();

    let second = with_context(50, |context| pending.retry_with_nonce(&wants_nonce(401), context)).unwrap();

    let token_id = |request: &OutboundRequest| verified(&form(request)["client_assertion"], &key.public_jwk()).1["jti"].clone();
    assert_ne!(token_id(&first), token_id(&second));
}

#[test]
fn rfc_9449_section_8_only_a_server_that_asks_for_a_nonce_is_asked_again() {
    let login = bound_login();
    let is_asked_again = |change: &dyn Fn(&mut OutboundResponse)| {
        let mut answer = wants_nonce(400);
        change(&mut answer);
        with_context(50, |context| login.exchange().1.retry_with_nonce(&answer, context)).is_some()
    };

    assert!(is_asked_again(&|_| {}));
    assert!(is_asked_again(&|answer| answer.status = 401));
    assert!(!is_asked_again(&|answer| answer.status = 200));
    assert!(!is_asked_again(&|answer| answer.status = 500));
    assert!(!is_asked_again(&|answer| answer.dpop_nonce = None));
    assert!(!is_asked_again(&|answer| answer.dpop_nonce = Some("a b".to_owned())));
    assert!(!is_asked_again(&|answer| answer.body = br#"{"error":"invalid_grant"}"#.to_vec()));
    assert!(!is_asked_again(&|answer| answer.body = b"{".to_vec()));
    assert!(!is_asked_again(&|answer| answer.body = b"[]".to_vec()));
    assert!(!is_asked_again(&|answer| answer.body = br#"{"error":["use_dpop_nonce"]}"#.to_vec()));
    assert!(!is_asked_again(&|answer| answer.body.resize(token::MAXIMUM_TOKEN_RESPONSE_BYTES + 1, b' ')));
    assert!(!is_asked_again(&|answer| answer.content_type = Some("text/html".to_owned())));
    let unbound = with_context(50, |context| Login::openid().exchange().1.retry_with_nonce(&wants_nonce(400), context));
    assert!(unbound.is_none(), "there is no proof to put it into");
}

#[test]
fn rfc_9449_section_8_2_a_nonce_that_is_known_already_is_in_the_first_proof() {
    let login = bound_login();

    let exchange =
        with_context(5, |context| token::exchange_request(&login.provider, &login.metadata, login.callback(), Some(NONCE), context));

    assert_eq!(proof_in(&exchange.unwrap().0).1["nonce"], NONCE);
}

#[test]
fn rfc_9449_section_5_a_refresh_keeps_the_key() {
    let (key, token) = (key(), RefreshToken::new("refresh".to_owned()));
    let provider = with_policy(DpopPolicy::Auto);

    let (first, mut pending) =
        with_context(3, |context| refresh::request(&provider, &metadata(), &token, &[], Some(&key), None, context)).unwrap();
    let second = with_context(4, |context| pending.retry_with_nonce(&wants_nonce(400), context)).unwrap();

    assert_eq!(proof_in(&second).0["jwk"], proof_in(&first).0["jwk"]);
    assert_eq!(proof_in(&second).1["nonce"], NONCE);
    assert_eq!(form(&second)["refresh_token"], "refresh");
    assert!(with_context(5, |context| pending.retry_with_nonce(&wants_nonce(400), context)).is_none(), "once");
    let tokens = refreshed(&provider, Some(&key), "DPoP").unwrap();
    assert_eq!((tokens.token_type, tokens.dpop_key.unwrap().thumbprint()), (TokenType::Dpop, key.thumbprint()));
}

#[test]
fn rfc_9449_section_5_a_refresh_does_not_loosen_or_invent_a_binding() {
    let key = key();
    for policy in [DpopPolicy::Off, DpopPolicy::Auto, DpopPolicy::Require] {
        assert_rejected!(refreshed(&with_policy(policy), Some(&key), "Bearer"), RefreshError::Token(TokenError::NotBound));
    }
    assert_rejected!(refreshed(&openid_provider(), None, "DPoP"), RefreshError::Token(TokenError::UnexpectedlyBound));
    assert_eq!(refreshed(&with_policy(DpopPolicy::Auto), None, "Bearer").unwrap().token_type, TokenType::Bearer);
}

#[test]
fn rfc_9449_section_5_a_refresh_is_bound_as_soon_as_the_configuration_demands_it() {
    let provider = with_policy(DpopPolicy::Require);

    let tokens = refreshed(&provider, None, "DPoP").unwrap();

    assert!(tokens.dpop_key.is_some());
    assert_rejected!(refreshed(&provider, None, "Bearer"), RefreshError::Token(TokenError::NotBound));
}

#[test]
fn rfc_9449_section_7_1_a_bound_token_comes_with_a_proof_and_another_without() {
    let (key, token) = (key(), AccessToken::new(ACCESS_TOKEN.to_owned()));
    let request = || userinfo::request(&openid_provider(), &metadata(), &token).unwrap();

    let bound = with_context(1, |context| dpop::authorize(request(), &token, Some(&key), Some(NONCE), context));
    let bearer = with_context(1, |context| dpop::authorize(request(), &token, None, Some(NONCE), context));

    assert_eq!(bound.header("authorization"), Some("DPoP access-token-from-the-provider"));
    let claims = proof_in(&bound).1;
    assert_eq!((&claims["htm"], &claims["htu"]), (&json!("GET"), &json!("https://login.example/tenant/userinfo")));
    assert_eq!(claims["ath"], encode(digest::digest(&digest::SHA256, ACCESS_TOKEN.as_bytes()).as_ref()));
    assert_eq!(claims["nonce"], NONCE);
    assert_eq!(bearer.header("authorization"), Some("Bearer access-token-from-the-provider"));
    assert_eq!(bearer.header("dpop"), None);
}

#[test]
fn rfc_9449_section_9_a_resource_asks_for_a_nonce_with_status_401() {
    let mut answer = response(401, "application/json", "");
    answer.dpop_nonce = Some(NONCE.to_owned());

    assert_eq!(dpop::nonce_wanted_by_resource(&answer), Some(NONCE));
    for (status, nonce) in [(200, Some(NONCE)), (403, Some(NONCE)), (401, None), (401, Some("a b"))] {
        (answer.status, answer.dpop_nonce) = (status, nonce.map(str::to_owned));
        assert_eq!(dpop::nonce_wanted_by_resource(&answer), None, "{status} {nonce:?}");
    }
}

#[test]
fn a13_the_key_stays_with_the_login_through_the_browser() {
    let login = bound_login();

    let transaction = Transaction::from_plaintext(&login.transaction.to_plaintext()).unwrap();
    let again = Login { transaction, ..bound_login() };

    assert_eq!(again.request()["dpop_jkt"], login.request()["dpop_jkt"]);
    assert_eq!(proof_in(&again.exchange().0).0, proof_in(&login.exchange().0).0);
}

#[test]
fn a11_a_transaction_with_a_broken_key_is_rejected() {
    let content: Value = serde_json::from_slice(&bound_login().transaction.to_plaintext()).unwrap();
    for key in ["", "!", "AAAA", &encode(&[0; 32]), &encode(&[0xff; 32])] {
        let mut content = content.clone();
        content["d"] = json!(key);
        match Transaction::from_plaintext(content.to_string().as_bytes()) {
            Err(error @ TransactionError::InvalidKey) => assert_eq!(error.code(), "transaction_key_invalid"),
            other => panic!("{key}: {other:?}"),
        }
    }
}

#[test]
fn a20_no_plaintext_of_an_unbound_login_holds_a_key() {
    let content: Value = serde_json::from_slice(&Login::openid().transaction.to_plaintext()).unwrap();

    assert_eq!(content.get("d"), None);
}

#[test]
fn an_oauth_provider_may_bind_tokens_too() {
    let mut provider = oauth_provider();
    provider.dpop = DpopPolicy::Require;
    let login = Login::fixed(provider);

    assert_eq!(proof_in(&login.exchange().0).1["htu"], "https://plain.example/token");
}

#[test]
fn rfc_8705_section_5_the_proof_is_for_the_alias_that_the_request_goes_to() {
    let mut provider = with_policy(DpopPolicy::Require);
    provider.client_auth = ClientAuth::TlsClientAuth;
    let metadata = metadata_with("mtls_endpoint_aliases", json!({ "token_endpoint": "https://mtls.login.example/token" }));

    let (request, _) = Login::begin(provider, metadata).exchange();

    assert_eq!(request.url.as_str(), "https://mtls.login.example/token");
    assert_eq!(proof_in(&request).1["htu"], "https://mtls.login.example/token");
}
