//! How long a session lives, and how its token is renewed.

use crate::support::{Endpoint, Reply, SignIn as _, SigningKey, StandInProvider, TestApp, Upstream, start_login};
use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

async fn signed_in_with_upstream() -> (StandInProvider, Upstream, TestApp, crate::support::Browser) {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    (provider, upstream, app, browser)
}

/// Calls the API while its token is renewed behind the call's back, and answers the session with the new one.
async fn renewed_behind_its_back(browser: &crate::support::Browser) -> serde_json::Value {
    let before = browser.session().await["access_token"].clone();
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    loop {
        let session = browser.session().await;
        if session["access_token"] != before {
            return session;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a40_an_unused_session_ends_after_the_idle_time() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    app.clock.advance_seconds(30 * 60 - 1);
    assert!(browser.is_signed_in().await);
    // That was a use, so the time begins anew.
    app.clock.advance_seconds(30 * 60 - 1);
    assert!(browser.is_signed_in().await);
    app.clock.advance_seconds(30 * 60);
    browser.call(Method::GET, "/api/v1/proxy/api").send().await.assert_problem(401, "unauthenticated");
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a40_whoever_only_looks_does_not_prolong_a_session() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let look = async || browser.call(Method::GET, "/api/v1/session?prolong=false").send().await.assert_status(200).json();
    let before = look().await;
    assert_eq!(before["authenticated"], true);
    for _ in 0..2 {
        app.clock.advance_seconds(14 * 60);
        assert_eq!(look().await, before);
    }
    // It says what a use elsewhere has changed.
    let used = browser.session().await;
    assert_ne!(used, before);
    assert_eq!(look().await, used);
    app.clock.advance_seconds(30 * 60);
    assert_eq!(look().await, json!({ "authenticated": false }));
}

#[tokio::test]
async fn a40_a_session_ends_at_its_absolute_time_however_much_it_is_used() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("session.idle", "10m").set("session.absolute", "30m").start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for _ in 0..5 {
        app.clock.advance_seconds(5 * 60);
        assert!(browser.is_signed_in().await);
    }
    let session = browser.session().await["session"].clone();
    assert_eq!(session["idle_expires_at"], session["expires_at"], "the idle end never passes the absolute one");
    app.clock.advance_seconds(5 * 60);
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a41_a_store_that_can_only_be_read_signs_nobody_out_who_is_active() {
    let provider = StandInProvider::start().await;
    let mut app = TestApp::with_provider(&provider).await;
    let (active, away) = (app.browser(), app.browser());
    for browser in [&active, &away] {
        browser.sign_in(&provider).await;
    }
    let mut database = connect(&app).await;
    let full = "CREATE TRIGGER full BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'full'); END";
    sqlx::query(full).execute(&mut database).await.unwrap();
    // Every use comes when somebody has to wait for it to be written down.
    for _ in 0..5 {
        app.clock.advance_seconds(20 * 60);
        assert!(active.is_signed_in().await);
    }
    // Another server might know more of this one.
    for _ in 0..2 {
        away.call(Method::GET, "/api/v1/session").send().await.assert_problem(503, "store_unavailable");
    }
    let last_seen: i64 = sqlx::query_scalar("SELECT max(last_seen_at) FROM sessions").fetch_one(&mut database).await.unwrap();
    assert!(last_seen < app.clock.seconds() - 90 * 60, "nothing was written");

    sqlx::query("DROP TRIGGER full").execute(&mut database).await.unwrap();
    // Nor may it have written that down already.
    away.call(Method::GET, "/api/v1/session").send().await.assert_problem(503, "store_unavailable");
    app.clock.advance_seconds(5);
    let mut seen = async || -> i64 { sqlx::query_scalar("SELECT min(last_seen_at) FROM sessions").fetch_one(&mut database).await.unwrap() };
    let before = seen().await;
    assert!(!away.is_signed_in().await);
    assert_eq!(seen().await, before, "that the store takes writes is known by now");
    // What this server remembers is written down when it ends, at the latest.
    app.stop().await;
    app.start().await;
    assert!(active.is_signed_in().await);
    assert!(!away.is_signed_in().await);
}

#[tokio::test]
async fn the_token_is_renewed_before_it_ends_and_the_session_says_so() {
    let (provider, upstream, app, browser) = signed_in_with_upstream().await;
    let before = browser.session().await["access_token"]["expires_at"].clone();
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    assert_eq!(provider.count(Endpoint::Token), 1, "a fresh token is not renewed");

    app.clock.advance_seconds(275);
    let renewed_at = renewed_behind_its_back(&browser).await["access_token"]["expires_at"].clone();
    assert_ne!(renewed_at, before);
    assert_eq!(provider.count(Endpoint::Token), 2);
    let refresh = &provider.received(Endpoint::Token)[1];
    assert_eq!(refresh.form("grant_type").unwrap(), "refresh_token");
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    let tokens = upstream.tokens();
    assert!(tokens.iter().all(|token| token.starts_with("Bearer sentinel-access-alpha-")), "{tokens:?}");
    assert_eq!(tokens[0], tokens[1], "nobody waits while the old one works");
    assert_ne!(tokens[0], tokens[2]);

    // The provider rotates: the second renewal has to bring the second refresh token.
    app.clock.advance_seconds(275);
    renewed_behind_its_back(&browser).await;
    let refreshes = provider.received(Endpoint::Token);
    assert_ne!(refreshes[1].form("refresh_token"), refreshes[2].form("refresh_token"));
}

#[tokio::test]
async fn nobody_waits_for_a_provider_that_is_slow_while_the_token_works() {
    let (provider, upstream, app, browser) = signed_in_with_upstream().await;
    app.clock.advance_seconds(275);
    let gate = provider.hold(Endpoint::Token);
    for _ in 0..3 {
        browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    }
    gate.arrived().await;
    assert_eq!((provider.count(Endpoint::Token), upstream.count()), (2, 3));
    // In its last seconds it might end on the way to the API.
    app.clock.advance_seconds(20);
    let call = browser.call(Method::GET, "/api/v1/proxy/api/").send();
    let release = async {
        assert_eq!(upstream.count(), 3);
        gate.release();
    };
    let (call, ()) = tokio::join!(call, release);
    call.assert_status(200);
    let tokens = upstream.tokens();
    assert_eq!((provider.count(Endpoint::Token), tokens.len()), (2, 4));
    assert!(tokens[0] == tokens[2] && tokens[2] != tokens[3], "{tokens:?}");
}

#[tokio::test]
async fn a38_fifty_calls_at_the_end_of_the_token_make_one_refresh_and_all_succeed() {
    let (provider, upstream, app, browser) = signed_in_with_upstream().await;
    app.clock.advance_seconds(301);
    let gate = provider.hold(Endpoint::Token);
    let calls = join_all((0..50).map(|_| browser.call(Method::GET, "/api/v1/proxy/api/").send()));
    let release = async {
        gate.arrived().await;
        gate.release();
    };
    let (answers, ()) = tokio::join!(calls, release);
    for answer in &answers {
        answer.assert_status(200);
    }
    assert_eq!(provider.count(Endpoint::Token), 2, "one for the code, one for the refresh");
    assert_eq!(upstream.count(), 50);
    assert!(upstream.tokens().iter().all(|token| *token == upstream.tokens()[0]));
}

#[tokio::test]
async fn a39_a_provider_in_trouble_ends_no_session() {
    let (provider, _upstream, app, browser) = signed_in_with_upstream().await;
    app.clock.advance_seconds(301);
    for (reply, status, code) in [
        (Reply::json(500, &json!({})), 502, "provider_unavailable"),
        (Reply::html(503), 502, "provider_unavailable"),
        (Reply::json(429, &json!({ "error": "slow_down" })), 502, "provider_unavailable"),
        (Reply::json(401, &json!({ "error": "invalid_client" })), 502, "provider_misconfigured"),
        (Reply::json(400, &json!({ "error": "unauthorized_client" })), 502, "provider_misconfigured"),
        (Reply::html(200), 502, "provider_invalid_response"),
        (Reply::json(200, &json!({ "token_type": "Bearer" })), 502, "provider_invalid_response"),
        (Reply::redirect(302, "https://elsewhere.example"), 502, "provider_invalid_response"),
    ] {
        provider.replace(Endpoint::Token, reply);
        browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_problem(status, code);
        assert!(browser.is_signed_in().await, "{code}");
    }
    provider.restore(Endpoint::Token);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
}

#[tokio::test]
async fn a39_a_token_that_still_works_outlasts_a_provider_that_does_not() {
    let (provider, _upstream, app, browser) = signed_in_with_upstream().await;
    app.clock.advance_seconds(280);
    provider.replace(Endpoint::Token, Reply::json(500, &json!({})));
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    // In its last seconds a call waits for a new one, and makes do with what there is.
    app.clock.advance_seconds(16);
    while provider.count(Endpoint::Token) < 4 {
        browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    }
}

#[tokio::test]
async fn a39_a_provider_that_does_not_answer_is_left_alone_and_asked_again_by_one() {
    let (provider, upstream, app, browser) = signed_in_with_upstream().await;
    let other = app.browser();
    other.sign_in(&provider).await;
    app.clock.advance_seconds(301);
    provider.replace(Endpoint::Token, Reply::json(503, &json!({})));
    let call = async |browser: &crate::support::Browser| browser.call(Method::GET, "/api/v1/proxy/api/").send().await;
    for _ in 0..3 {
        let answer = call(&browser).await;
        answer.assert_problem(502, "provider_unavailable");
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
    let asked = provider.count(Endpoint::Token);
    for browser in [&browser, &other, &browser] {
        let answer = call(browser).await;
        answer.assert_problem(502, "provider_unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(provider.count(Endpoint::Token), asked, "it is left alone");
    assert!(browser.is_signed_in().await && other.is_signed_in().await);

    // After a second it is asked once; that fails, and the pause is longer.
    app.clock.advance_seconds(1);
    for _ in 0..3 {
        call(&browser).await.assert_problem(502, "provider_unavailable");
    }
    app.clock.advance_seconds(1);
    call(&other).await.assert_problem(502, "provider_unavailable");
    assert_eq!(provider.count(Endpoint::Token), asked + 1);

    // Who signs in is not kept waiting for that.
    provider.restore(Endpoint::Token);
    app.browser().sign_in(&provider).await;
    app.clock.advance_seconds(1);
    call(&other).await.assert_status(200);
    call(&browser).await.assert_status(200);
    assert_eq!((provider.count(Endpoint::Token), upstream.count()), (asked + 4, 2));
}

#[tokio::test]
async fn a_renewal_under_way_is_finished_before_the_server_ends() {
    let (provider, _upstream, mut app, browser) = signed_in_with_upstream().await;
    app.clock.advance_seconds(275);
    let gate = provider.hold(Endpoint::Token);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    gate.arrived().await;
    let release = async { gate.release() };
    tokio::join!(app.stop(), release);
    app.start().await;
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    assert_eq!(provider.count(Endpoint::Token), 2, "the new token was written down");
    app.clock.advance_seconds(301);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_clock_that_is_set_costs_nobody_the_session() {
    let (provider, _upstream, app, browser) = signed_in_with_upstream().await;
    for (seconds, refreshes) in [(-3600, 0), (3600, 0), (1500, 1), (-1500, 1), (290, 1), (1600, 2), (-1600, 2)] {
        app.clock.advance_seconds(seconds);
        browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
        assert_eq!(provider.count(Endpoint::Token), 1 + refreshes, "after {seconds}");
        assert!(browser.is_signed_in().await);
    }
}

/// A row of the store, as another process would leave it.
struct Row {
    version: i64,
    profile: String,
    tokens: Vec<u8>,
}

impl Row {
    async fn read(app: &TestApp) -> Self {
        let row = sqlx::query("SELECT version, profile, tokens FROM sessions").fetch_one(&mut connect(app).await).await.unwrap();
        Self { version: row.get("version"), profile: row.get("profile"), tokens: row.get("tokens") }
    }

    async fn write(&self, app: &TestApp) {
        sqlx::query("UPDATE sessions SET version = ?, profile = ?, tokens = ?")
            .bind(self.version)
            .bind(&self.profile)
            .bind(&self.tokens)
            .execute(&mut connect(app).await)
            .await
            .unwrap();
    }
}

async fn connect(app: &TestApp) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(app.database())).await.unwrap()
}

/// A call that renews the token and is overtaken: while the provider is thinking, another process writes its new tokens
/// down. Answers the tokens that the API has seen: that of the other process, then that of the call.
async fn overtaken(answer_of_provider: Reply) -> (StandInProvider, TestApp, crate::support::Browser, Vec<String>) {
    let (provider, upstream, app, browser) = signed_in_with_upstream().await;
    let before = Row::read(&app).await;
    let token_before = browser.session().await["access_token"].clone();
    app.clock.advance_seconds(301);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    let of_the_other = Row::read(&app).await;
    assert_eq!(of_the_other.version, before.version + 1);
    // Back to where both processes begin, once the app has heard of it.
    before.write(&app).await;
    while browser.session().await["access_token"] != token_before {}
    provider.replace(Endpoint::Token, answer_of_provider);
    let gate = provider.hold(Endpoint::Token);
    let call = browser.call(Method::GET, "/api/v1/proxy/api/").send();
    let other = async {
        gate.arrived().await;
        of_the_other.write(&app).await;
        gate.release();
    };
    let (call, ()) = tokio::join!(call, other);
    call.assert_status(200);
    (provider, app, browser, upstream.tokens())
}

#[tokio::test]
async fn a_renewal_that_another_process_has_overtaken_uses_the_winner_s_token_and_revokes_nothing() {
    let own = json!({ "token_type": "Bearer", "expires_in": 300, "access_token": "sentinel-own", "refresh_token": "sentinel-own-refresh" });
    let (provider, app, browser, tokens) = overtaken(Reply::json(200, &own)).await;
    assert_eq!(tokens[0], tokens[1], "the other process's token is used");
    assert_eq!(provider.count(Endpoint::Revocation), 0, "the two are of one grant: to revoke ours would end both");
    assert!(browser.is_signed_in().await);

    // And its refresh token is the one that counts from now on.
    provider.restore(Endpoint::Token);
    app.clock.advance_seconds(301);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    let last = provider.received(Endpoint::Token).pop().unwrap();
    assert_ne!(last.form("refresh_token").unwrap(), "sentinel-own-refresh");
}

#[tokio::test]
async fn a39_invalid_grant_for_a_token_that_another_process_has_spent_ends_no_session() {
    let (provider, _app, browser, tokens) = overtaken(Reply::json(400, &json!({ "error": "invalid_grant" }))).await;
    assert_eq!(tokens[0], tokens[1], "the other process's token is used");
    assert_eq!(provider.count(Endpoint::Revocation), 0);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a39_invalid_grant_ends_the_session() {
    let (provider, upstream, app, browser) = signed_in_with_upstream().await;
    app.clock.advance_seconds(301);
    provider.replace(Endpoint::Token, Reply::json(400, &json!({ "error": "invalid_grant" })));
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_problem(401, "session_ended");
    assert!(!browser.is_signed_in().await);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a39_a_token_that_has_run_out_and_cannot_be_renewed_ends_the_calls_but_not_the_session() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    provider.edit_tokens(|tokens| drop(tokens.as_object_mut().unwrap().remove("refresh_token")));
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    app.clock.advance_seconds(299);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    app.clock.advance_seconds(1);
    assert!(browser.is_signed_in().await, "who needs no token is not bothered");
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_problem(401, "permission_expired");
    assert_eq!((upstream.count(), provider.count(Endpoint::Token)), (1, 1));
    assert!(browser.is_signed_in().await, "the provider has taken nothing back");
}

#[tokio::test]
async fn a32_a_refreshed_id_token_of_somebody_else_is_refused() {
    for (claim, value) in [("sub", json!("user-2")), ("iss", json!("http://127.0.0.1:1")), ("aud", json!("another-client"))] {
        let (provider, upstream, app, browser) = signed_in_with_upstream().await;
        app.clock.advance_seconds(301);
        provider.edit_claims(move |claims| claims[claim] = value.clone());
        browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_problem(502, "provider_invalid_response");
        assert_eq!(upstream.count(), 0, "the token that came with it is not used");
        assert!(browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a32_after_a_refreshed_id_token_of_somebody_else_no_spent_refresh_token_is_shown_again() {
    let (provider, upstream, app, browser) = signed_in_with_upstream().await;
    app.clock.advance_seconds(301);
    provider.edit_claims(|claims| claims["sub"] = "user-2".into());
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_problem(502, "provider_invalid_response");
    // The tokens that nobody may use are taken back.
    let revoked: Vec<_> = provider.received(Endpoint::Revocation).into_iter().filter_map(|request| request.form("token")).collect();
    assert_eq!(revoked, ["sentinel-refresh-alpha-3", "sentinel-access-alpha-3"]);

    provider.edit_claims(|_| {});
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_problem(401, "permission_expired");
    assert_eq!((provider.count(Endpoint::Token), upstream.count()), (2, 0));
    let session = browser.session().await;
    assert_eq!((&session["user"]["sub"], &session["access_token"]["refreshable"]), (&json!("user-1"), &json!(false)));
}

#[tokio::test]
async fn a39_a_refresh_that_spends_nothing_and_brings_a_wrong_id_token_is_tried_again() {
    let (provider, _upstream, app, browser) = signed_in_with_upstream().await;
    app.clock.advance_seconds(301);
    let (now, issuer) = (app.clock.seconds(), provider.issuer());
    let claims = json!({ "iss": issuer, "sub": "user-2", "aud": StandInProvider::CLIENT_ID, "iat": now, "exp": now + 300 });
    let wrong = json!({ "token_type": "Bearer", "expires_in": 300, "access_token": "sentinel-wrong", "id_token": provider.sign(&claims) });
    provider.replace_once(Endpoint::Token, Reply::json(200, &wrong));
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_problem(502, "provider_invalid_response");
    assert_eq!(provider.count(Endpoint::Revocation), 0);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
}

#[tokio::test]
async fn a39_a_refreshed_id_token_of_an_unknown_key_costs_nobody_the_new_tokens() {
    let (provider, upstream, app, browser) = signed_in_with_upstream().await;
    provider.sign_with_unpublished(SigningKey::es256("key-2"));
    for round in 1..=2 {
        app.clock.advance_seconds(301);
        browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
        assert_eq!((provider.count(Endpoint::Token), upstream.count()), (1 + round, round));
    }
    let refreshes = provider.received(Endpoint::Token);
    assert_eq!(refreshes[2].form("refresh_token").unwrap(), "sentinel-refresh-alpha-3", "that of the first refresh");
    assert_eq!(upstream.tokens(), ["Bearer sentinel-access-alpha-3", "Bearer sentinel-access-alpha-4"]);
    assert_eq!(provider.count(Endpoint::Revocation), 0);

    // Nothing is taken from what cannot be verified: the provider is shown the ID token of the login.
    let redirect_to: url::Url = browser.log_out().await.json()["redirect_to"].as_str().unwrap().parse().unwrap();
    let (_, hint) = redirect_to.query_pairs().find(|(name, _)| name == "id_token_hint").unwrap();
    let header: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(hint.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(header["kid"], "key-1");
}

#[tokio::test]
async fn a39_a_refreshed_id_token_of_a_key_that_may_not_be_fetched_yet_costs_nobody_the_new_tokens() {
    let (provider, upstream, app, browser) = signed_in_with_upstream().await;
    app.clock.advance_seconds(297);
    // A login has just had the keys fetched, and the provider publishes the new one a moment too late.
    provider.sign_with_unpublished(SigningKey::es256("key-2"));
    let other = app.browser();
    let callback = provider.authorize(&start_login(&other, "alpha", "/").await);
    other.finish(&callback).await.assert_problem(502, "id_token_invalid");
    provider.publish(vec![provider.public_key()]);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    assert_eq!(provider.count(Endpoint::Keys), 2, "they were not asked for again");
    let renewed = provider.received(Endpoint::Token).len();
    assert_eq!((renewed, browser.session().await["access_token"]["refreshable"].clone()), (3, json!(true)));
    app.clock.advance_seconds(301);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    assert_eq!((provider.count(Endpoint::Token), upstream.count()), (4, 2));
    let tokens = upstream.tokens();
    assert_ne!(tokens[0], tokens[1]);
    assert_ne!(tokens[0], "Bearer sentinel-access-alpha-2", "the new token is used although its ID token was not judged");
}

#[tokio::test]
async fn a39_a_refreshed_id_token_costs_nobody_the_new_tokens_while_the_keys_cannot_be_had() {
    let (provider, _upstream, app, browser) = signed_in_with_upstream().await;
    provider.rotate_key(SigningKey::es256("key-2"));
    provider.replace(Endpoint::Keys, Reply::json(503, &json!({})));
    for fetches in [2, 3] {
        app.clock.advance_seconds(296);
        browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
        assert_eq!(provider.count(Endpoint::Keys), fetches);
    }
    // With the keys, the new ID token counts again.
    provider.restore(Endpoint::Keys);
    app.clock.advance_seconds(296);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    assert_eq!(provider.count(Endpoint::Token), 4);
}

#[tokio::test]
async fn a32_a_refresh_without_an_id_token_is_fine() {
    let (provider, _upstream, app, browser) = signed_in_with_upstream().await;
    app.clock.advance_seconds(301);
    provider.edit_tokens(|tokens| {
        tokens.as_object_mut().unwrap().remove("id_token");
        tokens.as_object_mut().unwrap().remove("refresh_token");
    });
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
}

#[tokio::test]
async fn a23_a_login_ends_the_session_that_was_there_before() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let old = browser.session_cookie().unwrap();
    browser.sign_in(&provider).await;
    let new = browser.session_cookie().unwrap();
    assert_ne!(old, new);
    let other = app.browser();
    other.put_cookie("session", &old);
    assert!(!other.is_signed_in().await);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_session_that_is_over_leaves_its_cookie_to_the_next_sign_in_and_is_nobody_s_on_the_home_page() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("server.render", "spa").start().await;
    let browser = app.browser();
    let ways_to_sign_in = async || browser.navigate("/").send().await.assert_status(200).text().contains("/login?provider=alpha");
    assert!(ways_to_sign_in().await);
    browser.sign_in(&provider).await;
    assert!(!ways_to_sign_in().await);
    app.clock.advance_seconds(30 * 60);
    let before = browser.session_cookie();
    let answer = browser.call(Method::GET, "/api/v1/session").send().await;
    assert_eq!(answer.assert_status(200).json(), json!({ "authenticated": false }));
    assert!(answer.set_cookies().is_empty() && browser.session_cookie() == before);
    assert!(ways_to_sign_in().await);
    browser.sign_in(&provider).await;
    assert_ne!(browser.session_cookie(), before);
    assert!(!ways_to_sign_in().await);
}

#[tokio::test]
async fn a_login_that_cannot_be_written_down_whole_leaves_neither_a_session_nor_tokens() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let before = browser.session_cookie();
    let mut database = connect(&app).await;
    let old: String = sqlx::query_scalar("SELECT hex(key) FROM sessions").fetch_one(&mut database).await.unwrap();
    let broken =
        format!("CREATE TRIGGER broken BEFORE DELETE ON sessions WHEN hex(OLD.key) = '{old}' BEGIN SELECT RAISE(ABORT, 'no'); END");
    sqlx::query(AssertSqlSafe(broken)).execute(&mut database).await.unwrap();
    let revocation = provider.hold(Endpoint::Revocation);
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_problem(503, "store_unavailable");
    revocation.release();
    revocation.arrived_times(2).await;
    assert_eq!(provider.received(Endpoint::Revocation)[0].form("token_type_hint").unwrap(), "refresh_token");
    let left: Vec<String> = sqlx::query_scalar("SELECT hex(key) FROM sessions").fetch_all(&mut database).await.unwrap();
    assert_eq!(left, [old]);
    assert_eq!(browser.session_cookie(), before);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a33_the_same_address_at_another_provider_is_another_user() {
    let (alpha, beta) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let app = TestApp::builder().openid("alpha", &alpha).openid("beta", &beta).start().await;
    let (at_alpha, at_beta) = (app.browser(), app.browser());
    at_alpha.sign_in(&alpha).await;
    let authorization_url = start_login(&at_beta, "beta", "/").await;
    at_beta.finish(&beta.authorize(&authorization_url)).await.assert_status(200);
    assert_eq!(at_alpha.session().await["user"]["email"], at_beta.session().await["user"]["email"]);

    // Ending alpha's user ends nobody at beta, though `sub` and address are the same.
    let token = alpha.logout_token("jti-1", |_, claims| {
        claims.as_object_mut().unwrap().remove("sid");
    });
    at_alpha.submit("/api/v1/oauth/backchannel-logout/alpha", &[("logout_token", &token)]).send().await.assert_status(200);
    assert!(!at_alpha.is_signed_in().await);
    assert!(at_beta.is_signed_in().await);
}
