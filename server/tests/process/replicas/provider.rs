//! A provider that takes each refresh token once, and an API that takes its tokens only.

use crate::{patience::PATIENCE, server::Setup};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};
use url::form_urlencoded;

/// How the provider takes a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Well,
    Fails,
    HangsUp,
    IsSilent,
}

/// The provider `test` and the upstream `api`.
pub(super) struct RotatingProvider {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    mood: Mood,
    hold: Option<(Sender<()>, Receiver<()>)>,
    issued: usize,
    /// The refresh token that counts, for each login.
    current: BTreeMap<usize, String>,
    logins: BTreeMap<String, usize>,
    refreshes: usize,
    spent: usize,
    saw_reuse: bool,
    good_calls: usize,
}

/// A refresh that the provider has been asked for and has not begun.
pub(super) struct Held {
    arrived: Receiver<()>,
    forget: Sender<()>,
}

impl Held {
    /// Waits until somebody asks.
    pub(super) fn wait(&self) {
        self.arrived.recv_timeout(PATIENCE).unwrap();
    }

    /// Leaves the request alone: nothing is spent.
    pub(super) fn forget(&self) {
        self.forget.send(()).unwrap();
    }
}

impl RotatingProvider {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            mood: Mood::Well,
            hold: None,
            issued: 0,
            current: BTreeMap::new(),
            logins: BTreeMap::new(),
            refreshes: 0,
            spent: 0,
            saw_reuse: false,
            good_calls: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || answer(&state, stream));
            }
        });
        Self { address, state }
    }

    /// A setup whose only provider and upstream this is.
    pub(super) fn configure(&self, setup: Setup) -> Setup {
        let url = format!("http://{}", self.address);
        setup
            .set("providers.test.client_id", "client")
            .variable("OAUTH2FLOW_PROVIDERS_TEST_CLIENT_SECRET", "sentinel-client-secret")
            .set("providers.test.authorization_url", format!("{url}/authorize"))
            .set("providers.test.token_url", format!("{url}/token"))
            .set("providers.test.userinfo_url", format!("{url}/user"))
            .set("providers.test.user.id", "id")
            .set("upstreams.api.url", format!("{url}/api"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Holds the next refresh back.
    pub(super) fn hold_next(&self) -> Held {
        let ((arriving, arrived), (forget, forgotten)) = (channel(), channel());
        self.state().hold = Some((arriving, forgotten));
        Held { arrived, forget }
    }

    /// How often it was asked for a refresh.
    pub(super) fn refreshes(&self) -> usize {
        self.state().refreshes
    }

    /// How many refresh tokens it has taken.
    pub(super) fn spent(&self) -> usize {
        self.state().spent
    }

    /// Whether a refresh token came back.
    pub(super) fn saw_reuse(&self) -> bool {
        self.state().saw_reuse
    }

    /// How often the API was called with a token that works.
    pub(super) fn good_calls(&self) -> usize {
        self.state().good_calls
    }
}

impl State {
    fn issue(&mut self, login: usize, lives_seconds: u32) -> String {
        self.issued += 1;
        let number = self.issued;
        self.current.insert(login, format!("refresh-{number}"));
        self.logins.insert(format!("refresh-{number}"), login);
        format!(
            r#"{{"access_token": "access-{number}", "refresh_token": "refresh-{number}", "token_type": "bearer", "expires_in": {lives_seconds}}}"#
        )
    }

    fn refresh(&mut self, token: &str) -> (u16, String) {
        let Some(login) = self.logins.get(token).copied() else { return (400, r#"{"error": "invalid_grant"}"#.to_owned()) };
        if self.current.get(&login).is_none_or(|current| current != token) {
            self.saw_reuse = true;
            self.current.remove(&login);
            return (400, r#"{"error": "invalid_grant"}"#.to_owned());
        }
        self.spent += 1;
        (200, self.issue(login, 3600))
    }
}

fn answer(state: &Mutex<State>, stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    // A connection stays open for the next request.
    while let Some((path, authorization, body)) = read(&mut reader) {
        let form: BTreeMap<_, _> = form_urlencoded::parse(&body).into_owned().collect();
        let (status, body) = match (path.as_str(), form.get("refresh_token")) {
            ("/token", None) => {
                let mut state = state.lock().unwrap();
                let login = state.issued;
                // A session at the end of its token, from the beginning.
                (200, state.issue(login, 0))
            }
            ("/token", Some(token)) => {
                let (mood, hold) = {
                    let mut state = state.lock().unwrap();
                    state.refreshes += 1;
                    (state.mood, state.hold.take())
                };
                if let Some((arriving, forgotten)) = hold {
                    arriving.send(()).unwrap();
                    // Being dropped is as good as being told.
                    let _ = forgotten.recv();
                    return;
                }
                match mood {
                    Mood::Well => state.lock().unwrap().refresh(token),
                    Mood::Fails => (500, "{}".to_owned()),
                    Mood::HangsUp => return,
                    Mood::IsSilent => {
                        // Until the other side gives up.
                        let _ = reader.read_to_end(&mut Vec::new());
                        return;
                    }
                }
            }
            ("/user", _) => (200, r#"{"id": "1"}"#.to_owned()),
            _ if authorization.to_ascii_lowercase().starts_with("bearer access-") => {
                state.lock().unwrap().good_calls += 1;
                (200, r#"{"answer": "ok"}"#.to_owned())
            }
            _ => (401, "{}".to_owned()),
        };
        let head = format!("HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
        if reader.get_mut().write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// The path, the `Authorization` field and the body of the next request; nothing when there is none.
fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, String, Vec<u8>)> {
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return None;
    }
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut authorization) = (0, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            "authorization" => value.trim().clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, authorization, body))
}
