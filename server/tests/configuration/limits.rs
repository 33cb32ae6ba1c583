//! `[limits]` and `server.trusted_proxies`.

use super::Setup;
use std::time::Duration;

#[test]
fn nothing_configured_is_generous_and_bounded() {
    let config = Setup::new().load().unwrap();
    assert!(config.server.trusted_proxies.is_empty());
    let limits = config.limits;
    assert_eq!(limits.login_starts.to_string(), "600/m");
    assert_eq!(limits.requests.limit().map(|(count, time)| (count.get(), time)), Some((60_000, Duration::from_mins(1))));
    assert!((64..=10_000).contains(&limits.connections) && limits.streams == limits.connections.div_ceil(2), "{limits:?}");
    assert_eq!((limits.session_streams, limits.head_bytes, limits.head_fields), (64, 32 * 1024, 80));
    let timeouts = (limits.head_timeout, limits.body_timeout, limits.idle_timeout);
    assert_eq!(timeouts, (Duration::from_secs(10), Duration::from_mins(1), Duration::from_secs(75)));
}

#[test]
fn everything_can_be_set() {
    let setup = Setup::with_file(
        "[server]\ntrusted_proxies = [\"127.0.0.1\", \"10.1.2.3/8\", \"::1\", \"::ffff:192.0.2.1\"]\n\
         [limits]\nlogin_starts = \"5/10s\"\ncode_exchanges = \"off\"\nbackchannel_logouts = 0\nrequests = \"1/h\"\nsession_calls = \"2/1m30s\"\n\
         connections = 20000\nstreams = 30\nsession_streams = 3\nhead_size = \"64KiB\"\nhead_fields = 200\n\
         head_timeout = \"1s\"\nbody_timeout = \"2s\"\nidle_timeout = \"3s\"\n",
    );
    let config = setup.load().unwrap();
    let proxies: Vec<_> = config.server.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["127.0.0.1/32", "10.0.0.0/8", "::1/128", "192.0.2.1/32"]);
    let limits = config.limits;
    let rates = [limits.login_starts, limits.code_exchanges, limits.backchannel_logouts, limits.requests, limits.session_calls];
    assert_eq!(rates.map(|rate| rate.to_string()), ["5/10s", "off", "off", "1/h", "2/90s"]);
    assert_eq!((limits.connections, limits.streams, limits.session_streams), (20_000, 30, 3));
    assert_eq!((limits.head_bytes, limits.head_fields), (64 * 1024, 200));
    assert_eq!([limits.head_timeout, limits.body_timeout, limits.idle_timeout].map(|timeout| timeout.as_secs()), [1, 2, 3]);
}

#[test]
fn a_limit_that_nothing_could_meet_is_refused() {
    for (set, key) in [
        ("limits.requests=many", "limits.requests"),
        ("limits.requests=10/0s", "limits.requests"),
        ("limits.login_starts=10/minute", "limits.login_starts"),
        ("limits.connections=0", "limits.connections"),
        ("limits.streams=0", "limits.streams"),
        ("limits.head_size=100B", "limits.head_size"),
        ("limits.head_size=2MiB", "limits.head_size"),
        ("limits.head_fields=3", "limits.head_fields"),
        ("limits.idle_timeout=0s", "limits.idle_timeout"),
        ("server.trusted_proxies=proxy.example.com", "server.trusted_proxies"),
        ("server.trusted_proxies=10.0.0.0/33", "server.trusted_proxies"),
    ] {
        let problem = Setup::new().set(set).problem();
        assert_eq!(problem.key, key, "{set}");
        assert!(!problem.fix.is_empty(), "{set}");
    }
}

#[test]
fn a_proxy_that_is_everybody_is_refused() {
    for everybody in ["0.0.0.0/0", "::/0", "127.0.0.1 0.0.0.0/0"] {
        let problem = Setup::new().set(&format!("server.trusted_proxies={everybody}")).problem();
        assert_eq!(problem.key, "server.trusted_proxies");
        assert!(problem.problem.contains("everybody"), "{problem:?}");
    }
}
