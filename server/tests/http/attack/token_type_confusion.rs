//! A token of one kind is shown as one of another.

use crate::support::{Endpoint, StandInProvider, TestApp, start_login};
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn neither_a_logout_token_nor_an_access_token_is_an_id_token() {
    type Edit = fn(&mut serde_json::Value);
    let kinds: [Edit; 3] = [
        |header| header["typ"] = "logout+jwt".into(),
        |header| header["typ"] = "at+jwt".into(),
        |header| header["typ"] = "application/at+jwt".into(),
    ];
    for kind in kinds {
        let provider = StandInProvider::start().await;
        provider.edit_header(kind);
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        browser.finish(&callback).await.assert_problem(502, "id_token_invalid");
        assert_eq!(provider.count(Endpoint::UserInfo), 0);
    }
    let provider = StandInProvider::start().await;
    let logout_token = provider.logout_token("jti", |header, claims| {
        header["typ"] = "JWT".into();
        claims["exp"] = 4_102_444_800_i64.into();
    });
    provider.edit_tokens(move |tokens| tokens["id_token"] = logout_token.as_str().into());
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_problem(502, "id_token_invalid");
}

#[tokio::test]
async fn an_id_token_is_no_logout_token() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_status(200);
    let hint = browser.log_out().await.json()["redirect_to"].as_str().unwrap().parse::<url::Url>().unwrap();
    let id_token = hint.query_pairs().find(|(name, _)| name == "id_token_hint").unwrap().1.into_owned();

    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_status(200);
    let body = format!("logout_token={id_token}");
    let request = app.browser();
    let request = request.request(Method::POST, "/api/v1/oauth/backchannel-logout/alpha");
    let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await;
    answer.assert_problem(400, "invalid_request");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_bearer_token_is_no_session() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let token = "sentinel-access-alpha-2";
    let session = browser.call(Method::GET, "/api/v1/session").header("authorization", &format!("Bearer {token}")).send().await;
    assert_eq!(session.json(), json!({ "authenticated": false }));
    let call = browser.call(Method::GET, "/api/v1/proxy/api/").header("authorization", &format!("Bearer {token}")).send().await;
    call.assert_problem(401, "unauthenticated");
}
