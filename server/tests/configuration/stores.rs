//! `[session]`: which store, where it is, and what does not go together.

use super::Setup;
use oauth2flow::config::{Source, StoreConfig};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

const POSTGRES: &str = "postgres://app:sentinel@db.example.com/sign-in?sslmode=verify-full";
const REDIS: &str = "rediss://app:sentinel@redis.example.com";

fn authority() -> String {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

fn with_store(store: &str, url: &str) -> Setup {
    Setup::new().set(&format!("session.store={store}")).variable("OAUTH2FLOW_SESSION_STORE_URL", url)
}

#[test]
fn sessions_are_in_a_file_unless_something_else_is_said() {
    let session = Setup::new().load().unwrap().session;
    assert!(matches!(session.store, StoreConfig::Sqlite) && !session.store.is_shared());
}

#[test]
fn a_shared_store_is_named_by_its_address() {
    let config = with_store("postgres", POSTGRES).load().unwrap();
    let StoreConfig::Postgres { address, roots: None } = &config.session.store else { panic!("{:?}", config.session.store) };
    assert_eq!(address.to_string(), "the PostgreSQL database “sign-in” at db.example.com:5432");
    assert!(config.session.store.is_shared() && config.warnings.is_empty());
    let config = with_store("redis", REDIS).load().unwrap();
    let StoreConfig::Redis { address, roots: None } = &config.session.store else { panic!("{:?}", config.session.store) };
    assert_eq!(address.to_string(), "Redis at redis.example.com:6379");
    assert!(config.session.store.is_shared() && config.warnings.is_empty());
    let shown = format!("{config:?}");
    assert!(!shown.contains("sentinel"), "{shown}");
}

#[test]
fn an_address_may_be_in_a_file_and_authorities_are_read() {
    let setup = Setup::with_file("[session]\nstore = \"postgres\"\nstore_url_file = \"url\"\nstore_roots = \"roots.pem\"\n");
    let config = setup.file("url", &format!("{POSTGRES}\n")).file("roots.pem", &authority()).load().unwrap();
    let StoreConfig::Postgres { roots: Some(roots), .. } = &config.session.store else { panic!("{:?}", config.session.store) };
    assert!(roots.starts_with(b"-----BEGIN CERTIFICATE-----"));
}

#[test]
fn memory_is_warned_of() {
    let config = Setup::new().set("session.store=memory").load().unwrap();
    assert!(matches!(config.session.store, StoreConfig::Memory));
    assert!(config.warnings.iter().any(|warning| warning.starts_with("session.store: ") && warning.contains("signs everybody out")));
}

#[test]
fn a_way_that_others_can_listen_on_is_warned_of() {
    for (store, url, warned) in [
        ("postgres", "postgres://db.example.com/sign-in?sslmode=disable", true),
        ("postgres", "postgres://db.example.com/sign-in?sslmode=require", true),
        ("postgres", "postgres://db.example.com/sign-in?sslmode=verify-ca", false),
        ("postgres", "postgres://127.0.0.1/sign-in?sslmode=disable", false),
        ("redis", "redis://redis.example.com", true),
        ("redis", "rediss-cluster://one.example.com,two.example.com", false),
        ("redis", "redis://localhost", false),
    ] {
        let config = with_store(store, url).load().unwrap();
        assert_eq!(config.warnings.iter().any(|warning| warning.starts_with("session.store_url: ")), warned, "{url}");
    }
}

#[test]
fn what_does_not_go_together_is_named_with_the_way_out() {
    for (setup, key, said, fix) in [
        (Setup::new().set("session.store=mysql"), "session.store", "“mysql” is not one of its values", "postgres"),
        (Setup::new().set("session.store=postgres"), "session.store_url", "session.store = postgres is elsewhere", "Set store_url"),
        (with_store("sqlite", POSTGRES), "session.store_url", "session.store = sqlite is no shared store", "Set session.store to postgres"),
        (with_store("memory", REDIS), "session.store_url", "session.store = memory is no shared store", "leave it out"),
        (with_store("postgres", REDIS), "session.store_url", "It is an address of Redis", "session.store = redis"),
        (with_store("redis", POSTGRES), "session.store_url", "It is an address of PostgreSQL", "session.store = postgres"),
        (with_store("postgres", "postgres://app:sentinel@db"), "session.store_url", "It names no database", "Write its name"),
        (with_store("redis", "redis-sentinel://:sentinel@one"), "session.store_url", "does not name the master", "redis-sentinel://"),
        (with_store("redis", REDIS).set("session.database=x"), "session.database", "keeps no sessions in a file", "Leave it out"),
    ] {
        let problem = setup.problem();
        assert_eq!(problem.key, key);
        assert!(problem.problem.contains(said) && problem.fix.contains(fix), "{problem}");
        assert!(!problem.to_string().contains("app:sentinel"), "{problem}");
    }
}

#[test]
fn authorities_need_a_connection_that_asks_them() {
    let roots = |setup: Setup| setup.set("session.store_roots=roots.pem").file("roots.pem", &authority());
    for (setup, fix) in [
        (with_store("postgres", "postgres://db.example.com/sign-in?sslmode=require"), "sslmode=verify-full"),
        (with_store("redis", "redis://redis.example.com"), "rediss"),
        (Setup::new(), "Set session.store to postgres or redis"),
    ] {
        let problem = roots(setup).problem();
        assert_eq!(problem.key, "session.store_roots");
        assert!(problem.fix.contains(fix), "{problem}");
        assert_eq!(problem.source, Some(Source::Flag("--set session.store_roots".to_owned())));
    }
    for bad in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let problem = with_store("postgres", POSTGRES).set("session.store_roots=roots.pem").file("roots.pem", bad).problem();
        assert_eq!(problem.key, "session.store_roots");
        assert!(problem.problem.contains("roots.pem"), "{problem}");
    }
    let missing = with_store("postgres", POSTGRES).set("session.store_roots=missing.pem").problem();
    assert!(missing.problem.contains("cannot be read"), "{missing}");
}
