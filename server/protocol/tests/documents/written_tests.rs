//! The tests that are written in this repository, found in its source.

use crate::root;
use std::collections::BTreeMap;
use std::path::Path;

/// Where tests in Rust are.
const DIRECTORIES: [&str; 3] = ["app", "server", "xtask"];

/// The names of the tests, by the file that they are in, seen from the top of the repository.
pub(crate) struct WrittenTests {
    names: BTreeMap<String, Vec<String>>,
}

impl WrittenTests {
    /// Reads them all.
    pub(crate) fn find() -> Self {
        let mut names = BTreeMap::new();
        for directory in DIRECTORIES {
            visit(&root().join(directory), "rs", &mut |path, text| {
                let tests = names_in(text);
                if !tests.is_empty() {
                    names.insert(path, tests);
                }
            });
        }
        Self { names }
    }

    /// Whether the file has a test of this name.
    pub(crate) fn has(&self, file: &str, name: &str) -> bool {
        self.names.get(file).is_some_and(|names| names.iter().any(|written| written == name))
    }

    /// Every test: its file and its name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().flat_map(|(file, names)| names.iter().map(move |name| (file.as_str(), name.as_str())))
    }
}

/// Whether a file of the browser tests has a test of this title. Titles with a placeholder are written with it.
pub(crate) fn browser_has(file: &str, title: &str) -> bool {
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
    ['\'', '"', '`'].iter().any(|quote| text.contains(&format!("test({quote}{title}{quote}")))
}

/// Whether the matrix has this combination: client authentication, response mode, PAR or not, DPoP or not, algorithm.
pub(crate) fn is_combination(name: &str) -> bool {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap_or_default();
    let parts: Vec<&str> = name.split('-').collect();
    let [client_auth, response_mode, request, token, algorithm] = parts.as_slice() else { return false };
    let matrix = read("end2end/fixtures/combination.ts").to_ascii_lowercase();
    let lists = |value: &str| matrix.contains(&format!("'{value}'"));
    read("end2end/specs/matrix.spec.ts").contains("test(nameOf(combination),")
        && [client_auth, response_mode, algorithm].into_iter().all(|value| lists(value))
        && (lists(request) && ["par", "plain"].contains(request))
        && (lists(token) && ["dpop", "bearer"].contains(token))
}

fn visit(directory: &Path, extension: &str, found: &mut dyn FnMut(String, &str)) {
    let mut entries: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            visit(&path, extension, found);
        } else if path.extension().is_some_and(|own| own == extension) {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            // A file that somebody has just removed has no tests.
            found(name, &std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

/// The functions that carry a test attribute.
fn names_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= ["#[test]", "#[tokio::test", "#[wasm_bindgen_test"].iter().any(|attribute| line.starts_with(attribute));
        } else if let Some(rest) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
            if is_test {
                names.push(rest.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
            is_test = false;
        }
    }
    names
}

#[test]
fn tests_are_told_from_other_functions() {
    let text = "
        #[test]
        fn one() {}
        fn helper() {}
        #[tokio::test(flavor = \"current_thread\")]
        #[expect(clippy::too_many_lines, reason = \"a story\")]
        async fn two() {}
            #[test]
            fn three(target in \".*\") {
    ";
    assert_eq!(names_in(text), ["one", "two", "three"]);
}

#[test]
fn tests_of_every_kind_are_found() {
    let tests = WrittenTests::find();
    assert!(tests.has("server/protocol/tests/documents/written_tests.rs", "tests_of_every_kind_are_found"));
    assert!(!tests.has("server/protocol/tests/documents/written_tests.rs", "names_in"));
    assert!(browser_has("end2end/specs/login.spec.ts", "a newcomer signs in, lands on the account page and calls the API"));
    assert!(!browser_has("end2end/specs/login.spec.ts", "a test that nobody has written"));
    assert!(is_combination("private_key_jwt-query-par-dpop-ps256"));
    assert!(!is_combination("private_key_jwt-query-par-dpop-hs256"));
}
