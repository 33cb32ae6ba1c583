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

/// Says, on whatever page the user is by then, how far a sign-out is, where it leads, and when it has failed.
#[component]
pub fn SignOutNotice() -> impl IntoView {
    let session = use_session();
    let is_told = Memo::new(move |_| session.departure() != Departure::None);
    move || is_told.get().then(|| notice().show())
}

fn notice() -> Part {
    on_demand!(pages::sign_out_notice, [Pages], view! { <Notice /> })
}

#[component]
fn Notice() -> impl IntoView {
    let session = use_session();
    let providers = expect_context::<Providers>();
    let leave = use_leave();
    let departure = Memo::new(move |_| session.departure());
    let progress = move || match departure.get() {
        Departure::UnderWay => t(pages::SIGN_OUT_SIGNING_OUT).to_owned(),
        Departure::Offline => t(frame::PAGE_OFFLINE_SIGN_OUT).to_owned(),
        Departure::Onward(provider) => fill(pages::SIGN_OUT_ONWARD, &[("provider", &providers.name_of(&provider))]),
        Departure::None | Departure::Failed { .. } => String::new(),
    };
    erased(view! {
        <div class="sign-out-notice">
            {move || Some(progress()).filter(|words| !words.is_empty()).map(|words| view! { <p class="notice" role="status">{words}</p> })}
            {move || match departure.get() {
                Departure::Failed { everywhere, problem } => {
                    let retry = Callback::new(move |()| leave.run(everywhere));
                    Some(view! { <ProblemNotice problem=*problem retry lead=t(pages::SIGN_OUT_STILL_SIGNED_IN).to_owned() /> })
                }
                _ => None,
            }}
        </div>
    })
}
