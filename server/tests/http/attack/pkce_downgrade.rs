//! A provider, or somebody between, pretends that PKCE is not there.

use crate::support::{Endpoint, StandInProvider, TestApp, start_login};
use serde_json::json;
use std::collections::HashMap;

#[tokio::test]
async fn a_provider_that_ignores_the_challenge_still_gets_the_verifier() {
    let provider = StandInProvider::start().await;
    provider.ignore_pkce();
    provider.edit_metadata(|metadata| metadata["code_challenge_methods_supported"] = json!(["plain"]));
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let url = start_login(&browser, "alpha", "/").await;
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    browser.finish(&provider.authorize(&url)).await.assert_status(200);
    let verifier = provider.only(Endpoint::Token).form("code_verifier").unwrap();
    assert_eq!(query["code_challenge_method"], "S256");
    assert_ne!(query["code_challenge"], verifier, "plain would send the verifier itself");
}

#[tokio::test]
async fn a_challenge_that_was_cut_out_on_the_way_fails_the_login() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let mut url = start_login(&browser, "alpha", "/").await;
    let rest: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| !name.starts_with("code_challenge")).collect();
    url.query_pairs_mut().clear().extend_pairs(rest);
    // RFC 9700 §2.1.1: a verifier for a request without a challenge is refused.
    browser.finish(&provider.authorize(&url)).await.assert_problem(400, "code_rejected");
}
