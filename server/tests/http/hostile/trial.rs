//! One login at a provider that does one thing wrong.

use crate::support::{Answer, Browser, Initiator, TestApp, TestAppBuilder, start_login};
use axum::http::Method;
use oauth2flow::clock::Clock as _;
use oauth2flow_demo_provider::{Clock, Defect, DemoProviderConfig, Expected, Feature, HostileProviders};
use serde_json::{Value, json};
use std::{collections::BTreeSet, future::pending};
use tokio::net::TcpListener;
use url::Url;

const LOGIN: &str = "/api/v1/oauth/login?provider=alpha";
const CLIENT_ID: &str = "oauth2flow-at-a-hostile-provider";
const CLIENT_SECRET: &str = "a client secret that is long enough for HS256";
/// The cooldown of an unknown key, in seconds.
const KEY_COOLDOWN_SECONDS: i64 = 31;

/// An app whose only provider has a defect, and a browser.
struct Trial {
    defect: Defect,
    issuer: String,
    app: TestApp,
    browser: Browser,
}

/// Signs in at a provider with this defect, and holds what happens against what a correct client does. `status` and `code` are
/// those of the problem that the browser is told of, where there is one.
pub(super) async fn run(defect: Defect, status: u16, code: &str) {
    let trial = Trial::start(defect).await;
    match defect.expected() {
        Expected::RefuseBeforeRedirect => trial.is_refused_before_the_redirect(code).await,
        Expected::RefuseAtCallback => trial.is_refused_at_the_callback(status, code).await,
        Expected::RefuseAtExchange => trial.is_refused_at_the_exchange(status, code).await,
        Expected::RefuseAtUserinfo => trial.is_refused_at_userinfo(status, code).await,
        Expected::RefuseAtRefresh => trial.is_refused_at_the_refresh(status, code).await,
        Expected::RefuseLogoutToken => trial.refuses_logout_tokens(&[400], true).await,
        Expected::RefuseSecondLogoutToken => trial.refuses_logout_tokens(&[200, 400], false).await,
        Expected::Accept => trial.is_accepted().await,
        Expected::AcceptOrRefuseAtExchange => trial.is_accepted_or_refused_at_the_exchange(status, code).await,
    }
    for path in ["jwks", "certificate", "token", "par", "userinfo"] {
        assert_eq!(trial.count(&format!("/attacker/{path}")).await, 0, "something went to the attacker");
    }
}

impl Trial {
    async fn start(defect: Defect) -> Self {
        // The socket is there before the app, which has to know the issuer, and answers after it, whose address the provider
        // has to know.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let issuer = format!("{origin}/defects/{defect}");
        let app = configured(defect, &issuer).start().await;
        let clock = app.clock.clone();
        let home = app.origin();
        let config = DemoProviderConfig {
            redirect_uris: vec![format!("{home}/callback")],
            post_logout_redirect_uris: vec![format!("{home}/")],
            backchannel_logout_uri: Some(format!("http://{}/api/v1/oauth/backchannel-logout/alpha", app.address())),
            clock: Clock::new(move || clock.now().as_second()),
            ..DemoProviderConfig::new(origin, CLIENT_ID, CLIENT_SECRET)
        };
        let providers = HostileProviders::open(&config, &[defect]).await.unwrap();
        tokio::spawn(providers.serve(listener, pending()));
        let browser = app.browser();
        Self { defect, issuer, app, browser }
    }

    /// What the provider was asked so far.
    async fn journal(&self) -> Value {
        let journal = self.browser.navigate(&format!("{}/journal", self.issuer)).send().await.assert_status(200).json();
        assert_eq!(journal["defect"], self.defect.name());
        journal
    }

    /// How many requests came to a path of the provider.
    async fn count(&self, path: &str) -> u64 {
        self.journal().await["requests"][path].as_u64().unwrap_or_default()
    }

    /// How many token requests came, and how many for userinfo.
    async fn requests(&self) -> (u64, u64) {
        (self.count("/token").await, self.count("/userinfo").await)
    }

    /// Starts a login, and goes where the provider sends the browser.
    async fn arrive(&self, browser: &Browser) -> Url {
        let authorization_url = start_login(browser, "alpha", "/account").await;
        for (name, value) in authorization_url.query_pairs() {
            match &*name {
                "response_type" => assert_eq!(value, "code"),
                "code_challenge" => assert_eq!(value.len(), 43),
                "code_challenge_method" => assert_eq!(value, "S256"),
                _ => {}
            }
        }
        let answer = browser.navigate(authorization_url.as_str()).from(Initiator::CrossSite).send().await;
        answer.assert_status(303);
        let callback = answer.location();
        assert!(callback.as_str().starts_with(&format!("{}/callback?", self.app.origin())), "{callback}");
        callback
    }

    /// Posts what the provider put into the callback address, as a script does.
    async fn finish(&self, browser: &Browser, callback: &Url) -> Answer {
        let answer = browser.finish(callback).await;
        assert_clean(&answer);
        answer
    }

    async fn assert_nobody_is_signed_in(&self) {
        assert!(!self.browser.is_signed_in().await);
        assert_eq!(self.browser.session_cookie(), None);
    }

    async fn is_refused_before_the_redirect(&self, code: &str) {
        let answer = self.browser.navigate(LOGIN).send().await;
        answer.assert_problem_page(code);
        assert!(answer.begins_nothing(), "{:?}", answer.set_cookies());
        assert_clean(&answer);
        assert_eq!(self.count("/authorize").await, 0);
        assert_eq!(self.requests().await, (0, 0));
        self.assert_nobody_is_signed_in().await;
    }

    async fn is_refused_at_the_callback(&self, status: u16, code: &str) {
        let callback = self.arrive(&self.browser).await;
        let fields: Vec<_> = callback.query_pairs().into_owned().collect();
        let names: BTreeSet<_> = fields.iter().map(|(name, _)| name).collect();
        if names.len() < fields.len() {
            // An object of JSON has each name once; the form of a page without script has what the address has.
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = self.browser.submit("/api/v1/oauth/code", &fields).send().await;
            answer.assert_problem_page(code);
            assert_clean(&answer);
        } else {
            let answer = self.finish(&self.browser, &callback).await;
            answer.assert_problem(status, code);
            // Problems are JSON that no browser takes for a page, whatever the provider says.
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
        assert_eq!(self.requests().await, (0, 0));
        self.assert_nobody_is_signed_in().await;
    }

    async fn is_refused_at_the_exchange(&self, status: u16, code: &str) {
        let callback = self.arrive(&self.browser).await;
        self.finish(&self.browser, &callback).await.assert_problem(status, code);
        let tries = if self.defect == Defect::DpopNonceEndless { 2 } else { 1 };
        assert_eq!(self.requests().await, (tries, 0));
        // The answer works once, whatever came of it.
        let again = self.finish(&self.browser, &callback).await;
        assert!(again.status.is_client_error(), "{}", again.text());
        assert_eq!(self.requests().await, (tries, 0));
        self.assert_nobody_is_signed_in().await;
        if self.defect == Defect::IdTokenKidUnknown {
            let fetched = self.count("/jwks").await;
            for _ in 0..3 {
                let browser = self.app.browser();
                let callback = self.arrive(&browser).await;
                self.finish(&browser, &callback).await.assert_problem(status, code);
            }
            assert_eq!(self.count("/jwks").await, fetched, "the keys are fetched once in a cooldown");
        }
    }

    async fn is_refused_at_userinfo(&self, status: u16, code: &str) {
        let callback = self.arrive(&self.browser).await;
        self.finish(&self.browser, &callback).await.assert_problem(status, code);
        assert_eq!(self.requests().await, (1, 1));
        self.assert_nobody_is_signed_in().await;
    }

    /// A whole login.
    async fn sign_in(&self, browser: &Browser) -> Answer {
        let callback = self.arrive(browser).await;
        let answer = self.finish(browser, &callback).await;
        answer.assert_status(200);
        assert!(answer.begins_session());
        assert!(browser.is_signed_in().await);
        answer
    }

    async fn is_refused_at_the_refresh(&self, status: u16, code: &str) {
        self.sign_in(&self.browser).await;
        // The access token has ended, so that there is no way around the refresh.
        self.app.clock.advance_seconds(2);
        let answer = self.browser.call(Method::GET, "/api/v1/proxy/notes").send().await;
        answer.assert_problem(status, code);
        assert_clean(&answer);
        assert_eq!(self.count("/token").await, 2);
        assert_eq!(self.count("/notes").await, 0);
        let session = self.browser.session().await;
        assert_eq!(session["authenticated"], true);
        assert_eq!(session["user"]["name"], "Alice Example");
    }

    async fn refuses_logout_tokens(&self, answers: &[u16], session_lives: bool) {
        self.sign_in(&self.browser).await;
        let posted = self.browser.request(Method::POST, &format!("{}/post-logout-tokens", self.issuer)).send().await;
        assert_eq!(posted.assert_status(200).json()["answers"], json!(answers));
        assert_eq!(self.browser.is_signed_in().await, session_lives);
    }

    async fn is_accepted(&self) {
        let answer = self.sign_in(&self.browser).await;
        assert_eq!(self.requests().await, (1, 1));
        match self.defect {
            // With new keys the second person can sign in as well; they are fetched once more, and not more often.
            Defect::KeysRotated => {
                self.app.clock.advance_seconds(KEY_COOLDOWN_SECONDS);
                self.sign_in(&self.app.browser()).await;
                assert_eq!(self.count("/jwks").await, 2);
            }
            Defect::LogoutStateOther | Defect::LogoutStateMissing => {
                let end_session = self.browser.log_out().await.assert_status(200).json()["redirect_to"].as_str().unwrap().to_owned();
                let answer = self.browser.navigate(&end_session).from(Initiator::CrossSite).send().await;
                self.browser.navigate(answer.location().as_str()).from(Initiator::CrossSite).send().await.assert_status(200);
                self.assert_nobody_is_signed_in().await;
            }
            Defect::PkceIgnored => assert_eq!(self.journal().await["code_verifier"], "right"),
            Defect::UserinfoScript => {
                let user = answer.json()["user"].clone();
                assert_eq!(user["name"], "<img src=x onerror=alert(1)><script>alert(2)</script>");
                assert_eq!(user["picture"], Value::Null);
            }
            _ => {}
        }
    }

    async fn is_accepted_or_refused_at_the_exchange(&self, status: u16, code: &str) {
        let callback = self.arrive(&self.browser).await;
        let answer = self.finish(&self.browser, &callback).await;
        if answer.status == 200 {
            assert!(self.browser.is_signed_in().await);
        } else {
            answer.assert_problem(status, code);
            assert_eq!(self.requests().await, (1, 0));
            self.assert_nobody_is_signed_in().await;
        }
    }
}

/// The app, set up so that the defect shows.
fn configured(defect: Defect, issuer: &str) -> TestAppBuilder {
    let builder = TestApp::builder()
        .set("providers.alpha.issuer", issuer)
        .set("providers.alpha.client_id", CLIENT_ID)
        .variable("OAUTH2FLOW_PROVIDERS_ALPHA_CLIENT_SECRET", CLIENT_SECRET)
        .set("upstreams.notes.url", format!("{issuer}/notes"));
    let builder = match defect.needs() {
        // Requests are pushed wherever that is offered.
        Feature::Nothing | Feature::PushedRequests => builder,
        Feature::Jarm => builder.set("providers.alpha.response_mode", "jwt"),
        Feature::Dpop => builder.set("providers.alpha.dpop", "require"),
        Feature::StrongAuthentication => builder.set("providers.alpha.acr_values", "urn:example:acr:two-factor"),
        Feature::RecentAuthentication => builder.set("providers.alpha.max_age", "5m"),
        Feature::SignedUserinfo => builder.set("providers.alpha.signed_userinfo", "require"),
        Feature::Refresh => builder.set("providers.alpha.scopes", "openid profile email offline_access notes:read"),
    };
    match defect {
        Defect::MetadataHung | Defect::TokenHung | Defect::KeysHung => {
            builder.set("outbound.connect_timeout", "1s").set("outbound.total_timeout", "2s")
        }
        _ => builder,
    }
}

/// No token is in what the browser gets.
#[track_caller]
fn assert_clean(answer: &Answer) {
    let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    for part in headers.chain([answer.text()]) {
        for secret in ["demo-at-4b1d9c07.", "demo-rt-4b1d9c07.", "demo-ac-4b1d9c07.", CLIENT_SECRET] {
            assert!(!part.contains(secret), "{part}");
        }
        assert!(!has_jwt(&part), "{part}");
    }
}

/// Whether there is a JWT in it: `{"` in base64url, and more after a dot. The letters alone are in many a random value.
fn has_jwt(text: &str) -> bool {
    let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    text.match_indices("eyJ").any(|(at, _)| text[at..].trim_start_matches(is_of_word).starts_with('.'))
}

#[test]
fn a_jwt_is_known_from_a_random_value() {
    assert!(has_jwt("id_token=eyJhbGciOiJSUzI1NiJ9.e30.c2ln"));
    assert!(!has_jwt("set-cookie: tx-Zpk0JZecUueyJCk8=; Path=/api/v1/oauth"));
}
