//! The ways to sign in, asked for once.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{self, Problem, Provider},
    handover::Handover,
};

/// The id of the demo provider, which comes with a notes API.
pub(crate) const DEMO: &str = "demo";

/// Whether a sign-in with this provider is offered to be looked at afterwards. The demo provider runs on a developer's own machine alone,
/// where logins are recorded unless that is switched off; the X-ray says so then.
pub(crate) fn is_recorded(provider: &str) -> bool {
    provider == DEMO
}

/// What the server has said.
#[derive(Clone, Debug)]
enum Answer {
    NotAsked,
    Pending,
    List(Vec<Provider>),
    Failed(Problem),
}

/// The list of providers, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Providers {
    answer: RwSignal<Answer>,
}

impl Providers {
    /// The list that came with the page, or none yet.
    pub fn new(handover: &Handover) -> Self {
        Self { answer: RwSignal::new(handover.providers.clone().map_or(Answer::NotAsked, Answer::List)) }
    }

    /// The list, or why it is not known, or nothing yet.
    pub fn get(self) -> Option<Result<Vec<Provider>, Problem>> {
        match self.answer.get() {
            Answer::NotAsked | Answer::Pending => None,
            Answer::List(list) => Some(Ok(list)),
            Answer::Failed(problem) => Some(Err(problem)),
        }
    }

    /// The name that people know the provider by; its id until that is known.
    pub fn name_of(self, id: &str) -> String {
        let list = match self.answer.get() {
            Answer::List(list) => list,
            _ => Vec::new(),
        };
        list.into_iter().find(|provider| provider.id == id).map_or_else(|| id.to_owned(), |provider| provider.name)
    }

    /// Asks for the list, unless it is known or on its way. Only for the browser.
    pub fn load(self) {
        if matches!(self.answer.get_untracked(), Answer::Pending | Answer::List(_)) {
            return;
        }
        self.answer.set(Answer::Pending);
        spawn_local(async move { self.answer.set(api::providers().await.map_or_else(Answer::Failed, Answer::List)) });
    }
}
