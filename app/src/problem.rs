//! Every failure a person can meet: its stable code, its status, and what to tell them.
//!
//! One table for the server's problem answers, the app's problem pages and `docs/errors.md`.

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
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// The stable code, such as `state_mismatch`.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened, as a heading.
    pub title: &'static str,
    /// Why, in a sentence or two.
    pub why: &'static str,
    /// What to do, in a sentence.
    pub advice: &'static str,
    /// The way on.
    pub next: NextStep,
}

impl ProblemCode {
    /// Every code, in the order of the documentation.
    pub const ALL: [Self; 40] = [
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

    /// The words about it.
    #[expect(clippy::too_many_lines, reason = "one table, read from top to bottom")]
    pub fn explain(self) -> Explanation {
        use NextStep::{AskOperator, GoHome, OpenAccount, SignIn, SignInAgain, TryLater, UseAnotherAccount};
        let (code, status, title, why, advice, next) = match self {
            Self::InvalidRequest => (
                "invalid_request",
                400,
                "That request could not be read",
                "A part of it is missing, is there twice, or is not what it should be.",
                "Start again from the home page.",
                GoHome,
            ),
            Self::UnknownProvider => (
                "unknown_provider",
                404,
                "There is no such way to sign in",
                "The link names a provider that this app does not offer.",
                "Choose one of the providers on the home page.",
                GoHome,
            ),
            Self::AccessDenied => (
                "access_denied",
                403,
                "You cancelled the sign-in",
                "The provider reports that permission was not given, so nothing was shared and nobody was signed in.",
                "If that was a slip, sign in again and choose Allow.",
                SignInAgain,
            ),
            Self::StateMismatch => (
                "state_mismatch",
                400,
                "This answer belongs to no sign-in of this browser",
                "The link was opened in another browser, the cookies were cleared on the way, or somebody sent you a link from a sign-in of their own.",
                "Nothing was done. Start the sign-in in this browser.",
                SignInAgain,
            ),
            Self::LoginExpired => (
                "login_expired",
                400,
                "The sign-in took too long",
                "A sign-in has to be finished within ten minutes, and this one was not.",
                "Start it again.",
                SignInAgain,
            ),
            Self::AlreadyCompleted => (
                "already_completed",
                409,
                "This sign-in is finished already",
                "Each answer of a provider works once, and this one has been used.",
                "Go on to your account.",
                OpenAccount,
            ),
            Self::IssuerMismatch => (
                "issuer_mismatch",
                400,
                "The answer came from the wrong provider",
                "The sign-in was started with one provider, and another one answered. That can be an attack, so it was stopped before anything was sent.",
                "Start the sign-in again. If it happens again, tell whoever runs this app.",
                SignInAgain,
            ),
            Self::ProviderRefused => (
                "provider_refused",
                502,
                "The provider would not go on",
                "It answered the sign-in with an error of its own.",
                "Try again in a moment. If it stays, tell whoever runs this app.",
                TryLater,
            ),
            Self::CodeRejected => (
                "code_rejected",
                400,
                "The provider did not accept the sign-in",
                "The one-time code was too old, had been used, or was not meant for this sign-in.",
                "Start the sign-in again.",
                SignInAgain,
            ),
            Self::ProviderMisconfigured => (
                "provider_misconfigured",
                502,
                "This app and the provider do not agree",
                "The app's registration at the provider and its configuration here differ: the client id, the secret, the redirect address or the issuer.",
                "Only whoever runs this app can mend it. Give them the request id.",
                AskOperator,
            ),
            Self::ProviderUnavailable => (
                "provider_unavailable",
                502,
                "The provider cannot be reached",
                "It is down, or the way to it is. Nobody who is signed in is affected.",
                "Try again in a moment.",
                TryLater,
            ),
            Self::ProviderTimeout => (
                "provider_timeout",
                504,
                "The provider did not answer in time",
                "It was asked, and said nothing for ten seconds. Nobody who is signed in is affected.",
                "Try again in a moment.",
                TryLater,
            ),
            Self::ProviderInvalidResponse => (
                "provider_invalid_response",
                502,
                "The provider's answer makes no sense",
                "It sent something that is not an answer to what it was asked, so it was not used.",
                "Try again in a moment. If it stays, tell whoever runs this app.",
                TryLater,
            ),
            Self::IdTokenInvalid => (
                "id_token_invalid",
                502,
                "The provider's proof of who you are does not hold",
                "The ID token failed a check, so it was thrown away together with everything that came with it.",
                "Start the sign-in again. If it happens again, tell whoever runs this app.",
                SignInAgain,
            ),
            Self::AuthenticationTooWeak => (
                "authentication_too_weak",
                403,
                "The provider has not confirmed it is you",
                "A stronger or a more recent sign-in was asked for, and the provider did not vouch for one. Whoever was signed in still is.",
                "Sign in again, and do all that the provider asks. If it does not ask, tell whoever runs this app.",
                SignInAgain,
            ),
            Self::InteractionRequired => (
                "interaction_required",
                401,
                "The provider has a question for you",
                "It was asked to sign you in without a word, and could not: you are not signed in there, or it wants your consent.",
                "Sign in, and answer it there.",
                SignIn,
            ),
            Self::ClockSkew => (
                "clock_skew",
                500,
                "This server's clock is wrong",
                "By its own clock, the provider's proof is from another time, so nobody can be signed in.",
                "Only whoever runs this app can set the clock. Give them the request id.",
                AskOperator,
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                401,
                "You are not signed in",
                "The session has ended, or there was none.",
                "Sign in to go on.",
                SignInAgain,
            ),
            Self::SessionEnded => (
                "session_ended",
                401,
                "Your session has ended",
                "The provider no longer renews this app's permission: it was withdrawn, or it has run out.",
                "Sign in again.",
                SignInAgain,
            ),
            Self::PermissionExpired => (
                "permission_expired",
                401,
                "The provider's permission has run out",
                "You are still signed in, but the permission to call this API has ended, and the provider gave nothing to renew it with.",
                "Sign in again to give it anew.",
                SignInAgain,
            ),
            Self::StepUpRequired => (
                "step_up_required",
                401,
                "Confirm it is you",
                "This API wants a stronger or a more recent sign-in than yours. You are still signed in.",
                "Sign in once more; afterwards you come back.",
                SignInAgain,
            ),
            Self::NotPermitted => (
                "not_permitted",
                403,
                "You are not let in with this account",
                "The provider knows you, and whoever runs this app lets only certain people in.",
                "Use another account, or ask whoever runs this app to let you in; give them the request id.",
                UseAnotherAccount,
            ),
            Self::CsrfRejected => (
                "csrf_rejected",
                403,
                "That request did not come from this app",
                "It lacks the proof that a page of this app sent it, so it was not carried out.",
                "Go back to the app and try there.",
                GoHome,
            ),
            Self::UnknownUpstream => (
                "unknown_upstream",
                404,
                "There is no such API here",
                "The address names an API that this app does not pass calls on to.",
                "Check the address against the configured upstreams.",
                GoHome,
            ),
            Self::InvalidPath => (
                "invalid_path",
                400,
                "That path cannot be passed on",
                "It could leave the API that it was meant for.",
                "Use a plain path, without dot segments or encoded slashes.",
                GoHome,
            ),
            Self::UpstreamUnavailable => (
                "upstream_unavailable",
                502,
                "The API cannot be reached",
                "It is down, or the way to it is. You are still signed in.",
                "Try again in a moment.",
                TryLater,
            ),
            Self::UpstreamTimeout => (
                "upstream_timeout",
                504,
                "The API did not answer in time",
                "It was asked, and took too long. You are still signed in.",
                "Try again in a moment.",
                TryLater,
            ),
            Self::UpstreamRefused => (
                "upstream_refused",
                400,
                "The API said no",
                "The call has reached it, and was not carried out.",
                "Change the call, and try again.",
                OpenAccount,
            ),
            Self::NotFound => (
                "not_found",
                404,
                "There is nothing here",
                "The address is mistyped, or the page has gone.",
                "Go to the home page.",
                GoHome,
            ),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                405,
                "That is not how to ask",
                "The address exists, but does not take this method.",
                "See the API's documentation at /api/docs.",
                GoHome,
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                415,
                "That is not how to write it",
                "The address does not take this content type.",
                "See the API's documentation at /api/docs.",
                GoHome,
            ),
            Self::PayloadTooLarge => {
                ("payload_too_large", 413, "That is too much at once", "The request is larger than this app takes.", "Send less.", GoHome)
            }
            Self::HeadTooLarge => (
                "head_too_large",
                431,
                "The browser sends too much along",
                "The request has more headers, or longer ones, than this app takes. Most often that is a pile of cookies.",
                "Delete the cookies of this site, and try again.",
                GoHome,
            ),
            Self::RequestTimeout => (
                "request_timeout",
                408,
                "The request did not arrive whole",
                "It stopped in the middle for too long, so nothing was done with it.",
                "Check the connection, and try again.",
                TryLater,
            ),
            Self::RateLimited => (
                "rate_limited",
                429,
                "That was a lot at once",
                "More was asked for from this address, or in this session, than this app gives at a time. You have not been signed out.",
                "Wait a moment, and try again.",
                TryLater,
            ),
            Self::TooManyConnections => (
                "too_many_connections",
                503,
                "Too many connections are open",
                "This app keeps so many open at a time, and no more. You have not been signed out.",
                "Close what you no longer need of it, or try again in a moment.",
                TryLater,
            ),
            Self::StoreUnavailable => (
                "store_unavailable",
                503,
                "Sessions cannot be read just now",
                "The place where they are kept does not answer. You have not been signed out.",
                "Try again in a moment.",
                TryLater,
            ),
            Self::KeysDiffer => (
                "keys_differ",
                503,
                "This server cannot open your session",
                "It was sealed with a key that this server does not have. You have not been signed out.",
                "Try again in a moment. If it stays, tell whoever runs this app.",
                TryLater,
            ),
            Self::InternalError => (
                "internal_error",
                500,
                "Something went wrong here",
                "That is a mistake of this app, not yours.",
                "Try again. If it stays, tell whoever runs this app, with the request id.",
                AskOperator,
            ),
            Self::ServerUnreachable => (
                "server_unreachable",
                503,
                "This app's server does not answer",
                "It is down, or this device is offline.",
                "Try again in a moment.",
                TryLater,
            ),
        };
        Explanation { code, status, title, why, advice, next }
    }
}

#[cfg(test)]
mod tests {
    use super::ProblemCode;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_unique_and_is_read_back() {
        let codes: HashSet<_> = ProblemCode::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(codes.len(), ProblemCode::ALL.len());
        for code in ProblemCode::ALL {
            assert_eq!(ProblemCode::parse(code.code()), Some(code));
        }
    }
}
