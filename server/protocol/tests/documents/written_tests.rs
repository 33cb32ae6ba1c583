//! The tests that are written in this repository, found in its source.

use crate::requirements::numbers;
use crate::root;
use std::collections::BTreeMap;
use std::path::Path;

/// Where tests in Rust are.
const DIRECTORIES: [&str; 3] = ["app", "server", "xtask"];

/// The tests, by the file that they are in, seen from the top of the repository.
pub(crate) struct WrittenTests {
    files: BTreeMap<String, Vec<WrittenTest>>,
}

/// A test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrittenTest {
    /// The function's name.
    pub(crate) name: String,
    /// The numbers of the requirements that it proves.
    pub(crate) requirements: Vec<u32>,
}

impl WrittenTests {
    /// Reads them all.
    pub(crate) fn find() -> Self {
        let mut files = BTreeMap::new();
        for directory in DIRECTORIES {
            visit(&root().join(directory), "rs", &mut |path, text| {
                let tests = tests_in(text);
                if !tests.is_empty() {
                    files.insert(path, tests);
                }
            });
        }
        Self { files }
    }

    /// Whether the file has a test of this name.
    pub(crate) fn has(&self, file: &str, name: &str) -> bool {
        self.files.get(file).is_some_and(|tests| tests.iter().any(|test| test.name == name))
    }

    /// Every test, with its file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &WrittenTest)> {
        self.files.iter().flat_map(|(file, tests)| tests.iter().map(move |test| (file.as_str(), test)))
    }
}

/// Whether a file of the browser tests has a test of this title. Titles with a placeholder are written with it.
pub(crate) fn browser_has(file: &str, title: &str) -> bool {
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
    ['\'', '"', '`'].iter().any(|quote| text.contains(&format!("test({quote}{title}{quote}")))
}

/// Whether the matrix has this combination: client authentication, response mode, request object or none, PAR or not, DPoP or not,
/// algorithm, as `describe` of `end2end/fixtures/combination.ts` calls it.
pub(crate) fn is_combination(title: &str) -> bool {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap_or_default();
    let combinations = read("end2end/fixtures/combination.ts");
    (5..=6).contains(&title.split(", ").count())
        && title.split(", ").all(|part| combinations.contains(&format!("'{part}'")))
        && read("end2end/specs/matrix.spec.ts").contains("test(describe(combination),")
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

/// The functions that carry a test attribute, and the rows of the table of hostile providers, each of which becomes one:
/// `hostile_token_html: TokenHtml, "A21", 502, "provider_invalid_response";`.
fn tests_in(text: &str) -> Vec<WrittenTest> {
    let mut tests = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= ["#[test]", "#[tokio::test", "#[wasm_bindgen_test"].iter().any(|attribute| line.starts_with(attribute));
        } else if let Some(rest) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            // The macro's own function has no name yet.
            if is_test && !name.starts_with('$') {
                tests.push(WrittenTest { name: name.to_owned(), requirements: numbers(name) });
            }
            is_test = false;
        } else if let (true, Some((name, row))) = (line.starts_with("hostile_"), line.split_once(": ")) {
            let requirement = row.split('"').nth(1).and_then(|text| text.strip_prefix('A')?.parse().ok());
            tests.push(WrittenTest { name: name.to_owned(), requirements: requirement.into_iter().collect() });
        }
    }
    tests
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
    let names: Vec<String> = tests_in(text).into_iter().map(|test| test.name).collect();
    assert_eq!(names, ["one", "two", "three"]);
}

#[test]
fn rows_of_the_table_of_hostile_providers_are_tests() {
    let text = "
        #[tokio::test]
        async fn $test() {
        hostile_token_html: TokenHtml, \"A21\", 502, \"provider_invalid_response\";
        hostile_token_hung: TokenHung, \"C hung provider\", 504, \"provider_timeout\";
    ";
    let requirements: Vec<(String, Vec<u32>)> = tests_in(text).into_iter().map(|test| (test.name, test.requirements)).collect();
    assert_eq!(requirements, [("hostile_token_html".to_owned(), vec![21]), ("hostile_token_hung".to_owned(), vec![])]);
}

#[test]
fn tests_of_every_kind_are_found() {
    let tests = WrittenTests::find();
    assert!(tests.has("server/protocol/tests/documents/written_tests.rs", "tests_of_every_kind_are_found"));
    assert!(!tests.has("server/protocol/tests/documents/written_tests.rs", "tests_in"));
    assert!(browser_has("end2end/specs/login.spec.ts", "a newcomer signs in, lands on the account page and calls the API"));
    assert!(!browser_has("end2end/specs/login.spec.ts", "a test that nobody has written"));
    assert!(is_combination("private_key_jwt, query, PAR, DPoP, PS256"));
    assert!(!is_combination("private_key_jwt, query, PAR, DPoP, HS256"));
}
