//! The account page of somebody who is signed in.

use leptos::prelude::*;
use std::sync::Arc;

use crate::{
    api::SignedIn,
    components::{identity::Identity, lifetimes::Lifetimes, notes::Notes, session_list::SessionList},
    erased::erased,
    providers::Providers,
};

/// The id of the provider that comes with a notes API.
const PROVIDER_WITH_NOTES: &str = "demo";

/// Who is signed in, for how long, and what they have written.
#[component]
pub fn AccountDetails(
    /// Who is signed in. The parent builds this anew for another user; lifetimes are followed by the part that shows them.
    signed_in: Arc<SignedIn>,
) -> impl IntoView {
    let providers = expect_context::<Providers>();
    Effect::new(move || providers.load());
    let has_notes = signed_in.provider == PROVIDER_WITH_NOTES;
    view! {
        <div class="account">
        <Identity signed_in=Arc::clone(&signed_in) />
        <Lifetimes signed_in />
        <section class="card account-wide" aria-labelledby="sessions">
            <h2 id="sessions">"Where you are signed in"</h2>
            <SessionList />
        </section>
        <section class="card account-wide" aria-labelledby="notes">
            <h2 id="notes">"Your notes"</h2>
            {if has_notes {
                erased(view! {
                    <p>
                        "These live in an API that wants an access token. This page asks the backend, and the backend adds the token: "
                        <code>"/api/v1/proxy/notes"</code>
                    </p>
                    <Notes />
                })
            } else {
                erased(view! {
                    <p>
                        "Notes come with the demo provider. To call your own API with this sign-in, add it to "
                        <code>"oauth2flow.toml"</code> " as an upstream, and ask for " <code>"/api/v1/proxy/{upstream}/…"</code> "."
                    </p>
                })
            }}
        </section>
        </div>
    }
}
