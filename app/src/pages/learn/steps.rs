//! The seven steps of the flow, in words that need no others.

use crate::pages::flow::meaning::{Reference, rfc};

/// One of the seven steps.
#[derive(Debug)]
pub(crate) struct Step {
    /// Which: the number that the recorded messages carry.
    pub(crate) number: u8,
    /// What happens.
    pub(crate) title: &'static str,
    /// How, and why.
    pub(crate) paragraphs: &'static [&'static str],
    /// Where the specification says so.
    pub(crate) defined: Reference,
}

/// All of them.
pub(crate) const STEPS: [Step; 7] = [
    Step {
        number: 1,
        title: "You click “Sign in”",
        paragraphs: &["You ask the app to sign you in, or you open a page that needs it. Nobody knows yet who you are."],
        defined: rfc(6749, "4.1"),
    },
    Step {
        number: 2,
        title: "The app sends you to the provider",
        paragraphs: &[
            "The backend answers with a redirect, and your browser follows it. The address carries the request: which app is asking (client_id), what it would like to be allowed (scope), and where the answer is to be sent (redirect_uri).",
            "Three values drawn by lot go along: the state, which must come back; the nonce, which must turn up in the ID token; and the hash of a secret that only the backend knows (PKCE).",
        ],
        defined: rfc(6749, "4.1.1"),
    },
    Step {
        number: 3,
        title: "You sign in there and decide",
        paragraphs: &[
            "You are on the provider's own page now: look at the address bar. The provider makes sure that it is you, in whatever way it likes, and asks whether this app may have what it wants. You can say no.",
            "The app learns nothing of this: neither the password, nor how you proved who you are, unless the provider tells.",
        ],
        defined: rfc(6749, "3.1"),
    },
    Step {
        number: 4,
        title: "You come back with a code",
        paragraphs: &[
            "The provider sends your browser to the redirect address, with a code and the state in it. The code gives the flow its name. It works once, for about a minute.",
            "Why not send the token right away? Because this way leads through the browser: an address ends up in histories and logs, and other programs on the device may see it. A code in the wrong hands is worth nothing.",
        ],
        defined: rfc(6749, "4.1.2"),
    },
    Step {
        number: 5,
        title: "The page hands the code to the backend",
        paragraphs: &[
            "The page wipes the code from its address and posts it to the backend. The backend opens the sealed cookie of this login and checks that everything fits: that the login was begun by this very browser, that the state is the one that was sent, that the answer is from the provider that was asked, and that it comes for the first time.",
        ],
        defined: rfc(6749, "10.12"),
    },
    Step {
        number: 6,
        title: "The backend exchanges the code for tokens",
        paragraphs: &[
            "Now server talks to server, and no browser is in between. The backend shows the code, proves who it is with its own secret, and reveals the secret behind the hash of step 2. Only then does the provider hand out the tokens.",
            "The access token opens the data. The ID token says who you are, signed by the provider, and is checked line by line. The backend keeps them sealed, and gives your browser a cookie that says nothing by itself.",
        ],
        defined: rfc(6749, "4.1.3"),
    },
    Step {
        number: 7,
        title: "The app uses the token on your behalf",
        paragraphs: &[
            "When the page wants something from the API, it asks the backend, and the backend adds the access token to the call. The token can do only what you allowed, and only for a while. Before it ends, the backend gets the next one with the refresh token. When you sign out, the tokens are given back.",
        ],
        defined: rfc(6749, "7"),
    },
];

#[cfg(test)]
mod tests {
    use super::STEPS;

    #[test]
    fn the_steps_are_in_their_order() {
        assert_eq!(STEPS.each_ref().map(|step| step.number), [1, 2, 3, 4, 5, 6, 7]);
    }
}
