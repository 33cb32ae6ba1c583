//! The page's one `<h1>`.

use leptos::{html, prelude::*};
use std::cell::Cell;
use web_sys::FocusOptions;

thread_local! {
    /// Whether a heading has been shown since the document was loaded.
    static SHOWN: Cell<bool> = const { Cell::new(false) };
}

/// The page's heading. It takes the focus when it appears, so that a screen reader says where the user is now; only the
/// first one of a document leaves it alone, as any page does that has just been loaded.
#[component]
pub fn Heading(children: Children) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    heading.on_load(|heading| {
        if SHOWN.replace(true) {
            let options = FocusOptions::new();
            options.set_prevent_scroll(true);
            // A heading that cannot be focused is still read.
            let _ = heading.focus_with_options(&options);
            scroll_to_fragment();
        }
    });
    view! {
        <h1 tabindex="-1" node_ref=heading>
            {children()}
        </h1>
    }
}

/// Goes to the part of the page that the address names: the router looks for it before the page is there.
fn scroll_to_fragment() {
    let fragment = location().hash().unwrap_or_default();
    if let Some(target) = fragment.strip_prefix('#').and_then(|id| document().get_element_by_id(id)) {
        target.scroll_into_view();
    }
}
