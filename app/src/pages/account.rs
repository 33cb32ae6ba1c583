//! The account page.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_location, use_query_map};
use std::sync::Arc;

use crate::{
    api::{Problem, SignedIn},
    components::{
        account_details::AccountDetails, heading::Heading, problem_notice::ProblemNotice, sign_in_links::SignInLinks, skeleton::Skeleton,
    },
    erased::erased,
    routes::safe_return_to,
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

/// The same user's lifetimes change with every call: that is no reason to build the page anew.
impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Waiting, Self::Waiting) | (Self::Anonymous, Self::Anonymous) => true,
            (Self::Failed(one), Self::Failed(other)) => one == other,
            (Self::Details(one), Self::Details(other)) => {
                one.user == other.user
                    && one.provider == other.provider
                    && one.scopes == other.scopes
                    && one.session.created_at == other.session.created_at
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

/// The sign-in links that come back to exactly this address, or to the `return_to` in it: a reverse proxy that protects another app
/// sends people here to choose.
#[component]
fn SignInFirst() -> impl IntoView {
    let session = expect_context::<CurrentSession>();
    let here = use_location();
    // The fragment is never sent to the server, so it is added once the page runs.
    let fragment = RwSignal::new(String::new());
    Effect::new(move || fragment.set(location().hash().unwrap_or_default()));
    let query = use_query_map();
    let return_to = Signal::derive(move || {
        if let Some(elsewhere) = query.with(|query| query.get("return_to")) {
            return safe_return_to(&elsewhere).to_owned();
        }
        let mut address = here.pathname.get();
        here.search.with(|search| {
            if !search.is_empty() {
                address.push('?');
                address.push_str(search);
            }
        });
        fragment.with(|fragment| address.push_str(fragment));
        address
    });
    view! {
        {move || session.has_lapsed().then(|| view! { <p class="notice" role="status">"Your session has ended. Sign in to go on."</p> })}
        <p class="lead">"Choose a provider. Afterwards you come back."</p>
        <SignInLinks return_to />
    }
}
