//! What the binary says about itself.

use crate::server::{CANNOT_START, Setup};

#[test]
fn help_version_and_settings_are_printed_and_nothing_is_started_or_made() {
    for (argument, said) in [
        ("--help", ["Usage: oauth2flow", "--listen <ADDRESS>", "oauth2flow --settings", "oauth2flow keys rotate"].as_slice()),
        ("--version", [concat!("oauth2flow ", env!("CARGO_PKG_VERSION"))].as_slice()),
        ("--settings", ["[server]", "OAUTH2FLOW_SERVER_LISTEN", "127.0.0.1:3000"].as_slice()),
    ] {
        let setup = Setup::new().argument(argument);
        let ended = setup.run_bare();
        ended.assert_orderly();
        for text in said {
            assert!(ended.stdout.contains(text), "“{text}” is not in what {argument} prints:\n{}", ended.stdout);
        }
        assert!(!setup.path("data").exists());
    }
}

#[test]
fn an_argument_that_does_not_exist_is_refused_with_the_one_that_was_meant() {
    let ended = Setup::new().argument("--lissten").argument("127.0.0.1:1").run_bare();
    assert_eq!(ended.status.code(), Some(CANNOT_START));
    assert!(ended.stderr.contains("--lissten") && ended.stderr.contains("--listen"), "{}", ended.stderr);
}
