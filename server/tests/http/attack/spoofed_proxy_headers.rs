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
        assert!(answer.set_cookies().iter().all(|cookie| !cookie.contains("; Secure") && !cookie.contains("evil.example")));
        assert!(!answer.text().contains("evil.example"), "{path}");
        assert!(!answer.header("location").unwrap_or_default().contains("evil.example"), "{path}");
    }
    assert!(browser.is_signed_in().await);
    // The origin that counts is the configured one, not that of a forged host.
    let request = browser.call(Method::POST, "/api/v1/oauth/logout").without("sec-fetch-site");
    let request = request.header("host", "evil.example").header("origin", "http://evil.example");
    request.send().await.assert_problem(403, "csrf_rejected");
}

#[tokio::test]
async fn a_limit_cannot_be_slipped_by_inventing_addresses() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("limits.requests", "3/m").start().await;
    let stranger = app.browser();
    for number in 0..3 {
        stranger
            .call(Method::GET, "/api/v1/session")
            .header("x-forwarded-for", &format!("192.0.2.{number}"))
            .send()
            .await
            .assert_status(200);
    }
    let answer = stranger.call(Method::GET, "/api/v1/session").header("forwarded", "for=192.0.2.9").send().await;
    answer.assert_problem(429, "rate_limited");
}

#[tokio::test]
async fn behind_a_known_proxy_everybody_has_a_limit_of_their_own_and_can_put_it_on_nobody_else() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder()
        .openid("alpha", &provider)
        .set("limits.requests", "2/m")
        .set("server.trusted_proxies", "127.0.0.0/8 10.0.0.0/8")
        .start()
        .await;
    let browser = app.browser();
    let forwarded =
        async |chain: &str| browser.call(Method::GET, "/api/v1/session").header("x-forwarded-for", chain).send().await.status.as_u16();
    // What the attacker writes stands before what the proxy adds.
    for chain in ["192.0.2.1", "198.51.100.7, 192.0.2.1"] {
        assert_eq!(forwarded(chain).await, 200);
    }
    assert_eq!(forwarded("203.0.113.3, 192.0.2.1, 10.1.1.1").await, 429);
    assert_eq!(forwarded("198.51.100.7").await, 200);
    assert_eq!(forwarded("198.51.100.7, 10.1.1.1").await, 200);
    assert_eq!(forwarded("198.51.100.7").await, 429);
}
