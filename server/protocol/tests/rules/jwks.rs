//! The provider's keys. [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)

use oauth2flow_protocol::jwks::{self, JwksError, MAXIMUM_JWKS_BYTES, MAXIMUM_KEYS};
use oauth2flow_protocol::{JsonError, JwkSet, Method, OutboundResponse, SigningAlgorithm};
use serde_json::{Value, json};

use crate::signing_key::{SigningKey, encode, key_set, read_keys};
use crate::support::{Login, assert_rejected, deeply_nested, json_response, response, url};

/// How many of these entries are used.
fn usable(keys: &[Value]) -> usize {
    read_keys(keys).len()
}

/// An entry with one member changed, or taken away with `null`.
fn with(key: &SigningKey, name: &str, value: Value) -> Value {
    let mut public = key.public();
    public[name] = value;
    if public[name].is_null() {
        public.as_object_mut().unwrap().remove(name);
    }
    public
}

fn judge(body: &str) -> Result<JwkSet, JwksError> {
    jwks::process_jwks(&response(200, "application/json", body))
}

#[test]
fn a31_the_key_set_is_asked_for_at_its_address() {
    let request = jwks::request(&url("https://login.example/keys?x=1"));

    assert_eq!(request.method, Method::Get);
    assert_eq!(request.url.as_str(), "https://login.example/keys?x=1");
    assert_eq!(request.header("accept"), Some("application/jwk-set+json, application/json"));
    assert_eq!(request.body, None);
}

#[test]
fn a28_keys_of_every_type_are_used() {
    let keys = SigningAlgorithm::ALL.map(|algorithm| match algorithm.name() {
        "ES256" | "ES384" | "EdDSA" => SigningKey::generate("own", algorithm).public(),
        _ => json!({ "kty": "RSA", "n": encode(&[0xa5; 256]), "e": "AQAB", "alg": algorithm.name() }),
    });

    assert_eq!(usable(&keys), 9);
}

#[test]
fn a28_the_content_type_does_not_matter() {
    let body = json!({ "keys": [SigningKey::es256("key-1").public()] }).to_string().into_bytes();

    for content_type in [None, Some("application/jwk-set+json".to_owned()), Some("text/plain".to_owned())] {
        let answer = OutboundResponse { status: 200, content_type, body: body.clone() };
        assert_eq!(jwks::process_jwks(&answer).unwrap().len(), 1);
    }
}

#[test]
fn a28_keys_for_encryption_are_left_out() {
    let key = SigningKey::es256("key-1");

    assert_eq!(usable(&[with(&key, "use", json!("sig"))]), 1);
    assert_eq!(usable(&[with(&key, "use", json!(null))]), 1);
    assert_eq!(usable(&[with(&key, "use", json!("enc"))]), 0);
    assert_eq!(usable(&[with(&key, "use", json!(1))]), 0);
    assert_eq!(usable(&[with(&key, "key_ops", json!(["verify"]))]), 1);
    assert_eq!(usable(&[with(&key, "key_ops", json!(["encrypt", "wrapKey"]))]), 0);
    assert_eq!(usable(&[with(&key, "key_ops", json!("verify"))]), 0);
}

#[test]
fn a28_keys_whose_private_half_is_published_are_left_out() {
    assert_eq!(usable(&[with(&SigningKey::es256("key-1"), "d", json!("AAAA"))]), 0);
    assert_eq!(usable(&[with(&SigningKey::rs256("key-1"), "d", json!("AAAA"))]), 0);
    assert_eq!(usable(&[with(&SigningKey::es256("key-1"), "d", json!(1))]), 0);
}

#[test]
fn a28_keys_of_unknown_types_curves_and_algorithms_are_left_out() {
    let (curve, edwards) = (SigningKey::es256("key-1"), SigningKey::generate("key-2", SigningAlgorithm::EdDsa));

    for kty in [json!("oct"), json!("ec"), json!("OKP"), json!(""), json!(1), json!(null), json!("AKP")] {
        assert_eq!(usable(&[with(&curve, "kty", kty.clone())]), 0, "{kty}");
    }
    for crv in [json!("P-521"), json!("secp256k1"), json!("P-384"), json!("Ed25519"), json!(null)] {
        assert_eq!(usable(&[with(&curve, "crv", crv.clone())]), 0, "{crv}");
    }
    for crv in ["Ed448", "X25519"] {
        assert_eq!(usable(&[with(&edwards, "crv", json!(crv))]), 0, "{crv}");
    }
    for alg in [json!("HS256"), json!("none"), json!("ECDH-ES"), json!("es256"), json!(1)] {
        assert_eq!(usable(&[with(&curve, "alg", alg.clone())]), 0, "{alg}");
    }
}

#[test]
fn a28_keys_that_cannot_be_read_are_left_out() {
    let (rsa, curve) = (SigningKey::rs256("key-1"), SigningKey::es256("key-2"));

    for bad in [json!(null), json!(""), json!("AAAA"), json!("!"), json!(encode(&[1; 31])), json!(encode(&[1; 33])), json!(1)] {
        assert_eq!(usable(&[with(&curve, "x", bad.clone())]), 0, "{bad}");
        assert_eq!(usable(&[with(&curve, "y", bad.clone())]), 0, "{bad}");
    }
    for bad in [json!(null), json!("not base64url"), json!("AQAB="), json!(65537)] {
        assert_eq!(usable(&[with(&rsa, "n", bad.clone())]), 0, "{bad}");
        assert_eq!(usable(&[with(&rsa, "e", bad.clone())]), 0, "{bad}");
    }
    assert_eq!(usable(&[with(&curve, "kid", json!(1))]), 0);
    assert_eq!(usable(&[json!("key"), json!(1), json!(null), json!([]), json!({})]), 0);
}

#[test]
fn a28_one_bad_key_does_not_spoil_the_others() {
    let key = SigningKey::es256("key-1");
    let keys = read_keys(&[json!({ "kty": "oct", "k": "AAAA" }), json!("rubbish"), key.public(), with(&key, "use", json!("enc"))]);
    let login = Login::openid();

    assert_eq!(keys.len(), 1);
    assert!(login.judge(&key.sign(&login.claims()), &keys).is_ok());
}

#[test]
fn a28_a_point_that_is_not_on_the_curve_verifies_nothing() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let keys = read_keys(&[with(&key, "x", json!(encode(&[1; 32])))]);

    assert!(login.judge(&key.sign(&login.claims()), &keys).is_err());
}

#[test]
fn c_10k_keys_are_refused() {
    let body = json!({ "keys": vec![json!({}); 10_000] }).to_string();
    assert!(body.len() < MAXIMUM_JWKS_BYTES, "it is their number that is refused, not their size");

    assert_rejected!(judge(&body), JwksError::TooManyKeys);
}

#[test]
fn c_a_hundred_keys_are_read_and_one_more_is_refused() {
    let key = SigningKey::es256("key-1").public();

    assert_eq!(MAXIMUM_KEYS, 100);
    assert_eq!(judge(&json!({ "keys": vec![key.clone(); 100] }).to_string()).unwrap().len(), 100);
    assert_rejected!(judge(&json!({ "keys": vec![key; 101] }).to_string()), JwksError::TooManyKeys);
}

#[test]
fn c_a_huge_key_set_is_refused_by_its_size() {
    let padded = |bytes: usize| judge(&format!("{{\"keys\":[]{}}}", " ".repeat(bytes - 11)));

    assert_eq!(MAXIMUM_JWKS_BYTES, 262_144);
    assert!(padded(MAXIMUM_JWKS_BYTES).unwrap().is_empty());
    assert_rejected!(padded(MAXIMUM_JWKS_BYTES + 1), JwksError::TooLarge);
}

#[test]
fn c_deep_nesting_in_a_key_set_is_refused() {
    assert_rejected!(judge(&deeply_nested(20_000)), JwksError::Malformed(JsonError::Malformed(_)));
    assert_rejected!(judge(&format!("{{\"keys\":{}", "[".repeat(200_000))), JwksError::Malformed(JsonError::Malformed(_)));
}

#[test]
fn a21_a_key_set_that_is_none_is_refused() {
    for body in ["{}", r#"{"keys":null}"#, r#"{"keys":{}}"#, r#"{"keys":"x"}"#, r#"{"KEYS":[]}"#] {
        assert_rejected!(judge(body), JwksError::MissingKeys, "{body}");
    }
    for body in ["", "<html>", r#"{"keys":[],"keys":[]}"#, r#"{"keys":[{"kid":"a","kid":"b"}]}"#] {
        assert_rejected!(judge(body), JwksError::Malformed(JsonError::Malformed(_)), "{body}");
    }
    assert_rejected!(judge("[]"), JwksError::Malformed(JsonError::NotAnObject));
}

#[test]
fn a39_a_key_set_with_another_status_is_refused() {
    let body = json!({ "keys": [] }).to_string();
    for status in [429, 500, 503] {
        assert_rejected!(
            jwks::process_jwks(&response(status, "application/json", body.clone())),
            JwksError::Unavailable { .. },
            "{status}"
        );
    }
    for status in [201, 204, 301, 304, 400, 404] {
        assert_rejected!(
            jwks::process_jwks(&response(status, "application/json", body.clone())),
            JwksError::UnexpectedStatus { .. },
            "{status}"
        );
    }
    assert!(jwks::process_jwks(&json_response(&json!({ "keys": [] }))).unwrap().is_empty());
}

#[test]
fn a31_two_keys_of_one_name_are_both_tried() {
    let login = Login::openid();
    let (first, second) = (SigningKey::es256("same"), SigningKey::es256("same"));
    let keys = key_set(&[&first, &second]);

    assert!(login.judge(&first.sign(&login.claims()), &keys).is_ok());
    assert!(login.judge(&second.sign(&login.claims()), &keys).is_ok());
}
