//! The browsers of the tests: the ones that are named, the system's, Playwright's own, or new ones.

use crate::child::{first_line, run_step};
use crate::debian::{install_packages, privilege};
use crate::step::Step;
use crate::workspace::{end2end_directory, program};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

/// Variables that name a Chromium.
const VARIABLES: [&str; 2] = ["CHROMIUM_PATH", "PLAYWRIGHT_CHROMIUM"];
/// What a system calls its Chromium.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// Chromium, and letters to draw text with: a bare system has none. The tests bring letters of their own.
const PACKAGES: [&str; 2] = ["chromium", "fonts-liberation"];

/// Names a Firefox; `end2end/fixtures/firefox.mjs` reads it.
pub(crate) const FIREFOX: &str = "FIREFOX_PATH";
/// What a system calls its Firefox, the one of Debian first.
const FIREFOX_PROGRAMS: [&str; 2] = ["firefox-esr", "firefox"];

/// Finds a Chromium or installs one; needs the packages of the browser tests.
pub(crate) fn ensure() -> Result<PathBuf> {
    const NAME: &str = "Chromium";
    if let Some(path) = find() {
        Step::skipped(NAME, &format!("{} is there", path.display()));
        return Ok(path);
    }
    let mut installed = None;
    if let Some(privilege) = privilege() {
        // Not every system with apt-get has this package; Playwright's own browser is the other way.
        if let Err(error) = install_packages(&privilege, &PACKAGES) {
            println!("  {error:#}; trying Playwright's own browser");
        }
        installed = of_system();
    }
    if installed.is_none() {
        run_step(
            "install Playwright's Chromium",
            Command::new("npx").args(["playwright", "install", "chromium"]).current_dir(end2end_directory()),
        )?;
    }
    find().context("no Chromium could be installed; install one and name it in CHROMIUM_PATH")
}

/// Finds a Firefox or installs Debian's. Playwright's own has changes that nobody browses with, so it is not asked for.
pub(crate) fn ensure_firefox() -> Result<PathBuf> {
    const NAME: &str = "Firefox";
    let of_system = || FIREFOX_PROGRAMS.iter().find_map(|name| program(name));
    if let Some(path) = std::env::var_os(FIREFOX).map(PathBuf::from).or_else(of_system) {
        Step::skipped(NAME, &format!("{} is there", path.display()));
        return Ok(path);
    }
    if let Some(privilege) = privilege() {
        install_packages(&privilege, &FIREFOX_PROGRAMS[..1])?;
    }
    of_system().with_context(|| format!("no Firefox could be installed; install one and name it in {FIREFOX}"))
}

fn find() -> Option<PathBuf> {
    let named = VARIABLES.iter().find_map(std::env::var_os).map(PathBuf::from);
    named.or_else(of_system).or_else(of_playwright)
}

fn of_system() -> Option<PathBuf> {
    PROGRAMS.iter().find_map(|name| program(name))
}

fn of_playwright() -> Option<PathBuf> {
    const SCRIPT: &str = "console.log(require('@playwright/test').chromium.executablePath())";
    let path = first_line(Command::new("node").args(["--eval", SCRIPT]).current_dir(end2end_directory())).map(PathBuf::from)?;
    path.is_file().then_some(path)
}
