//! `docs/conformance.md`: each module of the conformance plans with the tests that prove it.

use crate::check;
use crate::modules::{Module, PLANS, Plan, Verdict};
use crate::proof::{Proof, link, missing};
use crate::written_tests::WrittenTests;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const INTRODUCTION: &str = "# Conformance

<!-- Made from server/protocol/tests/documents/modules.rs;
     `UPDATE_DOCS=1 cargo test -p oauth2flow-protocol --test documents` writes it anew. -->

The OpenID Foundation certifies relying parties with its [conformance suite](https://gitlab.com/openid/conformance-suite): a provider
that does one thing wrong, or one thing unusual, at a time. This project is not certified. Here is each module of the suite's plans for
relying parties, what the provider does in it, what this one does, and the tests that prove it: the same defect at a provider of our own.
Every test that is named here exists, or the tests fail.

Tests of `rules` judge one rule without a network. Tests of `http` run the server against a provider with that defect. The others drive a
browser, or run against [`oidc-provider`](https://github.com/panva/node-oidc-provider), which is certified itself.
[security-requirements.md](security-requirements.md) lists the tests by what a sign-in has to do.
";

fn document() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n| Plan | Modules | As the suite wants it | Refused, as the suite allows | Not covered |\n|---|---|---|---|---|\n");
    for plan in &PLANS {
        let count = |wanted: fn(&Verdict) -> bool| plan.modules.iter().filter(|module| wanted(&module.verdict)).count();
        let _ = writeln!(
            text,
            "| [{}](#{}) | {} | {} | {} | {} |",
            plan.title,
            plan.name,
            plan.modules.len(),
            count(|verdict| matches!(verdict, Verdict::Passed(_))),
            count(|verdict| matches!(verdict, Verdict::Refused(_))),
            count(|verdict| matches!(verdict, Verdict::NotCovered(_))),
        );
    }
    for plan in &PLANS {
        write_plan(&mut text, plan);
    }
    text
}

fn write_plan(text: &mut String, plan: &Plan) {
    let _ = write!(text, "\n## {}\n\n<a id=\"{}\"></a>`{}`\n", plan.title, plan.name, plan.name);
    if !plan.note.is_empty() {
        let _ = write!(text, "\n{}\n", plan.note);
    }
    text.push_str("\n| Module | The provider | This client | Proven by |\n|---|---|---|---|\n");
    for module in plan.modules {
        let (client, proofs) = match module.verdict {
            Verdict::Passed(proofs) | Verdict::Refused(proofs) => (module.client.to_owned(), proofs),
            Verdict::NotCovered(reason) => (format!("**Not covered.** {reason}"), [].as_slice()),
        };
        let links = proofs.iter().map(|proof| link(&proof.file(), proof.name())).collect::<Vec<_>>().join("<br>");
        let _ = writeln!(text, "| `{}` | {} | {client} | {links} |", module.name, module.provider);
    }
}

fn modules() -> impl Iterator<Item = &'static Module> {
    PLANS.iter().flat_map(|plan| plan.modules)
}

fn proofs(module: &Module) -> &'static [Proof] {
    match module.verdict {
        Verdict::Passed(proofs) | Verdict::Refused(proofs) => proofs,
        Verdict::NotCovered(_) => &[],
    }
}

#[test]
fn nothing_is_listed_without_its_test() {
    let tests = WrittenTests::find();
    let missing = missing(modules().flat_map(proofs), &tests);
    assert!(missing.is_empty(), "these tests are named and not written: {missing:#?}");
    for module in modules() {
        match module.verdict {
            Verdict::Passed(proofs) | Verdict::Refused(proofs) => assert!(!proofs.is_empty(), "{} has no test", module.name),
            Verdict::NotCovered(reason) => assert!(reason.len() > 10 && reason.ends_with('.'), "{}: {reason:?}", module.name),
        }
    }
}

#[test]
fn no_plan_lists_a_module_twice() {
    for plan in &PLANS {
        let names: BTreeSet<&str> = plan.modules.iter().map(|module| module.name).collect();
        assert_eq!(names.len(), plan.modules.len(), "{}", plan.name);
    }
}

#[test]
fn the_page_about_conformance_is_up_to_date() {
    check("docs/conformance.md", &document());
}
