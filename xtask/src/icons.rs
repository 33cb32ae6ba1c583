//! `cargo xtask icons`: the icons of every size and the picture for links elsewhere, made of `public/favicon.svg`.

use crate::{browser, end2end};
use anyhow::Result;
use std::process::ExitCode;

/// Draws them into `public`.
pub(crate) fn draw() -> Result<ExitCode> {
    end2end::ensure_packages()?;
    let chromium = browser::ensure()?;
    end2end::make("draw the icons into public", end2end::without_server(&chromium).arg("--project=icons"))
}
