//! How fast the release starts and gives its first page on a new connection, and when a person with a slow device and connection sees it and
//! can sign in.

use crate::browser;
use crate::child::run_quietly;
use crate::end2end;
use crate::release;
use crate::server::{Mode, Probe};
use crate::step::{Step, Stopwatch};
use crate::workspace::{cache_directory, end2end_directory, root};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// How many pages are asked for.
const PAGES: usize = 2_000;
/// How many newcomers visit the home page, each with an empty cache.
const VISITS: usize = 5;
/// How long it may take until the sign-in link can be used.
const SIGN_IN_LIMIT_MS: f64 = 1_000.0;
/// How far the parts of the page may move: not at all, but for what a screen does not show.
const SHIFT_LIMIT: f64 = 0.001;

/// What the browser's trace says of one visit; times in milliseconds since it began.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
struct Visit {
    /// When there was something to see.
    first_paint: f64,
    /// When the largest part was there.
    largest_paint: f64,
    /// When the sign-in link was on the screen: it works from then on, app or no app.
    sign_in_link: f64,
    /// How far parts of the page moved, as <https://web.dev/articles/cls> counts it.
    layout_shift: f64,
}

/// Measures both modes.
pub(super) fn run(program: Option<&Path>) -> Result<ExitCode> {
    let program = program.map_or_else(release::make, |program| Ok(program.canonicalize()?))?;
    end2end::ensure_packages()?;
    let chromium = browser::ensure()?;
    let mut all_met = true;
    for mode in [Mode::Spa, Mode::Ssr] {
        let step = Step::start(format!("ask for the first page {PAGES} times ({mode})"));
        let probe = Probe::start(&program, None, mode, &cache_directory().join("probe"))?;
        let mut times = Vec::with_capacity(PAGES);
        for _ in 0..PAGES {
            let stopwatch = Stopwatch::start();
            probe.get("/")?;
            times.push(stopwatch.elapsed());
        }
        times.sort();
        step.done_with(&format!(
            "first answer {} ms after the start; one page on a new connection {} µs (median), {} µs (99 of 100)",
            probe.started_in.as_millis(),
            percentile(&times, 50).as_micros(),
            percentile(&times, 99).as_micros(),
        ));
        all_met &= visit(&probe, mode, &chromium)?;
    }
    Ok(if all_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Visits the home page and tells whether it met its targets.
fn visit(probe: &Probe, mode: Mode, chromium: &Path) -> Result<bool> {
    let step = Step::start(format!("visit the home page on a 4 times slower processor and fast 3G ({mode})"));
    let mut command = Command::new("node");
    command.arg(root().join("xtask/src/bench/pages/first_visit.mjs")).arg(end2end_directory()).arg(chromium);
    command.arg(format!("http://localhost:{}/", probe.port())).arg(VISITS.to_string());
    let finished = run_quietly(&mut command, &step)?;
    if !finished.status.success() {
        step.failed(&finished.transcript);
        bail!("the browser could not visit the page");
    }
    let visits: Vec<Visit> = serde_json::from_str(&finished.stdout.concat()).context("the browser's trace lacks something")?;
    let median = |part: fn(&Visit) -> f64| {
        let mut values: Vec<f64> = visits.iter().map(part).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::INFINITY)
    };
    let visit = Visit {
        first_paint: median(|visit| visit.first_paint),
        largest_paint: median(|visit| visit.largest_paint),
        sign_in_link: median(|visit| visit.sign_in_link),
        layout_shift: median(|visit| visit.layout_shift),
    };
    step.done_with(&visit.summary());
    Ok(visit.has_met_all())
}

impl Visit {
    fn has_met_all(self) -> bool {
        self.sign_in_link <= SIGN_IN_LIMIT_MS && self.layout_shift <= SHIFT_LIMIT
    }

    fn summary(self) -> String {
        let word = |met| if met { "met" } else { "missed" };
        format!(
            "first paint {:.0} ms, largest {:.0} ms; sign-in link {:.0} ms (at most {SIGN_IN_LIMIT_MS} ms: {}); layout shift {:.3} (none: {}); median of {VISITS}",
            self.first_paint,
            self.largest_paint,
            self.sign_in_link,
            word(self.sign_in_link <= SIGN_IN_LIMIT_MS),
            self.layout_shift,
            word(self.layout_shift <= SHIFT_LIMIT),
        )
    }
}

/// The time that so many of a hundred do not exceed; `sorted` begins with the shortest.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_or_missed() {
        let visit = Visit { first_paint: 500.0, largest_paint: 600.0, sign_in_link: 1_000.0, layout_shift: 0.0 };
        assert!(visit.has_met_all());
        let late = Visit { sign_in_link: 1_001.0, ..visit };
        assert!(!late.has_met_all() && late.summary().contains("1001 ms (at most 1000 ms: missed)"), "{}", late.summary());
        let restless = Visit { layout_shift: 0.02, ..visit };
        assert!(!restless.has_met_all() && restless.summary().contains("0.020 (none: missed)"), "{}", restless.summary());
    }

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(percentile(&times, 50), Duration::from_micros(100));
        assert_eq!(percentile(&times, 99), Duration::from_micros(198));
        assert_eq!(percentile(&times[..1], 99), Duration::from_micros(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
