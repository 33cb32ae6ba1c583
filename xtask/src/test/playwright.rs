//! The browser tests, in both modes.

use super::Programs;
use super::counts::Counts;
use crate::child::{ended, run_streaming};
use crate::site::{EXAMPLE, Package};
use crate::step::Step;
use crate::workspace::{cache_directory, site_directory};
use crate::{browser, end2end};
use anyhow::{Result, bail};
use std::fs;
use std::path::PathBuf;

/// Both modes in Chromium, the journeys in Firefox, and what needs no browser.
const PROJECTS: [&str; 4] = ["spa", "ssr", "firefox", "peers"];

/// Installs what the tests need and gives the path of Chromium.
pub(super) fn prepare() -> Result<PathBuf> {
    end2end::ensure_packages()?;
    browser::ensure()
}

/// Runs them against these programs.
pub(super) fn run(programs: &Programs, chromium: &PathBuf, filters: &[String]) -> Result<Counts> {
    let firefox = browser::ensure_firefox()?;
    let report = cache_directory().join("playwright.json");
    // A report of the last run must not be taken for this one's.
    let _ = fs::remove_file(&report);
    let step = Step::start_streaming("tests in the browsers, in both modes, and with foreign providers");
    let mut command = end2end::playwright(&programs.server, &site_directory(), chromium);
    command.env("OAUTH2FLOW_HOSTILE_BIN", &programs.hostile).env(browser::FIREFOX, &firefox);
    command.env("OAUTH2FLOW_EXAMPLE_BIN", &programs.example).env("OAUTH2FLOW_EXAMPLE_SITE_DIR", Package::example(EXAMPLE)?.site());
    command.args(PROJECTS.map(|project| ["--project=", project].concat()));
    command.arg("--reporter=list,json").env("PLAYWRIGHT_JSON_OUTPUT_FILE", &report);
    if !filters.is_empty() {
        command.args(["--pass-with-no-tests", "--grep", &end2end::any_of(filters)]);
    }
    let finished = run_streaming(&mut command)?;
    let Ok(text) = fs::read_to_string(&report) else {
        step.failed("");
        bail!("{}", ended(&command, finished.status));
    };
    let counts = Counts::of_playwright(&text)?;
    if finished.status.success() && counts.failed == 0 {
        step.done_with(&counts.to_string());
    } else {
        step.failed("");
        if counts.failed == 0 {
            bail!("{}", ended(&command, finished.status));
        }
    }
    Ok(counts)
}
