//! Routes of an app's developer: what guards them, whom they are told of, and what they answer where something is wrong.

use crate::support::{
    Answer, Browser, Connection, Initiator, SignIn as _, StandInProvider, TestApp, TestAppBuilder, raw_head, start_login,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::State,
    http::{Method, StatusCode},
    routing::{get, post},
};
use oauth2flow::{BodyLimit, CurrentUser, Failure, Json, Path, ProblemCode, Query, Served};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const BASE: &str = "/api/v1/app";
const FORM: &str = "application/x-www-form-urlencoded";

/// How often a handler has been called.
type Calls = State<Arc<AtomicUsize>>;

#[derive(Deserialize, Serialize)]
struct Entry {
    text: String,
}

async fn greeting(State(calls): Calls, user: Option<CurrentUser>) -> String {
    calls.fetch_add(1, Ordering::Relaxed);
    user.map_or_else(|| "nobody".to_owned(), |user| user.name().to_owned())
}

async fn write(State(calls): Calls, _user: CurrentUser, Json(entry): Json<Entry>) -> Result<Json<Entry>, Failure> {
    calls.fetch_add(1, Ordering::Relaxed);
    if entry.text.is_empty() {
        return Err(Failure::new(ProblemCode::InvalidRequest).detail("There is nothing in it."));
    }
    Ok(Json(entry))
}

async fn vault(user: CurrentUser) -> Result<&'static str, Failure> {
    user.require_recent(Duration::from_mins(5))?;
    Ok("gold")
}

/// Reads without any limit of its own.
async fn count(body: Body) -> String {
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => format!("{} bytes", bytes.len()),
        Err(_) => "cut off".to_owned(),
    }
}

#[derive(Deserialize)]
struct Wanted {
    many: u8,
}

async fn some(Path(number): Path<u8>, Query(Wanted { many }): Query<Wanted>) -> String {
    format!("{many} of {number}")
}

fn routes(calls: &Arc<AtomicUsize>) -> Router {
    Router::new()
        .route("/greeting", get(greeting).post(greeting).put(greeting).patch(greeting).delete(greeting))
        .route("/entries", post(write))
        .route("/vault", get(vault))
        .route("/count", post(count))
        .route("/numbers/{number}", get(some))
        .with_state(Arc::clone(calls))
}

struct Own {
    provider: StandInProvider,
    app: TestApp,
    browser: Browser,
    calls: Arc<AtomicUsize>,
}

async fn own_with(served: impl FnOnce(Router) -> Served, set: impl FnOnce(TestAppBuilder) -> TestAppBuilder) -> Own {
    let (provider, calls) = (StandInProvider::start().await, Arc::default());
    let app = set(TestApp::builder().openid("alpha", &provider).served(served(routes(&calls)))).start().await;
    let browser = app.browser();
    Own { provider, app, browser, calls }
}

fn served(routes: Router) -> Served {
    Served { routes, ..Served::default() }
}

async fn own() -> Own {
    own_with(served, |builder| builder).await
}

impl Own {
    async fn signed_in(self) -> Self {
        self.browser.sign_in(&self.provider).await;
        self
    }

    async fn get(&self, path: &str) -> Answer {
        self.browser.call(Method::GET, &format!("{BASE}{path}")).send().await
    }

    async fn post(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        let call = self.browser.call(Method::POST, &format!("{BASE}{path}"));
        call.header("content-type", content_type).body(body).send().await
    }
}

#[tokio::test]
async fn a35_what_changes_something_has_the_header_and_comes_from_a_page_of_this_app() {
    let own = own().await.signed_in().await;
    let address = format!("{BASE}/greeting");
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let call = || own.browser.call(method.clone(), &address);
        for refused in [
            call().without("x-csrf"),
            call().header("x-csrf", "0"),
            call().without("x-csrf").header("content-type", FORM).body("a=b"),
            call().from(Initiator::SameSite),
            call().from(Initiator::CrossSite),
            call().from(Initiator::Person),
            call().without("sec-fetch-site").header("origin", "https://evil.example"),
            call().without("sec-fetch-site").header("origin", "null"),
            call().without("sec-fetch-site").without("origin"),
        ] {
            refused.send().await.assert_problem(403, "csrf_rejected");
        }
        assert_eq!(own.calls.load(Ordering::Relaxed), 0, "{method}");
        assert_eq!(call().send().await.assert_status(200).text(), "Alice Example");
        // A browser that says nothing of the site says at least which origin.
        call().without("sec-fetch-site").send().await.assert_status(200);
        own.calls.store(0, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a35_no_page_of_another_site_may_read_and_a_person_may() {
    let own = own().await;
    let address = format!("{BASE}/greeting");
    for initiator in [Initiator::SameSite, Initiator::CrossSite] {
        own.browser.request(Method::GET, &address).script().from(initiator).send().await.assert_problem(403, "csrf_rejected");
        own.browser.navigate(&address).from(initiator).send().await.assert_problem(403, "csrf_rejected");
    }
    assert_eq!(own.calls.load(Ordering::Relaxed), 0);
    for initiator in [Initiator::Person, Initiator::SameOrigin] {
        own.browser.navigate(&address).from(initiator).send().await.assert_status(200);
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_nobody_and_gets_no_further_where_a_user_is_wanted() {
    let own = own().await;
    assert_eq!(own.get("/greeting").await.assert_status(200).text(), "nobody");
    own.get("/vault").await.assert_problem(401, "unauthenticated");
    // Who calls is asked before what is sent.
    own.post("/entries", "application/json", "nonsense").await.assert_problem(401, "unauthenticated");
    let own = own.signed_in().await;
    assert_eq!(own.get("/greeting").await.assert_status(200).text(), "Alice Example");
    own.browser.log_out().await.assert_status(200);
    assert_eq!(own.get("/greeting").await.assert_status(200).text(), "nobody");
}

#[tokio::test]
async fn whoever_a_rule_keeps_out_is_nobody() {
    let mut own = own().await.signed_in().await;
    own.app.stop().await;
    own.app.add_setting("providers.alpha.allow_emails", "bob@example.com");
    own.app.start().await;
    own.get("/vault").await.assert_problem(401, "unauthenticated");
    assert_eq!(own.get("/greeting").await.assert_status(200).text(), "nobody");
}

#[tokio::test]
async fn a_session_whose_provider_is_not_configured_is_nobodys_until_it_is_again() {
    let beta = StandInProvider::named("beta").await;
    let mut own = own_with(served, |builder| builder.openid("beta", &beta)).await;
    let browser = &own.browser;
    browser.finish(&beta.authorize(&start_login(browser, "beta", "/").await)).await.assert_status(200);
    own.app.stop().await;
    let removed = own.app.remove_provider("beta");
    own.app.start().await;
    own.get("/vault").await.assert_problem(401, "unauthenticated");
    assert_eq!(own.get("/greeting").await.assert_status(200).text(), "nobody");
    own.app.stop().await;
    own.app.put_back(removed);
    own.app.start().await;
    own.get("/vault").await.assert_status(200);
}

#[tokio::test]
async fn a_sign_in_that_is_too_long_ago_is_asked_for_again() {
    let own = own().await.signed_in().await;
    assert_eq!(own.get("/vault").await.assert_status(200).text(), "gold");
    // The time, and what clocks may differ by.
    own.app.clock.advance_seconds(300 + 60);
    own.get("/vault").await.assert_status(200);
    own.app.clock.advance_seconds(1);
    let refused = own.get("/vault").await;
    refused.assert_problem(401, "step_up_required");
    assert_eq!(refused.json()["max_age"], 300);
    let login_url = refused.json()["login_url"].as_str().unwrap().to_owned();
    let now = own.app.clock.seconds();
    own.provider.edit_claims(move |claims| claims["auth_time"] = now.into());
    let url = own.browser.navigate(&format!("{login_url}&return_to=/account")).send().await.location();
    own.browser.finish(&own.provider.authorize(&url)).await.assert_status(200);
    own.get("/vault").await.assert_status(200);
}

#[tokio::test]
async fn a_session_that_calls_too_often_is_told_to_wait() {
    let own = own_with(served, |builder| builder.set("limits.session_calls", "2/m")).await.signed_in().await;
    for _ in 0..2 {
        own.get("/greeting").await.assert_status(200);
    }
    let refused = own.get("/greeting").await;
    refused.assert_problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(own.calls.load(Ordering::Relaxed), 2);
    own.app.clock.advance_seconds(30);
    own.get("/greeting").await.assert_status(200);
}

/// Sends JSON of this length in pieces, without saying how long it will be, and answers the head and the beginning of the body.
async fn send_in_pieces(own: &Own, path: &str, length: usize) -> String {
    let fields = "content-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n";
    let mut connection = Connection::open(&own.app).await;
    connection.send(raw_head(&own.app, &own.browser, &format!("POST {BASE}{path}"), fields)).await;
    let text = json!({ "text": "x".repeat(length - r#"{"text":""}"#.len()) }).to_string();
    for piece in text.as_bytes().chunks(4096) {
        let piece = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        if !connection.try_send(piece).await {
            break;
        }
    }
    connection.try_send("0\r\n\r\n").await;
    String::from_utf8(connection.rest().await).unwrap()
}

#[tokio::test]
async fn a_body_is_as_large_as_the_limit_whoever_reads_it() {
    let own = own().await.signed_in().await;
    let limit = BodyLimit::default().maximum_bytes;
    let json = |length: usize| json!({ "text": "x".repeat(length - r#"{"text":""}"#.len()) }).to_string();
    for path in ["/entries", "/count"] {
        own.post(path, "application/json", json(limit)).await.assert_status(200);
        own.post(path, "application/json", json(limit + 1)).await.assert_problem(413, "payload_too_large");
        assert!(send_in_pieces(&own, path, limit).await.starts_with("HTTP/1.1 200 "));
    }
    let refused = send_in_pieces(&own, "/entries", limit + 1).await;
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.contains(r#""code":"payload_too_large""#), "{refused}");
    let cut_off = send_in_pieces(&own, "/count", limit + 1).await;
    assert!(cut_off.starts_with("HTTP/1.1 200 ") && cut_off.contains("cut off"), "{cut_off}");
}

#[tokio::test]
async fn a_developer_may_ask_for_larger_bodies() {
    let body_limit = BodyLimit { maximum_bytes: 3 << 20, ..BodyLimit::default() };
    let own = own_with(|routes| Served { routes, body_limit, ..Served::default() }, |builder| builder).await.signed_in().await;
    for path in ["/entries", "/count"] {
        // Larger than what axum's extractors take by themselves, too.
        assert!(send_in_pieces(&own, path, 3 << 20).await.starts_with("HTTP/1.1 200 "));
    }
    own.post("/count", "text/plain", vec![b'x'; (3 << 20) + 1]).await.assert_problem(413, "payload_too_large");
}

#[tokio::test]
async fn whatever_is_wrong_is_said_in_a_problem_document() {
    let own = own().await.signed_in().await;
    let refused = own.post("/entries", "application/json", r#"{"text": ""}"#).await;
    refused.assert_problem(400, "invalid_request");
    assert_eq!(refused.json()["detail"], "There is nothing in it.");
    for (body, what) in [(r#"{"text": 1}"#, "line 1"), (r#"{"other": ""}"#, "missing field `text`"), ("{", "EOF"), ("", "EOF")] {
        let refused = own.post("/entries", "application/json", body).await;
        refused.assert_problem(400, "invalid_request");
        assert!(refused.json()["detail"].as_str().unwrap().contains(what), "{}", refused.text());
    }
    for content_type in ["text/plain", FORM, "application/jsonx"] {
        own.post("/entries", content_type, r#"{"text": "a"}"#).await.assert_problem(415, "unsupported_media_type");
    }
    assert_eq!(own.get("/numbers/7?many=2").await.assert_status(200).text(), "2 of 7");
    for path in ["/numbers/seven?many=2", "/numbers/7", "/numbers/7?many=all"] {
        own.get(path).await.assert_problem(400, "invalid_request");
    }
    own.get("/entries").await.assert_problem(405, "method_not_allowed");
    for path in ["", "/nothing", "/nothing/at/all"] {
        own.get(path).await.assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_fallback_of_the_developers_answers_below_their_routes_and_is_guarded_as_they_are() {
    let fallback = async |method: Method| (StatusCode::NOT_FOUND, format!("no {method} of mine"));
    let own = own_with(|routes| served(routes.fallback(fallback)), |builder| builder).await;
    for path in ["", "/nothing", "/nothing/at/all"] {
        let answer = own.get(path).await;
        assert_eq!(answer.assert_status(404).text(), "no GET of mine", "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        own.browser.request(Method::POST, &format!("{BASE}{path}")).send().await.assert_problem(403, "csrf_rejected");
    }
    own.post("/nothing", "text/plain", vec![b'x'; 20_000]).await.assert_problem(413, "payload_too_large");
    for path in ["/api/v1/nothing", "/api/v1/apps", "/api/nothing"] {
        own.browser.call(Method::GET, path).send().await.assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn no_cache_keeps_what_they_answer() {
    let own = own().await.signed_in().await;
    for answer in [own.get("/greeting").await, own.get("/vault").await, own.post("/entries", "application/json", r#"{"text": "a"}"#).await]
    {
        assert_eq!(answer.assert_status(200).header("cache-control"), Some("no-store"));
    }
}
