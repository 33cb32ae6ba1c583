//! The refresh of an access token. [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)

use jiff::Timestamp;
use secrecy::SecretString;

use crate::context::Context;
use crate::discovery::ProviderMetadata;
use crate::dpop::DpopKey;
use crate::http::{OutboundRequest, OutboundResponse};
use crate::id_token::{self, IdTokenError, IdTokenExpectations, IdTokenIdentity, Occasion, ValidatedIdToken};
use crate::jwks::JwkSet;
use crate::provider::{DpopPolicy, Provider};
use crate::secret::RefreshToken;
use crate::token::{Binding, ResponseRules, TokenError, TokenRequest, TokenResponse};

/// A refresh under way: judges the response that belongs to it.
#[derive(Debug)]
pub struct PendingRefresh {
    request: TokenRequest,
    rules: ResponseRules,
    refresh_token: RefreshToken,
}

/// Why a refresh is rejected.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token response is rejected.
    #[error("the token response is rejected")]
    Token(#[from] TokenError),
    /// The refreshed ID token does not hold.
    #[error("the refreshed ID token does not hold")]
    IdToken(#[from] IdTokenError),
    /// The refreshed ID token is about another user. [Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)
    #[error("the refreshed ID token is about another user")]
    SubjectChanged,
    /// The refreshed ID token is for another audience. [Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)
    #[error("the refreshed ID token is for another audience")]
    AudienceChanged,
}

impl RefreshError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::IdToken(error) => error.code(),
            Self::SubjectChanged => "refresh_subject_changed",
            Self::AudienceChanged => "refresh_audience_changed",
        }
    }

    /// Whether the grant is gone for good: the only answer that may end a session.
    pub fn is_invalid_grant(&self) -> bool {
        matches!(self, Self::Token(error) if error.is_invalid_grant())
    }

    /// Whether fetching the keys once more may help.
    pub fn wants_fresh_keys(&self) -> bool {
        matches!(self, Self::IdToken(error) if error.wants_fresh_keys())
    }
}

/// The request that refreshes, and what judges its response. `granted_scopes` are kept when the response names none
/// ([RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)).
///
/// `dpop` is the key that the tokens are bound to; the new ones must be bound to it again
/// ([RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5)). Where the configuration has begun to demand a key and the
/// login has none yet, there is a new one.
///
/// # Errors
/// [`TokenError::ClientAuth`] in [`RefreshError::Token`].
pub fn request(
    provider: &Provider,
    metadata: &ProviderMetadata,
    refresh_token: &RefreshToken,
    granted_scopes: &[String],
    dpop: Option<&DpopKey>,
    dpop_nonce: Option<&str>,
    context: &mut Context<'_>,
) -> Result<(OutboundRequest, PendingRefresh), RefreshError> {
    let form = vec![("grant_type", SecretString::from("refresh_token")), ("refresh_token", SecretString::from(refresh_token.expose()))];
    let key = match dpop {
        Some(key) => Some(key.clone()),
        None => (provider.dpop == DpopPolicy::Require).then(|| DpopKey::generate(context)),
    };
    let request = TokenRequest::new(provider, metadata, form, key.clone())?;
    let binding = key.map_or(Binding::Bearer, Binding::Demanded);
    let rules = ResponseRules::new(provider, granted_scopes.to_vec(), binding);
    Ok((request.build(dpop_nonce, context), PendingRefresh { request, rules, refresh_token: refresh_token.clone() }))
}

impl PendingRefresh {
    /// The request once more, when the answer asks for a nonce in the proof; `None` when it does not, and the second time.
    /// [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)
    pub fn retry_with_nonce(&mut self, response: &OutboundResponse, context: &mut Context<'_>) -> Option<OutboundRequest> {
        self.request.retry(response, context)
    }

    /// Judges the token response by the rules of [`crate::token::PendingExchange::process`], but for the ID token, which may be
    /// missing. A missing refresh token keeps the old one.
    ///
    /// # Errors
    /// [`RefreshError::Token`]
    pub fn process(self, response: &OutboundResponse, now: Timestamp) -> Result<TokenResponse, RefreshError> {
        let mut tokens = self.rules.process(response, now)?;
        tokens.refresh_token.get_or_insert(self.refresh_token);
        Ok(tokens)
    }
}

/// Validates the ID token of a refresh; `None` when the response has none. In this order:
///
/// 1. Everything that [`crate::id_token::validate`] checks, but for the nonce: a refresh sends none.
/// 2. `iss` is the login's.
/// 3. `sub` is the login's.
/// 4. `aud` is the login's, in any order.
///
/// # Errors
/// The first check that fails.
pub fn validate_id_token(
    provider: &Provider,
    metadata: &ProviderMetadata,
    tokens: &TokenResponse,
    original: &IdTokenIdentity,
    keys: &JwkSet,
    now: Timestamp,
) -> Result<Option<ValidatedIdToken>, RefreshError> {
    let (Some(raw), Some(mut expectations)) = (&tokens.id_token, IdTokenExpectations::new(provider, metadata, tokens, now)) else {
        return Ok(None);
    };
    expectations.issuer = &original.issuer;
    let token = id_token::validate_with(raw, &expectations, Occasion::Refresh, keys)?;
    // Where each tenant has an issuer of its own, the rule alone would let another tenant's in.
    if token.issuer() != original.issuer {
        return Err(IdTokenError::IssuerMismatch.into());
    }
    if token.subject() != original.subject {
        return Err(RefreshError::SubjectChanged);
    }
    if !same_members(token.audience(), &original.audience) {
        return Err(RefreshError::AudienceChanged);
    }
    Ok(Some(token))
}

fn same_members(left: &[String], right: &[String]) -> bool {
    left.iter().all(|member| right.contains(member)) && right.iter().all(|member| left.contains(member))
}
