//! The app's tests in WebAssembly: `#[wasm_bindgen_test]` in Node, or in Chromium where a test file asks for a page with
//! `wasm_bindgen_test_configure!(run_in_browser)`.

use super::conclude;
use super::counts::Counts;
use crate::cargo;
use crate::child::run_within;
use crate::site::{bind, custom_section};
use crate::step::Step;
use crate::wasm_target::{TARGET, WasmTarget};
use crate::workspace::{cache_directory, empty_directory, end2end_directory, root};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Where `wasm_bindgen_test_configure!` leaves its choice.
const CHOICE: &str = "__wasm_bindgen_test_unstable";
/// How long the tests of one file may take.
const LIMIT: Duration = Duration::from_mins(5);

/// What a test file wants to run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surroundings {
    Node,
    Page,
}

impl Surroundings {
    fn of(choice: Option<&[u8]>) -> Result<Self> {
        match choice.and_then(<[u8]>::first) {
            None | Some(5) => Ok(Self::Node),
            Some(1) => Ok(Self::Page),
            Some(_) => bail!("the tests want to run in a worker; only Node and a page (run_in_browser) are provided"),
        }
    }
}

/// Compiles and runs them all; without a Chromium those that need a page are left out.
pub(super) fn run(target: &WasmTarget, chromium: Option<&Path>, filters: &[String]) -> Result<Counts> {
    let mut command = target.cargo();
    command.args(["test", "--no-run", "--package", "oauth2flow-app", "--no-default-features", "--features", "hydrate"]);
    command.args(["--target", TARGET, "--profile", "wasm-release"]);
    let built = cargo::build("compile the app's tests to WebAssembly", &mut command)?;
    if !built.warnings.is_empty() {
        bail!("the app has warnings when it is compiled for the browser:\n{}", built.warnings.concat());
    }
    let mut counts = Counts::default();
    for module in built.tests() {
        counts += run_one(module, chromium, filters)?;
    }
    Ok(counts)
}

fn run_one(module: &Path, chromium: Option<&Path>, filters: &[String]) -> Result<Counts> {
    let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let surroundings = Surroundings::of(custom_section(&bytes, CHOICE)?.as_deref())?;
    let file = module.file_stem().and_then(|file| file.to_str()).unwrap_or_default();
    // Cargo puts a hash behind the file's own name.
    let name = file.rsplit_once('-').map_or(file, |(name, _)| name);
    let scripts = root().join("xtask/src/test/wasm");
    let directory = cache_directory().join("wasm-tests").join(name);
    let mut command = Command::new("node");
    let name = match (surroundings, chromium) {
        (Surroundings::Node, _) => {
            command.arg(scripts.join("node.mjs")).arg(&directory);
            format!("run {name} in Node")
        }
        (Surroundings::Page, Some(chromium)) => {
            command.arg(scripts.join("page.mjs")).arg(&directory).arg(end2end_directory()).arg(chromium);
            format!("run {name} in Chromium")
        }
        (Surroundings::Page, None) => {
            Step::skipped(&format!("run {name} in Chromium"), "the browser is left out");
            return Ok(Counts::default());
        }
    };
    prepare(module, &scripts, &directory)?;
    let step = Step::start(name);
    let finished = run_within(command.args(filters), LIMIT, &step)?;
    let counts = Counts::of_libtest(&finished.transcript);
    conclude(step, &command, &finished, counts)
}

/// Puts the bound module and the script that runs its tests side by side.
fn prepare(module: &Path, scripts: &Path, directory: &Path) -> Result<()> {
    // The app's own start function would take the page over.
    let bound = bind(module, false)?;
    empty_directory(directory)?;
    fs::write(directory.join("bindings.mjs"), bound.js)?;
    fs::write(directory.join("module.wasm"), bound.wasm)?;
    for (path, script) in bound.snippets {
        let path: PathBuf = directory.join("snippets").join(path);
        fs::create_dir_all(path.parent().unwrap_or(directory))?;
        fs::write(path, script)?;
    }
    fs::copy(scripts.join("tests.mjs"), directory.join("tests.mjs")).context("cannot copy the script that runs the tests")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_run_in_node_unless_they_ask_for_a_page() {
        assert_eq!(Surroundings::of(None).unwrap(), Surroundings::Node);
        assert_eq!(Surroundings::of(Some(&[5])).unwrap(), Surroundings::Node);
        assert_eq!(Surroundings::of(Some(&[1])).unwrap(), Surroundings::Page);
        assert!(Surroundings::of(Some(&[2])).is_err());
    }
}
