//! Answers that the provider's page posts (`response_mode=form_post`): from another site, and still safe.

use crate::support::{Answer, Browser, Endpoint, Initiator, Request, StandInProvider, TestApp, start_login};
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

const ADDRESS: &str = "/api/v1/oauth/code";

/// An app with the provider `alpha`, whose answers are posted.
async fn start() -> (StandInProvider, TestApp) {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.response_mode", "form_post").start().await;
    (provider, app)
}

/// The form of the provider's page, which the page sends by itself.
fn form<'browser>(browser: &'browser Browser, callback: &Url) -> Request<'browser> {
    let fields: Vec<_> = callback.query_pairs().into_owned().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.submit(ADDRESS, &fields).from(Initiator::CrossSite)
}

/// The page that goes on by itself, since a redirect would leave the Strict cookie out.
#[track_caller]
fn assert_goes_on(answer: &Answer, address: &str) {
    let page = answer.assert_status(200).text();
    assert!(page.contains(&format!(r#"http-equiv="refresh" content="0;url={address}""#)), "{page}");
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'; style-src 'self';"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
}

#[tokio::test]
async fn a_posted_answer_signs_in_and_the_person_arrives_with_the_strict_cookie() {
    let (provider, app) = start().await;
    let browser = app.browser();
    let started = browser.navigate("/api/v1/oauth/login?return_to=/account?tab=1%26x=2").send().await;
    let cookie = started.set_cookies()[0].to_owned();
    assert!(cookie.starts_with("tx-") && cookie.ends_with("; Path=/; HttpOnly; SameSite=None; Secure; Max-Age=600"), "{cookie}");
    let query: HashMap<_, _> = started.location().query_pairs().into_owned().collect();
    assert_eq!(query["response_mode"], "form_post");
    assert_eq!(query["redirect_uri"], format!("{}{ADDRESS}", app.origin()));

    let answer = form(&browser, &provider.authorize(&started.location())).send().await;
    assert_goes_on(&answer, "/account?tab=1&amp;x=2");
    let cookies = answer.set_cookies();
    assert!(cookies[0].starts_with("session=") && cookies[0].ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookies:?}");
    assert!(cookies[1].starts_with("tx-") && cookies[1].ends_with("SameSite=None; Secure; Max-Age=0"), "{cookies:?}");
    assert!(browser.transactions().is_empty());
    assert!(browser.is_signed_in().await);
    assert_eq!(provider.only(Endpoint::Token).form("redirect_uri").unwrap(), format!("{}{ADDRESS}", app.origin()));
}

#[tokio::test]
async fn the_name_that_apple_posts_beside_the_code_greets_a_user_without_one() {
    let named = json!({ "name": { "firstName": "Alice", "lastName": "Example" }, "email": "mallory@example.com" });
    for (user, in_id_token, greeted_as) in [
        (named.to_string(), None, json!("Alice Example")),
        (named.to_string(), Some("Alice of the ID token"), json!("Alice of the ID token")),
        ("rubbish".to_owned(), None, Value::Null),
    ] {
        let (provider, app) = start().await;
        provider.edit_metadata(|metadata| drop(metadata.as_object_mut().unwrap().remove("userinfo_endpoint")));
        provider.edit_claims(move |claims| {
            claims.as_object_mut().unwrap().remove("name");
            if let Some(name) = in_id_token {
                claims["name"] = name.into();
            }
        });
        let browser = app.browser();
        let mut callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        callback.query_pairs_mut().append_pair("user", &user);
        form(&browser, &callback).send().await.assert_status(200);
        let session = browser.session().await;
        assert_eq!(session["user"]["name"], greeted_as);
        assert_eq!(session["user"]["email"], Value::Null, "nobody has signed that address");
    }
}

#[tokio::test]
async fn a_posted_error_is_told_on_the_page_about_it() {
    let (provider, app) = start().await;
    let browser = app.browser();
    for (address, error, told) in [
        ("/api/v1/oauth/login", "access_denied", "access_denied"),
        ("/api/v1/oauth/login?prompt=none", "login_required", "interaction_required"),
    ] {
        let url = browser.navigate(address).send().await.location();
        form(&browser, &provider.refuse(&url, error, "No <b>")).send().await.assert_problem_page(told);
        assert!(browser.transactions().is_empty());
    }
    assert_eq!(provider.count(Endpoint::Token), 0);
}

#[tokio::test]
async fn an_attacker_s_answer_posted_in_the_victim_s_browser_signs_nobody_in() {
    let (provider, app) = start().await;
    let (attacker, victim) = (app.browser(), app.browser());
    form(&victim, &provider.authorize(&start_login(&victim, "alpha", "/").await)).send().await.assert_status(200);
    let before = victim.session_cookie();
    let callback = provider.authorize(&start_login(&attacker, "alpha", "/").await);
    // With and without a login of the victim's own under way.
    for _ in 0..2 {
        form(&victim, &callback).send().await.assert_problem_page("state_mismatch");
        start_login(&victim, "alpha", "/").await;
    }
    assert_eq!(victim.session_cookie(), before);
    assert!(victim.is_signed_in().await);
    assert_eq!(provider.count(Endpoint::Token), 1, "the victim's own login");
}

#[tokio::test]
async fn a_stolen_code_in_a_login_of_the_attacker_s_own_is_refused_by_the_provider() {
    let (provider, app) = start().await;
    let (attacker, victim) = (app.browser(), app.browser());
    let stolen: HashMap<_, _> = provider.authorize(&start_login(&victim, "alpha", "/").await).query_pairs().into_owned().collect();
    let mut own = provider.authorize(&start_login(&attacker, "alpha", "/").await);
    let answer: Vec<_> = own.query_pairs().into_owned().collect();
    let answer = answer.into_iter().map(|(name, value)| if name == "code" { (name, stolen["code"].clone()) } else { (name, value) });
    own.query_pairs_mut().clear().extend_pairs(answer);
    form(&attacker, &own).send().await.assert_problem_page("code_rejected");
    assert!(!attacker.is_signed_in().await);
}

#[tokio::test]
async fn only_a_login_that_began_so_may_be_finished_from_another_site() {
    let (alpha, beta) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let app =
        TestApp::builder().openid("alpha", &alpha).set("providers.alpha.response_mode", "form_post").openid("beta", &beta).start().await;
    let browser = app.browser();
    let callback = beta.authorize(&start_login(&browser, "beta", "/").await);
    // The worst case: a browser that sends even the Strict cookie.
    let (name, value) = browser.transactions().pop_first().unwrap();
    let cookie = format!("{name}={value}");
    form(&browser, &callback).header("cookie", &cookie).send().await.assert_problem_page("csrf_rejected");
    form(&browser, &callback).send().await.assert_problem_page("state_mismatch");
    assert_eq!(beta.count(Endpoint::Token), 0);
    browser.finish(&callback).await.assert_status(200);
}

#[tokio::test]
async fn a_frame_or_a_script_of_another_site_posts_nothing() {
    let (provider, app) = start().await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let in_frame = form(&browser, &callback).header("sec-fetch-dest", "iframe").send().await;
    in_frame.assert_problem_page("csrf_rejected");
    let by_script = form(&browser, &callback).script().header("sec-fetch-mode", "no-cors").send().await;
    by_script.assert_problem(403, "csrf_rejected");
    let json = browser.post_code(&json!({ "code": "x", "state": "y" })).from(Initiator::CrossSite).send().await;
    json.assert_problem(403, "csrf_rejected");
    assert_eq!(provider.count(Endpoint::Token), 0);
    form(&browser, &callback).send().await.assert_status(200);
}

#[tokio::test]
async fn a13_an_answer_that_is_posted_twice_makes_one_token_request() {
    let (provider, app) = start().await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/account").await);
    let (name, value) = browser.transactions().pop_first().unwrap();
    form(&browser, &callback).send().await.assert_status(200);
    form(&browser, &callback).send().await.assert_problem_page("state_mismatch");
    // A browser that has sent both before the first was answered still has the cookie.
    let again = form(&browser, &callback).header("cookie", &format!("{name}={value}")).send().await;
    assert_goes_on(&again, "/account");
    assert_eq!(provider.count(Endpoint::Token), 1);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a23_the_session_that_the_browser_left_with_ends() {
    let (provider, app) = start().await;
    let browser = app.browser();
    form(&browser, &provider.authorize(&start_login(&browser, "alpha", "/").await)).send().await.assert_status(200);
    let old = browser.session_cookie().unwrap();
    // The post comes without the Strict cookie, so the login itself has to know.
    form(&browser, &provider.authorize(&start_login(&browser, "alpha", "/").await)).send().await.assert_status(200);
    assert_ne!(browser.session_cookie().unwrap(), old);
    assert!(browser.is_signed_in().await);
    let other = app.browser();
    other.put_cookie("session", &old);
    assert!(!other.is_signed_in().await);
}

#[tokio::test]
async fn a_login_that_fails_leaves_the_session_as_it_was() {
    let (provider, app) = start().await;
    let browser = app.browser();
    form(&browser, &provider.authorize(&start_login(&browser, "alpha", "/").await)).send().await.assert_status(200);
    let refused = provider.refuse(&start_login(&browser, "alpha", "/").await, "access_denied", "No");
    form(&browser, &refused).send().await.assert_problem_page("access_denied");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn logins_that_are_not_finished_make_way_with_the_cookies_that_they_have() {
    let (_provider, app) = start().await;
    let browser = app.browser();
    for _ in 0..6 {
        start_login(&browser, "alpha", "/").await;
        app.clock.advance_seconds(1);
    }
    let answer = browser.navigate("/api/v1/oauth/login").send().await;
    assert!(answer.set_cookies()[0].ends_with("SameSite=None; Secure; Max-Age=0"), "{:?}", answer.set_cookies());
    assert_eq!(browser.transactions().len(), 6);
}
