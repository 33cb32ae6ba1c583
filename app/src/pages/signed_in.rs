//! Where a sign-in ends that has happened in a window of its own.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::heading::Heading,
    erased::erased,
    texts::{pages, t},
};

/// Closes the window: the page that opened it has been told.
#[component]
pub fn SignedInPage() -> impl IntoView {
    Effect::new(|| {
        // A window that the user has opened stays.
        let _ = window().close();
    });
    erased(view! {
        <Title text=t(pages::SIGNED_IN_HEADING) />
        <Heading>{t(pages::SIGNED_IN_HEADING)}</Heading>
        <p class="lead">{t(pages::SIGNED_IN_WHY)}</p>
        <p>
            <a class="button" href="/account">
                {t(pages::NEXT_OPEN_ACCOUNT)}
            </a>
        </p>
    })
}
