//! Which problem each operation's errors become.

use super::Failure;
use crate::{
    outbound::OutboundError,
    provider::ProviderError,
    session::{refresh::AccessTokenError, store::StoreError},
};
use oauth2flow_app::problem::ProblemCode;
use oauth2flow_protocol::{
    callback::{AuthorizationErrorCode, CallbackError},
    discovery::DiscoveryError,
    jwks::JwksError,
    refresh::RefreshError,
    token::{TokenError, TokenErrorCode},
    userinfo::UserInfoError,
};

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(ProblemCode::StoreUnavailable).source(error)
    }
}

const fn outbound_code(error: &OutboundError) -> ProblemCode {
    match error {
        OutboundError::Timeout(_) | OutboundError::Silent => ProblemCode::ProviderTimeout,
        OutboundError::Unavailable(_) => ProblemCode::ProviderUnavailable,
        OutboundError::TooLarge { .. } => ProblemCode::ProviderInvalidResponse,
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
    }
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self::new(provider_code(&error)).source(error)
    }
}

impl From<CallbackError> for Failure {
    fn from(error: CallbackError) -> Self {
        let code = match &error {
            CallbackError::DuplicateParameter(_)
            | CallbackError::ParameterTooLong(_)
            | CallbackError::MissingState
            | CallbackError::CodeAndError
            | CallbackError::MissingCode => ProblemCode::InvalidRequest,
            CallbackError::StateMismatch | CallbackError::ProviderMismatch => ProblemCode::StateMismatch,
            CallbackError::Expired => ProblemCode::LoginExpired,
            CallbackError::MissingIss | CallbackError::IssMismatch => ProblemCode::IssuerMismatch,
            CallbackError::Provider { kind: AuthorizationErrorCode::AccessDenied, .. } => ProblemCode::AccessDenied,
            CallbackError::Provider {
                kind:
                    AuthorizationErrorCode::InvalidRequest
                    | AuthorizationErrorCode::UnauthorizedClient
                    | AuthorizationErrorCode::UnsupportedResponseType
                    | AuthorizationErrorCode::InvalidScope,
                ..
            } => ProblemCode::ProviderMisconfigured,
            CallbackError::Provider { .. } => ProblemCode::ProviderRefused,
        };
        let detail = match &error {
            // The provider's own words help; they are only ever shown as text.
            CallbackError::Provider { error, description: Some(description), .. } => format!("The provider says: {description} ({error})."),
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
            TokenError::Provider { .. } => ProblemCode::ProviderMisconfigured,
            TokenError::MissingIdToken => ProblemCode::IdTokenInvalid,
            _ => ProblemCode::ProviderInvalidResponse,
        };
        Self::new(code).source(error)
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

impl From<AccessTokenError> for Failure {
    fn from(error: AccessTokenError) -> Self {
        let code = match &error {
            AccessTokenError::GrantEnded(_) => ProblemCode::SessionEnded,
            AccessTokenError::Expired => ProblemCode::PermissionExpired,
            AccessTokenError::Refused(RefreshError::Token(TokenError::Unavailable { .. })) => ProblemCode::ProviderUnavailable,
            AccessTokenError::Refused(RefreshError::Token(TokenError::Provider { .. })) => ProblemCode::ProviderMisconfigured,
            AccessTokenError::Refused(_) => ProblemCode::ProviderInvalidResponse,
            AccessTokenError::Outbound(error) => outbound_code(error),
            AccessTokenError::Provider(error) => provider_code(error),
            AccessTokenError::Store(_) => ProblemCode::StoreUnavailable,
            AccessTokenError::Interrupted => ProblemCode::InternalError,
        };
        Self::new(code).source(error)
    }
}
