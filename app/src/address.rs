//! Where the user is.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

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
