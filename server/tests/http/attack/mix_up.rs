//! One provider is bad, and wants the code that the other one issued (RFC 9700 §4.4).

use crate::support::{Endpoint, StandInProvider, TestApp, start_login};
use serde_json::json;
use std::collections::HashMap;

/// The browser starts a login at the bad provider, which sends it on to the good one with its own state; what comes back
/// is the good one's answer in the bad one's flow.
async fn mixed_up(good: &StandInProvider, bad: &StandInProvider) -> (TestApp, crate::support::Browser, HashMap<String, String>) {
    let app = TestApp::builder().openid("alpha", good).openid("beta", bad).start().await;
    let browser = app.browser();
    let at_bad = start_login(&browser, "beta", "/").await;
    let forwarded = at_bad.as_str().replace(bad.issuer(), good.issuer()).parse().unwrap();
    let answer = good.authorize(&forwarded).query_pairs().into_owned().collect();
    (app, browser, answer)
}

#[tokio::test]
async fn the_iss_gives_it_away_and_the_code_goes_to_nobody() {
    let (good, bad) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let (_app, browser, answer) = mixed_up(&good, &bad).await;
    browser.post_code(&json!(answer)).send().await.assert_problem(400, "issuer_mismatch");
    assert_eq!((good.count(Endpoint::Token), bad.count(Endpoint::Token)), (0, 0));
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn an_iss_that_the_attacker_leaves_out_is_missed() {
    let (good, bad) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let (_app, browser, mut answer) = mixed_up(&good, &bad).await;
    answer.remove("iss");
    browser.post_code(&json!(answer)).send().await.assert_problem(400, "issuer_mismatch");
    assert_eq!((good.count(Endpoint::Token), bad.count(Endpoint::Token)), (0, 0));
}

#[tokio::test]
async fn without_iss_the_provider_is_that_of_the_sealed_transaction_never_that_of_the_address() {
    let (good, bad) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    bad.edit_metadata(|metadata| metadata["authorization_response_iss_parameter_supported"] = false.into());
    let (_app, browser, mut answer) = mixed_up(&good, &bad).await;
    answer.remove("iss");
    // Without `iss` nothing shows the mix-up before the token request. It goes where the login was started, and the ID
    // token of the other provider, which the bad one lacks, is what the login would need.
    let request = browser.post_code(&json!(answer));
    request.send().await.assert_problem(400, "code_rejected");
    assert_eq!(good.count(Endpoint::Token), 0);
    assert!(!browser.is_signed_in().await);
}

#[tokio::test]
async fn a_parameter_that_names_the_provider_changes_nothing() {
    let (good, bad) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let app = TestApp::builder().openid("alpha", &good).openid("beta", &bad).start().await;
    let browser = app.browser();
    let callback = good.authorize(&start_login(&browser, "alpha", "/").await);
    let fields: Vec<_> = callback.query_pairs().into_owned().collect();
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("provider", "beta"));
    browser.submit("/api/v1/oauth/code?provider=beta", &fields).send().await.assert_redirect("/");
    assert_eq!((good.count(Endpoint::Token), bad.count(Endpoint::Token)), (1, 0));
    assert_eq!(browser.session().await["provider"], "alpha");
}

#[tokio::test]
async fn a_bad_provider_cannot_pass_the_good_one_s_id_token_on() {
    let (good, bad) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let app = TestApp::builder().openid("alpha", &good).openid("beta", &bad).start().await;
    let browser = app.browser();
    let issuer = good.issuer().to_owned();
    bad.edit_claims(move |claims| claims["iss"] = issuer.as_str().into());
    let callback = bad.authorize(&start_login(&browser, "beta", "/").await);
    browser.finish(&callback).await.assert_problem(502, "id_token_invalid");
    assert!(!browser.is_signed_in().await);
}
