//! Where Redis is: one server, a set watched by Sentinel, or a Cluster, in one address.

use super::names::DEFAULT_PREFIX;
use secrecy::SecretString;
use std::fmt;
use thiserror::Error;
use url::form_urlencoded;

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// The longest prefix of keys that anybody needs.
const LONGEST_PREFIX_BYTES: usize = 64;

/// Where Redis or Valkey is, and how to sign in there. It may hold passwords, which `Debug` does not show.
///
/// - `redis://user:password@host:6379/0`: one server
/// - `redis-sentinel://user:password@host1:26379,host2:26379/master/0`: the master of that name, which the sentinels know
/// - `redis-cluster://user:password@host1:6379,host2:6379`: the nodes of a Cluster, or some of them
///
/// With `rediss` in place of `redis` everything is spoken over TLS; `valkey` and `valkeys` mean the same. Behind a `?`, `prefix` is
/// what every key begins with, and `sentinel_username` and `sentinel_password` are for the sentinels themselves.
#[derive(Clone)]
pub struct RedisAddress {
    pub(super) topology: Topology,
    pub(super) hosts: Vec<(String, u16)>,
    pub(super) tls: bool,
    pub(super) username: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) sentinel_username: Option<String>,
    pub(super) sentinel_password: Option<SecretString>,
    pub(super) database: i64,
    pub(super) prefix: String,
}

/// How many servers there are, and who knows which is which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Topology {
    Single,
    Sentinel { master: String },
    Cluster,
}

/// Why an address cannot be used. It says nothing of what is in it, because that may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RedisAddressError {
    /// It begins with something else.
    #[error("It does not begin with redis://, redis-sentinel:// or redis-cluster://, or the same with rediss.")]
    Scheme,
    /// There is no host, or what is there is none.
    #[error("It names no host that could be one.")]
    Host,
    /// More than one host, where there is one server.
    #[error("It names several hosts, and is the address of a single server.")]
    SeveralHosts,
    /// A port that is none.
    #[error("One of its ports is not a number from 1 to 65535.")]
    Port,
    /// Sentinel needs to know which master.
    #[error("It does not name the master that the sentinels watch.")]
    Master,
    /// A database that is none.
    #[error("What stands behind the hosts is not the number of a database.")]
    Database,
    /// A Cluster has one database.
    #[error("It names a database, and a Cluster has only one.")]
    ClusterDatabase,
    /// What stands behind `?` or `#`.
    #[error("It has options that do not exist, or do not belong there.")]
    Option,
    /// A prefix that cannot be one.
    #[error("Its prefix is empty, too long, or holds something else than letters, digits, - _ . : and /.")]
    Prefix,
}

impl RedisAddressError {
    /// What to write instead.
    pub fn fix(self) -> &'static str {
        match self {
            Self::Scheme => "Write redis://host:6379, redis-sentinel://host1,host2/master or redis-cluster://host1,host2.",
            Self::Host => "Write the host behind the // and, if there are a user and a password, behind the @.",
            Self::SeveralHosts => "Write one host, or begin with redis-sentinel:// or redis-cluster://.",
            Self::Port => "Write it behind the host: host:6379. In a password, write %3A for : and %40 for @.",
            Self::Master => "Write its name behind the hosts: redis-sentinel://host1,host2/master.",
            Self::Database => "Write a number, such as /0, or leave it out. In a password, write %2F for /.",
            Self::ClusterDatabase => "Leave out what stands behind the hosts.",
            Self::Option => "Options are prefix, sentinel_username and sentinel_password. In a password, write %3F for ? and %23 for #.",
            Self::Prefix => "Write something like ?prefix=staging:",
        }
    }
}

impl RedisAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is none; the error repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, RedisAddressError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(RedisAddressError::Scheme)?;
        let (family, kind) = scheme.split_once('-').unwrap_or((scheme, ""));
        let tls = match family {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(RedisAddressError::Scheme),
        };
        if rest.contains('#') {
            return Err(RedisAddressError::Option);
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (username, password, hosts) = match authority.rsplit_once('@') {
            Some((who, hosts)) => {
                let (username, password) = who.split_once(':').map_or((who, None), |(username, password)| (username, Some(password)));
                (Some(decoded(username)).filter(|username| !username.is_empty()), password.map(decoded).map(SecretString::from), hosts)
            }
            None => (None, None, authority),
        };
        let default_port = if kind == "sentinel" { SENTINEL_PORT } else { REDIS_PORT };
        let hosts = hosts.split(',').map(|host| parse_host(host.trim(), default_port)).collect::<Result<Vec<_>, _>>()?;
        let (topology, database) = match kind {
            "" if hosts.len() > 1 => return Err(RedisAddressError::SeveralHosts),
            "" => (Topology::Single, parse_database(path)?),
            "sentinel" => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(RedisAddressError::Master);
                }
                (Topology::Sentinel { master: decoded(master) }, parse_database(database)?)
            }
            "cluster" if path.is_empty() => (Topology::Cluster, 0),
            "cluster" => return Err(RedisAddressError::ClusterDatabase),
            _ => return Err(RedisAddressError::Scheme),
        };
        let mut address = Self {
            topology,
            hosts,
            tls,
            username,
            password,
            sentinel_username: None,
            sentinel_password: None,
            database,
            prefix: DEFAULT_PREFIX.to_owned(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let of_sentinel = matches!(address.topology, Topology::Sentinel { .. });
            match &*name {
                "prefix" if is_prefix(&value) => address.prefix = value.into_owned(),
                "prefix" => return Err(RedisAddressError::Prefix),
                "sentinel_username" if of_sentinel => address.sentinel_username = Some(value.into_owned()),
                "sentinel_password" if of_sentinel => address.sentinel_password = Some(SecretString::from(value.into_owned())),
                _ => return Err(RedisAddressError::Option),
            }
        }
        Ok(address)
    }

    /// Whether what is said to Redis can be read on the way there.
    pub fn is_confidential(&self) -> bool {
        let is_here = |host: &str| host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        self.tls || self.hosts.iter().all(|(host, _)| is_here(host))
    }
}

/// With what is written with a percent sign as what it means.
fn decoded(text: &str) -> String {
    let query = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn parse_host(text: &str, default_port: u16) -> Result<(String, u16), RedisAddressError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(RedisAddressError::Host)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| RedisAddressError::Host)?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or(RedisAddressError::Port)?) })
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let can_be_one = |character: char| character.is_alphanumeric() || matches!(character, '.' | '-' | '_' | ':');
    if host.is_empty() || !host.chars().all(can_be_one) {
        return Err(RedisAddressError::Host);
    }
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(RedisAddressError::Port)?,
        None => default_port,
    };
    Ok((host.to_owned(), port))
}

fn parse_database(text: &str) -> Result<i64, RedisAddressError> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().ok().filter(|number| (0..1_000_000).contains(number)).ok_or(RedisAddressError::Database)
}

/// Braces would move the hash tag, and blanks cannot be written where access is granted by key.
fn is_prefix(text: &str) -> bool {
    let can_be_in_it = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    !text.is_empty() && text.len() <= LONGEST_PREFIX_BYTES && text.bytes().all(can_be_in_it)
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisAddress")
            .field("topology", &self.topology)
            .field("hosts", &self.hosts)
            .field("tls", &self.tls)
            .field("database", &self.database)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// For people: where it is, without who we are there.
impl fmt::Display for RedisAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.hosts.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        match &self.topology {
            Topology::Single => write!(formatter, "Redis at {}", hosts.join(", ")),
            Topology::Sentinel { master } => write!(formatter, "the Redis master “{master}” of the sentinels at {}", hosts.join(", ")),
            Topology::Cluster => write!(formatter, "the Redis Cluster at {}", hosts.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RedisAddress, RedisAddressError, Topology};
    use secrecy::ExposeSecret as _;

    fn parse(text: &str) -> RedisAddress {
        RedisAddress::parse(text).unwrap()
    }

    fn hosts(address: &RedisAddress) -> Vec<(&str, u16)> {
        address.hosts.iter().map(|(host, port)| (host.as_str(), *port)).collect()
    }

    #[test]
    fn a_single_server_needs_no_more_than_a_host() {
        let address = parse("redis://redis.example");
        assert_eq!(address.topology, Topology::Single);
        assert_eq!(hosts(&address), [("redis.example", 6379)]);
        assert!(!address.tls && address.username.is_none() && address.password.is_none() && address.database == 0);
        assert_eq!(address.prefix, "oauth2flow:");
    }

    #[test]
    fn everything_can_be_said_of_a_single_server() {
        let address = parse("rediss://app:p%40ss%2Fw%3Ard+1@[::1]:6380/3?prefix=staging:");
        assert_eq!(hosts(&address), [("::1", 6380)]);
        assert!(address.tls);
        assert_eq!(address.username.as_deref(), Some("app"));
        assert_eq!(address.password.unwrap().expose_secret(), "p@ss/w:rd+1");
        assert_eq!((address.database, address.prefix.as_str()), (3, "staging:"));
        let password_alone = parse("redis://:secret@localhost");
        assert_eq!((password_alone.username, password_alone.password.unwrap().expose_secret()), (None, "secret"));
    }

    #[test]
    fn sentinels_are_named_with_their_master() {
        let address = parse("redis-sentinel://app:secret@one,two:26380/my-master/2?sentinel_username=watcher&sentinel_password=other");
        assert_eq!(address.topology, Topology::Sentinel { master: "my-master".to_owned() });
        assert_eq!(hosts(&address), [("one", 26379), ("two", 26380)]);
        assert_eq!((address.database, address.sentinel_username.as_deref()), (2, Some("watcher")));
        assert_eq!(address.sentinel_password.unwrap().expose_secret(), "other");
    }

    #[test]
    fn a_cluster_is_named_by_some_of_its_nodes() {
        let address = parse("valkeys-cluster://one:7001,two:7002");
        assert_eq!(address.topology, Topology::Cluster);
        assert_eq!(hosts(&address), [("one", 7001), ("two", 7002)]);
        assert!(address.tls);
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for (text, expected) in [
            ("localhost:6379", RedisAddressError::Scheme),
            ("http://localhost", RedisAddressError::Scheme),
            ("redis-x://localhost", RedisAddressError::Scheme),
            ("redis://", RedisAddressError::Host),
            ("redis://a,,b", RedisAddressError::Host),
            ("redis://a b", RedisAddressError::Host),
            ("redis://[::1", RedisAddressError::Host),
            ("redis://a,b", RedisAddressError::SeveralHosts),
            ("redis://a:", RedisAddressError::Port),
            ("redis://a:0", RedisAddressError::Port),
            ("redis://a:65536", RedisAddressError::Port),
            ("redis://:sec/ret@a", RedisAddressError::Host),
            ("redis://user:12/ret@a", RedisAddressError::Database),
            ("redis://:se#cret@a", RedisAddressError::Option),
            ("redis://a/x", RedisAddressError::Database),
            ("redis://a/-1", RedisAddressError::Database),
            ("redis-sentinel://a", RedisAddressError::Master),
            ("redis-sentinel://a/m/x", RedisAddressError::Database),
            ("redis-cluster://a/1", RedisAddressError::ClusterDatabase),
            ("redis://a?tls=no", RedisAddressError::Option),
            ("redis://a?sentinel_password=x", RedisAddressError::Option),
            ("redis://a?prefix=", RedisAddressError::Prefix),
            ("redis://a?prefix={x}", RedisAddressError::Prefix),
        ] {
            let error = RedisAddress::parse(text).unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(!error.fix().is_empty() && !error.to_string().contains("ret"), "{error}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let address = parse("redis-sentinel://app:first-secret@one/master?sentinel_password=second-secret");
        let shown = format!("{address:?} {address}");
        assert!(shown.contains("one") && !shown.contains("secret"), "{shown}");
    }

    #[test]
    fn only_this_machine_is_trusted_without_tls() {
        assert!(parse("redis://localhost").is_confidential());
        assert!(parse("redis-cluster://127.0.0.1:1,[::1]:2").is_confidential());
        assert!(parse("rediss://redis.example").is_confidential());
        assert!(!parse("redis-sentinel://127.0.0.1,redis.example/m").is_confidential());
    }
}
