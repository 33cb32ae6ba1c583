//! Two documents that say what is proven, and by which test: `docs/conformance.md` and `docs/security-requirements.md`.
//!
//! Every test that a table names has to exist; `UPDATE_DOCS=1 cargo test -p oauth2flow-protocol --test documents` writes the
//! documents anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should end there")]

mod conformance;
mod error_codes;
mod modules;
mod proof;
mod requirements;
mod security_requirements;
mod written_tests;

use std::path::{Path, PathBuf};

/// The top of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// The document says what it should; with `UPDATE_DOCS` it is made to.
fn check(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, expected).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    let difference = written.lines().zip(expected.lines()).find(|(written, expected)| written != expected);
    assert!(
        written == expected,
        "{path} is out of date; UPDATE_DOCS=1 cargo test -p oauth2flow-protocol --test documents writes it anew.\nfirst difference: {difference:#?}"
    );
}
