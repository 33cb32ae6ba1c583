//! Unit and integration tests, by cargo-nextest.

use super::counts::Counts;
use super::has_subcommand;
use crate::cargo::cargo;
use crate::child::{ended, run_step, run_streaming};
use crate::step::Step;
use crate::workspace::root;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// Runs the tests of the selected packages; those that are ignored need Valkey.
pub(super) fn run(name: &str, packages: &[&str], filters: &[String], valkey: Option<&Path>) -> Result<Counts> {
    install()?;
    // Where .config/nextest.toml has nextest write it.
    let report = root().join("target/nextest/default/junit.xml");
    // A report of the last run must not be taken for this one's.
    let _ = fs::remove_file(&report);
    let step = Step::start_streaming(name);
    let mut command = cargo();
    command.args(["nextest", "run"]).args(packages).args(filters);
    if !filters.is_empty() {
        command.arg("--no-tests=pass");
    }
    if let Some(directory) = valkey.and_then(Path::parent) {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::env::split_paths(&path).chain([directory.to_path_buf()]))?;
        command.args(["--run-ignored", "all"]).env("PATH", path);
    }
    let finished = run_streaming(&mut command)?;
    let Ok(text) = fs::read_to_string(&report) else {
        if finished.status.success() {
            step.done_with("no test has such a name");
            return Ok(Counts::default());
        }
        step.failed("");
        bail!("{}", ended(&command, finished.status));
    };
    let counts = Counts::of_junit(&text)?;
    if finished.status.success() {
        step.done_with(&counts.to_string());
    } else {
        step.failed("");
        if counts.failed == 0 {
            bail!("{}", ended(&command, finished.status));
        }
    }
    Ok(counts)
}

/// How many tests are ignored.
pub(super) fn count_ignored(packages: &[&str], filters: &[String]) -> Result<usize> {
    let mut command = cargo();
    command.args(["nextest", "list", "--run-ignored", "only", "--message-format", "oneline"]).args(packages).args(filters);
    Ok(run_step("count the tests that are left out", &mut command)?.stdout.len())
}

fn install() -> Result<()> {
    if has_subcommand("nextest") {
        return Ok(());
    }
    println!("  cargo-nextest is not installed: it is compiled once, which takes some minutes");
    run_step("install cargo-nextest", cargo().args(["install", "cargo-nextest", "--locked"]))
        .map(drop)
        .context("cargo-nextest cannot be installed")
}
