//! The shape of what is on its way.

use leptos::prelude::*;

/// Grey lines in the place of a text that is still loading, and a word about it for those who do not see them.
#[component]
pub fn Skeleton(
    /// How many lines to draw.
    lines: usize,
) -> impl IntoView {
    view! {
        <div class="skeleton">
            <p class="visually-hidden" role="status">
                "Loading…"
            </p>
            {(0..lines).map(|_| view! { <span class="skeleton-line" aria-hidden="true"></span> }).collect_view()}
        </div>
    }
}
