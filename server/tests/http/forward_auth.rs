//! Forward authentication: what reverse proxies are told.

use crate::support::{Answer, Browser, Initiator, SignIn as _, StandInProvider, TestApp, TestAppBuilder, Upstream};
use axum::http::Method;
use serde_json::json;
use std::collections::HashMap;

const AUTH: &str = "/api/v1/auth";
const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

fn builder(provider: &StandInProvider) -> TestAppBuilder {
    TestApp::builder().openid("alpha", provider).set("server.trusted_proxies", "127.0.0.1")
}

/// What a proxy asks about a request, with what the browser and the proxy said in header fields.
async fn ask(browser: &Browser, query: &str, headers: &[(&str, &str)]) -> Answer {
    let request = browser.request(Method::GET, &format!("{AUTH}{query}"));
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send().await
}

/// What Traefik and Caddy say about a navigation to a page of the protected app.
fn navigation<'a>(app_host: &'a str, uri: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("x-forwarded-method", "GET"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", app_host),
        ("x-forwarded-uri", uri),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "none"),
        ("accept", HTML),
    ]
}

fn host(app: &TestApp) -> String {
    app.origin().strip_prefix("http://").unwrap().to_owned()
}

#[tokio::test]
async fn who_is_signed_in_is_said_in_header_fields_and_no_token_is() {
    let provider = StandInProvider::start().await;
    provider.edit_claims(|claims| claims["groups"] = json!(["staff", "a,b", "größe"]));
    let app = builder(&provider).start().await;
    let browser = app.browser();
    ask(&browser, "", &[]).await.assert_problem(401, "unauthenticated");
    browser.sign_in(&provider).await;
    let answer = ask(&browser, "", &[]).await;
    answer.assert_status(200);
    let said: Vec<_> = ["user", "email", "name", "login", "provider", "groups", "groups-incomplete"]
        .map(|name| answer.header(&format!("x-auth-request-{name}")).map(str::to_owned))
        .into();
    let expected = [
        Some(StandInProvider::SUB),
        Some("alice@example.com"),
        Some("Alice Example"),
        Some("alice"),
        Some("alpha"),
        Some("a%2Cb,gr%C3%B6%C3%9Fe,staff"),
        None,
    ];
    assert_eq!(said, expected.map(|value| value.map(str::to_owned)));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.body.is_empty());
    assert!(!format!("{:?}", answer.headers).contains("sentinel"), "{:?}", answer.headers);
    assert!(answer.set_cookies().is_empty());
    browser.log_out().await;
    ask(&browser, "", &[]).await.assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn c_header_smuggling_no_name_ends_its_field() {
    let provider = StandInProvider::start().await;
    provider.edit_claims(|claims| {
        claims["name"] = "Eve\r\nX-Auth-Request-User: admin\u{202e}".into();
        claims["preferred_username"] = "ève, 100%\0".into();
        claims["email"] = "mallory@example.com".into();
        claims["email_verified"] = false.into();
    });
    let app = builder(&provider).start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let answer = ask(&browser, "", &[]).await;
    assert_eq!(answer.headers.get_all("x-auth-request-user").iter().collect::<Vec<_>>(), [StandInProvider::SUB]);
    assert_eq!(answer.header("x-auth-request-name"), Some("Eve  X-Auth-Request-User: admin"));
    assert_eq!(answer.header("x-auth-request-login"), Some("%C3%A8ve%2C 100%25"));
    assert_eq!(answer.header("x-auth-request-email"), None, "nobody has verified it");
}

#[tokio::test]
async fn to_be_asked_about_is_a_use_of_the_session() {
    let provider = StandInProvider::start().await;
    let app = builder(&provider).start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for _ in 0..3 {
        app.clock.advance_seconds(29 * 60);
        ask(&browser, "", &[]).await.assert_status(200);
    }
    app.clock.advance_seconds(30 * 60);
    ask(&browser, "", &[]).await.assert_problem(401, "unauthenticated");
}

#[tokio::test]
async fn the_rules_of_an_upstream_are_in_force_when_it_is_named() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = builder(&provider)
        .upstream("api", &upstream)
        .set("upstreams.api.allow_groups", "staff")
        .upstream("strong", &upstream)
        .set("upstreams.strong.acr_values", "urn:gold")
        .set("upstreams.strong.max_authentication_age", "5m")
        .start()
        .await;
    let browser = app.browser();
    ask(&browser, "?upstream=api", &[]).await.assert_problem(401, "unauthenticated");
    browser.sign_in(&provider).await;
    ask(&browser, "", &[]).await.assert_status(200);
    ask(&browser, "?upstream=api", &[]).await.assert_problem(403, "not_permitted");
    ask(&browser, "?upstream=other", &[]).await.assert_problem(404, "unknown_upstream");
    let weak = ask(&browser, "?upstream=strong", &[]).await;
    weak.assert_problem(401, "step_up_required");
    let challenge = r#"Bearer error="insufficient_user_authentication", acr_values="urn:gold", max_age="300""#;
    assert_eq!(weak.header("www-authenticate"), Some(challenge));
    assert_eq!(upstream.count(), 0, "nobody calls it");

    let now = app.clock.seconds();
    provider.edit_claims(move |claims| {
        claims["groups"] = json!(["staff"]);
        claims["acr"] = "urn:gold".into();
        claims["auth_time"] = now.into();
    });
    browser.sign_in(&provider).await;
    for upstream in ["api", "strong"] {
        ask(&browser, &format!("?upstream={upstream}"), &[]).await.assert_status(200);
    }
}

#[tokio::test]
async fn people_who_navigate_are_sent_to_the_sign_in_and_come_back() {
    let provider = StandInProvider::start().await;
    let app = builder(&provider).start().await;
    let (browser, host) = (app.browser(), host(&app));
    let sent = ask(&browser, "?sign_in=redirect", &navigation(&host, "/reports?a=1&prompt=none#x")).await;
    let login = format!("{}/api/v1/oauth/login?provider=alpha&return_to=%2Freports%3Fa%3D1%26prompt%3Dnone%23x", app.origin());
    sent.assert_redirect(&login);
    assert_eq!(sent.header("cache-control"), Some("no-store"));
    let started = browser.navigate(&login).from(Initiator::Person).send().await;
    let finished = browser.finish(&provider.authorize(&started.assert_status(303).location())).await;
    assert_eq!(finished.assert_status(200).json()["return_to"], "/reports?a=1&prompt=none#x");
    ask(&browser, "?sign_in=redirect", &navigation(&host, "/reports")).await.assert_status(200);
}

#[tokio::test]
async fn a50_nothing_but_a_navigation_is_sent_anywhere() {
    let provider = StandInProvider::start().await;
    let app = builder(&provider).start().await;
    let (browser, host) = (app.browser(), host(&app));
    let with = |name: &'static str, value: &'static str| {
        let mut headers = navigation(&host, "/reports");
        headers.retain(|(known, _)| *known != name);
        headers.push((name, value));
        headers
    };
    let without_mode = |accept: &'static str| {
        let mut headers = with("accept", accept);
        headers.retain(|(name, _)| !name.starts_with("sec-fetch"));
        headers
    };
    for headers in [
        with("sec-fetch-mode", "cors"),
        with("sec-fetch-mode", "no-cors"),
        with("sec-fetch-mode", "websocket"),
        with("x-forwarded-method", "POST"),
        with("x-forwarded-method", "HEAD"),
        with("sec-purpose", "prefetch;prerender"),
        without_mode("application/json"),
        without_mode("*/*"),
        // Another origin's cookies would not come along.
        with("x-forwarded-host", "other.example"),
        with("x-forwarded-proto", "https"),
        with("x-forwarded-host", "localhost"),
    ] {
        ask(&browser, "?sign_in=redirect", &headers).await.assert_problem(401, "unauthenticated");
    }
    ask(&browser, "", &navigation(&host, "/reports")).await.assert_problem(401, "unauthenticated");
    ask(&browser, "?sign_in=redirect", &without_mode(HTML)).await.assert_status(303);
}

#[tokio::test]
async fn a49_the_way_back_is_a_path_of_this_origin_that_a_known_proxy_has_named() {
    let provider = StandInProvider::start().await;
    let app = builder(&provider).start().await;
    let (browser, host) = (app.browser(), host(&app));
    let home = format!("{}/api/v1/oauth/login?provider=alpha&return_to=%2F", app.origin());
    for uri in
        ["//evil.example", "https://evil.example/", "/\\evil.example", "/%2fevil.example", "javascript:alert(1)", "/api/v1/session", ""]
    {
        let sent = ask(&browser, "?sign_in=redirect", &navigation(&host, uri)).await;
        sent.assert_redirect(&home);
    }
    // Two names for one thing, and one of them may be the client's.
    let mut headers = navigation(&host, "/reports");
    headers.push(("x-original-uri", "/other"));
    ask(&browser, "?sign_in=redirect", &headers).await.assert_redirect(&home);

    let stranger = TestApp::builder().openid("alpha", &provider).start().await;
    let elsewhere = "elsewhere.example";
    let sent = ask(&stranger.browser(), "?sign_in=redirect", &navigation(elsewhere, "/reports")).await;
    sent.assert_redirect(&format!("{}/api/v1/oauth/login?provider=alpha&return_to=%2F", stranger.origin()));
}

#[tokio::test]
async fn a48_a_link_of_another_site_finds_the_person_signed_in() {
    let provider = StandInProvider::start().await;
    let app = builder(&provider).start().await;
    let (browser, host) = (app.browser(), host(&app));
    browser.sign_in(&provider).await;
    // The Strict cookie stays behind when another site leads here.
    let mut headers = navigation(&host, "/reports?a=1&b=2");
    headers.retain(|(name, _)| *name != "sec-fetch-site");
    headers.extend([("sec-fetch-site", "cross-site"), ("cookie", "other=1")]);
    let page = ask(&browser, "?sign_in=redirect", &headers).await;
    page.assert_status(401);
    assert!(page.text().contains(r#"http-equiv="refresh" content="0;url=/reports?a=1&amp;b=2""#), "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("no-store"));
    // What the page opens comes from here.
    let mut headers = navigation(&host, "/reports?a=1&b=2");
    headers.retain(|(name, _)| *name != "sec-fetch-site");
    headers.push(("sec-fetch-site", "same-origin"));
    ask(&browser, "?sign_in=redirect", &headers).await.assert_status(200);
}

#[tokio::test]
async fn who_is_kept_out_or_needs_a_better_sign_in_is_led_to_where_it_goes_on() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = builder(&provider)
        .upstream("api", &upstream)
        .set("upstreams.api.allow_groups", "staff")
        .upstream("strong", &upstream)
        .set("upstreams.strong.acr_values", "urn:gold")
        .start()
        .await;
    let (browser, host) = (app.browser(), host(&app));
    browser.sign_in(&provider).await;
    let kept_out = ask(&browser, "?sign_in=redirect&upstream=api", &navigation(&host, "/reports")).await;
    kept_out.assert_problem_page("not_permitted");
    assert!(kept_out.location().as_str().starts_with(&app.origin()));
    let query: HashMap<_, _> = kept_out.location().query_pairs().into_owned().collect();
    assert_eq!(query["login_url"], "/api/v1/oauth/login?provider=alpha&prompt=login");
    let weak = ask(&browser, "?sign_in=redirect&upstream=strong", &navigation(&host, "/reports")).await;
    weak.assert_redirect(&format!("{}/api/v1/oauth/login?provider=alpha&upstream=strong&return_to=%2Freports", app.origin()));
}

#[tokio::test]
async fn with_several_providers_people_choose_unless_one_is_named() {
    let (alpha, beta) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let app = builder(&alpha).openid("beta", &beta).start().await;
    let (browser, host) = (app.browser(), host(&app));
    let sent = ask(&browser, "?sign_in=redirect", &navigation(&host, "/reports")).await;
    sent.assert_redirect(&format!("{}/account?return_to=%2Freports", app.origin()));
    let sent = ask(&browser, "?sign_in=redirect&provider=beta", &navigation(&host, "/reports")).await;
    sent.assert_redirect(&format!("{}/api/v1/oauth/login?provider=beta&return_to=%2Freports", app.origin()));
    ask(&browser, "?sign_in=redirect&provider=gamma", &[]).await.assert_problem(404, "unknown_provider");
}

#[tokio::test]
async fn c_csrf_a_request_that_may_change_something_comes_from_this_origin() {
    let provider = StandInProvider::start().await;
    let app = builder(&provider).start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let origin = app.origin();
    let required = async |headers: &[(&str, &str)]| ask(&browser, "?csrf=required", headers).await;
    for allowed in [
        vec![("x-forwarded-method", "GET")],
        vec![("x-original-method", "HEAD")],
        vec![("x-forwarded-method", "GET"), ("sec-fetch-site", "cross-site")],
        vec![("x-forwarded-method", "POST"), ("sec-fetch-site", "same-origin")],
        vec![("x-original-method", "DELETE"), ("origin", origin.as_str())],
        vec![("x-forwarded-method", "GET"), ("sec-websocket-key", "x"), ("origin", origin.as_str())],
    ] {
        required(&allowed).await.assert_status(200);
    }
    for refused in [
        vec![],
        vec![("x-forwarded-method", "POST")],
        vec![("x-forwarded-method", "POST"), ("sec-fetch-site", "same-site")],
        vec![("x-forwarded-method", "POST"), ("sec-fetch-site", "none")],
        vec![("x-forwarded-method", "POST"), ("origin", "https://sibling.example")],
        vec![("x-forwarded-method", "post"), ("origin", "null")],
        vec![("x-forwarded-method", "GET"), ("x-original-method", "POST"), ("sec-fetch-site", "same-origin")],
        vec![("x-forwarded-method", "GET"), ("sec-websocket-key", "x"), ("origin", "https://sibling.example")],
        vec![("x-forwarded-method", "GET"), ("sec-fetch-mode", "websocket")],
    ] {
        required(&refused).await.assert_problem(403, "csrf_rejected");
    }
    let stranger = TestApp::with_provider(&provider).await;
    let said = [("x-forwarded-method", "GET")];
    ask(&stranger.browser(), "?csrf=required", &said).await.assert_problem(403, "csrf_rejected");
}

#[tokio::test]
async fn a_mistake_in_the_proxy_s_configuration_is_told() {
    let provider = StandInProvider::start().await;
    let app = builder(&provider).start().await;
    let browser = app.browser();
    for query in ["?sign_in=yes", "?csrf=1", "?sign_in=redirect&sign_in=redirect", "?csrf="] {
        ask(&browser, query, &[]).await.assert_problem(400, "invalid_request");
    }
    browser.call(Method::POST, AUTH).send().await.assert_problem(405, "method_not_allowed");
    browser.request(Method::HEAD, AUTH).send().await.assert_status(401);
}
