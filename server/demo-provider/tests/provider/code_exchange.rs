//! Codes: once, soon, and only with everything that belongs to them.

use oauth2flow_demo_provider::Offer;
use reqwest::{Method, StatusCode};

use crate::support::{
    ALL_SCOPES, CLIENT_ID, CLIENT_SECRET, CODE_CHALLENGE, CODE_VERIFIER, OTHER_REDIRECT_URI, REDIRECT_URI, TestProvider, basic,
};

#[tokio::test]
async fn a_reused_code_is_refused_and_ends_the_tokens_that_it_gave() {
    let provider = TestProvider::start().await;
    let code = provider.browser().code(&[("scope", ALL_SCOPES)]).await;
    let tokens = provider.exchange(&code).await.json();
    assert_eq!(provider.call(Method::GET, "/userinfo", &tokens["access_token"]).await.status, StatusCode::OK);

    provider.exchange(&code).await.assert_error(400, "invalid_grant");
    provider.call(Method::GET, "/userinfo", &tokens["access_token"]).await.assert_error(401, "invalid_token");
    provider.refresh(&tokens["refresh_token"]).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn of_many_exchanges_at_once_at_most_one_succeeds() {
    let provider = TestProvider::start().await;
    let code = provider.browser().code(&[]).await;
    let (a, b, c, d) = tokio::join!(provider.exchange(&code), provider.exchange(&code), provider.exchange(&code), provider.exchange(&code));
    let succeeded: Vec<_> = [a, b, c, d].into_iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert!(succeeded.len() <= 1);
    for answer in succeeded {
        provider.call(Method::GET, "/userinfo", &answer.json()["access_token"]).await.assert_error(401, "invalid_token");
    }
}

#[tokio::test]
async fn a_code_can_be_exchanged_for_sixty_seconds() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let code = browser.code(&[]).await;
    provider.advance(59);
    assert_eq!(provider.exchange(&code).await.status, StatusCode::OK);
    let code = browser.code(&[]).await;
    provider.advance(60);
    provider.exchange(&code).await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_wrong_verifier_is_refused_and_uses_the_code_up() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let wrong = format!("{CODE_VERIFIER}x");
    for verifier in ["", &wrong, CODE_CHALLENGE, "short"] {
        let code = browser.code(&[]).await;
        provider.exchange_with(&code, &[("code_verifier", verifier)]).await.assert_error(400, "invalid_grant");
        provider.exchange(&code).await.assert_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn where_pkce_may_be_left_out_a_challenge_still_needs_its_verifier_and_a_verifier_its_challenge() {
    let provider = TestProvider::start_with(|config| config.pkce = Offer::Available).await;
    let mut browser = provider.browser();
    let no_challenge = [("code_challenge", ""), ("code_challenge_method", "")];
    let no_verifier = [("code_verifier", "")];
    let code = browser.code(&no_challenge).await;
    assert_eq!(provider.exchange_with(&code, &no_verifier).await.status, StatusCode::OK);
    let code = browser.code(&no_challenge).await;
    provider.exchange(&code).await.assert_error(400, "invalid_grant");
    let code = browser.code(&[]).await;
    provider.exchange_with(&code, &no_verifier).await.assert_error(400, "invalid_grant");
    let code = browser.code(&[]).await;
    assert_eq!(provider.exchange(&code).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_provider_that_knows_no_pkce_ignores_both_halves_of_it() {
    let provider = TestProvider::start_with(|config| config.pkce = Offer::Unavailable).await;
    let code = provider.browser().code(&[]).await;
    assert_eq!(
        provider.exchange_with(&code, &[("code_verifier", "of another login, and long enough to be one")]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn another_redirect_uri_is_refused() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    for redirect_uri in ["", OTHER_REDIRECT_URI, "http://localhost:3000/callback/"] {
        let code = browser.code(&[]).await;
        provider.exchange_with(&code, &[("redirect_uri", redirect_uri)]).await.assert_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn an_unknown_code_is_refused() {
    let provider = TestProvider::start().await;
    provider.exchange("unknown").await.assert_error(400, "invalid_grant");
}

#[tokio::test]
async fn the_client_may_authenticate_in_the_body() {
    let provider = TestProvider::start().await;
    let code = provider.browser().code(&[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", CODE_VERIFIER),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
    ];
    assert_eq!(provider.post_form("/token", &form).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_client_that_does_not_prove_itself_uses_no_code_up() {
    let provider = TestProvider::start().await;
    let code = provider.browser().code(&[]).await;
    let form = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", REDIRECT_URI), ("code_verifier", CODE_VERIFIER)];
    let in_body = |id, secret| [form.as_slice(), &[("client_id", id), ("client_secret", secret)]].concat();

    let answer = provider.post_form("/token", &form).await;
    answer.assert_error(401, "invalid_client");
    assert!(answer.header("www-authenticate").starts_with("Basic "));
    provider.post_form("/token", &in_body(CLIENT_ID, "wrong")).await.assert_error(401, "invalid_client");
    provider.post_form("/token", &in_body("other", CLIENT_SECRET)).await.assert_error(401, "invalid_client");
    provider.post_as_client("/token", &in_body(CLIENT_ID, CLIENT_SECRET)).await.assert_error(400, "invalid_request");

    let request = provider.http.post(provider.url("/token")).header("authorization", basic(CLIENT_ID, "wrong"));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body("grant_type=authorization_code");
    provider.send(request).await.assert_error(401, "invalid_client");

    assert_eq!(provider.exchange(&code).await.status, StatusCode::OK);
}

#[tokio::test]
async fn malformed_requests_get_the_errors_of_the_specification() {
    let provider = TestProvider::start().await;
    provider.post_as_client("/token", &[]).await.assert_error(400, "invalid_request");
    provider.post_as_client("/token", &[("grant_type", "password")]).await.assert_error(400, "unsupported_grant_type");
    provider.post_as_client("/token", &[("grant_type", "authorization_code")]).await.assert_error(400, "invalid_request");
    provider.post_as_client("/token", &[("grant_type", "refresh_token")]).await.assert_error(400, "invalid_request");
    let twice = [("grant_type", "authorization_code"), ("code", "a"), ("code", "b")];
    provider.post_as_client("/token", &twice).await.assert_error(400, "invalid_request");
    let json = provider.http.post(provider.url("/token")).header("content-type", "application/json").body("{}");
    let answer = provider.send(json).await;
    answer.assert_error(400, "invalid_request");
    assert_eq!(answer.header("cache-control"), "no-store");
}
