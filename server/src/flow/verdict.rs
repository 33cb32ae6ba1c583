//! What the protocol's verdicts say about each single check.
//!
//! `protocol` judges a message in a documented order and answers with the first thing that is wrong. So each of its errors belongs to
//! exactly one check: those before it in the order have passed, those after it were not reached, and without an error all have passed.
//! Nothing is judged a second time here. The matches have no rest, so that a new error has to be given its place.

use crate::provider::ProviderError;
use oauth2flow_app::flow::{
    Check,
    CheckName::{
        self, AccessToken, AuthorizationRequest, CallbackIssuer, CallbackParameters, CallbackProvider, CallbackShape, CallbackSignature,
        ClientAuthentication, FirstUse, GrantAccepted, IdTokenAccessTokenHash, IdTokenAcr, IdTokenAlgorithm, IdTokenAudience,
        IdTokenAuthenticationTime, IdTokenAuthorizedParty, IdTokenFormat, IdTokenHeader, IdTokenIdentity, IdTokenIssuer, IdTokenKey,
        IdTokenNonce, IdTokenPresent, IdTokenPurpose, IdTokenRequiredClaims, IdTokenSignature, IdTokenSubject, IdTokenTimes, LoginAge,
        LoginCookie, LogoutToken, Metadata, ProviderConsent, ProviderKeys, PushedAuthorization, Revocation, State, TokenEndpointAvailable,
        TokenResponseFormat, TokenResponseMembers, TokenType, UserinfoAuthorized, UserinfoAvailable, UserinfoFormat, UserinfoSignature,
        UserinfoSubject,
    },
    CheckOutcome, SkipReason,
};
use oauth2flow_protocol::{
    authorize::AuthorizationRequestError, callback::CallbackError, client_auth::ClientAuthError, discovery::DiscoveryError,
    id_token::IdTokenError, jwks::JwksError, jws::JwsError, logout::RevocationError, logout_token::LogoutTokenError, par::ParError,
    refresh::RefreshError, token::TokenError, userinfo::UserInfoError,
};
use std::{error::Error, fmt::Write as _};

/// A check, and why there is nothing to look at, if so.
pub(crate) type Planned = (CheckName, Option<SkipReason>);

/// An error that belongs to one check.
pub trait Judged: Error {
    /// The check that has failed.
    fn check(&self) -> CheckName;
    /// The stable code.
    fn code(&self) -> &'static str;
}

/// What becomes of the planned checks with this verdict.
pub(crate) fn verdicts<E: Judged>(plan: impl IntoIterator<Item = Planned>, error: Option<&E>) -> Vec<Check> {
    let outcome = |skipped: Option<SkipReason>| skipped.map_or(CheckOutcome::Passed, CheckOutcome::Skipped);
    let mut checks = plan.into_iter().map(|(name, skipped)| Check { name, outcome: outcome(skipped) }).collect();
    if let Some(error) = error {
        fail(&mut checks, error.check(), error.code(), in_words(error));
    }
    checks
}

/// An error in its own words, and in those of its causes.
pub(crate) fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        // A transparent error says what its cause says.
        let said = current.to_string();
        if !words.ends_with(&said) {
            let _ = write!(words, ": {said}");
        }
        cause = current.source();
    }
    words
}

/// Has one of the checks failed, and those after it not reached.
pub(crate) fn fail(checks: &mut Vec<Check>, name: CheckName, code: &str, reason: impl Into<String>) {
    let outcome = CheckOutcome::Failed { code: code.to_owned(), reason: reason.into() };
    let later = if let Some(place) = checks.iter().position(|check| check.name == name) {
        checks[place].outcome = outcome;
        place + 1
    } else {
        // It happened before any of them.
        checks.insert(0, Check { name, outcome });
        1
    };
    for check in &mut checks[later..] {
        check.outcome = CheckOutcome::NotReached;
    }
}

/// One check that has passed.
pub(crate) const fn passed(name: CheckName) -> Check {
    Check { name, outcome: CheckOutcome::Passed }
}

impl Judged for CallbackError {
    fn check(&self) -> CheckName {
        match self {
            Self::DuplicateParameter(_) | Self::ParameterTooLong(_) => CallbackParameters,
            Self::MissingState => LoginCookie,
            Self::ProviderMismatch => CallbackProvider,
            Self::NotSigned | Self::UnexpectedlySigned | Self::PartlySigned | Self::Jarm(_) => CallbackSignature,
            Self::StateMismatch => State,
            Self::Expired => LoginAge,
            Self::MissingIss | Self::IssMismatch => CallbackIssuer,
            Self::CodeAndError | Self::MissingCode => CallbackShape,
            Self::Provider { .. } => ProviderConsent,
        }
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

/// What is looked at in an authorization response, in the order of [`oauth2flow_protocol::callback::validate`]; the state comes before it,
/// by finding the login's cookie.
pub(crate) fn of_callback(signed: bool, iss: Option<SkipReason>) -> Vec<Planned> {
    vec![
        (CallbackParameters, None),
        (LoginCookie, None),
        (CallbackProvider, None),
        (CallbackSignature, (!signed).then_some(SkipReason::NotAskedFor)),
        (State, None),
        (LoginAge, None),
        (CallbackIssuer, iss),
        (CallbackShape, None),
        (ProviderConsent, None),
        (FirstUse, None),
    ]
}

impl Judged for ClientAuthError {
    fn check(&self) -> CheckName {
        match self {
            Self::MissingSecret | Self::ShortSecret | Self::MissingKey | Self::MissingTeam | Self::NoCommonAlgorithm => {
                ClientAuthentication
            }
        }
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl Judged for TokenError {
    fn check(&self) -> CheckName {
        match self {
            Self::WrongProvider => CallbackProvider,
            Self::ClientAuth(error) => error.check(),
            Self::Unavailable { .. } => TokenEndpointAvailable,
            Self::TooLarge | Self::UnexpectedStatus { .. } | Self::NotJson | Self::Malformed(_) | Self::DuplicateParameter => {
                TokenResponseFormat
            }
            Self::Provider { .. } => GrantAccepted,
            Self::MissingMember("token_type")
            | Self::InvalidMember("token_type")
            | Self::UnsupportedTokenType(_)
            | Self::NotBound
            | Self::UnexpectedlyBound => TokenType,
            Self::MissingMember("access_token") | Self::InvalidMember("access_token") => AccessToken,
            Self::MissingMember(_) | Self::InvalidMember(_) => TokenResponseMembers,
            Self::MissingIdToken => IdTokenPresent,
        }
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

/// What is looked at in a token response, in the order of [`oauth2flow_protocol::token::PendingExchange::process`].
pub(crate) fn of_tokens(openid: bool) -> Vec<Planned> {
    vec![
        (TokenEndpointAvailable, None),
        (TokenResponseFormat, None),
        (GrantAccepted, None),
        (AccessToken, None),
        (TokenType, None),
        (TokenResponseMembers, None),
        (IdTokenPresent, (!openid).then_some(SkipReason::NotSupported)),
    ]
}

/// The check of an ID token that a signature's error belongs to.
const fn of_signature(error: &JwsError) -> CheckName {
    match error {
        JwsError::TooLarge | JwsError::NotCompact | JwsError::Encrypted | JwsError::Malformed(_) => IdTokenFormat,
        JwsError::MissingAlgorithm
        | JwsError::AlgorithmNone
        | JwsError::SymmetricAlgorithm
        | JwsError::UnsupportedAlgorithm
        | JwsError::AlgorithmNotAllowed(_) => IdTokenAlgorithm,
        JwsError::CriticalHeader | JwsError::WrongTokenType(_) => IdTokenHeader,
        JwsError::UnknownKeyId | JwsError::NoSuitableKey | JwsError::KeyMismatch | JwsError::WeakKey => IdTokenKey,
        JwsError::InvalidSignature | JwsError::UnidentifiedKey => IdTokenSignature,
    }
}

/// The check of an ID token that a claim belongs to.
fn of_claim(name: &str) -> CheckName {
    match name {
        "iss" => IdTokenIssuer,
        "aud" => IdTokenAudience,
        "azp" => IdTokenAuthorizedParty,
        "exp" | "iat" | "nbf" => IdTokenTimes,
        "nonce" => IdTokenNonce,
        "at_hash" => IdTokenAccessTokenHash,
        "acr" => IdTokenAcr,
        "auth_time" => IdTokenAuthenticationTime,
        _ => IdTokenSubject,
    }
}

impl Judged for IdTokenError {
    fn check(&self) -> CheckName {
        match self {
            Self::Jws(error) => of_signature(error),
            Self::MissingClaim(name) | Self::InvalidClaim(name) => of_claim(name),
            Self::LogoutToken => IdTokenPurpose,
            Self::IssuerMismatch => IdTokenIssuer,
            Self::AudienceMismatch | Self::UntrustedAudience => IdTokenAudience,
            Self::AuthorizedPartyMismatch => IdTokenAuthorizedParty,
            Self::Expired { .. } | Self::IssuedInTheFuture { .. } | Self::NotYetValid { .. } => IdTokenTimes,
            Self::NonceMismatch => IdTokenNonce,
            Self::AccessTokenHashMismatch => IdTokenAccessTokenHash,
            Self::RequiredClaim(_) => IdTokenRequiredClaims,
            Self::AcrMismatch => IdTokenAcr,
            Self::AuthenticationTooOld => IdTokenAuthenticationTime,
        }
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

/// What an ID token has, and what was asked of it.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each of them is a question of its own")]
pub(crate) struct IdTokenTraits {
    pub(crate) has_authorized_party: bool,
    pub(crate) has_access_token_hash: bool,
    pub(crate) demands_claims: bool,
    pub(crate) asks_for_acr: bool,
    pub(crate) asks_for_age: bool,
    pub(crate) sent_nonce: bool,
}

/// What is looked at in an ID token, in the order of [`oauth2flow_protocol::id_token::validate`].
pub(crate) fn of_id_token(traits: IdTokenTraits) -> Vec<Planned> {
    let unless = |applies: bool, reason: SkipReason| (!applies).then_some(reason);
    vec![
        (ProviderKeys, None),
        (IdTokenFormat, None),
        (IdTokenAlgorithm, None),
        (IdTokenHeader, None),
        (IdTokenKey, None),
        (IdTokenSignature, None),
        (IdTokenPurpose, None),
        (IdTokenIssuer, None),
        (IdTokenAudience, None),
        (IdTokenAuthorizedParty, unless(traits.has_authorized_party, SkipReason::NotSent)),
        (IdTokenTimes, None),
        (IdTokenNonce, unless(traits.sent_nonce, SkipReason::NotAskedFor)),
        (IdTokenSubject, None),
        (IdTokenAccessTokenHash, unless(traits.has_access_token_hash, SkipReason::NotSent)),
        (IdTokenRequiredClaims, unless(traits.demands_claims, SkipReason::NotAskedFor)),
        (IdTokenAcr, unless(traits.asks_for_acr, SkipReason::NotAskedFor)),
        (IdTokenAuthenticationTime, unless(traits.asks_for_age, SkipReason::NotAskedFor)),
    ]
}

impl Judged for ProviderError {
    fn check(&self) -> CheckName {
        match self {
            Self::Outbound { what: "metadata", .. } | Self::Metadata(_) => Metadata,
            Self::Outbound { .. } | Self::Keys(_) | Self::NoKeys | Self::Interrupted => ProviderKeys,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Metadata(error) => error.code(),
            Self::Keys(error) => error.code(),
            Self::Outbound { .. } | Self::NoKeys | Self::Interrupted => "provider_unavailable",
        }
    }
}

impl Judged for DiscoveryError {
    fn check(&self) -> CheckName {
        Metadata
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl Judged for JwksError {
    fn check(&self) -> CheckName {
        ProviderKeys
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl Judged for AuthorizationRequestError {
    fn check(&self) -> CheckName {
        AuthorizationRequest
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl Judged for ParError {
    fn check(&self) -> CheckName {
        match self {
            Self::NotOffered | Self::Required => AuthorizationRequest,
            Self::ClientAuth(error) => error.check(),
            Self::Request(error) => error.check(),
            Self::Unavailable { .. }
            | Self::TooLarge
            | Self::Provider { .. }
            | Self::UnexpectedStatus { .. }
            | Self::NotJson
            | Self::Malformed(_)
            | Self::MissingMember(_)
            | Self::InvalidMember(_) => PushedAuthorization,
        }
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl Judged for UserInfoError {
    fn check(&self) -> CheckName {
        match self {
            Self::Unavailable { .. } => UserinfoAvailable,
            Self::Unauthorized | Self::Provider { .. } => UserinfoAuthorized,
            Self::UnexpectedStatus { .. } | Self::TooLarge | Self::NotJson | Self::Malformed(_) => UserinfoFormat,
            Self::NotSigned
            | Self::NoKeys
            | Self::Jws(_)
            | Self::MissingClaim(_)
            | Self::InvalidClaim(_)
            | Self::IssuerMismatch
            | Self::AudienceMismatch
            | Self::Expired => UserinfoSignature,
            Self::MissingIdentifier | Self::MissingExpectedSubject | Self::SubjectMismatch => UserinfoSubject,
        }
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

/// What is looked at in a description of the user, in the order of [`oauth2flow_protocol::userinfo::process`].
pub(crate) fn of_userinfo(signed: bool) -> Vec<Planned> {
    vec![
        (UserinfoAvailable, None),
        (UserinfoAuthorized, None),
        (UserinfoFormat, None),
        (UserinfoSignature, (!signed).then_some(SkipReason::NotSent)),
        (UserinfoSubject, None),
    ]
}

impl Judged for RefreshError {
    fn check(&self) -> CheckName {
        match self {
            Self::Token(error) => error.check(),
            Self::IdToken(error) => error.check(),
            Self::SubjectChanged | Self::AudienceChanged => IdTokenIdentity,
        }
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl Judged for LogoutTokenError {
    fn check(&self) -> CheckName {
        LogoutToken
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

impl Judged for RevocationError {
    fn check(&self) -> CheckName {
        match self {
            Self::ClientAuth(error) => error.check(),
            Self::Status { .. } => Revocation,
        }
    }

    fn code(&self) -> &'static str {
        Self::code(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{IdTokenTraits, Judged as _, of_callback, of_id_token, of_tokens, of_userinfo, verdicts};
    use oauth2flow_app::flow::{Check, CheckName, CheckOutcome, SkipReason};
    use oauth2flow_protocol::{callback::CallbackError, id_token::IdTokenError, jws::JwsError, token::TokenError, userinfo::UserInfoError};

    const ALL: IdTokenTraits = IdTokenTraits {
        has_authorized_party: true,
        has_access_token_hash: true,
        demands_claims: true,
        asks_for_acr: true,
        asks_for_age: true,
        sent_nonce: true,
    };

    fn outcome(checks: &[Check], name: CheckName) -> &CheckOutcome {
        &checks.iter().find(|check| check.name == name).unwrap().outcome
    }

    #[test]
    fn what_came_before_has_passed_and_what_comes_after_was_not_reached() {
        let checks = verdicts(of_id_token(IdTokenTraits { has_authorized_party: false, ..ALL }), Some(&IdTokenError::NonceMismatch));
        assert_eq!(outcome(&checks, CheckName::IdTokenSignature), &CheckOutcome::Passed);
        assert_eq!(outcome(&checks, CheckName::IdTokenAuthorizedParty), &CheckOutcome::Skipped(SkipReason::NotSent));
        let CheckOutcome::Failed { code, reason } = outcome(&checks, CheckName::IdTokenNonce) else { panic!("{checks:?}") };
        assert_eq!((code.as_str(), reason.as_str()), ("id_token_nonce_mismatch", &*IdTokenError::NonceMismatch.to_string()));
        assert_eq!(outcome(&checks, CheckName::IdTokenSubject), &CheckOutcome::NotReached);
        assert_eq!(checks.iter().filter(|check| matches!(check.outcome, CheckOutcome::Failed { .. })).count(), 1);
    }

    #[test]
    fn without_an_error_everything_has_passed() {
        let checks = verdicts::<IdTokenError>(of_id_token(ALL), None);
        assert!(checks.iter().all(|check| check.outcome == CheckOutcome::Passed));
    }

    #[test]
    fn a_check_that_failed_before_all_others_comes_first() {
        let error = TokenError::ClientAuth(oauth2flow_protocol::client_auth::ClientAuthError::MissingSecret);
        let checks = verdicts(of_tokens(true), Some(&error));
        assert_eq!(checks[0].name, CheckName::ClientAuthentication);
        assert!(checks[1..].iter().all(|check| check.outcome == CheckOutcome::NotReached));
    }

    #[test]
    fn an_error_that_only_passes_on_another_says_it_once() {
        let error = IdTokenError::Jws(JwsError::InvalidSignature);
        let checks = verdicts(of_id_token(ALL), Some(&error));
        let CheckOutcome::Failed { reason, .. } = outcome(&checks, CheckName::IdTokenSignature) else { panic!("{checks:?}") };
        assert_eq!(*reason, JwsError::InvalidSignature.to_string());
    }

    /// The claims that `id_token::validate` names in its errors, in its order.
    #[test]
    fn the_claims_are_looked_at_in_the_order_of_the_checks() {
        let plan = of_id_token(ALL);
        let place = |claim| plan.iter().position(|(name, _)| *name == IdTokenError::MissingClaim(claim).check()).unwrap();
        let places: Vec<_> = ["iss", "aud", "azp", "exp", "nonce", "sub", "at_hash", "acr", "auth_time"].map(place).to_vec();
        assert!(places.is_sorted(), "{places:?}");
        assert_eq!(places.iter().collect::<std::collections::BTreeSet<_>>().len(), places.len());
    }

    #[test]
    fn each_error_of_a_message_belongs_to_one_of_its_checks() {
        let has = |plan: Vec<super::Planned>, name: CheckName| plan.iter().filter(|(planned, _)| *planned == name).count() == 1;
        for error in [
            CallbackError::DuplicateParameter("code"),
            CallbackError::MissingState,
            CallbackError::NotSigned,
            CallbackError::StateMismatch,
            CallbackError::ProviderMismatch,
            CallbackError::Expired,
            CallbackError::MissingIss,
            CallbackError::IssMismatch,
            CallbackError::CodeAndError,
            CallbackError::MissingCode,
        ] {
            assert!(has(of_callback(false, None), error.check()), "{error}");
        }
        for error in [TokenError::TooLarge, TokenError::NotBound, TokenError::MissingMember("access_token"), TokenError::MissingIdToken] {
            assert!(has(of_tokens(true), error.check()), "{error}");
        }
        for error in [UserInfoError::Unauthorized, UserInfoError::NotJson, UserInfoError::NoKeys, UserInfoError::SubjectMismatch] {
            assert!(has(of_userinfo(true), error.check()), "{error}");
        }
    }
}
