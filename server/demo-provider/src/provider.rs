//! The running provider.

use std::{fmt, future::Future, io, time::Duration};

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
};
use tokio::net::TcpListener;

use crate::{
    DemoProviderConfig, DemoProviderError, backchannel_logout,
    defect::{attacker::Attacker, journal::Journal},
    router,
    routes::metadata,
    security_headers::content_security_policy,
    state::{AppState, Provider, SigningKeys},
    store::Store,
};

/// How often the database is rid of what has expired.
const SWEEP_INTERVAL: Duration = Duration::from_mins(10);

/// A demo provider, open and ready to serve.
#[derive(Clone)]
pub struct DemoProvider {
    state: AppState,
}

impl DemoProvider {
    /// Opens the database, makes the signing key on the first run, and gives new accounts their first notes.
    ///
    /// # Errors
    /// When a setting is not acceptable, above all an issuer that is not a loopback address, or when the database cannot
    /// be used.
    pub async fn open(config: DemoProviderConfig) -> Result<Self, DemoProviderError> {
        config.validate()?;
        let store = Store::open(&config).await?;
        let signing_keys = SigningKeys::new(store.signing_keys(config.signing_algorithm, config.clock.now()).await?);
        let http_client = config.backchannel_logout_uri.is_some().then(backchannel_logout::http_client).transpose()?;
        let content_security_policy = content_security_policy(&config);
        let nonce_secret = config.entropy.secret()?;
        let attacker = config.defect.map(|_| Attacker::new()).transpose()?;
        let state = AppState::new(Provider {
            config,
            store,
            signing_keys,
            http_client,
            content_security_policy,
            nonce_secret,
            attacker,
            journal: Journal::default(),
        });
        Ok(Self { state })
    }

    /// Signs with a new key from now on. The one before stays published, for the tokens that it has signed.
    ///
    /// # Errors
    /// When the key cannot be made or stored.
    pub async fn rotate_signing_key(&self) -> Result<(), DemoProviderError> {
        let config = &self.state.config;
        let key = self.state.store.new_signing_key(config.signing_algorithm, config.clock.now()).await?;
        self.state.signing_keys.rotate(key);
        Ok(())
    }

    /// The metadata document.
    pub(crate) async fn metadata(&self) -> Response {
        metadata::openid_configuration(State(self.state.clone())).await.into_response()
    }

    /// The provider's identifier and address.
    pub fn issuer(&self) -> &str {
        &self.state.config.issuer
    }

    /// Every route of the provider.
    pub fn router(&self) -> Router {
        router::router(self.state.clone())
    }

    /// Serves until `shutdown` is done, then finishes the requests under way and closes the database.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let sweeper = tokio::spawn(sweep(self.state.clone()));
        let served = axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).await;
        sweeper.abort();
        self.state.store.close().await;
        served
    }
}

async fn sweep(state: AppState) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        if let Err(error) = state.store.sweep(state.now()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "the demo provider could not delete what has expired");
        }
    }
}

impl fmt::Debug for DemoProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DemoProvider").field("config", &self.state.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::DemoProvider;
    use crate::DemoProviderConfig;

    #[tokio::test]
    async fn only_who_tells_clients_of_an_end_has_an_http_client() {
        let config = || DemoProviderConfig::new("http://127.0.0.1:4000", "client", "secret");
        assert!(DemoProvider::open(config()).await.unwrap().state.http_client.is_none());
        let telling =
            DemoProviderConfig { backchannel_logout_uri: Some("http://127.0.0.1:3000/backchannel-logout".to_owned()), ..config() };
        assert!(DemoProvider::open(telling).await.unwrap().state.http_client.is_some());
    }
}
