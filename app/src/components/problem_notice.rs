//! A failure of one part of a page.

use leptos::prelude::*;

use crate::{
    address::use_address,
    api::Problem,
    problem::{Explanation, ProblemCode},
    query::{is_request_id, step_up_address},
};

/// What went wrong, in the place where it did; the rest of the page goes on.
#[component]
pub fn ProblemNotice(
    /// The problem.
    problem: Problem,
    /// What to do when the user wants to try again.
    #[prop(optional)]
    retry: Option<Callback<()>>,
) -> impl IntoView {
    let detail = problem.own_words().map(str::to_owned);
    let Problem { code, request_id, login_url, .. } = problem;
    let known = ProblemCode::parse(&code).unwrap_or(ProblemCode::InternalError);
    let Explanation { title, why, advice, .. } = known.explain();
    // What asks for a better sign-in is not helped by trying again without one.
    let confirm = login_url.and_then(|login_url| step_up_address(&login_url, &use_address().get_untracked()));
    // Where no sign-in would help, none is advised.
    let advice = Some(advice).filter(|_| known != ProblemCode::StepUpRequired || confirm.is_some());
    let retry = retry.filter(|_| confirm.is_none());
    let step = if known == ProblemCode::NotPermitted { "Use another account" } else { "Confirm it is you" };
    let request_id = Some(request_id).filter(|id| is_request_id(id));
    view! {
        <div class="notice notice-problem" role="alert">
            <p>
                <strong>{title}</strong>
                " "
                {why}
                " "
                {advice}
            </p>
            {detail.map(|detail| view! { <p class="problem-detail">{detail}</p> })}
            {request_id
                .map(|id| {
                    view! {
                        <p class="fine-print">
                            "Request id: " <code>{id}</code>
                        </p>
                    }
                })}
            {confirm
                .map(|address| {
                    view! {
                        <p>
                            <a class="button" href=address rel="external">
                                {step}
                            </a>
                        </p>
                    }
                })}
            {retry
                .map(|retry| {
                    view! {
                        <button type="button" class="button button-quiet" on:click=move |_| retry.run(())>
                            "Try again"
                        </button>
                    }
                })}
        </div>
    }
}
