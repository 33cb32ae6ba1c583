//! The known providers. Facts without a source of their own are from the provider's documentation, read in 2026; those marked
//! (memory) have not been held against it.

use super::{Address, IssuerOddity, Location, Paths, Places, Preset};
use crate::authorize::Prompt;
use crate::provider::{ClientAuth, IssPolicy, ResponseMode, RevocationStyle};

/// Every preset.
pub static ALL: [&Preset; 15] =
    [&OPENID, &OAUTH, &GITHUB, &GOOGLE, &ENTRA, &GITLAB, &APPLE, &DISCORD, &FACEBOOK, &X, &LINKEDIN, &SLACK, &KEYCLOAK, &AUTH0, &OKTA];

/// The tenants of Entra whose metadata is everybody's.
pub(super) const SHARED_TENANTS: [&str; 2] = ["/common/", "/organizations/"];

/// Any OpenID provider, by its issuer alone.
pub static OPENID: Preset = PLAIN_OPENID;

/// What an OpenID provider without quirks is. Constants can build on each other, statics cannot.
const PLAIN_OPENID: Preset = Preset {
    id: "openid",
    name: "OpenID",
    icon: "openid",
    location: Location::Issuer("{issuer}"),
    // The default when neither side says otherwise: OpenID Connect Core §9.
    client_auth: ClientAuth::Basic,
    // Core §5.4: name and picture come with `profile`, the address with `email`.
    scopes: &["openid", "profile", "email"],
    // RFC 6749 §3.3.
    scope_separator_response: ' ',
    // RFC 9207 §2.4: what the metadata promises must be there.
    iss_policy: IssPolicy::Allow,
    // RFC 9700 §2.1.1 recommends it to every client; a provider that does not know it ignores it (RFC 6749 §3.1).
    pkce: true,
    // Core §3.1.2.1 has the provider give it back.
    nonce: true,
    response_mode: ResponseMode::Query,
    extra_authorization_params: &[],
    default_token_lifetime: None,
    issuer_oddity: IssuerOddity::None,
    user: Places::OPENID,
    // No specification names them; these are what most servers call them.
    groups: Some("groups"),
    roles: Some("roles"),
    // Every provider knows this one (Core §15.1); not every one has several accounts in one browser.
    another_account: Prompt::Login,
    userinfo: true,
    error_in_userinfo: false,
    // Where the metadata names the endpoint.
    revocation: RevocationStyle::Rfc7009,
    end_session: true,
    avatar_host: None,
};

/// Any OAuth 2.0 provider, by its endpoints and a user mapping.
pub static OAUTH: Preset = PLAIN_OAUTH;

/// What an OAuth 2.0 provider without quirks is.
const PLAIN_OAUTH: Preset = Preset {
    id: "oauth",
    name: "OAuth",
    icon: "oauth",
    location: Location::Configured,
    scopes: &[],
    // There are no ID tokens to bring it back.
    nonce: false,
    user: Places { id: "id", name: None, login: None, email: None, email_verified: None, picture: None },
    groups: None,
    roles: None,
    ..PLAIN_OPENID
};

/// GitHub, or a GitHub Enterprise Server. Where nothing else is said, the facts are from "Authorizing OAuth apps" in GitHub's
/// documentation.
pub static GITHUB: Preset = Preset {
    id: "github",
    name: "GitHub",
    icon: "github",
    location: Location::Hosts(&Paths {
        web: "https://github.com/",
        api: "https://api.github.com/",
        authorization: Address::Web("login/oauth/authorize"),
        token: Address::Web("login/oauth/access_token"),
        userinfo: Address::Api("user"),
        emails: Some(Address::Api("user/emails")),
        // "List organizations for the authenticated user", "List teams for the authenticated user"; a hundred a page at most.
        organizations: Some(Address::Api("user/orgs?per_page=100")),
        teams: Some(Address::Api("user/teams?per_page=100")),
        // "Delete an app token": DELETE /applications/{client_id}/token with Basic authentication. It takes back this token only;
        // /grant would sign the user out of every other browser too.
        revocation: Some(Address::Api("applications/{client_id}/token")),
        // Sent since April 2026 (GitHub's changelog); an Enterprise Server of before does not, so it may be missing.
        expected_iss: Some(Address::Web("login/oauth")),
    }),
    // The documentation shows the secret in the body only. The answer is a form unless JSON is asked for, which this crate does.
    client_auth: ClientAuth::Post,
    // `user:email` opens /user/emails; the public profile needs no scope, but `read:user` is what GitHub shows as such.
    scopes: &["read:user", "user:email"],
    // Granted scopes come back as "user,gist".
    scope_separator_response: ',',
    // `code_challenge` with S256 is "strongly recommended"; servers that do not know it ignore it (RFC 6749 §3.1).
    pkce: true,
    // Tokens of OAuth apps do not expire; those of GitHub Apps come with `expires_in` (28800).
    default_token_lifetime: None,
    user: Places {
        // "Get the authenticated user": the login can be changed and taken over by somebody else, the number cannot.
        id: "id",
        name: Some("name"),
        login: Some("login"),
        // `email` of /user is the public one and often null; /user/emails says which is primary and verified.
        email: None,
        email_verified: None,
        picture: Some("avatar_url"),
    },
    // "prompt: Forces the account picker to appear if set to select_account."
    another_account: Prompt::SelectAccount,
    revocation: RevocationStyle::GitHub,
    avatar_host: Some("avatars.githubusercontent.com"),
    // It has no sign-out address for apps.
    end_session: false,
    ..PLAIN_OAUTH
};

/// Google. Facts from "OpenID Connect" and "Using OAuth 2.0 for Web Server Applications" in Google's identity documentation.
pub static GOOGLE: Preset = Preset {
    id: "google",
    name: "Google",
    icon: "google",
    location: Location::Issuer("https://accounts.google.com"),
    // "The value of iss in the ID token is equal to https://accounts.google.com or accounts.google.com."
    issuer_oddity: IssuerOddity::WithoutScheme,
    // `offline_access` is not known there; this is what gives a refresh token, at the first consent.
    extra_authorization_params: &[("access_type", "offline")],
    // Groups are in the Directory API only; the domain is the claim `hd`.
    groups: None,
    roles: None,
    // "select_account: Prompt the user to select an account."
    another_account: Prompt::SelectAccount,
    // There is no end_session_endpoint in the metadata (memory); should one appear, it is used.
    end_session: true,
    // (memory)
    avatar_host: Some("lh3.googleusercontent.com"),
    ..PLAIN_OPENID
};

/// Microsoft Entra ID. Facts from "OpenID Connect on the Microsoft identity platform" and "ID token claims reference".
pub static ENTRA: Preset = Preset {
    id: "entra",
    name: "Microsoft",
    icon: "microsoft",
    location: Location::Issuer("https://login.microsoftonline.com/{tenant}/v2.0"),
    // The metadata of `common` and `organizations` has the issuer "https://login.microsoftonline.com/{tenantid}/v2.0", to the letter.
    issuer_oddity: IssuerOddity::SharedByTenants,
    // A refresh token needs `offline_access`; the access token lives an hour or so.
    scopes: &["openid", "profile", "email", "offline_access"],
    // The metadata leaves PKCE out, and the platform supports and recommends it.
    pkce: true,
    user: Places {
        // There is no `email_verified`, and an administrator can write any address: it counts as unchecked. The picture is an
        // address of Microsoft Graph that wants a token, so no page could show it.
        email_verified: None,
        picture: None,
        ..Places::OPENID
    },
    // `groups` and `roles` hold what the registration is set up for ("Configure group claims", "Add app roles"); with more than 200
    // groups there is only a `_claim_names` that says where to ask Microsoft Graph.
    groups: Some("groups"),
    roles: Some("roles"),
    // "select_account interrupts single sign-on providing account selection experience."
    another_account: Prompt::SelectAccount,
    // "The ID token is a superset of the information available at the UserInfo endpoint … we suggest getting the user's information
    // from the token." And an access token with scopes of another API is not for Microsoft Graph, where that endpoint is.
    userinfo: false,
    ..PLAIN_OPENID
};

/// GitLab.com, or a GitLab of one's own. Facts from "GitLab as an OpenID Connect identity provider" and its metadata: RS256,
/// `client_secret_basic` and `client_secret_post`, `/oauth/revoke`; access tokens live two hours and say so.
pub static GITLAB: Preset = Preset {
    id: "gitlab",
    name: "GitLab",
    icon: "gitlab",
    // The issuer is the server's own address, without a slash at the end.
    location: Location::Issuer("{base_url}"),
    // "groups: Paths for the groups the user is a member of", from the user endpoint.
    groups: Some("groups"),
    roles: None,
    ..PLAIN_OPENID
};

/// Apple. Facts from "Sign in with Apple REST API" in Apple's developer documentation.
pub static APPLE: Preset = Preset {
    id: "apple",
    name: "Apple",
    icon: "apple",
    location: Location::Issuer("https://appleid.apple.com"),
    // "Creating a client secret": an ES256 token of the team, valid for at most 15,777,000 seconds, in the body. No Basic.
    client_auth: ClientAuth::AppleSecret,
    // The metadata's `scopes_supported`.
    scopes: &["openid", "email", "name"],
    groups: None,
    roles: None,
    // "If you request any scope, the value must be form_post."
    response_mode: ResponseMode::FormPost,
    // Not in the documentation, but a challenge is verified: a-tokyo/apple-signin-auth issue 180, of October 2024.
    pkce: true,
    user: Places {
        // There is no userinfo endpoint, and the ID token has no name: that comes in the first authorization response only, beside
        // the code and signed by nobody.
        name: None,
        login: None,
        picture: None,
        // `email_verified` may be the text "true".
        ..Places::OPENID
    },
    // No end_session_endpoint in the metadata.
    end_session: false,
    ..PLAIN_OPENID
};

/// Discord. Facts from the page about OAuth 2.0 in Discord's developer documentation.
///
/// There is OpenID metadata too, but its ID token names nobody, and its userinfo has lacked `sub` (discord/discord-api-docs
/// issues 7377 and 7460): the user endpoint says more.
pub static DISCORD: Preset = Preset {
    id: "discord",
    name: "Discord",
    icon: "discord",
    location: Location::Hosts(&Paths {
        web: "https://discord.com/",
        api: "https://discord.com/api/",
        authorization: Address::Web("oauth2/authorize"),
        token: Address::Api("oauth2/token"),
        userinfo: Address::Api("users/@me"),
        emails: None,
        organizations: None,
        teams: None,
        revocation: Some(Address::Api("oauth2/token/revoke")),
        // The metadata's issuer.
        expected_iss: Some(Address::Web("")),
    }),
    // The metadata (RFC 8414) declares `authorization_response_iss_parameter_supported`. This preset does not read it, so the
    // promise has to stand here: RFC 9207 §2.4 has a client refuse an answer without what was promised.
    iss_policy: IssPolicy::Require,
    // "client_id and client_secret … HTTP Basic authentication", or in the body.
    client_auth: ClientAuth::Basic,
    scopes: &["identify", "email"],
    user: Places {
        // A snowflake, as text; user names can be changed.
        id: "id",
        name: Some("global_name"),
        login: Some("username"),
        email: Some("email"),
        // Whether "the email on this account has been verified".
        email_verified: Some("verified"),
        // `avatar` is a hash and no address.
        picture: None,
    },
    // It has no sign-out address for apps.
    end_session: false,
    ..PLAIN_OAUTH
};

/// Facebook. Facts from "Manually Build a Login Flow" and the changelog of the Graph API in Meta's developer documentation.
pub static FACEBOOK: Preset = Preset {
    id: "facebook",
    name: "Facebook",
    icon: "facebook",
    location: Location::Hosts(&Paths {
        // Every address has a version; v25.0 of February 2026 works until 29 July 2028.
        web: "https://www.facebook.com/v25.0/",
        api: "https://graph.facebook.com/v25.0/",
        authorization: Address::Web("dialog/oauth"),
        token: Address::Api("oauth/access_token"),
        // What is not named is not sent.
        userinfo: Address::Api("me?fields=id,name,email,picture"),
        emails: None,
        organizations: None,
        teams: None,
        // DELETE /me/permissions would take the whole app off the person's account.
        revocation: None,
        expected_iss: None,
    }),
    client_auth: ClientAuth::Post,
    scopes: &["public_profile", "email"],
    user: Places {
        // The same person has another number in every app.
        id: "id",
        name: Some("name"),
        login: None,
        // May be absent: accounts made with a telephone number have none, and people can withhold it (memory).
        email: Some("email"),
        email_verified: None,
        picture: Some("/picture/data/url"),
    },
    revocation: RevocationStyle::None,
    // (memory)
    avatar_host: Some("platform-lookaside.fbsbx.com"),
    // It has no sign-out address for apps.
    end_session: false,
    ..PLAIN_OAUTH
};

/// X, formerly Twitter. Facts from "OAuth 2.0 Authorization Code Flow with PKCE" in X's developer documentation.
pub static X: Preset = Preset {
    id: "x",
    name: "X",
    icon: "x",
    location: Location::Hosts(&Paths {
        web: "https://x.com/",
        api: "https://api.x.com/2/",
        authorization: Address::Web("i/oauth2/authorize"),
        token: Address::Api("oauth2/token"),
        userinfo: Address::Api("users/me?user.fields=profile_image_url"),
        emails: None,
        organizations: None,
        teams: None,
        revocation: Some(Address::Api("oauth2/revoke")),
        expected_iss: None,
    }),
    // "Confidential clients … basic authentication".
    client_auth: ClientAuth::Basic,
    // /2/users/me wants both of the first; tokens live two hours, and only with the third there is a refresh token.
    scopes: &["users.read", "tweet.read", "offline.access"],
    // Required.
    pkce: true,
    user: Places {
        // The whole user is wrapped in `data` (memory). Handles can be changed and taken over, the number cannot.
        id: "/data/id",
        name: Some("/data/name"),
        login: Some("/data/username"),
        email: None,
        email_verified: None,
        picture: Some("/data/profile_image_url"),
    },
    // (memory)
    avatar_host: Some("pbs.twimg.com"),
    // It has no sign-out address for apps.
    end_session: false,
    ..PLAIN_OAUTH
};

/// LinkedIn. Facts from "Sign In with LinkedIn using OpenID Connect" and its metadata.
pub static LINKEDIN: Preset = Preset {
    id: "linkedin",
    name: "LinkedIn",
    icon: "linkedin",
    // The metadata's issuer since 2024: not https://www.linkedin.com.
    location: Location::Issuer("https://www.linkedin.com/oauth"),
    // The documentation shows the secret in the body only.
    client_auth: ClientAuth::Post,
    // A `code_verifier` is answered with invalid_client, unless the app is of the PKCE type (issue threads).
    pkce: false,
    // The ID token does not bring it back (issue threads). State and client secret still protect the login.
    nonce: false,
    groups: None,
    roles: None,
    // (memory)
    avatar_host: Some("media.licdn.com"),
    ..PLAIN_OPENID
};

/// Slack. Facts from "Sign in with Slack" and "Using PKCE" in Slack's developer documentation.
pub static SLACK: Preset = Preset {
    id: "slack",
    name: "Slack",
    icon: "slack",
    location: Location::Issuer("https://slack.com"),
    // "Enabling PKCE marks your app as a public client. This is a one-way operation": an app without it must not be sent one.
    pkce: false,
    // Every method of Slack's API answers 200 with "ok": false when it refuses (memory).
    error_in_userinfo: true,
    groups: None,
    roles: None,
    // auth.revoke is a method of the API, not RFC 7009, and the metadata names none (memory).
    revocation: RevocationStyle::None,
    // No end_session_endpoint in the metadata (memory).
    end_session: false,
    // (memory)
    avatar_host: Some("avatars.slack-edge.com"),
    ..PLAIN_OPENID
};

/// A Keycloak realm. Facts from "Securing applications and services with OpenID Connect" and the release notes of Keycloak 23.
pub static KEYCLOAK: Preset = Preset {
    id: "keycloak",
    name: "Keycloak",
    icon: "keycloak",
    location: Location::Issuer("{base_url}/realms/{realm}"),
    // `iss` is sent since Keycloak 23 and the metadata says so. A client can be excluded ("Exclude Issuer From Authentication
    // Response") while the metadata still promises it: then the configuration says `ignore`. `session_state` is ignored anyway.
    iss_policy: IssPolicy::Allow,
    // Where the access token has the realm's roles; the mapper "realm roles" puts them into the ID token or the user endpoint's answer
    // when it is told to.
    roles: Some("/realm_access/roles"),
    ..PLAIN_OPENID
};

/// An Auth0 tenant. Facts from "Authorization Code Flow" and "OIDC discovery" in Auth0's documentation.
pub static AUTH0: Preset = Preset {
    id: "auth0",
    name: "Auth0",
    icon: "auth0",
    // With the slash at the end.
    location: Location::Issuer("https://{domain}/"),
    // Whether the metadata has an end_session_endpoint is a switch of the tenant ("RP-Initiated Logout End Session Endpoint
    // Discovery") (memory).
    end_session: true,
    ..PLAIN_OPENID
};

/// An Okta organization. Facts from "OpenID Connect & OAuth 2.0 API" in Okta's developer documentation.
pub static OKTA: Preset = Preset {
    id: "okta",
    name: "Okta",
    icon: "okta",
    // The organization's own server; a custom one is at https://{domain}/oauth2/{id}, which is written as the issuer.
    location: Location::Issuer("https://{domain}"),
    // Its end_session_endpoint insists on `id_token_hint`, which is always sent.
    end_session: true,
    ..PLAIN_OPENID
};
