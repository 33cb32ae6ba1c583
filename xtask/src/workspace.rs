//! Where everything is.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The top of the repository.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// The site that the server serves: scripts, styles, WebAssembly and `manifest.json`.
pub(crate) fn site_directory() -> PathBuf {
    root().join("target/site")
}

/// What xtask keeps for itself between two runs.
pub(crate) fn cache_directory() -> PathBuf {
    root().join("target/xtask")
}

/// The browser tests.
pub(crate) fn end2end_directory() -> PathBuf {
    root().join("end2end")
}

/// A directory that exists and is empty.
pub(crate) fn empty_directory(path: &Path) -> Result<()> {
    remove_directory(path)?;
    std::fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))
}

/// Removes a directory and all in it; one that is not there is fine.
pub(crate) fn remove_directory(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The first program of this name on the search path.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// A path as a person at the top of the repository would write it.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
