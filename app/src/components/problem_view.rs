//! A failure that takes the whole page.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    api::Problem,
    components::heading::Heading,
    erased::erased,
    problem::{Explanation, NextStep, ProblemCode},
    providers::Providers,
    query::{is_request_id, login_address, step_up_address},
    routes::safe_return_to,
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
    let request_id = Some(problem.request_id).filter(|id| is_request_id(id));
    let (before, after) = around(pages::NEXT_REQUEST_ID);
    let (before_code, after_code) = around(pages::NEXT_ERROR_CODE);
    let return_to = safe_return_to(problem.return_to.as_deref().unwrap_or("/"));
    let by_server = problem.login_url.filter(|_| wants_sign_in(next)).and_then(|login_url| step_up_address(&login_url, return_to));
    let step = Step::after(next, by_server.is_some());
    let leads_home = step == Step::Home;
    let providers = use_context::<Providers>();
    Effect::new(move || {
        if let Some(providers) = providers {
            providers.load();
        }
    });
    let return_to = return_to.to_owned();
    let only_way = move || {
        let list = providers?.get()?.ok()?;
        if let [only] = &list[..] { Some(login_address(&only.id, &return_to)) } else { None }
    };
    let step = match by_server {
        // The sign-in is the server's own page, not one of the app's.
        Some(address) => erased(view! {
            <a class="button" href=address rel="external">
                {step.words(next)}
            </a>
        }),
        // Where there is one way to sign in, that is meant; else the account page shows all of them.
        None if step == Step::SignIn && next != NextStep::UseAnotherAccount => {
            let words = step.words(next);
            erased(move || match only_way() {
                Some(address) => erased(view! {
                    <a class="button" href=address rel="external">
                        {words}
                    </a>
                }),
                None => erased(view! {
                    <a class="button" href="/account">
                        {words}
                    </a>
                }),
            })
        }
        None => erased(view! {
            <a class="button" href=step.address() rel=(next == NextStep::Reload).then_some("external")>
                {step.words(next)}
            </a>
        }),
    };
    view! {
        <Title text=words.title() />
        <article class="problem">
            <Heading>{words.title()}</Heading>
            <p class="lead">{words.why()}</p>
            {detail}
            <p>{words.advice()}</p>
            <p class="actions">
                {step}
                {(!leads_home)
                    .then(|| {
                        view! {
                            <a class="quiet-link" href="/">
                                {t(pages::NEXT_HOME)}
                            </a>
                        }
                    })}
            </p>
            <p class="fine-print">
                <span>
                    {before_code} <code>{code}</code> {after_code}
                </span>
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

/// Whether a sign-in is what helps, or what was being tried.
fn wants_sign_in(next: NextStep) -> bool {
    matches!(next, NextStep::SignInAgain | NextStep::SignIn | NextStep::UseAnotherAccount | NextStep::TryLater)
}

/// Where the next step leads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// To a sign-in.
    SignIn,
    /// To the account page, which shows the ways to sign in to those who are not.
    Account,
    /// To the home page.
    Home,
}

impl Step {
    /// The step that there is. Nothing is called another try that tries nothing again.
    fn after(next: NextStep, is_known: bool) -> Self {
        match next {
            NextStep::TryLater if !is_known => Self::Account,
            next if wants_sign_in(next) => Self::SignIn,
            NextStep::GoHome | NextStep::AskOperator => Self::Home,
            _ => Self::Account,
        }
    }

    fn address(self) -> &'static str {
        if self == Self::Home { "/" } else { "/account" }
    }

    fn words(self, next: NextStep) -> &'static str {
        match (self, next) {
            (Self::Home, _) => t(pages::NEXT_HOME),
            // What comes next has to be of the same age as the server.
            (Self::Account, NextStep::Reload) => t(frame::PAGE_RELOAD),
            (Self::Account, _) => t(pages::NEXT_OPEN_ACCOUNT),
            (Self::SignIn, NextStep::TryLater) => t(pages::NEXT_TRY_AGAIN),
            (Self::SignIn, NextStep::UseAnotherAccount) => t(pages::NEXT_OTHER_ACCOUNT),
            (Self::SignIn, NextStep::SignIn) => t(pages::NEXT_SIGN_IN),
            (Self::SignIn, _) => t(pages::NEXT_SIGN_IN_AGAIN),
        }
    }
}
