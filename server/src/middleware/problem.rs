//! Writes the answer to a failure: a problem document (RFC 9457) for programs, a page for people.

use super::{csrf::SEC_FETCH_MODE, request_log::RequestId};
use crate::error::Failure;
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::Response,
};
use oauth2flow_app::{api::Problem, lab::LAB, problem::ProblemCode};
use std::{sync::OnceLock, time::Duration};

/// When to ask again whose session cannot be read just now.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Who is to be told of a failure.
pub struct Asked {
    request_id: RequestId,
    for_a_person: bool,
}

impl Asked {
    /// Whoever sent this request.
    pub fn by(request: &Request) -> Self {
        Self {
            request_id: request.extensions().get().copied().unwrap_or_default(),
            for_a_person: is_navigation(request.method(), request.uri().path(), request.headers()),
        }
    }

    /// Turns a handler's [`Failure`] into the answer.
    pub fn answer(self, mut response: Response) -> Response {
        let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
        log(&failure);
        if let Some(seconds) = retry_after_seconds(&failure) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.for_a_person {
            redirect_to_page(response, &failure, &self.request_id)
        } else {
            write_document(response, failure, &self.request_id)
        }
    }
}

/// A person is looking when the browser navigates to one of the login's or the sessions' own addresses, or sends the lab's form; a provider
/// that logs somebody out is no person, whatever it accepts.
fn is_navigation(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let accepts_html = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"));
    let navigates = headers.get(&SEC_FETCH_MODE).is_none_or(|mode| mode == "navigate");
    matches!(*method, Method::GET | Method::HEAD | Method::POST)
        && (path.starts_with("/api/v1/oauth/") || path.starts_with("/api/v1/sessions/") || (path == LAB && *method == Method::POST))
        && !path.starts_with("/api/v1/oauth/backchannel-logout/")
        && accepts_html
        && navigates
}

/// What [`header::RETRY_AFTER`] says: whole seconds, and never too early.
fn retry_after_seconds(failure: &Failure) -> Option<u64> {
    let of_code = matches!(failure.code, ProblemCode::StoreUnavailable | ProblemCode::KeysDiffer).then_some(RETRY_AFTER);
    let wanted = failure.retry_after.or(of_code)?;
    Some(wanted.as_secs() + u64::from(wanted.subsec_nanos() > 0))
}

fn log(failure: &Failure) {
    let code = failure.code.code();
    let causes = failure.causes();
    let causes = causes.as_deref().unwrap_or_default();
    if failure.code.status() >= 500 {
        tracing::error!(code, causes, "request failed");
    } else {
        tracing::info!(code, causes, "request refused");
    }
}

/// The address of the page about a failure.
pub fn problem_address(failure: &Failure, request_id: &RequestId) -> String {
    let mut location = format!("/problem?code={}&request_id={request_id}", failure.code.code());
    for (name, value) in [("login_url", &failure.login_url), ("return_to", &failure.return_to)] {
        if let Some(value) = value {
            location.push('&');
            location.push_str(name);
            location.push('=');
            location.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
        }
    }
    location
}

fn redirect_to_page(mut response: Response, failure: &Failure, request_id: &RequestId) -> Response {
    let location = problem_address(failure, request_id);
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

fn write_document(mut response: Response, failure: Failure, request_id: &RequestId) -> Response {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    let document = if failure.says_no_more_than_its_code() {
        Ready::of(failure.code).document(request_id)
    } else {
        serde_json::to_vec(&problem(failure, request_id.to_string())).unwrap_or_default()
    };
    *response.body_mut() = Body::from(document);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

fn problem(failure: Failure, request_id: String) -> Problem {
    let code = failure.code.code();
    let step_up = failure.step_up.as_deref();
    Problem {
        kind: format!("/problem?code={code}"),
        title: failure.code.explain().title.to_owned(),
        status: failure.code.status(),
        code: code.to_owned(),
        detail: failure.detail.into_owned(),
        request_id,
        acr_values: step_up.map(|step_up| step_up.acr_values.clone()).unwrap_or_default(),
        max_age: step_up.and_then(|step_up| step_up.max_age).map(|age| age.as_secs()),
        login_url: step_up.and_then(|step_up| step_up.login_url.clone()).or(failure.login_url),
        return_to: failure.return_to,
    }
}

/// The document of a failure of which there is no more to say than its code does, but for the request's id in the middle.
struct Ready {
    before_id: Vec<u8>,
    after_id: Vec<u8>,
}

impl Ready {
    /// That of a code, made once.
    fn of(code: ProblemCode) -> &'static Self {
        static READY: [OnceLock<Ready>; ProblemCode::ALL.len()] = [const { OnceLock::new() }; ProblemCode::ALL.len()];
        READY[code as usize].get_or_init(|| {
            // No word about a problem has such a character in it.
            const ID: &str = "\u{fffd}";
            let document = serde_json::to_string(&problem(Failure::new(code), ID.to_owned())).unwrap_or_default();
            let (before_id, after_id) = document.split_once(ID).unwrap_or_default();
            Self { before_id: before_id.into(), after_id: after_id.into() }
        })
    }

    fn document(&self, request_id: &RequestId) -> Vec<u8> {
        [self.before_id.as_slice(), request_id.as_str().as_bytes(), self.after_id.as_slice()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::{Ready, problem};
    use crate::{error::Failure, middleware::request_log::RequestId};
    use oauth2flow_app::problem::ProblemCode;

    #[test]
    fn a_document_that_is_ready_is_the_one_that_would_be_written() {
        for code in ProblemCode::ALL {
            let failure = Failure::new(code);
            assert!(failure.says_no_more_than_its_code() && !failure.clone().return_to("/").says_no_more_than_its_code());
            assert!(!failure.clone().detail("This time, it rained.").says_no_more_than_its_code());
            let written = serde_json::to_vec(&problem(failure, RequestId::default().to_string())).unwrap();
            assert_eq!(Ready::of(code).document(&RequestId::default()), written);
        }
    }
}
