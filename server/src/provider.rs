//! The configured providers, with their metadata and keys cached.
//!
//! A provider that is down delays only its own logins, and comes back by itself.

use crate::{
    clock::Clock,
    outbound::{Outbound, OutboundError},
};
use jiff::{SignedDuration, Timestamp};
use oauth2flow_app::api;
use oauth2flow_protocol::{
    JwkSet, Provider, ProviderMetadata,
    discovery::{self, DiscoveryError, MAXIMUM_METADATA_BYTES},
    jwks::{self, JwksError, MAXIMUM_JWKS_BYTES},
    provider::ProviderKind,
};
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::Mutex;

const METADATA_LIFETIME: SignedDuration = SignedDuration::from_hours(1);
const JWKS_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How long after a fetch an unknown `kid` does not cause another.
const JWKS_COOLDOWN: SignedDuration = SignedDuration::from_secs(30);
/// How long after a failure the waiting requests share it instead of each waiting for their own.
const FAILURE_COOLDOWN: SignedDuration = SignedDuration::from_secs(1);

/// Why a provider cannot be used just now.
#[derive(Clone, Debug, Error)]
pub enum ProviderError {
    /// It did not answer.
    #[error("the provider's {what} cannot be fetched")]
    Outbound {
        /// Metadata or keys.
        what: &'static str,
        /// Why.
        source: Arc<OutboundError>,
    },
    /// Its metadata cannot be used.
    #[error("the provider's metadata cannot be used")]
    Metadata(#[source] Arc<DiscoveryError>),
    /// Its keys cannot be used.
    #[error("the provider's keys cannot be used")]
    Keys(#[source] Arc<JwksError>),
    /// Its metadata names no keys.
    #[error("the provider's metadata has no jwks_uri")]
    NoKeys,
}

/// One configured provider.
pub struct Registered {
    /// What the protocol needs to know.
    pub provider: Provider,
    /// Whether the code arrives at the server callback instead of the app's page.
    pub server_callback: bool,
    outbound: Outbound,
    clock: Arc<dyn Clock>,
    metadata: Mutex<Cached<ProviderMetadata>>,
    keys: Mutex<Cached<JwkSet>>,
}

struct Cached<T> {
    value: Option<(Arc<T>, Timestamp)>,
    failure: Option<(ProviderError, Timestamp)>,
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self { value: None, failure: None }
    }
}

impl<T> Cached<T> {
    fn younger_than(&self, age: SignedDuration, now: Timestamp) -> Option<Arc<T>> {
        let (value, at) = self.value.as_ref()?;
        (now.duration_since(*at) < age).then(|| Arc::clone(value))
    }

    /// Keeps what was fetched; a failure is answered with the old value while there is one.
    fn keep(&mut self, fetched: Result<T, ProviderError>, now: Timestamp) -> Result<Arc<T>, ProviderError> {
        match fetched {
            Ok(value) => {
                let value = Arc::new(value);
                *self = Self { value: Some((Arc::clone(&value), now)), failure: None };
                Ok(value)
            }
            Err(error) => {
                self.failure = Some((error.clone(), now));
                match &self.value {
                    Some((value, _)) => {
                        tracing::warn!(error = %error, "a provider does not answer; what it said before still counts");
                        Ok(Arc::clone(value))
                    }
                    None => Err(error),
                }
            }
        }
    }

    fn just_failed(&self, now: Timestamp) -> Option<Result<Arc<T>, ProviderError>> {
        let (error, at) = self.failure.as_ref()?;
        (now.duration_since(*at) < FAILURE_COOLDOWN).then(|| match &self.value {
            Some((value, _)) => Ok(Arc::clone(value)),
            None => Err(error.clone()),
        })
    }
}

impl Registered {
    /// A provider that has not been asked anything yet.
    pub fn new(provider: Provider, server_callback: bool, outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        Self { provider, server_callback, outbound, clock, metadata: Mutex::default(), keys: Mutex::default() }
    }

    /// The provider's metadata: written in the configuration, or discovered and kept for an hour.
    ///
    /// # Errors
    /// When it cannot be had, and never could.
    pub async fn metadata(&self) -> Result<Arc<ProviderMetadata>, ProviderError> {
        let mut cached = self.metadata.lock().await;
        let now = self.clock.now();
        if let Some(metadata) = cached.younger_than(METADATA_LIFETIME, now) {
            return Ok(metadata);
        }
        if let Some(metadata) = self.provider.fixed_metadata() {
            return cached.keep(Ok(metadata), Timestamp::MAX);
        }
        if let Some(answer) = cached.just_failed(now) {
            return answer;
        }
        let fetched = self.discover().await;
        cached.keep(fetched, self.clock.now())
    }

    async fn discover(&self) -> Result<ProviderMetadata, ProviderError> {
        let refused = |error| ProviderError::Metadata(Arc::new(error));
        let ProviderKind::OpenId { issuer } = &self.provider.kind else { return Err(refused(DiscoveryError::InvalidIssuer)) };
        let request = discovery::metadata_request(issuer).map_err(refused)?;
        let response = self
            .outbound
            .send(request, MAXIMUM_METADATA_BYTES)
            .await
            .map_err(|source| ProviderError::Outbound { what: "metadata", source: Arc::new(source) })?;
        discovery::process_metadata(issuer, &response).map_err(refused)
    }

    /// The provider's keys, kept for ten minutes.
    ///
    /// # Errors
    /// When they cannot be had, and never could.
    pub async fn keys(&self, metadata: &ProviderMetadata) -> Result<Arc<JwkSet>, ProviderError> {
        self.keys_younger_than(JWKS_LIFETIME, metadata).await
    }

    /// The provider's keys, fetched anew unless that happened within the cooldown: for a `kid` that nobody knows.
    ///
    /// # Errors
    /// When they cannot be had, and never could.
    pub async fn rotated_keys(&self, metadata: &ProviderMetadata) -> Result<Arc<JwkSet>, ProviderError> {
        self.keys_younger_than(JWKS_COOLDOWN, metadata).await
    }

    async fn keys_younger_than(&self, age: SignedDuration, metadata: &ProviderMetadata) -> Result<Arc<JwkSet>, ProviderError> {
        let mut cached = self.keys.lock().await;
        let now = self.clock.now();
        if let Some(keys) = cached.younger_than(age, now) {
            return Ok(keys);
        }
        if let Some(answer) = cached.just_failed(now) {
            return answer;
        }
        let fetched = self.fetch_keys(metadata).await;
        cached.keep(fetched, self.clock.now())
    }

    async fn fetch_keys(&self, metadata: &ProviderMetadata) -> Result<JwkSet, ProviderError> {
        let Some(jwks_uri) = &metadata.jwks_uri else { return Err(ProviderError::NoKeys) };
        let response = self
            .outbound
            .send(jwks::request(jwks_uri), MAXIMUM_JWKS_BYTES)
            .await
            .map_err(|source| ProviderError::Outbound { what: "keys", source: Arc::new(source) })?;
        jwks::process_jwks(&response).map_err(|error| ProviderError::Keys(Arc::new(error)))
    }
}

/// Every configured provider, in the order of the configuration.
pub struct Providers(Vec<Registered>);

impl Providers {
    /// These, and no others.
    pub const fn new(providers: Vec<Registered>) -> Self {
        Self(providers)
    }

    /// The provider of this id.
    pub fn get(&self, id: &str) -> Option<&Registered> {
        self.0.iter().find(|registered| registered.provider.id == id)
    }

    /// The provider, when there is one only.
    pub fn only(&self) -> Option<&Registered> {
        match self.0.as_slice() {
            [registered] => Some(registered),
            _ => None,
        }
    }

    /// What the sign-in buttons show.
    pub fn describe(&self) -> Vec<api::Provider> {
        self.0
            .iter()
            .map(|Registered { provider, .. }| api::Provider {
                id: provider.id.clone(),
                name: provider.name.clone(),
                icon: provider.icon.clone(),
            })
            .collect()
    }
}
