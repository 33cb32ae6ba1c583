//! In the place of a page that wants to know who is there.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    address::use_address,
    components::sign_in_links::SignInLinks,
    erased::erased,
    routes::safe_return_to,
    session::use_session,
    texts::{pages, t},
};

/// The sign-in links that come back to exactly this address, or to the `return_to` in it: a reverse proxy that protects another app
/// sends people here to choose.
#[component]
pub fn SignInFirst() -> impl IntoView {
    let session = use_session();
    let here = use_address();
    let query = use_query_map();
    let return_to = Signal::derive(move || {
        query.with(|query| query.get("return_to")).map_or_else(|| here.get(), |elsewhere| safe_return_to(&elsewhere).to_owned())
    });
    view! {
        {move || {
            if session.has_lapsed() {
                erased(view! { <p class="notice" role="status">{t(pages::SIGN_IN_FIRST_LAPSED)}</p> })
            } else {
                erased(view! { <p>{t(pages::SIGN_IN_FIRST_CHOOSE)}</p> })
            }
        }}
        <SignInLinks return_to />
    }
}
