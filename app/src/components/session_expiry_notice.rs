//! A word before the session ends.

use leptos::prelude::*;
use std::time::Duration;

use crate::{clock::unix_seconds, components::countdown::Countdown, erased::erased, session::use_session};

/// The longest that a browser waits for: 2³¹ − 1 milliseconds.
const LONGEST_WAIT: Duration = Duration::from_millis(2_147_483_647);

/// Says in time that the session is about to end, and offers to go on where that helps. Until then it costs one timer.
#[component]
pub fn SessionExpiryNotice(
    /// How many seconds before the end to say so.
    #[prop(default = 120)]
    seconds_before: u32,
) -> impl IntoView {
    let session = use_session();
    let lifetime = Memo::new(move |_| session.get().signed_in().map(|signed_in| signed_in.session.clone()));
    let is_due = RwSignal::new(false);
    Effect::new(move || {
        is_due.set(false);
        let end = lifetime.with(|lifetime| {
            let lifetime = lifetime.as_ref()?;
            [&lifetime.idle_expires_at, &lifetime.expires_at].into_iter().filter_map(|end| unix_seconds(end)).min()
        });
        let Some(end) = end else { return };
        let seconds = u64::try_from(end - i64::from(seconds_before) - session.clock().read()).unwrap_or_default();
        let wait = Duration::from_secs(seconds).min(LONGEST_WAIT);
        if let Ok(timer) = set_timeout_with_handle(move || is_due.set(true), wait) {
            on_cleanup(move || timer.clear());
        }
    });
    move || {
        let lifetime = lifetime.get().filter(|_| is_due.get() && !session.is_interrupted())?;
        // Using the session does not move its last end.
        let can_go_on = unix_seconds(&lifetime.idle_expires_at) < unix_seconds(&lifetime.expires_at);
        let end = if can_go_on { lifetime.idle_expires_at } else { lifetime.expires_at };
        Some(erased(view! {
            <div class="expiry notice" role="status">
                <p>
                    "Your session ends in " <Countdown until=Signal::stored(Some(end)) over="a moment" /> "."
                </p>
                {can_go_on
                    .then(|| {
                        view! {
                            <button type="button" class="button button-small" on:click=move |_| session.refresh()>
                                "Stay signed in"
                            </button>
                        }
                    })}
            </div>
        }))
    }
}
