//! `cargo xtask build`: the release, one self-contained binary, and what a first visit costs.

use crate::server::{self, Mode, Probe};
use crate::site::{self, Manifest, Package};
use crate::size::{BUDGET_BYTES, FirstLoad, Size};
use crate::step::Step;
use crate::wasm_target;
use crate::workspace::{cache_directory, shown};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Which site to build.
#[derive(clap::Args)]
pub(crate) struct SiteArguments {
    /// An example, such as guestbook, instead of this project's own app
    #[arg(long, value_name = "NAME")]
    package: Option<String>,
}

/// Builds the release and prints its sizes; over the budget it fails.
pub(crate) fn build() -> Result<ExitCode> {
    let (program, package) = (make()?, Package::own());
    let step = Step::start("measure the first visit");
    let first_load = FirstLoad::new(&package, &Manifest::read(&package)?, Some(first_page(&program, None)?))?;
    step.done();

    print!("\n{}\n{}\n", site::composition(&package)?.table(), first_load.table());
    let bytes = fs::metadata(&program).with_context(|| format!("cannot measure {}", program.display()))?.len();
    println!("One binary with everything in it: {} ({bytes} bytes)", shown(&program));
    within_budget(&first_load)?;
    Ok(ExitCode::SUCCESS)
}

/// Measures the first visit to the site that is built already, with this server; over the budget it fails.
pub(crate) fn check_first_load(program: &Path) -> Result<()> {
    let package = Package::own();
    let step = Step::start("measure the first visit");
    let page = first_page(program, Some(&package.site()))?;
    let first_load = FirstLoad::new(&package, &Manifest::read(&package)?, Some(page))?;
    within_budget(&first_load).inspect_err(|_| print!("{}", first_load.table()))?;
    step.done();
    Ok(())
}

fn within_budget(first_load: &FirstLoad) -> Result<()> {
    if let Some(excess) = first_load.over_budget_bytes() {
        bail!("the first load is {excess} bytes over the budget of {BUDGET_BYTES} bytes of brotli");
    }
    Ok(())
}

/// Builds the site and prints its sizes, which are all of a first visit but the page.
pub(crate) fn site(arguments: &SiteArguments) -> Result<ExitCode> {
    let package = arguments.package.as_deref().map_or_else(|| Ok(Package::own()), Package::named)?;
    site::ensure(&wasm_target::ensure()?, &package)?;
    let manifest = Manifest::read(&package)?;
    print!("\n{}\n{}", site::composition(&package)?.table(), FirstLoad::new(&package, &manifest, None)?.table());
    Ok(ExitCode::SUCCESS)
}

/// Builds the release and gives its path.
pub(crate) fn make() -> Result<PathBuf> {
    site::ensure(&wasm_target::ensure()?, &Package::own())?;
    server::build(true, true)
}

/// The larger of the two modes' first pages, from the binary itself in a directory where there is nothing else.
fn first_page(program: &Path, site: Option<&Path>) -> Result<Size> {
    let page = |name, mode| -> Result<Size> {
        let probe = Probe::start(program, site, mode, &cache_directory().join("probe"))?;
        Size::of_page(name, &probe.get("/")?)
    };
    let (spa, ssr) = (page("page (spa)", Mode::Spa)?, page("page (ssr)", Mode::Ssr)?);
    Ok(if ssr.brotli > spa.brotli { ssr } else { spa })
}
