//! The start of a login. [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1)

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use oauth2flow_protocol::authorize::{AuthorizationRequestError, TRANSACTION_LIFETIME, TransactionError, transaction_id_of_state};
use oauth2flow_protocol::provider::{DpopPolicy, ProviderKind, ResponseMode};
use oauth2flow_protocol::{AuthorizationOptions, Context, Prompt, Provider, ReturnTo, Transaction};
use proptest::prelude::*;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::signing_key::{decode, encode};
use crate::support::{
    CLIENT_ID, CODE, ISSUER, Login, REDIRECT_URI, RETURN_TO, after, assert_rejected, form, metadata, metadata_with, now, oauth_provider,
    openid_provider, parameters, random_from, url, with_context,
};

/// The transaction in clear, as the sealed cookie holds it.
fn plaintext(transaction: &Transaction) -> Value {
    serde_json::from_slice(&transaction.to_plaintext()).unwrap()
}

fn with_member(transaction: &Transaction, name: &str, value: Value) -> Result<Transaction, TransactionError> {
    let mut content = plaintext(transaction);
    content[name] = value;
    Transaction::from_plaintext(content.to_string().as_bytes())
}

fn begin(provider: &Provider, redirect_uri: &str, return_to: ReturnTo, context: &mut Context<'_>) -> Transaction {
    Transaction::begin(provider, &metadata(), redirect_uri, return_to, AuthorizationOptions::default(), context)
}

fn characters_are_base64url(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[test]
fn a01_the_authorization_url_asks_for_a_code_and_nothing_else() {
    let login = Login::openid();

    let request = login.request();

    let names = request.keys().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(names, ["client_id", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "response_type", "scope", "state"]);
    assert_eq!(request["response_type"], "code");
    assert_eq!(request["client_id"], CLIENT_ID);
    assert_eq!(request["redirect_uri"], REDIRECT_URI);
    assert_eq!(request["scope"], "openid profile email");
    assert_eq!(login.url().as_str().split('?').next(), Some("https://login.example/tenant/authorize"));
    assert_eq!(login.url().fragment(), None);
}

#[test]
fn a01_a_provider_without_scopes_is_asked_for_none() {
    let request = Login::oauth().request();

    assert_eq!(request.get("scope"), None);
    assert_eq!(request["response_type"], "code");
}

#[test]
fn a02_the_code_challenge_has_43_characters_and_the_method_s256() {
    for login in [Login::openid(), Login::oauth()] {
        let request = login.request();

        assert_eq!(request["code_challenge_method"], "S256");
        assert_eq!(request["code_challenge"].len(), 43);
        assert!(characters_are_base64url(&request["code_challenge"]), "{request:?}");
    }
}

#[test]
fn a02_the_challenge_of_rfc_7636_appendix_b_is_the_one_that_is_printed_there() {
    let mut login = Login::openid();
    login.transaction = with_member(&login.transaction, "v", json!("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).unwrap();

    assert_eq!(login.request()["code_challenge"], "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn a02_two_starts_differ_in_challenge_state_and_nonce() {
    let first = Login::begin_from(1, openid_provider(), metadata()).request();
    let second = Login::begin_from(2, openid_provider(), metadata()).request();

    for name in ["code_challenge", "state", "nonce"] {
        assert_ne!(first[name], second[name], "{name}");
    }
}

#[test]
fn a02_state_verifier_and_nonce_are_drawn_one_by_one() {
    let login = Login::openid();
    let content = plaintext(&login.transaction);

    let values = ["s", "v", "n"].map(|name| content[name].as_str().unwrap().to_owned());

    assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), 3);
    for value in &values {
        assert_eq!(decode(value).len(), 32, "256 bits");
    }
}

#[test]
fn a02_the_verifier_is_not_in_the_authorization_url() {
    let login = Login::openid();
    let verifier = plaintext(&login.transaction)["v"].as_str().unwrap().to_owned();

    assert_eq!(verifier.len(), 43);
    assert!(!login.url().as_str().contains(&verifier));
    assert_ne!(login.request()["code_challenge"], verifier, "that would be plain");
}

#[test]
fn a03_the_state_holds_256_bits_of_the_given_randomness() {
    let mut drawn = Vec::new();
    let mut random = |bytes: &mut [u8]| {
        random_from(u8::try_from(drawn.len()).unwrap())(bytes);
        drawn.push(bytes.to_vec());
    };

    let transaction = begin(&openid_provider(), REDIRECT_URI, ReturnTo::default(), &mut Context::new(now(), &mut random));

    // State, verifier and nonce are drawn at once, and have nothing in common.
    let content = plaintext(&transaction);
    assert_eq!(drawn.len(), 1);
    assert_eq!(drawn[0].len(), 3 * 32);
    for (name, bytes) in ["s", "v", "n"].into_iter().zip(drawn[0].chunks(32)) {
        assert_eq!(decode(content[name].as_str().unwrap()), bytes, "{name}");
    }
}

#[test]
fn a03_the_login_is_named_after_its_state_without_giving_it_away() {
    let login = Login::openid();
    let state = login.state();

    let id = login.transaction.id();

    assert_eq!(id, transaction_id_of_state(&state));
    assert_eq!(id.len(), 16);
    assert!(characters_are_base64url(&id), "it becomes part of a cookie's name: {id}");
    assert!(!state.contains(&id) && !state.contains(&id[..8]));
    assert_ne!(id, transaction_id_of_state(&format!("{state}A")));
}

#[test]
fn a03_the_name_of_a_login_is_a_prefix_of_the_states_sha_256() {
    // The digest of "abc" of FIPS 180-2, appendix B.1.
    let digest = [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde];

    assert_eq!(transaction_id_of_state("abc"), encode(&digest));
}

#[test]
fn a04_an_openid_start_sends_a_nonce_of_at_most_64_characters() {
    let nonce = Login::openid().nonce();

    assert!((22..=64).contains(&nonce.len()), "{nonce}");
    assert_ne!(nonce, Login::openid().state());
}

#[test]
fn a04_a_start_without_id_tokens_sends_no_nonce() {
    assert_eq!(Login::oauth().request().get("nonce"), None);
}

#[test]
fn a05_the_redirect_uri_goes_to_both_endpoints_byte_for_byte() {
    for redirect_uri in ["https://app.example/callback", "http://localhost:3000/callback", "https://App.example:443/a%2fb/../c?x=%20+&y=ä"]
    {
        let mut login = Login::openid();
        login.transaction = begin(&login.provider, redirect_uri, ReturnTo::default(), &mut Context::new(now(), &mut random_from(3)));

        assert_eq!(login.request()["redirect_uri"], redirect_uri);
        assert_eq!(form(&login.exchange().0)["redirect_uri"], redirect_uri);
    }
}

#[test]
fn a07_extra_parameters_add_to_the_request() {
    let mut provider = openid_provider();
    provider.extra_authorization_params = vec![("prompt".to_owned(), "consent".to_owned()), ("audience".to_owned(), "a&b=c".to_owned())];

    let request = Login::begin(provider, metadata()).request();

    assert_eq!(request["prompt"], "consent");
    assert_eq!(request["audience"], "a&b=c");
    assert_eq!(request["response_type"], "code");
}

const RESERVED: [&str; 17] = [
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "max_age",
    "acr_values",
    "dpop_jkt",
    "client_assertion",
    "client_assertion_type",
];

#[test]
fn a07_extra_parameters_never_replace_or_repeat_those_of_the_flow() {
    let expected = Login::openid().request();
    for name in RESERVED {
        let mut provider = openid_provider();
        provider.extra_authorization_params = vec![(name.to_owned(), "injected".to_owned())];

        assert_eq!(Login::begin(provider, metadata()).request(), expected, "{name}");
    }
}

#[test]
fn a07_the_endpoints_own_query_is_kept_but_never_replaces_the_flows_parameters() {
    let expected = Login::openid().request();
    for name in RESERVED {
        let metadata =
            metadata_with("authorization_endpoint", json!(format!("https://login.example/authorize?tenant=a%26b&{name}=injected")));

        let mut request = Login::begin(openid_provider(), metadata).request();

        assert_eq!(request.remove("tenant").as_deref(), Some("a&b"));
        assert_eq!(request, expected, "{name}");
    }
}

#[test]
fn a07_an_extra_parameter_replaces_the_endpoints_own_instead_of_repeating_it() {
    let metadata = metadata_with("authorization_endpoint", json!("https://login.example/authorize?audience=first&tenant=a"));
    let mut provider = openid_provider();
    provider.extra_authorization_params = vec![("audience".to_owned(), "second".to_owned())];

    let request = Login::begin(provider, metadata).request();

    assert_eq!(request["audience"], "second");
    assert_eq!(request["tenant"], "a");
}

#[test]
fn a09_metadata_without_s256_still_gets_s256() {
    for methods in [json!(null), json!([]), json!(["plain"])] {
        let login = Login::begin(openid_provider(), metadata_with("code_challenge_methods_supported", methods.clone()));

        let request = login.request();

        assert_eq!(request["code_challenge_method"], "S256", "{methods}");
        assert_eq!(request, Login::openid().request(), "{methods}");
    }
}

#[test]
fn a09_without_s256_in_the_metadata_the_state_stays_enforced() {
    let login = Login::begin(openid_provider(), metadata_with("code_challenge_methods_supported", json!(["plain"])));
    let other = Login::begin_from(2, openid_provider(), metadata());

    assert_rejected!(
        login.answer(&[("code", CODE), ("state", &other.state()), ("iss", ISSUER)]),
        oauth2flow_protocol::callback::CallbackError::StateMismatch
    );
}

#[test]
fn a09_with_pkce_off_there_is_no_challenge_but_state_and_nonce_stay() {
    let mut provider = openid_provider();
    provider.pkce = false;
    let login = Login::begin(provider, metadata());

    let request = login.request();

    assert!(!request.contains_key("code_challenge") && !request.contains_key("code_challenge_method"));
    assert_eq!(request["state"].len(), 43);
    assert_eq!(request["nonce"].len(), 43);
    assert_eq!(form(&login.exchange().0).get("code_verifier"), None);
}

#[test]
fn a10_two_logins_of_one_browser_finish_in_either_order() {
    let first = Login::begin_from(1, openid_provider(), metadata());
    let second = Login::begin_from(2, openid_provider(), metadata());

    assert_ne!(first.transaction.id(), second.transaction.id());
    assert_eq!(second.callback().transaction_id(), second.transaction.id());
    assert_eq!(first.callback().transaction_id(), first.transaction.id());
}

#[test]
fn a13_a_transaction_comes_back_from_its_plaintext_as_it_was() {
    let login = Login::openid();

    let transaction = Transaction::from_plaintext(&login.transaction.to_plaintext()).unwrap();
    let again = Login { transaction, provider: openid_provider(), metadata: metadata() };

    assert_eq!(again.request(), login.request());
    assert_eq!(again.transaction.id(), login.transaction.id());
    assert_eq!(again.transaction.provider_id(), "example");
    assert_eq!(again.transaction.return_to().as_str(), RETURN_TO);
    assert_eq!(again.transaction.created_at(), now());
    assert_eq!(again.exchange().0.body, login.exchange().0.body);
}

#[test]
fn a13_a_transaction_without_verifier_nonce_and_issuer_comes_back_without() {
    let mut provider = oauth_provider();
    provider.pkce = false;
    let login = Login::fixed(provider.clone());

    let transaction = Transaction::from_plaintext(&login.transaction.to_plaintext()).unwrap();
    let again = Login { transaction, metadata: provider.fixed_metadata().unwrap(), provider };

    assert_eq!(again.request(), login.request());
    assert_eq!(again.callback().provider_id(), "plain");
}

#[test]
fn a11_a_plaintext_that_is_no_transaction_is_rejected() {
    let login = Login::openid();
    let good = login.transaction.to_plaintext();

    for bad in [&b""[..], b"{}", b"[]", b"null", b"\xff\xfe", &good[1..], &good[..good.len() - 1]] {
        assert_rejected!(Transaction::from_plaintext(bad), TransactionError::Malformed(_), "{bad:?}");
    }
    assert_rejected!(with_member(&login.transaction, "admin", json!(true)), TransactionError::Malformed(_));
    assert_rejected!(with_member(&login.transaction, "s", json!(1)), TransactionError::Malformed(_));
}

#[test]
fn a11_a_transaction_of_no_time_is_rejected() {
    assert_rejected!(with_member(&Login::openid().transaction, "t", json!(i64::MAX)), TransactionError::InvalidTime(_));
}

#[test]
fn every_error_about_a_transaction_has_a_stable_code() {
    let transaction = Login::openid().transaction;

    assert_eq!(with_member(&transaction, "s", json!(1)).unwrap_err().code(), "transaction_malformed");
    assert_eq!(with_member(&transaction, "t", json!(i64::MAX)).unwrap_err().code(), "transaction_time_invalid");
}

#[test]
fn a11_a_login_may_take_ten_minutes() {
    let transaction = Login::openid().transaction;

    assert_eq!(TRANSACTION_LIFETIME, Duration::from_mins(10));
    assert_eq!(transaction.expires_at(), after(Duration::from_mins(10)));
}

#[test]
fn a11_a_login_at_the_end_of_time_does_not_overflow() {
    let mut random = random_from(1);
    let transaction = begin(&openid_provider(), REDIRECT_URI, ReturnTo::default(), &mut Context::new(Timestamp::MAX, &mut random));

    assert_eq!(transaction.expires_at(), Timestamp::MAX);
}

#[test]
fn a49_the_return_target_is_read_again_from_the_plaintext() {
    let transaction = with_member(&Login::openid().transaction, "r", json!("//evil.example")).unwrap();

    assert_eq!(transaction.return_to().as_str(), "/");
}

#[test]
fn d_a_transaction_fits_into_a_cookie() {
    let mut login = Login::openid();
    let longest = ReturnTo::parse(&format!("/{}", "a".repeat(1023)));
    assert_eq!(longest.as_str().len(), 1024);
    login.transaction = begin(&login.provider, REDIRECT_URI, longest, &mut Context::new(now(), &mut random_from(1)));

    // Browsers keep 4096 bytes of name, value and attributes; sealing adds a few bytes, and base64 a third.
    assert!(login.transaction.to_plaintext().len() * 4 / 3 < 3500);
}

#[test]
fn the_query_of_the_authorization_url_is_form_encoded() {
    let mut provider = openid_provider();
    provider.scopes = vec!["openid".to_owned(), "a&b".to_owned()];
    let login = Login::begin(provider, metadata());
    let query = login.url().query().unwrap().to_owned();

    assert!(query.contains("scope=openid+a%26b&"), "{query}");
    assert_eq!(parameters(&query)["scope"], "openid a&b");
}

fn asking(options: AuthorizationOptions) -> Login {
    Login::begin_with(1, options, openid_provider(), metadata())
}

fn object(value: &Value) -> Option<serde_json::Map<String, Value>> {
    value.as_object().cloned()
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// Every option, each with something that it may be.
fn every_option() -> AuthorizationOptions {
    AuthorizationOptions {
        prompt: vec![Prompt::Login, Prompt::Consent],
        max_age: Some(Duration::from_mins(5)),
        acr_values: texts(&["urn:mace:incommon:iap:silver", "2"]),
        login_hint: Some("Alice Example <alice@example.com>".to_owned()),
        ui_locales: texts(&["fr-CA", "en"]),
        claims: object(&json!({ "userinfo": { "email": null } })),
        resource: vec![url("https://api.example/")],
    }
}

#[test]
fn core_section_3_1_2_1_every_option_goes_out_under_its_name() {
    let request = asking(every_option()).request();

    let mut names = Login::openid().request().into_keys().collect::<BTreeSet<_>>();
    names.extend(texts(&["prompt", "max_age", "acr_values", "login_hint", "ui_locales", "claims", "resource"]));
    assert_eq!(request.keys().cloned().collect::<BTreeSet<_>>(), names);
    assert_eq!(request["prompt"], "login consent");
    assert_eq!(request["max_age"], "300");
    assert_eq!(request["acr_values"], "urn:mace:incommon:iap:silver 2");
    assert_eq!(request["login_hint"], "Alice Example <alice@example.com>");
    assert_eq!(request["ui_locales"], "fr-CA en");
    assert_eq!(request["claims"], r#"{"userinfo":{"email":null}}"#);
    assert_eq!(request["resource"], "https://api.example/");
}

#[test]
fn core_section_3_1_2_1_every_prompt_has_its_name() {
    for (prompt, name) in [
        (Prompt::None, "none"),
        (Prompt::Login, "login"),
        (Prompt::Consent, "consent"),
        (Prompt::SelectAccount, "select_account"),
        (Prompt::Create, "create"),
    ] {
        let login = asking(AuthorizationOptions { prompt: vec![prompt], ..AuthorizationOptions::default() });

        assert_eq!(login.request()["prompt"], name);
        assert_eq!(Prompt::from_name(name), Some(prompt));
        assert_eq!(login.transaction.silent(), prompt == Prompt::None);
    }
    assert_eq!(Prompt::ALL.len(), 5);
    for name in ["", "NONE", "none login", "sign_up"] {
        assert_eq!(Prompt::from_name(name), None, "{name}");
    }
}

#[test]
fn core_section_3_1_2_1_a_silent_login_shows_nothing() {
    let combined =
        |prompt: &[Prompt]| asking(AuthorizationOptions { prompt: prompt.to_vec(), ..AuthorizationOptions::default() }).try_url();

    assert_rejected!(combined(&[Prompt::None, Prompt::Login]), AuthorizationRequestError::SilentPromptCombined);
    assert_rejected!(combined(&[Prompt::Consent, Prompt::None]), AuthorizationRequestError::SilentPromptCombined);
    assert_rejected!(combined(&[Prompt::None, Prompt::None]), AuthorizationRequestError::SilentPromptCombined);
    assert_rejected!(combined(&[Prompt::Login, Prompt::Login]), AuthorizationRequestError::InvalidOption("prompt"));
    assert!(combined(&[Prompt::Login, Prompt::Consent, Prompt::SelectAccount, Prompt::Create]).is_ok());
    assert!(!Login::openid().transaction.silent());
}

#[test]
fn rfc_8707_section_2_each_resource_is_a_parameter_of_its_own_at_both_endpoints() {
    let resource = vec![url("https://api.example/a?b=c"), url("urn:example:api")];
    let login = asking(AuthorizationOptions { resource, ..AuthorizationOptions::default() });
    let values = |encoded: &str| {
        let pairs = form_urlencoded::parse(encoded.as_bytes()).into_owned();
        pairs.filter(|(name, _)| name == "resource").map(|(_, value)| value).collect::<Vec<_>>()
    };

    assert_eq!(values(login.url().query().unwrap()), ["https://api.example/a?b=c", "urn:example:api"]);
    assert_eq!(values(login.exchange().0.body.as_deref().unwrap()), ["https://api.example/a?b=c", "urn:example:api"]);
}

#[test]
fn what_a_login_asks_for_wins_over_the_configuration() {
    let mut provider = openid_provider();
    provider.defaults = every_option();
    let request = |options| Login::begin_with(1, options, provider.clone(), metadata()).request();

    assert_eq!(request(AuthorizationOptions::default()), asking(every_option()).request());
    let other = AuthorizationOptions {
        prompt: vec![Prompt::None],
        max_age: Some(Duration::ZERO),
        acr_values: Vec::new(),
        login_hint: Some("bob@example.com".to_owned()),
        ui_locales: texts(&["de"]),
        claims: object(&json!({})),
        resource: vec![url("https://other.example/")],
    };
    let acr_values = every_option().acr_values;
    assert_eq!(request(other.clone()), asking(AuthorizationOptions { acr_values, ..other }).request());
}

#[test]
fn a_login_cannot_ask_for_less_than_the_configuration() {
    let configured = AuthorizationOptions {
        max_age: Some(Duration::from_mins(5)),
        acr_values: texts(&["gold", "silver"]),
        ..AuthorizationOptions::default()
    };
    let narrowed = |max_age: Option<Duration>, acr_values: &[&str]| {
        let asked = AuthorizationOptions { max_age, acr_values: texts(acr_values), ..AuthorizationOptions::default() };
        let options = configured.clone().narrowed_by(asked);
        (options.max_age.unwrap(), options.acr_values)
    };
    let (five, one) = (Duration::from_mins(5), Duration::from_mins(1));
    assert_eq!(narrowed(None, &[]), (five, texts(&["gold", "silver"])));
    assert_eq!(narrowed(Some(Duration::from_hours(1)), &["password"]), (five, texts(&["gold", "silver"])));
    assert_eq!(narrowed(Some(one), &["gold"]), (one, texts(&["gold"])));
    assert_eq!(narrowed(Some(one), &["password", "silver"]), (one, texts(&["silver"])));

    let nothing = AuthorizationOptions::default().narrowed_by(configured.clone());
    assert_eq!((nothing.max_age, nothing.acr_values), (Some(five), texts(&["gold", "silver"])));
}

#[test]
fn a07_an_extra_parameter_does_not_repeat_an_option() {
    let names = ["prompt", "max_age", "acr_values", "login_hint", "ui_locales", "claims", "resource"];
    let mut provider = openid_provider();
    provider.extra_authorization_params = names.map(|name| (name.to_owned(), "planted".to_owned())).to_vec();
    let metadata = metadata_with(
        "authorization_endpoint",
        json!("https://login.example/tenant/authorize?prompt=planted&resource=planted&claims=planted"),
    );

    assert_eq!(Login::begin_with(1, every_option(), provider, metadata).request(), asking(every_option()).request());
}

#[test]
fn a07_an_extra_parameter_that_is_there_twice_is_sent_once() {
    let mut provider = openid_provider();
    provider.extra_authorization_params = ["first", "second"].map(|value| ("audience".to_owned(), value.to_owned())).to_vec();

    assert_eq!(Login::begin(provider, metadata()).request()["audience"], "first");
}

#[test]
fn b_an_option_that_cannot_be_sent_is_refused() {
    let default = AuthorizationOptions::default;
    let long = "a".repeat(512);
    let acr = |values: &[&str]| AuthorizationOptions { acr_values: texts(values), ..default() };
    let hint = |hint: &str| AuthorizationOptions { login_hint: Some(hint.to_owned()), ..default() };
    let locales = |values: &[&str]| AuthorizationOptions { ui_locales: texts(values), ..default() };
    let claims = |length: usize| AuthorizationOptions { claims: object(&json!({ "a": "b".repeat(length) })), ..default() };
    let resource = |values: &[&str]| AuthorizationOptions { resource: values.iter().map(|value| url(value)).collect(), ..default() };
    for (options, name) in [
        (acr(&[""]), "acr_values"),
        (acr(&["a b"]), "acr_values"),
        (acr(&["a\"b"]), "acr_values"),
        (acr(&["a\\b"]), "acr_values"),
        (acr(&["a\nb"]), "acr_values"),
        (acr(&["ä"]), "acr_values"),
        (acr(&[&long]), "acr_values"),
        (acr(&["a"; 17]), "acr_values"),
        (hint(""), "login_hint"),
        (hint("a\r\nb"), "login_hint"),
        (hint(&"a".repeat(257)), "login_hint"),
        (locales(&[""]), "ui_locales"),
        (locales(&["en us"]), "ui_locales"),
        (locales(&["en_US"]), "ui_locales"),
        (locales(&["en-"]), "ui_locales"),
        (locales(&["en-abcdefghi"]), "ui_locales"),
        (locales(&["en-a1-a1-a1-a1-a1-a1-a1-a1-a1-a1-a1-a1"]), "ui_locales"),
        (locales(&["en"; 17]), "ui_locales"),
        (claims(4089), "claims"),
        (resource(&["https://api.example/#part"]), "resource"),
        (resource(&["urn:a\\b"]), "resource"),
        (resource(&[&format!("https://api.example/{long}")]), "resource"),
        (resource(&["urn:a"; 17]), "resource"),
    ] {
        match asking(options.clone()).try_url() {
            Err(error @ AuthorizationRequestError::InvalidOption(reported)) => {
                assert_eq!(reported, name, "{options:?}");
                assert_eq!(options.check(), Err(error));
            }
            other => panic!("{name}: {options:?}: {other:?}"),
        }
    }
    for options in [
        acr(&["a"; 16]),
        acr(&[&long[1..]]),
        hint(&"ä".repeat(256)),
        locales(&["en", "zh-Hant-TW", "x-private1", "de-CH-1996"]),
        claims(4088),
        resource(&["https://api.example/a?b=c", "urn:example:api"]),
        every_option(),
    ] {
        assert_eq!(options.check(), Ok(()), "{options:?}");
        assert!(asking(options).try_url().is_ok());
    }
}

#[test]
fn only_an_id_token_can_prove_how_and_when_somebody_logged_in() {
    let asked = |options| {
        let provider = oauth_provider();
        let metadata = provider.fixed_metadata().unwrap();
        Login::begin_with(1, options, provider, metadata).try_url()
    };
    let default = AuthorizationOptions::default;

    assert_rejected!(
        asked(AuthorizationOptions { max_age: Some(Duration::ZERO), ..default() }),
        AuthorizationRequestError::NeedsIdToken("max_age")
    );
    assert_rejected!(
        asked(AuthorizationOptions { acr_values: texts(&["1"]), ..default() }),
        AuthorizationRequestError::NeedsIdToken("acr_values")
    );
    assert!(asked(AuthorizationOptions { prompt: vec![Prompt::Login], ..default() }).is_ok());
}

#[test]
fn core_section_3_1_3_7_what_was_asked_for_is_demanded_of_the_id_token_after_the_browser_has_been_away() {
    let mut login = asking(every_option());
    login.transaction = Transaction::from_plaintext(&login.transaction.to_plaintext()).unwrap();

    let tokens = login.tokens_with("a.b.c");

    assert_eq!(tokens.max_age, Some(Duration::from_mins(5)));
    assert_eq!(tokens.acr_values, ["urn:mace:incommon:iap:silver", "2"]);
    let unasked = Login::openid().tokens_with("a.b.c");
    assert_eq!((unasked.max_age, unasked.acr_values), (None, Vec::new()));
}

#[test]
fn a13_a_transaction_keeps_what_the_answer_is_judged_by_and_nothing_about_a_person() {
    let login = asking(every_option());
    assert_eq!(login.transaction.options(), &every_option());

    let plaintext = login.transaction.to_plaintext();
    let again = Transaction::from_plaintext(&plaintext).unwrap();

    let kept = AuthorizationOptions { login_hint: None, ui_locales: Vec::new(), claims: None, ..every_option() };
    assert_eq!(again.options(), &kept);
    assert!(!String::from_utf8_lossy(&plaintext).contains("alice"));
    let silent = asking(AuthorizationOptions { prompt: vec![Prompt::None], ..AuthorizationOptions::default() });
    assert!(Transaction::from_plaintext(&silent.transaction.to_plaintext()).unwrap().silent());
}

#[test]
fn a11_a_transaction_with_an_option_that_is_none_is_rejected() {
    for (name, value, option) in [("q", json!(["none", "sing"]), "prompt"), ("o", json!(["no address"]), "resource")] {
        match with_member(&Login::openid().transaction, name, value) {
            Err(error @ TransactionError::InvalidOption(reported)) => {
                assert_eq!(reported, option);
                assert_eq!(error.code(), "transaction_option_invalid");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    for (name, value) in [("q", json!("none")), ("m", json!(-1)), ("a", json!([1])), ("o", json!("urn:a")), ("d", json!(1))] {
        assert_rejected!(with_member(&Login::openid().transaction, name, value), TransactionError::Malformed(_), "{name}");
    }
}

#[test]
fn d_the_largest_transaction_fits_into_a_cookie() {
    let options = AuthorizationOptions {
        acr_values: texts(&["a".repeat(31).as_str(); 16]),
        resource: vec![url(&format!("https://api.example/{}", "a".repeat(489)))],
        ..every_option()
    };
    assert_eq!(options.check(), Ok(()));
    let mut provider = openid_provider();
    provider.dpop = DpopPolicy::Require;
    let longest = ReturnTo::parse(&format!("/{}", "a".repeat(1023)));

    let transaction = with_context(1, |context| Transaction::begin(&provider, &metadata(), REDIRECT_URI, longest, options, context));

    let plaintext = transaction.to_plaintext();
    assert!(Transaction::from_plaintext(&plaintext).is_ok());
    // The login's own bytes, the seal's, base64 and the cookie's name and attributes.
    assert!((plaintext.len() + 100) * 4 / 3 + 200 < 4096, "{}", plaintext.len());
}

#[test]
fn a20_options_do_not_print_whom_they_are_about() {
    let printed = format!("{:?} {:#?}", every_option(), asking(every_option()).transaction);

    assert!(printed.contains("incommon"));
    assert!(!printed.contains("Alice") && !printed.contains("email"), "{printed}");
}

#[test]
fn a_response_mode_is_asked_for_where_it_is_not_the_usual_one() {
    for (mode, declared, expected) in [
        (ResponseMode::Query, json!(null), None),
        (ResponseMode::Query, json!(["fragment"]), None),
        (ResponseMode::FormPost, json!(null), Some("form_post")),
        (ResponseMode::FormPost, json!(["query", "form_post"]), Some("form_post")),
        (ResponseMode::Jwt, json!(null), Some("query.jwt")),
        (ResponseMode::Jwt, json!(["jwt", "query.jwt"]), Some("query.jwt")),
        (ResponseMode::Jwt, json!(["jwt"]), Some("jwt")),
    ] {
        let mut provider = openid_provider();
        provider.response_mode = mode;
        let login = Login::begin(provider, metadata_with("response_modes_supported", declared.clone()));

        assert_eq!(login.request().get("response_mode").map(String::as_str), expected, "{mode:?} {declared}");
    }
}

#[test]
fn a_response_mode_that_the_provider_does_not_offer_is_not_asked_for() {
    for (mode, declared) in [
        (ResponseMode::FormPost, json!(["query", "fragment"])),
        (ResponseMode::Jwt, json!(["query", "form_post", "form_post.jwt", "fragment.jwt"])),
    ] {
        let mut provider = openid_provider();
        provider.response_mode = mode;
        let login = Login::begin(provider, metadata_with("response_modes_supported", declared));

        assert_rejected!(login.try_url(), AuthorizationRequestError::UnsupportedResponseMode, "{mode:?}");
    }
}

#[test]
fn c_mix_up_a_request_goes_to_the_provider_that_the_login_was_started_with() {
    let mut renamed = Login::openid();
    renamed.provider.id = "other".to_owned();
    let mut moved = Login::openid();
    moved.provider.kind = ProviderKind::OpenId { issuer: "https://other.example".to_owned() };

    assert_rejected!(renamed.try_url(), AuthorizationRequestError::WrongProvider);
    assert_rejected!(moved.try_url(), AuthorizationRequestError::WrongProvider);
}

#[test]
fn every_error_about_an_authorization_request_has_a_code_of_its_own() {
    let errors = [
        AuthorizationRequestError::SilentPromptCombined,
        AuthorizationRequestError::InvalidOption("prompt"),
        AuthorizationRequestError::NeedsIdToken("max_age"),
        AuthorizationRequestError::UnsupportedResponseMode,
        AuthorizationRequestError::DpopNotOffered,
        AuthorizationRequestError::WrongProvider,
        AuthorizationRequestError::MustBePushed,
        AuthorizationRequestError::MissingSigningKey,
        AuthorizationRequestError::NoCommonAlgorithm,
    ];

    let codes = errors.iter().map(AuthorizationRequestError::code).collect::<BTreeSet<_>>();

    assert_eq!(codes.len(), errors.len());
    assert!(codes.iter().all(|code| code.starts_with("authorization_")));
}

#[test]
fn a_context_prints_its_time_and_no_randomness() {
    with_context(1, |context| {
        let printed = format!("{context:?}");
        assert!(printed.contains("2027-01-15"), "{printed}");
    });
}

prop_compose! {
    fn any_options()(
        prompt in prop::collection::vec(prop::sample::select(Prompt::ALL.to_vec()), 0..3),
        max_age in prop::option::of(any::<u64>().prop_map(Duration::from_secs)),
        acr_values in prop::collection::vec(prop_oneof![any::<String>(), "[!-~]{1,40}"], 0..4),
        login_hint in prop::option::of(any::<String>()),
        ui_locales in prop::collection::vec("[a-z]{2}(-[A-Za-z0-9_]{0,9})?", 0..4),
        resource in prop::collection::vec("https://[a-z]{1,8}[.]example/[ -~]{0,20}".prop_filter_map("an address", |text| Url::parse(&text).ok()), 0..3),
    ) -> AuthorizationOptions {
        AuthorizationOptions { prompt, max_age, acr_values, login_hint, ui_locales, claims: None, resource }
    }
}

proptest! {
    #[test]
    fn whatever_passes_the_check_arrives_unchanged_and_nothing_else_is_sent(options in any_options()) {
        let login = asking(options.clone());
        let Ok(url) = login.try_url() else {
            prop_assert!(options.check().is_err());
            return Ok(());
        };
        prop_assert_eq!(options.check(), Ok(()));
        let sent = url.query_pairs().into_owned().collect::<Vec<_>>();
        let values = |name: &str| sent.iter().filter(|(sent, _)| sent == name).map(|(_, value)| value.as_str()).collect::<Vec<_>>();
        let list = |name: &str| values(name).first().map(|list| list.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap_or_default();

        prop_assert_eq!(list("prompt"), options.prompt.iter().map(|prompt| prompt.name().to_owned()).collect::<Vec<_>>());
        prop_assert_eq!(list("acr_values"), options.acr_values.clone());
        prop_assert_eq!(list("ui_locales"), options.ui_locales.clone());
        prop_assert_eq!(values("login_hint"), options.login_hint.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(values("resource"), options.resource.iter().map(Url::as_str).collect::<Vec<_>>());
        prop_assert_eq!(values("max_age"), options.max_age.iter().map(|age| age.as_secs().to_string()).collect::<Vec<_>>());
        prop_assert_eq!(values("state").len(), 1);

        let again = Transaction::from_plaintext(&login.transaction.to_plaintext()).unwrap();
        let kept = AuthorizationOptions { login_hint: None, ui_locales: Vec::new(), ..options };
        prop_assert_eq!(again.options(), &kept);
    }
}
