//! The ways to sign in, asked for once.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{self, Problem, Provider},
    handover::Handover,
};

/// The list of providers, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Providers {
    list: RwSignal<Option<Vec<Provider>>>,
    problem: RwSignal<Option<Problem>>,
    asking: StoredValue<bool>,
}

impl Providers {
    /// The list that came with the page, or none yet.
    pub fn new(handover: &Handover) -> Self {
        Self { list: RwSignal::new(handover.providers.clone()), problem: RwSignal::new(None), asking: StoredValue::new(false) }
    }

    /// The list, once it is known.
    pub fn list(self) -> Option<Vec<Provider>> {
        self.list.get()
    }

    /// The name that people know the provider by; its id until that is known.
    pub fn name_of(self, id: &str) -> String {
        self.list.with(|list| {
            let provider = list.iter().flatten().find(|provider| provider.id == id);
            provider.map_or(id, |provider| &provider.name).to_owned()
        })
    }

    /// Why the list is not known.
    pub fn problem(self) -> Option<Problem> {
        self.problem.get()
    }

    /// Asks for the list, unless it is known or has been asked for. Only for the browser.
    pub fn load(self) {
        if self.list.with_untracked(Option::is_some) || self.asking.get_value() {
            return;
        }
        self.asking.set_value(true);
        spawn_local(async move {
            match api::providers().await {
                Ok(list) => {
                    self.list.set(Some(list));
                    self.problem.set(None);
                }
                Err(problem) => self.problem.set(Some(problem)),
            }
            self.asking.set_value(false);
        });
    }
}
