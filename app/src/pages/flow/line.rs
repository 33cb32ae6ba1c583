//! A message from outside: one line of a diagram, with its arrow.

use leptos::prelude::*;

use super::{layout::Arrow, sentences};
use crate::{erased::erased, flow::Channel};

/// What the line says. The style sheet makes an arrow of it where there is room.
pub(crate) fn line(number: u32, route: String, channel: Channel, arrow: Arrow, act: AnyView, call: Option<String>) -> AnyView {
    erased(view! {
        <span class="number">{number}</span>
        <span class="route">{route}</span>
        <span class="visually-hidden">{[", ", sentences::channel(channel), ": "].concat()}</span>
        <span class="track">
            <span class=arrow.classes(channel)>
                <span class="act">{act}</span>
                <span class="shaft" aria-hidden="true">
                    <svg class="head" viewBox="0 0 10 12" width="10" height="12" focusable="false">
                        <path d="M0 0 10 6 0 12Z" />
                    </svg>
                </span>
                {call.map(|call| view! { <span class="call">{call}</span> })}
            </span>
        </span>
    })
}
