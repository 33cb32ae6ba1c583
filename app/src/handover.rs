//! What the server knew when it rendered the page, handed to the browser inside it, so that the first thing the app
//! draws in the browser is what the server drew.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::api::{Note, Provider, Session};

/// The server's knowledge; empty in single-page mode. It never holds a secret: it is readable in the page.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Handover {
    /// Who is signed in, if the server could say.
    pub session: Option<Session>,
    /// The ways to sign in.
    pub providers: Option<Vec<Provider>>,
    /// The user's notes, if the server has asked for them.
    pub notes: Option<Vec<Note>>,
    /// The server's time, in seconds since 1970.
    pub now_unix_seconds: Option<i64>,
}

impl Handover {
    /// On the server: writes what is known into the page. In the browser: reads it from there.
    pub fn receive() -> Self {
        SharedValue::new(known).into_inner()
    }
}

/// The notes that came with the page: good for the first drawing, and old by the time of any later one.
#[derive(Clone, Copy, Debug)]
pub struct HandedOverNotes(RwSignal<Option<Vec<Note>>>);

impl HandedOverNotes {
    /// The notes, if the page brought any, to be taken once.
    pub fn new(notes: Option<Vec<Note>>) -> Self {
        Self(RwSignal::new(notes))
    }

    /// The notes, if nobody has taken them.
    pub fn take(self) -> Option<Vec<Note>> {
        let notes = self.0.get_untracked();
        self.0.set(None);
        notes
    }
}

#[cfg(feature = "ssr")]
fn known() -> Handover {
    use_context::<crate::shell::RequestContext>().map_or_else(Handover::default, |context| Handover {
        session: context.session,
        providers: Some(context.providers),
        notes: context.notes,
        now_unix_seconds: Some(context.now_unix_seconds),
    })
}

#[cfg(not(feature = "ssr"))]
fn known() -> Handover {
    Handover::default()
}
