//! Redis or Valkey, as people run it: one server, a set watched by Sentinel, and a Cluster, each with TLS or without.

use super::{
    address::free_address,
    authority::{Authority, Certificate},
    patience::{PATIENCE, wait_for},
};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose};
use redis::{Client, Cmd, Connection, ConnectionAddr, FromRedisValue, IntoConnectionInfo as _, RedisConnectionInfo, RedisResult, Value};
use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// What docs/redis.md says that a user needs.
pub(crate) const RIGHTS: &str = "-@all +get +set +getrange +setrange +del +unlink +pexpire +pttl +zadd +zrem +zscore +zrange +zrangebyscore \
                                 +zremrangebyscore +eval +evalsha +publish +subscribe +time +info +role +cluster|slots +asking";

const USER: &str = "app";
const PASSWORD: &str = "sentinel-redis-password";
/// That of replicas and sentinels, for whom there is the default user.
const INTERNAL_PASSWORD: &str = "sentinel-replica-password";

/// The name of the master that sentinels watch.
const MASTER: &str = "sessions";

/// What to run, and how it speaks.
pub(crate) struct Kind {
    program: &'static str,
    wire: Wire,
}

impl Kind {
    /// Redis, which is spoken to in this way.
    pub(crate) const fn redis(wire: Wire) -> Self {
        Self { program: "redis-server", wire }
    }

    /// Valkey, which is spoken to in this way.
    pub(crate) const fn valkey(wire: Wire) -> Self {
        Self { program: "valkey-server", wire }
    }

    /// The authority to trust, in PEM.
    pub(crate) fn roots(&self) -> Option<&[u8]> {
        match &self.wire {
            Wire::Plain => None,
            Wire::Tls { authority, .. } => Some(authority.as_bytes()),
        }
    }
}

/// How everybody speaks: those who ask, the servers among each other, and those who watch them.
pub(crate) enum Wire {
    /// As it comes.
    Plain,
    /// TLS alone.
    Tls {
        /// Who issued the certificate, in PEM.
        authority: String,
        /// That of every server, for the name by which they call each other.
        certificate: Certificate,
    },
}

impl Wire {
    pub(crate) fn tls() -> Self {
        let authority = Authority::new();
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        // The nodes of a Cluster show it to each other, whoever has called whom.
        parameters.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        Self::Tls { authority: authority.pem(), certificate: authority.issue(parameters, ExtendedKeyUsagePurpose::ServerAuth) }
    }

    const fn scheme(&self) -> &'static str {
        match self {
            Self::Plain => "redis",
            Self::Tls { .. } => "rediss",
        }
    }

    /// What servers are called: a certificate is for a name.
    const fn host(&self) -> &'static str {
        match self {
            Self::Plain => "127.0.0.1",
            Self::Tls { .. } => "localhost",
        }
    }

    /// What a server needs for it: settings, and in its directory files.
    fn prepare(&self, port: u16, directory: &Path) -> String {
        let Self::Tls { authority, certificate } = self else { return format!("bind 127.0.0.1\nport {port}\n") };
        for (name, text) in [("authority.pem", authority), ("certificate.pem", &certificate.chain), ("key.pem", &certificate.key)] {
            fs::write(directory.join(name), text).unwrap();
        }
        // On some machines the name stands for two addresses.
        format!(
            "bind 127.0.0.1 -::1\nport 0\ntls-port {port}\ntls-replication yes\ntls-auth-clients no\n\
             tls-ca-cert-file authority.pem\ntls-cert-file certificate.pem\ntls-key-file key.pem\n"
        )
    }

    /// What the nodes of a Cluster need besides: others are told the name and not the number.
    fn in_cluster(&self) -> String {
        match self {
            Self::Plain => String::new(),
            Self::Tls { .. } => {
                format!("tls-cluster yes\ncluster-announce-hostname {}\ncluster-preferred-endpoint-type hostname\n", self.host())
            }
        }
    }

    /// Whoever administers a server.
    fn client(&self, port: u16, password: Option<&str>) -> Client {
        let mut settings = RedisConnectionInfo::default();
        if let Some(password) = password {
            settings = settings.set_password(password);
        }
        let host = self.host().to_owned();
        let info = |place: ConnectionAddr| place.into_connection_info().unwrap().set_redis_settings(settings);
        match self {
            Self::Plain => Client::open(info(ConnectionAddr::Tcp(host, port))).unwrap(),
            Self::Tls { authority, .. } => {
                oauth2flow_protocol::install_crypto_provider();
                let roots = redis::TlsCertificates { client_tls: None, root_cert: Some(authority.clone().into_bytes()) };
                let place = ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None };
                Client::build_with_tls(info(place), roots).unwrap()
            }
        }
    }
}

/// A process with a port and a directory of its own. It can be ended and started again.
pub(crate) struct Node {
    program: &'static str,
    directory: TempDir,
    sentinel: bool,
    pub(crate) port: u16,
    client: Client,
    child: Option<Child>,
}

impl Node {
    /// Starts a server of these settings, and waits until it answers.
    fn server(kind: &Kind, settings: &str) -> Self {
        // What has been answered is written, though not on the disk yet: no machine stops, and a busy disk would keep callers waiting.
        Self::start(kind, &format!("save \"\"\nappendonly yes\nappendfsync no\n{settings}"), false)
    }

    /// The same of a sentinel, which keeps nothing.
    fn sentinel(kind: &Kind, settings: &str) -> Self {
        Self::start(kind, settings, true)
    }

    fn start(kind: &Kind, settings: &str, sentinel: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_address().port();
        let wire = kind.wire.prepare(port, directory.path());
        let common = format!("protected-mode no\ndir {}\n", directory.path().display());
        fs::write(directory.path().join("redis.conf"), format!("{common}{wire}{settings}\n")).unwrap();
        let password = settings.lines().find_map(|line| line.strip_prefix("requirepass "));
        let client = kind.wire.client(port, password);
        let mut node = Self { program: kind.program, directory, sentinel, port, client, child: None };
        node.start_again();
        node
    }

    /// Starts the process, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        let mut command = Command::new(self.program);
        command.arg(self.directory.path().join("redis.conf"));
        if self.sentinel {
            command.arg("--sentinel");
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("{} cannot be started, Debian's package has it: {error}", self.program)));
        wait_for(|| self.try_ask::<String>(&redis::cmd("PING")).is_ok_and(|pong| pong == "PONG"));
    }

    /// Ends the process without giving it a chance to do anything about it.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    fn try_ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let mut connection: Connection = self.client.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        command.query(&mut connection)
    }

    /// Asks it for something, as its administrator.
    pub(crate) fn ask<T: FromRedisValue>(&self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut asked = redis::cmd(words.next().unwrap());
        asked.arg(words.collect::<Vec<_>>());
        let answer = match self.try_ask(&asked) {
            // A node that is given another role sends everybody away, and takes them back.
            Err(error) if error.is_connection_dropped() => self.try_ask(&asked),
            answer => answer,
        };
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The user who may do what is needed and no more.
fn user() -> String {
    format!("user {USER} on >{PASSWORD} ~oauth2flow:* &oauth2flow:* {RIGHTS}")
}

/// One server: without TLS as it comes, behind TLS with a user.
pub(crate) struct Single {
    pub(crate) kind: Kind,
    pub(crate) node: Node,
}

impl Single {
    pub(crate) fn start() -> Self {
        Self::of(Kind::redis(Wire::Plain))
    }

    pub(crate) fn of(kind: Kind) -> Self {
        let settings = match kind.wire {
            Wire::Plain => String::new(),
            Wire::Tls { .. } => format!("requirepass {INTERNAL_PASSWORD}\n{}", user()),
        };
        Self { node: Node::server(&kind, &settings), kind }
    }

    pub(crate) fn url(&self) -> String {
        let user = match self.kind.wire {
            Wire::Plain => String::new(),
            Wire::Tls { .. } => format!("{USER}:{PASSWORD}@"),
        };
        format!("{}://{user}{}:{}", self.kind.wire.scheme(), self.kind.wire.host(), self.node.port)
    }
}

/// A master and its replica, and those who watch them.
pub(crate) struct Sentinels {
    pub(crate) kind: Kind,
    pub(crate) master: Node,
    pub(crate) replica: Node,
    pub(crate) watchers: Vec<Node>,
}

impl Sentinels {
    /// With so many who watch.
    pub(crate) fn of(kind: Kind, count: usize) -> Self {
        let host = kind.wire.host();
        let settings = format!(
            "requirepass {INTERNAL_PASSWORD}\nmasterauth {INTERNAL_PASSWORD}\nrepl-diskless-sync-delay 0\nreplica-announce-ip {host}\n{}",
            user()
        );
        let master = Node::server(&kind, &settings);
        let replica = Node::server(&kind, &format!("{settings}\nreplicaof {host} {}", master.port));
        wait_for(|| replica.ask::<String>("INFO replication").contains("master_link_status:up"));
        let port = master.port;
        let quorum = count / 2 + 1;
        // One alone is only asked who is the master, and is not to make another because the machine is busy.
        let patience = if count == 1 { 60_000 } else { 1000 };
        let watching = format!(
            "requirepass {INTERNAL_PASSWORD}\nsentinel sentinel-pass {INTERNAL_PASSWORD}\n\
             sentinel resolve-hostnames yes\nsentinel announce-hostnames yes\nsentinel monitor {MASTER} {host} {port} {quorum}\n\
             sentinel auth-pass {MASTER} {INTERNAL_PASSWORD}\nsentinel down-after-milliseconds {MASTER} {patience}\n\
             sentinel failover-timeout {MASTER} 5000"
        );
        let watchers = (0..count).map(|_| Node::sentinel(&kind, &watching)).collect();
        Self { kind, master, replica, watchers }
    }

    /// Waits until every sentinel knows the replica and the other sentinels, so that they can agree on a new master.
    pub(crate) fn wait_until_watched(&self) {
        let others = self.watchers.len() - 1;
        wait_for(|| {
            self.watchers.iter().all(|sentinel| {
                let known: Vec<String> = sentinel.ask(&format!("SENTINEL MASTER {MASTER}"));
                let number = |name: &str| known.iter().skip_while(|word| *word != name).nth(1).and_then(|word| word.parse().ok());
                number("num-slaves") == Some(1) && number("num-other-sentinels") == Some(others)
            })
        });
    }

    pub(crate) fn url(&self) -> String {
        let places = places(&self.kind.wire, &self.watchers);
        let scheme = self.kind.wire.scheme();
        format!("{scheme}-sentinel://{USER}:{PASSWORD}@{places}/{MASTER}?sentinel_password={INTERNAL_PASSWORD}")
    }
}

/// Three masters that share the slots.
pub(crate) struct Cluster {
    pub(crate) kind: Kind,
    pub(crate) nodes: Vec<Node>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        Self::of(Kind::redis(Wire::Plain))
    }

    pub(crate) fn of(kind: Kind) -> Self {
        let wire = kind.wire.in_cluster();
        let node = |()| {
            let bus = free_address().port();
            Node::server(&kind, &format!("cluster-enabled yes\ncluster-port {bus}\ncluster-node-timeout 3000\n{wire}{}", user()))
        };
        let nodes: Vec<_> = [(); 3].map(node).into();
        for (epoch, (node, slots)) in (1..).zip(nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"])) {
            node.ask::<()>(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
            node.ask::<()>(&format!("CLUSTER SET-CONFIG-EPOCH {epoch}"));
        }
        let bus = nodes[0].ask::<Vec<String>>("CONFIG GET cluster-port").remove(1);
        for node in &nodes[1..] {
            node.ask::<()>(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", nodes[0].port));
        }
        let cluster = Self { kind, nodes };
        cluster.wait_until_whole();
        cluster
    }

    /// The node that keeps what has this name, while the slots are as they were at first.
    pub(crate) fn owner(&self, name: &str) -> &Node {
        let slot: usize = self.nodes[0].ask(&format!("CLUSTER KEYSLOT {name}"));
        &self.nodes[(slot / 5461).min(2)]
    }

    /// Waits until every node takes part, and hears and is heard by both others: before that, what is published at one may not reach them.
    pub(crate) fn wait_until_whole(&self) {
        wait_for(|| {
            self.nodes.iter().all(|node| {
                let about: String = node.ask("CLUSTER INFO");
                let links: Vec<Value> = node.ask("CLUSTER LINKS");
                about.contains("cluster_state:ok") && about.contains("cluster_known_nodes:3") && links.len() == 4
            })
        });
    }

    pub(crate) fn url(&self) -> String {
        format!("{}-cluster://{USER}:{PASSWORD}@{}", self.kind.wire.scheme(), places(&self.kind.wire, &self.nodes))
    }
}

/// Where nodes are.
fn places(wire: &Wire, nodes: &[Node]) -> String {
    nodes.iter().map(|node| format!("{}:{}", wire.host(), node.port)).collect::<Vec<_>>().join(",")
}
