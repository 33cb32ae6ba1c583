//! `docs/errors.md` says what the table of problems says.

use oauth2flow_app::problem::ProblemCode;
use std::fmt::Write as _;
use std::path::PathBuf;

const INTRODUCTION: &str = "# Errors

<!-- Made from app/src/problem.rs; `UPDATE_DOCS=1 cargo test -p oauth2flow --test generated_documents` writes it anew. -->

Every failure has a stable code. The API answers with `application/problem+json` (RFC 9457): `type`, `title`, `status`, `code`,
`detail` and `request_id`. A browser that navigates is sent to `/problem`, which says the same in a page. The `request_id` is on
every line of the log that belongs to the request.
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
    text
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
