//! Where the user is.

use leptos::{ev::MouseEvent, prelude::*};
use leptos_router::hooks::use_location;

/// Loads the page anew instead of following a link to it: with a fragment in its address, that would only go to a place on the old page.
pub(crate) fn reload(event: &MouseEvent) {
    // That asks for another tab.
    if event.ctrl_key() || event.meta_key() || event.shift_key() {
        return;
    }
    event.prevent_default();
    // A page that cannot be loaded again says so itself.
    let _ = location().reload();
}

/// The address of the page, with its query and fragment, as a sign-in comes back to it. Inside a `<Router>` only.
pub fn use_address() -> Signal<String> {
    let here = use_location();
    // The fragment is never sent to the server, so it is added once the page runs.
    let fragment = RwSignal::new(String::new());
    Effect::new(move || {
        here.hash.track();
        fragment.set(location().hash().unwrap_or_default());
    });
    Signal::derive(move || {
        let mut address = here.pathname.get();
        here.search.with(|search| {
            if !search.is_empty() {
                address.push('?');
                address.push_str(search);
            }
        });
        fragment.with(|fragment| address.push_str(fragment));
        address
    })
}
