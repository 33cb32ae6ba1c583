//! A known provider, as its documentation says that it behaves.

use super::{
    ManualClock,
    recording::{Recording, Reply, socket},
    signing_key::SigningKey,
};
use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use url::{Url, form_urlencoded::parse};

/// What is odd about a provider. The default is an OpenID provider without oddities at the root of its origin. In every text, `{origin}`
/// stands for the origin; in every object, a member that is null takes one of the usual members away.
pub(crate) struct Quirks {
    /// Where the metadata is, if there is any.
    pub(crate) metadata: Option<&'static str>,
    /// What the metadata calls the issuer.
    pub(crate) issuer: &'static str,
    /// The authorization endpoint's path.
    pub(crate) authorization: &'static str,
    /// The token endpoint's path.
    pub(crate) token: &'static str,
    /// The path of the user endpoint.
    pub(crate) userinfo: &'static str,
    /// The revocation endpoint's path.
    pub(crate) revocation: &'static str,
    /// How the client has to show who it is.
    pub(crate) client: Client,
    /// What becomes of PKCE.
    pub(crate) challenge: Challenge,
    /// Whether ID tokens hold the nonce.
    pub(crate) returns_nonce: bool,
    /// The `iss` of authorization responses, if there is one.
    pub(crate) response_iss: Option<&'static str>,
    /// What stands behind the callback's address.
    pub(crate) suffix: &'static str,
    /// How the token endpoint says no.
    pub(crate) refusal: fn(&str) -> (u16, Value),
    /// Other members of the metadata.
    pub(crate) metadata_members: Value,
    /// Other claims of ID tokens; null when there are no ID tokens.
    pub(crate) claims: Value,
    /// Other members of token answers.
    pub(crate) tokens: Value,
    /// Other members of the public key.
    pub(crate) key_members: Value,
    /// What the user endpoint says.
    pub(crate) user: Value,
    /// Whether ID tokens are signed with RSA.
    pub(crate) rsa: bool,
}

/// How a client has to show who it is.
pub(crate) enum Client {
    /// The secret, in the header and nowhere else.
    Header,
    /// The secret, in the body and nowhere else.
    Body,
    /// A token in the place of the secret, as Apple wants it, verified with this point of P-256.
    AppleToken { team: &'static str, key_id: &'static str, public_key: Vec<u8> },
}

/// What becomes of PKCE.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Where there is one, the verifier has to fit.
    Verified,
    /// There has to be one.
    Required,
    /// A token request with a verifier is refused.
    Refused,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            metadata: Some("/.well-known/openid-configuration"),
            issuer: "{origin}",
            authorization: "/authorize",
            token: "/token",
            userinfo: "/userinfo",
            revocation: "/revoke",
            client: Client::Header,
            challenge: Challenge::Verified,
            returns_nonce: true,
            response_iss: None,
            suffix: "",
            refusal: |error| (400, json!({ "error": error })),
            metadata_members: json!({}),
            claims: json!({}),
            tokens: json!({}),
            key_members: json!({}),
            user: json!({ "sub": KnownProvider::SUB, "name": "Alice Example", "email": "alice@example.com", "email_verified": true }),
            rsa: false,
        }
    }
}

/// The provider.
pub(crate) struct KnownProvider {
    shared: Arc<Shared>,
    pub(crate) recording: Recording,
}

struct Shared {
    origin: String,
    quirks: Quirks,
    key: SigningKey,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    clock: Option<ManualClock>,
    codes: HashMap<String, HashMap<String, String>>,
    refresh_tokens: Vec<String>,
    issued: usize,
    claims: Map<String, Value>,
}

impl KnownProvider {
    pub(crate) const CLIENT_ID: &'static str = "oauth2flow-at-known-provider";
    pub(crate) const CLIENT_SECRET: &'static str = "sentinel-known-secret";
    pub(crate) const SUB: &'static str = "248289761001";

    pub(crate) async fn start(quirks: Quirks) -> Self {
        let (listener, address) = socket();
        let key = if quirks.rsa { SigningKey::rs256("key-1") } else { SigningKey::es256("key-1") };
        let shared = Arc::new(Shared { origin: format!("http://{address}"), quirks, key, inner: Mutex::default() });
        let recording = Recording::default();
        recording.serve(listener, Router::new().fallback(answer).with_state(Arc::clone(&shared))).await;
        Self { shared, recording }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.shared.origin
    }

    /// Takes the time from the app's clock.
    pub(crate) fn follow(&self, clock: &ManualClock) {
        self.shared.inner.lock().unwrap().clock = Some(clock.clone());
    }

    /// Changes claims of the ID tokens to come, beside what is odd about them anyway.
    pub(crate) fn set_claims(&self, claims: &Value) {
        self.shared.inner.lock().unwrap().claims.clone_from(claims.as_object().unwrap());
    }

    pub(crate) fn replace(&self, path: &str, reply: Reply) {
        self.recording.replace(path, reply);
    }

    /// The person allows it: the address, or with `response_mode=form_post` the fields, that the browser is sent back with.
    pub(crate) fn authorize(&self, authorization_url: &Url) -> Url {
        let Shared { origin, quirks, inner, .. } = &*self.shared;
        assert_eq!(format!("{}{}", origin, quirks.authorization), authorization_url.as_str().split('?').next().unwrap());
        let mut parameters = HashMap::new();
        for (name, value) in authorization_url.query_pairs().into_owned() {
            assert!(parameters.insert(name, value).is_none(), "a parameter is repeated: {authorization_url}");
        }
        assert_eq!((parameters["client_id"].as_str(), parameters["response_type"].as_str()), (Self::CLIENT_ID, "code"));
        if quirks.challenge == Challenge::Required {
            assert_eq!(parameters["code_challenge_method"], "S256");
        }
        let mut inner = inner.lock().unwrap();
        inner.issued += 1;
        let code = format!("code-{}", inner.issued);
        let mut callback = Url::parse(&parameters["redirect_uri"]).unwrap();
        callback.query_pairs_mut().append_pair("code", &code).append_pair("state", &parameters["state"]);
        if let Some(iss) = quirks.response_iss {
            callback.query_pairs_mut().append_pair("iss", &iss.replace("{origin}", origin));
        }
        inner.codes.insert(code, parameters);
        Url::parse(&format!("{callback}{}", quirks.suffix)).unwrap()
    }
}

impl Shared {
    /// An object with members of another in the place of its own.
    fn with(&self, mut object: Value, others: &Value) -> Value {
        let others: Value = serde_json::from_str(&others.to_string().replace("{origin}", &self.origin)).unwrap();
        let members = object.as_object_mut().unwrap();
        for (name, value) in others.as_object().unwrap() {
            if value.is_null() {
                members.remove(name);
            } else {
                members.insert(name.clone(), value.clone());
            }
        }
        object
    }

    fn refuse(&self, error: &str) -> Response {
        let (status, body) = (self.quirks.refusal)(error);
        (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
    }

    fn metadata(&self) -> Value {
        let (origin, quirks) = (&self.origin, &self.quirks);
        let metadata = json!({
            "issuer": quirks.issuer.replace("{origin}", origin),
            "authorization_endpoint": format!("{origin}{}", quirks.authorization),
            "token_endpoint": format!("{origin}{}", quirks.token),
            "userinfo_endpoint": format!("{origin}{}", quirks.userinfo),
            "revocation_endpoint": format!("{origin}{}", quirks.revocation),
            "jwks_uri": format!("{origin}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": [self.key.algorithm()],
            "code_challenge_methods_supported": ["S256"],
        });
        self.with(metadata, &quirks.metadata_members)
    }

    fn knows_client(&self, headers: &HeaderMap, form: &HashMap<String, String>, now: i64) -> bool {
        let is = |name: &str, value: &str| form.get(name).is_some_and(|found| found == value);
        let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
        match &self.quirks.client {
            Client::Header => {
                let pair = STANDARD.encode(format!("{}:{}", KnownProvider::CLIENT_ID, KnownProvider::CLIENT_SECRET));
                authorization == Some(&format!("Basic {pair}")) && !form.contains_key("client_secret")
            }
            Client::Body => {
                authorization.is_none() && is("client_id", KnownProvider::CLIENT_ID) && is("client_secret", KnownProvider::CLIENT_SECRET)
            }
            Client::AppleToken { team, key_id, public_key } => {
                let token = form.get("client_secret").cloned().unwrap_or_default();
                let claims = verified_claims(&token, key_id, public_key);
                let lifetime = claims["exp"].as_i64().unwrap_or_default() - claims["iat"].as_i64().unwrap_or_default();
                authorization.is_none()
                    && is("client_id", KnownProvider::CLIENT_ID)
                    && claims["iss"] == *team
                    && claims["sub"] == KnownProvider::CLIENT_ID
                    && claims["aud"] == "https://appleid.apple.com"
                    && claims["iat"].as_i64().is_some_and(|issued| issued <= now)
                    && (1..=15_777_000).contains(&lifetime)
            }
        }
    }

    fn token(&self, headers: &HeaderMap, body: &[u8]) -> Response {
        let form: HashMap<_, _> = parse(body).into_owned().collect();
        let mut inner = self.inner.lock().unwrap();
        let now = inner.clock.as_ref().expect("the provider follows the app's clock").seconds();
        if !self.knows_client(headers, &form, now) || self.quirks.challenge == Challenge::Refused && form.contains_key("code_verifier") {
            return self.refuse("invalid_client");
        }
        let request = match form["grant_type"].as_str() {
            "authorization_code" => {
                let Some(request) = inner.codes.remove(&form["code"]) else { return self.refuse("invalid_grant") };
                let challenge = form.get("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
                if request.get("code_challenge") != challenge.as_ref() || form["redirect_uri"] != request["redirect_uri"] {
                    return self.refuse("invalid_grant");
                }
                request
            }
            "refresh_token" => {
                let Some(index) = inner.refresh_tokens.iter().position(|token| *token == form["refresh_token"]) else {
                    return self.refuse("invalid_grant");
                };
                inner.refresh_tokens.remove(index);
                HashMap::new()
            }
            _ => return self.refuse("unsupported_grant_type"),
        };
        inner.issued += 1;
        let access_token = format!("sentinel-access-{}", inner.issued);
        let refresh_token = format!("sentinel-refresh-{}", inner.issued);
        let mut tokens =
            json!({ "token_type": "Bearer", "expires_in": 3600, "access_token": access_token, "refresh_token": refresh_token });
        if !self.quirks.claims.is_null() {
            let mut claims = json!({
                "iss": self.quirks.issuer.replace("{origin}", &self.origin), "sub": KnownProvider::SUB, "aud": KnownProvider::CLIENT_ID,
                "iat": now, "exp": now + 3600,
            });
            if let Some(nonce) = request.get("nonce").filter(|_| self.quirks.returns_nonce) {
                claims["nonce"] = nonce.as_str().into();
            }
            let claims = self.with(self.with(claims, &self.quirks.claims), &Value::from(inner.claims.clone()));
            tokens["id_token"] = self.key.sign(&self.key.header(), &claims).into();
        }
        inner.refresh_tokens.push(refresh_token);
        Json(self.with(tokens, &self.quirks.tokens)).into_response()
    }

    fn userinfo(&self, headers: &HeaderMap) -> Response {
        let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap()).unwrap_or_default();
        if !authorization.starts_with("Bearer sentinel-access-") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        Json(self.with(json!({}), &self.quirks.user)).into_response()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let (path, quirks) = (uri.path(), &shared.quirks);
    if method == Method::GET && quirks.metadata == Some(path) {
        Json(shared.metadata()).into_response()
    } else if method == Method::GET && path == "/keys" {
        Json(json!({ "keys": [shared.with(shared.key.public(), &quirks.key_members)] })).into_response()
    } else if method == Method::POST && path == quirks.token {
        shared.token(&headers, &body)
    } else if method == Method::GET && path == quirks.userinfo {
        shared.userinfo(&headers)
    } else if method == Method::POST && path == quirks.revocation {
        StatusCode::OK.into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

/// The claims of a token with a good ES256 signature of that key; null otherwise.
fn verified_claims(token: &str, key_id: &str, public_key: &[u8]) -> Value {
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let verify = || {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header = read(header)?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public_key);
        key.verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        read(claims).filter(|_| header["alg"] == "ES256" && header["kid"] == key_id)
    };
    verify().unwrap_or_default()
}
