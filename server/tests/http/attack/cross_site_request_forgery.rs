//! Another site makes the victim's browser send requests, with whatever cookies go along.

use crate::support::{Browser, Initiator, SignIn as _, StandInProvider, TestApp, Upstream};
use axum::http::Method;

/// What a page of another site can send without a preflight, and with one, if it is answered by mistake.
async fn assert_refused(browser: &Browser, path: &str, initiator: Initiator) {
    for content_type in ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json"] {
        for with_header in [false, true] {
            let request = browser.request(Method::POST, path).script().from(initiator).header("content-type", content_type).body("a=b");
            let request = if with_header { request.header("x-csrf", "1") } else { request };
            // The worst case: a browser that sends even the strict cookie.
            let cookie = format!("session={}", browser.session_cookie().unwrap());
            request.header("cookie", &cookie).send().await.assert_problem(403, "csrf_rejected");
        }
    }
    browser.request(Method::POST, path).script().from(initiator).send().await.assert_problem(403, "csrf_rejected");
}

#[tokio::test]
async fn neither_another_site_nor_a_sibling_signs_anybody_out() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for initiator in [Initiator::CrossSite, Initiator::SameSite] {
        assert_refused(&browser, "/api/v1/oauth/logout", initiator).await;
        let form = browser.submit("/api/v1/oauth/logout", &[]).from(initiator).send().await;
        form.assert_problem_page("csrf_rejected");
        browser.navigate("/api/v1/oauth/logout").from(initiator).send().await.assert_problem_page("method_not_allowed");
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn neither_another_site_nor_a_sibling_calls_the_api() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for initiator in [Initiator::CrossSite, Initiator::SameSite] {
        assert_refused(&browser, "/api/v1/proxy/api/items", initiator).await;
        let image = browser.request(Method::GET, "/api/v1/proxy/api/items").header("accept", "image/*").header("sec-fetch-mode", "no-cors");
        image.from(initiator).send().await.assert_problem(403, "csrf_rejected");
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_form_of_the_app_s_own_needs_its_token() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let (browser, other) = (app.browser(), app.browser());
    browser.sign_in(&provider).await;
    other.sign_in(&provider).await;
    let session = browser.session_cookie().unwrap();
    for token in ["", "x", &session, &"A".repeat(43)] {
        browser.submit("/api/v1/oauth/logout", &[("csrf_token", token)]).send().await.assert_problem_page("csrf_rejected");
    }
    browser.submit("/api/v1/oauth/logout", &[]).send().await.assert_problem_page("csrf_rejected");
    assert!(browser.is_signed_in().await);
}
