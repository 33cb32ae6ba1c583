//! The signed authorization response. [JARM](https://openid.net/specs/oauth-v2-jarm.html)

use oauth2flow_protocol::authorize::TRANSACTION_LIFETIME;
use oauth2flow_protocol::callback::{AuthorizationErrorCode, CallbackError};
use oauth2flow_protocol::jarm::JarmError;
use oauth2flow_protocol::jws::JwsError;
use oauth2flow_protocol::provider::{IssPolicy, ResponseMode};
use oauth2flow_protocol::{AuthorizationResponse, JwkSet, ProviderMetadata, SigningAlgorithm, ValidatedCallback};
use serde_json::{Value, json};

use crate::signing_key::{SigningKey, decode, encode, key_set, sign_with_secret, unsigned};
use crate::support::{
    CLIENT_ID, CLIENT_SECRET, CODE, ISSUER, Login, RETURN_TO, START, after, assert_rejected, metadata, metadata_with, now, oauth_provider,
    openid_provider,
};

type Judgement = Result<ValidatedCallback, CallbackError>;

/// A login that asks for a signed response.
fn login() -> Login {
    login_with(metadata_with("authorization_signing_alg_values_supported", json!(["ES256", "RS256"])))
}

fn login_with(mut metadata: ProviderMetadata) -> Login {
    metadata.response_modes = vec!["query".to_owned(), "jwt".to_owned(), "query.jwt".to_owned()];
    let mut provider = openid_provider();
    provider.response_mode = ResponseMode::Jwt;
    Login::begin(provider, metadata)
}

/// The state, which the address of a login with a signed response need not show.
fn state(login: &Login) -> String {
    let plaintext: Value = serde_json::from_slice(&login.transaction.to_plaintext()).unwrap();
    plaintext["s"].as_str().unwrap().to_owned()
}

/// The claims of a response that holds.
fn claims(login: &Login) -> Value {
    json!({ "iss": ISSUER, "aud": CLIENT_ID, "exp": START + 300, "code": CODE, "state": state(login) })
}

fn judge(login: &Login, token: &str, keys: &JwkSet) -> Judgement {
    login.answer_with(Some(keys), now(), &[("response", token)])
}

/// What becomes of a response whose claims are changed and that is signed as it should be.
fn judge_claims(change: impl FnOnce(&mut Value)) -> Judgement {
    let (login, key) = (login(), SigningKey::es256("key-1"));
    let mut claims = claims(&login);
    change(&mut claims);
    judge(&login, &key.sign(&claims), &key_set(&[&key]))
}

fn judge_with(name: &str, value: Value) -> Judgement {
    judge_claims(|claims| claims[name] = value)
}

fn judge_without(name: &str) -> Judgement {
    judge_claims(|claims| {
        claims.as_object_mut().unwrap().remove(name).unwrap();
    })
}

/// What becomes of a response whose header is changed and that is signed as it should be.
fn judge_header(change: impl FnOnce(&mut Value)) -> Judgement {
    let (login, key) = (login(), SigningKey::es256("key-1"));
    let mut header = key.header();
    change(&mut header);
    judge(&login, &key.sign_with_header(&header, &claims(&login)), &key_set(&[&key]))
}

#[test]
fn b_happy_path_a_signed_response_is_accepted() {
    let callback = judge_claims(|_| {}).unwrap();

    assert_eq!(callback.provider_id(), "example");
    assert_eq!(callback.return_to().as_str(), RETURN_TO);
    assert_eq!(callback.claimed_name(), None);
}

#[test]
fn a11_the_state_is_found_in_the_response_before_anybody_has_verified_it() {
    let (login, key) = (login(), SigningKey::es256("key-1"));
    let read = |token: &str| AuthorizationResponse::from_pairs([("response", token)]).unwrap();

    let response = read(&key.sign(&claims(&login)));
    assert_eq!(response.state(), Some(state(&login).as_str()));
    assert!(response.is_signed() && !response.is_error());

    assert!(read(&key.sign(&json!({ "error": "access_denied" }))).is_error());
    for (payload, why) in [
        (json!({}), "none"),
        (json!({ "state": "" }), "empty"),
        (json!({ "state": 1 }), "no string"),
        (json!({ "state": null }), "null"),
        (json!([]), "no object"),
    ] {
        assert_eq!(read(&key.sign(&payload)).state(), None, "{why}");
        assert!(!read(&key.sign(&payload)).is_error(), "{why}");
    }
    for token in ["x", "a.b", "a.b.c", "....", "a.b.c.d.e", &format!("e30.{}.e30.e30", encode(br#"{"state":"a"}"#))] {
        assert_eq!(read(token).state(), None, "{token}");
    }
    // A state beside the signed response leads nowhere.
    let beside = AuthorizationResponse::from_pairs([("response", "x"), ("state", "plain"), ("error", "x")]).unwrap();
    assert!(beside.state().is_none() && !beside.is_error());
    let plain = AuthorizationResponse::from_pairs([("state", "plain"), ("response", "")]).unwrap();
    assert!(!plain.is_signed());
    assert_eq!(plain.state(), Some("plain"));
}

#[test]
fn a20_a_signed_response_does_not_print_what_it_holds() {
    let (login, key) = (login(), SigningKey::es256("key-1"));
    let token = key.sign(&claims(&login));

    let printed = format!("{:?}", AuthorizationResponse::from_pairs([("response", token.as_str())]).unwrap());

    assert!(printed.contains("is_signed: true"), "{printed}");
    assert!(!printed.contains(&state(&login)) && !printed.contains(CODE) && !printed.contains(&token), "{printed}");
}

#[test]
fn b_invalid_state_in_a_signed_response_is_rejected() {
    assert_rejected!(judge_with("state", json!("wrong")), CallbackError::StateMismatch);
    assert_rejected!(judge_with("state", json!("")), CallbackError::MissingState);
    assert_rejected!(judge_with("state", json!(null)), CallbackError::MissingState);
    assert_rejected!(judge_without("state"), CallbackError::MissingState);
    assert_rejected!(judge_with("state", json!(1)), CallbackError::Jarm(JarmError::InvalidClaim("state")));
}

#[test]
fn a12_the_signed_response_of_one_browser_is_rejected_in_another() {
    let key = SigningKey::es256("key-1");
    let victim = login();
    let mut attacker = login();
    attacker.transaction = Login::begin_from(2, attacker.provider.clone(), attacker.metadata.clone()).transaction;

    let token = key.sign(&claims(&attacker));

    assert_rejected!(judge(&victim, &token, &key_set(&[&key])), CallbackError::StateMismatch);
    assert!(judge(&attacker, &token, &key_set(&[&key])).is_ok());
}

#[test]
fn a11_a_signed_response_of_a_login_that_took_too_long_is_rejected() {
    let (login, key) = (login(), SigningKey::es256("key-1"));
    let mut claims = claims(&login);
    claims["exp"] = json!(START + 3600);
    let token = key.sign(&claims);

    let result = login.answer_with(Some(&key_set(&[&key])), after(TRANSACTION_LIFETIME), &[("response", &token)]);

    assert_rejected!(result, CallbackError::Expired);
}

#[test]
fn a28_a_plain_answer_is_rejected_where_a_signed_one_was_asked_for() {
    let login = login();
    let (state, key) = (state(&login), SigningKey::es256("key-1"));

    for pairs in [
        &[("code", CODE), ("state", state.as_str()), ("iss", ISSUER)][..],
        &[("error", "access_denied"), ("state", &state), ("iss", ISSUER)],
        &[("code", CODE), ("state", &state), ("iss", ISSUER), ("response", "")],
    ] {
        assert_rejected!(login.answer_with(Some(&key_set(&[&key])), now(), pairs), CallbackError::NotSigned, "{pairs:?}");
    }
}

#[test]
fn a28_a_signed_answer_is_rejected_where_a_plain_one_was_asked_for() {
    for response_mode in [ResponseMode::Query, ResponseMode::FormPost] {
        let (mut login, key) = (login(), SigningKey::es256("key-1"));
        login.provider.response_mode = response_mode;
        let token = key.sign(&claims(&login));

        assert_rejected!(judge(&login, &token, &key_set(&[&key])), CallbackError::UnexpectedlySigned);
        let state = state(&login);
        let pairs = [("code", CODE), ("state", state.as_str()), ("iss", ISSUER), ("response", &token)];
        assert_rejected!(login.answer_with(Some(&key_set(&[&key])), now(), &pairs), CallbackError::UnexpectedlySigned);
    }
}

#[test]
fn a18_nothing_but_iss_may_be_beside_a_signed_answer() {
    let (login, key) = (login(), SigningKey::es256("key-1"));
    let (token, keys, state) = (key.sign(&claims(&login)), key_set(&[&key]), state(&login));
    let beside = |name: &str, value: &str| login.answer_with(Some(&keys), now(), &[("response", &token), (name, value)]);

    for (name, value) in [("code", CODE), ("state", state.as_str()), ("error", "access_denied"), ("error_description", "x")] {
        assert_rejected!(beside(name, value), CallbackError::PartlySigned, "{name}");
        assert!(beside(name, "").is_ok(), "{name}");
    }
    assert!(beside("iss", ISSUER).is_ok());
    assert_rejected!(beside("iss", "https://evil.example"), CallbackError::IssMismatch);
    assert!(beside("session_state", "x").is_ok());
}

#[test]
fn b_invalid_authorization_response_iss_in_a_signed_response_is_rejected() {
    for iss in ["https://evil.example", "https://login.example/tenant/", "https://LOGIN.example/tenant", ""] {
        assert_rejected!(judge_with("iss", json!(iss)), CallbackError::Jarm(JarmError::IssuerMismatch), "{iss}");
    }
    assert_rejected!(judge_without("iss"), CallbackError::Jarm(JarmError::MissingClaim("iss")));
    assert_rejected!(judge_with("iss", json!([ISSUER])), CallbackError::Jarm(JarmError::InvalidClaim("iss")));
}

#[test]
fn a15_a_signed_response_has_iss_under_every_policy() {
    for policy in [IssPolicy::Require, IssPolicy::Allow, IssPolicy::Ignore] {
        let (mut login, key) = (login(), SigningKey::es256("key-1"));
        login.provider.iss_policy = policy;
        let mut claims = claims(&login);
        assert!(judge(&login, &key.sign(&claims), &key_set(&[&key])).is_ok(), "{policy:?}");
        claims.as_object_mut().unwrap().remove("iss").unwrap();

        let result = judge(&login, &key.sign(&claims), &key_set(&[&key]));

        assert_rejected!(result, CallbackError::Jarm(JarmError::MissingClaim("iss")), "{policy:?}");
    }
}

#[test]
fn a16_a_signed_response_of_a_provider_whose_iss_nobody_knows_is_rejected() {
    let mut provider = oauth_provider();
    provider.response_mode = ResponseMode::Jwt;
    let mut metadata = provider.fixed_metadata().unwrap();
    metadata.response_modes = vec!["jwt".to_owned()];
    let login = Login::begin(provider, metadata);
    let key = SigningKey::rs256("key-1");

    let result = judge(&login, &key.sign(&claims(&login)), &key_set(&[&key]));

    assert_rejected!(result, CallbackError::Jarm(JarmError::IssuerMismatch));
}

#[test]
fn b_invalid_aud_in_a_signed_response_is_rejected() {
    for audience in [json!("app-2"), json!(["app-2"]), json!([]), json!("")] {
        assert_rejected!(judge_with("aud", audience.clone()), CallbackError::Jarm(JarmError::AudienceMismatch), "{audience}");
    }
    assert_rejected!(judge_without("aud"), CallbackError::Jarm(JarmError::MissingClaim("aud")));
    assert_rejected!(judge_with("aud", json!(1)), CallbackError::Jarm(JarmError::InvalidClaim("aud")));
    assert!(judge_with("aud", json!([CLIENT_ID])).is_ok());
    assert!(judge_with("aud", json!([CLIENT_ID, "app-2"])).is_ok());
}

#[test]
fn b_expired_exp_in_a_signed_response_is_rejected() {
    assert!(judge_with("exp", json!(START - 59)).is_ok());
    assert_rejected!(judge_with("exp", json!(START - 60)), CallbackError::Jarm(JarmError::Expired));
    assert_rejected!(judge_without("exp"), CallbackError::Jarm(JarmError::MissingClaim("exp")));
    assert_rejected!(judge_with("exp", json!("later")), CallbackError::Jarm(JarmError::InvalidClaim("exp")));
    assert!(judge_with("exp", json!(i64::MAX)).is_ok());
}

#[test]
fn a25_a_signed_response_of_the_future_is_rejected() {
    for name in ["iat", "nbf"] {
        assert!(judge_with(name, json!(START + 60)).is_ok(), "{name}");
        assert_rejected!(judge_with(name, json!(START + 61)), CallbackError::Jarm(JarmError::NotYetValid), "{name}");
        assert_rejected!(judge_with(name, json!("now")), CallbackError::Jarm(JarmError::InvalidClaim(_)), "{name}");
    }
}

#[test]
fn b_idtoken_sig_none_in_a_signed_response_is_rejected() {
    let (login, key) =
        (login_with(metadata_with("authorization_signing_alg_values_supported", json!(["none", "ES256"]))), SigningKey::es256("key-1"));
    let claims = claims(&login);

    let none = unsigned(&json!({ "alg": "none" }), &claims);
    assert_rejected!(judge(&login, &none, &key_set(&[&key])), CallbackError::Jarm(JarmError::Jws(JwsError::AlgorithmNone)));
    let secret = sign_with_secret(CLIENT_SECRET.as_bytes(), &json!({ "alg": "HS256" }), &claims);
    assert_rejected!(judge(&login, &secret, &key_set(&[&key])), CallbackError::Jarm(JarmError::Jws(JwsError::SymmetricAlgorithm)));
    assert_rejected!(judge(&login, "a.b.c.d.e", &key_set(&[&key])), CallbackError::Jarm(JarmError::Jws(JwsError::Encrypted)));
    assert_rejected!(judge(&login, "x", &key_set(&[&key])), CallbackError::Jarm(JarmError::Jws(JwsError::NotCompact)));
}

#[test]
fn a28_the_signature_of_a_response_is_verified_before_anything_in_it_is_believed() {
    let (login, key, other) = (login(), SigningKey::es256("key-1"), SigningKey::es256("key-1"));
    let token = key.sign(&json!({ "error": "access_denied", "state": "wrong", "iss": "https://evil.example" }));
    assert_rejected!(judge(&login, &token, &key_set(&[&other])), CallbackError::Jarm(JarmError::Jws(JwsError::InvalidSignature)));

    let token = key.sign(&claims(&login));
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut signature = decode(signature);
    signature[9] ^= 1;
    let forged = format!("{message}.{}", encode(&signature));
    assert_rejected!(judge(&login, &forged, &key_set(&[&key])), CallbackError::Jarm(JarmError::Jws(JwsError::InvalidSignature)));
}

#[test]
fn a28_a_signed_response_without_keys_is_rejected() {
    let (login, key) = (login(), SigningKey::es256("key-1"));
    let token = key.sign(&claims(&login));

    let result = login.answer_with(None, now(), &[("response", &token)]);

    assert_rejected!(result, CallbackError::Jarm(JarmError::NoKeys));
}

#[test]
fn a28_the_algorithm_of_a_response_is_pinned_by_metadata_and_configuration() {
    let key = SigningKey::es256("key-1");
    let judge_under = |declared: Value, configured: &[SigningAlgorithm]| {
        let mut login = login_with(metadata_with("authorization_signing_alg_values_supported", declared));
        login.provider.id_token_algorithms = configured.to_vec();
        judge(&login, &key.sign(&claims(&login)), &key_set(&[&key]))
    };

    assert!(judge_under(json!(["ES256"]), &[]).is_ok());
    assert!(judge_under(json!(["ES256", "PS256"]), &[SigningAlgorithm::Es256, SigningAlgorithm::Rs256]).is_ok());
    assert!(judge_under(json!(null), &[SigningAlgorithm::Es256]).is_ok());
    for (declared, configured) in [
        (json!(["PS256"]), &[][..]),
        (json!(["ES256"]), &[SigningAlgorithm::Rs256]),
        (json!(["RS256"]), &[SigningAlgorithm::Es256]),
        // RS256 is the default of a client that has registered nothing else.
        (json!(null), &[]),
    ] {
        let result = judge_under(declared.clone(), configured);
        assert_rejected!(
            result,
            CallbackError::Jarm(JarmError::Jws(JwsError::AlgorithmNotAllowed(SigningAlgorithm::Es256))),
            "{declared} {configured:?}"
        );
    }
}

#[test]
fn a31_a_response_of_an_unknown_key_asks_for_fresh_keys() {
    let (login, old, new) = (login(), SigningKey::es256("old"), SigningKey::es256("new"));
    let token = new.sign(&claims(&login));

    assert!(judge(&login, &token, &key_set(&[&old])).unwrap_err().wants_fresh_keys());
    assert!(judge(&login, &token, &key_set(&[&new])).is_ok());
    assert!(!judge_without("exp").unwrap_err().wants_fresh_keys());
    assert!(!judge_without("state").unwrap_err().wants_fresh_keys());
}

#[test]
fn a28_what_the_header_of_a_response_demands_or_brings_along_is_not_taken() {
    assert_rejected!(judge_header(|header| header["crit"] = json!(["exp"])), CallbackError::Jarm(JarmError::Jws(JwsError::CriticalHeader)));
    for name in ["at+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt"] {
        assert_rejected!(
            judge_header(|header| header["typ"] = json!(name)),
            CallbackError::Jarm(JarmError::Jws(JwsError::WrongTokenType(_))),
            "{name}"
        );
    }
    assert!(judge_header(|header| drop(header.as_object_mut().unwrap().remove("typ"))).is_ok());

    let (login, key, own) = (login(), SigningKey::es256("key-1"), SigningKey::es256("key-1"));
    let mut header = own.header();
    header["jwk"] = own.public();
    header["jku"] = json!("https://evil.example/keys");
    let token = own.sign_with_header(&header, &claims(&login));
    assert_rejected!(judge(&login, &token, &key_set(&[&key])), CallbackError::Jarm(JarmError::Jws(JwsError::InvalidSignature)));
}

#[test]
fn a17_an_error_in_a_signed_response_is_shown() {
    let result = judge_claims(|claims| {
        claims.as_object_mut().unwrap().remove("code").unwrap();
        claims["error"] = json!("login_required");
        claims["error_description"] = json!("Nobody is\r\nlogged in.");
    });

    match result {
        Err(CallbackError::Provider { kind, error, description }) => {
            assert_eq!(kind, AuthorizationErrorCode::InteractionRequired);
            assert_eq!((error.as_str(), description.unwrap().as_str()), ("login_required", "Nobody is  logged in."));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a19_a_signed_response_has_a_code_or_an_error() {
    assert_rejected!(judge_with("error", json!("access_denied")), CallbackError::CodeAndError);
    assert_rejected!(judge_without("code"), CallbackError::MissingCode);
    assert_rejected!(judge_with("code", json!("")), CallbackError::MissingCode);
    assert_rejected!(judge_with("code", json!(17)), CallbackError::Jarm(JarmError::InvalidClaim("code")));
    assert_rejected!(judge_with("error", json!({})), CallbackError::Jarm(JarmError::InvalidClaim("error")));
}

#[test]
fn c_a_parameter_in_a_signed_response_has_the_limits_of_a_plain_one() {
    assert!(judge_with("code", json!("x".repeat(8192))).is_ok());
    assert_rejected!(judge_with("code", json!("x".repeat(8193))), CallbackError::ParameterTooLong("code"));
    assert_rejected!(judge_with("state", json!("x".repeat(513))), CallbackError::ParameterTooLong("state"));
    assert_rejected!(judge_with("error", json!("x".repeat(257))), CallbackError::ParameterTooLong("error"));
    assert_rejected!(judge_with("error_description", json!("x".repeat(4097))), CallbackError::ParameterTooLong("error_description"));
}

#[test]
fn c_token_type_confusion_an_id_token_is_no_signed_response() {
    let (login, key) = (login(), SigningKey::es256("key-1"));
    let id_token = key.sign(&json!({ "iss": ISSUER, "aud": CLIENT_ID, "sub": "user", "iat": START, "exp": START + 300, "nonce": "x" }));

    assert_rejected!(judge(&login, &id_token, &key_set(&[&key])), CallbackError::MissingState);
}

#[test]
fn c_mix_up_the_signed_response_of_another_provider_is_rejected_before_its_signature_is_looked_at() {
    let (mut login, key) = (login(), SigningKey::es256("key-1"));
    let token = key.sign(&claims(&login));
    login.metadata = metadata();
    login.metadata.issuer = Some("https://other.example".to_owned());

    assert_rejected!(login.answer_with(None, now(), &[("response", &token)]), CallbackError::ProviderMismatch);
}
