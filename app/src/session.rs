//! Who is signed in: one state for the whole app, and one question at a time to the server.

use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

use crate::{
    api::{self, Problem, Session, SignedIn},
    clock::Clock,
    handover::Handover,
    session_events::tell_other_tabs,
};

/// What the app knows about the session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SessionState {
    /// Nobody has asked, or the answer is still on its way.
    #[default]
    Unknown,
    /// Nobody is signed in.
    Anonymous,
    /// Somebody is.
    SignedIn(Arc<SignedIn>),
}

impl SessionState {
    /// The signed-in half, if somebody is.
    pub fn signed_in(&self) -> Option<&Arc<SignedIn>> {
        match self {
            Self::SignedIn(signed_in) => Some(signed_in),
            Self::Unknown | Self::Anonymous => None,
        }
    }
}

impl From<Session> for SessionState {
    fn from(session: Session) -> Self {
        match session {
            Session::SignedIn(signed_in) => Self::SignedIn(signed_in.into()),
            Session::Anonymous(_) => Self::Anonymous,
        }
    }
}

/// The session as the app sees it; a context of the whole app.
#[derive(Clone, Copy, Debug)]
pub struct CurrentSession {
    clock: Clock,
    known: RwSignal<Known>,
    questions: StoredValue<Questions>,
}

/// What is known, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    state: SessionState,
    problem: Option<Problem>,
    lapsed: bool,
}

/// The questions to the server.
#[derive(Clone, Copy, Debug, Default)]
struct Questions {
    asking: bool,
    /// Counts the changes, so that an answer that was overtaken by a newer one is thrown away.
    version: u32,
}

impl CurrentSession {
    /// The session that the server rendered the page with, if it did.
    pub fn new(handover: &Handover, clock: Clock) -> Self {
        let state = handover.session.clone().map(SessionState::from).unwrap_or_default();
        Self { clock, known: RwSignal::new(Known { state, ..Known::default() }), questions: StoredValue::new(Questions::default()) }
    }

    /// The state.
    pub fn get(self) -> SessionState {
        self.known.get().state
    }

    /// The state, without subscribing to it.
    pub fn get_untracked(self) -> SessionState {
        self.known.get_untracked().state
    }

    /// Why the state is not known.
    pub fn problem(self) -> Option<Problem> {
        self.known.get().problem
    }

    /// Whether a session ended while this page was open, without anybody having signed out here.
    pub fn has_lapsed(self) -> bool {
        self.known.get().lapsed
    }

    /// Forgets the user, who has just signed out here. Only for the browser.
    pub fn sign_out(self) {
        tell_other_tabs(&Session::anonymous());
        self.set(Known { state: SessionState::Anonymous, ..Known::default() });
    }

    /// Asks the server, unless it is being asked already. Only for the browser.
    pub fn refresh(self) {
        if !self.questions.get_value().asking {
            spawn_local(async move {
                self.ask().await;
            });
        }
    }

    /// Asks the server now and tells whether somebody is signed in. Only for the browser.
    pub async fn ask(self) -> bool {
        let version = self.questions.get_value().version;
        self.set_asking(true);
        let answer = api::session().await;
        self.set_asking(false);
        let known = self.known.get_untracked();
        let (state, problem) = match answer {
            Ok((session, server_time)) => {
                if let Some(server_time) = server_time {
                    self.clock.set_by_server(server_time);
                }
                let was_signed_in = known.state.signed_in().is_some();
                if session.signed_in().is_some() != was_signed_in {
                    tell_other_tabs(&session);
                }
                (SessionState::from(session), None)
            }
            Err(problem) => (known.state.clone(), Some(problem)),
        };
        let answered = problem.is_none();
        let signed_in = state.signed_in().is_some();
        if self.questions.get_value().version == version {
            self.take_over(state, problem);
        }
        signed_in && answered
    }

    /// Takes over what somebody else has learnt from the server. Only for the browser.
    pub fn learn(self, session: Session) {
        self.take_over(session.into(), None);
    }

    fn take_over(self, state: SessionState, problem: Option<Problem>) {
        let known = self.known.get_untracked();
        let lapsed = state.signed_in().is_none() && (known.state.signed_in().is_some() || known.lapsed);
        self.set(Known { state, problem, lapsed });
    }

    fn set_asking(self, asking: bool) {
        self.questions.update_value(|questions| questions.asking = asking);
    }

    fn set(self, known: Known) {
        self.questions.update_value(|questions| questions.version = questions.version.wrapping_add(1));
        if self.known.get_untracked() != known {
            self.known.set(known);
        }
    }
}
