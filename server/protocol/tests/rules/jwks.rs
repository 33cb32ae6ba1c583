//! The provider's keys. [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)

use aws_lc_rs::digest;
use oauth2flow_protocol::id_token::IdTokenError;
use oauth2flow_protocol::jwks::{self, JwksError, MAXIMUM_JWKS_BYTES, MAXIMUM_KEYS};
use oauth2flow_protocol::jws::JwsError;
use oauth2flow_protocol::{JsonError, JwkSet, Method, OutboundResponse, SigningAlgorithm};
use serde_json::{Value, json};

use crate::signing_key::{SigningKey, decode, encode, key_set, read_keys, unsigned};
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
        let answer = OutboundResponse { status: 200, content_type, dpop_nonce: None, link: None, body: body.clone() };
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
fn a28_a_point_that_is_not_on_its_curve_is_no_key() {
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Es384] {
        let key = SigningKey::generate("key-1", algorithm);
        let mut y = decode(key.public()["y"].as_str().unwrap());
        assert_eq!(usable(&[with(&key, "y", json!(encode(&y)))]), 1, "{algorithm}");
        y[7] ^= 1;

        assert_eq!(usable(&[with(&key, "y", json!(encode(&y)))]), 0, "{algorithm}");
        assert_eq!(usable(&[with(&key, "x", json!(encode(&vec![0; y.len()])))]), 0, "{algorithm}");
        let mut infinity = with(&key, "x", json!(encode(&vec![0; y.len()])));
        infinity["y"] = infinity["x"].clone();
        assert_eq!(usable(&[infinity]), 0, "{algorithm}");
        // Greater than the field's prime.
        assert_eq!(usable(&[with(&key, "x", json!(encode(&vec![0xff; y.len()])))]), 0, "{algorithm}");
    }
}

#[test]
fn a28_a_point_of_ed25519_under_which_anybody_could_sign_is_no_key() {
    let key = SigningKey::generate("key-1", SigningAlgorithm::EdDsa);
    let little_endian = |first: u8, middle: u8, last: u8| [&[first][..], &[middle; 30], &[last]].concat();
    let order_of_eight = decode("xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o");
    assert_eq!(order_of_eight.len(), 32);
    let mut inverse = order_of_eight.clone();
    // p - y: the other pair of points of order 8.
    let mut borrow = 0_i16;
    for (index, byte) in inverse.iter_mut().enumerate() {
        let of_prime = match index {
            0 => 0xed_i16,
            31 => 0x7f,
            _ => 0xff,
        };
        let difference = of_prime - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        *byte = u8::try_from(difference.rem_euclid(256)).unwrap();
    }

    for small in [
        little_endian(0, 0, 0),
        little_endian(1, 0, 0),
        little_endian(0xec, 0xff, 0x7f),
        little_endian(0xed, 0xff, 0x7f),
        little_endian(0xee, 0xff, 0x7f),
        order_of_eight,
        inverse,
    ] {
        let mut negative = small.clone();
        negative[31] |= 0x80;
        for point in [small, negative] {
            assert_eq!(usable(&[with(&key, "x", json!(encode(&point)))]), 0, "{point:02x?}");
        }
    }
    assert_eq!(usable(&[with(&key, "x", json!(encode(&little_endian(3, 0, 0))))]), 1);
    assert_eq!(usable(&[with(&key, "x", json!(encode(&[0; 31])))]), 0);
    assert_eq!(usable(&[with(&key, "x", json!(encode(&[5; 33])))]), 0);
}

#[test]
fn a28_the_signature_that_holds_under_a_small_order_point_is_rejected() {
    // R is the identity and S is 0: under the identity as the key it holds for every message.
    let login = Login::begin(
        crate::support::openid_provider(),
        crate::support::metadata_with("id_token_signing_alg_values_supported", json!(["EdDSA"])),
    );
    let identity = [&[1_u8][..], &[0; 31]].concat();
    let keys = read_keys(&[json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&identity), "kid": "key-1" })]);
    let message = unsigned(&json!({ "alg": "EdDSA", "kid": "key-1" }), &login.claims());
    let token = format!("{message}{}", encode(&[&identity[..], &[0; 32]].concat()));

    assert_rejected!(login.judge(&token, &keys), IdTokenError::Jws(JwsError::UnknownKeyId));
}

#[test]
fn a28_an_rsa_exponent_is_odd_and_at_least_three() {
    let key = SigningKey::rs256("key-1");
    for (exponent, expected) in [
        (&[1, 0, 1][..], 1),
        (&[3], 1),
        (&[0, 0, 3], 1),
        (&[17], 1),
        (&[1, 0, 0, 0, 1], 1),
        // Under an exponent of 1 the padded hash is its own signature.
        (&[1], 0),
        (&[0, 1], 0),
        (&[0], 0),
        (&[], 0),
        (&[2], 0),
        (&[4], 0),
        (&[1, 0, 0], 0),
        (&[2, 0, 0, 0, 1], 0),
        (&[0xff; 64], 0),
    ] {
        assert_eq!(usable(&[with(&key, "e", json!(encode(exponent)))]), expected, "{exponent:?}");
    }
}

#[test]
fn a28_the_signature_that_holds_under_an_exponent_of_one_is_rejected() {
    let (login, key) = (Login::openid(), SigningKey::rs256("key-1"));
    let message = unsigned(&key.header(), &login.claims());
    let hash = digest::digest(&digest::SHA256, message.trim_end_matches('.').as_bytes());
    let prefix = [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
    let padded = [&[0, 1][..], &[0xff; 256 - 3 - 19 - 32], &[0], &prefix, hash.as_ref()].concat();
    let token = format!("{message}{}", encode(&padded));

    assert_eq!(padded.len(), 256);
    assert_rejected!(login.judge(&token, &read_keys(&[with(&key, "e", json!("AQ"))])), IdTokenError::Jws(JwsError::UnknownKeyId));
}

#[test]
fn a28_an_even_rsa_modulus_is_no_key() {
    let key = SigningKey::rs256("key-1");
    let mut modulus = decode(key.public()["n"].as_str().unwrap());
    *modulus.last_mut().unwrap() &= 0xfe;

    assert_eq!(usable(&[with(&key, "n", json!(encode(&modulus)))]), 0);
    assert_eq!(usable(&[with(&key, "n", json!(""))]), 0);
}

#[test]
fn a28_keys_without_a_name_that_is_a_name_are_left_out() {
    let key = SigningKey::es256("key-1");

    assert_eq!(usable(&[with(&key, "kid", json!(null))]), 1);
    for kid in [json!(1), json!(["key-1"]), json!(true)] {
        assert_eq!(usable(&[with(&key, "kid", kid.clone())]), 0, "{kid}");
    }
    assert_eq!(usable(&[with(&key, "issuer", json!("https://login.example/{tenantid}"))]), 1);
    assert_eq!(usable(&[with(&key, "issuer", json!(1))]), 0);
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
