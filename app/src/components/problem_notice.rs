//! A failure of one part of a page.

use leptos::{ev::MouseEvent, prelude::*, task::spawn_local};

use crate::{
    address::use_address,
    api::Problem,
    components::sign_in_window::sign_in_and_go_on,
    erased::erased,
    problem::{Explanation, ProblemCode},
    query::{is_request_id, step_up_address},
    routes::SIGNED_IN,
    session::CurrentSession,
    texts::{self, Group, around, frame, pages, t},
};

/// What went wrong, in the place where it did; the rest of the page goes on.
#[component]
pub fn ProblemNotice(
    /// The problem.
    problem: Problem,
    /// What to do when the user wants to try again.
    #[prop(optional)]
    retry: Option<Callback<()>>,
    /// What it means for the user, to be said first.
    #[prop(optional)]
    lead: Option<String>,
) -> impl IntoView {
    if texts::has(Group::Pages) {
        return erased(view! { <Notice problem retry lead /> });
    }
    // Not every page begins with the words for what can go wrong; where they do not come, nothing does.
    let has_come = RwSignal::new(None::<bool>);
    spawn_local(async move { has_come.set(Some(texts::load(&[Group::Pages]).await)) });
    erased(move || {
        let (problem, lead) = (problem.clone(), lead.clone());
        has_come
            .get()
            .map(|has_come| if has_come { erased(view! { <Notice problem retry lead /> }) } else { erased(view! { <Offline retry /> }) })
    })
}

/// The same in the words that every page has.
#[component]
fn Offline(retry: Option<Callback<()>>) -> impl IntoView {
    view! {
        <div class="notice notice-problem" role="alert">
            <p>
                <strong>{t(frame::OFFLINE_TITLE)}</strong>
                " "
                {t(frame::OFFLINE_WHY)}
                " "
                {t(frame::OFFLINE_ADVICE)}
            </p>
            {retry
                .map(|retry| {
                    view! {
                        <button type="button" class="button button-quiet" on:click=move |_| retry.run(())>
                            {t(frame::OFFLINE_AGAIN)}
                        </button>
                    }
                })}
        </div>
    }
}

#[component]
fn Notice(
    /// The problem.
    problem: Problem,
    /// What to do when the user wants to try again.
    retry: Option<Callback<()>>,
    /// What it means for the user.
    lead: Option<String>,
) -> impl IntoView {
    let detail = problem.own_words().map(str::to_owned);
    let Problem { code, request_id, login_url, .. } = problem;
    let known = ProblemCode::parse(&code).unwrap_or(ProblemCode::InternalError);
    let Explanation { words, .. } = known.explain();
    // The page stays while the user confirms who they are; what they wanted is tried again then. Where nobody tries it, the page is left.
    let in_window =
        login_url.as_ref().filter(|_| known == ProblemCode::StepUpRequired).and_then(|login_url| step_up_address(login_url, SIGNED_IN));
    let confirming = use_context::<CurrentSession>()
        .zip(in_window)
        .zip(retry)
        .map(|((session, address), retry)| sign_in_and_go_on(session, address, retry));
    let open = move |event: MouseEvent| {
        if let Some(confirm) = &confirming {
            confirm(&event);
        }
    };
    // What asks for a better sign-in is not helped by trying again without one.
    let confirm = login_url.and_then(|login_url| step_up_address(&login_url, &use_address().get_untracked()));
    // Where no sign-in would help, none is advised.
    let advice = Some(words.advice()).filter(|_| known != ProblemCode::StepUpRequired || confirm.is_some());
    let is_outdated = known == ProblemCode::PageOutdated;
    let retry = retry.filter(|_| confirm.is_none() && !is_outdated);
    let step = if known == ProblemCode::NotPermitted { t(pages::NEXT_OTHER_ACCOUNT) } else { t(pages::STEP_UP_CONFIRM) };
    let (before, after) = around(pages::NEXT_REQUEST_ID);
    let request_id = Some(request_id).filter(|id| is_request_id(id));
    view! {
        <div class="notice notice-problem" role="alert">
            {lead.map(|lead| view! { <p><strong>{lead}</strong></p> })}
            <p>
                <strong>{words.title()}</strong>
                " "
                {words.why()}
                " "
                {advice}
            </p>
            {detail.map(|detail| view! { <p class="problem-detail" lang="en">{detail}</p> })}
            {request_id
                .map(|id| {
                    view! {
                        <p class="fine-print">
                            {before} <code>{id}</code> {after}
                        </p>
                    }
                })}
            {confirm
                .map(|address| {
                    view! {
                        <p>
                            <a class="button" href=address rel="external" on:click=open>
                                {step}
                            </a>
                        </p>
                    }
                })}
            {is_outdated
                .then(|| {
                    // To follow a link with a fragment would stay on the page that is there.
                    let address = use_address();
                    let anew = move || address.with(|address| address.split('#').next().unwrap_or_default().to_owned());
                    view! {
                        <p>
                            <a class="button button-quiet" href=anew rel="external">
                                {t(frame::PAGE_RELOAD)}
                            </a>
                        </p>
                    }
                })}
            {retry
                .map(|retry| {
                    view! {
                        <button type="button" class="button button-quiet" on:click=move |_| retry.run(())>
                            {t(pages::NEXT_TRY_AGAIN)}
                        </button>
                    }
                })}
        </div>
    }
}
