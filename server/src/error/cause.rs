//! Which problem each operation's errors become.

use super::Failure;
use crate::{
    outbound::{EndpointError, OutboundError},
    provider::ProviderError,
    proxy::exchange::ExchangeError,
    session::{refresh::AccessTokenError, store::StoreError},
};
use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::{
    authorize::AuthorizationRequestError,
    callback::{AuthorizationErrorCode, CallbackError},
    discovery::DiscoveryError,
    id_token::IdTokenError,
    jarm::JarmError,
    jwks::JwksError,
    par::ParError,
    refresh::RefreshError,
    token::{TokenError, TokenErrorCode},
    token_exchange::TokenExchangeError,
    userinfo::UserInfoError,
};
use std::time::Duration;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(ProblemCode::StoreUnavailable).source(error)
    }
}

const fn outbound_code(error: &OutboundError) -> ProblemCode {
    match error {
        OutboundError::Timeout(_) | OutboundError::Silent => ProblemCode::ProviderTimeout,
        OutboundError::Unavailable(_) | OutboundError::Untrusted(_) | OutboundError::Endpoint(EndpointError::Unresolved { .. }) => {
            ProblemCode::ProviderUnavailable
        }
        OutboundError::TooLarge { .. } | OutboundError::Encoded(_) | OutboundError::Endpoint(EndpointError::Internal { .. }) => {
            ProblemCode::ProviderInvalidResponse
        }
    }
}

impl From<OutboundError> for Failure {
    fn from(error: OutboundError) -> Self {
        Self::new(outbound_code(&error)).source(error)
    }
}

fn provider_code(error: &ProviderError) -> ProblemCode {
    match error {
        ProviderError::Outbound { source, .. } => outbound_code(source),
        ProviderError::Metadata(error) => match &**error {
            DiscoveryError::InvalidIssuer | DiscoveryError::IssuerMismatch => ProblemCode::ProviderMisconfigured,
            DiscoveryError::Unavailable { .. } => ProblemCode::ProviderUnavailable,
            _ => ProblemCode::ProviderInvalidResponse,
        },
        ProviderError::Keys(error) if matches!(**error, JwksError::Unavailable { .. }) => ProblemCode::ProviderUnavailable,
        ProviderError::Keys(_) | ProviderError::NoKeys => ProblemCode::ProviderInvalidResponse,
        ProviderError::Interrupted => ProblemCode::InternalError,
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self::new(provider_code(&error)).source(error)
    }
}

impl From<AuthorizationRequestError> for Failure {
    fn from(error: AuthorizationRequestError) -> Self {
        use AuthorizationRequestError as Error;
        let detail = match &error {
            Error::SilentPromptCombined => "A silent sign-in shows nothing: prompt=none stands alone.".to_owned(),
            Error::InvalidOption(name) => format!("The parameter {name} is not what it has to be."),
            Error::NeedsIdToken(name) => format!("The parameter {name} needs a provider that issues ID tokens."),
            _ => return Self::new(ProblemCode::ProviderMisconfigured).source(error),
        };
        Self::new(ProblemCode::InvalidRequest).detail(detail).source(error)
    }
}

impl From<ParError> for Failure {
    fn from(error: ParError) -> Self {
        let code = match error {
            ParError::Request(error) => return error.into(),
            ParError::Provider { kind: TokenErrorCode::TemporarilyUnavailable, .. } | ParError::Unavailable { .. } => {
                ProblemCode::ProviderUnavailable
            }
            ParError::Provider { kind: TokenErrorCode::Other, .. } => ProblemCode::ProviderRefused,
            ParError::NotOffered | ParError::Required | ParError::ClientAuth(_) | ParError::Provider { .. } => {
                ProblemCode::ProviderMisconfigured
            }
            _ => ProblemCode::ProviderInvalidResponse,
        };
        Self::new(code).source(error)
    }
}

impl From<CallbackError> for Failure {
    fn from(error: CallbackError) -> Self {
        let code = match &error {
            CallbackError::DuplicateParameter(_)
            | CallbackError::ParameterTooLong(_)
            | CallbackError::MissingState
            | CallbackError::CodeAndError
            | CallbackError::MissingCode
            | CallbackError::NotSigned
            | CallbackError::UnexpectedlySigned
            | CallbackError::PartlySigned => ProblemCode::InvalidRequest,
            CallbackError::StateMismatch | CallbackError::ProviderMismatch => ProblemCode::StateMismatch,
            CallbackError::Expired => ProblemCode::LoginExpired,
            CallbackError::MissingIss | CallbackError::IssMismatch | CallbackError::Jarm(JarmError::IssuerMismatch) => {
                ProblemCode::IssuerMismatch
            }
            CallbackError::Jarm(_) => ProblemCode::ProviderInvalidResponse,
            CallbackError::Provider { kind: AuthorizationErrorCode::AccessDenied, .. } => ProblemCode::AccessDenied,
            CallbackError::Provider {
                kind:
                    AuthorizationErrorCode::InvalidRequest
                    | AuthorizationErrorCode::UnauthorizedClient
                    | AuthorizationErrorCode::UnsupportedResponseType
                    | AuthorizationErrorCode::InvalidScope,
                ..
            } => ProblemCode::ProviderMisconfigured,
            CallbackError::Provider { kind: AuthorizationErrorCode::InteractionRequired, .. } => ProblemCode::InteractionRequired,
            CallbackError::Provider { .. } => ProblemCode::ProviderRefused,
        };
        let detail = match &error {
            // The provider's own words help; they are only ever shown as text.
            CallbackError::Provider { error, description: Some(description), .. } if error.as_str() == code.code() => {
                format!("The provider says: “{description}”")
            }
            CallbackError::Provider { error, description: Some(description), .. } => {
                format!("The provider says: “{description}” ({error}).")
            }
            CallbackError::Provider { error, .. } => format!("The provider says: {error}."),
            _ => code.explain().why.to_owned(),
        };
        Self::new(code).detail(detail).source(error)
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        let code = match &error {
            TokenError::Provider { kind: TokenErrorCode::InvalidGrant, .. } => ProblemCode::CodeRejected,
            TokenError::Provider { kind: TokenErrorCode::TemporarilyUnavailable, .. } | TokenError::Unavailable { .. } => {
                ProblemCode::ProviderUnavailable
            }
            TokenError::Provider { kind: TokenErrorCode::UnverifiedUserEmail, .. } => ProblemCode::ProviderRefused,
            TokenError::Provider { .. } | TokenError::ClientAuth(_) | TokenError::NotBound => ProblemCode::ProviderMisconfigured,
            TokenError::MissingIdToken => ProblemCode::IdTokenInvalid,
            _ => ProblemCode::ProviderInvalidResponse,
        };
        Self::new(code).source(error)
    }
}

impl From<IdTokenError> for Failure {
    fn from(error: IdTokenError) -> Self {
        let code = match &error {
            error if error.suspects_own_clock() => ProblemCode::ClockSkew,
            IdTokenError::AcrMismatch | IdTokenError::AuthenticationTooOld | IdTokenError::MissingClaim("acr" | "auth_time") => {
                ProblemCode::AuthenticationTooWeak
            }
            _ => ProblemCode::IdTokenInvalid,
        };
        Self::new(code).source(error)
    }
}

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        let code = match &error {
            ExchangeError::Outbound(error) => outbound_code(error),
            ExchangeError::Provider(error) => provider_code(error),
            ExchangeError::Paused(_)
            | ExchangeError::Refused(TokenExchangeError::Token(
                TokenError::Unavailable { .. } | TokenError::Provider { kind: TokenErrorCode::TemporarilyUnavailable, .. },
            )) => ProblemCode::ProviderUnavailable,
            ExchangeError::Refused(TokenExchangeError::Token(
                TokenError::Provider { .. } | TokenError::ClientAuth(_) | TokenError::NotBound,
            )) => ProblemCode::ProviderMisconfigured,
            ExchangeError::Refused(_) => ProblemCode::ProviderInvalidResponse,
        };
        let pause = if let ExchangeError::Paused(pause) = error { Some(pause) } else { None };
        let failure = Self::new(code).source(error);
        match pause {
            Some(pause) => failure.retry_after(pause),
            None => failure,
        }
    }
}

impl From<UserInfoError> for Failure {
    fn from(error: UserInfoError) -> Self {
        let code = match &error {
            UserInfoError::Unavailable { .. } => ProblemCode::ProviderUnavailable,
            _ => ProblemCode::ProviderInvalidResponse,
        };
        Self::new(code).source(error)
    }
}

/// When to try again if the provider is in trouble.
const PROVIDER_RETRY_AFTER: Duration = Duration::from_secs(5);

impl From<AccessTokenError> for Failure {
    fn from(error: AccessTokenError) -> Self {
        let code = match &error {
            AccessTokenError::GrantEnded(_) => ProblemCode::SessionEnded,
            AccessTokenError::Expired | AccessTokenError::JustRenewed => ProblemCode::PermissionExpired,
            AccessTokenError::Refused(error) => match &**error {
                RefreshError::Token(TokenError::Unavailable { .. }) => ProblemCode::ProviderUnavailable,
                RefreshError::Token(TokenError::Provider { .. } | TokenError::ClientAuth(_) | TokenError::NotBound) => {
                    ProblemCode::ProviderMisconfigured
                }
                _ => ProblemCode::ProviderInvalidResponse,
            },
            AccessTokenError::Outbound(error) => outbound_code(error),
            AccessTokenError::Paused(_) => ProblemCode::ProviderUnavailable,
            AccessTokenError::Provider(error) => provider_code(error),
            AccessTokenError::Store(_) => ProblemCode::StoreUnavailable,
            AccessTokenError::KeysDiffer(_) => ProblemCode::KeysDiffer,
            AccessTokenError::Interrupted => ProblemCode::InternalError,
        };
        let retry_after = match (&error, code) {
            (AccessTokenError::Paused(pause), _) => Some(*pause),
            (_, ProblemCode::ProviderUnavailable | ProblemCode::ProviderTimeout) => Some(PROVIDER_RETRY_AFTER),
            _ => None,
        };
        let failure = Self::new(code).source(error);
        retry_after.map_or(failure.clone(), |retry_after| failure.retry_after(retry_after))
    }
}
