//! `docs/configuration.md` and `oauth2flow.example.toml` say what the declarations say.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should end there")]

use oauth2flow::config::{Arguments, Config, example_file, listing, reference};
use std::path::PathBuf;

fn compare(file: &str, expected: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == expected, "{file} is out of date; UPDATE_DOCS=1 cargo test -p oauth2flow writes it anew");
}

#[test]
fn the_reference_is_up_to_date() {
    compare("docs/configuration.md", &reference());
}

#[test]
fn the_example_file_is_up_to_date() {
    compare("oauth2flow.example.toml", &example_file());
}

#[test]
fn the_example_file_as_it_is_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let load = || Config::load(&Arguments::default(), std::iter::empty(), directory.path()).unwrap();
    let without = load();
    std::fs::write(directory.path().join("oauth2flow.toml"), example_file()).unwrap();
    assert_eq!(format!("{:?}", load()), format!("{without:?}"));
}

#[test]
fn every_line_of_the_example_file_is_a_setting() {
    let directory = tempfile::tempdir().unwrap();
    let uncommented: String = example_file()
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .filter(|line| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| is_key(key)))
        .fold(String::new(), |text, line| text + line + "\n");
    assert!(uncommented.lines().count() > 50, "{uncommented}");
    std::fs::write(directory.path().join("oauth2flow.toml"), uncommented).unwrap();
    // All of them at once do not go together, but each is known.
    let problems = Config::load(&Arguments::default(), std::iter::empty(), directory.path()).unwrap_err();
    for problem in &problems {
        assert_ne!(problem.problem, "There is no such setting.", "{problem}");
        assert_ne!(problem.problem, "There is no such section.", "{problem}");
        assert!(!problem.problem.starts_with("It is not TOML"), "{problem}");
    }
}

fn is_key(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii_lowercase() || matches!(character, '_' | '.'))
}

#[test]
fn the_examples_of_the_reference_can_be_used() {
    let reference = reference();
    let examples: Vec<_> = reference.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 4);
    for example in examples {
        let directory = tempfile::tempdir().unwrap();
        for secret in ["work.secret", "example.secret"] {
            std::fs::write(directory.path().join(secret), "a secret").unwrap();
        }
        // Examples of another section lean on the provider of the ones before.
        let provider = "[providers.example]\nissuer = \"https://accounts.example.com\"\nclient_id = \"a\"\nclient_secret = \"b\"\n";
        let provider = if example.contains("[providers.") { "" } else { provider };
        std::fs::write(directory.path().join("oauth2flow.toml"), format!("{example}{provider}")).unwrap();
        let loaded = Config::load(&Arguments::default(), std::iter::empty(), directory.path());
        assert!(loaded.is_ok(), "{example}\n{}", loaded.unwrap_err());
    }
}

#[test]
fn the_listing_names_every_variable_of_the_reference() {
    let listing = listing();
    for key in [
        "OAUTH2FLOW_SERVER_LISTEN",
        "OAUTH2FLOW_PROVIDERS_EXAMPLE_CLIENT_ID",
        "client_secret or client_secret_file",
        "OAUTH2FLOW_LOG_FILTER",
    ] {
        assert!(listing.contains(key), "{key}\n{listing}");
    }
}

#[test]
fn the_command_line_is_read() {
    use clap::Parser as _;
    let arguments =
        Arguments::try_parse_from(["oauth2flow", "--config", "a.toml", "--listen", "127.0.0.1:1", "--set", "a=b", "--set", "c=d"])
            .unwrap_or_default();
    assert_eq!(arguments.config, Some(PathBuf::from("a.toml")));
    assert_eq!(arguments.listen.as_deref(), Some("127.0.0.1:1"));
    assert_eq!(arguments.set, ["a=b", "c=d"]);
    let help = Arguments::try_parse_from(["oauth2flow", "--help"]).err().unwrap().to_string();
    assert!(help.contains("Examples:") && help.contains("GITHUB_CLIENT_ID"), "{help}");
}
