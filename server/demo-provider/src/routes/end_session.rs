//! The end-session endpoint ([RP-Initiated Logout](https://openid.net/specs/openid-connect-rpinitiated-1_0.html)).

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use serde::Deserialize;

use super::authorize::current_session;
use crate::{
    Defect,
    accounts::Account,
    authorization_response::{redirect, with_parameters},
    backchannel_logout, csrf,
    failure::Failure,
    form,
    jwt::TokenType,
    pages::{PageError, end_session::EndSessionPage, notice::Notice},
    parameters::Parameters,
    state::{AppState, Provider},
    visitor::{self, Visitor},
};

const PURPOSE: &str = "end session";

/// What is read of an ID token that comes back as a hint. It may have expired: it is no credential.
#[derive(Debug, Deserialize)]
pub(crate) struct IdTokenHint {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: String,
    pub(crate) sid: String,
}

/// A logout as it was asked for.
struct EndSessionRequest<'parameters> {
    id_token_hint: Option<IdTokenHint>,
    post_logout_redirect_uri: Option<&'parameters str>,
    state: Option<&'parameters str>,
}

impl<'parameters> EndSessionRequest<'parameters> {
    /// Checks, in this order: no parameter comes twice; the client is ours; the redirect URI is registered, character by
    /// character. A hint that does not hold counts as none.
    fn parse(parameters: &'parameters Parameters, state: &Provider) -> Result<Self, PageError> {
        let refused = |reason| {
            PageError::from(
                Notice::new("This sign-out cannot go on").text(reason).client(&state.config).with_status(StatusCode::BAD_REQUEST),
            )
        };
        if parameters.any_repeated() {
            return Err(refused("A parameter is there more than once."));
        }
        if parameters.get("client_id").is_some_and(|client_id| client_id != state.config.client_id) {
            return Err(refused("The request does not name a client that this provider knows."));
        }
        let post_logout_redirect_uri = parameters.get("post_logout_redirect_uri");
        if let Some(uri) = post_logout_redirect_uri
            && !state.config.post_logout_redirect_uris.iter().any(|registered| registered == uri)
        {
            return Err(refused("The address to return to is not one that the app has registered."));
        }
        let id_token_hint = parameters
            .get("id_token_hint")
            .and_then(|hint| state.verify::<IdTokenHint>(TokenType::IdToken, hint))
            .filter(|hint| hint.iss == state.config.issuer && hint.aud == state.config.client_id);
        Ok(Self { id_token_hint, post_logout_redirect_uri, state: parameters.get("state") })
    }
}

/// Ends the session at once when the hint shows that it is the user's own client who asks; else asks the user.
pub(crate) async fn get(
    method: Method,
    State(state): State<AppState>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    // A HEAD request must not sign anybody out.
    if method == Method::HEAD {
        return Err(PageError::status(StatusCode::METHOD_NOT_ALLOWED));
    }
    let parameters = Parameters::parse(&query.unwrap_or_default());
    let request = EndSessionRequest::parse(&parameters, &state)?;
    let session = current_session(&state, &visitor).await?;
    match (session, &request.id_token_hint) {
        (Some(session), Some(hint)) if hint.sub == session.sub => {
            // The hint may name an earlier session of the same person.
            let (this, earlier) = tokio::join!(end(&state, &session.sid), end(&state, &hint.sid));
            this.and(earlier)?;
        }
        (Some(session), _) => {
            let browser = visitor.browser.map_or_else(|| state.secret(), Ok)?;
            let page = EndSessionPage {
                account: Account::of(&session.sub),
                csrf: &csrf::token(&browser, PURPOSE, &session.sid),
                post_logout_redirect_uri: request.post_logout_redirect_uri,
                state: request.state,
                client_home: state.config.client_home(),
                base: state.config.base_path(),
            };
            let mut response = page.response();
            visitor::remember_browser(&mut response, &state.config, &browser);
            return Ok(response);
        }
        (None, Some(hint)) => end(&state, &hint.sid).await?,
        (None, None) => {}
    }
    Ok(signed_out(&state, &request))
}

/// A request in a form is the same request. A cross-site form brings no cookies, the redirect that follows does.
pub(crate) async fn post(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Result<Response, PageError> {
    if form::read(&headers, &body).is_none() {
        return Err(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(url::form_urlencoded::parse(&body)).finish();
    Ok(redirect(state.path(&format!("/logout?{query}"))))
}

/// Ends the session because the user said so.
pub(crate) async fn confirm(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    let parameters = form::read(&headers, &body).ok_or(PageError::status(StatusCode::UNSUPPORTED_MEDIA_TYPE))?;
    let request = EndSessionRequest::parse(&parameters, &state)?;
    if let Some(session) = current_session(&state, &visitor).await? {
        let browser = visitor.browser.as_deref().unwrap_or_default();
        if browser.is_empty() || !csrf::verify(parameters.get("csrf"), browser, PURPOSE, &session.sid) {
            return Err(PageError::status(StatusCode::FORBIDDEN));
        }
        end(&state, &session.sid).await?;
    }
    Ok(signed_out(&state, &request))
}

async fn end(state: &Provider, sid: &str) -> Result<(), Failure> {
    if let Some(ended) = state.store.end_session(sid).await? {
        backchannel_logout::notify(state, &ended).await?;
    }
    Ok(())
}

fn signed_out(state: &Provider, request: &EndSessionRequest<'_>) -> Response {
    let mut response = match request.post_logout_redirect_uri {
        Some(uri) => {
            let state_of_client = match state.config.defect {
                Some(Defect::LogoutStateOther) => Some("another"),
                Some(Defect::LogoutStateMissing) => None,
                _ => request.state,
            };
            redirect(with_parameters(uri, &[("state", state_of_client)]))
        }
        None => Notice::new("You are signed out")
            .text("The demo provider has forgotten that you were signed in.")
            .client(&state.config)
            .response(StatusCode::OK),
    };
    visitor::forget_session(&mut response, &state.config);
    response
}
