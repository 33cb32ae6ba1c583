//! Who is signed in: one state for the whole app, and one question at a time to the server.

use js_sys::{Function, Promise};
use leptos::{prelude::*, task::spawn_local};
use std::{cell::RefCell, sync::Arc, time::Duration};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::{
    api::{self, Anonymous, Problem, Session, SignedIn},
    clock::{Clock, unix_seconds},
    draft::{self, Wait},
    handover::Handover,
    problem::ProblemCode,
    session_events::tell_other_tabs,
};
pub use sign_out::Departure;
pub(crate) use sign_out::LEAVING;

mod sign_out;

/// How long after the end of a session the server is asked whether there is another one.
const SECOND_LOOK: Duration = Duration::from_secs(1);

thread_local! {
    /// Calls that wait for the user to sign in again, each with the session that it is made in.
    static WAITING: RefCell<Vec<(CurrentSession, Function)>> = const { RefCell::new(Vec::new()) };
}

/// The session as the app sees it. Inside [`SessionProvider`](crate::kit::SessionProvider) only.
pub fn use_session() -> CurrentSession {
    expect_context()
}

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
///
/// It may be kept for longer than its [`SessionProvider`](crate::kit::SessionProvider) is there, by a call that is under way: then
/// nothing is known, and nothing happens.
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
    interrupted: bool,
    ends_at: Option<String>,
    /// What comes back if the sign-out that is under way fails.
    leaving: Option<SessionState>,
    departure: Departure,
}

/// The questions to the server.
#[derive(Clone, Copy, Debug, Default)]
struct Questions {
    /// How many are on their way.
    asking: u32,
    /// Counts the changes, so that an answer that was overtaken by a newer one is thrown away.
    version: u32,
}

/// A question that is on its way, for as long as anybody waits for its answer.
struct Question(CurrentSession);

impl Question {
    fn begin(session: CurrentSession) -> Self {
        session.questions.update_value(|questions| questions.asking += 1);
        Self(session)
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.0.questions.update_value(|questions| questions.asking -= 1);
    }
}

impl PartialEq for CurrentSession {
    fn eq(&self, other: &Self) -> bool {
        self.known == other.known
    }
}

impl CurrentSession {
    /// The session that the server rendered the page with, if it did.
    pub fn new(handover: &Handover, clock: Clock) -> Self {
        let state = handover.session.clone().map(SessionState::from).unwrap_or_default();
        Self { clock, known: RwSignal::new(Known { state, ..Known::default() }), questions: StoredValue::new(Questions::default()) }
    }

    /// The server's time.
    pub fn clock(self) -> Clock {
        self.clock
    }

    /// The state.
    pub fn get(self) -> SessionState {
        self.known.get().state
    }

    /// The state, without subscribing to it.
    pub fn get_untracked(self) -> SessionState {
        self.known_untracked().state
    }

    fn known_untracked(self) -> Known {
        self.known.try_get_untracked().unwrap_or_default()
    }

    /// Who is signed in.
    pub fn user(self) -> Option<api::User> {
        self.get().signed_in().map(|signed_in| signed_in.user.clone())
    }

    /// Why the state is not known.
    pub fn problem(self) -> Option<Problem> {
        self.known.get().problem
    }

    /// Whether a session ended while this page was open, without anybody having signed out here.
    pub fn has_lapsed(self) -> bool {
        self.known.get().lapsed
    }

    /// Whether the session has ended under the user's hands: what was there stays on the page until the same user is back, or does not
    /// want to be.
    pub fn is_interrupted(self) -> bool {
        self.known.get().interrupted
    }

    /// When the session ends, RFC 3339 in UTC, once that is soon.
    pub fn ends_at(self) -> Option<String> {
        self.known.get().ends_at
    }

    /// Whether it has ended so, without subscribing to it.
    pub fn is_interrupted_untracked(self) -> bool {
        self.known_untracked().interrupted
    }

    /// Makes a call, and makes it again when the user had to sign in again for it: nothing that was typed is lost. Only for the browser.
    ///
    /// # Errors
    /// The call's own; `unauthenticated` when the user does not want to sign in, or somebody else has.
    pub async fn keep_on<T>(self, call: impl AsyncFn() -> Result<T, Problem>) -> Result<T, Problem> {
        self.keep_on_while(call, Wait::default).await
    }

    /// The same for a call that has a wait of its own.
    pub(crate) async fn keep_on_while<T>(self, call: impl AsyncFn() -> Result<T, Problem>, begin: impl Fn() -> Wait) -> Result<T, Problem> {
        let before = self.get_untracked();
        let mut was_back_already = false;
        loop {
            let problem = match call().await {
                Err(problem) if problem.is(ProblemCode::Unauthenticated) || problem.is(ProblemCode::SessionEnded) => problem,
                answer => return answer,
            };
            let Some(before) = before.signed_in() else { return Err(problem) };
            match api::session(true).await {
                // The call was on its way while the user came back. Or it is not this server that knows nobody.
                Ok((session, _)) if session.signed_in().is_some_and(|now| is_same_user(before, now)) && !was_back_already => {
                    was_back_already = true;
                    self.learn(session);
                }
                Ok((session, _)) if session.signed_in().is_some() => {
                    self.learn(session);
                    return Err(problem);
                }
                _ if self.get_untracked().signed_in().is_some() => {
                    let wait = begin();
                    if !self.sign_in_again().await || !wait.is_still_to_be_made() {
                        return Err(problem);
                    }
                }
                _ => return Err(problem),
            }
        }
    }

    /// Interrupts the page until the user is back, and tells whether that is so.
    async fn sign_in_again(self) -> bool {
        self.interrupt();
        let back = Promise::new(&mut |done, _| WAITING.with_borrow_mut(|waiting| waiting.push((self, done))));
        // Such a promise is never rejected.
        JsFuture::from(back).await.is_ok_and(|back| back.is_truthy())
    }

    fn interrupt(self) {
        let known = self.known_untracked();
        self.set(Known { interrupted: true, problem: None, ..known });
    }

    /// Goes on without the user, who does not want to sign in again. Only for the browser.
    pub fn give_up(self) {
        draft::forget();
        self.set(Known { state: SessionState::Anonymous, lapsed: true, ..Known::default() });
        self.answer_waiting(false);
    }

    /// Asks the server, unless it is being asked already; by that the session is used. Only for the browser.
    pub fn refresh(self) {
        self.ask_once(true);
    }

    /// The same, where it is the page that wants to know, and not its user: an open page does not keep a session alive.
    pub(crate) fn look(self) {
        self.ask_once(false);
    }

    /// The same, whatever is being asked already: that may have been asked in vain.
    pub(crate) fn look_anew(self) {
        spawn_local(async move {
            self.ask_server(false).await;
        });
    }

    fn ask_once(self, prolongs: bool) {
        if self.questions.try_get_value().is_some_and(|questions| questions.asking == 0) {
            spawn_local(async move {
                self.ask_server(prolongs).await;
            });
        }
    }

    /// Asks the server now and tells whether somebody is signed in. Only for the browser.
    pub async fn ask(self) -> bool {
        self.ask_server(true).await
    }

    async fn ask_server(self, prolongs: bool) -> bool {
        let version = self.version();
        let question = Question::begin(self);
        let answer = api::session(prolongs).await;
        drop(question);
        let known = self.known_untracked();
        let (state, problem) = match answer {
            Ok((session, server_time)) => {
                if let Some(server_time) = server_time {
                    self.clock.set_by_server(server_time);
                }
                let was_signed_in = known.state.signed_in().is_some();
                // Another tab may be in the middle of something, too, and finds out by itself.
                let is_news = session.signed_in().is_some() != was_signed_in && self.version() == version;
                if is_news && !known.interrupted && known.leaving.is_none() {
                    // The other tabs keep what they have, as this one does, where it is the clock that has ended it.
                    let has_run_out = known.state.signed_in().is_some_and(|before| session.signed_in().is_none() && self.is_over(before));
                    tell_other_tabs(self, &if has_run_out { Session::expired() } else { session.clone() });
                }
                (SessionState::from(session), None)
            }
            Err(problem) => (known.state.clone(), Some(problem)),
        };
        let answered = problem.is_none();
        let signed_in = state.signed_in().is_some();
        // Where another question is on its way, it is that one's answer that counts.
        let is_asked_again = self.questions.try_get_value().is_some_and(|questions| questions.asking > 0);
        if self.version() == version && (answered || !is_asked_again) {
            self.take_over(state, problem);
        }
        signed_in && answered
    }

    fn version(self) -> u32 {
        self.questions.try_get_value().unwrap_or_default().version
    }

    /// Takes over what another tab says, or the server's events. That nobody is signed in is believed at once, so that nothing private
    /// stays; but it may be said of a session that a newer sign-in of this browser has just replaced, so the server is asked once that
    /// has had the time to arrive. Where that is certain, what is on the page stays until then. Only for the browser.
    pub(crate) fn hear(self, heard: Session) {
        let is_leaving = self.known_untracked().leaving.is_some();
        let asks_again = matches!(heard, Session::Anonymous(Anonymous { expired: false, .. })) && !is_leaving;
        if is_leaving || !matches!(heard, Session::Anonymous(Anonymous { replaced: true, .. })) {
            self.learn(heard);
        }
        if asks_again {
            set_timeout(move || self.look(), SECOND_LOOK);
        }
    }

    /// Takes over what somebody else has learnt from the server. Only for the browser.
    pub fn learn(self, session: Session) {
        match session {
            // Whoever is leaving has left.
            Session::Anonymous(_) if self.known_untracked().leaving.is_some() => {
                let known = self.known_untracked();
                self.set(Known { leaving: None, ..known });
            }
            Session::Anonymous(Anonymous { expired: true, .. }) if self.get_untracked().signed_in().is_some() => self.interrupt(),
            // Whoever signs out elsewhere means this page, too, even one that waits for them.
            Session::Anonymous(_) => {
                let known = self.known_untracked();
                let lapsed = known.lapsed || known.state.signed_in().is_some();
                draft::forget();
                self.set(Known { state: SessionState::Anonymous, lapsed, departure: known.departure.of_nobody(), ..Known::default() });
                self.answer_waiting(false);
            }
            session @ Session::SignedIn(_) => self.take_over(session.into(), None),
        }
    }

    /// The server says that the session ends soon. Only for the browser.
    pub fn warn(self, expires_at: String) {
        let known = self.known_untracked();
        if known.state.signed_in().is_some() {
            self.set(Known { ends_at: Some(expires_at), ..known });
        }
    }

    fn take_over(self, state: SessionState, problem: Option<Problem>) {
        let known = self.known_untracked();
        // Until a sign-out has failed, nobody who was asked before it is worth showing.
        if known.departure.is_under_way() {
            return;
        }
        match (known.state.signed_in(), state.signed_in()) {
            (Some(before), Some(now)) if !is_same_user(before, now) => {
                // Somebody else must see nothing of what is on this page, and sends nothing of it.
                draft::forget();
                self.set(Known { state, ..Known::default() });
                self.answer_waiting(false);
                let _ = location().reload();
                return;
            }
            (Some(_), None) if known.interrupted => return,
            // What the clock ended, ended under the user's hands.
            (Some(before), None) if problem.is_none() && self.is_over(before) => return self.interrupt(),
            _ => {}
        }
        let lapsed = state.signed_in().is_none() && (known.state.signed_in().is_some() || known.lapsed);
        let is_back = known.interrupted && problem.is_none();
        let interrupted = known.interrupted && !is_back;
        let ends_at = known.ends_at.filter(|_| problem.is_some());
        let departure = if state.signed_in().is_some() { known.departure.of_somebody() } else { known.departure.of_nobody() };
        self.set(Known { state, problem, lapsed, interrupted, ends_at, leaving: None, departure });
        if is_back {
            self.answer_waiting(true);
        }
    }

    /// Whether the session's time is up, give or take what a message travels.
    fn is_over(self, signed_in: &SignedIn) -> bool {
        const LEEWAY_SECONDS: i64 = 3;
        let ends = [&signed_in.session.idle_expires_at, &signed_in.session.expires_at];
        ends.into_iter().filter_map(|end| unix_seconds(end)).any(|end| end <= self.clock.read() + LEEWAY_SECONDS)
    }

    /// Lets the calls that wait go on.
    pub(crate) fn answer_waiting(self, is_back: bool) {
        let (own, others) = WAITING.take().into_iter().partition::<Vec<_>, _>(|(session, _)| *session == self);
        WAITING.set(others);
        for (_, done) in own {
            // A promise's own function does not fail.
            let _ = done.call1(&JsValue::UNDEFINED, &is_back.into());
        }
    }

    fn set(self, known: Known) {
        self.questions.update_value(|questions| questions.version = questions.version.wrapping_add(1));
        if self.known_untracked() != known {
            self.known.set(known);
        }
    }
}

pub(crate) fn is_same_user(one: &SignedIn, other: &SignedIn) -> bool {
    one.provider == other.provider && one.user.sub == other.user.sub
}
