//! Any OAuth 2.0 provider, by its endpoints and a user mapping.

use crate::support::{Endpoint, Reply, StandInProvider, TestApp, start_login};
use serde_json::json;
use std::collections::HashMap;

async fn app(provider: &StandInProvider) -> TestApp {
    let issuer = provider.issuer();
    TestApp::builder()
        .set("providers.alpha.name", "The Alpha")
        .set("providers.alpha.client_id", StandInProvider::CLIENT_ID)
        .variable("OAUTH2FLOW_PROVIDERS_ALPHA_CLIENT_SECRET", StandInProvider::CLIENT_SECRET)
        .set("providers.alpha.authorization_url", format!("{issuer}/authorize?own=kept"))
        .set("providers.alpha.token_url", format!("{issuer}/token"))
        .set("providers.alpha.userinfo_url", format!("{issuer}/userinfo"))
        .set("providers.alpha.revocation_url", format!("{issuer}/revoke"))
        .set("providers.alpha.scopes", "user.read mail")
        .set("providers.alpha.scope_separator", "comma")
        .set("providers.alpha.user.id", "data.id")
        .set("providers.alpha.user.name", "data.names.display")
        .set("providers.alpha.user.login", "data.login")
        .set("providers.alpha.user.email", "mail")
        .set("providers.alpha.user.email_verified", "mail_checked")
        .start()
        .await
}

fn person() -> serde_json::Value {
    let data = json!({ "id": 42, "login": "alice", "names": { "display": "Alice Example" } });
    json!({ "data": data, "mail": "alice@example.com", "mail_checked": "true" })
}

#[tokio::test]
async fn a_provider_is_described_by_endpoints_and_a_mapping() {
    let provider = StandInProvider::start().await;
    let app = app(&provider).await;
    provider.replace(Endpoint::UserInfo, Reply::json(200, &person()));
    provider.edit_tokens(|tokens| tokens["scope"] = "user.read,mail".into());
    let browser = app.browser();
    let url = start_login(&browser, "alpha", "/account").await;
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["own"], "kept");
    assert_eq!(query["scope"], "user.read mail");
    assert_eq!(query["code_challenge_method"], "S256");
    browser.finish(&provider.authorize(&url)).await.assert_status(200);
    let session = browser.session().await;
    assert_eq!(
        session["user"],
        json!({ "sub": "42", "name": "Alice Example", "login": "alice", "email": "alice@example.com", "email_verified": true })
    );
    assert_eq!(session["scopes"], json!(["user.read", "mail"]));
    assert_eq!(provider.count(Endpoint::Metadata) + provider.count(Endpoint::Keys), 0, "nothing is discovered");

    let gate = provider.hold(Endpoint::Revocation);
    browser.log_out().await.assert_status(200);
    gate.arrived().await;
    gate.release();
}

#[tokio::test]
async fn an_id_token_that_nobody_asked_for_is_not_looked_at() {
    let provider = StandInProvider::start().await;
    let app = app(&provider).await;
    provider.replace(Endpoint::UserInfo, Reply::json(200, &person()));
    provider.edit_tokens(|tokens| tokens["id_token"] = "e30.e30.e30".into());
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_status(200);
    // Nor is it shown to anybody.
    assert_eq!(browser.log_out().await.json()["redirect_to"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_person_without_the_mapped_id_is_nobody() {
    let provider = StandInProvider::start().await;
    let app = app(&provider).await;
    for user in [json!({}), json!({ "id": 1 }), json!({ "data": { "id": null } }), json!({ "data": [] }), json!([])] {
        provider.replace(Endpoint::UserInfo, Reply::json(200, &user));
        let browser = app.browser();
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        browser.finish(&callback).await.assert_problem(502, "provider_invalid_response");
        assert!(!browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_provider_that_knows_no_logout_tokens_takes_none() {
    let provider = StandInProvider::start().await;
    let app = app(&provider).await;
    let token = provider.logout_token("jti", |_, _| {});
    let answer =
        app.browser().submit("/api/v1/oauth/backchannel-logout/alpha", &[("logout_token", &token)]).header("accept", "*/*").send().await;
    answer.assert_problem(400, "invalid_request");
}
