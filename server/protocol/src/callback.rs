//! The authorization response: what the provider's redirect brought back.

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::authorize::{AuthorizationOptions, Transaction};
use crate::discovery::ProviderMetadata;
use crate::dpop::DpopKey;
use crate::issuer::ExpectedIssuer;
use crate::jarm::{self, JarmError};
use crate::json;
use crate::jwks::JwkSet;
use crate::jws;
use crate::provider::{IssPolicy, Provider, ResponseMode};
use crate::provider_text::ProviderText;
use crate::return_to::ReturnTo;
use crate::secret::{AuthorizationCode, Nonce, PkceVerifier};

/// The parameters of an authorization response: read, not yet believed.
#[derive(Clone)]
pub struct AuthorizationResponse {
    plain: Parameters,
    signed: Option<SignedResponse>,
    user: Option<String>,
}

/// What an authorization response says, signed or not.
#[derive(Clone)]
struct Parameters {
    code: Option<AuthorizationCode>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// The parameter `response`, [JARM §2.3.1](https://openid.net/specs/oauth-v2-jarm.html#section-2.3.1), with what it says about itself
/// before anybody has verified it.
#[derive(Clone)]
struct SignedResponse {
    token: String,
    unverified_state: Option<String>,
    unverified_error: bool,
}

/// An authorization response that has passed every check: the only thing that can be exchanged for tokens.
pub struct ValidatedCallback {
    pub(crate) provider_id: String,
    pub(crate) code: AuthorizationCode,
    pub(crate) verifier: Option<PkceVerifier>,
    pub(crate) nonce: Option<Nonce>,
    pub(crate) redirect_uri: String,
    pub(crate) return_to: ReturnTo,
    pub(crate) transaction_id: String,
    pub(crate) options: AuthorizationOptions,
    pub(crate) dpop_key: Option<DpopKey>,
    pub(crate) claimed_name: Option<String>,
}

/// Why an authorization response is rejected.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// A parameter is repeated. [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)
    #[error("the parameter {0} is repeated")]
    DuplicateParameter(&'static str),
    /// A parameter is longer than any provider's.
    #[error("the parameter {0} is too long")]
    ParameterTooLong(&'static str),
    /// A signed response was asked for. [JARM §2.3](https://openid.net/specs/oauth-v2-jarm.html#section-2.3)
    #[error("the response is not signed")]
    NotSigned,
    /// No signed response was asked for. [JARM §2.3](https://openid.net/specs/oauth-v2-jarm.html#section-2.3)
    #[error("the response is signed, which nobody asked for")]
    UnexpectedlySigned,
    /// Beside the signed response there are parameters that nobody has signed.
    /// [JARM §2.3](https://openid.net/specs/oauth-v2-jarm.html#section-2.3)
    #[error("the response holds parameters that are not signed")]
    PartlySigned,
    /// The signed response does not hold. [JARM §2.4](https://openid.net/specs/oauth-v2-jarm.html#section-2.4)
    #[error(transparent)]
    Jarm(#[from] JarmError),
    /// The response has no state. [RFC 6749 §10.12](https://www.rfc-editor.org/rfc/rfc6749#section-10.12)
    #[error("the response has no state")]
    MissingState,
    /// The state is not this transaction's. [RFC 9700 §4.7.1](https://www.rfc-editor.org/rfc/rfc9700#section-4.7.1)
    #[error("the state is not the one that was sent")]
    StateMismatch,
    /// The transaction was started with another provider. [RFC 9700 §4.4.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.4.2)
    #[error("the transaction belongs to another provider")]
    ProviderMismatch,
    /// The login took longer than [`crate::authorize::TRANSACTION_LIFETIME`].
    #[error("the login took too long")]
    Expired,
    /// `iss` is demanded and missing. [RFC 9207 §2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4)
    #[error("the response does not say who answers")]
    MissingIss,
    /// `iss` is not the issuer. [RFC 9207 §2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4)
    #[error("the response comes from another issuer")]
    IssMismatch,
    /// The response holds a code and an error. [RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1)
    #[error("the response holds both a code and an error")]
    CodeAndError,
    /// The response holds neither a code nor an error. [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2)
    #[error("the response holds neither a code nor an error")]
    MissingCode,
    /// The provider said no. [RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1)
    #[error("the provider answered {error}")]
    Provider {
        /// What the error is.
        kind: AuthorizationErrorCode,
        /// The error's code, as the provider wrote it.
        error: ProviderText,
        /// The provider's words about it.
        description: Option<ProviderText>,
    },
}

/// The errors of the authorization endpoint,
/// [RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1) and
/// [Core §3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorizationErrorCode {
    /// The user, or the provider on the user's behalf, said no.
    AccessDenied,
    /// The request is malformed.
    InvalidRequest,
    /// The client may not do this.
    UnauthorizedClient,
    /// The provider does not do the code flow for this client.
    UnsupportedResponseType,
    /// A scope is unknown.
    InvalidScope,
    /// The provider failed.
    ServerError,
    /// The provider is overloaded.
    TemporarilyUnavailable,
    /// The user must act, and was not to be asked: `interaction_required`, `login_required`, `consent_required`,
    /// `account_selection_required`.
    InteractionRequired,
    /// The provider cannot authenticate the user as was asked for.
    /// [Unmet Authentication Requirements §2](https://openid.net/specs/openid-connect-unmet-authentication-requirements-1_0.html#section-2)
    UnmetAuthenticationRequirements,
    /// Anything else.
    Other,
}

impl CallbackError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DuplicateParameter(_) => "callback_parameter_repeated",
            Self::ParameterTooLong(_) => "callback_parameter_too_long",
            Self::NotSigned => "callback_not_signed",
            Self::UnexpectedlySigned => "callback_unexpectedly_signed",
            Self::PartlySigned => "callback_partly_signed",
            Self::Jarm(error) => error.code(),
            Self::MissingState => "callback_state_missing",
            Self::StateMismatch => "callback_state_mismatch",
            Self::ProviderMismatch => "callback_provider_mismatch",
            Self::Expired => "callback_expired",
            Self::MissingIss => "callback_iss_missing",
            Self::IssMismatch => "callback_iss_mismatch",
            Self::CodeAndError => "callback_code_and_error",
            Self::MissingCode => "callback_code_missing",
            Self::Provider { .. } => "callback_provider_error",
        }
    }

    /// Whether fetching the keys once more may help: the provider may have rotated them.
    pub fn wants_fresh_keys(&self) -> bool {
        matches!(self, Self::Jarm(error) if error.wants_fresh_keys())
    }
}

impl AuthorizationErrorCode {
    /// The error with this code. `LinkedIn` has codes of its own for a user who cancels.
    fn from_name(name: &str) -> Self {
        match name {
            "access_denied" | "user_cancelled_login" | "user_cancelled_authorize" => Self::AccessDenied,
            // The others are about requests that are signed (RFC 9101 §6.4) or name resources (RFC 8707 §2).
            "invalid_request"
            | "invalid_request_object"
            | "invalid_request_uri"
            | "request_not_supported"
            | "request_uri_not_supported"
            | "invalid_target" => Self::InvalidRequest,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_response_type" => Self::UnsupportedResponseType,
            "invalid_scope" => Self::InvalidScope,
            "server_error" => Self::ServerError,
            "temporarily_unavailable" => Self::TemporarilyUnavailable,
            "interaction_required" | "login_required" | "consent_required" | "account_selection_required" => Self::InteractionRequired,
            "unmet_authentication_requirements" => Self::UnmetAuthenticationRequirements,
            _ => Self::Other,
        }
    }
}

/// The parameters that mean something, each with the most bytes it may have. Codes are the longest, after the token that may hold all
/// of it: some providers put a sealed token into them. `user` is Apple's.
const PARAMETERS: [(&str, usize); 8] = [
    ("code", 8192),
    ("state", 512),
    ("iss", 1024),
    ("error", 256),
    ("error_description", 4096),
    ("error_uri", 2048),
    ("response", 16384),
    ("user", 4096),
];

impl AuthorizationResponse {
    /// Reads the parameters of a query or a form. Unknown ones are ignored, empty ones are as if they were not there
    /// ([RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)).
    ///
    /// # Errors
    /// [`CallbackError::DuplicateParameter`], [`CallbackError::ParameterTooLong`]
    pub fn from_pairs<I, N, V>(pairs: I) -> Result<Self, CallbackError>
    where
        I: IntoIterator<Item = (N, V)>,
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut values: [Option<String>; PARAMETERS.len()] = Default::default();
        for (name, value) in pairs {
            let Some(index) = PARAMETERS.iter().position(|(known, _)| *known == name.as_ref()) else { continue };
            let (known, maximum_bytes) = PARAMETERS[index];
            if value.as_ref().len() > maximum_bytes {
                return Err(CallbackError::ParameterTooLong(known));
            }
            if values[index].replace(value.as_ref().to_owned()).is_some() {
                return Err(CallbackError::DuplicateParameter(known));
            }
        }
        let [code, state, iss, error, error_description, _error_uri, response, user] =
            values.map(|value| value.filter(|value| !value.is_empty()));
        let plain = Parameters { code: code.map(AuthorizationCode::new), state, iss, error, error_description };
        Ok(Self { plain, signed: response.map(SignedResponse::new), user })
    }

    /// The returned state, from which [`crate::authorize::transaction_id_of_state`] finds the transaction. That of a signed response
    /// has not been verified yet.
    pub fn state(&self) -> Option<&str> {
        match &self.signed {
            Some(signed) => signed.unverified_state.as_deref(),
            None => self.plain.state.as_deref(),
        }
    }

    /// Whether the provider answered with an error: nobody has verified that yet.
    pub fn is_error(&self) -> bool {
        match &self.signed {
            Some(signed) => signed.unverified_error,
            None => self.plain.error.is_some(),
        }
    }

    /// Whether the response is signed, so that [`validate`] needs the provider's keys.
    /// [JARM §2.3.1](https://openid.net/specs/oauth-v2-jarm.html#section-2.3.1)
    pub fn is_signed(&self) -> bool {
        self.signed.is_some()
    }
}

impl SignedResponse {
    fn new(token: String) -> Self {
        let claims = jws::unverified_claims(&token).unwrap_or_default();
        let text = |name: &str| json::string(&claims, name).ok().flatten().filter(|text| !text.is_empty()).map(str::to_owned);
        Self { unverified_state: text("state"), unverified_error: text("error").is_some(), token }
    }
}

impl Parameters {
    /// The parameters in the claims of a signed response, under the same limits as plain ones.
    fn from_claims(claims: &Map<String, Value>) -> Result<Self, CallbackError> {
        let text = |name: &'static str| {
            let text = json::string(claims, name).map_err(|_| JarmError::InvalidClaim(name))?.filter(|text| !text.is_empty());
            let maximum_bytes = PARAMETERS.iter().find(|(known, _)| *known == name).map_or(0, |(_, maximum_bytes)| *maximum_bytes);
            match text {
                Some(text) if text.len() > maximum_bytes => Err(CallbackError::ParameterTooLong(name)),
                text => Ok(text.map(str::to_owned)),
            }
        };
        Ok(Self {
            code: text("code")?.map(AuthorizationCode::new),
            state: text("state")?,
            iss: text("iss")?,
            error: text("error")?,
            error_description: text("error_description")?,
        })
    }

    /// Whether there is anything but an `iss`, which may be there twice
    /// ([RFC 9207 §2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4)).
    fn say_more_than_iss(&self) -> bool {
        self.code.is_some() || self.state.is_some() || self.error.is_some() || self.error_description.is_some()
    }
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AuthorizationResponse")
            .field("is_signed", &self.is_signed())
            .field("has_code", &self.plain.code.is_some())
            .field("has_state", &self.state().is_some())
            .field("iss", &self.plain.iss.as_deref().map(ProviderText::new))
            .field("error", &self.plain.error.as_deref().map(ProviderText::new))
            .finish_non_exhaustive()
    }
}

impl ValidatedCallback {
    /// Where the user was going.
    pub fn return_to(&self) -> &ReturnTo {
        &self.return_to
    }

    /// The name of the login.
    pub fn transaction_id(&self) -> &str {
        &self.transaction_id
    }

    /// The provider that answered.
    pub fn provider_id(&self) -> &str {
        &self.provider_id
    }

    /// The name that came beside the code, as Apple sends it with the first login. Nobody has signed it, so it is good for greeting a
    /// user whose ID token has no name ([`crate::User::with_claimed_name`]), and for nothing else.
    pub fn claimed_name(&self) -> Option<&str> {
        self.claimed_name.as_deref()
    }
}

impl fmt::Debug for ValidatedCallback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ValidatedCallback")
            .field("provider_id", &self.provider_id)
            .field("transaction_id", &self.transaction_id)
            .finish_non_exhaustive()
    }
}

/// Judges an authorization response against the transaction that it claims to belong to. `keys` are those of the provider, needed where
/// [`AuthorizationResponse::is_signed`] says so. In this order:
///
/// 1. The provider is the one that the transaction was started with, and its issuer has not changed since
///    ([RFC 9700 §4.4.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.4.2)): it is taken from the transaction, never from the URL.
/// 2. The response is signed if and only if that was asked for.
/// 3. A signed response is verified ([`JarmError`] has each check by name), and nothing but an `iss` is beside it. All that follows is
///    about what it holds; what it said before it was verified only led to the transaction.
/// 4. `state` is there and equals the transaction's, compared in constant time.
/// 5. The transaction is not older than [`crate::authorize::TRANSACTION_LIFETIME`].
/// 6. `iss`, where present, is the expected issuer, character by character; where absent, neither the configuration nor the
///    metadata demands it ([RFC 9207 §2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4)).
/// 7. There is not both a code and an error.
/// 8. There is no error. Only here is the provider's error believed.
/// 9. There is a code.
///
/// # Errors
/// The first check that fails.
pub fn validate(
    response: AuthorizationResponse,
    transaction: Transaction,
    provider: &Provider,
    metadata: &ProviderMetadata,
    keys: Option<&JwkSet>,
    now: Timestamp,
) -> Result<ValidatedCallback, CallbackError> {
    let expected_issuer = transaction.expected_issuer.as_deref();
    if transaction.provider_id != provider.id
        || expected_issuer != provider.response_issuer()
        || expected_issuer != metadata.issuer.as_deref()
    {
        return Err(CallbackError::ProviderMismatch);
    }

    let AuthorizationResponse { plain, signed, user } = response;
    let outer_iss = plain.iss.clone();
    let parameters = match (signed, provider.response_mode) {
        (None, ResponseMode::Jwt) => return Err(CallbackError::NotSigned),
        (None, ResponseMode::Query | ResponseMode::FormPost) => plain,
        (Some(_), ResponseMode::Query | ResponseMode::FormPost) => return Err(CallbackError::UnexpectedlySigned),
        (Some(_), ResponseMode::Jwt) if plain.say_more_than_iss() => return Err(CallbackError::PartlySigned),
        (Some(signed), ResponseMode::Jwt) => Parameters::from_claims(&jarm::verify(&signed.token, provider, metadata, keys, now)?)?,
    };

    let state = parameters.state.as_deref().ok_or(CallbackError::MissingState)?;
    if !bool::from(state.as_bytes().ct_eq(transaction.state.as_bytes())) {
        return Err(CallbackError::StateMismatch);
    }

    if now >= transaction.expires_at() {
        return Err(CallbackError::Expired);
    }

    // Beside a signed response, which has an `iss` of its own, there may be another: it must be right, too.
    check_iss(outer_iss.as_deref().or(parameters.iss.as_deref()), provider, metadata)?;

    match (parameters.code, parameters.error) {
        (Some(_), Some(_)) => Err(CallbackError::CodeAndError),
        (None, Some(error)) => Err(CallbackError::Provider {
            kind: AuthorizationErrorCode::from_name(&error),
            error: ProviderText::new(&error),
            description: parameters.error_description.as_deref().map(ProviderText::new),
        }),
        (None, None) => Err(CallbackError::MissingCode),
        (Some(code), None) => Ok(ValidatedCallback {
            transaction_id: transaction.id(),
            provider_id: transaction.provider_id,
            code,
            verifier: transaction.verifier,
            nonce: transaction.nonce,
            redirect_uri: transaction.redirect_uri,
            return_to: transaction.return_to,
            options: transaction.options,
            dpop_key: transaction.dpop_key,
            claimed_name: user.filter(|_| provider.response_mode == ResponseMode::FormPost).and_then(|user| claimed_name(&user)),
        }),
    }
}

/// The name in Apple's `user`, `{"name": {"firstName": …, "lastName": …}, …}`. Whatever else is there, the e-mail address above all, is
/// not looked at: anybody could have written it. What cannot be read is no reason to turn the user away.
fn claimed_name(user: &str) -> Option<String> {
    let user = json::parse_object(user.as_bytes()).ok()?;
    let name = user.get("name")?;
    let parts = ["firstName", "lastName"].into_iter().filter_map(|part| name.get(part)?.as_str()).collect::<Vec<_>>();
    let name = ProviderText::new(&parts.join(" ")).as_str().to_owned();
    Some(name).filter(|name| !name.is_empty())
}

/// A provider of which nobody said what `iss` should be has its `iss` ignored: there is nothing to compare it with, and its
/// transaction still names the only provider that the code can go to.
fn check_iss(iss: Option<&str>, provider: &Provider, metadata: &ProviderMetadata) -> Result<(), CallbackError> {
    match (iss, ExpectedIssuer::new(provider, metadata)) {
        (Some(iss), Some(expected)) if expected.may_answer(iss) => Ok(()),
        (Some(_), Some(_)) => Err(CallbackError::IssMismatch),
        (Some(_), None) if provider.iss_policy == IssPolicy::Require => Err(CallbackError::IssMismatch),
        (Some(_), None) => Ok(()),
        (None, _) => match provider.iss_policy {
            IssPolicy::Require => Err(CallbackError::MissingIss),
            IssPolicy::Allow if metadata.iss_parameter_supported => Err(CallbackError::MissingIss),
            IssPolicy::Allow | IssPolicy::Ignore => Ok(()),
        },
    }
}
