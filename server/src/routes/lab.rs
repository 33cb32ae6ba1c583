//! `POST /lab/runs`, and `POST /lab` for a form: tries an attack in the sandbox. There is one only beside the demo provider.

use crate::{
    body,
    error::Failure,
    lab::{Lab, LabError},
    middleware::csrf::{is_form, media_type},
    pages,
    state::AppState,
};
use axum::{
    Json,
    body::Body,
    extract::{RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use oauth2flow_app::{
    lab::{Attack, Defence, Experiment, LabRun},
    problem::ProblemCode,
};
use std::time::Duration;

/// Tries an attack against a sandboxed sign-in, with the defence that stops it or without.
///
/// Nothing real takes part: the app, its provider and everybody's browsers are made for this one run, in memory, and are gone after it.
#[utoipa::path(post, path = "/api/v1/lab/runs", operation_id = "run_experiment", tag = "lab", request_body = Experiment,
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
    let lab = app
        .lab
        .as_ref()
        .ok_or_else(|| Failure::new(ProblemCode::NotFound).detail("The attack lab is there only beside the demo provider."))?;
    if !media_type(&headers).eq_ignore_ascii_case("application/json") {
        return Err(ProblemCode::UnsupportedMediaType.into());
    }
    let bytes = body::read(request_body).await?;
    let experiment: Experiment = serde_json::from_slice(&bytes).map_err(|error| Failure::new(ProblemCode::InvalidRequest).source(error))?;
    // An experiment is named by two words. Whatever else somebody wants of it, it is not to be had.
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(Failure::new(ProblemCode::InvalidRequest).detail("An experiment has no parameters in its address."));
    }
    let run = try_out(lab, experiment).await?;
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(run)).into_response())
}

/// The same for the page's own form: answers with the page, and what happened in it. A page that was made while there was a lab is told
/// that there is none any more.
///
/// # Errors
/// `invalid_request` when the form is not the page's; `method_not_allowed` where the page is not made here; `unsupported_media_type`,
/// `payload_too_large`, `request_timeout`, `rate_limited`; `csrf_rejected`, by the layer, for another site's form
pub async fn form(State(app): State<AppState>, request: Request) -> Result<Response, Failure> {
    if !pages::takes_forms(&app, request.uri().path()) {
        return Err(ProblemCode::MethodNotAllowed.into());
    }
    if !is_form(request.headers()) {
        return Err(ProblemCode::UnsupportedMediaType.into());
    }
    let (head, request_body) = request.into_parts();
    let experiment = of_form(&body::read(request_body).await?).ok_or(ProblemCode::InvalidRequest)?;
    let run = match &app.lab {
        Some(lab) => Some(try_out(lab, experiment).await?),
        None => None,
    };
    let page = Request::from_parts(head, Body::empty());
    Ok(pages::render(app, page, run.as_ref()).await)
}

/// The experiment that a form names: its attack, and its defence unless that is switched off.
fn of_form(form: &[u8]) -> Option<Experiment> {
    let mut fields: Vec<_> = url::form_urlencoded::parse(form).collect();
    fields.sort();
    let (attack, defence) = match fields.as_slice() {
        [(first, attack)] if first == "attack" => (attack, Defence::Off),
        [(first, attack), (second, on)] if first == "attack" && second == "defence" && on == "on" => (attack, Defence::On),
        _ => return None,
    };
    let attack: Attack = serde_json::from_value(attack.as_ref().into()).ok()?;
    Some(Experiment { attack, defence })
}

async fn try_out(lab: &Lab, experiment: Experiment) -> Result<LabRun, Failure> {
    lab.run(experiment).await.map_err(|error| match error {
        LabError::Busy => {
            let busy = Failure::new(ProblemCode::RateLimited).detail("Other experiments are going on. Try again in a moment.");
            busy.retry_after(Duration::from_secs(1))
        }
        error => Failure::new(ProblemCode::InternalError).source(error),
    })
}

#[cfg(test)]
mod tests {
    use super::of_form;
    use oauth2flow_app::lab::{Attack, Defence, Experiment};

    #[test]
    fn a_form_names_an_attack_and_whether_the_defence_is_on() {
        for (form, defence) in [
            ("attack=mix_up&defence=on", Defence::On),
            ("defence=on&attack=mix_up", Defence::On),
            ("attack=mix_up", Defence::Off),
            ("attack=mix%5Fup", Defence::Off),
        ] {
            assert_eq!(of_form(form.as_bytes()), Some(Experiment { attack: Attack::MixUp, defence }), "{form}");
        }
        for form in [
            "",
            "attack=",
            "attack=nothing",
            "attack=MixUp",
            "defence=on",
            "attack=mix_up&defence=off",
            "attack=mix_up&defence=",
            "attack=mix_up&attack=mix_up",
            "attack=mix_up&defence=on&defence=on",
            "attack=mix_up&provider=alpha",
            "attack=mix_up&csrf_token=x",
            "ATTACK=mix_up",
            "\u{0}",
        ] {
            assert_eq!(of_form(form.as_bytes()), None, "{form}");
        }
        assert_eq!(of_form(&[0xff; 64]), None);
    }
}
