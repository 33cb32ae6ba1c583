//! How fast the release starts, and gives its first page on a new connection.

use crate::release;
use crate::server::{Mode, Probe};
use crate::step::{Step, Stopwatch};
use crate::workspace::cache_directory;
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

/// How many pages are asked for.
const PAGES: usize = 2_000;

/// Measures both modes.
pub(super) fn run(program: Option<&Path>) -> Result<()> {
    let program = program.map_or_else(release::make, |program| Ok(program.canonicalize()?))?;
    for mode in [Mode::Spa, Mode::Ssr] {
        let step = Step::start(format!("ask for the first page {PAGES} times ({mode})"));
        let probe = Probe::start(&program, mode, &cache_directory().join("probe"))?;
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
    }
    Ok(())
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
    fn percentiles_are_times_that_were_measured() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(percentile(&times, 50), Duration::from_micros(100));
        assert_eq!(percentile(&times, 99), Duration::from_micros(198));
        assert_eq!(percentile(&times[..1], 99), Duration::from_micros(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
