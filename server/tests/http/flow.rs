//! The flow, from the click to the API call and back out.

use crate::support::{Decision, Endpoint, Initiator, SignIn as _, StandInProvider, TestApp, between, start_login};
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn a_login_with_the_demo_provider_goes_all_the_way() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    assert_eq!(browser.session().await, json!({ "authenticated": false }));

    let authorization_url = start_login(&browser, "demo", "/account?tab=notes#new").await;
    let callback = browser.visit_demo(&authorization_url, &app, "alice", Decision::Allow).await;
    let completed = browser.finish(&callback).await;
    completed.assert_status(200);
    assert_eq!(completed.json()["user"]["name"], "Alice Example");
    assert_eq!(completed.json()["return_to"], "/account?tab=notes#new");

    let session = browser.session().await;
    assert_eq!(session["user"]["login"], "alice");
    assert_eq!(session["user"]["email"], "alice@example.com");
    assert_eq!(session["provider"], "demo");
    assert_eq!(session["access_token"]["refreshable"], true);
    assert_eq!(session["scopes"].as_array().unwrap().len(), 6);

    let note = browser.call(Method::POST, "/api/v1/proxy/notes").json(&json!({ "text": "Water the cactus" })).send().await;
    assert_eq!(note.assert_status(201).json()["text"], "Water the cactus");
    let notes = browser.call(Method::GET, "/api/v1/proxy/notes").send().await;
    assert!(notes.assert_status(200).text().contains("Water the cactus"));

    let out = browser.log_out().await;
    out.assert_status(200);
    assert!(out.json()["redirect_to"].as_str().unwrap().starts_with(&format!("{}/logout?", app.demo_origin())));
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a_denied_consent_signs_nobody_in_and_says_so() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    let authorization_url = start_login(&browser, "demo", "/account").await;
    let callback = browser.visit_demo(&authorization_url, &app, "alice", Decision::Deny).await;
    browser.finish(&callback).await.assert_problem(403, "access_denied");
    assert!(!browser.is_signed_in().await);
    assert!(browser.transactions().is_empty());
}

#[tokio::test]
async fn a42_after_the_logout_the_old_cookie_is_dead() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    browser.sign_in_with_demo(&app, "alice").await;
    let old = browser.session_cookie().unwrap();
    let out = browser.log_out().await;
    out.assert_status(200);
    assert!(out.set_cookies().iter().any(|cookie| cookie.starts_with("session=;") && cookie.contains("Max-Age=0")));
    assert_eq!(browser.session_cookie(), None);

    browser.put_cookie("session", &old);
    browser.call(Method::GET, "/api/v1/proxy/notes").send().await.assert_problem(401, "unauthenticated");
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.session_cookie(), Some(old), "a sign-in in another tab may be about to replace it");
}

#[tokio::test]
async fn a42_signing_out_takes_post_only() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    browser.sign_in_with_demo(&app, "alice").await;
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        browser.call(method, "/api/v1/oauth/logout").send().await.assert_status(405);
    }
    browser.navigate("/api/v1/oauth/logout").send().await.assert_problem_page("method_not_allowed");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn signing_out_twice_is_no_mistake() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    let out = browser.log_out().await;
    assert_eq!(out.assert_status(200).json()["redirect_to"], json!(null));
}

#[tokio::test]
async fn a10_two_tabs_sign_in_and_both_finish_in_either_order() {
    for second_first in [false, true] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        let (one, two) = (start_login(&browser, "alpha", "/account?tab=1").await, start_login(&browser, "alpha", "/account?tab=2").await);
        assert_eq!(browser.transactions().len(), 2);
        let (one, two) = ((provider.authorize(&one), "/account?tab=1"), (provider.authorize(&two), "/account?tab=2"));
        for (callback, return_to) in if second_first { [two, one] } else { [one, two] } {
            let completed = browser.finish(&callback).await;
            assert_eq!(completed.assert_status(200).json()["return_to"], return_to);
            assert!(browser.is_signed_in().await);
        }
        assert!(browser.transactions().is_empty());
        assert_eq!(provider.count(Endpoint::Token), 2);
    }
}

#[tokio::test]
async fn without_a_script_a_form_finishes_the_login_and_another_ends_the_session() {
    let app = TestApp::builder().set("server.render", "ssr").start().await;
    let browser = app.browser();
    let authorization_url = start_login(&browser, "demo", "/account?tab=notes").await;
    let callback = browser.visit_demo(&authorization_url, &app, "alice", Decision::Allow).await;

    let page = browser.navigate(callback.as_str()).from(Initiator::CrossSite).send().await;
    let page = page.assert_status(200).text();
    assert!(page.contains(r#"action="/api/v1/oauth/code""#), "{page}");
    let fields: Vec<_> = callback.query_pairs().into_owned().collect();
    for (name, value) in &fields {
        assert!(page.contains(&format!(r#"name="{name}" value="{value}""#)), "{name} in {page}");
    }
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let finished = browser.submit("/api/v1/oauth/code", &fields).send().await;
    finished.assert_redirect("/account?tab=notes");
    assert!(finished.begins_session());

    let account = browser.navigate("/account").send().await.assert_status(200).text();
    assert!(account.contains("Alice Example"));
    let token = between(&account, r#"name="csrf_token" value=""#, "\"");
    browser.submit("/api/v1/oauth/logout", &[("csrf_token", "wrong")]).send().await.assert_problem_page("csrf_rejected");
    assert!(browser.is_signed_in().await);
    let out = browser.submit("/api/v1/oauth/logout", &[("csrf_token", &token)]).send().await;
    // Not a redirect: `form-action 'self'` would stop it in the browser.
    let page = out.assert_status(200).text();
    assert!(page.contains(&format!(r#"http-equiv="refresh" content="0;url={}/logout?"#, app.demo_origin())), "{page}");
    assert!(out.header("content-security-policy").unwrap().starts_with("default-src 'none'; style-src 'self';"));
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn without_a_script_a_second_click_goes_on_to_where_the_first_went() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/account").await);
    let fields: Vec<_> = callback.query_pairs().into_owned().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.submit("/api/v1/oauth/code", &fields).send().await.assert_redirect("/account");
    let again = browser.submit("/api/v1/oauth/code", &fields).send().await;
    again.assert_status(303);
    assert_eq!(again.location().path(), "/");
    assert_eq!(provider.count(Endpoint::Token), 1);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_second_post_from_the_browser_that_has_finished_is_told_so() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/account").await);
    browser.finish(&callback).await.assert_status(200);
    let session = browser.session_cookie();
    browser.finish(&callback).await.assert_problem(409, "already_completed");
    assert_eq!(provider.count(Endpoint::Token), 1);
    assert_eq!(browser.session_cookie(), session);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn the_server_callback_finishes_a_login_by_navigation() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.server_callback", true).start().await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/account?tab=notes").await);
    assert_eq!(callback.path(), "/api/v1/oauth/code");

    // A HEAD request or a prefetch uses nothing up.
    browser.request(Method::HEAD, callback.as_str()).send().await.assert_status(204);
    browser.navigate(callback.as_str()).header("sec-purpose", "prefetch").send().await.assert_status(204);
    assert_eq!(provider.count(Endpoint::Token), 0);

    // The provider sends the browser here from another site, so the transaction's cookie has to be Lax.
    let finished = browser.navigate(callback.as_str()).from(Initiator::CrossSite).send().await;
    // A redirect would go on with the other site's navigation, and without the Strict cookie.
    let page = finished.assert_status(200).text();
    assert!(page.contains(r#"http-equiv="refresh" content="0;url=/account?tab=notes""#), "{page}");
    assert!(finished.begins_session());
    assert!(browser.is_signed_in().await);
    assert_eq!(provider.only(Endpoint::Token).form("redirect_uri").unwrap(), format!("{}/api/v1/oauth/code", app.origin()));
}

#[tokio::test]
async fn a23_the_server_callback_ends_the_session_that_the_browser_left_with() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.server_callback", true).start().await;
    let browser = app.browser();
    let sign_in = async || {
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        browser.navigate(callback.as_str()).from(Initiator::CrossSite).send().await.assert_status(200);
        browser.session_cookie().unwrap()
    };
    let old = sign_in().await;
    assert_ne!(sign_in().await, old);
    let other = app.browser();
    other.put_cookie("session", &old);
    assert!(!other.is_signed_in().await);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn at_the_server_callback_a_second_visit_goes_on_to_where_the_first_went() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.server_callback", true).start().await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/account").await);
    browser.navigate(callback.as_str()).from(Initiator::CrossSite).send().await.assert_status(200);
    browser.navigate(callback.as_str()).send().await.assert_redirect("/");
    assert_eq!(provider.count(Endpoint::Token), 1);
}

#[tokio::test]
async fn sessions_are_kept_over_a_restart() {
    let mut app = TestApp::with_demo().await;
    let browser = app.browser();
    browser.sign_in_with_demo(&app, "alice").await;
    app.stop().await;
    app.start().await;
    assert_eq!(browser.session().await["user"]["login"], "alice");
    browser.call(Method::GET, "/api/v1/proxy/notes").send().await.assert_status(200);
}

#[tokio::test]
async fn a_login_may_be_under_way_while_the_server_restarts() {
    let provider = StandInProvider::start().await;
    let mut app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/account").await);
    app.stop().await;
    app.start().await;
    browser.finish(&callback).await.assert_status(200);
    assert!(browser.is_signed_in().await);
}
