//! Where the pages about logins have them from: from the page itself, from the server, and as they happen.

use leptos::{prelude::*, task::spawn_local};
use std::sync::Arc;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent};

use crate::{
    api::{self, Problem},
    flow::{FLOW_EVENTS, Flow, LOGIN_EVENT, RecordedLogin},
    handover::{HandedFlow, HandedOver},
    json,
};

/// What is known of the logins of this browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Recording {
    /// The answer is on its way.
    Waiting,
    /// Logins are not recorded here.
    Off,
    /// The server does not say.
    Failed(Box<Problem>),
    /// The logins, the youngest first.
    Logins(Vec<Arc<RecordedLogin>>),
}

impl Recording {
    /// The login of that id, else the youngest.
    pub(crate) fn chosen(&self, id: Option<&str>) -> Option<&Arc<RecordedLogin>> {
        let Self::Logins(logins) = self else { return None };
        logins.iter().find(|login| Some(login.id.as_str()) == id).or_else(|| logins.first())
    }

    /// With a login that has begun, or grown.
    fn with(self, login: RecordedLogin) -> Self {
        let mut logins = match self {
            Self::Logins(logins) => logins,
            Self::Waiting | Self::Off | Self::Failed(_) => Vec::new(),
        };
        let login = Arc::new(login);
        match logins.iter_mut().find(|known| known.id == login.id) {
            Some(known) => *known = login,
            None => logins.insert(0, login),
        }
        Self::Logins(logins)
    }

    /// With what the server has answered meanwhile: a login that was told of since may be longer already.
    fn with_answer(self, flow: Flow) -> Self {
        let known = match self {
            Self::Logins(logins) => logins,
            Self::Waiting | Self::Off | Self::Failed(_) => Vec::new(),
        };
        let answered = flow.logins.into_iter().map(|login| {
            let newer = known.iter().find(|known| known.id == login.id && known.messages.len() > login.messages.len());
            newer.map_or_else(|| Arc::new(login), Arc::clone)
        });
        Self::Logins(answered.collect())
    }
}

impl From<HandedFlow> for Recording {
    fn from(handed: HandedFlow) -> Self {
        match handed {
            HandedFlow::Off => Self::Off,
            // What cannot be read is asked for again.
            HandedFlow::Recorded(text) => json::read(&text).map_or(Self::Waiting, |flow| Self::Waiting.with_answer(flow)),
        }
    }
}

/// The recording, as one page follows it.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    recording: RwSignal<Recording>,
    /// Counts how often this browser has begun anew, with another name for the server.
    beginnings: RwSignal<u32>,
}

impl Source {
    /// What came with the page; where nothing did, the server is asked.
    pub(crate) fn new() -> Self {
        let handed = use_context::<HandedOver<HandedFlow>>().and_then(HandedOver::take);
        let source = Self { recording: RwSignal::new(handed.map_or(Recording::Waiting, Recording::from)), beginnings: RwSignal::new(0) };
        Effect::new(move || {
            if source.recording.with_untracked(|recording| *recording == Recording::Waiting) {
                source.load();
            }
        });
        source
    }

    /// What is known.
    pub(crate) fn get(self) -> Recording {
        self.recording.get()
    }

    /// Looks at what is known.
    pub(crate) fn with<T>(self, look: impl FnOnce(&Recording) -> T) -> T {
        self.recording.with(look)
    }

    /// Asks the server. Only for the browser.
    pub(crate) fn load(self) {
        spawn_local(async move {
            let answer = api::flow().await;
            self.recording.update(|recording| {
                *recording = match answer {
                    Ok(flow) => recording.clone().with_answer(flow),
                    Err(problem) if problem.status == 404 => Recording::Off,
                    // What is there already is better than nothing.
                    Err(_) if matches!(recording, Recording::Logins(_)) => recording.clone(),
                    Err(problem) => Recording::Failed(problem.into()),
                };
            });
        });
    }

    /// Has the server forget them all. Only for the browser.
    pub(crate) async fn forget(self) -> Result<(), Problem> {
        api::forget_flow().await?;
        self.recording.set(Recording::Logins(Vec::new()));
        // The server has forgotten the browser as well: what happens from now on is told under the name that it gets with this.
        spawn_local(async move {
            let _ = api::flow().await;
            self.beginnings.try_update(|beginnings| *beginnings += 1);
        });
        Ok(())
    }

    /// Takes in what happens as it happens, for as long as the page is seen. Only for the browser.
    ///
    /// A page in the background lets go of its connection: a browser opens only a few to a server, and nobody is looking.
    pub(crate) fn follow(self) {
        let is_seen = RwSignal::new(false);
        Effect::new(move || {
            is_seen.set(!document().hidden());
            let turned = window_event_listener(leptos::ev::visibilitychange, move |_| is_seen.set(!document().hidden()));
            let leaving = window_event_listener(leptos::ev::pagehide, move |_| is_seen.set(false));
            let coming = window_event_listener(leptos::ev::pageshow, move |_| is_seen.set(!document().hidden()));
            on_cleanup(move || {
                turned.remove();
                leaving.remove();
                coming.remove();
            });
        });
        // Where nothing is recorded there is nobody to ask.
        let wanted = Memo::new(move |_| {
            let is_wanted = is_seen.get() && self.recording.with(|recording| matches!(recording, Recording::Logins(_)));
            is_wanted.then(|| self.beginnings.get())
        });
        Effect::new(move |listener: Option<Option<Listener>>| {
            // Memos tell of changes only, so what was there is not wanted any more.
            drop(listener);
            wanted.get().and_then(|_| Listener::start(self))
        });
    }
}

/// A connection that tells first of all logins and then of each that changes; it is closed when this is dropped.
struct Listener {
    source: EventSource,
    _heard: Closure<dyn Fn(MessageEvent)>,
}

impl Listener {
    fn start(of: Source) -> Option<Self> {
        let source = EventSource::new(FLOW_EVENTS).ok()?;
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(login) = event.data().as_string().and_then(|text| json::read(&text)) {
                of.recording.update(|recording| *recording = recording.clone().with(login));
            }
        });
        // Only a name that is none would be refused.
        let _ = source.add_event_listener_with_callback(LOGIN_EVENT, heard.as_ref().unchecked_ref());
        Some(Self { source, _heard: heard })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.source.close();
    }
}

#[cfg(test)]
mod tests {
    use super::Recording;
    use crate::{flow::Flow, handover::HandedFlow, pages::flow::example};

    fn lengths(recording: &Recording) -> Vec<(String, usize)> {
        let Recording::Logins(logins) = recording else { panic!("{recording:?}") };
        logins.iter().map(|login| (login.id.clone(), login.messages.len())).collect()
    }

    #[test]
    fn a_login_that_grows_takes_its_own_place_and_a_new_one_comes_first() {
        let (old, new) = (example::signed_in(), example::denied());
        let mut beginning = new.clone();
        beginning.messages.truncate(1);
        let recording = Recording::Waiting.with_answer(Flow { logins: vec![old.clone()] }).with(beginning.clone());
        assert_eq!(lengths(&recording), [(new.id.clone(), 1), (old.id.clone(), old.messages.len())]);
        let recording = recording.with(new.clone());
        assert_eq!(lengths(&recording)[0], (new.id.clone(), new.messages.len()));
        assert_eq!(recording.chosen(None).unwrap().id, new.id);
        assert_eq!(recording.chosen(Some(&old.id)).unwrap().id, old.id);
        assert_eq!(recording.chosen(Some("gone")).unwrap().id, new.id);
        // An answer that was overtaken by an event does not take anything away, and what the server has forgotten is gone.
        let recording = recording.with_answer(Flow { logins: vec![beginning] });
        assert_eq!(lengths(&recording), [(new.id.clone(), new.messages.len())]);
    }

    #[test]
    fn what_the_server_hands_over_is_what_it_would_answer() {
        let flow = Flow { logins: vec![example::denied()] };
        let recording = Recording::from(HandedFlow::new(Some(&flow)));
        assert_eq!(lengths(&recording).len(), 1);
        assert_eq!(Recording::from(HandedFlow::new(None)), Recording::Off);
        assert_eq!(Recording::from(HandedFlow::Recorded("<".to_owned())), Recording::Waiting);
    }
}
