//! An attacker makes a cache believe that a private answer is a file.

use crate::support::{SignIn as _, StandInProvider, TestApp};
use axum::http::Method;

#[tokio::test]
async fn a_private_address_with_the_name_of_a_file_is_nothing() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for path in [
        "/api/v1/session/x.css",
        "/api/v1/session.css",
        "/api/v1/session/x.js",
        "/api/v1/session%2fx.css",
        "/api/v1/session;x.css",
        "/api/v1/oauth/code/x.png",
    ] {
        let answer = browser.call(Method::GET, path).send().await;
        answer.assert_problem(404, "not_found");
        assert!(!answer.text().contains("alice"));
    }
}

#[tokio::test]
async fn no_page_of_a_person_s_hides_behind_the_name_of_a_file() {
    let app = TestApp::builder().set("server.render", "ssr").start().await;
    let browser = app.browser();
    browser.sign_in_with_demo(&app, "alice").await;
    for path in ["/account/x.css", "/account.css", "/account%2fx.css", "/pkg/account", "/account;x.css"] {
        let answer = browser.navigate(path).send().await;
        answer.assert_status(404);
        assert!(!answer.text().contains("Alice Example"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}
