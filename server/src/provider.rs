//! The configured providers, with their metadata and keys cached.
//!
//! A provider that is down delays only its own logins, and comes back by itself.

pub mod breaker;
mod cache;

use crate::{
    clock::Clock,
    flow,
    outbound::{OutboundError, ProviderClient},
};
use breaker::Breaker;
use cache::{Asker, Cache, Lifetimes, Pause, Want};
use jiff::SignedDuration;
use oauth2flow_app::api;
use oauth2flow_protocol::{
    JwkSet, OutboundRequest, OutboundResponse, Provider, ProviderMetadata,
    discovery::{self, DiscoveryError, MAXIMUM_METADATA_BYTES},
    jwks::{self, JwksError, MAXIMUM_JWKS_BYTES},
    provider::ResponseMode,
    token::MAXIMUM_TOKEN_RESPONSE_BYTES,
};
use std::sync::Arc;
use thiserror::Error;
use url::Url;

/// Metadata is renewed every hour, and goes on counting for a day when the provider does not answer.
const METADATA_LIFETIMES: Lifetimes =
    Lifetimes { fresh: SignedDuration::from_hours(1), stale: SignedDuration::from_hours(2), last_resort: SignedDuration::from_hours(24) };
/// Keys are renewed every ten minutes. Who comes after more than twenty waits for new ones: an old key may have been withdrawn.
const KEY_LIFETIMES: Lifetimes =
    Lifetimes { fresh: SignedDuration::from_mins(10), stale: SignedDuration::from_mins(20), last_resort: SignedDuration::from_hours(24) };
/// A provider that is down is asked again after one second, two, four, and then every five.
const METADATA_PAUSE: Pause = Pause::Growing(SignedDuration::from_secs(5));
/// A provider can send tokens with a made-up `kid`: whatever becomes of a fetch, the next one waits this long.
const KEYS_PAUSE: Pause = Pause::Always(SignedDuration::from_secs(30));
/// So can anybody at all who posts logout tokens: for them, the keys are fetched anew no more often than this, and no login
/// has to wait for it.
const STRANGERS_KEYS_PAUSE: SignedDuration = SignedDuration::from_mins(5);

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
    /// The task that fetched has died.
    #[error("the provider's answer was lost")]
    Interrupted,
}

/// One configured provider.
pub struct Registered {
    /// What the protocol needs to know.
    pub provider: Arc<Provider>,
    /// Whether the code arrives at the server callback instead of the app's page.
    pub server_callback: bool,
    /// Leaves it alone when it does not answer.
    pub breaker: Breaker,
    /// The same for exchanges alone: a provider may fail at those, and must go on renewing.
    pub exchange_breaker: Breaker,
    client: ProviderClient,
    fixed_metadata: Option<Arc<ProviderMetadata>>,
    metadata: Arc<Cache<ProviderMetadata>>,
    keys: Arc<Cache<JwkSet>>,
}

impl Registered {
    /// A provider that has not been asked anything yet.
    pub fn new(provider: Provider, server_callback: bool, client: ProviderClient, clock: Arc<dyn Clock>) -> Self {
        Self {
            fixed_metadata: provider.fixed_metadata().map(Arc::new),
            provider: Arc::new(provider),
            server_callback,
            breaker: Breaker::new("renewals"),
            exchange_breaker: Breaker::new("exchanges"),
            client,
            metadata: Arc::new(Cache::new("metadata", METADATA_LIFETIMES, METADATA_PAUSE, Arc::clone(&clock))),
            keys: Arc::new(Cache::new("keys", KEY_LIFETIMES, KEYS_PAUSE, clock)),
        }
    }

    /// Asks the provider something, and reads no more of its answer than a token response can hold.
    ///
    /// # Errors
    /// When there is no whole answer within the limits; any status is an answer.
    pub async fn send(&self, request: OutboundRequest) -> Result<OutboundResponse, OutboundError> {
        self.send_for(request, MAXIMUM_TOKEN_RESPONSE_BYTES).await
    }

    /// The same for an answer that may be larger.
    ///
    /// # Errors
    /// When there is no whole answer within the limits; any status is an answer.
    pub async fn send_for(&self, request: OutboundRequest, limit_bytes: usize) -> Result<OutboundResponse, OutboundError> {
        flow::exchange::recorded(request, |request| self.client.send(request, limit_bytes)).await
    }

    /// The provider's metadata: written in the configuration, or discovered and renewed every hour.
    ///
    /// # Errors
    /// When it cannot be had, and could not for a day.
    pub async fn metadata(&self) -> Result<Arc<ProviderMetadata>, ProviderError> {
        if let Some(metadata) = &self.fixed_metadata {
            return Ok(Arc::clone(metadata));
        }
        let fetch = || {
            let (provider, client) = (Arc::clone(&self.provider), self.client.clone());
            flow::carry(async move {
                let silent = ProviderError::Outbound { what: "metadata", source: Arc::new(OutboundError::Silent) };
                tokio::time::timeout(client.total_timeout(), discover(&provider, &client)).await.unwrap_or(Err(silent))
            })
        };
        self.metadata.get(Want::Current, Asker::Known, "", fetch).await
    }

    /// The provider's keys, renewed every ten minutes.
    ///
    /// # Errors
    /// When they cannot be had, and could not for a day.
    pub async fn keys(&self, metadata: &ProviderMetadata) -> Result<Arc<JwkSet>, ProviderError> {
        self.fetched_keys(Want::Current, Asker::Known, metadata).await
    }

    /// Judges something that the provider has signed; once more, with the keys fetched anew unless that was tried within the
    /// cooldown, when `wants_fresh_keys` says that none of the known ones may have signed it.
    ///
    /// # Errors
    /// When the keys cannot be had, and could not for a day. What `judge` says comes in the answer.
    pub async fn judge<T, E>(
        &self,
        metadata: &ProviderMetadata,
        judge: impl Fn(&JwkSet) -> Result<T, E>,
        wants_fresh_keys: impl Fn(&E) -> bool,
    ) -> Result<Result<T, E>, ProviderError> {
        self.judge_for(Asker::Known, metadata, judge, wants_fresh_keys).await
    }

    /// The same for something that anybody may have sent: the keys are fetched anew once in five minutes, and a fetch that
    /// this causes uses up nothing of what [`Self::keys`] and [`Self::judge`] may cause.
    ///
    /// # Errors
    /// When the keys cannot be had, and could not for a day. What `judge` says comes in the answer.
    pub async fn judge_for_stranger<T, E>(
        &self,
        metadata: &ProviderMetadata,
        judge: impl Fn(&JwkSet) -> Result<T, E>,
        wants_fresh_keys: impl Fn(&E) -> bool,
    ) -> Result<Result<T, E>, ProviderError> {
        self.judge_for(Asker::Stranger(STRANGERS_KEYS_PAUSE), metadata, judge, wants_fresh_keys).await
    }

    async fn judge_for<T, E>(
        &self,
        asker: Asker,
        metadata: &ProviderMetadata,
        judge: impl Fn(&JwkSet) -> Result<T, E>,
        wants_fresh_keys: impl Fn(&E) -> bool,
    ) -> Result<Result<T, E>, ProviderError> {
        let keys = self.fetched_keys(Want::Current, asker, metadata).await?;
        match judge(&keys) {
            Err(error) if wants_fresh_keys(&error) => Ok(judge(&*self.fetched_keys(Want::Newer, asker, metadata).await?)),
            judged => Ok(judged),
        }
    }

    async fn fetched_keys(&self, want: Want, asker: Asker, metadata: &ProviderMetadata) -> Result<Arc<JwkSet>, ProviderError> {
        let Some(jwks_uri) = &metadata.jwks_uri else { return Err(ProviderError::NoKeys) };
        self.keys.get(want, asker, jwks_uri.as_str(), || flow::carry(fetch_keys(jwks_uri.clone(), self.client.clone()))).await
    }
}

/// Asks for the metadata in each place where it may be: the next one only when there is none at the one before.
async fn discover(provider: &Provider, client: &ProviderClient) -> Result<ProviderMetadata, ProviderError> {
    let mut nowhere = DiscoveryError::InvalidIssuer;
    for request in discovery::metadata_requests(provider) {
        let response = flow::exchange::recorded(request, |request| client.send(request, MAXIMUM_METADATA_BYTES))
            .await
            .map_err(|source| ProviderError::Outbound { what: "metadata", source: Arc::new(source) })?;
        let judged = discovery::process_metadata(provider, &response);
        flow::exchange::metadata(&judged);
        match judged {
            Ok(metadata) => return Ok(metadata),
            Err(error) if error.may_be_elsewhere() => nowhere = error,
            Err(error) => return Err(ProviderError::Metadata(Arc::new(error))),
        }
    }
    Err(ProviderError::Metadata(Arc::new(nowhere)))
}

async fn fetch_keys(jwks_uri: Url, client: ProviderClient) -> Result<JwkSet, ProviderError> {
    let send = |request| client.send_within(client.total_timeout() / 2, request, MAXIMUM_JWKS_BYTES);
    let response = flow::exchange::recorded(jwks::request(&jwks_uri), send)
        .await
        .map_err(|source| ProviderError::Outbound { what: "keys", source: Arc::new(source) })?;
    let judged = jwks::process_jwks(&response);
    flow::exchange::keys(&judged);
    judged.map_err(|error| ProviderError::Keys(Arc::new(error)))
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

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Registered> {
        self.0.iter()
    }

    /// Whether the page of some provider posts its answer to this server (`form_post`).
    pub fn any_posts_its_answer(&self) -> bool {
        self.0.iter().any(|registered| registered.provider.response_mode == ResponseMode::FormPost)
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
