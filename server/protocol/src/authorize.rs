//! The start of a login: the transaction and the authorization request.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;
use url::Url;

use crate::discovery::ProviderMetadata;
use crate::provider::Provider;
use crate::return_to::ReturnTo;
use crate::secret::PkceVerifier;

/// How long a login may take.
pub const TRANSACTION_LIFETIME: Duration = Duration::from_secs(600);

/// Everything about one login that must come back to the server unread and unchanged, through the browser that started it.
#[derive(Clone)]
pub struct Transaction {
    pub(crate) provider_id: String,
    pub(crate) state: String,
    pub(crate) verifier: Option<PkceVerifier>,
    pub(crate) nonce: Option<String>,
    pub(crate) return_to: ReturnTo,
    pub(crate) redirect_uri: String,
    pub(crate) expected_issuer: Option<String>,
    pub(crate) created_at: Timestamp,
}

/// Why a transaction cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// The plaintext is not a transaction of this version.
    #[error("the transaction cannot be read")]
    Malformed,
}

impl TransactionError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        todo!()
    }
}

impl Transaction {
    /// Starts a login: draws state, PKCE verifier and nonce, 256 bits each, from `random`.
    pub fn begin(
        _provider: &Provider,
        _redirect_uri: &str,
        _return_to: ReturnTo,
        _random: &mut dyn FnMut(&mut [u8]),
        _now: Timestamp,
    ) -> Self {
        todo!()
    }

    /// The name of this login: public, derived from the state, 16 characters of base64url.
    pub fn id(&self) -> String {
        todo!()
    }

    /// The provider that the login was started with.
    pub fn provider_id(&self) -> &str {
        &self.provider_id
    }

    /// Where the user was going.
    pub fn return_to(&self) -> &ReturnTo {
        &self.return_to
    }

    /// When the login was started.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When the login is over.
    pub fn expires_at(&self) -> Timestamp {
        todo!()
    }

    /// The transaction in clear, to be sealed before it leaves the server.
    pub fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        todo!()
    }

    /// Reads what [`Transaction::to_plaintext`] wrote, after unsealing.
    ///
    /// # Errors
    /// [`TransactionError::Malformed`]
    pub fn from_plaintext(_plaintext: &[u8]) -> Result<Self, TransactionError> {
        todo!()
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, _formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// The name of the login that a returned state belongs to.
pub fn transaction_id_of_state(_state: &str) -> String {
    todo!()
}

/// Where to send the browser.
pub fn authorization_url(_provider: &Provider, _metadata: &ProviderMetadata, _transaction: &Transaction) -> Url {
    todo!()
}
