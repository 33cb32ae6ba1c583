//! The paths of this machine: whatever is given away is built without them, and checked for them.

use crate::workspace::root;
use anyhow::{Context, Result, bail};
use std::env::{home_dir, var_os};
use std::fs;
use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};
use std::process::Command;

/// Where the compiler finds things here, and what it is told to call the places.
pub(crate) struct Paths(Vec<Place>);

struct Place {
    path: PathBuf,
    /// What it is called instead.
    name: &'static str,
    /// What of it a build can name. Without that, an address such as `/app/entries` would be taken for a file of somebody who works in `/app`.
    entries: &'static [&'static str],
}

impl Place {
    const fn sysroot(path: PathBuf) -> Self {
        Self { path, name: "/rust", entries: &["lib"] }
    }

    const fn cargo(path: PathBuf) -> Self {
        Self { path, name: "/cargo", entries: &["git", "registry"] }
    }

    const fn workspace(path: PathBuf) -> Self {
        Self { path, name: "/oauth2flow", entries: &["Cargo.toml", "app", "examples", "server", "target", "xtask"] }
    }

    const fn target(path: PathBuf) -> Self {
        Self { path, name: "/target", entries: &["debug", "release", "wasm-release", "wasm32-unknown-unknown", "xtask"] }
    }

    /// Whether it tells something about this machine: everybody has some places, and one that is called what it is called everywhere tells
    /// as little.
    fn tells(&self) -> bool {
        !["/", "/usr", "/usr/local", self.name].iter().any(|common| self.path.as_os_str() == *common)
    }

    /// The first file of it that the text names.
    fn found_in(&self, text: &str) -> Option<String> {
        let path = format!("{}{MAIN_SEPARATOR}", self.path.display());
        // Texts stand close together in a module: what is before a path may be the end of another text. But a name such as `/src` is in the
        // midst of many paths that tell nothing.
        let is_short = self.path.components().filter(|component| matches!(component, Component::Normal(_))).count() < 2;
        let found = text.match_indices(&path).find(|(start, _)| {
            let (before, rest) = (&text[..*start], &text[start + path.len()..]);
            let is_entry = |entry: &&str| rest.strip_prefix(*entry).is_some_and(|after| !after.starts_with(is_of_name));
            !(is_short && before.ends_with(is_of_path)) && self.entries.iter().any(is_entry)
        });
        let (start, _) = found?;
        Some(text[start..].chars().take_while(|character| !character.is_whitespace() && !character.is_control()).take(200).collect())
    }
}

/// Whether a file's name goes on with it.
fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_' | '.')
}

/// Whether it can stand in a path.
fn is_of_path(character: char) -> bool {
    is_of_name(character) || matches!(character, '/' | '\\' | '@' | '+' | '~')
}

impl Paths {
    /// Those of a build by this compiler.
    pub(crate) fn of(rustc: &mut Command) -> Result<Self> {
        let output = rustc.args(["--print", "sysroot"]).output().context("cannot start rustc")?;
        if !output.status.success() {
            bail!("rustc does not tell where it is");
        }
        let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
        let cargo = var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(home_dir()?.join(".cargo"))).context("there is no home")?;
        let target = var_os("CARGO_TARGET_DIR").map(|directory| Place::target(root().join(directory)));
        let places = [Place::sysroot(sysroot), Place::cargo(cargo), Place::workspace(root())];
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
        for Place { path, name, .. } in &self.0 {
            if !flags.is_empty() {
                flags.push('\u{1f}');
            }
            flags.extend(["--remap-path-prefix=", &path.to_string_lossy(), "=", name]);
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
        self.0.iter().filter(|place| place.tells()).find_map(|place| place.found_in(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{cache_directory, empty_directory};

    fn paths() -> Paths {
        Paths(vec![Place::sysroot("/usr".into()), Place::cargo("/home/alice/.cargo".into()), Place::workspace("/src/app".into())])
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
    fn a_path_is_found_close_behind_another_text() {
        for content in
            ["out of bounds/src/app/server/src/lib.rs\0", "server/src/lib.rs/src/app/server/src/main.rs", "(/src/app/Cargo.toml)"]
        {
            let found = paths().found_in(content.as_bytes()).unwrap();
            assert!(found.starts_with("/src/app/"), "{found}");
        }
    }

    #[test]
    fn an_address_or_a_word_is_no_path() {
        let here = |path: &str| Paths(vec![Place::cargo("/home/alice/.cargo".into()), Place::workspace(path.into())]);
        for (path, content) in [
            ("/app", "\"/app/entries\" fetch(\"/api/v1/app/entries\") /app/server.js /app/applications /application/server/a.rs"),
            ("/src", "/cargo/registry/src/index-0/hyper-1.0.0/src/server/conn.rs server/src/app/lib.rs"),
            ("/cargo", "/cargo/registry/src/index-0/hyper-1.0.0/src/lib.rs"),
            ("/rust", "/rust/lib/rustlib/src/rust/library/std/src/lib.rs"),
        ] {
            assert_eq!(here(path).found_in(content.as_bytes()), None, "{path}");
        }
        for (path, content) in
            [("/app", "\0/app/server/src/lib.rs"), ("/src", "at /src/app/src/lib.rs:1"), ("/cargo", "'/cargo/xtask/a.rs")]
        {
            assert_eq!(here(path).found_in(content.as_bytes()).as_deref(), content.split(['\0', ' ', '\'']).nth(1), "{path}");
        }
    }

    #[test]
    fn a_place_that_is_called_what_it_is_called_everywhere_tells_nothing() {
        let everywhere = Paths(vec![
            Place::sysroot("/rust".into()),
            Place::cargo("/cargo".into()),
            Place::workspace("/oauth2flow".into()),
            Place::target("/target".into()),
        ]);
        let content = "/rust/lib/a.rs /cargo/registry/src/a.rs /oauth2flow/server/src/lib.rs /target/release/build/a/out/a.rs";
        assert_eq!(everywhere.found_in(content.as_bytes()), None);
        let elsewhere = Paths(vec![Place::workspace("/target".into()), Place::target("/oauth2flow".into())]);
        assert_eq!(elsewhere.found_in(content.as_bytes()), None);
        assert_eq!(elsewhere.found_in(b"/oauth2flow/release/build/a.rs").as_deref(), Some("/oauth2flow/release/build/a.rs"));
    }

    #[test]
    fn every_package_of_the_workspace_is_looked_for() {
        let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let members = manifest.lines().find_map(|line| line.strip_prefix("members = [")).unwrap();
        let places: Vec<_> = members.split('"').skip(1).step_by(2).map(|member| member.split('/').next().unwrap()).collect();
        assert!(places.contains(&"app") && places.contains(&"xtask"), "{places:?}");
        for place in places {
            assert!(Place::workspace(root()).entries.contains(&place), "{place}");
        }
    }

    #[test]
    fn this_machine_has_a_compiler_a_cargo_and_a_workspace() {
        let paths = Paths::of(&mut Command::new("rustc")).unwrap();
        assert!(paths.0.len() >= 3 && paths.0.iter().all(|place| place.path.is_absolute()), "every one could be found in a file");
        let content = format!("({}", root().join("app/src/lib.rs").display());
        let of_workspace = paths.0.iter().find(|place| place.path == root()).unwrap();
        assert_eq!(of_workspace.found_in(&content), Some(content[1..].to_owned()));
    }
}
