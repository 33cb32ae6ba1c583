//! Cargo, with the messages it has for machines.

use crate::child::{self, run_quietly};
use crate::paths::Paths;
use crate::step::Step;
use crate::workspace;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The cargo that started us, for everything that is not WebAssembly.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(workspace::root());
    without_our_own_package(&mut command);
    command
}

/// The same for what is given away or measured: nothing of it tells where it was built, so all of it can share what it depends on.
pub(crate) fn release_cargo() -> Result<Command> {
    let mut command = cargo();
    paths()?.hide(&mut command);
    Ok(command)
}

/// The paths that the compiler of [`cargo`] knows.
pub(crate) fn paths() -> Result<Paths> {
    Paths::of(Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"))).current_dir(workspace::root()))
}

/// Takes away what `cargo run` tells us about xtask: a build that reads such a variable would differ from one that a
/// person starts by hand, and both would compile everything again and again.
pub(crate) fn without_our_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
}

/// The compiler's own target, such as `x86_64-unknown-linux-gnu`.
pub(crate) fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").current_dir(workspace::root()).output().context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).context("rustc does not tell its target")
}

/// What a build made.
#[derive(Default)]
pub(crate) struct Built {
    artifacts: Vec<Artifact>,
    /// What build scripts had the compiler see.
    variables: Vec<(String, String)>,
    /// The warnings in this repository's own code, as the compiler words them.
    pub(crate) warnings: Vec<String>,
}

impl Built {
    /// The program of this name.
    pub(crate) fn program(&self, name: &str) -> Option<&Path> {
        let artifact = self.artifacts.iter().find(|artifact| artifact.is_of_kind("bin", name) && !artifact.profile.test)?;
        artifact.executable.as_deref()
    }

    /// The example program of this name.
    pub(crate) fn example(&self, name: &str) -> Option<&Path> {
        let artifact = self.artifacts.iter().find(|artifact| artifact.is_of_kind("example", name) && !artifact.profile.test)?;
        artifact.executable.as_deref()
    }

    /// The test programs.
    pub(crate) fn tests(&self) -> impl Iterator<Item = &Path> {
        self.artifacts.iter().filter(|artifact| artifact.profile.test).filter_map(|artifact| artifact.executable.as_deref())
    }

    /// The WebAssembly module of the library of this name.
    pub(crate) fn wasm(&self, library: &str) -> Option<&Path> {
        let artifact = self.artifacts.iter().find(|artifact| artifact.target.name == library)?;
        artifact.filenames.iter().map(PathBuf::as_path).find(|path| path.extension().is_some_and(|extension| extension == "wasm"))
    }

    /// What a build script set this variable to.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn read(lines: &[String]) -> Self {
        let mut built = Self::default();
        // A line that is not one of cargo's messages is a build script's or a test's own.
        for message in lines.iter().filter_map(|line| serde_json::from_str::<Message>(line).ok()) {
            match message {
                Message::Artifact(artifact) => built.artifacts.push(artifact),
                Message::BuildScript { env } => built.variables.extend(env),
                Message::Diagnostic { message } if message.level == "warning" => built.warnings.extend(message.rendered),
                Message::Diagnostic { .. } | Message::Other => {}
            }
        }
        built
    }
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-artifact")]
    Artifact(Artifact),
    #[serde(rename = "build-script-executed")]
    BuildScript { env: Vec<(String, String)> },
    #[serde(rename = "compiler-message")]
    Diagnostic { message: Diagnostic },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Artifact {
    target: Target,
    profile: Profile,
    filenames: Vec<PathBuf>,
    executable: Option<PathBuf>,
}

impl Artifact {
    fn is_of_kind(&self, kind: &str, name: &str) -> bool {
        self.target.name == name && self.target.kind.iter().any(|own| own == kind)
    }
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

/// Runs a cargo command that builds, as one step, and says what it made.
pub(crate) fn build(name: &str, command: &mut Command) -> Result<Built> {
    build_with(name, command, &[])
}

/// The same for `cargo rustc`, with arguments for the compiler of the last crate.
pub(crate) fn build_with(name: &str, command: &mut Command, compiler_arguments: &[&str]) -> Result<Built> {
    command.args(["--message-format", "json"]);
    if !compiler_arguments.is_empty() {
        command.arg("--").args(compiler_arguments);
    }
    let step = Step::start(name);
    let finished = run_quietly(command, &step)?;
    if finished.status.success() {
        step.done();
        return Ok(Built::read(&finished.stdout));
    }
    let diagnostics: String = finished.stdout.iter().filter_map(|line| rendered(line)).collect();
    step.failed(&format!("{diagnostics}{}", finished.stderr.join("\n")));
    bail!("{}", child::ended(command, finished.status))
}

fn rendered(line: &str) -> Option<String> {
    match serde_json::from_str(line).ok()? {
        Message::Diagnostic { message } => message.rendered,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(lines: &[&str]) -> Built {
        Built::read(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn programs_tests_and_modules_are_told_apart() {
        let built = built(&[
            r#"{"reason":"compiler-artifact","target":{"name":"server","kind":["bin"]},"profile":{"test":true},"filenames":["/t/deps/server-1"],"executable":"/t/deps/server-1"}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"server","kind":["bin"]},"profile":{"test":false},"filenames":["/t/server"],"executable":"/t/server"}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"app","kind":["cdylib","rlib"]},"profile":{"test":false},"filenames":["/t/libapp.rlib","/t/app.wasm"],"executable":null}"#,
            r#"{"reason":"compiler-artifact","target":{"name":"hostile","kind":["example"]},"profile":{"test":false},"filenames":["/t/examples/hostile"],"executable":"/t/examples/hostile"}"#,
            r#"{"reason":"build-script-executed","package_id":"p","linked_libs":[],"linked_paths":[],"cfgs":[],"env":[["TEXTS","0a1b"]],"out_dir":"/t/out"}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "a test's own words",
        ]);
        assert_eq!(built.program("server"), Some(Path::new("/t/server")));
        assert_eq!(built.program("hostile"), None);
        assert_eq!(built.example("hostile"), Some(Path::new("/t/examples/hostile")));
        assert_eq!(built.tests().collect::<Vec<_>>(), [Path::new("/t/deps/server-1")]);
        assert_eq!(built.wasm("app"), Some(Path::new("/t/app.wasm")));
        assert_eq!(built.variable("TEXTS"), Some("0a1b"));
        assert_eq!(built.variable("WORDS"), None);
        assert!(built.warnings.is_empty());
    }

    #[test]
    fn warnings_are_kept_in_the_compilers_words() {
        let built = built(&[
            r#"{"reason":"compiler-message","package_id":"p","message":{"level":"warning","rendered":"warning: unused\n"}}"#,
            r#"{"reason":"compiler-message","package_id":"p","message":{"level":"note","rendered":"note: see\n"}}"#,
        ]);
        assert_eq!(built.warnings, ["warning: unused\n"]);
    }
}
