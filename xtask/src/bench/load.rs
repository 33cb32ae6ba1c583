//! What requests cost: builds the release with the load generator, and lets that measure.

use super::Arguments;
use crate::cargo::{build, release_cargo};
use crate::child::{ended, run_streaming};
use crate::server::SERVER;
use crate::step::Step;
use crate::test::servers;
use crate::workspace::{cache_directory, root, shown};
use crate::{site, wasm_target};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The load generator's package and program.
const LOAD: &str = "oauth2flow-load";

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    servers::ensure()?;
    let (server, load) = make(arguments.program.as_deref())?;
    let directory = cache_directory().join("load");
    let figures = root().join("target/bench/load.json");
    std::fs::create_dir_all(root().join("target/bench"))?;
    let mut command = Command::new(load);
    command.arg("measure").arg("--server").arg(server).arg("--directory").arg(&directory).arg("--json").arg(&figures);
    command.args(options(arguments));
    let step = Step::start_streaming("measure what requests cost");
    let finished = run_streaming(&mut command)?;
    match finished.status.code() {
        Some(0) => step.done_with(&shown(&figures)),
        Some(1) => {
            step.failed("");
            return Ok(ExitCode::FAILURE);
        }
        _ => bail!("{}", ended(&command, finished.status)),
    }
    Ok(ExitCode::SUCCESS)
}

/// The server and the load generator. Built together, so that what both depend on is compiled once.
fn make(program: Option<&Path>) -> Result<(PathBuf, PathBuf)> {
    let mut command = release_cargo()?;
    command.args(["build", "--release", "--package", LOAD]);
    if program.is_none() {
        site::ensure(&wasm_target::ensure()?, &site::Package::own())?;
        command.args(["--package", SERVER, "--features", &format!("{SERVER}/embedded-site")]);
    }
    let built = build("compile server and load generator for release", &mut command)?;
    let of = |name: &str| built.program(name).map(Path::to_path_buf).with_context(|| format!("cargo made no {name}"));
    let server = match program {
        Some(program) => program.canonicalize().with_context(|| format!("there is no {}", program.display()))?,
        None => of(SERVER)?,
    };
    Ok((server, of(LOAD)?))
}

/// What the load generator is told of our own arguments.
fn options(arguments: &Arguments) -> Vec<String> {
    let mut options = Vec::new();
    for (name, is_set) in [("--quick", arguments.quick), ("--few", arguments.few), ("--requests-only", arguments.requests_only)] {
        options.extend(is_set.then(|| name.to_owned()));
    }
    let counts = arguments.sessions.iter().map(ToString::to_string).collect();
    for (name, values) in [("--store", &arguments.store), ("--scenario", &arguments.scenario), ("--sessions", &counts)] {
        options.extend(values.iter().flat_map(|value| [name.to_owned(), value.clone()]));
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn the_load_generator_is_told_what_to_leave_out() {
        let line = Line::parse_from(["bench", "--quick", "--store", "sqlite", "--store", "redis", "--sessions", "1000"]);
        assert_eq!(options(&line.arguments), ["--quick", "--store", "sqlite", "--store", "redis", "--sessions", "1000"]);
    }
}
