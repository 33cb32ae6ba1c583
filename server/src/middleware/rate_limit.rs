//! So many requests from one address, and so many calls in one session, and no more.
//!
//! The limits are for whoever floods the server, not for people: an office behind one address stays far below them. They are kept in
//! this process, so each of several replicas gives as much. Bounded in memory: when more clients come than are remembered, the ones
//! that are least in the way are forgotten, which only ever gives them more.

use super::{
    client_ip::ClientAddress,
    csrf::{SEC_FETCH_DEST, SEC_FETCH_MODE, SEC_FETCH_SITE},
};
use crate::{
    clock::Clock,
    config::{LimitsConfig, Rate},
    error::Failure,
    session::record::Key,
    state::AppState,
};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, Method},
};
use governor::{
    Quota, RateLimiter,
    clock::Clock as GovernorClock,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, StateStore},
};
use oauth2flow_app::problem::ProblemCode;
use quick_cache::sync::Cache;
use std::{
    convert::Infallible,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

/// How many clients, or sessions, are remembered for each limit: about four megabytes in all when every one is full.
const REMEMBERED: usize = 8 * 1024;

/// An IPv6 client has a network of its own and any address in it.
const IPV6_NETWORK: u128 = !(u64::MAX as u128);

/// Refuses what exceeds the limit for its kind and client.
///
/// # Errors
/// `rate_limited`
pub fn by_address(app: &AppState, request: &Request) -> Result<(), Failure> {
    match (app.limits.of(request.method(), request.uri().path(), request.headers()), request.extensions().get()) {
        (Some(limit), Some(client)) => limit.check(&network(*client)),
        _ => Ok(()),
    }
}

/// What may be asked of this server.
pub struct RateLimits {
    login_starts: Option<Limit<IpAddr>>,
    code_exchanges: Option<Limit<IpAddr>>,
    backchannel_logouts: Option<Limit<IpAddr>>,
    requests: Option<Limit<IpAddr>>,
    session_calls: Option<Limit<Key>>,
}

impl RateLimits {
    /// As configured, by this clock.
    pub fn new(config: &LimitsConfig, clock: &Arc<dyn Clock>) -> Self {
        Self {
            login_starts: Limit::new(config.login_starts, clock),
            code_exchanges: Limit::new(config.code_exchanges, clock),
            backchannel_logouts: Limit::new(config.backchannel_logouts, clock),
            requests: Limit::new(config.requests, clock),
            session_calls: Limit::new(config.session_calls, clock),
        }
    }

    /// Counts a call to an upstream.
    ///
    /// # Errors
    /// `rate_limited`, when this session has made too many.
    pub fn count_session_call(&self, session: Key) -> Result<(), Failure> {
        self.session_calls.as_ref().map_or(Ok(()), |limit| limit.check(&session))
    }

    fn of(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<&Limit<IpAddr>> {
        let limit = match path.strip_prefix("/api/v1/oauth/") {
            // Any page that somebody has open could use up what they need to sign in.
            Some("login") if is_part_of_foreign_page(headers) => &self.requests,
            Some("code") if is_read_by_foreign_page(headers) => &self.requests,
            Some("login") => &self.login_starts,
            Some("code") => &self.code_exchanges,
            Some(path) if *method == Method::POST && path.starts_with("backchannel-logout/") => &self.backchannel_logouts,
            // Whoever keeps the server running must not be told that it does not.
            None if matches!(path, "/healthz" | "/readyz") => return None,
            _ => &self.requests,
        };
        limit.as_ref()
    }
}

/// Whether the browser says that a page of another site asks for something to show or read there. Such a request starts no login.
fn is_part_of_foreign_page(headers: &HeaderMap) -> bool {
    is_read_by_foreign_page(headers)
        || (says(headers, &SEC_FETCH_SITE, |site| site == b"cross-site")
            && says(headers, &SEC_FETCH_DEST, |destination| destination != b"document"))
}

/// Whether the browser says that a page of another site asks for something to read. Such a request finishes no login; what is shown in a
/// frame may.
fn is_read_by_foreign_page(headers: &HeaderMap) -> bool {
    says(headers, &SEC_FETCH_SITE, |site| site == b"cross-site") && says(headers, &SEC_FETCH_MODE, |mode| mode != b"navigate")
}

fn says(headers: &HeaderMap, name: &HeaderName, is: fn(&[u8]) -> bool) -> bool {
    headers.get(name).is_some_and(|value| is(value.as_bytes()))
}

/// What an address is counted as.
pub(crate) fn network(ClientAddress(address): ClientAddress) -> IpAddr {
    match address {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK)),
        address @ IpAddr::V4(_) => address,
    }
}

/// One limit, kept for each client by itself.
struct Limit<K: Hash + Eq + Clone>(RateLimiter<K, States<K>, Ticks, NoOpMiddleware<Duration>>);

impl<K: Hash + Eq + Clone> Limit<K> {
    fn new(rate: Rate, clock: &Arc<dyn Clock>) -> Option<Self> {
        let (count, time) = rate.limit()?;
        let quota = Quota::with_period(time / count.get())?.allow_burst(count);
        Some(Self(RateLimiter::new(quota, States(Cache::new(REMEMBERED)), Ticks(Arc::clone(clock)))))
    }

    fn check(&self, key: &K) -> Result<(), Failure> {
        self.0.check_key(key).map_err(|refused| {
            let wait = refused.wait_time_from(self.0.clock().now());
            Failure::new(ProblemCode::RateLimited).retry_after(wait.max(Duration::from_secs(1)))
        })
    }
}

/// How much each client has used up.
struct States<K>(Cache<K, Arc<InMemoryState>>);

impl<K: Hash + Eq + Clone> StateStore for States<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let Ok(state) = self.0.get_or_insert_with(key, || Ok::<_, Infallible>(Arc::default()));
        state.measure_and_replace(&NotKeyed::NonKey, decide)
    }
}

/// The app's clock, as the limits read it.
struct Ticks(Arc<dyn Clock>);

impl GovernorClock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::{REMEMBERED, RateLimits, States, network};
    use crate::{
        clock::Clock,
        config::{Arguments, Config, LimitsConfig},
        middleware::client_ip::ClientAddress,
        session::record::Key,
    };
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
    use jiff::Timestamp;
    use std::{
        path::Path,
        sync::{
            Arc,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    #[derive(Default)]
    struct Stopwatch(AtomicU64);

    impl Clock for Stopwatch {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn elapsed(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    fn limits(set: &[&str]) -> LimitsConfig {
        let set = set.iter().map(|set| format!("limits.{set}")).collect();
        Config::load(&Arguments { set, ..Arguments::default() }, std::iter::empty(), Path::new("/nowhere")).unwrap().limits
    }

    #[test]
    fn what_is_used_up_comes_back_with_time_and_for_each_by_itself() {
        let stopwatch = Arc::new(Stopwatch::default());
        let clock: Arc<dyn Clock> = stopwatch.clone();
        let limits = RateLimits::new(&limits(&["session_calls=4/m"]), &clock);
        let (one, other) = (Key([1; 32]), Key([2; 32]));
        for _ in 0..4 {
            limits.count_session_call(one).unwrap();
        }
        let refused = limits.count_session_call(one).unwrap_err();
        assert_eq!(refused.retry_after, Some(Duration::from_secs(15)));
        limits.count_session_call(other).unwrap();
        stopwatch.0.store(14_999, Ordering::Relaxed);
        assert_eq!(limits.count_session_call(one).unwrap_err().retry_after, Some(Duration::from_secs(1)));
        stopwatch.0.store(15_000, Ordering::Relaxed);
        limits.count_session_call(one).unwrap();
        limits.count_session_call(one).unwrap_err();
        stopwatch.0.store(75_000, Ordering::Relaxed);
        for _ in 0..4 {
            limits.count_session_call(one).unwrap();
        }
        limits.count_session_call(one).unwrap_err();
    }

    #[test]
    fn a_limit_can_be_switched_off() {
        let clock: Arc<dyn Clock> = Arc::new(Stopwatch::default());
        for off in ["session_calls=off", "session_calls=0"] {
            let limits = RateLimits::new(&limits(&[off]), &clock);
            for _ in 0..10_000 {
                limits.count_session_call(Key([1; 32])).unwrap();
            }
        }
    }

    #[test]
    fn whoever_has_many_addresses_takes_neither_memory_nor_anybody_s_limit() {
        let clock: Arc<dyn Clock> = Arc::new(Stopwatch::default());
        let limits = RateLimits::new(&limits(&["requests=3/m"]), &clock);
        let requests = limits.of(&Method::GET, "/", &HeaderMap::new()).unwrap();
        let victim = network(ClientAddress("192.0.2.1".parse().unwrap()));
        requests.check(&victim).unwrap();
        for flood in 0..(REMEMBERED as u128 * 4) {
            let address = ClientAddress(std::net::Ipv6Addr::from_bits((0x2001_0db8 << 96) | (flood << 64)).into());
            requests.check(&network(address)).unwrap();
        }
        requests.check(&victim).unwrap();
        let States(remembered) = limits.requests.unwrap().0.into_state_store();
        assert!(remembered.len() <= REMEMBERED, "{}", remembered.len());
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let of = |address: &str| network(ClientAddress(address.parse().unwrap())).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn each_kind_has_its_own_limit_and_health_none() {
        let clock: Arc<dyn Clock> = Arc::new(Stopwatch::default());
        let limits =
            RateLimits::new(&limits(&["login_starts=1/m", "code_exchanges=1/m", "backchannel_logouts=1/m", "requests=1/m"]), &clock);
        let client = "192.0.2.1".parse().unwrap();
        for (method, path) in [
            (Method::GET, "/api/v1/oauth/login"),
            (Method::POST, "/api/v1/oauth/code"),
            (Method::POST, "/api/v1/oauth/backchannel-logout/alpha"),
            (Method::GET, "/api/v1/session"),
        ] {
            limits.of(&method, path, &HeaderMap::new()).unwrap().check(&client).unwrap();
        }
        for path in ["/", "/api/v1/oauth/logout", "/api/v1/oauth/login/x", "/api/v1/proxy/notes"] {
            limits.of(&Method::GET, path, &HeaderMap::new()).unwrap().check(&client).unwrap_err();
        }
        for path in ["/healthz", "/readyz"] {
            assert!(limits.of(&Method::GET, path, &HeaderMap::new()).is_none());
        }
    }

    #[test]
    fn a_page_of_another_site_uses_up_nobody_s_logins() {
        let clock: Arc<dyn Clock> = Arc::new(Stopwatch::default());
        let limits = RateLimits::new(&limits(&["login_starts=1/m", "code_exchanges=1/m"]), &clock);
        let of = |path: &str, site: &'static str, mode: &'static str, destination: &'static str| {
            let headers = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", destination)];
            let headers = headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            let limit = limits.of(&Method::GET, path, &HeaderMap::from_iter(headers)).unwrap();
            limits.requests.as_ref().is_some_and(|requests| std::ptr::eq(requests, limit))
        };
        for path in ["/api/v1/oauth/login", "/api/v1/oauth/code"] {
            for (mode, destination) in [("no-cors", "image"), ("cors", "empty"), ("no-cors", "document")] {
                assert!(of(path, "cross-site", mode, destination), "{path} {mode} {destination}");
            }
            // In a frame no login starts, but one may come to its end.
            assert_eq!(of(path, "cross-site", "navigate", "iframe"), path.ends_with("login"));
            // What the provider and the person do, and what our own page does.
            for site in ["cross-site", "none", "same-origin"] {
                assert!(!of(path, site, "navigate", "document"), "{path} {site}");
            }
            assert!(!of(path, "same-origin", "cors", "empty"));
            // Whoever is no browser cannot choose the limit by leaving out what a browser says: only what is refused anyway is elsewhere.
            assert!(!of(path, "same-site", "navigate", "iframe"));
        }
    }
}
