//! The X-ray: what really happens in a login, kept for the browser that makes it.
//!
//! Whoever works on a login carries a [`Recorder`] with the task ([`within`], [`carry`]), and the places where something is sent, received
//! or judged tell it ([`exchange`], [`login`], [`session`]). Where nobody records, as everywhere by default but on this machine itself,
//! each of them costs a look at a task's local value. Everything is redacted before it is kept (`flow/redaction.rs`), and bounded.

pub mod exchange;
pub mod login;
pub(crate) mod redaction;
pub mod session;
pub mod verdict;

use crate::{
    clock::Clock,
    config::FlowConfig,
    entropy::{Entropy, random},
    session::{
        cookie::{Cookies, Presented},
        record::Key,
    },
    state::AppState,
};
use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::Either;
use oauth2flow_app::flow::{Channel, Check, CheckOutcome, Message, MessageName, Party, RecordedLogin};
use redaction::{Draft, Fingerprints, Secrets};
use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::broadcast;

/// How many messages of a login are kept: a login has about twenty, and what happens to its session comes on top.
const MAXIMUM_MESSAGES: usize = 64;
/// How many changes a slow listener may be behind before it is told everything anew.
const CHANGES: usize = 64;

tokio::task_local! {
    static CURRENT: Recorder;
}

/// Has work recorded, if there is a recorder. Not an `async fn`, which would have room for the work twice.
pub fn within<F: Future>(recorder: Option<Recorder>, work: F) -> impl Future<Output = F::Output> {
    match recorder {
        Some(recorder) => Either::Left(CURRENT.scope(recorder, Box::pin(work))),
        None => Either::Right(work),
    }
}

/// Has work that goes on by itself recorded as what began it is.
pub fn carry<F: Future>(work: F) -> impl Future<Output = F::Output> {
    within(current(), work)
}

/// What records the work that is being done, if anything does.
pub(crate) fn current() -> Option<Recorder> {
    CURRENT.try_with(Clone::clone).ok()
}

/// The logins that are kept.
pub struct Recordings(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    fingerprints: Fingerprints,
    limits: FlowConfig,
    ring: Mutex<Ring>,
    changes: broadcast::Sender<Change>,
}

/// A login of a browser has begun or grown.
#[derive(Clone, Copy, Debug)]
struct Change {
    browser: Key,
    number: u64,
}

#[derive(Default)]
struct Ring {
    /// The oldest first.
    logins: VecDeque<Recording>,
    begun: u64,
}

/// A login, with what it is found by.
struct Recording {
    number: u64,
    browser: Key,
    /// The name of the transaction that its state belongs to.
    transaction: Option<String>,
    /// The session that it led to, and whom the provider calls it by.
    session: Option<Key>,
    named: Option<Named>,
    began: Duration,
    api_calls: usize,
    login: RecordedLogin,
}

/// How a provider names a session when it ends it.
struct Named {
    issuer: String,
    sub: String,
    sid: Option<String>,
}

/// A browser, as far as its logins are concerned.
#[derive(Clone, Debug)]
pub struct BrowserId {
    key: Key,
    /// What has to be set when the browser does not have it.
    pub set_cookie: Option<HeaderValue>,
}

impl Recordings {
    /// Room for logins, where they are to be recorded.
    pub fn new(config: FlowConfig, clock: &Arc<dyn Clock>, entropy: &Arc<dyn Entropy>) -> Option<Self> {
        config.enabled.then(|| {
            Self(Arc::new(Shared {
                clock: Arc::clone(clock),
                entropy: Arc::clone(entropy),
                fingerprints: Fingerprints::new(random(&**entropy)),
                limits: config,
                ring: Mutex::default(),
                changes: broadcast::Sender::new(CHANGES),
            }))
        })
    }

    /// The browser that asks: by its cookie, or with one that it is to be given.
    pub fn browser(&self, cookies: Cookies, headers: &HeaderMap) -> BrowserId {
        if let Some(key) = known_browser(cookies, headers) {
            return BrowserId { key, set_cookie: None };
        }
        let id = URL_SAFE_NO_PAD.encode(random::<16>(&*self.0.entropy));
        BrowserId { key: browser_key(&id), set_cookie: Some(cookies.set_flow(&id)) }
    }

    /// The logins of a browser, the youngest first.
    pub fn logins(&self, browser: &BrowserId) -> Vec<RecordedLogin> {
        let ring = self.0.ring();
        ring.logins.iter().rev().filter(|recording| recording.browser == browser.key).map(|recording| recording.login.clone()).collect()
    }

    /// Forgets the logins of a browser.
    pub fn forget(&self, cookies: Cookies, headers: &HeaderMap) {
        if let Some(key) = known_browser(cookies, headers) {
            self.0.ring().logins.retain(|recording| recording.browser != key);
        }
    }

    /// Follows the logins of a browser.
    pub fn follow(&self, browser: &BrowserId) -> Follower {
        Follower { changes: self.0.changes.subscribe(), shared: Arc::clone(&self.0), browser: browser.key, untold: VecDeque::new() }
            .told_anew()
    }

    fn recorder(&self, number: u64) -> Recorder {
        Recorder { shared: Arc::clone(&self.0), number, secrets: Arc::default() }
    }

    /// Begins the recording of a login, and lets older ones go.
    fn begin(&self, browser: Key, login: RecordedLogin) -> Recorder {
        let began = self.0.clock.elapsed();
        let mut ring = self.0.ring();
        let of_browser = ring.logins.iter().filter(|recording| recording.browser == browser).count();
        if of_browser >= self.0.limits.logins_per_browser
            && let Some(oldest) = ring.logins.iter().position(|recording| recording.browser == browser)
        {
            ring.logins.remove(oldest);
        }
        while ring.logins.len() >= self.0.limits.logins {
            ring.logins.pop_front();
        }
        ring.begun += 1;
        let number = ring.begun;
        ring.logins.push_back(Recording { number, browser, transaction: None, session: None, named: None, began, api_calls: 0, login });
        drop(ring);
        self.recorder(number)
    }

    /// The youngest login of which this holds.
    fn find(&self, holds: impl Fn(&Recording) -> bool) -> Option<Recorder> {
        let number = self.0.ring().logins.iter().rev().find(|recording| holds(recording))?.number;
        Some(self.recorder(number))
    }
}

impl Shared {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BrowserId {
    /// The hash of its cookie.
    pub const fn key(&self) -> Key {
        self.key
    }
}

/// The recorder of the login that led to a session.
pub fn of_session(app: &AppState, session: Key) -> Option<Recorder> {
    app.flow.as_ref()?.find(|recording| recording.session == Some(session))
}

fn known_browser(cookies: Cookies, headers: &HeaderMap) -> Option<Key> {
    match cookies.flow(headers) {
        Presented::Value(id) if URL_SAFE_NO_PAD.decode(id).is_ok_and(|bytes| bytes.len() == 16) => Some(browser_key(id)),
        _ => None,
    }
}

/// Only the hash of the cookie is kept.
fn browser_key(id: &str) -> Key {
    Key::of_claim("browser", id)
}

/// Tells the logins of a browser as they grow.
pub struct Follower {
    changes: broadcast::Receiver<Change>,
    shared: Arc<Shared>,
    browser: Key,
    untold: VecDeque<u64>,
}

impl Follower {
    /// Begins with all that there is, the oldest first.
    fn told_anew(mut self) -> Self {
        self.tell_all();
        self
    }

    fn tell_all(&mut self) {
        let ring = self.shared.ring();
        self.untold = ring.logins.iter().filter(|recording| recording.browser == self.browser).map(|recording| recording.number).collect();
    }

    /// The next login that has begun or grown; nothing when there will be none.
    pub async fn next(&mut self) -> Option<RecordedLogin> {
        loop {
            while let Some(number) = self.untold.pop_front() {
                let ring = self.shared.ring();
                if let Some(recording) = ring.logins.iter().find(|recording| recording.number == number) {
                    return Some(recording.login.clone());
                }
            }
            match self.changes.recv().await {
                Ok(change) => self.note(change),
                Err(broadcast::error::RecvError::Lagged(_)) => self.tell_all(),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
            // What has grown in several steps meanwhile is told once.
            while let Ok(change) = self.changes.try_recv() {
                self.note(change);
            }
        }
    }

    fn note(&mut self, change: Change) {
        if change.browser == self.browser && !self.untold.contains(&change.number) {
            self.untold.push_back(change.number);
        }
    }
}

/// Records one login.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
    number: u64,
    /// What must be in no text. It is gone when the work is done.
    secrets: Arc<Mutex<Secrets>>,
}

/// A message that is about to be recorded.
struct Sent {
    name: MessageName,
    method: Option<String>,
    address: Option<String>,
    status: Option<u16>,
    parameters: Draft,
}

impl Sent {
    fn new(name: MessageName) -> Self {
        Self { name, method: None, address: None, status: None, parameters: Draft::default() }
    }
}

impl Recorder {
    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls have been recorded.
    fn api_calls(&self) -> Option<usize> {
        let ring = self.shared.ring();
        ring.logins.iter().find(|recording| recording.number == self.number).map(|recording| recording.api_calls)
    }

    /// Changes the login and says so; nothing happens when it has been let go.
    fn change<T>(&self, change: impl FnOnce(&mut Recording, Duration) -> T) -> Option<T> {
        let now = self.shared.clock.elapsed();
        let mut ring = self.shared.ring();
        let recording = ring.logins.iter_mut().find(|recording| recording.number == self.number)?;
        let since = now.saturating_sub(recording.began);
        let changed = change(recording, since);
        let browser = recording.browser;
        drop(ring);
        // Nobody may be listening.
        let _ = self.shared.changes.send(Change { browser, number: self.number });
        Some(changed)
    }

    /// Records a message, and answers its number if it is kept.
    fn message(&self, sent: Sent) -> Option<u32> {
        let (parameters, dropped_parameters) = sent.parameters.redact(&mut self.secrets(), &self.shared.fingerprints);
        let (from, to, channel, step) = place(sent.name);
        self.change(|recording, since| {
            let login = &mut recording.login;
            if login.messages.len() >= MAXIMUM_MESSAGES {
                login.dropped_messages = login.dropped_messages.saturating_add(1);
                return None;
            }
            let number = u32::try_from(login.messages.len() + 1).unwrap_or(u32::MAX);
            login.messages.push(Message {
                number,
                name: sent.name,
                from,
                to,
                channel,
                step,
                at_microseconds: microseconds(since),
                duration_microseconds: None,
                method: sent.method,
                address: sent.address,
                status: sent.status,
                error: None,
                parameters,
                dropped_parameters,
                checks: Vec::new(),
            });
            Some(number)
        })?
    }

    /// A request has been answered, or will not be.
    fn ended(&self, number: Option<u32>, error: Option<String>) {
        let Some(number) = number else { return };
        let error = error.map(|error| redaction::text(&error, &self.secrets()));
        self.change(|recording, since| {
            if let Some(message) = recording.login.messages.iter_mut().find(|message| message.number == number) {
                message.duration_microseconds = Some(microseconds(since).saturating_sub(message.at_microseconds));
                message.error = error;
            }
        });
    }

    /// Notes the verdicts on the last message of this name; on the last of all, when there is none of that name.
    fn judged(&self, name: MessageName, mut checks: Vec<Check>) {
        for check in &mut checks {
            if let CheckOutcome::Failed { reason, .. } = &mut check.outcome {
                *reason = redaction::text(reason, &self.secrets());
            }
        }
        self.change(|recording, _| {
            let messages = &mut recording.login.messages;
            let place = messages.iter().rposition(|message| message.name == name).or_else(|| messages.len().checked_sub(1));
            if let Some(place) = place {
                let judged = &mut messages[place].checks;
                // What is judged once more, with other keys, is judged anew.
                judged.retain(|known| checks.iter().all(|check| check.name != known.name));
                judged.extend(checks);
            }
        });
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Notes verdicts on a message, if anything records it.
pub(crate) fn judged(name: MessageName, checks: impl FnOnce() -> Vec<Check>) {
    if let Some(recorder) = current() {
        recorder.judged(name, checks());
    }
}

/// Between whom a message is exchanged, where it passes, and in which of the seven steps.
const fn place(name: MessageName) -> (Party, Party, Channel, u8) {
    use Channel::{Back, Front};
    use MessageName as Name;
    use Party::{Api, App, Backend, Browser, Provider};
    match name {
        Name::LoginRequest => (Browser, Backend, Front, 1),
        Name::MetadataRequest | Name::PushedAuthorizationRequest => (Backend, Provider, Back, 2),
        Name::MetadataResponse | Name::PushedAuthorizationResponse => (Provider, Backend, Back, 2),
        Name::LoginRedirect => (Backend, Browser, Front, 2),
        Name::AuthorizationRequest => (Browser, Provider, Front, 2),
        Name::Authentication => (Provider, Browser, Front, 3),
        Name::AuthorizationResponse => (Provider, Browser, Front, 4),
        Name::CodeForwarded => (App, Backend, Front, 5),
        Name::TokenRequest | Name::JwksRequest | Name::UserinfoRequest => (Backend, Provider, Back, 6),
        Name::TokenResponse | Name::JwksResponse | Name::UserinfoResponse => (Provider, Backend, Back, 6),
        Name::SessionCreated | Name::LoginRefused => (Backend, App, Front, 6),
        Name::ApiCall | Name::LogoutRequest => (App, Backend, Front, 7),
        Name::UpstreamRequest => (Backend, Api, Back, 7),
        Name::UpstreamResponse => (Api, Backend, Back, 7),
        Name::TokenExchangeRequest | Name::RefreshRequest | Name::RevocationRequest => (Backend, Provider, Back, 7),
        Name::TokenExchangeResponse | Name::RefreshResponse | Name::RevocationResponse | Name::BackchannelLogout => {
            (Provider, Backend, Back, 7)
        }
        Name::LogoutResponse => (Backend, App, Front, 7),
        Name::EndSessionRequest => (Browser, Provider, Front, 7),
    }
}
