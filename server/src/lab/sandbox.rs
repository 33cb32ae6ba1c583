//! The provider of an experiment, the two people who have an account there, and the attacker's server.
//!
//! The provider is the demo provider, by value: requests are handed to its routes. There is no socket, so nobody else can get in, and
//! nothing here can get out.

use super::{
    LabError, Surroundings,
    app::Defences,
    trace::{Said, Trace},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use oauth2flow_app::{
    flow::Place,
    lab::{LabMessageName, LabParty},
};
use oauth2flow_demo_provider::{Clock as ProviderClock, DemoProvider, DemoProviderConfig, Offer, SigningAlgorithm};
use oauth2flow_protocol::{OutboundRequest, OutboundResponse};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};
use tower_service::Service as _;
use url::{Position, Url};

/// What the issuer of a sandbox has behind that of the demo provider.
pub(super) const PATH: &str = "/lab";
/// Where the attacker's server is. Nobody has ever been there.
pub(super) const ATTACKER: &str = "https://attacker.example";

/// The app's registration at the provider.
pub(super) const CLIENT_ID: &str = "lab-app";
/// The demo provider shows it on its form.
const PASSWORD: &str = "demo";
/// No answer of the demo provider is larger.
const MAXIMUM_ANSWER_BYTES: usize = 256 * 1024;
/// How many pages and redirects there can be on the way through the provider.
const MAXIMUM_HOPS: usize = 8;

/// The provider of one experiment.
pub(super) struct Sandbox {
    pub(super) surroundings: Surroundings,
    pub(super) client_secret: String,
    routes: Router,
}

/// A browser, and the person in front of it.
pub(super) struct Browser {
    pub(super) party: LabParty,
    pub(super) person: &'static str,
    user_name: &'static str,
    cookies_of_provider: BTreeMap<String, String>,
    /// The app's cookie of a login that it has begun.
    pub(super) login: Option<String>,
    /// The app's session cookie.
    pub(super) session: Option<String>,
}

impl Browser {
    /// The victim's.
    pub(super) const fn of_alice() -> Self {
        Self::of(LabParty::Victim, "Alice Example", "alice")
    }

    /// The attacker's.
    pub(super) const fn of_bob() -> Self {
        Self::of(LabParty::Attacker, "Bob Example", "bob")
    }

    const fn of(party: LabParty, person: &'static str, user_name: &'static str) -> Self {
        Self { party, person, user_name, cookies_of_provider: BTreeMap::new(), login: None, session: None }
    }

    /// Takes the cookies of an answer of the provider.
    fn remember(&mut self, headers: &HeaderMap) {
        for set in headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            if let Some((name, value)) = set.split(';').next().and_then(|pair| pair.split_once('=')) {
                self.cookies_of_provider.insert(name.trim().to_owned(), value.to_owned());
            }
        }
    }

    /// What it sends to the provider.
    fn cookie_header(&self) -> String {
        self.cookies_of_provider.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

/// What the provider has answered.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Sandbox {
    /// Opens a provider for one experiment, with one client.
    pub(super) async fn open(surroundings: &Surroundings, defences: &Defences) -> Result<Self, LabError> {
        let client_secret = secret(surroundings);
        let clock = Arc::clone(&surroundings.clock);
        let provider = DemoProvider::open(DemoProviderConfig {
            client_name: "the sandbox".to_owned(),
            redirect_uris: vec![super::app::CALLBACK.to_owned()],
            pkce: if defences.pkce { Offer::Required } else { Offer::Available },
            signing_algorithm: SigningAlgorithm::Es256,
            clock: ProviderClock::new(move || clock.now().as_second()),
            ..DemoProviderConfig::new(&surroundings.issuer, CLIENT_ID, &client_secret)
        })
        .await?;
        Ok(Self { surroundings: surroundings.clone(), client_secret, routes: Router::new().nest(PATH, provider.router()) })
    }

    /// Something that nobody can guess.
    pub(super) fn secret(&self) -> String {
        secret(&self.surroundings)
    }

    /// Whether an address is the provider's.
    pub(super) fn owns(&self, url: &Url) -> bool {
        let path = url.as_str().strip_prefix(&self.surroundings.issuer);
        path.is_some_and(|path| path.is_empty() || path.starts_with(['/', '?']))
    }

    /// Brings a request of the app's to whom it is for.
    pub(super) async fn deliver(&self, request: &OutboundRequest) -> Result<OutboundResponse, LabError> {
        if request.url.as_str().starts_with(&format!("{ATTACKER}/")) {
            return Ok(answer_of_attacker());
        }
        let mut built = Request::builder().method(request.method.as_str());
        for (name, value) in &request.headers {
            built = built.header(*name, value);
        }
        let answer = self.send(&request.url, built.body(Body::from(request.body.clone().unwrap_or_default()))?).await?;
        Ok(OutboundResponse {
            status: answer.status.as_u16(),
            content_type: answer.header("content-type").map(str::to_owned),
            dpop_nonce: None,
            link: None,
            body: answer.body.to_vec(),
        })
    }

    /// Goes where the app has sent the browser, signs in and agrees, and answers the address to which the provider sends it back.
    pub(super) async fn authorize(&self, trace: &mut Trace, browser: &mut Browser, url: &Url) -> Result<Url, LabError> {
        trace.note(Said::new(LabMessageName::AuthorizationRequest, browser.party, LabParty::Provider).get(url));
        let callback = self.through_the_pages(browser, url).await?;
        let signed_in = Said::new(LabMessageName::Authentication, browser.party, LabParty::Provider);
        trace.note(signed_in.says("user", Place::Body, browser.person));
        trace.note(Said::new(LabMessageName::AuthorizationResponse, LabParty::Provider, browser.party).about(&callback).answer(303));
        Ok(callback)
    }

    async fn through_the_pages(&self, browser: &mut Browser, url: &Url) -> Result<Url, LabError> {
        let mut url = url.clone();
        let mut form: Option<String> = None;
        for _ in 0..MAXIMUM_HOPS {
            let request = Request::builder().header(header::COOKIE, browser.cookie_header());
            let request = match form.take() {
                Some(form) => request.method("POST").header(header::CONTENT_TYPE, FORM).body(Body::from(form))?,
                None => request.method("GET").body(Body::empty())?,
            };
            let answer = self.send(&url, request).await?;
            browser.remember(&answer.headers);
            if let Some(location) = answer.header("location") {
                url = url.join(location)?;
                if self.owns(&url) {
                    continue;
                }
                return Ok(url);
            }
            let page = String::from_utf8_lossy(&answer.body);
            let (Some(action), Some(transaction), Some(csrf)) = (
                between(&page, r#"<form method="post" action=""#),
                between(&page, r#"name="transaction" value=""#),
                between(&page, r#"name="csrf" value=""#),
            ) else {
                return Err(LabError::Unexpected("the provider shows no form"));
            };
            let mut fields = url::form_urlencoded::Serializer::new(String::new());
            fields.append_pair("transaction", transaction).append_pair("csrf", csrf);
            if action.ends_with("/login") {
                fields.append_pair("username", browser.user_name).append_pair("password", PASSWORD);
            } else {
                fields.append_pair("decision", "allow");
            }
            form = Some(fields.finish());
            url = url.join(action)?;
        }
        Err(LabError::Unexpected("the provider does not come to an end"))
    }

    /// Hands a request to the provider: there is nobody else to hand it to.
    async fn send(&self, url: &Url, mut request: Request<Body>) -> Result<Answer, LabError> {
        if !self.owns(url) {
            return Err(LabError::OutOfBounds);
        }
        *request.uri_mut() = url[Position::BeforePath..Position::AfterQuery].parse().map_err(http::Error::from)?;
        let Ok(response) = self.routes.clone().call(request).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, MAXIMUM_ANSWER_BYTES).await;
        let body = body.map_err(|_| LabError::Unexpected("the provider's answer does not end"))?;
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// What the attacker's server answers whoever brings it a code: it has what it wants.
fn answer_of_attacker() -> OutboundResponse {
    let body = json!({ "error": "invalid_grant", "error_description": "Please try again." });
    OutboundResponse {
        status: 400,
        content_type: Some("application/json".to_owned()),
        dpop_nonce: None,
        link: None,
        body: body.to_string().into_bytes(),
    }
}

/// What the attacker's server publishes about itself: nothing is wrong with it.
pub(super) fn metadata_of_attacker() -> OutboundResponse {
    let body = json!({
        "issuer": ATTACKER,
        "authorization_endpoint": format!("{ATTACKER}/authorize"),
        "token_endpoint": format!("{ATTACKER}/token"),
        "jwks_uri": format!("{ATTACKER}/jwks"),
        "id_token_signing_alg_values_supported": ["ES256"],
    });
    OutboundResponse {
        status: 200,
        content_type: Some("application/json".to_owned()),
        dpop_nonce: None,
        link: None,
        body: body.to_string().into_bytes(),
    }
}

fn secret(surroundings: &Surroundings) -> String {
    URL_SAFE_NO_PAD.encode(crate::entropy::random::<32>(&*surroundings.entropy))
}

/// What stands in a page between this and the next quotation mark.
fn between<'page>(page: &'page str, before: &str) -> Option<&'page str> {
    page.split_once(before)?.1.split('"').next()
}
