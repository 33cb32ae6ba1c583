//! A login in words: for who cannot see the diagram, and for paper.

use leptos::prelude::*;

use super::{
    layout::{Verdicts, party},
    meaning, timing,
};
use crate::{
    erased::erased,
    flow::{Channel, Check, CheckOutcome, LoginOutcome, Message, Parameter, ParameterValue, RecordedLogin},
    texts::{count, fill, flow, t},
};

/// How the login came out, in a sentence.
pub(crate) fn outcome(login: &RecordedLogin) -> String {
    let number = u64::try_from(login.messages.len()).unwrap_or_default();
    let messages = count(number, flow::SENTENCE_MESSAGE_ONE, flow::SENTENCE_MESSAGE_OTHER);
    let took = timing::duration(timing::total(login));
    let verdicts = Verdicts::of(&login.messages).in_words().map(|words| [", ", &words].concat()).unwrap_or_default();
    let (text, at) = match &login.outcome {
        LoginOutcome::Running => (flow::SENTENCE_RUNNING, String::new()),
        LoginOutcome::SignedIn => (flow::SENTENCE_SIGNED_IN, String::new()),
        LoginOutcome::Failed(failure) => (flow::SENTENCE_FAILED, failure.message.to_string()),
    };
    let values =
        [("provider", login.provider_name.as_str()), ("time", &took), ("number", &at), ("messages", &messages), ("verdicts", &verdicts)];
    fill(text, &values)
}

/// From whom to whom: `Backend to Provider`.
pub(crate) fn route(message: &Message) -> String {
    if message.from == message.to {
        party(message.from).to_owned()
    } else {
        fill(flow::SENTENCE_ROUTE, &[("from", party(message.from)), ("to", party(message.to))])
    }
}

/// What an address or a status says: `POST http://127.0.0.1:4000/token`, `303`.
pub(crate) fn call(message: &Message) -> Option<String> {
    call_at(message, message.address.as_deref())
}

/// The same where there is little room, and the diagram shows who is called: `POST /token`.
pub(crate) fn short_call(message: &Message) -> Option<String> {
    call_at(message, message.address.as_deref().map(path))
}

fn call_at(message: &Message, address: Option<&str>) -> Option<String> {
    let status = message.status.map(|status| status.to_string());
    let parts: Vec<_> = [message.method.as_deref(), address, status.as_deref()].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn path(address: &str) -> &str {
    let after_scheme = address.find("://").map_or(0, |at| at + 3);
    address[after_scheme..].find('/').map_or(address, |at| &address[after_scheme + at..])
}

/// Which channel it goes by.
pub(crate) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Front => t(flow::SENTENCE_FRONT),
        Channel::Back => t(flow::SENTENCE_BACK),
    }
}

/// What a value says, as far as anybody may know.
pub(crate) fn value(value: &ParameterValue) -> String {
    match value {
        ParameterValue::Shown(text) => text.clone(),
        ParameterValue::Shortened { start, length } => fill(flow::FLOW_SHORTENED, &[("start", start), ("number", &length.to_string())]),
        ParameterValue::Hidden { length, fingerprint } => {
            fill(flow::FLOW_HIDDEN, &[("number", &length.to_string()), ("fingerprint", fingerprint)])
        }
    }
}

/// A message in a few sentences, for the page: what the server has said in English is marked so, for those who are read to.
pub(crate) fn message_view(message: &Message) -> AnyView {
    told_view(&message_in(message))
}

/// Sentences for the page, in which [`english`] has marked what is not in its language.
pub(crate) fn told_view(told: &str) -> AnyView {
    let parts: Vec<_> = told
        .split(ENGLISH)
        .enumerate()
        .map(|(at, words)| {
            let words = words.to_owned();
            if at % 2 == 1 { erased(view! { <bdi lang="en">{words}</bdi> }) } else { erased(words) }
        })
        .collect();
    erased(view! { <bdi>{parts}</bdi> })
}

/// Stands before and after English words until they are shown; no text has it.
const ENGLISH: char = '\u{1}';

/// The words, marked as English.
pub(crate) fn english(words: &str) -> String {
    [ENGLISH.to_string(), words.replace(ENGLISH, ""), ENGLISH.to_string()].concat()
}

/// A message in a few sentences, with [`ENGLISH`] around what is not in the page's language.
fn message_in(message: &Message) -> String {
    let call = call(message).map(|call| [" (", &call, ")"].concat()).unwrap_or_default();
    let time = timing::duration(message.at_microseconds);
    let values = [
        ("route", route(message)),
        ("channel", channel(message.channel).to_owned()),
        ("time", time),
        ("act", meaning::message(message.name).act.to_owned()),
        ("call", call),
    ];
    let mut text = fill(flow::SENTENCE_MESSAGE, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    if let Some(error) = &message.error {
        text.push(' ');
        text.push_str(&fill(flow::SENTENCE_NO_ANSWER, &[("error", &english(error))]));
    }
    add_content(&mut text, &message.parameters, &message.checks);
    if let Some(verdicts) = Verdicts::of([message]).in_words() {
        text.push(' ');
        text.push_str(&verdicts);
        text.push('.');
    }
    text
}

/// Tells what a message says, and which checks have failed.
pub(crate) fn add_content(text: &mut String, parameters: &[Parameter], checks: &[Check]) {
    if !parameters.is_empty() {
        let said = |Parameter { name, value: said, .. }: &Parameter| [name, " = ", &value(said).replace(ENGLISH, "")].concat();
        let said: Vec<_> = parameters.iter().map(said).collect();
        text.push(' ');
        text.push_str(&fill(flow::SENTENCE_SAYS, &[("parameters", &said.join("; "))]));
    }
    for check in checks {
        if let CheckOutcome::Failed { reason, .. } = &check.outcome {
            let reason = english(reason.trim_end_matches('.'));
            text.push(' ');
            text.push_str(&fill(flow::SENTENCE_CHECK_FAILED, &[("rule", meaning::check(check.name).rule), ("reason", &reason)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ENGLISH, message_in, outcome, short_call};
    use crate::{flow::LoginOutcome, pages::flow::example};

    #[test]
    fn the_outcome_is_told_in_a_sentence() {
        let mut login = example::signed_in();
        assert_eq!(outcome(&login), "Signed in with Demo in 6.46 s: 14 messages, 42 checks passed, 4 did not apply.");
        login.outcome = LoginOutcome::Running;
        login.messages.truncate(1);
        assert_eq!(outcome(&login), "Under way with Demo: 1 message so far, 2 checks passed.");
        let failed = outcome(&example::denied());
        assert!(failed.starts_with("Not signed in with Demo: it failed at message 6 after 3.45 s;"), "{failed}");
    }

    #[test]
    fn every_message_is_told_with_what_it_says_and_why_it_failed() {
        let login = example::denied();
        let marked = message_in(&login.messages[5]);
        assert_eq!(marked.split(ENGLISH).nth(1), Some("the provider answered with access_denied"), "{marked}");
        let told = marked.replace(ENGLISH, "");
        assert!(told.starts_with("App to Backend, front channel, after 3.45 s: hands the answer to the backend (POST http://localhost:3000/api/v1/oauth/code)."), "{told}");
        assert!(told.contains(
            "error = access_denied; error_description = The user said <b>no</b>.; state = hidden: 65 characters, fingerprint b5ca1ab1"
        ));
        assert!(told.contains("Failed: The provider has not answered with an error – the provider answered with access_denied."), "{told}");
        assert!(told.ends_with("8 checks passed, 1 failed, 1 did not apply, 1 not reached."), "{told}");
    }

    #[test]
    fn the_diagram_names_the_path_alone() {
        let mut request = example::signed_in().messages[6].clone();
        request.method = Some("POST".to_owned());
        for (address, call) in [
            ("https://op.example/token", "POST /token"),
            ("https://op.example", "POST https://op.example"),
            ("https://", "POST https://"),
            ("/token", "POST /token"),
            ("", "POST "),
        ] {
            request.address = Some(address.to_owned());
            request.status = None;
            assert_eq!(short_call(&request).unwrap(), call);
        }
    }

    #[test]
    fn a_message_that_had_no_answer_says_so() {
        let mut request = example::signed_in().messages[6].clone();
        request.error = Some("it did not answer within 10 s".to_owned());
        assert!(message_in(&request).replace(ENGLISH, "").contains("There was no answer: it did not answer within 10 s."));
    }
}
