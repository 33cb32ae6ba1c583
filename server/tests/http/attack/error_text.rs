//! A provider's error text, or somebody's link, that is meant to become script.

use crate::support::{StandInProvider, TestApp, start_login};

const SCRIPT: &str = "<img src=x onerror=alert(1)><script>alert(2)</script>";

#[tokio::test]
async fn a17_the_description_is_only_ever_text() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let refused = provider.refuse(&start_login(&browser, "alpha", "/").await, "access_denied", SCRIPT);
    let answer = browser.finish(&refused).await;
    answer.assert_problem(403, "access_denied");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("content-security-policy").unwrap().contains("sandbox"));
}

#[tokio::test]
async fn a_page_shows_no_markup_out_of_its_address() {
    for render in ["spa", "ssr"] {
        let app = TestApp::builder().set("server.render", render).start().await;
        let browser = app.browser();
        let query = |name: &str| url::form_urlencoded::Serializer::new(String::new()).append_pair(name, SCRIPT).finish();
        for address in [
            format!("/callback?error=access_denied&state=x&{}", query("error_description")),
            format!("/callback?code=x&{}", query("state")),
            format!("/callback?state=x&{}", query("code")),
            format!("/problem?request_id=x&{}", query("code")),
            format!("/problem?code=state_mismatch&{}", query("request_id")),
            format!("/{}", query("x")),
        ] {
            let page = browser.navigate(&address).send().await.text();
            assert!(!page.contains("<img src=x") && !page.contains("<script>alert"), "{address}: {page}");
        }
    }
}

#[tokio::test]
async fn the_problem_page_gets_no_text_of_the_provider_by_its_address() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let refused = provider.refuse(&start_login(&browser, "alpha", "/").await, SCRIPT, SCRIPT);
    let fields: Vec<_> = refused.query_pairs().into_owned().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.submit("/api/v1/oauth/code", &fields).send().await;
    answer.assert_problem_page("provider_refused");
    assert!(!answer.location().as_str().contains("alert"));
}
