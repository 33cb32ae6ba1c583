//! What the server knew when it rendered the page, handed to the browser inside it, so that the first thing the app
//! draws in the browser is what the server drew.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    api::{Provider, Session},
    json,
};

/// The server's knowledge; empty in single-page mode. It never holds a secret: it is readable in the page.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Handover {
    /// Who is signed in, if the server could say.
    pub session: Option<Session>,
    /// The ways to sign in.
    pub providers: Option<Vec<Provider>>,
    /// The user's notes, if the server has asked for them.
    pub notes: Option<HandedNotes>,
    /// The user's sessions, if the server has asked for them.
    pub sessions: Option<HandedSessions>,
    /// This browser's own logins, if the server has looked.
    pub flow: Option<HandedFlow>,
    /// What happened in the experiment that the page was asked for.
    pub run: Option<HandedRun>,
    /// The server's time, in seconds since 1970.
    pub now_unix_seconds: Option<i64>,
}

/// The user's notes, as JSON: only the page that shows them has the code to read it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandedNotes(pub String);

/// The user's sessions, as JSON for the same reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandedSessions(pub String);

/// This browser's own logins, as JSON: only the pages about them read it, so that the others do without the code for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum HandedFlow {
    /// Logins are not recorded here.
    Off,
    /// What `GET /flow` answers.
    Recorded(String),
}

/// An experiment of the lab, as JSON for the same reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandedRun(pub String);

impl HandedRun {
    /// What happened in it.
    #[cfg(feature = "ssr")]
    pub fn new(run: &crate::lab::LabRun) -> Self {
        // It is made of strings and numbers, which JSON can always hold.
        Self(serde_json::to_string(run).unwrap_or_default())
    }
}

impl HandedFlow {
    /// What is recorded, or that nothing is.
    #[cfg(feature = "ssr")]
    pub fn new(flow: Option<&crate::flow::Flow>) -> Self {
        // It is made of strings and numbers, which JSON can always hold.
        flow.map_or(Self::Off, |flow| Self::Recorded(serde_json::to_string(flow).unwrap_or_default()))
    }
}

/// The element of a page made for everybody in which its knowledge stands.
pub(crate) const KNOWN: &str = "known";

impl Handover {
    /// On the server: writes what is known into the page. In the browser: reads it from there.
    pub fn receive() -> Self {
        json::read(&SharedValue::new_str(known).into_inner()).unwrap_or_default()
    }
}

/// What came with the page: good for the first drawing, and old by the time of any later one.
#[derive(Clone, Copy, Debug)]
pub struct HandedOver<T: Send + Sync + 'static>(RwSignal<Option<T>>);

impl<T: Clone + Send + Sync + 'static> HandedOver<T> {
    /// What the page brought, if it did, to be taken once.
    pub fn new(value: Option<T>) -> Self {
        Self(RwSignal::new(value))
    }

    /// The value, if nobody has taken it.
    pub fn take(self) -> Option<T> {
        let value = self.0.get_untracked();
        self.0.set(None);
        value
    }
}

#[cfg(feature = "ssr")]
fn known() -> String {
    let handover = use_context::<crate::shell::RequestContext>().map_or_else(Handover::default, |context| Handover {
        session: context.session,
        providers: Some(context.providers),
        notes: context.notes.and_then(|notes| json::write(&notes)).map(HandedNotes),
        sessions: context.sessions.and_then(|sessions| json::write(&sessions)).map(HandedSessions),
        flow: context.flow,
        run: context.run,
        now_unix_seconds: Some(context.now_unix_seconds),
    });
    // It is made of strings and numbers, which JSON can always hold.
    json::write(&handover).unwrap_or_default()
}

/// What a page says that was made for everybody; one made for a request has said it already.
#[cfg(not(feature = "ssr"))]
fn known() -> String {
    document().get_element_by_id(KNOWN).and_then(|element| element.text_content()).unwrap_or_default()
}
