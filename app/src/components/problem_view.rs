//! A failure that takes the whole page.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    api::Problem,
    components::heading::Heading,
    erased::erased,
    problem::{Explanation, NextStep, ProblemCode},
    query::{is_request_id, step_up_address},
    texts::{around, frame, pages, t},
};

/// What happened, why, and the next step. Everything from outside is shown as text, and only where it is of use.
#[component]
pub fn ProblemView(
    /// The problem.
    problem: Problem,
) -> impl IntoView {
    let Explanation { code, words, next, .. } = ProblemCode::parse(&problem.code).unwrap_or(ProblemCode::InternalError).explain();
    let detail = problem.own_words().map(|detail| view! { <p class="problem-detail" lang="en">{detail.to_owned()}</p> });
    // Who is kept out wants to know first as whom; elsewhere the details are for those who look for more.
    let (detail_first, detail_last) = if next == NextStep::UseAnotherAccount { (detail, None) } else { (None, detail) };
    let request_id = Some(problem.request_id).filter(|id| is_request_id(id));
    let (before, after) = around(pages::NEXT_REQUEST_ID);
    let return_to = problem.return_to.as_deref().unwrap_or("/");
    let other_account = problem.login_url.filter(|_| next == NextStep::UseAnotherAccount);
    // The sign-in is the server's own page, not one of the app's.
    let step = if let Some(address) = other_account.and_then(|login_url| step_up_address(&login_url, return_to)) {
        erased(view! {
            <a class="button" href=address rel="external">
                {t(pages::NEXT_OTHER_ACCOUNT)}
            </a>
        })
    } else {
        let (address, step) = next_step(next);
        erased(view! {
            <a class="button" href=address rel=(next == NextStep::Reload).then_some("external")>
                {step}
            </a>
        })
    };
    view! {
        <Title text=words.title() />
        <article class="problem">
            <Heading>{words.title()}</Heading>
            <p class="lead">{words.why()}</p>
            {detail_first}
            <p>{words.advice()}</p>
            {detail_last}
            <p>{step}</p>
            <p class="fine-print">
                <code>{code}</code>
                {request_id
                    .map(|id| {
                        view! {
                            <span>
                                {before} <code>{id}</code> {after}
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
        NextStep::SignInAgain => ("/account", t(pages::NEXT_SIGN_IN_AGAIN)),
        NextStep::SignIn => ("/account", t(pages::NEXT_SIGN_IN)),
        NextStep::UseAnotherAccount => ("/account", t(pages::NEXT_OTHER_ACCOUNT)),
        NextStep::OpenAccount => ("/account", t(pages::NEXT_OPEN_ACCOUNT)),
        NextStep::TryLater => ("/account", t(pages::NEXT_TRY_AGAIN)),
        // What comes next has to be of the same age as the server.
        NextStep::Reload => ("/account", t(frame::PAGE_RELOAD)),
        NextStep::GoHome | NextStep::AskOperator => ("/", t(pages::NEXT_HOME)),
    }
}
