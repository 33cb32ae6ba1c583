//! The crates' own benchmarks: functions by themselves.

use crate::cargo::{cargo, release_cargo};
use crate::child::{ended, run_streaming};
use crate::step::Step;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::process::Stdio;

/// Runs every benchmark of the workspace.
pub(super) fn run() -> Result<()> {
    for (package, benchmark) in benchmarks()? {
        let step = Step::start_streaming(format!("benchmark {benchmark} of {package}"));
        let mut command = release_cargo()?;
        command.args(["bench", "--package", &package, "--bench", &benchmark]);
        let finished = run_streaming(&mut command)?;
        if !finished.status.success() {
            step.failed("");
            bail!("{}", ended(&command, finished.status));
        }
        step.done();
    }
    Ok(())
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
    fn only_benchmark_targets_are_run() {
        let metadata: Metadata = serde_json::from_str(
            r#"{"packages":[{"name":"protocol","targets":[{"name":"protocol","kind":["lib"]},{"name":"seal","kind":["bench"]}]},{"name":"app","targets":[]}]}"#,
        )
        .unwrap();
        assert_eq!(metadata.benchmarks(), [("protocol".to_owned(), "seal".to_owned())]);
    }
}
