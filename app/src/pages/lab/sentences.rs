//! An experiment in words.

use crate::{
    flow::{CheckOutcome, MessageName, Parameter},
    lab::{Attack, Defence, LabMessage, LabMessageName, LabOutcome, LabParty, LabRun},
    pages::flow::{meaning, value},
};

use super::stories::story;

/// How it ended: who is signed in as whom, and why not.
pub(super) fn outcome(run: &LabRun) -> String {
    let defence = story(run.experiment.attack).defence;
    let switched = if run.experiment.defence == Defence::On { " on" } else { " off" };
    let (verdict, end) = if run.outcome.attack_succeeded {
        ("the attack worked: ", success(run.experiment.attack, &run.outcome))
    } else {
        ("the attack failed: ", failure(run.experiment.attack).to_owned())
    };
    [defence, switched, ": ", verdict, &end].concat()
}

fn success(attack: Attack, outcome: &LabOutcome) -> String {
    let victim = outcome.victim_signed_in_as.as_deref().unwrap_or("nobody");
    let attacker = outcome.attacker_signed_in_as.as_deref().unwrap_or("nobody");
    match attack {
        Attack::StolenCode => ["Bob's browser is now signed in as ", attacker, ", with the code that he stole."].concat(),
        Attack::LoginCsrf => ["Alice's browser is now signed in as ", victim, ", and she has not noticed."].concat(),
        Attack::ReplayedToken => ["Bob's browser is now signed in as ", attacker, ", with an ID token from her sign-in."].concat(),
        Attack::MixUp => ["The app has brought Alice's code to Bob, and Bob's browser is now signed in as ", attacker, "."].concat(),
        Attack::OpenRedirect => {
            let page = outcome.victim_ended_at.as_deref().unwrap_or("a page of Bob's");
            ["Alice has signed in, and her browser has ended at ", page, "."].concat()
        }
    }
}

fn failure(attack: Attack) -> &'static str {
    match attack {
        Attack::StolenCode => {
            "the provider refused the code, because the verifier of Bob's sign-in does not belong to it. Bob is not signed in."
        }
        Attack::LoginCsrf => "Alice's browser has begun no such sign-in, so the app refused the answer. Alice is not signed in as anybody.",
        Attack::ReplayedToken => "the nonce in the ID token is not that of Bob's sign-in, so the app refused it. Bob is not signed in.",
        Attack::MixUp => {
            "the answer says that it comes from the real provider, and not from Bob's, so the app refused it and took the code nowhere."
        }
        Attack::OpenRedirect => "Alice has signed in, and her browser has ended on the app's own home page.",
    }
}

/// What people call a party.
pub(super) fn party(party: LabParty) -> &'static str {
    match party {
        LabParty::Attacker => "Bob",
        LabParty::Victim => "Alice",
        LabParty::App => "App",
        LabParty::Provider => "Provider",
        LabParty::AttackerServer => "Bob's server",
    }
}

/// What the sender of a message does.
pub(super) fn act(name: LabMessageName) -> &'static str {
    match name {
        LabMessageName::LinkSent => "has her open a link",
        LabMessageName::LoginRequest => "begins a sign-in",
        LabMessageName::LoginRedirect => "sends the browser to the provider",
        LabMessageName::AuthorizationRequest => "asks for a code",
        LabMessageName::RequestRewritten => "sends her on to the real provider",
        LabMessageName::Authentication => "signs in and agrees",
        LabMessageName::AuthorizationResponse => "sends the browser back with a code",
        LabMessageName::CodeLeaked => "gives the code away",
        LabMessageName::Callback => "brings the answer",
        LabMessageName::TokenRequest => "exchanges the code",
        LabMessageName::TokenResponse => "answers",
        LabMessageName::UserinfoRequest => "asks who the user is",
        LabMessageName::UserinfoResponse => "tells",
        LabMessageName::SignedIn => "signs the browser in",
        LabMessageName::Refused => "refuses",
        LabMessageName::PageOpened => "opens the page",
    }
}

/// What there is to know about a message.
pub(super) fn why(name: LabMessageName) -> &'static str {
    match name {
        LabMessageName::LinkSent => "By a link in a mail, a picture in a page, or a redirect. Her browser opens it with her own cookies.",
        LabMessageName::LoginRequest => "As with a click on the app's sign-in button.",
        LabMessageName::LoginRedirect => {
            "The app has drawn the secrets of this sign-in, and gives the browser a cookie by which it finds them again."
        }
        LabMessageName::AuthorizationRequest => {
            "The browser only carries this: whoever controls it, or the address, can read and change it."
        }
        LabMessageName::RequestRewritten => "With the challenge and the nonce of Bob's own sign-in, and with Alice's state.",
        LabMessageName::Authentication => "On the provider's own pages, which look as they always do.",
        LabMessageName::AuthorizationResponse => "The code stands in the address that the browser is sent to.",
        LabMessageName::CodeLeaked => {
            "Codes turn up in histories, logs and Referer headers, other apps of a phone catch them, and here and there they are brought to the wrong server."
        }
        LabMessageName::Callback => "The app cannot know who has written this address. It has only what it checks.",
        LabMessageName::TokenRequest => "From server to server, with the app's own secret.",
        LabMessageName::TokenResponse => "The tokens of whoever the code belongs to, or a refusal.",
        LabMessageName::UserinfoRequest => "With the access token.",
        LabMessageName::UserinfoResponse => "The user that the access token belongs to, whoever has brought the code.",
        LabMessageName::SignedIn => "By a session cookie: from now on the app takes this browser for that user.",
        LabMessageName::Refused => "Nobody is signed in by this.",
        LabMessageName::PageOpened => "This is only told: nothing has been loaded from there.",
    }
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

/// A message in a few sentences, for who cannot see the diagram.
pub(super) fn message(message: &LabMessage) -> String {
    let mut text = [party(message.from), " to ", party(message.to), ": ", act(message.name)].concat();
    let call: Vec<_> =
        [message.method.clone(), message.address.clone(), message.status.map(|status| status.to_string())].into_iter().flatten().collect();
    if !call.is_empty() {
        text.push_str(" (");
        text.push_str(&call.join(" "));
        text.push(')');
    }
    text.push('.');
    if !message.parameters.is_empty() {
        let said: Vec<_> =
            message.parameters.iter().map(|Parameter { name, value: said, .. }| [name, " = ", &value(said)].concat()).collect();
        text.push_str(" It says ");
        text.push_str(&said.join("; "));
        text.push('.');
    }
    for check in &message.checks {
        if let CheckOutcome::Failed { reason, .. } = &check.outcome {
            text.push_str(" Failed: ");
            text.push_str(meaning::check(check.name).rule);
            text.push_str(" – ");
            text.push_str(reason.trim_end_matches('.'));
            text.push('.');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{message, outcome};
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
        assert_eq!(told, "PKCE off: the attack worked: Bob's browser is now signed in as Alice Example, with the code that he stole.");
        let told = outcome(&run(Attack::LoginCsrf, Defence::Off, bob, None));
        assert_eq!(told, "State off: the attack worked: Alice's browser is now signed in as Bob Example, and she has not noticed.");
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
            assert_eq!(sentence.contains("the attack worked"), sentence.contains(" off: "), "{sentence}");
            assert!(sentence.ends_with('.'), "{sentence}");
        }
    }

    #[test]
    fn a_message_is_told_with_what_it_says_and_what_failed() {
        let told = message(&LabMessage {
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
            told,
            "Bob to App: brings the answer (GET https://app.example/callback). It says code = hidden: 43 characters, fingerprint a1b2c3d4. \
             Failed: The state that came back is the one that was sent – the state is not the one."
        );
    }
}
