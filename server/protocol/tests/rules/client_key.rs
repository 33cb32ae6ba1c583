//! The client's own private key: how it is read, what it signs with, and what it tells about itself.
//! [RFC 7468](https://www.rfc-editor.org/rfc/rfc7468), [RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, ED25519,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oauth2flow_protocol::SigningAlgorithm::{self, EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
use oauth2flow_protocol::provider::ClientAuth;
use oauth2flow_protocol::signing_key::{MAXIMUM_PEM_BYTES, SigningKeyError};
use oauth2flow_protocol::{ClientSecret, Provider, SigningKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::signing_key::{decode, encode};
use crate::support::{Login, assert_rejected, form, metadata_with, openid_provider};

/// The text form of a block.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

fn elliptic_curve(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    EcdsaKeyPair::generate(algorithm).unwrap()
}

fn pkcs8_of(pair: &EcdsaKeyPair) -> Vec<u8> {
    pair.to_pkcs8v1().unwrap().as_ref().to_vec()
}

fn sec1_of(pair: &EcdsaKeyPair) -> Vec<u8> {
    let der: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
    der.as_ref().to_vec()
}

fn rsa_pkcs8() -> Vec<u8> {
    let der: Pkcs8V1Der<'_> = RsaKeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    der.as_ref().to_vec()
}

/// A new key's PKCS#8 form.
pub(crate) fn private_key_pem(algorithm: SigningAlgorithm) -> String {
    let der = match algorithm {
        Es256 => pkcs8_of(&elliptic_curve(&ECDSA_P256_SHA256_FIXED_SIGNING)),
        Es384 => pkcs8_of(&elliptic_curve(&ECDSA_P384_SHA384_FIXED_SIGNING)),
        EdDsa => Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref().to_vec(),
        _ => rsa_pkcs8(),
    };
    pem("PRIVATE KEY", &der)
}

/// A new key of the client's that is named `client-key` and signs with this algorithm.
pub(crate) fn client_key(algorithm: SigningAlgorithm) -> SigningKey {
    SigningKey::from_pem(&private_key_pem(algorithm), Some(algorithm), Some("client-key".to_owned())).unwrap()
}

fn read(pem: &str) -> Result<SigningKey, SigningKeyError> {
    SigningKey::from_pem(pem, None, None)
}

/// The header and the claims of a token, after its signature has been verified with this public key.
pub(crate) fn verified(token: &str, jwk: &Value) -> (Value, Value) {
    let parts = token.split('.').collect::<Vec<_>>();
    let [header, payload, signature] = parts.as_slice() else { panic!("{token} is not in compact form") };
    let read = |part: &str| serde_json::from_slice::<Value>(&decode(part)).unwrap();
    let (header_value, message) = (read(header), format!("{header}.{payload}"));
    let part = |name: &str| decode(jwk[name].as_str().unwrap());
    let point = || [vec![4], part("x"), part("y")].concat();
    let (message, signature) = (message.as_bytes(), decode(signature));
    let result = match header_value["alg"].as_str().unwrap() {
        "ES256" => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point()).verify(message, &signature),
        "ES384" => UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point()).verify(message, &signature),
        "EdDSA" | "Ed25519" => UnparsedPublicKey::new(&ED25519, part("x")).verify(message, &signature),
        rsa => {
            let parameters = match rsa {
                "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
                "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
                "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
                "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
                "PS512" => &signature::RSA_PSS_2048_8192_SHA512,
                other => panic!("{other} is not known here"),
            };
            PublicKeyComponents { n: part("n"), e: part("e") }.verify(parameters, message, &signature)
        }
    };
    assert!(result.is_ok(), "the signature of {token} does not hold");
    (header_value, read(payload))
}

/// A client that signs its assertions with the key.
fn provider_with(key: SigningKey) -> Provider {
    let mut provider = openid_provider();
    provider.client_auth = ClientAuth::PrivateKeyJwt;
    provider.signing_key = Some(key);
    provider
}

/// The header of an assertion for a provider that declares these algorithms.
fn header_for(key: &SigningKey, declared: &Value) -> Value {
    let login =
        Login::begin(provider_with(key.clone()), metadata_with("token_endpoint_auth_signing_alg_values_supported", declared.clone()));
    let token = form(&login.exchange().0)["client_assertion"].clone();
    verified(&token, &key.public_jwk()).0
}

#[test]
fn every_kind_of_key_is_read_in_each_of_its_forms_and_signs() {
    let (p256, p384) = (elliptic_curve(&ECDSA_P256_SHA256_FIXED_SIGNING), elliptic_curve(&ECDSA_P384_SHA384_FIXED_SIGNING));
    let rsa = rsa_pkcs8();
    for (label, der, algorithms) in [
        ("PRIVATE KEY", pkcs8_of(&p256), vec![Es256]),
        ("PRIVATE KEY", pkcs8_of(&p384), vec![Es384]),
        ("EC PRIVATE KEY", sec1_of(&p256), vec![Es256]),
        ("EC PRIVATE KEY", sec1_of(&p384), vec![Es384]),
        ("PRIVATE KEY", Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref().to_vec(), vec![EdDsa]),
        ("PRIVATE KEY", Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap().as_ref().to_vec(), vec![EdDsa]),
        ("PRIVATE KEY", rsa.clone(), vec![Ps256, Rs256, Ps384, Rs384, Ps512, Rs512]),
        // The RSA key of PKCS#1 is what PKCS#8 wraps in 26 bytes of its own.
        ("RSA PRIVATE KEY", rsa[26..].to_vec(), vec![Ps256, Rs256, Ps384, Rs384, Ps512, Rs512]),
    ] {
        let key = read(&pem(label, &der)).unwrap();

        assert_eq!(key.algorithms(), algorithms, "{label}");
        for algorithm in algorithms {
            let key = SigningKey::from_pem(&pem(label, &der), Some(algorithm), None).unwrap();
            assert_eq!(key.algorithms(), [algorithm]);
            assert_eq!(header_for(&key, &json!(null))["alg"], algorithm.name(), "{label}");
        }
    }
}

#[test]
fn the_two_forms_of_one_key_have_the_same_name() {
    let (p256, rsa) = (elliptic_curve(&ECDSA_P256_SHA256_FIXED_SIGNING), rsa_pkcs8());

    assert_eq!(
        read(&pem("PRIVATE KEY", &pkcs8_of(&p256))).unwrap().key_id(),
        read(&pem("EC PRIVATE KEY", &sec1_of(&p256))).unwrap().key_id()
    );
    assert_eq!(read(&pem("PRIVATE KEY", &rsa)).unwrap().key_id(), read(&pem("RSA PRIVATE KEY", &rsa[26..])).unwrap().key_id());
}

#[test]
fn rfc_8037_appendix_a_the_key_has_the_thumbprint_that_is_printed_there() {
    let seed = decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    // RFC 8410 §7: what PKCS#8 puts before an Ed25519 seed.
    let der = [&[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20][..], &seed].concat();

    let key = read(&pem("PRIVATE KEY", &der)).unwrap();

    assert_eq!(key.key_id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(key.public_jwk()["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
}

#[test]
fn rfc_7638_section_3_the_thumbprint_is_over_the_required_members_in_order() {
    for algorithm in [Es256, Rs256] {
        let key = read(&private_key_pem(algorithm)).unwrap();
        let jwk = key.public_jwk();
        let member = |name: &str| jwk[name].as_str().unwrap().to_owned();
        let canonical = match algorithm {
            Es256 => format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, member("x"), member("y")),
            _ => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, member("e"), member("n")),
        };

        assert_eq!(key.key_id(), encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref()));
    }
}

#[test]
fn rfc_7517_section_4_the_public_key_holds_nothing_private() {
    for (algorithm, names) in [
        (Es256, vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
        (Es384, vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
        (EdDsa, vec!["alg", "crv", "kid", "kty", "use", "x"]),
        (Ps256, vec!["alg", "e", "kid", "kty", "n", "use"]),
    ] {
        let jwk = client_key(algorithm).public_jwk();

        let mut found = jwk.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>();
        found.sort_unstable();
        assert_eq!(found, names);
        assert_eq!((&jwk["use"], &jwk["kid"], &jwk["alg"]), (&json!("sig"), &json!("client-key"), &json!(algorithm.name())));
        assert_eq!(crate::signing_key::read_keys(&[jwk]).len(), 1, "others can read it");
    }
}

#[test]
fn rfc_7517_section_4_4_a_key_that_may_sign_in_several_ways_names_no_algorithm() {
    assert_eq!(read(&private_key_pem(Rs256)).unwrap().public_jwk().get("alg"), None);
}

#[test]
fn an_rsa_key_signs_with_the_best_that_the_provider_declares() {
    let key = read(&private_key_pem(Rs256)).unwrap();
    for (declared, expected) in [
        (json!(null), "RS256"),
        (json!([]), "RS256"),
        (json!(["RS256"]), "RS256"),
        (json!(["RS512", "RS256", "PS256", "ES256"]), "PS256"),
        (json!(["HS256", "none", "RS512", "PS384"]), "PS384"),
    ] {
        assert_eq!(header_for(&key, &declared)["alg"], expected, "{declared}");
    }
}

#[test]
fn rfc_9864_ed25519_goes_by_the_name_that_the_provider_knows() {
    let key = client_key(EdDsa);

    assert_eq!(header_for(&key, &json!(["Ed25519"]))["alg"], "Ed25519");
    assert_eq!(header_for(&key, &json!(["Ed25519", "EdDSA"]))["alg"], "EdDSA");
    assert_eq!(header_for(&key, &json!(null))["alg"], "EdDSA");
}

#[test]
fn a_key_is_found_among_other_blocks() {
    let private = private_key_pem(Es256);
    let parameters = pem("EC PARAMETERS", &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);

    for text in [
        format!("{parameters}{private}"),
        format!("Bag Attributes\n    friendlyName: key\n{private}{}", pem("CERTIFICATE", b"x")),
        private.replace('\n', "\r\n"),
        format!("\n\n  {}", private.replace('\n', "\n  ")),
    ] {
        assert_eq!(read(&text).unwrap().key_id(), read(&private).unwrap().key_id(), "{text}");
    }
}

#[test]
fn what_is_no_private_key_is_told_apart() {
    let private = private_key_pem(Es256);
    let body = private.lines().nth(1).unwrap();
    for (text, expected) in [
        (String::new(), SigningKeyError::NotPem),
        ("not a key".to_owned(), SigningKeyError::NotPem),
        (private.replace("-----END", "-----ENDE"), SigningKeyError::NotPem),
        (private.replace("END PRIVATE", "END PUBLIC"), SigningKeyError::NotPem),
        (private.replace(body, "!!!"), SigningKeyError::NotPem),
        (format!("-----BEGIN PRIVATE KEY-----\n{private}"), SigningKeyError::NotPem),
        (format!("{private}-----END PRIVATE KEY-----\n"), SigningKeyError::NotPem),
        (pem("PUBLIC KEY", b"x"), SigningKeyError::NotPrivate),
        (pem("CERTIFICATE", b"x"), SigningKeyError::NotPrivate),
        (format!("{private}{private}"), SigningKeyError::SeveralKeys),
        (pem("ENCRYPTED PRIVATE KEY", b"x"), SigningKeyError::Encrypted),
        (
            private.replace(body, &format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{body}")).replace("PRIVATE", "EC PRIVATE"),
            SigningKeyError::Encrypted,
        ),
        (pem("OPENSSH PRIVATE KEY", b"x"), SigningKeyError::Unsupported),
        (pem("PRIVATE KEY", b"x"), SigningKeyError::Unsupported),
        (pem("RSA PRIVATE KEY", b"x"), SigningKeyError::Unsupported),
        (pem("EC PRIVATE KEY", b"x"), SigningKeyError::Unsupported),
        (format!("{private}{}", " ".repeat(MAXIMUM_PEM_BYTES)), SigningKeyError::TooLong),
    ] {
        match read(&text) {
            Err(error) => assert_eq!(error, expected, "{text}"),
            Ok(key) => panic!("{text}: {key:?}"),
        }
    }
}

#[test]
fn a_key_of_another_curve_is_not_supported() {
    let pair = elliptic_curve(&signature::ECDSA_P521_SHA512_FIXED_SIGNING);

    assert_rejected!(read(&pem("PRIVATE KEY", &pkcs8_of(&pair))), SigningKeyError::Unsupported);
    assert_rejected!(read(&pem("EC PRIVATE KEY", &sec1_of(&pair))), SigningKeyError::Unsupported);
}

#[test]
fn an_algorithm_of_another_kind_of_key_is_refused() {
    for (algorithm, wrong) in [(Es256, Es384), (Es384, Es256), (EdDsa, Es256), (Es256, Rs256), (Rs256, EdDsa)] {
        match SigningKey::from_pem(&private_key_pem(algorithm), Some(wrong), None) {
            Err(SigningKeyError::AlgorithmMismatch(reported)) => assert_eq!(reported, wrong),
            other => panic!("{algorithm} {wrong}: {other:?}"),
        }
    }
}

#[test]
fn the_name_of_a_key_is_printable() {
    let named = |name: &str| SigningKey::from_pem(&private_key_pem(Es256), None, Some(name.to_owned()));

    for name in ["", " a", "a ", "a\nb", "ä", "a\u{7f}", "\u{0}", &"a".repeat(257)] {
        assert_rejected!(named(name), SigningKeyError::InvalidKeyId, "{name:?}");
    }
    for name in ["ABC123DEFG", "a b", "https://app.example/#key", &"a".repeat(256)] {
        assert_eq!(named(name).unwrap().key_id(), name);
    }
}

#[test]
fn a20_a_private_key_never_prints_itself() {
    let text = private_key_pem(Es256);
    let body = text.lines().nth(1).unwrap();
    let key = SigningKey::from_pem(&text, None, Some("client-key".to_owned())).unwrap();

    let printed = format!("{key:?} {:#?} {:?}", key.clone(), provider_with(key.clone()));

    assert!(printed.contains("client-key"));
    assert!(!printed.contains(body));
    assert!(!printed.contains(&encode(&STANDARD.decode(body).unwrap()[36..48])));
}

#[test]
fn a20_no_error_about_a_key_prints_it() {
    let text = private_key_pem(Es256);
    let body = text.lines().nth(1).unwrap();

    for broken in [text.replace("END", "ENDE"), text.replace("BEGIN PRIVATE", "BEGIN"), format!("{text}{text}"), text[..80].to_owned()] {
        let error = read(&broken).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&body[..16]));
    }
}

#[test]
fn every_error_about_a_key_has_a_code_of_its_own() {
    let errors = [
        SigningKeyError::TooLong,
        SigningKeyError::NotPem,
        SigningKeyError::NotPrivate,
        SigningKeyError::SeveralKeys,
        SigningKeyError::Encrypted,
        SigningKeyError::Unsupported,
        SigningKeyError::AlgorithmMismatch(Rs384),
        SigningKeyError::InvalidKeyId,
    ];

    let codes = errors.iter().map(SigningKeyError::code).collect::<std::collections::BTreeSet<_>>();

    assert_eq!(codes.len(), errors.len());
    assert!(codes.iter().all(|code| code.starts_with("signing_key_")));
}

#[test]
fn a_shared_secret_does_not_stand_in_for_a_key() {
    let mut provider = provider_with(client_key(Es256));
    provider.signing_key = None;
    provider.client_secret = Some(ClientSecret::new("a".repeat(64)));

    assert!(Login::begin(provider, crate::support::metadata()).try_exchange().is_err());
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_stumble(text in any::<String>(), der in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&text).is_err());
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"] {
            prop_assert_eq!(read(&pem(label, &der)).unwrap_err(), SigningKeyError::Unsupported);
        }
    }

    #[test]
    fn a_key_with_a_byte_changed_is_another_key_or_none(position in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let good = pkcs8_of(&elliptic_curve(&ECDSA_P256_SHA256_FIXED_SIGNING));
        let mut der = good.clone();
        der[position.index(good.len())] = byte;

        if let Ok(key) = read(&pem("PRIVATE KEY", &der)) {
            // What it signs holds under what it publishes.
            prop_assert_eq!(&header_for(&key, &json!(null))["alg"], "ES256");
        }
    }
}
