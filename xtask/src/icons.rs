//! `cargo xtask icons`: the icons of every size and the picture for links elsewhere, made of `public/favicon.svg`.

use crate::child::{ended, run_streaming};
use crate::step::Step;
use crate::{browser, end2end};
use anyhow::{Result, bail};
use std::process::ExitCode;

/// Draws them into `public`.
pub(crate) fn draw() -> Result<ExitCode> {
    end2end::ensure_packages()?;
    let chromium = browser::ensure()?;
    let step = Step::start_streaming("draw the icons into public");
    let mut command = end2end::without_server(&chromium);
    command.args(["--project=icons", "--reporter=list"]);
    let finished = run_streaming(&mut command)?;
    if !finished.status.success() {
        step.failed("");
        bail!("{}", ended(&command, finished.status));
    }
    step.done();
    Ok(ExitCode::SUCCESS)
}
