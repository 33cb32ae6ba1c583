//! The client's own key: it signs client assertions, request objects and Apple's secret.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::zeroize::Zeroizing;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::signing_algorithm::SigningAlgorithm;

/// The largest PEM text read, in bytes: an RSA key of 8192 bits has 6400.
pub const MAXIMUM_PEM_BYTES: usize = 16 * 1024;

/// A private key for signatures, with its name and, if it is tied to one, its algorithm.
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Pair>,
    algorithm: Option<SigningAlgorithm>,
    key_id: String,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why a private key is not used. No variant quotes the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// The text is longer than [`MAXIMUM_PEM_BYTES`].
    #[error("the private key is longer than any key")]
    TooLong,
    /// The text holds no PEM block, or a broken one. [RFC 7468 §2](https://www.rfc-editor.org/rfc/rfc7468#section-2)
    #[error("the private key is not in PEM form")]
    NotPem,
    /// There is a public key or a certificate, and no private key.
    /// [RFC 7468 §10](https://www.rfc-editor.org/rfc/rfc7468#section-10)
    #[error("the PEM text holds no private key, only the public half or a certificate")]
    NotPrivate,
    /// The text holds several private keys. [RFC 7468 §2](https://www.rfc-editor.org/rfc/rfc7468#section-2)
    #[error("the PEM text holds more than one private key")]
    SeveralKeys,
    /// The key is protected by a passphrase. [RFC 7468 §11](https://www.rfc-editor.org/rfc/rfc7468#section-11)
    #[error("the private key is protected by a passphrase")]
    Encrypted,
    /// The key is damaged, of an unknown kind, or RSA with fewer than 2048 or more than 8192 bits.
    /// [RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)
    #[error("the private key is neither RSA of 2048 to 8192 bits, nor P-256, P-384 or Ed25519")]
    Unsupported,
    /// The algorithm is not one of this kind of key. [RFC 7518 §3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1)
    #[error("the private key cannot sign with {0}")]
    AlgorithmMismatch(SigningAlgorithm),
    /// The key's name is empty, too long, or holds characters that are not printable ASCII.
    /// [RFC 7515 §4.1.4](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.4)
    #[error("the key id is not 1 to 256 printable characters")]
    InvalidKeyId,
}

impl SigningKeyError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "signing_key_too_long",
            Self::NotPem => "signing_key_not_pem",
            Self::NotPrivate => "signing_key_not_private",
            Self::SeveralKeys => "signing_key_several",
            Self::Encrypted => "signing_key_encrypted",
            Self::Unsupported => "signing_key_unsupported",
            Self::AlgorithmMismatch(_) => "signing_key_algorithm_mismatch",
            Self::InvalidKeyId => "signing_key_id_invalid",
        }
    }
}

/// The algorithm of one signature, under the name that the provider knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChosenAlgorithm {
    algorithm: SigningAlgorithm,
    name: &'static str,
}

impl SigningKey {
    /// Reads a private key in PEM form: PKCS#8 (`PRIVATE KEY`), PKCS#1 (`RSA PRIVATE KEY`) or SEC 1 (`EC PRIVATE KEY`).
    ///
    /// Without an `algorithm` an RSA key signs with what the provider declares, PS256 first, and with RS256 where nothing is
    /// declared; every other key has one algorithm anyway. Without a `key_id` the key is named by its thumbprint
    /// ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)).
    ///
    /// # Errors
    /// [`SigningKeyError`]
    pub fn from_pem(pem: &str, algorithm: Option<SigningAlgorithm>, key_id: Option<String>) -> Result<Self, SigningKeyError> {
        let pair = read_pair(pem)?;
        if let Some(algorithm) = algorithm
            && !pair.algorithms().contains(&algorithm)
        {
            return Err(SigningKeyError::AlgorithmMismatch(algorithm));
        }
        let key_id = match key_id {
            Some(key_id) if is_key_id(&key_id) => key_id,
            Some(_) => return Err(SigningKeyError::InvalidKeyId),
            None => thumbprint(&pair.public_members()),
        };
        Ok(Self { pair: Arc::new(pair), algorithm, key_id })
    }

    /// The key's name.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The algorithms that the key may sign with, the preferred one first.
    pub fn algorithms(&self) -> Vec<SigningAlgorithm> {
        self.algorithm.map_or_else(|| self.pair.algorithms().to_vec(), |algorithm| vec![algorithm])
    }

    /// The public half, as a member of the key set that providers fetch. [RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4)
    pub fn public_jwk(&self) -> Value {
        let mut members =
            self.pair.public_members().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map<_, _>>();
        members.insert("use".to_owned(), json!("sig"));
        members.insert("kid".to_owned(), json!(self.key_id));
        if let [algorithm] = self.algorithms().as_slice() {
            members.insert("alg".to_owned(), json!(algorithm.name()));
        }
        Value::Object(members)
    }

    /// The algorithm to sign with for a provider that declares these; `None` when none of them is this key's. A provider that
    /// declares nothing takes RS256 of an RSA key ([Core §15.1](https://openid.net/specs/openid-connect-core-1_0.html#ServerMTI)).
    pub(crate) fn algorithm_among(&self, declared: &[String]) -> Option<ChosenAlgorithm> {
        let is_known = |name: &str| declared.iter().any(|known| known == name);
        if declared.is_empty() {
            let algorithms = self.algorithms();
            let usual = algorithms.iter().find(|algorithm| **algorithm == SigningAlgorithm::Rs256).or(algorithms.first())?;
            return Some(ChosenAlgorithm { algorithm: *usual, name: usual.name() });
        }
        self.algorithms().into_iter().find_map(|algorithm| {
            // RFC 9864 gave EdDSA with this curve a name of its own, and a provider may know that one only.
            let names = [algorithm.name(), if algorithm == SigningAlgorithm::EdDsa { "Ed25519" } else { algorithm.name() }];
            let name = names.into_iter().find(|name| is_known(name))?;
            Some(ChosenAlgorithm { algorithm, name })
        })
    }

    /// The algorithm, where the key can sign with it.
    pub(crate) fn exactly(&self, algorithm: SigningAlgorithm) -> Option<ChosenAlgorithm> {
        self.algorithms().contains(&algorithm).then_some(ChosenAlgorithm { algorithm, name: algorithm.name() })
    }

    /// A signed token of this type, with the key's name in its header.
    pub(crate) fn sign(&self, chosen: ChosenAlgorithm, token_type: &str, claims: &Value) -> String {
        let header = json!({ "alg": chosen.name, "kid": self.key_id, "typ": token_type });
        compact(&header, claims, |message| self.pair.signature(chosen.algorithm, message))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("key_id", &self.key_id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl Pair {
    fn algorithms(&self) -> &'static [SigningAlgorithm] {
        use SigningAlgorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa(_) => &[Ps256, Rs256, Ps384, Rs384, Ps512, Rs512],
            Self::P256(_) => &[Es256],
            Self::P384(_) => &[Es384],
            Self::Ed25519(_) => &[EdDsa],
        }
    }

    /// The members that make up a thumbprint, in its order. [RFC 7638 §3.2](https://www.rfc-editor.org/rfc/rfc7638#section-3.2)
    fn public_members(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Rsa(pair) => {
                let public = pair.public_key();
                vec![
                    ("e", URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero())),
                    ("kty", "RSA".to_owned()),
                    ("n", URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero())),
                ]
            }
            Self::P256(pair) => elliptic_curve_members("P-256", pair),
            Self::P384(pair) => elliptic_curve_members("P-384", pair),
            Self::Ed25519(pair) => {
                vec![("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", URL_SAFE_NO_PAD.encode(pair.public_key()))]
            }
        }
    }

    /// Signing fails only when the machine has no memory or no randomness left; the empty signature is then refused by whoever
    /// verifies it.
    fn signature(&self, algorithm: SigningAlgorithm, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                match pair.sign(rsa_encoding(algorithm), &SystemRandom::new(), message, &mut signature) {
                    Ok(()) => signature,
                    Err(_) => Vec::new(),
                }
            }
            Self::P256(pair) | Self::P384(pair) => elliptic_curve_signature(pair, message),
            Self::Ed25519(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()).unwrap_or_default(),
        }
    }
}

pub(crate) fn elliptic_curve_signature(pair: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
    pair.sign(&SystemRandom::new(), message).map(|signature| signature.as_ref().to_vec()).unwrap_or_default()
}

/// The coordinates of the public point, which is a byte and the two of them. [RFC 7518 §6.2.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1)
pub(crate) fn elliptic_curve_members(curve: &'static str, pair: &EcdsaKeyPair) -> Vec<(&'static str, String)> {
    let point = pair.public_key().as_ref();
    let (x, y) = point[1..].split_at(point.len() / 2);
    vec![("crv", curve.to_owned()), ("kty", "EC".to_owned()), ("x", URL_SAFE_NO_PAD.encode(x)), ("y", URL_SAFE_NO_PAD.encode(y))]
}

/// The SHA-256 of the members, which have to be in the order of their names and hold nothing that JSON escapes.
/// [RFC 7638 §3](https://www.rfc-editor.org/rfc/rfc7638#section-3)
pub(crate) fn thumbprint(members: &[(&'static str, String)]) -> String {
    let members = members.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect::<Vec<_>>();
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{{{}}}", members.join(","))))
}

/// A token in compact form. [RFC 7515 §3.1](https://www.rfc-editor.org/rfc/rfc7515#section-3.1)
pub(crate) fn compact(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

fn rsa_encoding(algorithm: SigningAlgorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        SigningAlgorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        SigningAlgorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        SigningAlgorithm::Ps256 => &signature::RSA_PSS_SHA256,
        SigningAlgorithm::Ps384 => &signature::RSA_PSS_SHA384,
        SigningAlgorithm::Ps512 => &signature::RSA_PSS_SHA512,
        // The others are no RSA algorithms, and no RSA key is ever asked for them.
        _ => &signature::RSA_PKCS1_SHA256,
    }
}

/// A key's name goes into a header of JSON and is compared by others: printable ASCII, without a space at either end.
fn is_key_id(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) && text.trim() == text
}

fn read_pair(pem: &str) -> Result<Pair, SigningKeyError> {
    if pem.len() > MAXIMUM_PEM_BYTES {
        return Err(SigningKeyError::TooLong);
    }
    let blocks = blocks(pem)?;
    if blocks.is_empty() {
        return Err(SigningKeyError::NotPem);
    }
    let mut private = blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY"));
    let block = match (private.next(), private.next()) {
        (None, _) => return Err(SigningKeyError::NotPrivate),
        (Some(_), Some(_)) => return Err(SigningKeyError::SeveralKeys),
        (Some(block), None) => block,
    };
    // RFC 1421 §4.6.1.1 has the passphrase announced in a header of the block, and base64 has no colon.
    if block.label == "ENCRYPTED PRIVATE KEY" || block.body.contains(':') {
        return Err(SigningKeyError::Encrypted);
    }
    let der = Zeroizing::new(STANDARD.decode(block.body.as_bytes()).map_err(|_| SigningKeyError::NotPem)?);
    match block.label {
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der)
            .map(Pair::Rsa)
            .or_else(|_| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).map(Pair::P256))
            .or_else(|_| EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &der).map(Pair::P384))
            .or_else(|_| Ed25519KeyPair::from_pkcs8(&der).map(Pair::Ed25519)),
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).map(Pair::Rsa),
        "EC PRIVATE KEY" => EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
            .map(Pair::P256)
            .or_else(|_| EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, &der).map(Pair::P384)),
        _ => return Err(SigningKeyError::Unsupported),
    }
    .map_err(|_| SigningKeyError::Unsupported)
}

struct Block<'a> {
    label: &'a str,
    body: Zeroizing<String>,
}

/// The PEM blocks of a text; what is between them is not looked at.
fn blocks(pem: &str) -> Result<Vec<Block<'_>>, SigningKeyError> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in pem.lines().map(str::trim) {
        let boundary = |kind: &str| line.strip_prefix(kind)?.strip_suffix("-----");
        if let Some(label) = boundary("-----BEGIN ") {
            if open.is_some() {
                return Err(SigningKeyError::NotPem);
            }
            // As large as the text, so that the buffer does not move and leave a copy behind.
            open = Some(Block { label, body: Zeroizing::new(String::with_capacity(pem.len())) });
        } else if let Some(label) = boundary("-----END ") {
            blocks.push(open.take().filter(|block| block.label == label).ok_or(SigningKeyError::NotPem)?);
        } else if let Some(block) = &mut open {
            block.body.push_str(line);
        }
    }
    if open.is_some() { Err(SigningKeyError::NotPem) } else { Ok(blocks) }
}
