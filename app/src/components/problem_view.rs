//! A failure that takes the whole page.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    api::Problem,
    components::heading::Heading,
    erased::erased,
    problem::{Explanation, NextStep, ProblemCode},
    query::{is_request_id, step_up_address},
};

/// What happened, why, and the next step. Everything from outside is shown as text, and only where it is of use.
#[component]
pub fn ProblemView(
    /// The problem.
    problem: Problem,
) -> impl IntoView {
    let Explanation { code, title, why, advice, next, .. } =
        ProblemCode::parse(&problem.code).unwrap_or(ProblemCode::InternalError).explain();
    let detail = problem.own_words().map(|detail| view! { <p class="problem-detail">{detail.to_owned()}</p> });
    // Who is kept out wants to know first as whom; elsewhere the details are for those who look for more.
    let (detail_first, detail_last) = if next == NextStep::UseAnotherAccount { (detail, None) } else { (None, detail) };
    let request_id = Some(problem.request_id).filter(|id| is_request_id(id));
    let return_to = problem.return_to.as_deref().unwrap_or("/");
    let other_account = problem.login_url.filter(|_| next == NextStep::UseAnotherAccount);
    // The sign-in is the server's own page, not one of the app's.
    let step = if let Some(address) = other_account.and_then(|login_url| step_up_address(&login_url, return_to)) {
        erased(view! {
            <a class="button" href=address rel="external">
                "Use another account"
            </a>
        })
    } else {
        let (address, step) = next_step(next);
        erased(view! {
            <a class="button" href=address>
                {step}
            </a>
        })
    };
    view! {
        <Title text=title />
        <article class="problem">
            <Heading>{title}</Heading>
            <p class="lead">{why}</p>
            {detail_first}
            <p>{advice}</p>
            {detail_last}
            <p>{step}</p>
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
        NextStep::UseAnotherAccount => ("/account", "Use another account"),
        NextStep::OpenAccount => ("/account", "Open your account"),
        NextStep::TryLater => ("/account", "Try again"),
        NextStep::GoHome | NextStep::AskOperator => ("/", "Go to the home page"),
    }
}
