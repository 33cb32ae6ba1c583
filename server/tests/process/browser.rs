//! A scripted browser: cookies, redirects one at a time, forms, and the way through a login with the demo provider.

use crate::{
    events::EventStream,
    http::{Answer, Connection, Request, exchange},
    server::Server,
    stand_in::WEBSOCKET_KEY,
};
use std::{collections::BTreeMap, io, net::SocketAddr};
use url::{Url, form_urlencoded};

/// A browser with cookies of its own.
pub(crate) struct Browser {
    origin: String,
    /// By host and name: cookies do not know ports.
    cookies: BTreeMap<(String, String), String>,
}

/// What came back from the provider.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    pub(crate) code: String,
    pub(crate) state: String,
    pub(crate) iss: Option<String>,
}

impl Browser {
    /// One that opens the app of this server.
    pub(crate) fn new(server: &Server) -> Self {
        Self::of(server.origin())
    }

    /// One that opens the app at this origin.
    pub(crate) fn of(origin: String) -> Self {
        Self { origin, cookies: BTreeMap::new() }
    }

    /// Signed in with the stand-in, whose provider `test` has no pages.
    pub(crate) fn signed_in(server: &Server) -> Self {
        let mut browser = Self::new(server);
        let authorization = browser.begin_login("test").unwrap();
        let callback = Callback { code: "good".to_owned(), state: parameter(&authorization, "state"), iss: None };
        let answer = browser.finish_login(&callback).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        browser
    }

    /// The same person's browser at another server: cookies do not know ports.
    pub(crate) fn at(&self, server: &Server) -> Self {
        Self { cookies: self.cookies.clone(), ..Self::new(server) }
    }

    /// The value of a cookie of the app.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(&("localhost".to_owned(), name.to_owned())).map(String::as_str)
    }

    /// Every cookie value, the provider's too.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.cookies.values().cloned().collect()
    }

    /// A request for this address, with the cookies that belong there.
    fn request(&self, method: &str, url: &Url) -> (SocketAddr, Request) {
        let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut request = Request::new(method, &format!("{host}:{port}"), target);
        let cookies: Vec<_> =
            self.cookies.iter().filter(|((of, _), _)| of == host).map(|((_, name), value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", &cookies.join("; "));
        }
        (SocketAddr::from(([127, 0, 0, 1], port)), request)
    }

    fn send(&mut self, method: &str, url: &Url, extra: impl FnOnce(Request) -> Request) -> io::Result<Answer> {
        let (address, request) = self.request(method, url);
        let answer = exchange(address, extra(request))?;
        let host = url.host_str().unwrap().to_owned();
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let place = (host.clone(), name.to_owned());
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(&place);
            } else {
                self.cookies.insert(place, value.to_owned());
            }
        }
        Ok(answer)
    }

    /// Opens an address.
    pub(crate) fn navigate(&mut self, url: &Url) -> io::Result<Answer> {
        self.send("GET", url, |request| {
            request.header("accept", "text/html").header("sec-fetch-mode", "navigate").header("sec-fetch-site", "none")
        })
    }

    /// Submits a form of the page that is at `url`.
    fn submit(&mut self, url: &Url, fields: &[(&str, &str)]) -> io::Result<Answer> {
        let origin = url.origin().ascii_serialization();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", url, |request| {
            let request = request.header("accept", "text/html").header("sec-fetch-mode", "navigate");
            request.header("origin", &origin).header("sec-fetch-site", "same-origin").body("application/x-www-form-urlencoded", body)
        })
    }

    /// Calls the app's API as its page does.
    pub(crate) fn call(&mut self, method: &str, path: &str, body: Option<&serde_json::Value>) -> io::Result<Answer> {
        let url = Url::parse(&format!("{}{path}", self.origin)).unwrap();
        let origin = self.origin.clone();
        self.send(method, &url, |request| {
            let request = request.header("accept", "application/json").header("sec-fetch-mode", "cors");
            let request = request.header("origin", &origin).header("sec-fetch-site", "same-origin").header("x-csrf", "1");
            match body {
                Some(body) => request.body("application/json", body.to_string()),
                None => request,
            }
        })
    }

    /// Listens to the events of the session, as its page does.
    pub(crate) fn listen(&self) -> EventStream {
        let (address, request) = self.request("GET", &Url::parse(&format!("{}/api/v1/session/events", self.origin)).unwrap());
        EventStream::open(address, &request.header("accept", "text/event-stream").header("sec-fetch-site", "same-origin"))
    }

    /// Asks the upstream for what it holds back, and reads the first half.
    pub(crate) fn download(&self) -> Connection {
        let request = |request: Request| request.header("sec-fetch-site", "same-origin").header("x-csrf", "1");
        self.open("/api/v1/proxy/api/held", request, b"first half")
    }

    /// Opens the WebSocket of the upstream.
    pub(crate) fn open_websocket(&self) -> Connection {
        let handshake = |request: Request| {
            let request = request.header("origin", &self.origin).header("connection", "upgrade").header("upgrade", "websocket");
            request.header("sec-websocket-version", "13").header("sec-websocket-key", WEBSOCKET_KEY)
        };
        self.open("/api/v1/proxy/api/socket", handshake, b"\r\n\r\n")
    }

    /// A connection on which this is asked for, read up to and with `beginning`; it has to be an answer that goes well.
    fn open(&self, path: &str, extra: impl FnOnce(Request) -> Request, beginning: &[u8]) -> Connection {
        let (address, request) = self.request("GET", &Url::parse(&format!("{}{path}", self.origin)).unwrap());
        let mut connection = Connection::open(address).unwrap();
        connection.send(&extra(request).head()).unwrap();
        let head = String::from_utf8(connection.until(beginning).unwrap()).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 ") || head.starts_with("HTTP/1.1 101 "), "{head}");
        connection
    }

    /// Clicks “Sign in with …” and answers where the app sends the browser.
    pub(crate) fn begin_login(&mut self, provider: &str) -> io::Result<Url> {
        let login = Url::parse(&format!("{}/api/v1/oauth/login?provider={provider}&return_to=/account", self.origin)).unwrap();
        let answer = self.navigate(&login)?;
        assert_eq!(answer.status, 303, "{answer:?}");
        Ok(location(&login, &answer))
    }

    /// Goes through the demo provider's pages as alice.
    pub(crate) fn authenticate(&mut self, authorization: &Url) -> io::Result<Callback> {
        let mut url = authorization.clone();
        let mut answer = self.navigate(&url)?;
        loop {
            match answer.status {
                303 => {
                    url = location(&url, &answer);
                    if url.path() == "/callback" {
                        return Ok(Callback::of(&url));
                    }
                    answer = self.navigate(&url)?;
                }
                200 => {
                    let page = answer.text().to_owned();
                    let [transaction, csrf] = ["transaction", "csrf"].map(|name| hidden_field(&page, name));
                    let mut fields = vec![("transaction", transaction.as_str()), ("csrf", csrf.as_str())];
                    match url.path() {
                        "/login" => fields.extend([("username", "alice"), ("password", "demo")]),
                        "/consent" => fields.push(("decision", "allow")),
                        other => panic!("the provider shows {other}: {page}"),
                    }
                    url.set_query(None);
                    answer = self.submit(&url, &fields)?;
                }
                _ => panic!("the provider answers {answer:?}"),
            }
        }
    }

    /// Posts what came back from the provider, as the callback page does.
    pub(crate) fn finish_login(&mut self, callback: &Callback) -> io::Result<Answer> {
        let mut body = serde_json::json!({ "code": callback.code, "state": callback.state });
        if let Some(iss) = &callback.iss {
            body["iss"] = iss.as_str().into();
        }
        self.call("POST", "/api/v1/oauth/code", Some(&body))
    }

    /// Signs in with the demo provider.
    pub(crate) fn sign_in(&mut self) -> io::Result<()> {
        let authorization = self.begin_login("demo")?;
        let callback = self.authenticate(&authorization)?;
        let answer = self.finish_login(&callback)?;
        assert_eq!(answer.status, 200, "{answer:?}");
        Ok(())
    }

    /// Whether the app says that somebody is signed in.
    pub(crate) fn is_signed_in(&mut self) -> bool {
        let answer = self.call("GET", "/api/v1/session", None).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["authenticated"].as_bool().unwrap()
    }

    /// Adds a note through the proxy.
    pub(crate) fn add_note(&mut self, text: &str) -> Answer {
        self.call("POST", "/api/v1/proxy/notes", Some(&serde_json::json!({ "text": text }))).unwrap()
    }

    /// The texts of the notes, through the proxy.
    pub(crate) fn notes(&mut self) -> Vec<String> {
        let answer = self.call("GET", "/api/v1/proxy/notes", None).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json().as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap().to_owned()).collect()
    }
}

impl Callback {
    fn of(url: &Url) -> Self {
        let parameters: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        Self { code: parameters["code"].clone(), state: parameters["state"].clone(), iss: parameters.get("iss").cloned() }
    }
}

/// A parameter of an address.
pub(crate) fn parameter(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(found, _)| found == name);
    found.map_or_else(|| panic!("{url} lacks {name}"), |(_, value)| value.into_owned())
}

fn location(from: &Url, answer: &Answer) -> Url {
    from.join(answer.header("location").unwrap()).unwrap()
}

fn hidden_field(page: &str, name: &str) -> String {
    let start = format!(r#"<input type="hidden" name="{name}" value=""#);
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("there is no field {name} in {page}"));
    rest.split_once('"').unwrap().0.to_owned()
}
