//! ID token validation. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)

use std::time::Duration;

use jiff::Timestamp;
use oauth2flow_protocol::id_token::{self, CLOCK_LEEWAY, IdTokenError, IdTokenExpectations};
use oauth2flow_protocol::jws::{JwsError, MAXIMUM_TOKEN_BYTES};
use oauth2flow_protocol::logout_token::BACKCHANNEL_LOGOUT_EVENT;
use oauth2flow_protocol::provider::{IssuerRule, ProviderKind};
use oauth2flow_protocol::refresh::{self, RefreshError};
use oauth2flow_protocol::{AuthorizationOptions, IdToken, JsonError, JwkSet, SigningAlgorithm, ValidatedIdToken, discovery};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::signing_key::{SigningKey, access_token_hash, decode, encode, key_set, read_keys, sign_with_secret, unsigned};
use crate::support::{
    ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, ISSUER, Login, START, SUBJECT, assert_rejected, deeply_nested, json_response, metadata,
    metadata_document, metadata_with, now, oauth_provider, openid_provider, token_answer,
};

type Judgement = Result<ValidatedIdToken, IdTokenError>;

/// What becomes of a token whose claims are changed and that is signed as it should be.
fn judge_claims(change: impl FnOnce(&mut Value)) -> Judgement {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let mut claims = login.claims();
    change(&mut claims);
    login.judge(&key.sign(&claims), &key_set(&[&key]))
}

fn judge_with(name: &str, value: Value) -> Judgement {
    judge_claims(|claims| claims[name] = value)
}

fn judge_without(name: &str) -> Judgement {
    judge_claims(|claims| {
        claims.as_object_mut().unwrap().remove(name).unwrap();
    })
}

/// What becomes of a token whose header is changed and that is signed as it should be.
fn judge_header(change: impl FnOnce(&mut Value)) -> Judgement {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let mut header = key.header();
    change(&mut header);
    login.judge(&key.sign_with_header(&header, &login.claims()), &key_set(&[&key]))
}

/// A login with a provider that declares every algorithm.
fn login_with_every_algorithm() -> Login {
    let names = SigningAlgorithm::ALL.map(SigningAlgorithm::name);
    Login::begin(openid_provider(), metadata_with("id_token_signing_alg_values_supported", json!(names)))
}

#[test]
fn b_happy_path_id_token_is_accepted() {
    let token = judge_claims(|_| {}).unwrap();

    assert_eq!(token.issuer(), ISSUER);
    assert_eq!(token.subject(), SUBJECT);
    assert_eq!(token.audience(), [CLIENT_ID]);
    assert_eq!(token.session_id(), Some("provider-session-1"));
    assert_eq!(token.expires_at(), now() + Duration::from_mins(5));
    assert_eq!(token.claims()["name"], "Alice Example");
    assert_eq!(token.identity().subject, SUBJECT);
}

#[test]
fn b_invalid_iss_is_rejected() {
    for issuer in
        ["https://evil.example", "https://login.example/tenant/", "https://login.example/Tenant", "https://login.example:443/tenant"]
    {
        assert_rejected!(judge_with("iss", json!(issuer)), IdTokenError::IssuerMismatch, "{issuer}");
    }
}

#[test]
fn a24_iss_that_is_missing_or_no_string_is_rejected() {
    assert_rejected!(judge_without("iss"), IdTokenError::MissingClaim("iss"));
    assert_rejected!(judge_with("iss", json!(null)), IdTokenError::MissingClaim("iss"));
    assert_rejected!(judge_with("iss", json!([ISSUER])), IdTokenError::InvalidClaim("iss"));
}

#[test]
fn b_missing_aud_is_rejected() {
    assert_rejected!(judge_without("aud"), IdTokenError::MissingClaim("aud"));
}

#[test]
fn b_invalid_aud_is_rejected() {
    for audience in [json!("app-2"), json!("app-1 "), json!("APP-1"), json!(""), json!([]), json!(["app-2"]), json!("app-1,app-2")] {
        assert_rejected!(judge_with("aud", audience.clone()), IdTokenError::AudienceMismatch, "{audience}");
    }
}

#[test]
fn a24_aud_of_the_wrong_type_is_rejected() {
    for audience in [json!(17), json!({ CLIENT_ID: true }), json!([CLIENT_ID, 17]), json!([[CLIENT_ID]]), json!(true)] {
        assert_rejected!(judge_with("aud", audience.clone()), IdTokenError::InvalidClaim("aud"), "{audience}");
    }
}

#[test]
fn b_aud_as_array_is_accepted() {
    assert_eq!(judge_with("aud", json!([CLIENT_ID])).unwrap().audience(), [CLIENT_ID]);
}

#[test]
fn b_invalid_secondary_aud_is_rejected() {
    for audience in [json!([CLIENT_ID, "app-2"]), json!(["app-2", CLIENT_ID])] {
        let result = judge_claims(|claims| {
            claims["aud"] = audience.clone();
            claims["azp"] = json!(CLIENT_ID);
        });

        assert_rejected!(result, IdTokenError::UntrustedAudience, "{audience}");
    }
}

fn judge_with_trusted_audience(azp: Option<&str>) -> Judgement {
    let mut provider = openid_provider();
    provider.trusted_audiences = vec!["api".to_owned()];
    let (login, key) = (Login::begin(provider, metadata()), SigningKey::es256("key-1"));
    let mut claims = login.claims();
    claims["aud"] = json!([CLIENT_ID, "api"]);
    if let Some(azp) = azp {
        claims["azp"] = json!(azp);
    }
    login.judge(&key.sign(&claims), &key_set(&[&key]))
}

#[test]
fn a24_a_trusted_second_audience_is_accepted() {
    assert_eq!(judge_with_trusted_audience(Some(CLIENT_ID)).unwrap().audience(), [CLIENT_ID, "api"]);
}

#[test]
fn a27_with_several_audiences_azp_must_be_there() {
    assert_rejected!(judge_with_trusted_audience(None), IdTokenError::MissingClaim("azp"));
    assert_rejected!(judge_with_trusted_audience(Some("api")), IdTokenError::AuthorizedPartyMismatch);
}

#[test]
fn a27_azp_that_is_not_this_client_is_rejected() {
    assert!(judge_with("azp", json!(CLIENT_ID)).is_ok());
    assert_rejected!(judge_with("azp", json!("app-2")), IdTokenError::AuthorizedPartyMismatch);
    assert_rejected!(judge_with("azp", json!("")), IdTokenError::AuthorizedPartyMismatch);
    assert_rejected!(judge_with("azp", json!([CLIENT_ID])), IdTokenError::InvalidClaim("azp"));
}

#[test]
fn b_missing_exp_is_rejected() {
    assert_rejected!(judge_without("exp"), IdTokenError::MissingClaim("exp"));
    assert_rejected!(judge_with("exp", json!(null)), IdTokenError::MissingClaim("exp"));
}

#[test]
fn b_expired_exp_is_rejected() {
    assert_rejected!(judge_with("exp", json!(START - 300)), IdTokenError::Expired { seconds: 300, .. });
    assert_rejected!(judge_with("exp", json!(0)), IdTokenError::Expired { .. });
    assert_rejected!(judge_with("exp", json!(i64::MIN)), IdTokenError::Expired { .. });
}

#[test]
fn a25_exp_has_a_leeway_of_a_minute_and_no_more() {
    assert_eq!(CLOCK_LEEWAY, Duration::from_mins(1));
    assert!(judge_with("exp", json!(START - 59)).is_ok());
    assert_rejected!(judge_with("exp", json!(START - 60)), IdTokenError::Expired { seconds: 60, .. });
    // Fractions are cut off: 1799999940.5 is 60 s ago.
    assert_rejected!(judge_with("exp", json!(1_799_999_940.5)), IdTokenError::Expired { seconds: 60, .. });
    assert!(judge_with("exp", json!(1_799_999_941.5)).is_ok());
}

#[test]
fn b_missing_iat_is_rejected() {
    assert_rejected!(judge_without("iat"), IdTokenError::MissingClaim("iat"));
}

#[test]
fn a25_iat_in_the_future_is_rejected() {
    assert!(judge_with("iat", json!(START + 60)).is_ok());
    assert_rejected!(judge_with("iat", json!(START + 61)), IdTokenError::IssuedInTheFuture { seconds: 61, .. });
    assert_rejected!(judge_with("iat", json!(i64::MAX)), IdTokenError::IssuedInTheFuture { .. });
}

#[test]
fn a25_nbf_in_the_future_is_rejected() {
    assert!(judge_with("nbf", json!(START + 60)).is_ok());
    assert_rejected!(judge_with("nbf", json!(START + 61)), IdTokenError::NotYetValid { seconds: 61 });
}

#[test]
fn a25_a_time_that_is_no_number_is_rejected() {
    for name in ["exp", "iat", "nbf"] {
        for time in [json!("1800000000"), json!(true), json!([START]), json!({})] {
            match judge_with(name, time.clone()) {
                Err(IdTokenError::InvalidClaim(claim)) => assert_eq!(claim, name),
                other => panic!("{name}: {time}: {other:?}"),
            }
        }
    }
}

#[test]
fn a25_times_beyond_all_time_do_not_overflow() {
    for time in [json!(i64::MAX), json!(u64::MAX), json!(1e300)] {
        assert_eq!(judge_with("exp", time.clone()).unwrap().expires_at(), Timestamp::MAX, "{time}");
        assert_rejected!(judge_with("iat", time.clone()), IdTokenError::IssuedInTheFuture { .. }, "{time}");
    }
    assert!(judge_with("iat", json!(-1e300)).is_ok());
}

#[test]
fn b_missing_sub_is_rejected() {
    assert_rejected!(judge_without("sub"), IdTokenError::MissingClaim("sub"));
}

#[test]
fn a25_sub_has_1_to_255_characters() {
    assert_rejected!(judge_with("sub", json!("")), IdTokenError::InvalidClaim("sub"));
    assert_rejected!(judge_with("sub", json!("x".repeat(256))), IdTokenError::InvalidClaim("sub"));
    assert_rejected!(judge_with("sub", json!(17)), IdTokenError::InvalidClaim("sub"));
    assert!(judge_with("sub", json!("ä".repeat(255))).is_ok());
}

#[test]
fn b_missing_nonce_is_rejected() {
    assert_rejected!(judge_without("nonce"), IdTokenError::MissingClaim("nonce"));
    assert_rejected!(judge_with("nonce", json!(null)), IdTokenError::MissingClaim("nonce"));
}

#[test]
fn b_nonce_invalid_is_rejected() {
    let nonce = Login::openid().nonce();
    for wrong in ["wrong", "", &nonce[1..], &format!("{nonce} "), &nonce.to_ascii_lowercase()] {
        assert_rejected!(judge_with("nonce", json!(wrong)), IdTokenError::NonceMismatch, "{wrong}");
    }
    assert_rejected!(judge_with("nonce", json!(17)), IdTokenError::InvalidClaim("nonce"));
}

#[test]
fn a26_the_nonce_of_another_login_is_rejected() {
    let other = Login::begin_from(2, openid_provider(), metadata());

    assert_rejected!(judge_with("nonce", json!(other.nonce())), IdTokenError::NonceMismatch);
}

#[test]
fn a26_a_nonce_that_nobody_sent_is_rejected() {
    let mut provider = openid_provider();
    provider.nonce = false;
    let (login, key) = (Login::begin(provider, metadata()), SigningKey::es256("key-1"));
    let mut claims = Login::openid().claims();

    assert_rejected!(login.judge(&key.sign(&claims), &key_set(&[&key])), IdTokenError::NonceMismatch);
    claims.as_object_mut().unwrap().remove("nonce");
    assert!(login.judge(&key.sign(&claims), &key_set(&[&key])).is_ok());
}

#[test]
fn a28_every_pinned_algorithm_is_accepted() {
    let login = login_with_every_algorithm();
    let mut rsa = SigningKey::rs256("rsa");
    for algorithm in SigningAlgorithm::ALL {
        let own;
        let key = match algorithm {
            SigningAlgorithm::Es256 | SigningAlgorithm::Es384 | SigningAlgorithm::EdDsa => {
                own = SigningKey::generate("own", algorithm);
                &own
            }
            _ => {
                rsa = rsa.with_algorithm(algorithm);
                &rsa
            }
        };
        let token = key.sign(&login.claims());
        assert!(login.judge(&token, &key_set(&[key])).is_ok(), "{algorithm}");

        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut signature = decode(signature);
        signature[7] ^= 1;
        let forged = format!("{message}.{}", encode(&signature));
        assert_rejected!(login.judge(&forged, &key_set(&[key])), IdTokenError::Jws(JwsError::InvalidSignature), "{algorithm}");
    }
}

#[test]
fn b_idtoken_sig_rs256_is_accepted() {
    let (login, key) = (Login::openid(), SigningKey::rs256("key-1"));

    assert!(login.judge(&key.sign(&login.claims()), &key_set(&[&key])).is_ok());
}

#[test]
fn b_idtoken_sig_none_is_rejected() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));

    for header in [json!({ "alg": "none" }), json!({ "alg": "none", "typ": "JWT", "kid": "key-1" })] {
        let token = unsigned(&header, &login.claims());
        assert_rejected!(login.judge(&token, &key_set(&[&key])), IdTokenError::Jws(JwsError::AlgorithmNone), "{header}");
    }
}

#[test]
fn c_none_in_any_case_and_with_any_signature_is_rejected() {
    // The metadata of a provider that wants it makes no difference.
    let login =
        Login::begin(openid_provider(), metadata_with("id_token_signing_alg_values_supported", json!(["none", "NONE", "nOnE", "ES256"])));
    let key = SigningKey::es256("key-1");
    let mut header = key.header();
    for name in ["none", "NONE", "nOnE", "None"] {
        header["alg"] = json!(name);
        for token in [unsigned(&header, &login.claims()), key.sign_with_header(&header, &login.claims())] {
            assert_rejected!(login.judge(&token, &key_set(&[&key])), IdTokenError::Jws(JwsError::AlgorithmNone), "{name}");
        }
    }
    assert!(login.judge(&key.sign(&login.claims()), &key_set(&[&key])).is_ok());
}

#[test]
fn c_a_token_without_its_signature_is_rejected() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let keys = key_set(&[&key]);

    assert_rejected!(login.judge(&unsigned(&key.header(), &login.claims()), &keys), IdTokenError::Jws(JwsError::InvalidSignature));
    let message = unsigned(&key.header(), &login.claims());
    assert_rejected!(login.judge(message.trim_end_matches('.'), &keys), IdTokenError::Jws(JwsError::NotCompact));
}

#[test]
fn b_invalid_sig_rs256_is_rejected() {
    let (login, key, other) = (Login::openid(), SigningKey::rs256("key-1"), SigningKey::rs256("key-1"));
    let token = other.sign(&login.claims());

    assert_rejected!(login.judge(&token, &key_set(&[&key])), IdTokenError::Jws(JwsError::InvalidSignature));
    assert!(login.judge(&token, &key_set(&[&other])).is_ok());
}

#[test]
fn b_invalid_sig_es256_is_rejected() {
    let (login, key, other) = (Login::openid(), SigningKey::es256("key-1"), SigningKey::es256("key-1"));
    let token = other.sign(&login.claims());

    assert_rejected!(login.judge(&token, &key_set(&[&key])), IdTokenError::Jws(JwsError::InvalidSignature));
    assert!(login.judge(&token, &key_set(&[&other])).is_ok());
}

#[test]
fn b_invalid_sig_hs256_is_rejected() {
    let login = Login::begin(openid_provider(), metadata_with("id_token_signing_alg_values_supported", json!(["HS256", "RS256"])));
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    // With the right secret or a wrong one: no configuration of this project lets a shared key in.
    for secret in [CLIENT_SECRET, "another secret"] {
        let token = sign_with_secret(secret.as_bytes(), &header, &login.claims());
        assert_rejected!(login.judge(&token, &JwkSet::default()), IdTokenError::Jws(JwsError::SymmetricAlgorithm), "{secret}");
    }
}

#[test]
fn c_alg_confusion_hs256_keyed_with_the_public_key_is_rejected() {
    let (login, key) = (Login::openid(), SigningKey::rs256("key-1"));
    let keys = key_set(&[&key]);
    let (der, pem) = key.public_der_and_pem();
    let modulus = decode(key.public()["n"].as_str().unwrap());
    let secrets = [pem.as_bytes(), pem.trim_end().as_bytes(), &der, &modulus, key.public().to_string().as_bytes(), b""].map(<[u8]>::to_vec);

    for secret in secrets {
        for name in ["HS256", "hs256", "HS384", "HS512"] {
            let token = sign_with_secret(&secret, &json!({ "alg": name, "typ": "JWT", "kid": "key-1" }), &login.claims());
            assert_rejected!(login.judge(&token, &keys), IdTokenError::Jws(JwsError::SymmetricAlgorithm), "{name}");
        }
        // The same signature under the name of the key's own algorithm.
        let token = sign_with_secret(&secret, &key.header(), &login.claims());
        assert_rejected!(login.judge(&token, &keys), IdTokenError::Jws(JwsError::InvalidSignature));
    }
    assert!(login.judge(&key.sign(&login.claims()), &keys).is_ok());
}

#[test]
fn c_a_symmetric_key_in_the_set_lets_no_shared_secret_in() {
    let login = Login::openid();
    let keys = read_keys(&[json!({ "kty": "oct", "k": encode(b"secret"), "kid": "key-1", "alg": "HS256" })]);

    assert!(keys.is_empty());
    let token = sign_with_secret(b"secret", &json!({ "alg": "HS256", "kid": "key-1" }), &login.claims());
    assert_rejected!(login.judge(&token, &keys), IdTokenError::Jws(JwsError::SymmetricAlgorithm));
}

#[test]
fn b_alternate_alg_is_rejected() {
    // The provider declares ES256, and signs with another of its keys.
    let login = Login::begin(openid_provider(), metadata_with("id_token_signing_alg_values_supported", json!(["ES256"])));
    let key = SigningKey::rs256("key-1");

    assert_rejected!(
        login.judge(&key.sign(&login.claims()), &key_set(&[&key])),
        IdTokenError::Jws(JwsError::AlgorithmNotAllowed(SigningAlgorithm::Rs256))
    );
}

#[test]
fn a28_an_algorithm_that_the_configuration_does_not_name_is_rejected() {
    let mut provider = openid_provider();
    provider.id_token_algorithms = vec![SigningAlgorithm::Rs256];
    let login = Login::begin(provider, metadata());
    let key = SigningKey::es256("key-1");

    assert_rejected!(
        login.judge(&key.sign(&login.claims()), &key_set(&[&key])),
        IdTokenError::Jws(JwsError::AlgorithmNotAllowed(SigningAlgorithm::Es256))
    );
}

#[test]
fn a28_without_a_declaration_only_rs256_is_expected() {
    let login = Login::begin(openid_provider(), metadata_with("id_token_signing_alg_values_supported", json!(null)));
    let (rsa, curve) = (SigningKey::rs256("rsa"), SigningKey::es256("curve"));
    let keys = key_set(&[&rsa, &curve]);

    assert!(login.judge(&rsa.sign(&login.claims()), &keys).is_ok());
    assert_rejected!(login.judge(&curve.sign(&login.claims()), &keys), IdTokenError::Jws(JwsError::AlgorithmNotAllowed(_)));
}

#[test]
fn a28_an_unknown_or_missing_algorithm_is_rejected() {
    for name in ["ES512", "ES256K", "es256", "RS1", "", " ES256", "A128KW", "dir"] {
        assert_rejected!(judge_header(|header| header["alg"] = json!(name)), IdTokenError::Jws(JwsError::UnsupportedAlgorithm), "{name}");
    }
    for value in [json!(null), json!(256), json!(["ES256"])] {
        assert_rejected!(judge_header(|header| header["alg"] = value), IdTokenError::Jws(JwsError::UnsupportedAlgorithm));
    }
    assert_rejected!(
        judge_header(|header| drop(header.as_object_mut().unwrap().remove("alg"))),
        IdTokenError::Jws(JwsError::MissingAlgorithm)
    );
}

#[test]
fn a28_unknown_crit_is_rejected() {
    for crit in [json!(["http://example.com/unknown"]), json!(["exp"]), json!(["b64"]), json!([]), json!(null), json!("x")] {
        let result = judge_header(|header| {
            header["crit"] = crit.clone();
            header["b64"] = json!(true);
        });
        assert_rejected!(result, IdTokenError::Jws(JwsError::CriticalHeader), "{crit}");
    }
}

#[test]
fn a28_keys_in_the_header_are_ignored() {
    let (login, key, attacker) = (Login::openid(), SigningKey::rs256("key-1"), SigningKey::rs256("key-1"));
    let keys = key_set(&[&key]);
    let (der, _) = attacker.public_der_and_pem();
    let additions = [
        json!({ "jwk": attacker.public() }),
        json!({ "jku": "https://evil.example/keys" }),
        json!({ "x5u": "https://evil.example/certificate" }),
        json!({ "x5c": [encode(&der)] }),
        json!({ "x5t": "AAAA", "x5t#S256": "AAAA" }),
    ];
    for addition in additions {
        let mut header = key.header();
        header.as_object_mut().unwrap().extend(addition.as_object().unwrap().clone());

        let forged = attacker.sign_with_header(&header, &login.claims());
        assert_rejected!(login.judge(&forged, &keys), IdTokenError::Jws(JwsError::InvalidSignature), "{addition}");
        assert!(login.judge(&key.sign_with_header(&header, &login.claims()), &keys).is_ok(), "{addition}");

        header.as_object_mut().unwrap().remove("kid");
        let forged = attacker.sign_with_header(&header, &login.claims());
        assert_rejected!(login.judge(&forged, &keys), IdTokenError::Jws(JwsError::UnidentifiedKey), "{addition}");

        header["kid"] = json!("attacker");
        let forged = attacker.sign_with_header(&header, &login.claims());
        assert_rejected!(login.judge(&forged, &keys), IdTokenError::Jws(JwsError::UnknownKeyId), "{addition}");
    }
}

#[test]
fn b_kid_absent_single_jwks_is_accepted() {
    let (login, key) = (Login::openid(), SigningKey::rs256("key-1").unnamed());

    let token = key.sign(&login.claims());

    assert!(login.judge(&token, &key_set(&[&key])).is_ok());
    let mut named = key.public();
    named["kid"] = json!("key-1");
    assert!(login.judge(&token, &read_keys(&[named])).is_ok());
}

#[test]
fn b_kid_absent_multiple_jwks_tries_every_key_for_the_algorithm() {
    let login = Login::openid();
    let (first, second) = (SigningKey::es256("key-1"), SigningKey::es256("key-2"));
    let (third, stranger) = (SigningKey::rs256("key-3"), SigningKey::es256("key-4"));
    let keys = key_set(&[&first, &second, &third]);
    let header = json!({ "alg": "ES256" });

    assert!(login.judge(&first.sign_with_header(&header, &login.claims()), &keys).is_ok());
    assert!(login.judge(&second.sign_with_header(&header, &login.claims()), &keys).is_ok());
    assert_rejected!(
        login.judge(&stranger.sign_with_header(&header, &login.claims()), &keys),
        IdTokenError::Jws(JwsError::UnidentifiedKey)
    );
}

#[test]
fn b_signing_key_rotation_asks_for_fresh_keys_and_then_succeeds() {
    let login = Login::openid();
    let (old, new) = (SigningKey::es256("old"), SigningKey::es256("new"));
    let token = new.sign(&login.claims());

    let error = login.judge(&token, &key_set(&[&old])).unwrap_err();

    assert!(matches!(error, IdTokenError::Jws(JwsError::UnknownKeyId)), "{error:?}");
    assert!(error.wants_fresh_keys());
    assert!(login.judge(&token, &key_set(&[&old, &new])).is_ok());
}

#[test]
fn b_signing_key_rotation_just_before_signing_without_kid_asks_for_fresh_keys_and_then_succeeds() {
    let login = Login::openid();
    let (old, new) = (SigningKey::es256("old").unnamed(), SigningKey::es256("new").unnamed());
    let other = SigningKey::rs256("other").unnamed();
    let token = new.sign(&login.claims());

    for (known, expected) in [(&old, "token_key_unidentified"), (&other, "token_key_not_found")] {
        let error = login.judge(&token, &key_set(&[known])).unwrap_err();
        assert_eq!(error.code(), expected);
        assert!(error.wants_fresh_keys());
    }
    assert!(login.judge(&token, &key_set(&[&new])).is_ok());
}

#[test]
fn a31_an_empty_set_asks_for_fresh_keys() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));

    assert!(login.judge(&key.sign(&login.claims()), &JwkSet::default()).unwrap_err().wants_fresh_keys());
}

#[test]
fn a31_nothing_but_an_unknown_key_asks_for_fresh_keys() {
    let (login, key, other) = (Login::openid(), SigningKey::es256("key-1"), SigningKey::es256("key-1"));
    let keys = key_set(&[&key]);

    for token in [other.sign(&login.claims()), unsigned(&json!({ "alg": "none" }), &login.claims()), "a.b".to_owned()] {
        assert!(!login.judge(&token, &keys).unwrap_err().wants_fresh_keys(), "{token}");
    }
    for error in [judge_without("sub"), judge_with("iss", json!("x")), judge_with("exp", json!(0)), judge_without("nonce")] {
        assert!(!error.unwrap_err().wants_fresh_keys());
    }
}

#[test]
fn a31_a_kid_that_is_no_string_is_an_unknown_one() {
    assert_rejected!(judge_header(|header| header["kid"] = json!(1)), IdTokenError::Jws(JwsError::UnknownKeyId));
    assert_rejected!(judge_header(|header| header["kid"] = json!("KEY-1")), IdTokenError::Jws(JwsError::UnknownKeyId));
}

#[test]
fn a28_a_key_of_another_type_than_the_algorithms_is_rejected() {
    let login = login_with_every_algorithm();
    let key = SigningKey::es256("key-1");
    let (p384, ed25519, rsa) = (
        SigningKey::generate("key-1", SigningAlgorithm::Es384),
        SigningKey::generate("key-1", SigningAlgorithm::EdDsa),
        SigningKey::rs256("key-1"),
    );
    let token = key.sign(&login.claims());
    for other in [&p384, &ed25519, &rsa] {
        let mut public = other.public();
        public.as_object_mut().unwrap().remove("alg");
        assert_rejected!(login.judge(&token, &read_keys(&[public])), IdTokenError::Jws(JwsError::KeyMismatch), "{}", other.algorithm());
    }
}

#[test]
fn a28_a_key_reserved_for_another_algorithm_is_rejected() {
    let login = login_with_every_algorithm();
    let key = SigningKey::rs256("key-1");
    let token = key.sign(&login.claims());
    for (reserved, accepted) in [("RS256", true), ("RS512", false), ("PS256", false)] {
        let mut public = key.public();
        public["alg"] = json!(reserved);
        let result = login.judge(&token, &read_keys(&[public]));

        if accepted {
            assert!(result.is_ok(), "{reserved}");
        } else {
            assert_rejected!(result, IdTokenError::Jws(JwsError::KeyMismatch), "{reserved}");
        }
    }
}

#[test]
fn a28_a_signature_of_one_rsa_scheme_does_not_hold_under_another() {
    let login = login_with_every_algorithm();
    let key = SigningKey::rs256("key-1");
    let mut public = key.public();
    public.as_object_mut().unwrap().remove("alg");
    let keys = read_keys(&[public]);
    for claimed in ["RS384", "RS512", "PS256", "PS384", "PS512"] {
        let mut header = key.header();
        header["alg"] = json!(claimed);

        let token = key.sign_with_header(&header, &login.claims());
        assert_rejected!(login.judge(&token, &keys), IdTokenError::Jws(JwsError::InvalidSignature), "{claimed}");
    }
}

#[test]
fn a28_an_rsa_key_shorter_than_2048_bits_is_rejected() {
    let login = Login::openid();
    let key = SigningKey::rs256("key-1");
    let token = key.sign(&login.claims());
    let with = |modulus: &[u8]| {
        let mut public = key.public();
        public["n"] = json!(encode(modulus));
        read_keys(&[public])
    };
    let with_modulus = |bytes: usize, first: u8| with(&[&[first][..], &vec![0xa5; bytes - 1]].concat());
    let behind_zeros = with(&[[0; 128], [0xa5; 128]].concat());

    // 1024 bits, 2047 bits, 1024 bits behind 128 zeros, and 8200 bits.
    for weak in [with_modulus(128, 0x80), with_modulus(256, 0x7f), behind_zeros, with_modulus(1025, 0x80)] {
        assert_rejected!(login.judge(&token, &weak), IdTokenError::Jws(JwsError::WeakKey));
    }
    // 2048 bits are enough; this is only another key.
    assert_rejected!(login.judge(&token, &with_modulus(256, 0x80)), IdTokenError::Jws(JwsError::InvalidSignature));
}

#[test]
fn a28_an_ecdsa_signature_of_zeros_is_rejected() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let message = unsigned(&key.header(), &login.claims());

    let token = format!("{message}{}", encode(&[0; 64]));

    assert_rejected!(login.judge(&token, &key_set(&[&key])), IdTokenError::Jws(JwsError::InvalidSignature));
}

#[test]
fn a28_an_ecdsa_signature_in_der_is_rejected() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let token = key.sign(&login.claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = decode(signature);
    let integer = |bytes: &[u8]| {
        let padded = [if bytes[0] >= 0x80 { &[0][..] } else { &[] }, bytes].concat();
        [&[0x02, u8::try_from(padded.len()).unwrap()][..], &padded].concat()
    };
    let content = [integer(&signature[..32]), integer(&signature[32..])].concat();
    let der = [&[0x30, u8::try_from(content.len()).unwrap()][..], &content].concat();

    let result = login.judge(&format!("{message}.{}", encode(&der)), &key_set(&[&key]));

    assert_rejected!(result, IdTokenError::Jws(JwsError::InvalidSignature));
}

#[test]
fn a28_a_token_altered_anywhere_is_rejected() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let keys = key_set(&[&key]);
    let token = key.sign(&login.claims());
    assert!(login.judge(&token, &keys).is_ok());

    for index in 0..token.len() {
        let replacement = if token.as_bytes()[index] == b'A' { "B" } else { "A" };
        let altered = format!("{}{replacement}{}", &token[..index], &token[index + 1..]);
        assert!(login.judge(&altered, &keys).is_err(), "altered at {index}: {altered}");
    }
}

#[test]
fn a28_a_token_that_is_not_three_parts_of_base64url_is_rejected() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let keys = key_set(&[&key]);
    let token = key.sign(&login.claims());
    let (message, signature) = token.rsplit_once('.').unwrap();

    for bad in [
        "x".to_owned(),
        ".".to_owned(),
        format!("{token}.x"),
        format!("{token}="),
        format!("{token}\n"),
        format!(" {token}"),
        format!("{message}.{}", signature.replace(['-', '_'], "+") + "=="),
    ] {
        assert_rejected!(login.judge(&bad, &keys), IdTokenError::Jws(JwsError::NotCompact), "{bad}");
    }
    // One byte more than a signature has.
    assert_rejected!(login.judge(&format!("{token}A"), &keys), IdTokenError::Jws(JwsError::InvalidSignature));
    assert_rejected!(login.judge("..", &keys), IdTokenError::Jws(JwsError::Malformed(_)));
    assert_rejected!(login.judge("a.b.c.d.e", &keys), IdTokenError::Jws(JwsError::Encrypted));
}

#[test]
fn a28_a_repeated_member_in_header_or_payload_is_rejected() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let keys = key_set(&[&key]);
    let (header, claims) = (key.header().to_string(), login.claims().to_string());
    let repeated = |text: &str, member: &str| format!("{},{member}}}", text.strip_suffix('}').unwrap());

    assert!(login.judge(&key.sign_text(&header, &claims), &keys).is_ok());
    for (header, claims) in [
        (repeated(&header, r#""alg":"ES256""#), claims.clone()),
        (header.clone(), repeated(&claims, r#""sub":"somebody-else""#)),
        (header, repeated(&claims, r#""events":{"a":1,"a":2}"#)),
    ] {
        assert_rejected!(
            login.judge(&key.sign_text(&header, &claims), &keys),
            IdTokenError::Jws(JwsError::Malformed(JsonError::Malformed(_))),
            "{header} {claims}"
        );
    }
}

#[test]
fn a28_a_header_or_payload_that_is_no_object_is_rejected() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let keys = key_set(&[&key]);
    let header = key.header().to_string();
    for (header, payload) in
        [("[]", "{}"), ("", "{}"), ("null", "{}"), (header.as_str(), "[]"), (&header, "null"), (&header, ""), (&header, "x")]
    {
        assert_rejected!(
            login.judge(&key.sign_text(header, payload), &keys),
            IdTokenError::Jws(JwsError::Malformed(_)),
            "{header} {payload}"
        );
    }
}

#[test]
fn c_token_type_confusion_a_logout_token_is_no_id_token() {
    let logout_token = |claims: &mut Value| claims["events"] = json!({ BACKCHANNEL_LOGOUT_EVENT: {} });

    assert_rejected!(judge_claims(logout_token), IdTokenError::LogoutToken);
    assert_rejected!(judge_header(|header| header["typ"] = json!("logout+jwt")), IdTokenError::Jws(JwsError::WrongTokenType(_)));
    // Other events are nobody's business.
    assert!(judge_with("events", json!({ "http://example.com/event": {} })).is_ok());
}

#[test]
fn c_token_type_confusion_an_access_token_is_no_id_token() {
    for name in ["at+jwt", "application/at+jwt", "AT+JWT", "dpop+jwt", "secevent+jwt", "token-introspection+jwt", "JOSE", ""] {
        assert_rejected!(judge_header(|header| header["typ"] = json!(name)), IdTokenError::Jws(JwsError::WrongTokenType(_)), "{name}");
    }
    for value in [json!(null), json!(1), json!(["JWT"])] {
        assert_rejected!(judge_header(|header| header["typ"] = value), IdTokenError::Jws(JwsError::WrongTokenType(_)));
    }
    // One without a type, as RFC 9068 did not demand before it was written: for the API, and without the login's nonce.
    assert_rejected!(judge_with("aud", json!("https://api.example")), IdTokenError::AudienceMismatch);
    assert_rejected!(judge_without("nonce"), IdTokenError::MissingClaim("nonce"));
}

#[test]
fn a28_the_type_of_an_id_token_is_absent_or_jwt() {
    for name in ["JWT", "jwt", "application/jwt", "APPLICATION/JWT"] {
        assert!(judge_header(|header| header["typ"] = json!(name)).is_ok(), "{name}");
    }
    assert!(judge_header(|header| drop(header.as_object_mut().unwrap().remove("typ"))).is_ok());
}

#[test]
fn a29_a_wrong_at_hash_rejects() {
    let right = access_token_hash(SigningAlgorithm::Es256, ACCESS_TOKEN);

    assert!(judge_with("at_hash", json!(right)).is_ok());
    for wrong in [
        access_token_hash(SigningAlgorithm::Es256, "another-token"),
        access_token_hash(SigningAlgorithm::Es384, ACCESS_TOKEN),
        format!("{right}="),
        right[1..].to_owned(),
        String::new(),
    ] {
        assert_rejected!(judge_with("at_hash", json!(wrong)), IdTokenError::AccessTokenHashMismatch, "{wrong}");
    }
    assert_rejected!(judge_with("at_hash", json!(17)), IdTokenError::InvalidClaim("at_hash"));
}

#[test]
fn a29_the_at_hash_of_the_specifications_example_holds() {
    // OpenID Connect Core, appendix A.3: the access token and the at_hash of the ID token that comes with it.
    let (login, key) = (Login::openid(), SigningKey::rs256("key-1"));
    let mut claims = login.claims();
    claims["at_hash"] = json!("77QmUPtjPfzWtF2AnpK9RQ");
    let token = key.sign(&claims);
    let mut answer = token_answer();
    answer["id_token"] = json!(token);
    answer["access_token"] = json!("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
    let tokens = login.tokens(&json_response(&answer)).unwrap();
    let expectations = IdTokenExpectations::new(&login.provider, &login.metadata, &tokens, now()).unwrap();

    let result = id_token::validate(tokens.id_token.as_ref().unwrap(), &expectations, &key_set(&[&key]));

    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn a29_at_hash_takes_the_hash_of_the_tokens_algorithm() {
    let login = login_with_every_algorithm();
    let mut rsa = SigningKey::rs256("rsa");
    for algorithm in [SigningAlgorithm::Rs384, SigningAlgorithm::Rs512, SigningAlgorithm::Ps256] {
        rsa = rsa.with_algorithm(algorithm);
        let mut claims = login.claims();
        claims["at_hash"] = json!(access_token_hash(algorithm, ACCESS_TOKEN));
        assert!(login.judge(&rsa.sign(&claims), &key_set(&[&rsa])).is_ok(), "{algorithm}");
    }
    for algorithm in [SigningAlgorithm::Es384, SigningAlgorithm::EdDsa] {
        let key = SigningKey::generate("key", algorithm);
        let mut claims = login.claims();
        claims["at_hash"] = json!(access_token_hash(algorithm, ACCESS_TOKEN));
        assert!(login.judge(&key.sign(&claims), &key_set(&[&key])).is_ok(), "{algorithm}");
        claims["at_hash"] = json!(access_token_hash(SigningAlgorithm::Es256, ACCESS_TOKEN));
        assert_rejected!(login.judge(&key.sign(&claims), &key_set(&[&key])), IdTokenError::AccessTokenHashMismatch, "{algorithm}");
    }
}

/// What becomes of a token whose login asked for something.
fn judge_asked(options: AuthorizationOptions, change: impl FnOnce(&mut Value)) -> Judgement {
    let login = Login::begin_with(1, options, openid_provider(), metadata());
    let key = SigningKey::es256("key-1");
    let mut claims = login.claims();
    change(&mut claims);
    login.judge(&key.sign(&claims), &key_set(&[&key]))
}

fn judge_with_max_age(seconds: u64, auth_time: Option<Value>) -> Judgement {
    let options = AuthorizationOptions { max_age: Some(Duration::from_secs(seconds)), ..AuthorizationOptions::default() };
    judge_asked(options, |claims| {
        if let Some(auth_time) = auth_time {
            claims["auth_time"] = auth_time;
        }
    })
}

#[test]
fn a25_a_login_older_than_max_age_is_rejected() {
    assert!(judge_with_max_age(600, Some(json!(START - 660))).is_ok());
    assert_rejected!(judge_with_max_age(600, Some(json!(START - 661))), IdTokenError::AuthenticationTooOld);
    assert_rejected!(judge_with_max_age(600, Some(json!(i64::MIN))), IdTokenError::AuthenticationTooOld);
    assert!(judge_with_max_age(0, Some(json!(START - 60))).is_ok());
    assert_rejected!(judge_with_max_age(0, Some(json!(START - 61))), IdTokenError::AuthenticationTooOld);
    assert!(judge_with_max_age(u64::MAX, Some(json!(0))).is_ok());
}

#[test]
fn a25_where_max_age_was_asked_for_auth_time_is_a_time_that_can_be() {
    assert_rejected!(judge_with_max_age(600, Some(json!("now"))), IdTokenError::InvalidClaim("auth_time"));
    assert_rejected!(judge_with_max_age(600, Some(json!(null))), IdTokenError::MissingClaim("auth_time"));
    assert_rejected!(judge_with_max_age(600, None), IdTokenError::MissingClaim("auth_time"));
    assert!(judge_with_max_age(600, Some(json!(START + 60))).is_ok());
    assert_rejected!(judge_with_max_age(600, Some(json!(START + 61))), IdTokenError::InvalidClaim("auth_time"));
    assert_rejected!(judge_with_max_age(600, Some(json!(i64::MAX))), IdTokenError::InvalidClaim("auth_time"));
}

#[test]
fn a25_where_nobody_asked_the_time_of_the_login_does_not_matter() {
    for auth_time in [json!(0), json!(START + 1_000_000), json!("now"), json!(null)] {
        assert!(judge_with("auth_time", auth_time.clone()).is_ok(), "{auth_time}");
    }
}

fn judge_with_acr(acr: Option<Value>) -> Judgement {
    let options = AuthorizationOptions { acr_values: vec!["high".to_owned(), "higher".to_owned()], ..AuthorizationOptions::default() };
    judge_asked(options, |claims| {
        if let Some(acr) = acr {
            claims["acr"] = acr;
        }
    })
}

#[test]
fn a25_acr_is_one_of_the_values_that_were_asked_for() {
    assert_eq!(judge_with_acr(Some(json!("high"))).unwrap().acr(), Some("high"));
    assert_eq!(judge_with_acr(Some(json!("higher"))).unwrap().acr(), Some("higher"));
    for acr in [json!("low"), json!("HIGH"), json!("high higher"), json!(""), json!(null), json!(1), json!(["high"])] {
        assert_rejected!(judge_with_acr(Some(acr.clone())), IdTokenError::AcrMismatch, "{acr}");
    }
    assert_rejected!(judge_with_acr(None), IdTokenError::AcrMismatch);
    assert!(judge_with("acr", json!("low")).is_ok());
}

#[test]
fn a25_how_and_when_the_user_was_authenticated_is_told() {
    let token = judge_claims(|claims| {
        claims["acr"] = json!("high");
        claims["amr"] = json!(["pwd", 7, "otp"]);
        claims["auth_time"] = json!(START - 5);
    })
    .unwrap();
    assert_eq!((token.acr(), token.auth_time()), (Some("high"), Some(now() - Duration::from_secs(5))));
    assert_eq!(token.amr(), ["pwd", "otp"]);

    let token = judge_claims(|_| {}).unwrap();
    assert_eq!((token.acr(), token.auth_time()), (None, None));
    assert!(token.amr().is_empty());
    for (name, value) in [("acr", json!(1)), ("amr", json!("pwd")), ("auth_time", json!("now")), ("auth_time", json!(i64::MAX))] {
        let token = judge_with(name, value.clone()).unwrap();
        assert!(token.acr().is_none() && token.amr().is_empty() && token.auth_time().is_none(), "{name}: {value}");
    }
}

fn judge_with_required(required: &[(&str, &str)], change: impl FnOnce(&mut Value)) -> Judgement {
    let mut provider = openid_provider();
    provider.required_claims = required.iter().map(|(place, value)| ((*place).to_owned(), (*value).to_owned())).collect();
    let (login, key) = (Login::begin(provider, metadata()), SigningKey::es256("key-1"));
    let mut claims = login.claims();
    change(&mut claims);
    login.judge(&key.sign(&claims), &key_set(&[&key]))
}

#[test]
fn a24_a_claim_that_the_configuration_demands_is_there_with_its_value() {
    let domain = [("hd", "example.com")];

    assert!(judge_with_required(&domain, |claims| claims["hd"] = json!("example.com")).is_ok());
    for value in [
        json!("evil.example"),
        json!("EXAMPLE.com"),
        json!("example.com "),
        json!(""),
        json!(null),
        json!({ "example.com": true }),
        json!([]),
    ] {
        match judge_with_required(&domain, |claims| claims["hd"] = value.clone()) {
            Err(IdTokenError::RequiredClaim(name)) => assert_eq!(name, "hd"),
            other => panic!("{value}: {other:?}"),
        }
    }
    assert_rejected!(judge_with_required(&domain, |_| {}), IdTokenError::RequiredClaim(_));
}

#[test]
fn a24_a_demanded_claim_may_be_one_of_a_list_or_no_text() {
    let judge = |place: &str, wanted: &str, value: Value| judge_with_required(&[(place, wanted)], |claims| claims["x"] = value);

    assert!(judge("x", "staff", json!(["users", "staff"])).is_ok());
    assert_rejected!(judge("x", "staff", json!(["users"])), IdTokenError::RequiredClaim(_));
    assert_rejected!(judge("x", "staff", json!([["staff"], { "staff": "staff" }])), IdTokenError::RequiredClaim(_));
    assert!(judge("x", "true", json!(true)).is_ok());
    assert!(judge("x", "false", json!(false)).is_ok());
    assert_rejected!(judge("x", "true", json!(false)), IdTokenError::RequiredClaim(_));
    assert!(judge("x", "17", json!(17)).is_ok());
    assert_rejected!(judge("x", "17", json!(18)), IdTokenError::RequiredClaim(_));
    assert_rejected!(judge("x", "null", json!(null)), IdTokenError::RequiredClaim(_));
    assert_rejected!(judge("x", "{}", json!({})), IdTokenError::RequiredClaim(_));
    assert!(judge("/x/roles/1", "admin", json!({ "roles": ["user", "admin"] })).is_ok());
    assert!(judge("/x/roles", "admin", json!({ "roles": ["user", "admin"] })).is_ok());
    assert_rejected!(judge("/x/roles/0", "admin", json!({ "roles": ["user", "admin"] })), IdTokenError::RequiredClaim(_));
    // Each of them counts.
    let both = [("email_verified", "true"), ("x", "a")];
    assert!(judge_with_required(&both, |claims| claims["x"] = json!("a")).is_ok());
    assert_rejected!(judge_with_required(&both, |claims| claims["x"] = json!("b")), IdTokenError::RequiredClaim(_));
}

#[test]
fn a32_a_refreshed_token_may_leave_a_demanded_claim_out_but_not_change_it() {
    let mut provider = openid_provider();
    provider.required_claims = vec![("hd".to_owned(), "example.com".to_owned())];
    let (login, key) = (Login::begin(provider, metadata()), SigningKey::es256("key-1"));
    let mut claims = login.claims();
    claims["hd"] = json!("example.com");
    let original = login.judge(&key.sign(&claims), &key_set(&[&key])).unwrap().identity();
    let refreshed = |domain: Value| {
        let mut claims = login.claims();
        claims.as_object_mut().unwrap().remove("nonce").unwrap();
        claims["hd"] = domain;
        if claims["hd"].is_null() {
            claims.as_object_mut().unwrap().remove("hd").unwrap();
        }
        let tokens = login.tokens_with(&key.sign(&claims));
        refresh::validate_id_token(&login.provider, &login.metadata, &tokens, &original, &key_set(&[&key]), now())
    };

    assert!(refreshed(json!("example.com")).is_ok());
    assert!(refreshed(json!(null)).is_ok());
    assert_rejected!(refreshed(json!("evil.example")), RefreshError::IdToken(IdTokenError::RequiredClaim(_)));
}

#[test]
fn a25_a_token_that_fits_no_clock_but_its_own_suspects_ours() {
    let judge_times = |issued_at: i64, expires_at: i64, change: &dyn Fn(&mut Value)| {
        let result = judge_claims(|claims| {
            claims["iat"] = json!(issued_at);
            claims["exp"] = json!(expires_at);
            change(claims);
        });
        result.unwrap_err().suspects_own_clock()
    };
    let nothing = |_: &mut Value| {};

    // Made for this login, and hours old or hours young: one of the clocks is wrong.
    assert!(judge_times(START - 7200, START - 6900, &nothing));
    assert!(judge_times(START + 7200, START + 7500, &nothing));
    assert!(judge_times(START + 61, START + 361, &nothing));
    assert!(judge_times(START - 661, START - 361, &|claims| claims["nbf"] = json!(START - 661)));
    assert!(judge_times(START + 7200, START + 7500, &|claims| claims["nbf"] = json!(START + 7200)));
    // A login may take ten minutes, and a minute is forgiven.
    assert!(!judge_times(START - 660, START - 360, &nothing));
    // Its times do not agree with each other: the provider is confused.
    assert!(!judge_times(START, START - 300, &nothing));
    assert!(!judge_times(START - 7200, START - 7200, &nothing));
    assert!(!judge_times(START - 7200, START - 7201, &nothing));
    assert!(!judge_times(START + 7200, START + 300, &nothing));
    assert!(!judge_times(START - 7200, START - 6900, &|claims| claims["nbf"] = json!(START - 6900)));
    assert!(!judge_times(START + 7200, START + 7500, &|claims| claims["nbf"] = json!(START + 7500)));
    // It was made for another login, so it may simply be old.
    assert!(!judge_times(START - 7200, START - 6900, &|claims| claims["nonce"] = json!("another")));
    assert!(!judge_times(START - 7200, START - 6900, &|claims| claims["nonce"] = json!(null)));
    // The times are right, something else is wrong.
    assert!(!judge_times(START, START + 300, &|claims| claims["nbf"] = json!(START + 120)));
    assert!(!judge_times(START, START + 300, &|claims| claims["aud"] = json!("app-2")));
}

#[test]
fn a25_without_a_nonce_an_old_token_says_nothing_about_our_clock() {
    let mut provider = openid_provider();
    provider.nonce = false;
    let (login, key) = (Login::begin(provider, metadata()), SigningKey::es256("key-1"));
    let mut claims = Login::openid().claims();
    claims.as_object_mut().unwrap().remove("nonce").unwrap();
    claims["iat"] = json!(START - 7200);
    claims["exp"] = json!(START - 6900);

    let error = login.judge(&key.sign(&claims), &key_set(&[&key])).unwrap_err();

    assert!(matches!(error, IdTokenError::Expired { seconds: 6900, suspects_own_clock: false }), "{error:?}");
}

#[test]
fn a24_google_may_leave_the_scheme_out_of_its_issuer() {
    let mut provider = openid_provider();
    provider.issuer_rule = IssuerRule::Alternatives(vec!["login.example".to_owned(), "https://old.example".to_owned()]);
    let (login, key) = (Login::begin(provider, metadata()), SigningKey::es256("key-1"));
    let judge = |iss: &str| {
        let mut claims = login.claims();
        claims["iss"] = json!(iss);
        login.judge(&key.sign(&claims), &key_set(&[&key]))
    };

    for iss in [ISSUER, "login.example", "https://old.example"] {
        // The user stays the same one under each of its names.
        assert_eq!(judge(iss).unwrap().issuer(), ISSUER, "{iss}");
    }
    for iss in ["Login.example", "login.example/", "evil.example", "https://login.example", ""] {
        assert_rejected!(judge(iss), IdTokenError::IssuerMismatch, "{iss}");
    }
    assert_rejected!(judge_with("iss", json!("login.example")), IdTokenError::IssuerMismatch);
}

const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A login at a provider whose issuer is the user's tenant's.
fn login_of_any_tenant() -> Login {
    let mut provider = openid_provider();
    provider.kind = ProviderKind::OpenId { issuer: "https://login.example/common/v2.0".to_owned() };
    provider.issuer_rule = IssuerRule::TenantTemplate;
    let mut document = metadata_document();
    document["issuer"] = json!("https://login.example/{tenantid}/v2.0");
    document["authorization_response_iss_parameter_supported"] = json!(false);
    let metadata = discovery::process_metadata(&provider, &json_response(&document)).unwrap();
    Login::begin(provider, metadata)
}

fn issuer_of(tenant: &str) -> String {
    format!("https://login.example/{tenant}/v2.0")
}

#[test]
fn a24_entras_issuer_is_the_template_with_the_tokens_own_tenant() {
    let (login, key) = (login_of_any_tenant(), SigningKey::es256("key-1"));
    let judge = |iss: &str, tenant: Value| {
        let mut claims = login.claims();
        claims["iss"] = json!(iss);
        claims["tid"] = tenant;
        login.judge(&key.sign(&claims), &key_set(&[&key]))
    };

    let token = judge(&issuer_of(TENANT), json!(TENANT)).unwrap();
    // The tenant is part of the user's key.
    assert_eq!((token.issuer(), token.identity().issuer), (issuer_of(TENANT).as_str(), issuer_of(TENANT)));
    for (iss, tenant) in [
        (issuer_of(TENANT), json!("00000000-6c67-4c5b-b112-36a304b66dad")),
        (issuer_of("00000000-6c67-4c5b-b112-36a304b66dad"), json!(TENANT)),
        (issuer_of(TENANT), json!(TENANT.to_ascii_uppercase())),
        (issuer_of(TENANT), json!(null)),
        (issuer_of(TENANT), json!(1)),
        (issuer_of(""), json!("")),
        (issuer_of("common"), json!("common")),
        (issuer_of("{tenantid}"), json!("{tenantid}")),
        (issuer_of("a/../b"), json!("a/../b")),
        (issuer_of(&TENANT[1..]), json!(&TENANT[1..])),
        (issuer_of(&format!("{TENANT}0")), json!(format!("{TENANT}0"))),
        (issuer_of(&TENANT.replace('-', "0")), json!(TENANT.replace('-', "0"))),
        (issuer_of(&TENANT.replace('d', "g")), json!(TENANT.replace('d', "g"))),
        ("https://login.example/common/v2.0".to_owned(), json!(TENANT)),
        ("https://evil.example/v2.0".to_owned(), json!(TENANT)),
    ] {
        assert_rejected!(judge(&iss, tenant.clone()), IdTokenError::IssuerMismatch, "{iss} {tenant}");
    }
}

#[test]
fn a28_a_key_that_is_reserved_for_one_tenant_signs_for_no_other() {
    let (login, key) = (login_of_any_tenant(), SigningKey::es256("key-1"));
    let mut claims = login.claims();
    claims["iss"] = json!(issuer_of(TENANT));
    claims["tid"] = json!(TENANT);
    let token = key.sign(&claims);
    let judge = |issuer: Option<&str>| {
        let mut public = key.public();
        if let Some(issuer) = issuer {
            public["issuer"] = json!(issuer);
        }
        login.judge(&token, &read_keys(&[public]))
    };

    assert!(judge(None).is_ok());
    assert!(judge(Some("https://login.example/{tenantid}/v2.0")).is_ok());
    assert!(judge(Some(&issuer_of(TENANT))).is_ok());
    for issuer in [issuer_of("00000000-6c67-4c5b-b112-36a304b66dad"), "https://evil.example/{tenantid}/v2.0".to_owned(), String::new()] {
        assert_rejected!(judge(Some(&issuer)), IdTokenError::IssuerMismatch, "{issuer}");
    }
}

#[test]
fn a24_a_template_counts_only_where_the_configuration_says_so() {
    let (mut login, key) = (login_of_any_tenant(), SigningKey::es256("key-1"));
    let mut claims = login.claims();
    claims["iss"] = json!(issuer_of(TENANT));
    claims["tid"] = json!(TENANT);
    let token = key.sign(&claims);
    assert!(login.judge(&token, &key_set(&[&key])).is_ok());

    login.provider.issuer_rule = IssuerRule::Exact;
    assert_rejected!(login.judge(&token, &key_set(&[&key])), IdTokenError::IssuerMismatch);
    login.provider.issuer_rule = IssuerRule::TenantTemplate;
    login.metadata.issuer_template = None;
    assert_rejected!(login.judge(&token, &key_set(&[&key])), IdTokenError::IssuerMismatch);
}

#[test]
fn a33_what_is_left_to_somebody_else_is_no_claim() {
    // Core §5.6.2: an aggregated claim that nobody has verified, and a distributed one with the token for it.
    let token = judge_claims(|claims| {
        claims["_claim_names"] = json!({ "email": "src1", "sub": "src1", "address": "src2" });
        claims["_claim_sources"] = json!({
            "src1": { "JWT": unsigned(&json!({ "alg": "none" }), &json!({ "email": "chief@example.com", "sub": "chief" })) },
            "src2": { "endpoint": "https://evil.example/claims", "access_token": "secret" },
        });
    })
    .unwrap();

    assert_eq!((token.subject(), token.claims()["email"].as_str()), (SUBJECT, Some("alice@example.com")));
    assert!(!token.claims().contains_key("_claim_names") && !token.claims().contains_key("_claim_sources"));
    assert!(!token.claims().contains_key("address"));
}

#[test]
fn a24_a_provider_without_id_tokens_has_no_expectations_of_one() {
    let login = Login::fixed(oauth_provider());
    let tokens = login.tokens(&json_response(&token_answer())).unwrap();

    assert!(IdTokenExpectations::new(&login.provider, &login.metadata, &tokens, now()).is_none());
}

#[test]
fn c_a_huge_token_is_refused_by_its_size() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let keys = key_set(&[&key]);
    let token_of = |padding: usize| {
        let mut claims = login.claims();
        claims["padding"] = json!("x".repeat(padding));
        key.sign(&claims)
    };
    // Base64 makes 4 characters of 3; the rest of the token is well below a thousand.
    let nearly = token_of((MAXIMUM_TOKEN_BYTES - 1000) * 3 / 4);
    assert!((MAXIMUM_TOKEN_BYTES - 1000..=MAXIMUM_TOKEN_BYTES).contains(&nearly.len()), "{}", nearly.len());

    assert!(login.judge(&nearly, &keys).is_ok());
    assert_rejected!(login.judge(&token_of(MAXIMUM_TOKEN_BYTES * 3 / 4), &keys), IdTokenError::Jws(JwsError::TooLarge));
}

#[test]
fn c_deep_nesting_in_a_token_is_refused() {
    let (login, key) = (Login::openid(), SigningKey::es256("key-1"));
    let keys = key_set(&[&key]);
    let deep = deeply_nested(2000);

    let tokens = [key.sign_text(&deep, "{}"), key.sign_text(&key.header().to_string(), &deep)];

    for token in tokens {
        assert!(token.len() < MAXIMUM_TOKEN_BYTES);
        assert_rejected!(login.judge(&token, &keys), IdTokenError::Jws(JwsError::Malformed(JsonError::Malformed(_))));
    }
}

#[test]
fn a28_the_signature_is_verified_before_any_claim_is_looked_at() {
    let (login, key, other) = (Login::openid(), SigningKey::es256("key-1"), SigningKey::es256("key-1"));

    let token = other.sign(&json!({ "iss": "https://evil.example", "exp": 0 }));

    assert_rejected!(login.judge(&token, &key_set(&[&key])), IdTokenError::Jws(JwsError::InvalidSignature));
}

proptest! {
    #[test]
    fn c_nothing_but_a_signed_token_is_ever_accepted(token in r"(?s)[A-Za-z0-9_-]{0,80}\.?[A-Za-z0-9_-]{0,80}\.?.{0,80}") {
        let keys = key_set(&[&SigningKey::es256("key-1")]);
        let algorithms = SigningAlgorithm::ALL.to_vec();
        let expectations = IdTokenExpectations {
            issuer: ISSUER,
            issuer_rule: &IssuerRule::Exact,
            issuer_template: None,
            client_id: CLIENT_ID,
            trusted_audiences: &[],
            nonce: None,
            algorithms,
            access_token: None,
            now: now(),
            leeway: CLOCK_LEEWAY,
            max_age: None,
            acr_values: &[],
            required_claims: &[],
        };

        prop_assert!(id_token::validate(&IdToken::new(token), &expectations, &keys).is_err());
    }
}
