//! `cargo xtask bench`: what a request costs the server, what the parts of it cost, and how fast the first page comes.
//!
//! `docs/performance.md` tells the method and how to read the figures.

use crate::step::Step;
use anyhow::Result;
use std::path::PathBuf;
use std::process::ExitCode;

mod functions;
mod load;
mod pages;

/// What to measure; without any of the three parts, all of them.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line, and they can be combined")]
pub(crate) struct Arguments {
    /// Measure what requests cost the server, beside a bare axum route and nginx
    #[arg(long)]
    requests: bool,
    /// Run the benchmarks of single functions
    #[arg(long)]
    functions: bool,
    /// Measure how fast the release starts, gives its first page, and lets a newcomer with a slow device and connection sign in
    #[arg(long)]
    pages: bool,
    /// A first look: fewer rounds, and not so many sessions
    #[arg(long)]
    quick: bool,
    /// Only with sessions in sqlite, memory, postgres or redis; can be repeated
    #[arg(long, value_name = "STORE")]
    store: Vec<String>,
    /// Only these requests: login-start, code-exchange, session-read, refused, forward-auth, proxied, login; can be repeated
    #[arg(long, value_name = "REQUEST")]
    scenario: Vec<String>,
    /// Read sessions with so many in the store, instead of 1000, 100000 and 1000000; can be repeated
    #[arg(long, value_name = "COUNT")]
    sessions: Vec<usize>,
    /// Leave out the reading with many sessions in the store
    #[arg(long)]
    few: bool,
    /// Leave out memory and start
    #[arg(long)]
    requests_only: bool,
    /// Measure this build of the server instead of making one
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Measures; what misses a target makes it fail.
pub(crate) fn bench(arguments: &Arguments) -> Result<ExitCode> {
    let all = !(arguments.requests || arguments.functions || arguments.pages);
    let mut code = ExitCode::SUCCESS;
    if all || arguments.requests {
        code = load::run(arguments)?;
    }
    if all || arguments.functions {
        functions::run()?;
    }
    if all || arguments.pages {
        let outcome = pages::run(arguments.program.as_deref())?;
        if outcome != ExitCode::SUCCESS {
            code = outcome;
        }
    }
    if !all {
        Step::skipped("the other parts", "not asked for");
    }
    Ok(code)
}
