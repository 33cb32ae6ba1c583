//! The logout token of a back-channel logout.
//! [Back-Channel Logout §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation)

use std::time::Duration;

use jiff::Timestamp;
use oauth2flow_protocol::jws::JwsError;
use oauth2flow_protocol::logout_token::{self, BACKCHANNEL_LOGOUT_EVENT, LogoutTokenError, LogoutTokenExpectations, ValidatedLogoutToken};
use oauth2flow_protocol::provider::{IssuerRule, ProviderKind};
use oauth2flow_protocol::{JwkSet, SigningAlgorithm};
use serde_json::{Value, json};

use crate::signing_key::{SigningKey, key_set, sign_with_secret, unsigned};
use crate::support::{
    CLIENT_ID, CLIENT_SECRET, ISSUER, Login, START, SUBJECT, assert_rejected, metadata, metadata_with, now, oauth_provider, openid_provider,
};

type Judgement = Result<ValidatedLogoutToken, LogoutTokenError>;

/// The claims of a logout token that holds.
fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": CLIENT_ID,
        "iat": START,
        "exp": START + 120,
        "jti": "logout-1",
        "sub": SUBJECT,
        "sid": "provider-session-1",
        "events": { BACKCHANNEL_LOGOUT_EVENT: {} },
    })
}

fn judge(token: &str, keys: &JwkSet) -> Judgement {
    let (provider, metadata) = (openid_provider(), metadata());
    logout_token::validate(token, &LogoutTokenExpectations::new(&provider, &metadata, now()).unwrap(), keys)
}

/// What becomes of a token whose claims are changed and that is signed as it should be.
fn judge_claims(change: impl FnOnce(&mut Value)) -> Judgement {
    let key = SigningKey::es256("key-1");
    let mut claims = claims();
    change(&mut claims);
    let mut header = key.header();
    header["typ"] = json!("logout+jwt");
    judge(&key.sign_with_header(&header, &claims), &key_set(&[&key]))
}

fn judge_with(name: &str, value: Value) -> Judgement {
    judge_claims(|claims| claims[name] = value)
}

fn judge_without(name: &str) -> Judgement {
    judge_claims(|claims| drop(claims.as_object_mut().unwrap().remove(name).unwrap()))
}

fn judge_type(name: Option<Value>) -> Judgement {
    let key = SigningKey::es256("key-1");
    let mut header = key.header();
    header.as_object_mut().unwrap().remove("typ");
    if let Some(name) = name {
        header["typ"] = name;
    }
    judge(&key.sign_with_header(&header, &claims()), &key_set(&[&key]))
}

#[test]
fn a44_a_good_logout_token_is_accepted() {
    let token = judge_claims(|_| {}).unwrap();

    assert_eq!(token.issuer, ISSUER);
    assert_eq!(token.subject.as_deref(), Some(SUBJECT));
    assert_eq!(token.session_id.as_deref(), Some("provider-session-1"));
    assert_eq!(token.token_id, "logout-1");
    assert_eq!(token.expires_at, now() + Duration::from_mins(3), "the leeway is added, so that the jti is remembered as long as it counts");
}

#[test]
fn a44_either_sub_or_sid_is_enough() {
    assert_eq!(judge_without("sub").unwrap().subject, None);
    assert_eq!(judge_without("sid").unwrap().session_id, None);
    let neither = judge_claims(|claims| {
        claims["sub"] = json!(null);
        claims.as_object_mut().unwrap().remove("sid");
    });
    assert_rejected!(neither, LogoutTokenError::MissingSubjectAndSession);
}

#[test]
fn a44_sub_and_sid_are_strings_that_are_not_empty() {
    assert_rejected!(judge_with("sub", json!("")), LogoutTokenError::InvalidClaim("sub"));
    assert_rejected!(judge_with("sub", json!(1)), LogoutTokenError::InvalidClaim("sub"));
    assert_rejected!(judge_with("sid", json!("")), LogoutTokenError::InvalidClaim("sid"));
    assert_rejected!(judge_with("sid", json!(["provider-session-1"])), LogoutTokenError::InvalidClaim("sid"));
}

#[test]
fn b_backchannel_alg_none_is_rejected() {
    let key = SigningKey::es256("key-1");
    for name in ["none", "NONE", "nOnE"] {
        let token = unsigned(&json!({ "alg": name, "typ": "logout+jwt", "kid": "key-1" }), &claims());
        assert_rejected!(judge(&token, &key_set(&[&key])), LogoutTokenError::Jws(JwsError::AlgorithmNone), "{name}");
    }
}

#[test]
fn b_backchannel_wrong_alg_is_rejected() {
    let key = SigningKey::generate("key-1", SigningAlgorithm::EdDsa);
    assert_rejected!(
        judge(&key.sign(&claims()), &key_set(&[&key])),
        LogoutTokenError::Jws(JwsError::AlgorithmNotAllowed(SigningAlgorithm::EdDsa))
    );

    let token = sign_with_secret(CLIENT_SECRET.as_bytes(), &json!({ "alg": "HS256", "typ": "logout+jwt" }), &claims());
    assert_rejected!(judge(&token, &key_set(&[&key])), LogoutTokenError::Jws(JwsError::SymmetricAlgorithm));
}

#[test]
fn a44_a_forged_signature_is_rejected() {
    let (key, other) = (SigningKey::es256("key-1"), SigningKey::es256("key-1"));

    let token = other.sign(&claims());

    assert_rejected!(judge(&token, &key_set(&[&key])), LogoutTokenError::Jws(JwsError::InvalidSignature));
    assert!(judge(&token, &key_set(&[&other])).is_ok());
}

#[test]
fn b_backchannel_no_event_is_rejected() {
    assert_rejected!(judge_without("events"), LogoutTokenError::MissingEvent);
    assert_rejected!(judge_with("events", json!({})), LogoutTokenError::MissingEvent);
    assert_rejected!(judge_with("events", json!(null)), LogoutTokenError::MissingEvent);
}

#[test]
fn b_backchannel_wrong_event_is_rejected() {
    for events in [
        json!({ "http://schemas.openid.net/event/frontchannel-logout": {} }),
        json!({ "http://schemas.openid.net/event/backchannel-logout/": {} }),
        json!({ "https://schemas.openid.net/event/backchannel-logout": {} }),
        json!([BACKCHANNEL_LOGOUT_EVENT]),
        json!(BACKCHANNEL_LOGOUT_EVENT),
        json!({ BACKCHANNEL_LOGOUT_EVENT: null }),
        json!({ BACKCHANNEL_LOGOUT_EVENT: true }),
        json!({ BACKCHANNEL_LOGOUT_EVENT: [] }),
        json!({ BACKCHANNEL_LOGOUT_EVENT: "" }),
    ] {
        assert_rejected!(judge_with("events", events.clone()), LogoutTokenError::MissingEvent, "{events}");
    }
}

#[test]
fn a44_further_events_and_members_are_ignored() {
    assert!(judge_with("events", json!({ BACKCHANNEL_LOGOUT_EVENT: { "reason": 1 }, "http://example.com/other": 1 })).is_ok());
    assert!(judge_with("toe", json!(START)).is_ok());
}

#[test]
fn b_backchannel_with_nonce_is_rejected() {
    for nonce in [json!("nonce"), json!(""), json!(null), json!(1)] {
        assert_rejected!(judge_with("nonce", nonce.clone()), LogoutTokenError::NoncePresent, "{nonce}");
    }
}

#[test]
fn b_backchannel_wrong_iss_is_rejected() {
    for issuer in ["https://evil.example", "https://login.example/tenant/", "https://login.example/Tenant"] {
        assert_rejected!(judge_with("iss", json!(issuer)), LogoutTokenError::IssuerMismatch, "{issuer}");
    }
    assert_rejected!(judge_without("iss"), LogoutTokenError::MissingClaim("iss"));
    assert_rejected!(judge_with("iss", json!(1)), LogoutTokenError::InvalidClaim("iss"));
}

#[test]
fn b_backchannel_wrong_aud_is_rejected() {
    for audience in [json!("app-2"), json!(["app-2"]), json!([]), json!("")] {
        assert_rejected!(judge_with("aud", audience.clone()), LogoutTokenError::AudienceMismatch, "{audience}");
    }
    assert_rejected!(judge_without("aud"), LogoutTokenError::MissingClaim("aud"));
    assert_rejected!(judge_with("aud", json!(1)), LogoutTokenError::InvalidClaim("aud"));
    assert_rejected!(judge_with("aud", json!([CLIENT_ID, 1])), LogoutTokenError::InvalidClaim("aud"));
    assert!(judge_with("aud", json!([CLIENT_ID])).is_ok());
}

#[test]
fn a44_an_untrusted_second_audience_is_rejected_as_in_an_id_token() {
    let audience = json!(["app-2", CLIENT_ID]);

    assert_rejected!(judge_with("aud", audience.clone()), LogoutTokenError::UntrustedAudience);

    let mut provider = openid_provider();
    provider.trusted_audiences = vec!["app-2".to_owned()];
    let (key, metadata) = (SigningKey::es256("key-1"), metadata());
    let mut claims = claims();
    claims["aud"] = audience;
    let expectations = LogoutTokenExpectations::new(&provider, &metadata, now()).unwrap();
    assert!(logout_token::validate(&key.sign(&claims), &expectations, &key_set(&[&key])).is_ok());
}

#[test]
fn a44_a_logout_token_has_a_time_and_an_end() {
    assert_rejected!(judge_without("iat"), LogoutTokenError::MissingClaim("iat"));
    assert_rejected!(judge_without("exp"), LogoutTokenError::MissingClaim("exp"));
    assert_rejected!(judge_with("iat", json!("now")), LogoutTokenError::InvalidClaim("iat"));
    assert_rejected!(judge_with("exp", json!("later")), LogoutTokenError::InvalidClaim("exp"));
}

#[test]
fn a44_an_expired_logout_token_is_rejected() {
    assert!(judge_with("exp", json!(START - 59)).is_ok());
    assert_rejected!(judge_with("exp", json!(START - 60)), LogoutTokenError::Expired);
    assert!(judge_with("iat", json!(START + 60)).is_ok());
    assert_rejected!(judge_with("iat", json!(START + 61)), LogoutTokenError::IssuedInTheFuture);
    assert_eq!(judge_with("exp", json!(i64::MAX)).unwrap().expires_at, Timestamp::MAX);
}

#[test]
fn a44_a_logout_token_without_a_jti_could_be_replayed_and_is_rejected() {
    assert_rejected!(judge_without("jti"), LogoutTokenError::MissingClaim("jti"));
    assert_rejected!(judge_with("jti", json!("")), LogoutTokenError::InvalidClaim("jti"));
    assert_rejected!(judge_with("jti", json!(1)), LogoutTokenError::InvalidClaim("jti"));
}

#[test]
fn a44_the_type_is_absent_or_that_of_a_logout_token() {
    assert!(judge_type(None).is_ok());
    for name in ["logout+jwt", "LOGOUT+JWT", "application/logout+jwt", "JWT"] {
        assert!(judge_type(Some(json!(name))).is_ok(), "{name}");
    }
    for name in [json!("at+jwt"), json!("secevent+jwt"), json!("logout"), json!(1), json!(null)] {
        assert_rejected!(judge_type(Some(name.clone())), LogoutTokenError::Jws(JwsError::WrongTokenType(_)), "{name}");
    }
}

#[test]
fn c_token_type_confusion_an_id_token_is_no_logout_token() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let mut claims = login.claims();

    assert_rejected!(judge(&key.sign(&claims), &key_set(&[&key])), LogoutTokenError::MissingEvent);
    claims["events"] = json!({ BACKCHANNEL_LOGOUT_EVENT: {} });
    claims["jti"] = json!("1");
    assert_rejected!(judge(&key.sign(&claims), &key_set(&[&key])), LogoutTokenError::NoncePresent);
}

#[test]
fn a31_a_logout_token_of_an_unknown_key_asks_for_fresh_keys() {
    let (old, new) = (SigningKey::es256("old"), SigningKey::es256("new"));
    let token = new.sign(&claims());

    assert!(judge(&token, &key_set(&[&old])).unwrap_err().wants_fresh_keys());
    assert!(judge(&token, &key_set(&[&new])).is_ok());
    assert!(!judge_without("jti").unwrap_err().wants_fresh_keys());
}

#[test]
fn a31_only_a_logout_token_that_names_this_issuer_and_this_client_is_worth_a_fetch() {
    let (provider, metadata, key) = (openid_provider(), metadata(), SigningKey::es256("key-1"));
    let expectations = LogoutTokenExpectations::new(&provider, &metadata, now()).unwrap();
    let addressed = |claims: &Value| logout_token::is_addressed(&key.sign(claims), &expectations);

    assert!(addressed(&claims()));
    for (name, value) in [("iss", json!("https://evil.example")), ("iss", json!(1)), ("aud", json!("another-client")), ("aud", json!([]))] {
        let mut claims = claims();
        claims[name] = value;
        assert!(!addressed(&claims), "{name}");
    }
    for token in ["", "no token", "e30.e30", "e30.bm8.e30", "e30.e30.e30"] {
        assert!(!logout_token::is_addressed(token, &expectations), "{token}");
    }
}

#[test]
fn a44_a_provider_without_id_tokens_sends_no_logout_tokens() {
    let provider = oauth_provider();

    assert!(LogoutTokenExpectations::new(&provider, &provider.fixed_metadata().unwrap(), now()).is_none());
}

#[test]
fn a44_the_pinned_algorithms_are_those_of_the_id_token() {
    let (provider, metadata) = (openid_provider(), metadata_with("id_token_signing_alg_values_supported", json!(["EdDSA"])));
    let key = SigningKey::generate("key-1", SigningAlgorithm::EdDsa);
    let expectations = LogoutTokenExpectations::new(&provider, &metadata, now()).unwrap();

    assert!(logout_token::validate(&key.sign(&claims()), &expectations, &key_set(&[&key])).is_ok());
}

#[test]
fn a44_a_tenants_logout_token_is_from_the_template_with_its_own_tenant() {
    let tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let mut provider = openid_provider();
    provider.kind = ProviderKind::OpenId { issuer: "https://login.example/common".to_owned() };
    provider.issuer_rule = IssuerRule::TenantTemplate;
    let mut metadata = metadata();
    metadata.issuer = Some("https://login.example/common".to_owned());
    metadata.issuer_template = Some("https://login.example/{tenantid}".to_owned());
    let expectations = LogoutTokenExpectations::new(&provider, &metadata, now()).unwrap();
    let key = SigningKey::es256("key-1");
    let judge = |claims: &Value| logout_token::validate(&key.sign(claims), &expectations, &key_set(&[&key]));
    let mut claims = claims();
    claims["iss"] = json!(format!("https://login.example/{tenant}"));

    assert_rejected!(judge(&claims), LogoutTokenError::IssuerMismatch);
    claims["tid"] = json!(tenant);
    assert_eq!(judge(&claims).unwrap().issuer, format!("https://login.example/{tenant}"));
    claims["iss"] = json!("https://login.example/common");
    assert_rejected!(judge(&claims), LogoutTokenError::IssuerMismatch);
}

#[test]
fn a44_a_logout_token_of_another_name_of_the_issuer_ends_the_sessions_of_the_issuer() {
    let mut provider = openid_provider();
    provider.issuer_rule = IssuerRule::Alternatives(vec!["login.example".to_owned()]);
    let (metadata, key) = (metadata(), SigningKey::es256("key-1"));
    let expectations = LogoutTokenExpectations::new(&provider, &metadata, now()).unwrap();
    let mut claims = claims();
    claims["iss"] = json!("login.example");

    let token = logout_token::validate(&key.sign(&claims), &expectations, &key_set(&[&key])).unwrap();

    assert_eq!(token.issuer, ISSUER);
}
