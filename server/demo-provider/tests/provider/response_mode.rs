//! How the authorization response travels: in the query or in a form, plain or signed.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{Answer, CLIENT_ID, REDIRECT_URI, START, TestProvider};

fn between<'text>(text: &'text str, before: &str, after: &str) -> &'text str {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0
}

/// The fields of the form that posts the response.
fn fields(answer: &Answer) -> BTreeMap<String, String> {
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains(&format!(r#"<form method="post" action="{REDIRECT_URI}">"#)), "{}", answer.body);
    let inputs = answer.body.split(r#"<input type="hidden" name=""#).skip(1);
    let field = |input: &str| {
        let (name, rest) = input.split_once('"').unwrap();
        (name.to_owned(), between(rest, r#"value=""#, "\"").replace("&amp;", "&"))
    };
    inputs.map(field).collect()
}

async fn assert_signed(provider: &TestProvider, parameters: &BTreeMap<String, String>) {
    assert_eq!(parameters.keys().collect::<Vec<_>>(), ["response"]);
    let (_, claims) = provider.claims(&parameters["response"]).await;
    assert_eq!(claims["iss"], provider.config.issuer);
    assert_eq!(claims["aud"], CLIENT_ID);
    assert_eq!(claims["exp"], START + 600);
    assert_eq!(claims["state"], "the state");
    assert_eq!(provider.exchange(claims["code"].as_str().unwrap()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_form_is_posted_by_its_own_page_alone() {
    let provider = TestProvider::start().await;
    let answer = provider.browser().sign_in(&[("response_mode", "form_post"), ("state", "a&\"<b>")]).await;
    let fields = fields(&answer);
    assert_eq!(fields["iss"], provider.config.issuer);
    assert_eq!(fields["state"], "a&&quot;&lt;b&gt;");
    assert_eq!(provider.exchange(&fields["code"]).await.status, StatusCode::OK);
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("script-src 'sha256-") && policy.contains("form-action http://localhost:3000;"), "{policy}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_response_is_signed_when_that_is_asked_for() {
    let provider = TestProvider::start().await;
    for mode in ["jwt", "query.jwt"] {
        let answer = provider.browser().sign_in(&[("response_mode", mode)]).await;
        assert_signed(&provider, &answer.response_parameters()).await;
    }
    let answer = provider.browser().sign_in(&[("response_mode", "form_post.jwt")]).await;
    assert_signed(&provider, &fields(&answer)).await;
}

#[tokio::test]
async fn an_error_travels_the_same_way() {
    let provider = TestProvider::start().await;
    let answer = provider.browser().authorize(&[("response_mode", "jwt"), ("prompt", "none")]).await;
    let (_, claims) = provider.claims(&answer.response_parameters()["response"]).await;
    assert_eq!(claims["error"], "login_required");
    assert_eq!(claims["state"], "the state");
    let answer = provider.browser().authorize(&[("response_mode", "form_post"), ("scope", "admin")]).await;
    assert_eq!(fields(&answer)["error"], "invalid_scope");
    let metadata: Value = provider.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["authorization_signing_alg_values_supported"], serde_json::json!(["RS256"]));
}
