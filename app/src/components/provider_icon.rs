//! The pictures on the sign-in buttons: drawn for this project, nobody's trademarks.

use leptos::prelude::*;

/// The icon of that name (`demo`, `github`, `openid` or `oauth`); a key for a name that is not known.
pub fn provider_icon(name: &str) -> impl IntoView + use<> {
    let drawing = match name {
        // A flask: something to try.
        "demo" => "M9 3h6M10 3v6.5L4.8 18a2 2 0 0 0 1.7 3h11a2 2 0 0 0 1.7-3L14 9.5V3M7.5 15h9",
        // A branch that comes back.
        "github" => "M6 3v12M6 21a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM18 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM18 9c0 5-5 5-9 7",
        // A person on a card.
        "openid" => "M3 5h18v14H3ZM9 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM6 16c.5-2 5.5-2 6 0M15 10h3M15 14h3",
        _ => "M8 18a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM12 11l8-8M16 7l3 3",
    };
    view! {
        <svg
            class="icon"
            viewBox="0 0 24 24"
            width="24"
            height="24"
            fill="none"
            stroke="currentColor"
            stroke-width="1.8"
            stroke-linecap="round"
            stroke-linejoin="round"
            aria-hidden="true"
            focusable="false"
        >
            <path d=drawing />
        </svg>
    }
}
