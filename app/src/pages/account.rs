//! The account page.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    api::Problem,
    components::{
        account_details::AccountDetails, gates::Person, heading::Heading, problem_notice::ProblemNotice, sign_in_first::SignInFirst,
        skeleton::Skeleton,
    },
    erased::erased,
    session::{CurrentSession, SessionState},
    texts::{pages, t},
};

/// What the page shows.
#[derive(Clone, PartialEq)]
enum Shown {
    Waiting,
    Failed(Box<Problem>),
    Anonymous,
    Details(Person),
}

/// Who you are, how long it lasts, and your notes; or the ways to sign in.
#[component]
pub fn Account() -> impl IntoView {
    let session = expect_context::<CurrentSession>();
    // Kept alive by whoever reads it: the server asks for the title once the page is made, and its owner may be gone by then.
    let shown = ArcMemo::new(move |_| match session.get() {
        SessionState::SignedIn(signed_in) => Shown::Details(Person(signed_in)),
        SessionState::Anonymous => Shown::Anonymous,
        SessionState::Unknown => session.problem().map_or(Shown::Waiting, |problem| Shown::Failed(problem.into())),
    });
    let (signed_out, own) = (t(pages::ACCOUNT_TITLE_SIGNED_OUT), t(pages::ACCOUNT_TITLE));
    let is_signed_out = {
        let shown = shown.clone();
        move || shown.with(|shown| *shown == Shown::Anonymous)
    };
    let title = {
        let is_signed_out = is_signed_out.clone();
        move || if is_signed_out() { signed_out } else { own }
    };
    erased(view! {
        <Title text=title.clone() />
        // One element for both, so that the heading stays, and with it the focus.
        <div class=move || if is_signed_out() { "card entrance" } else { "page" }>
            <Heading>{title}</Heading>
            {move || match shown.get() {
                Shown::Waiting => erased(view! { <Skeleton lines=6 /> }),
                Shown::Failed(problem) => {
                    erased(view! { <ProblemNotice problem=*problem retry=Callback::new(move |()| session.refresh()) /> })
                }
                Shown::Anonymous => erased(view! { <SignInFirst /> }),
                Shown::Details(Person(signed_in)) => erased(view! { <AccountDetails signed_in /> }),
            }}
        </div>
    })
}
