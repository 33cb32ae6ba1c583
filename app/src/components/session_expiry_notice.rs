//! A word before the session ends.

use leptos::{ev::FocusEvent, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use crate::{
    clock::unix_seconds,
    components::{countdown::Countdown, heading::focus_quietly, sign_out_notice::SignOutNotice},
    on_demand::{Part, on_demand},
    session::use_session,
    texts::{around, pages, t},
};

/// What the user has to know about the session, wherever they are. It says two minutes before that the session is about to end, as the
/// server has announced it, and offers to go on where that helps; and it says what becomes of a sign-out, above all when that has failed.
/// Until then it is an empty place.
#[component]
pub fn SessionExpiryNotice() -> impl IntoView {
    let session = use_session();
    let ends_soon = Memo::new(move |_| session.ends_at().is_some() && !session.is_interrupted());
    view! {
        {move || ends_soon.get().then(|| notice().show_beside())}
        <SignOutNotice />
    }
}

fn notice() -> Part {
    on_demand!(pages::session_expiry_notice, [Pages], view! { <Notice /> })
}

#[component]
fn Notice() -> impl IntoView {
    let session = use_session();
    session.clock().tick();
    let end = Signal::derive(move || session.ends_at());
    // Using the session does not move its last end.
    let can_go_on = Memo::new(move |_| {
        let state = session.get();
        let last_end = state.signed_in().and_then(|signed_in| unix_seconds(&signed_in.session.expires_at));
        end.get().is_some_and(|end| unix_seconds(&end) < last_end)
    });
    let (before, after) = around(pages::EXPIRY_ENDS_IN);
    // The button goes with the notice, and whoever has pressed it is back where they were.
    let left = StoredValue::new_local(None::<HtmlElement>);
    let leaves = move |event: FocusEvent| {
        // Whoever comes from another window was here before.
        if let Some(element) = event.related_target().and_then(|element| element.dyn_into().ok()) {
            left.set_value(Some(element));
        }
    };
    let stay = move |_| {
        session.refresh();
        if let Some(element) = left.get_value() {
            focus_quietly(&element);
        }
    };
    view! {
        <div class="expiry notice" role="status">
            <p>{before} <Countdown until=end over=t(pages::EXPIRY_OVER) /> {after}</p>
            {move || {
                can_go_on
                    .get()
                    .then(|| {
                        view! {
                            <button type="button" class="button button-small" on:focus=leaves on:click=stay>
                                {t(pages::EXPIRY_STAY)}
                            </button>
                        }
                    })
            }}
        </div>
    }
}
