//! Putting the parts together, and taking them down in order.

use crate::{
    access::AbsentProviders,
    assets::Assets,
    body::BodyLimit,
    clock::Clock,
    config::{Config, SessionConfig, UpstreamConfig},
    dpop::Nonces,
    entropy::{Entropy, random},
    flow::Recordings,
    lab::Lab,
    middleware::{client_ip::ClientAddresses, rate_limit::RateLimits},
    ongoing::Ongoing,
    outbound::{ClientCertificate, Names, Outbound, SystemNames},
    pages::Pages,
    provider::{Providers, Registered},
    proxy::Upstreams,
    registration,
    router::router,
    serve::serve,
    session::{
        Sessions,
        cookie::Cookies,
        key_check::{self, KeyCheckError},
        seal::KeyRing,
        store::{self, OpenError},
    },
    state::{App, AppState, MAXIMUM_PUSHES},
    streams::Streams,
};
use anyhow::Context as _;
use axum::{Router, http::Method};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use oauth2flow_app::site::Site;
use oauth2flow_demo_provider::{DemoProvider, DemoProviderConfig};
use oauth2flow_protocol::Provider;
use secrecy::{ExposeSecret, SecretString};
use std::{future::Future, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::spawn_blocking,
};
use url::Url;

const DEMO_CLIENT_ID: &str = "oauth2flow-demo";
const SWEEP_INTERVAL: Duration = Duration::from_mins(5);
/// How long something has to have been over before it is forgotten, for the clocks of several servers differ.
const SWEEP_SLACK: SignedDuration = SignedDuration::from_mins(5);
/// How often the key file is looked at, and how often the store is asked whether all servers have the same keys.
const KEY_INTERVAL: Duration = Duration::from_secs(5);
const TICKS_UNTIL_KEY_CHECK: u32 = 6;

/// What the application is handed: the time, randomness, and where to listen.
pub struct Surroundings {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Finds the addresses of providers.
    pub names: Arc<dyn Names>,
    /// Where the app listens.
    pub listener: TcpListener,
    /// Where the demo provider listens, if it is to run.
    pub demo_listener: Option<TcpListener>,
}

impl Surroundings {
    /// Takes the ports that the configuration names. That comes before everything else, so that a second server changes nothing.
    ///
    /// # Errors
    /// When a port cannot be had.
    pub async fn bind(config: &Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> anyhow::Result<Self> {
        let listener = bind(config.server.listen, "--listen ADDRESS or server.listen").await?;
        let demo_listener = if config.demo.enabled { Some(bind(config.demo.listen, "--set demo.listen=ADDRESS").await?) } else { None };
        Ok(Self { clock, entropy, names: Arc::new(SystemNames), listener, demo_listener })
    }
}

async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| match address.port() {
        0 => format!("cannot listen on {address}"),
        port => format!("cannot listen on {address}. If another program has port {port}, end it, or choose another port with {setting}"),
    })
}

/// What is served beside the sign-in: an app, and routes of its developer's. By default this project's own app, and none.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// The app.
    pub site: Site,
    /// What is below [`OWN_ROUTES`](crate::router::OWN_ROUTES).
    pub routes: Router,
    /// What the bodies of requests to these routes are held to.
    pub body_limit: BodyLimit,
}

/// The application, ready to serve.
pub struct Application {
    state: AppState,
    routes: Router,
    body_limit: BodyLimit,
    stopping: watch::Sender<bool>,
    listener: TcpListener,
    demo: Option<(DemoProvider, TcpListener)>,
}

impl Application {
    /// Opens keys, store and site, and makes the providers known.
    ///
    /// # Errors
    /// When something cannot be used; the message says what, and what to do.
    pub async fn assemble(config: Config, surroundings: Surroundings, served: Served) -> anyhow::Result<Self> {
        oauth2flow_protocol::install_crypto_provider();
        let Surroundings { clock, entropy, names, listener, demo_listener } = surroundings;
        let mut config = config;
        // `cargo leptos watch` tells the server by this variable where it puts what it builds.
        let built_by_cargo_leptos = || std::env::var_os("LEPTOS_SITE_ROOT").map(PathBuf::from);
        let mut assets = match config.server.site_dir.clone().or_else(built_by_cargo_leptos) {
            Some(directory) => Assets::from_directory(&directory)?,
            None => Assets::embedded()?,
        };
        config.server.public_url.origin().clone_into(&mut assets.site.origin);
        refuse_missing_keys(&config)?;
        let (keys, file) = if makes_keys(&config.session) {
            // A new key waits for the disk, and the store's file is made meanwhile. Nothing is sealed before the key is there to stay.
            let (keys, file) = tokio::join!(open_keys(&config.session, &clock, &entropy), store::open_file(&config.session));
            // The key's mistake is the first to mend.
            (keys?, file?)
        } else {
            // With keys that cannot be used, no file is made.
            (open_keys(&config.session, &clock, &entropy).await?, None)
        };
        let keys = Arc::new(keys);
        let store = store::open(&config.session, file, &keys, &clock, &entropy).await.map_err(|error| explain(error, &keys, &config))?;
        let outbound = Outbound::new(config.outbound.clone(), names);
        let mut providers = registration::providers(&config)?;
        let demo = match demo_listener {
            Some(listener) => {
                let (provider, demo) = open_demo(&mut config, &listener, &clock, &entropy).await?;
                providers.insert(0, provider);
                Some((demo, listener))
            }
            None => None,
        };
        let registered =
            providers.into_iter().map(|provider| register(provider, &config, &outbound, &clock)).collect::<anyhow::Result<_>>()?;
        let sessions =
            Sessions::new(store, Arc::clone(&keys), Arc::clone(&clock), Arc::clone(&entropy), config.session.idle, config.session.absolute);
        let cookies = Cookies::new(config.server.public_url.is_secure());
        let providers = Providers::new(registered);
        let pages = Pages::prepare(served.site, &assets, &config.server.avatar_hosts, providers.describe())
            .context("server.avatar_hosts cannot stand in a header")?;
        let upstreams = Upstreams::new(&config.upstreams, &outbound)?;
        let client_addresses = ClientAddresses::new(config.server.trusted_proxies.clone());
        let limits = RateLimits::new(&config.limits, &clock);
        let flow = Recordings::new(config.flow, &clock, &entropy);
        let lab = demo.as_ref().map(|(demo, _)| Lab::beside(demo, &clock, &entropy));
        let streams = Streams::new(config.limits.streams, config.limits.session_streams);
        let (stopping, told_to_stop) = watch::channel(false);
        let state = AppState::new(App {
            config,
            clock,
            entropy,
            outbound,
            providers,
            absent_providers: AbsentProviders::default(),
            upstreams,
            sessions,
            keys,
            cookies,
            dpop_nonces: Nonces::default(),
            pushes: Semaphore::new(MAXIMUM_PUSHES),
            client_addresses,
            limits,
            flow,
            lab,
            streams,
            ongoing: Ongoing::default(),
            stopping: told_to_stop,
            assets,
            pages,
        });
        Ok(Self { state, routes: served.routes, body_limit: served.body_limit, stopping, listener, demo })
    }

    /// The address people open.
    pub fn public_url(&self) -> &str {
        self.state.config.server.public_url.origin()
    }

    /// What the app is called.
    pub fn name(&self) -> &'static str {
        self.state.pages.site().name
    }

    /// Whether the demo provider runs.
    pub fn has_demo(&self) -> bool {
        self.demo.is_some()
    }

    /// Serves until `shutdown` ends, then takes everything down in order.
    ///
    /// # Errors
    /// When the demo provider's listener breaks.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let (stop, stopped) = watch::channel(false);
        let wait = |mut stopped: watch::Receiver<bool>| async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        let demo = self.demo.map(|(demo, listener)| tokio::spawn(demo.serve(listener, wait(stopped.clone()))));
        let key_watch = tokio::spawn(watch_keys(self.state.clone(), wait(stopped.clone())));
        let sweeper = tokio::spawn(sweep(self.state.clone(), wait(stopped)));
        let grace = self.state.config.server.shutdown_grace;
        let events = self.state.clone();
        let shutdown = async move {
            shutdown.await;
            // Streams of events would go on for ever.
            events.sessions.close_events();
        };
        let stopping = self.stopping;
        let shutdown = async move {
            shutdown.await;
            // What does not end by itself ends now, so that nobody has to wait for it.
            let _ = stopping.send(true);
        };
        let routes = router(self.state.clone(), self.routes, self.body_limit);
        serve(self.listener, routes, &self.state.config.limits, shutdown, grace).await;
        // So do WebSockets, which have been told to end.
        if tokio::time::timeout(grace, self.state.upstreams.tunnels.ended()).await.is_err() {
            tracing::warn!(open = self.state.upstreams.tunnels.count(), "some WebSockets did not end in time and were cut off");
        }
        // Renewals go on by themselves: a provider may have answered with tokens that nobody has written down yet.
        if tokio::time::timeout(grace, self.state.sessions.renewals.settle()).await.is_err() {
            tracing::warn!(grace_seconds = grace.as_secs(), "some tokens were still being renewed and may be lost");
        }
        // So do sign-outs and sign-ins: tokens of which nobody knows any more would stay good at the provider.
        if tokio::time::timeout(grace, self.state.ongoing.ended()).await.is_err() {
            let unfinished = self.state.ongoing.count();
            tracing::warn!(unfinished, grace_seconds = grace.as_secs(), "some sign-ins and sign-outs did not come to their end in time");
        }
        let _ = stop.send(true);
        let _ = sweeper.await;
        let _ = key_watch.await;
        if let Some(demo) = demo {
            tokio::time::timeout(grace, demo).await.unwrap_or(Ok(Ok(()))).map_err(io::Error::other)??;
        }
        self.state.sessions.store().close().await;
        Ok(())
    }
}

/// Whether the keys of the sessions are neither configured nor in their file.
fn makes_keys(config: &SessionConfig) -> bool {
    config.key.is_none() && config.key_file.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// The keys that are configured, or those of their file, which is made if there is none.
async fn open_keys(config: &SessionConfig, clock: &Arc<dyn Clock>, entropy: &Arc<dyn Entropy>) -> anyhow::Result<KeyRing> {
    if let Some(key) = &config.key {
        return Ok(KeyRing::parse(key, "session.key", Arc::clone(clock))?);
    }
    let (file, clock, entropy) = (config.key_file.clone(), Arc::clone(clock), Arc::clone(entropy));
    Ok(spawn_blocking(move || KeyRing::open(&file, clock, &*entropy)).await??)
}

/// Makes a provider known, with an HTTP client of its own.
fn register(mut provider: Provider, config: &Config, outbound: &Outbound, clock: &Arc<dyn Clock>) -> anyhow::Result<Registered> {
    let configured = config.providers.iter().find(|configured| configured.id == provider.id);
    let certificate = configured
        .and_then(|configured| configured.credentials.client_certificate.as_ref())
        .map(|certificate| ClientCertificate::from_pem(&certificate.chain, certificate.key.expose_secret()))
        .transpose()
        .with_context(|| format!("providers.{}.client_certificate", provider.id))?;
    provider.dangerous_allow_internal_endpoints = config.outbound.dangerous_allow_internal_addresses;
    let client = outbound.to_provider(&provider, certificate.as_ref()).with_context(|| format!("providers.{}", provider.id))?;
    let server_callback = configured.is_some_and(|configured| configured.server_callback);
    Ok(Registered::new(provider, server_callback, client, Arc::clone(clock)))
}

/// Starts the demo provider for this app alone, with a secret that nobody has to know, and puts its notes behind the proxy.
async fn open_demo(
    config: &mut Config,
    listener: &TcpListener,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> anyhow::Result<(Provider, DemoProvider)> {
    let issuer = format!("http://{}", listener.local_addr()?);
    let secret = SecretString::from(URL_SAFE_NO_PAD.encode(random::<32>(&**entropy)));
    let origin = config.server.public_url.origin();
    let mut demo = DemoProviderConfig::new(&issuer, DEMO_CLIENT_ID, secret.expose_secret());
    demo.redirect_uris = vec![format!("{origin}/callback")];
    demo.post_logout_redirect_uris = vec![format!("{origin}/")];
    demo.backchannel_logout_uri = Some(format!("{origin}/api/v1/oauth/backchannel-logout/demo"));
    // Nobody else has made it when sessions and keys are kept elsewhere.
    let data_dir = &config.server.data_dir;
    std::fs::create_dir_all(data_dir).with_context(|| format!("server.data_dir {} cannot be made", data_dir.display()))?;
    demo.database = Some(data_dir.join("demo-provider.sqlite"));
    demo.access_token_lifetime = config.demo.access_token_lifetime;
    let clock = Arc::clone(clock);
    demo.clock = oauth2flow_demo_provider::Clock::new(move || clock.now().as_second());
    let mut provider = registration::demo(&issuer, DEMO_CLIENT_ID, &secret);
    if config.upstreams.iter().all(|upstream| upstream.name != "notes") {
        config.upstreams.push(UpstreamConfig {
            methods: Some([Method::GET, Method::POST, Method::DELETE].map(|method| method.to_string()).to_vec()),
            timeout: Duration::from_secs(10),
            providers: Some(vec!["demo".to_owned()]),
            ..UpstreamConfig::new("notes", Url::parse(&format!("{issuer}/notes"))?)
        });
    }
    registration::learn(&mut provider, &config.upstreams);
    Ok((provider, DemoProvider::open(demo).await?))
}

/// Makes no key for a store that others share: each server would make one of its own, and open nobody else's sessions.
fn refuse_missing_keys(config: &Config) -> anyhow::Result<()> {
    let SessionConfig { store, key, key_file, .. } = &config.session;
    anyhow::ensure!(
        !store.is_shared() || key.is_some() || key_file.exists(),
        "the key file {} is missing, and the session store is shared. Make one with `oauth2flow keys generate` and give it to every server \
         (session.key_file or session.key)",
        key_file.display()
    );
    Ok(())
}

/// What to do where a store's sessions are sealed with other keys. A key file that was made a moment ago, because there was none, goes
/// again: the right one may come in its place.
fn explain(error: OpenError, keys: &KeyRing, config: &Config) -> anyhow::Error {
    let OpenError::KeysDiffer(error) = error else { return error.into() };
    let key_file = config.session.key_file.display();
    let what_happened = match keys.made_file() {
        Some(made) => {
            let _ = std::fs::remove_file(made);
            format!("there was no key file {key_file}, and a new key opens nothing")
        }
        None if config.session.key.is_some() => "session.key holds other keys than those of the other servers".to_owned(),
        None => format!("the key file {key_file} holds other keys than those of the other servers"),
    };
    anyhow::Error::new(error).context(format!(
        "{what_happened}. Give this server the same keys, from another server or from a backup. If they are lost, nobody can open these \
         sessions any more: docs/keys.md says how to begin anew, which signs everybody out"
    ))
}

/// Notices a key file that has changed, and seals the check in the store with the key that now seals.
async fn watch_keys(app: AppState, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut ticks = tokio::time::interval(KEY_INTERVAL);
    let mut checked = None;
    let mut ticks_until_check = TICKS_UNTIL_KEY_CHECK;
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = ticks.tick() => app.keys.reload(),
        }
        ticks_until_check -= 1;
        let keys = Some((app.keys.ids(), app.keys.sealing()));
        if keys == checked && ticks_until_check > 0 {
            continue;
        }
        ticks_until_check = TICKS_UNTIL_KEY_CHECK;
        match key_check::check(app.sessions.store(), &app.keys, &*app.entropy).await {
            Ok(()) => {
                checked = keys;
                app.keys.set_lacking(None);
            }
            // What a store says that does not answer is logged where somebody needs it.
            Err(KeyCheckError::Store(_)) => checked = None,
            Err(ref error @ KeyCheckError::Differ { sealed_with, .. }) => {
                checked = keys;
                app.keys.set_lacking(Some(sealed_with));
                tracing::error!(
                    error = %error,
                    "another server of this store has keys that this one lacks: give all of them the same session.key or session.key_file"
                );
            }
        }
    }
}

/// Forgets expired sessions and claims now and then.
async fn sweep(app: AppState, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = ticks.tick() => {}
        }
        let long_over = app.clock.now().saturating_sub(SWEEP_SLACK).unwrap_or(Timestamp::MIN);
        match app.sessions.store().sweep(long_over).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::debug!(forgotten, "expired records swept"),
            Err(error) => tracing::warn!(error = %error, "expired records could not be swept"),
        }
    }
}
