//! `cargo xtask clean`: back to what the repository holds.

use crate::cargo::cargo;
use crate::child::run_step;
use crate::step::Step;
use crate::workspace::{cache_directory, remove_directory, root, shown, site_directory};
use anyhow::Result;
use std::process::ExitCode;

/// What to remove.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also remove everything that cargo and npm have built or fetched here
    #[arg(long)]
    all: bool,
}

/// Removes the site, what xtask keeps for itself, and the server's data.
pub(crate) fn clean(arguments: &Arguments) -> Result<ExitCode> {
    let mut directories = vec![
        (site_directory(), "the built site"),
        (cache_directory(), "what xtask keeps between two runs"),
        (root().join("data"), "the sessions and their key: everybody is signed out"),
        (root().join("end2end/test-results"), "the traces of failed browser tests"),
        (root().join("end2end/playwright-report"), "the report of the browser tests"),
    ];
    if arguments.all {
        directories.push((root().join("end2end/node_modules"), "the packages of the browser tests"));
    }
    for (directory, what) in directories {
        let name = format!("remove {}, {what}", shown(&directory));
        if directory.exists() {
            let step = Step::start(name);
            remove_directory(&directory)?;
            step.done();
        } else {
            Step::skipped(&name, "it is not there");
        }
    }
    if arguments.all {
        run_step("remove everything that cargo built", cargo().arg("clean"))?;
    }
    Ok(ExitCode::SUCCESS)
}
