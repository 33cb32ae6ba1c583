//! An OpenID provider that a test can make say anything.

use super::{
    ManualClock,
    recording::{Gate, Received, Recording, Reply, socket},
    signing_key::SigningKey,
    tls::TlsFront,
};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use url::{Url, form_urlencoded::parse};

/// Where the provider is asked things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Metadata,
    Keys,
    Token,
    UserInfo,
    Revocation,
    PushedRequest,
}

impl Endpoint {
    const fn path(self) -> &'static str {
        match self {
            Self::Metadata => "/.well-known/openid-configuration",
            Self::Keys => "/jwks",
            Self::Token => "/token",
            Self::UserInfo => "/userinfo",
            Self::Revocation => "/revoke",
            Self::PushedRequest => "/par",
        }
    }
}

/// The provider.
pub(crate) struct StandInProvider {
    shared: Arc<Shared>,
    recording: Recording,
    address: SocketAddr,
}

type Edit = Box<dyn Fn(&mut Value) + Send>;
type Forge = Box<dyn Fn(&SigningKey, Value, Value) -> String + Send>;

struct Shared {
    name: &'static str,
    origin: String,
    inner: Mutex<Inner>,
}

struct Inner {
    clock: ManualClock,
    key: SigningKey,
    published: Vec<Value>,
    codes: HashMap<String, Request>,
    pushed: HashMap<String, HashMap<String, String>>,
    refresh_tokens: HashMap<String, Family>,
    issued: usize,
    checks_pkce: bool,
    metadata: Edit,
    tokens: Edit,
    userinfo: Edit,
    id_token: Forge,
}

#[derive(Clone)]
struct Request {
    redirect_uri: String,
    nonce: Option<String>,
    challenge: Option<String>,
}

/// A refresh token, and whether it has been used.
#[derive(Clone)]
struct Family {
    login: usize,
    spent: bool,
}

impl StandInProvider {
    pub(crate) const CLIENT_ID: &'static str = "oauth2flow-at-stand-in";
    pub(crate) const CLIENT_SECRET: &'static str = "sentinel-client-secret";
    pub(crate) const SUB: &'static str = "user-1";
    pub(crate) const SID: &'static str = "provider-session-1";

    pub(crate) async fn start() -> Self {
        Self::named("alpha").await
    }

    /// A provider whose tokens say whose they are.
    pub(crate) async fn named(name: &'static str) -> Self {
        Self::with_key(name, SigningKey::es256("key-1")).await
    }

    pub(crate) async fn with_key(name: &'static str, key: SigningKey) -> Self {
        let (listener, address) = socket();
        Self::serve(name, key, format!("http://{address}"), listener).await
    }

    /// A provider that people know by the address of the TLS in front of it.
    pub(crate) async fn behind(front: &TlsFront) -> Self {
        let (listener, address) = socket();
        front.forward_to(address);
        Self::serve("alpha", SigningKey::es256("key-1"), front.origin().to_owned(), listener).await
    }

    /// Lets another TLS stand in front of it, beside the one that people know.
    pub(crate) fn also_behind(&self, front: &TlsFront) {
        front.forward_to(self.address);
    }

    async fn serve(name: &'static str, key: SigningKey, origin: String, listener: std::net::TcpListener) -> Self {
        let inner = Inner {
            clock: ManualClock::new(),
            published: vec![key.public()],
            key,
            codes: HashMap::new(),
            pushed: HashMap::new(),
            refresh_tokens: HashMap::new(),
            issued: 0,
            checks_pkce: true,
            metadata: Box::new(|_| {}),
            tokens: Box::new(|_| {}),
            userinfo: Box::new(|_| {}),
            id_token: Box::new(|key, header, claims| key.sign(&header, &claims)),
        };
        let shared = Arc::new(Shared { name, origin, inner: Mutex::new(inner) });
        let recording = Recording::default();
        let router = Router::new()
            .route(Endpoint::Metadata.path(), get(metadata))
            .route(Endpoint::Keys.path(), get(keys))
            .route(Endpoint::Token.path(), post(token))
            .route(Endpoint::UserInfo.path(), get(userinfo))
            .route(Endpoint::Revocation.path(), post(async || ()))
            .route(Endpoint::PushedRequest.path(), post(push))
            .with_state(Arc::clone(&shared));
        let address = listener.local_addr().unwrap();
        recording.serve(listener, router).await;
        Self { shared, recording, address }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.shared.origin
    }

    /// Takes the time from the app's clock.
    pub(super) fn follow(&self, clock: &ManualClock) {
        self.inner().clock = clock.clone();
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.shared.inner.lock().unwrap()
    }

    pub(crate) fn count(&self, endpoint: Endpoint) -> usize {
        self.recording.count(endpoint.path())
    }

    /// How many requests have come, whatever for.
    pub(crate) fn requests(&self) -> usize {
        self.recording.all().len()
    }

    pub(crate) fn received(&self, endpoint: Endpoint) -> Vec<Received> {
        self.recording.received(endpoint.path())
    }

    pub(crate) fn only(&self, endpoint: Endpoint) -> Received {
        self.recording.only(endpoint.path())
    }

    /// What came to any other path.
    pub(crate) fn count_at(&self, path: &str) -> usize {
        self.recording.count(path)
    }

    pub(crate) fn replace(&self, endpoint: Endpoint, reply: Reply) {
        self.recording.replace(endpoint.path(), reply);
    }

    pub(crate) fn replace_once(&self, endpoint: Endpoint, reply: Reply) {
        self.recording.replace_once(endpoint.path(), reply);
    }

    pub(crate) fn restore(&self, endpoint: Endpoint) {
        self.recording.restore(endpoint.path());
    }

    pub(crate) fn hold(&self, endpoint: Endpoint) -> Gate {
        self.recording.hold(endpoint.path())
    }

    /// Changes the metadata before it is sent; so do its siblings with what they are called after.
    pub(crate) fn edit_metadata(&self, edit: impl Fn(&mut Value) + Send + 'static) {
        self.inner().metadata = Box::new(edit);
    }

    pub(crate) fn edit_tokens(&self, edit: impl Fn(&mut Value) + Send + 'static) {
        self.inner().tokens = Box::new(edit);
    }

    pub(crate) fn edit_userinfo(&self, edit: impl Fn(&mut Value) + Send + 'static) {
        self.inner().userinfo = Box::new(edit);
    }

    pub(crate) fn edit_claims(&self, edit: impl Fn(&mut Value) + Send + 'static) {
        self.forge_id_token(move |key, header, mut claims| {
            edit(&mut claims);
            key.sign(&header, &claims)
        });
    }

    pub(crate) fn edit_header(&self, edit: impl Fn(&mut Value) + Send + 'static) {
        self.forge_id_token(move |key, mut header, claims| {
            edit(&mut header);
            key.sign(&header, &claims)
        });
    }

    /// Makes ID tokens in another way, out of the right header and the right claims.
    pub(crate) fn forge_id_token(&self, forge: impl Fn(&SigningKey, Value, Value) -> String + Send + 'static) {
        self.inner().id_token = Box::new(forge);
    }

    /// Signs with another key from now on, and publishes it instead of the old one.
    pub(crate) fn rotate_key(&self, key: SigningKey) {
        let mut inner = self.inner();
        inner.published = vec![key.public()];
        inner.key = key;
    }

    /// Signs with another key from now on, and keeps that to itself.
    pub(crate) fn sign_with_unpublished(&self, key: SigningKey) {
        self.inner().key = key;
    }

    pub(crate) fn publish(&self, keys: Vec<Value>) {
        self.inner().published = keys;
    }

    /// The public half of the key that signs.
    pub(crate) fn public_key(&self) -> Value {
        self.inner().key.public()
    }

    pub(crate) fn ignore_pkce(&self) {
        self.inner().checks_pkce = false;
    }

    /// The person allows it: the address of the app that the browser is sent back to.
    pub(crate) fn authorize(&self, authorization_url: &Url) -> Url {
        assert!(authorization_url.as_str().starts_with(&format!("{}/authorize?", self.shared.origin)), "{authorization_url}");
        let parameters = self.parameters(authorization_url);
        let request = Request {
            redirect_uri: parameters["redirect_uri"].clone(),
            nonce: parameters.get("nonce").cloned(),
            challenge: parameters.get("code_challenge").cloned(),
        };
        let mut inner = self.inner();
        inner.issued += 1;
        let code = format!("code-{}-{}", self.shared.name, inner.issued);
        let mut callback = Url::parse(&request.redirect_uri).unwrap();
        callback
            .query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &parameters["state"])
            .append_pair("iss", &self.shared.origin);
        inner.codes.insert(code, request);
        callback
    }

    /// The authorization request's parameters: those of the address, or those that were pushed before.
    pub(crate) fn parameters(&self, authorization_url: &Url) -> HashMap<String, String> {
        let parameters: HashMap<_, _> = authorization_url.query_pairs().into_owned().collect();
        match parameters.get("request_uri") {
            Some(name) => self.inner().pushed.remove(name).expect("a request is pushed once and used once"),
            None => parameters,
        }
    }

    /// Signs something else with the provider's key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let inner = self.inner();
        inner.key.sign(&inner.key.header(), claims)
    }

    /// The same answer as one token, signed with the provider's key (JARM), and changed by the test before that.
    pub(crate) fn signed_answer(&self, callback: &Url, edit: impl FnOnce(&mut Value, &mut Value)) -> Url {
        let inner = self.inner();
        let mut claims: serde_json::Map<_, _> =
            callback.query_pairs().map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect();
        claims.insert("iss".to_owned(), self.shared.origin.as_str().into());
        claims.insert("aud".to_owned(), Self::CLIENT_ID.into());
        claims.insert("exp".to_owned(), (inner.clock.seconds() + 300).into());
        let (mut header, mut claims) = (inner.key.header(), Value::from(claims));
        edit(&mut header, &mut claims);
        let mut signed = callback.clone();
        signed.query_pairs_mut().clear().append_pair("response", &inner.key.sign(&header, &claims));
        signed
    }

    /// The provider says no.
    pub(crate) fn refuse(&self, authorization_url: &Url, error: &str, description: &str) -> Url {
        let parameters = self.parameters(authorization_url);
        let mut callback = Url::parse(&parameters["redirect_uri"]).unwrap();
        callback
            .query_pairs_mut()
            .append_pair("error", error)
            .append_pair("error_description", description)
            .append_pair("state", &parameters["state"])
            .append_pair("iss", &self.shared.origin);
        callback
    }

    /// A logout token, changed by the test before it is signed.
    pub(crate) fn logout_token(&self, token_id: &str, edit: impl FnOnce(&mut Value, &mut Value)) -> String {
        let inner = self.inner();
        let now = inner.clock.seconds();
        let mut header = inner.key.header();
        header["typ"] = "logout+jwt".into();
        let mut claims = json!({
            "iss": self.shared.origin, "aud": Self::CLIENT_ID, "iat": now, "exp": now + 120, "jti": token_id,
            "sub": Self::SUB, "sid": Self::SID, "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        edit(&mut header, &mut claims);
        inner.key.sign(&header, &claims)
    }
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let (origin, inner) = (&shared.origin, shared.inner.lock().unwrap());
    let mut metadata = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "jwks_uri": format!("{origin}/jwks"),
        "userinfo_endpoint": format!("{origin}/userinfo"),
        "revocation_endpoint": format!("{origin}/revoke"),
        "end_session_endpoint": format!("{origin}/logout"),
        "id_token_signing_alg_values_supported": [inner.key.algorithm()],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
    });
    (inner.metadata)(&mut metadata);
    Json(metadata)
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "keys": shared.inner.lock().unwrap().published }))
}

async fn push(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let mut inner = shared.inner.lock().unwrap();
    inner.issued += 1;
    let name = format!("urn:ietf:params:oauth:request_uri:{}-{}", shared.name, inner.issued);
    inner.pushed.insert(name.clone(), parse(&body).into_owned().collect());
    (StatusCode::CREATED, Json(json!({ "request_uri": name, "expires_in": 60 }))).into_response()
}

async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let form: HashMap<_, _> = parse(&body).into_owned().collect();
    let refuse = |status: StatusCode, error: &str| (status, Json(json!({ "error": error }))).into_response();
    let expected = STANDARD.encode(format!("{}:{}", StandInProvider::CLIENT_ID, StandInProvider::CLIENT_SECRET));
    if headers.get(header::AUTHORIZATION).is_none_or(|value| *value != *format!("Basic {expected}")) {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let mut inner = shared.inner.lock().unwrap();
    let (login, nonce) = match form.get("grant_type").map(String::as_str) {
        Some("authorization_code") => {
            let Some(request) = inner.codes.remove(&form["code"]) else { return refuse(StatusCode::BAD_REQUEST, "invalid_grant") };
            let challenge = form.get("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
            if (inner.checks_pkce && challenge != request.challenge) || form.get("redirect_uri") != Some(&request.redirect_uri) {
                return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
            }
            (inner.issued, request.nonce)
        }
        Some("refresh_token") => {
            let Some(family) = inner.refresh_tokens.get(&form["refresh_token"]).cloned() else {
                return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
            };
            if family.spent {
                inner.refresh_tokens.retain(|_, other| other.login != family.login);
                return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
            }
            inner.refresh_tokens.insert(form["refresh_token"].clone(), Family { spent: true, ..family });
            (family.login, None)
        }
        Some("urn:ietf:params:oauth:grant-type:token-exchange") => {
            let is_own = form.get("subject_token").is_some_and(|token| token.starts_with(&format!("sentinel-access-{}-", shared.name)));
            return if is_own { exchanged(&shared, &mut inner) } else { refuse(StatusCode::BAD_REQUEST, "invalid_request") };
        }
        _ => return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type"),
    };
    inner.issued += 1;
    let (name, number, now) = (shared.name, inner.issued, inner.clock.seconds());
    let access_token = format!("sentinel-access-{name}-{number}");
    let refresh_token = format!("sentinel-refresh-{name}-{number}");
    let mut claims = json!({
        "iss": shared.origin, "sub": StandInProvider::SUB, "aud": StandInProvider::CLIENT_ID, "iat": now, "exp": now + 300,
        "sid": StandInProvider::SID, "name": "Alice Example",
        "at_hash": URL_SAFE_NO_PAD.encode(&digest(&SHA256, access_token.as_bytes()).as_ref()[..16]),
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    let id_token = (inner.id_token)(&inner.key, inner.key.header(), claims);
    let mut tokens = json!({
        "token_type": "Bearer", "expires_in": 300, "scope": "openid profile email",
        "access_token": access_token, "refresh_token": refresh_token, "id_token": id_token,
    });
    (inner.tokens)(&mut tokens);
    inner.refresh_tokens.insert(refresh_token, Family { login, spent: false });
    Json(tokens).into_response()
}

/// A token in exchange for another one, without a refresh token.
fn exchanged(shared: &Shared, inner: &mut Inner) -> Response {
    inner.issued += 1;
    let mut tokens = json!({
        "token_type": "Bearer", "expires_in": 300, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "access_token": format!("sentinel-exchanged-{}-{}", shared.name, inner.issued),
    });
    (inner.tokens)(&mut tokens);
    Json(tokens).into_response()
}

async fn userinfo(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let schemes = ["Bearer", "DPoP"];
    if !schemes.iter().any(|scheme| bearer.starts_with(&format!("{scheme} sentinel-access-{}", shared.name))) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut user = json!({
        "sub": StandInProvider::SUB, "name": "Alice Example", "preferred_username": "alice",
        "email": "alice@example.com", "email_verified": true,
    });
    (shared.inner.lock().unwrap().userinfo)(&mut user);
    Json(user).into_response()
}
