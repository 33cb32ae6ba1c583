//! What the page has to say about the browser it is in.

use leptos::prelude::*;

/// An empty place, which the starter script fills while this browser is offline or takes no cookies. It is there from the beginning: only
/// what is put into a place that was there before is read aloud for certain.
#[component]
pub fn PageNotices() -> impl IntoView {
    view! { <div id="page-notices" role="status"></div> }
}
