//! The start of a login: the transaction and the authorization request.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::discovery::ProviderMetadata;
use crate::pkce;
use crate::provider::{self, Provider};
use crate::return_to::ReturnTo;
use crate::secret::{Nonce, PkceVerifier};

/// How long a login may take.
pub const TRANSACTION_LIFETIME: Duration = Duration::from_mins(10);

/// Everything about one login that must come back to the server unread and unchanged, through the browser that started it.
#[derive(Clone)]
pub struct Transaction {
    pub(crate) provider_id: String,
    pub(crate) state: String,
    pub(crate) verifier: Option<PkceVerifier>,
    pub(crate) nonce: Option<Nonce>,
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
    Malformed(#[source] serde_json::Error),
    /// The time in it is none.
    #[error("the transaction's time cannot be read")]
    InvalidTime(#[source] jiff::Error),
}

impl TransactionError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "transaction_malformed",
            Self::InvalidTime(_) => "transaction_time_invalid",
        }
    }
}

/// The sealed cookie's content; short names, because a browser may hold several of them.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Plaintext<'a> {
    #[serde(rename = "p")]
    provider_id: Cow<'a, str>,
    #[serde(rename = "s")]
    state: Cow<'a, str>,
    #[serde(rename = "v")]
    verifier: Option<Cow<'a, str>>,
    #[serde(rename = "n")]
    nonce: Option<Cow<'a, str>>,
    #[serde(rename = "r")]
    return_to: Cow<'a, str>,
    #[serde(rename = "u")]
    redirect_uri: Cow<'a, str>,
    #[serde(rename = "i")]
    expected_issuer: Option<Cow<'a, str>>,
    #[serde(rename = "t")]
    created_at_milliseconds: i64,
}

impl Transaction {
    /// Starts a login: draws state, PKCE verifier and nonce, 256 bits each, from `random`.
    /// [RFC 9700 §2.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1)
    pub fn begin(provider: &Provider, redirect_uri: &str, return_to: ReturnTo, random: &mut dyn FnMut(&mut [u8]), now: Timestamp) -> Self {
        Self {
            provider_id: provider.id.clone(),
            state: pkce::random_value(random),
            verifier: provider.pkce.then(|| PkceVerifier::new(pkce::random_value(random))),
            nonce: provider.nonce.then(|| Nonce::new(pkce::random_value(random))),
            return_to,
            redirect_uri: redirect_uri.to_owned(),
            expected_issuer: provider.response_issuer().map(str::to_owned),
            created_at: now,
        }
    }

    /// The name of this login: public, derived from the state, 16 characters of base64url.
    pub fn id(&self) -> String {
        transaction_id_of_state(&self.state)
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
        self.created_at.saturating_add(TRANSACTION_LIFETIME).unwrap_or(Timestamp::MAX)
    }

    /// The transaction in clear, to be sealed before it leaves the server.
    pub fn to_plaintext(&self) -> Zeroizing<Vec<u8>> {
        let content = Plaintext {
            provider_id: Cow::Borrowed(&self.provider_id),
            state: Cow::Borrowed(&self.state),
            verifier: self.verifier.as_ref().map(|verifier| Cow::Borrowed(verifier.expose())),
            nonce: self.nonce.as_ref().map(|nonce| Cow::Borrowed(nonce.expose())),
            return_to: Cow::Borrowed(self.return_to.as_str()),
            redirect_uri: Cow::Borrowed(&self.redirect_uri),
            expected_issuer: self.expected_issuer.as_deref().map(Cow::Borrowed),
            created_at_milliseconds: self.created_at.as_millisecond(),
        };
        // Large enough that the buffer does not move and leave a copy behind.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(4096));
        if serde_json::to_writer(&mut *plaintext, &content).is_err() {
            // Writing strings to memory does not fail; if it ever did, nothing can be read back from an empty plaintext.
            plaintext.clear();
        }
        plaintext
    }

    /// Reads what [`Transaction::to_plaintext`] wrote, after unsealing.
    ///
    /// # Errors
    /// [`TransactionError`]
    pub fn from_plaintext(plaintext: &[u8]) -> Result<Self, TransactionError> {
        let content: Plaintext<'_> = serde_json::from_slice(plaintext).map_err(TransactionError::Malformed)?;
        Ok(Self {
            provider_id: content.provider_id.into_owned(),
            state: content.state.into_owned(),
            verifier: content.verifier.map(|verifier| PkceVerifier::new(verifier.into_owned())),
            nonce: content.nonce.map(|nonce| Nonce::new(nonce.into_owned())),
            return_to: ReturnTo::parse(&content.return_to),
            redirect_uri: content.redirect_uri.into_owned(),
            expected_issuer: content.expected_issuer.map(Cow::into_owned),
            created_at: Timestamp::from_millisecond(content.created_at_milliseconds).map_err(TransactionError::InvalidTime)?,
        })
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Transaction")
            .field("id", &self.id())
            .field("provider_id", &self.provider_id)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

/// The name of the login that a returned state belongs to: the first 16 characters of its SHA-256 in base64url. It names
/// the cookie without giving the state away.
pub fn transaction_id_of_state(state: &str) -> String {
    let mut id = URL_SAFE_NO_PAD.encode(Sha256::digest(state));
    id.truncate(16);
    id
}

/// Where to send the browser. [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1),
/// [Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
///
/// The challenge's method is S256 whatever the metadata declares: a provider that knows it can verify it, one that does
/// not ignores it, and `plain` would protect nothing.
pub fn authorization_url(provider: &Provider, metadata: &ProviderMetadata, transaction: &Transaction) -> Url {
    let mut parameters = vec![
        ("response_type", "code".to_owned()),
        ("client_id", provider.client_id.clone()),
        ("redirect_uri", transaction.redirect_uri.clone()),
    ];
    if !provider.scopes.is_empty() {
        parameters.push(("scope", provider.scopes.join(" ")));
    }
    parameters.push(("state", transaction.state.clone()));
    if let Some(verifier) = &transaction.verifier {
        parameters.push(("code_challenge", pkce::challenge(verifier)));
        parameters.push(("code_challenge_method", "S256".to_owned()));
    }
    if let Some(nonce) = &transaction.nonce {
        parameters.push(("nonce", nonce.expose().to_owned()));
    }
    // The endpoint's own query is kept (RFC 6749 §3.1), but nothing in it or in the configuration overrides the flow's parameters.
    let mut url = metadata.authorization_endpoint.clone();
    // A parameter must not occur twice (RFC 6749 §3.1 again), so the configuration's replaces the endpoint's.
    let extra = || provider.extra_authorization_params.iter().filter(|(name, _)| !provider::is_reserved(name));
    let is_kept = |name: &str| !provider::is_reserved(name) && !extra().any(|(replacement, _)| replacement == name);
    let own_query = url.query_pairs().into_owned().filter(|(name, _)| is_kept(name)).collect::<Vec<_>>();
    url.query_pairs_mut().clear().extend_pairs(own_query).extend_pairs(parameters).extend_pairs(extra());
    url
}
