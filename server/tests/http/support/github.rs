//! GitHub, as its documentation says that it behaves.

use super::recording::{Received, Recording, Reply, socket};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use url::{
    Url,
    form_urlencoded::{Serializer, parse},
};

/// GitHub, in the shape of an Enterprise Server: pages at `/`, the API at `/api/v3`.
pub(crate) struct GitHubStandIn {
    shared: Arc<Shared>,
    pub(crate) recording: Recording,
}

struct Shared {
    origin: String,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    codes: HashMap<String, HashMap<String, String>>,
    tokens: Vec<String>,
    organizations: Vec<String>,
    teams: Vec<(String, String)>,
}

impl GitHubStandIn {
    pub(crate) const CLIENT_ID: &'static str = "Iv1.8a61f9b3a7aba766";
    pub(crate) const CLIENT_SECRET: &'static str = "sentinel-github-secret";
    pub(crate) const TOKEN_PATH: &'static str = "/login/oauth/access_token";
    pub(crate) const USER_PATH: &'static str = "/api/v3/user";
    pub(crate) const EMAILS_PATH: &'static str = "/api/v3/user/emails";
    pub(crate) const ORGANIZATIONS_PATH: &'static str = "/api/v3/user/orgs";
    pub(crate) const TEAMS_PATH: &'static str = "/api/v3/user/teams";
    /// How many entries a page has here, so that a few make several pages.
    const PAGE: usize = 2;

    pub(crate) async fn start() -> Self {
        let (listener, address) = socket();
        let shared = Arc::new(Shared { origin: format!("http://{address}"), inner: Mutex::default() });
        let recording = Recording::default();
        let router = Router::new()
            .route(Self::TOKEN_PATH, post(access_token))
            .route(Self::USER_PATH, get(user))
            .route(Self::EMAILS_PATH, get(emails))
            .route(Self::ORGANIZATIONS_PATH, get(organizations))
            .route(Self::TEAMS_PATH, get(teams))
            .route("/api/v3/applications/{client_id}/token", delete(revoke))
            .with_state(Arc::clone(&shared));
        recording.serve(listener, router).await;
        Self { shared, recording }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.shared.origin
    }

    pub(crate) fn revocation_path() -> String {
        format!("/api/v3/applications/{}/token", Self::CLIENT_ID)
    }

    /// Answers the token request with an error, as GitHub does.
    pub(crate) fn refuse_token(&self, error: &str) {
        self.recording.replace(Self::TOKEN_PATH, Reply::json(200, &json!({ "error": error, "error_description": "No." })));
    }

    /// The person allows it.
    pub(crate) fn authorize(&self, authorization_url: &Url) -> Url {
        assert!(authorization_url.as_str().starts_with(&format!("{}/login/oauth/authorize?", self.shared.origin)), "{authorization_url}");
        let parameters: HashMap<_, _> = authorization_url.query_pairs().into_owned().collect();
        assert_eq!(parameters["client_id"], Self::CLIENT_ID);
        let mut inner = self.shared.inner.lock().unwrap();
        let code = format!("code{}", inner.codes.len());
        let mut callback = Url::parse(&parameters["redirect_uri"]).unwrap();
        callback
            .query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &parameters["state"])
            .append_pair("iss", &format!("{}/login/oauth", self.shared.origin));
        inner.codes.insert(code, parameters);
        callback
    }

    /// The person is a member of these organisations and no others.
    pub(crate) fn set_organizations(&self, names: &[&str]) {
        self.shared.inner.lock().unwrap().organizations = names.iter().map(|name| (*name).to_owned()).collect();
    }

    /// The person is in these teams, each with its organisation, and no others.
    pub(crate) fn set_teams(&self, names: &[(&str, &str)]) {
        self.shared.inner.lock().unwrap().teams =
            names.iter().map(|(organization, team)| ((*organization).to_owned(), (*team).to_owned())).collect();
    }

    /// Whether an access token still works.
    pub(crate) fn accepts(&self, token: &str) -> bool {
        self.shared.inner.lock().unwrap().tokens.iter().any(|known| known == token)
    }

    pub(crate) fn tokens(&self) -> Vec<String> {
        self.shared.inner.lock().unwrap().tokens.clone()
    }

    pub(crate) fn only(&self, path: &str) -> Received {
        self.recording.only(path)
    }
}

/// Errors come with status 200, and everything as a form unless JSON is asked for.
async fn access_token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let form: HashMap<_, _> = parse(&body).into_owned().collect();
    let wants_json = headers.get(header::ACCEPT).is_some_and(|accept| accept.to_str().unwrap().contains("application/json"));
    let answer = |members: &[(&str, &str)]| {
        if wants_json {
            let members: serde_json::Map<_, _> = members.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
            Json(members).into_response()
        } else {
            let form = Serializer::new(String::new()).extend_pairs(members).finish();
            ([(header::CONTENT_TYPE, "application/x-www-form-urlencoded")], form).into_response()
        }
    };
    let is = |name: &str, value: &str| form.get(name).is_some_and(|found| found == value);
    if !is("client_id", GitHubStandIn::CLIENT_ID) || !is("client_secret", GitHubStandIn::CLIENT_SECRET) {
        return answer(&[("error", "incorrect_client_credentials")]);
    }
    let mut inner = shared.inner.lock().unwrap();
    let Some(request) = form.get("code").and_then(|code| inner.codes.remove(code)) else {
        return answer(&[("error", "bad_verification_code")]);
    };
    if !is("redirect_uri", &request["redirect_uri"]) {
        return answer(&[("error", "redirect_uri_mismatch")]);
    }
    let challenge = form.get("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())));
    if request.get("code_challenge") != challenge.as_ref() {
        return answer(&[("error", "bad_verification_code")]);
    }
    let token = format!("gho_sentinel{}", inner.tokens.len());
    inner.tokens.push(token.clone());
    let scope = request["scope"].replace(' ', ",");
    answer(&[("access_token", &token), ("scope", &scope), ("token_type", "bearer")])
}

/// The API demands a User-Agent and a token.
fn refuse_stranger(shared: &Shared, headers: &HeaderMap) -> Option<Response> {
    if headers.get(header::USER_AGENT).is_none_or(HeaderValue::is_empty) {
        return Some((StatusCode::FORBIDDEN, "Request forbidden by administrative rules.").into_response());
    }
    let authorization = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
    let known = shared.inner.lock().unwrap().tokens.iter().any(|known| known == token);
    (!known).then(|| (StatusCode::UNAUTHORIZED, Json(json!({ "message": "Bad credentials" }))).into_response())
}

async fn user(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let user = json!({
        "id": 583_231, "login": "alice", "name": "Alice Example", "email": null,
        "avatar_url": "https://avatars.githubusercontent.com/u/583231",
    });
    refuse_stranger(&shared, &headers).unwrap_or_else(|| Json(user).into_response())
}

async fn emails(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let emails = json!([
        { "email": "unverified@example.com", "primary": false, "verified": false },
        { "email": "other@example.com", "primary": false, "verified": true },
        { "email": "alice@example.com", "primary": true, "verified": true, "visibility": "private" },
    ]);
    refuse_stranger(&shared, &headers).unwrap_or_else(|| Json(emails).into_response())
}

async fn organizations(State(shared): State<Arc<Shared>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let all = shared.inner.lock().unwrap().organizations.iter().map(|name| json!({ "login": name, "id": 1 })).collect();
    refuse_stranger(&shared, &headers).unwrap_or_else(|| page(&shared, GitHubStandIn::ORGANIZATIONS_PATH, all, query.as_deref()))
}

async fn teams(State(shared): State<Arc<Shared>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let team = |(organization, slug): &(String, String)| json!({ "id": 1, "slug": slug, "name": "Any name", "organization": { "login": organization } });
    let all = shared.inner.lock().unwrap().teams.iter().map(team).collect();
    refuse_stranger(&shared, &headers).unwrap_or_else(|| page(&shared, GitHubStandIn::TEAMS_PATH, all, query.as_deref()))
}

/// One page of a list, with the addresses of others as GitHub gives them.
fn page(shared: &Shared, path: &str, all: Vec<Value>, query: Option<&str>) -> Response {
    let query: HashMap<_, _> = parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    assert_eq!(query["per_page"], "100");
    let number: usize = query.get("page").map_or(1, |page| page.parse().unwrap());
    let pages = all.len().div_ceil(GitHubStandIn::PAGE);
    let entries: Vec<_> = all.into_iter().skip((number - 1) * GitHubStandIn::PAGE).take(GitHubStandIn::PAGE).collect();
    let address = |number: usize| format!("<{}{path}?per_page=100&page={number}>", shared.origin);
    if number < pages {
        let link = format!("{}; rel=\"next\", {}; rel=\"last\"", address(number + 1), address(pages));
        return ([(header::LINK, link)], Json(entries)).into_response();
    }
    Json(entries).into_response()
}

async fn revoke(State(shared): State<Arc<Shared>>, Path(client_id): Path<String>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let expected = STANDARD.encode(format!("{}:{}", GitHubStandIn::CLIENT_ID, GitHubStandIn::CLIENT_SECRET));
    if headers.get(header::AUTHORIZATION).is_none_or(|value| *value != *format!("Basic {expected}")) {
        return StatusCode::UNAUTHORIZED;
    }
    if client_id != GitHubStandIn::CLIENT_ID || headers.get(header::USER_AGENT).is_none() {
        return StatusCode::FORBIDDEN;
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut inner = shared.inner.lock().unwrap();
    match inner.tokens.iter().position(|token| body["access_token"] == **token) {
        Some(index) => {
            inner.tokens.remove(index);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::NOT_FOUND,
    }
}
