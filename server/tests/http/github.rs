//! GitHub, which is no OpenID provider and has ways of its own.

use crate::support::{GitHubStandIn, Reply, SignIn as _, TestApp, start_login};
use axum::http::Method;
use serde_json::json;
use std::collections::HashMap;

async fn app() -> (GitHubStandIn, TestApp) {
    let github = GitHubStandIn::start().await;
    let app = TestApp::builder().github(&github).start().await;
    (github, app)
}

#[tokio::test]
async fn a_client_id_and_a_secret_in_the_environment_are_enough() {
    let app = TestApp::builder().variable("GITHUB_CLIENT_ID", "id").variable("GITHUB_CLIENT_SECRET", "secret").start().await;
    let browser = app.browser();
    let listed = browser.call(Method::GET, "/api/v1/oauth/providers").send().await.json();
    assert_eq!(listed, json!([{ "id": "github", "name": "GitHub", "icon": "github" }]));
    let url = start_login(&browser, "github", "/").await;
    assert!(url.as_str().starts_with("https://github.com/login/oauth/authorize?"));
    let policy = browser.navigate("/").send().await.header("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("img-src 'self' data: avatars.githubusercontent.com;"), "{policy}");
}

#[tokio::test]
async fn a_login_with_github_goes_all_the_way() {
    let (github, app) = app().await;
    let browser = app.browser();
    let url = start_login(&browser, "github", "/account").await;
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["scope"], "read:user user:email");
    assert_eq!(query["code_challenge_method"], "S256");
    assert!(!query.contains_key("nonce"), "there is no ID token to bring it back");

    browser.finish(&github.authorize(&url)).await.assert_status(200);
    let session = browser.session().await;
    let picture = "https://avatars.githubusercontent.com/u/583231";
    assert_eq!(
        session["user"],
        json!({ "sub": "583231", "name": "Alice Example", "login": "alice", "email": "alice@example.com", "email_verified": true, "picture": picture })
    );
    assert_eq!(session["scopes"], json!(["read:user", "user:email"]), "they come back with commas");
    assert_eq!(session["access_token"], json!({ "refreshable": false }), "it never ends");

    let token_request = github.only(GitHubStandIn::TOKEN_PATH);
    assert_eq!(token_request.header("accept"), Some("application/json"));
    assert_eq!(token_request.form("client_secret").unwrap(), GitHubStandIn::CLIENT_SECRET);
    assert_eq!(token_request.header("authorization"), None);
    for path in [GitHubStandIn::TOKEN_PATH, GitHubStandIn::USER_PATH, GitHubStandIn::EMAILS_PATH] {
        assert!(github.only(path).header("user-agent").unwrap().starts_with("oauth2flow/"), "{path}");
    }
}

#[tokio::test]
async fn signing_out_takes_github_s_token_back() {
    let (github, app) = app().await;
    let browser = app.browser();
    browser.sign_in_with_github(&github).await.assert_status(200);
    let token = github.tokens()[0].clone();
    assert!(github.accepts(&token));
    let gate = github.recording.hold(&GitHubStandIn::revocation_path());
    assert_eq!(browser.log_out().await.assert_status(200).json()["redirect_to"], serde_json::Value::Null);
    gate.arrived().await;
    let request = github.only(&GitHubStandIn::revocation_path());
    assert_eq!(request.method, Method::DELETE);
    assert!(request.header("authorization").unwrap().starts_with("Basic "));
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({ "access_token": token }));
    gate.release();
}

#[tokio::test]
async fn errors_that_come_with_status_200_are_errors() {
    for (error, status, code) in [
        ("bad_verification_code", 400, "code_rejected"),
        ("incorrect_client_credentials", 502, "provider_misconfigured"),
        ("redirect_uri_mismatch", 502, "provider_misconfigured"),
        ("unverified_user_email", 502, "provider_refused"),
    ] {
        let (github, app) = app().await;
        github.refuse_token(error);
        let browser = app.browser();
        browser.sign_in_with_github(&github).await.assert_problem(status, code);
        assert!(!browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_code_works_once() {
    let (github, app) = app().await;
    let (one, two) = (app.browser(), app.browser());
    let first = github.authorize(&start_login(&one, "github", "/").await);
    let mut second = github.authorize(&start_login(&two, "github", "/").await);
    one.finish(&first).await.assert_status(200);
    // The second browser's state, with the first one's code.
    let pairs: Vec<_> = second.query_pairs().into_owned().collect();
    let code = first.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    second
        .query_pairs_mut()
        .clear()
        .extend_pairs(pairs.into_iter().map(|(name, value)| if name == "code" { (name, code.clone()) } else { (name, value) }));
    two.finish(&second).await.assert_problem(400, "code_rejected");
}

#[tokio::test]
async fn a16_github_s_iss_may_be_missing_but_not_wrong() {
    let (github, app) = app().await;
    let browser = app.browser();
    for (iss, accepted) in [(None, true), (Some("https://evil.example"), false), (Some(github.origin()), false)] {
        let callback = github.authorize(&start_login(&browser, "github", "/").await);
        let mut query: HashMap<_, _> = callback.query_pairs().into_owned().collect();
        assert_eq!(query.remove("iss"), Some(format!("{}/login/oauth", github.origin())));
        if let Some(iss) = iss {
            query.insert("iss".to_owned(), iss.to_owned());
        }
        let answer = browser.post_code(&json!(query)).send().await;
        if accepted {
            answer.assert_status(200);
        } else {
            answer.assert_problem(400, "issuer_mismatch");
        }
    }
    assert_eq!(github.recording.count(GitHubStandIn::TOKEN_PATH), 1);
}

#[tokio::test]
async fn without_a_verified_primary_address_there_is_none() {
    let (github, app) = app().await;
    for emails in [
        json!([]),
        json!([{ "email": "a@example.com", "primary": true, "verified": false }, { "email": "b@example.com", "primary": false, "verified": true }]),
    ] {
        github.recording.replace(GitHubStandIn::EMAILS_PATH, Reply::json(200, &emails));
        let browser = app.browser();
        browser.sign_in_with_github(&github).await.assert_status(200);
        let user = browser.session().await["user"].clone();
        assert_eq!((user.get("email"), user.get("email_verified")), (None, None), "{user}");
    }
}

#[tokio::test]
async fn a_user_without_a_number_is_nobody() {
    let (github, app) = app().await;
    for id in [json!(null), json!(1.5), json!({}), json!("")] {
        github.recording.replace(GitHubStandIn::USER_PATH, Reply::json(200, &json!({ "id": id, "login": "alice" })));
        let browser = app.browser();
        browser.sign_in_with_github(&github).await.assert_problem(502, "provider_invalid_response");
        assert!(!browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn tokens_that_end_are_renewed_and_a_dead_refresh_token_ends_the_session() {
    let (github, upstream) = (GitHubStandIn::start().await, crate::support::Upstream::start().await);
    let app = TestApp::builder().github(&github).upstream("api", &upstream).set("session.absolute", "12h").start().await;
    let browser = app.browser();
    let callback = github.authorize(&start_login(&browser, "github", "/").await);
    let tokens = json!({ "access_token": "ghu_sentinel", "expires_in": 28800, "refresh_token": "ghr_sentinel", "refresh_token_expires_in": 15_897_600, "scope": "", "token_type": "bearer" });
    github.recording.replace(GitHubStandIn::TOKEN_PATH, Reply::json(200, &tokens));
    github.recording.replace(GitHubStandIn::USER_PATH, Reply::json(200, &json!({ "id": 1 })));
    github.recording.replace(GitHubStandIn::EMAILS_PATH, Reply::json(200, &json!([])));
    browser.finish(&callback).await.assert_status(200);
    assert_eq!(browser.session().await["access_token"]["refreshable"], true);
    // The session is used now and then, until the token ends.
    for _ in 0..16 {
        app.clock.advance_seconds(29 * 60);
        assert!(browser.is_signed_in().await);
    }
    github.refuse_token("bad_refresh_token");
    app.clock.advance_seconds(9 * 60);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    app.clock.advance_seconds(7 * 60);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_problem(401, "session_ended");
    assert!(!browser.is_signed_in().await);
}
