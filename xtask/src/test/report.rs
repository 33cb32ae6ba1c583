//! What became of every step, and the one summary at the end.

use super::counts::Counts;
use crate::step::{Stopwatch, seconds};
use anyhow::Result;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// How one step ended.
enum Outcome {
    Good,
    Tested(Counts),
    Broken(String),
    LeftOut(String),
}

struct Row {
    name: &'static str,
    outcome: Outcome,
    time: Duration,
}

/// All steps so far.
#[derive(Default)]
pub(super) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// A step that is right or wrong.
    pub(super) fn check(&mut self, name: &'static str, step: impl FnOnce() -> Result<()>) {
        self.value(name, step);
    }

    /// A step that others need the result of.
    pub(super) fn value<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Option<T> {
        self.run(name, step, |_| Outcome::Good)
    }

    /// A step that runs tests.
    pub(super) fn tests(&mut self, name: &'static str, step: impl FnOnce() -> Result<Counts>) {
        self.run(name, step, |counts| Outcome::Tested(counts.clone()));
    }

    /// A step that cannot run because one before it failed.
    pub(super) fn missing(&mut self, name: &'static str) {
        self.push(name, Outcome::Broken("not run: a step that it needs has failed".to_owned()), Duration::ZERO);
    }

    /// A step that was not asked for, or cannot be done here.
    pub(super) fn left_out(&mut self, name: &'static str, why: impl Into<String>) {
        self.push(name, Outcome::LeftOut(why.into()), Duration::ZERO);
    }

    fn run<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>, outcome: impl FnOnce(&T) -> Outcome) -> Option<T> {
        let stopwatch = Stopwatch::start();
        match step() {
            Ok(value) => {
                self.push(name, outcome(&value), stopwatch.elapsed());
                Some(value)
            }
            Err(error) => {
                let error = format!("{error:#}");
                println!("  {name}: {error}");
                self.push(name, Outcome::Broken(error), stopwatch.elapsed());
                None
            }
        }
    }

    fn push(&mut self, name: &'static str, outcome: Outcome, time: Duration) {
        self.rows.push(Row { name, outcome, time });
    }

    /// Prints the summary; its last line is all that a machine needs to read.
    pub(super) fn finish(&self) -> ExitCode {
        println!("\n{}", self.summary());
        if self.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn is_good(&self) -> bool {
        self.rows.iter().all(|row| match &row.outcome {
            Outcome::Good | Outcome::LeftOut(_) => true,
            Outcome::Tested(counts) => counts.failed == 0,
            Outcome::Broken(_) => false,
        })
    }

    fn summary(&self) -> String {
        let mut summary = String::new();
        let mut total = Counts::default();
        for row in &self.rows {
            let (verdict, words) = match &row.outcome {
                Outcome::Good => ("pass", String::new()),
                Outcome::Tested(counts) => {
                    total += counts.clone();
                    (if counts.failed == 0 { "pass" } else { "FAIL" }, counts.to_string())
                }
                Outcome::Broken(error) => ("FAIL", error.lines().next().unwrap_or_default().to_owned()),
                Outcome::LeftOut(why) => ("-", format!("left out: {why}")),
            };
            // Cannot fail: it writes into memory.
            let _ = writeln!(summary, "{}", format!("  {verdict:<6}{:<32}{:>12}   {words}", row.name, seconds(row.time)).trim_end());
        }
        for name in &total.flaky {
            let _ = writeln!(summary, "\n  flaky: passed only at the second try: {name}");
        }
        let _ = write!(summary, "\n{} passed, {} failed", total.passed, total.failed);
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64) -> Counts {
        Counts { passed, failed, skipped: 2, ..Counts::default() }
    }

    #[test]
    fn the_last_line_is_the_sum_of_all_tests() {
        let mut report = Report::default();
        report.check("format", || Ok(()));
        report.tests("unit tests", || Ok(counts(30, 0)));
        report.tests("browser tests", || Ok(counts(12, 0)));
        report.left_out("pictures", "--fast");
        assert_eq!(report.summary().lines().last(), Some("42 passed, 0 failed"));
        assert!(report.is_good());
    }

    #[test]
    fn a_flaky_test_is_named_and_fails_nothing() {
        let mut report = Report::default();
        report.tests("browser tests", || Ok(Counts { flaky: vec!["a newcomer signs in".to_owned()], ..counts(12, 0) }));
        let summary = report.summary();
        assert!(summary.contains("12 passed, 0 failed, 2 skipped, 1 flaky"), "{summary}");
        assert!(summary.contains("flaky: passed only at the second try: a newcomer signs in"), "{summary}");
        assert_eq!(summary.lines().last(), Some("12 passed, 0 failed"));
        assert!(report.is_good());
    }

    #[test]
    fn a_failed_test_fails_the_whole() {
        let mut report = Report::default();
        report.tests("unit tests", || Ok(counts(30, 1)));
        report.tests("browser tests", || Ok(counts(1, 0)));
        assert_eq!(report.summary().lines().last(), Some("31 passed, 1 failed"));
        assert!(!report.is_good());
    }

    #[test]
    fn a_broken_step_fails_the_whole_and_the_others_still_run() {
        let mut report = Report::default();
        assert_eq!(report.value("server", || -> Result<u8> { anyhow::bail!("does not compile\nline two") }), None);
        report.tests("unit tests", || Ok(counts(3, 0)));
        report.missing("browser tests");
        let summary = report.summary();
        assert!(summary.contains("FAIL  server") && summary.contains("does not compile") && !summary.contains("line two"), "{summary}");
        assert_eq!(summary.lines().last(), Some("3 passed, 0 failed"));
        assert!(!report.is_good());
    }
}
