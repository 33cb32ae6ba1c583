//! An experiment in words.

use leptos::prelude::AnyView;

use crate::{
    flow::MessageName,
    lab::{Attack, Defence, LabMessage, LabMessageName, LabParty, LabRun},
    pages::flow::{add_content, told_view},
    texts::{fill, flow, lab, t},
};

use super::stories::story;

/// How it ended: who is signed in as whom, and why not.
pub(super) fn outcome(run: &LabRun) -> String {
    let story = story(run.experiment.attack);
    let outcome = &run.outcome;
    let end = if outcome.attack_succeeded {
        let name = match run.experiment.attack {
            Attack::LoginCsrf => outcome.victim_signed_in_as.as_deref(),
            Attack::StolenCode | Attack::ReplayedToken | Attack::MixUp | Attack::OpenRedirect => outcome.attacker_signed_in_as.as_deref(),
        };
        let values = [
            ("name", name.unwrap_or_else(|| t(lab::OUTCOME_NOBODY))),
            ("page", outcome.victim_ended_at.as_deref().unwrap_or_else(|| t(lab::OUTCOME_HIS_PAGE))),
        ];
        fill(story.worked, &values)
    } else {
        t(story.failed).to_owned()
    };
    let with = if run.experiment.defence == Defence::On { lab::OUTCOME_ON } else { lab::OUTCOME_OFF };
    fill(with, &[("defence", t(story.defence)), ("verdict", &end)])
}

/// What people call a party.
pub(super) fn party(party: LabParty) -> &'static str {
    t(match party {
        LabParty::Attacker => lab::PARTY_ATTACKER,
        LabParty::Victim => lab::PARTY_VICTIM,
        LabParty::App => lab::PARTY_APP,
        LabParty::Provider => lab::PARTY_PROVIDER,
        LabParty::AttackerServer => lab::PARTY_ATTACKER_SERVER,
    })
}

/// What the sender of a message does.
pub(super) fn act(name: LabMessageName) -> &'static str {
    t(match name {
        LabMessageName::LinkSent => lab::MESSAGE_LINK_SENT_ACT,
        LabMessageName::LoginRequest => lab::MESSAGE_LOGIN_REQUEST_ACT,
        LabMessageName::LoginRedirect => lab::MESSAGE_LOGIN_REDIRECT_ACT,
        LabMessageName::AuthorizationRequest => lab::MESSAGE_AUTHORIZATION_REQUEST_ACT,
        LabMessageName::RequestRewritten => lab::MESSAGE_REQUEST_REWRITTEN_ACT,
        LabMessageName::Authentication => lab::MESSAGE_AUTHENTICATION_ACT,
        LabMessageName::AuthorizationResponse => lab::MESSAGE_AUTHORIZATION_RESPONSE_ACT,
        LabMessageName::CodeLeaked => lab::MESSAGE_CODE_LEAKED_ACT,
        LabMessageName::Callback => lab::MESSAGE_CALLBACK_ACT,
        LabMessageName::TokenRequest => lab::MESSAGE_TOKEN_REQUEST_ACT,
        LabMessageName::TokenResponse => lab::MESSAGE_TOKEN_RESPONSE_ACT,
        LabMessageName::UserinfoRequest => lab::MESSAGE_USERINFO_REQUEST_ACT,
        LabMessageName::UserinfoResponse => lab::MESSAGE_USERINFO_RESPONSE_ACT,
        LabMessageName::SignedIn => lab::MESSAGE_SIGNED_IN_ACT,
        LabMessageName::Refused => lab::MESSAGE_REFUSED_ACT,
        LabMessageName::PageOpened => lab::MESSAGE_PAGE_OPENED_ACT,
    })
}

/// What there is to know about a message.
pub(super) fn why(name: LabMessageName) -> &'static str {
    t(match name {
        LabMessageName::LinkSent => lab::MESSAGE_LINK_SENT_WHY,
        LabMessageName::LoginRequest => lab::MESSAGE_LOGIN_REQUEST_WHY,
        LabMessageName::LoginRedirect => lab::MESSAGE_LOGIN_REDIRECT_WHY,
        LabMessageName::AuthorizationRequest => lab::MESSAGE_AUTHORIZATION_REQUEST_WHY,
        LabMessageName::RequestRewritten => lab::MESSAGE_REQUEST_REWRITTEN_WHY,
        LabMessageName::Authentication => lab::MESSAGE_AUTHENTICATION_WHY,
        LabMessageName::AuthorizationResponse => lab::MESSAGE_AUTHORIZATION_RESPONSE_WHY,
        LabMessageName::CodeLeaked => lab::MESSAGE_CODE_LEAKED_WHY,
        LabMessageName::Callback => lab::MESSAGE_CALLBACK_WHY,
        LabMessageName::TokenRequest => lab::MESSAGE_TOKEN_REQUEST_WHY,
        LabMessageName::TokenResponse => lab::MESSAGE_TOKEN_RESPONSE_WHY,
        LabMessageName::UserinfoRequest => lab::MESSAGE_USERINFO_REQUEST_WHY,
        LabMessageName::UserinfoResponse => lab::MESSAGE_USERINFO_RESPONSE_WHY,
        LabMessageName::SignedIn => lab::MESSAGE_SIGNED_IN_WHY,
        LabMessageName::Refused => lab::MESSAGE_REFUSED_WHY,
        LabMessageName::PageOpened => lab::MESSAGE_PAGE_OPENED_WHY,
    })
}

/// The message of a real sign-in that it corresponds to, by which its parameters are explained.
pub(super) fn corresponding(name: LabMessageName) -> MessageName {
    match name {
        LabMessageName::LinkSent | LabMessageName::LoginRequest | LabMessageName::PageOpened => MessageName::LoginRequest,
        LabMessageName::LoginRedirect => MessageName::LoginRedirect,
        LabMessageName::AuthorizationRequest | LabMessageName::RequestRewritten => MessageName::AuthorizationRequest,
        LabMessageName::Authentication => MessageName::Authentication,
        LabMessageName::AuthorizationResponse | LabMessageName::CodeLeaked | LabMessageName::Callback => MessageName::AuthorizationResponse,
        LabMessageName::TokenRequest => MessageName::TokenRequest,
        LabMessageName::TokenResponse => MessageName::TokenResponse,
        LabMessageName::UserinfoRequest => MessageName::UserinfoRequest,
        LabMessageName::UserinfoResponse => MessageName::UserinfoResponse,
        LabMessageName::SignedIn => MessageName::SessionCreated,
        LabMessageName::Refused => MessageName::LoginRefused,
    }
}

/// What an address or a status says: `POST http://127.0.0.1:4000/lab/token`, `303`.
pub(super) fn call(message: &LabMessage) -> Option<String> {
    let status = message.status.map(|status| status.to_string());
    let parts: Vec<_> = [message.method.as_deref(), message.address.as_deref(), status.as_deref()].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// A message in a few sentences, for who cannot see the diagram.
pub(super) fn message_view(message: &LabMessage) -> AnyView {
    told_view(&message_in(message))
}

fn message_in(message: &LabMessage) -> String {
    let route = fill(flow::SENTENCE_ROUTE, &[("from", party(message.from)), ("to", party(message.to))]);
    let call = call(message).map(|call| [" (", &call, ")"].concat()).unwrap_or_default();
    let mut text = fill(lab::REPORT_MESSAGE, &[("route", &route), ("act", act(message.name)), ("call", &call)]);
    add_content(&mut text, &message.parameters, &message.checks);
    text
}

#[cfg(test)]
mod tests {
    use super::{message_in, outcome};
    use crate::{
        flow::{Channel, Check, CheckName, CheckOutcome, Parameter, ParameterValue, Place},
        lab::{Attack, Defence, Experiment, LabMessage, LabMessageName, LabOutcome, LabParty, LabRun},
    };

    fn run(attack: Attack, defence: Defence, victim: Option<&str>, attacker: Option<&str>) -> LabRun {
        let outcome = LabOutcome {
            attack_succeeded: defence == Defence::Off,
            decided_at: 1,
            stopped_by: None,
            victim_signed_in_as: victim.map(str::to_owned),
            attacker_signed_in_as: attacker.map(str::to_owned),
            victim_ended_at: Some("https://evil.example/".to_owned()),
        };
        LabRun { experiment: Experiment { attack, defence }, outcome, messages: Vec::new() }
    }

    #[test]
    fn who_is_signed_in_as_whom_is_told_as_the_run_has_found_it() {
        let (alice, bob) = (Some("Alice Example"), Some("Bob Example"));
        let told = outcome(&run(Attack::StolenCode, Defence::Off, None, alice));
        assert_eq!(told, "PKCE off – the attack worked: Bob’s browser is now signed in as Alice Example, with the code that he stole.");
        let told = outcome(&run(Attack::LoginCsrf, Defence::Off, bob, None));
        assert_eq!(told, "State off – the attack worked: Alice’s browser is now signed in as Bob Example, and she has not noticed.");
        let told = outcome(&run(Attack::OpenRedirect, Defence::Off, alice, None));
        assert!(told.ends_with("her browser has ended at https://evil.example/."), "{told}");
    }

    #[test]
    fn every_outcome_is_a_sentence_of_its_own() {
        let told: std::collections::HashSet<_> = Attack::ALL
            .into_iter()
            .flat_map(|attack| [Defence::On, Defence::Off].map(|defence| outcome(&run(attack, defence, None, None))))
            .collect();
        assert_eq!(told.len(), 10);
        for sentence in told {
            assert_eq!(sentence.contains("the attack worked"), sentence.contains(" off – "), "{sentence}");
            assert!(sentence.ends_with('.'), "{sentence}");
        }
    }

    #[test]
    fn a_message_is_told_with_what_it_says_and_what_failed() {
        let told = message_in(&LabMessage {
            number: 3,
            name: LabMessageName::Callback,
            from: LabParty::Attacker,
            to: LabParty::App,
            channel: Channel::Front,
            method: Some("GET".to_owned()),
            address: Some("https://app.example/callback".to_owned()),
            status: None,
            parameters: vec![Parameter {
                name: "code".to_owned(),
                place: Place::Query,
                value: ParameterValue::Hidden { length: 43, fingerprint: "a1b2c3d4".to_owned() },
            }],
            checks: vec![Check {
                name: CheckName::State,
                outcome: CheckOutcome::Failed { code: "callback_state_mismatch".to_owned(), reason: "the state is not the one".to_owned() },
            }],
        });
        assert_eq!(
            told.replace('\u{1}', ""),
            "Bob to App: brings the answer (GET https://app.example/callback). It says code = hidden: 43 characters, fingerprint a1b2c3d4. \
             Failed: The state that came back is the one that was sent – the state is not the one."
        );
    }
}
