//! Where the same secret turns up again: a fingerprint tells, and the secret stays hidden.

use crate::flow::{Parameter, ParameterValue, RecordedLogin};

/// Where a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occurrence {
    /// In the message of that number.
    Message(u32),
    /// In the ID token.
    IdToken,
}

/// Whether the secret with this fingerprint is among them.
pub(crate) fn holds(parameters: &[Parameter], fingerprint: &str) -> bool {
    parameters.iter().any(|parameter| matches!(&parameter.value, ParameterValue::Hidden { fingerprint: other, .. } if other == fingerprint))
}

/// Everywhere else that the secret with this fingerprint is.
pub(crate) fn elsewhere(login: &RecordedLogin, here: Occurrence, fingerprint: &str) -> Vec<Occurrence> {
    let has = |parameters: &[Parameter]| holds(parameters, fingerprint);
    let messages = login.messages.iter().filter(|message| has(&message.parameters)).map(|message| Occurrence::Message(message.number));
    let token = login.id_token.iter().filter(|token| has(&token.header) || has(&token.claims)).map(|_| Occurrence::IdToken);
    messages.chain(token).filter(|&occurrence| occurrence != here).collect()
}

#[cfg(test)]
mod tests {
    use super::{Occurrence, elsewhere};
    use crate::pages::flow::example;

    #[test]
    fn the_state_that_came_back_is_seen_to_be_the_one_that_was_sent() {
        let login = example::signed_in();
        let sent = elsewhere(&login, Occurrence::Message(3), example::STATE);
        assert!(sent.contains(&Occurrence::Message(5)) && sent.contains(&Occurrence::Message(6)), "{sent:?}");
        assert!(!sent.contains(&Occurrence::Message(3)));
        assert!(elsewhere(&login, Occurrence::Message(3), "ffffffff").is_empty());
    }

    #[test]
    fn the_nonce_of_the_request_is_that_of_the_token() {
        let login = example::signed_in();
        assert!(elsewhere(&login, Occurrence::Message(3), example::NONCE).contains(&Occurrence::IdToken));
        assert!(elsewhere(&login, Occurrence::IdToken, example::NONCE).contains(&Occurrence::Message(3)));
    }
}
