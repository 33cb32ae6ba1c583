//! An attacker finishes a login of their own with a code that belongs to somebody else.

use crate::support::{Endpoint, StandInProvider, TestApp, start_login};
use serde_json::json;
use std::collections::HashMap;

#[tokio::test]
async fn the_provider_refuses_the_verifier_of_another_login() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let (attacker, victim) = (app.browser(), app.browser());
    let stolen: HashMap<_, _> = provider.authorize(&start_login(&victim, "alpha", "/").await).query_pairs().into_owned().collect();
    let own = provider.authorize(&start_login(&attacker, "alpha", "/").await);
    let mut answer: HashMap<_, _> = own.query_pairs().into_owned().collect();
    answer.insert("code".to_owned(), stolen["code"].clone());
    attacker.post_code(&json!(answer)).send().await.assert_problem(400, "code_rejected");
    assert!(!attacker.is_signed_in().await);
    assert_eq!(provider.only(Endpoint::Token).form("code").unwrap(), stolen["code"]);
}

#[tokio::test]
async fn a_provider_that_forgets_the_challenge_is_caught_by_the_nonce() {
    let provider = StandInProvider::start().await;
    provider.ignore_pkce();
    let app = TestApp::with_provider(&provider).await;
    let (attacker, victim) = (app.browser(), app.browser());
    let stolen: HashMap<_, _> = provider.authorize(&start_login(&victim, "alpha", "/").await).query_pairs().into_owned().collect();
    let own = provider.authorize(&start_login(&attacker, "alpha", "/").await);
    let mut answer: HashMap<_, _> = own.query_pairs().into_owned().collect();
    answer.insert("code".to_owned(), stolen["code"].clone());
    attacker.post_code(&json!(answer)).send().await.assert_problem(502, "id_token_invalid");
    assert!(!attacker.is_signed_in().await);
    assert_eq!(provider.count(Endpoint::UserInfo), 0);
}
