//! What every handler has at hand.

use std::{ops::Deref, sync::Arc};

use axum::http::HeaderValue;

use crate::{DemoProviderConfig, failure::Failure, signing_key::SigningKey, store::Store};

/// The provider's state, shared by all requests.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Provider>);

/// Everything that the provider holds.
pub(crate) struct Provider {
    pub(crate) config: DemoProviderConfig,
    pub(crate) store: Store,
    pub(crate) signing_key: SigningKey,
    pub(crate) http_client: reqwest::Client,
    pub(crate) content_security_policy: HeaderValue,
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

    pub(crate) fn identifier(&self) -> Result<String, Failure> {
        Ok(self.config.entropy.identifier()?)
    }
}
