//! How long something lasts.

use leptos::prelude::*;

use crate::{
    clock::{Clock, remaining, unix_seconds},
    texts::{pages, t},
};

/// The time left until a moment, second by second. It is not read aloud on every change.
#[component]
pub fn Countdown(
    /// The moment, RFC 3339 in UTC; `None` where nobody has told it.
    #[prop(into)]
    until: Signal<Option<String>>,
    /// What to say once it is over.
    over: &'static str,
) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let text = move || {
        let end = until.get();
        match end.as_deref().and_then(unix_seconds).map(|end| end - clock.now()) {
            Some(left) if left > 0 => remaining(left),
            Some(_) => over.to_owned(),
            None => t(pages::TIME_UNKNOWN).to_owned(),
        }
    };
    view! {
        <time datetime=move || until.get() aria-live="off">
            {text}
        </time>
    }
}
