//! Keys that are not what they should be.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::Defect;
use crate::{SigningAlgorithm, failure::Failure, signing_key::SigningKey, state::Provider};

/// What a published symmetric key is a secret of no more.
pub(super) const SHARED_SECRET: &str = "a secret that everybody can read, long enough for HS256";
const KEYS: u32 = 10_000;

/// Changes the key set.
pub(crate) fn spoil(defect: Defect, provider: &Provider, keys: &mut Value) {
    let Some(published) = keys["keys"].as_array_mut() else { return };
    match defect {
        Defect::KeysEmpty => published.clear(),
        Defect::KeysTenThousand => {
            let others = (0..KEYS).map(|number| json!({ "kty": "EC", "crv": "P-256", "kid": number.to_string(), "x": "AA", "y": "AA" }));
            published.splice(0..0, others);
        }
        Defect::KeysSymmetric => {
            let kid = published.first().map(|key| key["kid"].clone()).unwrap_or_default();
            *published = vec![json!({ "kty": "oct", "kid": kid, "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(SHARED_SECRET) })];
        }
        Defect::KeysForEncryption => {
            if let Some(key) = published.first_mut() {
                key["use"] = "enc".into();
            }
        }
        Defect::IdTokenKidMissing => {
            if let Some(key) = published.first_mut().and_then(Value::as_object_mut) {
                key.remove("kid");
            }
        }
        Defect::IdTokenKidMissingManyKeys => published.insert(0, provider.attacker_jwk()),
        Defect::IdTokenAlgOther | Defect::LogoutAlgOther => published.extend(other_key(provider).ok().map(|key| key.public_jwk())),
        _ => {}
    }
}

/// A second key of the provider's, for another algorithm than the metadata offers; it is made once.
pub(super) fn other_key(provider: &Provider) -> Result<std::sync::Arc<SigningKey>, Failure> {
    let all = provider.signing_keys.all();
    if let Some(other) = all.iter().find(|key| key.algorithm() == SigningAlgorithm::EdDsa) {
        return Ok(std::sync::Arc::clone(other));
    }
    let other = SigningKey::generate(SigningAlgorithm::EdDsa).map_err(|_| Failure::Signing)?;
    Ok(provider.signing_keys.add(other))
}
