//! A sign-in in a window of its own, over the page that needs it.

use leptos::{ev::MouseEvent, prelude::*};

use crate::session::CurrentSession;

/// What the window is like.
const FEATURES: &str = "popup,width=520,height=720";

/// Opens the sign-in at `address` in a window of its own instead of following the link that was clicked; tells whether there is one, for
/// some browsers open none. Such an address leads to [`SIGNED_IN`](crate::routes::SIGNED_IN), where the window closes itself.
pub(crate) fn open_sign_in(event: &MouseEvent, address: &str) -> bool {
    let opened = window().open_with_url_and_target_and_features(address, "oauth2flow-sign-in", FEATURES);
    let is_open = opened.is_ok_and(|opened| opened.is_some());
    if is_open {
        event.prevent_default();
    }
    is_open
}

/// Goes on once the user has signed in anew, if that is what they have `begun` here: what was wanted long ago, nobody expects any more
/// when they sign in elsewhere.
pub(crate) fn when_signed_in_anew(session: CurrentSession, begun: RwSignal<bool>, go_on: Callback<()>) {
    Effect::new(move |before: Option<Option<String>>| {
        let now = session.get().signed_in().map(|now| {
            let (at, acr) = (now.authenticated_at.as_deref().unwrap_or_default(), now.acr.as_deref().unwrap_or_default());
            [&now.session.created_at, " ", at, " ", acr].concat()
        });
        if now.is_some() && before.is_some_and(|before| before != now) && begun.get_untracked() {
            go_on.run(());
        }
        now
    });
}
