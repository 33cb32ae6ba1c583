//! A failure that takes the whole page.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    api::Problem,
    components::heading::Heading,
    problem::{Explanation, NextStep, ProblemCode},
    query::is_request_id,
};

/// What happened, why, and the next step. Everything from outside is shown as text, and only where it is of use.
#[component]
pub fn ProblemView(
    /// The problem.
    problem: Problem,
) -> impl IntoView {
    let Explanation { code, title, why, advice, next, .. } =
        ProblemCode::parse(&problem.code).unwrap_or(ProblemCode::InternalError).explain();
    let detail = problem.own_words().map(str::to_owned);
    let (address, step) = next_step(next);
    let request_id = Some(problem.request_id).filter(|id| is_request_id(id));
    view! {
        <Title text=title />
        <article class="problem">
            <Heading>{title}</Heading>
            <p class="lead">{why}</p>
            <p>{advice}</p>
            {detail.map(|detail| view! { <p class="problem-detail">{detail}</p> })}
            <p>
                <a class="button" href=address>
                    {step}
                </a>
            </p>
            <p class="fine-print">
                <code>{code}</code>
                {request_id
                    .map(|id| {
                        view! {
                            <span>
                                "Request id: " <code>{id}</code>
                            </span>
                        }
                    })}
            </p>
        </article>
    }
}

/// Where the next step leads, and what it is called. The account page shows the ways to sign in to those who are not.
fn next_step(next: NextStep) -> (&'static str, &'static str) {
    match next {
        NextStep::SignInAgain => ("/account", "Sign in again"),
        NextStep::SignIn => ("/account", "Sign in"),
        NextStep::OpenAccount => ("/account", "Open your account"),
        NextStep::TryLater => ("/account", "Try again"),
        NextStep::GoHome | NextStep::AskOperator => ("/", "Go to the home page"),
    }
}
