//! `docs/security-requirements.md`: each requirement with its tests.

use crate::check;
use crate::proof::{link, missing};
use crate::requirements::{REQUIREMENTS, Requirement};
use crate::written_tests::WrittenTests;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const INTRODUCTION: &str = "# Security requirements

<!-- Made from server/protocol/tests/documents/requirements.rs and the names of the tests;
     `UPDATE_DOCS=1 cargo test -p oauth2flow-protocol --test documents` writes it anew. -->

What a sign-in that no provider can fool has to do, and the tests that show that this one does. A test carries the number of its
requirement in its name, `a28_…` that of number 28, or stands in the hostile provider's table under it, or is listed by hand. Tests of
`server/protocol` judge a single rule without a network; those of `server/tests/http` run the server against a provider over real HTTP;
those of `end2end` drive a browser through the whole.

How the cases of the OpenID Foundation's conformance suite fare is in [conformance.md](conformance.md).
";

/// File and name of every test of a requirement, those of `protocol` first.
fn tests_of<'a>(requirement: &Requirement, tests: &'a WrittenTests) -> Vec<(String, &'a str)> {
    let mut found: BTreeSet<(bool, String, &str)> = tests
        .iter()
        .filter(|(_, test)| test.requirements.contains(&requirement.number))
        .map(|(file, test)| (!file.contains("/protocol/"), file.to_owned(), test.name.as_str()))
        .collect();
    found.extend(requirement.further.iter().map(|proof| (true, proof.file(), proof.name())));
    found.into_iter().map(|(_, file, name)| (file, name)).collect()
}

fn document(tests: &WrittenTests) -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n| No. | What is demanded | Tests |\n|---|---|---|\n");
    for requirement in &REQUIREMENTS {
        let count = tests_of(requirement, tests).len();
        let _ = writeln!(text, "| [A{0}](#a{0}) | {1} | {count} |", requirement.number, requirement.text);
    }
    let mut step = "";
    for requirement in &REQUIREMENTS {
        if requirement.step != step {
            step = requirement.step;
            let _ = write!(text, "\n## {step}\n");
        }
        let _ = write!(text, "\n### A{}\n\n{}", requirement.number, requirement.text);
        if let Some((name, address)) = requirement.source {
            let _ = write!(text, " [{name}]({address})");
        }
        text.push_str("\n\n");
        for (file, name) in tests_of(requirement, tests) {
            let _ = writeln!(text, "- {}", link(&file, name));
        }
    }
    text
}

#[test]
fn every_requirement_has_a_test() {
    let tests = WrittenTests::find();
    let without: Vec<u32> =
        REQUIREMENTS.iter().filter(|requirement| tests_of(requirement, &tests).is_empty()).map(|requirement| requirement.number).collect();
    assert!(without.is_empty(), "no test carries the number of {without:?}");
    let missing = missing(REQUIREMENTS.iter().flat_map(|requirement| requirement.further), &tests);
    assert!(missing.is_empty(), "these tests are named and not written: {missing:#?}");
}

#[test]
fn every_requirement_of_the_login_the_session_and_of_logout_is_listed_once() {
    let listed: Vec<u32> = REQUIREMENTS.iter().map(|requirement| requirement.number).collect();
    assert_eq!(listed, (1..=44).chain([50]).collect::<Vec<_>>());
}

#[test]
fn the_page_about_security_requirements_is_up_to_date() {
    check("docs/security-requirements.md", &document(&WrittenTests::find()));
}
