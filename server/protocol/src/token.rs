//! The token request and its response.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::Url;

use crate::callback::ValidatedCallback;
use crate::client_auth::{self, Client, ClientAuthError};
use crate::context::Context;
use crate::discovery::ProviderMetadata;
use crate::dpop::{self, DpopKey};
use crate::http::{OutboundRequest, OutboundResponse};
use crate::json::{self, JsonError};
use crate::provider::{DpopPolicy, Provider};
use crate::provider_text::ProviderText;
use crate::secret::{AccessToken, IdToken, Nonce, RefreshToken};

/// The largest token response accepted, in bytes.
pub const MAXIMUM_TOKEN_RESPONSE_BYTES: usize = 64 * 1024;

/// What the token endpoint granted. The ID token, if any, is not validated yet: nobody is signed in.
#[derive(Clone, Debug)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: AccessToken,
    /// How the access token is used.
    pub token_type: TokenType,
    /// The key that the tokens are bound to; there is one exactly when the type is [`TokenType::Dpop`].
    pub dpop_key: Option<DpopKey>,
    /// The refresh token; after a refresh without a new one, the old one.
    pub refresh_token: Option<RefreshToken>,
    /// The ID token as it came. OpenID providers always send it with a code's exchange.
    pub id_token: Option<IdToken>,
    /// The granted scopes; the requested ones when the provider did not say.
    pub scopes: Vec<String>,
    /// When the access token ends, if known.
    pub expires_at: Option<Timestamp>,
    /// The nonce that the ID token must hold.
    pub nonce: Option<Nonce>,
    /// How long ago the user may have logged in, where the login asked for that: the ID token must prove it.
    pub max_age: Option<Duration>,
    /// How strongly the user must have logged in, where the login asked for that: the ID token must name one of these.
    pub acr_values: Vec<String>,
}

/// How an access token is used. [RFC 6749 §7.1](https://www.rfc-editor.org/rfc/rfc6749#section-7.1)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// By whoever has it, [RFC 6750](https://www.rfc-editor.org/rfc/rfc6750).
    Bearer,
    /// By whoever has its key too, [RFC 9449](https://www.rfc-editor.org/rfc/rfc9449).
    Dpop,
}

/// A code's exchange under way: judges the response that belongs to it.
#[derive(Debug)]
pub struct PendingExchange {
    request: TokenRequest,
    rules: ResponseRules,
    nonce: Option<Nonce>,
    max_age: Option<Duration>,
    acr_values: Vec<String>,
    openid: bool,
}

/// Why a token response is rejected.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The callback was validated for another provider. [RFC 9700 §4.4](https://www.rfc-editor.org/rfc/rfc9700#section-4.4)
    #[error("the callback belongs to another provider")]
    WrongProvider,
    /// The client cannot prove who it is. [RFC 6749 §3.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.2.1)
    #[error(transparent)]
    ClientAuth(#[from] ClientAuthError),
    /// The provider is at fault or overloaded: 5xx or 429.
    #[error("the token endpoint answered with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// The body is larger than [`MAXIMUM_TOKEN_RESPONSE_BYTES`].
    #[error("the token response is too large")]
    TooLarge,
    /// The provider said no. [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)
    #[error("the token endpoint answered {error}")]
    Provider {
        /// What the error is.
        kind: TokenErrorCode,
        /// The error's code, as the provider wrote it.
        error: ProviderText,
        /// The provider's words about it.
        description: Option<ProviderText>,
        /// The HTTP status it came with.
        status: u16,
    },
    /// The status is neither 200 nor explained by the body. [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)
    #[error("the token endpoint answered with status {status}")]
    UnexpectedStatus {
        /// The HTTP status.
        status: u16,
    },
    /// The content type is not JSON. [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)
    #[error("the token response is not JSON")]
    NotJson,
    /// The body is not a JSON object, or it repeats a member.
    #[error("the token response cannot be read")]
    Malformed(#[source] JsonError),
    /// A form-encoded response repeats a parameter. [RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)
    #[error("the token response repeats a parameter")]
    DuplicateParameter,
    /// A required member is missing. [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)
    #[error("the token response has no {0}")]
    MissingMember(&'static str),
    /// A member has the wrong type or a value that it cannot have. [RFC 6749 §5.1](https://www.rfc-editor.org/rfc/rfc6749#section-5.1)
    #[error("the token response's {0} is not what it must be")]
    InvalidMember(&'static str),
    /// The access token is of a type that is not understood. [RFC 6749 §7.1](https://www.rfc-editor.org/rfc/rfc6749#section-7.1)
    #[error("the access token is of the unknown type {0}")]
    UnsupportedTokenType(ProviderText),
    /// The access token must be bound to a key and is not. [RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5)
    #[error("the access token is not bound to the key of this login")]
    NotBound,
    /// The access token is bound to a key that nobody has shown. [RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5)
    #[error("the access token is bound to a key, and none was sent")]
    UnexpectedlyBound,
    /// An OpenID provider sent no ID token. [Core §3.1.3.3](https://openid.net/specs/openid-connect-core-1_0.html#TokenResponse)
    #[error("the token response has no ID token")]
    MissingIdToken,
}

/// The errors of the token endpoint, [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2), and GitHub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenErrorCode {
    /// The code or the refresh token is no longer good.
    InvalidGrant,
    /// The client's id or secret is wrong.
    InvalidClient,
    /// The request is malformed.
    InvalidRequest,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// The provider does not know this grant.
    UnsupportedGrantType,
    /// A scope is unknown.
    InvalidScope,
    /// The redirect address is not registered (GitHub).
    RedirectUriMismatch,
    /// The user's e-mail address is not verified (GitHub).
    UnverifiedUserEmail,
    /// The provider failed or is overloaded.
    TemporarilyUnavailable,
    /// The proof must hold the server's nonce. [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)
    UseDpopNonce,
    /// The proof does not hold. [RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5)
    InvalidDpopProof,
    /// The resource is unknown or not for this client. [RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2)
    InvalidTarget,
    /// Anything else.
    Other,
}

impl TokenErrorCode {
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            // GitHub's words ("Troubleshooting OAuth app access token request errors"), and Slack's ("openid.connect.token").
            "invalid_grant"
            | "bad_verification_code"
            | "bad_refresh_token"
            | "invalid_code"
            | "code_already_used"
            | "invalid_refresh_token" => Self::InvalidGrant,
            "invalid_client" | "incorrect_client_credentials" | "bad_client_secret" | "invalid_client_id" => Self::InvalidClient,
            "invalid_request" => Self::InvalidRequest,
            "unauthorized_client" => Self::UnauthorizedClient,
            "unsupported_grant_type" => Self::UnsupportedGrantType,
            "invalid_scope" => Self::InvalidScope,
            "redirect_uri_mismatch" | "bad_redirect_uri" => Self::RedirectUriMismatch,
            "unverified_user_email" => Self::UnverifiedUserEmail,
            "use_dpop_nonce" => Self::UseDpopNonce,
            "invalid_dpop_proof" => Self::InvalidDpopProof,
            "invalid_target" => Self::InvalidTarget,
            "server_error" | "temporarily_unavailable" | "slow_down" => Self::TemporarilyUnavailable,
            _ => Self::Other,
        }
    }
}

impl TokenError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongProvider => "token_wrong_provider",
            Self::ClientAuth(error) => error.code(),
            Self::Unavailable { .. } => "token_endpoint_unavailable",
            Self::TooLarge => "token_response_too_large",
            Self::Provider { .. } => "token_provider_error",
            Self::UnexpectedStatus { .. } => "token_unexpected_status",
            Self::NotJson => "token_response_not_json",
            Self::Malformed(_) => "token_response_malformed",
            Self::DuplicateParameter => "token_response_parameter_repeated",
            Self::MissingMember(_) => "token_response_member_missing",
            Self::InvalidMember(_) => "token_response_member_invalid",
            Self::UnsupportedTokenType(_) => "token_type_unsupported",
            Self::NotBound => "token_type_not_bound",
            Self::UnexpectedlyBound => "token_type_unexpectedly_bound",
            Self::MissingIdToken => "token_id_token_missing",
        }
    }

    /// Whether the grant is gone for good: the only answer that may end a session.
    pub fn is_invalid_grant(&self) -> bool {
        matches!(self, Self::Provider { kind: TokenErrorCode::InvalidGrant, .. })
    }
}

/// The request that exchanges the code, and what judges its response.
/// [RFC 6749 §4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3)
///
/// `dpop_nonce` is the last nonce that the provider has sent, if any; it matters only where tokens are bound to a key.
///
/// # Errors
/// [`TokenError::WrongProvider`]: a code never goes to another provider than the one that issued it.
/// [`TokenError::ClientAuth`]
pub fn exchange_request(
    provider: &Provider,
    metadata: &ProviderMetadata,
    callback: ValidatedCallback,
    dpop_nonce: Option<&str>,
    context: &mut Context<'_>,
) -> Result<(OutboundRequest, PendingExchange), TokenError> {
    if callback.provider_id != provider.id || metadata.issuer.as_deref() != provider.response_issuer() {
        return Err(TokenError::WrongProvider);
    }
    let mut form = vec![
        ("grant_type", SecretString::from("authorization_code")),
        ("code", SecretString::from(callback.code.expose())),
        ("redirect_uri", SecretString::from(callback.redirect_uri)),
    ];
    if let Some(verifier) = &callback.verifier {
        form.push(("code_verifier", SecretString::from(verifier.expose())));
    }
    // The token is for the same places that the user has agreed to, RFC 8707 §2.2.
    form.extend(callback.options.resource.iter().map(|resource| ("resource", SecretString::from(resource.as_str()))));
    let request = TokenRequest::new(provider, metadata, form, callback.dpop_key)?;
    let binding = Binding::of_login(provider, request.dpop_key.clone());
    let pending = PendingExchange {
        rules: ResponseRules::new(provider, provider.scopes.clone(), binding),
        nonce: callback.nonce,
        max_age: callback.options.max_age,
        acr_values: callback.options.acr_values,
        openid: provider.openid_issuer().is_some(),
        request,
    };
    Ok((pending.request.build(dpop_nonce, context), pending))
}

/// A request to the token endpoint that can be made anew, with a new proof and a new assertion.
pub(crate) struct TokenRequest {
    client: Client,
    endpoint: Url,
    form: Vec<(&'static str, SecretString)>,
    dpop_key: Option<DpopKey>,
    retried: bool,
}

impl TokenRequest {
    pub(crate) fn new(
        provider: &Provider,
        metadata: &ProviderMetadata,
        form: Vec<(&'static str, SecretString)>,
        dpop_key: Option<DpopKey>,
    ) -> Result<Self, TokenError> {
        let alias = metadata.mtls_endpoint_aliases.token_endpoint.as_ref();
        let endpoint = client_auth::reached_at(provider, &metadata.token_endpoint, alias).clone();
        Ok(Self { client: Client::new(provider, metadata)?, endpoint, form, dpop_key, retried: false })
    }

    pub(crate) fn build(&self, dpop_nonce: Option<&str>, context: &mut Context<'_>) -> OutboundRequest {
        let form = self.form.iter().map(|(name, value)| (*name, value.expose_secret())).collect::<Vec<_>>();
        let request = self.client.form(&self.endpoint, &form, context);
        let Some(key) = &self.dpop_key else { return request };
        let proof = key.proof(request.method.as_str(), &request.url, dpop_nonce, None, context);
        request.with_header("dpop", proof)
    }

    /// The request once more, when the answer asks for a nonce in the proof: once, so that a server that is never content is
    /// not asked for ever. [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)
    pub(crate) fn retry(&mut self, response: &OutboundResponse, context: &mut Context<'_>) -> Option<OutboundRequest> {
        if self.retried || self.dpop_key.is_none() {
            return None;
        }
        let nonce = dpop::nonce_wanted_by_token_endpoint(response)?;
        self.retried = true;
        Some(self.build(Some(nonce), context))
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenRequest")
            .field("endpoint", &self.endpoint.as_str())
            .field("retried", &self.retried)
            .finish_non_exhaustive()
    }
}

/// Which type of token a request may be answered with, and the key that a bound one is bound to.
#[derive(Clone, Debug)]
pub(crate) enum Binding {
    /// Bearer tokens only: there is no key.
    Bearer,
    /// Either: the provider was offered a key.
    Offered(DpopKey),
    /// Bound tokens only.
    Demanded(DpopKey),
}

impl Binding {
    fn of_login(provider: &Provider, key: Option<DpopKey>) -> Self {
        match key {
            None => Self::Bearer,
            Some(key) if provider.dpop == DpopPolicy::Require => Self::Demanded(key),
            Some(key) => Self::Offered(key),
        }
    }

    fn judge(self, token_type: &str) -> Result<(TokenType, Option<DpopKey>), TokenError> {
        if token_type.eq_ignore_ascii_case("bearer") {
            return match self {
                Self::Demanded(_) => Err(TokenError::NotBound),
                Self::Bearer | Self::Offered(_) => Ok((TokenType::Bearer, None)),
            };
        }
        if token_type.eq_ignore_ascii_case("dpop") {
            return match self {
                Self::Bearer => Err(TokenError::UnexpectedlyBound),
                Self::Offered(key) | Self::Demanded(key) => Ok((TokenType::Dpop, Some(key))),
            };
        }
        Err(TokenError::UnsupportedTokenType(ProviderText::new(token_type)))
    }
}

impl PendingExchange {
    /// The request once more, when the answer asks for a nonce in the proof; `None` when it does not, and the second time.
    /// [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)
    pub fn retry_with_nonce(&mut self, response: &OutboundResponse, context: &mut Context<'_>) -> Option<OutboundRequest> {
        self.request.retry(response, context)
    }

    /// Judges the token response. In this order:
    ///
    /// 1. The status is not 5xx or 429, and the body has at most 64 KiB.
    /// 2. The body is JSON by its content type and in fact, or a form where the provider may send one; no member is repeated.
    /// 3. There is no `error`, whatever the status.
    /// 4. The status is 200.
    /// 5. `access_token` is a string that fits into a header.
    /// 6. `token_type`, in any case, is `DPoP` where a key was sent, and `Bearer` where none was, or where
    ///    [`DpopPolicy::Auto`] leaves that to the provider.
    /// 7. `expires_in`, where present, is a number of seconds; `refresh_token`, `id_token` and `scope`, where present, are strings.
    /// 8. An OpenID provider has sent an ID token. One of another provider is dropped: nothing could validate it.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn process(self, response: &OutboundResponse, now: Timestamp) -> Result<TokenResponse, TokenError> {
        let mut tokens = self.rules.process(response, now)?;
        if self.openid && tokens.id_token.is_none() {
            return Err(TokenError::MissingIdToken);
        }
        tokens.nonce = self.nonce;
        tokens.max_age = self.max_age;
        tokens.acr_values = self.acr_values;
        Ok(tokens)
    }
}

/// What the responses to a code's exchange and to a refresh have in common.
#[derive(Debug)]
pub(crate) struct ResponseRules {
    requested_scopes: Vec<String>,
    scope_separator: char,
    default_lifetime: Option<Duration>,
    may_be_form: bool,
    keeps_id_token: bool,
    binding: Binding,
}

impl ResponseRules {
    pub(crate) fn new(provider: &Provider, requested_scopes: Vec<String>, binding: Binding) -> Self {
        Self {
            requested_scopes,
            scope_separator: provider.scope_separator_response,
            default_lifetime: provider.default_token_lifetime,
            may_be_form: provider.form_encoded_token_response,
            keeps_id_token: provider.openid_issuer().is_some(),
            binding,
        }
    }

    pub(crate) fn process(self, response: &OutboundResponse, now: Timestamp) -> Result<TokenResponse, TokenError> {
        self.process_with_members(response, now).map(|(tokens, _)| tokens)
    }

    /// The same, with everything else that the response says.
    pub(crate) fn process_with_members(
        self,
        response: &OutboundResponse,
        now: Timestamp,
    ) -> Result<(TokenResponse, Map<String, Value>), TokenError> {
        if response.is_unavailable() {
            return Err(TokenError::Unavailable { status: response.status });
        }
        if response.body.len() > MAXIMUM_TOKEN_RESPONSE_BYTES {
            return Err(TokenError::TooLarge);
        }
        let members = self.read(response)?;
        if let Some(error) = json::present(&members, "error") {
            // Some providers put an object there; its words are not needed to know that it is a no.
            let name = error.as_str().unwrap_or("error");
            return Err(TokenError::Provider {
                kind: TokenErrorCode::from_name(name),
                error: ProviderText::new(name),
                description: members.get("error_description").and_then(Value::as_str).map(ProviderText::new),
                status: response.status,
            });
        }
        if response.status != 200 {
            return Err(TokenError::UnexpectedStatus { status: response.status });
        }

        let access_token = text(&members, "access_token")?.ok_or(TokenError::MissingMember("access_token"))?;
        if !access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::InvalidMember("access_token"));
        }
        let token_type = text(&members, "token_type")?.ok_or(TokenError::MissingMember("token_type"))?;
        let (token_type, dpop_key) = self.binding.judge(token_type)?;
        let lifetime = lifetime(&members)?.or(self.default_lifetime);
        let refresh_token = text(&members, "refresh_token")?.map(|token| RefreshToken::new(token.to_owned()));
        let id_token = text(&members, "id_token")?.filter(|_| self.keeps_id_token).map(|token| IdToken::new(token.to_owned()));
        // An empty list grants nothing: GitHub sends one when the user has agreed to no scope.
        let scopes = match json::string(&members, "scope").map_err(|_| TokenError::InvalidMember("scope"))? {
            Some(scope) => split_scopes(scope, self.scope_separator),
            None => self.requested_scopes,
        };
        let tokens = TokenResponse {
            access_token: AccessToken::new(access_token.to_owned()),
            token_type,
            dpop_key,
            refresh_token,
            id_token,
            scopes,
            expires_at: lifetime.map(|lifetime| now.saturating_add(lifetime).unwrap_or(Timestamp::MAX)),
            nonce: None,
            max_age: None,
            acr_values: Vec::new(),
        };
        Ok((tokens, members))
    }

    fn read(&self, response: &OutboundResponse) -> Result<Map<String, Value>, TokenError> {
        if response.is_json() {
            return json::parse_object(&response.body).map_err(|error| match response.status {
                200 => TokenError::Malformed(error),
                status => TokenError::UnexpectedStatus { status },
            });
        }
        if self.may_be_form && response.media_type().as_deref() == Some("application/x-www-form-urlencoded") {
            let mut members = Map::new();
            for (name, value) in url::form_urlencoded::parse(&response.body) {
                if members.insert(name.into_owned(), Value::from(value.into_owned())).is_some() {
                    return Err(TokenError::DuplicateParameter);
                }
            }
            return Ok(members);
        }
        Err(match response.status {
            200 => TokenError::NotJson,
            status => TokenError::UnexpectedStatus { status },
        })
    }
}

/// A string member; an empty one is as if it were not there.
fn text<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, TokenError> {
    let text = json::string(members, name).map_err(|_| TokenError::InvalidMember(name))?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// `expires_in`: a number of seconds, which some providers, and every form, write as a string.
fn lifetime(members: &Map<String, Value>) -> Result<Option<Duration>, TokenError> {
    let invalid = TokenError::InvalidMember("expires_in");
    let seconds = match json::present(members, "expires_in") {
        None => return Ok(None),
        Some(Value::String(text)) => text.parse::<i64>().ok(),
        Some(_) => json::seconds(members, "expires_in").ok().flatten(),
    };
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok()).ok_or(invalid)?;
    Ok(Some(Duration::from_secs(seconds)))
}

fn split_scopes(scope: &str, separator: char) -> Vec<String> {
    scope.split([' ', separator]).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}
