//! The login form, and the session that it starts.

use reqwest::StatusCode;

use crate::support::{TestProvider, is_consent, is_login};

#[tokio::test]
async fn the_form_shows_the_accounts() {
    let provider = TestProvider::start().await;
    let page = provider.browser().authorize(&[]).await;
    for text in ["Alice Example", "<code>alice</code>", "Bob Example", "<code>bob</code>", "<code>demo</code>"] {
        assert!(page.body.contains(text), "{text}");
    }
    assert!(page.body.contains("Local demo – not a real account"));
}

#[tokio::test]
async fn a_button_signs_in_with_what_the_page_itself_tells() {
    for (login, name) in [("alice", "Alice"), ("bob", "Bob")] {
        let provider = TestProvider::start().await;
        let mut browser = provider.browser();
        let page = browser.authorize(&[]).await;
        let form = page.body.split("<form ").find(|form| form.contains(&format!("Sign in as {name}</button>"))).unwrap().to_owned();
        let value = |field: &str| form.split(&format!(r#"name="{field}" value=""#)).nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!((value("transaction"), value("csrf")), (page.field("transaction").to_owned(), page.field("csrf").to_owned()));
        let allowed = browser.log_in(&page, &value("username"), &value("password")).await;
        assert!(is_consent(&allowed) && allowed.body.contains(&format!("{name} Example")), "{login}: {}", allowed.body);
    }
}

#[tokio::test]
async fn a_wrong_password_stays_on_the_form_and_the_right_one_then_works() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[]).await;
    let page = browser.log_in(&page, "alice", "wrong").await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.body.contains(r#"role="alert">That username and password do not match."#));
    assert_eq!(page.field("username\" type=\"text"), "alice");
    assert!(!browser.cookies.contains_key("demo_provider_session"));
    assert!(is_consent(&browser.log_in(&page, "alice", "demo").await));
}

#[tokio::test]
async fn a_second_login_skips_the_password_and_what_was_allowed_before() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    browser.sign_in(&[]).await;
    let answer = browser.authorize(&[("state", "second")]).await;
    assert_eq!(answer.response_parameters()["state"], "second");
}

#[tokio::test]
async fn a_session_ends_after_its_lifetime() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    browser.sign_in(&[]).await;
    provider.advance(8 * 60 * 60 - 1);
    assert!(browser.authorize(&[]).await.response_parameters().contains_key("code"));
    provider.advance(1);
    assert!(is_login(&browser.authorize(&[]).await));
}

#[tokio::test]
async fn signing_in_gives_the_session_a_new_secret() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    browser.cookies.insert("demo_provider_session".into(), "planted".into());
    browser.sign_in(&[]).await;
    let first = browser.cookies["demo_provider_session"].clone();
    assert_ne!(first, "planted");

    browser.sign_in(&[("prompt", "login")]).await;
    assert_ne!(browser.cookies["demo_provider_session"], first);
    browser.cookies.insert("demo_provider_session".into(), first);
    assert!(is_login(&browser.authorize(&[]).await));
}

#[tokio::test]
async fn a_form_from_another_page_is_refused() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[]).await;
    let other_page = browser.authorize(&[]).await;
    for csrf in ["", "rubbish", other_page.field("csrf")] {
        let form = [("transaction", page.field("transaction")), ("csrf", csrf), ("username", "alice"), ("password", "demo")];
        assert_eq!(browser.post("/login", &form).await.status, StatusCode::FORBIDDEN);
    }
    assert!(!browser.cookies.contains_key("demo_provider_session"));
}

#[tokio::test]
async fn a_form_from_another_browser_is_refused() {
    let provider = TestProvider::start().await;
    let attackers_page = provider.browser().authorize(&[]).await;
    let mut victim = provider.browser();
    for cookies_of_its_own in [false, true] {
        if cookies_of_its_own {
            victim.authorize(&[]).await;
        }
        let answer = victim.log_in(&attackers_page, "alice", "demo").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(!victim.cookies.contains_key("demo_provider_session"));
    }
}

#[tokio::test]
async fn a_login_that_waited_for_too_long_is_over() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[]).await;
    provider.advance(600);
    let answer = browser.log_in(&page, "alice", "demo").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("<h1>This sign-in is over</h1>"));
}

#[tokio::test]
async fn two_tabs_can_sign_in_at_once() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let first = browser.authorize(&[("state", "first")]).await;
    let second = browser.authorize(&[("state", "second")]).await;
    let second = browser.log_in(&second, "alice", "demo").await;
    let second = browser.decide(&second, "allow").await;
    let first = browser.log_in(&first, "alice", "demo").await;
    assert_eq!(second.response_parameters()["state"], "second");
    assert_eq!(first.response_parameters()["state"], "first");
}

#[tokio::test]
async fn a_login_hint_fills_in_the_user_name_as_text() {
    let provider = TestProvider::start().await;
    let page = provider.browser().authorize(&[("login_hint", "bob")]).await;
    assert_eq!(page.field("username\" type=\"text"), "bob");
    let page = provider.browser().authorize(&[("login_hint", r#""><img src=x onerror=alert(1)>"#)]).await;
    assert!(!page.body.contains("<img"));
    assert!(page.body.contains("&lt;img"));
}

#[tokio::test]
async fn two_session_cookies_count_as_none() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    browser.sign_in(&[]).await;
    let doubled = format!("{}; demo_provider_session=planted", browser.cookies["demo_provider_session"]);
    browser.cookies.insert("demo_provider_session".into(), doubled);
    assert!(is_login(&browser.authorize(&[]).await));
}
