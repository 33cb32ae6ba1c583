//! What each attack is about.

use crate::{
    lab::Attack,
    pages::flow::meaning::{Reference, core, rfc},
    texts::{Text, lab},
};

/// An attack, told for somebody who has not heard of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story {
    /// What its parts of the page are called in addresses.
    pub(super) key: &'static str,
    /// What the experiment is called in a form: as in the body of a call.
    pub(super) name: &'static str,
    /// The heading.
    pub(super) title: Text,
    /// What the switch is for.
    pub(super) defence: Text,
    /// The story, in three sentences or so.
    pub(super) told: [Text; 3],
    /// What the experiment leaves out besides, and what would stop the attack as well.
    pub(super) note: Text,
    /// How it ends when it succeeds.
    pub(super) worked: Text,
    /// How it ends when it does not.
    pub(super) failed: Text,
    /// Where it is written.
    pub(super) references: &'static [Reference],
}

/// The story of an attack.
pub(super) const fn story(attack: Attack) -> Story {
    match attack {
        Attack::StolenCode => Story {
            key: "stolen-code",
            name: "stolen_code",
            title: lab::STOLEN_CODE_TITLE,
            defence: lab::STOLEN_CODE_DEFENCE,
            told: [lab::STOLEN_CODE_TOLD_ONE, lab::STOLEN_CODE_TOLD_TWO, lab::STOLEN_CODE_TOLD_THREE],
            note: lab::STOLEN_CODE_NOTE,
            worked: lab::STOLEN_CODE_WORKED,
            failed: lab::STOLEN_CODE_FAILED,
            references: const { &[rfc(7636, "1"), rfc(9700, "4.5")] },
        },
        Attack::LoginCsrf => Story {
            key: "login-csrf",
            name: "login_csrf",
            title: lab::LOGIN_CSRF_TITLE,
            defence: lab::LOGIN_CSRF_DEFENCE,
            told: [lab::LOGIN_CSRF_TOLD_ONE, lab::LOGIN_CSRF_TOLD_TWO, lab::LOGIN_CSRF_TOLD_THREE],
            note: lab::LOGIN_CSRF_NOTE,
            worked: lab::LOGIN_CSRF_WORKED,
            failed: lab::LOGIN_CSRF_FAILED,
            references: const { &[rfc(6749, "10.12"), rfc(9700, "4.7")] },
        },
        Attack::ReplayedToken => Story {
            key: "replayed-token",
            name: "replayed_token",
            title: lab::REPLAYED_TOKEN_TITLE,
            defence: lab::REPLAYED_TOKEN_DEFENCE,
            told: [lab::REPLAYED_TOKEN_TOLD_ONE, lab::REPLAYED_TOKEN_TOLD_TWO, lab::REPLAYED_TOKEN_TOLD_THREE],
            note: lab::REPLAYED_TOKEN_NOTE,
            worked: lab::REPLAYED_TOKEN_WORKED,
            failed: lab::REPLAYED_TOKEN_FAILED,
            references: const { &[core("3.1.3.7", "IDTokenValidation"), rfc(9700, "4.5.3")] },
        },
        Attack::MixUp => Story {
            key: "mix-up",
            name: "mix_up",
            title: lab::MIX_UP_TITLE,
            defence: lab::MIX_UP_DEFENCE,
            told: [lab::MIX_UP_TOLD_ONE, lab::MIX_UP_TOLD_TWO, lab::MIX_UP_TOLD_THREE],
            note: lab::MIX_UP_NOTE,
            worked: lab::MIX_UP_WORKED,
            failed: lab::MIX_UP_FAILED,
            references: const { &[rfc(9207, "2.4"), rfc(9700, "4.4")] },
        },
        Attack::OpenRedirect => Story {
            key: "open-redirect",
            name: "open_redirect",
            title: lab::OPEN_REDIRECT_TITLE,
            defence: lab::OPEN_REDIRECT_DEFENCE,
            told: [lab::OPEN_REDIRECT_TOLD_ONE, lab::OPEN_REDIRECT_TOLD_TWO, lab::OPEN_REDIRECT_TOLD_THREE],
            note: lab::OPEN_REDIRECT_NOTE,
            worked: lab::OPEN_REDIRECT_WORKED,
            failed: lab::OPEN_REDIRECT_FAILED,
            references: const { &[rfc(9700, "4.11")] },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::story;
    use crate::{lab::Attack, texts::t};
    use std::collections::HashSet;

    #[test]
    fn every_attack_has_a_story_and_a_place_of_its_own() {
        let stories = Attack::ALL.map(story);
        let different = |part: fn(&super::Story) -> &'static str| stories.iter().map(part).collect::<HashSet<_>>().len();
        assert_eq!(different(|story| story.key), 5);
        assert_eq!(different(|story| t(story.title)), 5);
        assert_eq!(different(|story| t(story.defence)), 5);
        for story in stories {
            assert!(story.key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", story.key);
            let sentences = [&story.told[..], &[story.note, story.worked, story.failed]].concat();
            assert!(sentences.iter().all(|&sentence| t(sentence).ends_with('.')), "{}", story.key);
            assert!(!story.references.is_empty(), "{}", story.key);
        }
    }

    #[test]
    fn a_form_names_an_attack_as_a_call_does() {
        for attack in Attack::ALL {
            assert_eq!(serde_json::to_value(attack).unwrap(), story(attack).name);
        }
    }
}
