//! What happened in an experiment: who said what to whom, as a diagram and in words.

use leptos::{ev::KeyboardEvent, prelude::*};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDetailsElement, HtmlElement};

use super::sentences::{act, call, corresponding, message_view, party, why};
use crate::{
    erased::erased,
    flow::{CheckOutcome, Parameter, ParameterValue, Place},
    lab::{LabMessage, LabParty, LabRun},
    pages::flow::{Arrow, ParameterMeaning, asked_for, check_list, explained, holds, line, meaning, message_number},
    texts::{flow, lab, pieces, t},
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
    Arrow::between(place(message.from), place(message.to))
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
    let words: Vec<_> = run.messages.iter().map(|message| view! { <li>{message_view(message)}</li> }).collect();
    let last = run.messages.len();
    let step = move |event: KeyboardEvent| step(&event, key, last);
    erased(view! {
        <div class="report">
            <h3>{t(lab::REPORT_HEADING)}</h3>
            <p>{pieces(lab::REPORT_DECIDED_AT, |_| link(key, decided_at))}</p>
            <div class=["diagram lanes-", &lanes.len().to_string()].concat()>
                <div class="lane-heads" aria-hidden="true">
                    {heads}
                </div>
                <ol class="messages" on:keydown=step>
                    {items}
                </ol>
            </div>
            <details class="more">
                <summary>{t(flow::FLOW_IN_WORDS)}</summary>
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
        (true, true) => Some(("decided", lab::REPORT_GOT_PAST)),
        (true, false) => Some(("failure", lab::REPORT_STOPPED)),
        (false, _) => has_failed.then_some(("failure", flow::FLOW_FAILED_HERE)),
    };
    let route = [party(message.from), " → ", party(message.to)].concat();
    let act = erased(view! {
        {act(message.name)}
        {mark.map(|(class, words)| view! { " " <strong class=class>{t(words)}</strong> })}
    });
    erased(view! {
        <li class=if is_decisive { "message decisive" } else { "message" }>
            <details id=id_of(key, message.number) open=is_decisive>
                <summary class="line">{line(message.number, route, message.channel, arrow, act, call(message))}</summary>
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
                        <h4>{t(flow::FLOW_SAYS)}</h4>
                        <dl class="parameters">{parameters}</dl>
                    }
                })}
            {(!message.checks.is_empty())
                .then(|| {
                    view! {
                        <h4>{t(flow::FLOW_CHECKED)}</h4>
                        {check_list(message.checks.clone())}
                    }
                })}
        </div>
    })
}

fn row(run: &LabRun, message: &LabMessage, parameter: &Parameter, key: &'static str) -> AnyView {
    let meaning = match (parameter.place, parameter.name.as_str()) {
        (Place::Cookie, "login") => Some(ParameterMeaning { why: t(lab::REPORT_LOGIN_COOKIE), defined: None }),
        (place, name) => meaning::parameter(corresponding(message.name), name, place),
    };
    let elsewhere = match &parameter.value {
        ParameterValue::Hidden { fingerprint, .. } => {
            let others = run.messages.iter().filter(|other| other.number != message.number && holds(&other.parameters, fingerprint));
            others.map(|other| link(key, other.number)).collect()
        }
        ParameterValue::Shown(_) | ParameterValue::Shortened { .. } => Vec::new(),
    };
    explained(parameter.clone(), elsewhere, meaning)
}

/// A link to a message, which opens it.
fn link(key: &'static str, number: u32) -> AnyView {
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
            {message_number(number)}
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
    let Some((movement, details)) = asked_for(event) else { return };
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
    use super::{arrow, lanes};
    use crate::{
        flow::Channel,
        lab::{Attack, Defence, Experiment, LabMessage, LabMessageName, LabOutcome, LabParty, LabRun},
        pages::flow::Direction,
    };

    fn message(from: LabParty, to: LabParty) -> LabMessage {
        LabMessage {
            number: 1,
            name: LabMessageName::Callback,
            from,
            to,
            channel: Channel::Front,
            method: None,
            address: None,
            status: None,
            parameters: Vec::new(),
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
}
