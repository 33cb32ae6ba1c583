//! What was checked, and how that came out.

use leptos::prelude::*;

use super::{meaning, parameter_list::reference};
use crate::{
    erased::erased,
    flow::{Check, CheckOutcome},
    texts::{flow, t},
};

/// The checks in their order, each with its verdict, what it is for, and who demands it.
pub(crate) fn check_list(checks: Vec<Check>) -> AnyView {
    let skipped = |word, why: &str| ("check skipped", "–", word, Some((None, why.to_owned())));
    let items: Vec<_> = checks
        .into_iter()
        .map(|Check { name, outcome }| {
            let meaning = meaning::check(name);
            let (class, mark, word, reason) = match outcome {
                CheckOutcome::Passed => ("check passed", "✓", t(flow::VERDICT_PASSED), None),
                // The server says it in English, whatever the language of the page.
                CheckOutcome::Failed { reason, .. } => ("check failed", "✗", t(flow::VERDICT_FAILED), Some((Some("en"), reason))),
                CheckOutcome::Skipped(why) => skipped(t(flow::SENTENCE_SKIPPED), meaning::skip_reason(why)),
                CheckOutcome::NotReached => skipped(t(flow::VERDICT_UNREACHED), t(flow::SKIP_NOT_REACHED)),
            };
            erased(view! {
                <li class=class>
                    <span class="mark" aria-hidden="true">
                        {mark}
                    </span>
                    <div>
                        <p>
                            {meaning.rule} " " <span class="verdict">{word}</span>
                            {reason
                                .map(|(language, reason)| {
                                    view! {
                                        ": "
                                        <bdi class="reason" lang=language>
                                            {reason}
                                        </bdi>
                                    }
                                })}
                        </p>
                        <p class="fine-print">{meaning.why} " " {reference(meaning.demanded)}</p>
                    </div>
                </li>
            })
        })
        .collect();
    erased(view! { <ol class="checks">{items}</ol> })
}
