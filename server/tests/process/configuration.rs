//! A configuration that cannot be used: every problem at once, each with its key and the way out, and exit code 2.

use crate::{
    http::{Request, exchange},
    server::{Setup, shown},
};
use oauth2flow_app::texts::VERSION;
use std::{fs, net::TcpListener};

#[test]
fn all_problems_are_reported_at_once_with_key_source_and_way_out() {
    let setup = Setup::new()
        .argument("--listen")
        .argument("everywhere")
        .argument("--render")
        .argument("paper")
        .argument("--public-url")
        .argument("http://app.example.com")
        .set("session.idle", "9h")
        .set("sesion.absolute", "1h")
        .variable("OAUTH2FLOW_LOG_FORMAT", "xml")
        .variable("OAUTH2FLOW_LOG_FLITER", "info");
    fs::write(setup.path("oauth2flow.toml"), "[providers.example]\nissuer = \"https://accounts.example.com\"\n").unwrap();
    let ended = setup.run_bare();
    ended.assert_refused(&[
        "The configuration has 9 problems:",
        "server.listen (flag --listen)",
        "server.render (flag --render)",
        "server.public_url (flag --public-url)",
        "session.idle (flag --set session.idle)",
        "Did you mean session.absolute?",
        "log.format (variable OAUTH2FLOW_LOG_FORMAT)",
        "Did you mean OAUTH2FLOW_LOG_FILTER?",
        "providers.example.client_id (oauth2flow.toml:1)",
        "providers.example.client_secret",
    ]);
    assert_eq!(ended.stderr.matches("\n   → ").count(), 9, "{}", ended.stderr);
    assert!(!setup.path("data").exists());
}

#[test]
fn an_address_that_others_can_reach_has_to_be_https() {
    let ended = Setup::new().argument("--public-url").argument("http://app.example.com").refusal();
    ended.assert_refused(&["server.public_url (flag --public-url)", "“http://app.example.com” is http", "→ Write https://"]);
}

#[test]
fn a_server_that_others_can_reach_has_to_be_told_its_address() {
    let ended = Setup::new().argument("--listen").argument("0.0.0.0:0").run_bare();
    ended.assert_refused(&["server.public_url", "It is required", "→ "]);
}

#[test]
fn the_demo_provider_is_not_for_an_address_that_others_can_reach() {
    let ended = Setup::new().argument("--public-url").argument("https://app.example.com").refusal();
    ended.assert_refused(&["demo.enabled", "→ Configure a provider"]);
}

#[test]
fn a_configuration_file_that_is_named_has_to_be_there() {
    let ended = Setup::new().argument("--config").argument("missing.toml").refusal();
    ended.assert_refused(&["missing.toml (flag --config)", "cannot be read", "→ Check the path"]);
}

#[test]
fn a_secret_with_a_slip_in_it_is_not_shown() {
    let ended = Setup::new().variable("OAUTH2FLOW_SESSION_KEY", "sentinel-key").refusal();
    ended.assert_refused(&["session.key (variable OAUTH2FLOW_SESSION_KEY)", "→ Make one with: oauth2flow keys generate"]);
    let on_the_command_line = Setup::new().set("session.key", "sentinel-key").refusal();
    on_the_command_line.assert_refused(&["session.key (flag --set session.key)", "→ Use session.key_file"]);
    for ended in [ended, on_the_command_line] {
        assert!(!ended.stderr.contains("sentinel") && !ended.stdout.contains("sentinel"), "{ended:#?}");
    }
}

#[test]
fn a_taken_port_is_named_with_its_setting_before_anything_is_made() {
    let setup = Setup::new();
    for (taken, setting) in [(setup.listen(), "--listen ADDRESS or server.listen"), (setup.demo_listen(), "--set demo.listen=ADDRESS")] {
        let _taken = TcpListener::bind(taken).unwrap();
        let ended = setup.refusal();
        ended.assert_refused(&[&format!("cannot listen on {taken}"), &format!("has port {}, end it", taken.port()), setting]);
        assert!(!setup.path("data").exists());
    }
}

#[test]
fn a_site_that_is_missing_not_complete_or_of_another_program_is_named_with_the_way_to_build_it() {
    let setup = Setup::new();
    let site = setup.path("site");
    let manifest = fs::read_to_string(site.join("manifest.json")).unwrap();
    fs::write(site.join("manifest.json"), manifest.replace(VERSION, "0123456789abcdef")).unwrap();
    setup.refusal().assert_refused(&[&shown(&site), "was built with other texts than this program", "`cargo xtask site`"]);
    fs::remove_file(site.join("pkg/app.wasm")).unwrap();
    setup.refusal().assert_refused(&[&shown(&site), "is not complete", "/pkg/app.wasm, which is missing"]);
    fs::write(site.join("manifest.json"), "{").unwrap();
    setup.refusal().assert_refused(&[&shown(&site), "is not complete", "manifest.json cannot be read"]);
    fs::remove_dir_all(&site).unwrap();
    setup.refusal().assert_refused(&[&shown(&site), "cannot be read", "`cargo xtask run`"]);
}

#[test]
fn settings_come_from_file_environment_and_flags() {
    let setup = Setup::new().variable("OAUTH2FLOW_SERVER_RENDER", "ssr").argument("--data-dir").argument("kept");
    fs::write(setup.path("oauth2flow.toml"), "[log]\nformat = \"json\"\n").unwrap();
    let server = setup.start();
    let request = Request::new("GET", "localhost", "/").header("accept", "text/html");
    let page = exchange(server.address(), request).unwrap();
    assert_eq!(page.status, 200);
    assert!(page.text().contains(r#"data-render="ssr""#), "{}", page.text());
    assert!(setup.path("kept/session.key").exists());
    let ended = server.stop();
    ended.assert_orderly();
    assert!(ended.stdout.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{}", ended.stdout);
}
