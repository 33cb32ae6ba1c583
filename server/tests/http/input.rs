//! Bad input: a problem with the right status and code, no session, and no token request.

use crate::support::{Browser, Endpoint, Initiator, SignIn as _, StandInProvider, TestApp, start_login};
use axum::http::Method;
use serde_json::json;

const CODE: &str = "/api/v1/oauth/code";
const FORM: &str = "application/x-www-form-urlencoded";

async fn app() -> (StandInProvider, TestApp, Browser) {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    (provider, app, browser)
}

#[tokio::test]
async fn a_start_with_a_parameter_that_comes_twice_is_refused() {
    let (provider, _app, browser) = app().await;
    for query in ["provider=alpha&provider=alpha", "provider=alpha&provider=beta", "provider=alpha&return_to=/&return_to=/account"] {
        let answer = browser.call(Method::GET, &format!("/api/v1/oauth/login?{query}")).send().await;
        answer.assert_problem(400, "invalid_request");
        assert!(answer.set_cookies().is_empty());
    }
    assert_eq!(provider.count(Endpoint::Metadata), 0);
}

#[tokio::test]
async fn a_wrong_method_is_a_405_problem_everywhere() {
    let (_provider, _app, browser) = app().await;
    for (method, path) in [
        (Method::POST, "/api/v1/oauth/login"),
        (Method::PUT, CODE),
        (Method::DELETE, CODE),
        (Method::PATCH, CODE),
        (Method::GET, "/api/v1/oauth/logout"),
        (Method::POST, "/api/v1/oauth/providers"),
        (Method::POST, "/api/v1/session"),
        (Method::DELETE, "/api/v1/session"),
        (Method::POST, "/healthz"),
        (Method::POST, "/readyz"),
        (Method::POST, "/"),
        (Method::DELETE, "/account"),
        (Method::OPTIONS, "/"),
    ] {
        browser.call(method.clone(), path).send().await.assert_problem(405, "method_not_allowed");
    }
}

#[tokio::test]
async fn a_wrong_content_type_is_a_415_problem() {
    let (provider, _app, browser) = app().await;
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let query = callback.query().unwrap().to_owned();
    for content_type in ["text/plain", "multipart/form-data; boundary=x", "application/xml", "application/jsonx", "", "json"] {
        let answer = browser.call(Method::POST, CODE).header("content-type", content_type).body(query.clone()).send().await;
        answer.assert_problem(415, "unsupported_media_type");
    }
    browser.call(Method::POST, CODE).body(query).send().await.assert_problem(415, "unsupported_media_type");
    assert_eq!(provider.count(Endpoint::Token), 0);
    browser.finish(&callback).await.assert_status(200);
}

#[tokio::test]
async fn content_types_are_compared_without_case_and_parameters() {
    let (provider, _app, browser) = app().await;
    for content_type in ["application/json; charset=utf-8", "Application/JSON"] {
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        let body: serde_json::Map<_, _> = callback.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect();
        browser.post_code(&body.into()).header("content-type", content_type).send().await.assert_status(200);
    }
}

#[tokio::test]
async fn an_oversized_body_is_a_413_problem() {
    let (provider, _app, browser) = app().await;
    let padding = " ".repeat(16 * 1024 + 1);
    let json = browser.post_code(&json!({})).body(format!("{{{padding}}}")).send().await;
    json.assert_problem(413, "payload_too_large");
    let form = browser.call(Method::POST, CODE).header("content-type", FORM).body(format!("code={padding}")).send().await;
    form.assert_problem(413, "payload_too_large");
    let logout = browser.call(Method::POST, "/api/v1/oauth/logout").header("content-type", FORM).body(padding).send().await;
    logout.assert_problem(413, "payload_too_large");
    assert_eq!(provider.count(Endpoint::Token), 0);
}

#[tokio::test]
async fn a_parameter_longer_than_any_provider_s_is_refused() {
    let (provider, _app, browser) = app().await;
    for (name, length) in [("code", 8193), ("state", 513), ("iss", 1025), ("error", 257), ("error_description", 4097)] {
        let mut body = json!({ "code": "x", "state": "y" });
        body[name] = "x".repeat(length).into();
        browser.post_code(&body).send().await.assert_problem(400, "invalid_request");
    }
    assert_eq!(provider.count(Endpoint::Token), 0);
}

#[tokio::test]
async fn json_that_is_none_is_refused() {
    let (provider, _app, browser) = app().await;
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let state = callback.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for body in [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "\"text\"".to_owned(),
        "{}x".to_owned(),
        "\u{feff}{}".to_owned(),
        deep,
        "\u{0}".to_owned(),
        json!({ "code": 1, "state": state }).to_string(),
        json!({ "code": ["x"], "state": state }).to_string(),
        json!({ "code": "x", "state": state, "code_verifier": "x" }).to_string(),
        json!({ "code": "x", "state": state, "provider": "alpha" }).to_string(),
        format!("{{\"code\":\"x\",\"code\":\"y\",\"state\":\"{state}\"}}"),
        format!("{{\"state\":\"{state}\",\"state\":\"{state}\",\"code\":\"x\"}}"),
    ] {
        browser.post_code(&json!({})).body(body).send().await.assert_problem(400, "invalid_request");
    }
    browser.post_code(&json!({})).body(vec![0xff, 0xfe, b'{']).send().await.assert_problem(400, "invalid_request");
    assert_eq!(provider.count(Endpoint::Token), 0);
    browser.finish(&callback).await.assert_status(200);
}

#[tokio::test]
async fn a_forged_session_cookie_is_nobody() {
    let (provider, app, browser) = app().await;
    browser.sign_in(&provider).await;
    let real = browser.session_cookie().unwrap();
    let mut altered = real.clone().into_bytes();
    altered[0] = if altered[0] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    for forged in ["", "x", "AAAA", &"A".repeat(43), &"A".repeat(4000), &altered, &real.to_lowercase(), &format!("{real}="), &real[1..]] {
        let other = app.browser();
        other.put_cookie("session", forged);
        let answer = other.call(Method::GET, "/api/v1/session").send().await;
        assert_eq!(answer.assert_status(200).json(), json!({ "authenticated": false }), "{forged}");
        assert!(answer.set_cookies().is_empty(), "another tab may have signed in meanwhile");
        other.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_problem(401, "unauthenticated");
    }
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a_foreign_origin_is_refused_for_everything_that_changes_something() {
    let (provider, _app, browser) = app().await;
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let body: serde_json::Map<_, _> = callback.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect();
    let body = serde_json::Value::from(body);
    for initiator in [Initiator::CrossSite, Initiator::SameSite, Initiator::Person] {
        browser.post_code(&body).from(initiator).send().await.assert_problem(403, "csrf_rejected");
        browser.call(Method::POST, "/api/v1/oauth/logout").from(initiator).send().await.assert_problem(403, "csrf_rejected");
    }
    for origin in ["https://evil.example", "null", "http://localhost", "http://localhost:1", ""] {
        let request = browser.post_code(&body).without("sec-fetch-site").header("origin", origin);
        request.send().await.assert_problem(403, "csrf_rejected");
    }
    let bare = browser.post_code(&body).without("sec-fetch-site").without("origin");
    bare.send().await.assert_problem(403, "csrf_rejected");
    assert_eq!(provider.count(Endpoint::Token), 0);
    // A browser without Sec-Fetch-Site is known by its Origin.
    browser.post_code(&body).without("sec-fetch-site").send().await.assert_status(200);
}

#[tokio::test]
async fn a_person_who_navigates_gets_a_page_instead_of_a_document() {
    let (provider, app, browser) = app().await;
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let fields: Vec<_> = callback.query_pairs().into_owned().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    app.browser().submit(CODE, &fields).send().await.assert_problem_page("state_mismatch");
    browser.submit(CODE, &fields).from(Initiator::CrossSite).send().await.assert_problem_page("csrf_rejected");
    browser.submit(CODE, &[("code", "x")]).send().await.assert_problem_page("invalid_request");
    browser.navigate("/api/v1/oauth/nothing").send().await.assert_problem_page("not_found");
    assert_eq!(provider.count(Endpoint::Token), 0);
    // A script gets a document, whatever it accepts.
    browser
        .request(Method::GET, "/api/v1/oauth/nothing")
        .header("accept", "text/html")
        .header("sec-fetch-mode", "cors")
        .send()
        .await
        .assert_problem(404, "not_found");
}

#[tokio::test]
async fn an_address_of_the_api_that_does_not_exist_is_a_404_problem() {
    let (_provider, _app, browser) = app().await;
    for path in [
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v2/session",
        "/api/nothing",
        "/api/v1/session/",
        "/api/v1/session/x",
        "/api/v1/oauth",
        "/api/v1/oauth/login/",
        "/api/v1/oauth/code/x",
        "/api/v1/SESSION",
        "/api/v1/oauth/backchannel-logout",
    ] {
        browser.call(Method::GET, path).send().await.assert_problem(404, "not_found");
    }
    browser.call(Method::POST, "/api/v1/nothing").send().await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_page_that_does_not_exist_is_a_404_page_in_both_modes() {
    for render in ["spa", "ssr"] {
        let app = TestApp::builder().set("server.render", render).start().await;
        let browser = app.browser();
        for path in ["/nothing", "/account/x", "/callback/x", "/pkg/nothing.js", "/.git/config", "/%2e%2e/etc/passwd", "/manifest.json"] {
            let answer = browser.navigate(path).send().await;
            assert_eq!(answer.assert_status(404).header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        }
        for path in ["/", "/account", "/callback"] {
            browser.navigate(path).send().await.assert_status(200);
        }
        let with_slash = browser.navigate("/account/?tab=notes").send().await;
        assert_eq!(with_slash.assert_status(307).header("location"), Some("/account?tab=notes"));
    }
}

#[tokio::test]
async fn the_server_answers_about_its_health() {
    let (_provider, _app, browser) = app().await;
    assert_eq!(browser.request(Method::GET, "/healthz").send().await.assert_status(200).text(), "ok\n");
    assert_eq!(browser.request(Method::GET, "/readyz").send().await.assert_status(200).text(), "ready\n");
}
