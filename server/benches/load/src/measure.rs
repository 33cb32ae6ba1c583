//! The measurement: everything is started, then given work in turns, so that what disturbs one disturbs all.

use crate::{
    baseline,
    client::Connection,
    database::Database,
    figures::{Cost, Figures, Machine, Quantity, median, microseconds, percentile},
    nginx::Nginx,
    process::{Process, free_address},
    scenario::{PROXIED, Reference, Scenario, Subjects, Target, is_there, signed_in, warm_up},
    server::{Server, Setup},
    store::{self, Place, StoreKind},
};
use anyhow::{Context as _, Result};
use http::{Method, StatusCode};
use http_body_util::Full;
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

/// How many people sign in, to read their sessions again and again.
const PEOPLE: usize = 64;

/// How often a server is started to see how long that takes.
const STARTS: usize = 15;

/// With how many sessions the memory is looked at.
const SESSIONS_IN_MEMORY: usize = 100_000;

/// All requests come from one address and few sessions, which the server would take for a flood. The limits count, but never refuse.
/// And it is on this machine, where the server would record every login for whoever develops an app.
const AS_ELSEWHERE: &str = "[flow]
enabled = false

[limits]
login_starts = \"1000000/s\"
code_exchanges = \"1000000/s\"
requests = \"1000000/s\"
session_calls = \"1000000/s\"
";

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// What to measure, and how thoroughly.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The release of the server
    #[arg(long)]
    server: PathBuf,
    /// Where everything keeps its files; emptied first
    #[arg(long)]
    directory: PathBuf,
    /// Where to write the figures as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Measure these stores only
    #[arg(long, value_enum)]
    store: Vec<StoreKind>,
    /// Measure these requests only
    #[arg(long, value_enum)]
    scenario: Vec<Scenario>,
    /// Read sessions with so many in the store; without this 1000, 100000 and 1000000
    #[arg(long)]
    sessions: Vec<usize>,
    /// Leave out the reading with many sessions in the store
    #[arg(long)]
    few: bool,
    /// Leave out memory and start
    #[arg(long)]
    requests_only: bool,
    /// A few rounds only, for a first look
    #[arg(long)]
    quick: bool,
    /// How many connections the browsers keep
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// More lines for the server's configuration
    #[arg(long, default_value = "")]
    configuration: String,
}

impl Arguments {
    /// Rounds, and requests in a slice of each.
    const fn effort(&self) -> (usize, usize) {
        if self.quick { (5, 1_000) } else { (15, 3_000) }
    }

    fn stores(&self) -> Vec<StoreKind> {
        if self.store.is_empty() { StoreKind::ALL.to_vec() } else { self.store.clone() }
    }

    fn scenarios(&self) -> Vec<Scenario> {
        if self.scenario.is_empty() { Scenario::ALL.to_vec() } else { self.scenario.clone() }
    }

    fn sessions(&self) -> Vec<usize> {
        match (self.few, self.sessions.is_empty(), self.quick) {
            (true, ..) => Vec::new(),
            (false, false, _) => self.sessions.clone(),
            (false, true, true) => vec![1_000],
            (false, true, false) => vec![1_000, 100_000, 1_000_000],
        }
    }
}

/// Measures and prints; whoever misses a target makes it fail.
pub(crate) async fn measure(arguments: &Arguments) -> Result<ExitCode> {
    match fs::remove_dir_all(&arguments.directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot empty {}", arguments.directory.display()));
        }
        _ => fs::create_dir_all(&arguments.directory)?,
    }
    let bench = Bench::start(arguments)?;
    let (rounds, requests) = arguments.effort();
    let connections = arguments.connections;
    let mut figures = Figures { machine: Machine::here(), rounds, requests, connections, costs: Vec::new(), quantities: Vec::new() };
    if !arguments.requests_only {
        bench.start_and_idle(&mut figures)?;
    }
    for kind in arguments.stores() {
        bench.store(kind, &mut figures).await?;
    }
    print!("\n{}", figures.table());
    if let Some(path) = &arguments.json {
        fs::write(path, serde_json::to_string_pretty(&figures)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(if figures.all_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What runs all the time: the provider with its API, and what the server is compared with.
struct Bench<'a> {
    arguments: &'a Arguments,
    peer: SocketAddr,
    _peer: Process,
    baseline: (Process, SocketAddr),
    nginx: Option<Nginx>,
}

impl<'a> Bench<'a> {
    fn start(arguments: &'a Arguments) -> Result<Self> {
        let directory = &arguments.directory;
        let (provider, peer) = role("peer", directory)?;
        let baseline = role("baseline", directory)?;
        let nginx = Nginx::start(&directory.join("nginx"), peer)?;
        if nginx.is_none() {
            say("nginx is not on this machine: a proxied call is not compared with anything");
        }
        Ok(Self { arguments, peer, _peer: provider, baseline, nginx })
    }

    fn setup(&self, name: &str, session: &str) -> Setup {
        Setup {
            program: self.arguments.server.clone(),
            directory: self.arguments.directory.join(name),
            peer: self.issuer(),
            session: session.to_owned(),
            extra: format!("{AS_ELSEWHERE}\n{}", self.arguments.configuration.replace("\\n", "\n")),
        }
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.peer)
    }

    /// The time from the start to the first answer, and the memory of a server that has nothing to do.
    fn start_and_idle(&self, figures: &mut Figures) -> Result<()> {
        say("start and idle memory");
        let setup = self.setup("start", "");
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            setup.forget()?;
            starts.push(milliseconds(setup.start()?.started_in));
        }
        figures.quantities.push(Quantity::new("start to first answer, new database", median(starts), "ms", Some(50.0)));
        let starts = (0..STARTS).map(|_| Ok(milliseconds(setup.start()?.started_in))).collect::<Result<Vec<_>>>()?;
        figures.quantities.push(Quantity::new("start to first answer, known database", median(starts), "ms", Some(50.0)));
        let server = setup.start()?;
        std::thread::sleep(Duration::from_secs(1));
        push_memory(figures, "idle", &server, Some(15.0))?;
        drop(server);
        let demo = self.setup("demo", "");
        let server = demo.start_demo()?;
        std::thread::sleep(Duration::from_secs(1));
        push_memory(figures, "idle with the demo provider", &server, None)
    }

    async fn store(&self, kind: StoreKind, figures: &mut Figures) -> Result<()> {
        let database = Database::start(kind)?;
        let setup = self.setup(kind.name(), &kind.settings(database.as_ref().map(|database| database.url.as_str())));
        let server = setup.start()?;
        let subjects = Subjects::sign_in(server.address, &self.issuer(), PEOPLE).await?;
        let mut works = vec![Work::Axum];
        works.extend(self.nginx.is_some().then_some(Work::Nginx));
        for scenario in self.arguments.scenarios() {
            if is_there(scenario, server.address, &subjects).await? {
                works.push(Work::Scenario(scenario));
            } else {
                say(&format!("{} is not measured: this server has no such address", scenario.name()));
            }
        }
        say(&format!("requests, with sessions in {}", kind.name()));
        let store = Stored { kind, setup, server, database };
        let measured = self.rounds(&works, &store, &subjects).await?;
        figures.costs.extend(works.iter().filter_map(|work| cost(*work, kind, None, &measured)));
        let template = store::key_of_cookie(&subjects.cookie(0))?;
        let mut there = 0;
        for count in self.arguments.sessions() {
            let database = store.setup.database();
            let place = match (kind, &store.database) {
                (StoreKind::Sqlite, _) => Place::Sqlite(&database),
                (StoreKind::Postgres, Some(database)) => Place::Postgres(&database.url),
                (StoreKind::Redis, Some(database)) => Place::Redis(&database.url),
                // Nobody gets into another process's memory; the store's own benchmark has the figures.
                _ => break,
            };
            say(&format!("session read with {count} sessions in {}", kind.name()));
            place.fill(template, there..count).await?;
            there = there.max(count);
            self.many(&store, count, figures).await?;
        }
        Ok(())
    }

    /// Reads any of so many sessions.
    async fn many(&self, store: &Stored, count: usize, figures: &mut Figures) -> Result<()> {
        let subjects = Subjects::many(&self.issuer(), count, store::cookie);
        let works = [Work::Axum, Work::Scenario(Scenario::SessionRead)];
        let measured = self.rounds(&works, store, &subjects).await?;
        let cost = |work: &Work| cost(*work, store.kind, Some(count), &measured);
        figures.costs.extend(works.iter().filter_map(cost).map(|cost| Cost { target: None, met: None, ..cost }));
        if store.kind == StoreKind::Sqlite && count == SESSIONS_IN_MEMORY {
            push_memory(figures, &format!("{count} sessions in SQLite"), &store.server, Some(60.0))?;
        }
        Ok(())
    }

    /// Gives everybody work in turns.
    async fn rounds(&self, works: &[Work], store: &Stored, subjects: &Subjects) -> Result<BTreeMap<Work, Vec<Measured>>> {
        let (rounds, requests) = self.arguments.effort();
        let mut measured: BTreeMap<Work, Vec<Measured>> = BTreeMap::new();
        for round in 0..rounds {
            // Every round asks for other sessions, so that of many most have to come from the store.
            let first = round * requests;
            for work in works {
                let (process, address) = match work {
                    Work::Axum => (&self.baseline.0, self.baseline.1),
                    Work::Nginx => {
                        let nginx = self.nginx.as_ref().context("nginx does not run")?;
                        (&nginx.process, nginx.address)
                    }
                    Work::Scenario(_) => (&store.server.process, store.server.address),
                };
                let exchange = async |connection: &mut Connection, index: usize| work.exchange(connection, subjects, first + index).await;
                let mut crowd = warm_up(address, self.arguments.connections, &exchange).await?;
                if let Work::Scenario(scenario) = work {
                    scenario.prepare(&mut crowd, subjects, requests / scenario.rarity()).await?;
                }
                let database = store.database.as_ref().filter(|_| matches!(work, Work::Scenario(_)));
                let database_before = database.map(Database::time).transpose()?;
                let before = process.time()?;
                let slice = crowd.work(requests / work.rarity(), &exchange).await.with_context(|| format!("{work:?}"))?;
                let time = process.time()?.since(&before);
                let count = u32::try_from(slice.latencies.len())?;
                let each = |time: Duration| microseconds(time) / f64::from(count);
                let database_time = match (database, database_before) {
                    (Some(database), Some(before)) => Some(database.time()?.since(&before)),
                    _ => None,
                };
                measured.entry(*work).or_default().push(Measured {
                    processor: each(time),
                    database: database_time.map(each),
                    requests_per_second: f64::from(count) / slice.duration.as_secs_f64(),
                    median: microseconds(percentile(&slice.latencies, 50)),
                    percentile_99: microseconds(percentile(&slice.latencies, 99)),
                });
            }
        }
        Ok(measured)
    }
}

/// A server with its store.
struct Stored {
    kind: StoreKind,
    setup: Setup,
    server: Server,
    database: Option<Database>,
}

/// What one of the processes is given to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Axum,
    Nginx,
    Scenario(Scenario),
}

impl Work {
    const fn rarity(self) -> usize {
        match self {
            Self::Axum | Self::Nginx => 1,
            Self::Scenario(scenario) => scenario.rarity(),
        }
    }

    /// Everybody is asked with the same fields.
    async fn exchange(self, connection: &mut Connection, subjects: &Subjects, index: usize) -> Result<()> {
        let path = match self {
            Self::Axum => baseline::PATH,
            Self::Nginx => PROXIED,
            Self::Scenario(scenario) => return scenario.exchange(connection, subjects, index).await,
        };
        let request = signed_in(connection, path, &subjects.cookie(index)).method(Method::GET).body(Full::default())?;
        connection.send(request).await?.expect(StatusCode::OK)?;
        Ok(())
    }
}

/// One slice of work.
struct Measured {
    processor: f64,
    database: Option<f64>,
    requests_per_second: f64,
    median: f64,
    percentile_99: f64,
}

/// The medians of all rounds; the ratio is that of the same round.
fn cost(work: Work, kind: StoreKind, sessions: Option<usize>, measured: &BTreeMap<Work, Vec<Measured>>) -> Option<Cost> {
    let own = measured.get(&work)?;
    let of = |value: fn(&Measured) -> f64| median(own.iter().map(value).collect());
    let processor = of(|measured| measured.processor);
    let (what, reference, target) = match work {
        Work::Axum => ("bare axum JSON route", None, None),
        Work::Nginx => ("nginx, proxied call", None, None),
        Work::Scenario(scenario) => (scenario.name(), Some(scenario.reference()), scenario.target()),
    };
    let other = reference.and_then(|reference| match reference {
        Reference::Axum => measured.get(&Work::Axum).map(|rounds| ("axum", rounds)),
        Reference::Nginx => measured.get(&Work::Nginx).map(|rounds| ("nginx", rounds)),
    });
    let ratio = other.map(|(_, rounds)| median(own.iter().zip(rounds).map(|(own, other)| own.processor / other.processor).collect()));
    Some(Cost {
        what: what.to_owned(),
        store: matches!(work, Work::Scenario(_)).then(|| kind.name()),
        sessions,
        processor,
        database: own.iter().map(|measured| measured.database).collect::<Option<Vec<_>>>().map(median),
        ratio,
        reference: other.map(|(name, _)| name),
        target: target.map(Target::words),
        met: target.and_then(|target| target.is_met(processor, ratio)),
        requests_per_second: of(|measured| measured.requests_per_second),
        median: of(|measured| measured.median),
        percentile_99: of(|measured| measured.percentile_99),
    })
}

/// Starts this program in another role.
fn role(name: &str, directory: &Path) -> Result<(Process, SocketAddr)> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args([name, &address.to_string()]);
    let mut process = Process::start(&mut command, &directory.join(format!("{name}.log")))?;
    process.wait_for_listener(address)?;
    Ok((process, address))
}

fn push_memory(figures: &mut Figures, when: &str, server: &Server, limit: Option<f64>) -> Result<()> {
    let memory = server.process.memory()?;
    #[expect(clippy::cast_precision_loss, reason = "no process has so much memory")]
    let mebibytes = |bytes: u64| bytes as f64 / MEBIBYTE;
    figures.quantities.push(Quantity::new(format!("memory, {when}: resident"), mebibytes(memory.resident), "MiB", limit));
    figures.quantities.push(Quantity::new(format!("memory, {when}: proportional"), mebibytes(memory.proportional), "MiB", None));
    figures.quantities.push(Quantity::new(format!("memory, {when}: anonymous"), mebibytes(memory.anonymous), "MiB", None));
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn say(text: &str) {
    eprintln!("• {text}");
}
