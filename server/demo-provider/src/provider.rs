//! The running provider.

use std::{fmt, future::Future, io, time::Duration};

use axum::Router;
use tokio::net::TcpListener;

use crate::{
    DemoProviderConfig, DemoProviderError, backchannel_logout, router,
    security_headers::content_security_policy,
    state::{AppState, Provider},
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
        let signing_key = store.signing_key(config.clock.now()).await?;
        let http_client = backchannel_logout::http_client()?;
        let content_security_policy = content_security_policy(&config);
        let state = AppState::new(Provider { config, store, signing_key, http_client, content_security_policy });
        Ok(Self { state })
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
