//! Signed tokens. [RFC 7515](https://www.rfc-editor.org/rfc/rfc7515),
//! [RFC 8725](https://www.rfc-editor.org/rfc/rfc8725)

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::json::{self, JsonError};
use crate::jwks::{Jwk, JwkSet};
use crate::provider_text::ProviderText;
use crate::signing_algorithm::SigningAlgorithm;

/// The largest token read, in bytes.
pub const MAXIMUM_TOKEN_BYTES: usize = 32 * 1024;

/// Why a token's signature is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum JwsError {
    /// The token is larger than [`MAXIMUM_TOKEN_BYTES`].
    #[error("the token is too large")]
    TooLarge,
    /// The token is not three parts of base64url, [RFC 7515 §7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1)
    #[error("the token is not a signed token in compact form")]
    NotCompact,
    /// The token is encrypted, which nobody asked for. [RFC 7516 §7.1](https://www.rfc-editor.org/rfc/rfc7516#section-7.1)
    #[error("the token is encrypted")]
    Encrypted,
    /// Header or payload is not a JSON object. [RFC 7515 §4](https://www.rfc-editor.org/rfc/rfc7515#section-4)
    #[error("the token's header or payload cannot be read")]
    Malformed(#[source] JsonError),
    /// The header names no algorithm. [RFC 7515 §4.1.1](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.1)
    #[error("the token's header names no algorithm")]
    MissingAlgorithm,
    /// The token is not signed. [RFC 8725 §3.2](https://www.rfc-editor.org/rfc/rfc8725#section-3.2)
    #[error("the token is not signed")]
    AlgorithmNone,
    /// The token is signed with a shared key. [RFC 8725 §3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1)
    #[error("the token is signed with a symmetric algorithm")]
    SymmetricAlgorithm,
    /// The algorithm is unknown. [RFC 8725 §3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1)
    #[error("the token's algorithm is not supported")]
    UnsupportedAlgorithm,
    /// The algorithm is not one of the pinned ones. [RFC 8725 §3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1)
    #[error("the token is signed with {0}, which is not one of the expected algorithms")]
    AlgorithmNotAllowed(SigningAlgorithm),
    /// The header demands an extension. [RFC 7515 §4.1.11](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11)
    #[error("the token demands an extension that is not understood")]
    CriticalHeader,
    /// The token is of another kind. [RFC 8725 §3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11)
    #[error("the token is of the type {0}")]
    WrongTokenType(ProviderText),
    /// No key of the set has the token's key id: fetch the set once more.
    /// [Core §10.1.1](https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys)
    #[error("no known key has the token's key id")]
    UnknownKeyId,
    /// The token names no key, and no key of the set is for its algorithm: fetch the set once more.
    /// [Core §10.1.1](https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys)
    #[error("no known key is for the token's algorithm")]
    NoSuitableKey,
    /// The key that the token names is not for its algorithm. [RFC 8725 §3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1)
    #[error("the token's key is not for its algorithm")]
    KeyMismatch,
    /// The RSA key has fewer than 2048 bits. [RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)
    #[error("the token's key is too short")]
    WeakKey,
    /// The signature does not hold. [RFC 7515 §5.2](https://www.rfc-editor.org/rfc/rfc7515#section-5.2)
    #[error("the token's signature does not hold")]
    InvalidSignature,
    /// The token names no key, and the signature holds under none of those that are for its algorithm: fetch the set
    /// once more. [Core §10.1](https://openid.net/specs/openid-connect-core-1_0.html#Signing)
    #[error("the token's signature holds under no known key")]
    UnidentifiedKey,
}

impl JwsError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "token_too_large",
            Self::NotCompact => "token_not_compact",
            Self::Encrypted => "token_encrypted",
            Self::Malformed(_) => "token_malformed",
            Self::MissingAlgorithm => "token_algorithm_missing",
            Self::AlgorithmNone => "token_algorithm_none",
            Self::SymmetricAlgorithm => "token_algorithm_symmetric",
            Self::UnsupportedAlgorithm => "token_algorithm_unsupported",
            Self::AlgorithmNotAllowed(_) => "token_algorithm_not_allowed",
            Self::CriticalHeader => "token_critical_header",
            Self::WrongTokenType(_) => "token_type_wrong",
            Self::UnknownKeyId => "token_key_unknown",
            Self::NoSuitableKey => "token_key_not_found",
            Self::KeyMismatch => "token_key_mismatch",
            Self::WeakKey => "token_key_weak",
            Self::InvalidSignature => "token_signature_invalid",
            Self::UnidentifiedKey => "token_key_unidentified",
        }
    }

    /// Whether fetching the keys once more may help: the provider may have rotated them.
    pub fn wants_fresh_keys(&self) -> bool {
        matches!(self, Self::UnknownKeyId | Self::NoSuitableKey | Self::UnidentifiedKey)
    }
}

/// A token whose signature holds.
pub(crate) struct VerifiedToken {
    /// The algorithm it is signed with.
    pub(crate) algorithm: SigningAlgorithm,
    /// Its claims; nobody has looked at them yet.
    pub(crate) claims: Map<String, Value>,
    /// The issuer that the provider's set reserves the key for.
    pub(crate) key_issuer: Option<String>,
}

/// Verifies a token's signature. In this order:
///
/// 1. The token is small, and three parts of base64url.
/// 2. The header is a JSON object without repeated members.
/// 3. `alg` is there, asymmetric, known, and one of `algorithms`.
/// 4. There is no `crit`: no extension is understood.
/// 5. `typ`, where present, is one of `types`.
/// 6. A key of `keys` is chosen by `kid`, or by algorithm where there is no `kid`. `jku`, `jwk`, `x5u` and `x5c` of the
///    header are not read: whoever forges a token could put their own key there. Where several keys have the same name, as
///    [RFC 7517 §4.5](https://www.rfc-editor.org/rfc/rfc7517#section-4.5) allows, each that fits is tried.
/// 7. The key's type, curve, `alg` and size fit the algorithm.
/// 8. The signature holds.
/// 9. The payload is a JSON object without repeated members.
pub(crate) fn verify(raw: &str, algorithms: &[SigningAlgorithm], types: &[&str], keys: &JwkSet) -> Result<VerifiedToken, JwsError> {
    if raw.len() > MAXIMUM_TOKEN_BYTES {
        return Err(JwsError::TooLarge);
    }
    let parts = raw.split('.').collect::<Vec<_>>();
    let [header_part, payload_part, signature_part] = parts.as_slice() else {
        return Err(if parts.len() == 5 { JwsError::Encrypted } else { JwsError::NotCompact });
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::NotCompact);
    let header = json::parse_object(&decode(header_part)?).map_err(JwsError::Malformed)?;
    let algorithm = algorithm(&header)?;
    if !algorithms.contains(&algorithm) {
        return Err(JwsError::AlgorithmNotAllowed(algorithm));
    }
    if header.contains_key("crit") {
        return Err(JwsError::CriticalHeader);
    }
    check_type(&header, types)?;
    let key_id = json::string(&header, "kid").map_err(|_| JwsError::UnknownKeyId)?;
    let candidates = choose_keys(keys, key_id, algorithm)?;
    let signature = decode(signature_part)?;
    let signing_input = &raw[..header_part.len() + 1 + payload_part.len()];
    let Some(key) = candidates.into_iter().find(|key| key.verifies(algorithm, signing_input.as_bytes(), &signature)) else {
        return Err(if key_id.is_some() { JwsError::InvalidSignature } else { JwsError::UnidentifiedKey });
    };
    let claims = json::parse_object(&decode(payload_part)?).map_err(JwsError::Malformed)?;
    Ok(VerifiedToken { algorithm, claims, key_issuer: key.issuer().map(str::to_owned) })
}

/// The claims of a token that nobody has verified: good for finding out what to verify it against, and for nothing else.
/// The caller has bounded its size.
pub(crate) fn unverified_claims(raw: &str) -> Option<Map<String, Value>> {
    let parts = raw.split('.').collect::<Vec<_>>();
    let [_, payload, _] = parts.as_slice() else { return None };
    json::parse_object(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn algorithm(header: &Map<String, Value>) -> Result<SigningAlgorithm, JwsError> {
    let name = header.get("alg").ok_or(JwsError::MissingAlgorithm)?.as_str().ok_or(JwsError::UnsupportedAlgorithm)?;
    if name.eq_ignore_ascii_case("none") {
        return Err(JwsError::AlgorithmNone);
    }
    if name.len() >= 2 && name.as_bytes()[..2].eq_ignore_ascii_case(b"HS") {
        return Err(JwsError::SymmetricAlgorithm);
    }
    SigningAlgorithm::from_name(name).ok_or(JwsError::UnsupportedAlgorithm)
}

/// `typ` is a media type, compared without case, whose `application/` may be left out.
/// [RFC 7515 §4.1.9](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.9)
fn check_type(header: &Map<String, Value>, types: &[&str]) -> Result<(), JwsError> {
    let Some(value) = header.get("typ") else { return Ok(()) };
    let name = value.as_str().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let short = lower.strip_prefix("application/").unwrap_or(&lower);
    if types.contains(&short) { Ok(()) } else { Err(JwsError::WrongTokenType(ProviderText::new(name))) }
}

fn choose_keys<'a>(keys: &'a JwkSet, key_id: Option<&str>, algorithm: SigningAlgorithm) -> Result<Vec<&'a Jwk>, JwsError> {
    let named = keys.iter().filter(|key| key_id.is_none() || key.key_id() == key_id).collect::<Vec<_>>();
    if named.is_empty() && key_id.is_some() {
        return Err(JwsError::UnknownKeyId);
    }
    let mut suitable = named.into_iter().filter(|key| key.suits(algorithm)).collect::<Vec<_>>();
    if suitable.is_empty() {
        return Err(if key_id.is_some() { JwsError::KeyMismatch } else { JwsError::NoSuitableKey });
    }
    suitable.retain(|key| !key.is_weak());
    if suitable.is_empty() { Err(JwsError::WeakKey) } else { Ok(suitable) }
}
