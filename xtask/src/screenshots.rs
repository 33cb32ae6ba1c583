//! Pictures of the pages: those in the documents, the recorded login, and those that the tests compare with.

use crate::site::{self, Package};
use crate::workspace::site_directory;
use crate::{browser, end2end, server, wasm_target};
use anyhow::Result;
use std::process::ExitCode;

/// Which pages to take anew.
#[derive(clap::Args)]
pub(crate) struct SnapshotArguments {
    /// Only the states whose names contain one of these
    states: Vec<String>,
}

/// Takes the pictures of the documents.
pub(crate) fn take() -> Result<ExitCode> {
    play("take the pictures into docs/screenshots", &["--project=screenshots"])
}

/// Records a login from the home page to its X-ray.
pub(crate) fn record() -> Result<ExitCode> {
    play("record a login into docs/screenshots", &["--project=recording"])
}

/// Takes the pictures and the texts that the tests compare with.
pub(crate) fn snapshot(arguments: &SnapshotArguments) -> Result<ExitCode> {
    let states = end2end::any_of(&arguments.states);
    let mut words = vec!["--project=spa", "states.spec.ts", "--retries=0", "--update-snapshots=all"];
    if !arguments.states.is_empty() {
        words.extend(["--grep", &states]);
    }
    play("take the pictures and texts in end2end/snapshots anew", &words)
}

/// Builds what is shown, and has Playwright do it.
fn play(name: &str, arguments: &[&str]) -> Result<ExitCode> {
    site::ensure(&wasm_target::ensure()?, &Package::own())?;
    let program = server::build(false, false)?;
    end2end::ensure_packages()?;
    let chromium = browser::ensure()?;
    end2end::make(name, end2end::playwright(&program, &site_directory(), &chromium).args(arguments))
}
