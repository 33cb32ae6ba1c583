//! What happened in an experiment: who said what to whom, as a diagram and in words.

use leptos::{ev::KeyboardEvent, prelude::*};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDetailsElement, HtmlElement};

use super::sentences::{self, act, corresponding, party, why};
use crate::{
    erased::erased,
    flow::{Channel, CheckOutcome, Parameter, ParameterValue, Place},
    lab::{LabMessage, LabParty, LabRun},
    pages::flow::{Arrow, Direction, Move, ParameterMeaning, check_list, meaning, parameter_row, place, value as value_in_words},
};

/// The parties from left to right; the attacker's server only where it takes part.
fn lanes(run: &LabRun) -> Vec<LabParty> {
    let mut lanes = vec![LabParty::Attacker, LabParty::Victim, LabParty::App, LabParty::Provider];
    if run.messages.iter().any(|message| [message.from, message.to].contains(&LabParty::AttackerServer)) {
        lanes.push(LabParty::AttackerServer);
    }
    lanes
}

/// The arrow of a message.
fn arrow(lanes: &[LabParty], message: &LabMessage) -> Arrow {
    let place = |wanted| lanes.iter().position(|&party| party == wanted).unwrap_or_default();
    let (from, to) = (place(message.from), place(message.to));
    let direction = if from < to { Direction::Onward } else { Direction::Back };
    Arrow { left: from.min(to), right: from.max(to), direction }
}

/// The id of a message in the page.
fn id_of(key: &str, number: u32) -> String {
    [key, "-", &number.to_string()].concat()
}

/// All that was said, the message that decided open.
pub(super) fn report(run: LabRun, key: &'static str) -> AnyView {
    let lanes = lanes(&run);
    let run = Arc::new(run);
    let decided_at = run.outcome.decided_at;
    let heads: Vec<_> = lanes.iter().map(|&one| view! { <span>{party(one)}</span> }).collect();
    let items: Vec<_> = run.messages.iter().map(|message| item(&run, message, arrow(&lanes, message), key)).collect();
    let words: Vec<_> = run.messages.iter().map(|message| view! { <li><bdi>{sentences::message(message)}</bdi></li> }).collect();
    let decisive = ["message ", &decided_at.to_string()].concat();
    let last = run.messages.len();
    let step = move |event: KeyboardEvent| step(&event, key, last);
    erased(view! {
        <div class="report">
            <h3>"What happened"</h3>
            <p>"It was decided at " {link(key, decided_at, decisive)} ", which is open below."</p>
            <div class=["diagram lanes-", &lanes.len().to_string()].concat()>
                <div class="lane-heads" aria-hidden="true">
                    {heads}
                </div>
                <ol class="messages" on:keydown=step>
                    {items}
                </ol>
            </div>
            <details class="more">
                <summary>"The same in words"</summary>
                <ol class="sentences">{words}</ol>
            </details>
        </div>
    })
}

/// One message: a line of the diagram, which opens to what is inside.
fn item(run: &LabRun, message: &LabMessage, arrow: Arrow, key: &'static str) -> AnyView {
    let is_decisive = message.number == run.outcome.decided_at;
    let has_failed = message.checks.iter().any(|check| matches!(check.outcome, CheckOutcome::Failed { .. }));
    let mark = match (is_decisive, run.outcome.attack_succeeded) {
        (true, true) => Some(("decided", "the attack got past here")),
        (true, false) => Some(("failure", "the attack was stopped here")),
        (false, _) => has_failed.then_some(("failure", "failed here")),
    };
    let call: Vec<_> =
        [message.method.clone(), message.address.clone(), message.status.map(|status| status.to_string())].into_iter().flatten().collect();
    let route = [party(message.from), " → ", party(message.to)].concat();
    let channel = if message.channel == Channel::Front { ", front channel: " } else { ", back channel: " };
    erased(view! {
        <li class=if is_decisive { "message decisive" } else { "message" }>
            <details id=id_of(key, message.number) open=is_decisive>
                <summary class="line">
                    <span class="number">{message.number}</span>
                    <span class="route">{route}</span>
                    <span class="visually-hidden">{channel}</span>
                    <span class="track">
                        <span class=arrow.classes(message.channel)>
                            <span class="act">
                                {act(message.name)} {mark.map(|(class, words)| view! { " " <strong class=class>{words}</strong> })}
                            </span>
                            <span class="shaft" aria-hidden="true">
                                <svg class="head" viewBox="0 0 10 12" width="10" height="12" focusable="false">
                                    <path d="M0 0 10 6 0 12Z" />
                                </svg>
                            </span>
                            {(!call.is_empty()).then(|| view! { <span class="call">{call.join(" ")}</span> })}
                        </span>
                    </span>
                </summary>
                {body(run, message, key)}
            </details>
        </li>
    })
}

/// What is inside a message.
fn body(run: &LabRun, message: &LabMessage, key: &'static str) -> AnyView {
    let parameters: Vec<_> = message.parameters.iter().map(|parameter| row(run, message, parameter, key)).collect();
    erased(view! {
        <div class="message-body">
            <p>{why(message.name)}</p>
            {(!parameters.is_empty())
                .then(|| {
                    view! {
                        <h4>"What it says"</h4>
                        <dl class="parameters">{parameters}</dl>
                    }
                })}
            {(!message.checks.is_empty())
                .then(|| {
                    view! {
                        <h4>"What was checked"</h4>
                        {check_list(message.checks.clone())}
                    }
                })}
        </div>
    })
}

fn row(run: &LabRun, message: &LabMessage, parameter: &Parameter, key: &'static str) -> AnyView {
    let Parameter { name, place: stands, value } = parameter;
    let meaning = match (*stands, name.as_str()) {
        (Place::Cookie, "login") => {
            Some(ParameterMeaning { why: "By this the app finds the sign-in that this browser has begun.", defined: None })
        }
        _ => meaning::parameter(corresponding(message.name), name, *stands),
    };
    let shown = match value {
        ParameterValue::Hidden { fingerprint, .. } => {
            let same: Vec<_> = run
                .messages
                .iter()
                .filter(|other| other.number != message.number && holds(other, fingerprint))
                .map(|other| link(key, other.number, other.number.to_string()))
                .collect();
            let count = same.len();
            let same: Vec<_> = same.into_iter().enumerate().map(|(at, link)| view! { {if at > 0 { ", " } else { "" }} {link} }).collect();
            erased(view! {
                <span class="secret">{value_in_words(value)}</span>
                {(count > 0).then(|| view! { <span>" – the same as in message " {same}</span> })}
            })
        }
        shown => erased(view! {
            <code>
                <bdi>{value_in_words(shown)}</bdi>
            </code>
        }),
    };
    let place = (*stands != Place::Claim).then(|| place(*stands));
    parameter_row(name.clone(), place, shown, meaning)
}

fn holds(message: &LabMessage, wanted: &str) -> bool {
    let is_wanted = |parameter: &Parameter| matches!(&parameter.value, ParameterValue::Hidden { fingerprint, .. } if fingerprint == wanted);
    message.parameters.iter().any(is_wanted)
}

/// A link to a message, which opens it.
fn link(key: &'static str, number: u32, text: String) -> AnyView {
    erased(view! {
        <a
            href=["#", &id_of(key, number)].concat()
            rel="external"
            on:click=move |event| {
                if event.ctrl_key() || event.meta_key() || event.shift_key() {
                    return;
                }
                // Followed here and now: a browser that follows it later takes the focus away again.
                event.prevent_default();
                // An address that cannot be changed is no reason not to go there.
                let _ = location().set_hash(&id_of(key, number));
                open(key, number);
            }
        >
            {text}
        </a>
    })
}

/// Opens a message and gives it the focus. Only for the browser.
fn open(key: &str, number: u32) {
    let details = document().get_element_by_id(&id_of(key, number)).and_then(|found| found.dyn_into::<HtmlDetailsElement>().ok());
    if let Some(details) = details {
        details.set_open(true);
        if let Some(summary) = details.query_selector("summary").ok().flatten().and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
            // What cannot take the focus is still there to be read.
            let _ = summary.focus();
        }
    }
}

/// Goes to another message by a key. Only for the browser.
fn step(event: &KeyboardEvent, key: &str, last: usize) {
    let on_message = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .filter(|target| target.matches("summary.line").unwrap_or(false))
        .and_then(|target| target.closest("details").ok().flatten());
    let is_plain = !(event.alt_key() || event.ctrl_key() || event.meta_key() || event.shift_key());
    let (Some(details), Some(movement)) = (on_message, Move::of_key(&event.key()).filter(|_| is_plain)) else { return };
    event.prevent_default();
    let numbers: Vec<u32> = (1..).take(last).collect();
    let current = numbers.iter().copied().find(|&number| details.id() == id_of(key, number));
    if let Some(target) = movement.target(&numbers, current) {
        if let Ok(left) = details.dyn_into::<HtmlDetailsElement>() {
            left.set_open(false);
        }
        open(key, target);
    }
}

#[cfg(test)]
mod tests {
    use super::{arrow, holds, lanes};
    use crate::{
        flow::{Channel, Parameter, ParameterValue, Place},
        lab::{Attack, Defence, Experiment, LabMessage, LabMessageName, LabOutcome, LabParty, LabRun},
        pages::flow::Direction,
    };

    fn message(from: LabParty, to: LabParty) -> LabMessage {
        let code = ParameterValue::Hidden { length: 43, fingerprint: "a1b2c3d4".to_owned() };
        LabMessage {
            number: 1,
            name: LabMessageName::Callback,
            from,
            to,
            channel: Channel::Front,
            method: None,
            address: None,
            status: None,
            parameters: vec![Parameter { name: "code".to_owned(), place: Place::Query, value: code }],
            checks: Vec::new(),
        }
    }

    fn run(messages: Vec<LabMessage>) -> LabRun {
        let outcome = LabOutcome {
            attack_succeeded: true,
            decided_at: 1,
            stopped_by: None,
            victim_signed_in_as: None,
            attacker_signed_in_as: None,
            victim_ended_at: None,
        };
        LabRun { experiment: Experiment { attack: Attack::MixUp, defence: Defence::Off }, outcome, messages }
    }

    #[test]
    fn the_attackers_server_has_a_lane_where_it_takes_part() {
        assert_eq!(lanes(&run(vec![message(LabParty::Victim, LabParty::App)])).len(), 4);
        let with = lanes(&run(vec![message(LabParty::App, LabParty::AttackerServer)]));
        assert_eq!(with.last(), Some(&LabParty::AttackerServer));
    }

    #[test]
    fn an_arrow_points_from_the_sender_to_the_receiver() {
        let all = lanes(&run(Vec::new()));
        let there = arrow(&all, &message(LabParty::Attacker, LabParty::App));
        assert_eq!((there.left, there.right, there.direction), (0, 2, Direction::Onward));
        let back = arrow(&all, &message(LabParty::Provider, LabParty::Victim));
        assert_eq!((back.left, back.right, back.direction), (1, 3, Direction::Back));
    }

    #[test]
    fn the_same_secret_is_found_by_its_fingerprint() {
        let message = message(LabParty::Victim, LabParty::App);
        assert!(holds(&message, "a1b2c3d4") && !holds(&message, "ffffffff"));
    }
}
