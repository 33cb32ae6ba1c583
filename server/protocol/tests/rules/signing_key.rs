//! A provider's keys, and the tokens that they sign. Made with AWS-LC itself, not with the library under test.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaEncoding,
    RsaKeyPair,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use oauth2flow_protocol::{JwkSet, SigningAlgorithm, jwks};
use serde_json::{Value, json};

use crate::support::json_response;

/// A key with its algorithm and, unless a test takes it away, its name.
pub(crate) struct SigningKey {
    pub(crate) kid: Option<&'static str>,
    algorithm: SigningAlgorithm,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    EllipticCurve(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A new key for the algorithm.
    pub(crate) fn generate(kid: &'static str, algorithm: SigningAlgorithm) -> Self {
        use SigningAlgorithm::{EdDsa, Es256, Es384};
        let pair = match algorithm {
            Es256 => Pair::EllipticCurve(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(), "P-256"),
            Es384 => Pair::EllipticCurve(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(), "P-384"),
            EdDsa => Pair::Ed25519(Ed25519KeyPair::generate().unwrap()),
            _ => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        };
        Self { kid: Some(kid), algorithm, pair }
    }

    pub(crate) fn es256(kid: &'static str) -> Self {
        Self::generate(kid, SigningAlgorithm::Es256)
    }

    pub(crate) fn rs256(kid: &'static str) -> Self {
        Self::generate(kid, SigningAlgorithm::Rs256)
    }

    /// The same RSA key, for another RSA algorithm.
    pub(crate) fn with_algorithm(self, algorithm: SigningAlgorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// The same key without a name: neither its tokens nor its entry in the set has a `kid`.
    pub(crate) fn unnamed(self) -> Self {
        Self { kid: None, ..self }
    }

    pub(crate) fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The header of an ordinary token of this key.
    pub(crate) fn header(&self) -> Value {
        let mut header = json!({ "alg": self.algorithm.name(), "typ": "JWT" });
        if let Some(kid) = self.kid {
            header["kid"] = json!(kid);
        }
        header
    }

    /// The public half, as a member of a key set.
    pub(crate) fn public(&self) -> Value {
        let mut key = match &self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                let modulus = encode(public.modulus().big_endian_without_leading_zero());
                json!({ "kty": "RSA", "n": modulus, "e": encode(public.exponent().big_endian_without_leading_zero()) })
            }
            Pair::EllipticCurve(pair, curve) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at((pair.public_key().as_ref().len() - 1) / 2);
                json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
            }
            Pair::Ed25519(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) }),
        };
        key["use"] = json!("sig");
        key["alg"] = json!(self.algorithm.name());
        if let Some(kid) = self.kid {
            key["kid"] = json!(kid);
        }
        key
    }

    /// The public half of an RSA key as `SubjectPublicKeyInfo`, and that as PEM.
    pub(crate) fn public_der_and_pem(&self) -> (Vec<u8>, String) {
        let Pair::Rsa(pair) = &self.pair else { panic!("only asked of RSA keys") };
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let text = STANDARD.encode(der.as_ref());
        let lines = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n");
        (der.as_ref().to_vec(), format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"))
    }

    /// A token with an ordinary header.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.sign_with_header(&self.header(), claims)
    }

    /// A token with whatever header the test wants.
    pub(crate) fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// A token with header and payload as written, JSON or not.
    pub(crate) fn sign_text(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
        let signature = encode(&self.signature(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(self.algorithm), &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Pair::EllipticCurve(pair, _) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

fn rsa_encoding(algorithm: SigningAlgorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        SigningAlgorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
        SigningAlgorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        SigningAlgorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        SigningAlgorithm::Ps256 => &signature::RSA_PSS_SHA256,
        SigningAlgorithm::Ps384 => &signature::RSA_PSS_SHA384,
        SigningAlgorithm::Ps512 => &signature::RSA_PSS_SHA512,
        other => panic!("{other} is no RSA algorithm"),
    }
}

/// The set of these keys' public halves, read as the provider's.
pub(crate) fn key_set(keys: &[&SigningKey]) -> JwkSet {
    read_keys(&keys.iter().map(|key| key.public()).collect::<Vec<_>>())
}

/// The set of these entries, read as the provider's.
pub(crate) fn read_keys(keys: &[Value]) -> JwkSet {
    jwks::process_jwks(&json_response(&json!({ "keys": keys }))).unwrap()
}

/// A token signed with a shared secret.
pub(crate) fn sign_with_secret(secret: &[u8], header: &Value, claims: &Value) -> String {
    let message = message(header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes()).as_ref()))
}

/// A token that is not signed.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.", message(header, claims))
}

/// The `at_hash` of an access token. [Core §3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken)
pub(crate) fn access_token_hash(algorithm: SigningAlgorithm, access_token: &str) -> String {
    let hash = match algorithm.name() {
        "RS256" | "PS256" | "ES256" => &digest::SHA256,
        "RS384" | "PS384" | "ES384" => &digest::SHA384,
        "RS512" | "PS512" | "EdDSA" => &digest::SHA512,
        other => panic!("no hash is known for {other}"),
    };
    let value = digest::digest(hash, access_token.as_bytes());
    encode(&value.as_ref()[..value.as_ref().len() / 2])
}

fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()))
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
