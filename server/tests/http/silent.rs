//! What a login may ask of the provider, and a login that shows nothing (`prompt=none`).

use crate::support::{Endpoint, SignIn as _, StandInProvider, TestApp};
use axum::http::Method;
use std::collections::HashMap;
use url::Url;

fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn what_the_address_asks_for_reaches_the_provider() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let address = "/api/v1/oauth/login?prompt=login%20consent&max_age=300&acr_values=urn:gold%20silver&login_hint=alice%40example.com\
                   &ui_locales=de-CH%20en";
    let sent = query(&browser.navigate(address).send().await.location());
    for (name, value) in [
        ("prompt", "login consent"),
        ("max_age", "300"),
        ("acr_values", "urn:gold silver"),
        ("login_hint", "alice@example.com"),
        ("ui_locales", "de-CH en"),
    ] {
        assert_eq!(sent[name], value);
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_nothing_begins() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let (long, many) = ("a".repeat(600), "a%20".repeat(40));
    let refused = [
        "prompt=".to_owned(),
        "prompt=sometimes".to_owned(),
        "prompt=NONE".to_owned(),
        "prompt=none%20login".to_owned(),
        "prompt=login&prompt=consent".to_owned(),
        "max_age=".to_owned(),
        "max_age=-1".to_owned(),
        "max_age=%2B1".to_owned(),
        "max_age=1.5".to_owned(),
        "max_age=999999999".to_owned(),
        "max_age=99999999999999999999".to_owned(),
        "max_age=0x10".to_owned(),
        "acr_values=".to_owned(),
        "acr_values=%C3%A4".to_owned(),
        "acr_values=a%0D%0Ab".to_owned(),
        format!("acr_values={long}"),
        format!("acr_values={many}"),
        "login_hint=".to_owned(),
        "login_hint=a%0Ab".to_owned(),
        format!("login_hint={long}"),
        "ui_locales=de%3Cscript%3E".to_owned(),
        format!("ui_locales={many}"),
    ];
    for parameters in refused {
        let answer = browser.call(Method::GET, &format!("/api/v1/oauth/login?{parameters}")).send().await;
        answer.assert_problem(400, "invalid_request");
        assert!(answer.set_cookies().is_empty(), "{parameters}");
    }
    assert_eq!(provider.count(Endpoint::Metadata), 0, "the provider is not even asked who it is");
}

#[tokio::test]
async fn a_silent_login_signs_in_without_a_word() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let url = browser.navigate("/api/v1/oauth/login?prompt=none&return_to=/account").send().await.location();
    assert_eq!(query(&url)["prompt"], "none");
    let completed = browser.finish(&provider.authorize(&url)).await;
    assert_eq!(completed.assert_status(200).json()["return_to"], "/account");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_silent_login_that_cannot_be_says_so_and_keeps_who_was_signed_in() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let session = browser.session_cookie();
    for error in ["login_required", "interaction_required", "consent_required", "account_selection_required"] {
        let url = browser.navigate("/api/v1/oauth/login?prompt=none").send().await.location();
        let answer = browser.finish(&provider.refuse(&url, error, "Not without you")).await;
        answer.assert_problem(401, "interaction_required");
        // What the code of the problem says already is not said twice.
        let told = answer.json();
        assert!(
            told["detail"].as_str().unwrap().contains(if error == "interaction_required" { "Not without you" } else { error }),
            "{told}"
        );
        assert!(browser.transactions().is_empty(), "the login is used up");
    }
    assert_eq!(browser.session_cookie(), session);
    assert!(browser.is_signed_in().await);
    assert_eq!(provider.count(Endpoint::Token), 1);
}

#[tokio::test]
async fn at_the_server_callback_the_person_is_led_to_the_page_about_it() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.server_callback", true).start().await;
    let browser = app.browser();
    let url = browser.navigate("/api/v1/oauth/login?prompt=none").send().await.location();
    let refused = provider.refuse(&url, "login_required", "Not without you");
    browser.navigate(refused.as_str()).send().await.assert_problem_page("interaction_required");
}
