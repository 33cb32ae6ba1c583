//! The authorization response: what the provider's redirect brought back.

use std::fmt;

use jiff::Timestamp;

use crate::authorize::Transaction;
use crate::discovery::ProviderMetadata;
use crate::provider::Provider;
use crate::provider_text::ProviderText;
use crate::return_to::ReturnTo;
use crate::secret::{AuthorizationCode, PkceVerifier};

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
    pub(crate) nonce: Option<String>,
    pub(crate) redirect_uri: String,
    pub(crate) return_to: ReturnTo,
    pub(crate) transaction_id: String,
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
        todo!()
    }
}

impl AuthorizationResponse {
    /// Reads the parameters of a query or a form. Unknown ones are ignored, empty ones are as if they were not there.
    ///
    /// # Errors
    /// [`CallbackError::DuplicateParameter`], [`CallbackError::ParameterTooLong`]
    pub fn from_pairs<I, N, V>(_pairs: I) -> Result<Self, CallbackError>
    where
        I: IntoIterator<Item = (N, V)>,
        N: AsRef<str>,
        V: AsRef<str>,
    {
        todo!()
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
    fn fmt(&self, _formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
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
    fn fmt(&self, _formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// Judges an authorization response against the transaction that it claims to belong to.
///
/// # Errors
/// The first check that fails.
pub fn validate(
    _response: AuthorizationResponse,
    _transaction: Transaction,
    _provider: &Provider,
    _metadata: &ProviderMetadata,
    _now: Timestamp,
) -> Result<ValidatedCallback, CallbackError> {
    todo!()
}
