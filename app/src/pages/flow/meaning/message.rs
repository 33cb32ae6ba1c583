//! What each message is for.

use super::reference::{Reference, backchannel_logout, core, discovery, rfc, rp_logout};
use crate::flow::MessageName;

/// What to say about a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageMeaning {
    /// What its sender does, after the sender's name: `asks to sign in`.
    pub(crate) act: &'static str,
    /// What it is for, in a sentence or two.
    pub(crate) why: &'static str,
    /// Where it is defined.
    pub(crate) defined: Reference,
}

/// What a message is for.
#[expect(clippy::too_many_lines, reason = "a table, one row for each")]
pub(crate) fn message(name: MessageName) -> MessageMeaning {
    let (act, why, defined) = match name {
        MessageName::LoginRequest => (
            "asks to sign in",
            "You clicked a sign-in link. It is an ordinary link to the backend, which begins a login and remembers where you wanted to go.",
            rfc(6749, "4.1"),
        ),
        MessageName::MetadataRequest => (
            "asks the provider to describe itself",
            "The backend knows the provider by one address. Where to send people, where to exchange codes and what it can do, the provider publishes itself.",
            discovery("4.1", "ProviderConfigurationRequest"),
        ),
        MessageName::MetadataResponse => (
            "describes itself",
            "A document that anybody may read. The backend keeps it for a while, so most logins do without this message.",
            discovery("4.2", "ProviderConfigurationResponse"),
        ),
        MessageName::PushedAuthorizationRequest => (
            "hands the request in beforehand",
            "Instead of carrying the whole request through the browser, the backend gives it to the provider directly, where nobody can read or change it on the way.",
            rfc(9126, "2.1"),
        ),
        MessageName::PushedAuthorizationResponse => (
            "gives the request a name",
            "The provider has taken the request and calls it by a name that works once, for a short time. Only that name goes through the browser.",
            rfc(9126, "2.2"),
        ),
        MessageName::LoginRedirect => (
            "sends the browser to the provider",
            "The backend has drawn three values by lot (state, nonce and the PKCE verifier), sealed them into a cookie that only it can open, and sends the browser on. It stores nothing.",
            rfc(6749, "4.1.1"),
        ),
        MessageName::AuthorizationRequest => (
            "brings the authorization request",
            "This is the question to the provider: may this app have these permissions? It says who asks, for what, and where the answer goes. It passes through the browser, so it holds no secret.",
            rfc(6749, "4.1.1"),
        ),
        MessageName::Authentication => (
            "signs you in and asks for your consent",
            "Between you and the provider alone: your password is typed there and goes nowhere else. This app sees only how long it took.",
            rfc(6749, "3.1"),
        ),
        MessageName::AuthorizationResponse => (
            "sends the browser back with the answer",
            "The answer rides in the address: a code that works once and for a short time, and the state from the beginning; or an error. A code alone is worth nothing without the client's own proof.",
            rfc(6749, "4.1.2"),
        ),
        MessageName::CodeForwarded => (
            "hands the answer to the backend",
            "The page has wiped the answer from its address first, so that it stays in no history and no log. Now the backend looks at it closely.",
            rfc(6749, "4.1.2"),
        ),
        MessageName::TokenRequest => (
            "exchanges the code",
            "From server to server, over a connection that no browser can look into: the backend shows the code, says who it is, and reveals the PKCE verifier.",
            rfc(6749, "4.1.3"),
        ),
        MessageName::TokenResponse => (
            "answers with the tokens",
            "The access token, which opens the user's data for a while, and what belongs to it. The tokens stay in the backend, sealed; no page ever sees one.",
            rfc(6749, "4.1.4"),
        ),
        MessageName::JwksRequest => (
            "asks for the provider's public keys",
            "By these keys a signature is checked. They are public, and the backend keeps them for a while.",
            core("10.1", "Signing"),
        ),
        MessageName::JwksResponse => {
            ("publishes its keys", "A set of public keys, each with a name, so that they can be changed without a break.", rfc(7517, "5"))
        }
        MessageName::UserinfoRequest => (
            "asks who the user is",
            "The first use of the access token: the provider tells about the user whatever the granted scopes allow.",
            core("5.3.1", "UserInfoRequest"),
        ),
        MessageName::UserinfoResponse => (
            "tells who the user is",
            "The name, the e-mail address and the like. It counts only if it is about the user of the ID token.",
            core("5.3.2", "UserInfoResponse"),
        ),
        MessageName::SessionCreated => (
            "begins your session",
            "Everything held. The browser gets a cookie with a fresh name for its session, which no script can read, and which says nothing by itself.",
            rfc(10017, "6.1"),
        ),
        MessageName::LoginRefused => (
            "refuses the login",
            "Something did not hold, so there is no session, and whatever the provider had given is not used. The answer says what was the matter.",
            rfc(9457, "3"),
        ),
        MessageName::ApiCall => (
            "calls an API through the backend",
            "The page asks the backend, with its cookie and a header that no other site can send. It has no token, and needs none.",
            rfc(10017, "6.1"),
        ),
        MessageName::UpstreamRequest => (
            "passes the call on, with the access token",
            "Here the token does its work: the backend puts it into the call. The cookie stays behind.",
            rfc(6750, "2.1"),
        ),
        MessageName::UpstreamResponse => (
            "answers the call",
            "The API has looked at the token and at what it allows. Its answer goes on to the page as it is.",
            rfc(6749, "7"),
        ),
        MessageName::TokenExchangeRequest => (
            "asks for a token that this API takes",
            "The API wants a token of its own. The backend shows the one that it has, and asks for one that is good there and nowhere else.",
            rfc(8693, "2.1"),
        ),
        MessageName::TokenExchangeResponse => ("answers with that token", "It stays in the backend, like the others.", rfc(8693, "2.2")),
        MessageName::RefreshRequest => (
            "asks for new tokens",
            "An access token lives for a short time. With the refresh token the backend gets the next one, and you need not sign in again.",
            rfc(6749, "6"),
        ),
        MessageName::RefreshResponse => (
            "answers with new tokens",
            "A new access token, and often a new refresh token as well: then the old one is void, and whoever had stolen it is found out.",
            rfc(6749, "6"),
        ),
        MessageName::LogoutRequest => (
            "signs out",
            "You clicked “Sign out”. Like everything that changes something, it has to come from a page of this site.",
            rp_logout("1", "Introduction"),
        ),
        MessageName::LogoutResponse => (
            "ends the session here",
            "The session is deleted, its cookie taken back, and the browser told whether the provider wants to see it too.",
            rp_logout("1", "Introduction"),
        ),
        MessageName::RevocationRequest => (
            "gives a token back",
            "A token that nobody needs any more should not go on working. The backend asks the provider to void it.",
            rfc(7009, "2.1"),
        ),
        MessageName::RevocationResponse => ("has voided the token", "From now on the token opens nothing.", rfc(7009, "2.2")),
        MessageName::EndSessionRequest => (
            "goes to the provider to sign out there, too",
            "The provider has a session of its own with this browser. Without this step the next login would need no password.",
            rp_logout("2", "RPLogout"),
        ),
        MessageName::BackchannelLogout => (
            "says that the user has signed out",
            "The provider tells the backend directly, with a signed token, that its session has ended, so the one here ends as well.",
            backchannel_logout("2.5", "BCRequest"),
        ),
    };
    MessageMeaning { act, why, defined }
}
