//! What is inside a message.

use leptos::prelude::*;

use super::{
    check_list::check_list,
    meaning,
    parameter_list::{Explained, parameter_list, reference},
    secrets::{self, Occurrence},
    timing,
    walk::Walk,
};
use crate::{
    erased::erased,
    flow::{Channel, Message, MessageName, ParameterValue, RecordedLogin},
    texts::{Text, count, fill, flow, t},
};

/// A message, with what the rest of the login says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageInLogin {
    /// The message.
    pub(crate) message: Message,
    /// For each of its parameters, where else the same secret is.
    pub(crate) elsewhere: Vec<Vec<Occurrence>>,
    /// Whether the ID token that it brought is shown further down.
    pub(crate) has_id_token: bool,
    /// Whether the metadata that it brought are.
    pub(crate) has_metadata: bool,
}

impl MessageInLogin {
    /// The message of that number.
    pub(crate) fn find(login: &RecordedLogin, number: u32) -> Option<Self> {
        let message = login.messages.iter().find(|message| message.number == number)?.clone();
        let here = Occurrence::Message(number);
        let elsewhere = message
            .parameters
            .iter()
            .map(|parameter| match &parameter.value {
                ParameterValue::Hidden { fingerprint, .. } => secrets::elsewhere(login, here, fingerprint),
                ParameterValue::Shown(_) | ParameterValue::Shortened { .. } => Vec::new(),
            })
            .collect();
        let has_id_token = message.name == MessageName::TokenResponse && login.id_token.is_some();
        let has_metadata = message.name == MessageName::MetadataResponse && login.metadata.is_some();
        Some(Self { message, elsewhere, has_id_token, has_metadata })
    }
}

/// What it is for, where it goes, what it says, and what was checked.
pub(crate) fn message_details(shown: MessageInLogin, walk: Walk) -> AnyView {
    let MessageInLogin { message, elsewhere, has_id_token, has_metadata } = shown;
    let name = message.name;
    let meaning = meaning::message(name);
    let parameters: Vec<_> =
        message.parameters.into_iter().zip(elsewhere).map(|(parameter, elsewhere)| Explained { parameter, elsewhere }).collect();
    let time = match message.duration_microseconds {
        Some(took) => {
            fill(flow::FLOW_AFTER_TOOK, &[("time", &timing::duration(message.at_microseconds)), ("took", &timing::duration(took))])
        }
        None => fill(flow::FLOW_AFTER, &[("time", &timing::duration(message.at_microseconds))]),
    };
    erased(view! {
        <div class="message-body">
            <p>{meaning.why} " " {reference(meaning.defined)}</p>
            <dl class="message-facts">
                {message
                    .address
                    .map(|address| fact(t(flow::FLOW_ADDRESS), [message.method.unwrap_or_default(), address].join(" ").trim().to_owned()))}
                {message.status.map(|status| fact(t(flow::FLOW_STATUS), status.to_string()))}
                {fact(t(flow::FLOW_CHANNEL), channel(message.channel).to_owned())} {fact(t(flow::FLOW_TIME), time)}
            </dl>
            {message
                .error
                .map(|error| {
                    view! {
                        <p class="notice notice-problem">
                            <strong>{t(flow::FLOW_NO_ANSWER)}</strong>
                            " "
                            <bdi lang="en">{error}</bdi>
                        </p>
                    }
                })}
            {(!parameters.is_empty())
                .then(|| {
                    view! {
                        <h4>{t(flow::FLOW_SAYS)}</h4>
                        {parameter_list(
                            parameters,
                            move |parameter| meaning::parameter(name, &parameter.name, parameter.place),
                            walk,
                        )}
                    }
                })}
            {dropped(message.dropped_parameters, flow::FLOW_PARAMETER_DROPPED_ONE, flow::FLOW_PARAMETER_DROPPED_OTHER)}
            {has_id_token
                .then(|| {
                    view! {
                        <p>
                            <a href="#id-token" rel="external">
                                {t(flow::FLOW_TOKEN)}
                            </a>
                        </p>
                    }
                })}
            {has_metadata
                .then(|| {
                    view! {
                        <p>
                            <a href="#metadata" rel="external">
                                {t(flow::FLOW_METADATA)}
                            </a>
                        </p>
                    }
                })}
            {(!message.checks.is_empty())
                .then(|| {
                    view! {
                        <h4>{t(flow::FLOW_CHECKED)}</h4>
                        {check_list(message.checks)}
                    }
                })}
        </div>
    })
}

fn fact(term: &'static str, description: String) -> AnyView {
    erased(view! {
        <div>
            <dt>{term}</dt>
            <dd>{description}</dd>
        </div>
    })
}

/// What either channel means for whoever wants to read along.
fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Front => t(flow::FLOW_FRONT),
        Channel::Back => t(flow::FLOW_BACK),
    }
}

/// That there was more.
pub(crate) fn dropped(number: u32, one: Text, other: Text) -> Option<AnyView> {
    (number > 0).then(|| erased(view! { <p class="fine-print">{count(number.into(), one, other)}</p> }))
}
