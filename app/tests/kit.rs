//! The kit in an app that is not this one: parts come and go while answers are on their way, and there may be more than one of them.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use js_sys::{Array, Function, Promise, Reflect};
use leptos::{
    mount::{UnmountHandle, mount_to_renderer},
    prelude::*,
    task::{spawn_local, tick},
};
use oauth2flow_app::{
    api::Session,
    kit::{CurrentSession, Departure, SessionProvider, SessionState, SignedIn, use_session},
};
use std::cell::{Cell, RefCell};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{BroadcastChannel, HtmlElement};

wasm_bindgen_test_configure!(run_in_browser);

const ALICE: &str = concat!(
    r#"{"authenticated":true,"user":{"sub":"a1","name":"Alice"},"provider":"demo","scopes":[],"#,
    r#""session":{"created_at":"2026-01-01T00:00:00Z","idle_expires_at":"2999-01-01T00:00:00Z","expires_at":"2999-01-01T00:00:00Z"},"#,
    r#""access_token":{"refreshable":true}}"#
);
const NOBODY: &str = r#"{"authenticated":false}"#;

/// Takes the network's place: every request waits until it is answered, and connections for events are counted.
fn take_network() {
    let script = "
        window.asked ??= [];
        window.asked.length = 0;
        window.open ??= 0;
        window.fetch = ({ method, url }) => new Promise((done, failed) => window.asked.push({ path: new URL(url).pathname, method, done, failed }));
        window.EventSource = class {
            static CLOSED = 2;
            readyState = 1;
            constructor() { window.connections = (window.connections ?? 0) + 1; }
            addEventListener() {}
            close() { if (this.readyState === 1) window.connections -= 1; this.readyState = 2; }
        };";
    Function::new_no_args(script).call0(&JsValue::UNDEFINED).unwrap();
}

fn of_window(name: &str) -> JsValue {
    Reflect::get(&window(), &name.into()).unwrap()
}

fn connections() -> f64 {
    of_window("connections").as_f64().unwrap_or_default()
}

/// The paths that have been asked for and not been answered.
fn asked() -> Vec<String> {
    let asked: Array = of_window("asked").unchecked_into();
    asked.iter().map(|request| Reflect::get(&request, &"path".into()).unwrap().as_string().unwrap()).collect()
}

/// Answers the oldest request, or has it fail.
async fn answer(body: Option<&str>) {
    let asked: Array = of_window("asked").unchecked_into();
    let request = asked.shift();
    assert!(request.is_object(), "nothing has been asked for");
    let settle: Function = Reflect::get(&request, &if body.is_some() { "done" } else { "failed" }.into()).unwrap().unchecked_into();
    let answer: JsValue = match body {
        Some(body) => web_sys::Response::new_with_opt_str(Some(body)).unwrap().into(),
        None => js_sys::TypeError::new("Failed to fetch").into(),
    };
    settle.call1(&JsValue::UNDEFINED, &answer).unwrap();
    settled().await;
}

/// Waits until everything that follows from what has happened has happened, but for what waits for the network.
async fn settled() {
    for _ in 0..4 {
        let turn = Promise::new(&mut |done, _| {
            window().set_timeout_with_callback(&done).unwrap();
        });
        JsFuture::from(turn).await.unwrap();
        tick().await;
    }
}

/// Waits until this holds.
async fn until(holds: impl Fn() -> bool) {
    while !holds() {
        settled().await;
    }
}

thread_local! {
    static SESSIONS: RefCell<Vec<CurrentSession>> = const { RefCell::new(Vec::new()) };
    static BUILT: Cell<u32> = const { Cell::new(0) };
}

/// An app that says who is signed in.
#[component]
fn Example() -> impl IntoView {
    view! {
        <SessionProvider>
            <Inside />
        </SessionProvider>
    }
}

#[component]
fn Inside() -> impl IntoView {
    SESSIONS.with_borrow_mut(|sessions| sessions.push(use_session()));
    view! {
        <SignedIn let:person>
            {BUILT.set(BUILT.get() + 1)}
            <p>{person.user.name.clone()}</p>
        </SignedIn>
    }
}

struct Mounted<M: Mountable + 'static> {
    place: HtmlElement,
    session: CurrentSession,
    handle: UnmountHandle<M>,
}

fn mount<V: IntoView + 'static>(app: fn() -> V) -> Mounted<<V as Render>::State> {
    let place: HtmlElement = document().create_element("div").unwrap().unchecked_into();
    document().body().unwrap().append_child(&place).unwrap();
    let handle = mount_to_renderer(&place, app);
    let session = SESSIONS.with_borrow_mut(Vec::pop).unwrap();
    Mounted { place, session, handle }
}

impl<M: Mountable + 'static> Mounted<M> {
    fn says(&self) -> String {
        self.place.text_content().unwrap_or_default()
    }
}

/// Answers what an app asks for when it begins: who is signed in, and the ways to sign in.
async fn begin(session: &str) {
    settled().await;
    assert_eq!(asked(), ["/api/v1/session", "/api/v1/oauth/providers"]);
    answer(Some(session)).await;
    answer(Some("[]")).await;
}

#[wasm_bindgen_test]
async fn an_app_that_is_gone_when_its_answers_come_does_nothing() {
    take_network();
    let app = mount(|| view! { <Example /> });
    settled().await;
    let session = app.session;
    let call = std::rc::Rc::new(Cell::new(None));
    let called = std::rc::Rc::clone(&call);
    spawn_local(async move { called.set(Some(session.sign_out(false).await)) });
    settled().await;
    assert_eq!(asked(), ["/api/v1/session", "/api/v1/oauth/providers", "/api/v1/oauth/logout"]);
    drop(app.handle);
    answer(Some(ALICE)).await;
    answer(None).await;
    answer(None).await;
    // The sign-out has failed, and asks what is true: nobody is there to be told.
    assert_eq!(asked(), ["/api/v1/session"]);
    answer(Some(ALICE)).await;
    session.refresh();
    settled().await;
    assert_eq!(asked(), Vec::<String>::new());
    assert_eq!(session.get_untracked(), SessionState::Unknown);
    assert!(call.take().is_some());
}

#[wasm_bindgen_test]
async fn two_apps_of_one_page_and_other_tabs_stay_in_step_for_as_long_as_they_are_there() {
    take_network();
    let one = mount(|| view! { <Example /> });
    begin(ALICE).await;
    let other = mount(|| view! { <Example /> });
    begin(ALICE).await;
    assert_eq!((one.says().as_str(), other.says().as_str()), ("Alice", "Alice"));

    // One signs out: it is certain when the server has answered, and then the other knows.
    let session = one.session;
    spawn_local(async move {
        session.sign_out(false).await;
    });
    settled().await;
    assert_eq!((one.says().as_str(), other.says().as_str()), ("", "Alice"));
    answer(Some("{}")).await;
    assert_eq!(other.says(), "");

    // Another tab signs in.
    let tab = BroadcastChannel::new("oauth2flow session").unwrap();
    tab.post_message(&ALICE.into()).unwrap();
    until(|| one.says() == "Alice" && other.says() == "Alice").await;
    let gone = one.session;
    drop(one.handle);
    tab.post_message(&NOBODY.into()).unwrap();
    until(|| other.says().is_empty()).await;
    assert_eq!(gone.get_untracked(), SessionState::Unknown);
    drop(other.handle);
    tab.close();
}

#[wasm_bindgen_test]
async fn a_connection_for_events_is_there_only_while_somebody_is_signed_in() {
    take_network();
    let app = mount(|| view! { <Example /> });
    begin(NOBODY).await;
    assert_eq!(connections(), 0.0);
    app.session.learn(serde_json::from_str(ALICE).unwrap());
    until(|| connections() == 1.0).await;
    app.session.learn(Session::anonymous());
    until(|| connections() == 0.0).await;
    app.session.learn(serde_json::from_str(ALICE).unwrap());
    until(|| connections() == 1.0).await;
    drop(app.handle);
    until(|| connections() == 0.0).await;
}

#[wasm_bindgen_test]
async fn a_sign_out_shows_at_once_and_comes_back_where_it_fails() {
    take_network();
    let app = mount(|| view! { <Example /> });
    begin(ALICE).await;
    let session = app.session;
    let leave = move || {
        spawn_local(async move {
            session.sign_out(true).await;
        })
    };
    leave();
    leave();
    settled().await;
    assert_eq!(app.says(), "");
    assert_eq!(asked(), ["/api/v1/oauth/logout"], "the second press does nothing");
    // What was known before it is not news.
    session.learn(serde_json::from_str(ALICE).unwrap());
    settled().await;
    assert_eq!((app.says().as_str(), session.departure()), ("", Departure::UnderWay));

    answer(None).await;
    answer(Some(ALICE)).await;
    assert_eq!(app.says(), "Alice");
    assert!(matches!(session.departure(), Departure::Failed { everywhere: true, .. }));

    // Nobody knows whether it has failed: what is private is not shown again.
    leave();
    settled().await;
    answer(None).await;
    answer(None).await;
    assert_eq!(app.says(), "");
    assert!(matches!(session.departure(), Departure::Failed { .. }));

    // Only the answer was lost.
    leave();
    settled().await;
    answer(None).await;
    answer(Some(NOBODY)).await;
    assert_eq!((app.says().as_str(), session.departure()), ("", Departure::None));
    drop(app.handle);
}

#[wasm_bindgen_test]
async fn a_question_that_nobody_waits_for_any_more_does_not_stand_in_the_way_of_the_next() {
    take_network();
    let app = mount(|| view! { <Example /> });
    begin(NOBODY).await;
    {
        let session = app.session;
        let mut question = Box::pin(async move { session.ask().await });
        let waker = std::task::Waker::noop();
        assert!(question.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
    }
    settled().await;
    assert_eq!(asked(), ["/api/v1/session"]);
    app.session.refresh();
    settled().await;
    assert_eq!(asked(), ["/api/v1/session", "/api/v1/session"]);
    answer(Some(NOBODY)).await;
    answer(Some(ALICE)).await;
    assert_eq!(app.says(), "Alice");
    drop(app.handle);
}

#[wasm_bindgen_test]
async fn what_is_shown_to_somebody_is_not_built_anew_when_their_lifetimes_change() {
    take_network();
    let app = mount(|| view! { <Example /> });
    begin(ALICE).await;
    let built = BUILT.get();
    app.session.learn(serde_json::from_str(&ALICE.replace("2999", "2998")).unwrap());
    settled().await;
    assert_eq!((app.says().as_str(), BUILT.get()), ("Alice", built));
    drop(app.handle);
}
