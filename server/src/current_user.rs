//! Who is signed in, for the routes of an app's developer.

use crate::{
    error::Failure,
    proxy::step_up,
    routes::session,
    session::{
        live::LiveSession,
        refresh::{Access, access_token},
    },
    state::AppState,
};
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderMap, request::Parts},
};
use jiff::Timestamp;
use oauth2flow_app::{api::User, problem::ProblemCode};
use oauth2flow_protocol::step_up::Requirements;
use std::{fmt, sync::Arc, time::Duration};

/// The user of a request to one of your own routes ([`Program::routes`](crate::Program::routes)); the request is refused where nobody is
/// signed in. With `Option<CurrentUser>` it is not.
///
/// As with calls through the proxy, this is a use of the session, which lives longer for it, and counts towards
/// `limits.session_calls_per_minute`. A user whom the provider's access rule keeps out is not signed in.
///
/// ```
/// use axum::{Json, Router, routing::get};
/// use oauth2flow::CurrentUser;
///
/// async fn greeting(user: CurrentUser) -> Json<String> {
///     Json(format!("Hello, {}", user.name()))
/// }
///
/// let routes: Router = Router::new().route("/greeting", get(greeting));
/// ```
#[derive(Clone)]
pub struct CurrentUser {
    app: AppState,
    session: Arc<LiveSession>,
}

impl CurrentUser {
    /// What the provider says about the user, who is not to be known again by any of it but [`Self::id`].
    pub fn user(&self) -> &User {
        &self.session.profile.user
    }

    /// What to call the user: the name, else the login name, else a word that fits everybody.
    pub fn name(&self) -> &str {
        let user = self.user();
        user.name.as_deref().or(user.login.as_deref()).unwrap_or("Somebody")
    }

    /// What the user is known by for ever: the issuer, and its name for the user. An e-mail address may change hands.
    /// [OpenID Connect Core §5.7](https://openid.net/specs/openid-connect-core-1_0.html#ClaimStability)
    pub fn id(&self) -> (&str, &str) {
        (&self.session.issuer, &self.session.sub)
    }

    /// The id of the provider that the user signed in with.
    pub fn provider(&self) -> &str {
        &self.session.provider
    }

    /// The scopes that the provider has granted.
    pub fn scopes(&self) -> &[String] {
        &self.session.profile.scopes
    }

    /// What a call to an API of the provider's carries, renewed where it is about to end. It never belongs into an answer to the browser.
    ///
    /// Ask for it before the handler changes anything: where this fails with `session_ended`, the kit has the user sign in again and then
    /// makes the same call once more.
    ///
    /// # Errors
    /// `session_ended` where the provider has taken the permission back, `permission_expired`, or whatever keeps the provider from
    /// answering.
    pub async fn access(&self) -> Result<Access, Failure> {
        Ok(access_token(&self.app, &self.session).await?)
    }

    /// Refuses whoever has not proved within this time who they are, and says where they can. Where a provider does not tell when that
    /// was, the sign-in counts.
    ///
    /// [RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)
    ///
    /// # Errors
    /// `step_up_required`
    pub fn require_recent(&self, max_age: Duration) -> Result<(), Failure> {
        let session = &self.session;
        let proved_at = session.profile.authenticated_at.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let wanted = Requirements { acr_values: Vec::new(), max_age: Some(max_age) };
        wanted.met_by(None, Some(proved_at.unwrap_or(session.created_at)), self.app.clock.now()).map_err(|challenge| {
            let registered = self.app.providers.get(&session.provider);
            let login_url = registered.and_then(|registered| step_up::login_for(&registered.provider, &challenge));
            step_up::failure(challenge, login_url)
        })
    }
}

/// The user of a request, if somebody is signed in.
async fn of_request(parts: &Parts) -> Result<Option<CurrentUser>, Failure> {
    let Some(app) = parts.extensions.get::<AppState>() else {
        // A router that is served by somebody else.
        return Err(Failure::new(ProblemCode::InternalError));
    };
    let headers: &HeaderMap = &parts.headers;
    let Some((_, session)) = session::current(app, headers).await? else { return Ok(None) };
    app.limits.count_session_call(session.key)?;
    Ok(Some(CurrentUser { app: app.clone(), session }))
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentUser {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        of_request(parts).await?.ok_or_else(|| ProblemCode::Unauthenticated.into())
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for CurrentUser {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Failure> {
        of_request(parts).await
    }
}

impl fmt::Debug for CurrentUser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CurrentUser").field("id", &self.id()).field("provider", &self.provider()).finish_non_exhaustive()
    }
}
