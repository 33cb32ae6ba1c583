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
    let items: Vec<_> = checks
        .into_iter()
        .map(|Check { name, outcome }| {
            let meaning = meaning::check(name);
            let (class, mark, word, reason) = match outcome {
                CheckOutcome::Passed => ("check passed", "✓", t(flow::VERDICT_PASSED), None),
                CheckOutcome::Failed { reason, .. } => ("check failed", "✗", t(flow::VERDICT_FAILED), Some(reason)),
                CheckOutcome::Skipped(why) => ("check skipped", "–", t(flow::SENTENCE_SKIPPED), Some(meaning::skip_reason(why).to_owned())),
                CheckOutcome::NotReached => ("check skipped", "–", t(flow::VERDICT_UNREACHED), Some(t(flow::SKIP_NOT_REACHED).to_owned())),
            };
            erased(view! {
                <li class=class>
                    <span class="mark" aria-hidden="true">
                        {mark}
                    </span>
                    <div>
                        <p>
                            {meaning.rule} " " <span class="verdict">{word}</span>
                            {reason.map(|reason| view! { ": " <bdi class="reason">{reason}</bdi> })}
                        </p>
                        <p class="fine-print">{meaning.why} " " {reference(meaning.demanded)}</p>
                    </div>
                </li>
            })
        })
        .collect();
    erased(view! { <ol class="checks">{items}</ol> })
}
