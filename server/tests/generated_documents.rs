//! `docs/errors.md` says what the table of problems and the catalogue of `protocol`'s errors say.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should end there")]

use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::error_catalogue::{OPERATIONS, Operation};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const INTRODUCTION: &str = "# Errors

<!-- Made from app/src/problem.rs and server/protocol/src/error_catalogue.rs;
     `UPDATE_DOCS=1 cargo test -p oauth2flow --test generated_documents` writes it anew. -->

Every failure has a stable code. The API answers with `application/problem+json` (RFC 9457): `type`, `title`, `status`, `code`,
`detail` and `request_id`. A browser that navigates is sent to `/problem`, which says the same in a page. The `request_id` is on
every line of the log that belongs to the request.

These are the codes that a browser is told. What exactly was wrong is for whoever runs the app: [the causes](#causes), as the log
names them, are further down.
";

const CAUSES: &str = "
## Causes

The line `request refused` or `request failed` of the log has the problem's code, and in `causes` the words of this table, outermost
first. `…` stands for a detail. The code is what `protocol`'s own error enum has for it, for people who use it as a library.
";

fn document() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n| Code | Status | What happened |\n|---|---|---|\n");
    for code in ProblemCode::ALL {
        let explanation = code.explain();
        let _ = writeln!(text, "| [`{0}`](#{0}) | {1} | {2} |", explanation.code, explanation.status, explanation.title);
    }
    for code in ProblemCode::ALL {
        let explanation = code.explain();
        let _ = write!(
            text,
            "\n## `{}`\n\n**{}** (status {})\n\n- **Usual cause:** {}\n- **What to do:** {}\n",
            explanation.code, explanation.title, explanation.status, explanation.why, explanation.advice
        );
    }
    text.push_str(CAUSES);
    for operation in &OPERATIONS {
        write_operation(&mut text, operation);
    }
    text
}

fn write_operation(text: &mut String, operation: &Operation) {
    let variants = variants(&source_of(operation.enumeration), operation.enumeration);
    let _ = write!(text, "\n### {}\n\n| Cause, in the log | Usual reason | What to do | Code |\n|---|---|---|---|\n", operation.title);
    for error in operation.errors {
        let variant = &variants[error.variant];
        let section = variant.section.as_deref().map(|section| format!(" ({section})")).unwrap_or_default();
        let _ = writeln!(text, "| {}{section} | {} | {} | `{}` |", variant.message, error.cause, error.fix, error.code);
    }
}

/// What the source says about a variant of an error enum.
struct Variant {
    /// The words of the log.
    message: String,
    /// The link to the specification.
    section: Option<String>,
}

/// The source file of `protocol` that declares the enum.
fn source_of(enumeration: &str) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/src");
    let texts = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let declaration = format!("pub enum {enumeration} {{");
    texts.map(|path| std::fs::read_to_string(path).unwrap()).find(|text| text.contains(&declaration)).unwrap()
}

/// The lines between one that is this and the brace that closes it.
fn block<'a>(source: &'a str, first: &str) -> impl Iterator<Item = &'a str> {
    let indent = first.len() - first.trim_start().len();
    let end = format!("{}}}", " ".repeat(indent));
    source.lines().skip_while(move |line| !line.starts_with(first)).skip(1).take_while(move |line| *line != end)
}

/// The variants of an enum whose files are formatted: documentation, then the words, then the name.
fn variants(source: &str, enumeration: &str) -> BTreeMap<String, Variant> {
    let mut variants = BTreeMap::new();
    let (mut documentation, mut message) = (String::new(), String::new());
    for line in block(source, &format!("pub enum {enumeration} {{")).filter_map(|line| line.strip_prefix("    ")) {
        if let Some(text) = line.strip_prefix("/// ") {
            documentation.push_str(text);
            documentation.push(' ');
        } else if let Some(text) = line.strip_prefix("#[error(\"") {
            message = with_ellipses(text.trim_end_matches("\")]"));
        } else if line.starts_with(|first: char| first.is_ascii_uppercase()) {
            let name = line.split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap();
            let variant = Variant { message: std::mem::take(&mut message), section: section(&documentation) };
            variants.insert(name.to_owned(), variant);
            documentation.clear();
        }
    }
    variants
}

/// The words with `…` for each of their details.
fn with_ellipses(words: &str) -> String {
    let mut pieces = words.split('{');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| format!("{text}…{}", piece.split_once('}').map_or("", |(_, rest)| rest)))
}

/// The first link of a documentation to a specification.
fn section(documentation: &str) -> Option<String> {
    let (before, rest) = documentation.split_once("](https://")?;
    let (address, _) = rest.split_once(')')?;
    Some(format!("[{}](https://{address})", before.rsplit_once('[')?.1))
}

/// The code of each variant, as the enum's own `code` gives it.
fn codes(source: &str, enumeration: &str) -> BTreeMap<String, String> {
    let implementation: Vec<&str> = block(source, &format!("impl {enumeration} {{")).collect();
    let implementation = implementation.join("\n");
    let lines = block(&implementation, "    pub fn code(&self) -> &'static str {").filter_map(|line| line.trim().strip_prefix("Self::"));
    let pairs = lines.filter_map(|line| {
        let (pattern, code) = line.split_once(" => \"")?;
        let name = pattern.split(|character: char| !character.is_ascii_alphanumeric()).next()?;
        Some((name.to_owned(), code.trim_end_matches("\",").to_owned()))
    });
    pairs.collect()
}

#[test]
fn the_catalogue_has_the_codes_of_the_errors() {
    for operation in &OPERATIONS {
        let source = source_of(operation.enumeration);
        let explained: BTreeMap<String, String> =
            operation.errors.iter().map(|error| (error.variant.to_owned(), error.code.to_owned())).collect();
        assert_eq!(explained, codes(&source, operation.enumeration), "{}", operation.enumeration);
    }
}

#[test]
fn no_code_means_two_things() {
    let mut codes = BTreeMap::new();
    for (operation, error) in OPERATIONS.iter().flat_map(|operation| operation.errors.iter().map(move |error| (operation, error))) {
        let earlier = codes.insert(error.code, operation.enumeration);
        assert_eq!(earlier, None, "{} is of {} too", error.code, operation.enumeration);
    }
}

#[test]
fn every_cause_is_explained_in_words() {
    for operation in &OPERATIONS {
        let variants = variants(&source_of(operation.enumeration), operation.enumeration);
        for error in operation.errors {
            assert!(!variants[error.variant].message.is_empty(), "{} has no words", error.code);
            for text in [error.cause, error.fix] {
                assert!(text.len() > 8 && text.ends_with('.') && !text.contains('|'), "{}: {text:?}", error.code);
            }
        }
    }
}

#[test]
fn every_error_enum_of_protocol_is_in_the_catalogue() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/src");
    for path in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let text = std::fs::read_to_string(path).unwrap();
        let declared = text.lines().filter_map(|line| line.strip_prefix("pub enum ")?.strip_suffix(" {"));
        for name in declared.filter(|name| name.ends_with("Error") && text.contains(&format!("impl {name} {{\n    /// The stable code."))) {
            assert!(OPERATIONS.iter().any(|operation| operation.enumeration == name), "{name} is not explained");
        }
    }
}

#[test]
fn the_page_about_errors_is_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    let expected = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == expected, "docs/errors.md is out of date; UPDATE_DOCS=1 cargo test -p oauth2flow writes it anew");
}
