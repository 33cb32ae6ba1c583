//! The paths of this machine: whatever is given away is built without them, and checked for them.

use crate::workspace::root;
use anyhow::{Context, Result, bail};
use std::env::{home_dir, var_os};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the compiler finds things here, and what it is told to call the places.
pub(crate) struct Paths(Vec<(PathBuf, &'static str)>);

impl Paths {
    /// Those of a build by this compiler.
    pub(crate) fn of(rustc: &mut Command) -> Result<Self> {
        let output = rustc.args(["--print", "sysroot"]).output().context("cannot start rustc")?;
        if !output.status.success() {
            bail!("rustc does not tell where it is");
        }
        let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let cargo = var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home_dir()?.join(".cargo"))).context("there is no home")?;
        let target = var_os("CARGO_TARGET_DIR").map(|directory| (root().join(directory), "/target"));
        let places = [(sysroot, "/rust"), (cargo, "/cargo"), (root(), "/oauth2flow")];
        Ok(Self(places.into_iter().chain(target).collect()))
    }

    /// Has a cargo command compile without them. What the configuration of this machine's cargo says about flags does not count then, as
    /// whenever the environment says something.
    pub(crate) fn hide(&self, cargo: &mut Command) {
        // As cargo reads it: the one, else the other.
        let flags = match var_os("CARGO_ENCODED_RUSTFLAGS") {
            Some(flags) => flags.to_string_lossy().into_owned(),
            None => var_os("RUSTFLAGS").unwrap_or_default().to_string_lossy().split_whitespace().collect::<Vec<_>>().join("\u{1f}"),
        };
        cargo.env("CARGO_ENCODED_RUSTFLAGS", self.with_flags(flags));
    }

    fn with_flags(&self, mut flags: String) -> String {
        for (path, name) in &self.0 {
            if !flags.is_empty() {
                flags.push('\u{1f}');
            }
            flags.push_str(&format!("--remap-path-prefix={}={name}", path.display()));
        }
        flags
    }

    /// Fails when the file, or one below the directory, has one of them in it.
    pub(crate) fn check(&self, place: &Path) -> Result<()> {
        if place.is_dir() {
            for entry in fs::read_dir(place).with_context(|| format!("cannot read {}", place.display()))? {
                self.check(&entry?.path())?;
            }
            return Ok(());
        }
        let content = fs::read(place).with_context(|| format!("cannot read {}", place.display()))?;
        match self.found_in(&content) {
            Some(found) => bail!("{} tells of this machine: {found}", place.display()),
            None => Ok(()),
        }
    }

    /// The first of them, with what follows it.
    fn found_in(&self, content: &[u8]) -> Option<String> {
        let text = String::from_utf8_lossy(content);
        // Everybody has these.
        let own = self
            .0
            .iter()
            .map(|(path, _)| path)
            .filter(|path| !["/", "/usr", "/usr/local"].iter().any(|common| path.as_os_str() == *common));
        own.filter_map(|path| {
            let path = format!("{}{}", path.display(), std::path::MAIN_SEPARATOR);
            let start = text.find(&path)?;
            Some(text[start..].chars().take_while(|character| !character.is_whitespace() && !character.is_control()).take(200).collect())
        })
        .next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{cache_directory, empty_directory};

    fn paths() -> Paths {
        Paths(vec![
            (PathBuf::from("/usr"), "/rust"),
            (PathBuf::from("/home/alice/.cargo"), "/cargo"),
            (PathBuf::from("/src/app"), "/oauth2flow"),
        ])
    }

    #[test]
    fn the_compiler_is_told_another_name_for_each_and_keeps_its_other_flags() {
        let own =
            ["--remap-path-prefix=/usr=/rust", "--remap-path-prefix=/home/alice/.cargo=/cargo", "--remap-path-prefix=/src/app=/oauth2flow"];
        let own = own.join("\u{1f}");
        assert_eq!(paths().with_flags(String::new()), own);
        assert_eq!(paths().with_flags("-Ctarget-cpu=native".to_owned()), format!("-Ctarget-cpu=native\u{1f}{own}"));
    }

    #[test]
    fn a_path_is_found_wherever_it_stands() {
        let directory = cache_directory().join("tests/paths");
        empty_directory(&directory).unwrap();
        fs::create_dir(directory.join("pkg")).unwrap();
        fs::write(directory.join("pkg/harmless.wasm"), "\0asm/usr/share/a/rustc/0/library/std.rs and /src/application/a.rs /cargo/b.rs")
            .unwrap();
        paths().check(&directory).unwrap();
        fs::write(directory.join("pkg/app.wasm"), b"\0asm\xff/home/alice/.cargo/registry/a.rs\0/src").unwrap();
        let error = paths().check(&directory).unwrap_err().to_string();
        assert!(error.contains("app.wasm") && error.ends_with(": /home/alice/.cargo/registry/a.rs"), "{error}");
    }

    #[test]
    fn this_machine_has_a_compiler_a_cargo_and_a_workspace() {
        let paths = Paths::of(&mut Command::new("rustc")).unwrap();
        assert!(paths.0.len() >= 3 && paths.0.iter().all(|(path, _)| path.is_absolute()), "every one could be found in a file");
        let content = format!("x{}", root().join("app/src/lib.rs").display());
        assert_eq!(paths.found_in(content.as_bytes()), Some(content[1..].to_owned()));
    }
}
