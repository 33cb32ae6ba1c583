//! The sequence diagram: who says what to whom, one message below the other.
//!
//! It is a list, in which each message opens to what is inside it. Where there is room, a style sheet sets it as a diagram.

use leptos::{
    ev::{Event, KeyboardEvent},
    prelude::*,
};
use wasm_bindgen::JsCast;
use web_sys::HtmlDetailsElement;

use super::{
    Current,
    layout::{Arrow, Lanes, Verdicts, party},
    line::line,
    meaning,
    message_details::{MessageInLogin, message_details},
    sentences, timing,
    walk::{self, Walk, id_of},
};
use crate::{
    erased::erased,
    flow::{Channel, LoginOutcome, Party, RecordedLogin},
    texts::{around, flow, t},
};

/// What a message looks like from outside.
#[derive(Clone, PartialEq)]
struct Line {
    /// The name of its step, if it is the first of it.
    step: Option<&'static str>,
    arrow: Arrow,
    route: (Party, Party),
    channel: Channel,
    act: &'static str,
    call: Option<String>,
    verdicts: Option<String>,
    time: String,
    is_failure: bool,
}

impl Line {
    fn find(login: &RecordedLogin, number: u32) -> Option<Self> {
        let place = login.messages.iter().position(|message| message.number == number)?;
        let message = &login.messages[place];
        let is_first = place == 0 || login.messages[place - 1].step != message.step;
        Some(Self {
            step: is_first.then(|| step(message.step)),
            arrow: Lanes::of(login).arrow(message),
            route: (message.from, message.to),
            channel: message.channel,
            act: meaning::message(message.name).act,
            call: sentences::short_call(message),
            verdicts: Verdicts::of([message]).in_words(),
            time: timing::duration(message.at_microseconds),
            is_failure: matches!(&login.outcome, LoginOutcome::Failed(failure) if failure.message == number),
        })
    }
}

/// What the steps of the flow are called.
pub(crate) fn step(number: u8) -> &'static str {
    match number {
        1 => t(flow::STEP_ONE),
        2 => t(flow::STEP_TWO),
        3 => t(flow::STEP_THREE),
        4 => t(flow::STEP_FOUR),
        5 => t(flow::STEP_FIVE),
        6 => t(flow::STEP_SIX),
        _ => t(flow::STEP_SEVEN),
    }
}

/// The messages of the login, as they come.
pub(crate) fn diagram(login: Current, walk: Walk) -> AnyView {
    let lanes = Memo::new(move |_| login.with(|login| Lanes::of(login)));
    let provider = Memo::new(move |_| login.with(|login| login.provider_name.clone()));
    let count = move || lanes.with(|lanes| lanes.parties().len());
    let numbers = move || login.with(|login| login.messages.iter().map(|message| message.number).collect::<Vec<_>>());
    let has_begun = StoredValue::new(false);
    Effect::new(move || has_begun.set_value(true));
    let step = move |event: KeyboardEvent| {
        if let Some((movement, _)) = walk::asked_for(&event) {
            event.prevent_default();
            if let Some(number) = walk.go(movement) {
                walk::focus(number);
            }
        }
    };
    erased(view! {
        <div class=move || ["diagram lanes-", &count().to_string()].concat()>
            <div class="lane-heads" aria-hidden="true">
                {move || {
                    let heads = lanes.with(|lanes| lanes.parties().to_vec());
                    heads
                        .into_iter()
                        .map(|one| {
                            view! {
                                <span>
                                    {party(one)}
                                    {(one == Party::Provider)
                                        .then(|| view! { <small>{move || provider.get()}</small> })}
                                </span>
                            }
                        })
                        .collect_view()
                }}
                <small class="since">{t(flow::FLOW_SINCE_START)}</small>
            </div>
            <ol class="messages" on:keydown=step>
                <For
                    each=numbers
                    key=|number| *number
                    children=move |number| {
                        let is_new = has_begun.get_value();
                        view! { <MessageItem number login walk is_new /> }
                    }
                />
            </ol>
        </div>
    })
}

#[component]
fn MessageItem(number: u32, login: Current, walk: Walk, is_new: bool) -> impl IntoView {
    let line = Memo::new(move |_| login.with(|login| Line::find(login, number)));
    let inside = Memo::new(move |_| login.with(|login| MessageInLogin::find(login, number)));
    let toggled = move |event: Event| {
        if let Some(details) = event.target().and_then(|target| target.dyn_into::<HtmlDetailsElement>().ok()) {
            walk.set_open(number, details.open());
        }
    };
    erased(view! {
        <li class=if is_new { "message new" } else { "message" }>
            {move || line.with(|line| line.as_ref().and_then(|line| line.step)).map(|step| view! { <h3 class="step">{step}</h3> })}
            <details
                id=id_of(number)
                class=move || line.with(|line| line.as_ref().is_some_and(|line| line.is_failure).then_some("failed-here"))
                open=move || walk.is_open(number) on:toggle=toggled>
                <summary class="line" on:focus=move |_| walk.look_at(number)>
                    {move || line.get().map(|line| line_view(number, line))}
                </summary>
                {move || inside.get().map(|inside| message_details(inside, walk))}
            </details>
        </li>
    })
}

fn line_view(number: u32, shown: Line) -> AnyView {
    let hidden = |words: &'static str| (!words.is_empty()).then(|| view! { <span class="visually-hidden">{words}</span> });
    let (before, after) = around(flow::FLOW_AFTER);
    let (before, after) = (hidden(before), hidden(after));
    let Line { step: _, arrow, route: (from, to), channel, act, call, verdicts, time, is_failure } = shown;
    let route = if from == to { party(from).to_owned() } else { [party(from), " → ", party(to)].concat() };
    let act = erased(view! {
        {act}
        {is_failure.then(|| view! { " " <strong class="failure">{t(flow::FLOW_FAILED_HERE)}</strong> })}
    });
    erased(view! {
        {line(number, route, channel, arrow, act, call)}
        <span class="aside">
            <span class="time">
                {before}
                <span class="plus" aria-hidden="true">
                    "+"
                </span>
                {time}
                {after}
            </span>
            {verdicts
                .map(|verdicts| {
                    view! {
                        <span class="verdicts">
                            <span class="visually-hidden">", "</span>
                            {verdicts}
                        </span>
                    }
                })}
        </span>
    })
}
