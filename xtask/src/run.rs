//! `cargo xtask run`: everything up to a server that answers.

use crate::server::{self, Mode};
use crate::site::{self, Package};
use crate::wasm_target;
use crate::workspace::root;
use anyhow::{Context, Result};
use std::process::{Command, ExitCode};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Build the server with optimizations
    #[arg(long)]
    release: bool,
    /// Who makes the pages: the browser (spa) or the server (ssr)
    #[arg(long, value_enum, default_value_t = Mode::Spa)]
    mode: Mode,
    /// Run an example, such as guestbook, instead of this project's own app
    #[arg(long, value_name = "NAME")]
    example: Option<String>,
    /// Everything after `--` goes to the server
    #[arg(last = true, value_name = "SERVER ARGUMENTS")]
    for_server: Vec<String>,
}

/// Makes what is missing and becomes the server.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    let package = arguments.example.as_deref().map_or_else(|| Ok(Package::own()), Package::example)?;
    site::ensure(&wasm_target::ensure()?, &package)?;
    let program = match &arguments.example {
        Some(name) => server::build_example(name, arguments.release)?,
        None => server::build(arguments.release, false)?,
    };
    let mut command = Command::new(&program);
    command.current_dir(root()).arg("--site-dir").arg(package.site()).args(["--render", &arguments.mode.to_string()]);
    command.args(arguments.for_server);
    become_the(&mut command).with_context(|| format!("cannot start {}", program.display()))
}

/// Replaces this process, so that signals and the exit code are the server's own.
#[cfg(unix)]
fn become_the(server: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(server.exec().into())
}

/// Starts the server and waits: the console gives its Ctrl-C to both.
#[cfg(not(unix))]
fn become_the(server: &mut Command) -> Result<ExitCode> {
    let status = server.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}
