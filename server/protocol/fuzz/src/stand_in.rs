//! A provider in the middle of a login: always the same one, so that seeds stay good.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use oauth2flow_protocol::authorize::AuthorizationOptions;
use oauth2flow_protocol::context::Context;
use oauth2flow_protocol::{
    ClientSecret, JwkSet, OutboundResponse, Provider, ProviderMetadata, ReturnTo, SigningAlgorithm, Transaction, discovery, jwks, preset,
};
use serde_json::{Value, json};

pub(super) const ISSUER: &str = "https://login.example/tenant";
pub(super) const CLIENT_ID: &str = "app-1";
pub(super) const REDIRECT_URI: &str = "https://app.example/callback";
pub(super) const RETURN_TO: &str = "/account?tab=notes#latest";
pub(super) const ACCESS_TOKEN: &str = "access-token-from-the-provider";
pub(super) const SUBJECT: &str = "user-248289761001";
/// The provider's clock, and ours, in seconds of Unix time.
const NOW: i64 = 1_800_000_000;
/// State, verifier and nonce of the login: what the transaction draws from a source that knows one byte only.
pub(super) const DRAWN: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

/// Public keys of the provider whose private halves nobody has: they signed the seeds and were thrown away.
const FOREIGN_KEYS: &str = include_str!("stand_in_keys.json");
/// The one key that signs here.
const OWN_SEED: [u8; 32] = [7; 32];
const OWN_KEY_ID: &str = "own";

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

pub(super) fn with_context<T>(work: impl FnOnce(&mut Context<'_>) -> T) -> T {
    let mut random = |bytes: &mut [u8]| bytes.fill(7);
    work(&mut Context { now: now(), random: &mut random })
}

/// The OpenID provider.
pub(super) fn provider() -> &'static Provider {
    static PROVIDER: OnceLock<Provider> = OnceLock::new();
    PROVIDER.get_or_init(new_provider)
}

/// The OpenID provider, to be changed.
pub(super) fn new_provider() -> Provider {
    let secret = ClientSecret::new("a client's secret".to_owned());
    let mut provider = preset::openid("example", "Example", ISSUER, CLIENT_ID, Some(secret));
    provider.id_token_algorithms = vec![SigningAlgorithm::Rs256, SigningAlgorithm::Es256, SigningAlgorithm::EdDsa];
    provider
}

/// What it says about itself.
pub(super) fn metadata() -> &'static ProviderMetadata {
    static METADATA: OnceLock<ProviderMetadata> = OnceLock::new();
    METADATA.get_or_init(|| discovery::process_metadata(provider(), &json_response(&metadata_document())).unwrap())
}

pub(super) fn metadata_document() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.example/tenant/authorize",
        "token_endpoint": "https://login.example/tenant/token",
        "jwks_uri": "https://login.example/tenant/keys",
        "userinfo_endpoint": "https://login.example/tenant/userinfo",
        "pushed_authorization_request_endpoint": "https://login.example/tenant/par",
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "userinfo_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "authorization_signing_alg_values_supported": ["RS256", "ES256", "EdDSA"],
        "response_modes_supported": ["query", "form_post", "jwt", "query.jwt"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    })
}

/// Its keys.
pub(super) fn keys() -> &'static JwkSet {
    static KEYS: OnceLock<JwkSet> = OnceLock::new();
    KEYS.get_or_init(|| {
        let mut document: Value = serde_json::from_str(FOREIGN_KEYS).unwrap();
        let own = json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": OWN_KEY_ID,
            "x": URL_SAFE_NO_PAD.encode(own_key().public_key().as_ref()),
        });
        document["keys"].as_array_mut().unwrap().push(own);
        let keys = jwks::process_jwks(&json_response(&document)).unwrap();
        assert_eq!(keys.len(), 3);
        keys
    })
}

/// The login that is under way.
pub(super) fn transaction(provider: &Provider) -> Transaction {
    with_context(|context| {
        let return_to = ReturnTo::parse(RETURN_TO);
        Transaction::begin(provider, metadata(), REDIRECT_URI, return_to, AuthorizationOptions::default(), context)
    })
}

/// A token whose claims are these bytes, signed by the provider.
pub(super) fn sign(token_type: &str, claims: &[u8]) -> String {
    let header = json!({ "alg": "EdDSA", "kid": OWN_KEY_ID, "typ": token_type }).to_string();
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(own_key().sign(message.as_bytes()).as_ref());
    format!("{message}.{signature}")
}

fn own_key() -> &'static Ed25519KeyPair {
    static KEY: OnceLock<Ed25519KeyPair> = OnceLock::new();
    KEY.get_or_init(|| Ed25519KeyPair::from_seed_unchecked(&OWN_SEED).unwrap())
}

/// The `at_hash` of the access token, under the algorithm of [`sign`].
/// [Core §3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken)
pub(super) fn access_token_hash() -> String {
    URL_SAFE_NO_PAD.encode(&digest::digest(&digest::SHA512, ACCESS_TOKEN.as_bytes()).as_ref()[..32])
}

/// The part of a token that is signed.
pub(super) fn signed_part(token: &str) -> &str {
    token.rsplit_once('.').map_or(token, |(signed, _)| signed)
}

/// Whether an accepted token is one that the provider has signed: one of these seeds, changed nowhere that counts.
pub(super) fn is_signed_by_provider(token: &str, signed: &[&str]) -> bool {
    signed.iter().any(|signed| signed_part(signed.trim()) == signed_part(token))
}

pub(super) fn json_response(body: &Value) -> OutboundResponse {
    response(200, Some("application/json"), body.to_string().into_bytes())
}

fn response(status: u16, content_type: Option<&str>, body: Vec<u8>) -> OutboundResponse {
    OutboundResponse { status, content_type: content_type.map(str::to_owned), body, dpop_nonce: None, link: None }
}

/// Reads an answer from a file: a line with status and content type, as in `200 application/json`, and the body.
pub(super) fn read_response(input: &[u8]) -> Option<OutboundResponse> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(&input[..end]).ok()?;
    let (status, content_type) = head.split_once(' ').unwrap_or((head, ""));
    let status = status.parse().ok().filter(|status| (100..=599).contains(status))?;
    Some(response(status, Some(content_type).filter(|text| !text.is_empty()), input[end + 1..].to_vec()))
}

/// The time is later than the seconds before now that clocks may be apart, and the one that is cut off.
pub(super) fn assert_not_past(time: &Value) {
    assert!(time.as_f64().is_some_and(|time| time > 1_800_000_000.0 - 61.0), "{time}");
}

/// The time is not further in the future than clocks may be apart.
pub(super) fn assert_not_future(time: &Value) {
    assert!(time.as_f64().is_some_and(|time| time < 1_800_000_000.0 + 61.0), "{time}");
}

/// A text is safe to show and to log: short, without control characters, and without marks that turn what follows around.
pub(super) fn assert_is_plain(text: &str) {
    assert!(text.chars().count() <= 300, "{} characters", text.chars().count());
    let is_odd = |character: char| character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.chars().any(is_odd), "{text:?}");
}
