//! What the user has typed, kept while they have to leave the page to sign in again, and until it is certain that they have left.

use leptos::{
    ev::{Custom, Event},
    html,
    prelude::*,
};
use std::cell::RefCell;
use web_sys::Storage;

use crate::session::{LEAVING, SessionState, use_session};

/// What the names in the store begin with.
const PREFIX: &str = "oauth2flow draft ";

thread_local! {
    /// What was in the fields when a sign-out was asked for: it is needed if that fails. Never stored, because by then it mostly has not.
    static SET_ASIDE: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what is in this field when the page has to be left to sign in again, and puts it back afterwards; so it does when a sign-out has
/// failed. `name` tells it from the app's other fields; it is kept in this tab only, and only until it is back.
pub fn keep_draft(field: NodeRef<html::Input>, name: &'static str) {
    let session = use_session();
    let typed = move || field.try_get_untracked().flatten().map(|input| input.value()).filter(|draft| !draft.is_empty());
    // As soon as there is a field, and a user whose draft it could be. The one of before is not meant, which may have gone with the user.
    Effect::new(move || {
        let (Some(key), Some(input)) = (key(&session.get(), name), field.get()) else { return };
        // Until the user is back, it is needed where it is.
        if !session.is_interrupted_untracked()
            && input.is_connected()
            && let Some(draft) = take(&key)
        {
            input.set_value(&draft);
        }
    });
    // At the interruption already: what is stored while the page is being left, Firefox loses if the next one is another site's.
    let is_interrupted = Memo::new(move |_| session.is_interrupted());
    Effect::new(move |kept: Option<Option<String>>| {
        if let Some((storage, key)) = storage().zip(kept.flatten()) {
            // A store that can be read can be emptied.
            let _ = storage.remove_item(&key);
        }
        let key = is_interrupted.get().then(|| key(&session.get_untracked(), name))??;
        // Where there is no room, nothing can be kept.
        storage()?.set_item(&key, &typed()?).ok()?;
        Some(key)
    });
    Effect::new(move || {
        let leaving = window_event_listener(Custom::<Event>::new(LEAVING), move |_| {
            if let Some(draft) = key(&session.get_untracked(), name).zip(typed()) {
                SET_ASIDE.with_borrow_mut(|drafts| {
                    drafts.retain(|(known, _)| *known != draft.0);
                    drafts.push(draft);
                });
            }
        });
        on_cleanup(move || leaving.remove());
    });
}

/// The draft, which is kept no longer.
fn take(key: &str) -> Option<String> {
    let set_aside = SET_ASIDE.with_borrow_mut(|drafts| {
        let place = drafts.iter().position(|(known, _)| known == key)?;
        Some(drafts.swap_remove(place).1)
    });
    set_aside.or_else(|| {
        let storage = storage()?;
        let draft = storage.get_item(key).ok()??;
        let _ = storage.remove_item(key);
        Some(draft)
    })
}

/// Forgets what somebody has typed who has left, also in fields that are gone already.
pub(crate) fn forget() {
    SET_ASIDE.take();
    let Some(storage) = storage() else { return };
    let names = (0..storage.length().unwrap_or(0)).filter_map(|place| storage.key(place).ok().flatten());
    for name in names.filter(|name| name.starts_with(PREFIX)).collect::<Vec<_>>() {
        let _ = storage.remove_item(&name);
    }
}

/// Nobody finds what somebody else has typed.
fn key(state: &SessionState, name: &str) -> Option<String> {
    let signed_in = state.signed_in()?;
    Some([PREFIX, name, " ", &signed_in.provider, " ", &signed_in.user.sub].concat())
}

/// Whoever has blocked storage has none.
fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}
