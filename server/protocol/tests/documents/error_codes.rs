//! The catalogue of errors gives every error the code that it has.

use oauth2flow_protocol::access::{Denied, Subject};
use oauth2flow_protocol::authorize::{AuthorizationRequestError, TransactionError};
use oauth2flow_protocol::callback::{AuthorizationErrorCode, CallbackError};
use oauth2flow_protocol::client_auth::ClientAuthError;
use oauth2flow_protocol::discovery::DiscoveryError;
use oauth2flow_protocol::error_catalogue::OPERATIONS;
use oauth2flow_protocol::id_token::IdTokenError;
use oauth2flow_protocol::jarm::JarmError;
use oauth2flow_protocol::jwks::JwksError;
use oauth2flow_protocol::jws::JwsError;
use oauth2flow_protocol::logout::RevocationError;
use oauth2flow_protocol::logout_token::LogoutTokenError;
use oauth2flow_protocol::par::ParError;
use oauth2flow_protocol::refresh::RefreshError;
use oauth2flow_protocol::signing_key::SigningKeyError;
use oauth2flow_protocol::token::{TokenError, TokenErrorCode};
use oauth2flow_protocol::token_exchange::TokenExchangeError;
use oauth2flow_protocol::userinfo::UserInfoError;
use oauth2flow_protocol::{JsonError, ProviderText, SigningAlgorithm};
use std::fmt::Debug;

/// The errors are all of their enum's but for those that pass another one's code on, and each has the catalogue's code.
fn check<E: Debug>(enumeration: &str, code: fn(&E) -> &'static str, errors: &[E]) {
    let operation = OPERATIONS.iter().find(|operation| operation.enumeration == enumeration).unwrap();
    let found: Vec<(String, &str)> = errors.iter().map(|error| (variant(error), code(error))).collect();
    let expected: Vec<(String, &str)> = operation.errors.iter().map(|error| (error.variant.to_owned(), error.code)).collect();
    assert_eq!(found, expected, "{enumeration}");
}

/// The name that the derived `Debug` begins with.
fn variant(error: &impl Debug) -> String {
    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn text() -> ProviderText {
    ProviderText::new("words")
}

#[test]
fn the_errors_of_metadata_and_keys_have_their_codes() {
    use DiscoveryError as Discovery;
    check(
        "DiscoveryError",
        Discovery::code,
        &[
            Discovery::InvalidIssuer,
            Discovery::Unavailable { status: 503 },
            Discovery::UnexpectedStatus { status: 404 },
            Discovery::TooLarge,
            Discovery::NotJson,
            Discovery::Malformed(JsonError::NotAnObject),
            Discovery::IssuerMismatch,
            Discovery::MissingMember("x"),
            Discovery::WrongType("x"),
            Discovery::InsecureEndpoint("x"),
            Discovery::InternalEndpoint("x"),
        ],
    );
    check(
        "JwksError",
        JwksError::code,
        &[
            JwksError::TooLarge,
            JwksError::TooManyKeys,
            JwksError::Unavailable { status: 503 },
            JwksError::UnexpectedStatus { status: 404 },
            JwksError::Malformed(JsonError::NotAnObject),
            JwksError::MissingKeys,
        ],
    );
}

#[test]
fn the_errors_of_requests_have_their_codes() {
    use AuthorizationRequestError as Request;
    check(
        "AuthorizationRequestError",
        Request::code,
        &[
            Request::SilentPromptCombined,
            Request::InvalidOption("x"),
            Request::NeedsIdToken("x"),
            Request::UnsupportedResponseMode,
            Request::DpopNotOffered,
            Request::WrongProvider,
            Request::MustBePushed,
            Request::MissingSigningKey,
            Request::NoCommonAlgorithm,
        ],
    );
    check(
        "ClientAuthError",
        ClientAuthError::code,
        &[
            ClientAuthError::MissingSecret,
            ClientAuthError::ShortSecret,
            ClientAuthError::MissingKey,
            ClientAuthError::MissingTeam,
            ClientAuthError::NoCommonAlgorithm,
        ],
    );
    check(
        "SigningKeyError",
        SigningKeyError::code,
        &[
            SigningKeyError::TooLong,
            SigningKeyError::NotPem,
            SigningKeyError::NotPrivate,
            SigningKeyError::SeveralKeys,
            SigningKeyError::Encrypted,
            SigningKeyError::Unsupported,
            SigningKeyError::AlgorithmMismatch(SigningAlgorithm::Es256),
            SigningKeyError::InvalidKeyId,
        ],
    );
    check(
        "ParError",
        ParError::code,
        &[
            ParError::NotOffered,
            ParError::Required,
            ParError::Unavailable { status: 503 },
            ParError::TooLarge,
            ParError::Provider { kind: TokenErrorCode::Other, error: text(), description: None, status: 400 },
            ParError::UnexpectedStatus { status: 404 },
            ParError::NotJson,
            ParError::Malformed(JsonError::NotAnObject),
            ParError::MissingMember("x"),
            ParError::InvalidMember("x"),
        ],
    );
    let no_json = serde_json::from_str::<serde_json::Value>("").unwrap_err();
    let no_time = "x".parse::<jiff::Timestamp>().unwrap_err();
    check(
        "TransactionError",
        TransactionError::code,
        &[
            TransactionError::Malformed(no_json),
            TransactionError::InvalidTime(no_time),
            TransactionError::InvalidKey,
            TransactionError::InvalidOption("x"),
        ],
    );
}

#[test]
fn the_errors_of_responses_have_their_codes() {
    check(
        "CallbackError",
        CallbackError::code,
        &[
            CallbackError::DuplicateParameter("x"),
            CallbackError::ParameterTooLong("x"),
            CallbackError::NotSigned,
            CallbackError::UnexpectedlySigned,
            CallbackError::PartlySigned,
            CallbackError::MissingState,
            CallbackError::StateMismatch,
            CallbackError::ProviderMismatch,
            CallbackError::Expired,
            CallbackError::MissingIss,
            CallbackError::IssMismatch,
            CallbackError::CodeAndError,
            CallbackError::MissingCode,
            CallbackError::Provider { kind: AuthorizationErrorCode::Other, error: text(), description: None },
        ],
    );
    check(
        "JarmError",
        JarmError::code,
        &[
            JarmError::NoKeys,
            JarmError::MissingClaim("x"),
            JarmError::InvalidClaim("x"),
            JarmError::IssuerMismatch,
            JarmError::AudienceMismatch,
            JarmError::Expired,
            JarmError::NotYetValid,
        ],
    );
    check(
        "TokenError",
        TokenError::code,
        &[
            TokenError::WrongProvider,
            TokenError::Unavailable { status: 503 },
            TokenError::TooLarge,
            TokenError::Provider { kind: TokenErrorCode::Other, error: text(), description: None, status: 400 },
            TokenError::UnexpectedStatus { status: 404 },
            TokenError::NotJson,
            TokenError::Malformed(JsonError::NotAnObject),
            TokenError::DuplicateParameter,
            TokenError::MissingMember("x"),
            TokenError::InvalidMember("x"),
            TokenError::UnsupportedTokenType(text()),
            TokenError::NotBound,
            TokenError::UnexpectedlyBound,
            TokenError::MissingIdToken,
        ],
    );
    check("RefreshError", RefreshError::code, &[RefreshError::SubjectChanged, RefreshError::AudienceChanged]);
    check(
        "TokenExchangeError",
        TokenExchangeError::code,
        &[
            TokenExchangeError::MissingIssuedTokenType,
            TokenExchangeError::UnexpectedIssuedTokenType(text()),
            TokenExchangeError::ScopeExceeded(text()),
        ],
    );
    check("RevocationError", RevocationError::code, &[RevocationError::Status { status: 500 }]);
    check(
        "UserInfoError",
        UserInfoError::code,
        &[
            UserInfoError::Unavailable { status: 503 },
            UserInfoError::Unauthorized,
            UserInfoError::UnexpectedStatus { status: 404 },
            UserInfoError::TooLarge,
            UserInfoError::NotJson,
            UserInfoError::NotSigned,
            UserInfoError::NoKeys,
            UserInfoError::MissingClaim("x"),
            UserInfoError::InvalidClaim("x"),
            UserInfoError::IssuerMismatch,
            UserInfoError::AudienceMismatch,
            UserInfoError::Expired,
            UserInfoError::Provider { status: 200, error: text(), description: None },
            UserInfoError::Malformed(JsonError::NotAnObject),
            UserInfoError::MissingIdentifier,
            UserInfoError::MissingExpectedSubject,
            UserInfoError::SubjectMismatch,
        ],
    );
}

#[test]
fn the_reasons_to_keep_somebody_out_have_their_codes() {
    check(
        "Denied",
        Denied::code,
        &[
            Denied::EmailNotVerified,
            Denied::Email,
            Denied::Group,
            Denied::Role,
            Denied::Organization,
            Denied::Team,
            Denied::Claim("x".to_owned()),
            Denied::Incomplete(Subject::Groups),
        ],
    );
}

#[test]
fn the_errors_of_tokens_have_their_codes() {
    check(
        "JwsError",
        JwsError::code,
        &[
            JwsError::TooLarge,
            JwsError::NotCompact,
            JwsError::Encrypted,
            JwsError::Malformed(JsonError::NotAnObject),
            JwsError::MissingAlgorithm,
            JwsError::AlgorithmNone,
            JwsError::SymmetricAlgorithm,
            JwsError::UnsupportedAlgorithm,
            JwsError::AlgorithmNotAllowed(SigningAlgorithm::Es256),
            JwsError::CriticalHeader,
            JwsError::WrongTokenType(text()),
            JwsError::UnknownKeyId,
            JwsError::NoSuitableKey,
            JwsError::KeyMismatch,
            JwsError::WeakKey,
            JwsError::InvalidSignature,
            JwsError::UnidentifiedKey,
        ],
    );
    check(
        "IdTokenError",
        IdTokenError::code,
        &[
            IdTokenError::MissingClaim("x"),
            IdTokenError::InvalidClaim("x"),
            IdTokenError::LogoutToken,
            IdTokenError::IssuerMismatch,
            IdTokenError::AudienceMismatch,
            IdTokenError::UntrustedAudience,
            IdTokenError::AuthorizedPartyMismatch,
            IdTokenError::Expired { seconds: 1, suspects_own_clock: false },
            IdTokenError::IssuedInTheFuture { seconds: 1, suspects_own_clock: false },
            IdTokenError::NotYetValid { seconds: 1 },
            IdTokenError::NonceMismatch,
            IdTokenError::AccessTokenHashMismatch,
            IdTokenError::AuthenticationTooOld,
            IdTokenError::AcrMismatch,
            IdTokenError::RequiredClaim("hd".to_owned()),
        ],
    );
    check(
        "LogoutTokenError",
        LogoutTokenError::code,
        &[
            LogoutTokenError::MissingClaim("x"),
            LogoutTokenError::InvalidClaim("x"),
            LogoutTokenError::IssuerMismatch,
            LogoutTokenError::AudienceMismatch,
            LogoutTokenError::UntrustedAudience,
            LogoutTokenError::Expired,
            LogoutTokenError::IssuedInTheFuture,
            LogoutTokenError::MissingSubjectAndSession,
            LogoutTokenError::MissingEvent,
            LogoutTokenError::NoncePresent,
        ],
    );
}

#[test]
fn a_code_is_passed_on_as_it_is() {
    let jws = || JwsError::AlgorithmNone;
    let code = jws().code();
    assert_eq!(IdTokenError::Jws(jws()).code(), code);
    assert_eq!(LogoutTokenError::Jws(jws()).code(), code);
    assert_eq!(JarmError::Jws(jws()).code(), code);
    assert_eq!(UserInfoError::Jws(jws()).code(), code);
    assert_eq!(CallbackError::Jarm(JarmError::Jws(jws())).code(), code);
    assert_eq!(RefreshError::IdToken(IdTokenError::Jws(jws())).code(), code);
    let client_auth = || ClientAuthError::MissingKey;
    let code = client_auth().code();
    assert_eq!(TokenError::ClientAuth(client_auth()).code(), code);
    assert_eq!(ParError::ClientAuth(client_auth()).code(), code);
    assert_eq!(RevocationError::ClientAuth(client_auth()).code(), code);
    assert_eq!(RefreshError::Token(TokenError::NotBound).code(), TokenError::NotBound.code());
    let request = || AuthorizationRequestError::MustBePushed;
    assert_eq!(ParError::Request(request()).code(), request().code());
}
