//! `cargo xtask screenshots`: the pictures of every page, as they look today.

use crate::child::{ended, run_streaming};
use crate::step::Step;
use crate::workspace::site_directory;
use crate::{browser, end2end, server, site, wasm_target};
use anyhow::{Result, bail};
use std::process::ExitCode;

/// Takes them.
pub(crate) fn take() -> Result<ExitCode> {
    site::ensure(&wasm_target::ensure()?)?;
    let program = server::build(false, false)?;
    end2end::ensure_packages()?;
    let chromium = browser::ensure()?;
    let step = Step::start_streaming("take the pictures into docs/screenshots");
    let mut command = end2end::playwright(&program, &site_directory(), &chromium);
    command.args(["--project=screenshots", "--reporter=list"]);
    let finished = run_streaming(&mut command)?;
    if !finished.status.success() {
        step.failed("");
        bail!("{}", ended(&command, finished.status));
    }
    step.done();
    Ok(ExitCode::SUCCESS)
}
