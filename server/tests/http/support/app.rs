//! The app under test.

use super::{Browser, GitHubStandIn, KnownNames, ManualClock, StandInProvider, Upstream, recording::socket, site};
use oauth2flow::{
    application::{Application, Served, Surroundings},
    config::{Arguments, Config},
    entropy::SystemEntropy,
};
use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use url::Url;

/// The running app, with its own data, sockets and clock.
pub(crate) struct TestApp {
    pub(crate) clock: ManualClock,
    client: reqwest::Client,
    origin: Url,
    address: SocketAddr,
    demo_address: SocketAddr,
    // The sockets stay open while the app restarts, so that nobody else takes the ports.
    sockets: (TcpListener, TcpListener),
    names: KnownNames,
    arguments: Arguments,
    environment: Vec<(String, String)>,
    directory: TempDir,
    served: Served,
    running: Option<Running>,
}

struct Running {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<std::io::Result<()>>,
}

/// What was said of a provider.
pub(crate) struct RemovedProvider {
    set: Vec<String>,
    environment: Vec<(String, String)>,
}

/// An app that has yet to start.
pub(crate) struct TestAppBuilder {
    clock: ManualClock,
    public_url: Option<String>,
    names: KnownNames,
    set: Vec<String>,
    environment: Vec<(String, String)>,
    served: Served,
}

impl TestApp {
    /// An app with nothing configured.
    pub(crate) fn builder() -> TestAppBuilder {
        TestAppBuilder {
            clock: ManualClock::new(),
            public_url: None,
            names: KnownNames::default(),
            set: Vec::new(),
            environment: Vec::new(),
            served: Served::default(),
        }
    }

    /// The app of the one-command run: the demo provider and nothing else.
    pub(crate) async fn with_demo() -> Self {
        Self::builder().start().await
    }

    /// An app whose only provider is `alpha`.
    pub(crate) async fn with_provider(provider: &StandInProvider) -> Self {
        Self::builder().openid("alpha", provider).start().await
    }

    /// An app with the provider `alpha`, and with an API behind the proxy at `api`.
    pub(crate) async fn with_upstream(provider: &StandInProvider, upstream: &Upstream) -> Self {
        Self::builder().openid("alpha", provider).upstream("api", upstream).start().await
    }

    /// A browser that has never been here.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.client.clone(), self.origin.clone(), self.address, self.clock.clone())
    }

    /// Where people find the app.
    pub(crate) fn origin(&self) -> String {
        self.origin.origin().ascii_serialization()
    }

    /// Where the app listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the demo provider is.
    pub(crate) fn demo_origin(&self) -> String {
        format!("http://{}", self.demo_address)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.configuration().session.database
    }

    /// Stops the app as a signal would, and waits until it has ended.
    pub(crate) async fn stop(&mut self) {
        let Running { stop, ended } = self.running.take().expect("the app runs");
        stop.send(()).unwrap();
        ended.await.unwrap().unwrap();
    }

    /// Starts the app again, with the data that it had.
    pub(crate) async fn start(&mut self) {
        let config = self.configuration();
        let listener = |socket: &TcpListener| {
            let socket = socket.try_clone().unwrap();
            socket.set_nonblocking(true).unwrap();
            tokio::net::TcpListener::from_std(socket).unwrap()
        };
        let demo_listener = config.demo.enabled.then(|| listener(&self.sockets.1));
        let surroundings = Surroundings {
            clock: Arc::new(self.clock.clone()),
            entropy: Arc::new(SystemEntropy),
            names: Arc::new(self.names.clone()),
            listener: listener(&self.sockets.0),
            demo_listener,
        };
        let application = Application::assemble(config, surroundings, self.served.clone()).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            // The test is over when the sender is gone.
            let _ = stopped.await;
        };
        let ended = tokio::spawn(application.run(shutdown));
        self.running = Some(Running { stop, ended });
    }

    /// Sets one more setting, for the next start.
    pub(crate) fn add_setting(&mut self, key: &str, value: &str) {
        self.arguments.set.push(format!("{key}={value}"));
    }

    /// Takes a provider out of the configuration, for the next start, and answers what was said of it.
    pub(crate) fn remove_provider(&mut self, id: &str) -> RemovedProvider {
        let (setting, variable) = (format!("providers.{id}."), format!("OAUTH2FLOW_PROVIDERS_{}_", id.to_uppercase()));
        RemovedProvider {
            set: self.arguments.set.extract_if(.., |set| set.starts_with(&setting)).collect(),
            environment: self.environment.extract_if(.., |(name, _)| name.starts_with(&variable)).collect(),
        }
    }

    /// Puts it back, for the next start.
    pub(crate) fn put_back(&mut self, removed: RemovedProvider) {
        self.arguments.set.extend(removed.set);
        self.environment.extend(removed.environment);
    }

    fn configuration(&self) -> Config {
        Config::load(&self.arguments, self.environment.iter().cloned(), self.directory.path()).unwrap()
    }
}

impl TestAppBuilder {
    /// Sets a setting.
    pub(crate) fn set(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.set.push(format!("{key}={value}"));
        self
    }

    /// Has it follow a clock that others follow as well.
    pub(crate) fn clock(mut self, clock: &ManualClock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The address that people know the app by, when it is not its own.
    pub(crate) fn public_url(mut self, public_url: &str) -> Self {
        self.public_url = Some(public_url.to_owned());
        self
    }

    /// Tells the app where a name leads; it knows no others.
    pub(crate) fn name(self, name: &str, address: &str) -> Self {
        self.names.add(name, address);
        self
    }

    /// Adds an OpenID provider, by its issuer alone.
    pub(crate) fn openid(self, id: &str, provider: &StandInProvider) -> Self {
        provider.follow(&self.clock);
        let secret = format!("OAUTH2FLOW_PROVIDERS_{}_CLIENT_SECRET", id.to_uppercase());
        self.set(&format!("providers.{id}.issuer"), provider.issuer())
            .set(&format!("providers.{id}.client_id"), StandInProvider::CLIENT_ID)
            .variable(&secret, StandInProvider::CLIENT_SECRET)
    }

    /// Adds GitHub, as an Enterprise Server is added.
    pub(crate) fn github(self, github: &GitHubStandIn) -> Self {
        self.variable("GITHUB_CLIENT_ID", GitHubStandIn::CLIENT_ID)
            .variable("GITHUB_CLIENT_SECRET", GitHubStandIn::CLIENT_SECRET)
            .set("providers.github.web_url", github.origin())
    }

    /// Adds an API behind the proxy.
    pub(crate) fn upstream(self, name: &str, upstream: &Upstream) -> Self {
        self.set(&format!("upstreams.{name}.url"), format!("{}/base", upstream.origin()))
    }

    /// Serves another app, or routes of its developer's.
    pub(crate) fn served(mut self, served: Served) -> Self {
        self.served = served;
        self
    }

    /// Starts it.
    pub(crate) async fn start(self) -> TestApp {
        let (socket_of_app, address) = socket();
        let (socket_of_demo, demo_address) = socket();
        let directory = tempfile::tempdir().unwrap();
        let site_dir = directory.path().join("site");
        site::write(&site_dir);
        let public_url = self.public_url.unwrap_or_else(|| format!("http://localhost:{}", address.port()));
        let mut set = vec![
            format!("server.listen={address}"),
            format!("server.public_url={public_url}"),
            format!("server.site_dir={}", site_dir.display()),
            format!("server.data_dir={}", directory.path().join("data").display()),
            format!("demo.listen={demo_address}"),
        ];
        set.extend(self.set);
        let mut app = TestApp {
            clock: self.clock,
            client: Browser::client(),
            origin: Url::parse(&public_url).unwrap(),
            address,
            demo_address,
            sockets: (socket_of_app, socket_of_demo),
            names: self.names,
            arguments: Arguments { set, ..Arguments::default() },
            environment: self.environment,
            directory,
            served: self.served,
            running: None,
        };
        app.start().await;
        app
    }
}
