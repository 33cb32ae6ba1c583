//! Upstreams that get a token of their own, for which the provider exchanges the user's (RFC 8693).

use super::API;
use crate::support::{Browser, Endpoint, Received, Reply, SignIn as _, StandInProvider, TestApp, Upstream};
use axum::http::Method;
use futures_util::future::join_all;
use serde_json::json;

/// How long the provider's no is its answer.
const REMEMBERED_SECONDS: i64 = 5;

struct Exchanging {
    provider: StandInProvider,
    upstream: Upstream,
    app: TestApp,
    browser: Browser,
}

async fn signed_in() -> Exchanging {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::builder()
        .openid("alpha", &provider)
        .upstream("api", &upstream)
        .set("upstreams.api.token_exchange", true)
        .set("upstreams.api.audience", "orders-api")
        .set("upstreams.api.resource", "https://orders.example.com/")
        .set("upstreams.api.scopes", "orders:read orders:write")
        .upstream("plain", &upstream)
        .start()
        .await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    Exchanging { provider, upstream, app, browser }
}

impl Exchanging {
    async fn call(&self) -> crate::support::Answer {
        self.browser.call(Method::GET, &format!("{API}/")).send().await
    }

    fn exchanges(&self) -> Vec<Received> {
        let received = self.provider.received(Endpoint::Token).into_iter();
        received.filter(|received| received.form("grant_type").unwrap().ends_with("token-exchange")).collect()
    }
}

#[tokio::test]
async fn the_upstream_gets_a_token_of_its_own_and_the_user_s_stays_here() {
    let exchanging = signed_in().await;
    for _ in 0..3 {
        exchanging.call().await.assert_status(200);
    }
    let tokens = exchanging.upstream.tokens();
    assert!(tokens[0].starts_with("Bearer sentinel-exchanged-alpha-"), "{tokens:?}");
    assert!(tokens.iter().all(|token| *token == tokens[0]), "it is kept");
    let exchanges = exchanging.exchanges();
    assert_eq!(exchanges.len(), 1);
    let form = |name: &str| exchanges[0].form(name);
    assert!(form("subject_token").unwrap().starts_with("sentinel-access-alpha-"));
    let access_token = "urn:ietf:params:oauth:token-type:access_token";
    assert_eq!((form("subject_token_type").as_deref(), form("requested_token_type").as_deref()), (Some(access_token), Some(access_token)));
    assert_eq!((form("audience").as_deref(), form("resource").as_deref()), (Some("orders-api"), Some("https://orders.example.com/")));
    assert_eq!((form("scope").as_deref(), form("actor_token")), (Some("orders:read orders:write"), None));
    assert!(exchanges[0].header("authorization").unwrap().starts_with("Basic "), "the client says who it is");
    // The other upstream gets the user's.
    exchanging.browser.call(Method::GET, "/api/v1/proxy/plain/").send().await.assert_status(200);
    assert!(exchanging.upstream.tokens()[3].starts_with("Bearer sentinel-access-alpha-"));
}

#[tokio::test]
async fn whoever_asks_meanwhile_waits_for_the_same_exchange() {
    let exchanging = signed_in().await;
    let gate = exchanging.provider.hold(Endpoint::Token);
    let calls = async { join_all((0..20).map(|_| exchanging.call())).await };
    let release = async {
        gate.arrived().await;
        gate.release();
    };
    let (answers, ()) = tokio::join!(calls, release);
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(exchanging.exchanges().len(), 1);
}

#[tokio::test]
async fn it_is_exchanged_anew_before_it_ends_and_when_the_user_s_is_renewed() {
    let exchanging = signed_in().await;
    exchanging.provider.edit_tokens(|tokens| {
        if tokens["issued_token_type"].is_string() {
            tokens["expires_in"] = 100.into();
        }
    });
    exchanging.call().await.assert_status(200);
    exchanging.app.clock.advance_seconds(69);
    exchanging.call().await.assert_status(200);
    assert_eq!(exchanging.exchanges().len(), 1);
    exchanging.app.clock.advance_seconds(1);
    exchanging.call().await.assert_status(200);
    assert_eq!(exchanging.exchanges().len(), 2);
    // The user's own is renewed now, and with it goes what it was exchanged for.
    exchanging.provider.edit_tokens(|_| {});
    exchanging.app.clock.advance_seconds(229);
    exchanging.call().await.assert_status(200);
    let subjects: Vec<_> = exchanging.exchanges().iter().map(|exchange| exchange.form("subject_token").unwrap()).collect();
    assert_eq!((subjects.len(), subjects[0] == subjects[1], subjects[1] == subjects[2]), (3, true, false));
}

#[tokio::test]
async fn each_session_has_its_own() {
    let exchanging = signed_in().await;
    exchanging.call().await.assert_status(200);
    let other = exchanging.app.browser();
    other.sign_in(&exchanging.provider).await;
    other.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
    let tokens = exchanging.upstream.tokens();
    assert_ne!(tokens[0], tokens[1]);
    exchanging.browser.log_out().await.assert_status(200);
    exchanging.call().await.assert_problem(401, "unauthenticated");
    assert_eq!(exchanging.upstream.count(), 2);
}

#[tokio::test]
async fn a_rejected_one_is_exchanged_once_more_and_not_at_every_call() {
    let exchanging = signed_in().await;
    let rejects = || Reply::json(401, &json!({})).header("www-authenticate", "Bearer error=\"invalid_token\"");
    exchanging.upstream.replace_once("/base/", rejects());
    exchanging.call().await.assert_status(200);
    let tokens = exchanging.upstream.tokens();
    assert_eq!(tokens.len(), 2);
    assert_ne!(tokens[0], tokens[1]);
    exchanging.upstream.replace("/base/", rejects());
    for _ in 0..3 {
        exchanging.call().await.assert_status(401);
    }
    assert_eq!(exchanging.exchanges().len(), 2);
    assert!(exchanging.browser.is_signed_in().await);
}

#[tokio::test]
async fn what_the_provider_makes_of_it_is_told_and_nothing_is_called() {
    let exchanging = signed_in().await;
    let issued = |kind: &str| json!({ "access_token": "t", "token_type": "Bearer", "issued_token_type": kind });
    let access_token = "urn:ietf:params:oauth:token-type:access_token";
    let mut too_much = issued(access_token);
    too_much["scope"] = "orders:read admin".into();
    let mut bound = issued(access_token);
    bound["token_type"] = "N_A".into();
    for (reply, status, code) in [
        (Reply::json(400, &json!({ "error": "invalid_target" })), 502, "provider_misconfigured"),
        (Reply::json(400, &json!({ "error": "unsupported_grant_type" })), 502, "provider_misconfigured"),
        (Reply::json(503, &json!({})), 502, "provider_unavailable"),
        (Reply::json(200, &json!({ "access_token": "t", "token_type": "Bearer" })), 502, "provider_invalid_response"),
        (Reply::json(200, &issued("urn:ietf:params:oauth:token-type:id_token")), 502, "provider_invalid_response"),
        (Reply::json(200, &too_much), 502, "provider_invalid_response"),
        (Reply::json(200, &bound), 502, "provider_invalid_response"),
        (Reply::html(200), 502, "provider_invalid_response"),
    ] {
        exchanging.provider.replace(Endpoint::Token, reply.clone());
        let answer = exchanging.call().await;
        assert_eq!(answer.json()["code"], code, "{reply:?}");
        answer.assert_problem(status, code);
        exchanging.app.clock.advance_seconds(REMEMBERED_SECONDS);
    }
    assert_eq!(exchanging.upstream.count(), 0);
    assert!(exchanging.browser.is_signed_in().await, "nobody is signed out for that");
    exchanging.provider.restore(Endpoint::Token);
    exchanging.call().await.assert_status(200);
}

#[tokio::test]
async fn a_refusal_is_the_answer_to_all_who_wait_and_to_those_who_come_soon() {
    let exchanging = signed_in().await;
    let other = exchanging.app.browser();
    other.sign_in(&exchanging.provider).await;
    exchanging.provider.replace(Endpoint::Token, Reply::json(400, &json!({ "error": "invalid_target" })));
    let gate = exchanging.provider.hold(Endpoint::Token);
    let calls = async { join_all((0..20).map(|_| exchanging.call())).await };
    let release = async {
        gate.arrived().await;
        gate.release();
    };
    let (answers, ()) = tokio::join!(calls, release);
    for answer in answers {
        answer.assert_problem(502, "provider_misconfigured");
    }
    exchanging.app.clock.advance_seconds(REMEMBERED_SECONDS - 1);
    exchanging.call().await.assert_problem(502, "provider_misconfigured");
    assert_eq!(exchanging.exchanges().len(), 1);
    // It is nobody else's.
    other.call(Method::GET, &format!("{API}/")).send().await.assert_problem(502, "provider_misconfigured");
    assert_eq!(exchanging.exchanges().len(), 2);
    exchanging.provider.restore(Endpoint::Token);
    exchanging.app.clock.advance_seconds(1);
    exchanging.call().await.assert_status(200);
    assert_eq!(exchanging.exchanges().len(), 3);
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_left_alone() {
    let exchanging = signed_in().await;
    let other = exchanging.app.browser();
    other.sign_in(&exchanging.provider).await;
    exchanging.provider.replace(Endpoint::Token, Reply::Broken);
    for _ in 0..3 {
        exchanging.call().await.assert_problem(502, "provider_unavailable");
    }
    let asked = exchanging.exchanges().len();
    for browser in [&exchanging.browser, &other] {
        let answer = browser.call(Method::GET, &format!("{API}/")).send().await;
        answer.assert_problem(502, "provider_unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(exchanging.exchanges().len(), asked);
    exchanging.provider.restore(Endpoint::Token);
    exchanging.app.clock.advance_seconds(1);
    exchanging.call().await.assert_status(200);
    other.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
}

#[tokio::test]
async fn a_provider_that_fails_at_exchanges_alone_goes_on_renewing() {
    for fails in [Reply::json(500, &json!({})), Reply::Broken] {
        let exchanging = signed_in().await;
        let others: Vec<_> = (0..3).map(|_| exchanging.app.browser()).collect();
        for other in &others {
            other.sign_in(&exchanging.provider).await;
        }
        exchanging.app.clock.advance_seconds(31);
        exchanging.provider.replace(Endpoint::Token, fails);
        for browser in &others {
            browser.call(Method::GET, &format!("{API}/")).send().await.assert_problem(502, "provider_unavailable");
        }
        exchanging.provider.restore(Endpoint::Token);
        let rejects = Reply::json(401, &json!({})).header("www-authenticate", "Bearer error=\"invalid_token\"");
        exchanging.upstream.replace_once("/base/", rejects);
        exchanging.browser.call(Method::GET, "/api/v1/proxy/plain/").send().await.assert_status(200);
        let tokens = exchanging.upstream.tokens();
        assert_ne!(tokens[0], tokens[1]);
        // That it renews does not mean that it exchanges.
        let answer = exchanging.call().await;
        answer.assert_problem(502, "provider_unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

#[tokio::test]
async fn a_provider_that_is_asked_too_much_is_not_down() {
    let exchanging = signed_in().await;
    let fails = async |reply: Reply| {
        exchanging.provider.replace(Endpoint::Token, reply);
        let answer = exchanging.call().await;
        answer.assert_problem(502, "provider_unavailable");
        assert_eq!(answer.header("retry-after"), None, "it is not left alone");
    };
    for reply in [Reply::Broken, Reply::Broken, Reply::json(429, &json!({}))] {
        fails(reply).await;
    }
    exchanging.app.clock.advance_seconds(REMEMBERED_SECONDS);
    for reply in [Reply::Broken, Reply::Broken] {
        fails(reply).await;
    }
}

#[tokio::test]
async fn less_than_was_asked_for_is_enough() {
    let exchanging = signed_in().await;
    exchanging.provider.edit_tokens(|tokens| tokens["scope"] = "orders:read".into());
    exchanging.call().await.assert_status(200);
}
