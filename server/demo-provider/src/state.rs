//! What every handler has at hand.

use std::{
    ops::Deref,
    sync::{Arc, PoisonError, RwLock},
};

use axum::http::HeaderValue;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    DemoProviderConfig,
    defect::{attacker::Attacker, journal::Journal},
    failure::Failure,
    jwt::{self, TokenType},
    signing_key::SigningKey,
    store::{PUBLISHED_KEYS, Store},
};

/// The provider's state, shared by all requests.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Provider>);

/// Everything that the provider holds.
pub(crate) struct Provider {
    pub(crate) config: DemoProviderConfig,
    pub(crate) store: Store,
    pub(crate) signing_keys: SigningKeys,
    /// What posts logout tokens, where there is somebody to post them to.
    pub(crate) http_client: Option<reqwest::Client>,
    pub(crate) content_security_policy: HeaderValue,
    /// The secret that `DPoP` nonces are made with.
    pub(crate) nonce_secret: String,
    /// Who gains when a defect is not noticed.
    pub(crate) attacker: Option<Attacker>,
    /// What a provider with a defect was asked.
    pub(crate) journal: Journal,
}

/// The keys that are published, the one that signs first.
pub(crate) struct SigningKeys(RwLock<Vec<Arc<SigningKey>>>);

impl SigningKeys {
    pub(crate) fn new(keys: Vec<SigningKey>) -> Self {
        Self(RwLock::new(keys.into_iter().map(Arc::new).collect()))
    }

    /// The keys, the one that signs first.
    pub(crate) fn all(&self) -> Vec<Arc<SigningKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes another key, which does not sign by itself.
    pub(crate) fn add(&self, key: SigningKey) -> Arc<SigningKey> {
        let key = Arc::new(key);
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&key));
        key
    }

    /// Signs with another key from now on.
    pub(crate) fn rotate(&self, key: SigningKey) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(0, Arc::new(key));
        keys.truncate(usize::try_from(PUBLISHED_KEYS).unwrap_or(2));
    }
}

impl AppState {
    pub(crate) fn new(provider: Provider) -> Self {
        Self(Arc::new(provider))
    }
}

impl Deref for AppState {
    type Target = Provider;

    fn deref(&self) -> &Provider {
        &self.0
    }
}

impl Provider {
    pub(crate) fn now(&self) -> i64 {
        self.config.clock.now()
    }

    pub(crate) fn secret(&self) -> Result<String, Failure> {
        Ok(self.config.entropy.secret()?)
    }

    /// A secret that begins with what it is, in every run: whoever finds such a beginning where it may not be has found a leak. The digits
    /// mean nothing; no other text has them.
    pub(crate) fn named_secret(&self, kind: &str) -> Result<String, Failure> {
        Ok(format!("demo-{kind}-4b1d9c07.{}", self.secret()?))
    }

    pub(crate) fn identifier(&self) -> Result<String, Failure> {
        Ok(self.config.entropy.identifier()?)
    }

    /// The key that signs.
    pub(crate) fn signing_key(&self) -> Result<Arc<SigningKey>, Failure> {
        self.signing_keys.all().into_iter().next().ok_or(Failure::Signing)
    }

    /// The public halves of the keys, as a key set ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": self.signing_keys.all().iter().map(|key| key.public_jwk()).collect::<Vec<_>>() })
    }

    /// The public half of the attacker's key.
    pub(crate) fn attacker_jwk(&self) -> Value {
        self.attacker.as_ref().map(|attacker| attacker.key.public_jwk()).unwrap_or_default()
    }

    /// Reads a token that this provider signed, with whatever key it still publishes.
    pub(crate) fn verify<Claims: DeserializeOwned>(&self, token_type: TokenType, token: &str) -> Option<Claims> {
        jwt::verify(self.signing_keys.all().iter().map(Arc::as_ref), token_type, token)
    }

    /// Signs `claims` with the current key.
    pub(crate) fn sign(&self, token_type: TokenType, claims: &Value) -> Result<String, Failure> {
        jwt::sign(&*self.signing_key()?, token_type, claims)
    }

    /// An address of this provider as a browser that is already here finds it.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.config.base_path())
    }
}
