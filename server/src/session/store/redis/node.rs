//! The connection to one server, and what becomes of it: made when it is needed, by one for all, given up when it breaks, found anew.

use super::{
    address::RedisAddress,
    call::{Call, too_late},
};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _, ProtocolVersion, PushInfo, PushKind,
    RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind, TlsCertificates, TlsMode, Value,
    aio::{ConnectionLike as _, MultiplexedConnection, PubSub},
    io::tcp::TcpSettings,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use secrecy::ExposeSecret as _;
use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1800);

/// How long an answer may take.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long nobody tries again after a connection did not come about, the first time and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How many commands may wait to be written.
const COMMANDS_QUEUED: usize = 1024;

/// A server, or whichever server is the master.
pub(super) struct Node {
    way: Way,
    live: Arc<Live>,
    /// Held by whoever is connecting; what came of it the last time, if it failed.
    connecting: tokio::sync::Mutex<Option<Failed>>,
}

enum Way {
    Server(Client),
    Master(tokio::sync::Mutex<SentinelClient>),
}

struct Failed {
    error: RedisError,
    pause: Duration,
    until: Instant,
}

/// The connection that is in use.
#[derive(Default)]
struct Live {
    connection: Mutex<Option<(u64, MultiplexedConnection)>>,
    made: AtomicU64,
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, Option<(u64, MultiplexedConnection)>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self) -> Option<(u64, MultiplexedConnection)> {
        self.lock().clone()
    }

    /// Gives a connection up, unless there is another already.
    fn forget(&self, number: u64) {
        let given_up = self.lock().take_if(|(current, _)| *current == number);
        // Only now, when the lock is free again: its end may come back to here.
        drop(given_up);
    }
}

/// Why a server did not do it.
pub(super) enum Undone {
    /// There is no connection; nothing was sent.
    Unconnected(RedisError),
    /// It said so, or said nothing, on the connection of this number.
    Answered(u64, RedisError),
}

impl Node {
    pub(super) fn server(info: ConnectionInfo) -> RedisResult<Self> {
        Ok(Self::by(Way::Server(Client::open(info)?)))
    }

    pub(super) fn master(client: SentinelClient) -> Self {
        Self::by(Way::Master(tokio::sync::Mutex::new(client)))
    }

    fn by(way: Way) -> Self {
        Self { way, live: Arc::default(), connecting: tokio::sync::Mutex::default() }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.live.lock().is_some()
    }

    /// Asks for something; `asking` is for a slot that is being moved here.
    pub(super) async fn ask(&self, call: &Call, asking: bool) -> Result<Value, Undone> {
        let (number, mut connection) = self.connection().await.map_err(Undone::Unconnected)?;
        let answer = if asking { ask_for_a_moving_slot(&mut connection, call).await } else { ask(&mut connection, call).await };
        answer.map_err(|error| Undone::Answered(number, error))
    }

    /// Gives a connection up, for another to be made.
    pub(super) fn give_up(&self, number: u64) {
        self.live.forget(number);
    }

    /// The connection; if there is none, one makes it for all, and after a failure nobody for a while.
    async fn connection(&self) -> RedisResult<(u64, MultiplexedConnection)> {
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
        match timeout(CONNECT_TIMEOUT, self.connect()).await.unwrap_or_else(|_| Err(too_late())) {
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

    async fn connect(&self) -> RedisResult<(u64, MultiplexedConnection)> {
        let number = self.live.made.fetch_add(1, Ordering::Relaxed);
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
        let connection = self.client().await?.get_multiplexed_async_connection_with_config(&config).await?;
        *self.live.lock() = Some((number, connection.clone()));
        Ok((number, connection))
    }

    async fn client(&self) -> RedisResult<Client> {
        match &self.way {
            Way::Server(client) => Ok(client.clone()),
            Way::Master(sentinels) => sentinels.lock().await.async_get_client().await,
        }
    }

    /// A connection of its own for listening to a channel.
    pub(super) async fn listen(&self, channel: &str) -> RedisResult<PubSub> {
        let mut connection = self.client().await?.get_async_pubsub().await?;
        connection.subscribe(channel).await?;
        Ok(connection)
    }

    /// Lets go of the connection.
    pub(super) fn close(&self) {
        let last = self.live.lock().take();
        drop(last);
    }
}

async fn ask(connection: &mut MultiplexedConnection, call: &Call) -> RedisResult<Value> {
    let answer = connection.req_packed_command(&call.command).await.and_then(Value::extract_error);
    match answer {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            let text = call.with_text().ok_or(error)?;
            connection.req_packed_command(&text).await?.extract_error()
        }
        answer => answer,
    }
}

/// The permission to ask holds for one command, so a script is sent whole: the server may not know it.
async fn ask_for_a_moving_slot(connection: &mut MultiplexedConnection, call: &Call) -> RedisResult<Value> {
    let mut both = redis::pipe();
    both.cmd("ASKING").add_command(call.with_text().unwrap_or_else(|| call.command.clone()));
    let answers = connection.req_packed_commands(&both, 0, 2).await?.into_iter().map(Value::extract_error);
    answers.collect::<RedisResult<Vec<_>>>()?.pop().ok_or_else(too_late)
}

/// What is to be trusted; nothing without TLS.
pub(super) fn certificates(address: &RedisAddress, roots: Option<&[u8]>) -> Option<TlsCertificates> {
    address.tls.then(|| TlsCertificates { client_tls: None, root_cert: roots.map(<[u8]>::to_vec) })
}

/// How to reach one server and sign in there.
pub(super) fn server(address: &RedisAddress, host: &str, port: u16, certificates: Option<&TlsCertificates>) -> RedisResult<ConnectionInfo> {
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

/// How to find the master of a name.
pub(super) fn sentinel(
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

fn tcp_settings() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}
