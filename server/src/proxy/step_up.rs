//! Calls that want a better sign-in. [RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)

use super::Upstream;
use crate::{
    error::{Failure, StepUp},
    routes::login::MAXIMUM_AGE,
    session::live::LiveSession,
    state::AppState,
};
use axum::http::{Response, StatusCode, header};
use jiff::Timestamp;
use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::{
    Provider,
    authorize::{AuthorizationOptions, Prompt},
    provider::ProviderKind,
    step_up::Challenge,
};

/// Refuses a call that the upstream's configuration wants a better sign-in for.
///
/// # Errors
/// `step_up_required`
pub(super) fn require(app: &AppState, upstream: &Upstream, session: &LiveSession) -> Result<(), Failure> {
    let authenticated_at = session.profile.authenticated_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
    upstream
        .config
        .requirements
        .met_by(session.profile.acr.as_deref(), authenticated_at, app.clock.now())
        .map_err(|challenge| failure(challenge, Some(login_url(&[("provider", &session.provider), ("upstream", &upstream.config.name)]))))
}

/// Where the sign-in begins that an upstream of its own accord demands; nothing when this provider could never meet the demand, or
/// the login would refuse to ask for it. The upstream's words are only its own: nobody has checked them yet.
pub(crate) fn login_for(provider: &Provider, challenge: &Challenge) -> Option<String> {
    // Nothing in particular, or a time that this provider would not prove: who signs in once more has just done so.
    let proves = matches!(provider.kind, ProviderKind::OpenId { .. });
    let max_age = challenge.max_age.filter(|_| proves).map(|age| age.min(MAXIMUM_AGE).as_secs().to_string());
    let acr_values = challenge.acr_values.join(" ");
    let mut parameters = vec![("provider", provider.id.as_str())];
    if !challenge.acr_values.is_empty() {
        let asked = AuthorizationOptions { acr_values: challenge.acr_values.clone(), ..AuthorizationOptions::default() };
        // Where the configuration limits what is asked for, a login cannot ask for anything else.
        let offered = &provider.defaults.acr_values;
        let is_offered = offered.is_empty() || asked.acr_values.iter().any(|value| offered.contains(value));
        if !proves || !is_offered || asked.check().is_err() {
            return None;
        }
        parameters.push(("acr_values", &acr_values));
    }
    match &max_age {
        Some(max_age) => parameters.push(("max_age", max_age)),
        None if acr_values.is_empty() => parameters.push(("prompt", Prompt::Login.name())),
        None => {}
    }
    Some(login_url(&parameters))
}

fn login_url(parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/api/v1/oauth/login?{query}")
}

/// The demand for a better sign-in, with the address where it begins.
pub(crate) fn failure(challenge: Challenge, login_url: Option<String>) -> Failure {
    let failure = Failure::new(ProblemCode::StepUpRequired);
    let failure = if login_url.is_some() { failure } else { failure.detail("No sign-in here could bring what this API demands.") };
    failure.step_up(StepUp { acr_values: challenge.acr_values, max_age: challenge.max_age, login_url })
}

/// What an upstream demands of the user's sign-in. [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)
pub(super) fn challenge<B>(answer: &Response<B>) -> Option<Challenge> {
    if answer.status() != StatusCode::UNAUTHORIZED {
        return None;
    }
    let challenges = answer.headers().get_all(header::WWW_AUTHENTICATE).iter();
    challenges.filter_map(|value| value.to_str().ok()).find_map(Challenge::parse)
}
