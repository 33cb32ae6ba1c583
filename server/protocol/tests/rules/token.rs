//! The token request and its response. [RFC 6749 §4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3)

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::digest;
use jiff::Timestamp;
use oauth2flow_protocol::token::{self, MAXIMUM_TOKEN_RESPONSE_BYTES, TokenError, TokenErrorCode};
use oauth2flow_protocol::{JsonError, Method, OutboundResponse, TokenResponse};
use serde_json::{Value, json};

use crate::signing_key::encode;
use crate::support::{
    ACCESS_TOKEN, CODE, Login, REDIRECT_URI, REFRESH_TOKEN, after, assert_rejected, deeply_nested, form, json_response, now,
    oauth_provider, response, token_answer, with_context,
};

/// What an OAuth 2.0 provider's answer becomes; it needs no ID token.
fn judge(response: &OutboundResponse) -> Result<TokenResponse, TokenError> {
    Login::oauth().tokens(response)
}

/// The same with one member of a good answer changed.
fn judge_with(name: &str, value: Value) -> Result<TokenResponse, TokenError> {
    let mut answer = token_answer();
    answer[name] = value;
    judge(&json_response(&answer))
}

fn judge_without(name: &str) -> Result<TokenResponse, TokenError> {
    let mut answer = token_answer();
    answer.as_object_mut().unwrap().remove(name).unwrap();
    judge(&json_response(&answer))
}

#[test]
fn a05_the_token_request_is_the_one_of_the_specification() {
    let login = Login::openid();

    let (request, _) = login.exchange();

    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url.as_str(), "https://login.example/tenant/token");
    assert_eq!(request.header("accept"), Some("application/json"));
    let mut form = form(&request);
    let verifier = form.remove("code_verifier").unwrap();
    let expected = [("grant_type", "authorization_code"), ("code", CODE), ("redirect_uri", REDIRECT_URI)];
    assert_eq!(form, BTreeMap::from(expected.map(|(name, value)| (name.to_owned(), value.to_owned()))));
    assert_eq!(verifier.len(), 43);
}

#[test]
fn a02_the_verifier_of_the_token_request_belongs_to_the_challenge() {
    let login = Login::openid();

    let verifier = form(&login.exchange().0)["code_verifier"].clone();

    assert_eq!(encode(digest::digest(&digest::SHA256, verifier.as_bytes()).as_ref()), login.request()["code_challenge"]);
}

#[test]
fn a05_a_code_with_special_characters_arrives_unchanged() {
    let login = Login::openid();
    let (state, code) = (login.state(), "4/0Ab&c=d+e f%20\u{e4}");
    let iss = login.metadata.issuer.clone().unwrap();
    let callback = login.answer(&[("code", code), ("state", &state), ("iss", &iss)]).unwrap();

    let exchange = with_context(1, |context| token::exchange_request(&login.provider, &login.metadata, callback, None, context));
    let (request, _) = exchange.unwrap();

    assert_eq!(form(&request)["code"], code);
    assert!(request.body.as_deref().unwrap().contains("4%2F0Ab%26c%3Dd%2Be+f%2520%C3%A4"), "{:?}", request.body);
}

#[test]
fn a22_a_good_answer_is_accepted() {
    let tokens = judge(&json_response(&token_answer())).unwrap();

    assert_eq!(tokens.access_token.expose(), ACCESS_TOKEN);
    assert_eq!(tokens.refresh_token.unwrap().expose(), REFRESH_TOKEN);
    assert_eq!(tokens.scopes, ["openid", "profile", "email"]);
    assert_eq!(tokens.expires_at, Some(after(Duration::from_hours(1))));
    assert!(tokens.nonce.is_none());
}

#[test]
fn a21_an_error_with_status_200_is_a_failure() {
    let mut answer = token_answer();
    answer["error"] = json!("invalid_grant");
    for body in [json!({ "error": "invalid_grant" }), answer] {
        match judge(&json_response(&body)) {
            Err(error @ TokenError::Provider { kind: TokenErrorCode::InvalidGrant, status: 200, .. }) => assert!(error.is_invalid_grant()),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn a21_an_error_of_any_type_is_a_failure() {
    for error in [json!({ "message": "no" }), json!(true), json!(17), json!(""), json!([])] {
        assert_rejected!(
            judge_with("error", error.clone()),
            TokenError::Provider { kind: TokenErrorCode::Other, status: 200, .. },
            "{error}"
        );
    }
}

#[test]
fn a21_an_error_that_is_null_is_none() {
    assert!(judge_with("error", json!(null)).is_ok());
}

#[test]
fn a21_the_errors_words_are_bounded_text() {
    let answer = json!({ "error": "invalid\u{1b}_grant", "error_description": format!("a\nb{}", "x".repeat(1000)) });

    match judge(&response(400, "application/json", answer.to_string())) {
        Err(TokenError::Provider { kind: TokenErrorCode::Other, error, description, status: 400 }) => {
            assert_eq!(error.as_str(), "invalid _grant");
            assert_eq!(description.unwrap().as_str(), format!("a b{}", "x".repeat(297)));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a21_html_is_a_failure() {
    assert_rejected!(judge(&response(200, "text/html; charset=utf-8", "<html>")), TokenError::NotJson);
    assert_rejected!(judge(&response(200, "text/html", token_answer().to_string())), TokenError::NotJson);
    assert_rejected!(judge(&response(200, "application/json", "<html>")), TokenError::Malformed(JsonError::Malformed(_)));
    assert_rejected!(judge(&response(404, "text/html", "<html>")), TokenError::UnexpectedStatus { status: 404 });
}

#[test]
fn a21_an_answer_without_a_content_type_is_a_failure() {
    let answer =
        OutboundResponse { status: 200, content_type: None, dpop_nonce: None, link: None, body: token_answer().to_string().into_bytes() };

    assert_rejected!(judge(&answer), TokenError::NotJson);
}

#[test]
fn a21_only_json_by_its_content_type_is_read() {
    let body = token_answer().to_string();
    for accepted in ["application/json", "application/json;charset=UTF-8", "Application/JSON ; charset=utf-8", "application/oauth+json"] {
        assert!(judge(&response(200, accepted, body.clone())).is_ok(), "{accepted}");
    }
    for refused in
        ["text/json", "text/plain", "application/jsonp", "application/javascript", "json", "", ";application/json", "image/x+json"]
    {
        assert_rejected!(judge(&response(200, refused, body.clone())), TokenError::NotJson, "{refused}");
    }
}

#[test]
fn a21_a_form_where_json_belongs_is_a_failure() {
    let body = format!("access_token={ACCESS_TOKEN}&token_type=bearer");

    assert_rejected!(judge(&response(200, "application/x-www-form-urlencoded", body)), TokenError::NotJson);
}

#[test]
fn a21_an_answer_without_an_access_token_is_a_failure() {
    assert_rejected!(judge_without("access_token"), TokenError::MissingMember("access_token"));
    assert_rejected!(judge(&json_response(&json!({}))), TokenError::MissingMember("access_token"));
    assert_rejected!(judge_with("access_token", json!("")), TokenError::MissingMember("access_token"));
    assert_rejected!(judge_with("access_token", json!(null)), TokenError::MissingMember("access_token"));
}

#[test]
fn a21_a_member_of_the_wrong_type_is_a_failure() {
    for wrong in [json!(17), json!(true), json!(["x"]), json!({ "value": "x" })] {
        for name in ["access_token", "token_type", "refresh_token", "scope", "id_token"] {
            match judge_with(name, wrong.clone()) {
                Err(TokenError::InvalidMember(member)) => assert_eq!(member, name),
                other => panic!("{name}: {wrong}: {other:?}"),
            }
        }
    }
}

#[test]
fn a21_an_access_token_that_does_not_fit_into_a_header_is_a_failure() {
    for token in ["a b", "a\r\nX-Injected: 1", "a\tb", "ä", "a\u{0}", " a", "a\u{7f}"] {
        assert_rejected!(judge_with("access_token", json!(token)), TokenError::InvalidMember("access_token"), "{token:?}");
    }
    assert!(judge_with("access_token", json!("AZaz09-._~+/=!\"#$%&'()*,:;<>?@[\\]^`{|}")).is_ok());
}

#[test]
fn a21_what_is_no_json_object_is_a_failure() {
    for body in ["[]", "\"access_token\"", "17", "null", "[{\"access_token\":\"x\",\"token_type\":\"bearer\"}]"] {
        assert_rejected!(judge(&response(200, "application/json", body)), TokenError::Malformed(JsonError::NotAnObject), "{body}");
    }
    for body in ["", "{", "{}{}", "{\"access_token\":\"x\"", "\u{feff}{}", "{'access_token':'x'}"] {
        assert_rejected!(judge(&response(200, "application/json", body)), TokenError::Malformed(JsonError::Malformed(_)), "{body}");
    }
    assert_rejected!(judge(&response(200, "application/json", b"{\"access_token\":\"\xff\"}")), TokenError::Malformed(_));
}

#[test]
fn a21_a_repeated_member_is_a_failure() {
    for body in [
        r#"{"access_token":"a","access_token":"b","token_type":"bearer"}"#,
        r#"{"access_token":"a","token_type":"bearer","x":{"y":[{"z":1,"z":2}]}}"#,
        r#"{"access_token":"a","token_type":"bearer","\u0061ccess_token":"b"}"#,
    ] {
        assert_rejected!(judge(&response(200, "application/json", body)), TokenError::Malformed(JsonError::Malformed(_)), "{body}");
    }
}

#[test]
fn a21_a_status_other_than_200_is_a_failure_whatever_the_body() {
    for status in [201, 204, 302, 400, 401, 403, 404] {
        match judge(&response(status, "application/json", token_answer().to_string())) {
            Err(TokenError::UnexpectedStatus { status: reported }) => assert_eq!(reported, status),
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn a21_an_unreadable_body_does_not_hide_the_status() {
    assert_rejected!(judge(&response(400, "application/json", "{")), TokenError::UnexpectedStatus { status: 400 });
}

#[test]
fn a39_a_provider_that_is_down_is_unavailable_whatever_it_says() {
    for status in [429, 500, 502, 503, 504, 599] {
        match judge(&response(status, "application/json", r#"{"error":"invalid_grant"}"#)) {
            Err(error @ TokenError::Unavailable { status: reported }) => {
                assert_eq!(reported, status);
                assert!(!error.is_invalid_grant());
            }
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn a21_every_error_of_the_specification_is_told_apart() {
    for (error, expected) in [
        ("invalid_grant", TokenErrorCode::InvalidGrant),
        ("invalid_client", TokenErrorCode::InvalidClient),
        ("invalid_request", TokenErrorCode::InvalidRequest),
        ("unauthorized_client", TokenErrorCode::UnauthorizedClient),
        ("unsupported_grant_type", TokenErrorCode::UnsupportedGrantType),
        ("invalid_scope", TokenErrorCode::InvalidScope),
        ("server_error", TokenErrorCode::TemporarilyUnavailable),
        ("temporarily_unavailable", TokenErrorCode::TemporarilyUnavailable),
        ("slow_down", TokenErrorCode::TemporarilyUnavailable),
        ("INVALID_GRANT", TokenErrorCode::Other),
        ("use_dpop_nonce", TokenErrorCode::UseDpopNonce),
        ("invalid_dpop_proof", TokenErrorCode::InvalidDpopProof),
        ("invalid_target", TokenErrorCode::InvalidTarget),
    ] {
        match judge(&response(400, "application/json", json!({ "error": error }).to_string())) {
            Err(TokenError::Provider { kind, status: 400, description: None, .. }) => assert_eq!(kind, expected, "{error}"),
            other => panic!("{error}: {other:?}"),
        }
    }
}

#[test]
fn b_token_type_case_is_accepted() {
    for token_type in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert!(judge_with("token_type", json!(token_type)).is_ok(), "{token_type}");
    }
}

#[test]
fn a22_another_token_type_is_a_failure() {
    for token_type in ["mac", "DPoP2", "N_A", "Bearer ", "pop"] {
        assert_rejected!(judge_with("token_type", json!(token_type)), TokenError::UnsupportedTokenType(_), "{token_type}");
    }
    assert_rejected!(judge_without("token_type"), TokenError::MissingMember("token_type"));
}

#[test]
fn b_no_expires_in_is_accepted() {
    assert_eq!(judge_without("expires_in").unwrap().expires_at, None);
    assert_eq!(judge_with("expires_in", json!(null)).unwrap().expires_at, None);
}

#[test]
fn a22_the_configured_lifetime_fills_in_for_a_missing_one_only() {
    let mut provider = oauth_provider();
    provider.default_token_lifetime = Some(Duration::from_mins(5));
    let login = Login::fixed(provider);
    let mut answer = token_answer();

    assert_eq!(login.tokens(&json_response(&answer)).unwrap().expires_at, Some(after(Duration::from_hours(1))));
    answer.as_object_mut().unwrap().remove("expires_in");
    assert_eq!(login.tokens(&json_response(&answer)).unwrap().expires_at, Some(after(Duration::from_mins(5))));
}

#[test]
fn a22_a_lifetime_is_a_number_of_seconds_in_digits_or_as_a_number() {
    for (lifetime, seconds) in [(json!("3600"), 3600), (json!(3600.9), 3600), (json!(0), 0), (json!("0"), 0), (json!(1e3), 1000)] {
        assert_eq!(judge_with("expires_in", lifetime.clone()).unwrap().expires_at, Some(after(Duration::from_secs(seconds))), "{lifetime}");
    }
    for lifetime in [json!(-1), json!("-1"), json!("an hour"), json!(""), json!(true), json!([3600]), json!({}), json!(-1e300)] {
        assert_rejected!(judge_with("expires_in", lifetime.clone()), TokenError::InvalidMember("expires_in"), "{lifetime}");
    }
}

#[test]
fn a22_a_lifetime_beyond_all_time_ends_with_time() {
    for lifetime in [json!(i64::MAX), json!(u64::MAX), json!(1e300), json!(i64::MAX.to_string())] {
        assert_eq!(judge_with("expires_in", lifetime.clone()).unwrap().expires_at, Some(Timestamp::MAX), "{lifetime}");
    }
}

#[test]
fn a22_scopes_that_are_not_named_are_the_requested_ones() {
    let mut provider = oauth_provider();
    provider.scopes = vec!["a".to_owned(), "b".to_owned()];
    let mut answer = token_answer();
    answer.as_object_mut().unwrap().remove("scope");

    assert_eq!(Login::fixed(provider).tokens(&json_response(&answer)).unwrap().scopes, ["a", "b"]);
}

#[test]
fn a22_scopes_that_are_named_are_the_granted_ones() {
    let mut provider = oauth_provider();
    provider.scopes = vec!["a".to_owned(), "b".to_owned()];
    let login = Login::fixed(provider);
    let granted = |scope: &str| {
        let mut answer = token_answer();
        answer["scope"] = json!(scope);
        login.tokens(&json_response(&answer)).unwrap().scopes
    };

    assert_eq!(granted("a"), ["a"]);
    assert_eq!(granted(" a  c,d "), ["a", "c,d"]);
    // An empty list is none, not all of those that were asked for.
    assert_eq!(granted(""), Vec::<String>::new());
}

#[test]
fn a24_an_openid_provider_must_send_an_id_token() {
    let login = Login::openid();

    assert_rejected!(login.tokens(&json_response(&token_answer())), TokenError::MissingIdToken);
    for nothing in [json!(null), json!("")] {
        let mut answer = token_answer();
        answer["id_token"] = nothing;
        assert_rejected!(login.tokens(&json_response(&answer)), TokenError::MissingIdToken);
    }
    assert_eq!(login.tokens_with("a.b.c").id_token.unwrap().expose(), "a.b.c");
}

#[test]
fn a26_the_nonce_stays_with_the_tokens() {
    let login = Login::openid();

    assert_eq!(login.tokens_with("a.b.c").nonce.unwrap().expose(), login.nonce());
}

#[test]
fn a28_an_id_token_that_nothing_could_validate_is_dropped() {
    assert!(judge_with("id_token", json!("a.b.c")).unwrap().id_token.is_none());
}

#[test]
fn c_huge_answers_are_refused_by_their_size() {
    let padded = |bytes: usize| {
        let mut body = token_answer().to_string();
        body.push_str(&" ".repeat(bytes - body.len()));
        judge(&response(200, "application/json", body))
    };

    assert_eq!(MAXIMUM_TOKEN_RESPONSE_BYTES, 65_536);
    assert!(padded(MAXIMUM_TOKEN_RESPONSE_BYTES).is_ok());
    assert_rejected!(padded(MAXIMUM_TOKEN_RESPONSE_BYTES + 1), TokenError::TooLarge);
}

#[test]
fn c_deep_nesting_is_refused() {
    assert_rejected!(judge(&response(200, "application/json", deeply_nested(8000))), TokenError::Malformed(JsonError::Malformed(_)));
    assert_rejected!(
        judge(&response(200, "application/json", "[".repeat(MAXIMUM_TOKEN_RESPONSE_BYTES))),
        TokenError::Malformed(JsonError::Malformed(_))
    );
}

#[test]
fn the_time_of_the_answer_counts() {
    let later = after(Duration::from_secs(7));

    let tokens = Login::oauth().exchange().1.process(&json_response(&token_answer()), later).unwrap();

    assert_eq!(tokens.expires_at, Some(later + Duration::from_hours(1)));
    assert_ne!(later, now());
}

#[test]
fn every_error_about_a_token_response_has_a_stable_code() {
    let code = |result: Result<TokenResponse, TokenError>| result.unwrap_err().code();
    let form_twice = || {
        let mut provider = oauth_provider();
        provider.form_encoded_token_response = true;
        Login::fixed(provider).tokens(&response(200, "application/x-www-form-urlencoded", "a=b&a=c"))
    };

    assert_eq!(code(judge(&response(503, "text/html", ""))), "token_endpoint_unavailable");
    assert_eq!(code(judge(&response(200, "application/json", " ".repeat(MAXIMUM_TOKEN_RESPONSE_BYTES + 1)))), "token_response_too_large");
    assert_eq!(code(judge_with("error", json!("invalid_grant"))), "token_provider_error");
    assert_eq!(code(judge(&response(404, "text/html", ""))), "token_unexpected_status");
    assert_eq!(code(judge(&response(200, "text/html", ""))), "token_response_not_json");
    assert_eq!(code(judge(&response(200, "application/json", "{"))), "token_response_malformed");
    assert_eq!(code(form_twice()), "token_response_parameter_repeated");
    assert_eq!(code(judge_without("access_token")), "token_response_member_missing");
    assert_eq!(code(judge_with("access_token", json!(1))), "token_response_member_invalid");
    assert_eq!(code(judge_with("token_type", json!("mac"))), "token_type_unsupported");
    assert_eq!(code(Login::openid().tokens(&json_response(&token_answer()))), "token_id_token_missing");
    assert_eq!(TokenError::WrongProvider.code(), "token_wrong_provider");
}
