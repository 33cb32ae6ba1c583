//! APIs that want a stronger or a more recent sign-in (RFC 9470), by configuration or by their own word.

use crate::support::{Answer, Browser, Endpoint, Reply, SignIn as _, StandInProvider, TestApp, Upstream, start_login};
use axum::http::Method;
use serde_json::{Value, json};
use std::{collections::HashMap, fmt::Write as _};
use url::Url;

const API: &str = "/api/v1/proxy/api/";

struct SignedIn {
    provider: StandInProvider,
    upstream: Upstream,
    app: TestApp,
    browser: Browser,
}

/// A browser that is signed in, and an API with these demands.
async fn signed_in(demands: &[(&str, &str)]) -> SignedIn {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let builder = TestApp::builder().openid("alpha", &provider).upstream("api", &upstream);
    let app = demands.iter().fold(builder, |builder, (name, value)| builder.set(&format!("upstreams.api.{name}"), value)).start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    SignedIn { provider, upstream, app, browser }
}

impl SignedIn {
    async fn call(&self) -> Answer {
        self.browser.call(Method::GET, API).send().await
    }

    /// Follows the problem's link, as the app does, and answers where the provider's page is.
    async fn follow(&self, problem: &Answer) -> Url {
        problem.assert_problem(401, "step_up_required");
        let login_url = problem.json()["login_url"].as_str().unwrap().to_owned();
        let started = self.browser.navigate(&format!("{login_url}&return_to=/account")).send().await;
        started.assert_status(303).location()
    }

    /// The provider says from now on how it has authenticated the person: just now, and in this way.
    fn authenticates(&self, acr: &'static str) {
        let now = self.app.clock.seconds();
        self.provider.edit_claims(move |claims| {
            claims["acr"] = acr.into();
            claims["auth_time"] = now.into();
        });
    }
}

fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_demand_of_the_configuration_is_checked_before_the_call_and_met_by_a_better_sign_in() {
    let demands = [("acr_values", "urn:gold urn:platinum"), ("max_authentication_age", "5m")];
    let signed_in = signed_in(&demands).await;
    let old = signed_in.browser.session_cookie().unwrap();
    let refused = signed_in.call().await;
    let url = signed_in.follow(&refused).await;
    assert_eq!(signed_in.upstream.count(), 0, "the API was not called");
    let problem = refused.json();
    assert_eq!((&problem["acr_values"], &problem["max_age"]), (&json!(["urn:gold", "urn:platinum"]), &json!(300)));
    assert_eq!(problem["login_url"], "/api/v1/oauth/login?provider=alpha&upstream=api");
    let sent = query(&url);
    assert_eq!((sent["acr_values"].as_str(), sent["max_age"].as_str()), ("urn:gold urn:platinum", "300"));

    signed_in.authenticates("urn:platinum");
    let completed = signed_in.browser.finish(&signed_in.provider.authorize(&url)).await;
    assert_eq!(completed.assert_status(200).json()["return_to"], "/account");
    signed_in.call().await.assert_status(200);
    assert_eq!(signed_in.upstream.count(), 1);

    // A new session, and the old one is dead.
    assert_ne!(signed_in.browser.session_cookie().unwrap(), old);
    let other = signed_in.app.browser();
    other.put_cookie("session", &old);
    assert!(!other.is_signed_in().await);
}

#[tokio::test]
async fn a_sign_in_that_was_recent_becomes_too_old() {
    let signed_in = signed_in(&[("max_authentication_age", "5m")]).await;
    let url = signed_in.follow(&signed_in.call().await).await;
    signed_in.authenticates("urn:any");
    signed_in.browser.finish(&signed_in.provider.authorize(&url)).await.assert_status(200);
    signed_in.call().await.assert_status(200);
    // A minute of leeway is for the clocks.
    signed_in.app.clock.advance_seconds(5 * 60 + 60);
    signed_in.call().await.assert_status(200);
    signed_in.app.clock.advance_seconds(1);
    let refused = signed_in.call().await;
    refused.assert_problem(401, "step_up_required");
    assert_eq!(refused.json()["acr_values"], Value::Null);
    // Using the API renews the token, and does not make the sign-in any younger.
    signed_in.app.clock.advance_seconds(200);
    signed_in.call().await.assert_problem(401, "step_up_required");
    assert!(signed_in.browser.is_signed_in().await);
}

#[tokio::test]
async fn a_provider_that_does_not_do_what_was_asked_is_told_and_the_old_session_lives() {
    let signed_in = signed_in(&[("acr_values", "urn:gold"), ("max_authentication_age", "5m")]).await;
    let before = signed_in.browser.session_cookie();
    let now = signed_in.app.clock.seconds();
    let insufficient = [
        json!({}),
        json!({ "acr": "urn:gold" }),
        json!({ "auth_time": now }),
        json!({ "acr": "urn:silver", "auth_time": now }),
        json!({ "acr": "urn:gold", "auth_time": now - 361 }),
    ];
    for answer in insufficient {
        let url = signed_in.follow(&signed_in.call().await).await;
        let added = answer.clone();
        signed_in.provider.edit_claims(move |claims| claims.as_object_mut().unwrap().extend(added.as_object().unwrap().clone()));
        let finished = signed_in.browser.finish(&signed_in.provider.authorize(&url)).await;
        finished.assert_problem(403, "authentication_too_weak");
        assert_eq!(signed_in.browser.session_cookie(), before, "{answer}");
    }
    assert!(signed_in.browser.is_signed_in().await);
    assert_eq!(signed_in.upstream.count(), 0);
    assert_eq!(signed_in.provider.count(Endpoint::UserInfo), 1, "only the first login got so far");
}

#[tokio::test]
async fn an_upstream_s_own_demand_becomes_the_same_problem() {
    let signed_in = signed_in(&[]).await;
    let challenge = r#"Bearer error="insufficient_user_authentication", error_description="Too weak", acr_values="urn:gold", max_age="60""#;
    signed_in.upstream.replace_once("/base/", Reply::json(401, &json!({})).header("www-authenticate", challenge));
    let refused = signed_in.call().await;
    let url = signed_in.follow(&refused).await;
    assert_eq!((&refused.json()["acr_values"], &refused.json()["max_age"]), (&json!(["urn:gold"]), &json!(60)));
    assert_eq!(refused.header("www-authenticate"), None);
    let sent = query(&url);
    assert_eq!((sent["acr_values"].as_str(), sent["max_age"].as_str()), ("urn:gold", "60"));
    signed_in.authenticates("urn:gold");
    signed_in.browser.finish(&signed_in.provider.authorize(&url)).await.assert_status(200);
    signed_in.call().await.assert_status(200);
}

#[tokio::test]
async fn a_demand_that_does_not_say_what_for_leads_to_a_new_sign_in() {
    let signed_in = signed_in(&[]).await;
    let challenge = r#"Bearer realm="api", Bearer error="insufficient_user_authentication""#;
    signed_in.upstream.replace_once("/base/", Reply::json(401, &json!({})).header("www-authenticate", challenge));
    let url = signed_in.follow(&signed_in.call().await).await;
    assert_eq!(query(&url)["prompt"], "login");
}

/// The demand as an upstream makes it.
fn challenge(acr_values: &str, max_age: Option<u64>) -> Reply {
    let mut challenge = String::from(r#"Bearer error="insufficient_user_authentication""#);
    if !acr_values.is_empty() {
        let _ = write!(challenge, r#", acr_values="{acr_values}""#);
    }
    if let Some(max_age) = max_age {
        let _ = write!(challenge, r#", max_age="{max_age}""#);
    }
    Reply::json(401, &json!({})).header("www-authenticate", challenge)
}

#[tokio::test]
async fn an_upstream_s_own_demand_is_asked_for_as_far_as_a_login_takes_it() {
    let signed_in = signed_in(&[]).await;
    let demand = async |acr_values: &str, max_age: Option<u64>| {
        signed_in.upstream.replace_once("/base/", challenge(acr_values, max_age));
        signed_in.call().await
    };
    // Nobody means a sign-in of longer ago than a year.
    for (demanded, asked) in [(0, "0"), (31_622_400, "31622400"), (31_622_401, "31622400"), (u64::MAX, "31622400")] {
        let refused = demand("", Some(demanded)).await;
        assert_eq!(query(&signed_in.follow(&refused).await)["max_age"], asked);
        assert_eq!(refused.json()["max_age"], demanded, "what the upstream said");
    }
    let many = |count: usize| (0..count).map(|number| format!("urn:{number}")).collect::<Vec<_>>().join(" ");
    assert_eq!(query(&signed_in.follow(&demand(&many(16), None).await).await)["acr_values"], many(16));
    // No login could ask for these: the app is told of the demand, and not sent to where it would be refused.
    for acr_values in [many(17), "a".repeat(600), r"a\\b".to_owned(), r#"a\"b"#.to_owned()] {
        for max_age in [None, Some(60)] {
            let refused = demand(&acr_values, max_age).await;
            refused.assert_problem(401, "step_up_required");
            assert_eq!(refused.json()["login_url"], Value::Null, "{acr_values}");
            assert_eq!(refused.json()["max_age"], json!(max_age));
        }
    }
}

#[tokio::test]
async fn what_the_configuration_never_asks_for_is_not_offered() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    provider.edit_claims(|claims| claims["acr"] = "urn:gold".into());
    let app = TestApp::builder()
        .openid("alpha", &provider)
        .set("providers.alpha.acr_values", "urn:gold urn:silver")
        .upstream("api", &upstream)
        .start()
        .await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for (acr_values, offered) in [("urn:platinum", false), ("urn:platinum urn:gold", true)] {
        upstream.replace_once("/base/", challenge(acr_values, None));
        let refused = browser.call(Method::GET, API).send().await;
        refused.assert_problem(401, "step_up_required");
        assert_eq!(refused.json()["login_url"].is_string(), offered, "{acr_values}");
    }
}

#[tokio::test]
async fn a_provider_without_id_tokens_is_only_asked_for_a_new_sign_in() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let issuer = provider.issuer();
    let app = TestApp::builder()
        .set("providers.alpha.client_id", StandInProvider::CLIENT_ID)
        .variable("OAUTH2FLOW_PROVIDERS_ALPHA_CLIENT_SECRET", StandInProvider::CLIENT_SECRET)
        .set("providers.alpha.authorization_url", format!("{issuer}/authorize"))
        .set("providers.alpha.token_url", format!("{issuer}/token"))
        .set("providers.alpha.userinfo_url", format!("{issuer}/userinfo"))
        .set("providers.alpha.user.id", "sub")
        .upstream("api", &upstream)
        .start()
        .await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let demand = async |acr_values: &str, max_age: Option<u64>| {
        upstream.replace_once("/base/", challenge(acr_values, max_age));
        let refused = browser.call(Method::GET, API).send().await;
        refused.assert_problem(401, "step_up_required");
        refused.json()["login_url"].as_str().map(str::to_owned)
    };
    for max_age in [None, Some(60)] {
        let login_url = demand("", max_age).await.unwrap();
        let url = browser.navigate(&login_url).send().await.assert_status(303).location();
        assert_eq!(query(&url)["prompt"], "login");
        assert!(!query(&url).contains_key("max_age"), "nobody would prove it");
        assert_eq!(demand("urn:gold", max_age).await, None);
    }
}

#[tokio::test]
async fn any_other_401_of_an_upstream_stays_its_own() {
    let signed_in = signed_in(&[]).await;
    for challenge in ["Bearer", r#"Bearer error="invalid_token""#, r#"Basic realm="insufficient_user_authentication""#, "\""] {
        signed_in.upstream.replace_once("/base/", Reply::json(401, &json!({ "own": 1 })).header("www-authenticate", challenge));
        let answer = signed_in.call().await;
        assert_eq!(answer.assert_status(401).json(), json!({ "own": 1 }), "{challenge}");
    }
    let challenge = r#"Bearer error="insufficient_user_authentication", max_age="60""#;
    signed_in.upstream.replace_once("/base/", Reply::json(403, &json!({ "own": 2 })).header("www-authenticate", challenge));
    assert_eq!(signed_in.call().await.assert_status(403).json(), json!({ "own": 2 }));
}

#[tokio::test]
async fn only_an_upstream_that_is_there_and_for_this_provider_can_be_signed_in_for() {
    let (alpha, beta) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let upstream = Upstream::start().await;
    let app = TestApp::builder()
        .openid("alpha", &alpha)
        .openid("beta", &beta)
        .upstream("api", &upstream)
        .set("upstreams.api.providers", "alpha")
        .set("upstreams.api.acr_values", "urn:gold")
        .start()
        .await;
    let browser = app.browser();
    for query in ["provider=beta&upstream=api", "provider=alpha&upstream=other", "provider=alpha&upstream="] {
        browser.call(Method::GET, &format!("/api/v1/oauth/login?{query}")).send().await.assert_problem(404, "unknown_upstream");
    }
    // What the upstream demands stands above what the address says.
    let url = browser.navigate("/api/v1/oauth/login?provider=alpha&upstream=api&acr_values=urn:bronze").send().await.location();
    assert_eq!(query(&url)["acr_values"], "urn:gold");
}

#[tokio::test]
async fn a_wish_of_the_address_is_held_against_the_provider_s_answer_too() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let url = browser.navigate("/api/v1/oauth/login?max_age=0").send().await.location();
    let long_ago = app.clock.seconds() - 3600;
    provider.edit_claims(move |claims| claims["auth_time"] = long_ago.into());
    browser.finish(&provider.authorize(&url)).await.assert_problem(403, "authentication_too_weak");
    // Without the wish it is nobody's business.
    browser.finish(&provider.authorize(&start_login(&browser, "alpha", "/").await)).await.assert_status(200);
}
