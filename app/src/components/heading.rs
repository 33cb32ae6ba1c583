//! The page's one `<h1>`.

use leptos::{html, prelude::*};
use std::cell::Cell;
use wasm_bindgen::JsCast as _;
use web_sys::{FocusOptions, HtmlBodyElement, HtmlElement};

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
            focus_quietly(&heading);
            scroll_to_fragment();
        }
    });
    view! {
        <h1 tabindex="-1" node_ref=heading>
            {children()}
        </h1>
    }
}

/// Puts the focus on the page's heading: what had it is gone, or is not what matters now.
pub(crate) fn focus_heading() {
    let heading = document().query_selector("h1").ok().flatten();
    if let Some(heading) = heading.and_then(|heading| heading.dyn_into::<HtmlElement>().ok()) {
        // A heading that cannot be focused is still read.
        let _ = heading.focus();
    }
}

/// The same once the page has been drawn, if nothing else has the focus by then.
pub(crate) fn focus_where_nothing_is() {
    request_animation_frame(|| {
        if document().active_element().is_none_or(|element| element.has_type::<HtmlBodyElement>()) {
            focus_heading();
        }
    });
}

/// Puts the focus on something, and leaves the page where it is.
pub(crate) fn focus_quietly(element: &HtmlElement) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    // What cannot be focused is still read.
    let _ = element.focus_with_options(&options);
}

/// Goes to the part of the page that the address names: the router looks for it before the page is there.
fn scroll_to_fragment() {
    let fragment = location().hash().unwrap_or_default();
    if let Some(target) = fragment.strip_prefix('#').and_then(|id| document().get_element_by_id(id)) {
        target.scroll_into_view();
    }
}
