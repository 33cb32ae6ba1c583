//! Where a sign-in ends that has happened in a window of its own.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{components::heading::Heading, erased::erased};

/// Closes the window: the page that opened it has been told.
#[component]
pub fn SignedInPage() -> impl IntoView {
    Effect::new(|| {
        // A window that the user has opened stays.
        let _ = window().close();
    });
    erased(view! {
        <Title text="You are signed in" />
        <Heading>"You are signed in"</Heading>
        <p class="lead">"You can close this window and go on where you were."</p>
        <p>
            <a class="button" href="/account">
                "Open your account"
            </a>
        </p>
    })
}
