//! A key that signs ID tokens, logout tokens, authorization responses and userinfo.

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::{DemoProviderError, SigningAlgorithm, failure::Failure, json_web_key};

/// A key pair, and the one algorithm that it is used with.
pub(crate) struct SigningKey {
    pair: Pair,
    algorithm: SigningAlgorithm,
    kid: String,
}

enum Pair {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Elliptic(Box<EcdsaKeyPair>),
    Edwards(Box<Ed25519KeyPair>),
}

/// The two kinds of parameters that key pairs are made with.
enum Parameters {
    Rsa(&'static dyn RsaEncoding),
    Elliptic(&'static EcdsaSigningAlgorithm),
    Edwards,
}

fn parameters(algorithm: SigningAlgorithm) -> Parameters {
    match algorithm {
        SigningAlgorithm::Rs256 => Parameters::Rsa(&RSA_PKCS1_SHA256),
        SigningAlgorithm::Rs384 => Parameters::Rsa(&RSA_PKCS1_SHA384),
        SigningAlgorithm::Rs512 => Parameters::Rsa(&RSA_PKCS1_SHA512),
        SigningAlgorithm::Ps256 => Parameters::Rsa(&RSA_PSS_SHA256),
        SigningAlgorithm::Ps384 => Parameters::Rsa(&RSA_PSS_SHA384),
        SigningAlgorithm::Ps512 => Parameters::Rsa(&RSA_PSS_SHA512),
        SigningAlgorithm::Es256 => Parameters::Elliptic(&ECDSA_P256_SHA256_FIXED_SIGNING),
        SigningAlgorithm::Es384 => Parameters::Elliptic(&ECDSA_P384_SHA384_FIXED_SIGNING),
        SigningAlgorithm::EdDsa => Parameters::Edwards,
    }
}

impl SigningKey {
    /// Makes a new key. One for RSA has 2048 bits and takes a noticeable part of a second.
    pub(crate) fn generate(algorithm: SigningAlgorithm) -> Result<Self, DemoProviderError> {
        let pair = match parameters(algorithm) {
            Parameters::Rsa(encoding) => RsaKeyPair::generate(KeySize::Rsa2048).map(|pair| Pair::Rsa(Box::new(pair), encoding)),
            Parameters::Elliptic(curve) => EcdsaKeyPair::generate(curve).map(|pair| Pair::Elliptic(Box::new(pair))),
            Parameters::Edwards => Ed25519KeyPair::generate().map(|pair| Pair::Edwards(Box::new(pair))),
        };
        pair.map(|pair| Self::of(pair, algorithm)).map_err(|_| DemoProviderError::SigningKey)
    }

    /// Reads a key that [`to_pkcs8`](Self::to_pkcs8) wrote.
    pub(crate) fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, DemoProviderError> {
        let pair = match parameters(algorithm) {
            Parameters::Rsa(encoding) => RsaKeyPair::from_pkcs8(pkcs8).map(|pair| Pair::Rsa(Box::new(pair), encoding)),
            Parameters::Elliptic(curve) => EcdsaKeyPair::from_pkcs8(curve, pkcs8).map(|pair| Pair::Elliptic(Box::new(pair))),
            Parameters::Edwards => Ed25519KeyPair::from_pkcs8(pkcs8).map(|pair| Pair::Edwards(Box::new(pair))),
        };
        pair.map(|pair| Self::of(pair, algorithm)).map_err(|_| DemoProviderError::SigningKey)
    }

    /// The private key, for the store.
    pub(crate) fn to_pkcs8(&self) -> Result<Vec<u8>, DemoProviderError> {
        let pkcs8 = match &self.pair {
            Pair::Rsa(pair, _) => pair.as_der().map(|der| der.as_ref().to_vec()),
            Pair::Elliptic(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Pair::Edwards(pair) => pair.to_pkcs8().map(|document| document.as_ref().to_vec()),
        };
        pkcs8.map_err(|_| DemoProviderError::SigningKey)
    }

    fn of(pair: Pair, algorithm: SigningAlgorithm) -> Self {
        let kid = json_web_key::thumbprint(&public_members(&pair)).unwrap_or_default();
        Self { pair, algorithm, kid }
    }

    /// The key's identifier: its thumbprint ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)).
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public half ([RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4)).
    pub(crate) fn public_jwk(&self) -> Value {
        let mut jwk = public_members(&self.pair);
        jwk["use"] = "sig".into();
        jwk["alg"] = self.algorithm.name().into();
        jwk["kid"] = self.kid.as_str().into();
        jwk
    }

    /// The public half of an RSA key as most libraries print it.
    pub(crate) fn public_pem(&self) -> Option<String> {
        let Pair::Rsa(pair, _) = &self.pair else { return None };
        let der = pair.public_key().as_der().ok()?;
        let text = STANDARD.encode(der.as_ref());
        let lines = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect::<Vec<_>>().join("\n");
        Some(format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature).map_err(|_| Failure::Signing)?;
                Ok(signature)
            }
            Pair::Elliptic(pair) => {
                pair.sign(&SystemRandom::new(), message).map(|signature| signature.as_ref().to_vec()).map_err(|_| Failure::Signing)
            }
            Pair::Edwards(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

fn public_members(pair: &Pair) -> Value {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match pair {
        Pair::Rsa(pair, _) => {
            let key = pair.public_key();
            let (modulus, exponent) = (key.modulus(), key.exponent());
            json!({
                "kty": "RSA",
                "n": encode(modulus.big_endian_without_leading_zero()),
                "e": encode(exponent.big_endian_without_leading_zero()),
            })
        }
        Pair::Elliptic(pair) => {
            // An uncompressed point: one byte that says so, and the two coordinates.
            let coordinates = pair.public_key().as_ref().get(1..).unwrap_or_default();
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            let curve = if x.len() == 32 { "P-256" } else { "P-384" };
            json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
        }
        Pair::Edwards(pair) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_every_algorithm_signs_what_its_public_half_verifies_and_survives_the_store() {
        for algorithm in SigningAlgorithm::ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let again = SigningKey::from_pkcs8(algorithm, &key.to_pkcs8().unwrap()).unwrap();
            assert_eq!(again.public_jwk(), key.public_jwk());
            let signature = again.sign(b"message").unwrap();
            assert!(json_web_key::verify(&key.public_jwk(), algorithm, b"message", &signature), "{algorithm:?}");
            assert!(!json_web_key::verify(&key.public_jwk(), algorithm, b"massage", &signature), "{algorithm:?}");
        }
    }

    #[test]
    fn an_rsa_key_has_a_pem_and_no_other_has() {
        let pem = SigningKey::generate(SigningAlgorithm::Rs256).unwrap().public_pem().unwrap();
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"), "{pem}");
        assert_eq!(SigningKey::generate(SigningAlgorithm::Es256).unwrap().public_pem(), None);
    }
}
