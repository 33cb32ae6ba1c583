//! The authorization response. [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2),
//! [RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)

use std::time::Duration;

use oauth2flow_protocol::authorize::TRANSACTION_LIFETIME;
use oauth2flow_protocol::callback::{AuthorizationErrorCode, CallbackError};
use oauth2flow_protocol::id_token::IdTokenError;
use oauth2flow_protocol::jarm::JarmError;
use oauth2flow_protocol::jws::JwsError;
use oauth2flow_protocol::logout_token::LogoutTokenError;
use oauth2flow_protocol::provider::{IssPolicy, IssuerRule, ProviderKind, ResponseMode};
use oauth2flow_protocol::token::{PendingExchange, TokenError};
use oauth2flow_protocol::userinfo::UserInfoError;
use oauth2flow_protocol::{AuthorizationResponse, Provider, ProviderMetadata, ValidatedCallback, discovery, preset, token};
use serde_json::json;

use crate::support::{
    CODE, ISSUER, Login, RETURN_TO, after, assert_not_implemented, assert_rejected, client_secret, json_response, metadata, metadata_with,
    now, oauth_provider, openid_provider, with_context,
};

#[test]
fn b_happy_path_is_accepted() {
    let login = Login::openid();

    let callback = login.callback();

    assert_eq!(callback.provider_id(), "example");
    assert_eq!(callback.transaction_id(), login.transaction.id());
    assert_eq!(callback.return_to().as_str(), RETURN_TO);
}

#[test]
fn b_missing_state_is_rejected() {
    let login = Login::openid();

    assert_rejected!(login.answer(&[("code", CODE), ("iss", ISSUER)]), CallbackError::MissingState);
}

#[test]
fn a11_an_empty_state_is_a_missing_one() {
    let login = Login::openid();

    assert_rejected!(login.answer(&[("code", CODE), ("state", ""), ("iss", ISSUER)]), CallbackError::MissingState);
}

#[test]
fn b_invalid_state_is_rejected() {
    let login = Login::openid();

    assert_rejected!(login.answer(&[("code", CODE), ("state", "unknown"), ("iss", ISSUER)]), CallbackError::StateMismatch);
}

#[test]
fn a11_a_state_altered_anywhere_is_rejected() {
    let login = Login::openid();
    let state = login.state();
    let altered = (0..state.len()).map(|index| {
        let replacement = if state.as_bytes()[index] == b'A' { "B" } else { "A" };
        format!("{}{replacement}{}", &state[..index], &state[index + 1..])
    });
    let others = [format!("{state} "), format!(" {state}"), format!("{state}="), state[1..].to_owned(), state.to_ascii_lowercase()];

    for altered in altered.chain(others) {
        assert_rejected!(login.answer(&[("code", CODE), ("state", &altered), ("iss", ISSUER)]), CallbackError::StateMismatch, "{altered}");
    }
}

#[test]
fn a11_a_login_that_took_too_long_is_rejected() {
    let login = Login::openid();
    let state = login.state();
    let pairs = [("code", CODE), ("state", state.as_str()), ("iss", ISSUER)];

    assert!(login.answer_at(after(TRANSACTION_LIFETIME.checked_sub(Duration::from_millis(1)).unwrap()), &pairs).is_ok());
    assert_rejected!(login.answer_at(after(TRANSACTION_LIFETIME), &pairs), CallbackError::Expired);
    assert_rejected!(login.answer_at(after(Duration::from_hours(24)), &pairs), CallbackError::Expired);
}

#[test]
fn a12_the_code_and_state_of_one_browser_are_rejected_in_another() {
    let victim = Login::begin_from(1, openid_provider(), metadata());
    let attacker = Login::begin_from(2, openid_provider(), metadata());

    assert_rejected!(victim.answer(&[("code", CODE), ("state", &attacker.state()), ("iss", ISSUER)]), CallbackError::StateMismatch);
}

#[test]
fn a13_a_callback_can_be_exchanged_once_and_not_be_copied() {
    // `exchange_request` and `process` take theirs by value, so the compiler counts.
    assert_not_implemented!(ValidatedCallback, Clone);
    assert_not_implemented!(PendingExchange, Clone);
    assert_not_implemented!(ValidatedCallback, serde::de::DeserializeOwned);
    assert_not_implemented!(ValidatedCallback, Default);
}

#[test]
fn a14_iss_with_a_trailing_slash_is_rejected() {
    assert_rejected!(Login::openid().answer_from(Some("https://login.example/tenant/")), CallbackError::IssMismatch);
}

#[test]
fn a14_iss_in_another_case_is_rejected() {
    assert_rejected!(Login::openid().answer_from(Some("https://login.example/Tenant")), CallbackError::IssMismatch);
    assert_rejected!(Login::openid().answer_from(Some("https://LOGIN.example/tenant")), CallbackError::IssMismatch);
    assert_rejected!(Login::openid().answer_from(Some("HTTPS://login.example/tenant")), CallbackError::IssMismatch);
}

#[test]
fn a14_iss_with_the_default_port_is_rejected() {
    assert_rejected!(Login::openid().answer_from(Some("https://login.example:443/tenant")), CallbackError::IssMismatch);
}

#[test]
fn b_invalid_authorization_response_iss_is_rejected() {
    for iss in [
        "https://evil.example",
        "http://login.example/tenant",
        "https://login.example",
        "https://login.example/tenan",
        "https://login.example/tenant2",
        "https://login.example/%74enant",
        "https://login.example/tenant?",
        "https://login.example/tenant#",
        "https://login.example./tenant",
        "https://login.example/tenant ",
        " https://login.example/tenant",
        "login.example/tenant",
        "null",
    ] {
        assert_rejected!(Login::openid().answer_from(Some(iss)), CallbackError::IssMismatch, "{iss}");
    }
}

#[test]
fn a15_a_declared_iss_that_is_missing_is_rejected() {
    let login = Login::openid();
    assert!(login.metadata.iss_parameter_supported);

    assert_rejected!(login.answer_from(None), CallbackError::MissingIss);
}

#[test]
fn b_remove_authorization_response_iss_is_rejected() {
    assert_rejected!(Login::openid().answer_from(None), CallbackError::MissingIss);
    assert_rejected!(Login::openid().answer_from(Some("")), CallbackError::MissingIss);
}

fn with_policy(policy: IssPolicy, declared: bool) -> Login {
    let mut provider = openid_provider();
    provider.iss_policy = policy;
    Login::begin(provider, metadata_with("authorization_response_iss_parameter_supported", json!(declared)))
}

#[test]
fn a16_the_policy_decides_whether_iss_may_be_missing() {
    for (policy, declared, may_be_missing) in [
        (IssPolicy::Require, true, false),
        (IssPolicy::Require, false, false),
        (IssPolicy::Allow, true, false),
        (IssPolicy::Allow, false, true),
        (IssPolicy::Ignore, true, true),
        (IssPolicy::Ignore, false, true),
    ] {
        let result = with_policy(policy, declared).answer_from(None);

        if may_be_missing {
            assert!(result.is_ok(), "{policy:?}, declared: {declared}: {result:?}");
        } else {
            assert_rejected!(result, CallbackError::MissingIss, "{policy:?}, declared: {declared}");
        }
    }
}

#[test]
fn a16_a_wrong_iss_is_rejected_under_every_policy() {
    for policy in [IssPolicy::Require, IssPolicy::Allow, IssPolicy::Ignore] {
        for declared in [true, false] {
            let login = with_policy(policy, declared);

            assert!(login.answer_from(Some(ISSUER)).is_ok());
            assert_rejected!(login.answer_from(Some("https://evil.example")), CallbackError::IssMismatch, "{policy:?}, {declared}");
        }
    }
}

#[test]
fn a16_a_declaration_that_is_missing_means_no() {
    let login = Login::begin(openid_provider(), metadata_with("authorization_response_iss_parameter_supported", json!(null)));

    assert!(login.answer_from(None).is_ok());
}

#[test]
fn a16_iss_of_a_provider_whose_iss_nobody_knows_is_ignored() {
    let login = Login::oauth();

    assert!(login.answer_from(None).is_ok());
    assert!(login.answer_from(Some("https://whoever.example")).is_ok());
}

#[test]
fn a16_a_required_iss_that_nobody_knows_is_rejected() {
    let mut provider = oauth_provider();
    provider.iss_policy = IssPolicy::Require;
    let login = Login::fixed(provider);

    assert_rejected!(login.answer_from(Some("https://plain.example")), CallbackError::IssMismatch);
    assert_rejected!(login.answer_from(None), CallbackError::MissingIss);
}

#[test]
fn a16_a_configured_iss_is_held_against_the_response() {
    let mut provider = oauth_provider();
    provider.expected_iss = Some("https://plain.example".to_owned());
    let login = Login::fixed(provider);

    assert!(login.answer_from(Some("https://plain.example")).is_ok());
    assert!(login.answer_from(None).is_ok());
    assert_rejected!(login.answer_from(Some("https://plain.example/")), CallbackError::IssMismatch);
}

#[test]
fn a17_an_error_is_believed_only_with_the_right_state() {
    let login = Login::openid();

    assert_rejected!(login.answer(&[("error", "access_denied"), ("iss", ISSUER)]), CallbackError::MissingState);
    assert_rejected!(login.answer(&[("error", "access_denied"), ("state", "wrong"), ("iss", ISSUER)]), CallbackError::StateMismatch);
}

#[test]
fn a17_an_error_is_believed_only_with_the_right_iss() {
    let login = Login::openid();
    let state = login.state();

    assert_rejected!(
        login.answer(&[("error", "access_denied"), ("state", &state), ("iss", "https://evil.example")]),
        CallbackError::IssMismatch
    );
    assert_rejected!(login.answer(&[("error", "access_denied"), ("state", &state)]), CallbackError::MissingIss);
}

#[test]
fn a17_an_error_of_a_login_that_took_too_long_is_only_late() {
    let login = Login::openid();
    let state = login.state();

    assert_rejected!(
        login.answer_at(after(TRANSACTION_LIFETIME), &[("error", "access_denied"), ("state", &state), ("iss", ISSUER)]),
        CallbackError::Expired
    );
}

fn provider_error(error: &str, description: Option<&str>) -> (AuthorizationErrorCode, String, Option<String>) {
    let login = Login::openid();
    let state = login.state();
    let mut pairs = vec![("error", error), ("state", state.as_str()), ("iss", ISSUER)];
    pairs.extend(description.map(|description| ("error_description", description)));
    match login.answer(&pairs) {
        Err(CallbackError::Provider { kind, error, description }) => (kind, error.to_string(), description.map(|text| text.to_string())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn b_form_post_error_is_shown() {
    let (kind, error, description) = provider_error("access_denied", Some("The user said no."));

    assert_eq!(kind, AuthorizationErrorCode::AccessDenied);
    assert_eq!(error, "access_denied");
    assert_eq!(description.as_deref(), Some("The user said no."));
}

#[test]
fn a17_every_error_of_the_specifications_is_told_apart() {
    for (error, expected) in [
        ("access_denied", AuthorizationErrorCode::AccessDenied),
        ("user_cancelled_login", AuthorizationErrorCode::AccessDenied),
        ("user_cancelled_authorize", AuthorizationErrorCode::AccessDenied),
        ("invalid_request", AuthorizationErrorCode::InvalidRequest),
        ("unauthorized_client", AuthorizationErrorCode::UnauthorizedClient),
        ("unsupported_response_type", AuthorizationErrorCode::UnsupportedResponseType),
        ("invalid_scope", AuthorizationErrorCode::InvalidScope),
        ("server_error", AuthorizationErrorCode::ServerError),
        ("temporarily_unavailable", AuthorizationErrorCode::TemporarilyUnavailable),
        ("login_required", AuthorizationErrorCode::InteractionRequired),
        ("consent_required", AuthorizationErrorCode::InteractionRequired),
        ("interaction_required", AuthorizationErrorCode::InteractionRequired),
        ("account_selection_required", AuthorizationErrorCode::InteractionRequired),
        ("invalid_request_object", AuthorizationErrorCode::InvalidRequest),
        ("invalid_request_uri", AuthorizationErrorCode::InvalidRequest),
        ("request_not_supported", AuthorizationErrorCode::InvalidRequest),
        ("request_uri_not_supported", AuthorizationErrorCode::InvalidRequest),
        ("invalid_target", AuthorizationErrorCode::InvalidRequest),
        ("unmet_authentication_requirements", AuthorizationErrorCode::UnmetAuthenticationRequirements),
        ("ACCESS_DENIED", AuthorizationErrorCode::Other),
        ("application_suspended", AuthorizationErrorCode::Other),
    ] {
        assert_eq!(provider_error(error, None), (expected, error.to_owned(), None));
    }
}

#[test]
fn a17_the_description_is_bounded_text_without_control_characters() {
    let (_, error, description) =
        provider_error("a\r\nb\u{1b}[31m", Some("  one\r\nSet-Cookie: x\u{0}\u{7f}\u{85}\u{2028}\u{202e}\u{200b}\u{feff}end\t "));

    assert_eq!(error, "a  b [31m");
    assert_eq!(description.as_deref(), Some("one  Set-Cookie: x       end"));

    let (_, _, description) = provider_error("x", Some(&"ä".repeat(2000)));
    assert_eq!(description.unwrap().chars().count(), 300);
}

#[test]
fn a17_markup_in_a_description_stays_the_text_that_it_is() {
    let markup = "<img src=x onerror=alert(1)>";

    assert_eq!(provider_error("x", Some(markup)).2.as_deref(), Some(markup));
}

#[test]
fn a17_whether_a_response_is_an_error_is_known_before_it_is_believed() {
    let read = |pairs: &[(&str, &str)]| AuthorizationResponse::from_pairs(pairs.iter().copied()).unwrap();

    assert!(read(&[("error", "access_denied")]).is_error());
    assert!(!read(&[("code", CODE)]).is_error());
    assert!(!read(&[("error", "")]).is_error());
    assert_eq!(read(&[("state", "abc")]).state(), Some("abc"));
    assert_eq!(read(&[("state", "")]).state(), None);
}

#[test]
fn a18_a_repeated_parameter_is_rejected() {
    for name in ["code", "state", "iss", "error", "error_description", "error_uri", "response", "user"] {
        for (first, second) in [("a", "b"), ("a", "a"), ("", "a"), ("a", ""), ("", "")] {
            let result = AuthorizationResponse::from_pairs([(name, first), ("unknown", "x"), (name, second)]);

            match result {
                Err(CallbackError::DuplicateParameter(repeated)) => assert_eq!(repeated, name),
                other => panic!("{name}={first}&{name}={second}: {other:?}"),
            }
        }
    }
}

#[test]
fn a18_unknown_parameters_are_ignored_however_often_they_come() {
    let login = Login::openid();
    let state = login.state();

    let result = login.answer(&[
        ("session_state", "x"),
        ("code", CODE),
        ("session_state", "y"),
        ("state", &state),
        ("STATE", "other"),
        ("iss", ISSUER),
        ("id_token", "x"),
        ("access_token", "x"),
    ]);

    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn a19_a_code_together_with_an_error_is_rejected() {
    let login = Login::openid();
    let state = login.state();

    assert_rejected!(
        login.answer(&[("code", CODE), ("error", "access_denied"), ("state", &state), ("iss", ISSUER)]),
        CallbackError::CodeAndError
    );
}

#[test]
fn a19_neither_a_code_nor_an_error_is_rejected() {
    let login = Login::openid();
    let state = login.state();

    assert_rejected!(login.answer(&[("state", &state), ("iss", ISSUER)]), CallbackError::MissingCode);
    assert_rejected!(login.answer(&[("code", ""), ("state", &state), ("iss", ISSUER)]), CallbackError::MissingCode);
    assert_rejected!(login.answer(&[("access_token", "x"), ("state", &state), ("iss", ISSUER)]), CallbackError::MissingCode);
}

#[test]
fn c_a_parameter_longer_than_any_providers_is_rejected() {
    for (name, most) in [
        ("code", 8192),
        ("state", 512),
        ("iss", 1024),
        ("error", 256),
        ("error_description", 4096),
        ("error_uri", 2048),
        ("response", 16384),
        ("user", 4096),
    ] {
        let read = |bytes| AuthorizationResponse::from_pairs([(name, "a".repeat(bytes))]);

        assert!(read(most).is_ok(), "{name}");
        assert_rejected!(read(most + 1), CallbackError::ParameterTooLong(_), "{name}");
    }
}

/// A second provider of the same kind.
fn other_openid() -> (Provider, ProviderMetadata) {
    let issuer = "https://other.example";
    let provider = preset::openid("other", "Other", issuer, "app-2", Some(client_secret()));
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": "https://other.example/authorize",
        "token_endpoint": "https://other.example/token",
        "jwks_uri": "https://other.example/keys",
    });
    let metadata = discovery::process_metadata(&provider, &json_response(&document)).unwrap();
    (provider, metadata)
}

#[test]
fn c_mix_up_the_response_of_one_provider_is_rejected_in_the_login_with_another() {
    let (provider, metadata) = other_openid();
    let login = Login::begin(provider, metadata);

    // The attacker's provider sent the browser on to the honest one, whose response now comes back.
    assert_rejected!(login.answer_from(Some(ISSUER)), CallbackError::IssMismatch);
}

#[test]
fn c_mix_up_without_iss_the_transaction_says_which_provider_it_is() {
    let mut login = Login::oauth();
    (login.provider, login.metadata) = other_openid();

    assert_rejected!(login.answer_from(None), CallbackError::ProviderMismatch);
}

#[test]
fn c_mix_up_a_callback_is_never_exchanged_at_another_provider() {
    let login = Login::openid();
    let (other, other_metadata) = other_openid();

    let exchange =
        |provider, metadata| with_context(1, |context| token::exchange_request(provider, metadata, login.callback(), None, context));
    assert_rejected!(exchange(&other, &other_metadata), TokenError::WrongProvider);
    assert_rejected!(exchange(&login.provider, &other_metadata), TokenError::WrongProvider);
    assert!(exchange(&login.provider, &login.metadata).is_ok());
}

#[test]
fn c_a_provider_whose_issuer_has_changed_since_the_start_is_rejected() {
    let mut login = Login::openid();
    let (mut other, other_metadata) = other_openid();
    other.id = "example".to_owned();
    (login.provider, login.metadata) = (other, other_metadata);

    assert_rejected!(login.answer_from(Some("https://other.example")), CallbackError::ProviderMismatch);
    assert_rejected!(login.answer_from(Some(ISSUER)), CallbackError::ProviderMismatch);
}

#[test]
fn c_a_configured_issuer_that_has_changed_since_the_start_is_rejected_whatever_the_metadata() {
    let mut openid = Login::openid();
    openid.provider.kind = other_openid().0.kind;
    assert_rejected!(openid.answer_from(Some(ISSUER)), CallbackError::ProviderMismatch);

    let mut oauth = Login::oauth();
    oauth.provider.expected_iss = Some("https://plain.example".to_owned());
    assert_rejected!(oauth.answer_from(None), CallbackError::ProviderMismatch);
}

#[test]
fn c_metadata_of_another_issuer_is_rejected() {
    let mut login = Login::openid();
    login.metadata = other_openid().1;

    assert_rejected!(login.answer_from(Some(ISSUER)), CallbackError::ProviderMismatch);
}

#[test]
fn the_checks_come_in_the_order_of_their_list() {
    let mut login = Login::openid();
    let state = login.state();

    // Everything is wrong with it; repairing one thing shows the next.
    let late = after(TRANSACTION_LIFETIME);
    assert_rejected!(
        login.answer_at(late, &[("code", CODE), ("error", "x"), ("state", "wrong"), ("iss", "w")]),
        CallbackError::StateMismatch
    );
    assert_rejected!(login.answer_at(late, &[("code", CODE), ("error", "x"), ("state", &state), ("iss", "w")]), CallbackError::Expired);
    assert_rejected!(
        login.answer_at(now(), &[("code", CODE), ("error", "x"), ("state", &state), ("iss", "w")]),
        CallbackError::IssMismatch
    );
    assert_rejected!(login.answer(&[("code", CODE), ("error", "x"), ("state", &state), ("iss", ISSUER)]), CallbackError::CodeAndError);
    assert!(login.answer(&[("code", CODE), ("state", &state), ("iss", ISSUER)]).is_ok());

    login.provider.id = "other".to_owned();
    assert_rejected!(login.answer(&[("code", CODE), ("state", "wrong"), ("iss", ISSUER)]), CallbackError::ProviderMismatch);
}

#[test]
fn what_is_wrong_with_a_signature_has_its_own_code_wherever_it_is_found() {
    for code in [
        CallbackError::from(JarmError::from(JwsError::AlgorithmNone)).code(),
        IdTokenError::from(JwsError::AlgorithmNone).code(),
        LogoutTokenError::from(JwsError::AlgorithmNone).code(),
        UserInfoError::from(JwsError::AlgorithmNone).code(),
    ] {
        assert_eq!(code, "token_algorithm_none");
    }
    assert_eq!(CallbackError::MissingState.code(), "callback_state_missing");
    assert_eq!(CallbackError::from(JarmError::NoKeys).code(), "jarm_keys_missing");
    assert_eq!(IdTokenError::AcrMismatch.code(), "id_token_acr_mismatch");
}

/// A login with a provider whose issuer is the user's tenant's.
fn login_of_any_tenant() -> Login {
    let issuer = "https://login.example/common/v2.0";
    let mut provider = openid_provider();
    provider.kind = ProviderKind::OpenId { issuer: issuer.to_owned() };
    provider.issuer_rule = IssuerRule::TenantTemplate;
    let mut document = crate::support::metadata_document();
    document["issuer"] = json!("https://login.example/{tenantid}/v2.0");
    document["authorization_response_iss_parameter_supported"] = json!(false);
    let metadata = discovery::process_metadata(&provider, &json_response(&document)).unwrap();
    Login::begin(provider, metadata)
}

#[test]
fn a14_iss_of_a_tenant_is_the_template_with_the_tenants_identifier() {
    let login = login_of_any_tenant();
    let tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";

    assert!(login.answer_from(None).is_ok());
    assert!(login.answer_from(Some(&format!("https://login.example/{tenant}/v2.0"))).is_ok());
    assert!(login.answer_from(Some(&format!("https://login.example/{}/v2.0", tenant.to_ascii_uppercase()))).is_ok());
    for iss in [
        "https://login.example/common/v2.0".to_owned(),
        "https://login.example/{tenantid}/v2.0".to_owned(),
        "https://login.example//v2.0".to_owned(),
        format!("https://evil.example/{tenant}/v2.0"),
        format!("https://login.example/{tenant}/v2.0/"),
        format!("https://login.example/{tenant}/v1.0"),
        format!("https://login.example/{}/v2.0", &tenant[1..]),
        format!("https://login.example/{tenant}0/v2.0"),
        format!("https://login.example/{}/v2.0", tenant.replace('-', "0")),
        format!("https://login.example/{}/v2.0", tenant.replace('d', "g")),
        format!("https://login.example/{}/v2.0", tenant.replace('6', "-")),
        format!("https://login.example/{}/v2.0", tenant.replace('6', "/")),
    ] {
        assert_rejected!(login.answer_from(Some(&iss)), CallbackError::IssMismatch, "{iss}");
    }
}

#[test]
fn a14_the_alternatives_are_for_id_tokens_and_not_for_the_response() {
    let mut provider = openid_provider();
    provider.issuer_rule = IssuerRule::Alternatives(vec!["login.example".to_owned()]);
    let login = Login::begin(provider, metadata());

    assert!(login.answer_from(Some(ISSUER)).is_ok());
    assert_rejected!(login.answer_from(Some("login.example")), CallbackError::IssMismatch);
}

/// What the user is called after an answer with this `user` beside the code.
fn claimed_name(response_mode: ResponseMode, user: &str) -> Option<String> {
    let mut login = Login::openid();
    login.provider.response_mode = response_mode;
    let state = login.state();
    let callback = login.answer(&[("code", CODE), ("state", &state), ("iss", ISSUER), ("user", user)]).unwrap();
    callback.claimed_name().map(str::to_owned)
}

#[test]
fn a33_apples_name_comes_beside_the_code_and_is_only_a_name() {
    let user = r#"{"name":{"firstName":"Alice","lastName":"Example"},"email":"somebody@example.com"}"#;

    assert_eq!(claimed_name(ResponseMode::FormPost, user).as_deref(), Some("Alice Example"));
    assert_eq!(claimed_name(ResponseMode::FormPost, r#"{"name":{"lastName":"Example"}}"#).as_deref(), Some("Example"));
    assert_eq!(
        claimed_name(ResponseMode::FormPost, r#"{"name":{"firstName":"A\u0000\u202elice\r\n","lastName":7}}"#).as_deref(),
        Some("A  lice")
    );
    let long = json!({ "name": { "firstName": "x".repeat(400) } }).to_string();
    assert_eq!(claimed_name(ResponseMode::FormPost, &long).unwrap().len(), 300);
}

#[test]
fn a33_a_name_in_the_address_is_nobodys() {
    // Only a posted form has it, and whoever writes an address could write a name into it.
    let user = r#"{"name":{"firstName":"Alice","lastName":"Example"}}"#;

    assert_eq!(claimed_name(ResponseMode::Query, user), None);
}

#[test]
fn a33_a_name_that_cannot_be_read_turns_nobody_away() {
    for user in [
        "",
        "Alice",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"name":"Alice"}"#,
        r#"{"name":null}"#,
        r#"{"name":{}}"#,
        r#"{"name":{"firstName":"","lastName":" "}}"#,
        r#"{"name":{"firstName":["Alice"]}}"#,
        r#"{"name":{"firstName":"Alice"},"name":{"firstName":"Bob"}}"#,
        r#"{"email":"alice@example.com"}"#,
    ] {
        assert_eq!(claimed_name(ResponseMode::FormPost, user), None, "{user}");
    }
}
