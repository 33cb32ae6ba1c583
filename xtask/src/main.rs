//! `cargo xtask`: the one entry a person needs to run, test and build oauth2flow.
//!
//! Every command is a file of its own; every step says what it does, how long it took, or why it was skipped.

use clap::{Parser, Subcommand};
use std::process::ExitCode;

mod bench;
mod browser;
mod cargo;
mod child;
mod clean;
mod composition;
mod coverage;
mod debian;
mod end2end;
mod fuzz;
mod icons;
mod paths;
mod release;
mod run;
mod screenshots;
mod server;
mod site;
mod size;
mod step;
mod test;
mod wasm_target;
mod workspace;

/// Run, test and build oauth2flow.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build what is missing and start the server
    Run(run::Arguments),
    /// Check the format, the lints and the documentation, and run every test
    Test(test::Arguments),
    /// Feed the parsers of foreign bytes with whatever a fuzzer thinks of
    Fuzz(fuzz::Arguments),
    /// Count the lines of `protocol` that its tests run
    Coverage(coverage::Arguments),
    /// Build the release: one self-contained binary
    Build,
    /// Build the site alone, and say what its bytes are made of
    Site(release::SiteArguments),
    /// Measure the release: what requests and their parts cost, and how fast the first page comes
    Bench(bench::Arguments),
    /// Take the pictures of the documents into docs/screenshots
    Screenshots,
    /// Record a login, from the home page to its X-ray, into docs/screenshots
    Record,
    /// Take anew the pictures and texts that the browser tests compare every page with
    Snapshots(screenshots::SnapshotArguments),
    /// Draw the icons and the picture for links elsewhere into public
    Icons,
    /// Remove what `run` and `build` made
    Clean(clean::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(arguments) => run::run(arguments),
        Command::Test(arguments) => Ok(test::test(&arguments)),
        Command::Fuzz(arguments) => fuzz::fuzz(&arguments),
        Command::Coverage(arguments) => coverage::coverage(&arguments),
        Command::Build => release::build(),
        Command::Site(arguments) => release::site(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Screenshots => screenshots::take(),
        Command::Record => screenshots::record(),
        Command::Snapshots(arguments) => screenshots::snapshot(&arguments),
        Command::Icons => icons::draw(),
        Command::Clean(arguments) => clean::clean(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
