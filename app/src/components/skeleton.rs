//! The shape of what is on its way.

use leptos::prelude::*;

use crate::texts::{frame, t};

/// Grey lines in the place of a text that is still loading, and a word about it for those who do not see them.
#[component]
pub fn Skeleton(
    /// How many lines to draw.
    lines: usize,
) -> impl IntoView {
    view! {
        <div class="skeleton">
            <p class="visually-hidden" role="status">
                {t(frame::PAGE_LOADING)}
            </p>
            {(0..lines).map(|_| view! { <span class="skeleton-line" aria-hidden="true"></span> }).collect_view()}
        </div>
    }
}
