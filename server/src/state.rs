//! What every handler shares.

use crate::{
    access::AbsentProviders,
    assets::Assets,
    clock::Clock,
    config::Config,
    dpop::Nonces,
    entropy::Entropy,
    flow::Recordings,
    lab::Lab,
    middleware::{client_ip::ClientAddresses, rate_limit::RateLimits},
    ongoing::Ongoing,
    outbound::Outbound,
    pages::Pages,
    provider::Providers,
    proxy::Upstreams,
    session::{Sessions, cookie::Cookies, seal::KeyRing},
    streams::Streams,
};
use oauth2flow_protocol::Context;
use std::{ops::Deref, sync::Arc};
use tokio::sync::{Semaphore, watch};

/// See [`App::pushes`].
pub const MAXIMUM_PUSHES: usize = 32;

/// The application's state; cloning it is cheap.
#[derive(Clone)]
pub struct AppState(Arc<App>);

/// What [`AppState`] points to.
pub struct App {
    /// The checked configuration.
    pub config: Config,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Makes every outbound call.
    pub outbound: Outbound,
    /// Who the user can sign in with.
    pub providers: Providers,
    /// Whom people are signed in with who is not configured any more.
    pub absent_providers: AbsentProviders,
    /// The APIs behind the proxy.
    pub upstreams: Upstreams,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Seals transactions.
    pub keys: Arc<KeyRing>,
    /// Names and attributes of the cookies.
    pub cookies: Cookies,
    /// What servers want to see in proofs of possession.
    pub dpop_nonces: Nonces,
    /// How many requests may be pushed to providers at a time: whoever floods the start of logins must not make this server flood
    /// a provider, which would then refuse everybody.
    pub pushes: Semaphore,
    /// Finds out whose requests they are.
    pub client_addresses: ClientAddresses,
    /// What may be asked of this server.
    pub limits: RateLimits,
    /// The X-ray, where logins are recorded.
    pub flow: Option<Recordings>,
    /// The attack lab, beside the demo provider and nowhere else.
    pub lab: Option<Lab>,
    /// Answers that do not end by themselves: streams of events, and whatever a connection was upgraded to.
    pub streams: Streams,
    /// What is done to its end whoever goes away, and when the server stops.
    pub ongoing: Ongoing,
    /// Turns true when the server is told to stop: what does not end by itself should end then.
    pub stopping: watch::Receiver<bool>,
    /// The site.
    pub assets: Assets,
    /// The app's pages.
    pub pages: Pages,
}

impl AppState {
    /// Shares the application.
    pub fn new(app: App) -> Self {
        Self(Arc::new(app))
    }

    /// Runs an operation of the protocol with the time and randomness of this server.
    pub fn with_context<T>(&self, operation: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let entropy = &*self.entropy;
        operation(&mut Context::new(self.clock.now(), &mut |bytes| entropy.fill(bytes)))
    }
}

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}
