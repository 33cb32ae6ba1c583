//! Signing out: in the page at once, and at the server meanwhile.

use leptos::prelude::*;
use web_sys::Event;

use super::{CurrentSession, Known, SessionState};
use crate::{
    api::{self, Problem, Session},
    draft,
    problem::ProblemCode,
    session_events::tell_other_tabs,
};

/// The event of the window that says that somebody is about to leave, while everything is still on the page.
pub(crate) const LEAVING: &str = "oauth2flow-leaving";

/// What becomes of a sign-out that was asked for on this page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Departure {
    /// Nobody has asked for one, or it is over.
    #[default]
    None,
    /// The server is being asked; the page shows already that nobody is signed in.
    UnderWay,
    /// The server is asked as soon as this device has a connection again.
    Offline,
    /// Nobody is signed in here any more, and the browser is on its way to the provider of this id, to be signed out there as well.
    Onward(String),
    /// It has failed: the user is signed in still, or nobody knows.
    Failed {
        /// Whether all of the user's sessions were to be ended.
        everywhere: bool,
        /// Why.
        problem: Box<Problem>,
    },
}

impl Departure {
    /// Whether the answer is still awaited.
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::UnderWay | Self::Offline)
    }

    /// What is left of it once somebody is known to be signed in.
    pub(super) fn of_somebody(self) -> Self {
        if matches!(self, Self::Failed { .. }) { self } else { Self::None }
    }

    /// What is left of it once nobody is.
    pub(super) fn of_nobody(self) -> Self {
        if self.is_under_way() { self } else { Self::None }
    }
}

impl CurrentSession {
    /// What becomes of a sign-out.
    pub fn departure(self) -> Departure {
        self.known.get().departure
    }

    /// Signs the user out, or all of the user's sessions: the page shows at once that nobody is signed in. Says where to go then, which is
    /// an address of the provider where that ends its session, too. Nothing where the sign-out has failed, or where one is under way
    /// already. Only for the browser.
    pub async fn sign_out(self, everywhere: bool) -> Option<String> {
        let known = self.known_untracked();
        if known.departure.is_under_way() {
            return None;
        }
        if let Ok(event) = Event::new(LEAVING) {
            // Nobody can refuse it.
            let _ = window().dispatch_event(&event);
        }
        let provider = known.state.signed_in().map(|signed_in| signed_in.provider.clone()).unwrap_or_default();
        let leaving = Some(known.state);
        self.set(Known { state: SessionState::Anonymous, leaving, departure: Departure::UnderWay, ..Known::default() });
        let mut answer = api::log_out(everywhere).await;
        // Whoever wanted to leave is not kept by a hole in the network.
        while answer.as_ref().is_err_and(|problem| problem.is(ProblemCode::Offline)) {
            self.set(Known { departure: Departure::Offline, ..self.known_untracked() });
            api::back_online().await;
            self.set(Known { departure: Departure::UnderWay, ..self.known_untracked() });
            answer = api::log_out(everywhere).await;
        }
        match answer {
            Ok(answer) => {
                let address = answer.redirect_to.filter(|address| is_web_address(address));
                self.has_left(if address.is_some() { Departure::Onward(provider) } else { Departure::None });
                Some(address.unwrap_or_else(|| "/".to_owned()))
            }
            Err(problem) => self.stay(Departure::Failed { everywhere, problem: problem.into() }).await,
        }
    }

    /// Forgets the user, and tells the other tabs.
    fn has_left(self, departure: Departure) {
        draft::forget();
        tell_other_tabs(self, &Session::anonymous());
        self.set(Known { state: SessionState::Anonymous, departure, ..Known::default() });
        self.answer_waiting(false);
    }

    /// A sign-out has failed: the user is back, unless only the answer was lost. Where nobody knows, what is private stays off the screen.
    async fn stay(self, failed: Departure) -> Option<String> {
        let answer = api::session(false).await;
        let known = self.known_untracked();
        match (answer, known.leaving.clone()) {
            (Ok((session, _)), Some(state)) if session.signed_in().is_some() => {
                self.set(Known { state, departure: failed, ..Known::default() });
                self.take_over(session.into(), None);
                None
            }
            (Err(_), Some(_)) => {
                self.set(Known { departure: failed, ..known });
                None
            }
            _ => {
                self.has_left(Departure::None);
                Some("/".to_owned())
            }
        }
    }
}

/// Whether the browser may be sent there: anything but a plain address could be a script.
fn is_web_address(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://") || (address.starts_with('/') && !address.starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::{Departure, is_web_address};
    use crate::{api::Problem, problem::ProblemCode};

    #[test]
    fn only_web_addresses_are_followed() {
        for address in ["https://provider.example/end", "http://127.0.0.1:4000/end-session?x", "/"] {
            assert!(is_web_address(address), "{address}");
        }
        for address in ["javascript:alert(1)", "data:text/html,x", "//evil.example", "", "ftp://x"] {
            assert!(!is_web_address(address), "{address}");
        }
    }

    #[test]
    fn what_is_said_of_a_sign_out_is_said_for_as_long_as_it_is_true() {
        let failed = Departure::Failed { everywhere: false, problem: Problem::local(ProblemCode::ServerUnreachable).into() };
        assert_eq!(failed.clone().of_somebody(), failed);
        assert_eq!(failed.of_nobody(), Departure::None);
        for under_way in [Departure::UnderWay, Departure::Offline] {
            assert_eq!(under_way.clone().of_nobody(), under_way);
            assert_eq!(under_way.of_somebody(), Departure::None);
        }
        assert_eq!(Departure::Onward("demo".to_owned()).of_nobody(), Departure::None);
    }
}
