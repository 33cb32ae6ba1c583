//! The connection, and what becomes of it: made when it is needed, by one for all, given up when it breaks, found anew.

use super::{
    address::{RedisAddress, Topology},
    script::Source,
};
use crate::session::store::StoreError;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, FromRedisValue, IntoConnectionInfo as _,
    ProtocolVersion, PushInfo, PushKind, RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind, TlsCertificates, TlsMode,
    ToRedisArgs, Value,
    aio::{ConnectionLike as _, MultiplexedConnection, PubSub},
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async::ClusterConnection,
    cluster_routing::{RoutingInfo, SingleNodeRoutingInfo},
    io::tcp::TcpSettings,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use secrecy::ExposeSecret as _;
use std::{
    convert::Infallible,
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an answer may take.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long anything may take altogether.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// How long nobody tries again after a connection did not come about, the first time and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long to wait before something that was not done is asked for again, the first time and at most.
const FIRST_RETRY: Duration = Duration::from_millis(10);
const LONGEST_RETRY: Duration = Duration::from_millis(160);

/// How many commands may wait to be written.
const COMMANDS_QUEUED: usize = 1024;

/// Something to ask of Redis.
pub(super) struct Call {
    what: What,
    /// Whether it may be done twice.
    repeatable: bool,
}

enum What {
    Plain(Cmd),
    Script { by_hash: Cmd, by_text: Cmd },
}

impl Call {
    /// A command that may be repeated when nobody knows whether it was done: one that reads, or that comes to the same the second time.
    pub(super) fn repeatable(name: &str) -> Self {
        Self { what: What::Plain(redis::cmd(name)), repeatable: true }
    }

    /// A command that is not repeated.
    pub(super) fn once(name: &str) -> Self {
        Self { what: What::Plain(redis::cmd(name)), repeatable: false }
    }

    /// A script, which is not repeated.
    pub(super) fn script(source: &Source, keys: &[&str]) -> Self {
        let mut by_hash = redis::cmd("EVALSHA");
        by_hash.arg(&source.hash).arg(keys.len()).arg(keys);
        let mut by_text = redis::cmd("EVAL");
        by_text.arg(source.text).arg(keys.len()).arg(keys);
        Self { what: What::Script { by_hash, by_text }, repeatable: false }
    }

    /// With one more argument.
    pub(super) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        match &mut self.what {
            What::Plain(command) => {
                command.arg(argument);
            }
            What::Script { by_hash, by_text } => {
                by_hash.arg(&argument);
                by_text.arg(argument);
            }
        }
        self
    }
}

/// Why Redis did not do what it was asked: a kind of error, and of the rest what repeats nothing that was sent there.
#[derive(Debug)]
pub(super) struct Trouble {
    what: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl std::error::Error for Trouble {}

impl From<&RedisError> for Trouble {
    fn from(error: &RedisError) -> Self {
        let what = match (error.kind(), error.code()) {
            (ErrorKind::Server(_) | ErrorKind::Extension, code) => {
                // A server that does not know a command repeats its arguments.
                let detail = error.detail().and_then(|detail| detail.split(", with args").next()).unwrap_or_default();
                format!("{} {detail}", code.unwrap_or("an error"))
            }
            (ErrorKind::Parse | ErrorKind::UnexpectedReturnType, _) => "Redis answered something else than expected".to_owned(),
            _ => error.to_string(),
        };
        Self { what }
    }
}

fn failed(error: &RedisError) -> StoreError {
    StoreError::new(Trouble::from(error))
}

/// The way to Redis.
pub(super) struct Link {
    way: Way,
    live: Arc<Live>,
    /// Held by whoever is connecting; what came of it the last time, if it failed.
    connecting: tokio::sync::Mutex<Option<Failed>>,
}

enum Way {
    Node(Client),
    Sentinel(tokio::sync::Mutex<SentinelClient>),
    Cluster {
        client: ClusterClient,
        /// For listening, which needs one node; another one each time.
        nodes: Vec<Client>,
        next: AtomicUsize,
    },
}

struct Failed {
    error: RedisError,
    pause: Duration,
    until: Instant,
}

/// The connection that is in use.
#[derive(Default)]
struct Live {
    connection: Mutex<Option<(u64, Connection)>>,
    made: AtomicU64,
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, Option<(u64, Connection)>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self) -> Option<(u64, Connection)> {
        self.lock().clone()
    }

    /// Gives a connection up, unless there is another already.
    fn forget(&self, number: u64) {
        let given_up = self.lock().take_if(|(current, _)| *current == number);
        // Only now, when the lock is free again: its end may come back to here.
        drop(given_up);
    }
}

#[derive(Clone)]
enum Connection {
    Node(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    async fn ask(&mut self, call: &Call) -> RedisResult<Value> {
        match &call.what {
            What::Plain(command) => self.send(command, command).await,
            What::Script { by_hash, by_text } => match self.send(by_hash, by_text).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => self.send(by_text, by_text).await,
                other => other,
            },
        }
    }

    /// Sends a command; where a slot is being moved, what is to be sent to its next node.
    async fn send(&mut self, command: &Cmd, elsewhere: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Node(connection) => connection.req_packed_command(command).await?.extract_error(),
            Self::Cluster(connection) => match connection.req_packed_command(command).await.and_then(Value::extract_error) {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) => follow(connection, &error, elsewhere).await,
                other => other,
            },
        }
    }
}

/// Asks the node that a slot is being moved to.
async fn follow(connection: &mut ClusterConnection, error: &RedisError, command: &Cmd) -> RedisResult<Value> {
    let target = error.redirect_node().and_then(|(address, _)| address.rsplit_once(':'));
    let Some((host, port)) = target.and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?))) else { return Err(error.clone()) };
    let mut both = redis::pipe();
    both.cmd("ASKING").add_command(command.clone());
    let route = SingleNodeRoutingInfo::ByAddress { host, port };
    let answers = connection.route_pipeline(both, 0, 2, route).await?.into_iter().map(Value::extract_error);
    answers.collect::<RedisResult<Vec<_>>>()?.pop().ok_or_else(|| error.clone())
}

/// What an error means for whoever asked.
enum Meaning {
    /// It was not done, and may be soon.
    NotYet,
    /// It was not done, and will not be on this connection.
    NotHere,
    /// Nobody knows whether it was done.
    Lost,
    /// It was refused.
    Refused,
}

fn meaning(error: &RedisError) -> Meaning {
    match error.kind() {
        ErrorKind::Server(
            ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask
            | ServerErrorKind::BusyLoading,
        )
        | ErrorKind::ClusterConnectionNotFound => Meaning::NotYet,
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => Meaning::NotHere,
        ErrorKind::Io | ErrorKind::Parse => Meaning::Lost,
        _ => Meaning::Refused,
    }
}

impl Link {
    /// Prepares the way; nothing is connected yet.
    ///
    /// # Errors
    /// When the certificates cannot be read.
    pub(super) fn new(address: &RedisAddress, root_certificates: Option<&[u8]>) -> RedisResult<Self> {
        let certificates = address.tls.then(|| TlsCertificates { client_tls: None, root_cert: root_certificates.map(<[u8]>::to_vec) });
        let nodes =
            address.hosts.iter().map(|(host, port)| node(address, host, *port, certificates.as_ref())).collect::<RedisResult<Vec<_>>>()?;
        let way = match &address.topology {
            Topology::Single => {
                let info =
                    nodes.into_iter().next().ok_or_else(|| RedisError::from((ErrorKind::InvalidClientConfig, "there is no host")))?;
                Way::Node(Client::open(info)?)
            }
            Topology::Sentinel { master } => Way::Sentinel(tokio::sync::Mutex::new(sentinel(address, master, &nodes, certificates)?)),
            Topology::Cluster => {
                let mut builder = ClusterClientBuilder::new(nodes.clone())
                    .use_protocol(ProtocolVersion::RESP3)
                    .tcp_settings(tcp_settings())
                    .connection_timeout(CONNECT_TIMEOUT)
                    .response_timeout(RESPONSE_TIMEOUT)
                    // What may be asked again is decided here, because the library would repeat what may have been done.
                    .retries(0);
                if let Some(certificates) = certificates {
                    builder = builder.certs(certificates);
                }
                let clients = nodes.into_iter().map(Client::open).collect::<RedisResult<_>>()?;
                Way::Cluster { client: builder.build()?, nodes: clients, next: AtomicUsize::new(0) }
            }
        };
        Ok(Self { way, live: Arc::default(), connecting: tokio::sync::Mutex::default() })
    }

    /// Asks Redis for something.
    ///
    /// # Errors
    /// When it is not known to be done within [`PATIENCE`].
    pub(super) async fn run<T: FromRedisValue>(&self, call: Call) -> Result<T, StoreError> {
        let value = self.try_run(&call).await.map_err(|error| failed(&error))?;
        T::from_redis_value(value).map_err(|error| failed(&error.into()))
    }

    /// The same, with what the library says.
    pub(super) async fn try_run(&self, call: &Call) -> RedisResult<Value> {
        let mut last = None;
        let persisting = timeout(PATIENCE, self.persist(call, &mut last)).await;
        persisting.unwrap_or_else(|_| Err(last.unwrap_or_else(too_late)))
    }

    /// Asks until it is done or refused; `last` is why it is not done yet.
    async fn persist(&self, call: &Call, last: &mut Option<RedisError>) -> RedisResult<Value> {
        let mut pause = FIRST_RETRY;
        let mut may_repeat = call.repeatable;
        loop {
            let (number, mut connection) = self.connection().await?;
            let error = match connection.ask(call).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let meaning = meaning(&error);
            if matches!(meaning, Meaning::NotHere | Meaning::Lost) {
                self.give_up(number);
            }
            match meaning {
                Meaning::Refused => return Err(error),
                Meaning::Lost if !std::mem::take(&mut may_repeat) => return Err(error),
                Meaning::Lost => {}
                Meaning::NotYet | Meaning::NotHere => {
                    *last = Some(error);
                    sleep(pause).await;
                }
            }
            pause = (pause * 2).min(LONGEST_RETRY);
        }
    }

    /// One node's connection is made anew as a whole; of a Cluster's the library mends the part that broke.
    fn give_up(&self, number: u64) {
        if !matches!(self.way, Way::Cluster { .. }) {
            self.live.forget(number);
        }
    }

    /// The connection; if there is none, one makes it for all, and after a failure nobody for a while.
    async fn connection(&self) -> RedisResult<(u64, Connection)> {
        if let Some(live) = self.live.get() {
            return Ok(live);
        }
        let mut last = self.connecting.lock().await;
        if let Some(live) = self.live.get() {
            return Ok(live);
        }
        if let Some(failed) = &*last
            && Instant::now() < failed.until
        {
            return Err(failed.error.clone());
        }
        match timeout(RESPONSE_TIMEOUT, self.connect()).await.unwrap_or_else(|_| Err(too_late())) {
            Ok(made) => {
                *last = None;
                Ok(made)
            }
            Err(error) => {
                let pause = last.as_ref().map_or(FIRST_PAUSE, |failed| (failed.pause * 2).min(LONGEST_PAUSE));
                *last = Some(Failed { error: error.clone(), pause, until: Instant::now() + pause });
                Err(error)
            }
        }
    }

    async fn connect(&self) -> RedisResult<(u64, Connection)> {
        let number = self.live.made.fetch_add(1, Ordering::Relaxed);
        let connection = match &self.way {
            Way::Node(client) => Connection::Node(self.connect_node(client, number).await?),
            Way::Sentinel(sentinel) => {
                let master = sentinel.lock().await.async_get_client().await?;
                Connection::Node(self.connect_node(&master, number).await?)
            }
            Way::Cluster { client, .. } => Connection::Cluster(client.get_async_connection().await?),
        };
        *self.live.lock() = Some((number, connection.clone()));
        Ok((number, connection))
    }

    async fn connect_node(&self, client: &Client, number: u64) -> RedisResult<MultiplexedConnection> {
        // What waits on a closed connection would not be known to be undone, so nothing is sent there once it is known to be closed.
        let live: Weak<Live> = Arc::downgrade(&self.live);
        let on_push = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection
                && let Some(live) = live.upgrade()
            {
                live.forget(number);
            }
            Ok::<_, Infallible>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_pipeline_buffer_size(COMMANDS_QUEUED)
            .set_push_sender(on_push);
        client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// A connection of its own for listening to a channel.
    pub(super) async fn listen(&self, channel: &str) -> RedisResult<PubSub> {
        let listening = async {
            let mut connection = match &self.way {
                Way::Node(client) => client.get_async_pubsub().await?,
                Way::Sentinel(sentinel) => {
                    let master = sentinel.lock().await.async_get_client().await?;
                    master.get_async_pubsub().await?
                }
                Way::Cluster { nodes, next, .. } => {
                    let turn = next.fetch_add(1, Ordering::Relaxed) % nodes.len();
                    nodes[turn].get_async_pubsub().await?
                }
            };
            connection.subscribe(channel).await?;
            Ok(connection)
        };
        timeout(PATIENCE, listening).await.unwrap_or_else(|_| Err(too_late()))
    }

    /// What a server says of itself, if it may be asked.
    pub(super) async fn about(&self) -> Option<String> {
        let info = redis::cmd("INFO");
        let ask = async {
            let value = match self.connection().await.ok()?.1 {
                Connection::Node(mut connection) => connection.req_packed_command(&info).await,
                Connection::Cluster(mut connection) => {
                    connection.route_command(info, RoutingInfo::SingleNode(SingleNodeRoutingInfo::RandomPrimary)).await
                }
            };
            String::from_redis_value(value.ok()?.extract_error().ok()?).ok()
        };
        timeout(PATIENCE, ask).await.ok()?
    }

    /// Lets go of the connection.
    pub(super) fn close(&self) {
        let last = self.live.lock().take();
        drop(last);
    }
}

fn too_late() -> RedisError {
    io::Error::new(io::ErrorKind::TimedOut, "Redis did not answer in time").into()
}

fn tcp_settings() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

/// How to reach one server and sign in there.
fn node(address: &RedisAddress, host: &str, port: u16, certificates: Option<&TlsCertificates>) -> RedisResult<ConnectionInfo> {
    let mut settings = RedisConnectionInfo::default()
        .set_protocol(ProtocolVersion::RESP3)
        .set_db(address.database)
        .set_lib_name("oauth2flow", env!("CARGO_PKG_VERSION"));
    if let Some(username) = &address.username {
        settings = settings.set_username(username);
    }
    if let Some(password) = &address.password {
        settings = settings.set_password(password.expose_secret());
    }
    let place = match certificates {
        Some(_) => ConnectionAddr::TcpTls { host: host.to_owned(), port, insecure: false, tls_params: None },
        None => ConnectionAddr::Tcp(host.to_owned(), port),
    };
    let info = place.into_connection_info()?.set_tcp_settings(tcp_settings()).set_redis_settings(settings);
    match certificates {
        // The one way to give an address its certificates.
        Some(certificates) => Ok(Client::build_with_tls(info, certificates.clone())?.get_connection_info().clone()),
        None => Ok(info),
    }
}

fn sentinel(
    address: &RedisAddress,
    master: &str,
    sentinels: &[ConnectionInfo],
    certificates: Option<TlsCertificates>,
) -> RedisResult<SentinelClient> {
    let places = sentinels.iter().map(|sentinel| sentinel.addr().clone());
    let mut builder = SentinelClientBuilder::new(places, master, SentinelServerType::Master)?
        .set_client_to_redis_protocol(ProtocolVersion::RESP3)
        .set_client_to_redis_db(address.database)
        .set_client_to_redis_tcp_settings(tcp_settings())
        .set_client_to_sentinel_tcp_settings(tcp_settings());
    if let Some(certificates) = certificates {
        builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure).set_client_to_redis_certificates(certificates);
    }
    if let Some(username) = &address.username {
        builder = builder.set_client_to_redis_username(username);
    }
    if let Some(password) = &address.password {
        builder = builder.set_client_to_redis_password(password.expose_secret());
    }
    if let Some(username) = &address.sentinel_username {
        builder = builder.set_client_to_sentinel_username(username);
    }
    if let Some(password) = &address.sentinel_password {
        builder = builder.set_client_to_sentinel_password(password.expose_secret());
    }
    builder.build()
}
