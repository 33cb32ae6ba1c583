//! A compiler that can make WebAssembly: what is there, else rustup's, else Debian's.

use crate::cargo::{cargo, without_our_own_package};
use crate::child::{first_line, run_quietly, run_step, run_within, succeeds};
use crate::debian::{install_packages, privilege, privileged};
use crate::paths::Paths;
use crate::step::Step;
use crate::workspace::{cache_directory, empty_directory, program, remove_directory, root};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The target of everything that runs in the browser.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_STANDARD_LIBRARY: &str = "/usr/lib/rustlib/wasm32-unknown-unknown/lib";
const DEBIAN_LINKER: &str = "/usr/lib/llvm-22/bin/wasm-ld";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
/// The name under which rustup knows Debian's compiler afterwards: `cargo +debian-web …`.
const DEBIAN_TOOLCHAIN: &str = "debian-web";
/// Names the compiler that a standard library was built with, so that an upgrade of the package is noticed.
const BUILT_BY: &str = "built-by";
/// How long rustup may take: without a network it tries for very long.
const RUSTUP_LIMIT: Duration = Duration::from_mins(5);

/// How to build for the browser on this machine.
pub(crate) enum WasmTarget {
    /// With the cargo that started us.
    Own,
    /// With Debian's compiler.
    Debian,
}

impl WasmTarget {
    /// Cargo, set up for the target.
    pub(crate) fn cargo(&self) -> Command {
        match self {
            Self::Own => cargo(),
            Self::Debian => debian_cargo(),
        }
    }

    /// The paths that its compiler knows.
    pub(crate) fn paths(&self) -> Result<Paths> {
        Paths::of(&mut self.rustc())
    }

    fn rustc(&self) -> Command {
        match self {
            Self::Own => own_rustc(),
            Self::Debian => Command::new(DEBIAN_RUSTC),
        }
    }

    /// The compiler's version, which decides what a build makes as much as the sources do.
    pub(crate) fn compiler(&self) -> Result<String> {
        first_line(self.rustc().arg("--version")).context("the compiler does not tell its version")
    }
}

/// Finds the target, or installs it.
pub(crate) fn ensure() -> Result<WasmTarget> {
    const NAME: &str = "WebAssembly target";
    if own_is_ready() {
        Step::skipped(NAME, "this toolchain has it");
        return Ok(WasmTarget::Own);
    }
    if debian_is_ready() {
        Step::skipped(NAME, "Debian's compiler has it");
        return Ok(WasmTarget::Debian);
    }
    if add_with_rustup() && own_is_ready() {
        return Ok(WasmTarget::Own);
    }
    let Some(privilege) = privilege() else {
        bail!("{}", both_ways("this is not a Debian system where packages can be installed without a password"));
    };
    install_debian(&privilege).map_err(|error| error.context(both_ways("Debian's packages could not be set up either")))?;
    Ok(WasmTarget::Debian)
}

fn both_ways(why: &str) -> String {
    let packages = DEBIAN_PACKAGES.join(" ");
    format!(
        "no compiler for {TARGET}, rustup could not add it, and {why}. Either of these helps:
  with a network that reaches rustup's server:
    rustup target add {TARGET}
  on Debian, as root, then start this command again:
    apt-get update && apt-get install --no-install-recommends {packages}"
    )
}

fn own_rustc() -> Command {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.current_dir(root());
    command
}

fn own_is_ready() -> bool {
    let libraries = first_line(own_rustc().args(["--print", "target-libdir", "--target", TARGET]));
    libraries.is_some_and(|directory| has_standard_library(Path::new(&directory)))
}

/// Whether the directory has the standard library and the crate that `cargo test` needs.
fn has_standard_library(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return false };
    let names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    ["libstd-", "libtest-"].iter().all(|library| {
        names.iter().any(|name| name.starts_with(library) && Path::new(name).extension().is_some_and(|extension| extension == "rlib"))
    })
}

fn add_with_rustup() -> bool {
    const NAME: &str = "add the WebAssembly target with rustup";
    let Some(rustup) = program("rustup") else {
        Step::skipped(NAME, "rustup is not installed");
        return false;
    };
    let step = Step::start(NAME);
    match run_within(Command::new(rustup).args(["target", "add", TARGET]).current_dir(root()), RUSTUP_LIMIT, &step) {
        Ok(finished) if finished.status.success() => {
            step.done();
            true
        }
        Ok(finished) => {
            step.failed(&finished.transcript);
            false
        }
        Err(error) => {
            step.failed(&format!("{error:#}"));
            false
        }
    }
}

fn debian_rustc_version() -> Option<String> {
    first_line(Command::new(DEBIAN_RUSTC).arg("--version"))
}

fn debian_is_ready() -> bool {
    let directory = Path::new(DEBIAN_STANDARD_LIBRARY);
    let current = match fs::read_to_string(directory.join(BUILT_BY)) {
        Ok(built_by) => debian_rustc_version().is_some_and(|version| version == built_by.trim()),
        Err(_) => true,
    };
    current && debian_packages_are_there() && has_standard_library(directory)
}

fn debian_packages_are_there() -> bool {
    let source = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
    [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_LINKER, source].iter().all(|path| Path::new(path).exists())
}

/// Debian's cargo, kept from the toolchain that runs xtask: rustup and cargo leave their choice in the environment.
fn debian_cargo() -> Command {
    let mut command = Command::new(DEBIAN_CARGO);
    command.current_dir(root());
    without_our_own_package(&mut command);
    for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTUP_HOME", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "LD_LIBRARY_PATH"] {
        command.env_remove(name);
    }
    command.env("RUSTC", DEBIAN_RUSTC);
    command.env("RUSTDOC", "/usr/bin/rustdoc");
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER);
    command
}

fn install_debian(privilege: &[&str]) -> Result<()> {
    if debian_packages_are_there() {
        Step::skipped("install Debian's compiler", "its packages are there");
    } else {
        install_packages(privilege, &DEBIAN_PACKAGES)?;
    }
    let directory = cache_directory().join("wasm-std");
    let libraries = build_standard_library(&directory)?;
    install_standard_library(privilege, &directory, &libraries)?;
    remove_directory(&directory)?;
    link_toolchain();
    Ok(())
}

/// Debian ships the standard library's source only; this compiles it and gives the compiled libraries' paths.
fn build_standard_library(directory: &Path) -> Result<Vec<PathBuf>> {
    empty_directory(directory)?;
    fs::write(
        directory.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n",
    )?;
    fs::write(directory.join("lib.rs"), "#![no_std]\n")?;
    let mut command = debian_cargo();
    command.current_dir(directory).args(["build", "--release", "-Z", "build-std=std,panic_abort,test", "--target", TARGET]);
    // The one step that needs an unstable option of a stable compiler.
    command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", directory.join("target"));
    run_step("compile the standard library for WebAssembly", &mut command)?;

    let made = directory.join("target").join(TARGET).join("release/deps");
    let mut libraries = Vec::new();
    for entry in fs::read_dir(&made).with_context(|| format!("cannot read {}", made.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("lib") && !name.starts_with("libempty-") && path.extension().is_some_and(|extension| extension == "rlib") {
            libraries.push(path);
        }
    }
    Ok(libraries)
}

fn install_standard_library(privilege: &[&str], directory: &Path, libraries: &[PathBuf]) -> Result<()> {
    let built_by = directory.join(BUILT_BY);
    fs::write(&built_by, debian_rustc_version().context("Debian's compiler does not tell its version")?)?;
    let fresh = format!("{DEBIAN_STANDARD_LIBRARY}.new");
    let sources: Vec<&str> = libraries.iter().map(PathBuf::as_path).chain([built_by.as_path()]).filter_map(Path::to_str).collect();
    let step = Step::start(format!("install it into {DEBIAN_STANDARD_LIBRARY}"));
    // Beside the old one, then in its place: a compiler that finds two of a library refuses both.
    let commands: [&[&str]; 4] = [
        &["rm", "-rf", &fresh],
        &["install", "-D", "--mode=644", "--target-directory", &fresh],
        &["rm", "-rf", DEBIAN_STANDARD_LIBRARY],
        &["mv", &fresh, DEBIAN_STANDARD_LIBRARY],
    ];
    for words in commands {
        let words = if words.first() == Some(&"install") { [words, &sources].concat() } else { words.to_vec() };
        let finished = run_quietly(&mut privileged(privilege, &words), &step)?;
        if !finished.status.success() {
            step.failed(&finished.transcript);
            bail!("cannot install the standard library into {DEBIAN_STANDARD_LIBRARY}");
        }
    }
    step.done_with(&format!("{} libraries", libraries.len()));
    Ok(())
}

/// Lets people use the same compiler by hand; nothing here depends on it.
fn link_toolchain() {
    if program("rustup").is_some() {
        let linked = succeeds(Command::new("rustup").args(["toolchain", "link", DEBIAN_TOOLCHAIN, "/usr"]));
        if linked {
            println!(
                "  by hand: CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER={DEBIAN_LINKER} cargo +{DEBIAN_TOOLCHAIN} build --target {TARGET}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_library_without_the_test_crate_is_not_enough() {
        let directory = cache_directory().join("tests/standard-library");
        empty_directory(&directory).unwrap();
        assert!(!has_standard_library(&directory));
        fs::write(directory.join("libstd-0a1b.rlib"), "").unwrap();
        assert!(!has_standard_library(&directory));
        fs::write(directory.join("libtest-0a1b.rmeta"), "").unwrap();
        assert!(!has_standard_library(&directory));
        fs::write(directory.join("libtest-0a1b.rlib"), "").unwrap();
        assert!(has_standard_library(&directory));
        assert!(!has_standard_library(&directory.join("nowhere")));
    }

    #[test]
    fn debians_cargo_does_not_see_the_toolchain_that_runs_xtask() {
        let command = debian_cargo();
        let value = |name: &str| command.get_envs().find(|(key, _)| *key == name).map(|(_, value)| value.map(ToOwned::to_owned));
        assert_eq!(value("RUSTUP_TOOLCHAIN"), Some(None));
        assert_eq!(value("CARGO"), Some(None));
        assert_eq!(value("RUSTC"), Some(Some(DEBIAN_RUSTC.into())));
    }

    #[test]
    fn the_message_names_both_ways() {
        let message = both_ways("it rains");
        assert!(message.contains("rustup target add wasm32-unknown-unknown"));
        assert!(message.contains("apt-get install --no-install-recommends rustc-web cargo-web rust-web-src lld-22"));
    }
}
