//! Where a user is signed in, and ending it there.

use crate::support::{Browser, Endpoint, Gate, GitHubStandIn, Initiator, SignIn as _, StandInProvider, TestApp, between, start_login};
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/// A user with two browsers, and another user of the same provider.
struct Users {
    provider: StandInProvider,
    app: TestApp,
    one: Browser,
    two: Browser,
    stranger: Browser,
}

async fn users() -> Users {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let (one, two, stranger) = (app.browser(), app.browser(), app.browser());
    one.sign_in_as(&provider, FIREFOX).await;
    app.clock.advance_seconds(10);
    two.sign_in_as(&provider, SAFARI).await;
    provider.edit_claims(|claims| claims["sub"] = "user-2".into());
    provider.edit_userinfo(|user| user["sub"] = "user-2".into());
    stranger.sign_in(&provider).await;
    Users { provider, app, one, two, stranger }
}

trait Devices {
    async fn sign_in_as(&self, provider: &StandInProvider, user_agent: &str);
    async fn list(&self) -> Vec<Value>;
    async fn end(&self, id: &str) -> crate::support::Answer;
}

impl Devices for Browser {
    async fn sign_in_as(&self, provider: &StandInProvider, user_agent: &str) {
        let callback = provider.authorize(&start_login(self, "alpha", "/account").await);
        let body: serde_json::Map<_, _> = callback.query_pairs().map(|(name, value)| (name.into_owned(), Value::from(value))).collect();
        self.post_code(&Value::from(body)).header("user-agent", user_agent).send().await.assert_status(200);
    }

    async fn list(&self) -> Vec<Value> {
        let answer = self.call(Method::GET, "/api/v1/sessions").send().await;
        assert_eq!(answer.assert_status(200).header("cache-control"), Some("no-store"));
        answer.json()["sessions"].as_array().unwrap().clone()
    }

    async fn end(&self, id: &str) -> crate::support::Answer {
        self.call(Method::POST, &format!("/api/v1/sessions/{id}/end")).send().await
    }
}

fn id(summary: &Value) -> &str {
    summary["id"].as_str().unwrap()
}

/// The refresh tokens that the provider was asked to take back, when it has been asked for that many tokens.
async fn revoked(provider: &StandInProvider, gate: &Gate, count: usize) -> BTreeSet<String> {
    gate.release();
    gate.arrived_times(count).await;
    let tokens = provider.received(Endpoint::Revocation).into_iter().filter_map(|request| request.form("token"));
    tokens.filter(|token| token.contains("refresh")).collect()
}

#[tokio::test]
async fn a_user_sees_all_their_sessions_and_nobody_else_s() {
    let Users { app, one, two, stranger, provider: _provider } = users().await;
    app.clock.advance_seconds(120);
    let list = one.list().await;
    assert_eq!(list.len(), 2);
    let without_id = |mut summary: Value| {
        summary.as_object_mut().unwrap().remove("id");
        summary
    };
    let expected = json!([
        { "provider": "alpha", "browser": "Safari", "system": "iPhone", "address": "127.0.0.1", "created_at": "2026-06-01T12:00:10Z",
            "last_seen_at": "2026-06-01T12:00:10Z", "current": false },
        { "provider": "alpha", "browser": "Firefox", "system": "Linux", "address": "127.0.0.1", "created_at": "2026-06-01T12:00:00Z",
            "last_seen_at": "2026-06-01T12:02:10Z", "current": true },
    ]);
    assert_eq!(list.iter().cloned().map(without_id).collect::<Value>(), expected);
    let of_two = two.list().await;
    let ids = |list: &[Value]| list.iter().map(|summary| id(summary).to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&of_two), ids(&list), "an id stays the same");
    assert_eq!((&of_two[0]["current"], &of_two[1]["current"]), (&json!(true), &json!(false)));
    assert_eq!(stranger.list().await.len(), 1);
    app.browser().call(Method::GET, "/api/v1/sessions").send().await.assert_problem(401, "unauthenticated");
    // Nobody can use a session by its id.
    for summary in list {
        let thief = app.browser();
        thief.put_cookie("session", id(&summary));
        assert!(!thief.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_browser_that_does_not_say_what_it_is_has_no_name() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let list = browser.list().await;
    assert_eq!((list[0].get("browser"), list[0].get("system")), (None, None), "{list:?}");
}

#[tokio::test]
async fn sessions_that_have_ended_are_not_listed() {
    let Users { app, one, two, provider: _provider, .. } = users().await;
    app.clock.advance_seconds(29 * 60);
    assert!(one.is_signed_in().await);
    app.clock.advance_seconds(2 * 60);
    assert_eq!(one.list().await.len(), 1, "the other one was not used for more than half an hour");
    assert!(!two.is_signed_in().await);
}

#[tokio::test]
async fn a_session_is_ended_from_another_one_and_its_tokens_are_revoked() {
    let Users { provider, one, two, stranger, app: _app } = users().await;
    let gate = provider.hold(Endpoint::Revocation);
    let other = one.list().await.into_iter().find(|summary| summary["current"] == false).unwrap();
    one.end(id(&other)).await.assert_status(204);
    assert!(!two.is_signed_in().await);
    assert!(one.is_signed_in().await && stranger.is_signed_in().await);
    assert_eq!(one.list().await.len(), 1);
    let tokens = revoked(&provider, &gate, 2).await;
    assert_eq!(tokens.into_iter().collect::<Vec<_>>(), ["sentinel-refresh-alpha-4"]);
    one.end(id(&other)).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn to_end_one_s_own_session_is_to_sign_out() {
    let Users { provider, one, two, app: _app, .. } = users().await;
    let own = one.list().await.into_iter().find(|summary| summary["current"] == true).unwrap();
    let answer = one.end(id(&own)).await;
    let redirect_to = answer.assert_status(200).json()["redirect_to"].as_str().unwrap().to_owned();
    assert!(redirect_to.starts_with(&format!("{}/logout?", provider.issuer())));
    assert_eq!(one.session_cookie(), None);
    assert!(!one.is_signed_in().await && two.is_signed_in().await);
}

#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else() {
    let Users { app, one, stranger, provider: _provider, .. } = users().await;
    let of_stranger = stranger.list().await;
    one.end(id(&of_stranger[0])).await.assert_problem(404, "not_found");
    for made_up in ["x", "..", "%2e%2e", &"A".repeat(43), &one.session_cookie().unwrap()] {
        one.end(made_up).await.assert_problem(404, "not_found");
    }
    app.browser().end(id(&of_stranger[0])).await.assert_problem(401, "unauthenticated");
    assert!(stranger.is_signed_in().await && one.is_signed_in().await);
}

#[tokio::test]
async fn a35_ending_a_session_proves_that_a_page_of_the_app_wants_it() {
    let Users { one, two, provider: _provider, app: _app, .. } = users().await;
    let other = one.list().await.into_iter().find(|summary| summary["current"] == false).unwrap();
    let address = format!("/api/v1/sessions/{}/end", id(&other));
    for initiator in [Initiator::CrossSite, Initiator::SameSite] {
        let cookie = format!("session={}", one.session_cookie().unwrap());
        let request = one.call(Method::POST, &address).from(initiator).header("cookie", &cookie);
        request.send().await.assert_problem(403, "csrf_rejected");
        one.submit(&address, &[]).from(initiator).header("cookie", &cookie).send().await.assert_problem_page("csrf_rejected");
    }
    one.request(Method::POST, &address).script().from(Initiator::SameOrigin).send().await.assert_problem(403, "csrf_rejected");
    for token in ["", "x", &two.session_cookie().unwrap()] {
        one.submit(&address, &[("csrf_token", token)]).send().await.assert_problem_page("csrf_rejected");
    }
    one.call(Method::GET, &address).send().await.assert_problem(405, "method_not_allowed");
    assert!(two.is_signed_in().await);
}

#[tokio::test]
async fn without_a_script_a_form_ends_a_session_and_another_all_of_them() {
    let app = TestApp::builder().set("server.render", "ssr").start().await;
    let (browser, other, third) = (app.browser(), app.browser(), app.browser());
    for browser in [&browser, &other, &third] {
        browser.sign_in_with_demo(&app, "alice").await;
    }
    let account = browser.navigate("/account").send().await.assert_status(200).text();
    let token = between(&account, r#"name="csrf_token" value=""#, "\"");
    let of_other = other.list().await.into_iter().find(|summary| summary["current"] == true).unwrap();
    let action = format!("/api/v1/sessions/{}/end", id(&of_other));
    assert!(account.contains(&format!(r#"action="{action}""#)), "{account}");
    browser.submit(&action, &[("csrf_token", &token)]).send().await.assert_redirect("/account");
    assert!(!other.is_signed_in().await && third.is_signed_in().await);

    let out = browser.submit("/api/v1/oauth/logout", &[("csrf_token", &token), ("everywhere", "true")]).send().await;
    assert!(out.assert_status(200).text().contains(&format!("{}/logout?", app.demo_origin())));
    assert!(!browser.is_signed_in().await && !third.is_signed_in().await);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_user_and_revokes_all_their_tokens() {
    let Users { provider, one, two, stranger, app: _app } = users().await;
    let gate = provider.hold(Endpoint::Revocation);
    let mut events = two.events().listen().await;
    events.expect("signed_in").await;
    let answer = one.call(Method::POST, "/api/v1/oauth/logout").json(&json!({ "everywhere": true })).send().await;
    assert!(answer.assert_status(200).json()["redirect_to"].as_str().unwrap().contains("id_token_hint="));
    assert_eq!(one.session_cookie(), None);
    events.expect_end().await;
    assert!(!one.is_signed_in().await && !two.is_signed_in().await);
    assert!(stranger.is_signed_in().await);
    let tokens = revoked(&provider, &gate, 4).await;
    assert_eq!(tokens.into_iter().collect::<Vec<_>>(), ["sentinel-refresh-alpha-2", "sentinel-refresh-alpha-4"]);
}

#[tokio::test]
async fn signing_out_here_leaves_the_other_sessions() {
    for body in [json!({}), json!({ "everywhere": false })] {
        let Users { one, two, provider: _provider, app: _app, .. } = users().await;
        one.call(Method::POST, "/api/v1/oauth/logout").json(&body).send().await.assert_status(200);
        assert!(!one.is_signed_in().await && two.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_sign_out_that_cannot_be_understood_ends_nothing() {
    let Users { one, two, provider: _provider, app: _app, .. } = users().await;
    let post = || one.call(Method::POST, "/api/v1/oauth/logout");
    for body in [json!({ "everywhere": "yes" }), json!({ "everywhere": true, "more": 1 }), json!([]), json!(true)] {
        post().json(&body).send().await.assert_problem(400, "invalid_request");
    }
    post().header("content-type", "application/json").body("{").send().await.assert_problem(400, "invalid_request");
    post().header("content-type", "text/plain").body("everywhere").send().await.assert_problem(415, "unsupported_media_type");
    assert!(one.is_signed_in().await && two.is_signed_in().await);
}

#[tokio::test]
async fn github_takes_back_the_tokens_of_every_session() {
    let github = GitHubStandIn::start().await;
    let app = TestApp::builder().github(&github).start().await;
    let (one, two) = (app.browser(), app.browser());
    one.sign_in_with_github(&github).await.assert_status(200);
    two.sign_in_with_github(&github).await.assert_status(200);
    assert_eq!(github.tokens().len(), 2);
    let gate = github.recording.hold(&GitHubStandIn::revocation_path());
    one.call(Method::POST, "/api/v1/oauth/logout").json(&json!({ "everywhere": true })).send().await.assert_status(200);
    gate.arrived_times(2).await;
    let tokens: BTreeSet<_> = github
        .recording
        .received(&GitHubStandIn::revocation_path())
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["access_token"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(tokens, BTreeSet::from_iter(github.tokens()));
    gate.release();
    assert!(!one.is_signed_in().await && !two.is_signed_in().await);
}
