//! The X-ray: what a browser is shown of its own logins, and what nobody is shown.

use crate::support::{
    Answer, Browser, Endpoint, Initiator, Reply, SignIn as _, SigningKey, StandInProvider, TestApp, Upstream, start_login,
};
use axum::http::Method;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use url::Url;

const FLOW: &str = "/api/v1/flow";

/// The logins that the browser is shown.
async fn logins(browser: &Browser) -> Vec<Value> {
    let answer = browser.call(Method::GET, FLOW).send().await;
    assert_eq!(answer.assert_status(200).header("cache-control"), Some("no-store"));
    answer.json()["logins"].as_array().unwrap().clone()
}

async fn only_login(browser: &Browser) -> Value {
    let logins = logins(browser).await;
    assert_eq!(logins.len(), 1, "{logins:#?}");
    logins[0].clone()
}

fn names(login: &Value) -> Vec<&str> {
    login["messages"].as_array().unwrap().iter().map(|message| message["name"].as_str().unwrap()).collect()
}

/// The only message of this name.
#[track_caller]
fn message<'a>(login: &'a Value, name: &str) -> &'a Value {
    let mut messages = login["messages"].as_array().unwrap().iter().filter(|message| message["name"] == name);
    let message = messages.next().unwrap_or_else(|| panic!("no {name} in {login:#}"));
    assert!(messages.next().is_none(), "{name} comes twice in {:?}", names(login));
    message
}

#[track_caller]
fn parameter<'a>(message: &'a Value, name: &str) -> &'a Value {
    let parameters = message["parameters"].as_array().unwrap();
    &parameters.iter().find(|parameter| parameter["name"] == name).unwrap_or_else(|| panic!("no {name} in {message:#}"))["value"]
}

#[track_caller]
fn check<'a>(message: &'a Value, name: &str) -> &'a Value {
    let checks = message["checks"].as_array().unwrap();
    &checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {message:#}"))["outcome"]
}

/// The login failed with this problem, at this message and this check; what was looked at before has passed, and nothing was looked at
/// afterwards.
#[track_caller]
fn assert_failed(login: &Value, problem: &str, at: &str, at_check: &str, code: &str) {
    let failed = &login["outcome"]["failed"];
    assert_eq!(failed["code"], problem, "{login:#}");
    let guilty = login["messages"].as_array().unwrap().iter().find(|message| message["number"] == failed["message"]).unwrap();
    assert_eq!(guilty["name"], at);
    let checks = guilty["checks"].as_array().unwrap();
    let place = checks.iter().position(|check| check["name"] == at_check).unwrap_or_else(|| panic!("no {at_check} in {guilty:#}"));
    assert_eq!(checks[place]["outcome"]["failed"]["code"], code, "{guilty:#}");
    assert!(!checks[place]["outcome"]["failed"]["reason"].as_str().unwrap().is_empty());
    assert!(checks[..place].iter().all(|check| check["outcome"] == "passed" || check["outcome"]["skipped"].is_string()), "{guilty:#}");
    assert!(checks[place + 1..].iter().all(|check| check["outcome"] == "not_reached"), "{guilty:#}");
    assert!(names(login).contains(&"login_refused") && !names(login).contains(&"session_created"));
}

/// An app, and a browser whose login the provider has answered.
async fn answered(provider: &StandInProvider) -> (TestApp, Browser, Url) {
    let app = TestApp::with_provider(provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/account").await);
    (app, browser, callback)
}

/// A login that fails, and what the browser is shown of it.
async fn failing(provider: &StandInProvider) -> (Answer, Value) {
    let (_app, browser, callback) = answered(provider).await;
    let answer = browser.finish(&callback).await;
    (answer, only_login(&browser).await)
}

#[tokio::test]
async fn a_good_login_is_shown_message_by_message() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let login = only_login(&browser).await;
    assert_eq!(
        names(&login),
        [
            "login_request",
            "metadata_request",
            "metadata_response",
            "login_redirect",
            "authorization_request",
            "authentication",
            "authorization_response",
            "code_forwarded",
            "token_request",
            "token_response",
            "jwks_request",
            "jwks_response",
            "userinfo_request",
            "userinfo_response",
            "session_created",
        ]
    );
    assert_eq!(login["outcome"], "signed_in");
    assert_eq!((&login["provider"], &login["metadata"]["issuer"]), (&json!("alpha"), &json!(provider.issuer())));
    let steps: Vec<_> = login["messages"].as_array().unwrap().iter().map(|message| message["step"].as_u64().unwrap()).collect();
    assert!(steps.is_sorted() && steps[0] == 1 && steps.contains(&6), "{steps:?}");
    let checks = login["messages"].as_array().unwrap().iter().flat_map(|message| message["checks"].as_array().unwrap());
    let outcomes: Vec<_> = checks.map(|check| &check["outcome"]).collect();
    assert!(outcomes.len() > 30 && outcomes.iter().all(|outcome| **outcome == "passed" || outcome["skipped"].is_string()));

    let (sent, returned) = (message(&login, "authorization_request"), message(&login, "code_forwarded"));
    assert_eq!(parameter(sent, "response_type")["shown"], "code");
    assert_eq!(check(sent, "pkce"), "passed");
    assert_eq!(parameter(sent, "state"), parameter(returned, "state"), "the same secret is recognised");
    assert_ne!(parameter(sent, "state"), parameter(sent, "nonce"));
    assert_eq!(parameter(returned, "code"), parameter(message(&login, "token_request"), "code"));
    let (token_request, tokens) = (message(&login, "token_request"), message(&login, "token_response"));
    assert_eq!(token_request["address"], format!("{}/token", provider.issuer()));
    assert_eq!((&tokens["status"], &parameter(tokens, "token_type")["shown"]), (&json!(200), &json!("Bearer")));
    assert_eq!(check(tokens, "id_token_nonce"), "passed");
    assert_eq!(check(tokens, "id_token_authorized_party")["skipped"], "not_sent");
    assert_eq!(parameter(tokens, "access_token"), parameter(message(&login, "userinfo_request"), "authorization"));
    let claims = login["id_token"]["claims"].as_array().unwrap();
    assert!(claims.iter().any(|claim| claim["name"] == "sub" && claim["value"]["shown"] == StandInProvider::SUB));
    let cookie = &parameter(message(&login, "session_created"), "cookie_attributes")["shown"];
    assert_eq!(cookie, "Path=/; HttpOnly; SameSite=Strict");
}

#[tokio::test]
async fn what_happens_to_the_session_is_shown_too() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let call = async || browser.call(Method::GET, "/api/v1/proxy/api/things?page=2").send().await;
    call().await.assert_status(200);
    let login = only_login(&browser).await;
    let passed_on = message(&login, "upstream_request");
    assert_eq!(passed_on["address"], format!("{}/base/things", upstream.origin()));
    assert_eq!(parameter(passed_on, "authorization"), parameter(message(&login, "token_response"), "access_token"));
    assert_eq!(message(&login, "upstream_response")["status"], 200);

    app.clock.advance_seconds(299);
    call().await.assert_status(200);
    let login = only_login(&browser).await;
    let renewed = message(&login, "refresh_response");
    assert_eq!(
        parameter(message(&login, "refresh_request"), "refresh_token"),
        parameter(message(&login, "token_response"), "refresh_token")
    );
    assert_eq!(check(renewed, "grant_accepted"), "passed");

    for _ in 0..10 {
        call().await.assert_status(200);
    }
    assert_eq!(names(&only_login(&browser).await).iter().filter(|name| **name == "api_call").count(), 5, "calls are all alike");

    browser.log_out().await.assert_status(200);
    let login = only_login(&browser).await;
    assert_eq!(message(&login, "end_session_request")["address"], format!("{}/logout", provider.issuer()));
    assert_eq!(login["outcome"], "signed_in", "it was a good login");
}

/// All that could be made of a secret: each eight characters of it, as they are, in base64, and percent-encoded.
fn parts(secret: &str) -> Vec<String> {
    let windows = |text: &str| text.as_bytes().windows(8).map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>();
    let percent_encoded = secret.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    [windows(secret), windows(&STANDARD_NO_PAD.encode(secret)), windows(&URL_SAFE_NO_PAD.encode(secret)), windows(&percent_encoded)]
        .concat()
}

#[tokio::test]
async fn no_part_of_a_secret_is_shown() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    let authorization_url = start_login(&browser, "alpha", "/account").await;
    let callback = provider.authorize(&authorization_url);
    let transaction = browser.transactions().into_values().next().unwrap();
    browser.finish(&callback).await.assert_status(200);
    app.clock.advance_seconds(299);
    browser.call(Method::GET, "/api/v1/proxy/api/things").send().await.assert_status(200);
    let session = browser.session_cookie().unwrap();
    let token = provider.logout_token("logout-token-1", |_, _| {});
    let form = url::form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
    let backchannel = app.browser();
    let posted = backchannel.request(Method::POST, "/api/v1/oauth/backchannel-logout/alpha");
    posted.header("content-type", "application/x-www-form-urlencoded").body(form).send().await.assert_status(200);

    let query = |url: &Url, name: &str| url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned()).unwrap();
    let exchanged = &provider.received(Endpoint::Token)[0];
    let mut secrets = vec![
        query(&callback, "code"),
        query(&callback, "state"),
        query(&authorization_url, "nonce"),
        exchanged.form("code_verifier").unwrap(),
        exchanged.header("authorization").unwrap().trim_start_matches("Basic ").to_owned(),
        StandInProvider::CLIENT_SECRET.to_owned(),
        transaction,
        session,
        browser.cookies()["flow"].clone(),
    ];
    secrets.extend(upstream.tokens());
    secrets.extend(provider.received(Endpoint::Token).iter().filter_map(|received| received.form("refresh_token")));
    // Of the signed tokens the signatures are the proof; what they say is shown.
    secrets.push(token.rsplit('.').next().unwrap().to_owned());
    assert!(secrets.len() >= 12 && secrets.iter().all(|secret| secret.len() >= 8), "{secrets:?}");

    let shown = browser.call(Method::GET, FLOW).send().await.text();
    for message in ["token_response", "refresh_request", "upstream_request", "backchannel_logout"] {
        assert!(shown.contains(message), "{message}");
    }
    for secret in secrets {
        for part in parts(&secret) {
            assert!(!shown.contains(&part), "{part} of {secret}");
        }
    }
}

#[tokio::test]
async fn a_provider_that_repeats_secrets_in_its_words_has_them_hidden() {
    let provider = StandInProvider::start().await;
    let (_app, browser, callback) = answered(&provider).await;
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let secret = StandInProvider::CLIENT_SECRET;
    let words = json!({ "error": "invalid_grant", "error_description": format!("no {code} with {secret}"), &secret[..12]: "x" });
    provider.replace(Endpoint::Token, Reply::json(400, &words));
    browser.finish(&callback).await.assert_problem(400, "code_rejected");
    let shown = browser.call(Method::GET, FLOW).send().await.text();
    assert!(shown.contains("invalid_grant"));
    for part in parts(&code).into_iter().chain(parts(secret)) {
        assert!(!shown.contains(&part), "{part}");
    }
}

#[tokio::test]
async fn a_wrong_state_fails_where_the_login_is_looked_for() {
    let provider = StandInProvider::start().await;
    let (_app, browser, mut callback) = answered(&provider).await;
    let pairs: Vec<_> = callback.query_pairs().into_owned().collect();
    callback.query_pairs_mut().clear().extend_pairs(
        pairs.iter().map(|(name, value)| (name.as_str(), if name == "state" { "c29tZWJvZHkgZWxzZSdzIHN0YXRl" } else { value })),
    );
    browser.finish(&callback).await.assert_problem(400, "state_mismatch");
    assert_failed(&only_login(&browser).await, "state_mismatch", "code_forwarded", "login_cookie", "state_mismatch");
}

#[tokio::test]
async fn a_login_that_took_too_long_fails_at_its_age() {
    let provider = StandInProvider::start().await;
    let (app, browser, callback) = answered(&provider).await;
    // The browser's own clock is slow, so it still sends the cookie.
    let cookies = browser.cookies();
    app.clock.advance_seconds(601);
    for (name, value) in &cookies {
        browser.put_cookie(name, value);
    }
    browser.finish(&callback).await.assert_problem(400, "login_expired");
    assert_failed(&only_login(&browser).await, "login_expired", "code_forwarded", "login_age", "callback_expired");
}

#[tokio::test]
async fn a_code_that_the_provider_rejects_fails_at_the_grant() {
    let provider = StandInProvider::start().await;
    provider.replace(Endpoint::Token, Reply::json(400, &json!({ "error": "invalid_grant" })));
    let (answer, login) = failing(&provider).await;
    answer.assert_problem(400, "code_rejected");
    assert_failed(&login, "code_rejected", "token_response", "grant_accepted", "token_provider_error");
}

#[tokio::test]
async fn an_id_token_with_a_wrong_nonce_fails_at_the_nonce() {
    let provider = StandInProvider::start().await;
    provider.edit_claims(|claims| claims["nonce"] = "somebody else's".into());
    let (answer, login) = failing(&provider).await;
    answer.assert_problem(502, "id_token_invalid");
    assert_failed(&login, "id_token_invalid", "token_response", "id_token_nonce", "id_token_nonce_mismatch");
    let claims = login["id_token"]["claims"].as_array().unwrap();
    let is_hidden = |name: &str| claims.iter().find(|claim| claim["name"] == name).unwrap()["value"].get("hidden").is_some();
    assert!(!is_hidden("iss") && !is_hidden("aud") && !is_hidden("exp"), "what was wrong can be looked at");
    assert!(is_hidden("sub"), "but not whose token it is: the code may be somebody else's");
}

#[tokio::test]
async fn an_id_token_with_a_bad_signature_fails_at_the_signature() {
    let provider = StandInProvider::start().await;
    provider.sign_with_unpublished(SigningKey::es256("key-1"));
    let (answer, login) = failing(&provider).await;
    answer.assert_problem(502, "id_token_invalid");
    assert_failed(&login, "id_token_invalid", "token_response", "id_token_signature", "token_signature_invalid");
}

#[tokio::test]
async fn a_user_who_says_no_is_shown_at_the_answer() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let authorization_url = start_login(&browser, "alpha", "/account").await;
    let callback = provider.refuse(&authorization_url, "access_denied", "The user said no.");
    browser.finish(&callback).await.assert_problem(403, "access_denied");
    let login = only_login(&browser).await;
    let answer = message(&login, "code_forwarded");
    assert_eq!(parameter(answer, "error_description")["shown"], "The user said no.");
    assert_eq!(check(answer, "provider_consent")["failed"]["code"], "callback_provider_error");
    assert_eq!(login["outcome"]["failed"]["message"], answer["number"]);
}

#[tokio::test]
async fn a_token_endpoint_in_trouble_fails_at_its_availability() {
    let provider = StandInProvider::start().await;
    provider.replace(Endpoint::Token, Reply::html(500));
    let (answer, login) = failing(&provider).await;
    answer.assert_problem(502, "provider_unavailable");
    assert_failed(&login, "provider_unavailable", "token_response", "token_endpoint_available", "token_endpoint_unavailable");
}

#[tokio::test]
async fn a_provider_that_cannot_be_found_is_shown_too_and_the_browser_gets_its_cookie() {
    let provider = StandInProvider::start().await;
    provider.replace(Endpoint::Metadata, Reply::html(404));
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let started = browser.navigate("/api/v1/oauth/login?provider=alpha").send().await;
    started.assert_problem_page("provider_invalid_response");
    let login = only_login(&browser).await;
    assert_eq!(login["outcome"]["failed"]["code"], "provider_invalid_response");
    let guilty = login["messages"].as_array().unwrap().iter().find(|message| message["number"] == login["outcome"]["failed"]["message"]);
    assert_eq!(check(guilty.unwrap(), "metadata")["failed"]["code"], "metadata_unexpected_status");
}

#[tokio::test]
async fn a_second_answer_takes_nothing_away_from_a_finished_login() {
    let provider = StandInProvider::start().await;
    let (_app, browser, callback) = answered(&provider).await;
    browser.finish(&callback).await.assert_status(200);
    browser.finish(&callback).await.assert_problem(409, "already_completed");
    assert_eq!(only_login(&browser).await["outcome"], "signed_in");
}

#[tokio::test]
async fn an_unsafe_return_to_is_shown_and_not_followed() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "https://evil.example/").await);
    assert_eq!(browser.finish(&callback).await.assert_status(200).json()["return_to"], "/");
    let login = only_login(&browser).await;
    assert_eq!(check(message(&login, "login_request"), "return_to")["failed"]["code"], "return_to_unsafe");
    assert_eq!(login["outcome"], "signed_in");
}

#[tokio::test]
async fn another_browser_sees_nothing() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let (one, other) = (app.browser(), app.browser());
    one.sign_in(&provider).await;
    other.sign_in(&provider).await;
    assert_ne!(only_login(&one).await["id"], only_login(&other).await["id"]);
    let stranger = app.browser();
    assert!(logins(&stranger).await.is_empty());
    stranger.put_cookie("flow", "AAAAAAAAAAAAAAAAAAAAAA");
    assert!(logins(&stranger).await.is_empty(), "a cookie that somebody made up opens nothing");
    // Another site may neither look nor listen.
    for address in [FLOW, "/api/v1/flow/events"] {
        let asked = one.request(Method::GET, address).script().from(Initiator::CrossSite).send().await;
        asked.assert_problem(403, "csrf_rejected");
    }
}

#[tokio::test]
async fn a_response_of_another_browser_is_not_recorded_with_the_login_that_it_names() {
    let provider = StandInProvider::start().await;
    let (app, browser, callback) = answered(&provider).await;
    let attacker = app.browser();
    start_login(&attacker, "alpha", "/").await;
    attacker.finish(&callback).await.assert_problem(400, "state_mismatch");
    assert_eq!(only_login(&browser).await["outcome"], "running");
    assert_failed(&only_login(&attacker).await, "state_mismatch", "code_forwarded", "login_cookie", "state_mismatch");
}

#[tokio::test]
async fn what_is_off_sets_no_cookie_and_answers_nothing() {
    let provider = StandInProvider::start().await;
    for builder in [
        TestApp::builder().set("flow.enabled", false),
        TestApp::builder().public_url("https://app.example.com").variable("OAUTH2FLOW_SESSION_KEY", "A".repeat(43)),
    ] {
        let app = builder.openid("alpha", &provider).start().await;
        let browser = app.browser();
        start_login(&browser, "alpha", "/").await;
        assert!(browser.cookies().keys().all(|name| !name.contains("flow")), "{:?}", browser.cookies());
        browser.call(Method::GET, FLOW).send().await.assert_problem(404, "not_found");
        browser.call(Method::DELETE, FLOW).send().await.assert_problem(404, "not_found");
        browser
            .request(Method::GET, "/api/v1/flow/events")
            .script()
            .from(Initiator::SameOrigin)
            .send()
            .await
            .assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn over_https_the_cookie_has_its_prefix() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().public_url("https://app.example.com").set("flow.enabled", true).openid("alpha", &provider).start().await;
    let browser = app.browser();
    let started = browser.navigate("/api/v1/oauth/login?provider=alpha").send().await;
    let set = started.set_cookies().into_iter().find(|cookie| cookie.starts_with("__Host-Http-flow=")).unwrap().to_owned();
    assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{set}");
    assert_eq!(set.split(['=', ';']).nth(1).unwrap().len(), 22, "128 bits");
    let again = browser.navigate("/api/v1/oauth/login?provider=alpha").send().await;
    assert!(again.set_cookies().iter().all(|cookie| !cookie.starts_with("__Host-Http-flow=")), "it has one");
    assert_eq!(logins(&browser).await.len(), 2);
}

#[tokio::test]
async fn old_logins_make_way_for_new_ones() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().set("flow.logins", 5).set("flow.logins_per_browser", 3).openid("alpha", &provider).start().await;
    let (one, other) = (app.browser(), app.browser());
    for _ in 0..2 {
        start_login(&one, "alpha", "/").await;
    }
    for _ in 0..5 {
        start_login(&other, "alpha", "/").await;
    }
    assert_eq!((logins(&one).await.len(), logins(&other).await.len()), (2, 3));
    start_login(&one, "alpha", "/third").await;
    let left = logins(&one).await;
    assert_eq!((left.len(), logins(&other).await.len()), (2, 3), "the oldest of all has gone");
    assert_eq!(parameter(message(&left[0], "login_request"), "return_to")["shown"], "/third", "the youngest comes first");
}

#[tokio::test]
async fn what_is_endless_is_cut() {
    let provider = StandInProvider::start().await;
    provider.edit_userinfo(|user| {
        user["name"] = "\u{202e}<script>".repeat(400).into();
        for number in 0..200 {
            user[format!("claim-{number}-{}", "n".repeat(100))] = "v".repeat(50).into();
        }
    });
    provider.edit_metadata(|metadata| metadata["scopes_supported"] = vec!["s".repeat(400); 100].into());
    let (_app, browser, callback) = answered(&provider).await;
    browser.finish(&callback).await.assert_status(200);
    for _ in 0..100 {
        browser.finish(&callback).await;
    }
    let login = only_login(&browser).await;
    assert!(login["messages"].as_array().unwrap().len() <= 64 && login["dropped_messages"].as_u64().unwrap() > 0);
    let userinfo = message(&login, "userinfo_response");
    assert!(userinfo["parameters"].as_array().unwrap().len() <= 32 && userinfo["dropped_parameters"].as_u64().unwrap() > 100);
    let size = login.to_string().len();
    assert!(size < 150_000, "{size} bytes");
}

#[tokio::test]
async fn the_diagram_grows_in_another_tab_while_the_login_happens() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let answer = browser.request(Method::GET, "/api/v1/flow/events").script().from(Initiator::SameOrigin);
    let mut tab = answer.listen().await;
    assert_eq!((tab.headers["cache-control"].to_str().unwrap(), tab.headers["x-accel-buffering"].to_str().unwrap()), ("no-store", "no"));
    let set = tab.headers["set-cookie"].to_str().unwrap().to_owned();
    browser.put_cookie("flow", set.trim_start_matches("flow=").split(';').next().unwrap());

    let callback = provider.authorize(&start_login(&browser, "alpha", "/account").await);
    let mut login = tab.expect("login").await;
    while !names(&login).contains(&"authorization_request") {
        login = tab.expect("login").await;
    }
    assert_eq!(login["outcome"], "running");
    let of_others = app.browser();
    of_others.sign_in(&provider).await;
    browser.finish(&callback).await.assert_status(200);
    while login["outcome"] != "signed_in" {
        let grown = tab.expect("login").await;
        assert_eq!(grown["id"], login["id"], "only this browser's");
        assert!(names(&grown).len() >= names(&login).len());
        login = grown;
    }
    // Who comes later is told all of it at once.
    let mut late = browser.request(Method::GET, "/api/v1/flow/events").script().from(Initiator::SameOrigin).listen().await;
    assert_eq!(late.expect("login").await, only_login(&browser).await);
}

#[tokio::test]
async fn whoever_looks_is_known_before_the_first_login_and_keeps_the_name() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    assert!(logins(&browser).await.is_empty());
    let name = browser.cookies()["flow"].clone();
    assert!(logins(&browser).await.is_empty());
    let mut tab = browser.request(Method::GET, "/api/v1/flow/events").script().from(Initiator::SameOrigin).listen().await;
    assert_eq!(tab.headers.get("set-cookie"), None);
    start_login(&browser, "alpha", "/").await;
    assert_eq!(browser.cookies()["flow"], name);
    assert_eq!(tab.expect("login").await["id"], only_login(&browser).await["id"]);
}

#[tokio::test]
async fn a_rendered_page_about_logins_names_the_browser_and_no_other_page_does() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("server.render", "ssr").start().await;
    for (path, names) in [("/", false), ("/account", false), ("/flow", true), ("/learn", true)] {
        let browser = app.browser();
        browser.navigate(path).send().await.assert_status(200);
        assert_eq!(browser.cookies().contains_key("flow"), names, "{path}");
        let name = browser.cookies().get("flow").cloned();
        browser.navigate(path).send().await.assert_status(200);
        assert_eq!(browser.cookies().get("flow").cloned(), name, "{path}");
    }
}

#[tokio::test]
async fn what_is_forgotten_is_gone() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let (browser, other) = (app.browser(), app.browser());
    browser.sign_in(&provider).await;
    other.sign_in(&provider).await;
    let cookie = browser.cookies()["flow"].clone();
    let without_header = browser.request(Method::DELETE, FLOW).script().from(Initiator::SameOrigin).send().await;
    without_header.assert_problem(403, "csrf_rejected");
    assert_eq!(logins(&browser).await.len(), 1);
    browser.call(Method::DELETE, FLOW).send().await.assert_status(204);
    assert!(!browser.cookies().contains_key("flow"));
    browser.put_cookie("flow", &cookie);
    assert!(logins(&browser).await.is_empty());
    assert_eq!(logins(&other).await.len(), 1);
    assert!(browser.is_signed_in().await, "the session is another thing");
}

#[tokio::test]
async fn a_server_callback_and_a_pushed_request_are_shown_as_they_are() {
    let provider = StandInProvider::start().await;
    let issuer = provider.issuer().to_owned();
    provider.edit_metadata(move |metadata| metadata["pushed_authorization_request_endpoint"] = format!("{issuer}/par").into());
    let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.server_callback", true).start().await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/account").await);
    browser.navigate(callback.as_str()).from(Initiator::CrossSite).send().await.assert_status(200);
    let login = only_login(&browser).await;
    assert_eq!(login["outcome"], "signed_in", "{login:#}");
    assert!(!names(&login).contains(&"code_forwarded"));
    assert_eq!(check(message(&login, "authorization_response"), "first_use"), "passed");
    assert_eq!(check(message(&login, "pushed_authorization_response"), "pushed_authorization"), "passed");
    assert_eq!(check(message(&login, "authorization_request"), "pkce"), "passed");
    assert_eq!(
        parameter(message(&login, "authorization_request"), "request_uri"),
        parameter(message(&login, "pushed_authorization_response"), "request_uri")
    );
}
