//! `cargo xtask coverage`: which lines of `protocol` its tests run.

use crate::cargo::{self, cargo};
use crate::child::{ended, first_line, run_quietly, run_step};
use crate::step::{Step, print};
use crate::workspace::{empty_directory, root};
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The part of the lines, in percent, that the tests have to run.
const MINIMUM_PERCENT: u64 = 95;
/// Whose lines are counted.
const SOURCES: &str = "server/protocol/src/";

/// What to show.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Name the lines that no test runs
    #[arg(long)]
    missing: bool,
}

/// Runs the tests of `protocol`, counts lines, and fails when too few were run.
pub(crate) fn coverage(arguments: &Arguments) -> Result<ExitCode> {
    let tools = tools()?;
    let programs = compile()?;
    let profile = run(&programs, &tools)?;
    let files = measure(&programs, &profile, &tools)?;
    if files.is_empty() {
        bail!("no line of {SOURCES} was compiled");
    }
    print(&report(&files, arguments.missing));
    let total = files.iter().fold(Lines::default(), |total, file| total.plus(&file.lines));
    let is_enough = total.run * 100 >= total.all * MINIMUM_PERCENT;
    if !is_enough {
        println!("fewer than {MINIMUM_PERCENT} %: `cargo xtask coverage --missing` names the lines");
    }
    Ok(if is_enough { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where everything that measuring makes is.
fn made() -> PathBuf {
    root().join("target/coverage")
}

/// The directory of `llvm-profdata` and `llvm-cov`: of the compiler's own version, since others may not read what it writes.
fn tools() -> Result<PathBuf> {
    let sysroot = first_line(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root())).context("rustc does not answer")?;
    let directory = Path::new(&sysroot).join("lib/rustlib").join(cargo::host()?).join("bin");
    if directory.join("llvm-cov").is_file() {
        Step::skipped("LLVM's tools", "they are there");
        return Ok(directory);
    }
    run_step("install LLVM's tools", Command::new("rustup").args(["component", "add", "llvm-tools"]).current_dir(root()))
        .context("rustup is needed, to install the component llvm-tools")?;
    if !directory.join("llvm-cov").is_file() {
        bail!("the component llvm-tools has no llvm-cov");
    }
    Ok(directory)
}

fn compile() -> Result<Vec<PathBuf>> {
    let mut command = cargo();
    command.args(["test", "--no-run", "--package", "oauth2flow-protocol", "--lib", "--tests"]);
    // Naming the target keeps the flags away from build scripts and macros.
    command.args(["--target", &cargo::host()?]).env("RUSTFLAGS", "-Cinstrument-coverage").env("CARGO_TARGET_DIR", made().join("build"));
    let built = cargo::build("compile the tests of protocol, with counters", &mut command)?;
    let programs: Vec<PathBuf> = built.tests().map(Path::to_path_buf).collect();
    if programs.is_empty() {
        bail!("cargo made no tests");
    }
    Ok(programs)
}

/// Runs the tests and gives the file with what they counted.
fn run(programs: &[PathBuf], tools: &Path) -> Result<PathBuf> {
    let counters = made().join("counters");
    empty_directory(&counters)?;
    for program in programs {
        let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let step = Step::start(format!("run {}", name.rsplit_once('-').map_or(name.as_str(), |(name, _)| name)));
        let mut command = Command::new(program);
        command.current_dir(root().join("server/protocol")).env("LLVM_PROFILE_FILE", counters.join(format!("{name}-%p.profraw")));
        let finished = run_quietly(&mut command, &step)?;
        if !finished.status.success() {
            step.failed(&finished.transcript);
            bail!("{}", ended(&command, finished.status));
        }
        step.done();
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&counters).with_context(|| format!("cannot read {}", counters.display()))? {
        files.push(entry?.path());
    }
    let profile = made().join("protocol.profdata");
    let mut command = Command::new(tools.join("llvm-profdata"));
    run_step("add the counters up", command.args(["merge", "--sparse", "--output"]).arg(&profile).args(files))?;
    Ok(profile)
}

fn measure(programs: &[PathBuf], profile: &Path, tools: &Path) -> Result<Vec<File>> {
    let step = Step::start("count the lines");
    let mut command = Command::new(tools.join("llvm-cov"));
    command.args(["export", "--format=lcov"]).arg(format!("--instr-profile={}", profile.display()));
    for (index, program) in programs.iter().enumerate() {
        if index > 0 {
            command.arg("--object");
        }
        command.arg(program);
    }
    let finished = run_quietly(&mut command, &step)?;
    if !finished.status.success() {
        step.failed(&finished.stderr.join("\n"));
        bail!("{}", ended(&command, finished.status));
    }
    step.done();
    Ok(files(&finished.stdout))
}

/// How many lines there are, and how many of them were run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lines {
    all: u64,
    run: u64,
}

impl Lines {
    fn plus(self, other: &Self) -> Self {
        Self { all: self.all + other.all, run: self.run + other.run }
    }

    /// In tenths of a percent, rounded down.
    fn permille(self) -> u64 {
        (self.run * 1000).checked_div(self.all).unwrap_or(1000)
    }
}

/// One source file.
#[derive(Debug, PartialEq, Eq)]
struct File {
    name: String,
    lines: Lines,
    /// The numbers of the lines that were not run, in order.
    missing: Vec<u64>,
}

/// Reads LLVM's `lcov` format: `SF:` begins a file, `DA:` is a line's number and how often it was run.
fn files(lcov: &[String]) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    let mut is_counted = false;
    for line in lcov {
        if let Some(path) = line.strip_prefix("SF:") {
            let name = path.split_once(SOURCES).map(|(_, name)| name.to_owned());
            is_counted = name.is_some();
            files.extend(name.map(|name| File { name, lines: Lines::default(), missing: Vec::new() }));
        } else if let (true, Some((number, times)), Some(file)) =
            (is_counted, line.strip_prefix("DA:").and_then(|rest| rest.split_once(',')), files.last_mut())
        {
            file.lines.all += 1;
            if times == "0" { file.missing.extend(number.parse::<u64>()) } else { file.lines.run += 1 }
        }
    }
    files.sort_by(|left, right| left.name.cmp(&right.name));
    files
}

fn report(files: &[File], missing: bool) -> String {
    let mut text = String::from("\n");
    let total = files.iter().fold(Lines::default(), |total, file| total.plus(&file.lines));
    for (name, lines) in files.iter().map(|file| (file.name.as_str(), file.lines)).chain([("together", total)]) {
        let permille = lines.permille();
        // Cannot fail: it writes into memory.
        let _ = writeln!(text, "  {name:<28}{:>6} of {:>5} lines   {:>3}.{} %", lines.run, lines.all, permille / 10, permille % 10);
    }
    for file in files.iter().filter(|file| missing && !file.missing.is_empty()) {
        let _ = writeln!(text, "  {SOURCES}{}: {}", file.name, ranges(&file.missing));
    }
    text
}

/// `3-5, 9` for 3, 4, 5 and 9.
fn ranges(numbers: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let shown = ranges.iter().map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Vec<File> {
        let lcov = [
            "SF:/somewhere/server/protocol/src/token.rs",
            "FN:3,name",
            "DA:3,7",
            "DA:4,0",
            "DA:5,0",
            "DA:9,0",
            "end_of_record",
            "SF:/somewhere/registry/serde/src/lib.rs",
            "DA:1,0",
            "end_of_record",
            "SF:/somewhere/server/protocol/src/jwks.rs",
            "DA:1,18446744073709551615",
        ];
        files(&lcov.map(str::to_owned))
    }

    #[test]
    fn only_our_own_lines_are_counted() {
        assert_eq!(
            measured(),
            [
                File { name: "jwks.rs".into(), lines: Lines { all: 1, run: 1 }, missing: vec![] },
                File { name: "token.rs".into(), lines: Lines { all: 4, run: 1 }, missing: vec![4, 5, 9] },
            ]
        );
    }

    #[test]
    fn the_report_names_missing_lines_when_asked() {
        let short = report(&measured(), false);
        assert!(short.contains("together") && short.contains("2 of     5 lines    40.0 %"), "{short}");
        assert!(!short.contains("4-5"), "{short}");
        assert!(report(&measured(), true).contains("server/protocol/src/token.rs: 4-5, 9"));
    }

    #[test]
    fn nothing_at_all_is_all_of_it() {
        assert_eq!(Lines::default().permille(), 1000);
        assert_eq!(Lines { all: 3, run: 2 }.permille(), 666);
    }
}
