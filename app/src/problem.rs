//! Every failure a person can meet: its stable code, its status, and what to tell them.
//!
//! One table for the server's problem answers, the app's problem pages and `docs/errors.md`.

use crate::texts::{Text, pages, t};
#[cfg(feature = "ssr")]
use crate::{language::Language, texts::text_in};

/// A stable problem code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemCode {
    /// The request lacks a parameter, repeats one, or cannot be read.
    InvalidRequest,
    /// No such provider is configured.
    UnknownProvider,
    /// The user, or the provider on the user's behalf, said no.
    AccessDenied,
    /// The answer does not belong to a login that this browser started.
    StateMismatch,
    /// The login took longer than its transaction lives.
    LoginExpired,
    /// This browser has finished this login already.
    AlreadyCompleted,
    /// The answer claims to come from another provider.
    IssuerMismatch,
    /// The provider answered the authorization request with an error.
    ProviderRefused,
    /// The provider did not accept the authorization code.
    CodeRejected,
    /// The provider and this app disagree about the app's registration.
    ProviderMisconfigured,
    /// The provider cannot be reached.
    ProviderUnavailable,
    /// The provider did not answer in time.
    ProviderTimeout,
    /// The provider answered something that is not an answer.
    ProviderInvalidResponse,
    /// The ID token does not hold.
    IdTokenInvalid,
    /// The provider did not authenticate the user as strongly, or as recently, as it was asked to.
    AuthenticationTooWeak,
    /// The provider will not sign the user in without a word: it has a question.
    InteractionRequired,
    /// The server's own clock is off.
    ClockSkew,
    /// Nobody is signed in.
    Unauthenticated,
    /// The session ended: the provider took the permission back.
    SessionEnded,
    /// The access token has ended, and there is nothing to renew it with.
    PermissionExpired,
    /// The API wants a stronger or a more recent sign-in.
    StepUpRequired,
    /// A rule about who may in keeps this person out.
    NotPermitted,
    /// The request does not prove that it comes from this app.
    CsrfRejected,
    /// No such upstream is configured.
    UnknownUpstream,
    /// The path cannot be passed on.
    InvalidPath,
    /// The API behind the proxy cannot be reached.
    UpstreamUnavailable,
    /// The API behind the proxy did not answer in time.
    UpstreamTimeout,
    /// The API behind the proxy would not carry the call out; the app says so itself.
    UpstreamRefused,
    /// There is nothing at this address.
    NotFound,
    /// The address does not take this method.
    MethodNotAllowed,
    /// The address does not take this content type.
    UnsupportedMediaType,
    /// The body is too large.
    PayloadTooLarge,
    /// The head of the request is too large.
    HeadTooLarge,
    /// The body stopped arriving.
    RequestTimeout,
    /// More was asked for, by one address or in one session, than is given at a time.
    RateLimited,
    /// Every connection, or every stream of a session, that is kept open at a time is taken.
    TooManyConnections,
    /// The session store cannot be reached.
    StoreUnavailable,
    /// The session was sealed with a key that this server does not have.
    KeysDiffer,
    /// A mistake of the server.
    InternalError,
    /// The server does not answer the browser; the app says so itself.
    ServerUnreachable,
    /// The device has no connection; the app says so itself.
    Offline,
    /// The server's answer is not one that the page understands; the app says so itself.
    PageOutdated,
}

/// What a person is offered next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Start the sign-in once more.
    SignInAgain,
    /// Sign in: this time with the provider's questions.
    SignIn,
    /// Go to the account page: the sign-in has worked.
    OpenAccount,
    /// Wait a moment, then try again.
    TryLater,
    /// Sign in as somebody else.
    UseAnotherAccount,
    /// Go back to the home page.
    GoHome,
    /// Ask whoever runs the app; tell them the request id.
    AskOperator,
    /// Load the page anew.
    Reload,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// The stable code, such as `state_mismatch`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What to tell people, in the language of their page.
    pub words: Words,
    /// What happened, as a heading, in English.
    #[cfg(feature = "ssr")]
    pub title: &'static str,
    /// Why, in a sentence or two, in English.
    #[cfg(feature = "ssr")]
    pub why: &'static str,
    /// What to do, in a sentence, in English.
    #[cfg(feature = "ssr")]
    pub advice: &'static str,
    /// The way on.
    pub next: NextStep,
}

/// The words about a problem, in every language: `[problem_…]` in `locales/*/pages.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words(Text);

impl Words {
    /// What happened, as a heading.
    pub fn title(self) -> &'static str {
        t(self.0.after(1))
    }

    /// Why, in a sentence or two.
    pub fn why(self) -> &'static str {
        t(self.0.after(2))
    }

    /// What to do, in a sentence.
    pub fn advice(self) -> &'static str {
        t(self.0)
    }
}

impl ProblemCode {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 42] = [
        Self::InvalidRequest,
        Self::UnknownProvider,
        Self::AccessDenied,
        Self::StateMismatch,
        Self::LoginExpired,
        Self::AlreadyCompleted,
        Self::IssuerMismatch,
        Self::ProviderRefused,
        Self::CodeRejected,
        Self::ProviderMisconfigured,
        Self::ProviderUnavailable,
        Self::ProviderTimeout,
        Self::ProviderInvalidResponse,
        Self::IdTokenInvalid,
        Self::AuthenticationTooWeak,
        Self::InteractionRequired,
        Self::ClockSkew,
        Self::Unauthenticated,
        Self::SessionEnded,
        Self::PermissionExpired,
        Self::StepUpRequired,
        Self::NotPermitted,
        Self::CsrfRejected,
        Self::UnknownUpstream,
        Self::InvalidPath,
        Self::UpstreamUnavailable,
        Self::UpstreamTimeout,
        Self::UpstreamRefused,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::UnsupportedMediaType,
        Self::PayloadTooLarge,
        Self::HeadTooLarge,
        Self::RequestTimeout,
        Self::RateLimited,
        Self::TooManyConnections,
        Self::StoreUnavailable,
        Self::KeysDiffer,
        Self::InternalError,
        Self::ServerUnreachable,
        Self::Offline,
        Self::PageOutdated,
    ];

    /// The code that is written `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.code() == text)
    }

    /// The stable text, such as `state_mismatch`.
    pub fn code(self) -> &'static str {
        self.explain().code
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        self.explain().status
    }

    /// The row about it.
    pub fn explain(self) -> Explanation {
        use NextStep::{AskOperator, GoHome, OpenAccount, Reload, SignIn, SignInAgain, TryLater, UseAnotherAccount};
        let (code, status, words, next) = match self {
            Self::InvalidRequest => ("invalid_request", 400, pages::PROBLEM_INVALID_REQUEST_ADVICE, GoHome),
            Self::UnknownProvider => ("unknown_provider", 404, pages::PROBLEM_UNKNOWN_PROVIDER_ADVICE, GoHome),
            Self::AccessDenied => ("access_denied", 403, pages::PROBLEM_ACCESS_DENIED_ADVICE, SignInAgain),
            Self::StateMismatch => ("state_mismatch", 400, pages::PROBLEM_STATE_MISMATCH_ADVICE, SignInAgain),
            Self::LoginExpired => ("login_expired", 400, pages::PROBLEM_LOGIN_EXPIRED_ADVICE, SignInAgain),
            Self::AlreadyCompleted => ("already_completed", 409, pages::PROBLEM_ALREADY_COMPLETED_ADVICE, OpenAccount),
            Self::IssuerMismatch => ("issuer_mismatch", 400, pages::PROBLEM_ISSUER_MISMATCH_ADVICE, SignInAgain),
            Self::ProviderRefused => ("provider_refused", 502, pages::PROBLEM_PROVIDER_REFUSED_ADVICE, TryLater),
            Self::CodeRejected => ("code_rejected", 400, pages::PROBLEM_CODE_REJECTED_ADVICE, SignInAgain),
            Self::ProviderMisconfigured => ("provider_misconfigured", 502, pages::PROBLEM_PROVIDER_MISCONFIGURED_ADVICE, AskOperator),
            Self::ProviderUnavailable => ("provider_unavailable", 502, pages::PROBLEM_PROVIDER_UNAVAILABLE_ADVICE, TryLater),
            Self::ProviderTimeout => ("provider_timeout", 504, pages::PROBLEM_PROVIDER_TIMEOUT_ADVICE, TryLater),
            Self::ProviderInvalidResponse => ("provider_invalid_response", 502, pages::PROBLEM_PROVIDER_INVALID_RESPONSE_ADVICE, TryLater),
            Self::IdTokenInvalid => ("id_token_invalid", 502, pages::PROBLEM_ID_TOKEN_INVALID_ADVICE, SignInAgain),
            Self::AuthenticationTooWeak => ("authentication_too_weak", 403, pages::PROBLEM_AUTHENTICATION_TOO_WEAK_ADVICE, SignInAgain),
            Self::InteractionRequired => ("interaction_required", 401, pages::PROBLEM_INTERACTION_REQUIRED_ADVICE, SignIn),
            Self::ClockSkew => ("clock_skew", 500, pages::PROBLEM_CLOCK_SKEW_ADVICE, AskOperator),
            Self::Unauthenticated => ("unauthenticated", 401, pages::PROBLEM_UNAUTHENTICATED_ADVICE, SignInAgain),
            Self::SessionEnded => ("session_ended", 401, pages::PROBLEM_SESSION_ENDED_ADVICE, SignInAgain),
            Self::PermissionExpired => ("permission_expired", 401, pages::PROBLEM_PERMISSION_EXPIRED_ADVICE, SignInAgain),
            Self::StepUpRequired => ("step_up_required", 401, pages::PROBLEM_STEP_UP_REQUIRED_ADVICE, SignInAgain),
            Self::NotPermitted => ("not_permitted", 403, pages::PROBLEM_NOT_PERMITTED_ADVICE, UseAnotherAccount),
            Self::CsrfRejected => ("csrf_rejected", 403, pages::PROBLEM_CSRF_REJECTED_ADVICE, GoHome),
            Self::UnknownUpstream => ("unknown_upstream", 404, pages::PROBLEM_UNKNOWN_UPSTREAM_ADVICE, GoHome),
            Self::InvalidPath => ("invalid_path", 400, pages::PROBLEM_INVALID_PATH_ADVICE, GoHome),
            Self::UpstreamUnavailable => ("upstream_unavailable", 502, pages::PROBLEM_UPSTREAM_UNAVAILABLE_ADVICE, TryLater),
            Self::UpstreamTimeout => ("upstream_timeout", 504, pages::PROBLEM_UPSTREAM_TIMEOUT_ADVICE, TryLater),
            Self::UpstreamRefused => ("upstream_refused", 400, pages::PROBLEM_UPSTREAM_REFUSED_ADVICE, OpenAccount),
            Self::NotFound => ("not_found", 404, pages::PROBLEM_NOT_FOUND_ADVICE, GoHome),
            Self::MethodNotAllowed => ("method_not_allowed", 405, pages::PROBLEM_METHOD_NOT_ALLOWED_ADVICE, GoHome),
            Self::UnsupportedMediaType => ("unsupported_media_type", 415, pages::PROBLEM_UNSUPPORTED_MEDIA_TYPE_ADVICE, GoHome),
            Self::PayloadTooLarge => ("payload_too_large", 413, pages::PROBLEM_PAYLOAD_TOO_LARGE_ADVICE, GoHome),
            Self::HeadTooLarge => ("head_too_large", 431, pages::PROBLEM_HEAD_TOO_LARGE_ADVICE, GoHome),
            Self::RequestTimeout => ("request_timeout", 408, pages::PROBLEM_REQUEST_TIMEOUT_ADVICE, TryLater),
            Self::RateLimited => ("rate_limited", 429, pages::PROBLEM_RATE_LIMITED_ADVICE, TryLater),
            Self::TooManyConnections => ("too_many_connections", 503, pages::PROBLEM_TOO_MANY_CONNECTIONS_ADVICE, TryLater),
            Self::StoreUnavailable => ("store_unavailable", 503, pages::PROBLEM_STORE_UNAVAILABLE_ADVICE, TryLater),
            Self::KeysDiffer => ("keys_differ", 503, pages::PROBLEM_KEYS_DIFFER_ADVICE, TryLater),
            Self::InternalError => ("internal_error", 500, pages::PROBLEM_INTERNAL_ERROR_ADVICE, AskOperator),
            Self::ServerUnreachable => ("server_unreachable", 503, pages::PROBLEM_SERVER_UNREACHABLE_ADVICE, TryLater),
            Self::Offline => ("offline", 503, pages::PROBLEM_OFFLINE_ADVICE, TryLater),
            Self::PageOutdated => ("page_outdated", 409, pages::PROBLEM_PAGE_OUTDATED_ADVICE, Reload),
        };
        Explanation {
            code,
            status,
            words: Words(words),
            #[cfg(feature = "ssr")]
            title: text_in(Language::En, words.after(1)),
            #[cfg(feature = "ssr")]
            why: text_in(Language::En, words.after(2)),
            #[cfg(feature = "ssr")]
            advice: text_in(Language::En, words),
            next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ProblemCode;
    use std::collections::HashSet;

    #[test]
    fn the_three_texts_about_a_problem_are_those_of_its_code() {
        for code in ProblemCode::ALL {
            let words = code.explain().words;
            // A table with the wrong row of texts would show the same text under two codes.
            let others = ProblemCode::ALL.into_iter().filter(|other| other.explain().words == words).count();
            assert_eq!(others, 1, "{code:?}");
        }
        let words = ProblemCode::AccessDenied.explain().words;
        assert_eq!(words.title(), "You cancelled the sign-in");
        assert!(words.why().starts_with("The provider reports") && words.advice().starts_with("If that was a slip"));
    }

    #[test]
    fn every_code_is_unique_and_is_read_back() {
        let codes: HashSet<_> = ProblemCode::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes.len(), ProblemCode::ALL.len());
        for code in ProblemCode::ALL {
            assert_eq!(ProblemCode::parse(code.code()), Some(code));
        }
    }
}
