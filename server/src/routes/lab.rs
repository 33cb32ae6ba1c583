//! `POST /lab/runs`: tries an attack in the sandbox. The route is there only beside the demo provider.

use crate::{
    body,
    error::Failure,
    lab::{Lab, LabError},
    middleware::csrf::media_type,
    state::AppState,
};
use axum::{
    Json,
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use oauth2flow_app::{
    lab::{Experiment, LabRun},
    problem::ProblemCode,
};
use std::time::Duration;

/// Tries an attack against a sandboxed sign-in, with the defence that stops it or without.
///
/// Nothing real takes part: the app, its provider and everybody's browsers are made for this one run, in memory, and are gone after it.
#[utoipa::path(post, path = "/api/v1/lab/runs", tag = "lab", request_body = Experiment,
    params(("X-CSRF" = String, Header, description = "Always `1`")),
    responses(
        (status = 200, description = "What happened", body = LabRun),
        (status = 400, description = "`invalid_request`: there is no such experiment", body = oauth2flow_app::api::Problem),
        (status = 403, description = "`csrf_rejected`", body = oauth2flow_app::api::Problem),
        (status = 404, description = "`not_found`: the demo provider does not run here", body = oauth2flow_app::api::Problem),
        (status = 415, description = "`unsupported_media_type`", body = oauth2flow_app::api::Problem),
        (status = 429, description = "`rate_limited`: others are making experiments", body = oauth2flow_app::api::Problem)))]
pub async fn run(
    State(app): State<AppState>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    request_body: Body,
) -> Result<Response, Failure> {
    let lab = lab(&app)?;
    if !media_type(&headers).eq_ignore_ascii_case("application/json") {
        return Err(ProblemCode::UnsupportedMediaType.into());
    }
    let bytes = body::read(request_body).await?;
    let experiment: Experiment = serde_json::from_slice(&bytes).map_err(|error| Failure::new(ProblemCode::InvalidRequest).source(error))?;
    // An experiment is named by two words. Whatever else somebody wants of it, it is not to be had.
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(Failure::new(ProblemCode::InvalidRequest).detail("An experiment has no parameters in its address."));
    }
    let run = lab.run(experiment).await.map_err(|error| match error {
        LabError::Busy => {
            let busy = Failure::new(ProblemCode::RateLimited).detail("Other experiments are going on. Try again in a moment.");
            busy.retry_after(Duration::from_secs(1))
        }
        error => Failure::new(ProblemCode::InternalError).source(error),
    })?;
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(run)).into_response())
}

fn lab(app: &AppState) -> Result<&Lab, Failure> {
    app.lab.as_ref().ok_or_else(|| Failure::new(ProblemCode::NotFound).detail("The attack lab is there only beside the demo provider."))
}
