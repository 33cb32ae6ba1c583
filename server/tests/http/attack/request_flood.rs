//! More requests than anybody needs.

use crate::support::{SignIn as _, StandInProvider, TestApp, Upstream, start_login};
use axum::http::Method;

/// An app behind a proxy that says who asks.
async fn limited(provider: &StandInProvider, limits: &[(&str, &str)]) -> TestApp {
    let builder = TestApp::builder().openid("alpha", provider).set("server.trusted_proxies", "127.0.0.1");
    limits.iter().fold(builder, |builder, (key, rate)| builder.set(&format!("limits.{key}"), rate)).start().await
}

#[tokio::test]
async fn a_flood_of_login_starts_is_stopped_for_its_address_alone_and_until_it_ebbs() {
    let provider = StandInProvider::start().await;
    let app = limited(&provider, &[("login_starts", "4/m")]).await;
    let start =
        async |client: &str| app.browser().navigate("/api/v1/oauth/login?provider=alpha").header("x-forwarded-for", client).send().await;
    for _ in 0..4 {
        start("192.0.2.1").await.assert_status(303);
    }
    let refused = start("192.0.2.1").await;
    refused.assert_problem_page("rate_limited");
    assert_eq!(refused.header("retry-after"), Some("15"));
    assert!(refused.set_cookies().is_empty());
    start("192.0.2.2").await.assert_status(303);
    app.clock.advance_seconds(14);
    assert_eq!(start("192.0.2.1").await.header("retry-after"), Some("1"));
    app.clock.advance_seconds(1);
    start("192.0.2.1").await.assert_status(303);
    start("192.0.2.1").await.assert_problem_page("rate_limited");
}

#[tokio::test]
async fn an_ipv6_client_cannot_use_up_its_network_address_by_address() {
    let provider = StandInProvider::start().await;
    let app = limited(&provider, &[("requests", "2/m")]).await;
    let browser = app.browser();
    let ask =
        async |client: &str| browser.call(Method::GET, "/api/v1/session").header("x-forwarded-for", client).send().await.status.as_u16();
    assert_eq!(ask("2001:db8:0:1::1").await, 200);
    assert_eq!(ask("2001:db8:0:1::2").await, 200);
    assert_eq!(ask("2001:db8:0:1:ffff::3").await, 429);
    assert_eq!(ask("2001:db8:0:2::1").await, 200);
}

#[tokio::test]
async fn guessing_codes_is_slowed_down_and_the_login_it_was_about_still_finishes() {
    let provider = StandInProvider::start().await;
    let app = limited(&provider, &[("code_exchanges", "3/m")]).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let stranger = app.browser();
    for guess in 0..4 {
        let body = serde_json::json!({ "code": format!("guess-{guess}"), "state": "guess" });
        let answer = stranger.post_code(&body).header("x-forwarded-for", "192.0.2.66").send().await;
        if guess < 3 {
            answer.assert_problem(400, "state_mismatch");
        } else {
            answer.assert_problem(429, "rate_limited");
            assert_eq!(answer.header("retry-after"), Some("20"));
        }
    }
    browser.finish(&callback).await.assert_status(200);
}

#[tokio::test]
async fn logout_tokens_have_a_limit_of_their_own() {
    let provider = StandInProvider::start().await;
    let app = limited(&provider, &[("backchannel_logouts", "2/m")]).await;
    let stranger = app.browser();
    let post = async || {
        let request = stranger.request(Method::POST, "/api/v1/oauth/backchannel-logout/alpha");
        request.header("content-type", "application/x-www-form-urlencoded").body("logout_token=x").send().await
    };
    post().await.assert_problem(400, "invalid_request");
    post().await.assert_problem(400, "invalid_request");
    post().await.assert_problem(429, "rate_limited");
    stranger.call(Method::GET, "/api/v1/session").send().await.assert_status(200);
}

#[tokio::test]
async fn a_session_that_calls_without_end_is_stopped_and_stays_signed_in() {
    let provider = StandInProvider::start().await;
    let upstream = Upstream::start().await;
    let builder = TestApp::builder().openid("alpha", &provider).upstream("api", &upstream);
    let app = builder.set("limits.session_calls", "5/m").start().await;
    let (busy, other) = (app.browser(), app.browser());
    busy.sign_in(&provider).await;
    other.sign_in(&provider).await;
    for _ in 0..5 {
        busy.call(Method::GET, "/api/v1/proxy/api/x").send().await.assert_status(200);
    }
    let refused = busy.call(Method::GET, "/api/v1/proxy/api/x").send().await;
    refused.assert_problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("12"));
    other.call(Method::GET, "/api/v1/proxy/api/x").send().await.assert_status(200);
    assert!(busy.is_signed_in().await);
    app.clock.advance_seconds(12);
    busy.call(Method::GET, "/api/v1/proxy/api/x").send().await.assert_status(200);
}

#[tokio::test]
async fn the_defaults_are_never_met_by_an_office_behind_one_address() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let office = app.browser();
    // Five hundred people begin their day within the same minute, which does not even pass here.
    for _ in 0..500 {
        office.request(Method::GET, "/api/v1/oauth/login").header("cookie", "").send().await.assert_status(303);
        for _ in 0..3 {
            office.request(Method::GET, "/api/v1/session").header("cookie", "").send().await.assert_status(200);
        }
    }
}

#[tokio::test]
async fn whoever_keeps_the_server_running_is_never_refused() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("limits.requests", "1/h").start().await;
    let probe = app.browser();
    for _ in 0..20 {
        probe.request(Method::GET, "/healthz").send().await.assert_status(200);
        probe.request(Method::GET, "/readyz").send().await.assert_status(200);
    }
}
