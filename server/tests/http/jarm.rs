//! Signed answers (JARM, `response_mode=jwt`): the signature is looked at before anything in them.

use crate::support::{Browser, Endpoint, Initiator, SigningKey, StandInProvider, TestApp, start_login, unsigned};
use serde_json::{Value, json};
use url::Url;

struct Started {
    provider: StandInProvider,
    app: TestApp,
    browser: Browser,
    authorization_url: Url,
}

/// A login of a browser at the provider `alpha`, which signs its answers.
async fn started(settings: &[(&str, &str)]) -> Started {
    let provider = StandInProvider::start().await;
    provider.edit_metadata(|metadata| {
        metadata["response_modes_supported"] = json!(["query", "query.jwt", "jwt"]);
        metadata["authorization_signing_alg_values_supported"] = json!(["ES256"]);
    });
    let builder = TestApp::builder().openid("alpha", &provider).set("providers.alpha.response_mode", "jwt");
    let app = settings.iter().fold(builder, |builder, (name, value)| builder.set(name, value)).start().await;
    let browser = app.browser();
    let authorization_url = start_login(&browser, "alpha", "/account").await;
    Started { provider, app, browser, authorization_url }
}

impl Started {
    fn answer(&self, edit: impl FnOnce(&mut Value, &mut Value)) -> Url {
        self.provider.signed_answer(&self.provider.authorize(&self.authorization_url), edit)
    }
}

#[tokio::test]
async fn a_signed_answer_signs_in() {
    let started = started(&[]).await;
    let mode = started.authorization_url.query_pairs().find(|(name, _)| name == "response_mode").unwrap().1.into_owned();
    assert!(["jwt", "query.jwt"].contains(&mode.as_str()), "{mode}");
    let answer = started.answer(|_, _| {});
    assert_eq!(answer.query_pairs().count(), 1);
    let completed = started.browser.finish(&answer).await;
    assert_eq!(completed.assert_status(200).json()["return_to"], "/account");
    assert!(started.browser.is_signed_in().await);
    started.browser.finish(&answer).await.assert_problem(409, "already_completed");
    assert_eq!(started.provider.count(Endpoint::Token), 1);
}

#[tokio::test]
async fn without_a_script_the_page_posts_the_signed_answer_as_a_form() {
    let started = started(&[("server.render", "ssr")]).await;
    let answer = started.answer(|_, _| {});
    let page = started.browser.navigate(answer.as_str()).from(Initiator::CrossSite).send().await.assert_status(200).text();
    let token = answer.query_pairs().next().unwrap().1.into_owned();
    assert!(page.contains(&format!(r#"name="response" value="{token}""#)), "{page}");
    let finished = started.browser.submit("/api/v1/oauth/code", &[("response", &token)]).send().await;
    finished.assert_redirect("/account");
    assert!(started.browser.is_signed_in().await);
}

#[tokio::test]
async fn the_server_callback_takes_a_signed_answer_too() {
    let started = started(&[("providers.alpha.server_callback", "true")]).await;
    let answer = started.answer(|_, _| {});
    assert_eq!(answer.path(), "/api/v1/oauth/code");
    started.browser.navigate(answer.as_str()).from(Initiator::CrossSite).send().await.assert_status(200);
    assert!(started.browser.is_signed_in().await);
}

#[tokio::test]
async fn a_signed_error_is_believed() {
    let started = started(&[]).await;
    let refused = started.provider.refuse(&started.authorization_url, "access_denied", "The moon is in the wrong house");
    let answer = started.browser.finish(&started.provider.signed_answer(&refused, |_, _| {})).await;
    answer.assert_problem(403, "access_denied");
    assert!(answer.json()["detail"].as_str().unwrap().contains("The moon is in the wrong house"));
}

#[tokio::test]
async fn an_answer_that_is_not_signed_is_refused_where_it_should_be() {
    let started = started(&[]).await;
    let plain = started.provider.authorize(&started.authorization_url);
    let answer = started.browser.finish(&plain).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    // Nor does a plain code beside the signed one count.
    let mut both = started.answer(|_, _| {});
    both.query_pairs_mut().append_pair("code", "stolen");
    let answer = started.browser.finish(&both).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(started.provider.count(Endpoint::Token), 0);
}

#[tokio::test]
async fn a_signed_answer_is_refused_where_none_was_asked_for() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let answer = browser.finish(&provider.signed_answer(&callback, |_, _| {})).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(provider.count(Endpoint::Token), 0);
}

#[tokio::test]
async fn a_signed_answer_that_does_not_hold_is_never_exchanged() {
    type Edit = fn(&mut Value, &mut Value);
    let edits: [(&str, Edit); 6] = [
        ("another issuer", |_, claims| claims["iss"] = "https://evil.example".into()),
        ("another client", |_, claims| claims["aud"] = "another-client".into()),
        ("too old", |_, claims| claims["exp"] = 1.into()),
        ("no end", |_, claims| drop(claims.as_object_mut().unwrap().remove("exp"))),
        ("no issuer", |_, claims| drop(claims.as_object_mut().unwrap().remove("iss"))),
        ("a demand that nobody knows", |header, _| header["crit"] = json!(["b64"])),
    ];
    for (what, edit) in edits {
        let started = started(&[]).await;
        let answer = started.browser.finish(&started.answer(edit)).await;
        assert!(answer.status.is_client_error() || answer.status == 502, "{what}: {} {}", answer.status, answer.text());
        assert!(!answer.begins_session());
        assert_eq!(started.provider.count(Endpoint::Token), 0, "{what}");
    }
}

#[tokio::test]
async fn a_signed_answer_with_a_forged_or_without_a_signature_is_never_exchanged() {
    let first = started(&[]).await;
    let own = first.answer(|_, _| {});
    let token = own.query_pairs().next().unwrap().1.into_owned();
    let claims = || {
        let middle = token.split('.').nth(1).unwrap();
        serde_json::from_slice::<Value>(&base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, middle).unwrap())
            .unwrap()
    };
    let attacker = SigningKey::es256("key-1");
    let forged = [
        attacker.sign(&attacker.header(), &claims()),
        unsigned(&json!({ "alg": "none" }), &claims()),
        format!("{}.", token.rsplit_once('.').unwrap().0),
        token.replacen("eyJ", "eyI", 1),
    ];
    for response in forged {
        let browser = first.app.browser();
        // The worst case: the attacker knows the state, and has the victim's browser at hand.
        for (name, value) in first.browser.transactions() {
            browser.put_cookie(&name, &value);
        }
        let answer = browser.post_code(&json!({ "response": response })).send().await;
        assert!(answer.status.is_client_error() || answer.status == 502, "{} {}", answer.status, answer.text());
        assert!(!answer.begins_session());
    }
    assert_eq!(first.provider.count(Endpoint::Token), 0);
    first.browser.finish(&own).await.assert_status(200);
}

#[tokio::test]
async fn a31_a_key_that_is_new_is_fetched_once() {
    let started = started(&[]).await;
    let warm_up = started.app.browser();
    let url = start_login(&warm_up, "alpha", "/").await;
    warm_up.finish(&started.provider.signed_answer(&started.provider.authorize(&url), |_, _| {})).await.assert_status(200);
    assert_eq!(started.provider.count(Endpoint::Keys), 1);
    started.provider.rotate_key(SigningKey::es256("key-2"));
    started.app.clock.advance_seconds(31);
    started.browser.finish(&started.answer(|_, _| {})).await.assert_status(200);
    assert_eq!(started.provider.count(Endpoint::Keys), 2);
}
