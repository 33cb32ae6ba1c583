//! nginx in front of the server and of an app that it protects, with the configuration of the documentation.

use crate::{
    address::free_address,
    browser::Browser,
    http::{Answer, Request, exchange},
    server::{Server, Setup},
};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};
use tempfile::TempDir;
use url::Url;

/// What is ready to copy is what is tested, but for the names of the machine.
const EXAMPLE: &str = include_str!("../../../docs/examples/nginx.conf");

/// An app that answers with the head of the request that it got, and remembers nothing.
struct EchoApp(SocketAddr);

impl EchoApp {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || Self::answer(stream));
            }
        });
        Self(address)
    }

    fn answer(stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while reader.read_line(&mut head).is_ok_and(|length| length > 2) {}
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{head}", head.len());
        // Whoever asked may be gone.
        let _ = reader.into_inner().write_all(answer.as_bytes());
    }
}

/// A running nginx, ended by its process id.
struct Nginx {
    child: Child,
    directory: TempDir,
}

impl Nginx {
    /// Starts it with the example, for the server and the app at these addresses, and waits until it takes connections.
    fn start(listen: SocketAddr, server: SocketAddr, app: SocketAddr) -> Self {
        let mut site = EXAMPLE.to_owned();
        for (theirs, ours) in [
            ("    listen 443 ssl;\n", format!("    listen {listen};\n")),
            ("    server_name app.example.com;\n", "    server_name localhost;\n".to_owned()),
            ("    ssl_certificate /etc/ssl/private/app.example.com.pem;\n", String::new()),
            ("    ssl_certificate_key /etc/ssl/private/app.example.com.key;\n", String::new()),
            ("server 127.0.0.1:3000;", format!("server {server};")),
            ("server 127.0.0.1:8080;", format!("server {app};")),
            // Without https the cookie has no prefix.
            ("__Host-Http-session=", "session=".to_owned()),
        ] {
            assert_eq!(site.matches(theirs).count(), 1, "{theirs:?} in docs/examples/nginx.conf");
            site = site.replace(theirs, &ours);
        }
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = kinds.map(|kind| format!("    {kind}_temp_path {};\n", path(kind))).concat();
        let main = format!(
            "daemon off;\nmaster_process off;\npid {};\nerror_log stderr notice;\nevents {{}}\nhttp {{\n    access_log off;\n{temporary}{site}}}\n",
            path("pid")
        );
        fs::write(path("nginx.conf"), main).unwrap();
        let child = Command::new(program())
            .args(["-p", &directory.path().display().to_string(), "-c", &path("nginx.conf"), "-e", "stderr"])
            .stdin(Stdio::null())
            .stderr(fs::File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        let mut nginx = Self { child, directory };
        while TcpStream::connect(listen).is_err() {
            assert!(nginx.child.try_wait().unwrap().is_none(), "{}", nginx.log());
            thread::yield_now();
        }
        nginx
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("nginx said:\n{}", self.log());
        }
    }
}

/// Where nginx is; the tests' runner installs it.
fn program() -> PathBuf {
    let directories = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<_> = std::env::split_paths(&directories).collect();
    directories.push(PathBuf::from("/usr/sbin"));
    let found = directories.into_iter().map(|directory| directory.join("nginx")).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("nginx is not installed; Debian's package is nginx"))
}

struct Protected {
    _nginx: Nginx,
    _server: Server,
    listen: SocketAddr,
    origin: String,
}

impl Protected {
    fn start(settings: &[(&str, &str)]) -> Self {
        let listen = free_address();
        let origin = format!("http://localhost:{}", listen.port());
        let setup = Setup::new().set("server.public_url", &origin).set("server.trusted_proxies", "127.0.0.1");
        let setup = settings.iter().fold(setup, |setup, (key, value)| setup.set(key, value));
        let server = setup.start();
        let app = EchoApp::start();
        let nginx = Nginx::start(listen, server.address(), app.0);
        Self { _nginx: nginx, _server: server, listen, origin }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}{path}", self.origin)).unwrap()
    }

    /// A request with these fields and no cookies but those among them.
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let host = self.origin.strip_prefix("http://").unwrap();
        let request = Request::new(method, host, path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        exchange(self.listen, if method == "POST" { request.body("text/plain", "content") } else { request }).unwrap()
    }
}

/// The value of a field in the head that the app got; every field is there once at most.
fn told<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let values: Vec<_> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect();
    assert!(values.len() <= 1, "{name} in {head}");
    values.first().copied()
}

#[test]
fn nginx_lets_through_who_is_signed_in_and_says_who_that_is() {
    let protected = Protected::start(&[]);
    let mut browser = Browser::of(protected.origin.clone());

    // Somebody opens a page of the app, is sent to the sign-in, and comes back to that page.
    let page = protected.url("/reports?a=1&prompt=none&b=2");
    let sent = browser.navigate(&page).unwrap();
    assert_eq!(sent.status, 303, "{sent:?}");
    let login = Url::parse(sent.header("location").unwrap()).unwrap();
    assert_eq!(login.origin().ascii_serialization(), protected.origin);
    assert_eq!(login.path(), "/api/v1/oauth/login");
    let started = browser.navigate(&login).unwrap();
    assert_eq!(started.status, 303, "{started:?}");
    let transaction = started.headers.iter().find(|(name, _)| name == "set-cookie").unwrap();
    assert!(transaction.1.contains("; HttpOnly; SameSite=Strict"), "{transaction:?}");
    let callback = browser.authenticate(&login.join(started.header("location").unwrap()).unwrap()).unwrap();
    let finished = browser.finish_login(&callback).unwrap();
    assert_eq!(finished.status, 200, "{finished:?}");
    assert_eq!(finished.json()["return_to"], "/reports?a=1&prompt=none&b=2");
    let session = finished.headers.iter().find(|(name, value)| name == "set-cookie" && value.starts_with("session=")).unwrap();
    assert!(session.1.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{session:?}");

    let answer = browser.navigate(&page).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let head = answer.text();
    assert!(head.starts_with("GET /reports?a=1&prompt=none&b=2 HTTP/1.1\r\n"), "{head}");
    for (name, value) in [
        ("x-auth-request-user", Some("7d1f3c52a90e4b86")),
        ("x-auth-request-email", Some("alice@example.com")),
        ("x-auth-request-name", Some("Alice Example")),
        ("x-auth-request-login", Some("alice")),
        ("x-auth-request-provider", Some("demo")),
        ("x-auth-request-groups", None),
        ("authorization", None),
    ] {
        assert_eq!(told(head, name), value, "{name}");
    }
    // The session's cookie stays here.
    let cookie = browser.cookie("session").unwrap();
    assert!(!head.contains(cookie), "{head}");

    // Nobody can say who he is himself, in whatever spelling.
    let cookies = format!("theirs=1; session={cookie}; other=2");
    let forged = [
        ("cookie", cookies.as_str()),
        ("x-auth-request-user", "admin"),
        ("X-Auth-Request-Groups", "admins"),
        ("X_Auth_Request_Email", "admin@example.com"),
        ("x-auth-request-groups-incomplete", "true"),
    ];
    let head = protected.send("GET", "/", &forged);
    assert_eq!(head.status, 200, "{head:?}");
    assert!(!head.text().contains("admin"), "{head:?}");
    assert_eq!(told(head.text(), "x-auth-request-user"), Some("7d1f3c52a90e4b86"));
    assert_eq!(told(head.text(), "cookie"), Some("theirs=1; other=2"));

    // The session ends, and with it the way in: for the very next request.
    assert_eq!(browser.call("POST", "/api/v1/oauth/logout", None).unwrap().status, 200);
    assert_eq!(protected.send("GET", "/", &[("cookie", cookies.as_str())]).status, 401);
    assert_eq!(browser.navigate(&page).unwrap().status, 303);
}

#[test]
fn a50_nginx_sends_nothing_but_navigations_to_the_sign_in() {
    let protected = Protected::start(&[]);
    for headers in [
        vec![("accept", "application/json")],
        vec![("accept", "text/html"), ("sec-fetch-mode", "cors")],
        // The client cannot speak for the proxy.
        vec![("x-forwarded-method", "GET"), ("x-original-uri", "/x"), ("accept", "*/*")],
    ] {
        let answer = protected.send("GET", "/data", &headers);
        assert_eq!((answer.status, answer.header("content-type")), (401, Some("application/problem+json")), "{answer:?}");
        assert_eq!(answer.json()["code"], "unauthenticated");
    }
    let forged = [
        ("accept", "text/html"),
        ("x-forwarded-uri", "/elsewhere"),
        ("x-original-uri", "/elsewhere"),
        ("x-forwarded-host", "evil.example"),
    ];
    let answer = protected.send("GET", "/data?x=%2F&sign_in=no", &forged);
    assert_eq!(answer.status, 303, "{answer:?}");
    let login = Url::parse(answer.header("location").unwrap()).unwrap();
    assert_eq!(login.origin().ascii_serialization(), protected.origin);
    assert!(login.query().unwrap().ends_with("&return_to=%2Fdata%3Fx%3D%252F%26sign_in%3Dno"), "{login}");
    // The question itself is not for clients.
    assert_eq!(protected.send("GET", "/oauth2flow-auth", &[]).status, 404);
}

#[test]
fn c_csrf_nginx_lets_nothing_change_that_another_origin_sends() {
    let protected = Protected::start(&[]);
    let mut browser = Browser::of(protected.origin.clone());
    browser.sign_in().unwrap();
    let cookie = format!("session={}", browser.cookie("session").unwrap());
    let post = |headers: &[(&str, &str)]| protected.send("POST", "/orders", &[&[("cookie", cookie.as_str())], headers].concat());
    for own in [vec![("sec-fetch-site", "same-origin")], vec![("origin", protected.origin.as_str())]] {
        let answer = post(&own);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.text().starts_with("POST /orders ") && told(answer.text(), "content-length") == Some("7"), "{answer:?}");
    }
    for foreign in [
        vec![],
        vec![("sec-fetch-site", "same-site"), ("origin", "http://sibling.localhost")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "https://evil.example"), ("x-forwarded-method", "GET")],
        vec![("sec-fetch-site", "cross-site"), ("accept", "text/html"), ("sec-fetch-mode", "navigate")],
    ] {
        let answer = post(&foreign);
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.json()["code"], "csrf_rejected");
    }
    // A link of another site leads to a page that opens the same address itself, with the Strict cookie.
    let linked = [("sec-fetch-site", "cross-site"), ("accept", "text/html"), ("sec-fetch-mode", "navigate")];
    let answer = protected.send("GET", "/reports?a=1&b=2", &linked);
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(answer.text().contains(r#"content="0;url=/reports?a=1&amp;b=2""#), "{answer:?}");
}

#[test]
fn the_sign_in_s_own_pages_and_calls_come_through_nginx_without_a_question() {
    let protected = Protected::start(&[]);
    let mut browser = Browser::of(protected.origin.clone());
    browser.sign_in().unwrap();
    // The pages of the sign-in come through without a question.
    assert_eq!(browser.navigate(&protected.url("/account")).unwrap().status, 200);
    assert!(browser.is_signed_in());
    assert_eq!(browser.notes().len(), 2, "the proxy's API works through nginx as well");
}
