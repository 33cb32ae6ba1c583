//! The login itself: from the click to the session, or to the page that says why there is none.

use super::{
    BrowserId, Draft, Named, Recorder, Sent, current, known_browser, microseconds, redaction,
    verdict::{self, IdTokenTraits, passed},
};
use crate::{
    error::Failure,
    login,
    provider::{ProviderError, Registered},
    session::{NewSession, cookie::Presented, record::SessionId},
    state::AppState,
};
use axum::{
    http::{HeaderMap, HeaderValue, Method, header},
    response::{IntoResponse as _, Response},
};
use oauth2flow_app::{
    flow::{Check, CheckName, CheckOutcome, LoginFailure, LoginOutcome, MessageName, ParameterValue, Place, RecordedLogin, SkipReason},
    problem::ProblemCode,
};
use oauth2flow_protocol::{
    IdToken, ProviderMetadata, ReturnTo, TokenResponse, User, ValidatedCallback, ValidatedIdToken,
    authorize::transaction_id_of_state,
    callback::CallbackError,
    id_token::{IdTokenError, IdTokenExpectations},
    par::ParError,
    provider::ProviderKind,
    token::TokenError,
    userinfo::UserInfoError,
};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use url::Url;

/// How many entries of a list in the metadata are kept.
const MAXIMUM_LIST: usize = 64;

/// A login that has begun to be recorded.
pub struct Begun {
    recorder: Recorder,
    browser: BrowserId,
}

/// Begins the recording of a login, where logins are recorded.
pub fn begin(app: &AppState, headers: &HeaderMap, registered: &Registered, query: &str, return_to: &ReturnTo) -> Option<Begun> {
    let recordings = app.flow.as_ref()?;
    let browser = recordings.browser(app.cookies, headers);
    let provider = &registered.provider;
    let id = crate::entropy::random::<8>(&*app.entropy).iter().fold(String::new(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    });
    let recorder = recordings.begin(
        browser.key,
        RecordedLogin {
            id,
            provider: provider.id.clone(),
            provider_name: provider.name.clone(),
            started_at: app.clock.now().to_string(),
            outcome: LoginOutcome::Running,
            messages: Vec::new(),
            dropped_messages: 0,
            id_token: None,
            metadata: None,
        },
    );
    let mut parameters = Draft::default();
    parameters.add_form(Place::Query, query.as_bytes());
    let method = Some(Method::GET.to_string());
    let address = Some(format!("{}/api/v1/oauth/login", app.config.server.public_url.origin()));
    recorder.message(Sent { method, address, parameters, ..Sent::new(MessageName::LoginRequest) });
    recorder.judged(MessageName::LoginRequest, vec![passed(CheckName::LoginRequestOrigin), judge_return_to(query, return_to)]);
    Some(Begun { recorder, browser })
}

/// A `return_to` that leads elsewhere is not followed: the login ends at the home page.
fn judge_return_to(query: &str, return_to: &ReturnTo) -> Check {
    let wanted = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "return_to").map(|(_, value)| value);
    let outcome = match wanted {
        None => CheckOutcome::Skipped(SkipReason::NotSent),
        Some(wanted) if wanted != "/" && *return_to == ReturnTo::default() => CheckOutcome::Failed {
            code: "return_to_unsafe".to_owned(),
            reason: "It is no path of this origin, so the login ends at the home page.".to_owned(),
        },
        Some(_) => CheckOutcome::Passed,
    };
    Check { name: CheckName::ReturnTo, outcome }
}

impl Begun {
    /// What records the login.
    pub fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Ends the first part of the login: the browser is on its way, or there is nowhere to go. Either way it learns which one it is.
    pub fn sent(self, sent: Result<Response, Failure>) -> Response {
        if let Err(failure) = &sent {
            self.recorder.refused(failure);
        }
        let mut response = sent.unwrap_or_else(Failure::into_response);
        if let Some(set_cookie) = self.browser.set_cookie {
            response.headers_mut().append(header::SET_COOKIE, set_cookie);
        }
        response
    }
}

/// What the provider says about itself, as the login goes by it.
pub(crate) fn metadata(metadata: &ProviderMetadata) {
    let Some(recorder) = current() else { return };
    let url = |url: &Option<Url>| url.as_ref().map_or(Value::Null, |url| url.as_str().into());
    let list = |list: &[String]| Value::from(list.iter().take(MAXIMUM_LIST).map(String::as_str).collect::<Vec<_>>());
    let mut shown = json!({
        "issuer": metadata.issuer,
        "authorization_endpoint": metadata.authorization_endpoint.as_str(),
        "token_endpoint": metadata.token_endpoint.as_str(),
        "jwks_uri": url(&metadata.jwks_uri),
        "userinfo_endpoint": url(&metadata.userinfo_endpoint),
        "revocation_endpoint": url(&metadata.revocation_endpoint),
        "end_session_endpoint": url(&metadata.end_session_endpoint),
        "pushed_authorization_request_endpoint": url(&metadata.pushed_authorization_request_endpoint),
        "require_pushed_authorization_requests": metadata.require_pushed_authorization_requests,
        "authorization_response_iss_parameter_supported": metadata.iss_parameter_supported,
        "backchannel_logout_supported": metadata.backchannel_logout_supported,
        "response_modes_supported": list(&metadata.response_modes),
        "code_challenge_methods_supported": list(&metadata.code_challenge_methods),
        "token_endpoint_auth_methods_supported": list(&metadata.token_endpoint_auth_methods),
        "id_token_signing_alg_values_supported": list(&metadata.id_token_algorithms.iter().map(ToString::to_string).collect::<Vec<_>>()),
        "dpop_signing_alg_values_supported": list(&metadata.dpop_algorithms),
        "acr_values_supported": list(&metadata.acr_values_supported),
        "prompt_values_supported": list(&metadata.prompt_values_supported),
        "scopes_supported": list(&metadata.scopes_supported),
    });
    if let Value::Object(members) = &mut shown {
        members.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
        for value in members.values_mut() {
            shorten(value, &recorder);
        }
    }
    recorder.change(|recording, _| recording.login.metadata = Some(shown));
}

/// Shortens what a provider has written.
fn shorten(value: &mut Value, recorder: &Recorder) {
    match value {
        Value::String(text) => *text = redaction::text(text, &recorder.secrets()),
        Value::Array(values) => values.iter_mut().for_each(|value| shorten(value, recorder)),
        _ => {}
    }
}

/// What became of a pushed request.
pub(crate) fn pushed<T>(pushed: &Result<T, ParError>) {
    super::judged(MessageName::PushedAuthorizationResponse, || {
        verdict::verdicts([(CheckName::PushedAuthorization, None)], pushed.as_ref().err())
    });
}

/// The browser is sent to the provider.
pub(crate) fn redirected(location: &str, transaction: &str, set_cookie: &HeaderValue) {
    let Some(recorder) = current() else { return };
    // It was put together from an address, and is one.
    let Ok(location) = Url::parse(location) else { return };
    recorder.change(|recording, _| recording.transaction = Some(transaction.to_owned()));
    let mut parameters = Draft::default();
    add_cookie(&mut parameters, set_cookie);
    recorder.message(Sent { status: Some(303), parameters, ..Sent::new(MessageName::LoginRedirect) });
    let mut parameters = Draft::default();
    parameters.add_form(Place::Query, location.query().unwrap_or_default().as_bytes());
    let address = Some(redaction::address(&location, &recorder.secrets()));
    let method = Some(Method::GET.to_string());
    recorder.message(Sent { method, address, parameters, ..Sent::new(MessageName::AuthorizationRequest) });
    recorder.change(|recording, _| {
        // The challenge may have been pushed before.
        let is_s256 = |value: &ParameterValue| matches!(value, ParameterValue::Shown(method) if method == "S256");
        let mut parameters = recording.login.messages.iter().flat_map(|message| &message.parameters);
        let sent = parameters.any(|parameter| parameter.name == "code_challenge_method" && is_s256(&parameter.value));
        let outcome = if sent { CheckOutcome::Passed } else { CheckOutcome::Skipped(SkipReason::NotSupported) };
        if let Some(message) = recording.login.messages.last_mut() {
            message.checks = vec![passed(CheckName::AuthorizationRequest), Check { name: CheckName::Pkce, outcome }];
        }
    });
}

/// A cookie that is set: its value is a secret, what the browser may do with it is not.
fn add_cookie(parameters: &mut Draft, set_cookie: &HeaderValue) {
    let text = set_cookie.to_str().unwrap_or_default();
    let (pair, attributes) = text.split_once("; ").unwrap_or((text, ""));
    let value = pair.split_once('=').map_or("", |(_, value)| value);
    parameters.add_secret("set-cookie", Place::Cookie, value);
    parameters.add_shown("cookie_attributes", Place::Cookie, attributes);
}

/// The provider's answer has come, by the app's page (`method` is POST) or by a navigation: the recorder of the login that it belongs to.
///
/// That is the one which its state names, if the browser that brings it is the one which began it: by the cookie of the X-ray, or, where
/// a provider's page posts the answer and that cookie stays behind, by the login's own. An answer that belongs to no login of this browser
/// is recorded with the youngest one that waits for an answer: it is what that one has got.
pub fn arrived<N: AsRef<str>, V: AsRef<str>>(
    app: &AppState,
    headers: &HeaderMap,
    method: &Method,
    pairs: impl IntoIterator<Item = (N, V)>,
) -> Option<Recorder> {
    let recordings = app.flow.as_ref()?;
    let pairs: Vec<(N, V)> = pairs.into_iter().take(redaction::MAXIMUM_PARAMETERS).collect();
    let recorder = find(app, headers, state(&pairs).as_deref(), recordings)?;
    let sent = |name: MessageName, place: Place| {
        let mut parameters = Draft::default();
        for (name, value) in &pairs {
            parameters.add(name.as_ref(), place, value.as_ref());
        }
        Sent { parameters, ..Sent::new(name) }
    };
    recorder.authenticated();
    recorder.message(sent(MessageName::AuthorizationResponse, Place::Query));
    if *method == Method::POST {
        let address = Some(format!("{}/api/v1/oauth/code", app.config.server.public_url.origin()));
        recorder.message(Sent { method: Some(method.to_string()), address, ..sent(MessageName::CodeForwarded, Place::Body) });
        recorder.judged(MessageName::CodeForwarded, vec![passed(CheckName::CallbackOrigin)]);
    }
    Some(recorder)
}

/// The state of an answer; a signed one has it inside.
fn state<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> Option<String> {
    let value = |wanted: &str| pairs.iter().find(|(name, _)| name.as_ref() == wanted).map(|(_, value)| value.as_ref());
    match value("response") {
        Some(signed) => {
            let claims = signed.split('.').nth(1)?;
            let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).ok()?;
            serde_json::from_slice::<Map<String, Value>>(&claims).ok()?.get("state")?.as_str().map(str::to_owned)
        }
        None => value("state").map(str::to_owned),
    }
}

fn find(app: &AppState, headers: &HeaderMap, state: Option<&str>, recordings: &super::Recordings) -> Option<Recorder> {
    let browser = known_browser(app.cookies, headers);
    let transaction = state.map(transaction_id_of_state);
    let by_its_own_cookie = transaction.as_ref().is_some_and(|id| match app.cookies.transaction(headers, id) {
        Presented::Value(cookie) => login::open(app, id, cookie).is_some(),
        Presented::Absent | Presented::Ambiguous => false,
    });
    let of_transaction = recordings.find(|recording| {
        let is_of_browser = by_its_own_cookie || browser == Some(recording.browser);
        is_of_browser && transaction.is_some() && recording.transaction == transaction
    });
    let waits = |recording: &super::Recording| browser == Some(recording.browser) && recording.login.outcome == LoginOutcome::Running;
    of_transaction.or_else(|| recordings.find(waits))
}

impl Recorder {
    /// The user has been at the provider since the browser went there. What happened there nobody here can see.
    fn authenticated(&self) {
        let left = self.change(|recording, _| {
            let messages = &recording.login.messages;
            let is_known = messages.iter().any(|message| message.name == MessageName::Authentication);
            let left = messages.iter().find(|message| message.name == MessageName::AuthorizationRequest).filter(|_| !is_known)?;
            Some(left.at_microseconds)
        });
        let Some(Some(left)) = left else { return };
        let number = self.message(Sent::new(MessageName::Authentication));
        self.change(|recording, since| {
            if let Some(message) = recording.login.messages.iter_mut().find(|message| Some(message.number) == number) {
                message.at_microseconds = left;
                message.duration_microseconds = Some(microseconds(since).saturating_sub(left));
            }
        });
    }

    /// There is no session, and the browser is told why.
    pub fn refused(&self, failure: &Failure) {
        let mut parameters = Draft::default();
        parameters.add_shown("code", Place::Body, failure.code.code());
        parameters.add_shown("title", Place::Body, failure.code.explain().title);
        self.message(Sent { status: Some(failure.code.status()), parameters, ..Sent::new(MessageName::LoginRefused) });
        let detail = redaction::text(&failure.detail, &self.secrets());
        self.change(|recording, _| {
            let login = &mut recording.login;
            // A second answer to a login that has been finished takes nothing away from it.
            if login.outcome == LoginOutcome::SignedIn {
                return;
            }
            let has_failed = |check: &Check| matches!(check.outcome, CheckOutcome::Failed { .. }) && check.name != CheckName::ReturnTo;
            let is_answer = |message: &&oauth2flow_app::flow::Message| message.name == MessageName::LoginRefused;
            let guilty = login.messages.iter().rev().find(|message| message.error.is_some() || message.checks.iter().any(has_failed));
            let message = guilty.or_else(|| login.messages.iter().rev().find(|message| !is_answer(message)));
            login.outcome = LoginOutcome::Failed(LoginFailure {
                code: failure.code.code().to_owned(),
                title: failure.code.explain().title.to_owned(),
                detail,
                message: message.map_or(0, |message| message.number),
            });
        });
    }
}

/// The login has come to its end.
pub(crate) fn ended<T>(result: &Result<T, Failure>) {
    if let (Some(recorder), Err(failure)) = (current(), result) {
        recorder.refused(failure);
    }
}

/// An answer that cannot be read, or that says nothing of whose it is.
pub(crate) fn unreadable(recorder: Option<&Recorder>, error: &CallbackError) {
    if let Some(recorder) = recorder {
        recorder.judged(MessageName::CodeForwarded, verdict::verdicts(verdict::of_callback(false, None), Some(error)));
    }
}

/// This browser has no cookie of the login that the state names.
pub(crate) fn without_transaction() {
    super::judged(MessageName::CodeForwarded, || {
        let mut checks = verdict::verdicts::<CallbackError>(verdict::of_callback(false, None), None);
        verdict::fail(
            &mut checks,
            CheckName::LoginCookie,
            ProblemCode::StateMismatch.code(),
            "This browser has begun no login with this state, or has finished it, or began it more than ten minutes ago.",
        );
        checks
    });
}

/// The verdict on the authorization response, and whether it is used for the first time, if that was asked.
pub(crate) fn answered(signed: bool, validated: &Result<ValidatedCallback, CallbackError>, first_use: Option<bool>) {
    let Some(recorder) = current() else { return };
    let has_iss = recorder.change(|recording, _| {
        let response = recording.login.messages.iter().rev().find(|message| message.name == MessageName::AuthorizationResponse);
        response.is_some_and(|message| message.parameters.iter().any(|parameter| parameter.name == "iss"))
    });
    let iss = (!signed && has_iss != Some(true)).then_some(SkipReason::NotSent);
    let mut checks = verdict::verdicts(verdict::of_callback(signed, iss), validated.as_ref().err());
    let mut set = |outcome: CheckOutcome| {
        if let Some(check) = checks.iter_mut().find(|check| check.name == CheckName::FirstUse) {
            check.outcome = outcome;
        }
    };
    match first_use {
        None => set(CheckOutcome::NotReached),
        Some(true) => set(CheckOutcome::Passed),
        Some(false) => set(CheckOutcome::Failed {
            code: ProblemCode::AlreadyCompleted.code().to_owned(),
            reason: "An answer with this state has been used.".to_owned(),
        }),
    }
    recorder.judged(MessageName::CodeForwarded, checks);
}

/// The verdict on the token response.
pub(crate) fn tokens(registered: &Registered, tokens: &Result<TokenResponse, TokenError>) {
    super::judged(MessageName::TokenResponse, || {
        verdict::verdicts(verdict::of_tokens(matches!(registered.provider.kind, ProviderKind::OpenId { .. })), tokens.as_ref().err())
    });
}

/// The verdict on the ID token, which is taken apart to be looked at whether it holds or not.
pub(crate) fn id_token(
    raw: &IdToken,
    expectations: &IdTokenExpectations<'_>,
    judged: &Result<Result<ValidatedIdToken, IdTokenError>, ProviderError>,
) {
    let Some(recorder) = current() else { return };
    let holds = matches!(judged, Ok(Ok(_)));
    let decoded = redaction::decode(raw.expose(), holds, &mut recorder.secrets(), &recorder.shared.fingerprints);
    let (decoded, claims) = decoded.map_or((None, Map::new()), |(decoded, claims)| (Some(decoded), claims));
    let plan = verdict::of_id_token(IdTokenTraits {
        has_authorized_party: claims.contains_key("azp"),
        has_access_token_hash: claims.contains_key("at_hash"),
        demands_claims: !expectations.required_claims.is_empty(),
        asks_for_acr: !expectations.acr_values.is_empty(),
        asks_for_age: expectations.max_age.is_some(),
        sent_nonce: expectations.nonce.is_some(),
    });
    let checks = match judged {
        Ok(verdict) => verdict::verdicts(plan, verdict.as_ref().err()),
        Err(error) => verdict::verdicts(plan, Some(error)),
    };
    recorder.judged(MessageName::TokenResponse, checks);
    recorder.change(|recording, _| recording.login.id_token = decoded);
}

/// The verdict on the description of the user.
pub(crate) fn userinfo(signed: bool, user: &Result<User, UserInfoError>) {
    super::judged(MessageName::UserinfoResponse, || verdict::verdicts(verdict::of_userinfo(signed), user.as_ref().err()));
}

/// A rule keeps the user out.
pub(crate) fn kept_out(failure: &Failure) {
    super::judged(MessageName::UserinfoResponse, || {
        vec![Check {
            name: CheckName::AccessRule,
            outcome: CheckOutcome::Failed { code: failure.code.code().to_owned(), reason: failure.detail.to_string() },
        }]
    });
}

/// There is a session.
pub(crate) fn signed_in(app: &AppState, session: &SessionId, new: &NewSession) {
    let Some(recorder) = current() else { return };
    let mut parameters = Draft::default();
    add_cookie(&mut parameters, &app.cookies.set_session(&session.to_cookie()));
    recorder.message(Sent { status: Some(200), parameters, ..Sent::new(MessageName::SessionCreated) });
    recorder.judged(MessageName::SessionCreated, vec![passed(CheckName::AccessRule), passed(CheckName::SessionStored)]);
    recorder.change(|recording, _| {
        recording.session = Some(session.key());
        recording.named = Some(Named { issuer: new.issuer.clone(), sub: new.profile.user.sub.clone(), sid: new.sid.clone() });
        recording.login.outcome = LoginOutcome::SignedIn;
    });
}
