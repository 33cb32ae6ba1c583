//! The provider's answer, and what becomes of a wrong one.

use crate::support::{Answer, Browser, Endpoint, Reply, SignIn as _, SigningKey, StandInProvider, TestApp, start_login};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

/// An app, and a browser whose login the provider has answered.
struct Answered {
    provider: StandInProvider,
    app: TestApp,
    browser: Browser,
    callback: Url,
}

impl Answered {
    async fn new() -> Self {
        Self::of(StandInProvider::start().await).await
    }

    async fn of(provider: StandInProvider) -> Self {
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        let callback = provider.authorize(&start_login(&browser, "alpha", "/account").await);
        Self { provider, app, browser, callback }
    }

    /// The answer's parameters, changed.
    fn answer(&self, edit: impl FnOnce(&mut Value)) -> Value {
        let query: HashMap<_, _> = self.callback.query_pairs().into_owned().collect();
        let mut answer = json!(query);
        edit(&mut answer);
        answer
    }

    async fn post(&self, edit: impl FnOnce(&mut Value)) -> Answer {
        self.browser.post_code(&self.answer(edit)).send().await
    }

    /// Nobody is signed in, and the code has not been shown to anybody.
    async fn assert_nothing_happened(&self) {
        assert_eq!(self.provider.count(Endpoint::Token), 0);
        assert!(!self.browser.is_signed_in().await);
    }
}

fn remove(answer: &mut Value, name: &str) {
    answer.as_object_mut().unwrap().remove(name);
}

#[tokio::test]
async fn a11_a_missing_state_is_refused() {
    let answered = Answered::new().await;
    answered.post(|answer| remove(answer, "state")).await.assert_problem(400, "invalid_request");
    answered.post(|answer| answer["state"] = "".into()).await.assert_problem(400, "invalid_request");
    answered.post(|answer| answer["state"] = Value::Null).await.assert_problem(400, "invalid_request");
    answered.assert_nothing_happened().await;
}

#[tokio::test]
async fn a11_an_unknown_or_altered_state_is_refused() {
    let answered = Answered::new().await;
    let state = answered.answer(|_| {})["state"].as_str().unwrap().to_owned();
    let altered = [
        "unknown".to_owned(),
        format!("{state}x"),
        state[1..].to_owned(),
        state.to_uppercase(),
        format!(" {state}"),
        format!("{state}\n"),
        state.chars().rev().collect(),
    ];
    for state in altered {
        answered.post(|answer| answer["state"] = state.as_str().into()).await.assert_problem(400, "state_mismatch");
    }
    answered.assert_nothing_happened().await;
    // None of that has used the login up.
    answered.browser.finish(&answered.callback).await.assert_status(200);
}

#[tokio::test]
async fn a11_an_expired_state_is_refused() {
    let answered = Answered::new().await;
    let cookies = answered.browser.transactions();
    answered.app.clock.advance_seconds(600);
    // The browser has dropped the cookie by now.
    answered.post(|_| {}).await.assert_problem(400, "state_mismatch");
    // One that keeps it gets no further.
    for (name, value) in cookies {
        answered.browser.put_cookie(&name, &value);
    }
    answered.post(|_| {}).await.assert_problem(400, "login_expired");
    answered.assert_nothing_happened().await;
}

#[tokio::test]
async fn a_login_may_take_just_under_ten_minutes() {
    let answered = Answered::new().await;
    answered.app.clock.advance_seconds(599);
    answered.post(|_| {}).await.assert_status(200);
}

#[tokio::test]
async fn a12_without_the_cookie_of_that_browser_the_answer_is_worth_nothing() {
    let answered = Answered::new().await;
    let other = answered.app.browser();
    other.finish(&answered.callback).await.assert_problem(400, "state_mismatch");
    // A login of its own does not help.
    start_login(&other, "alpha", "/").await;
    other.finish(&answered.callback).await.assert_problem(400, "state_mismatch");
    answered.assert_nothing_happened().await;
    assert!(!other.is_signed_in().await);
}

#[tokio::test]
async fn a12_a_cookie_opens_under_its_own_name_only() {
    let answered = Answered::new().await;
    let name = answered.browser.transactions().into_keys().next().unwrap();
    let other = answered.app.browser();
    start_login(&other, "alpha", "/").await;
    let foreign = other.transactions().into_values().next().unwrap();
    for forged in [foreign.as_str(), "", "rubbish", "AAAA", &"A".repeat(4000)] {
        answered.browser.put_cookie(&name, forged);
        answered.post(|_| {}).await.assert_problem(400, "state_mismatch");
    }
    answered.assert_nothing_happened().await;
}

#[tokio::test]
async fn a13_a_replayed_answer_is_refused_in_every_browser() {
    let answered = Answered::new().await;
    let cookies = answered.browser.transactions();
    answered.post(|_| {}).await.assert_status(200);
    answered.post(|_| {}).await.assert_problem(409, "already_completed");
    // Even with the cookie that was taken back.
    for browser in [&answered.browser, &answered.app.browser()] {
        for (name, value) in &cookies {
            browser.put_cookie(name, value);
        }
        browser.finish(&answered.callback).await.assert_problem(409, "already_completed");
    }
    answered.app.browser().finish(&answered.callback).await.assert_problem(400, "state_mismatch");
    assert_eq!(answered.provider.count(Endpoint::Token), 1);
}

#[tokio::test]
async fn a13_twenty_parallel_posts_of_one_code_make_one_token_request() {
    let answered = Answered::new().await;
    let gate = answered.provider.hold(Endpoint::Token);
    let body = answered.answer(|_| {});
    let posts = join_all((0..20).map(|_| answered.browser.post_code(&body).send()));
    let release = async {
        gate.arrived().await;
        gate.release();
    };
    let (answers, ()) = tokio::join!(posts, release);
    let (signed_in, others): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(signed_in.len(), 1);
    for answer in others {
        assert!(["state_mismatch", "already_completed"].contains(&answer.json()["code"].as_str().unwrap()), "{}", answer.text());
        assert!(!answer.begins_session());
    }
    assert_eq!(answered.provider.count(Endpoint::Token), 1);
    assert!(answered.browser.is_signed_in().await);
}

#[tokio::test]
async fn a14_an_iss_that_differs_is_refused() {
    let answered = Answered::new().await;
    let issuer = answered.provider.issuer().to_owned();
    let differing = [
        format!("{issuer}/"),
        issuer.to_uppercase(),
        issuer.replace("127.0.0.1", "localhost"),
        format!("{issuer}:443"),
        issuer.replace("http:", "https:"),
        "https://evil.example".to_owned(),
    ];
    for iss in differing {
        let answered = Answered::new().await;
        answered.post(|answer| answer["iss"] = iss.as_str().into()).await.assert_problem(400, "issuer_mismatch");
        answered.assert_nothing_happened().await;
    }
}

#[tokio::test]
async fn a15_a_provider_that_promises_iss_has_to_send_it() {
    let answered = Answered::new().await;
    answered.post(|answer| remove(answer, "iss")).await.assert_problem(400, "issuer_mismatch");
    answered.assert_nothing_happened().await;
}

#[tokio::test]
async fn a16_the_configuration_decides_about_an_iss_that_was_not_promised() {
    for (policy, promised, without_iss) in [
        ("require", false, Some(400)),
        ("require", true, Some(400)),
        ("allow", false, None),
        ("allow", true, Some(400)),
        ("ignore", false, None),
        ("ignore", true, None),
    ] {
        let provider = StandInProvider::start().await;
        provider.edit_metadata(move |metadata| metadata["authorization_response_iss_parameter_supported"] = promised.into());
        let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.iss_policy", policy).start().await;
        let browser = app.browser();
        let post = async |iss: Option<&str>| {
            let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
            let mut query: HashMap<_, _> = callback.query_pairs().into_owned().collect();
            match iss {
                Some(iss) => query.insert("iss".to_owned(), iss.to_owned()),
                None => query.remove("iss"),
            };
            browser.post_code(&json!(query)).send().await
        };
        match without_iss {
            Some(status) => post(None).await.assert_problem(status, "issuer_mismatch"),
            None => drop(post(None).await.assert_status(200)),
        }
        post(Some(provider.issuer())).await.assert_status(200);
        post(Some("https://evil.example")).await.assert_problem(400, "issuer_mismatch");
    }
}

#[tokio::test]
async fn a17_an_error_uses_the_login_up_and_asks_for_no_token() {
    for (error, status, code) in [
        ("access_denied", 403, "access_denied"),
        ("server_error", 502, "provider_refused"),
        ("temporarily_unavailable", 502, "provider_refused"),
        ("login_required", 401, "interaction_required"),
        ("invalid_scope", 502, "provider_misconfigured"),
        ("unauthorized_client", 502, "provider_misconfigured"),
        ("something_else", 502, "provider_refused"),
    ] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        let url = start_login(&browser, "alpha", "/").await;
        let refused = provider.refuse(&url, error, "The moon is in the wrong house");
        let answer = browser.finish(&refused).await;
        answer.assert_problem(status, code);
        assert!(answer.json()["detail"].as_str().unwrap().contains("The moon is in the wrong house"));
        assert!(browser.transactions().is_empty());
        // The login is used up: a code for it comes too late.
        browser.finish(&provider.authorize(&url)).await.assert_problem(400, "state_mismatch");
        assert_eq!(provider.count(Endpoint::Token), 0);
    }
}

#[tokio::test]
async fn a_login_that_has_failed_says_which_sign_in_is_another_try_and_where_it_leads() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    for (error, is_another_try) in [("access_denied", true), ("server_error", true), ("login_required", true), ("invalid_scope", false)] {
        let browser = app.browser();
        let url = start_login(&browser, "alpha", "/account?tab=1#notes").await;
        let problem = browser.finish(&provider.refuse(&url, error, "No")).await.json();
        let (login_url, return_to) = (problem["login_url"].as_str(), problem["return_to"].as_str());
        if is_another_try {
            assert_eq!((login_url, return_to), (Some("/api/v1/oauth/login?provider=alpha"), Some("/account?tab=1#notes")), "{error}");
        } else {
            assert_eq!((login_url, return_to), (None, None), "{error}");
        }
    }
    // Nothing is known of an answer to somebody else's login.
    let stranger = app.browser();
    let url = start_login(&app.browser(), "alpha", "/account").await;
    let problem = stranger.finish(&provider.refuse(&url, "access_denied", "No")).await.json();
    assert_eq!((&problem["login_url"], &problem["return_to"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a17_an_error_is_held_against_state_and_iss_too() {
    let answered = Answered::new().await;
    let error = |edit: fn(&mut Value)| {
        let mut answer = answered.answer(|answer| {
            remove(answer, "code");
            answer["error"] = "access_denied".into();
        });
        edit(&mut answer);
        answered.browser.post_code(&answer).send()
    };
    error(|answer| answer["state"] = "forged".into()).await.assert_problem(400, "state_mismatch");
    error(|answer| remove(answer, "state")).await.assert_problem(400, "invalid_request");
    error(|answer| answer["iss"] = "https://evil.example".into()).await.assert_problem(400, "issuer_mismatch");
    answered.assert_nothing_happened().await;
}

#[tokio::test]
async fn a18_a_parameter_that_comes_twice_is_refused() {
    for name in ["code", "state", "iss"] {
        let answered = Answered::new().await;
        let value = answered.answer(|_| {})[name].as_str().unwrap().to_owned();
        let mut fields: Vec<_> = answered.callback.query_pairs().into_owned().collect();
        for second in [value, "other".to_owned()] {
            fields.push((name.to_owned(), second));
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let form = answered.browser.submit("/api/v1/oauth/code", &fields).header("accept", "application/json").send().await;
            form.assert_problem(400, "invalid_request");
        }
        let body = answered.answer(|_| {}).to_string().replacen('{', &format!("{{\"{name}\":\"first\","), 1);
        let twice = answered.browser.post_code(&Value::Null).body(body).send().await;
        twice.assert_problem(400, "invalid_request");
        answered.assert_nothing_happened().await;
    }
}

#[tokio::test]
async fn a19_a_code_together_with_an_error_is_refused() {
    let answered = Answered::new().await;
    answered.post(|answer| answer["error"] = "access_denied".into()).await.assert_problem(400, "invalid_request");
    answered.assert_nothing_happened().await;
}

#[tokio::test]
async fn neither_a_code_nor_an_error_is_refused() {
    let answered = Answered::new().await;
    answered.post(|answer| remove(answer, "code")).await.assert_problem(400, "invalid_request");
    answered.assert_nothing_happened().await;
}

#[tokio::test]
async fn a21_a_token_answer_that_is_none_signs_nobody_in() {
    for (reply, status, code) in [
        (Reply::json(200, &json!({ "error": "invalid_grant" })), 400, "code_rejected"),
        (Reply::json(400, &json!({ "error": "invalid_grant" })), 400, "code_rejected"),
        (Reply::json(401, &json!({ "error": "invalid_client" })), 502, "provider_misconfigured"),
        (Reply::json(200, &json!({ "error": { "message": "no" } })), 502, "provider_misconfigured"),
        (Reply::html(200), 502, "provider_invalid_response"),
        (Reply::html(503), 502, "provider_unavailable"),
        (Reply::json(200, &json!({})), 502, "provider_invalid_response"),
        (Reply::json(200, &json!([])), 502, "provider_invalid_response"),
        (Reply::json(200, &json!({ "token_type": "Bearer", "id_token": "x" })), 502, "provider_invalid_response"),
        (Reply::json(200, &json!({ "access_token": 1, "token_type": "Bearer" })), 502, "provider_invalid_response"),
        (Reply::json(200, &json!({ "access_token": "a\nb", "token_type": "Bearer" })), 502, "provider_invalid_response"),
        (Reply::json(200, &json!({ "access_token": "x", "token_type": "mac" })), 502, "provider_invalid_response"),
        (Reply::json(200, &json!({ "access_token": "x", "token_type": "Bearer" })), 502, "id_token_invalid"),
        (Reply::new(200, "application/json", "{\"access_token\":\"a\",\"access_token\":\"b\"}"), 502, "provider_invalid_response"),
        (Reply::new(200, "application/json", "\u{0}\u{1}rubbish"), 502, "provider_invalid_response"),
        (
            Reply::new(200, "text/plain", json!({ "access_token": "x", "token_type": "Bearer" }).to_string()),
            502,
            "provider_invalid_response",
        ),
        (Reply::redirect(302, "https://evil.example/token"), 502, "provider_invalid_response"),
    ] {
        let answered = Answered::new().await;
        answered.provider.replace(Endpoint::Token, reply);
        answered.post(|_| {}).await.assert_problem(status, code);
        assert!(!answered.browser.is_signed_in().await);
        assert!(answered.browser.transactions().is_empty());
        assert_eq!(answered.provider.count(Endpoint::Token), 1);
        assert_eq!(answered.provider.count(Endpoint::UserInfo), 0);
    }
}

#[tokio::test]
async fn a22_what_the_specifications_leave_open_is_accepted() {
    type Edit = fn(&mut Value);
    let edits: [Edit; 5] = [
        |tokens| tokens["token_type"] = "bearer".into(),
        |tokens| tokens["token_type"] = "BEARER".into(),
        |tokens| remove(tokens, "expires_in"),
        |tokens| remove(tokens, "scope"),
        |tokens| remove(tokens, "refresh_token"),
    ];
    for edit in edits {
        let answered = Answered::new().await;
        answered.provider.edit_tokens(edit);
        answered.post(|_| {}).await.assert_status(200);
        assert!(answered.browser.is_signed_in().await);
    }
    let answered = Answered::new().await;
    answered.provider.edit_claims(|claims| claims["aud"] = json!([claims["aud"]]));
    answered.post(|_| {}).await.assert_status(200);
}

#[tokio::test]
async fn a5_the_exchange_authenticates_the_client_and_sends_the_verifier() {
    let answered = Answered::new().await;
    answered.post(|_| {}).await.assert_status(200);
    let request = answered.provider.only(Endpoint::Token);
    assert_eq!(request.form("grant_type").unwrap(), "authorization_code");
    assert_eq!(request.form("code").unwrap(), answered.answer(|_| {})["code"]);
    assert_eq!(request.form("code_verifier").unwrap().len(), 43);
    assert_eq!(request.form("client_secret"), None, "the secret is in the header");
    assert_eq!(request.header("accept"), Some("application/json"));
    assert!(request.uri.query().is_none());
}

#[tokio::test]
async fn a_provider_that_takes_the_secret_in_the_form_only_gets_it_there() {
    let provider = StandInProvider::start().await;
    provider.edit_metadata(|metadata| metadata["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]));
    let answered = Answered::of(provider).await;
    // The stand-in wants Basic, so it refuses; what matters is what it was sent.
    answered.post(|_| {}).await.assert_problem(502, "provider_misconfigured");
    let request = answered.provider.only(Endpoint::Token);
    assert_eq!(request.form("client_secret").unwrap(), StandInProvider::CLIENT_SECRET);
    assert_eq!(request.header("authorization"), None);
}

#[tokio::test]
async fn a_browser_that_leaves_in_the_middle_still_gets_its_session_written_once() {
    let answered = Answered::new().await;
    let gate = answered.provider.hold(Endpoint::Token);
    let body = answered.answer(|_| {});
    {
        let post = answered.browser.post_code(&body).send();
        tokio::pin!(post);
        tokio::select! {
            _ = &mut post => panic!("the provider has not answered yet"),
            () = gate.arrived() => {}
        }
        // The connection breaks here.
    }
    gate.release();
    // The code has been used, and is not shown to the provider a second time.
    answered.post(|_| {}).await.assert_problem(409, "already_completed");
    assert_eq!(answered.provider.count(Endpoint::Token), 1);
}

#[tokio::test]
async fn signing_in_again_while_signed_in_works() {
    let answered = Answered::new().await;
    answered.post(|_| {}).await.assert_status(200);
    answered.browser.sign_in(&answered.provider).await;
    assert!(answered.browser.is_signed_in().await);
}

#[tokio::test]
async fn a_wrong_clock_of_this_server_is_told_as_that() {
    for offset in [3600, -7200] {
        let answered = Answered::new().await;
        answered.provider.edit_claims(move |claims| {
            for name in ["iat", "exp"] {
                claims[name] = (claims[name].as_i64().unwrap() + offset).into();
            }
        });
        answered.post(|_| {}).await.assert_problem(500, "clock_skew");
        assert!(!answered.browser.is_signed_in().await);
        assert_eq!(answered.provider.count(Endpoint::UserInfo), 0);
    }
}

/// A description of the user as a token, with the claims that a provider has to put into it.
fn signed_description(provider: &StandInProvider, edit: impl FnOnce(&mut Value)) -> Reply {
    let mut claims = json!({
        "iss": provider.issuer(), "aud": StandInProvider::CLIENT_ID, "sub": StandInProvider::SUB, "email": "signed@example.com",
    });
    edit(&mut claims);
    Reply::new(200, "application/jwt", provider.sign(&claims))
}

#[tokio::test]
async fn a_signed_description_of_the_user_is_read_and_its_new_key_fetched() {
    let answered = Answered::new().await;
    answered.provider.replace(Endpoint::UserInfo, signed_description(&answered.provider, |_| {}));
    answered.post(|_| {}).await.assert_status(200);
    assert_eq!(answered.browser.session().await["user"]["email"], "signed@example.com");
    assert_eq!(answered.provider.count(Endpoint::Keys), 1);

    // The ID token is still of the old key, the description of a new one.
    let (old, new) = (answered.provider.public_key(), SigningKey::es256("key-2"));
    let published = vec![old, new.public()];
    let claims = json!({ "iss": answered.provider.issuer(), "aud": StandInProvider::CLIENT_ID, "sub": StandInProvider::SUB });
    answered.provider.publish(published);
    answered.provider.replace(Endpoint::UserInfo, Reply::new(200, "application/jwt", new.sign(&new.header(), &claims)));
    answered.app.clock.advance_seconds(31);
    let callback = answered.provider.authorize(&start_login(&answered.browser, "alpha", "/").await);
    answered.browser.finish(&callback).await.assert_status(200);
    assert_eq!(answered.provider.count(Endpoint::Keys), 2);
}

#[tokio::test]
async fn a30_a_signed_description_that_does_not_hold_signs_nobody_in() {
    type Edit = fn(&mut Value);
    let edits: [Edit; 3] = [
        |claims| claims["sub"] = "user-2".into(),
        |claims| claims["aud"] = "another-client".into(),
        |claims| claims["iss"] = "https://evil.example".into(),
    ];
    for edit in edits {
        let answered = Answered::new().await;
        answered.provider.replace(Endpoint::UserInfo, signed_description(&answered.provider, edit));
        answered.post(|_| {}).await.assert_problem(502, "provider_invalid_response");
        assert!(!answered.browser.is_signed_in().await);
    }
    let answered = Answered::new().await;
    let forger = SigningKey::es256("key-1");
    let claims = json!({ "iss": answered.provider.issuer(), "aud": StandInProvider::CLIENT_ID, "sub": StandInProvider::SUB });
    answered.provider.replace(Endpoint::UserInfo, Reply::new(200, "application/jwt", forger.sign(&forger.header(), &claims)));
    answered.post(|_| {}).await.assert_problem(502, "provider_invalid_response");
}

#[tokio::test]
async fn the_tokens_of_a_login_that_fails_after_the_exchange_are_taken_back() {
    type Break = fn(&StandInProvider);
    let cases: [(Break, u16, &str); 3] = [
        (|provider| provider.edit_claims(|claims| claims["nonce"] = "another".into()), 502, "id_token_invalid"),
        (|provider| provider.edit_userinfo(|user| user["sub"] = "somebody-else".into()), 502, "provider_invalid_response"),
        (|provider| provider.replace(Endpoint::UserInfo, Reply::html(503)), 502, "provider_unavailable"),
    ];
    for (break_it, status, code) in cases {
        let Answered { provider, browser, callback, app: _app } = Answered::new().await;
        break_it(&provider);
        let revocation = provider.hold(Endpoint::Revocation);
        browser.finish(&callback).await.assert_problem(status, code);
        revocation.release();
        revocation.arrived_times(2).await;
        let revoked: Vec<_> = provider.received(Endpoint::Revocation).iter().map(|request| request.form("token").unwrap()).collect();
        assert!(revoked[0].starts_with("sentinel-refresh-") && revoked[1].starts_with("sentinel-access-"), "{revoked:?}");
    }
}
