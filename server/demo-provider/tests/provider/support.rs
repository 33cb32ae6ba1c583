//! A provider on a free port, a client and a browser.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use oauth2flow_demo_provider::{Clock, DemoProvider, DemoProviderConfig};
use reqwest::{Method, StatusCode, header};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use url::{Url, form_urlencoded};

pub(crate) const CLIENT_ID: &str = "app";
pub(crate) const CLIENT_SECRET: &str = "the app's secret: 100%";
pub(crate) const REDIRECT_URI: &str = "http://localhost:3000/callback";
pub(crate) const OTHER_REDIRECT_URI: &str = "http://localhost:3000/other?tenant=a";
pub(crate) const POST_LOGOUT_REDIRECT_URI: &str = "http://localhost:3000/";
pub(crate) const ALL_SCOPES: &str = "openid profile email notes:read notes:write offline_access";
pub(crate) const START: i64 = 1_800_000_000;

/// The example of RFC 7636, appendix B.
pub(crate) const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.header("location")
    }

    /// The parameters of the redirect to the client.
    pub(crate) fn response_parameters(&self) -> BTreeMap<String, String> {
        Url::parse(self.location()).unwrap().query_pairs().into_owned().collect()
    }

    /// The value of a field of the page's form.
    pub(crate) fn field(&self, name: &str) -> &str {
        let before = format!(r#"name="{name}" value=""#);
        let (_, after) = self.body.split_once(&before).unwrap_or_else(|| panic!("no field {name}: {}", self.body));
        after.split_once('"').unwrap().0
    }

    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, error: &str) {
        assert_eq!((self.status.as_u16(), self.json()["error"].as_str()), (status, Some(error)), "{self:?}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' one HTTP client: it follows no redirects and keeps no cookies")]
pub(crate) fn http_client() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}

/// A running provider, and the client that it knows.
pub(crate) struct TestProvider {
    pub(crate) config: DemoProviderConfig,
    pub(crate) http: reqwest::Client,
    pub(crate) provider: DemoProvider,
    clock: Arc<AtomicI64>,
    server: JoinHandle<()>,
}

impl Drop for TestProvider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl TestProvider {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut DemoProviderConfig)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = Arc::new(AtomicI64::new(START));
        let now = Arc::clone(&clock);
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let mut config = DemoProviderConfig {
            redirect_uris: vec![REDIRECT_URI.into(), OTHER_REDIRECT_URI.into()],
            post_logout_redirect_uris: vec![POST_LOGOUT_REDIRECT_URI.into()],
            clock: Clock::new(move || now.load(Ordering::SeqCst)),
            ..DemoProviderConfig::new(issuer, CLIENT_ID, CLIENT_SECRET)
        };
        change(&mut config);
        let provider = DemoProvider::open(config.clone()).await.unwrap();
        let running = provider.clone();
        let server = tokio::spawn(async move {
            running.serve(listener, std::future::pending()).await.unwrap();
        });
        Self { config, http: http_client(), provider, clock, server }
    }

    pub(crate) async fn start_on_file(path: PathBuf) -> Self {
        Self::start_with(|config| config.database = Some(path)).await
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.config.issuer) } else { path.to_owned() }
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { provider: self, cookies: BTreeMap::new() }
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(self.url(path))).await
    }

    pub(crate) async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.form(path, form)).await
    }

    fn form(&self, path: &str, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
        self.http.post(self.url(path)).header("content-type", "application/x-www-form-urlencoded").body(encode(form))
    }

    /// A form that the client sends with its credentials in the header.
    pub(crate) async fn post_as_client(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.form(path, form).header("authorization", basic(CLIENT_ID, CLIENT_SECRET))).await
    }

    pub(crate) async fn exchange(&self, code: &str) -> Answer {
        self.exchange_with(code, &[]).await
    }

    /// Exchanges a code with some parameters of the request changed; those without a value are left out.
    pub(crate) async fn exchange_with(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let request =
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT_URI), ("code_verifier", CODE_VERIFIER)];
        self.post_as_client("/token", &changed(&request, changes)).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &Value) -> Answer {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str().unwrap())];
        self.post_as_client("/token", &form).await
    }

    /// Calls with an access token.
    pub(crate) async fn call(&self, method: Method, path: &str, access_token: &Value) -> Answer {
        let request = self.http.request(method, self.url(path)).bearer_auth(access_token.as_str().unwrap());
        self.send(request).await
    }

    /// Signs alice in in a new browser, and exchanges the code.
    pub(crate) async fn tokens(&self, scope: &str) -> Value {
        let code = self.browser().code(&[("scope", scope)]).await;
        let answer = self.exchange(&code).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    /// Reads an ID token or a logout token the way a client would: with the published key.
    pub(crate) async fn claims(&self, token: &str) -> (jsonwebtoken::Header, Value) {
        let keys: JwkSet = serde_json::from_value(self.get("/jwks").await.json()).unwrap();
        let header = jsonwebtoken::decode_header(token).unwrap();
        let key = DecodingKey::from_jwk(keys.find(header.kid.as_deref().unwrap()).unwrap()).unwrap();
        let mut validation = Validation::new(header.alg);
        validation.set_audience(&[CLIENT_ID]);
        validation.set_issuer(&[&self.config.issuer]);
        // The clock of the test is not that of the system.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        (header, jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims)
    }
}

/// A browser: cookies, and a person who clicks.
pub(crate) struct Browser<'provider> {
    provider: &'provider TestProvider,
    pub(crate) cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = self.provider.send(request.header("cookie", cookies.join("; "))).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            let (name, value) = cookie.split_once(';').unwrap().0.split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = self.provider.http.get(self.provider.url(path));
        self.send(request).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.provider.form(path, form);
        self.send(request).await
    }

    /// Follows redirects inside the provider, up to a page or to the client.
    pub(crate) async fn visit(&mut self, path: &str) -> Answer {
        let answer = self.get(path).await;
        self.follow(answer).await
    }

    pub(crate) async fn follow(&mut self, mut answer: Answer) -> Answer {
        while answer.status.is_redirection() && answer.location().starts_with('/') {
            let location = answer.location().to_owned();
            answer = self.get(&location).await;
        }
        answer
    }

    /// Sends an authorization request with some parameters changed; those without a value are left out.
    pub(crate) async fn authorize(&mut self, changes: &[(&str, &str)]) -> Answer {
        self.visit(&authorization_path(changes)).await
    }

    /// Fills in the login form.
    pub(crate) async fn log_in(&mut self, page: &Answer, user_name: &str, password: &str) -> Answer {
        let form =
            [("transaction", page.field("transaction")), ("csrf", page.field("csrf")), ("username", user_name), ("password", password)];
        let answer = self.post("/login", &form).await;
        self.follow(answer).await
    }

    /// Clicks on Allow or Deny.
    pub(crate) async fn decide(&mut self, page: &Answer, decision: &str) -> Answer {
        let form = [("transaction", page.field("transaction")), ("csrf", page.field("csrf")), ("decision", decision)];
        self.post("/consent", &form).await
    }

    /// Does whatever is asked, as alice, until the browser is sent to the client.
    pub(crate) async fn sign_in(&mut self, changes: &[(&str, &str)]) -> Answer {
        let mut answer = self.authorize(changes).await;
        if is_login(&answer) {
            answer = self.log_in(&answer, "alice", "demo").await;
        }
        if is_consent(&answer) {
            answer = self.decide(&answer, "allow").await;
        }
        answer
    }

    /// Signs in and returns the code.
    pub(crate) async fn code(&mut self, changes: &[(&str, &str)]) -> String {
        self.sign_in(changes).await.response_parameters()["code"].clone()
    }

    /// Signs in and returns the tokens.
    pub(crate) async fn tokens(&mut self, scope: &str) -> Value {
        let code = self.code(&[("scope", scope)]).await;
        self.provider.exchange(&code).await.json()
    }
}

pub(crate) fn is_login(answer: &Answer) -> bool {
    answer.status == StatusCode::OK && answer.body.contains("<h1>Sign in to Demo</h1>")
}

pub(crate) fn is_consent(answer: &Answer) -> bool {
    answer.status == StatusCode::OK && answer.body.contains("<h1>oauth2flow would like to</h1>")
}

/// An authorization request with some parameters changed; those without a value are left out.
pub(crate) fn authorization_path(changes: &[(&str, &str)]) -> String {
    let request = [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", CODE_CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    format!("/authorize?{}", encode(&changed(&request, changes)))
}

fn changed<'text>(request: &[(&'text str, &'text str)], changes: &[(&'text str, &'text str)]) -> Vec<(&'text str, &'text str)> {
    let kept = request.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())).copied().collect()
}

pub(crate) fn encode(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
pub(crate) fn basic(client_id: &str, client_secret: &str) -> String {
    let encoded = |value: &str| form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(client_secret))))
}
