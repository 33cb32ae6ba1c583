//! How long something lasts.

use leptos::prelude::*;

use crate::clock::{Clock, remaining, unix_seconds};

/// The time left until a moment, second by second. It is not read aloud on every change.
#[component]
pub fn Countdown(
    /// The moment, RFC 3339 in UTC.
    #[prop(into)]
    until: Signal<String>,
    /// What to say once it is over.
    over: &'static str,
) -> impl IntoView {
    let clock = expect_context::<Clock>();
    let text = Memo::new(move |_| {
        let left = until.with(|until| unix_seconds(until)).map(|end| end - clock.now());
        match left {
            Some(left) if left > 0 => remaining(left),
            Some(_) => over.to_owned(),
            None => "unknown".to_owned(),
        }
    });
    view! {
        <time datetime=move || until.get() aria-live="off">
            {move || text.get()}
        </time>
    }
}
