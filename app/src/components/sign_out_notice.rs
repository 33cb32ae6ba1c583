//! What becomes of a sign-out.

use leptos::prelude::*;

use crate::{
    components::{problem_notice::ProblemNotice, sign_out::use_leave},
    erased::erased,
    on_demand::{Part, on_demand},
    providers::Providers,
    session::{Departure, use_session},
    texts::{fill, frame, pages, t},
};

/// Says, on whatever page the user is by then, how far a sign-out is, where it leads, and when it has failed. The place for it is there
/// from the beginning: only what is put into a place that was there before is read aloud for certain.
#[component]
pub fn SignOutNotice() -> impl IntoView {
    let session = use_session();
    let has_failed = move || matches!(session.departure(), Departure::Failed { .. });
    let is_failed = Memo::new(move |_| has_failed());
    let is_told = Memo::new(move |_| session.departure() != Departure::None && !has_failed());
    view! {
        <div class="sign-out-notice">
            <div role="status">{move || is_told.get().then(|| progress().show())}</div>
            {move || is_failed.get().then(|| failure().show())}
        </div>
    }
}

fn progress() -> Part {
    on_demand!(pages::sign_out_progress, [Pages], view! { <Progress /> })
}

fn failure() -> Part {
    on_demand!(pages::sign_out_failure, [Pages], view! { <Failure /> })
}

#[component]
fn Progress() -> impl IntoView {
    let session = use_session();
    let providers = expect_context::<Providers>();
    let departure = Memo::new(move |_| session.departure());
    let words = move || match departure.get() {
        Departure::Offline => t(frame::PAGE_OFFLINE_SIGN_OUT).to_owned(),
        Departure::Onward(provider) => fill(pages::SIGN_OUT_ONWARD, &[("provider", &providers.name_of(&provider))]),
        _ => t(pages::SIGN_OUT_SIGNING_OUT).to_owned(),
    };
    erased(view! { <p class="notice">{words}</p> })
}

#[component]
fn Failure() -> impl IntoView {
    let session = use_session();
    let leave = use_leave();
    let departure = Memo::new(move |_| session.departure());
    erased(view! {
        {move || match departure.get() {
            Departure::Failed { everywhere, problem } => {
                let retry = Callback::new(move |()| leave.run(everywhere));
                Some(view! { <ProblemNotice problem=*problem retry lead=t(pages::SIGN_OUT_STILL_SIGNED_IN).to_owned() /> })
            }
            _ => None,
        }}
    })
}
