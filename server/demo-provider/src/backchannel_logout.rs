//! Telling clients that a session has ended ([Back-Channel Logout](https://openid.net/specs/openid-connect-backchannel-1_0.html)).

use std::time::Duration;

use axum::{Json, extract::State, http::header};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    Defect, DemoProviderError, defect,
    failure::Failure,
    jwt::TokenType,
    state::{AppState, Provider},
    store::provider_session::EndedSession,
};

/// A person waits for this, so it does not take longer.
const TIME_LIMIT: Duration = Duration::from_secs(1);
/// How long a logout token is valid, in seconds.
const LOGOUT_TOKEN_SECONDS: i64 = 120;

/// The client for the posts: no redirects, no proxy, and a time limit.
#[expect(clippy::disallowed_methods, reason = "this is the crate's one place that makes an HTTP client; it keeps the limits")]
pub(crate) fn http_client() -> Result<reqwest::Client, DemoProviderError> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(TIME_LIMIT)
        .build()
        .map_err(DemoProviderError::HttpClient)
}

/// Posts a logout token to every client that was signed in to during the session, and returns what they answered. A client that
/// does not answer in time is not waited for: it learns of the end when it refreshes.
pub(crate) async fn notify(state: &Provider, ended: &EndedSession) -> Result<Vec<u16>, Failure> {
    let mut answers = Vec::new();
    let (Some(uri), Some(http_client)) = (&state.config.backchannel_logout_uri, &state.http_client) else { return Ok(answers) };
    for client_id in ended.client_ids.iter().filter(|client_id| **client_id == state.config.client_id) {
        let logout_token = logout_token(state, ended, client_id)?;
        let times = if state.config.defect == Some(Defect::LogoutReplayed) { 2 } else { 1 };
        for _ in 0..times {
            let body = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &logout_token).finish();
            let request = http_client.post(uri).header(header::CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded").body(body);
            match request.send().await {
                Ok(response) => {
                    let status = response.status();
                    answers.push(status.as_u16());
                    if status.is_success() {
                        tracing::debug!("a client heard that a session ended");
                    } else {
                        tracing::warn!(status = status.as_u16(), "a client refused a logout token");
                    }
                }
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "a client did not take a logout token"),
            }
        }
    }
    Ok(answers)
}

/// `POST /post-logout-tokens`: posts a logout token for every session, which goes on here, and returns what the client answered.
pub(crate) async fn post_logout_tokens(State(state): State<AppState>) -> Result<Json<Value>, Failure> {
    let mut answers = Vec::new();
    for session in state.store.client_sessions().await? {
        answers.extend(notify(&state, &session).await?);
    }
    Ok(Json(json!({ "answers": answers })))
}

/// A logout token ([§2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)); it has no nonce, so
/// that nobody takes it for an ID token.
fn logout_token(state: &Provider, ended: &EndedSession, client_id: &str) -> Result<String, Failure> {
    let now = state.now();
    let claims = json!({
        "iss": state.config.issuer,
        "aud": client_id,
        "iat": now,
        "exp": now + LOGOUT_TOKEN_SECONDS,
        "jti": state.identifier()?,
        "sub": ended.sub,
        "sid": ended.sid,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    match state.config.defect {
        Some(defect) => defect::logout_token::forge(defect, state, &*state.signing_key()?, claims),
        None => state.sign(TokenType::LogoutToken, &claims),
    }
}
