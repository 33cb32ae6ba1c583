//! The configuration: what the server is told, checked before anything starts.
//!
//! It comes from defaults, a TOML file, the environment and flags, later ones over earlier ones. [`Config::load`] reports
//! everything that is wrong at once; nobody should have to start the server five times to find five slips. Each setting
//! is declared once, in the file of its section; the documentation is made from the declarations.

mod access;
mod arguments;
mod demo;
mod environment;
mod file;
mod flow;
mod layers;
mod limits;
mod log;
mod outbound;
mod problem;
mod providers;
mod public_url;
mod reader;
mod reference;
mod schema;
mod server;
mod session;
mod setting;
mod upstreams;
mod value;

pub use access::AccessConfig;
pub use arguments::{Arguments, Command, KeysCommand};
pub use demo::DemoConfig;
pub use flow::FlowConfig;
pub use limits::{LimitsConfig, Rate};
pub use log::{LogConfig, LogFormat};
pub use outbound::{OutboundConfig, ProxyAddress};
pub use problem::{ConfigProblem, ConfigProblems, Source};
pub use providers::{
    ClientAuth, ClientCertificate, Credentials, Endpoints, Icon, IssPolicy, Metadata, Preset, ProviderConfig, ScopeSeparator, UserMapping,
};
pub use public_url::{PublicUrl, PublicUrlError};
pub use reference::{example_file, listing, reference};
pub use server::{Render, ServerConfig};
pub use session::{SessionConfig, StoreConfig, StoreKind};
pub use upstreams::{HeaderRules, HttpVersion, PathPattern, TokenExchange, UpstreamConfig};

use access::Provable;
use layers::{Element, Findings, Values};
use reader::Reader;
use schema::{DEFAULT_FILE, FILE_VARIABLE, Section};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use upstreams::KnownProvider;

/// Everything the server is told. Its `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the app is and what it is made of.
    pub server: ServerConfig,
    /// How long a sign-in lasts and where it is kept.
    pub session: SessionConfig,
    /// With whom people sign in, in the order of the buttons; without the demo provider.
    pub providers: Vec<ProviderConfig>,
    /// The APIs behind the proxy; without the demo provider's notes.
    pub upstreams: Vec<UpstreamConfig>,
    /// How providers and upstreams are reached.
    pub outbound: OutboundConfig,
    /// How much one client, one session and all together may ask of it.
    pub limits: LimitsConfig,
    /// The demo provider.
    pub demo: DemoConfig,
    /// The X-ray.
    pub flow: FlowConfig,
    /// What the server logs.
    pub log: LogConfig,
    /// What works, and should be known to whoever runs the server; to be logged at start.
    pub warnings: Vec<String>,
}

impl Config {
    /// Loads the configuration from the file, the environment and the arguments, and checks it.
    ///
    /// # Errors
    /// Everything that is wrong: files that cannot be read, keys and variables that do not exist, values that cannot be
    /// read, settings that are missing or do not go together. No message holds the value of a secret.
    pub fn load(
        arguments: &Arguments,
        environment: impl Iterator<Item = (String, String)>,
        working_directory: &Path,
    ) -> Result<Self, ConfigProblems> {
        // In the order of the alphabet, so that the same mistakes give the same message.
        let environment: BTreeMap<_, _> = environment.collect();
        let mut values = Values::default();
        let mut findings = Findings::default();
        let file_is_readable = read_file(arguments, &environment, working_directory, &mut values, &mut findings);
        environment::read(&environment, &mut values, &mut findings);
        arguments::read(arguments, &mut values, &mut findings);
        // What a broken file leaves unset is no problem of its own.
        let config = if file_is_readable { read_sections(&values, &environment, &mut findings, working_directory) } else { None };
        match config {
            Some(config) if findings.problems.is_empty() => Ok(Self { warnings: findings.warnings, ..config }),
            _ => Err(ConfigProblems::new(findings.problems)),
        }
    }
}

/// Reads the configuration file, if there is one. Returns whether the rest can be judged.
fn read_file(
    arguments: &Arguments,
    environment: &BTreeMap<String, String>,
    working_directory: &Path,
    values: &mut Values,
    findings: &mut Findings,
) -> bool {
    let of_variable = environment.get(FILE_VARIABLE).filter(|path| !path.is_empty());
    let (path, source) = match (&arguments.config, of_variable) {
        (Some(path), _) => (path.clone(), Some(Source::Flag("--config".to_owned()))),
        (None, Some(path)) => (PathBuf::from(path), Some(Source::Environment(FILE_VARIABLE.to_owned()))),
        (None, None) => (PathBuf::from(DEFAULT_FILE), None),
    };
    let shown = path.display().to_string();
    match std::fs::read_to_string(working_directory.join(&path)) {
        Ok(text) => file::read(&shown, &text, values, findings),
        Err(error) if source.is_none() && error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => {
            let fix = "Check the path and who may read the file, and that it holds text.";
            findings.problem(shown, format!("The configuration file cannot be read: {error}."), fix, source);
            false
        }
    }
}

fn read_sections(
    values: &Values,
    environment: &BTreeMap<String, String>,
    findings: &mut Findings,
    working_directory: &Path,
) -> Option<Config> {
    let provider_elements = values.elements(&providers::SECTION);
    let provider_ids: Vec<_> = provider_elements.iter().map(|element| element.name.as_str()).collect();
    let mut tables = Tables { values, findings, working_directory };

    let providers =
        each(provider_elements, |element| ProviderConfig::read(&mut tables.element(&providers::SECTION, element), &element.name));
    let avatar_hosts: BTreeSet<_> = providers.iter().flatten().filter_map(ProviderConfig::avatar_host).collect();
    let server = ServerConfig::read(&mut tables.section(&server::SECTION), avatar_hosts.into_iter().collect());
    let session = SessionConfig::read(&mut tables.section(&session::SECTION), server.as_ref().map(|server| server.data_dir.as_path()));
    let neighbours = demo::Neighbours {
        public_url: server.as_ref().map(|server| &server.public_url),
        server_listen: server.as_ref().map(|server| server.listen),
        providers: &provider_ids,
    };
    let demo = DemoConfig::read(&mut tables.section(&demo::SECTION), &neighbours);
    // One that cannot be read has its own problems; what it would have been is not held against anybody.
    let is_openid = |id: &str| {
        let provider = providers.iter().flatten().find(|provider| provider.id == id);
        provider.is_none_or(ProviderConfig::is_openid)
    };
    let provable = |id: &str| {
        let provider = providers.iter().flatten().find(|provider| provider.id == id);
        provider.map_or(Provable::EVERYTHING, ProviderConfig::provable)
    };
    let mut known_providers: Vec<_> =
        provider_ids.iter().map(|&id| KnownProvider { id, is_openid: is_openid(id), provable: provable(id) }).collect();
    if demo.as_ref().is_some_and(|demo| demo.enabled) {
        known_providers.push(KnownProvider { id: demo::ID, is_openid: true, provable: Provable::DEMO });
    }
    let upstreams = each(values.elements(&upstreams::SECTION), |element| {
        UpstreamConfig::read(&mut tables.element(&upstreams::SECTION, element), &element.name, &known_providers)
    });
    let outbound = OutboundConfig::read(&mut tables.section(&outbound::SECTION), environment);
    let limits = LimitsConfig::read(&mut tables.section(&limits::SECTION));
    let public_url = server.as_ref().map(|server| &server.public_url);
    let flow = FlowConfig::read(&mut tables.section(&flow::SECTION), public_url);
    let log = LogConfig::read(&mut tables.section(&log::SECTION));
    Some(Config {
        server: server?,
        session: session?,
        providers: providers?,
        upstreams: upstreams?,
        outbound: outbound?,
        limits: limits?,
        demo: demo?,
        flow: flow?,
        log: log?,
        warnings: Vec::new(),
    })
}

/// What a reader of a table needs.
struct Tables<'a> {
    values: &'a Values,
    findings: &'a mut Findings,
    working_directory: &'a Path,
}

impl Tables<'_> {
    fn section(&mut self, section: &Section) -> Reader<'_> {
        Reader::new(self.values, self.findings, self.working_directory, section.name.to_owned(), None)
    }

    fn element(&mut self, section: &Section, element: &Element) -> Reader<'_> {
        let table = format!("{}.{}", section.name, element.name);
        Reader::new(self.values, self.findings, self.working_directory, table, Some(element.source.clone()))
    }
}

/// Reads every element, also when one before it cannot be read.
fn each<T>(elements: &[Element], read: impl FnMut(&Element) -> Option<T>) -> Option<Vec<T>> {
    let all: Vec<_> = elements.iter().map(read).collect();
    all.into_iter().collect()
}
