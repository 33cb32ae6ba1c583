//! The description of the API.

use crate::support::TestApp;
use axum::http::Method;
use std::collections::BTreeSet;

#[tokio::test]
async fn the_description_of_the_api_changes_only_on_purpose() {
    let app = TestApp::with_demo().await;
    let answer = app.browser().request(Method::GET, "/api/openapi.json").send().await;
    assert_eq!(answer.assert_status(200).header("content-type"), Some("application/json"));
    insta::assert_json_snapshot!(answer.json());
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own() {
    let app = TestApp::with_demo().await;
    let description = app.browser().request(Method::GET, "/api/openapi.json").send().await.json();
    let operations = description["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    let different: BTreeSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "{names:?}");
    assert!(names.len() > 10, "{names:?}");
}

#[tokio::test]
async fn the_page_about_the_api_works_under_its_own_policy() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    browser.navigate("/api/docs").send().await.assert_status(303);
    let page = browser.navigate("/api/docs/").send().await;
    let html = page.assert_status(200).text();
    assert!(!html.contains("<script>"), "the policy allows no inline script");
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));
    for address in ["/api/docs/swagger-ui-bundle.js", "/api/docs/swagger-ui.css", "/api/docs/swagger-initializer.js"] {
        browser.request(Method::GET, address).send().await.assert_status(200);
    }
    let initializer = browser.request(Method::GET, "/api/docs/swagger-initializer.js").send().await.text();
    assert!(initializer.contains("/api/openapi.json"));
}
