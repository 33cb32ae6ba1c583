//! What the address of a login may ask for, beside the provider and the way back.

use crate::{error::Failure, provider::Registered, state::AppState};
use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::authorize::{AuthorizationOptions, Prompt};
use std::{borrow::Cow, time::Duration};

/// Nobody means a sign-in of longer ago.
pub(crate) const MAXIMUM_AGE: Duration = Duration::from_hours(366 * 24);

/// The parameters of a query, read once.
pub(in crate::routes) struct Parameters<'query>(Vec<(Cow<'query, str>, Cow<'query, str>)>);

impl<'query> Parameters<'query> {
    /// Those of this query.
    pub(in crate::routes) fn of(query: &'query str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// A parameter that may come once.
    ///
    /// # Errors
    /// `invalid_request`
    pub(in crate::routes) fn get(&self, wanted: &str) -> Result<Option<&str>, Failure> {
        let mut values = self.0.iter().filter(|(name, _)| name == wanted).map(|(_, value)| &**value);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(Failure::new(ProblemCode::InvalidRequest).detail(format!("The parameter {wanted} is there twice."))),
        }
    }
}

/// What this login asks of the provider ([Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)):
/// what the address says, which can only add to what the upstream in `upstream` demands.
///
/// # Errors
/// `invalid_request`, `unknown_upstream`
pub(super) fn options(app: &AppState, registered: &Registered, query: &Parameters<'_>) -> Result<AuthorizationOptions, Failure> {
    let asked = AuthorizationOptions {
        prompt: prompt(query)?,
        max_age: max_age(query)?,
        acr_values: list(query, "acr_values")?,
        login_hint: query.get("login_hint")?.map(str::to_owned),
        ui_locales: list(query, "ui_locales")?,
        ..AuthorizationOptions::default()
    };
    // How many there may be, how long, and of which characters.
    asked.check()?;
    let Some(name) = query.get("upstream")? else { return Ok(asked) };
    let upstream = app.upstreams.get(name).map(|upstream| &upstream.config);
    let upstream = upstream.filter(|upstream| upstream.is_for(&registered.provider.id)).ok_or(ProblemCode::UnknownUpstream)?;
    let demanded = AuthorizationOptions {
        acr_values: upstream.requirements.acr_values.clone(),
        max_age: upstream.requirements.max_age,
        ..AuthorizationOptions::default()
    };
    Ok(demanded.narrowed_by(asked))
}

fn prompt(query: &Parameters<'_>) -> Result<Vec<Prompt>, Failure> {
    list(query, "prompt")?.iter().map(|name| Prompt::from_name(name).ok_or_else(|| invalid("prompt"))).collect()
}

fn max_age(query: &Parameters<'_>) -> Result<Option<Duration>, Failure> {
    let Some(text) = query.get("max_age")? else { return Ok(None) };
    let digits = text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    let age = text.parse().ok().filter(|_| digits).map(Duration::from_secs).filter(|age| *age <= MAXIMUM_AGE);
    age.map(Some).ok_or_else(|| invalid("max_age"))
}

/// Values with spaces between them.
fn list(query: &Parameters<'_>, name: &str) -> Result<Vec<String>, Failure> {
    let Some(text) = query.get(name)? else { return Ok(Vec::new()) };
    let values: Vec<_> = text.split(' ').filter(|value| !value.is_empty()).map(str::to_owned).collect();
    // A parameter that says nothing is a mistake of whoever wrote the link.
    if values.is_empty() { Err(invalid(name)) } else { Ok(values) }
}

fn invalid(name: &str) -> Failure {
    Failure::new(ProblemCode::InvalidRequest).detail(format!("The parameter {name} is not what it has to be."))
}
