//! The wire types of `/api/v1`, shared with the server, and the calls the browser makes.
//!
//! This is the only module of the app that talks HTTP.

use gloo_net::http::{Request, Response};
use js_sys::Promise;
use leptos::prelude::window;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit};

use crate::{
    clock::unix_seconds_of_date,
    draft::Caller,
    flow::Flow,
    json,
    lab::{Experiment, LabRun},
    problem::ProblemCode,
    texts::{GENERAL_WORDS, mark},
};

/// Where the API lives.
pub const BASE: &str = "/api/v1";

/// The server's events about the session (server-sent events).
pub const SESSION_EVENTS: &str = "/api/v1/session/events";

/// The header that every state-changing and every proxied call carries
/// (RFC 10017 §6.1.3.3.2): a cross-site page cannot send it without a preflight.
pub const CSRF_HEADER: &str = "x-csrf";

/// A provider the user can sign in with: one element of `GET /oauth/providers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Provider {
    /// The provider's name in URLs, such as `github`.
    pub id: String,
    /// The name shown to people, such as `GitHub`.
    pub name: String,
    /// Which of the app's icons to show: `demo`, `openid`, `oauth`, or a known provider's, such as `github`.
    pub icon: String,
}

/// The answer of `GET /session`; it never holds a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(untagged, try_from = "SessionAnswer")]
pub enum Session {
    /// Somebody is signed in.
    SignedIn(Box<SignedIn>),
    /// Nobody is: `{"authenticated": false}`.
    Anonymous(Anonymous),
}

impl Session {
    /// The answer for a browser without a live session.
    pub fn anonymous() -> Self {
        Self::Anonymous(Anonymous::default())
    }

    /// The answer for a session that has ended without anybody having ended it.
    pub fn expired() -> Self {
        Self::Anonymous(Anonymous { expired: true, ..Anonymous::default() })
    }

    /// The answer for a session in whose place the same browser has begun another one.
    pub fn replaced() -> Self {
        Self::Anonymous(Anonymous { replaced: true, ..Anonymous::default() })
    }

    /// The signed-in half, if somebody is.
    pub fn signed_in(&self) -> Option<&SignedIn> {
        match self {
            Self::SignedIn(signed_in) => Some(signed_in),
            Self::Anonymous(_) => None,
        }
    }
}

/// `GET /session` as it is read: guessing which of the two answers it is would take much more code.
#[derive(Deserialize)]
struct SessionAnswer {
    authenticated: bool,
    #[serde(default)]
    expired: bool,
    #[serde(default)]
    replaced: bool,
    user: Option<User>,
    provider: Option<String>,
    scopes: Option<Vec<String>>,
    session: Option<SessionLifetime>,
    access_token: Option<AccessTokenLifetime>,
    authenticated_at: Option<String>,
    acr: Option<String>,
}

impl TryFrom<SessionAnswer> for Session {
    type Error = &'static str;

    fn try_from(answer: SessionAnswer) -> Result<Self, Self::Error> {
        if !answer.authenticated {
            return Ok(Self::Anonymous(Anonymous { authenticated: false, expired: answer.expired, replaced: answer.replaced }));
        }
        let SessionAnswer {
            user: Some(user),
            provider: Some(provider),
            scopes: Some(scopes),
            session: Some(session),
            access_token: Some(access_token),
            authenticated_at,
            acr,
            ..
        } = answer
        else {
            return Err("a session lacks a part");
        };
        Ok(Self::SignedIn(Box::new(SignedIn { authenticated: true, user, provider, scopes, session, access_token, authenticated_at, acr })))
    }
}

/// A browser without a live session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Anonymous {
    /// Always `false`.
    pub authenticated: bool,
    /// Whether there was a session that nobody has ended: its time ran out, or the provider withdrew it. Only in the event `signed_out`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub expired: bool,
    /// Whether this browser has signed in anew, which has given it another session. Only in the event `signed_out`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replaced: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks this way")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// A live session, as the browser may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// Always `true`.
    pub authenticated: bool,
    /// Who is signed in.
    pub user: User,
    /// The id of the provider that said so.
    pub provider: String,
    /// The scopes that the provider granted.
    pub scopes: Vec<String>,
    /// When the session ends.
    pub session: SessionLifetime,
    /// When the access token that the backend keeps ends.
    pub access_token: AccessTokenLifetime,
    /// When the user last proved to the provider who they are, RFC 3339 in UTC; absent when the provider did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_at: Option<String>,
    /// The authentication context class that the provider reported: how the user proved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
}

/// The person at the keyboard, as the provider describes them. The key is `sub`, never the e-mail address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct User {
    /// The provider's stable identifier of the user.
    pub sub: String,
    /// The name to greet the user by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user's login name at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The user's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the provider has verified the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The address of the user's picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// A session's lifetimes, RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionLifetime {
    /// When the user signed in.
    pub created_at: String,
    /// When the session ends unless it is used.
    pub idle_expires_at: String,
    /// When the session ends whatever happens.
    pub expires_at: String,
}

/// The access token's lifetime; the token itself stays in the backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AccessTokenLifetime {
    /// When the token ends, RFC 3339 in UTC; absent when the provider did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether the backend can renew it.
    pub refreshable: bool,
}

/// The body of `POST /oauth/code`: what the provider put into the redirect (RFC 6749 §4.1.2, RFC 9207 §2).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AuthorizationResponse {
    /// The one-time authorization code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The value that ties the answer to the login that this browser started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Who answers (RFC 9207).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// All of it in one signed token, instead of the others (JARM, `response_mode=jwt`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Why there is no code (RFC 6749 §4.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The provider's words about the error; only ever shown as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// A page about the error; never followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_uri: Option<String>,
}

/// The answer of `POST /oauth/code`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Completed {
    /// Who signed in.
    pub user: User,
    /// Where the user was going: a path of this origin, with its query and fragment.
    pub return_to: String,
}

/// The answer of `GET /sessions`: where the user is signed in, the youngest session first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionList {
    /// The user's sessions.
    pub sessions: Vec<SessionSummary>,
}

/// One of the user's sessions, in this browser or another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionSummary {
    /// What to call it when it is to end; no secret, and of no other use.
    pub id: String,
    /// The id of the provider that the user signed in with.
    pub provider: String,
    /// The browser in words, such as `Firefox`, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The system that it runs on, such as `Linux`, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The address that the user signed in from, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// When the user signed in, RFC 3339 in UTC.
    pub created_at: String,
    /// When the session was last used, to the minute, RFC 3339 in UTC.
    pub last_seen_at: String,
    /// Whether it is the session that asks.
    pub current: bool,
}

/// The body of `POST /oauth/logout`, which may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogOut {
    /// Whether every session of the user ends, in every browser.
    #[serde(default)]
    pub everywhere: bool,
}

/// The names of the events of `GET /session/events`.
pub mod session_event {
    /// The first event: the session as `GET /session` answers it.
    pub const SIGNED_IN: &str = "signed_in";
    /// The session has new tokens, or a later end than was announced; the data is as of [`SIGNED_IN`].
    pub const REFRESHED: &str = "refreshed";
    /// The session ends soon; the data is a [`SessionExpiring`](super::SessionExpiring).
    pub const EXPIRING: &str = "expiring";
    /// The session has ended, and so does the stream.
    pub const SIGNED_OUT: &str = "signed_out";
}

/// The data of the event `expiring`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionExpiring {
    /// When the session ends unless it is used before, if that still helps; RFC 3339 in UTC.
    pub expires_at: String,
}

/// The answer of `POST /oauth/logout`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LoggedOut {
    /// The provider's end-session address, where the browser goes next; absent when the provider has none.
    pub redirect_to: Option<String>,
}

/// `application/problem+json` (RFC 9457) as this API writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Problem {
    /// The page that documents the problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code: one of [`crate::problem::ProblemCode`].
    pub code: String,
    /// What happened this time.
    pub detail: String,
    /// The request's id, which every log line about it carries.
    pub request_id: String,
    /// The way on, where there is one: the page that the login was going to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
    /// The authentication context classes of which `step_up_required` wants one (RFC 9470 §3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// How many seconds ago the user may have signed in at the provider for `step_up_required` (RFC 9470 §3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// The sign-in that would satisfy `step_up_required`, that offers another account for `not_permitted`, or that would be another try of
    /// one that has failed, to which `&return_to=` may be added; absent when none here could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_url: Option<String>,
}

/// A note of the demo provider's notes API, reached through `/proxy/notes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The note's identifier.
    pub id: String,
    /// The note's text.
    pub text: String,
    /// When it was written, RFC 3339 in UTC.
    pub created_at: String,
}

impl Problem {
    /// A problem that the app itself has found.
    pub fn local(code: ProblemCode) -> Self {
        let explanation = code.explain();
        Self {
            kind: "about:blank".to_owned(),
            title: explanation.words.title().to_owned(),
            status: explanation.status,
            code: explanation.code.to_owned(),
            detail: String::new(),
            request_id: String::new(),
            return_to: None,
            acr_values: Vec::new(),
            max_age: None,
            login_url: None,
        }
    }

    /// What the problem says beyond the general words about its code.
    pub fn own_words(&self) -> Option<&str> {
        // The server says them in English, whatever the language of the page.
        Some(self.detail.as_str()).filter(|detail| !detail.is_empty() && !GENERAL_WORDS.contains(&mark(detail)))
    }

    /// Whether this is the problem with that code.
    pub fn is(&self, code: ProblemCode) -> bool {
        self.code == code.code()
    }
}

/// `GET /session`: who is signed in, and the server's time in seconds since 1970. To ask is to use the session, unless it says otherwise.
pub async fn session(prolongs: bool) -> Result<(Session, Option<i64>), Problem> {
    let response = send("GET", if prolongs { "/session" } else { "/session?prolong=false" }, None).await?;
    let server_time = response.headers().get("date").and_then(|date| unix_seconds_of_date(&date));
    Ok((read(response).await?, server_time))
}

/// `GET /oauth/providers`: the ways to sign in.
pub async fn providers() -> Result<Vec<Provider>, Problem> {
    read(send("GET", "/oauth/providers", None).await?).await
}

/// `POST /oauth/code`: hands in the provider's answer.
pub async fn complete(answer: &AuthorizationResponse) -> Result<Completed, Problem> {
    read(send("POST", "/oauth/code", Some(text_of(answer))).await?).await
}

/// `POST /oauth/code` with an answer that is void because something in it is repeated: a form, as it came in the address. Says what the
/// server says to that.
pub async fn hand_in_void(form: String) -> Problem {
    match send_as("POST", "/oauth/code", Some(("application/x-www-form-urlencoded", form))).await {
        Err(problem) => problem,
        // It is never taken.
        Ok(_) => Problem::local(ProblemCode::InvalidRequest),
    }
}

/// `POST /oauth/logout`: ends the session, or all of the user's.
pub async fn log_out(everywhere: bool) -> Result<LoggedOut, Problem> {
    read(send("POST", "/oauth/logout", everywhere.then(|| text_of(&LogOut { everywhere }))).await?).await
}

/// `GET /sessions`: where the user is signed in.
pub async fn sessions() -> Result<Vec<SessionSummary>, Problem> {
    read(send("GET", "/sessions", None).await?).await.map(|list: SessionList| list.sessions)
}

/// `POST /sessions/{id}/end`: ends one of them.
pub async fn end_session(id: &str) -> Result<(), Problem> {
    let mut path = String::from("/sessions/");
    crate::query::encode(id, &mut path);
    path.push_str("/end");
    send("POST", &path, None).await.map(drop)
}

/// `GET /flow`: the recorded logins of this browser.
pub async fn flow() -> Result<Flow, Problem> {
    read(send("GET", "/flow", None).await?).await
}

/// `DELETE /flow`: has the server forget them.
pub async fn forget_flow() -> Result<(), Problem> {
    send("DELETE", "/flow", None).await.map(drop)
}

/// `POST /lab/runs`: tries an attack in the sandbox.
pub async fn run_experiment(experiment: Experiment) -> Result<LabRun, Problem> {
    read(send("POST", "/lab/runs", Some(text_of(&experiment))).await?).await
}

/// `GET /pkg/texts/…`: what a part of the app says, if it can be had.
#[cfg(all(target_arch = "wasm32", not(feature = "ssr")))]
pub(crate) async fn text(address: &str) -> Option<String> {
    let request = web_sys::Request::new_with_str(address).ok()?;
    let response = Request::from(request).send().await.ok()?;
    if response.ok() { response.text().await.ok() } else { None }
}

/// `GET /proxy/notes`: the user's notes, from the API behind the proxy.
pub async fn notes() -> Result<Vec<Note>, Problem> {
    read(send("GET", "/proxy/notes", None).await?).await
}

/// `POST /proxy/notes`: writes a note.
pub async fn add_note(text: &str) -> Result<(), Problem> {
    send("POST", "/proxy/notes", Some(text_of(&NewNote { text }))).await.map(drop)
}

/// `DELETE /proxy/notes/{id}`: deletes a note.
pub async fn delete_note(id: &str) -> Result<(), Problem> {
    let mut path = String::from("/proxy/notes/");
    crate::query::encode(id, &mut path);
    send("DELETE", &path, None).await.map(drop)
}

/// The body of `POST /proxy/notes`.
#[derive(Serialize)]
struct NewNote<'a> {
    text: &'a str,
}

/// Calls an address below [`BASE`], such as `/proxy/orders/open`, with JSON there and back, and signs the user in again where that is
/// needed: the call then goes on, and where the page has to be left for it, what
/// [`CurrentSession::kept_as`](crate::session::CurrentSession::kept_as) has noted does.
///
/// # Errors
/// Whatever the server or the API behind it says; `unauthenticated` when the user does not want to sign in.
pub async fn fetch<T: DeserializeOwned>(
    caller: impl Into<Caller>,
    method: &str,
    path: &str,
    body: Option<&impl Serialize>,
) -> Result<T, Problem> {
    let body = match body {
        Some(body) => Some(json::write(body).ok_or_else(|| Problem::local(ProblemCode::InvalidRequest))?),
        None => None,
    };
    caller.into().keep_on(async || read(send(method, path, body.clone()).await?).await).await
}

/// Sends one request and makes every failure a [`Problem`]: the only place where this app touches the network.
///
/// A request is finished even when its page is left (`keepalive`): a sign-in that has been handed in is not lost.
async fn send(method: &str, path: &str, body: Option<String>) -> Result<Response, Problem> {
    send_as(method, path, body.map(|body| ("application/json", body))).await
}

/// The same with a body of another kind.
async fn send_as(method: &str, path: &str, body: Option<(&str, String)>) -> Result<Response, Problem> {
    let request = build(method, &[BASE, path].concat(), body).map_err(|_| unreachable())?;
    let response = Request::from(request).send().await.map_err(|_| unreachable())?;
    if response.ok() {
        return Ok(response);
    }
    let status = response.status();
    let text = response.text().await.map_err(|_| unreachable())?;
    Err(json::read(&text).unwrap_or_else(|| foreign_problem(path, status, &text)))
}

/// What to call a failure that this app's server has not written: that of an API behind the proxy, or of a gateway
/// before the server.
fn foreign_problem(path: &str, status: u16, text: &str) -> Problem {
    /// How APIs that speak OAuth tell what they did not like (RFC 6749 §5.2).
    #[derive(Deserialize)]
    struct Refusal {
        error_description: String,
    }
    let code = match status {
        400..=499 if path.starts_with("/proxy/") => ProblemCode::UpstreamRefused,
        401 => ProblemCode::Unauthenticated,
        404 => ProblemCode::NotFound,
        413 => ProblemCode::PayloadTooLarge,
        502..=504 => ProblemCode::ServerUnreachable,
        _ => ProblemCode::InternalError,
    };
    let detail = json::read(text).map(|refusal: Refusal| refusal.error_description).unwrap_or_default();
    Problem { status, detail, ..Problem::local(code) }
}

/// Browsers finish requests of pages that are gone only up to 64 KiB of all of them together, and refuse larger ones at once.
const KEPT_ALIVE_BYTES: usize = 16 * 1024;

fn build(method: &str, address: &str, body: Option<(&str, String)>) -> Result<web_sys::Request, JsValue> {
    let headers = Headers::new()?;
    headers.set("accept", "application/json, application/problem+json")?;
    headers.set(CSRF_HEADER, "1")?;
    let options = RequestInit::new();
    options.set_method(method);
    // The bindings have no setter for this one.
    let is_kept_alive = method != "GET" && body.as_ref().is_none_or(|(_, body)| body.len() <= KEPT_ALIVE_BYTES);
    js_sys::Reflect::set(&options, &"keepalive".into(), &is_kept_alive.into())?;
    if let Some((media_type, body)) = body {
        headers.set("content-type", media_type)?;
        options.set_body(&body.into());
    }
    options.set_headers(&headers);
    web_sys::Request::new_with_str_and_init(address, &options)
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Problem> {
    let text = response.text().await.map_err(|_| unreachable())?;
    // Whoever has nothing to say says nothing.
    let text = if text.is_empty() { "null" } else { &text };
    json::read(text).ok_or_else(|| Problem::local(ProblemCode::PageOutdated))
}

/// Why there is no answer.
fn unreachable() -> Problem {
    let is_online = window().navigator().on_line();
    Problem::local(if is_online { ProblemCode::ServerUnreachable } else { ProblemCode::Offline })
}

/// Waits until this device has a connection. Only for the browser.
pub(crate) async fn back_online() {
    if window().navigator().on_line() {
        return;
    }
    let mut listener = None;
    let back = Promise::new(&mut |done, _| {
        // A window listens to whatever it is given.
        let _ = window().add_event_listener_with_callback("online", &done);
        listener = Some(done);
    });
    // Such a promise is never rejected.
    let _ = JsFuture::from(back).await;
    if let Some(listener) = listener {
        let _ = window().remove_event_listener_with_callback("online", &listener);
    }
}

/// The bodies are made of strings alone, which JSON can always hold.
fn text_of(body: &impl Serialize) -> String {
    json::write(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Problem, Session, foreign_problem};
    use crate::problem::ProblemCode;

    #[test]
    fn an_api_behind_the_proxy_says_in_its_own_words_what_it_did_not_like() {
        let problem = foreign_problem("/proxy/notes", 409, r#"{"error":"too_many","error_description":"There are too many notes."}"#);
        assert_eq!((problem.status, problem.detail.as_str()), (409, "There are too many notes."));
        assert!(problem.is(ProblemCode::UpstreamRefused));
    }

    #[test]
    fn a_session_is_read_as_it_is_written() {
        let anonymous = r#"{"authenticated":false}"#;
        let signed_in = concat!(
            r#"{"authenticated":true,"user":{"sub":"a1","name":"Alice"},"provider":"demo","scopes":["openid"],"#,
            r#""session":{"created_at":"a","idle_expires_at":"b","expires_at":"c"},"access_token":{"refreshable":true}}"#
        );
        for text in [anonymous, signed_in] {
            let session: Session = serde_json::from_str(text).unwrap();
            assert_eq!(session.signed_in().is_some(), text == signed_in);
            assert_eq!(serde_json::to_string(&session).unwrap(), text);
        }
        assert!(serde_json::from_str::<Session>(r#"{"authenticated":true}"#).is_err());
    }

    #[test]
    fn a_detail_that_only_repeats_the_general_words_is_not_said_twice() {
        let problem = Problem { detail: ProblemCode::NotFound.explain().why.to_owned(), ..Problem::local(ProblemCode::NotFound) };
        assert_eq!(problem.own_words(), None);
        assert_eq!(Problem { detail: "No <b>".to_owned(), ..problem }.own_words(), Some("No <b>"));
    }

    #[test]
    fn a_gateway_that_answers_with_a_page_is_told_by_its_status() {
        let expected = Problem { status: 502, ..Problem::local(ProblemCode::ServerUnreachable) };
        assert_eq!(foreign_problem("/session", 502, "<html>Bad Gateway</html>"), expected);
        assert!(foreign_problem("/session", 401, "").is(ProblemCode::Unauthenticated));
    }
}
