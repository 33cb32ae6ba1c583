//! The proxy: the token goes to the upstream that it is for, and nothing else that is private does.

mod configured;
mod exchange;
mod hostile;
mod http2;
mod retry;
mod streaming;
mod trailers;
mod websocket;

use crate::support::{
    Browser, Connection, Endpoint, Initiator, RawUpstream, Reply, SignIn as _, StandInProvider, TestApp, TestAppBuilder, Upstream,
    raw_head, start_login,
};
use axum::http::{Method, StatusCode};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

const API: &str = "/api/v1/proxy/api";

struct SignedIn {
    provider: StandInProvider,
    upstream: Upstream,
    app: TestApp,
    browser: Browser,
}

/// Somebody who is signed in, and an API whose every byte the test writes.
pub(crate) struct Raw {
    pub(crate) provider: StandInProvider,
    pub(crate) upstream: RawUpstream,
    pub(crate) app: TestApp,
    pub(crate) browser: Browser,
}

impl Raw {
    /// A call of the app's page, sent by hand.
    pub(crate) async fn call(&self, request_line: &str, fields: &str) -> Connection {
        let mut connection = Connection::open(&self.app).await;
        connection.send(raw_head(&self.app, &self.browser, request_line, fields)).await;
        connection
    }
}

/// With these settings of the upstream.
pub(crate) async fn raw_app(settings: &[(&str, &str)]) -> Raw {
    raw_app_with(|builder| builder, settings).await
}

pub(crate) async fn raw_app_with(edit: impl FnOnce(TestAppBuilder) -> TestAppBuilder, settings: &[(&str, &str)]) -> Raw {
    let (provider, upstream) = (StandInProvider::start().await, RawUpstream::start());
    let builder = edit(TestApp::builder().openid("alpha", &provider)).set("upstreams.api.url", upstream.origin());
    let set = |builder: TestAppBuilder, (name, value): &(&str, &str)| builder.set(&format!("upstreams.api.{name}"), value);
    let app = settings.iter().fold(builder, set).start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    Raw { provider, upstream, app, browser }
}

/// A piece of a body in chunks.
fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

async fn signed_in() -> SignedIn {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    SignedIn { provider, upstream, app, browser }
}

#[tokio::test]
async fn a_call_reaches_the_upstream_with_method_path_query_and_body() {
    let SignedIn { upstream, browser, app: _app, .. } = signed_in().await;
    for (method, path, expected) in [
        (Method::GET, "", "/base"),
        (Method::GET, "/", "/base/"),
        (Method::GET, "/items/1?sort=a%20b&x=//../&empty=", "/base/items/1?sort=a%20b&x=//../&empty="),
        (Method::PUT, "/items/%C3%A4", "/base/items/%C3%A4"),
        (Method::DELETE, "/@user/items", "/base/@user/items"),
        (Method::PATCH, "/a:b;c=d", "/base/a:b;c=d"),
    ] {
        let answer = browser.call(method.clone(), &format!("{API}{path}")).send().await;
        let echoed = answer.assert_status(200).json();
        assert_eq!((echoed["method"].as_str(), echoed["uri"].as_str()), (Some(method.as_str()), Some(expected)));
    }
    let answer = browser.call(Method::POST, &format!("{API}/items")).json(&json!({ "text": "x" })).send().await;
    assert_eq!(answer.json()["body"], "{\"text\":\"x\"}");
    let last = upstream.recording.only("/base/items");
    assert_eq!(last.header("content-type"), Some("application/json"));
    assert_eq!(last.header("host"), Some(upstream.origin().trim_start_matches("http://")));
}

#[tokio::test]
async fn a_call_without_a_body_is_passed_on_without_one() {
    let SignedIn { upstream, browser, app: _app, .. } = signed_in().await;
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
    let received = upstream.only();
    assert_eq!((received.header("transfer-encoding"), received.header("content-length")), (None, None));
}

#[tokio::test]
async fn a_large_body_and_a_large_answer_go_through() {
    let SignedIn { upstream, browser, app: _app, .. } = signed_in().await;
    let body = "x".repeat(1024 * 1024);
    let answer = browser.call(Method::POST, &format!("{API}/items")).body(body.clone()).send().await;
    assert_eq!(answer.assert_status(200).json()["body"].as_str().unwrap().len(), body.len());
    assert_eq!(upstream.only().body.len(), body.len());
}

#[tokio::test]
async fn the_upstream_s_own_answer_comes_back_whatever_its_status() {
    let SignedIn { upstream, browser, app: _app, .. } = signed_in().await;
    for status in [201, 204, 304, 400, 401, 403, 404, 409, 418, 500, 503] {
        upstream.replace("/base/", Reply::Answer { status, headers: vec![("x-own", "1".into())], body: "".into() });
        let answer = browser.call(Method::GET, &format!("{API}/")).send().await;
        assert_eq!((answer.status.as_u16(), answer.header("x-own")), (status, Some("1")));
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a35_without_the_header_or_from_elsewhere_no_call_is_made() {
    let SignedIn { provider, upstream, browser, app: _app, .. } = signed_in().await;
    let address = format!("{API}/items");
    for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let call = || browser.call(method.clone(), &address);
        let answers = [
            call().without("x-csrf").send().await,
            call().header("x-csrf", "0").send().await,
            call().header("x-csrf", "").send().await,
            call().from(Initiator::CrossSite).send().await,
            call().from(Initiator::SameSite).send().await,
            call().from(Initiator::Person).send().await,
            call().without("sec-fetch-site").header("origin", "https://evil.example").send().await,
            call().without("sec-fetch-site").without("origin").send().await,
        ];
        for answer in answers {
            answer.assert_status(403);
        }
    }
    browser.submit(&address, &[("a", "b")]).header("accept", "*/*").send().await.assert_problem(403, "csrf_rejected");
    browser.navigate(&address).send().await.assert_problem(403, "csrf_rejected");
    assert_eq!(upstream.count(), 0);
    assert_eq!(provider.count(Endpoint::Token), 1);
}

#[tokio::test]
async fn a37_what_is_private_does_not_reach_the_upstream() {
    let SignedIn { upstream, browser, app: _app, .. } = signed_in().await;
    let private = [
        ("authorization", "Bearer of-the-browser"),
        ("forwarded", "for=1.2.3.4"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-anything", "x"),
        ("x-real-ip", "1.2.3.4"),
        ("referer", "http://localhost/account?secret"),
        ("proxy-authorization", "Basic eA=="),
        ("te", "trailers"),
        ("upgrade", "websocket"),
        ("connection", "x-named"),
        ("x-named", "by connection"),
    ];
    let call = browser.call(Method::POST, &format!("{API}/items"));
    private.iter().fold(call, |call, (name, value)| call.header(name, value)).header("x-own", "kept").send().await.assert_status(200);
    let received = upstream.only();
    let authorization: Vec<_> = received.headers.get_all("authorization").iter().collect();
    assert_eq!(authorization.len(), 1);
    assert!(authorization[0].to_str().unwrap().starts_with("Bearer sentinel-access-alpha-"));
    for (name, _) in private.iter().filter(|(name, _)| *name != "authorization") {
        assert_eq!(received.header(name), None, "{name}");
    }
    for name in ["cookie", "x-csrf", "origin"] {
        assert_eq!(received.header(name), None, "{name}");
    }
    assert_eq!(received.header("x-own"), Some("kept"));
}

#[tokio::test]
async fn a37_the_upstream_sets_no_cookie_and_speaks_not_for_this_origin() {
    let SignedIn { upstream, browser, app: _app, .. } = signed_in().await;
    let session = browser.session_cookie();
    let reply = Reply::html(200)
        .header("set-cookie", "session=planted; Path=/")
        .header("set-cookie", "tx-planted=1; Path=/")
        .header("access-control-allow-origin", "*")
        .header("access-control-allow-credentials", "true")
        .header("access-control-allow-headers", "*")
        .header("access-control-allow-methods", "*")
        .header("access-control-expose-headers", "*")
        .header("content-security-policy", "script-src *")
        .header("strict-transport-security", "max-age=0")
        .header("clear-site-data", "\"*\"")
        .header("connection", "x-named")
        .header("x-named", "by connection");
    upstream.replace("/base/", reply);
    let answer = browser.call(Method::GET, &format!("{API}/")).send().await;
    answer.assert_status(200);
    assert!(answer.set_cookies().is_empty());
    assert_eq!(browser.session_cookie(), session);
    for (name, value) in &answer.headers {
        assert!(!name.as_str().starts_with("access-control-"), "{name}: {value:?}");
    }
    for name in ["strict-transport-security", "clear-site-data", "x-named"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    // A page of the upstream's may do nothing on this origin.
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a37_a_redirect_is_passed_on_and_not_followed() {
    let SignedIn { upstream, browser, app: _app, .. } = signed_in().await;
    let elsewhere = Upstream::start().await;
    for status in [301, 302, 303, 307, 308] {
        upstream.replace("/base/", Reply::redirect(status, elsewhere.origin()));
        let answer = browser.call(Method::GET, &format!("{API}/")).send().await;
        assert_eq!(answer.status.as_u16(), status);
    }
    assert_eq!(elsewhere.count(), 0);
    assert_eq!(upstream.count(), 5);
}

#[tokio::test]
async fn a_token_goes_to_the_upstreams_of_its_provider_only() {
    let (alpha, beta) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let (of_alpha, of_both) = (Upstream::start().await, Upstream::start().await);
    let app = TestApp::builder()
        .openid("alpha", &alpha)
        .openid("beta", &beta)
        .upstream("one", &of_alpha)
        .set("upstreams.one.providers", "alpha")
        .upstream("both", &of_both)
        .set("upstreams.both.providers", "alpha beta")
        .start()
        .await;
    let browser = app.browser();
    let callback = beta.authorize(&start_login(&browser, "beta", "/").await);
    browser.finish(&callback).await.assert_status(200);
    browser.call(Method::GET, "/api/v1/proxy/one/").send().await.assert_problem(404, "unknown_upstream");
    assert_eq!(of_alpha.count(), 0);
    browser.call(Method::GET, "/api/v1/proxy/both/").send().await.assert_status(200);
    assert!(of_both.tokens()[0].starts_with("Bearer sentinel-access-beta-"));
}

#[tokio::test]
async fn only_the_configured_methods_and_upstreams_are_there() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::builder().openid("alpha", &provider).upstream("api", &upstream).set("upstreams.api.methods", "GET").start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    browser.call(Method::POST, &format!("{API}/")).send().await.assert_problem(405, "method_not_allowed");
    for name in ["other", "API", "api.", "%61pi"] {
        browser.call(Method::GET, &format!("/api/v1/proxy/{name}/")).send().await.assert_problem(404, "unknown_upstream");
    }
    assert_eq!(upstream.count(), 0);
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
}

#[tokio::test]
async fn a50_a_call_without_a_session_is_a_401_problem_and_no_redirect() {
    let SignedIn { provider, upstream, app, .. } = signed_in().await;
    let browser = app.browser();
    for method in [Method::GET, Method::POST] {
        let answer = browser.call(method, &format!("{API}/")).send().await;
        answer.assert_problem(401, "unauthenticated");
        assert_eq!(answer.header("location"), None);
    }
    let accepts_html = browser.call(Method::GET, &format!("{API}/")).header("accept", "text/html").send().await;
    accepts_html.assert_problem(401, "unauthenticated");
    assert_eq!(upstream.count(), 0);
    assert_eq!(provider.count(Endpoint::Token), 1);
}

#[tokio::test]
async fn an_upstream_in_trouble_is_a_problem_of_its_own() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let app = TestApp::builder()
        .openid("alpha", &provider)
        .set("upstreams.down.url", format!("http://{closed}"))
        .upstream("slow", &upstream)
        .set("upstreams.slow.timeout", "50ms")
        .start()
        .await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    browser.call(Method::GET, "/api/v1/proxy/down/").send().await.assert_problem(502, "upstream_unavailable");
    upstream.replace("/base/", Reply::Silence);
    browser.call(Method::GET, "/api/v1/proxy/slow/").send().await.assert_problem(504, "upstream_timeout");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a41_a_store_that_is_down_answers_503_and_the_cookie_is_kept() {
    let SignedIn { provider, upstream, app, browser } = signed_in().await;
    let cookie = browser.session_cookie();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let mut database = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(app.database())).await.unwrap();
    database.execute("ALTER TABLE sessions RENAME TO gone; ALTER TABLE claims RENAME TO gone_too").await.unwrap();
    // What was read before is remembered until the app hears that somebody has written.
    while browser.call(Method::GET, "/api/v1/session").send().await.status == StatusCode::OK {}

    let answers = [
        browser.call(Method::GET, "/api/v1/session").send().await,
        browser.call(Method::GET, &format!("{API}/")).send().await,
        browser.call(Method::POST, "/api/v1/oauth/logout").send().await,
        browser.finish(&callback).await,
    ];
    for answer in &answers {
        answer.assert_problem(503, "store_unavailable");
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert!(!answer.set_cookies().iter().any(|cookie| cookie.starts_with("session=")));
    }
    assert_eq!(upstream.count(), 0);
    assert_eq!(provider.count(Endpoint::Token), 1, "a code is not used while its use cannot be written down");
    assert_eq!(browser.session_cookie(), cookie);
    // Pages are served, and the server says that it is alive.
    browser.navigate("/").send().await.assert_status(200);
    browser.request(Method::GET, "/healthz").send().await.assert_status(200);

    database.execute("ALTER TABLE gone RENAME TO sessions; ALTER TABLE gone_too RENAME TO claims").await.unwrap();
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_signed_out_session_s_calls_end_with_it() {
    let SignedIn { upstream, browser, app: _app, .. } = signed_in().await;
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
    let cookie = browser.session_cookie().unwrap();
    browser.log_out().await.assert_status(200);
    browser.put_cookie("session", &cookie);
    let answer = browser.call(Method::GET, &format!("{API}/")).send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(upstream.count(), 1);
}
