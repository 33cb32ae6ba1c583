//! What was checked, and how that came out.

use leptos::prelude::*;

use super::{meaning, parameter_list::reference};
use crate::{
    erased::erased,
    flow::{Check, CheckOutcome},
};

/// The checks in their order, each with its verdict, what it is for, and who demands it.
pub(crate) fn check_list(checks: Vec<Check>) -> AnyView {
    let items: Vec<_> = checks
        .into_iter()
        .map(|Check { name, outcome }| {
            let meaning = meaning::check(name);
            let (class, mark, word, reason) = match outcome {
                CheckOutcome::Passed => ("check passed", "✓", "passed", None),
                CheckOutcome::Failed { reason, .. } => ("check failed", "✗", "failed", Some(reason)),
                CheckOutcome::Skipped(why) => ("check skipped", "–", "skipped", Some(meaning::skip_reason(why).to_owned())),
                CheckOutcome::NotReached => ("check skipped", "–", "not reached", Some("a check before it has failed".to_owned())),
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
