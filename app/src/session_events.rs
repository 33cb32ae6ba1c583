//! What becomes of the session elsewhere: in another tab, in another browser, at the provider.
//!
//! One tab listens to the server and tells the others, because a browser opens only six connections to a server over HTTP/1.1:
//! with one for each tab, the seventh would wait for ever. It is the tab that holds a lock of the browser's; when that tab is
//! closed, another gets the lock.

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::*;
use std::{cell::RefCell, rc::Rc, time::Duration};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BroadcastChannel, EventSource, MessageEvent};

use crate::{
    api::{self, Session, SessionExpiring},
    json,
    session::CurrentSession,
};

/// How long a tab waits before it listens again, once the server has refused it.
const PAUSE: Duration = Duration::from_secs(15);

/// The name of the tabs' channel, and of the lock.
const NAME: &str = "oauth2flow session";

thread_local! {
    /// Between the tabs of this browser; it carries what `GET /session` answers.
    static CHANNEL: Option<BroadcastChannel> = open_channel();
    /// Everybody on this page who is to know: a page may have several apps.
    static FOLLOWERS: RefCell<Vec<CurrentSession>> = const { RefCell::new(Vec::new()) };
}

fn open_channel() -> Option<BroadcastChannel> {
    let channel = BroadcastChannel::new(NAME).ok()?;
    let heard = Closure::<dyn Fn(MessageEvent)>::new(|event: MessageEvent| {
        if let Some(text) = event.data().as_string() {
            for session in FOLLOWERS.with_borrow(Clone::clone) {
                learn(session, &text);
            }
        }
    });
    channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    // It is the page's, and ends with it.
    heard.forget();
    Some(channel)
}

/// Tells the other tabs what this one has learnt. Only for the browser.
pub fn tell_other_tabs(from: CurrentSession, session: &Session) {
    if let Some(text) = json::write(session) {
        tell(from, &text);
    }
}

fn tell(from: CurrentSession, text: &str) {
    // Whoever has blocked storage has no channel either; then every tab finds out by itself.
    CHANNEL.with(|channel| channel.as_ref().map(|channel| channel.post_message(&text.into())));
    // A channel does not hear itself.
    for neighbour in FOLLOWERS.with_borrow(Clone::clone) {
        if neighbour != from {
            learn(neighbour, text);
        }
    }
}

/// Keeps the session in step, for as long as its provider is there. Only for the browser.
pub fn follow(session: CurrentSession) {
    FOLLOWERS.with_borrow_mut(|followers| followers.push(session));
    // Whoever only listens has a channel, too.
    CHANNEL.with(|_| ());

    // A page that holds a connection or a lock cannot be kept for Back, and one that is kept must not hold the others up.
    let is_open = RwSignal::new(true);
    let closing = window_event_listener(leptos::ev::pagehide, move |_| is_open.set(false));
    let opening = window_event_listener(leptos::ev::pageshow, move |_| is_open.set(true));
    let tries = RwSignal::new(0_u32);
    // What has happened meanwhile is not waited for: the session is asked for, and the server's events are listened to anew.
    let connecting = window_event_listener(leptos::ev::online, move |_| {
        session.look_anew();
        tries.update(|tries| *tries = tries.wrapping_add(1));
    });
    on_cleanup(move || {
        FOLLOWERS.with_borrow_mut(|followers| followers.retain(|follower| *follower != session));
        session.answer_waiting(false);
        closing.remove();
        opening.remove();
        connecting.remove();
    });
    // An interrupted session has no events; when its user is back, there is another one to listen to.
    let wanted = Memo::new(move |_| {
        let is_wanted = is_open.get() && session.get().signed_in().is_some() && !session.is_interrupted();
        is_wanted.then(|| tries.get())
    });
    Effect::new(move |listener: Option<Option<Listener>>| {
        // Memos tell of changes only, so what was there has ended.
        drop(listener);
        wanted.get().map(|_| Listener::queue(session, tries))
    });
}

/// The tab's place in the queue for the server's events; it is left when this is dropped.
struct Listener(Rc<RefCell<Stage>>);

enum Stage {
    /// Another tab is listening.
    Waiting,
    /// This one is.
    Listening { source: EventSource, _heard: Closure<dyn Fn(MessageEvent)>, _broken: Closure<dyn Fn()>, release: Option<Function> },
    /// Nobody wants to listen here any more.
    Over,
}

impl Listener {
    fn queue(session: CurrentSession, tries: RwSignal<u32>) -> Self {
        let stage = Rc::new(RefCell::new(Stage::Waiting));
        let granted = {
            let stage = Rc::clone(&stage);
            // The lock is held until the promise ends.
            Closure::once_into_js(move |_lock: JsValue| {
                Promise::new(&mut |release, _| {
                    if matches!(*stage.borrow(), Stage::Waiting) {
                        stage.replace(listen(session, tries, Some(release)));
                    } else {
                        let _ = release.call0(&JsValue::UNDEFINED);
                    }
                })
            })
        };
        if request_lock(&granted).is_none() {
            // Without locks every tab listens for itself.
            stage.replace(listen(session, tries, None));
        }
        Self(stage)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Stage::Listening { source, release, .. } = self.0.replace(Stage::Over) {
            source.close();
            if let Some(release) = release {
                // A promise's own function does not fail.
                let _ = release.call0(&JsValue::UNDEFINED);
            }
        }
    }
}

/// `navigator.locks.request(NAME, granted)`: the bindings count locks as unstable still, though every browser has had them since 2022.
fn request_lock(granted: &JsValue) -> Option<()> {
    let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    let request = Reflect::get(&locks, &"request".into()).ok()?.dyn_into::<Function>().ok()?;
    let promise = request.call2(&locks, &NAME.into(), granted).ok()?.dyn_into::<Promise>().ok()?;
    // A page that is being left gives its place up, which the promise reports as a failure.
    wasm_bindgen_futures::spawn_local(async move {
        let _ = wasm_bindgen_futures::JsFuture::from(promise).await;
    });
    Some(())
}

fn listen(session: CurrentSession, tries: RwSignal<u32>, release: Option<Function>) -> Stage {
    let Ok(source) = EventSource::new(api::SESSION_EVENTS) else { return Stage::Over };
    let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(text) = event.data().as_string() {
            learn(session, &text);
            tell(session, &text);
        }
    });
    for name in ["signed_in", "refreshed", "expiring", "signed_out"] {
        // Only a name that is none would be refused.
        let _ = source.add_event_listener_with_callback(name, heard.as_ref().unchecked_ref());
    }
    // The browser reconnects by itself, unless the server refuses: then the session has ended, or the server is not well.
    let broken = {
        let source = source.clone();
        Closure::<dyn Fn()>::new(move || {
            if source.ready_state() == EventSource::CLOSED {
                session.look();
                // Where the session lives on, another try is made, and another tab may have its turn.
                set_timeout(move || tries.update(|tries| *tries = tries.wrapping_add(1)), PAUSE);
            }
        })
    };
    source.set_onerror(Some(broken.as_ref().unchecked_ref()));
    Stage::Listening { source, _heard: heard, _broken: broken, release }
}

/// Takes over what another tab or the server says of the session.
fn learn(session: CurrentSession, text: &str) {
    if let Some(heard) = json::read(text) {
        session.hear(heard);
    } else if let Some(SessionExpiring { expires_at }) = json::read(text) {
        session.warn(expires_at);
    }
}
