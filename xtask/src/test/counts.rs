//! How many tests passed and failed, read from what each runner says.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::fmt;
use std::ops::AddAssign;

/// Tests by how they ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// As they should.
    pub(super) passed: u64,
    /// Otherwise.
    pub(super) failed: u64,
    /// Not run on purpose.
    pub(super) skipped: u64,
    /// The names of those among the passed that failed at first: somebody should look at them.
    pub(super) flaky: Vec<String>,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.flaky.extend(other.flaky);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(formatter, ", {} skipped", self.skipped)?;
        }
        if !self.flaky.is_empty() {
            write!(formatter, ", {} flaky", self.flaky.len())?;
        }
        Ok(())
    }
}

impl Counts {
    /// Adds up the closing lines of Rust's own test harness and of the one for WebAssembly:
    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
    pub(super) fn of_libtest(output: &str) -> Self {
        let mut counts = Self::default();
        for line in output.lines() {
            let Some((_, rest)) = line.split_once("test result: ") else { continue };
            let number = |what: &str| {
                rest.split(['.', ';']).find_map(|part| part.trim().strip_suffix(what)?.trim().parse::<u64>().ok()).unwrap_or_default()
            };
            counts += Self { passed: number("passed"), failed: number("failed"), skipped: number("ignored"), flaky: Vec::new() };
        }
        counts
    }

    /// Reads the report that nextest writes for machines (`JUnit`): `<testsuites … tests="7" failures="1" errors="0">`.
    pub(super) fn of_junit(report: &str) -> Result<Self> {
        let element =
            report.split_once("<testsuites").and_then(|(_, rest)| rest.split_once('>')).context("nextest's report has no <testsuites>")?.0;
        let number = |attribute: &str| -> Result<u64> {
            let marker = format!(" {attribute}=\"");
            let value = element.split_once(marker.as_str()).and_then(|(_, rest)| rest.split_once('"'));
            let (value, _) = value.with_context(|| format!("nextest's report does not tell its {attribute}"))?;
            value.parse().with_context(|| format!("nextest's report has the number {value:?}"))
        };
        let failed = number("failures")? + number("errors")?;
        Ok(Self { passed: number("tests")?.saturating_sub(failed), failed, ..Self::default() })
    }

    /// Reads Playwright's report for machines. What could not even start, such as a broken configuration, is an error.
    pub(super) fn of_playwright(report: &str) -> Result<Self> {
        let report: PlaywrightReport = serde_json::from_str(report).context("Playwright's report cannot be understood")?;
        let stats = report.stats;
        let mut flaky = Vec::new();
        for suite in &report.suites {
            suite.add_flaky_to(&mut flaky);
        }
        // A test that passed at the second try has passed, and is named.
        let counts = Self { passed: stats.expected + stats.flaky, failed: stats.unexpected, skipped: stats.skipped, flaky };
        match report.errors.first() {
            Some(error) if counts.failed == 0 => anyhow::bail!("{}", error.message),
            _ => Ok(counts),
        }
    }
}

#[derive(Deserialize)]
struct PlaywrightReport {
    stats: PlaywrightStats,
    #[serde(default)]
    suites: Vec<PlaywrightSuite>,
    #[serde(default)]
    errors: Vec<PlaywrightError>,
}

/// A file, or a `describe` in it.
#[derive(Deserialize)]
struct PlaywrightSuite {
    #[serde(default)]
    suites: Vec<PlaywrightSuite>,
    #[serde(default)]
    specs: Vec<PlaywrightSpec>,
}

impl PlaywrightSuite {
    fn add_flaky_to(&self, names: &mut Vec<String>) {
        for spec in &self.specs {
            let flaky = spec.tests.iter().filter(|test| test.status == "flaky");
            names.extend(flaky.map(|test| format!("{}, {}: {}", spec.file, test.project_name, spec.title)));
        }
        for suite in &self.suites {
            suite.add_flaky_to(names);
        }
    }
}

#[derive(Deserialize)]
struct PlaywrightSpec {
    title: String,
    file: String,
    tests: Vec<PlaywrightTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlaywrightTest {
    project_name: String,
    status: String,
}

#[derive(Deserialize)]
struct PlaywrightStats {
    expected: u64,
    unexpected: u64,
    flaky: u64,
    skipped: u64,
}

#[derive(Deserialize)]
struct PlaywrightError {
    #[serde(default)]
    message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_of_rusts_harness_are_added_up() {
        let output = "\
running 3 tests
test a - test result: x ... ok
test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.52s

test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 filtered out
";
        assert_eq!(Counts::of_libtest(output), Counts { passed: 13, failed: 2, skipped: 1, ..Counts::default() });
        assert_eq!(Counts::of_libtest("error: could not compile"), Counts::default());
    }

    #[test]
    fn errors_of_nextest_are_failures() {
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="12" failures="2" errors="1" uuid="6" timestamp="2026" time="0.9">
    <testsuite name="a" tests="5" disabled="0" errors="0" failures="1">"#;
        assert_eq!(Counts::of_junit(report).unwrap(), Counts { passed: 9, failed: 3, ..Counts::default() });
        assert!(Counts::of_junit("").is_err());
        assert!(Counts::of_junit("<testsuites name=\"x\">").is_err());
        assert!(Counts::of_junit("<testsuites tests=\"many\" failures=\"0\" errors=\"0\">").is_err());
    }

    #[test]
    fn a_browser_test_that_passed_at_the_second_try_is_passed_and_named() {
        let report = r#"{"config":{},"errors":[],"suites":[{"title":"login.spec.ts","specs":[],"suites":[{"title":"a group","specs":[
            {"title":"a newcomer signs in","file":"login.spec.ts","tests":[
                {"projectName":"spa","status":"flaky"},{"projectName":"ssr","status":"expected"}]}]}]}],
            "stats":{"startTime":"x","duration":1.5,"expected":40,"unexpected":2,"flaky":1,"skipped":3}}"#;
        let counts = Counts::of_playwright(report).unwrap();
        let flaky = vec!["login.spec.ts, spa: a newcomer signs in".to_owned()];
        assert_eq!(counts, Counts { passed: 41, failed: 2, skipped: 3, flaky });
        assert_eq!(counts.to_string(), "41 passed, 2 failed, 3 skipped, 1 flaky");
    }

    #[test]
    fn browser_tests_that_cannot_start_are_an_error() {
        let report = r#"{"errors":[{"message":"Cannot find module"}],"stats":{"expected":0,"unexpected":0,"flaky":0,"skipped":0}}"#;
        assert_eq!(Counts::of_playwright(report).unwrap_err().to_string(), "Cannot find module");
        assert!(Counts::of_playwright("").is_err());
    }
}
