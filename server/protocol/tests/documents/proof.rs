//! A test that proves something: by its file and its name.

use crate::written_tests::{WrittenTests, browser_has, is_combination};

/// A test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Proof {
    /// A rule of `protocol`, tested without a network: a file of `server/protocol/tests/rules`, and the test's name.
    Rule(&'static str, &'static str),
    /// The server, over real HTTP: a file of `server/tests/http`, and the test's name.
    Http(&'static str, &'static str),
    /// Any other test in Rust: its file, and its name.
    Other(&'static str, &'static str),
    /// The whole system in a browser: a file of `end2end/specs`, and the test's title.
    Browser(&'static str, &'static str),
    /// One of the ways to talk to the certified provider, by the name that `end2end/fixtures/combination.ts` gives it.
    Combination(&'static str),
}

impl Proof {
    /// The file, seen from the top of the repository.
    pub(crate) fn file(self) -> String {
        match self {
            Self::Rule(file, _) => format!("server/protocol/tests/rules/{file}.rs"),
            Self::Http(file, _) => format!("server/tests/http/{file}.rs"),
            Self::Other(file, _) => file.to_owned(),
            Self::Browser(file, _) => format!("end2end/specs/{file}.spec.ts"),
            Self::Combination(_) => "end2end/specs/matrix.spec.ts".to_owned(),
        }
    }

    /// The test's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rule(_, name) | Self::Http(_, name) | Self::Other(_, name) | Self::Browser(_, name) | Self::Combination(name) => name,
        }
    }

    /// Whether the test is there.
    pub(crate) fn exists(self, tests: &WrittenTests) -> bool {
        match self {
            Self::Browser(_, title) => browser_has(&self.file(), title),
            Self::Combination(name) => is_combination(name),
            _ => tests.has(&self.file(), self.name()),
        }
    }
}

/// A link to a test, from a document in `docs`.
pub(crate) fn link(file: &str, name: &str) -> String {
    let short = file.trim_start_matches("server/protocol/tests/").trim_start_matches("server/tests/").trim_start_matches("end2end/specs/");
    format!("[`{short}`](../{file}): {}", shown(name))
}

/// A test's name as it stands in the source, or a title in quotation marks.
fn shown(name: &str) -> String {
    if name.contains(' ') { format!("“{name}”") } else { format!("`{name}`") }
}

/// Those of the proofs that nobody has written.
pub(crate) fn missing<'a>(proofs: impl IntoIterator<Item = &'a Proof>, tests: &WrittenTests) -> Vec<String> {
    let missing = proofs.into_iter().filter(|proof| !proof.exists(tests));
    missing.map(|proof| format!("{}: {}", proof.file(), proof.name())).collect()
}
