//! The account page of somebody who is signed in.

use leptos::prelude::*;
use std::sync::Arc;

use crate::{
    api::SignedIn,
    components::{identity::Identity, lifetimes::Lifetimes, notes::Notes, session_list::SessionList},
    erased::erased,
    providers::{DEMO, Providers},
    texts::{around, pages, t},
};

/// Who is signed in, for how long, and what they have written.
#[component]
pub fn AccountDetails(
    /// Who is signed in. The parent builds this anew for another user; lifetimes are followed by the part that shows them.
    signed_in: Arc<SignedIn>,
) -> impl IntoView {
    let providers = expect_context::<Providers>();
    Effect::new(move || providers.load());
    let has_notes = signed_in.provider == DEMO;
    let (before, after) = around(pages::NOTES_EXPLANATION);
    view! {
        <div class="account">
        <Identity signed_in=Arc::clone(&signed_in) />
        <Lifetimes signed_in />
        <section class="card" aria-labelledby="sessions">
            <h2 id="sessions">{t(pages::SESSIONS_HEADING)}</h2>
            <SessionList />
        </section>
        <section class="card account-wide" aria-labelledby="notes">
            <h2 id="notes">{t(pages::NOTES_HEADING)}</h2>
            {if has_notes {
                erased(view! {
                    <p>
                        {before}
                        <code>"/api/v1/proxy/notes"</code>
                        {after}
                    </p>
                    <Notes />
                })
            } else {
                erased(view! {
                    <p inner_html=t(pages::NOTES_ELSEWHERE_HTML)></p>
                })
            }}
        </section>
        </div>
    }
}
