//! The program: arguments, configuration, logs, then serve until told to stop.

use crate::{
    application::{Application, Served, Surroundings},
    body::BodyLimit,
    clock::SystemClock,
    config::{Arguments, Command, Config, ConfigProblems, KeysCommand, LogFormat, listing},
    entropy::SystemEntropy,
    key_command, telemetry,
};
use anyhow::Context as _;
use axum::Router;
use clap::Parser as _;
use oauth2flow_app::site::Site;
use std::{
    fmt,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

/// The exit code for a configuration, file or port that cannot be used: starting again changes nothing.
const CANNOT_START: u8 = 2;

/// The whole program, with an app and routes of your own: it reads its arguments and settings, starts the demo provider where no other is
/// configured, serves, and ends in order.
///
/// ```no_run
/// use axum::{Json, Router, routing::get};
/// use leptos::prelude::*;
/// use oauth2flow::{CurrentUser, Program, Site};
/// use std::process::ExitCode;
///
/// #[component]
/// fn App() -> impl IntoView {
///     "Hello"
/// }
///
/// async fn greeting(user: CurrentUser) -> Json<String> {
///     Json(format!("Hello, {}", user.name()))
/// }
///
/// fn main() -> ExitCode {
///     let site = Site::new("Greeter", || view! { <App /> }.into_any());
///     Program::new(site).routes(Router::new().route("/greeting", get(greeting))).main()
/// }
/// ```
///
/// Whoever brings their own configuration, clock or signals takes [`Application`] instead.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Program {
    served: Served,
    make_routes: Option<MakeRoutes>,
}

/// See [`Program::routes_with`].
#[derive(Clone)]
struct MakeRoutes(Arc<Make>);

type Make = dyn Fn(&Config) -> anyhow::Result<Router> + Send + Sync;

impl fmt::Debug for MakeRoutes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MakeRoutes")
    }
}

impl Program {
    /// The program that serves this app.
    pub fn new(site: Site) -> Self {
        Self { served: Served { site, ..Served::default() }, make_routes: None }
    }

    /// Serves these routes as well, below `/api/v1/app`: what the kit calls `/app/…`. Their handlers take a
    /// [`CurrentUser`](crate::CurrentUser) to know who is asking, and may answer with a [`Failure`](crate::Failure).
    ///
    /// They have the guard that all others have: what changes something needs the header `X-CSRF: 1`, which the kit's `fetch` sends, and
    /// no page of another site may ask. Bodies are at most 16 KiB and arrive within 30 seconds, whoever reads them, unless
    /// [`Self::body_limit`] says otherwise.
    pub fn routes(mut self, routes: Router) -> Self {
        self.served.routes = routes;
        self
    }

    /// As [`Self::routes`], for routes that need to know the settings: they are made when these have been read, when the data
    /// directory is there, and before the server takes its ports. Where that fails, the program says why and ends.
    ///
    /// ```no_run
    /// # use axum::{Router, routing::get};
    /// # use oauth2flow::{Program, Site};
    /// use anyhow::Context as _;
    ///
    /// # let site = Site::default();
    /// Program::new(site).routes_with(|config| {
    ///     let file = config.server.data_dir.join("greeting.txt");
    ///     let greeting = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    ///     Ok(Router::new().route("/greeting", get(async move || greeting)))
    /// });
    /// ```
    pub fn routes_with(mut self, make: impl Fn(&Config) -> anyhow::Result<Router> + Send + Sync + 'static) -> Self {
        self.make_routes = Some(MakeRoutes(Arc::new(make)));
        self
    }

    /// What the bodies of requests to routes of your own are held to. A layer for one route can only make it less.
    pub fn body_limit(mut self, limit: BodyLimit) -> Self {
        self.served.body_limit = limit;
        self
    }

    /// Runs the program until it is told to stop: arguments, configuration, logs, then the server.
    pub fn main(self) -> ExitCode {
        raise_file_limit();
        let arguments = Arguments::parse();
        if arguments.settings {
            // Whoever reads only the beginning closes the pipe, and that is fine.
            let _ = io::stdout().write_all(listing().as_bytes());
            return ExitCode::SUCCESS;
        }
        let working_directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        // A variable that is not text cannot be one of ours.
        let environment = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        if let Some(Command::Keys { command }) = &arguments.command {
            return keys(command, || Config::load(&arguments, environment, &working_directory));
        }
        let config = match Config::load(&arguments, environment, &working_directory) {
            Ok(config) => config,
            Err(problems) => {
                eprintln!("{problems}");
                return ExitCode::from(CANNOT_START);
            }
        };
        if let Err(error) = telemetry::start(&config.log) {
            eprintln!("log.filter cannot be read: {error}. Write something like \"info\" or \"info,sqlx=warn\".");
            return ExitCode::from(CANNOT_START);
        }
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                eprintln!("The server cannot start: {error}");
                return ExitCode::from(CANNOT_START);
            }
        };
        let code = runtime.block_on(run(config, self));
        telemetry::flush();
        code
    }
}

/// Asks the system for as many open files, and so connections, as it gives: what a process may have without asking is for programs
/// that use an old interface, which cannot count further.
#[cfg(unix)]
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const ENOUGH: u64 = 65_536;
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH));
    if limit.current.is_some_and(|current| current < most) {
        // Where it is refused, there are fewer connections.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit });
    }
}

#[cfg(not(unix))]
fn raise_file_limit() {}

/// `oauth2flow keys …`.
fn keys(command: &KeysCommand, config: impl FnOnce() -> Result<Config, ConfigProblems>) -> ExitCode {
    match key_command::run(command, config, &SystemClock::start(), &SystemEntropy) {
        Ok(text) => {
            let written = io::stdout().write_all(text.as_bytes());
            // A key that nobody has got is worth a word.
            if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(CANNOT_START)
        }
    }
}

async fn run(config: Config, Program { mut served, make_routes }: Program) -> ExitCode {
    let for_people = matches!(config.log.format, LogFormat::Text);
    let demo = config.demo.enabled.then_some(config.demo.listen);
    let started = async {
        if let Some(MakeRoutes(make)) = make_routes {
            let data_dir = &config.server.data_dir;
            std::fs::create_dir_all(data_dir).with_context(|| format!("server.data_dir {} cannot be made", data_dir.display()))?;
            served.routes = make(&config)?;
        }
        let surroundings = Surroundings::bind(&config, Arc::new(SystemClock::start()), Arc::new(SystemEntropy)).await?;
        let application = Application::assemble(config, surroundings, served).await?;
        // Whoever reads that the server is ready may stop it at once, and should find it listening.
        anyhow::Ok((application, told_to_stop().context("signals cannot be received")?))
    };
    let (application, told_to_stop) = match started.await {
        Ok(started) => started,
        Err(error) => {
            eprintln!("The server cannot start: {error:#}");
            return ExitCode::from(CANNOT_START);
        }
    };
    tracing::info!(address = application.public_url(), "ready");
    if for_people {
        // So that this comes last.
        telemetry::flush();
        println!("\n  {} is ready: {}", application.name(), application.public_url());
        if let Some(address) = demo {
            println!("  The demo provider is at http://{address} (accounts alice and bob, password demo).");
        }
        println!("  Ctrl-C ends both.\n");
    }
    match application.run(told_to_stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %error, "the server ended badly");
            ExitCode::FAILURE
        }
    }
}

/// Ends on Ctrl-C, or on the signal that a supervisor sends. From this call on, neither ends the process by itself; the
/// second of them does, for whoever does not want to wait for running requests.
#[cfg(unix)]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut signalled = async move || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    Ok(async move {
        signalled().await;
        tracing::info!("stopping: running requests may finish; Ctrl-C once more stops at once");
        tokio::spawn(async move {
            signalled().await;
            tracing::warn!("stopped at once: running requests were cut off");
            // Sessions lose nothing by this: every write to the store is whole or not there.
            telemetry::flush();
            std::process::exit(1);
        });
    })
}

/// Ends on Ctrl-C.
#[cfg(not(unix))]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        tracing::info!("stopping: running requests may finish");
    })
}
