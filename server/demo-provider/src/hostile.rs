//! Every defect beside each other: many providers on one listener, each with exactly one thing wrong.

use std::{collections::BTreeMap, fmt, future::Future, io};

use axum::{
    Router,
    extract::{Path, State},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use crate::{Defect, DemoProvider, DemoProviderConfig, DemoProviderError, routes::home};

const DEFECTS_PATH: &str = "/defects";
const HONEST_PATH: &str = "/honest";
/// Stands for the defect's name in the back-channel logout URI.
const NAME: &str = "{name}";

/// The issuer of the honest provider on the same listener, whom others like to be taken for.
pub(crate) fn honest_sibling(issuer: &str) -> String {
    let origin = issuer.find(DEFECTS_PATH).and_then(|end| issuer.get(..end)).unwrap_or(issuer);
    format!("{origin}{HONEST_PATH}")
}

/// Providers that each do one thing wrong, on one listener, with an honest one beside them.
///
/// Each signs Alice in without asking, so that a test needs no browser, and keeps a journal at `{issuer}/journal` of what it was
/// asked. `POST {issuer}/post-logout-tokens` makes it post its logout tokens.
#[derive(Clone)]
pub struct HostileProviders {
    origin: String,
    honest: DemoProvider,
    providers: BTreeMap<&'static str, (Defect, DemoProvider)>,
}

impl HostileProviders {
    /// Opens a provider for each of `defects`.
    ///
    /// `config` is what they have in common: `issuer` is the listener's origin, and in `backchannel_logout_uri` the text `{name}`
    /// stands for the defect's name. Everything is kept in memory.
    ///
    /// # Errors
    /// When a setting is not acceptable, above all an issuer that is not a loopback address.
    pub async fn open(config: &DemoProviderConfig, defects: &[Defect]) -> Result<Self, DemoProviderError> {
        let origin = config.issuer.clone();
        let member = |path: &str, name: &str| DemoProviderConfig {
            issuer: format!("{origin}{path}"),
            backchannel_logout_uri: config.backchannel_logout_uri.as_ref().map(|uri| uri.replace(NAME, name)),
            automatic_login: Some(config.automatic_login.clone().unwrap_or_else(|| "alice".to_owned())),
            database: None,
            ..config.clone()
        };
        let honest = DemoProvider::open(member(HONEST_PATH, "honest")).await?;
        let mut providers = BTreeMap::new();
        for defect in defects.iter().copied() {
            let mut config = member(&format!("{DEFECTS_PATH}/{defect}"), defect.name());
            defect.configure(&mut config);
            providers.insert(defect.name(), (defect, DemoProvider::open(config).await?));
        }
        Ok(Self { origin, honest, providers })
    }

    /// The issuer with this defect.
    pub fn issuer(&self, defect: Defect) -> String {
        format!("{}{DEFECTS_PATH}/{defect}", self.origin)
    }

    /// The issuer that has none.
    pub fn honest_issuer(&self) -> String {
        format!("{}{HONEST_PATH}", self.origin)
    }

    /// Every route of every provider.
    pub fn router(&self) -> Router {
        let own = Router::new()
            .route("/", get(index))
            .route("/.well-known/oauth-authorization-server/{*path}", get(well_known))
            .route(crate::pages::STYLESHEET_PATH, get(home::stylesheet))
            .route(crate::pages::ICON_PATH, get(home::icon))
            .with_state(self.clone())
            .nest(HONEST_PATH, self.honest.router());
        let nest = |router: Router, (defect, provider): &(Defect, DemoProvider)| {
            router.nest(&format!("{DEFECTS_PATH}/{defect}"), provider.router())
        };
        self.providers.values().fold(own, nest)
    }

    /// Serves until `shutdown` is done. Requests under way are dropped: some of them would never end.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
        tokio::select! {
            served = axum::serve(listener, self.router()) => served,
            () = shutdown => Ok(()),
        }
    }
}

/// The inserted form of the metadata's address ([RFC 8414 §3.1](https://www.rfc-editor.org/rfc/rfc8414#section-3.1)).
async fn well_known(State(providers): State<HostileProviders>, Path(path): Path<String>) -> Response {
    let provider = match path.strip_prefix("defects/") {
        Some(name) => providers.providers.get(name).map(|(_, provider)| provider),
        None => (format!("/{path}") == HONEST_PATH).then_some(&providers.honest),
    };
    match provider {
        Some(provider) => provider.metadata().await,
        None => axum::http::StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /`: the providers, and what a correct client does.
async fn index(State(providers): State<HostileProviders>) -> Html<String> {
    let rows = Defect::ALL
        .iter()
        .filter(|defect| providers.providers.contains_key(defect.name()))
        .map(|defect| {
            format!(
                "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{}</td></tr>\n",
                providers.issuer(*defect),
                crate::pages::Escaped(defect.description()),
                defect.expected().description()
            )
        })
        .collect::<Vec<_>>()
        .concat();
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Hostile providers</title>\n<h1>Hostile providers</h1>\n\
         <p>Each issuer does one thing wrong. <code>{}</code> does none.</p>\n\
         <table><tr><th>Issuer</th><th>What it does</th><th>What a correct client does</th></tr>\n{rows}</table></html>\n",
        providers.honest_issuer()
    ))
}

impl fmt::Debug for HostileProviders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HostileProviders")
            .field("origin", &self.origin)
            .field("defects", &self.providers.keys())
            .finish_non_exhaustive()
    }
}
