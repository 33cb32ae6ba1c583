//! What the pages of a session hear, wherever it happens.

use crate::support::{
    Browser, Endpoint, EventStream, Initiator, ManualClock, Reply, SignIn as _, StandInProvider, TestApp, TestAppBuilder, Upstream,
};
use axum::http::Method;
use serde_json::json;

const EVENTS: &str = "/api/v1/session/events";

async fn signed_in() -> (StandInProvider, TestApp, Browser) {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    (provider, app, browser)
}

/// A page that listens, and has heard who is signed in.
async fn listening(browser: &Browser) -> EventStream {
    let mut events = browser.events().listen().await;
    events.expect("signed_in").await;
    events
}

/// Two processes with one store, and a browser that is signed in at the first and known to the second.
async fn replicas() -> (StandInProvider, [TestApp; 2], [Browser; 2]) {
    replicas_with(|builder| builder).await
}

/// The same, with something more configured at both.
async fn replicas_with(more: impl Fn(TestAppBuilder) -> TestAppBuilder) -> (StandInProvider, [TestApp; 2], [Browser; 2]) {
    let provider = StandInProvider::start().await;
    let clock = ManualClock::new();
    let with_key =
        |builder: TestAppBuilder| more(builder.clock(&clock).openid("alpha", &provider).variable("OAUTH2FLOW_SESSION_KEY", "A".repeat(43)));
    let one = with_key(TestApp::builder()).start().await;
    let other = with_key(TestApp::builder()).set("session.database", one.database().display()).start().await;
    let browsers = [one.browser(), other.browser()];
    browsers[0].sign_in(&provider).await;
    browsers[1].put_cookie("session", &browsers[0].session_cookie().unwrap());
    assert!(browsers[1].is_signed_in().await);
    (provider, [one, other], browsers)
}

#[tokio::test]
async fn a_stream_begins_with_who_is_signed_in_and_nobody_keeps_or_collects_it() {
    let (_provider, _app, browser) = signed_in().await;
    let mut events = browser.events().listen().await;
    assert_eq!(events.headers["cache-control"], "no-store");
    assert_eq!(events.headers["x-accel-buffering"], "no");
    assert_eq!(events.expect("signed_in").await, browser.session().await);
}

#[tokio::test]
async fn a_session_that_the_provider_has_withdrawn_is_told_from_a_sign_out_at_every_server() {
    let upstream = Upstream::start().await;
    let (provider, [one, _other], browsers) = replicas_with(|builder| builder.upstream("api", &upstream)).await;
    let (mut here, mut there) = (listening(&browsers[0]).await, listening(&browsers[1]).await);
    one.clock.advance_seconds(301);
    provider.replace(Endpoint::Token, Reply::json(400, &json!({ "error": "invalid_grant" })));
    browsers[0].call(Method::GET, "/api/v1/proxy/api/").send().await.assert_problem(401, "session_ended");
    here.expect_expiry().await;
    there.expect_expiry().await;
    assert!(!browsers[1].is_signed_in().await);
}

#[tokio::test]
async fn signing_out_ends_the_streams_of_all_tabs_and_no_others() {
    let (provider, app, browser) = signed_in().await;
    let other = app.browser();
    other.sign_in(&provider).await;
    let (mut one, mut two, mut of_other) = (listening(&browser).await, listening(&browser).await, listening(&other).await);
    browser.log_out().await.assert_status(200);
    one.expect_end().await;
    two.expect_end().await;
    other.log_out().await.assert_status(200);
    of_other.expect_end().await;
}

#[tokio::test]
async fn a_logout_at_the_provider_ends_the_streams() {
    let (provider, app, browser) = signed_in().await;
    let mut events = listening(&browser).await;
    let token = provider.logout_token("jti-1", |_, _| {});
    app.browser().submit("/api/v1/oauth/backchannel-logout/alpha", &[("logout_token", &token)]).send().await.assert_status(200);
    events.expect_end().await;
}

#[tokio::test]
async fn a_new_sign_in_ends_the_streams_of_the_session_that_it_replaces() {
    let (provider, _app, browser) = signed_in().await;
    let mut events = listening(&browser).await;
    browser.sign_in(&provider).await;
    events.expect_replacement().await;
    listening(&browser).await;
}

#[tokio::test]
async fn a_sign_in_of_somebody_else_is_a_sign_out_to_the_pages_that_are_open() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    browser.sign_in_with_demo(&app, "alice").await;
    let mut events = listening(&browser).await;
    // At the demo provider it is somebody else's turn, too.
    let other = app.browser();
    other.put_cookie("session", &browser.session_cookie().unwrap());
    other.sign_in_with_demo(&app, "bob").await;
    events.expect_end().await;
}

#[tokio::test]
async fn new_tokens_are_told_with_the_session_as_it_is_now() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let mut events = browser.events().listen().await;
    let before = events.expect("signed_in").await;
    app.clock.advance_seconds(301);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    let after = events.expect("refreshed").await;
    assert_ne!(after["access_token"]["expires_at"], before["access_token"]["expires_at"]);
    assert_eq!(after, browser.session().await);
}

#[tokio::test]
async fn a40_a_page_that_is_open_hears_that_the_session_ends_soon_and_then_that_it_has_ended() {
    let (_provider, app, browser) = signed_in().await;
    let mut events = browser.events().listen().await;
    let idle_end = events.expect("signed_in").await["session"]["idle_expires_at"].clone();
    app.clock.advance_seconds(28 * 60);
    assert_eq!(events.expect("expiring").await, json!({ "expires_at": idle_end }));
    // A page that is opened now hears it as well, and neither is a use of the session.
    let mut late = listening(&browser).await;
    assert_eq!(late.expect("expiring").await, json!({ "expires_at": idle_end }));
    app.clock.advance_seconds(2 * 60);
    events.expect_expiry().await;
    late.expect_expiry().await;
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a_use_in_another_tab_is_told_to_who_has_heard_that_the_session_ends_soon() {
    let (_provider, app, browser) = signed_in().await;
    let mut events = listening(&browser).await;
    app.clock.advance_seconds(29 * 60);
    events.expect("expiring").await;
    let used = browser.session().await;
    assert_eq!(events.expect("refreshed").await, used);
    app.clock.advance_seconds(28 * 60);
    assert_eq!(events.expect("expiring").await["expires_at"], used["session"]["idle_expires_at"]);
}

#[tokio::test]
async fn a40_however_much_it_is_used_its_age_ends_a_session_and_its_streams() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("session.idle", "10m").set("session.absolute", "12m").start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let mut events = listening(&browser).await;
    app.clock.advance_seconds(5 * 60);
    assert!(browser.is_signed_in().await);
    app.clock.advance_seconds(5 * 60);
    let end = browser.session().await["session"]["expires_at"].clone();
    assert_eq!(events.expect("expiring").await, json!({ "expires_at": end }));
    app.clock.advance_seconds(2 * 60);
    events.expect_expiry().await;
}

#[tokio::test]
async fn a_session_that_is_hardly_longer_than_the_warning_ends_without_one() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("session.idle", "2m").start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let mut events = listening(&browser).await;
    app.clock.advance_seconds(119);
    let mut late = listening(&browser).await;
    app.clock.advance_seconds(1);
    events.expect_expiry().await;
    late.expect_expiry().await;
}

#[tokio::test]
async fn nobody_listens_without_a_session_and_no_other_site_does() {
    let (_provider, app, browser) = signed_in().await;
    app.browser().events().send().await.assert_problem(401, "unauthenticated");
    for initiator in [Initiator::CrossSite, Initiator::SameSite] {
        let request = browser.events().from(initiator);
        // The worst case: a browser that sends even the strict cookie.
        let cookie = format!("session={}", browser.session_cookie().unwrap());
        request.header("cookie", &cookie).send().await.assert_problem(403, "csrf_rejected");
    }
    let without = browser.events().without("sec-fetch-site").header("origin", "https://evil.example").send().await;
    without.assert_problem(403, "csrf_rejected");
    // A browser that sends no fetch metadata sends no origin with it, either.
    browser.events().without("sec-fetch-site").listen().await.expect("signed_in").await;
    browser.call(Method::POST, EVENTS).send().await.assert_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn a_session_has_only_so_many_streams_and_a_prefetch_is_none() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("limits.session_streams", "3").start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for _ in 0..3 {
        browser.request(Method::HEAD, EVENTS).from(Initiator::SameOrigin).send().await.assert_status(204);
        browser.events().header("sec-purpose", "prefetch").send().await.assert_status(204);
    }
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(listening(&browser).await);
    }
    let refused = browser.events().send().await;
    refused.assert_problem(503, "too_many_connections");
    assert_eq!(refused.header("retry-after"), Some("10"));
    // When a page is closed, there is room for another.
    drop(open);
    let mut again = loop {
        if let Some(events) = browser.events().try_listen().await {
            break events;
        }
    };
    again.expect("signed_in").await;
}

#[tokio::test]
async fn a_server_that_stops_ends_the_streams_and_nobody_is_signed_out_by_that() {
    let provider = StandInProvider::start().await;
    let mut app = TestApp::builder().openid("alpha", &provider).set("server.shutdown_grace", "1h").start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let mut events = listening(&browser).await;
    app.stop().await;
    assert_eq!(events.next().await, None);
    app.start().await;
    listening(&browser).await;
}

#[tokio::test]
async fn a_sign_out_is_heard_in_every_replica() {
    let (_provider, _apps, [here, there]) = replicas().await;
    let (mut near, mut far) = (listening(&here).await, listening(&there).await);
    here.log_out().await.assert_status(200);
    near.expect_end().await;
    far.expect_end().await;
    assert!(!there.is_signed_in().await, "what ended there is not remembered here");
}

#[tokio::test]
async fn a44_a_logout_at_the_provider_is_heard_in_every_replica() {
    let (provider, apps, [here, there]) = replicas().await;
    let (mut near, mut far) = (listening(&here).await, listening(&there).await);
    let token = provider.logout_token("jti-1", |_, _| {});
    apps[0].browser().submit("/api/v1/oauth/backchannel-logout/alpha", &[("logout_token", &token)]).send().await.assert_status(200);
    near.expect_end().await;
    far.expect_end().await;
}

#[tokio::test]
async fn a_use_in_another_replica_keeps_a_session_alive_here() {
    let (_provider, apps, [here, there]) = replicas().await;
    apps[0].clock.advance_seconds(29 * 60);
    assert!(there.is_signed_in().await);
    apps[0].clock.advance_seconds(29 * 60);
    // Here it has not been used for 58 minutes.
    assert!(here.is_signed_in().await);
}
