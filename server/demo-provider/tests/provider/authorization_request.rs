//! Requests that do not hold, and who is told.

use reqwest::{Method, StatusCode};

use crate::support::{CLIENT_ID, REDIRECT_URI, TestProvider, authorization_path, is_login};

#[tokio::test]
async fn an_unknown_client_gets_a_page_and_no_redirect() {
    let provider = TestProvider::start().await;
    for client_id in ["", "other", "App"] {
        let answer = provider.get(&authorization_path(&[("client_id", client_id)])).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.body.contains("<h1>This sign-in cannot go on</h1>"));
        assert!(!answer.headers.contains_key("location"));
    }
}

#[tokio::test]
async fn a_redirect_uri_that_differs_in_one_character_gets_a_page_and_no_redirect() {
    let provider = TestProvider::start().await;
    for redirect_uri in [
        "",
        "http://localhost:3000/callback/",
        "http://localhost:3000/Callback",
        "http://localhost:3000/callback?",
        "http://localhost:3000/callback#",
        "http://localhost:3001/callback",
        "http://LOCALHOST:3000/callback",
        "http://localhost:3000/x/../callback",
        "https://evil.example/callback",
        "javascript:alert(1)",
        "//localhost:3000/callback",
    ] {
        let answer = provider.get(&authorization_path(&[("redirect_uri", redirect_uri)])).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{redirect_uri}");
        assert!(!answer.headers.contains_key("location"));
    }
}

#[tokio::test]
async fn a_repeated_client_or_redirect_uri_gets_a_page_and_no_redirect() {
    let provider = TestProvider::start().await;
    for repeated in [format!("&client_id={CLIENT_ID}"), format!("&redirect_uri={REDIRECT_URI}"), format!("&cli%65nt_id={CLIENT_ID}")] {
        let answer = provider.get(&(authorization_path(&[]) + &repeated)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(!answer.headers.contains_key("location"));
    }
}

#[tokio::test]
async fn other_mistakes_are_told_to_the_client_with_state_and_issuer() {
    let provider = TestProvider::start().await;
    for (changes, error) in [
        (vec![("response_type", "")], "invalid_request"),
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "code id_token")], "unsupported_response_type"),
        (vec![("response_mode", "fragment")], "invalid_request"),
        (vec![("scope", "")], "invalid_scope"),
        (vec![("scope", "admin")], "invalid_scope"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge", "short")], "invalid_request"),
        (vec![("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("prompt", "none login")], "invalid_request"),
        (vec![("prompt", "magic")], "invalid_request"),
        (vec![("max_age", "-1")], "invalid_request"),
        (vec![("max_age", "soon")], "invalid_request"),
        (vec![("max_age", "99999999999999999999")], "invalid_request"),
        (vec![("id_token_hint", "rubbish")], "invalid_request"),
        (vec![("request", "e30.e30.")], "invalid_request_object"),
        (vec![("request_uri", "https://evil.example/request")], "request_uri_not_supported"),
        (vec![("prompt", "none")], "login_required"),
    ] {
        let answer = provider.get(&authorization_path(&changes)).await;
        assert!(answer.location().starts_with(&format!("{REDIRECT_URI}?")), "{changes:?}");
        let parameters = answer.response_parameters();
        assert_eq!(parameters["error"], error, "{changes:?}");
        assert_eq!(parameters["state"], "the state");
        assert_eq!(parameters["iss"], provider.config.issuer);
        assert!(!parameters.contains_key("code"));
    }
}

#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let provider = TestProvider::start().await;
    for (repeated, state) in [("&scope=openid", Some("the state")), ("&nonce=other", Some("the state")), ("&state=other", None)] {
        let parameters = provider.get(&(authorization_path(&[]) + repeated)).await.response_parameters();
        assert_eq!(parameters["error"], "invalid_request");
        assert_eq!(parameters.get("state").map(String::as_str), state);
        assert_eq!(parameters["iss"], provider.config.issuer);
    }
}

#[tokio::test]
async fn too_long_values_are_refused() {
    let provider = TestProvider::start().await;
    let long = "x".repeat(3000);
    let parameters = provider.get(&authorization_path(&[("state", &long)])).await.response_parameters();
    assert_eq!(parameters["error"], "invalid_request");
    assert!(!parameters.contains_key("state"));
    let answer = provider.get(&authorization_path(&[("unknown", &"x".repeat(20_000))])).await;
    assert_eq!(answer.status, StatusCode::URI_TOO_LONG);
}

#[tokio::test]
async fn a_head_request_starts_and_finishes_nothing() {
    let provider = TestProvider::start().await;
    let answer = provider.send(provider.http.request(Method::HEAD, provider.url(&authorization_path(&[])))).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(!answer.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn a_request_in_a_form_is_the_same_request() {
    let provider = TestProvider::start().await;
    let mut browser = provider.browser();
    let path = authorization_path(&[]);
    let parameters: Vec<_> = url::form_urlencoded::parse(path.split_once('?').unwrap().1.as_bytes()).into_owned().collect();
    let form: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.post("/authorize", &form).await;
    let page = browser.follow(answer).await;
    assert!(is_login(&page), "{}", page.body);
}
