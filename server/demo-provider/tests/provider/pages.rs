//! What all pages have in common.

use reqwest::StatusCode;

use crate::support::{Answer, TestProvider, authorization_path};

fn assert_is_safe_page(answer: &Answer) {
    let policy = answer.header("content-security-policy");
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' http://localhost:3000"] {
        assert!(policy.split("; ").any(|found| found == directive), "{directive}: {policy}");
    }
    assert!(!policy.contains("script-src"));
    assert!(!policy.contains("unsafe"));
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert!(answer.body.contains("Local demo – not a real account"));
    assert!(answer.body.contains(r#"<html lang="en">"#));
    assert_eq!(answer.body.matches("<h1>").count(), 1);
    assert_eq!(answer.body.matches("<main>").count(), 1);
    assert!(!answer.body.contains("<script"));
    assert!(!answer.body.contains("style="));
}

#[tokio::test]
async fn every_page_says_that_it_is_a_demo_and_runs_no_script() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    assert_is_safe_page(&browser.get("/").await);
    let login = browser.authorize(&[]).await;
    assert_is_safe_page(&login);
    assert_is_safe_page(&browser.log_in(&login, "alice", "wrong").await);
    let consent = browser.log_in(&login, "alice", "demo").await;
    assert_is_safe_page(&consent);
    assert_is_safe_page(&browser.get("/logout").await);
    assert_is_safe_page(&browser.get("/login?transaction=unknown").await);
    assert_is_safe_page(&provider.get("/logout").await);
    assert_is_safe_page(&provider.get(&authorization_path(&[("client_id", "other")])).await);
}

#[tokio::test]
async fn the_home_page_leads_to_the_app() {
    let provider = TestProvider::start().await;
    let home = provider.get("/").await;
    assert!(home.body.contains(r#"href="http://localhost:3000/""#));
    assert!(!home.body.contains("You are signed in here"));
    let mut browser = provider.browser();
    browser.sign_in(&[]).await;
    assert!(browser.get("/").await.body.contains("You are signed in here as <strong>Alice Example</strong>"));
}

#[tokio::test]
async fn the_style_sheet_and_the_icon_are_served() {
    let provider = TestProvider::start().await;
    assert_eq!(provider.get("/style.css").await.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(provider.get("/icon.svg").await.header("content-type"), "image/svg+xml");
}

#[tokio::test]
async fn an_unknown_address_is_not_found_in_the_form_that_was_asked_for() {
    let provider = TestProvider::start().await;
    provider.get("/unknown").await.assert_error(404, "not_found");
    let answer = provider.send(provider.http.get(provider.url("/unknown")).header("accept", "text/html,*/*;q=0.8")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_is_safe_page(&answer);
}
