//! Who the server talks to: an OpenID provider that signs with RS256, and an API. A process of its own, whose time nobody counts.

use crate::serve::serve;
use anyhow::{Context as _, Result, anyhow};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// The client id that the server is known by.
pub(crate) const CLIENT_ID: &str = "bench";

/// Where the API is, and where nginx and the server find it.
pub(crate) const API_PATH: &str = "/notes";

/// A code for a user, that the provider takes without having seen the authorization request: it carries the nonce itself.
pub(crate) fn code(user: usize, nonce: &str) -> String {
    format!("{user}.{nonce}")
}

struct Peer {
    issuer: String,
    key: RsaKeyPair,
    random: SystemRandom,
}

/// Serves both.
pub(crate) async fn run(listen: SocketAddr) -> Result<()> {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| anyhow!("no RSA key can be made"))?;
    let peer = Arc::new(Peer { issuer: format!("http://{listen}"), key, random: SystemRandom::new() });
    let router = Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/keys", get(keys))
        .route("/token", post(token))
        .route("/userinfo", get(userinfo))
        .route(API_PATH, get(notes))
        .with_state(peer);
    serve(listen, router).await
}

async fn metadata(State(peer): State<Arc<Peer>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", peer.issuer);
    Json(json!({
        "issuer": peer.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn keys(State(peer): State<Arc<Peer>>) -> Json<Value> {
    let key = peer.key.public_key();
    Json(json!({ "keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "bench",
        "n": URL_SAFE_NO_PAD.encode(key.modulus().big_endian_without_leading_zero()),
        "e": URL_SAFE_NO_PAD.encode(key.exponent().big_endian_without_leading_zero()),
    }] }))
}

async fn token(State(peer): State<Arc<Peer>>, form: String) -> Result<Json<Value>, StatusCode> {
    let code = url::form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "code").map(|(_, code)| code);
    let code = code.ok_or(StatusCode::BAD_REQUEST)?;
    let (user, nonce) = code.split_once('.').ok_or(StatusCode::BAD_REQUEST)?;
    let now = unix_time().map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let claims = json!({
        "iss": peer.issuer, "sub": format!("user-{user}"), "aud": CLIENT_ID, "nonce": nonce, "iat": now, "exp": now + 3600,
        "auth_time": now, "sid": format!("sid-{user}"), "name": "Alice Example", "email": "alice@example.com", "email_verified": true,
    });
    let id_token = peer.sign(&claims).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(json!({
        "access_token": format!("{user}.an-access-token-of-the-length-that-opaque-ones-have-000000"),
        "refresh_token": format!("{user}.a-refresh-token-of-the-length-that-opaque-ones-have-00000"),
        "token_type": "Bearer", "expires_in": 36_000, "scope": "openid profile email", "id_token": id_token,
    })))
}

async fn userinfo(headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Bearer "));
    let (user, _) = bearer.and_then(|token| token.split_once('.')).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Json(json!({
        "sub": format!("user-{user}"), "name": "Alice Example", "preferred_username": "alice",
        "email": "alice@example.com", "email_verified": true,
    })))
}

/// Takes no token: what is measured is who brings it here.
async fn notes() -> Json<Value> {
    Json(json!([
        { "id": 1, "text": "Buy milk, and bread if there is any left on the way home." },
        { "id": 2, "text": "Call Bob Example about the meeting on Thursday." },
        { "id": 3, "text": "The key is under the third stone from the left." },
    ]))
}

impl Peer {
    fn sign(&self, claims: &Value) -> Result<String> {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&json!({ "alg": "RS256", "typ": "JWT", "kid": "bench" })), encode(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let signed = self.key.sign(&RSA_PKCS1_SHA256, &self.random, message.as_bytes(), &mut signature);
        signed.map_err(|_| anyhow!("the ID token cannot be signed"))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[expect(clippy::disallowed_methods, reason = "the server's `Clock` is for rules that tests must set; this is somebody else's clock")]
fn unix_time() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).context("it is before 1970")?.as_secs())
}
