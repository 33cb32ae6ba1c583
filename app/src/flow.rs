//! The wire types of the X-ray, `GET /api/v1/flow`: this browser's own logins, message by message, as they really happened.
//!
//! What a message, a parameter or a check means is not said here: a page knows it by the name, and the names are stable.
//! No secret is in any of these, not even in part: of each there is a [`ParameterValue::Hidden`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where the browser's logins are read (`GET`) and forgotten (`DELETE`).
pub const FLOW: &str = "/api/v1/flow";

/// Where they are told as they happen (server-sent events).
pub const FLOW_EVENTS: &str = "/api/v1/flow/events";

/// The name of the one event of [`FLOW_EVENTS`]: a login that has begun or grown; its data is a whole [`RecordedLogin`].
pub const LOGIN_EVENT: &str = "login";

/// The answer of `GET /flow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Flow {
    /// The logins that this browser has begun, the youngest first; older ones have been forgotten.
    pub logins: Vec<RecordedLogin>,
}

/// One login, from the click to the end of its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RecordedLogin {
    /// What to call it; no secret, and of no other use.
    pub id: String,
    /// The provider's id in URLs.
    pub provider: String,
    /// The provider's name shown to people.
    pub provider_name: String,
    /// When the browser asked to sign in, RFC 3339 in UTC.
    pub started_at: String,
    /// What has become of it.
    pub outcome: LoginOutcome,
    /// What was said, in the order in which it was.
    pub messages: Vec<Message>,
    /// How many further messages were not kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped_messages: u32,
    /// The ID token that the provider sent, whether it held or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<DecodedToken>,
    /// What the provider publishes about itself, as this login went by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Object))]
    pub metadata: Option<Value>,
}

/// What has become of a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LoginOutcome {
    /// Nobody has come back from the provider yet.
    Running,
    /// There is a session, or was: what happened to it is among the messages.
    SignedIn,
    /// There is none.
    Failed(LoginFailure),
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct LoginFailure {
    /// The code of the problem that the browser was answered with: one of [`crate::problem::ProblemCode`].
    pub code: String,
    /// What happened, in a few words.
    pub title: String,
    /// What happened this time; text that a provider may have written.
    pub detail: String,
    /// The number of the message that it failed at.
    pub message: u32,
}

/// One message of a login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Message {
    /// Counts from 1 within the login, and never changes.
    pub number: u32,
    /// What it is.
    pub name: MessageName,
    /// Who sends it.
    pub from: Party,
    /// Who gets it.
    pub to: Party,
    /// Whether the browser can see it.
    pub channel: Channel,
    /// To which of the seven steps of the flow it belongs: 1 the click, 2 the authorization request, 3 authentication and consent,
    /// 4 the redirect with the code, 5 the code is forwarded, 6 the code is exchanged, 7 the tokens are used, renewed and given back.
    pub step: u8,
    /// When, in microseconds since the login began.
    pub at_microseconds: u64,
    /// How long it took until the answer was there, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_microseconds: Option<u64>,
    /// The HTTP method of a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Where a request goes, without its query: that is among the parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The HTTP status of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there is no answer, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it says.
    pub parameters: Vec<Parameter>,
    /// How many further parameters were not kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped_parameters: u32,
    /// What its receiver looked at, in this order.
    pub checks: Vec<Check>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageName {
    /// The browser asks the backend to begin.
    LoginRequest,
    /// The backend asks the provider what it publishes about itself.
    MetadataRequest,
    /// What it publishes.
    MetadataResponse,
    /// The backend hands the authorization request in at the provider (RFC 9126).
    PushedAuthorizationRequest,
    /// The provider names it.
    PushedAuthorizationResponse,
    /// The backend sends the browser to the provider, with a cookie that holds the login.
    LoginRedirect,
    /// The browser goes to the provider.
    AuthorizationRequest,
    /// The user signs in at the provider and agrees: nobody else sees that, only how long it takes.
    Authentication,
    /// The provider sends the browser back.
    AuthorizationResponse,
    /// The app posts to the backend what came back.
    CodeForwarded,
    /// The backend exchanges the code.
    TokenRequest,
    /// The tokens, or why there are none.
    TokenResponse,
    /// The backend asks for the provider's keys.
    JwksRequest,
    /// The keys.
    JwksResponse,
    /// The backend asks who the user is, with the access token.
    UserinfoRequest,
    /// Who the user is.
    UserinfoResponse,
    /// The backend begins a session, and gives the browser its cookie.
    SessionCreated,
    /// The backend tells the browser why there is no session.
    LoginRefused,
    /// The app calls an API through the backend.
    ApiCall,
    /// The backend passes it on, with the access token.
    UpstreamRequest,
    /// What the API answers.
    UpstreamResponse,
    /// The backend exchanges the access token for one that the API takes (RFC 8693).
    TokenExchangeRequest,
    /// That token, or why there is none.
    TokenExchangeResponse,
    /// The backend asks for new tokens.
    RefreshRequest,
    /// The new tokens, or why there are none.
    RefreshResponse,
    /// The user signs out.
    LogoutRequest,
    /// The session has ended here.
    LogoutResponse,
    /// The backend gives a token back (RFC 7009).
    RevocationRequest,
    /// The provider has taken it.
    RevocationResponse,
    /// The browser goes to the provider to end its session there, too.
    EndSessionRequest,
    /// The provider ends the session (Back-Channel Logout).
    BackchannelLogout,
}

/// Who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The browser itself, which follows links and redirects and keeps the cookies.
    Browser,
    /// The app's script in the page.
    App,
    /// This server.
    Backend,
    /// The authorization server.
    Provider,
    /// The resource server.
    Api,
}

/// Whether a message passes through the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// It does: whoever controls the browser can read and change it.
    Front,
    /// It goes from server to server.
    Back,
}

/// One thing that a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Parameter {
    /// Its name, such as `code_challenge`; text that a provider may have written.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What it says, as far as anybody may know.
    pub value: ParameterValue,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the address.
    Query,
    /// In the body: a field of a form, a member of an object.
    Body,
    /// A header field.
    Header,
    /// A cookie: sent, or set with its attributes.
    Cookie,
    /// A claim of a signed request or answer.
    Claim,
}

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ParameterValue {
    /// All of it; JSON for what is no text.
    Shown(String),
    /// Its beginning.
    Shortened {
        /// The first characters.
        start: String,
        /// How many bytes there are in all.
        length: u64,
    },
    /// It is a secret, or describes one.
    Hidden {
        /// How many bytes it has.
        length: u64,
        /// The same for the same secret, and for no other: eight hex digits of a hash with a key that this server draws when it
        /// starts. By it the state that came back is seen to be the one that was sent.
        fingerprint: String,
    },
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Check {
    /// What.
    pub name: CheckName,
    /// The verdict.
    pub outcome: CheckOutcome,
}

/// The verdict on one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// It is as it must be.
    Passed,
    /// It is not, and so there was no need to look further.
    Failed {
        /// The stable code of the error, as `docs/errors.md` has it.
        code: String,
        /// The error's own words.
        reason: String,
    },
    /// There was nothing to look at.
    Skipped(SkipReason),
    /// One before it has failed.
    NotReached,
}

/// Why there was nothing to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// It is optional, and the message does not have it.
    NotSent,
    /// Nobody asked for it.
    NotAskedFor,
    /// The provider cannot do it.
    NotSupported,
    /// The configuration says so.
    TurnedOff,
    /// An experiment of the attack lab does without it.
    LeftOut,
}

/// What can be looked at, in the order in which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// The start of a login was asked for by this site, or typed in, and by a navigation.
    LoginRequestOrigin,
    /// `return_to` is a path of this origin.
    ReturnTo,
    /// The metadata are the configured issuer's, and its endpoints may be asked.
    Metadata,
    /// The request can be made of what is configured and of what the provider offers.
    AuthorizationRequest,
    /// The client can show who it is.
    ClientAuthentication,
    /// The provider has taken the pushed request.
    PushedAuthorization,
    /// The request carries a code challenge with S256.
    Pkce,
    /// What came back was posted by this app's own page.
    CallbackOrigin,
    /// Every parameter of the response is there once, and of a sensible length.
    CallbackParameters,
    /// The response has a state, and this browser the cookie of that login.
    LoginCookie,
    /// The provider is the one that the login was begun with.
    CallbackProvider,
    /// The response is signed exactly where that was asked for, and the signature holds (JARM).
    CallbackSignature,
    /// The state is the login's.
    State,
    /// The login is not older than ten minutes.
    LoginAge,
    /// `iss` names the provider (RFC 9207).
    CallbackIssuer,
    /// The response holds a code, or an error, and not both.
    CallbackShape,
    /// The provider has not answered with an error.
    ProviderConsent,
    /// The answer has not been used before.
    FirstUse,
    /// The provider is not at fault or overloaded.
    TokenEndpointAvailable,
    /// The answer of the token endpoint can be read.
    TokenResponseFormat,
    /// The provider has accepted the code, or the refresh token.
    GrantAccepted,
    /// There is an access token.
    AccessToken,
    /// It is of the type that was asked for: bearer, or bound to a key.
    TokenType,
    /// The other members are what they must be.
    TokenResponseMembers,
    /// An OpenID provider has sent an ID token.
    IdTokenPresent,
    /// The provider's keys are there.
    ProviderKeys,
    /// The ID token is a signed token in compact form.
    IdTokenFormat,
    /// Its algorithm is one of the pinned ones.
    IdTokenAlgorithm,
    /// Its header demands nothing, and is that of an ID token.
    IdTokenHeader,
    /// The key that it names is the provider's, and fits.
    IdTokenKey,
    /// The signature holds.
    IdTokenSignature,
    /// It is no logout token.
    IdTokenPurpose,
    /// `iss` is the provider.
    IdTokenIssuer,
    /// `aud` is this client, and nobody who is not trusted.
    IdTokenAudience,
    /// `azp` is this client.
    IdTokenAuthorizedParty,
    /// `exp`, `iat` and `nbf` fit the clock.
    IdTokenTimes,
    /// `nonce` is the login's.
    IdTokenNonce,
    /// `sub` is there.
    IdTokenSubject,
    /// `at_hash` fits the access token.
    IdTokenAccessTokenHash,
    /// The claims that the configuration demands are there.
    IdTokenRequiredClaims,
    /// `acr` is one of those that were asked for.
    IdTokenAcr,
    /// `auth_time` is as young as was asked for.
    IdTokenAuthenticationTime,
    /// A renewed ID token is of the same user.
    IdTokenIdentity,
    /// The user endpoint answers.
    UserinfoAvailable,
    /// It accepts the access token.
    UserinfoAuthorized,
    /// Its answer can be read.
    UserinfoFormat,
    /// A signed answer's signature and claims hold.
    UserinfoSignature,
    /// It is about the user of the ID token.
    UserinfoSubject,
    /// The rules of access let the user in.
    AccessRule,
    /// The session is stored, and the state leads to it.
    SessionStored,
    /// A logout token holds.
    LogoutToken,
    /// The provider has taken a token back.
    Revocation,
}

/// A token, taken apart: the signature is left out, so it proves nothing to anybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct DecodedToken {
    /// The header.
    pub header: Vec<Parameter>,
    /// The claims.
    pub claims: Vec<Parameter>,
}

/// Whether there is nothing to count.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}
