//! `cargo xtask fuzz`: a short run of every fuzz target, or a longer one of some.
//!
//! The targets are those of cargo-fuzz, which can run them too. Here they are compiled by the ordinary compiler: what the
//! fuzzer needs is a pass of LLVM, and that is no privilege of a nightly one. Only the address sanitizer is.

use crate::cargo::{self, cargo, without_our_own_package};
use crate::child::{ended, first_line, run_within};
use crate::step::Step;
use crate::workspace::{program, root, shown};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// What makes a program tell the fuzzer which way it went.
const INSTRUMENTATION: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";
/// What makes it end at the first step outside of its own memory.
const SANITIZER: &str = "-Zsanitizer=address";
/// The longest one input may take, in seconds: all of these parsers are fast.
const INPUT_LIMIT_SECONDS: u64 = 10;
/// How much longer than asked for a run may take before it is ended: the seeds are read first.
const PATIENCE: Duration = Duration::from_mins(2);

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these targets; all of them when none is named
    targets: Vec<String>,
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Compile with a nightly compiler and the address sanitizer
    #[arg(long)]
    sanitize: bool,
}

/// Runs the targets one after the other; all of them run, whatever one of them finds.
pub(crate) fn fuzz(arguments: &Arguments) -> Result<ExitCode> {
    let targets = selected(&arguments.targets, targets()?)?;
    let programs = compile(&targets, arguments.sanitize)?;
    let mut findings = 0;
    for (target, program) in targets.iter().zip(&programs) {
        if !run(target, program, Duration::from_secs(arguments.seconds))? {
            findings += 1;
        }
    }
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where the targets are.
fn directory() -> PathBuf {
    root().join("server/protocol/fuzz")
}

/// Where everything that fuzzing makes is.
fn made() -> PathBuf {
    root().join("target/fuzz")
}

/// The names of all targets, in order.
fn targets() -> Result<Vec<String>> {
    let directory = directory().join("fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))? {
        let path = entry?.path();
        if let (Some("rs"), Some(name)) = (path.extension().and_then(|extension| extension.to_str()), path.file_stem()) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn selected(wanted: &[String], all: Vec<String>) -> Result<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        bail!("there is no target {unknown}; there are {}", all.join(", "));
    }
    if wanted.is_empty() { Ok(all) } else { Ok(wanted.to_vec()) }
}

/// Compiles the targets and gives their programs, in the same order.
fn compile(targets: &[String], sanitize: bool) -> Result<Vec<PathBuf>> {
    let host = cargo::host()?;
    let (mut command, flags, directory_name) = if sanitize {
        (nightly_cargo()?, format!("{INSTRUMENTATION} {SANITIZER}"), "address-sanitizer")
    } else {
        (cargo(), INSTRUMENTATION.to_owned(), "build")
    };
    command.args(["build", "--release"]).current_dir(directory());
    // Naming the target keeps the flags away from build scripts and macros, which no fuzzer is linked to.
    command.args(["--target", &host]).env("RUSTFLAGS", flags).env("CARGO_TARGET_DIR", made().join(directory_name));
    for target in targets {
        command.args(["--bin", target]);
    }
    let built = cargo::build("compile the fuzz targets", &mut command)?;
    targets.iter().map(|target| built.program(target).map(Path::to_path_buf).with_context(|| format!("cargo made no {target}"))).collect()
}

fn nightly_cargo() -> Result<Command> {
    if first_line(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])).is_none() {
        bail!("the address sanitizer needs a nightly compiler: rustup toolchain install nightly");
    }
    let mut command = Command::new(program("rustup").context("rustup is gone")?);
    command.args(["run", "nightly", "cargo"]);
    for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    without_our_own_package(&mut command);
    Ok(command)
}

/// Runs one target. What it learns stays in `target/fuzz/corpus`, so that the next run begins where this one ended.
fn run(target: &str, program: &Path, time: Duration) -> Result<bool> {
    let seeds = directory().join("seeds").join(target);
    let corpus = made().join("corpus").join(target);
    let findings = made().join("findings").join(target);
    for directory in [&corpus, &findings] {
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    }
    let step = Step::start(format!("fuzz {target}"));
    let mut command = Command::new(program);
    command.arg(&corpus).arg(&seeds).arg(format!("-artifact_prefix={}/", findings.display()));
    command.args([format!("-max_total_time={}", time.as_secs()), format!("-timeout={INPUT_LIMIT_SECONDS}")]);
    command.args(["-print_final_stats=1", "-max_len=8192"]);
    let finished = run_within(&mut command, time + PATIENCE, &step)?;
    let statistic = |name: &str| statistic(&finished.stderr, name).unwrap_or("?").to_owned();
    if finished.status.success() {
        step.done_with(&format!("{} inputs, {} of them new", statistic("number_of_executed_units"), statistic("new_units_added")));
        return Ok(true);
    }
    step.failed(&words_of_failure(&finished.stderr).join("\n"));
    println!("  {}", ended(&command, finished.status));
    if let Some(input) = finding(&finished.stderr) {
        println!("  the input is {}; see it again with", shown(input));
        println!("    {} {}", shown(program), shown(input));
        println!("  and keep it as a seed when it is mended, so that the ordinary tests try it for ever:");
        println!("    cp {} {}/", shown(input), shown(&seeds));
    }
    Ok(false)
}

/// A number that libFuzzer prints at its end: `stat::new_units_added:          1513`.
fn statistic<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':').map(str::trim))
}

/// Where libFuzzer left the input: `artifact_prefix='…'; Test unit written to /path/crash-0`.
fn finding(lines: &[String]) -> Option<&Path> {
    lines.iter().find_map(|line| line.split_once("Test unit written to ").map(|(_, path)| Path::new(path.trim())))
}

/// What the target says, or else the fuzzer's own last words.
fn words_of_failure(lines: &[String]) -> &[String] {
    match lines.iter().position(|line| line.contains(" panicked at ")) {
        // The words and what was expected, before the stack.
        Some(first) => &lines[first..lines.len().min(first + 4)],
        None => &lines[lines.len().saturating_sub(20)..],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn every_target_has_a_program_and_seeds() {
        let manifest = fs::read_to_string(directory().join("Cargo.toml")).unwrap();
        let targets = targets().unwrap();
        assert!(targets.len() >= 15, "{targets:?}");
        for target in targets {
            assert!(manifest.contains(&format!("name = \"{target}\"\npath = \"fuzz_targets/{target}.rs\"")), "{target} has no program");
            let seeds = fs::read_dir(directory().join("seeds").join(&target)).map_or(0, Iterator::count);
            assert!(seeds >= 3, "{target} has {seeds} seeds");
        }
    }

    #[test]
    fn an_unknown_target_is_refused_and_none_means_all() {
        let all = || lines(&["callback", "jwks"]);
        assert_eq!(selected(&[], all()).unwrap(), all());
        assert_eq!(selected(&lines(&["jwks"]), all()).unwrap(), ["jwks"]);
        assert_eq!(selected(&lines(&["x"]), all()).unwrap_err().to_string(), "there is no target x; there are callback, jwks");
    }

    #[test]
    fn what_the_fuzzer_says_is_understood() {
        let output = lines(&[
            "==1== ERROR: libFuzzer: deadly signal",
            "artifact_prefix='/t/'; Test unit written to /t/crash-1",
            "stat::number_of_executed_units: 369409",
            "stat::new_units_added:          1513",
        ]);
        assert_eq!(finding(&output), Some(Path::new("/t/crash-1")));
        assert_eq!(statistic(&output, "new_units_added"), Some("1513"));
        assert_eq!(statistic(&output, "peak_rss_mb"), None);
        assert_eq!(words_of_failure(&output), output);
        let panic = lines(&["INFO: seed", "thread '<unnamed>' (1) panicked at src/jwks.rs:17:5:", "3 keys"]);
        assert_eq!(words_of_failure(&panic), &panic[1..]);
    }
}
