//! `POST /oauth/backchannel-logout/{provider}`: the provider ends a session
//! ([Back-Channel Logout §2.8](https://openid.net/specs/openid-connect-backchannel-1_0.html#BCActions)).

use crate::{
    body,
    error::Failure,
    flow,
    middleware::csrf::is_form,
    provider::Registered,
    session::{record::Key, store::NamedSessions},
    state::AppState,
};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use jiff::SignedDuration;
use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::logout_token::{self, LogoutTokenError, LogoutTokenExpectations, ValidatedLogoutToken};

/// How long a logout token's id is remembered past the token's own end.
const REPLAY_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// Ends the sessions that a logout token names. It comes from the provider, not from a browser: the token's signature
/// is the proof, so neither cookie nor CSRF header is asked for.
#[utoipa::path(post, path = "/api/v1/oauth/backchannel-logout/{provider}", operation_id = "backchannel_logout", tag = "session",
    params(("provider" = String, Path, description = "The provider's id")),
    responses(
        (status = 200, description = "The sessions have ended, or there were none"),
        (status = 400, description = "`invalid_request`: the logout token does not hold", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`unknown_provider`", body = oauth2flow_app::api::Problem)))]
pub async fn handler(
    State(app): State<AppState>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    request_body: Body,
) -> Result<StatusCode, Failure> {
    let registered = app.providers.get(&provider).ok_or(ProblemCode::UnknownProvider)?;
    if !is_form(&headers) {
        return Err(ProblemCode::UnsupportedMediaType.into());
    }
    let form = body::read(request_body).await?;
    let mut tokens = url::form_urlencoded::parse(&form).filter(|(name, _)| name == "logout_token");
    let (Some((_, raw)), None) = (tokens.next(), tokens.next()) else {
        return Err(Failure::new(ProblemCode::InvalidRequest).detail("There has to be one logout_token."));
    };
    let token = validate(&app, registered, &raw).await?;
    let remembered_until = token.expires_at.saturating_add(REPLAY_MARGIN).unwrap_or(token.expires_at);
    let named = NamedSessions { issuer: &token.issuer, sub: token.subject.as_deref(), sid: token.session_id.as_deref() };
    let claim = Key::of_claim(&format!("logout token of {}", token.issuer), &token.token_id);
    let Some(ended) = app.sessions.store().remove_named(named, claim, remembered_until).await? else {
        return Err(Failure::new(ProblemCode::InvalidRequest).detail("This logout token has been used."));
    };
    flow::session::ended_by_provider(&app, &raw, &token.issuer, token.subject.as_deref(), token.session_id.as_deref());
    tracing::info!(provider, ended, "signed out by the provider");
    Ok(StatusCode::OK)
}

async fn validate(app: &AppState, registered: &Registered, raw: &str) -> Result<ValidatedLogoutToken, Failure> {
    let metadata = registered.metadata().await?;
    let Some(expectations) = LogoutTokenExpectations::new(&registered.provider, &metadata, app.clock.now()) else {
        return Err(Failure::new(ProblemCode::InvalidRequest).detail("This provider issues no logout tokens."));
    };
    // Anybody can post here, so a fetch must neither cost the logins theirs nor be had for a token that claims nothing of us.
    let judge = |keys: &_| logout_token::validate(raw, &expectations, keys);
    let wants_fresh_keys = |error: &LogoutTokenError| error.wants_fresh_keys() && logout_token::is_addressed(raw, &expectations);
    let validated = registered.judge_for_stranger(&metadata, judge, wants_fresh_keys).await?;
    validated.map_err(|error| Failure::new(ProblemCode::InvalidRequest).detail("The logout token does not hold.").source(error))
}
