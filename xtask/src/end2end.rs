//! The browser tests' packages, and Playwright.

use crate::child::{ended, run_step, run_streaming};
use crate::site::digest;
use crate::step::Step;
use crate::workspace::{end2end_directory, program, root};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Installs the packages that `package-lock.json` names, unless they are there.
pub(crate) fn ensure_packages() -> Result<()> {
    const NAME: &str = "packages of the browser tests";
    let lock_path = end2end_directory().join("package-lock.json");
    let lock = digest(&fs::read(&lock_path).with_context(|| format!("cannot read {}", lock_path.display()))?);
    // Inside node_modules, so that it goes when they go.
    let stamp = end2end_directory().join("node_modules/.installed-from");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        Step::skipped(NAME, "they are as package-lock.json wants them");
        return Ok(());
    }
    if program("npm").is_none() {
        bail!("the browser tests need Node 20 or newer with npm; without a browser: cargo xtask test --fast");
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(end2end_directory()).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    run_step(&format!("install the {NAME}"), &mut npm)?;
    fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Playwright, with what its configuration wants to know.
pub(crate) fn playwright(server: &Path, site: &Path, chromium: &PathBuf) -> Command {
    let mut command = without_server(chromium);
    command.env("OAUTH2FLOW_BIN", root().join(server)).env("OAUTH2FLOW_SITE_DIR", root().join(site));
    command
}

/// The same for what needs a browser only.
pub(crate) fn without_server(chromium: &PathBuf) -> Command {
    let mut command = Command::new("npx");
    command.args(["playwright", "test"]).current_dir(end2end_directory()).env("CHROMIUM_PATH", chromium);
    command
}

/// Has Playwright make something that is kept, and says so.
pub(crate) fn make(name: &str, playwright: &mut Command) -> Result<ExitCode> {
    let step = Step::start_streaming(name);
    let finished = run_streaming(playwright.arg("--reporter=list"))?;
    if !finished.status.success() {
        step.failed("");
        bail!("{}", ended(playwright, finished.status));
    }
    step.done();
    Ok(ExitCode::SUCCESS)
}

/// The regular expression that finds any of these words as they are.
pub(crate) fn any_of(words: &[String]) -> String {
    let escape = |word: &String| {
        word.chars().fold(String::new(), |mut pattern, character| {
            if !character.is_alphanumeric() && !character.is_whitespace() {
                pattern.push('\\');
            }
            pattern.push(character);
            pattern
        })
    };
    words.iter().map(escape).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_as_they_are() {
        assert_eq!(any_of(&["signs out".to_owned(), "a.b (c)".to_owned()]), r"signs out|a\.b \(c\)");
    }
}
