//! `cargo xtask test`: every check and every test, one summary.

use crate::cargo::{build as cargo_build, cargo};
use crate::child::{Finished, ended, run_quietly, run_step, succeeds};
use crate::release;
use crate::server::SERVER;
use crate::site::{self, EXAMPLE, Package};
use crate::step::Step;
use crate::wasm_target;
use anyhow::{Context, Result, bail};
use counts::Counts;
use report::Report;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

mod counts;
mod nextest;
mod playwright;
mod report;
pub(crate) mod servers;
mod valkey;
mod wasm;

/// Everything but xtask: built on its own, xtask has been built already, since it is what runs here; built together with
/// the rest, its many dependencies would get other features and be compiled once more.
const PRODUCT: [&str; 3] = ["--workspace", "--exclude", "xtask"];

/// What to test.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Leave out everything that needs a browser
    #[arg(long)]
    fast: bool,
    /// Run only the tests whose names contain one of these, and no checks
    filters: Vec<String>,
}

/// Runs all steps, whatever becomes of the ones before, and sums up.
pub(crate) fn test(arguments: &Arguments) -> ExitCode {
    let filters = &arguments.filters;
    let mut report = Report::default();
    if filters.is_empty() {
        report.check("format", format);
        report.check("lints", lints);
        report.check("documentation", documentation);
    }
    let programs = report.value("server", programs);
    report.check("servers for the tests", servers::ensure);
    let valkey = valkey::ensure();
    let program = valkey.as_deref().ok();
    report.tests("unit and integration tests", || nextest::run("unit and integration tests", &PRODUCT, filters, program));
    if let Err(error) = &valkey {
        let count = nextest::count_ignored(&PRODUCT, filters).map_or_else(|_| "all".to_owned(), |count| count.to_string());
        report.left_out("tests with Valkey", format!("{count} of them, because it is not to be had here: {error:#}"));
    }
    report.tests("tests of xtask", || nextest::run("tests of xtask", &["--package", "xtask"], filters, None));
    report.tests("examples in the documentation", || documentation_tests(filters));

    let target = report.value("WebAssembly target", wasm_target::ensure);
    let site = target.as_ref().and_then(|target| report.value("site", || site::ensure(target, &Package::own())));
    if let (Some(programs), Some(()), true) = (&programs, &site, filters.is_empty()) {
        report.check("first load", || release::check_first_load(&programs.server));
    }
    // Chromium also runs those of the app's own tests that want a page.
    let chromium = if arguments.fast { None } else { report.value("browser", playwright::prepare) };
    match &target {
        Some(target) => report.tests("tests in WebAssembly", || wasm::run(target, chromium.as_deref(), filters)),
        None => report.missing("tests in WebAssembly"),
    }
    let example = target.as_ref().filter(|_| chromium.is_some()).and_then(|target| {
        let make = || site::ensure(target, &Package::example(EXAMPLE)?);
        report.value("site of the example", make)
    });
    match (&programs, site.and(example), &chromium) {
        _ if arguments.fast => report.left_out("tests in the browser", "--fast"),
        (Some(programs), Some(()), Some(chromium)) => {
            report.tests("tests in the browser", || playwright::run(programs, chromium, filters));
        }
        _ => report.missing("tests in the browser"),
    }
    report.finish()
}

fn format() -> Result<()> {
    run_step("check the format", cargo().args(["fmt", "--all", "--check"]))?;
    // The fuzz targets are a workspace of their own.
    let fuzz = ["fmt", "--manifest-path", "server/protocol/fuzz/Cargo.toml", "--check"];
    run_step("check the format of the fuzz targets", cargo().args(fuzz)).map(drop)
}

fn lints() -> Result<()> {
    run_step("check the lints", cargo().args(["clippy", "--workspace", "--all-targets", "--keep-going", "--", "--deny", "warnings"]))?;
    // The workspace has the app as the server renders it; this is the app as it runs in the browser.
    let browser = [
        "clippy",
        "--package",
        "oauth2flow-app",
        "--package",
        EXAMPLE,
        "--no-default-features",
        "--features",
        "hydrate",
        "--",
        "--deny",
        "warnings",
    ];
    run_step("check the lints of the app in the browser", cargo().args(browser)).map(drop)
}

fn documentation() -> Result<()> {
    let mut command = cargo();
    command.args(["doc", "--workspace", "--no-deps", "--keep-going"]).env("RUSTDOCFLAGS", "-D warnings");
    run_step("check the documentation and its links", &mut command).map(drop)
}

/// What the browser tests start.
struct Programs {
    server: PathBuf,
    /// The providers that each do one thing wrong.
    hostile: PathBuf,
    /// The example's server.
    example: PathBuf,
}

/// Builds the programs and all tests together, so that nothing is compiled twice.
fn programs() -> Result<Programs> {
    let built = cargo_build("compile the server and all tests", cargo().arg("build").args(PRODUCT).arg("--all-targets"))?;
    Ok(Programs {
        server: built.program(SERVER).map(Path::to_path_buf).context("cargo made no server")?,
        hostile: built.example("hostile").map(Path::to_path_buf).context("cargo made no hostile provider")?,
        example: built.program(EXAMPLE).map(Path::to_path_buf).context("cargo made no server of the example")?,
    })
}

fn documentation_tests(filters: &[String]) -> Result<Counts> {
    let step = Step::start("run the examples in the documentation");
    let mut command = cargo();
    command.args(["test", "--doc"]).args(PRODUCT).arg("--").args(filters);
    let finished = run_quietly(&mut command, &step)?;
    let counts = Counts::of_libtest(&finished.transcript);
    conclude(step, &command, &finished, counts)
}

/// Ends a step that ran tests: it is done when the program is content and no test failed.
fn conclude(step: Step, command: &Command, finished: &Finished, counts: Counts) -> Result<Counts> {
    if finished.status.success() && counts.failed == 0 {
        step.done_with(&counts.to_string());
    } else {
        step.failed(&finished.transcript);
        if counts.failed == 0 {
            bail!("{}", ended(command, finished.status));
        }
    }
    Ok(counts)
}

/// Whether a subcommand of cargo is installed.
fn has_subcommand(name: &str) -> bool {
    succeeds(cargo().args([name, "--version"]))
}
