//! The app's tests in WebAssembly: `#[wasm_bindgen_test]` in Node, or in Chromium where a test file asks for a page with
//! `wasm_bindgen_test_configure!(run_in_browser)`.

use super::conclude;
use super::counts::Counts;
use crate::cargo;
use crate::child::run_within;
use crate::site::{Bind, bind, custom_section};
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
    let selection = selection(&root().join("app"))?;
    if selection.is_empty() {
        Step::skipped("the app's tests in WebAssembly", "it has none");
        return Ok(Counts::default());
    }
    let mut command = target.cargo();
    command.args(["test", "--no-run", "--package", "oauth2flow-app", "--no-default-features", "--features", "hydrate"]);
    // The profile of the bundle, so that its crates need not be compiled for the tests again.
    command.args(["--target", TARGET, "--profile", "wasm-release"]).args(selection);
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

/// The files with such tests, as cargo selects them: every other one would be linked for nothing, which takes long.
fn selection(app: &Path) -> Result<Vec<String>> {
    let mut selection = Vec::new();
    if has_tests(&app.join("src"))? {
        selection.push("--lib".to_owned());
    }
    for file in files(&app.join("tests"))? {
        if let (true, Some(name)) = (has_tests(&file)?, file.file_stem()) {
            selection.extend(["--test".to_owned(), name.to_string_lossy().into_owned()]);
        }
    }
    Ok(selection)
}

/// Whether a file, or any below a directory, has a test for WebAssembly.
fn has_tests(path: &Path) -> Result<bool> {
    if path.is_dir() {
        for file in files(path)? {
            if has_tests(&file)? {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&content).contains("#[wasm_bindgen_test"))
}

/// What is in a directory, in the order of the names; nothing where there is none.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if directory.is_dir() {
        for entry in fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))? {
            files.push(entry?.path());
        }
    }
    files.sort();
    Ok(files)
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
    let bound = bind(module, Bind::Tests)?;
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
    fn only_files_with_such_tests_are_compiled() {
        let app = cache_directory().join("tests/selection");
        empty_directory(&app.join("tests")).unwrap();
        fs::create_dir_all(app.join("src/pages")).unwrap();
        fs::write(app.join("tests/page.rs"), "#[wasm_bindgen_test]\nfn a() {}").unwrap();
        fs::write(app.join("tests/render.rs"), "#[test]\nfn a() {}").unwrap();
        fs::write(app.join("src/pages/home.rs"), "fn a() {}").unwrap();
        assert_eq!(selection(&app).unwrap(), ["--test", "page"]);
        fs::write(app.join("src/pages/home.rs"), "#[wasm_bindgen_test(async)]\nfn a() {}").unwrap();
        assert_eq!(selection(&app).unwrap(), ["--lib", "--test", "page"]);
    }

    #[test]
    fn tests_run_in_node_unless_they_ask_for_a_page() {
        assert_eq!(Surroundings::of(None).unwrap(), Surroundings::Node);
        assert_eq!(Surroundings::of(Some(&[5])).unwrap(), Surroundings::Node);
        assert_eq!(Surroundings::of(Some(&[1])).unwrap(), Surroundings::Page);
        assert!(Surroundings::of(Some(&[2])).is_err());
    }
}
