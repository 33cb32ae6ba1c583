//! `[outbound]`: proxies, authorities and time limits.

use super::{Setup, line};
use oauth2flow::config::{ProxyAddress, Source};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use std::time::Duration;

fn authority() -> String {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

fn host(proxy: Option<&ProxyAddress>) -> Option<&str> {
    proxy.and_then(ProxyAddress::host)
}

#[test]
fn nothing_configured_is_the_direct_way_with_the_usual_limits() {
    let outbound = Setup::new().load().unwrap().outbound;
    assert_eq!((outbound.https_proxy, outbound.http_proxy), (None, None));
    assert!(outbound.no_proxy.is_empty() && outbound.root_certificates.is_empty());
    assert_eq!((outbound.connect_timeout, outbound.total_timeout), (Duration::from_secs(5), Duration::from_secs(10)));
    assert!(!outbound.dangerous_allow_internal_addresses);
}

#[test]
fn everything_can_be_set() {
    let setup = Setup::with_file(
        "[outbound]\nproxy = \"http://proxy.example.com:3128\"\nno_proxy = [\"corp.example.com\", \"10.0.0.0/8\"]\n\
         root_certificates_file = \"roots.pem\"\nconnect_timeout = \"2s\"\ntotal_timeout = \"8s\"\n\
         dangerous_allow_internal_addresses = true\n",
    )
    .file("roots.pem", &format!("Issued to: Example Company\n{}\n{}", authority(), authority()));
    let config = setup.load().unwrap();
    let outbound = &config.outbound;
    assert_eq!(host(outbound.https_proxy.as_ref()), Some("proxy.example.com"));
    assert_eq!(outbound.https_proxy, outbound.http_proxy);
    assert_eq!(outbound.no_proxy, ["corp.example.com", "10.0.0.0/8"]);
    assert_eq!(outbound.root_certificates.len(), 2);
    assert_eq!((outbound.connect_timeout, outbound.total_timeout), (Duration::from_secs(2), Duration::from_secs(8)));
    assert!(outbound.dangerous_allow_internal_addresses);
    assert!(config.warnings.iter().any(|warning| warning.starts_with("outbound.dangerous_allow_internal_addresses: ")));
}

#[test]
fn the_environment_s_proxies_count_where_none_is_configured() {
    let setup = Setup::new().variable("HTTPS_PROXY", "secure.example:1").variable("http_proxy", "http://plain.example:2");
    let outbound = setup.variable("NO_PROXY", "corp.example.com, 10.0.0.0/8").load().unwrap().outbound;
    assert_eq!(host(outbound.https_proxy.as_ref()), Some("secure.example"));
    assert_eq!(host(outbound.http_proxy.as_ref()), Some("plain.example"));
    assert_eq!(outbound.no_proxy, ["corp.example.com", "10.0.0.0/8"]);
    let setup = Setup::new().variable("ALL_PROXY", "http://all.example").variable("https_proxy", "http://small.example");
    let outbound = setup.variable("HTTPS_PROXY", "http://capital.example").load().unwrap().outbound;
    assert_eq!(host(outbound.https_proxy.as_ref()), Some("small.example"));
    assert_eq!(host(outbound.http_proxy.as_ref()), Some("all.example"));
    let setup = Setup::with_file("[outbound]\nproxy = \"http://ours.example\"\nno_proxy = [\"ours.example\"]\n");
    let setup = setup.variable("HTTPS_PROXY", "http://theirs.example").variable("NO_PROXY", "theirs.example");
    let outbound = setup.load().unwrap().outbound;
    assert_eq!(host(outbound.https_proxy.as_ref()), Some("ours.example"));
    assert_eq!(outbound.no_proxy, ["ours.example"]);
}

#[test]
fn a_proxy_with_a_password_can_stand_in_a_file_and_is_shown_nowhere() {
    let setup = Setup::new().set("outbound.proxy_file=proxy.txt").file("proxy.txt", "http://alice:sentinel@proxy.example.com\n");
    let config = setup.load().unwrap();
    assert_eq!(config.outbound.https_proxy.as_ref().unwrap().url().password(), Some("sentinel"));
    assert!(!format!("{config:?}").contains("sentinel"));
    let setup = Setup::new().variable("OAUTH2FLOW_OUTBOUND_PROXY", "socks5://alice:sentinel@proxy.example.com");
    let problem = setup.problem();
    assert_eq!(problem.key, "outbound.proxy");
    assert!(problem.problem.contains("is not the address of an http or https proxy"));
    assert!(!problem.to_string().contains("sentinel"));
}

#[test]
fn a_proxy_of_the_environment_that_cannot_be_used_is_a_problem_that_names_the_variable() {
    let problem = Setup::new().variable("all_proxy", "socks5://localhost:1080").problem();
    assert_eq!(problem.key, "outbound.proxy");
    assert!(problem.problem.contains("variable all_proxy"));
}

#[test]
fn certificates_that_cannot_be_used_are_problems() {
    for (text, expected) in [
        (None, "cannot be read"),
        (Some(String::new()), "holds no certificate"),
        (Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned()), "holds no certificate"),
        (Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()), "in the place of its certificate 1"),
        (
            Some(format!("{}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", authority())),
            "in the place of its certificate 2",
        ),
        (Some("-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n".to_owned()), "holds broken PEM"),
        (Some("-----BEGIN CERTIFICATE-----\nAAAA\n".to_owned()), "holds broken PEM"),
        (Some("x".repeat(1024 * 1024 + 1)), "longer than 1 MiB"),
    ] {
        let mut setup = Setup::with_file("[outbound]\nroot_certificates_file = \"roots.pem\"\n");
        if let Some(text) = &text {
            setup = setup.file("roots.pem", text);
        }
        let problem = setup.problem();
        assert_eq!((problem.key.as_str(), problem.source), ("outbound.root_certificates_file", Some(line(2))));
        assert!(problem.problem.contains("roots.pem") && problem.problem.contains(expected), "{}", problem.problem);
    }
}

#[test]
fn what_nothing_could_match_is_a_problem_and_not_when_it_is_the_environment_s() {
    let problem = Setup::with_file("[outbound]\nno_proxy = [\"corp.example.com\", \"*.example.com\"]\n").problem();
    assert_eq!((problem.key.as_str(), problem.source.clone()), ("outbound.no_proxy", Some(line(2))));
    assert!(problem.problem.contains("*.example.com"));
    Setup::new().variable("no_proxy", "*.example.com,http://x").load().unwrap();
}

#[test]
fn time_limits_have_to_make_sense() {
    let problems = Setup::with_file("[outbound]\nconnect_timeout = \"0s\"\ntotal_timeout = \"0s\"\n").problems();
    assert_eq!(
        problems.iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(),
        ["outbound.connect_timeout", "outbound.total_timeout"]
    );
    let problem = Setup::new().set("outbound.connect_timeout=11s").problem();
    assert_eq!(problem.source, Some(Source::Flag("--set outbound.connect_timeout".to_owned())));
    assert!(problem.problem.contains("11s is longer") && problem.problem.contains("10s"));
}

#[test]
fn all_problems_of_the_section_are_reported_at_once() {
    let setup = Setup::with_file(
        "[outbound]\nproxy = \"not a proxy\"\nroot_certificates_file = \"missing.pem\"\ntotal_timeout = \"soon\"\n\
         dangerous_allow_internal_addresses = \"perhaps\"\nproxies = \"x\"\n",
    );
    assert_eq!(setup.problems().len(), 5);
}
