//! The userinfo endpoint, and how a token may be sent.

use reqwest::{Method, StatusCode};

use crate::support::{ALL_SCOPES, TestProvider};

#[tokio::test]
async fn userinfo_tells_what_the_scope_allows() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    let (_, claims) = provider.claims(tokens["id_token"].as_str().unwrap()).await;
    for method in [Method::GET, Method::POST] {
        let userinfo = provider.call(method, "/userinfo", &tokens["access_token"]).await.json();
        assert_eq!(userinfo["sub"], claims["sub"]);
        assert_eq!(userinfo["name"], "Alice Example");
        assert_eq!(userinfo["preferred_username"], "alice");
        assert_eq!(userinfo["email"], "alice@example.com");
    }
    let tokens = provider.tokens("openid").await;
    let userinfo = provider.call(Method::GET, "/userinfo", &tokens["access_token"]).await.json();
    assert_eq!(userinfo.as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn without_a_token_the_challenge_says_nothing_more() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens("openid").await;
    let in_query = format!("/userinfo?access_token={}", tokens["access_token"].as_str().unwrap());
    for path in ["/userinfo", &in_query] {
        let answer = provider.get(path).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="demo""#);
    }
    let form = [("access_token", tokens["access_token"].as_str().unwrap())];
    assert_eq!(provider.post_form("/userinfo", &form).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wrong_token_or_header_is_named() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens("notes:read").await;
    let with = |value: &str| provider.http.get(provider.url("/userinfo")).header("authorization", value);

    let answer = provider.send(with("Bearer unknown")).await;
    answer.assert_error(401, "invalid_token");
    assert!(answer.header("www-authenticate").contains(r#"error="invalid_token""#));
    provider.send(with("Bearer")).await.assert_error(400, "invalid_request");
    provider.send(with("Bearer a").header("authorization", "Bearer b")).await.assert_error(400, "invalid_request");
    assert_eq!(provider.send(with("Basic YTpi")).await.status, StatusCode::UNAUTHORIZED);

    let answer = provider.call(Method::GET, "/userinfo", &tokens["access_token"]).await;
    answer.assert_error(403, "insufficient_scope");
    assert!(answer.header("www-authenticate").contains(r#"scope="openid""#));
}

#[tokio::test]
async fn an_id_token_or_a_code_is_no_access_token() {
    let provider = TestProvider::start().await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    for token in ["id_token", "refresh_token"] {
        provider.call(Method::GET, "/userinfo", &tokens[token]).await.assert_error(401, "invalid_token");
    }
}
