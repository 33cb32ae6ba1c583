//! One failure type for every handler: a problem code, what happened this time, and the cause for the log.
//!
//! A handler returns a [`Failure`]; the `problem` middleware writes the answer, because only it knows the request's
//! id and whether a person is looking.

mod cause;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use oauth2flow_app::problem::ProblemCode;
use std::{borrow::Cow, error::Error, fmt, sync::Arc, time::Duration};

/// What went wrong with a request.
#[derive(Clone)]
pub struct Failure {
    /// The stable code.
    pub code: ProblemCode,
    /// What happened this time, for the person who asked; never a secret.
    pub detail: Cow<'static, str>,
    /// The way on, where there is one.
    pub return_to: Option<String>,
    /// What a better sign-in has to bring, for [`ProblemCode::StepUpRequired`].
    pub step_up: Option<Arc<StepUp>>,
    /// The sign-in that would help, other than with [`Self::step_up`]: an address of this server.
    pub login_url: Option<String>,
    /// When to ask again, where that is known: it becomes `Retry-After`
    /// ([RFC 9110 §10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
    pub retry_after: Option<Duration>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What a better sign-in has to bring, and where it begins.
/// [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// The authentication context classes of which it needs one.
    pub acr_values: Vec<String>,
    /// How long ago the user may have signed in at the provider.
    pub max_age: Option<Duration>,
    /// The address that starts it, to which `&return_to=` may be added; nothing when no sign-in here could bring it.
    pub login_url: Option<String>,
}

impl Failure {
    /// A failure that the code's own words explain.
    pub fn new(code: ProblemCode) -> Self {
        Self { code, detail: code.explain().why.into(), return_to: None, step_up: None, login_url: None, retry_after: None, source: None }
    }

    /// Says what happened this time.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Says where to go on.
    #[must_use]
    pub fn return_to(mut self, return_to: impl Into<String>) -> Self {
        self.return_to = Some(return_to.into());
        self
    }

    /// Says which sign-in would help.
    #[must_use]
    pub fn login_url(mut self, login_url: impl Into<String>) -> Self {
        self.login_url = Some(login_url.into());
        self
    }

    /// Asks for a better sign-in.
    #[must_use]
    pub fn step_up(mut self, step_up: StepUp) -> Self {
        self.step_up = Some(Arc::new(step_up));
        self
    }

    /// Says when to ask again.
    #[must_use]
    pub fn retry_after(mut self, retry_after: Duration) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// Whether its code says all that there is to say to whoever asked.
    pub fn says_no_more_than_its_code(&self) -> bool {
        self.step_up.is_none() && self.login_url.is_none() && self.return_to.is_none() && self.detail == self.code.explain().why
    }

    /// The causes, outermost first, on one line.
    pub fn causes(&self) -> Option<String> {
        let mut current: &dyn Error = self.source.as_deref()?;
        let mut text = current.to_string();
        while let Some(cause) = current.source() {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            current = cause;
        }
        Some(text)
    }
}

impl From<ProblemCode> for Failure {
    fn from(code: ProblemCode) -> Self {
        Self::new(code)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Failure")
            .field("code", &self.code)
            .field("detail", &self.detail)
            .field("causes", &self.causes())
            .finish_non_exhaustive()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
