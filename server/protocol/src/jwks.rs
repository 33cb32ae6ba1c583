//! The provider's keys. [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)

use std::sync::{Arc, OnceLock};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use serde_json::{Map, Value};
use url::Url;

use crate::http::{OutboundRequest, OutboundResponse};
use crate::json::{self, JsonError};
use crate::signing_algorithm::SigningAlgorithm;

/// The largest key set accepted, in bytes.
pub const MAXIMUM_JWKS_BYTES: usize = 256 * 1024;

/// The most keys accepted in one set.
pub const MAXIMUM_KEYS: usize = 100;

/// The shortest RSA modulus trusted, in bits. [RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)
const MINIMUM_RSA_BITS: usize = 2048;

/// The longest RSA modulus tried, in bits: longer ones only cost time.
const MAXIMUM_RSA_BITS: usize = 8192;

/// The longest RSA exponent, in bits, as AWS-LC has it: longer ones only cost time.
const MAXIMUM_EXPONENT_BITS: usize = 33;

/// The points of Ed25519 that generate no more than eight others, by their `y` in little-endian order without the sign bit, each
/// in every way it can be written: under such a key, signatures hold that nobody made.
/// [RFC 8032 §5.1.7](https://www.rfc-editor.org/rfc/rfc8032#section-5.1.7)
const ED25519_SMALL_ORDER: [[u8; 32]; 7] = [
    little_endian(0, 0, 0),
    little_endian(1, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
        0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
        0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    // p - 1, p and p + 1, where p = 2^255 - 19.
    little_endian(0xec, 0xff, 0x7f),
    little_endian(0xed, 0xff, 0x7f),
    little_endian(0xee, 0xff, 0x7f),
];

const fn little_endian(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// Public keys for signatures.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

/// A public key.
#[derive(Clone, Debug)]
pub(crate) struct Jwk {
    key_id: Option<String>,
    issuer: Option<String>,
    algorithm: Option<SigningAlgorithm>,
    kind: KeyKind,
    verifier: Verifier,
}

/// What judges signatures.
#[derive(Clone, Debug)]
enum Verifier {
    /// Most providers sign with RSA, where to take the key apart anew costs a sixth of judging a signature.
    Rsa(Arc<RsaKey>),
    Other(DecodingKey),
}

/// An RSA key, and what has been made of it for each algorithm.
#[derive(Debug)]
struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    parsed: [OnceLock<Option<ParsedPublicKey>>; SigningAlgorithm::ALL.len()],
}

impl RsaKey {
    /// The key for this algorithm, unless it cannot be one.
    fn parsed(&self, algorithm: SigningAlgorithm, parameters: &'static RsaParameters) -> Option<&ParsedPublicKey> {
        let components = RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent };
        self.parsed[algorithm as usize].get_or_init(|| components.to_parsed_public_key(parameters).ok()).as_ref()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyKind {
    Rsa { bits: usize },
    P256,
    P384,
    Ed25519,
}

/// Why a key set is not used.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// The body is larger than [`MAXIMUM_JWKS_BYTES`].
    #[error("the key set is too large")]
    TooLarge,
    /// The set holds more than [`MAXIMUM_KEYS`].
    #[error("the key set holds too many keys")]
    TooManyKeys,
    /// The provider is at fault or overloaded: 5xx or 429.
    #[error("the key set's address answered with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// The status is not 200. [RFC 9110 §15.3.1](https://www.rfc-editor.org/rfc/rfc9110#section-15.3.1)
    #[error("the key set's address answered with status {status}")]
    UnexpectedStatus {
        /// The HTTP status.
        status: u16,
    },
    /// The body is not a JSON object. [RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)
    #[error("the key set cannot be read")]
    Malformed(#[source] JsonError),
    /// There is no array of keys. [RFC 7517 §5.1](https://www.rfc-editor.org/rfc/rfc7517#section-5.1)
    #[error("the key set has no array of keys")]
    MissingKeys,
}

impl JwksError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "jwks_too_large",
            Self::TooManyKeys => "jwks_too_many_keys",
            Self::Unavailable { .. } => "jwks_unavailable",
            Self::UnexpectedStatus { .. } => "jwks_unexpected_status",
            Self::Malformed(_) => "jwks_malformed",
            Self::MissingKeys => "jwks_keys_missing",
        }
    }
}

/// The request for the key set.
pub fn request(jwks_uri: &Url) -> OutboundRequest {
    OutboundRequest::get(jwks_uri.clone()).with_header("accept", "application/jwk-set+json, application/json")
}

/// Judges the key set. In this order:
///
/// 1. The status is 200 and the body has at most 256 KiB.
/// 2. The body is a JSON object without repeated members, whatever its content type: no specification demands one.
/// 3. `keys` is an array of at most 100.
/// 4. Left out ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)) are keys of another type, `oct` among them, of
///    another curve, `use`, `key_ops` or `alg`; keys that cannot be read; keys whose private half has been published; and keys
///    that cannot be keys: an even RSA modulus, an RSA exponent that is even or below 3 (under 1, every signature holds) or longer than
///    33 bits, a point that is not on its curve, a point of Ed25519 under which anybody's signature holds.
///
/// An RSA exponent of 3 is accepted: no specification of this flow forbids it, and what it was once broken by, a verifier that skips
/// over the padding, is not here. A short RSA key stays in the set, so that a token can be refused for it by name.
///
/// # Errors
/// The first check that fails.
pub fn process_jwks(response: &OutboundResponse) -> Result<JwkSet, JwksError> {
    if response.is_unavailable() {
        return Err(JwksError::Unavailable { status: response.status });
    }
    if response.status != 200 {
        return Err(JwksError::UnexpectedStatus { status: response.status });
    }
    if response.body.len() > MAXIMUM_JWKS_BYTES {
        return Err(JwksError::TooLarge);
    }
    let document = json::parse_object(&response.body).map_err(JwksError::Malformed)?;
    let keys = document.get("keys").and_then(Value::as_array).ok_or(JwksError::MissingKeys)?;
    if keys.len() > MAXIMUM_KEYS {
        return Err(JwksError::TooManyKeys);
    }
    Ok(JwkSet { keys: keys.iter().filter_map(Value::as_object).filter_map(read_key).collect() })
}

impl JwkSet {
    /// How many usable keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no usable key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Jwk> {
        self.keys.iter()
    }
}

impl Jwk {
    pub(crate) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The issuer that the key is reserved for: Entra's way of keeping its tenants apart.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Whether the key has made this signature.
    pub(crate) fn verifies(&self, algorithm: SigningAlgorithm, signed: &[u8], signature: &[u8]) -> bool {
        match (&self.verifier, algorithm.rsa_parameters()) {
            (Verifier::Rsa(key), Some(parameters)) => {
                key.parsed(algorithm, parameters).is_some_and(|key| key.verify_sig(signed, signature).is_ok())
            }
            // The verifier is asked for by name, so that this does not depend on what the process has installed.
            (Verifier::Other(key), _) => (DEFAULT_PROVIDER.verifier_factory)(&algorithm.implementation(), key)
                .is_ok_and(|verifier| verifier.verify(signed, &signature.to_vec()).is_ok()),
            (Verifier::Rsa(_), None) => false,
        }
    }

    /// Whether the key is of the algorithm's type, and is not reserved for another algorithm.
    pub(crate) fn suits(&self, algorithm: SigningAlgorithm) -> bool {
        use SigningAlgorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        let type_fits = match algorithm {
            Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512 => matches!(self.kind, KeyKind::Rsa { .. }),
            Es256 => self.kind == KeyKind::P256,
            Es384 => self.kind == KeyKind::P384,
            EdDsa => self.kind == KeyKind::Ed25519,
        };
        type_fits && self.algorithm.is_none_or(|reserved| reserved == algorithm)
    }

    /// Whether an RSA key is too short, or absurdly long.
    pub(crate) fn is_weak(&self) -> bool {
        matches!(self.kind, KeyKind::Rsa { bits } if !(MINIMUM_RSA_BITS..=MAXIMUM_RSA_BITS).contains(&bits))
    }
}

/// A key for verifying signatures, or `None`.
fn read_key(key: &Map<String, Value>) -> Option<Jwk> {
    let for_signatures = json::string(key, "use").ok()?.is_none_or(|purpose| purpose == "sig");
    let for_verifying =
        json::strings(key, "key_ops").ok()?.is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
    if !for_signatures || !for_verifying || key.contains_key("d") {
        return None;
    }
    let algorithm = match json::string(key, "alg").ok()? {
        Some(name) => Some(SigningAlgorithm::from_name(name)?),
        None => None,
    };
    let part = |name: &str| {
        let text = json::string(key, name).ok().flatten()?;
        URL_SAFE_NO_PAD.decode(text).ok()
    };
    let curve = json::string(key, "crv").ok()?;
    let (kind, verifier) = match (json::string(key, "kty").ok()??, curve) {
        ("RSA", _) => {
            let (modulus, exponent) = (part("n")?, part("e")?);
            if !is_odd(&modulus) || !is_odd(&exponent) || !(2..=MAXIMUM_EXPONENT_BITS).contains(&bits(&exponent)) {
                return None;
            }
            let kind = KeyKind::Rsa { bits: bits(&modulus) };
            (kind, Verifier::Rsa(Arc::new(RsaKey { modulus, exponent, parsed: Default::default() })))
        }
        ("EC", Some("P-256")) => (KeyKind::P256, elliptic_curve_key(&part("x")?, &part("y")?, 32, &ECDSA_P256_SHA256_FIXED)?),
        ("EC", Some("P-384")) => (KeyKind::P384, elliptic_curve_key(&part("x")?, &part("y")?, 48, &ECDSA_P384_SHA384_FIXED)?),
        ("OKP", Some("Ed25519")) => {
            let point = part("x").filter(|point| point.len() == 32 && !is_small_order(point))?;
            (KeyKind::Ed25519, Verifier::Other(DecodingKey::from_ed_der(&point)))
        }
        _ => return None,
    };
    let text = |name: &str| json::string(key, name).map(|text| text.map(str::to_owned)).ok();
    Some(Jwk { key_id: text("kid")?, issuer: text("issuer")?, algorithm, kind, verifier })
}

/// The uncompressed point, [RFC 7518 §6.2.1](https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1), if it is on the curve.
fn elliptic_curve_key(x: &[u8], y: &[u8], coordinate_bytes: usize, curve: &'static EcdsaVerificationAlgorithm) -> Option<Verifier> {
    if x.len() != coordinate_bytes || y.len() != coordinate_bytes {
        return None;
    }
    let point = [&[0x04], x, y].concat();
    ParsedPublicKey::new(curve, &point).ok()?;
    Some(Verifier::Other(DecodingKey::from_ec_der(&point)))
}

fn is_small_order(point: &[u8]) -> bool {
    let without_sign = |(index, byte): (usize, &u8)| if index == 31 { byte & 0x7f } else { *byte };
    ED25519_SMALL_ORDER.iter().any(|small| small.iter().copied().eq(point.iter().enumerate().map(without_sign)))
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte % 2 == 1)
}

/// The length of a big-endian number.
fn bits(number: &[u8]) -> usize {
    let Some(first) = number.iter().position(|byte| *byte != 0) else { return 0 };
    (number.len() - first) * 8 - number[first].leading_zeros() as usize
}
