//! What every handler shares.

use crate::{
    assets::Assets,
    clock::Clock,
    config::Config,
    entropy::Entropy,
    outbound::Outbound,
    pages::Pages,
    provider::Providers,
    session::{Sessions, cookie::Cookies, seal::KeyRing},
};
use std::{ops::Deref, sync::Arc};

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
    /// Who is signed in.
    pub sessions: Sessions,
    /// Seals transactions.
    pub keys: Arc<KeyRing>,
    /// Names and attributes of the cookies.
    pub cookies: Cookies,
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
}

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}
