//! The pictures on the sign-in buttons: drawn for this project, nobody's trademarks.

use leptos::prelude::*;

/// The icon of that name, such as `demo`, `github` or `openid`; a key for a name that is not known. Known providers without a drawing of
/// their own have a letter.
pub fn provider_icon(name: &str) -> impl IntoView + use<> {
    let drawing = match name {
        // A flask: something to try.
        "demo" => "M9 3h6M10 3v6.5L4.8 18a2 2 0 0 0 1.7 3h11a2 2 0 0 0 1.7-3L14 9.5V3M7.5 15h9",
        // A branch that comes back.
        "github" => "M6 3v12M6 21a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM18 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM18 9c0 5-5 5-9 7",
        // A person on a card.
        "openid" => "M3 5h18v14H3ZM9 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM6 16c.5-2 5.5-2 6 0M15 10h3M15 14h3",
        "google" => "M18 8a7 7 0 1 0 1 4h-7",
        "microsoft" => "M4 19V5l8 9 8-9v14",
        // A kite.
        "gitlab" => "M12 20 4 12l4-8 4 8 4-8 4 8ZM4 12h16",
        // A fruit.
        "apple" => "M12 8c-5-3-8 1-7 6s5 8 7 6c2 2 6-1 7-6s-2-9-7-6ZM12 8c0-2 1-4 3-5",
        // A bubble.
        "discord" => "M4 5h16v11h-9l-5 4v-4H4ZM9 10h.1M15 10h.1",
        "facebook" => "M16 4h-2a3 3 0 0 0-3 3v14M8 12h7",
        "x" => "M5 5l14 14M19 5 5 19",
        "linkedin" => "M5 10v9M5 5v.1M10 19v-9M10 14c0-5 8-5 8 0v5",
        // A hash.
        "slack" => "M9 4v16M15 4v16M4 9h16M4 15h16",
        // A shield.
        "keycloak" | "auth0" => "M12 3l8 3c0 8-3 12-8 15-5-3-8-7-8-15ZM9 12l2 2 4-4",
        "okta" => "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
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
