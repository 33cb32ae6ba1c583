//! What the user has typed, kept while they have to leave the page to sign in again.

use leptos::{html, prelude::*};
use web_sys::Storage;

use crate::session::{SessionState, use_session};

/// Keeps what is in this field when the page has to be left to sign in again, and puts it back afterwards. `name` tells it from the
/// app's other fields; it is kept in this tab only, and only until it is back.
pub fn keep_draft(field: NodeRef<html::Input>, name: &'static str) {
    let session = use_session();
    // As soon as there is a field, and a user whose draft it could be.
    Effect::new(move || {
        let (Some(storage), Some(key), Some(input)) = (storage(), key(&session.get(), name), field.get()) else { return };
        if let Ok(Some(draft)) = storage.get_item(&key) {
            // A store that can be read can be emptied.
            let _ = storage.remove_item(&key);
            input.set_value(&draft);
        }
    });
    Effect::new(move || {
        let leaving = window_event_listener(leptos::ev::pagehide, move |_| {
            let draft = field.get_untracked().map(|input| input.value()).filter(|draft| !draft.is_empty());
            let place = storage().zip(key(&session.get_untracked(), name)).filter(|_| session.is_interrupted_untracked());
            if let (Some(draft), Some((storage, key))) = (draft, place) {
                // Where there is no room, nothing can be kept.
                let _ = storage.set_item(&key, &draft);
            }
        });
        on_cleanup(move || leaving.remove());
    });
}

/// Nobody finds what somebody else has typed.
fn key(state: &SessionState, name: &str) -> Option<String> {
    let signed_in = state.signed_in()?;
    Some(["oauth2flow draft ", name, " ", &signed_in.provider, " ", &signed_in.user.sub].concat())
}

/// Whoever has blocked storage has none.
fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}
