//! The app at an honest provider that shares no code with it: what both can do, all at once.

use crate::support::{Answer, Browser, Initiator, TestApp, TestAppBuilder, between, start_login};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth2flow::clock::Clock as _;
use oauth2flow_demo_provider::{Clock, DemoProvider, DemoProviderConfig, Offer, SigningAlgorithm, StepUp};
use std::{collections::HashMap, future::pending};
use tokio::net::TcpListener;
use url::Url;

const CLIENT_ID: &str = "oauth2flow-at-an-honest-provider";
const CLIENT_SECRET: &str = "a client secret that is long enough for HS256";
const TWO_FACTOR: &str = "urn:example:acr:two-factor";
const NOTES: &str = "/api/v1/proxy/notes";

/// A private key as operators have it.
fn private_key() -> String {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(document.as_ref()))
}

/// An app and a provider that know each other; Alice is signed in there, and is asked nothing.
async fn start(configure: impl FnOnce(TestAppBuilder) -> TestAppBuilder, change: impl FnOnce(&mut DemoProviderConfig)) -> TestApp {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let builder = TestApp::builder()
        .set("providers.alpha.issuer", &issuer)
        .set("providers.alpha.client_id", CLIENT_ID)
        .set("providers.alpha.scopes", "openid profile email offline_access notes:read")
        .set("upstreams.notes.url", format!("{issuer}/notes"));
    let app = configure(builder).start().await;
    let keys = app.browser().call(Method::GET, "/api/v1/oauth/jwks.json").send().await.assert_status(200).json();
    let clock = app.clock.clone();
    let mut config = DemoProviderConfig {
        redirect_uris: vec![format!("{}/callback", app.origin()), format!("{}/api/v1/oauth/code", app.origin())],
        client_keys: keys["keys"].as_array().unwrap().clone(),
        automatic_login: Some("alice".to_owned()),
        clock: Clock::new(move || clock.now().as_second()),
        ..DemoProviderConfig::new(issuer, CLIENT_ID, CLIENT_SECRET)
    };
    change(&mut config);
    let provider = DemoProvider::open(config).await.unwrap();
    tokio::spawn(provider.serve(listener, pending()));
    app
}

fn with_secret(builder: TestAppBuilder) -> TestAppBuilder {
    builder.variable("OAUTH2FLOW_PROVIDERS_ALPHA_CLIENT_SECRET", CLIENT_SECRET)
}

fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

/// Goes where the app sends the browser, and answers what the provider says.
async fn visit(browser: &Browser, authorization_url: &Url) -> Answer {
    browser.navigate(authorization_url.as_str()).from(Initiator::CrossSite).send().await
}

async fn assert_notes_are_read(browser: &Browser) {
    let notes = browser.call(Method::GET, NOTES).send().await.assert_status(200).json();
    assert!(notes[0]["text"].as_str().unwrap().starts_with("Welcome, Alice!"), "{notes}");
}

#[tokio::test]
async fn a_login_that_is_pushed_signed_answered_signed_and_bound_goes_all_the_way_with_every_algorithm() {
    for algorithm in SigningAlgorithm::ALL {
        let key = private_key();
        let configure = |builder: TestAppBuilder| {
            builder
                .set("providers.alpha.client_auth", "private_key_jwt")
                .variable("OAUTH2FLOW_PROVIDERS_ALPHA_PRIVATE_KEY", key)
                .set("providers.alpha.request_object", "true")
                .set("providers.alpha.response_mode", "jwt")
                .set("providers.alpha.dpop", "require")
                .set("providers.alpha.signed_userinfo", "require")
                .set("providers.alpha.acr_values", TWO_FACTOR)
        };
        let app = start(configure, |config| {
            config.pushed_requests = Offer::Required;
            config.require_signed_requests = true;
            config.dpop = Offer::Required;
            config.dpop_nonces = true;
            config.signed_userinfo = true;
            config.signing_algorithm = algorithm;
        })
        .await;
        let browser = app.browser();
        let authorization_url = start_login(&browser, "alpha", "/").await;
        assert_eq!(query(&authorization_url).len(), 2, "{algorithm:?}: {authorization_url}");
        let callback = visit(&browser, &authorization_url).await.assert_status(303).location();
        assert_eq!(query(&callback).keys().collect::<Vec<_>>(), ["response"]);
        let user = browser.finish(&callback).await.assert_status(200).json()["user"].clone();
        assert_eq!(user["email"], "alice@example.com", "{algorithm:?}");
        assert_notes_are_read(&browser).await;
        // The access token ends, and the one after it is bound to the same key.
        app.clock.advance_seconds(301);
        assert_notes_are_read(&browser).await;
        assert!(browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn a_posted_answer_and_a_client_that_signs_with_its_secret() {
    let configure = |builder: TestAppBuilder| {
        with_secret(builder).set("providers.alpha.client_auth", "client_secret_jwt").set("providers.alpha.response_mode", "form_post")
    };
    let app = start(configure, |config| config.signing_algorithm = SigningAlgorithm::Es384).await;
    let browser = app.browser();
    let page = visit(&browser, &start_login(&browser, "alpha", "/account").await).await.assert_status(200).text();
    let action = between(&page, r#"<form method="post" action=""#, "\"");
    assert_eq!(action, format!("{}/api/v1/oauth/code", app.origin()));
    let field = |name: &str| between(&page, &format!(r#"name="{name}" value=""#), "\"");
    let (code, state, iss) = (field("code"), field("state"), field("iss"));
    let fields = [("code", code.as_str()), ("state", state.as_str()), ("iss", iss.as_str())];
    browser.submit(&action, &fields).from(Initiator::CrossSite).send().await.assert_status(200);
    assert!(browser.is_signed_in().await);
    assert_notes_are_read(&browser).await;
}

#[tokio::test]
async fn an_api_that_wants_a_stronger_login_gets_one() {
    let wanted = StepUp { acr: Some(TWO_FACTOR.to_owned()), max_age: None };
    let app = start(with_secret, |config| config.step_up = Some(wanted)).await;
    let browser = app.browser();
    let callback = visit(&browser, &start_login(&browser, "alpha", "/").await).await.location();
    browser.finish(&callback).await.assert_status(200);
    let problem = browser.call(Method::GET, NOTES).send().await;
    problem.assert_problem(401, "step_up_required");
    let login_url = problem.json()["login_url"].as_str().unwrap().to_owned();
    let again = browser.navigate(&login_url).send().await.assert_status(303).location();
    assert_eq!(query(&again)["acr_values"], TWO_FACTOR);
    let callback = visit(&browser, &again).await.location();
    browser.finish(&callback).await.assert_status(200);
    assert_notes_are_read(&browser).await;
}
