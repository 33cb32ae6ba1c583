//! The key that signs ID tokens and logout tokens.

use aws_lc_rs::{
    digest,
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{DemoProviderError, failure::Failure};

/// An RSA key of 2048 bits.
pub(crate) struct SigningKey {
    key_pair: RsaKeyPair,
    kid: String,
}

impl SigningKey {
    /// Makes a new key; this takes a noticeable part of a second.
    pub(crate) fn generate() -> Result<Self, DemoProviderError> {
        RsaKeyPair::generate(KeySize::Rsa2048).map(Self::of).map_err(|_| DemoProviderError::SigningKey)
    }

    /// Reads a key that [`to_pkcs8`](Self::to_pkcs8) wrote.
    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, DemoProviderError> {
        RsaKeyPair::from_pkcs8(pkcs8).map(Self::of).map_err(|_| DemoProviderError::SigningKey)
    }

    /// The private key, for the store.
    pub(crate) fn to_pkcs8(&self) -> Result<Vec<u8>, DemoProviderError> {
        self.key_pair.as_der().map(|pkcs8| pkcs8.as_ref().to_vec()).map_err(|_| DemoProviderError::SigningKey)
    }

    fn of(key_pair: RsaKeyPair) -> Self {
        let (modulus, exponent) = Self::components(&key_pair);
        // RFC 7638: the members in this order, without white space.
        let canonical = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()));
        Self { key_pair, kid }
    }

    fn components(key_pair: &RsaKeyPair) -> (String, String) {
        let public_key = key_pair.public_key();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        (encode(public_key.modulus().big_endian_without_leading_zero()), encode(public_key.exponent().big_endian_without_leading_zero()))
    }

    /// The key's identifier: its thumbprint ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)).
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, as a key set ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    pub(crate) fn jwks(&self) -> Value {
        let (modulus, exponent) = Self::components(&self.key_pair);
        json!({ "keys": [{ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": modulus, "e": exponent }] })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut signature = vec![0; self.key_pair.public_modulus_len()];
        self.key_pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(|_| Failure::Signing)?;
        Ok(signature)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.key_pair.public_key()).verify(message, signature).is_ok()
    }
}
