//! Every known provider, against a stand-in with its oddities.

mod openid;
mod plain;
mod tenants;

use crate::support::{Answer, Browser, KnownProvider, TestApp, TestAppBuilder, start_login};
use oauth2flow_app::query::{Redirect, read_redirect};
use serde_json::{Value, json};
use std::collections::HashMap;
use url::{Position, Url};

/// An app with the preset as its only provider, called by its name, with these settings. `{origin}` in them is the provider's.
async fn app(preset: &str, provider: &KnownProvider, settings: &[(&str, &str)]) -> TestApp {
    start(preset, provider, settings, TestApp::builder()).await
}

async fn start(preset: &str, provider: &KnownProvider, settings: &[(&str, &str)], builder: TestAppBuilder) -> TestApp {
    let secret = format!("OAUTH2FLOW_PROVIDERS_{}_CLIENT_SECRET", preset.to_uppercase());
    let builder = if preset == "apple" { builder } else { builder.variable(&secret, KnownProvider::CLIENT_SECRET) };
    let builder =
        builder.set(&format!("providers.{preset}.preset"), preset).set(&format!("providers.{preset}.client_id"), KnownProvider::CLIENT_ID);
    let builder = settings.iter().fold(builder, |builder, (key, value)| {
        builder.set(&format!("providers.{preset}.{key}"), value.replace("{origin}", provider.origin()))
    });
    let app = builder.start().await;
    provider.follow(&app.clock);
    app
}

/// Signs in, and answers the parameters of the authorization request and the last answer. What the provider puts into the address is read
/// by the app's own page.
async fn sign_in(browser: &Browser, preset: &str, provider: &KnownProvider) -> (HashMap<String, String>, Answer) {
    let url = start_login(browser, preset, "/account").await;
    let callback = provider.authorize(&url);
    let Redirect::Response(response) = read_redirect(&callback[Position::AfterPath..]) else { panic!("{callback} is no answer") };
    (parameters(&url), browser.post_code(&json!(response)).send().await)
}

fn parameters(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

/// Signs in, which has to succeed, and answers the parameters of the authorization request and the user.
async fn signed_in(app: &TestApp, preset: &str, provider: &KnownProvider) -> (HashMap<String, String>, Value) {
    let browser = app.browser();
    let (request, answer) = sign_in(&browser, preset, provider).await;
    answer.assert_status(200);
    (request, browser.session().await["user"].clone())
}

/// Signs in, which has to fail with this problem and to begin no session.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: &str) {
    answer.assert_problem(status, code);
    assert!(!answer.begins_session());
}

/// The user of an ordinary OpenID provider.
fn alice() -> Value {
    json!({ "sub": KnownProvider::SUB, "name": "Alice Example", "email": "alice@example.com", "email_verified": true })
}
