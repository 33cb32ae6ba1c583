//! `cargo xtask bench`: how fast the release starts and answers, and the crates' own benchmarks.

use crate::cargo::cargo;
use crate::child::{ended, run_streaming};
use crate::release;
use crate::server::{Mode, Probe};
use crate::step::{Step, Stopwatch};
use crate::workspace::cache_directory;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

/// How many pages are asked for.
const PAGES: usize = 2_000;

/// Measures both modes, then runs every benchmark of the workspace.
pub(crate) fn bench() -> Result<ExitCode> {
    let program = release::make()?;
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
    let benchmarks = benchmarks()?;
    if benchmarks.is_empty() {
        Step::skipped("the crates' own benchmarks", "no crate has any");
    }
    for (package, benchmark) in benchmarks {
        let step = Step::start_streaming(format!("benchmark {benchmark} of {package}"));
        let mut command = cargo();
        command.args(["bench", "--package", &package, "--bench", &benchmark]);
        let finished = run_streaming(&mut command)?;
        if !finished.status.success() {
            step.failed("");
            anyhow::bail!("{}", ended(&command, finished.status));
        }
        step.done();
    }
    Ok(ExitCode::SUCCESS)
}

/// The time that so many of a hundred do not exceed; `sorted` begins with the shortest.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The packages' benchmark targets.
fn benchmarks() -> Result<Vec<(String, String)>> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo does not describe the workspace")?;
    Ok(metadata.benchmarks())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Metadata {
    fn benchmarks(self) -> Vec<(String, String)> {
        let targets =
            self.packages.into_iter().flat_map(|package| package.targets.into_iter().map(move |target| (package.name.clone(), target)));
        targets
            .filter(|(_, target)| target.kind.iter().any(|kind| kind == "bench"))
            .map(|(package, target)| (package, target.name))
            .collect()
    }
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

    #[test]
    fn only_benchmark_targets_are_run() {
        let metadata: Metadata = serde_json::from_str(
            r#"{"packages":[{"name":"protocol","targets":[{"name":"protocol","kind":["lib"]},{"name":"seal","kind":["bench"]}]},{"name":"app","targets":[]}]}"#,
        )
        .unwrap();
        assert_eq!(metadata.benchmarks(), [("protocol".to_owned(), "seal".to_owned())]);
    }
}
