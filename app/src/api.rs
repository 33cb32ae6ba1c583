//! The wire types of `/api/v1`, shared with the server, and the calls the browser makes.
//!
//! This is the only module of the app that talks HTTP.

use serde::{Deserialize, Serialize};

/// Where the API lives.
pub const BASE: &str = "/api/v1";

/// The header that every state-changing and every proxied call carries
/// (RFC 10017 §6.1.3.3.2): a cross-site page cannot send it without a preflight.
pub const CSRF_HEADER: &str = "x-csrf";

/// A provider the user can sign in with: one element of `GET /oauth/providers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Provider {
    /// The provider's name in URLs, such as `github`.
    pub id: String,
    /// The name shown to people, such as `GitHub`.
    pub name: String,
    /// Which of the app's icons to show: `demo`, `github`, `openid` or `oauth`.
    pub icon: String,
}

/// The answer of `GET /session`; it never holds a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Session {
    /// Somebody is signed in.
    SignedIn(Box<SignedIn>),
    /// Nobody is: `{"authenticated": false}`.
    Anonymous(Anonymous),
}

impl Session {
    /// The answer for a browser without a live session.
    pub fn anonymous() -> Self {
        Self::Anonymous(Anonymous { authenticated: false })
    }

    /// The signed-in half, if somebody is.
    pub fn signed_in(&self) -> Option<&SignedIn> {
        match self {
            Self::SignedIn(signed_in) => Some(signed_in),
            Self::Anonymous(_) => None,
        }
    }
}

/// A browser without a live session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Anonymous {
    /// Always `false`.
    pub authenticated: bool,
}

/// A live session, as the browser may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SignedIn {
    /// Always `true`.
    pub authenticated: bool,
    /// Who is signed in.
    pub user: User,
    /// The id of the provider that said so.
    pub provider: String,
    /// The scopes that the provider granted.
    pub scopes: Vec<String>,
    /// When the session ends.
    pub session: SessionLifetime,
    /// When the access token that the backend keeps ends.
    pub access_token: AccessTokenLifetime,
}

/// The person at the keyboard, as the provider describes them. The key is `sub`, never the e-mail address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct User {
    /// The provider's stable identifier of the user.
    pub sub: String,
    /// The name to greet the user by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user's login name at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The user's e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the provider has verified the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The address of the user's picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// A session's lifetimes, RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct SessionLifetime {
    /// When the user signed in.
    pub created_at: String,
    /// When the session ends unless it is used.
    pub idle_expires_at: String,
    /// When the session ends whatever happens.
    pub expires_at: String,
}

/// The access token's lifetime; the token itself stays in the backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AccessTokenLifetime {
    /// When the token ends, RFC 3339 in UTC; absent when the provider did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Whether the backend can renew it.
    pub refreshable: bool,
}

/// The body of `POST /oauth/code`: what the provider put into the redirect (RFC 6749 §4.1.2, RFC 9207 §2).
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AuthorizationResponse {
    /// The one-time authorization code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The value that ties the answer to the login that this browser started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Who answers (RFC 9207).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Why there is no code (RFC 6749 §4.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The provider's words about the error; only ever shown as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// A page about the error; never followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_uri: Option<String>,
}

/// The answer of `POST /oauth/code`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Completed {
    /// Who signed in.
    pub user: User,
    /// Where the user was going: a path of this origin, with its query and fragment.
    pub return_to: String,
}

/// The answer of `POST /oauth/logout`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LoggedOut {
    /// The provider's end-session address, where the browser goes next; absent when the provider has none.
    pub redirect_to: Option<String>,
}

/// `application/problem+json` (RFC 9457) as this API writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Problem {
    /// The page that documents the problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code: one of [`crate::problem::ProblemCode`].
    pub code: String,
    /// What happened this time.
    pub detail: String,
    /// The request's id, which every log line about it carries.
    pub request_id: String,
    /// The way on, where there is one: the page a finished login was going to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
}

/// A note of the demo provider's notes API, reached through `/proxy/notes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The note's identifier.
    pub id: String,
    /// The note's text.
    pub text: String,
    /// When it was written, RFC 3339 in UTC.
    pub created_at: String,
}
