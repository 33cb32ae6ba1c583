//! Redis, as people run it: one server, one behind TLS with a user of its own, a set watched by Sentinel, and a Cluster.

use super::{address::free_address, authority::Authority, patience::wait_for};
use redis::{Client, Cmd, Connection, ConnectionAddr, FromRedisValue, IntoConnectionInfo as _, RedisConnectionInfo, RedisResult};
use std::{
    fs,
    process::{Child, Command, Stdio},
    time::Duration,
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

/// A process with a port and a directory of its own. It can be ended and started again.
pub(crate) struct Node {
    directory: TempDir,
    sentinel: bool,
    pub(crate) port: u16,
    client: Client,
    child: Option<Child>,
}

impl Node {
    /// Starts a server of these settings, and waits until it answers.
    fn start(settings: &str) -> Self {
        Self::start_as(settings, false, plain)
    }

    fn start_as(settings: &str, sentinel: bool, client: impl FnOnce(u16) -> Client) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_address().port();
        let place = if settings.contains("tls-port") { String::new() } else { format!("port {port}\n") };
        let settings = settings.replace("PORT", &port.to_string()).replace("DIRECTORY", &directory.path().display().to_string());
        let common = format!("bind 127.0.0.1\nprotected-mode no\ndir {}\n{place}", directory.path().display());
        // What has been answered is written. Sentinels keep nothing.
        let keeping = if sentinel { "" } else { "save \"\"\nappendonly yes\nappendfsync always\n" };
        fs::write(directory.path().join("redis.conf"), format!("{common}{keeping}{settings}\n")).unwrap();
        let mut node = Self { directory, sentinel, port, client: client(port), child: None };
        node.start_again();
        node
    }

    /// A file in the server's directory.
    fn write(directory: &TempDir, name: &str, text: &str) -> String {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Starts the process, and waits until it answers.
    pub(crate) fn start_again(&mut self) {
        let mut command = Command::new("redis-server");
        command.arg(self.directory.path().join("redis.conf"));
        if self.sentinel {
            command.arg("--sentinel");
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("redis-server cannot be started, Debian's package has it: {error}")));
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
        let mut connection: Connection = self.client.get_connection_with_timeout(Duration::from_secs(1))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
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

fn plain(port: u16) -> Client {
    let settings = RedisConnectionInfo::default();
    let info = ConnectionAddr::Tcp("127.0.0.1".to_owned(), port).into_connection_info().unwrap();
    Client::open(info.set_redis_settings(settings)).unwrap()
}

fn with_password(port: u16) -> Client {
    let settings = RedisConnectionInfo::default().set_password(INTERNAL_PASSWORD);
    let info = ConnectionAddr::Tcp("127.0.0.1".to_owned(), port).into_connection_info().unwrap();
    Client::open(info.set_redis_settings(settings)).unwrap()
}

/// One server, as it comes.
pub(crate) struct Single {
    pub(crate) node: Node,
}

impl Single {
    pub(crate) fn start() -> Self {
        Self { node: Node::start("") }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.node.port)
    }
}

/// One server that speaks TLS alone, with a user who may do what is needed and no more.
pub(crate) struct Tls {
    pub(crate) node: Node,
    /// The authority to trust, in PEM.
    pub(crate) authority: String,
}

impl Tls {
    pub(crate) fn start() -> Self {
        let authority = Authority::new();
        let certificate = authority.server("localhost");
        let files = tempfile::tempdir().unwrap();
        let chain = Node::write(&files, "certificate.pem", &certificate.chain);
        let key = Node::write(&files, "key.pem", &certificate.key);
        let roots = Node::write(&files, "authority.pem", &authority.pem());
        let settings = format!(
            "port 0\ntls-port PORT\ntls-cert-file {chain}\ntls-key-file {key}\ntls-ca-cert-file {roots}\ntls-auth-clients no\n\
             unixsocket DIRECTORY/admin.sock\nuser {USER} on >{PASSWORD} ~oauth2flow:* &oauth2flow:* {RIGHTS}\n\
             user default on >{INTERNAL_PASSWORD} ~* &* +@all"
        );
        oauth2flow_protocol::install_crypto_provider();
        let pem = authority.pem().into_bytes();
        let mut node = Node::start_as(&settings, false, |port| {
            let place = ConnectionAddr::TcpTls { host: "localhost".to_owned(), port, insecure: false, tls_params: None };
            let info = place.into_connection_info().unwrap();
            let info = info.set_redis_settings(RedisConnectionInfo::default().set_password(INTERNAL_PASSWORD));
            Client::build_with_tls(info, redis::TlsCertificates { client_tls: None, root_cert: Some(pem) }).unwrap()
        });
        // The files are read at each start.
        for name in ["certificate.pem", "key.pem", "authority.pem"] {
            fs::copy(files.path().join(name), node.directory.path().join(name)).unwrap();
        }
        let moved = fs::read_to_string(node.directory.path().join("redis.conf")).unwrap();
        let moved = moved.replace(&files.path().display().to_string(), &node.directory.path().display().to_string());
        fs::write(node.directory.path().join("redis.conf"), moved).unwrap();
        node.kill();
        node.start_again();
        Self { node, authority: authority.pem() }
    }

    pub(crate) fn url(&self) -> String {
        format!("rediss://{USER}:{PASSWORD}@localhost:{}", self.node.port)
    }
}

/// A master and its replica, and those who watch them.
pub(crate) struct Sentinels {
    pub(crate) master: Node,
    pub(crate) replica: Node,
    pub(crate) watchers: Vec<Node>,
}

impl Sentinels {
    /// With so many who watch.
    pub(crate) fn start(count: usize) -> Self {
        let settings = format!(
            "requirepass {INTERNAL_PASSWORD}\nmasterauth {INTERNAL_PASSWORD}\nrepl-diskless-sync-delay 0\n\
             user {USER} on >{PASSWORD} ~oauth2flow:* &oauth2flow:* {RIGHTS}"
        );
        let master = Node::start_as(&settings, false, with_password);
        let replica = Node::start_as(&format!("{settings}\nreplicaof 127.0.0.1 {}", master.port), false, with_password);
        wait_for(|| replica.ask::<String>("INFO replication").contains("master_link_status:up"));
        let port = master.port;
        let quorum = count / 2 + 1;
        let watching = format!(
            "requirepass {INTERNAL_PASSWORD}\nsentinel sentinel-pass {INTERNAL_PASSWORD}\nsentinel monitor {MASTER} 127.0.0.1 {port} {quorum}\n\
             sentinel auth-pass {MASTER} {INTERNAL_PASSWORD}\nsentinel down-after-milliseconds {MASTER} 1000\n\
             sentinel failover-timeout {MASTER} 5000"
        );
        let watchers = (0..count).map(|_| Node::start_as(&watching, true, with_password)).collect();
        Self { master, replica, watchers }
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
        let places: Vec<_> = self.watchers.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect();
        format!("redis-sentinel://{USER}:{PASSWORD}@{}/{MASTER}?sentinel_password={INTERNAL_PASSWORD}", places.join(","))
    }
}

/// Three masters that share the slots.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let nodes: Vec<_> = (0..3)
            .map(|_| {
                let bus = free_address().port();
                Node::start(&format!(
                    "cluster-enabled yes\ncluster-port {bus}\ncluster-node-timeout 3000\n\
                     user {USER} on >{PASSWORD} ~oauth2flow:* &oauth2flow:* {RIGHTS}"
                ))
            })
            .collect();
        for (epoch, (node, slots)) in (1..).zip(nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"])) {
            node.ask::<()>(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
            node.ask::<()>(&format!("CLUSTER SET-CONFIG-EPOCH {epoch}"));
        }
        let bus = nodes[0].ask::<Vec<String>>("CONFIG GET cluster-port").remove(1);
        for node in &nodes[1..] {
            node.ask::<()>(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", nodes[0].port));
        }
        let cluster = Self { nodes };
        cluster.wait_until_whole();
        cluster
    }

    /// The node that keeps what has this name, while the slots are as they were at first.
    pub(crate) fn owner(&self, name: &str) -> &Node {
        let slot: usize = self.nodes[0].ask(&format!("CLUSTER KEYSLOT {name}"));
        &self.nodes[(slot / 5461).min(2)]
    }

    /// Waits until every node takes part.
    pub(crate) fn wait_until_whole(&self) {
        wait_for(|| {
            self.nodes.iter().all(|node| {
                let about: String = node.ask("CLUSTER INFO");
                about.contains("cluster_state:ok") && about.contains("cluster_known_nodes:3")
            })
        });
    }

    pub(crate) fn url(&self) -> String {
        let places: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis-cluster://{USER}:{PASSWORD}@{}", places.join(","))
    }
}
