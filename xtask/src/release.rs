//! `cargo xtask build`: the release, one self-contained binary, and what a first visit costs.

use crate::server::{self, Mode, Probe};
use crate::site::Manifest;
use crate::size::{BUDGET_BYTES, FirstLoad, Size};
use crate::step::Step;
use crate::workspace::{cache_directory, shown};
use crate::{site, wasm_target};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Builds the release and prints its sizes; over the budget it fails.
pub(crate) fn build() -> Result<ExitCode> {
    let program = make()?;
    let step = Step::start("measure the first visit");
    let first_load = FirstLoad::new(&Manifest::read()?, Some(first_page(&program)?))?;
    step.done();

    print!("\n{}\n{}\n", site::composition()?.table(), first_load.table());
    let bytes = fs::metadata(&program).with_context(|| format!("cannot measure {}", program.display()))?.len();
    println!("One binary with everything in it: {} ({bytes} bytes)", shown(&program));
    if let Some(excess) = first_load.over_budget_bytes() {
        bail!("the first load is {excess} bytes over the budget of {BUDGET_BYTES} bytes of brotli");
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the site and prints its sizes, which are all of a first visit but the page.
pub(crate) fn site() -> Result<ExitCode> {
    site::ensure(&wasm_target::ensure()?)?;
    let manifest = Manifest::read()?;
    print!("\n{}\n{}", site::composition()?.table(), FirstLoad::new(&manifest, None)?.table());
    Ok(ExitCode::SUCCESS)
}

/// Builds the release and gives its path.
pub(crate) fn make() -> Result<PathBuf> {
    site::ensure(&wasm_target::ensure()?)?;
    server::build(true, true)
}

/// The larger of the two modes' first pages, from the binary itself in a directory where there is nothing else.
fn first_page(program: &std::path::Path) -> Result<Size> {
    let page = |name, mode| -> Result<Size> {
        let probe = Probe::start(program, mode, &cache_directory().join("probe"))?;
        Size::of_page(name, &probe.get("/")?)
    };
    let (spa, ssr) = (page("page (spa)", Mode::Spa)?, page("page (ssr)", Mode::Ssr)?);
    Ok(if ssr.brotli > spa.brotli { ssr } else { spa })
}
