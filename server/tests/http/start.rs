//! The start of a login: from the click to the provider's address.

use crate::support::{Endpoint, Initiator, Reply, SignIn as _, StandInProvider, TestApp, start_login};
use axum::http::Method;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};

#[tokio::test]
async fn a1_the_request_is_for_a_code_and_says_everything_that_it_has_to() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let url = start_login(&app.browser(), "alpha", "/").await;
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    let query: HashMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(pairs.len(), query.len(), "no parameter comes twice");
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["client_id"], StandInProvider::CLIENT_ID);
    assert_eq!(query["redirect_uri"], format!("{}/callback", app.origin()));
    assert_eq!(query["scope"], "openid profile email");
    assert!(!query.contains_key("response_mode"));
}

#[tokio::test]
async fn a2_a3_a4_challenge_state_and_nonce_are_long_and_new_for_every_start() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let mut seen = BTreeSet::new();
    for _ in 0..5 {
        let url = start_login(&browser, "alpha", "/").await;
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["code_challenge"].len(), 43);
        // 43 characters of base64url are 256 bits.
        assert_eq!(query["state"].len(), 43);
        assert!((22..=64).contains(&query["nonce"].len()));
        for name in ["code_challenge", "state", "nonce"] {
            assert!(seen.insert(query[name].clone()), "{name} is not new");
        }
    }
}

#[tokio::test]
async fn a2_the_browser_cannot_read_the_verifier_out_of_its_cookie() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let url = start_login(&browser, "alpha", "/").await;
    let transactions = browser.transactions();
    browser.finish(&provider.authorize(&url)).await.assert_status(200);
    let verifier = provider.only(Endpoint::Token).form("code_verifier").unwrap();
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    for (name, value) in transactions {
        let decoded = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &value).unwrap();
        for secret in [&verifier, &query["state"], &query["nonce"]] {
            assert!(!value.contains(secret.as_str()) && !name.contains(secret.as_str()));
            assert!(!decoded.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
}

#[tokio::test]
async fn a5_the_redirect_uri_is_the_same_in_both_requests_whatever_the_headers_say() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let spoofed = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "1"),
        ("x-original-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
    ];
    let request = browser.navigate("/api/v1/oauth/login?provider=alpha");
    let url = spoofed.iter().fold(request, |request, (name, value)| request.header(name, value)).send().await.location();
    let expected = format!("{}/callback", app.origin());
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["redirect_uri"], expected);

    let callback = provider.authorize(&url);
    let answer: HashMap<_, _> = callback.query_pairs().into_owned().collect();
    let request = browser.post_code(&json!(answer));
    spoofed.iter().fold(request, |request, (name, value)| request.header(name, value)).send().await.assert_status(200);
    assert_eq!(provider.only(Endpoint::Token).form("redirect_uri").unwrap(), expected);
}

#[tokio::test]
async fn a6_a_login_that_another_site_starts_goes_nowhere() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let address = "/api/v1/oauth/login?provider=alpha";
    let answers = [
        browser.navigate(address).from(Initiator::CrossSite).send().await,
        // An old browser says only where the request comes from.
        browser.navigate(address).without("sec-fetch-site").header("origin", "https://evil.example").send().await,
    ];
    for answer in answers {
        answer.assert_problem_page("csrf_rejected");
        assert!(answer.set_cookies().is_empty());
    }
    let from_script = browser.request(Method::GET, address).script().from(Initiator::CrossSite).send().await;
    from_script.assert_problem(403, "csrf_rejected");
    assert!(from_script.set_cookies().is_empty());
    assert_eq!(provider.count(Endpoint::Metadata), 0);
}

#[tokio::test]
async fn a_login_may_start_from_the_address_bar_or_a_page_of_the_app() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for initiator in [Initiator::Person, Initiator::SameOrigin] {
        let answer = browser.navigate("/api/v1/oauth/login?provider=alpha").from(initiator).send().await;
        assert!(answer.location().as_str().starts_with(provider.issuer()));
    }
    // A browser that sends none of the headers is no attack either.
    browser.request(Method::GET, "/api/v1/oauth/login").send().await.assert_status(303);
}

#[tokio::test]
async fn a7_injected_parameters_are_ignored() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let query = "provider=alpha&scope=admin&redirect_uri=https://evil.example/&client_id=evil&state=mine&nonce=mine&code_challenge=mine\
                 &code_challenge_method=plain&response_type=token&response_mode=fragment&claims=%7B%7D&request=mine&request_uri=https://evil.example/";
    let answer = app.browser().navigate(&format!("/api/v1/oauth/login?{query}")).send().await;
    let query: HashMap<_, _> = answer.location().query_pairs().into_owned().collect();
    assert_eq!(query["scope"], "openid profile email");
    assert_eq!(query["redirect_uri"], format!("{}/callback", app.origin()));
    assert_eq!(query["client_id"], StandInProvider::CLIENT_ID);
    assert_eq!((query["response_type"].as_str(), query["code_challenge_method"].as_str()), ("code", "S256"));
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(query[name], "mine");
    }
    for name in ["response_mode", "claims", "request", "request_uri"] {
        assert!(!query.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn a7_an_unknown_provider_is_a_404_problem() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for id in ["beta", "", "ALPHA", "alpha%00", "..", "%F0%9F%A6%80"] {
        let address = format!("/api/v1/oauth/login?provider={id}");
        let answer = browser.call(Method::GET, &address).send().await;
        answer.assert_problem(404, "unknown_provider");
        assert!(answer.set_cookies().is_empty());
        browser.navigate(&address).send().await.assert_problem_page("unknown_provider");
    }
}

#[tokio::test]
async fn the_provider_may_be_left_out_when_there_is_one_only() {
    let (alpha, beta) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let one = TestApp::with_provider(&alpha).await;
    let answer = one.browser().navigate("/api/v1/oauth/login").send().await;
    assert!(answer.location().as_str().starts_with(alpha.issuer()));
    let two = TestApp::builder().openid("alpha", &alpha).openid("beta", &beta).start().await;
    two.browser().call(Method::GET, "/api/v1/oauth/login").send().await.assert_problem(400, "invalid_request");
    let listed = two.browser().call(Method::GET, "/api/v1/oauth/providers").send().await.json();
    assert_eq!(listed, json!([{ "id": "alpha", "name": "Alpha", "icon": "openid" }, { "id": "beta", "name": "Beta", "icon": "openid" }]));
}

#[tokio::test]
async fn a8_metadata_of_another_issuer_never_leads_to_the_provider() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let issuer = provider.issuer().to_owned();
    for other in
        [format!("{issuer}/"), issuer.to_uppercase(), issuer.replace("127.0.0.1", "localhost"), format!("{issuer}x"), String::new()]
    {
        let metadata_issuer = other.clone();
        provider.edit_metadata(move |metadata| metadata["issuer"] = metadata_issuer.as_str().into());
        let answer = browser.call(Method::GET, "/api/v1/oauth/login").send().await;
        answer.assert_problem(502, "provider_misconfigured");
        assert!(answer.set_cookies().is_empty(), "{other}");
        app.clock.advance_seconds(5);
    }
    provider.edit_metadata(|metadata| drop(metadata.as_object_mut().unwrap().remove("issuer")));
    browser.call(Method::GET, "/api/v1/oauth/login").send().await.assert_problem(502, "provider_invalid_response");
}

#[tokio::test]
async fn a9_metadata_without_s256_never_leads_to_plain() {
    for methods in [json!(["plain"]), json!([]), serde_json::Value::Null] {
        let provider = StandInProvider::start().await;
        provider.edit_metadata(move |metadata| metadata["code_challenge_methods_supported"] = methods.clone());
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        let url = start_login(&browser, "alpha", "/").await;
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(query["code_challenge_method"], "S256");
        browser.finish(&provider.authorize(&url)).await.assert_status(200);
        // And the state is as strict as ever: altered, the answer to this browser's own login is refused.
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        let mut altered = callback.clone();
        altered.query_pairs_mut().clear().extend_pairs(callback.query_pairs().map(|(name, value)| {
            let value: String = if name == "state" { value.chars().rev().collect() } else { value.into_owned() };
            (name, value)
        }));
        browser.finish(&altered).await.assert_problem(400, "state_mismatch");
        assert_eq!(provider.count(Endpoint::Token), 1);
        browser.finish(&callback).await.assert_status(200);
    }
}

#[tokio::test]
async fn the_metadata_is_asked_for_once_an_hour() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for _ in 0..3 {
        start_login(&browser, "alpha", "/").await;
    }
    assert_eq!(provider.count(Endpoint::Metadata), 1);
    app.clock.advance_seconds(60 * 60);
    let gate = provider.hold(Endpoint::Metadata);
    gate.release();
    start_login(&browser, "alpha", "/").await;
    gate.arrived().await;
    assert_eq!(provider.count(Endpoint::Metadata), 2);
    // What it said before counts on while it does not answer.
    app.clock.advance_seconds(60 * 60);
    provider.replace(Endpoint::Metadata, Reply::html(500));
    start_login(&browser, "alpha", "/").await;
}

#[tokio::test]
async fn a_start_stores_nothing_and_asks_for_no_token() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    start_login(&app.browser(), "alpha", "/").await;
    let answer = app.browser().request(Method::HEAD, "/api/v1/oauth/login").send().await;
    assert!(answer.body.is_empty());
    assert_eq!(provider.count(Endpoint::Token), 0);
    assert_eq!(provider.count(Endpoint::Keys), 0);
}

#[tokio::test]
async fn c_transaction_flood_of_cookies_is_not_looked_through() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let planted: Vec<_> = (0..200).map(|number| format!("tx-{number:016}=x")).chain((0..200).map(|_| "tx-=x".to_owned())).collect();
    let answer = app.browser().navigate("/api/v1/oauth/login").header("cookie", &planted.join("; ")).send().await;
    answer.assert_status(303);
    let cleared = answer.set_cookies().iter().filter(|cookie| cookie.contains("Max-Age=0")).count();
    assert!((1..=24).contains(&cleared), "{cleared}");
}

#[tokio::test]
async fn a_browser_keeps_six_logins_open_and_the_oldest_makes_way() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let mut callbacks = Vec::new();
    for _ in 0..8 {
        callbacks.push(provider.authorize(&start_login(&browser, "alpha", "/").await));
        app.clock.advance_seconds(1);
        assert!(browser.transactions().len() <= 6);
    }
    assert_eq!(browser.transactions().len(), 6);
    for callback in &callbacks[..2] {
        app_refuses(&browser, callback).await;
    }
    for callback in &callbacks[2..] {
        browser.finish(callback).await.assert_status(200);
    }
}

async fn app_refuses(browser: &crate::support::Browser, callback: &url::Url) {
    browser.finish(callback).await.assert_problem(400, "state_mismatch");
}

#[tokio::test]
async fn cookies_that_are_no_transactions_make_way_first() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for number in 0..10 {
        browser.put_cookie(&format!("tx-forged{number}"), "rubbish");
    }
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    assert_eq!(browser.transactions().len(), 1);
    browser.finish(&callback).await.assert_status(200);
}

#[tokio::test]
async fn on_loopback_the_cookies_have_the_values_of_the_table() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let answer = browser.navigate("/api/v1/oauth/login?provider=alpha").send().await;
    assert_transaction_cookie(answer.set_cookies()[0], "tx-", "; Path=/; HttpOnly; SameSite=Strict; Max-Age=600");
    let finished = browser.finish(&provider.authorize(&answer.location())).await;
    let cookies = finished.set_cookies();
    assert_eq!(cookies.len(), 2);
    assert_session_cookie(cookies[0], "session=", "; Path=/; HttpOnly; SameSite=Strict");
    assert!(cookies[1].starts_with("tx-") && cookies[1].contains("=; ") && cookies[1].ends_with("Max-Age=0"));
}

#[tokio::test]
async fn a34_over_https_they_are_secure_and_have_the_prefix() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().public_url("https://app.example").openid("alpha", &provider).start().await;
    let browser = app.browser();
    let answer = browser.navigate("/api/v1/oauth/login?provider=alpha").send().await;
    assert_transaction_cookie(answer.set_cookies()[0], "__Host-Http-tx-", "; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=600");
    let query: HashMap<_, _> = answer.location().query_pairs().into_owned().collect();
    assert_eq!(query["redirect_uri"], "https://app.example/callback");
    let finished = browser.finish(&provider.authorize(&answer.location())).await;
    assert_session_cookie(finished.set_cookies()[0], "__Host-Http-session=", "; Path=/; HttpOnly; SameSite=Strict; Secure");
    assert!(browser.is_signed_in().await);
    browser.log_out().await.assert_status(200);
    assert_eq!(browser.session_cookie(), None);
}

#[tokio::test]
async fn for_the_server_callback_the_transaction_cookie_is_lax_and_the_session_cookie_is_not() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.server_callback", true).start().await;
    let browser = app.browser();
    let answer = browser.navigate("/api/v1/oauth/login?provider=alpha").send().await;
    assert_transaction_cookie(answer.set_cookies()[0], "tx-", "; Path=/; HttpOnly; SameSite=Lax; Max-Age=600");
    let callback = provider.authorize(&answer.location());
    let finished = browser.navigate(callback.as_str()).from(Initiator::CrossSite).send().await;
    assert_session_cookie(finished.set_cookies()[0], "session=", "; Path=/; HttpOnly; SameSite=Strict");
}

#[track_caller]
fn assert_transaction_cookie(cookie: &str, prefix: &str, attributes: &str) {
    let (name, rest) = cookie.split_once('=').unwrap();
    let value = rest.strip_suffix(attributes).unwrap_or_else(|| panic!("{cookie}"));
    assert_eq!(name.strip_prefix(prefix).map(str::len), Some(16), "{cookie}");
    assert!(value.len() < 3000 && value.len() > 100, "{cookie}");
}

#[track_caller]
fn assert_session_cookie(cookie: &str, prefix: &str, attributes: &str) {
    let value = cookie.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(attributes)).unwrap_or_else(|| panic!("{cookie}"));
    // 43 characters of base64url are 256 bits.
    assert_eq!(value.len(), 43, "{cookie}");
}

#[tokio::test]
async fn a49_the_way_back_is_kept_when_it_is_a_path_of_the_app() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for path in ["/", "/account", "/account?tab=notes&sort=%C3%A4#new", "/not-a-page"] {
        let completed = browser.finish(&provider.authorize(&start_login(&browser, "alpha", path).await)).await;
        assert_eq!(completed.json()["return_to"], path);
    }
    let completed = browser.sign_in(&provider).await;
    assert_eq!(completed.json()["return_to"], "/account");
}

#[tokio::test]
async fn a50_what_is_no_navigation_is_never_sent_to_the_provider() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let answer = app.browser().request(Method::GET, "/api/v1/oauth/login?provider=alpha").header("sec-fetch-mode", "no-cors").send().await;
    answer.assert_problem(401, "unauthenticated");
    assert_eq!(answer.header("set-cookie"), None);
}
