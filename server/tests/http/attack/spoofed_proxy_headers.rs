//! A client pretends to be a proxy.

use crate::support::{SignIn as _, StandInProvider, TestApp};
use axum::http::Method;

const SPOOFED: [(&str, &str); 8] = [
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-prefix", "/evil"),
    ("x-original-url", "/api/v1/oauth/logout"),
    ("x-rewrite-url", "/api/v1/oauth/logout"),
    ("x-http-method-override", "POST"),
    ("forwarded", "for=127.0.0.1;host=evil.example;proto=https"),
];

#[tokio::test]
async fn nothing_follows_from_what_a_client_claims_about_a_proxy() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for path in ["/", "/api/v1/session", "/api/v1/oauth/login?provider=alpha", "/api/v1/nothing"] {
        let request = browser.call(Method::GET, path);
        let answer = SPOOFED.iter().fold(request, |request, (name, value)| request.header(name, value)).send().await;
        assert_eq!(answer.header("strict-transport-security"), None);
        assert!(answer.set_cookies().iter().all(|cookie| !cookie.contains("Secure") && !cookie.contains("evil")));
        assert!(!answer.text().contains("evil.example"), "{path}");
        assert!(!answer.header("location").unwrap_or_default().contains("evil.example"), "{path}");
    }
    assert!(browser.is_signed_in().await);
    // The origin that counts is the configured one, not that of a forged host.
    let request = browser.call(Method::POST, "/api/v1/oauth/logout").without("sec-fetch-site");
    let request = request.header("host", "evil.example").header("origin", "http://evil.example");
    request.send().await.assert_problem(403, "csrf_rejected");
}
