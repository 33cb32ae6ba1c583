//! An OAuth 2.0 provider and an API that say what the test wants, and remember what they were told.

use crate::{patience::PATIENCE, server::Setup};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};
use url::form_urlencoded;

pub(crate) const CLIENT_SECRET: &str = "sentinel-client-secret";
pub(crate) const ACCESS_TOKEN: &str = "sentinel-access-token";
pub(crate) const REFRESH_TOKEN: &str = "sentinel-refresh-token";

/// The key of every WebSocket that is opened here, and what is answered to it: those of RFC 6455 §1.3.
pub(crate) const WEBSOCKET_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const WEBSOCKET_ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The provider `test` and the upstream `api`.
pub(crate) struct StandIn {
    address: SocketAddr,
    held: Receiver<Sender<()>>,
    told: Arc<Mutex<Vec<(String, String)>>>,
}

/// What the threads that answer share.
#[derive(Clone)]
struct Shared {
    hold: Sender<Sender<()>>,
    told: Arc<Mutex<Vec<(String, String)>>>,
}

impl StandIn {
    /// Listens from now on.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, held) = channel();
        let shared = Shared { hold: sender, told: Arc::default() };
        let told = Arc::clone(&shared.told);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || shared.answer(stream));
            }
        });
        Self { address, held, told }
    }

    /// A setup whose only provider and upstream this is.
    pub(crate) fn configure(&self, setup: Setup) -> Setup {
        let url = format!("http://{}", self.address);
        setup
            .set("providers.test.client_id", "client")
            .variable("OAUTH2FLOW_PROVIDERS_TEST_CLIENT_SECRET", CLIENT_SECRET)
            .set("providers.test.authorization_url", format!("{url}/authorize"))
            .set("providers.test.token_url", format!("{url}/token"))
            .set("providers.test.userinfo_url", format!("{url}/user"))
            .set("providers.test.user.id", "id")
            .set("upstreams.api.url", format!("{url}/api"))
    }

    /// Waits until somebody has asked for `/api/held` and got the first half of the answer; the second half follows when
    /// something is sent, or when this is dropped. Or until somebody has opened the WebSocket `/api/socket`, which hears nothing until then.
    pub(crate) fn wait_until_held(&self) -> Sender<()> {
        self.held.recv_timeout(PATIENCE).unwrap()
    }

    /// The form fields and header fields of this name that it was sent.
    pub(crate) fn told(&self, name: &str) -> Vec<String> {
        self.told.lock().unwrap().iter().filter(|(found, _)| found == name).map(|(_, value)| value.clone()).collect()
    }
}

impl Shared {
    fn answer(self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            // A connection that was opened in vain.
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
            self.remember(&name.to_ascii_lowercase(), value.trim());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let fields: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
        for (name, value) in &fields {
            self.remember(name, value);
        }
        let code = fields.iter().find(|(name, _)| name == "code").map(|(_, code)| code.as_str()).unwrap_or_default();
        let mut stream = reader.into_inner();
        match path.as_str() {
            "/token" => write(&mut stream, &token_answer(code)),
            "/user" => write(&mut stream, r#"{"id": "1"}"#),
            "/api/held" => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 20\r\nconnection: close\r\n\r\nfirst half";
                stream.write_all(head.as_bytes()).unwrap();
                self.wait_until_released();
                // By now nobody may be there to read it.
                let _ = stream.write_all(b"other half");
            }
            "/api/socket" => {
                let head = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {WEBSOCKET_ACCEPT}\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).unwrap();
                self.wait_until_released();
            }
            _ => write(&mut stream, r#"{"answer": "ok"}"#),
        }
    }

    fn wait_until_released(&self) {
        let (release, released) = channel();
        self.hold.send(release).unwrap();
        // Being dropped is as good as being told.
        let _ = released.recv();
    }

    fn remember(&self, name: &str, value: &str) {
        self.told.lock().unwrap().push((name.to_owned(), value.to_owned()));
    }
}

/// The code says what it gets.
fn token_answer(code: &str) -> String {
    if code.contains("refused") {
        return r#"{"error": "invalid_grant", "error_description": "no code sentinel-refusal"}"#.to_owned();
    }
    if code.contains("rubbish") {
        return format!("<html>{ACCESS_TOKEN}</html>");
    }
    // It ends at once, so that every use has to renew it.
    format!(r#"{{"access_token": "{ACCESS_TOKEN}", "refresh_token": "{REFRESH_TOKEN}", "token_type": "bearer", "expires_in": 0}}"#)
}

fn write(stream: &mut TcpStream, body: &str) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
}
