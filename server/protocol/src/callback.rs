//! The authorization response: what the provider's redirect brought back.

use std::fmt;

use jiff::Timestamp;
use subtle::ConstantTimeEq as _;

use crate::authorize::{AuthorizationOptions, Transaction};
use crate::discovery::ProviderMetadata;
use crate::dpop::DpopKey;
use crate::provider::{IssPolicy, Provider};
use crate::provider_text::ProviderText;
use crate::return_to::ReturnTo;
use crate::secret::{AuthorizationCode, Nonce, PkceVerifier};

/// The parameters of an authorization response: read, not yet believed.
#[derive(Clone)]
pub struct AuthorizationResponse {
    code: Option<AuthorizationCode>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
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
    /// The response holds a code and an error.
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
    /// Anything else.
    Other,
}

impl CallbackError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DuplicateParameter(_) => "callback_parameter_repeated",
            Self::ParameterTooLong(_) => "callback_parameter_too_long",
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
}

impl AuthorizationErrorCode {
    /// The error with this code. `LinkedIn` has codes of its own for a user who cancels.
    fn from_name(name: &str) -> Self {
        match name {
            "access_denied" | "user_cancelled_login" | "user_cancelled_authorize" => Self::AccessDenied,
            "invalid_request" => Self::InvalidRequest,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_response_type" => Self::UnsupportedResponseType,
            "invalid_scope" => Self::InvalidScope,
            "server_error" => Self::ServerError,
            "temporarily_unavailable" => Self::TemporarilyUnavailable,
            "interaction_required" | "login_required" | "consent_required" | "account_selection_required" => Self::InteractionRequired,
            _ => Self::Other,
        }
    }
}

/// The parameters that mean something, each with the most bytes it may have. Codes are the longest: some providers put a
/// sealed token into them.
const PARAMETERS: [(&str, usize); 6] =
    [("code", 8192), ("state", 512), ("iss", 1024), ("error", 256), ("error_description", 4096), ("error_uri", 2048)];

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
        let [code, state, iss, error, error_description, _error_uri] = values.map(|value| value.filter(|value| !value.is_empty()));
        Ok(Self { code: code.map(AuthorizationCode::new), state, iss, error, error_description })
    }

    /// The returned state, from which [`crate::authorize::transaction_id_of_state`] finds the transaction.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Whether the provider answered with an error.
    pub fn is_error(&self) -> bool {
        self.error.is_some()
    }
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AuthorizationResponse")
            .field("has_code", &self.code.is_some())
            .field("has_state", &self.state.is_some())
            .field("iss", &self.iss.as_deref().map(ProviderText::new))
            .field("error", &self.error.as_deref().map(ProviderText::new))
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

/// Judges an authorization response against the transaction that it claims to belong to. In this order:
///
/// 1. The provider is the one that the transaction was started with, and its issuer has not changed since
///    ([RFC 9700 §4.4.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.4.2)): it is taken from the transaction, never from the URL.
/// 2. `state` is there and equals the transaction's, compared in constant time.
/// 3. The transaction is not older than [`crate::authorize::TRANSACTION_LIFETIME`].
/// 4. `iss`, where present, is the expected issuer, character by character; where absent, neither the configuration nor the
///    metadata demands it ([RFC 9207 §2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4)).
/// 5. There is not both a code and an error.
/// 6. There is no error. Only here is the provider's error believed.
/// 7. There is a code.
///
/// # Errors
/// The first check that fails.
pub fn validate(
    response: AuthorizationResponse,
    transaction: Transaction,
    provider: &Provider,
    metadata: &ProviderMetadata,
    now: Timestamp,
) -> Result<ValidatedCallback, CallbackError> {
    let expected_issuer = transaction.expected_issuer.as_deref();
    if transaction.provider_id != provider.id
        || expected_issuer != provider.response_issuer()
        || expected_issuer != metadata.issuer.as_deref()
    {
        return Err(CallbackError::ProviderMismatch);
    }

    let state = response.state.as_deref().ok_or(CallbackError::MissingState)?;
    if !bool::from(state.as_bytes().ct_eq(transaction.state.as_bytes())) {
        return Err(CallbackError::StateMismatch);
    }

    if now >= transaction.expires_at() {
        return Err(CallbackError::Expired);
    }

    check_iss(response.iss.as_deref(), expected_issuer, provider, metadata)?;

    match (response.code, response.error) {
        (Some(_), Some(_)) => Err(CallbackError::CodeAndError),
        (None, Some(error)) => Err(CallbackError::Provider {
            kind: AuthorizationErrorCode::from_name(&error),
            error: ProviderText::new(&error),
            description: response.error_description.as_deref().map(ProviderText::new),
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
        }),
    }
}

/// A provider of which nobody said what `iss` should be has its `iss` ignored: there is nothing to compare it with, and its
/// transaction still names the only provider that the code can go to.
fn check_iss(
    iss: Option<&str>,
    expected_issuer: Option<&str>,
    provider: &Provider,
    metadata: &ProviderMetadata,
) -> Result<(), CallbackError> {
    match (iss, expected_issuer) {
        (Some(iss), Some(expected)) if iss == expected => Ok(()),
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
