//! The exchange of a user's access token for one that is for a certain API.
//! [RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use crate::context::Context;
use crate::discovery::ProviderMetadata;
use crate::dpop::DpopKey;
use crate::http::{OutboundRequest, OutboundResponse};
use crate::provider::{DpopPolicy, Provider};
use crate::provider_text::ProviderText;
use crate::secret::AccessToken;
use crate::token::{Binding, ResponseRules, TokenError, TokenRequest, TokenType};

/// The grant type. [RFC 8693 §2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.1)
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The type of both tokens. [RFC 8693 §3](https://www.rfc-editor.org/rfc/rfc8693#section-3)
pub const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What the new token is to be for. [RFC 8693 §2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.1)
#[derive(Clone, Copy, Debug, Default)]
pub struct Target<'a> {
    /// Whom it is to be for, by the provider's names.
    pub audience: &'a [String],
    /// The same by absolute addresses.
    pub resource: &'a [String],
    /// What it is to allow; when empty, what the provider gives.
    pub scopes: &'a [String],
}

/// A token that was exchanged for another one. There is never a refresh token to it: the user's own token is exchanged anew.
#[derive(Clone, Debug)]
pub struct ExchangedToken {
    /// The token.
    pub access_token: AccessToken,
    /// How it is used.
    pub token_type: TokenType,
    /// The key that it is bound to; there is one exactly when the type is [`TokenType::Dpop`].
    pub dpop_key: Option<DpopKey>,
    /// What it allows, which may be less than was asked for; what was asked for when the provider did not say.
    pub scopes: Vec<String>,
    /// When it ends, if known.
    pub expires_at: Option<Timestamp>,
}

/// An exchange under way: judges the response that belongs to it.
#[derive(Debug)]
pub struct PendingTokenExchange {
    request: TokenRequest,
    rules: ResponseRules,
    requested_scopes: Vec<String>,
}

/// Why an exchange is rejected.
#[derive(Debug, thiserror::Error)]
pub enum TokenExchangeError {
    /// The token response is rejected.
    #[error("the token response is rejected")]
    Token(#[from] TokenError),
    /// The response does not say what was issued. [RFC 8693 §2.2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1)
    #[error("the response to the exchange does not say of what type the token is")]
    MissingIssuedTokenType,
    /// Something else than an access token was issued. [RFC 8693 §2.2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1)
    #[error("the provider issued {0} instead of an access token")]
    UnexpectedIssuedTokenType(ProviderText),
    /// The token allows more than was asked for. [RFC 8693 §2.2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1)
    #[error("the exchanged token allows {0}, and nobody asked for that")]
    ScopeExceeded(ProviderText),
}

impl TokenExchangeError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::MissingIssuedTokenType => "exchange_issued_token_type_missing",
            Self::UnexpectedIssuedTokenType(_) => "exchange_issued_token_type_unexpected",
            Self::ScopeExceeded(_) => "exchange_scope_exceeded",
        }
    }
}

/// The request that exchanges a token, and what judges its response.
///
/// The user's token is the subject, and there is no actor: the client authenticates itself. `dpop` is the key that the user's token is
/// bound to; a provider that binds tokens binds the new one to it as well
/// ([RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5)).
///
/// # Errors
/// [`TokenError::ClientAuth`] in [`TokenExchangeError::Token`].
pub fn request(
    provider: &Provider,
    metadata: &ProviderMetadata,
    subject: &AccessToken,
    target: Target<'_>,
    dpop: Option<&DpopKey>,
    dpop_nonce: Option<&str>,
    context: &mut Context<'_>,
) -> Result<(OutboundRequest, PendingTokenExchange), TokenExchangeError> {
    let mut form = vec![
        ("grant_type", SecretString::from(GRANT_TYPE)),
        ("subject_token", SecretString::from(subject.expose())),
        ("subject_token_type", SecretString::from(ACCESS_TOKEN_TYPE)),
        ("requested_token_type", SecretString::from(ACCESS_TOKEN_TYPE)),
    ];
    form.extend(target.audience.iter().map(|audience| ("audience", SecretString::from(audience.as_str()))));
    form.extend(target.resource.iter().map(|resource| ("resource", SecretString::from(resource.as_str()))));
    if !target.scopes.is_empty() {
        form.push(("scope", SecretString::from(target.scopes.join(" "))));
    }
    let key = dpop.cloned();
    let request = TokenRequest::new(provider, metadata, form, key.clone())?;
    let binding = match key {
        Some(key) if provider.dpop == DpopPolicy::Require => Binding::Demanded(key),
        Some(key) => Binding::Offered(key),
        None => Binding::Bearer,
    };
    let rules = ResponseRules::new(provider, target.scopes.to_vec(), binding);
    let pending = PendingTokenExchange { request, rules, requested_scopes: target.scopes.to_vec() };
    Ok((pending.request.build(dpop_nonce, context), pending))
}

impl PendingTokenExchange {
    /// The request once more, when the answer asks for a nonce in the proof; `None` when it does not, and the second time.
    /// [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)
    pub fn retry_with_nonce(&mut self, response: &OutboundResponse, context: &mut Context<'_>) -> Option<OutboundRequest> {
        self.request.retry(response, context)
    }

    /// Judges the response. In this order:
    ///
    /// 1. Everything that [`crate::token::PendingExchange::process`] checks up to the scopes; so an error is one whatever the status, the
    ///    token fits into a header, and its type is `Bearer`, or `DPoP` where a key was sent.
    /// 2. `issued_token_type` is there.
    /// 3. It is that of an access token.
    /// 4. `scope`, where present and where some were asked for, names none but those.
    ///
    /// A refresh token or an ID token in the response is dropped.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn process(self, response: &OutboundResponse, now: Timestamp) -> Result<ExchangedToken, TokenExchangeError> {
        let (tokens, members) = self.rules.process_with_members(response, now)?;
        let issued = members.get("issued_token_type").and_then(Value::as_str).filter(|issued| !issued.is_empty());
        match issued {
            None => return Err(TokenExchangeError::MissingIssuedTokenType),
            Some(ACCESS_TOKEN_TYPE) => {}
            Some(other) => return Err(TokenExchangeError::UnexpectedIssuedTokenType(ProviderText::new(other))),
        }
        let exceeds = |scope: &&String| !self.requested_scopes.is_empty() && !self.requested_scopes.contains(scope);
        if let Some(scope) = tokens.scopes.iter().find(exceeds) {
            return Err(TokenExchangeError::ScopeExceeded(ProviderText::new(scope)));
        }
        Ok(ExchangedToken {
            access_token: tokens.access_token,
            token_type: tokens.token_type,
            dpop_key: tokens.dpop_key,
            scopes: tokens.scopes,
            expires_at: tokens.expires_at,
        })
    }
}
