//! A provider answers with more than anybody can want.

use crate::support::{Endpoint, Reply, StandInProvider, TestApp, start_login};
use serde_json::json;

#[tokio::test]
async fn a_huge_token_answer_is_cut_off() {
    let padding = "x".repeat(8 * 1024 * 1024);
    let keys = (0..10_000).map(|number| format!("\"key{number}\":0,")).collect::<Vec<_>>().concat();
    let deep = format!("{}{}", "{\"a\":".repeat(10_000), "0".to_owned() + &"}".repeat(10_000));
    for reply in [
        Reply::json(200, &json!({ "access_token": padding, "token_type": "Bearer" })),
        Reply::json(400, &json!({ "error": padding })),
        Reply::new(200, "text/html", padding.clone()),
        Reply::new(200, "application/json", format!("{{{keys}\"access_token\":\"x\"}}")),
        Reply::new(200, "application/json", deep),
        Reply::new(200, "application/json", format!("{}{}", "[".repeat(20_000), "]".repeat(20_000))),
    ] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        provider.replace(Endpoint::Token, reply);
        browser.finish(&callback).await.assert_problem(502, "provider_invalid_response");
        assert!(!browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_compressed_answer_is_not_unpacked() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    provider.replace(Endpoint::Token, Reply::new(200, "application/json", vec![0x1f, 0x8b, 8, 0]).header("content-encoding", "gzip"));
    browser.finish(&callback).await.assert_problem(502, "provider_invalid_response");
    assert_eq!(provider.only(Endpoint::Token).header("accept-encoding"), None, "none was asked for");
}

#[tokio::test]
async fn a_huge_userinfo_is_cut_off() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    provider.edit_userinfo(|user| user["name"] = "x".repeat(1024 * 1024).into());
    browser.finish(&callback).await.assert_problem(502, "provider_invalid_response");
}
