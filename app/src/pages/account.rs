//! The account page.

use leptos::prelude::*;
use leptos_meta::Title;
use std::sync::Arc;

use crate::{
    api::{Problem, SignedIn},
    components::{
        account_details::AccountDetails, heading::Heading, problem_notice::ProblemNotice, sign_in_first::SignInFirst, skeleton::Skeleton,
    },
    erased::erased,
    session::{CurrentSession, SessionState},
};

/// What the page shows.
#[derive(Clone)]
enum Shown {
    Waiting,
    Failed(Box<Problem>),
    Anonymous,
    Details(Arc<SignedIn>),
}

/// The same user's lifetimes change with every call, and the whole session when they sign in again: that is no reason to build the page
/// anew, and lose what they are typing.
impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Waiting, Self::Waiting) | (Self::Anonymous, Self::Anonymous) => true,
            (Self::Failed(one), Self::Failed(other)) => one == other,
            (Self::Details(one), Self::Details(other)) => {
                one.user == other.user && one.provider == other.provider && one.scopes == other.scopes
            }
            _ => false,
        }
    }
}

/// Who you are, how long it lasts, and your notes; or the ways to sign in.
#[component]
pub fn Account() -> impl IntoView {
    let session = expect_context::<CurrentSession>();
    // Kept alive by whoever reads it: the server asks for the title once the page is made, and its owner may be gone by then.
    let shown = ArcMemo::new(move |_| match session.get() {
        SessionState::SignedIn(signed_in) => Shown::Details(signed_in),
        SessionState::Anonymous => Shown::Anonymous,
        SessionState::Unknown => session.problem().map_or(Shown::Waiting, |problem| Shown::Failed(problem.into())),
    });
    let heading = shown.clone();
    let title = move || if heading.with(|shown| *shown == Shown::Anonymous) { "Sign in to see your account" } else { "Your account" };
    erased(view! {
        <Title text=title.clone() />
        <Heading>{title}</Heading>
        {move || match shown.get() {
            Shown::Waiting => erased(view! { <Skeleton lines=6 /> }),
            Shown::Failed(problem) => {
                erased(view! { <ProblemNotice problem=*problem retry=Callback::new(move |()| session.refresh()) /> })
            }
            Shown::Anonymous => erased(view! { <SignInFirst /> }),
            Shown::Details(signed_in) => erased(view! { <AccountDetails signed_in /> }),
        }}
    })
}
