//! A word before the session ends.

use leptos::prelude::*;

use crate::{
    clock::unix_seconds,
    components::{countdown::Countdown, sign_out_notice::SignOutNotice},
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
    view! {
        <div class="expiry notice" role="status">
            <p>{before} <Countdown until=Signal::stored(Some(end)) over=t(frame::EXPIRY_OVER) /> {after}</p>
            {can_go_on
                .then(|| {
                    view! {
                        <button type="button" class="button button-small" on:click=move |_| session.refresh()>
                            {t(frame::EXPIRY_STAY)}
                        </button>
                    }
                })}
        </div>
    }
}
