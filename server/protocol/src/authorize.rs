//! The start of a login: the transaction and the authorization request.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use url::{Position, Url};

use crate::context::Context;
use crate::discovery::ProviderMetadata;
use crate::dpop::{self, DpopKey};
use crate::form;
use crate::pkce;
use crate::provider::{self, ParPolicy, Provider, ResponseMode};
use crate::request_object;
use crate::return_to::ReturnTo;
use crate::secret::{Nonce, PkceVerifier};

/// How long a login may take.
pub const TRANSACTION_LIFETIME: Duration = Duration::from_mins(10);

/// The longest list of one kind in an authorization request.
const MAXIMUM_LIST: usize = 16;

/// The most bytes of `acr_values`, and of `resource`, together: both go into the transaction's cookie.
const MAXIMUM_KEPT_BYTES: usize = 512;

/// The longest `login_hint`, in characters: an e-mail address has at most 254.
const MAXIMUM_HINT_CHARACTERS: usize = 256;

/// The largest `claims`, in bytes of JSON.
const MAXIMUM_CLAIMS_BYTES: usize = 4096;

/// What a login asks the provider for, beside the sign-in itself.
///
/// Whatever cannot be sent is refused by [`AuthorizationOptions::check`], and by everything that makes a request of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AuthorizationOptions {
    /// What the provider should show, [Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
    pub prompt: Vec<Prompt>,
    /// How long ago the user may have logged in. The ID token must prove it.
    /// [Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
    pub max_age: Option<Duration>,
    /// How strongly the user must have logged in: one of these, the preferred first. The ID token must prove it.
    /// [Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
    pub acr_values: Vec<String>,
    /// Who is expected to log in. [Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
    pub login_hint: Option<String>,
    /// The languages of the provider's pages, the preferred one first.
    /// [Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
    pub ui_locales: Vec<String>,
    /// Single claims to ask for, [Core §5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter).
    pub claims: Option<Map<String, Value>>,
    /// Where the access token will be used, [RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2).
    pub resource: Vec<Url>,
}

/// What the provider should show, [Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Nothing: whoever is not logged in, or has not consented, is sent back with an error.
    None,
    /// The login, even to somebody who is logged in.
    Login,
    /// The consent page, even to somebody who has consented.
    Consent,
    /// The choice of an account.
    SelectAccount,
    /// The registration, [Prompt Create §4.1](https://openid.net/specs/openid-connect-prompt-create-1_0.html#section-4.1).
    Create,
}

impl Prompt {
    /// Every value.
    pub const ALL: [Self; 5] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount, Self::Create];

    /// The value with this name, compared exactly.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prompt| prompt.name() == name)
    }

    /// The value as it is sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
            Self::Create => "create",
        }
    }
}

/// Why there is no authorization request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationRequestError {
    /// `prompt=none` stands alone. [Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
    #[error("a silent login cannot show anything: prompt=none stands alone")]
    SilentPromptCombined,
    /// An option is empty, too long, repeated, or holds characters that it cannot have.
    #[error("the option {0} cannot be sent")]
    InvalidOption(&'static str),
    /// Only an ID token could prove what is asked for. [Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)
    #[error("the option {0} needs a provider with ID tokens")]
    NeedsIdToken(&'static str),
    /// The provider does not answer in the configured way.
    /// [Discovery §3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata)
    #[error("the provider does not offer the configured response mode")]
    UnsupportedResponseMode,
    /// Tokens must be bound to a key, and the provider declares no algorithm for that which this client has.
    /// [RFC 9449 §5.1](https://www.rfc-editor.org/rfc/rfc9449#section-5.1)
    #[error("the provider does not bind tokens to ES256 keys")]
    DpopNotOffered,
    /// The transaction and the provider do not belong together. [RFC 9700 §4.4](https://www.rfc-editor.org/rfc/rfc9700#section-4.4)
    #[error("the transaction belongs to another provider")]
    WrongProvider,
    /// The request must be pushed to the provider first. [RFC 9126 §5](https://www.rfc-editor.org/rfc/rfc9126#section-5)
    #[error("the authorization request must be pushed to the provider")]
    MustBePushed,
    /// There is no key to sign the request with. [RFC 9101 §4](https://www.rfc-editor.org/rfc/rfc9101#section-4)
    #[error("the private key is missing")]
    MissingSigningKey,
    /// The provider takes no signature that the key can make. [RFC 9101 §10.5](https://www.rfc-editor.org/rfc/rfc9101#section-10.5)
    #[error("the provider takes no signature that the private key can make")]
    NoCommonAlgorithm,
}

impl AuthorizationRequestError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SilentPromptCombined => "authorization_prompt_combined",
            Self::InvalidOption(_) => "authorization_option_invalid",
            Self::NeedsIdToken(_) => "authorization_needs_id_token",
            Self::UnsupportedResponseMode => "authorization_response_mode_unsupported",
            Self::DpopNotOffered => "authorization_dpop_not_offered",
            Self::WrongProvider => "authorization_wrong_provider",
            Self::MustBePushed => "authorization_must_be_pushed",
            Self::MissingSigningKey => "authorization_signing_key_missing",
            Self::NoCommonAlgorithm => "authorization_no_common_algorithm",
        }
    }
}

impl AuthorizationOptions {
    /// These options, but what is set in `other` wins, as far as it does not ask for less: the smaller `max_age` counts, and of the
    /// `acr_values` those that are in both lists. Where none is, these stay: what an operator demands of every login, no address
    /// of a login can take back.
    #[must_use]
    pub fn narrowed_by(self, other: Self) -> Self {
        fn list<T>(own: Vec<T>, other: Vec<T>) -> Vec<T> {
            if other.is_empty() { own } else { other }
        }
        let in_both = other.acr_values.iter().filter(|value| self.acr_values.contains(value)).cloned().collect::<Vec<_>>();
        let acr_values = match (self.acr_values.is_empty(), in_both.is_empty()) {
            (true, _) => other.acr_values,
            (false, true) => self.acr_values,
            (false, false) => in_both,
        };
        Self {
            prompt: list(self.prompt, other.prompt),
            max_age: [self.max_age, other.max_age].into_iter().flatten().min(),
            acr_values,
            login_hint: other.login_hint.or(self.login_hint),
            ui_locales: list(self.ui_locales, other.ui_locales),
            claims: other.claims.or(self.claims),
            resource: list(self.resource, other.resource),
        }
    }

    /// Whether nothing may be shown to the user.
    pub fn is_silent(&self) -> bool {
        self.prompt == [Prompt::None]
    }

    /// Checks whatever can be checked without the provider. In this order:
    ///
    /// 1. `prompt` repeats nothing, and `none` stands alone.
    /// 2. `acr_values` has at most 16 values of printable ASCII without spaces, quotes and backslashes, of 512 bytes together.
    /// 3. `login_hint` has 1 to 256 characters, none of which controls anything.
    /// 4. `ui_locales` has at most 16 language tags ([RFC 5646 §2.1](https://www.rfc-editor.org/rfc/rfc5646#section-2.1)).
    /// 5. `claims` has at most 4096 bytes.
    /// 6. `resource` has at most 16 addresses without a fragment, of 512 bytes together.
    ///
    /// # Errors
    /// [`AuthorizationRequestError::SilentPromptCombined`], [`AuthorizationRequestError::InvalidOption`]
    pub fn check(&self) -> Result<(), AuthorizationRequestError> {
        use AuthorizationRequestError::{InvalidOption, SilentPromptCombined};
        if self.prompt.len() > 1 && self.prompt.contains(&Prompt::None) {
            return Err(SilentPromptCombined);
        }
        if repeats(&self.prompt) {
            return Err(InvalidOption("prompt"));
        }
        let acr_bytes = self.acr_values.iter().map(|value| value.len() + 1).sum::<usize>();
        if self.acr_values.len() > MAXIMUM_LIST || acr_bytes > MAXIMUM_KEPT_BYTES || !self.acr_values.iter().all(|value| is_token(value)) {
            return Err(InvalidOption("acr_values"));
        }
        if self.login_hint.as_ref().is_some_and(|hint| !is_hint(hint)) {
            return Err(InvalidOption("login_hint"));
        }
        if self.ui_locales.len() > MAXIMUM_LIST || !self.ui_locales.iter().all(|tag| is_language_tag(tag)) {
            return Err(InvalidOption("ui_locales"));
        }
        if self.claims.as_ref().is_some_and(|claims| json!(claims).to_string().len() > MAXIMUM_CLAIMS_BYTES) {
            return Err(InvalidOption("claims"));
        }
        let resource_bytes = self.resource.iter().map(|resource| resource.as_str().len() + 3).sum::<usize>();
        let is_resource = |resource: &Url| resource.fragment().is_none() && !resource.as_str().contains(['"', '\\']);
        if self.resource.len() > MAXIMUM_LIST || resource_bytes > MAXIMUM_KEPT_BYTES || !self.resource.iter().all(is_resource) {
            return Err(InvalidOption("resource"));
        }
        Ok(())
    }
}

impl fmt::Debug for AuthorizationOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The hint names a person, and the claims may hold the values that are expected of one.
        formatter
            .debug_struct("AuthorizationOptions")
            .field("prompt", &self.prompt)
            .field("max_age", &self.max_age)
            .field("acr_values", &self.acr_values)
            .finish_non_exhaustive()
    }
}

fn repeats<T: PartialEq>(list: &[T]) -> bool {
    list.iter().enumerate().any(|(index, value)| list[..index].contains(value))
}

/// The characters of a scope, [RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3): what stands in a list
/// that is separated by spaces, and needs no escape in JSON.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

fn is_hint(text: &str) -> bool {
    (1..=MAXIMUM_HINT_CHARACTERS).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// [RFC 5646 §2.1](https://www.rfc-editor.org/rfc/rfc5646#section-2.1), where 35 characters are enough (§4.4.1).
fn is_language_tag(text: &str) -> bool {
    let is_subtag = |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() <= 35 && text.split('-').all(is_subtag)
}

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
    /// What was asked for. Back from the browser it holds only what the answer is judged by.
    pub(crate) options: AuthorizationOptions,
    pub(crate) dpop_key: Option<DpopKey>,
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
    /// The key in it is none.
    #[error("the transaction's key cannot be read")]
    InvalidKey,
    /// An option in it is none.
    #[error("the transaction's {0} cannot be read")]
    InvalidOption(&'static str),
}

impl TransactionError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "transaction_malformed",
            Self::InvalidTime(_) => "transaction_time_invalid",
            Self::InvalidKey => "transaction_key_invalid",
            Self::InvalidOption(_) => "transaction_option_invalid",
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
    #[serde(rename = "q", default, skip_serializing_if = "Vec::is_empty")]
    prompt: Vec<Cow<'a, str>>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    max_age_seconds: Option<u64>,
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    acr_values: Vec<Cow<'a, str>>,
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    resource: Vec<Cow<'a, str>>,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    dpop_key: Option<Cow<'a, str>>,
}

impl Plaintext<'_> {
    /// At least as many bytes as it takes in JSON, and few more.
    fn room(&self) -> usize {
        /// The braces and the time.
        const FRAME: usize = 32;
        /// Around a text: a name of one letter, quotes, brackets and commas.
        const AROUND: usize = 10;
        let texts = [&self.provider_id, &self.state, &self.return_to, &self.redirect_uri].into_iter();
        let optional = [&self.verifier, &self.nonce, &self.expected_issuer, &self.dpop_key].into_iter().map(|text| text.as_ref());
        let lists = [&self.prompt, &self.acr_values, &self.resource].into_iter().flatten();
        let seconds = self.max_age_seconds.map_or(0, |_| AROUND + 20);
        let of_texts = texts.map(Some).chain(optional).chain(lists.map(Some)).map(|text| AROUND + text.map_or(0, |text| room_for(text)));
        FRAME + seconds + of_texts.sum::<usize>()
    }
}

/// How long a text is in JSON at most.
fn room_for(text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f)).count();
    // The longest is \u0000.
    text.len() + 5 * escaped
}

impl Transaction {
    /// Starts a login: draws state, PKCE verifier and nonce, 256 bits each, and where tokens are bound to one, a key.
    /// [RFC 9700 §2.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1)
    ///
    /// [`Provider::defaults`] are [narrowed](AuthorizationOptions::narrowed_by) by `options`. `max_age` and `acr_values` are not only
    /// sent: the ID token must prove them.
    pub fn begin(
        provider: &Provider,
        metadata: &ProviderMetadata,
        redirect_uri: &str,
        return_to: ReturnTo,
        options: AuthorizationOptions,
        context: &mut Context<'_>,
    ) -> Self {
        let [state, verifier, nonce] = context.secret_texts();
        Self {
            provider_id: provider.id.clone(),
            state,
            verifier: provider.pkce.then(|| PkceVerifier::new(verifier)),
            nonce: provider.nonce.then(|| Nonce::new(nonce)),
            return_to,
            redirect_uri: redirect_uri.to_owned(),
            expected_issuer: provider.response_issuer().map(str::to_owned),
            created_at: context.now,
            options: provider.defaults.clone().narrowed_by(options),
            dpop_key: dpop::uses(provider, metadata).then(|| DpopKey::generate(context)),
        }
    }

    /// Whether the provider was asked to show nothing: an error that asks for the user is then an ordinary answer.
    pub fn silent(&self) -> bool {
        self.options.is_silent()
    }

    /// What the login asks for. A transaction that comes back from the browser has `prompt`, `max_age`, `acr_values` and
    /// `resource` only: the rest was for the provider's eyes, and would fill the cookie.
    pub fn options(&self) -> &AuthorizationOptions {
        &self.options
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
        self.to_plaintext_after(&[])
    }

    /// The same after something else that is to be sealed with it.
    pub fn to_plaintext_after(&self, before: &[u8]) -> Zeroizing<Vec<u8>> {
        let dpop_key = self.dpop_key.as_ref().map(|key| Zeroizing::new(URL_SAFE_NO_PAD.encode(*key.to_bytes())));
        let content = Plaintext {
            provider_id: Cow::Borrowed(&self.provider_id),
            state: Cow::Borrowed(&self.state),
            verifier: self.verifier.as_ref().map(|verifier| Cow::Borrowed(verifier.expose())),
            nonce: self.nonce.as_ref().map(|nonce| Cow::Borrowed(nonce.expose())),
            return_to: Cow::Borrowed(self.return_to.as_str()),
            redirect_uri: Cow::Borrowed(&self.redirect_uri),
            expected_issuer: self.expected_issuer.as_deref().map(Cow::Borrowed),
            created_at_milliseconds: self.created_at.as_millisecond(),
            prompt: self.options.prompt.iter().map(|prompt| Cow::Borrowed(prompt.name())).collect(),
            max_age_seconds: self.options.max_age.map(|max_age| max_age.as_secs()),
            acr_values: self.options.acr_values.iter().map(|value| Cow::Borrowed(value.as_str())).collect(),
            resource: self.options.resource.iter().map(|resource| Cow::Borrowed(resource.as_str())).collect(),
            dpop_key: dpop_key.as_deref().map(|key| Cow::Borrowed(key.as_str())),
        };
        // Enough, for a buffer that moves leaves a copy behind, and no more: all of its room is overwritten in the end, byte for byte.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(before.len() + content.room()));
        plaintext.extend_from_slice(before);
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
        let prompt = content.prompt.iter().map(|name| Prompt::from_name(name).ok_or(TransactionError::InvalidOption("prompt")));
        let resource = content.resource.iter().map(|text| Url::parse(text).map_err(|_| TransactionError::InvalidOption("resource")));
        let options = AuthorizationOptions {
            prompt: prompt.collect::<Result<_, _>>()?,
            max_age: content.max_age_seconds.map(Duration::from_secs),
            acr_values: content.acr_values.into_iter().map(Cow::into_owned).collect(),
            resource: resource.collect::<Result<_, _>>()?,
            ..AuthorizationOptions::default()
        };
        Ok(Self {
            provider_id: content.provider_id.into_owned(),
            state: content.state.into_owned(),
            verifier: content.verifier.map(|verifier| PkceVerifier::new(verifier.into_owned())),
            nonce: content.nonce.map(|nonce| Nonce::new(nonce.into_owned())),
            return_to: ReturnTo::parse(&content.return_to),
            redirect_uri: content.redirect_uri.into_owned(),
            expected_issuer: content.expected_issuer.map(Cow::into_owned),
            created_at: Timestamp::from_millisecond(content.created_at_milliseconds).map_err(TransactionError::InvalidTime)?,
            options,
            dpop_key: content.dpop_key.map(|key| read_key(&Zeroizing::new(key.into_owned()))).transpose()?,
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

fn read_key(text: &str) -> Result<DpopKey, TransactionError> {
    let secret = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| TransactionError::InvalidKey)?);
    DpopKey::from_bytes(&secret).ok_or(TransactionError::InvalidKey)
}

/// A parameter of a query or a form.
pub(crate) type Pair<'a> = (&'a str, Cow<'a, str>);

/// The value of a parameter: text in a query, and whatever JSON has for it in a request object.
pub(crate) enum Parameter<'a> {
    Text(Cow<'a, str>),
    Seconds(u64),
    Object(Map<String, Value>),
    /// One parameter for each, [RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2).
    Repeated(Vec<&'a str>),
}

impl<'a> Parameter<'a> {
    /// Adds what it is in a query or a form.
    fn append_to(self, pairs: &mut Vec<Pair<'a>>, name: &'a str) {
        match self {
            Self::Text(text) => pairs.push((name, text)),
            Self::Seconds(seconds) => pairs.push((name, seconds.to_string().into())),
            Self::Object(object) => pairs.push((name, Value::Object(object).to_string().into())),
            Self::Repeated(texts) => pairs.extend(texts.into_iter().map(|text| (name, text.into()))),
        }
    }

    /// The member of a request object. [RFC 9101 §4](https://www.rfc-editor.org/rfc/rfc9101#section-4)
    pub(crate) fn into_json(self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.into_owned()),
            Self::Seconds(seconds) => json!(seconds),
            Self::Object(object) => Value::Object(object),
            Self::Repeated(texts) => match texts.as_slice() {
                [text] => json!(text),
                texts => json!(texts),
            },
        }
    }
}

/// Where to send the browser. [RFC 6749 §4.1.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1),
/// [Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
///
/// With [`Provider::request_object`] everything but the client's id is in a signed token
/// ([RFC 9101 §5](https://www.rfc-editor.org/rfc/rfc9101#section-5)).
///
/// The challenge's method is S256 whatever the metadata declares: a provider that knows it can verify it, one that does
/// not ignores it, and `plain` would protect nothing.
///
/// # Errors
/// [`AuthorizationRequestError`]: [`AuthorizationRequestError::MustBePushed`] when [`crate::par`] has to be used instead.
pub fn authorization_url(
    provider: &Provider,
    metadata: &ProviderMetadata,
    transaction: &Transaction,
    context: &mut Context<'_>,
) -> Result<String, AuthorizationRequestError> {
    let must_be_pushed = match provider.par {
        ParPolicy::Auto => metadata.require_pushed_authorization_requests,
        ParPolicy::Always => true,
        ParPolicy::Never => false,
    };
    if must_be_pushed {
        return Err(AuthorizationRequestError::MustBePushed);
    }
    let pairs = request_pairs(provider, metadata, transaction, context)?;
    Ok(with_query(provider, metadata, &pairs))
}

/// The request as the pairs of a query or a form: the parameters themselves, or the client's id and a request object.
pub(crate) fn request_pairs<'a>(
    provider: &'a Provider,
    metadata: &ProviderMetadata,
    transaction: &'a Transaction,
    context: &mut Context<'_>,
) -> Result<Vec<Pair<'a>>, AuthorizationRequestError> {
    let parameters = parameters(provider, metadata, transaction)?;
    if provider.request_object {
        let request = request_object::sign(provider, metadata, parameters, context)?;
        return Ok(vec![("client_id", provider.client_id.as_str().into()), ("request", request.into())]);
    }
    let mut pairs = Vec::with_capacity(parameters.len());
    for (name, value) in parameters {
        value.append_to(&mut pairs, name);
    }
    Ok(pairs)
}

/// The authorization endpoint with these parameters. The endpoint's own query is kept
/// ([RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)), but nothing in it replaces or repeats one of the flow's.
pub(crate) fn with_query(provider: &Provider, metadata: &ProviderMetadata, pairs: &[Pair<'_>]) -> String {
    let endpoint = &metadata.authorization_endpoint;
    let mut address = endpoint[..Position::AfterPath].to_owned();
    address.push('?');
    if endpoint.query().is_some_and(|query| !query.is_empty()) {
        let is_extra = |name: &str| provider.extra_authorization_params.iter().any(|(extra, _)| extra == name);
        let is_kept = |name: &str| !provider::is_reserved(name) && !is_extra(name) && !pairs.iter().any(|(taken, _)| *taken == name);
        let own_query = endpoint.query_pairs().filter(|(name, _)| is_kept(name)).collect::<Vec<_>>();
        form::append_pairs(&mut address, own_query.iter().map(|(name, value)| (&**name, &**value)));
    }
    form::append_pairs(&mut address, pairs.iter().map(|(name, value)| (*name, &**value)));
    address
}

/// The parameters of the authorization request, each once.
fn parameters<'a>(
    provider: &'a Provider,
    metadata: &ProviderMetadata,
    transaction: &'a Transaction,
) -> Result<Vec<(&'a str, Parameter<'a>)>, AuthorizationRequestError> {
    if transaction.provider_id != provider.id || transaction.expected_issuer.as_deref() != provider.response_issuer() {
        return Err(AuthorizationRequestError::WrongProvider);
    }
    let options = &transaction.options;
    check_offered(provider, metadata, options)?;
    let mut parameters: Vec<(&'a str, Parameter<'a>)> = Vec::with_capacity(12);
    let mut text = |name: &'static str, value: Cow<'a, str>| parameters.push((name, Parameter::Text(value)));
    text("response_type", "code".into());
    text("client_id", provider.client_id.as_str().into());
    text("redirect_uri", transaction.redirect_uri.as_str().into());
    if !provider.scopes.is_empty() {
        text("scope", provider.scopes.join(" ").into());
    }
    text("state", transaction.state.as_str().into());
    if let Some(verifier) = &transaction.verifier {
        text("code_challenge", pkce::challenge(verifier).into());
        text("code_challenge_method", "S256".into());
    }
    if let Some(nonce) = &transaction.nonce {
        text("nonce", nonce.expose().into());
    }
    if let Some(mode) = response_mode(provider, metadata)? {
        text("response_mode", mode.into());
    }
    if let Some(key) = &transaction.dpop_key {
        text("dpop_jkt", key.thumbprint().into());
    }
    if !options.prompt.is_empty() {
        text("prompt", options.prompt.iter().map(|prompt| prompt.name()).collect::<Vec<_>>().join(" ").into());
    }
    if !options.acr_values.is_empty() {
        text("acr_values", options.acr_values.join(" ").into());
    }
    if let Some(hint) = &options.login_hint {
        text("login_hint", hint.as_str().into());
    }
    if !options.ui_locales.is_empty() {
        text("ui_locales", options.ui_locales.join(" ").into());
    }
    if let Some(max_age) = options.max_age {
        parameters.push(("max_age", Parameter::Seconds(max_age.as_secs())));
    }
    if let Some(claims) = &options.claims {
        parameters.push(("claims", Parameter::Object(claims.clone())));
    }
    if !options.resource.is_empty() {
        parameters.push(("resource", Parameter::Repeated(options.resource.iter().map(Url::as_str).collect())));
    }
    // A parameter must not occur twice (RFC 6749 §3.1), and the login's own options count more than the configuration's extras.
    for (name, value) in &provider.extra_authorization_params {
        if !provider::is_reserved(name) && !parameters.iter().any(|(taken, _)| taken == name) {
            parameters.push((name, Parameter::Text(value.as_str().into())));
        }
    }
    Ok(parameters)
}

/// Checks that the request says nothing that this provider cannot answer.
fn check_offered(
    provider: &Provider,
    metadata: &ProviderMetadata,
    options: &AuthorizationOptions,
) -> Result<(), AuthorizationRequestError> {
    options.check()?;
    if provider.openid_issuer().is_none() {
        for (name, asked) in [("max_age", options.max_age.is_some()), ("acr_values", !options.acr_values.is_empty())] {
            if asked {
                return Err(AuthorizationRequestError::NeedsIdToken(name));
            }
        }
    }
    if dpop::uses(provider, metadata) && !dpop::may_be_offered(metadata) {
        return Err(AuthorizationRequestError::DpopNotOffered);
    }
    Ok(())
}

/// The mode to ask for; `None` for the one that a code comes back in anyway.
/// [Multiple Response Types §2.1](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes)
fn response_mode(provider: &Provider, metadata: &ProviderMetadata) -> Result<Option<&'static str>, AuthorizationRequestError> {
    // `jwt` is the short name of what `query.jwt` is for a code (JARM §2.3.4), and a provider may know it alone.
    let names: &[&'static str] = match provider.response_mode {
        ResponseMode::Query => return Ok(None),
        ResponseMode::FormPost => &["form_post"],
        ResponseMode::Jwt => &["query.jwt", "jwt"],
    };
    if metadata.response_modes.is_empty() {
        return Ok(names.first().copied());
    }
    let declared = names.iter().find(|name| metadata.response_modes.iter().any(|mode| mode == *name));
    declared.map(|name| Some(*name)).ok_or(AuthorizationRequestError::UnsupportedResponseMode)
}

#[cfg(test)]
mod tests {
    use super::Plaintext;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::borrow::Cow;

    /// Texts with whatever JSON writes in another way.
    fn text() -> impl Strategy<Value = Cow<'static, str>> {
        "[a-z\"\\\\/<\u{0}-\u{20}\u{7f}-\u{9f}\u{2028}\u{1f600}]{0,40}".prop_map(Cow::Owned)
    }

    proptest! {
        #[test]
        fn a_plaintext_has_the_room_it_takes_and_little_more(
            texts in [text(), text(), text(), text()],
            optional in vec(proptest::option::of(text()), 4),
            lists in [vec(text(), 0..4), vec(text(), 0..4), vec(text(), 0..4)],
            max_age_seconds: Option<u64>,
            created_at_milliseconds: i64,
        ) {
            let all: Vec<_> = texts.iter().chain(optional.iter().flatten()).chain(lists.iter().flatten()).cloned().collect();
            let [provider_id, state, return_to, redirect_uri] = texts;
            let lists_length: usize = lists.iter().map(Vec::len).sum();
            let [prompt, acr_values, resource] = lists;
            let mut optional = optional.into_iter().flatten();
            let content = Plaintext {
                provider_id,
                state,
                verifier: optional.next(),
                nonce: optional.next(),
                return_to,
                redirect_uri,
                expected_issuer: optional.next(),
                created_at_milliseconds,
                prompt,
                max_age_seconds,
                acr_values,
                resource,
                dpop_key: optional.next(),
            };
            let (room, written) = (content.room(), serde_json::to_string(&content).unwrap());
            let escaped = all.concat().bytes().filter(|byte| !(b' '..=b'~').contains(byte) || b"\"\\".contains(byte)).count();
            let loose = 160 + 10 * lists_length + 5 * escaped;
            prop_assert!((written.len()..=written.len() + loose).contains(&room), "{} {room}", written.len());
        }
    }
}
