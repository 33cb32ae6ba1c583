//! Tokens that are bound to a key. [RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::zeroize::Zeroizing;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::context::Context;
use crate::discovery::ProviderMetadata;
use crate::http::{OutboundRequest, OutboundResponse};
use crate::json;
use crate::provider::{DpopPolicy, Provider};
use crate::secret::AccessToken;
use crate::signing_algorithm::SigningAlgorithm;
use crate::signing_key;

/// The longest server nonce sent back, in bytes.
pub const MAXIMUM_NONCE_BYTES: usize = 512;

/// The key of one login: tokens that are bound to it are worth nothing without it. It signs with ES256, which every
/// implementation of DPoP knows.
#[derive(Clone)]
pub struct DpopKey {
    secret: Zeroizing<[u8; 32]>,
    pair: Arc<EcdsaKeyPair>,
}

impl DpopKey {
    /// A new key: 254 bits of the given randomness.
    pub fn generate(context: &mut Context<'_>) -> Self {
        loop {
            let mut secret = Zeroizing::new([0_u8; 32]);
            (context.random)(secret.as_mut_slice());
            // A secret of the curve is neither zero nor as large as the curve's order: with the last bit set and the first
            // one cleared it is neither, so that this succeeds the first time.
            secret[0] &= 0x7f;
            secret[31] |= 1;
            if let Some(key) = Self::from_bytes(secret.as_slice()) {
                return key;
            }
        }
    }

    /// Reads what [`DpopKey::to_bytes`] wrote; `None` when that is no key.
    pub fn from_bytes(secret: &[u8]) -> Option<Self> {
        let public = PrivateKey::from_private_key(&ECDH_P256, secret).ok()?.compute_public_key().ok()?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, secret, public.as_ref()).ok()?;
        Some(Self { secret: Zeroizing::new(secret.try_into().ok()?), pair: Arc::new(pair) })
    }

    /// The secret, to be sealed before it is kept anywhere.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.secret.clone()
    }

    /// The name of the key that a bound token holds. [RFC 9449 §6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)
    pub fn thumbprint(&self) -> String {
        signing_key::thumbprint(&signing_key::elliptic_curve_members("P-256", &self.pair))
    }

    /// The proof of one request. [RFC 9449 §4.2](https://www.rfc-editor.org/rfc/rfc9449#section-4.2)
    ///
    /// `nonce` is the one that the server has asked for, if it has; one that a server may not send is left out.
    /// `access_token` goes along with every token except to the token endpoint itself.
    pub fn proof(
        &self,
        method: &str,
        url: &Url,
        nonce: Option<&str>,
        access_token: Option<&AccessToken>,
        context: &mut Context<'_>,
    ) -> String {
        let public = signing_key::elliptic_curve_members("P-256", &self.pair);
        let jwk = public.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect::<Map<_, _>>();
        let header = json!({ "alg": SigningAlgorithm::Es256.name(), "typ": "dpop+jwt", "jwk": jwk });
        let mut address = url.clone();
        address.set_query(None);
        address.set_fragment(None);
        let mut claims = json!({
            "jti": context.token_id(),
            "htm": method,
            "htu": address.as_str(),
            "iat": context.now.as_second(),
        });
        if let Some(nonce) = nonce.filter(|nonce| is_nonce(nonce)) {
            claims["nonce"] = json!(nonce);
        }
        if let Some(access_token) = access_token {
            claims["ath"] = json!(URL_SAFE_NO_PAD.encode(Sha256::digest(access_token.expose())));
        }
        signing_key::compact(&header, &claims, |message| signing_key::elliptic_curve_signature(&self.pair, message))
    }
}

impl fmt::Debug for DpopKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DpopKey([redacted])")
    }
}

/// A request for a protected resource, with the token in its header and, where the token is bound to a key, the proof.
/// [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1),
/// [RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)
pub fn authorize(
    request: OutboundRequest,
    access_token: &AccessToken,
    key: Option<&DpopKey>,
    nonce: Option<&str>,
    context: &mut Context<'_>,
) -> OutboundRequest {
    let Some(key) = key else { return request.with_header("authorization", format!("Bearer {}", access_token.expose())) };
    let proof = key.proof(request.method.as_str(), &request.url, nonce, Some(access_token), context);
    request.with_header("authorization", format!("DPoP {}", access_token.expose())).with_header("dpop", proof)
}

/// The nonce that a token endpoint wants to see in a proof before it answers.
/// [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)
pub fn nonce_wanted_by_token_endpoint(response: &OutboundResponse) -> Option<&str> {
    if !matches!(response.status, 400 | 401) || response.body.len() > crate::token::MAXIMUM_TOKEN_RESPONSE_BYTES || !response.is_json() {
        return None;
    }
    let members = json::parse_object(&response.body).ok()?;
    let wanted = members.get("error").and_then(Value::as_str) == Some("use_dpop_nonce");
    response.dpop_nonce().filter(|_| wanted)
}

/// The nonce that a protected resource wants to see in a proof before it answers.
/// [RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9)
pub fn nonce_wanted_by_resource(response: &OutboundResponse) -> Option<&str> {
    response.dpop_nonce().filter(|_| response.status == 401)
}

/// Whether the tokens of a login are bound to a key.
pub(crate) fn uses(provider: &Provider, metadata: &ProviderMetadata) -> bool {
    match provider.dpop {
        DpopPolicy::Off => false,
        DpopPolicy::Auto => declares_algorithm(metadata),
        DpopPolicy::Require => true,
    }
}

/// Whether the metadata declares the algorithm that proofs are signed with.
/// [RFC 9449 §5.1](https://www.rfc-editor.org/rfc/rfc9449#section-5.1)
fn declares_algorithm(metadata: &ProviderMetadata) -> bool {
    metadata.dpop_algorithms.iter().any(|name| name == SigningAlgorithm::Es256.name())
}

/// Whether the metadata does not say that proofs must be signed with something else.
pub(crate) fn may_be_offered(metadata: &ProviderMetadata) -> bool {
    metadata.dpop_algorithms.is_empty() || declares_algorithm(metadata)
}

/// Whether this is a nonce that a server may send, of at most [`MAXIMUM_NONCE_BYTES`].
/// [RFC 9449 §8.1](https://www.rfc-editor.org/rfc/rfc9449#section-8.1)
pub fn is_nonce(text: &str) -> bool {
    (1..=MAXIMUM_NONCE_BYTES).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}
