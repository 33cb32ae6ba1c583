//! A failure of one part of a page.

use leptos::prelude::*;

use crate::{
    api::Problem,
    problem::{Explanation, ProblemCode},
    query::is_request_id,
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
    let Problem { code, request_id, .. } = problem;
    let Explanation { title, why, advice, .. } = ProblemCode::parse(&code).unwrap_or(ProblemCode::InternalError).explain();
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
