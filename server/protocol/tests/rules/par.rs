//! Pushed authorization requests. [RFC 9126](https://www.rfc-editor.org/rfc/rfc9126)

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use oauth2flow_protocol::authorize::AuthorizationRequestError;
use oauth2flow_protocol::par::{self, MAXIMUM_PAR_RESPONSE_BYTES, MAXIMUM_REQUEST_URI_BYTES, ParError, PendingPush, PushedRequest};
use oauth2flow_protocol::provider::{ClientAuth, ParPolicy};
use oauth2flow_protocol::token::TokenErrorCode;
use oauth2flow_protocol::{AuthorizationOptions, JsonError, Method, OutboundRequest, OutboundResponse, Prompt, Provider, ProviderMetadata};
use serde_json::{Value, json};

use crate::client_key::{client_key, verified};
use crate::support::{
    CLIENT_ID, CLIENT_SECRET, Login, after, assert_not_implemented, assert_rejected, deeply_nested, form, metadata, now, openid_provider,
    parameters, read_metadata, response, url, with_context,
};

const REQUEST_URI: &str = "urn:ietf:params:oauth:request_uri:bwc4JK-ESC0w8acc191e-Y1LTC2";

/// The metadata of a provider that takes pushed requests.
fn offering() -> ProviderMetadata {
    offering_with(|_| {})
}

fn offering_with(change: impl FnOnce(&mut Value)) -> ProviderMetadata {
    let mut document = crate::support::metadata_document();
    document["pushed_authorization_request_endpoint"] = json!("https://login.example/tenant/par");
    change(&mut document);
    read_metadata(&document).unwrap()
}

fn demanding() -> ProviderMetadata {
    offering_with(|document| document["require_pushed_authorization_requests"] = json!(true))
}

fn with_policy(par: ParPolicy) -> Provider {
    let mut provider = openid_provider();
    provider.par = par;
    provider
}

fn push(login: &Login) -> Result<(OutboundRequest, PendingPush), ParError> {
    with_context(7, |context| par::request(&login.provider, &login.metadata, &login.transaction, context))
}

fn judge_at(time: Timestamp, answer: &OutboundResponse) -> Result<PushedRequest, ParError> {
    push(&Login::begin(openid_provider(), offering())).unwrap().1.process(answer, time)
}

fn judge(answer: &OutboundResponse) -> Result<PushedRequest, ParError> {
    judge_at(now(), answer)
}

fn answer(body: &Value) -> OutboundResponse {
    response(201, "application/json", body.to_string())
}

fn judge_with(name: &str, value: Value) -> Result<PushedRequest, ParError> {
    let mut body = json!({ "request_uri": REQUEST_URI, "expires_in": 60 });
    body[name] = value;
    judge(&answer(&body))
}

#[test]
fn rfc_9126_section_5_a_request_is_pushed_where_that_is_offered_or_demanded() {
    let uses = |par, metadata: &ProviderMetadata| par::uses(&with_policy(par), metadata);
    let impossible = offering_with(|document| {
        document["pushed_authorization_request_endpoint"] = json!(null);
        document["require_pushed_authorization_requests"] = json!(true);
    });

    assert!(!uses(ParPolicy::Auto, &metadata()).unwrap());
    assert!(uses(ParPolicy::Auto, &offering()).unwrap());
    assert!(uses(ParPolicy::Auto, &demanding()).unwrap());
    assert!(uses(ParPolicy::Always, &offering()).unwrap());
    assert!(!uses(ParPolicy::Never, &offering()).unwrap());
    assert!(!uses(ParPolicy::Never, &metadata()).unwrap());
    assert_rejected!(uses(ParPolicy::Always, &metadata()), ParError::NotOffered);
    assert_rejected!(uses(ParPolicy::Never, &demanding()), ParError::Required);
    assert_rejected!(uses(ParPolicy::Auto, &impossible), ParError::NotOffered);
}

#[test]
fn rfc_9126_section_2_1_the_whole_request_is_pushed_with_the_clients_authentication() {
    let login = Login::begin(openid_provider(), offering());

    let (request, _) = push(&login).unwrap();

    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url.as_str(), "https://login.example/tenant/par");
    assert_eq!(request.header("accept"), Some("application/json"));
    assert!(request.header("authorization").unwrap().starts_with("Basic "));
    assert_eq!(form(&request), login.request(), "what would have gone through the browser, and nothing else");
}

#[test]
fn rfc_9126_section_2_1_each_way_to_prove_the_client_works_and_names_it_once() {
    for auth in [ClientAuth::Post, ClientAuth::PrivateKeyJwt, ClientAuth::None, ClientAuth::TlsClientAuth] {
        let mut provider = openid_provider();
        provider.client_auth = auth;
        provider.signing_key = Some(client_key(oauth2flow_protocol::SigningAlgorithm::Es256));

        // That no parameter occurs twice is checked by `form`.
        let form = form(&push(&Login::begin(provider, offering())).unwrap().0);

        assert_eq!(form["client_id"], CLIENT_ID);
        assert_eq!(form.get("client_secret").map(String::as_str), (auth == ClientAuth::Post).then_some(CLIENT_SECRET), "{auth:?}");
        assert_eq!(form.contains_key("client_assertion"), auth == ClientAuth::PrivateKeyJwt, "{auth:?}");
    }
}

#[test]
fn rfc_9126_section_3_a_signed_request_is_pushed_as_such() {
    let mut provider = openid_provider();
    let key = client_key(oauth2flow_protocol::SigningAlgorithm::Es256);
    (provider.request_object, provider.signing_key) = (true, Some(key.clone()));
    let login = Login::begin(provider, offering());

    let form = form(&push(&login).unwrap().0);

    assert_eq!(form.keys().collect::<Vec<_>>(), ["client_id", "request"]);
    let (_, claims) = verified(&form["request"], &key.public_jwk());
    assert_eq!(claims["state"], login.state());
    assert_eq!(claims["client_id"], CLIENT_ID);
}

#[test]
fn rfc_9126_section_4_the_browser_carries_the_client_and_the_name_of_the_request_only() {
    let metadata = offering_with(|document| {
        document["authorization_endpoint"] = json!("https://login.example/authorize?tenant=a%26b&state=planted&request_uri=planted");
    });
    let login = Login::begin(openid_provider(), metadata);
    let pushed = push(&login).unwrap().1.process(&answer(&json!({ "request_uri": REQUEST_URI, "expires_in": 60 })), now()).unwrap();

    let url = url(&par::authorization_url(pushed));

    assert!(url.as_str().starts_with("https://login.example/authorize?"), "{url}");
    let expected = [("client_id", CLIENT_ID), ("request_uri", REQUEST_URI), ("tenant", "a&b")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(parameters(url.query().unwrap()), BTreeMap::from(expected));
}

#[test]
fn rfc_9126_section_4_a_pushed_request_is_spent_once() {
    assert_not_implemented!(PushedRequest, Clone);
    assert_not_implemented!(PendingPush, Clone);
}

#[test]
fn rfc_9126_section_2_2_the_answer_says_how_long_it_counts() {
    assert_eq!(judge_with("expires_in", json!(90)).unwrap().expires_at(), after(Duration::from_secs(90)));
    let later = after(Duration::from_secs(5));
    let body = answer(&json!({ "request_uri": REQUEST_URI, "expires_in": 60, "more": true }));
    assert_eq!(judge_at(later, &body).unwrap().expires_at(), after(Duration::from_secs(65)));
    assert_eq!(judge_with("expires_in", json!(i64::MAX)).unwrap().expires_at(), Timestamp::MAX);
    for wrong in [json!(0), json!(-1), json!("60"), json!(true), json!([60]), json!(0.5)] {
        assert_rejected!(judge_with("expires_in", wrong.clone()), ParError::InvalidMember("expires_in"), "{wrong}");
    }
    assert_rejected!(judge_with("expires_in", json!(null)), ParError::MissingMember("expires_in"));
}

#[test]
fn rfc_9126_section_2_2_the_name_of_the_request_is_an_address() {
    for uri in [REQUEST_URI, "urn:example:1", "https://login.example/requests/1?a=b&c=%20#x"] {
        let url = url(&par::authorization_url(judge_with("request_uri", json!(uri)).unwrap()));
        assert_eq!(parameters(url.query().unwrap())["request_uri"], uri);
    }
    let long = format!("urn:{}", "a".repeat(MAXIMUM_REQUEST_URI_BYTES - 4));
    assert!(judge_with("request_uri", json!(long)).is_ok());
    for uri in ["", "requests/1", "urn:a b", "urn:a\r\nb", "urn:\u{e4}", "//login.example", &format!("{long}a")] {
        assert_rejected!(judge_with("request_uri", json!(uri)), ParError::InvalidMember("request_uri"), "{uri}");
    }
    for wrong in [json!(17), json!(["urn:a"]), json!({})] {
        assert_rejected!(judge_with("request_uri", wrong.clone()), ParError::InvalidMember("request_uri"), "{wrong}");
    }
    assert_rejected!(judge_with("request_uri", json!(null)), ParError::MissingMember("request_uri"));
}

#[test]
fn rfc_9126_section_2_2_the_status_is_201() {
    let body = json!({ "request_uri": REQUEST_URI, "expires_in": 60 }).to_string();
    assert!(judge(&response(201, "application/json", body.clone())).is_ok());
    for status in [200, 202, 204, 302, 400, 404, 405, 413] {
        match judge(&response(status, "application/json", body.clone())) {
            Err(ParError::UnexpectedStatus { status: reported }) => assert_eq!(reported, status),
            other => panic!("{status}: {other:?}"),
        }
    }
    for status in [429, 500, 503] {
        match judge(&response(status, "application/json", body.clone())) {
            Err(ParError::Unavailable { status: reported }) => assert_eq!(reported, status),
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn rfc_9126_section_2_3_an_error_is_one_whatever_its_status() {
    for (status, error, expected) in [
        (400, "invalid_request", TokenErrorCode::InvalidRequest),
        (401, "invalid_client", TokenErrorCode::InvalidClient),
        (400, "invalid_scope", TokenErrorCode::InvalidScope),
        (403, "unauthorized_client", TokenErrorCode::UnauthorizedClient),
        (400, "invalid_target", TokenErrorCode::InvalidTarget),
        (201, "access_denied", TokenErrorCode::Other),
    ] {
        let body = json!({ "error": error, "error_description": "a\nb", "request_uri": REQUEST_URI, "expires_in": 60 });
        match judge(&response(status, "application/json", body.to_string())) {
            Err(ParError::Provider { kind, error: reported, description, status: with }) => {
                assert_eq!((kind, reported.as_str(), with), (expected, error, status));
                assert_eq!(description.unwrap().as_str(), "a b");
            }
            other => panic!("{error}: {other:?}"),
        }
    }
    assert_rejected!(judge_with("error", json!({})), ParError::Provider { kind: TokenErrorCode::Other, description: None, .. });
    assert!(judge_with("error", json!(null)).is_ok());
}

#[test]
fn rfc_9126_section_2_2_what_is_not_json_is_refused() {
    assert_rejected!(judge(&response(201, "text/html", "<html>")), ParError::NotJson);
    assert_rejected!(judge(&response(404, "text/html", "<html>")), ParError::UnexpectedStatus { status: 404 });
    assert_rejected!(judge(&response(201, "application/json", "[]")), ParError::Malformed(JsonError::NotAnObject));
    assert_rejected!(judge(&response(201, "application/json", "{")), ParError::Malformed(JsonError::Malformed(_)));
    assert_rejected!(judge(&response(400, "application/json", "{")), ParError::UnexpectedStatus { status: 400 });
    let twice = format!(r#"{{"request_uri":"{REQUEST_URI}","expires_in":60,"request_uri":"urn:b"}}"#);
    assert_rejected!(judge(&response(201, "application/json", twice)), ParError::Malformed(JsonError::Malformed(_)));
}

#[test]
fn c_huge_answers_to_a_pushed_request_are_refused_by_their_size() {
    let mut body = json!({ "request_uri": REQUEST_URI, "expires_in": 60 }).to_string();
    body.push_str(&" ".repeat(MAXIMUM_PAR_RESPONSE_BYTES - body.len()));

    assert!(judge(&response(201, "application/json", body.clone())).is_ok());
    assert_rejected!(judge(&response(201, "application/json", format!("{body} "))), ParError::TooLarge);
    assert_rejected!(judge(&response(201, "application/json", deeply_nested(8000))), ParError::Malformed(_));
}

#[test]
fn rfc_9126_section_5_a_request_that_must_be_pushed_does_not_go_through_the_browser() {
    for (provider, metadata) in [(openid_provider(), demanding()), (with_policy(ParPolicy::Always), offering())] {
        assert_rejected!(Login::begin(provider, metadata).try_url(), AuthorizationRequestError::MustBePushed);
    }
    assert!(Login::begin(openid_provider(), offering()).try_url().is_ok());
    assert!(Login::begin(with_policy(ParPolicy::Never), demanding()).try_url().is_ok());
}

#[test]
fn nothing_is_pushed_that_could_not_be_asked_for() {
    let options = AuthorizationOptions { prompt: vec![Prompt::None, Prompt::Login], ..AuthorizationOptions::default() };
    let login = Login::begin_with(1, options, openid_provider(), offering());

    match push(&login) {
        Err(error @ ParError::Request(AuthorizationRequestError::SilentPromptCombined)) => {
            assert_eq!(error.code(), "authorization_prompt_combined");
        }
        other => panic!("{other:?}"),
    }
    let mut provider = openid_provider();
    provider.client_secret = None;
    assert_rejected!(push(&Login::begin(provider, offering())), ParError::ClientAuth(_));
    assert_rejected!(push(&Login::openid()), ParError::NotOffered);
    assert_rejected!(push(&Login::begin(with_policy(ParPolicy::Never), demanding())), ParError::Required);
}

#[test]
fn rfc_8705_section_5_a_client_with_a_certificate_pushes_to_the_alias() {
    let metadata = offering_with(|document| {
        document["mtls_endpoint_aliases"] = json!({ "pushed_authorization_request_endpoint": "https://mtls.login.example/par" });
    });
    let at = |auth| {
        let mut provider = openid_provider();
        provider.client_auth = auth;
        push(&Login::begin(provider, metadata.clone())).unwrap().0.url.to_string()
    };

    assert_eq!(at(ClientAuth::TlsClientAuth), "https://mtls.login.example/par");
    assert_eq!(at(ClientAuth::SelfSignedTls), "https://mtls.login.example/par");
    assert_eq!(at(ClientAuth::Post), "https://login.example/tenant/par");
}

#[test]
fn a20_a_pushed_request_does_not_print_its_name() {
    let (request, pending) = push(&Login::begin(openid_provider(), offering())).unwrap();
    let state = form(&request)["state"].clone();
    assert!(!format!("{request:?} {pending:?}").contains(&state));

    let pushed = pending.process(&answer(&json!({ "request_uri": REQUEST_URI, "expires_in": 60 })), now()).unwrap();

    assert!(format!("{pushed:?}").starts_with("PushedRequest"));
    assert!(!format!("{pushed:?}").contains("bwc4JK"));
}

#[test]
fn every_error_about_a_pushed_request_has_a_stable_code() {
    let code = |result: Result<PushedRequest, ParError>| result.unwrap_err().code();

    assert_eq!(code(judge(&response(503, "text/html", ""))), "par_unavailable");
    assert_eq!(code(judge(&response(201, "application/json", " ".repeat(MAXIMUM_PAR_RESPONSE_BYTES + 1)))), "par_response_too_large");
    assert_eq!(code(judge_with("error", json!("invalid_request"))), "par_provider_error");
    assert_eq!(code(judge(&response(404, "text/html", ""))), "par_unexpected_status");
    assert_eq!(code(judge(&response(201, "text/html", ""))), "par_response_not_json");
    assert_eq!(code(judge(&response(201, "application/json", "{"))), "par_response_malformed");
    assert_eq!(code(judge_with("request_uri", json!(null))), "par_response_member_missing");
    assert_eq!(code(judge_with("request_uri", json!(1))), "par_response_member_invalid");
    assert_eq!(par::uses(&with_policy(ParPolicy::Always), &metadata()).unwrap_err().code(), "par_not_offered");
    assert_eq!(par::uses(&with_policy(ParPolicy::Never), &demanding()).unwrap_err().code(), "par_required");
    let mut provider = openid_provider();
    provider.client_secret = None;
    assert_eq!(push(&Login::begin(provider, offering())).unwrap_err().code(), "client_auth_secret_missing");
}
