//! A word before the session ends.

use leptos::{ev::FocusEvent, prelude::*};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use crate::{
    clock::unix_seconds,
    components::{countdown::Countdown, heading::focus_quietly, sign_out_notice::SignOutNotice},
    erased::erased,
    session::use_session,
    texts::{around, frame, t},
};

/// What the user has to know about the session, wherever they are. It says two minutes before that the session is about to end, as the
/// server has announced it, and offers to go on where that helps; and it says what becomes of a sign-out, above all when that has failed.
/// Until then it is an empty place.
#[component]
pub fn SessionExpiryNotice() -> impl IntoView {
    let session = use_session();
    let end = Memo::new(move |_| session.ends_at().filter(|_| !session.is_interrupted()));
    view! {
        {move || end.get().map(|end| erased(view! { <Notice end /> }))}
        <SignOutNotice />
    }
}

#[component]
fn Notice(end: String) -> impl IntoView {
    let session = use_session();
    session.clock().tick();
    // Using the session does not move its last end.
    let state = session.get_untracked();
    let can_go_on = state.signed_in().is_some_and(|signed_in| unix_seconds(&end) < unix_seconds(&signed_in.session.expires_at));
    let (before, after) = around(frame::EXPIRY_ENDS_IN);
    // The button goes with the notice, and whoever has pressed it is back where they were.
    let left = Rc::new(RefCell::new(None::<HtmlElement>));
    let leaves = {
        let left = Rc::clone(&left);
        move |event: FocusEvent| {
            // Whoever comes from another window was here before.
            if let Some(element) = event.related_target().and_then(|element| element.dyn_into().ok()) {
                left.replace(Some(element));
            }
        }
    };
    let stay = move |_| {
        session.refresh();
        if let Some(element) = &*left.borrow() {
            focus_quietly(element);
        }
    };
    view! {
        <div class="expiry notice" role="status">
            <p>{before} <Countdown until=Signal::stored(Some(end)) over=t(frame::EXPIRY_OVER) /> {after}</p>
            {can_go_on
                .then(|| {
                    view! {
                        <button type="button" class="button button-small" on:focus=leaves on:click=stay>
                            {t(frame::EXPIRY_STAY)}
                        </button>
                    }
                })}
        </div>
    }
}
