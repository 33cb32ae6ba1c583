//! A sign-in in a window of its own, over the page that needs it.

use leptos::{ev::MouseEvent, prelude::*};
use std::sync::Arc;

use crate::{
    api::SignedIn,
    draft::KEPT_SECONDS,
    session::{CurrentSession, is_same_user},
};

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

/// What a link does that leads to a better sign-in: it opens a window, and `go_on` is run once the same user has signed in there, as long
/// as anybody expects it.
pub(crate) fn sign_in_and_go_on(session: CurrentSession, address: String, go_on: Callback<()>) -> impl Fn(&MouseEvent) {
    // When that was begun, and in whose session.
    let begun = StoredValue::new(None::<(i64, Arc<SignedIn>)>);
    Effect::new(move || {
        let state = session.get();
        if let Some(((at, before), now)) = begun.get_value().zip(state.signed_in())
            && !is_same_sign_in(&before, now)
        {
            begun.set_value(None);
            if is_same_user(&before, now) && session.clock().read().abs_diff(at) <= KEPT_SECONDS {
                go_on.run(());
            }
        }
    });
    move |event| {
        if open_sign_in(event, &address) {
            begun.set_value(session.get_untracked().signed_in().map(|now| (session.clock().read(), Arc::clone(now))));
        }
    }
}

fn is_same_sign_in(one: &SignedIn, other: &SignedIn) -> bool {
    let marks = |signed_in: &SignedIn| (signed_in.session.created_at.clone(), signed_in.authenticated_at.clone(), signed_in.acr.clone());
    is_same_user(one, other) && marks(one) == marks(other)
}
