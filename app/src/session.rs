//! Who is signed in: one state for the whole app, and one question at a time to the server.

use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;

use crate::{
    api::{self, Problem, Session, SignedIn},
    clock::Clock,
    handover::Handover,
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
    state: RwSignal<SessionState>,
    problem: RwSignal<Option<Problem>>,
    lapsed: RwSignal<bool>,
    asking: StoredValue<bool>,
    /// Counts the changes, so that an answer that was overtaken by a newer one is thrown away.
    version: StoredValue<u32>,
}

impl CurrentSession {
    /// The session that the server rendered the page with, if it did.
    pub fn new(handover: &Handover, clock: Clock) -> Self {
        Self {
            clock,
            state: RwSignal::new(handover.session.clone().map(SessionState::from).unwrap_or_default()),
            problem: RwSignal::new(None),
            lapsed: RwSignal::new(false),
            asking: StoredValue::new(false),
            version: StoredValue::new(0),
        }
    }

    /// The state.
    pub fn get(self) -> SessionState {
        self.state.get()
    }

    /// The state, without subscribing to it.
    pub fn get_untracked(self) -> SessionState {
        self.state.get_untracked()
    }

    /// Why the state is not known.
    pub fn problem(self) -> Option<Problem> {
        self.problem.get()
    }

    /// Whether a session ended while this page was open, without anybody having signed out here.
    pub fn has_lapsed(self) -> bool {
        self.lapsed.get()
    }

    /// Forgets the user, who has just signed out here.
    pub fn sign_out(self) {
        self.set(SessionState::Anonymous);
        self.lapsed.set(false);
    }

    /// Asks the server, unless it is being asked already. Only for the browser.
    pub fn refresh(self) {
        if !self.asking.get_value() {
            spawn_local(async move {
                self.ask().await;
            });
        }
    }

    /// Asks the server now and tells whether somebody is signed in. Only for the browser.
    pub async fn ask(self) -> bool {
        let version = self.version.get_value();
        self.asking.set_value(true);
        let answer = api::session().await;
        self.asking.set_value(false);
        let Some(overtaken) = self.version.try_get_value().map(|now| now != version) else {
            return false;
        };
        match answer {
            Ok((session, server_time)) => {
                if let Some(server_time) = server_time {
                    self.clock.set_by_server(server_time);
                }
                let state = SessionState::from(session);
                let signed_in = state.signed_in().is_some();
                if !overtaken {
                    let was_signed_in = self.state.with_untracked(|state| state.signed_in().is_some());
                    self.lapsed.set(!signed_in && (was_signed_in || self.lapsed.get_untracked()));
                    self.set(state);
                }
                signed_in
            }
            Err(problem) => {
                self.problem.set(Some(problem));
                false
            }
        }
    }

    fn set(self, state: SessionState) {
        self.version.update_value(|version| *version = version.wrapping_add(1));
        self.problem.set(None);
        if self.state.with_untracked(|now| *now != state) {
            self.state.set(state);
        }
    }
}
