//! Parameters with their values and what they are for.

use leptos::prelude::*;

use super::{
    meaning::{ParameterMeaning, Reference},
    secrets::Occurrence,
    timing,
    walk::{self, Walk, id_of},
};
use crate::{
    erased::erased,
    flow::{Parameter, ParameterValue, Place},
    texts::{around, fill, flow, pieces, t},
};

/// One parameter, with everything there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explained {
    /// The parameter.
    pub(crate) parameter: Parameter,
    /// Where else the same secret is.
    pub(crate) elsewhere: Vec<Occurrence>,
}

/// The claims that are a time, in seconds since 1970.
const TIMES: [&str; 5] = ["exp", "iat", "nbf", "auth_time", "updated_at"];

/// The parameters, each with its value and, where that is known, a line about it.
pub(crate) fn parameter_list(parameters: Vec<Explained>, meaning: impl Fn(&Parameter) -> Option<ParameterMeaning>, walk: Walk) -> AnyView {
    let rows: Vec<_> = parameters
        .into_iter()
        .map(|Explained { parameter, elsewhere }| {
            let meaning = meaning(&parameter);
            explained(parameter, links(&elsewhere, walk), meaning)
        })
        .collect();
    erased(view! { <dl class="parameters">{rows}</dl> })
}

/// A parameter, with links to wherever else the same secret is.
pub(crate) fn explained(parameter: Parameter, elsewhere: Vec<AnyView>, meaning: Option<ParameterMeaning>) -> AnyView {
    let readable = Some(&parameter).filter(|_| parameter.place == Place::Claim).and_then(moment_in);
    let place = (parameter.place != Place::Claim).then(|| place(parameter.place));
    row(parameter.name, place, value(parameter.value, readable, elsewhere), meaning)
}

/// A name, what it says, and a line about it.
pub(crate) fn row(name: String, place: Option<&'static str>, value: AnyView, meaning: Option<ParameterMeaning>) -> AnyView {
    erased(view! {
        <div>
            <dt>
                <code>{name}</code>
                {place.map(|place| view! { " " <span class="place">{place}</span> })}
            </dt>
            <dd>
                <p class="value">{value}</p>
                {meaning
                    .map(|meaning| {
                        view! {
                            <p class="fine-print">
                                {meaning.why} {meaning.defined.map(|defined| view! { " " {reference(defined)} })}
                            </p>
                        }
                    })}
            </dd>
        </div>
    })
}

/// A link to a section; nothing is fetched unless somebody follows it.
pub(crate) fn reference(reference: Reference) -> AnyView {
    erased(view! {
        <a class="reference" href=reference.address() rel="external noreferrer">
            {reference.name()}
        </a>
    })
}

fn value(value: ParameterValue, readable: Option<String>, elsewhere: Vec<AnyView>) -> AnyView {
    let (before, after) = around(flow::FLOW_SAME_AS);
    match value {
        ParameterValue::Shown(text) if text.is_empty() => erased(view! { <span class="nothing">{t(flow::FLOW_EMPTY)}</span> }),
        ParameterValue::Shown(text) => erased(view! {
            <code>
                <bdi>{text}</bdi>
            </code>
            {readable.map(|readable| view! { " " <span>{readable}</span> })}
        }),
        ParameterValue::Shortened { start, length } => erased(view! {
            <code>
                <bdi>{start}</bdi>
                "…"
            </code>
            <span>{[" ", &fill(flow::FLOW_CHARACTERS, &[("number", &length.to_string())])].concat()}</span>
        }),
        ParameterValue::Hidden { length, fingerprint } => erased(view! {
            <span class="secret">
                {pieces(flow::FLOW_HIDDEN, |name| match name {
                    "number" => erased(length.to_string()),
                    _ => erased(view! { <code>{fingerprint.clone()}</code> }),
                })}
            </span>
            {(!elsewhere.is_empty()).then(|| view! { <span>" " {before} {in_a_row(elsewhere)} {after}</span> })}
        }),
    }
}

/// One after the other, with commas.
fn in_a_row(links: Vec<AnyView>) -> Vec<AnyView> {
    let mut views = Vec::new();
    for link in links {
        if !views.is_empty() {
            views.push(erased(", "));
        }
        views.push(link);
    }
    views
}

fn links(elsewhere: &[Occurrence], walk: Walk) -> Vec<AnyView> {
    let link = |&occurrence: &Occurrence| match occurrence {
        Occurrence::Message(number) => message_link(number, message_number(number), walk),
        Occurrence::IdToken => erased(view! {
            <a href="#id-token" rel="external">
                {t(flow::FLOW_ELSEWHERE_TOKEN)}
            </a>
        }),
    };
    elsewhere.iter().map(link).collect()
}

/// What a link to a message says.
pub(crate) fn message_number(number: u32) -> String {
    fill(flow::FLOW_MESSAGE_NUMBER, &[("number", &number.to_string())])
}

/// A link to a message of this page, which opens it.
pub(crate) fn message_link(number: u32, text: String, walk: Walk) -> AnyView {
    erased(view! {
        <a
            href=["#", &id_of(number)].concat()
            rel="external"
            on:click=move |event| {
                if event.ctrl_key() || event.meta_key() || event.shift_key() {
                    return;
                }
                // Followed here and now: Firefox follows a link a little later, and then takes the focus away again.
                event.prevent_default();
                walk.open(number);
                // An address that cannot be changed is no reason not to go there.
                let _ = location().set_hash(&id_of(number));
                walk::focus(number);
            }
        >
            {text}
        </a>
    })
}

/// Where a parameter stands, in a word.
fn place(place: Place) -> &'static str {
    match place {
        Place::Query => t(flow::FLOW_IN_QUERY),
        Place::Body => t(flow::FLOW_IN_BODY),
        Place::Header => t(flow::FLOW_IN_HEADER),
        Place::Cookie => t(flow::FLOW_IN_COOKIE),
        Place::Claim => t(flow::FLOW_IN_CLAIM),
    }
}

/// The moment that a claim names.
fn moment_in(parameter: &Parameter) -> Option<String> {
    let ParameterValue::Shown(text) = &parameter.value else { return None };
    if !TIMES.contains(&parameter.name.as_str()) {
        return None;
    }
    // Nobody issues a token for the year 10 000.
    text.parse().ok().filter(|seconds| (0..253_402_300_800).contains(seconds)).map(timing::moment)
}

#[cfg(test)]
mod tests {
    use super::moment_in;
    use crate::flow::{Parameter, ParameterValue, Place};

    #[test]
    fn only_a_time_is_told_as_one() {
        let said = |name: &str, text: &str| {
            moment_in(&Parameter { name: name.to_owned(), place: Place::Claim, value: ParameterValue::Shown(text.to_owned()) })
        };
        assert_eq!(said("exp", "1795345020").as_deref(), Some("22 November 2026, 10:57:00 UTC"));
        for (name, text) in [("sub", "1795345020"), ("exp", "soon"), ("exp", "-1"), ("iat", "9223372036854775807"), ("nbf", "1e9")] {
            assert_eq!(said(name, text), None, "{name} {text}");
        }
    }
}
