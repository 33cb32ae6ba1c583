//! Who the user is. [Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)

use oauth2flow_protocol::access::EmailAddress;
use oauth2flow_protocol::jws::JwsError;
use oauth2flow_protocol::provider::{IssuerRule, ProviderKind, SignedUserInfo, UserMapping};
use oauth2flow_protocol::userinfo::{self, MAXIMUM_USERINFO_BYTES, UserInfoError};
use oauth2flow_protocol::{
    AccessToken, JsonError, JwkSet, Method, OutboundResponse, Provider, SigningAlgorithm, User, ValidatedIdToken, discovery, preset,
};
use serde_json::{Value, json};

use crate::signing_key::{SigningKey, key_set, sign_with_secret, unsigned};
use crate::support::{
    ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, ISSUER, Login, START, SUBJECT, assert_rejected, client_secret, deeply_nested, json_response,
    metadata, metadata_with, now, oauth_provider, openid_provider, response,
};

fn description() -> Value {
    json!({
        "sub": SUBJECT,
        "name": "Alice Example",
        "preferred_username": "alice",
        "email": "alice@example.com",
        "email_verified": true,
        "picture": "https://pictures.example/alice.png",
    })
}

/// The validated ID token of the user that these tests describe.
fn id_token() -> ValidatedIdToken {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    login.judge(&key.sign(&login.claims()), &key_set(&[&key])).unwrap()
}

fn judge(answer: &OutboundResponse) -> Result<User, UserInfoError> {
    judge_as(&openid_provider(), answer)
}

/// What becomes of a plain description beside the ID token.
fn judge_as(provider: &Provider, answer: &OutboundResponse) -> Result<User, UserInfoError> {
    userinfo::process(answer, provider, &metadata(), None, Some(&id_token()), now())
}

/// What becomes of a plain description of a provider without ID tokens.
fn judge_alone(provider: &Provider, answer: &OutboundResponse) -> Result<User, UserInfoError> {
    userinfo::process(answer, provider, &provider.fixed_metadata().unwrap(), None, None, now())
}

fn judge_with(name: &str, value: Value) -> User {
    let mut description = description();
    description[name] = value;
    judge(&json_response(&description)).unwrap()
}

/// What an OAuth 2.0 provider's description becomes under a mapping of the identifier.
fn judge_oauth(id: &str, description: &Value) -> Result<User, UserInfoError> {
    let mut provider = oauth_provider();
    id.clone_into(&mut provider.user_mapping.id);
    judge_alone(&provider, &json_response(description))
}

#[test]
fn b_userinfo_bearer_header_is_how_the_token_goes_out() {
    let token = AccessToken::new(ACCESS_TOKEN.to_owned());

    let request = userinfo::request(&openid_provider(), &metadata(), &token).unwrap();

    assert_eq!(request.method, Method::Get);
    assert_eq!(request.url.as_str(), "https://login.example/tenant/userinfo");
    assert_eq!(request.header("authorization"), Some("Bearer access-token-from-the-provider"));
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.body, None);
}

#[test]
fn b_userinfo_bearer_header_is_not_replaced_by_an_extra_one() {
    let mut provider = openid_provider();
    provider.extra_request_headers = vec![("authorization", "Basic injected".to_owned()), ("x-tenant", "a".to_owned())];

    let request = userinfo::request(&provider, &metadata(), &AccessToken::new("token".to_owned())).unwrap();

    assert_eq!(request.header("authorization"), Some("Bearer token"));
    assert_eq!(request.header("x-tenant"), Some("a"));
    assert_eq!(request.headers.len(), 3);
}

#[test]
fn without_an_endpoint_there_is_no_request() {
    let token = AccessToken::new(ACCESS_TOKEN.to_owned());

    assert!(userinfo::request(&openid_provider(), &metadata_with("userinfo_endpoint", json!(null)), &token).is_none());
    assert!(userinfo::emails_request(&openid_provider(), &token).is_none());
}

#[test]
fn a30_the_description_of_the_right_user_is_read() {
    let user = judge(&json_response(&description())).unwrap();

    assert_eq!((user.issuer.as_str(), user.sub.as_str()), (ISSUER, SUBJECT));
    assert_eq!((user.name.as_deref(), user.login.as_deref()), (Some("Alice Example"), Some("alice")));
    assert_eq!((user.email.as_deref(), user.email_verified), (Some("alice@example.com"), Some(true)));
    assert_eq!(user.picture.as_deref(), Some("https://pictures.example/alice.png"));
}

#[test]
fn b_userinfo_invalid_sub_is_rejected() {
    for subject in ["somebody-else", "USER-248289761001", "user-248289761001 ", "user-24828976100"] {
        let mut description = description();
        description["sub"] = json!(subject);

        assert_rejected!(judge(&json_response(&description)), UserInfoError::SubjectMismatch, "{subject}");
    }
}

#[test]
fn a30_a_description_without_sub_is_rejected() {
    for subject in [json!(null), json!(""), json!(true), json!(1.5), json!([SUBJECT]), json!("x".repeat(256))] {
        let mut description = description();
        description["sub"] = subject.clone();

        assert_rejected!(judge(&json_response(&description)), UserInfoError::MissingIdentifier, "{subject}");
    }
    assert_rejected!(judge(&json_response(&json!({}))), UserInfoError::MissingIdentifier);
}

#[test]
fn a26_without_a_validated_id_token_an_openid_providers_description_is_not_used() {
    let result = userinfo::process(&json_response(&description()), &openid_provider(), &metadata(), None, None, now());

    assert_rejected!(result, UserInfoError::MissingExpectedSubject);
}

#[test]
fn a30_the_mapping_of_an_openid_provider_cannot_move_the_identifier() {
    let mut provider = openid_provider();
    provider.user_mapping.id = "email".to_owned();

    let user = judge_as(&provider, &json_response(&description())).unwrap();

    assert_eq!(user.sub, SUBJECT);
}

/// The claims of a signed description that holds.
fn signed_description() -> Value {
    let mut claims = description();
    claims["iss"] = json!(ISSUER);
    claims["aud"] = json!(CLIENT_ID);
    claims
}

/// What becomes of a signed description at a provider that says it signs with these algorithms.
fn judge_signed_under(declared: Value, provider: &Provider, token: &str, keys: Option<&JwkSet>) -> Result<User, UserInfoError> {
    let metadata = metadata_with("userinfo_signing_alg_values_supported", declared);
    userinfo::process(&response(200, "application/jwt", token), provider, &metadata, keys, Some(&id_token()), now())
}

fn judge_signed(token: &str, keys: &JwkSet) -> Result<User, UserInfoError> {
    judge_signed_under(json!(["ES256", "none"]), &openid_provider(), token, Some(keys))
}

fn judge_signed_with(name: &str, value: Value) -> Result<User, UserInfoError> {
    let key = SigningKey::es256("key-1");
    let mut claims = signed_description();
    claims[name] = value;
    judge_signed(&key.sign(&claims), &key_set(&[&key]))
}

#[test]
fn b_userinfo_signed_is_accepted() {
    let key = SigningKey::es256("key-1");
    let token = key.sign(&signed_description());

    let user = judge_signed(&token, &key_set(&[&key])).unwrap();

    assert_eq!(user, judge(&json_response(&description())).unwrap());
    assert_eq!(judge_signed(&format!("{token}\r\n"), &key_set(&[&key])).unwrap(), user);
    for content_type in ["application/jwt; charset=utf-8", "Application/JWT"] {
        let answer = response(200, content_type, token.clone());
        assert!(userinfo::is_signed(&answer), "{content_type}");
        let result = userinfo::process(
            &answer,
            &openid_provider(),
            &metadata_with("userinfo_signing_alg_values_supported", json!(["ES256"])),
            Some(&key_set(&[&key])),
            Some(&id_token()),
            now(),
        );
        assert!(result.is_ok(), "{content_type}");
    }
}

#[test]
fn b_userinfo_signed_is_told_from_a_plain_one_by_its_content_type() {
    let key = SigningKey::es256("key-1");
    let token = key.sign(&signed_description());

    assert!(userinfo::is_signed(&response(200, "application/jwt", token.clone())));
    for (status, content_type) in [(200, "application/json"), (200, "text/plain"), (200, "application/jwt+json"), (401, "application/jwt")]
    {
        assert!(!userinfo::is_signed(&response(status, content_type, token.clone())), "{status} {content_type}");
    }
    assert_rejected!(judge(&response(200, "application/json", token.clone())), UserInfoError::Malformed(_));
    assert_rejected!(judge(&response(200, "text/plain", token)), UserInfoError::NotJson);
    // And JSON is no signed token.
    let result = judge_signed(&description().to_string(), &key_set(&[&key]));
    assert_rejected!(result, UserInfoError::Jws(JwsError::NotCompact));
}

#[test]
fn b_userinfo_signed_may_be_demanded() {
    let mut provider = openid_provider();
    provider.userinfo_signed = SignedUserInfo::Require;
    let key = SigningKey::es256("key-1");

    assert_rejected!(judge_as(&provider, &json_response(&description())), UserInfoError::NotSigned);
    let token = key.sign(&signed_description());
    assert!(judge_signed_under(json!(["ES256"]), &provider, &token, Some(&key_set(&[&key]))).is_ok());
}

#[test]
fn a28_the_signature_of_a_description_is_verified() {
    let (key, other) = (SigningKey::es256("key-1"), SigningKey::es256("key-1"));
    let token = key.sign(&signed_description());

    assert_rejected!(judge_signed(&token, &key_set(&[&other])), UserInfoError::Jws(JwsError::InvalidSignature));
    let none = unsigned(&json!({ "alg": "none" }), &signed_description());
    assert_rejected!(judge_signed(&none, &key_set(&[&key])), UserInfoError::Jws(JwsError::AlgorithmNone));
    let secret = sign_with_secret(CLIENT_SECRET.as_bytes(), &json!({ "alg": "HS256" }), &signed_description());
    assert_rejected!(judge_signed(&secret, &key_set(&[&key])), UserInfoError::Jws(JwsError::SymmetricAlgorithm));
    assert_rejected!(judge_signed("a.b.c.d.e", &key_set(&[&key])), UserInfoError::Jws(JwsError::Encrypted));
    let mut header = key.header();
    header["typ"] = json!("at+jwt");
    let access_token = key.sign_with_header(&header, &signed_description());
    assert_rejected!(judge_signed(&access_token, &key_set(&[&key])), UserInfoError::Jws(JwsError::WrongTokenType(_)));
    let not_text = userinfo::process(
        &response(200, "application/jwt", vec![0xff, 0xfe]),
        &openid_provider(),
        &metadata(),
        Some(&key_set(&[&key])),
        Some(&id_token()),
        now(),
    );
    assert_rejected!(not_text, UserInfoError::Jws(JwsError::NotCompact));
    assert_rejected!(judge_signed_under(json!(["ES256"]), &openid_provider(), &token, None), UserInfoError::NoKeys);
}

#[test]
fn a28_the_algorithm_of_a_description_is_pinned_by_metadata_and_configuration() {
    let key = SigningKey::es256("key-1");
    let token = key.sign(&signed_description());
    let judge_under = |declared: Value, configured: &[SigningAlgorithm]| {
        let mut provider = openid_provider();
        provider.id_token_algorithms = configured.to_vec();
        judge_signed_under(declared, &provider, &token, Some(&key_set(&[&key])))
    };

    assert!(judge_under(json!(["ES256"]), &[]).is_ok());
    // What is declared for ID tokens, RS256 and ES256, counts where nothing is declared for descriptions.
    assert!(judge_under(json!(null), &[]).is_ok());
    for (declared, configured) in [(json!(["RS256"]), &[][..]), (json!(["none"]), &[]), (json!(["ES256"]), &[SigningAlgorithm::Rs256])] {
        let result = judge_under(declared.clone(), configured);
        assert_rejected!(result, UserInfoError::Jws(JwsError::AlgorithmNotAllowed(SigningAlgorithm::Es256)), "{declared}");
    }
}

#[test]
fn a31_a_description_of_an_unknown_key_asks_for_fresh_keys() {
    let (old, new) = (SigningKey::es256("old"), SigningKey::es256("new"));
    let token = new.sign(&signed_description());

    assert!(judge_signed(&token, &key_set(&[&old])).unwrap_err().wants_fresh_keys());
    assert!(judge_signed(&token, &key_set(&[&new])).is_ok());
    assert!(!judge_signed_with("sub", json!("somebody-else")).unwrap_err().wants_fresh_keys());
}

#[test]
fn a24_a_signed_description_is_from_the_issuer() {
    for issuer in ["https://evil.example", "https://login.example/tenant/", ""] {
        assert_rejected!(judge_signed_with("iss", json!(issuer)), UserInfoError::IssuerMismatch, "{issuer}");
    }
    assert_rejected!(judge_signed_with("iss", json!(null)), UserInfoError::MissingClaim("iss"));
    assert_rejected!(judge_signed_with("iss", json!([ISSUER])), UserInfoError::InvalidClaim("iss"));
}

#[test]
fn a24_a_signed_description_is_for_this_client() {
    for audience in [json!("app-2"), json!(["app-2"]), json!([]), json!("")] {
        assert_rejected!(judge_signed_with("aud", audience.clone()), UserInfoError::AudienceMismatch, "{audience}");
    }
    assert_rejected!(judge_signed_with("aud", json!(null)), UserInfoError::MissingClaim("aud"));
    assert_rejected!(judge_signed_with("aud", json!(1)), UserInfoError::InvalidClaim("aud"));
    assert!(judge_signed_with("aud", json!(["app-2", CLIENT_ID])).is_ok());
}

#[test]
fn a25_a_signed_description_that_has_times_is_held_to_them() {
    assert!(judge_signed_with("exp", json!(START - 59)).is_ok());
    assert_rejected!(judge_signed_with("exp", json!(START - 60)), UserInfoError::Expired);
    assert!(judge_signed_with("exp", json!(i64::MAX)).is_ok());
    assert_rejected!(judge_signed_with("exp", json!("later")), UserInfoError::InvalidClaim("exp"));
    assert!(judge_signed_with("nbf", json!(START + 60)).is_ok());
    assert_rejected!(judge_signed_with("nbf", json!(START + 61)), UserInfoError::InvalidClaim("nbf"));
    assert_rejected!(judge_signed_with("nbf", json!("now")), UserInfoError::InvalidClaim("nbf"));
}

#[test]
fn a30_a_signed_description_of_somebody_else_is_rejected() {
    assert_rejected!(judge_signed_with("sub", json!("somebody-else")), UserInfoError::SubjectMismatch);
    assert_rejected!(judge_signed_with("sub", json!(null)), UserInfoError::MissingIdentifier);
}

#[test]
fn a24_a_signed_description_of_a_provider_whose_issuer_nobody_knows_is_rejected() {
    let (provider, key) = (oauth_provider(), SigningKey::rs256("key-1"));
    let mut claims = signed_description();
    claims["uid"] = json!(SUBJECT);
    let answer = response(200, "application/jwt", key.sign(&claims));

    let result = userinfo::process(&answer, &provider, &provider.fixed_metadata().unwrap(), Some(&key_set(&[&key])), None, now());

    assert_rejected!(result, UserInfoError::IssuerMismatch);
}

#[test]
fn a24_a_discovered_provider_without_id_tokens_may_sign_its_descriptions() {
    let (mut provider, key) = (oauth_provider(), SigningKey::rs256("key-1"));
    provider.kind = ProviderKind::OAuthDiscovered { issuer: ISSUER.to_owned(), userinfo: None };
    let mut claims = signed_description();
    claims["uid"] = json!(17);
    let judge = |claims: &Value| {
        let answer = response(200, "application/jwt", key.sign(claims));
        userinfo::process(&answer, &provider, &metadata(), Some(&key_set(&[&key])), None, now())
    };

    let user = judge(&claims).unwrap();
    assert_eq!((user.issuer.as_str(), user.sub.as_str()), (ISSUER, "17"));
    claims["aud"] = json!("app-2");
    assert_rejected!(judge(&claims), UserInfoError::AudienceMismatch);
}

#[test]
fn a33_the_issuer_of_a_user_is_that_of_the_id_token() {
    let (issuer, tenant) = ("https://login.example/common", "9188040d-6c67-4c5b-b112-36a304b66dad");
    let mut provider = openid_provider();
    provider.kind = ProviderKind::OpenId { issuer: issuer.to_owned() };
    provider.issuer_rule = IssuerRule::TenantTemplate;
    let mut document = crate::support::metadata_document();
    document["issuer"] = json!("https://login.example/{tenantid}");
    document["authorization_response_iss_parameter_supported"] = json!(false);
    let metadata = discovery::process_metadata(&provider, &json_response(&document)).unwrap();
    let (login, key) = (Login::begin(provider.clone(), metadata.clone()), SigningKey::es256("key-1"));
    let mut claims = login.claims();
    claims["tid"] = json!(tenant);
    claims["iss"] = json!(format!("https://login.example/{tenant}"));
    claims.as_object_mut().unwrap().remove("name").unwrap();
    let token = login.judge(&key.sign(&claims), &key_set(&[&key])).unwrap();

    let from_token = User::from_id_token(&token, &provider);
    let described = userinfo::process(&json_response(&description()), &provider, &metadata, None, Some(&token), now()).unwrap();

    assert_eq!(from_token.issuer, format!("https://login.example/{tenant}"));
    assert_eq!(described.issuer, from_token.issuer);
    assert_eq!(from_token.completed_with(&described).name.as_deref(), Some("Alice Example"));
}

#[test]
fn a33_what_is_left_to_somebody_else_describes_nobody() {
    // Core §5.6.2: one claim in a token of another issuer, one at another address, with the token for it.
    let mut description = description();
    description.as_object_mut().unwrap().remove("email").unwrap();
    description["_claim_names"] = json!({ "email": "src1", "picture": "src2" });
    description["_claim_sources"] = json!({
        "src1": { "JWT": unsigned(&json!({ "alg": "none" }), &json!({ "email": "chief@example.com" })), "email": "chief@example.com" },
        "src2": { "endpoint": "https://evil.example/claims", "access_token": "secret" },
    });
    let mut provider = openid_provider();
    provider.user_mapping.email = Some("/_claim_sources/src1/email".to_owned());
    provider.user_mapping.login = Some("/_claim_sources/src2/access_token".to_owned());

    let user = judge_as(&provider, &json_response(&description)).unwrap();

    assert_eq!((user.email, user.login), (None, None));
    assert_eq!(user.name.as_deref(), Some("Alice Example"));
}

#[test]
fn a33_a_claimed_name_fills_a_gap_and_replaces_nothing() {
    let named = user("a", Some("Alice"), None);

    assert_eq!(named.clone().with_claimed_name(Some("Mallory".to_owned())), named);
    assert_eq!(user("a", None, None).with_claimed_name(Some("Alice".to_owned())), named);
    assert_eq!(user("a", None, None).with_claimed_name(None), user("a", None, None));
}

/// What a provider's refusal says: status, error and description.
fn refusal(result: Result<User, UserInfoError>) -> (u16, String, Option<String>) {
    match result {
        Err(UserInfoError::Provider { status, error, description }) => {
            (status, error.to_string(), description.map(|text| text.to_string()))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a21_slacks_refusal_at_status_200_is_one() {
    let mut provider = oauth_provider();
    provider.user_mapping.id = "user_id".to_owned();
    let judge = |provider: &Provider, body: Value| judge_alone(provider, &json_response(&body));

    // Without the switch, `ok` means nothing.
    assert!(judge(&provider, json!({ "ok": false, "user_id": "U1" })).is_ok());
    provider.error_in_userinfo = true;
    assert!(judge(&provider, json!({ "ok": true, "user_id": "U1" })).is_ok());
    assert!(judge(&provider, json!({ "user_id": "U1" })).is_ok());
    assert_eq!(refusal(judge(&provider, json!({ "ok": false, "error": "invalid_auth" }))), (200, "invalid_auth".to_owned(), None));
    assert_eq!(refusal(judge(&provider, json!({ "ok": false, "user_id": "U1" }))), (200, "an error".to_owned(), None));
}

#[test]
fn a21_facebooks_refusal_is_an_object() {
    let body = json!({ "error": {
        "message": "Error validating access token:\r\nSession has expired", "type": "OAuthException", "code": 190, "fbtrace_id": "x",
    } });

    let result = judge(&response(400, "application/json; charset=UTF-8", body.to_string()));

    let description = "Error validating access token:  Session has expired".to_owned();
    assert_eq!(refusal(result), (400, "OAuthException".to_owned(), Some(description)));
    for nothing in [json!({ "error": {} }), json!({ "error": { "type": 1, "message": [] } })] {
        assert_eq!(refusal(judge(&response(400, "application/json", nothing.to_string()))), (400, "an error".to_owned(), None));
    }
}

#[test]
fn a21_a_refusal_as_rfc_6750_has_it_is_read() {
    let body = json!({ "error": "insufficient_scope", "error_description": "<b>email</b> is\u{202e} needed" }).to_string();

    assert_eq!(
        refusal(judge(&response(403, "application/json", body.clone()))),
        (403, "insufficient_scope".to_owned(), Some("<b>email</b> is  needed".to_owned()))
    );
    // A token that is no longer good is told by the status alone, and what is no JSON says nothing.
    assert_rejected!(judge(&response(401, "application/json", body.clone())), UserInfoError::Unauthorized);
    assert_rejected!(judge(&response(403, "text/plain", body.clone())), UserInfoError::UnexpectedStatus { status: 403 });
    assert_rejected!(judge(&response(403, "application/json", "<html>")), UserInfoError::UnexpectedStatus { status: 403 });
    assert_rejected!(judge(&response(403, "application/json", "[]")), UserInfoError::UnexpectedStatus { status: 403 });
    assert_rejected!(judge(&response(503, "application/json", body)), UserInfoError::Unavailable { status: 503 });
}

#[test]
fn a21_an_answer_that_is_no_json_object_is_rejected() {
    let body = description().to_string();

    assert_rejected!(judge(&response(200, "text/html", body.clone())), UserInfoError::NotJson);
    assert_rejected!(
        judge(&OutboundResponse { status: 200, content_type: None, dpop_nonce: None, link: None, body: body.into_bytes() }),
        UserInfoError::NotJson
    );
    assert_rejected!(judge(&response(200, "application/json", "[]")), UserInfoError::Malformed(JsonError::NotAnObject));
    for body in ["", "<html>", r#"{"sub":"a","sub":"user-248289761001"}"#] {
        assert_rejected!(judge(&response(200, "application/json", body)), UserInfoError::Malformed(JsonError::Malformed(_)), "{body}");
    }
}

#[test]
fn a39_another_status_is_rejected_whatever_the_body() {
    let with_status = |status| judge(&response(status, "application/json", description().to_string()));

    assert_rejected!(with_status(401), UserInfoError::Unauthorized);
    for status in [429, 500, 503] {
        assert_rejected!(with_status(status), UserInfoError::Unavailable { .. }, "{status}");
    }
    for status in [201, 204, 302, 400, 403, 404] {
        assert_rejected!(with_status(status), UserInfoError::UnexpectedStatus { .. }, "{status}");
    }
}

#[test]
fn c_huge_descriptions_are_refused_by_their_size() {
    let padded = |bytes: usize| {
        let mut body = description().to_string();
        body.push_str(&" ".repeat(bytes - body.len()));
        judge(&response(200, "application/json", body))
    };

    assert_eq!(MAXIMUM_USERINFO_BYTES, 65_536);
    assert!(padded(MAXIMUM_USERINFO_BYTES).is_ok());
    assert_rejected!(padded(MAXIMUM_USERINFO_BYTES + 1), UserInfoError::TooLarge);
}

#[test]
fn c_deep_nesting_in_a_description_is_refused() {
    assert_rejected!(judge(&response(200, "application/json", deeply_nested(6000))), UserInfoError::Malformed(JsonError::Malformed(_)));
}

#[test]
fn a33_the_key_of_a_user_is_issuer_and_sub_whatever_the_address() {
    let first = judge_with("email", json!("first@example.com"));
    let second = judge_with("email", json!("second@example.com"));
    let stranger = judge_oauth("uid", &json!({ "uid": SUBJECT, "email": "first@example.com" })).unwrap();

    assert_eq!((&first.issuer, &first.sub), (&second.issuer, &second.sub));
    assert_ne!(first.issuer, stranger.issuer, "the same address and the same sub at another provider are another user");
    assert_eq!(stranger.issuer, "https://plain.example");
}

#[test]
fn a33_the_user_of_an_id_token_has_its_iss_and_sub() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let mut provider = openid_provider();
    provider.user_mapping.id = "email".to_owned();
    let token = login.judge(&key.sign(&login.claims()), &key_set(&[&key])).unwrap();

    let user = User::from_id_token(&token, &provider);

    assert_eq!((user.issuer.as_str(), user.sub.as_str()), (ISSUER, SUBJECT));
    assert_eq!(user.name.as_deref(), Some("Alice Example"));
    assert_eq!(user.email_verified, Some(true));
    assert_eq!(user.login, None);
}

fn user(sub: &str, name: Option<&str>, email: Option<(&str, bool)>) -> User {
    let mut user = judge(&json_response(&json!({ "sub": SUBJECT }))).unwrap();
    sub.clone_into(&mut user.sub);
    user.name = name.map(str::to_owned);
    user.email = email.map(|(email, _)| email.to_owned());
    user.email_verified = email.map(|(_, verified)| verified);
    user
}

#[test]
fn a33_gaps_are_filled_from_another_description_of_the_same_user() {
    let completed = user("a", None, None).completed_with(&user("a", Some("Alice"), Some(("a@example.com", true))));

    assert_eq!(completed, user("a", Some("Alice"), Some(("a@example.com", true))));
}

#[test]
fn a33_the_description_of_somebody_else_adds_nothing() {
    let mut other_issuer = user("a", Some("Mallory"), Some(("m@example.com", true)));
    other_issuer.issuer = "https://evil.example".to_owned();

    assert_eq!(user("a", None, None).completed_with(&user("b", Some("Bob"), None)), user("a", None, None));
    assert_eq!(user("a", None, None).completed_with(&other_issuer), user("a", None, None));
}

#[test]
fn a33_an_address_and_whether_it_is_verified_stay_together() {
    let unverified = user("a", None, Some(("mine@example.com", false)));
    let verified = user("a", None, Some(("other@example.com", true)));
    let mut unknown = user("a", None, Some(("mine@example.com", false)));
    unknown.email_verified = None;

    assert_eq!(unverified.clone().completed_with(&verified), unverified);
    assert_eq!(unknown.clone().completed_with(&verified), unknown);
    assert_eq!(judge_with("email", json!(null)).email_verified, None);
}

#[test]
fn a33_an_address_is_verified_only_when_the_provider_says_so() {
    for (verified, expected) in [
        (json!(true), Some(true)),
        (json!("true"), Some(true)),
        (json!(false), Some(false)),
        (json!("false"), Some(false)),
        (json!(null), None),
        (json!(1), None),
        (json!("yes"), None),
        (json!("TRUE"), None),
    ] {
        assert_eq!(judge_with("email_verified", verified.clone()).email_verified, expected, "{verified}");
    }
}

#[test]
fn a17_what_describes_a_user_is_bounded_text_without_control_characters() {
    assert_eq!(judge_with("name", json!("  A\u{202e}lice\r\n\u{0} ")).name.as_deref(), Some("A lice"));
    assert_eq!(judge_with("name", json!("x".repeat(1000))).name.unwrap().len(), 300);
    for nothing in [json!(""), json!(" \t"), json!(null), json!(1), json!({ "given": "Alice" })] {
        assert_eq!(judge_with("name", nothing.clone()).name, None, "{nothing}");
    }
}

#[test]
fn a_picture_is_at_a_safe_address_or_nowhere() {
    for address in ["https://pictures.example/a.png?size=80", "http://127.0.0.1:4000/a.png", "http://localhost:4000/a.png"] {
        assert_eq!(judge_with("picture", json!(address)).picture.as_deref(), Some(address));
    }
    for address in [
        "http://pictures.example/a.png",
        "javascript:alert(1)",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "//pictures.example/a.png",
        "/a.png",
        "https://user:password@pictures.example/a.png",
        "",
    ] {
        assert_eq!(judge_with("picture", json!(address)).picture, None, "{address}");
    }
    let long = format!("https://pictures.example/{}", "a".repeat(2048));
    assert_eq!(judge_with("picture", json!(long)).picture, None);
}

#[test]
fn an_identifier_is_a_string_or_an_integer() {
    for (id, expected) in [
        (json!(583_231), "583231"),
        (json!("583231"), "583231"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!(-1), "-1"),
        (json!(0), "0"),
    ] {
        assert_eq!(judge_oauth("uid", &json!({ "uid": id })).unwrap().sub, expected);
    }
    for id in [json!(1.5), json!(1e3), json!(true), json!(null), json!(""), json!([1]), json!({ "id": 1 })] {
        assert_rejected!(judge_oauth("uid", &json!({ "uid": id })), UserInfoError::MissingIdentifier, "{id}");
    }
    assert_rejected!(judge_oauth("uid", &json!({ "id": 1 })), UserInfoError::MissingIdentifier);
}

#[test]
fn a_mapping_may_be_a_json_pointer() {
    let description = json!({ "data": { "id": "7", "names": [{ "text": "Alice" }] }, "a/b~c": { "": "8" }, "0": "9" });

    for (place, expected) in [("/data/id", "7"), ("/a~1b~0c/", "8"), ("/0", "9"), ("0", "9"), ("/data/names/0/text", "Alice")] {
        assert_eq!(judge_oauth(place, &description).unwrap().sub, expected, "{place}");
    }
    for place in ["/data", "/data/name", "data/id", "/", "", "/data/id/0", "/data/names/1/text"] {
        assert_rejected!(judge_oauth(place, &description), UserInfoError::MissingIdentifier, "{place}");
    }
}

#[test]
fn a_mapping_without_a_place_finds_nothing() {
    let mut provider = oauth_provider();
    provider.user_mapping = UserMapping { id: "sub".to_owned(), name: None, login: None, email: None, email_verified: None, picture: None };

    let user = judge_alone(&provider, &json_response(&description())).unwrap();

    assert_eq!((user.name, user.login, user.email, user.email_verified, user.picture), (None, None, None, None, None));
}

fn github() -> Provider {
    preset::github("id", client_secret()).unwrap()
}

#[test]
fn github_describes_the_user_by_a_numeric_id() {
    let description = json!({
        "login": "octocat", "id": 583_231, "name": "The Octocat", "email": "public@example.com",
        "avatar_url": "https://avatars.githubusercontent.com/u/583231?v=4",
    });

    let user = judge_alone(&github(), &json_response(&description)).unwrap();

    assert_eq!(user.issuer, "https://github.com/login/oauth");
    assert_eq!(user.sub, "583231");
    assert_eq!(user.login.as_deref(), Some("octocat"));
    assert_eq!(user.name.as_deref(), Some("The Octocat"));
    assert_eq!(user.picture.as_deref(), Some("https://avatars.githubusercontent.com/u/583231?v=4"));
    assert_eq!(user.email, None, "the public address may be anybody's");
}

#[test]
fn github_is_asked_for_the_addresses_with_a_user_agent() {
    let request = userinfo::emails_request(&github(), &AccessToken::new("gho_token".to_owned())).unwrap();

    assert_eq!(request.method, Method::Get);
    assert_eq!(request.url.as_str(), "https://api.github.com/user/emails");
    assert_eq!(request.header("authorization"), Some("Bearer gho_token"));
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("oauth2flow/")));
}

fn emails(list: &Value) -> Option<String> {
    userinfo::process_emails(&json_response(list)).unwrap()
}

#[test]
fn github_the_address_is_the_one_that_is_primary_and_verified() {
    assert_eq!(
        emails(&json!([
            { "email": "verified@example.com", "primary": false, "verified": true, "visibility": null },
            { "email": "primary@example.com", "primary": true, "verified": true, "visibility": "private" },
            { "email": "neither@example.com", "primary": false, "verified": false },
        ])),
        Some("primary@example.com".to_owned())
    );
    for list in [
        json!([{ "email": "a@example.com", "primary": true, "verified": false }]),
        json!([{ "email": "a@example.com", "primary": false, "verified": true }]),
        json!([{ "email": "a@example.com", "primary": true }]),
        json!([{ "email": "a@example.com", "primary": "true", "verified": "true" }]),
        json!([{ "email": "a@example.com", "primary": 1, "verified": 1 }]),
        json!([{ "email": null, "primary": true, "verified": true }]),
        json!([{ "email": "", "primary": true, "verified": true }]),
        json!([{ "primary": true, "verified": true }]),
        json!(["a@example.com"]),
        json!([]),
        json!({}),
        json!(null),
    ] {
        assert_eq!(emails(&list), None, "{list}");
    }
}

#[test]
fn github_a_list_of_addresses_is_judged_as_any_answer() {
    assert_rejected!(userinfo::process_emails(&response(200, "text/html", "[]")), UserInfoError::NotJson);
    assert_rejected!(userinfo::process_emails(&response(401, "application/json", "[]")), UserInfoError::Unauthorized);
    assert_rejected!(userinfo::process_emails(&response(404, "application/json", "[]")), UserInfoError::UnexpectedStatus { status: 404 });
    assert_rejected!(userinfo::process_emails(&response(500, "application/json", "[]")), UserInfoError::Unavailable { status: 500 });
    assert_rejected!(userinfo::process_emails(&response(200, "application/json", "[")), UserInfoError::Malformed(_));
    assert_rejected!(
        userinfo::process_emails(&response(200, "application/json", " ".repeat(MAXIMUM_USERINFO_BYTES + 1))),
        UserInfoError::TooLarge
    );
}

#[test]
fn github_the_address_of_the_list_replaces_any_other() {
    let before = user("a", None, Some(("unverified@example.com", false)));

    let after = before.clone().with_verified_email(Some("primary@example.com".to_owned()));
    assert_eq!(after.facts.email, EmailAddress::parse("primary@example.com"));
    assert_eq!(after.with_verified_email(None).facts.email, None);
    let after = before.clone().with_verified_email(Some("primary@example.com".to_owned()));
    assert_eq!((after.email.as_deref(), after.email_verified), (Some("primary@example.com"), Some(true)));
    assert_eq!(before.with_verified_email(None), user("a", None, None));
}
