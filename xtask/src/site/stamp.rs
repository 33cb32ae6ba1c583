//! Whether the site has to be made again: a digest of everything that decides how it turns out.

use super::{Package, optimizer};
use crate::wasm_target::WasmTarget;
use crate::workspace::{root, shown};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What the site is made from. The profiles are in the top manifest, and a change of xtask changes what it makes.
const SOURCES: [&str; 11] = [
    "app/Cargo.toml",
    "app/browser",
    "app/build.rs",
    "app/locales",
    "app/src",
    "style",
    "public",
    "Cargo.toml",
    "Cargo.lock",
    "xtask/Cargo.toml",
    "xtask/src",
];

/// The digest of one state of sources, settings and tools.
#[derive(PartialEq, Eq)]
pub(super) struct Stamp(String);

impl Stamp {
    /// The present state.
    pub(super) fn of(target: &WasmTarget, package: &Package) -> Result<Self> {
        let mut settings = vec![target.compiler()?, optimizer::version().unwrap_or_default()];
        settings.extend(["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].map(|name| std::env::var(name).unwrap_or_default()));
        let of_example = (!package.is_own()).then(|| package.directory());
        let sources: Vec<_> = SOURCES.iter().map(|source| root().join(source)).chain(of_example).collect();
        Self::of_files(&sources, &settings)
    }

    fn of_files(sources: &[PathBuf], settings: &[String]) -> Result<Self> {
        let mut files = Vec::new();
        for source in sources {
            collect(source, &mut files)?;
        }
        files.sort();
        let mut state = String::new();
        for path in &files {
            let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            // Cannot fail: it writes into memory.
            let _ = writeln!(state, "{} {}", shown(path), digest(&content));
        }
        state.push_str(&settings.join("\n"));
        Ok(Self(digest(state.as_bytes())))
    }

    /// Whether the file says that this state has been built.
    pub(super) fn is_in(&self, file: &Path) -> bool {
        fs::read_to_string(file).is_ok_and(|written| written == self.0)
    }

    /// Writes down that this state has been built.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        fs::write(file, &self.0).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// All files below a path; one that is not there has none.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
            collect(&entry?.path(), files)?;
        }
    } else if path.is_file() {
        files.push(path.to_path_buf());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{cache_directory, empty_directory};

    #[test]
    fn every_change_of_a_source_a_name_or_a_tool_is_seen() {
        let directory = cache_directory().join("tests/stamp");
        empty_directory(&directory).unwrap();
        fs::create_dir(directory.join("inner")).unwrap();
        let stamp = |tool: &str| Stamp::of_files(std::slice::from_ref(&directory), &[tool.to_owned()]).unwrap().0;
        fs::write(directory.join("inner/a.rs"), "a").unwrap();
        let first = stamp("rustc 1");
        assert_eq!(first, stamp("rustc 1"));
        assert_ne!(first, stamp("rustc 2"));
        fs::write(directory.join("inner/a.rs"), "b").unwrap();
        let changed = stamp("rustc 1");
        assert_ne!(first, changed);
        fs::rename(directory.join("inner/a.rs"), directory.join("inner/b.rs")).unwrap();
        let renamed = stamp("rustc 1");
        assert_ne!(changed, renamed);
        fs::write(directory.join("new.css"), "").unwrap();
        assert_ne!(renamed, stamp("rustc 1"));
    }

    #[test]
    fn only_the_same_state_counts_as_built() {
        let directory = cache_directory().join("tests/stamp-file");
        empty_directory(&directory).unwrap();
        let file = directory.join("stamp");
        let (one, two) = (Stamp("1".into()), Stamp("2".into()));
        assert!(!one.is_in(&file));
        one.write(&file).unwrap();
        assert!(one.is_in(&file));
        assert!(!two.is_in(&file));
    }

    #[test]
    fn the_digest_is_sha_256() {
        assert_eq!(digest(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
