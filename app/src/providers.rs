//! The ways to sign in, asked for once.

use leptos::{prelude::*, task::spawn_local};
use web_sys::Storage;

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

/// The name under which this browser keeps the id of the provider that somebody last chose among several, and nothing else of them.
const LAST_USED: &str = "oauth2flow provider";

/// The provider that somebody last chose in this browser. Only for the browser.
pub(crate) fn last_used() -> Option<String> {
    storage()?.get_item(LAST_USED).ok()?
}

/// Keeps it for the next time. Only for the browser.
pub(crate) fn keep_last_used(provider: &str) {
    // Where there is no store, nobody is told.
    let _ = storage().map(|storage| storage.set_item(LAST_USED, provider));
}

/// Whoever has blocked storage has none.
fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
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
