//! The way back into a session that has ended under the user's hands.

use leptos::{
    ev::{Event, MouseEvent},
    html,
    prelude::*,
};
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlDialogElement, HtmlElement};

use crate::{
    address::use_address,
    components::{avatar::display_name, heading::focus_heading, sign_in_window::open_sign_in},
    draft,
    on_demand::{Part, on_demand},
    query::login_address,
    routes::SIGNED_IN,
    session::use_session,
    texts::{around, pages, t},
};

/// A dialog over the page, which stays as it is: the user signs in again in a window of its own, and goes on. Where the browser
/// opens no window, the page is left; afterwards fields with [`keep_draft`](crate::draft::keep_draft) are filled again, and calls with
/// [`kept_as`](crate::session::CurrentSession::kept_as) are made.
#[component]
pub fn SignInAgain() -> impl IntoView {
    let session = use_session();
    let is_interrupted = Memo::new(move |_| session.is_interrupted());
    move || is_interrupted.get().then(|| dialog().show())
}

fn dialog() -> Part {
    on_demand!(pages::sign_in_again, [Pages], view! { <Dialog /> })
}

#[component]
fn Dialog() -> impl IntoView {
    let session = use_session();
    let here = use_address();
    let dialog = NodeRef::<html::Dialog>::new();
    // The user goes on where they were.
    let before = StoredValue::new_local(document().active_element());
    dialog.on_load(open_modal);
    on_cleanup(move || {
        let before = before.try_get_value().flatten().and_then(|element| element.dyn_into::<HtmlElement>().ok());
        request_animation_frame(move || {
            // What is gone cannot have the focus: then the page begins anew.
            match before.filter(|element| element.is_connected()) {
                Some(element) => {
                    let _ = element.focus();
                }
                None => focus_heading(),
            }
        });
    });
    // Whoever signed in where no other tab is told comes back to this one.
    let focused = window_event_listener(leptos::ev::focus, move |_| session.refresh());
    on_cleanup(move || focused.remove());

    let (provider, name) = session
        .get_untracked()
        .signed_in()
        .map_or_else(Default::default, |signed_in| (signed_in.provider.clone(), display_name(&signed_in.user).to_owned()));
    let in_window = login_address(&provider, SIGNED_IN);
    let open = move |event: MouseEvent| {
        if !open_sign_in(&event, &in_window) {
            draft::leave(session);
        }
    };
    let (before, after) = around(pages::SIGN_IN_AGAIN_WHY);
    view! {
        <dialog
            class="card sign-in-again"
            role="alertdialog"
            aria-labelledby="sign-in-again"
            aria-describedby="sign-in-again-why"
            node_ref=dialog
            on:cancel=|event: Event| event.prevent_default()
            // A browser heeds only the first of these; but what has been typed is not to be lost by a key.
            on:close=move |_| {
                if let Some(dialog) = dialog.get_untracked().filter(|_| session.is_interrupted_untracked()) {
                    open_modal(dialog);
                }
            }
        >
            <h2 id="sign-in-again">{t(pages::SIGN_IN_AGAIN_HEADING)}</h2>
            <p id="sign-in-again-why">
                {before} <strong>{name}</strong> {after}
            </p>
            <p class="actions">
                <a class="button" href=move || here.with(|here| login_address(&provider, here)) rel="external" on:click=open>
                    {t(pages::SIGN_IN_AGAIN_AGAIN)}
                </a>
                <button type="button" class="button button-quiet" on:click=move |_| session.give_up()>
                    {t(pages::SIGN_IN_AGAIN_NOT_NOW)}
                </button>
            </p>
        </dialog>
    }
}

#[expect(clippy::needless_pass_by_value, reason = "whoever waits for an element is given it")]
fn open_modal(dialog: HtmlDialogElement) {
    // It fails only where it is open already.
    let _ = dialog.show_modal();
}
