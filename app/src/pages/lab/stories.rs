//! What each attack is about.

use crate::{
    lab::Attack,
    pages::flow::meaning::{Reference, core, rfc},
};

/// An attack, told for somebody who has not heard of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Story {
    /// What its parts of the page are called in addresses.
    pub(super) key: &'static str,
    /// The heading.
    pub(super) title: &'static str,
    /// What the switch is for.
    pub(super) defence: &'static str,
    /// The story, in three sentences or so.
    pub(super) told: [&'static str; 3],
    /// What the experiment leaves out besides, and what would stop the attack as well.
    pub(super) note: &'static str,
    /// Where it is written.
    pub(super) references: &'static [Reference],
}

/// The story of an attack.
pub(super) fn story(attack: Attack) -> Story {
    match attack {
        Attack::StolenCode => Story {
            key: "stolen-code",
            title: "The stolen code",
            defence: "PKCE",
            told: [
                "Alice signs in, but the code that the provider sends back with her turns up in a log before the app has seen it, and Bob can read that log.",
                "He begins a sign-in of his own, and hands the app Alice's code as the answer to it.",
                "If the app exchanges it, it gets Alice's tokens, and takes Bob for her.",
            ],
            note: "In the sandbox the provider lets the app do without PKCE; the demo provider that you sign in with does not. Here the app asks the user endpoint who has signed in. With an ID token, as in the real sign-in, the nonce would stop Bob as well, one step later.",
            references: const { &[rfc(7636, "1"), rfc(9700, "4.5")] },
        },
        Attack::LoginCsrf => Story {
            key: "login-csrf",
            title: "Signed in as somebody else",
            defence: "State",
            told: [
                "Bob signs in at the provider, but keeps the answer back, code and all.",
                "Then he has Alice's browser open it, with a link in a mail or a hidden picture in a page.",
                "If the app takes it for the answer to a sign-in of Alice's, she is signed in to Bob's account, and whatever she writes or uploads there is his.",
            ],
            note: "PKCE and the nonce are left out in both runs, because each of them stops this attack as well: Alice's browser has neither the verifier nor the nonce of Bob's sign-in. The real sign-in has all three.",
            references: const { &[rfc(6749, "10.12"), rfc(9700, "4.7")] },
        },
        Attack::ReplayedToken => Story {
            key: "replayed-token",
            title: "An ID token from another sign-in",
            defence: "Nonce",
            told: [
                "Bob has got hold of Alice's code again, and hands it in as the answer to a sign-in of his own.",
                "For it the provider gives the app an ID token in which everything is right: the signature, the app it is for, the time, and Alice's name.",
                "Only the nonce in it says that it belongs to another sign-in than Bob's.",
            ],
            note: "PKCE is left out in both runs: with it the provider would refuse the code, and there would be no ID token to look at. The real sign-in has both.",
            references: const { &[core("3.1.3.7", "IDTokenValidation"), rfc(9700, "4.5.3")] },
        },
        Attack::MixUp => Story {
            key: "mix-up",
            title: "The wrong provider",
            defence: "Check of iss",
            told: [
                "The app offers two providers, and one of them is Bob's.",
                "Alice begins with that one, which sends her browser straight on to the real provider, where she signs in as she always does.",
                "If the app still believes that it is Bob's provider who answers, it brings Alice's code there, and Bob uses it.",
            ],
            note: "All other defences are on, and do not help: Bob has bound the code to a sign-in of his own, with its PKCE challenge and its nonce, and it comes back with Alice's state. It takes a provider that is Bob's, or was broken into; an app with only one provider cannot be mixed up.",
            references: const { &[rfc(9207, "2.4"), rfc(9700, "4.4")] },
        },
        Attack::OpenRedirect => Story {
            key: "open-redirect",
            title: "A way back that leads away",
            defence: "Check of return_to",
            told: [
                "Bob sends Alice a link to the app's own sign-in, in which a page of his is the place to go afterwards.",
                "She signs in at the real provider, and up to there everything is right.",
                "If the app sends her on to wherever the link says, she lands on Bob's page, which looks like the app and says that she has to type in her password once more.",
            ],
            note: "All other defences are on, and none of them looks at where a sign-in leads. Nobody opens the page at evil.example here: you only see its address.",
            references: const { &[rfc(9700, "4.11")] },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::story;
    use crate::lab::Attack;
    use std::collections::HashSet;

    #[test]
    fn every_attack_has_a_story_and_a_place_of_its_own() {
        let stories = Attack::ALL.map(story);
        let different = |part: fn(&super::Story) -> &'static str| stories.iter().map(part).collect::<HashSet<_>>().len();
        assert_eq!(different(|story| story.key), 5);
        assert_eq!(different(|story| story.title), 5);
        assert_eq!(different(|story| story.defence), 5);
        for story in stories {
            assert!(story.key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", story.key);
            assert!(story.told.iter().all(|sentence| sentence.ends_with('.')) && story.note.ends_with('.'), "{}", story.title);
            assert!(!story.references.is_empty(), "{}", story.title);
        }
    }
}
