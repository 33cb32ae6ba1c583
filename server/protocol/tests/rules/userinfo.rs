//! Who the user is. [Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)

use oauth2flow_protocol::provider::UserMapping;
use oauth2flow_protocol::userinfo::{self, MAXIMUM_USERINFO_BYTES, UserInfoError};
use oauth2flow_protocol::{AccessToken, JsonError, Method, OutboundResponse, Provider, User, preset};
use serde_json::{Value, json};

use crate::signing_key::{SigningKey, key_set};
use crate::support::{
    ACCESS_TOKEN, ISSUER, Login, SUBJECT, assert_rejected, client_secret, deeply_nested, json_response, metadata, metadata_with,
    oauth_provider, openid_provider, response,
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

fn judge(answer: &OutboundResponse) -> Result<User, UserInfoError> {
    userinfo::process(answer, &openid_provider(), Some(SUBJECT))
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
    userinfo::process(&json_response(description), &provider, None)
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

    assert_eq!(
        user,
        User {
            issuer: ISSUER.to_owned(),
            sub: SUBJECT.to_owned(),
            name: Some("Alice Example".to_owned()),
            login: Some("alice".to_owned()),
            email: Some("alice@example.com".to_owned()),
            email_verified: Some(true),
            picture: Some("https://pictures.example/alice.png".to_owned()),
        }
    );
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
    assert_rejected!(userinfo::process(&json_response(&description()), &openid_provider(), None), UserInfoError::MissingExpectedSubject);
}

#[test]
fn a30_the_mapping_of_an_openid_provider_cannot_move_the_identifier() {
    let mut provider = openid_provider();
    provider.user_mapping.id = "email".to_owned();

    let user = userinfo::process(&json_response(&description()), &provider, Some(SUBJECT)).unwrap();

    assert_eq!(user.sub, SUBJECT);
}

#[test]
fn b_userinfo_signed_is_refused_and_never_taken_for_a_plain_one() {
    // No provider signs it unless the client registers for that, which this one does not.
    let signed = SigningKey::es256("key-1").sign(&description());

    assert_rejected!(judge(&response(200, "application/jwt", signed)), UserInfoError::NotJson);
}

#[test]
fn a21_an_answer_that_is_no_json_object_is_rejected() {
    let body = description().to_string();

    assert_rejected!(judge(&response(200, "text/html", body.clone())), UserInfoError::NotJson);
    assert_rejected!(judge(&OutboundResponse { status: 200, content_type: None, body: body.into_bytes() }), UserInfoError::NotJson);
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
    User {
        issuer: ISSUER.to_owned(),
        sub: sub.to_owned(),
        name: name.map(str::to_owned),
        login: None,
        email: email.map(|(email, _)| email.to_owned()),
        email_verified: email.map(|(_, verified)| verified),
        picture: None,
    }
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

    let user = userinfo::process(&json_response(&description()), &provider, None).unwrap();

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

    let user = userinfo::process(&json_response(&description), &github(), None).unwrap();

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

    assert_eq!(
        before.clone().with_verified_email(Some("primary@example.com".to_owned())),
        user("a", None, Some(("primary@example.com", true)))
    );
    assert_eq!(before.with_verified_email(None), user("a", None, None));
}
