//! The settings of a provider, each declared once.

use super::choices::{ClientAuth, Icon, IssPolicy, Metadata, Preset, ScopeSeparator};
use crate::config::{
    access,
    schema::Section,
    setting::Setting,
    value::{JsonObject, Pem, WebAddress},
};
use oauth2flow_protocol::{
    SigningAlgorithm,
    authorize::Prompt,
    provider::{DpopPolicy, ParPolicy, ResponseMode, SignedUserInfo},
};
use secrecy::SecretString;
use std::{collections::BTreeMap, time::Duration};

pub(super) static PRESET: Setting<Preset> = Setting::optional(
    "preset",
    "What kind of provider it is: one that is known by name (each has a page in `docs/providers`), any provider that speaks OpenID \
     Connect (`openid`: everything is discovered from `issuer`), or any that speaks OAuth 2.0 (`oauth`: its endpoints, or its metadata, \
     and how to read a user are written here).",
)
.default_in_words(
    "`openid` with an `issuer`, `oauth` with an `authorization_url` or `metadata = \"oauth\"`, `github` with a `web_url`; otherwise the \
     one that the id names, or `openid`",
)
.example("openid");
pub(super) static NAME: Setting<String> = Setting::optional("name", "What the button says after “Sign in with”.")
    .default_in_words("the preset's name when the id is the preset, such as `GitHub`; otherwise the id with a capital")
    .example("Example");
pub(super) static ICON: Setting<Icon> =
    Setting::optional("icon", "The icon on the button.").default_in_words("the one of the preset").example("openid");
pub(super) static CLIENT_ID: Setting<String> =
    Setting::required("client_id", "The client id that the provider gave this app.").example("the-client-id");
pub(super) static CLIENT_SECRET: Setting<SecretString> = Setting::optional(
    "client_secret",
    "The client secret that the provider gave this app. Required unless `client_auth` needs none; `apple` makes its own.",
)
.example("the-client-secret")
.secret_or_file();
pub(super) static CLIENT_AUTH: Setting<ClientAuth> = Setting::optional(
    "client_auth",
    "How the app shows the provider who it is: the secret in the `Authorization` header (`basic`) or in the body (`post`), a token signed \
     with `private_key` (`private_key_jwt`) or with the secret (`client_secret_jwt`), `client_certificate` (`tls_client_auth`, or \
     `self_signed_tls_client_auth`, RFC 8705), or not at all (`none`).",
)
.default_in_words("what the preset or the provider's metadata says")
.example("basic");
pub(super) static PRIVATE_KEY: Setting<SecretString> = Setting::optional(
    "private_key",
    "The app's private key in PEM (PKCS#8, PKCS#1 or SEC1), for `client_auth = \"private_key_jwt\"`, for `request_object`, and for \
     `apple`. Its public half is at `/api/v1/oauth/jwks.json`, for providers that fetch it.",
)
.example("-----BEGIN PRIVATE KEY-----")
.secret_or_file();
pub(super) static KEY_ID: Setting<String> =
    Setting::optional("key_id", "What the provider calls `private_key`. Required with `apple`, and only together with `private_key`.")
        .default_in_words("the key's thumbprint (RFC 7638)")
        .example("key-1");
pub(super) static SIGNING_ALGORITHM: Setting<SigningAlgorithm> = Setting::optional(
    "signing_algorithm",
    "What `private_key` signs with. Only together with `private_key`; not for `apple`, where it is `ES256`.",
)
.default_in_words("what the provider takes and the key can do")
.example("PS256");
pub(super) static CLIENT_CERTIFICATE: Setting<Pem> = Setting::optional(
    "client_certificate",
    "The certificate, in PEM and with those that issued it, that the app shows the provider (RFC 8705). Only together with \
     `client_certificate_key`.",
)
.example("-----BEGIN CERTIFICATE-----")
.or_file();
pub(super) static CLIENT_CERTIFICATE_KEY: Setting<SecretString> =
    Setting::optional("client_certificate_key", "The certificate's private key in PEM (PKCS#8). Only together with `client_certificate`.")
        .example("-----BEGIN PRIVATE KEY-----")
        .secret_or_file();
pub(super) static ISSUER: Setting<WebAddress> = Setting::optional(
    "issuer",
    "The issuer, exactly as the provider writes it, with or without a slash at the end. Required with `openid`; with `oauth` it is where \
     the metadata is (RFC 8414); with a known provider that is discovered it replaces the known one, for a national cloud or a custom \
     domain.",
)
.example("https://accounts.example.com");
pub(super) static METADATA: Setting<Metadata> = Setting::optional(
    "metadata",
    "What is found at `issuer`: OpenID Connect discovery, or an OAuth 2.0 server's metadata without ID tokens (RFC 8414). Only for \
     `openid` and `oauth`.",
)
.default_in_words("what the preset speaks, otherwise `openid`")
.example("oauth");
pub(super) static TENANT: Setting<String> = Setting::optional(
    "tenant",
    "Whose accounts may sign in: the directory (tenant) id, `organizations` for those of any, `consumers` for personal accounts, or \
     `common` for both. Required with `entra`, and only for it.",
)
.example("72f988bf-86f1-41af-91ab-2d7cd011db47");
pub(super) static DOMAIN: Setting<String> = Setting::optional(
    "domain",
    "With `auth0` and `okta`, where the tenant or organization is, and required; with `google`, the Workspace domain whose members alone \
     may sign in.",
)
.example("example.com");
pub(super) static BASE_URL: Setting<WebAddress> =
    Setting::optional("base_url", "Where the server is, without a slash at the end. Required with `keycloak`; only for it and `gitlab`.")
        .default_in_words("`https://gitlab.com` for `gitlab`")
        .example("https://gitlab.example.com");
pub(super) static REALM: Setting<String> =
    Setting::optional("realm", "The realm. Required with `keycloak`, and only for it.").example("example");
pub(super) static TEAM_ID: Setting<String> = Setting::optional(
    "team_id",
    "The ten characters of the developer team that `private_key` belongs to. Required with `apple`, and only for it.",
)
.example("ABCDE12345");
pub(super) static SCOPES: Setting<Vec<String>> =
    Setting::optional("scopes", "The scopes to ask for. With a provider that issues ID tokens they include `openid`.")
        .default_in_words("what the preset needs to say who the user is")
        .example("openid profile email");
pub(super) static SCOPE_SEPARATOR: Setting<ScopeSeparator> = Setting::optional(
    "scope_separator",
    "What stands between the scopes that the provider says it granted; a space is always understood as well. Only for `oauth`.",
)
.default("space");
pub(super) static PKCE: Setting<bool> = Setting::optional(
    "pkce",
    "Whether to send a PKCE challenge (S256). Switch it off only for a provider that refuses sign-ins because of it; a warning is logged \
     then.",
)
.default_in_words("`true`, except for `linkedin` and `slack`")
.example("true");
pub(super) static NONCE: Setting<bool> = Setting::optional(
    "nonce",
    "Whether to send a nonce and demand it in the ID token. Switch it off only for a provider that leaves it out; a warning is logged \
     then. Only for providers that issue ID tokens.",
)
.default_in_words("`true`, except for `linkedin`")
.example("true");
pub(super) static ISS_POLICY: Setting<IssPolicy> = Setting::optional(
    "iss_policy",
    "What to do when an answer of the provider lacks `iss` (RFC 9207): refuse it (`require`), refuse it only if the provider's metadata \
     promises `iss` (`allow`), or accept it even then (`ignore`). A wrong `iss` is always refused.",
)
.default_in_words("what the preset says, mostly `allow`")
.example("require");
pub(super) static EXPECTED_ISS: Setting<WebAddress> = Setting::optional(
    "expected_iss",
    "The `iss` that this provider's answers carry. Only for providers whose endpoints are not discovered: otherwise it is the issuer.",
)
.default_in_words("the provider's own for `github` and `discord`, otherwise none")
.example("https://login.example.com");
pub(super) static SERVER_CALLBACK: Setting<bool> = Setting::optional(
    "server_callback",
    "Whether the provider answers to the server instead of the app, as RFC 10017 §6.1.2.1 has it. The redirect address to register is then \
     `/api/v1/oauth/code` behind `server.public_url`, not `/callback`; so it is with `response_mode = \"form_post\"`.",
)
.default("false");
pub(super) static RESPONSE_MODE: Setting<ResponseMode> = Setting::optional(
    "response_mode",
    "How the provider's answer comes back: in the address (`query`), in a form that the browser posts to the server (`form_post`), or \
     signed in the address (`jwt`, JARM).",
)
.default_in_words("`query`; `form_post` for `apple`")
.example("form_post");
pub(super) static PAR: Setting<ParPolicy> = Setting::optional(
    "par",
    "Whether what the sign-in asks for goes from the server to the provider first (RFC 9126), so that nobody can change it on its way \
     through the browser: where the provider offers it (`auto`), or not at all (`always`), or not (`never`). Only for providers that are \
     discovered.",
)
.default("auto");
pub(super) static REQUEST_OBJECT: Setting<bool> = Setting::optional(
    "request_object",
    "Whether what the sign-in asks for is signed with `private_key` (RFC 9101). Only for providers that are discovered.",
)
.default("false");
pub(super) static DPOP: Setting<DpopPolicy> = Setting::optional(
    "dpop",
    "Whether access tokens are bound to a key that the server keeps, so that a stolen one is worth nothing (RFC 9449): `off`, where the \
     provider offers it (`auto`), or not at all (`require`). The APIs behind the proxy have to know it too.",
)
.default("off");
pub(super) static PROMPT: Setting<Vec<Prompt>> = Setting::optional(
    "prompt",
    "What the provider shows at every sign-in, whether it would need to or not; a sign-in may ask for something else.",
)
.example("select_account");
pub(super) static MAX_AGE: Setting<Duration> = Setting::optional(
    "max_age",
    "How long ago the person may have typed the password at the provider; after that, it asks again. Only for providers that issue ID \
     tokens.",
)
.example("12h");
pub(super) static ACR_VALUES: Setting<Vec<String>> = Setting::optional(
    "acr_values",
    "How strongly the provider has to make sure who it is, in its own words, the best first: the ID token has to name one of them. A \
     single sign-in may ask for some of them, never for others. Only for providers that issue ID tokens.",
)
.example("phr phrh");
pub(super) static LOGIN_HINT: Setting<String> =
    Setting::optional("login_hint", "What the provider's sign-in page has in its first field.").example("@example.com");
pub(super) static UI_LOCALES: Setting<Vec<String>> =
    Setting::optional("ui_locales", "The languages of the provider's pages, the best first.").example("de en");
pub(super) static CLAIMS: Setting<JsonObject> =
    Setting::optional("claims", "The `claims` parameter (OpenID Connect Core §5.5), as JSON. Only for providers that issue ID tokens.")
        .example(r#"{"id_token":{"auth_time":{"essential":true}}}"#);
pub(super) static RESOURCE: Setting<Vec<String>> =
    Setting::optional("resource", "The APIs that the access token is for (RFC 8707), as addresses, for providers that know it.")
        .example("https://api.example.com");
pub(super) static AUTHORIZATION_PARAMS: Setting<BTreeMap<String, String>> =
    Setting::optional("authorization_params", "More parameters for the provider's sign-in page.")
        .example("access_type=offline&include_granted_scopes=true");
pub(super) static ID_TOKEN_ALGORITHMS: Setting<Vec<SigningAlgorithm>> = Setting::optional(
    "id_token_algorithms",
    "The algorithms that ID tokens may be signed with, of those that the metadata names. Only for providers that issue ID tokens.",
)
.default_in_words("those of the metadata, but never `none` or a shared secret")
.example("ES256 PS256");
pub(super) static REQUIRED_CLAIMS: Setting<BTreeMap<String, String>> = Setting::optional(
    "required_claims",
    "Claims that the ID token must hold with exactly these values, or as lists that contain them; otherwise nobody is signed in. A name that \
     begins with a slash is a JSON pointer into nested claims. Only for providers that issue ID tokens.",
)
.example("department=sales");
pub(super) static SIGNED_USERINFO: Setting<SignedUserInfo> = Setting::optional(
    "signed_userinfo",
    "Whether the user endpoint must sign what it says (`require`), or may (`allow`). Only for providers that issue ID tokens.",
)
.default("allow");
pub(super) static WEB_URL: Setting<WebAddress> = Setting::optional(
    "web_url",
    "Where people sign in, when that is not the public address: a GitHub Enterprise Server, or another version of Facebook's. Only for \
     `github`, `discord`, `facebook` and `x`.",
)
.default_in_words("the public one, such as `https://github.com`")
.example("https://github.example.com");
pub(super) static API_URL: Setting<WebAddress> = Setting::optional(
    "api_url",
    "Where the API is that goes with `web_url`. Only for `github`, `discord`, `facebook` and `x`, and together with `web_url`.",
)
.default_in_words("the public one; `/api/v3` of `web_url` for `github`")
.example("https://github.example.com/api/v3");
pub(super) static AUTHORIZATION_URL: Setting<WebAddress> = Setting::optional(
    "authorization_url",
    "The authorization endpoint, which people's browsers visit. Required with `oauth` without an `issuer`, and only for it.",
)
.example("https://login.example.com/authorize");
pub(super) static TOKEN_URL: Setting<WebAddress> = Setting::optional(
    "token_url",
    "The token endpoint, which exchanges the code. Required with `oauth` without an `issuer`, and only for it.",
)
.example("https://login.example.com/token");
pub(super) static USERINFO_URL: Setting<WebAddress> =
    Setting::optional("userinfo_url", "Where the user's data is, as a JSON object. Required with `oauth`, and only for it.")
        .example("https://api.example.com/me");
pub(super) static REVOCATION_URL: Setting<WebAddress> = Setting::optional(
    "revocation_url",
    "The revocation endpoint (RFC 7009), which ends tokens at sign-out. Only for `oauth` without an `issuer`.",
)
.example("https://login.example.com/revoke");
pub(super) static USER_ID: Setting<String> = Setting::optional(
    "user.id",
    "The member of the user's data that never changes and is never given to somebody else. Required with `oauth`, and only for it. Here \
     and below, dots lead into nested objects: `data.id`.",
)
.example("id");
pub(super) static USER_NAME: Setting<String> =
    Setting::optional("user.name", "The member with the user's name for people. Not for `github`.")
        .default_in_words("`name` for providers that issue ID tokens; what the preset says")
        .example("name");
pub(super) static USER_LOGIN: Setting<String> =
    Setting::optional("user.login", "The member with the name the user signs in by. Not for `github`.")
        .default_in_words("`preferred_username` for providers that issue ID tokens; what the preset says")
        .example("username");
pub(super) static USER_EMAIL: Setting<String> =
    Setting::optional("user.email", "The member with the user's e-mail address. Not for `github`.")
        .default_in_words("`email` for providers that issue ID tokens; what the preset says")
        .example("email");
pub(super) static USER_EMAIL_VERIFIED: Setting<String> = Setting::optional(
    "user.email_verified",
    "The member that says whether the provider has checked that address. Without it, the address counts as unchecked. Not for `github`.",
)
.default_in_words("`email_verified` for most providers that issue ID tokens; what the preset says")
.example("verified");
pub(super) static USER_PICTURE: Setting<String> = Setting::optional(
    "user.picture",
    "The member with the address of the user's picture; its host belongs into `server.avatar_hosts`. Not for `github`.",
)
.default_in_words("`picture` for most providers that issue ID tokens; what the preset says")
.example("avatar_url");

pub(in crate::config) static SECTION: Section = Section {
    name: "providers",
    element: Some("example"),
    doc: "With whom people sign in: one table for each provider, named by an id that stands in addresses (a–z, 0–9, `-`, `_`). Buttons \
          come in the order of the file. `GITHUB_CLIENT_ID` and `GITHUB_CLIENT_SECRET` (or `GITHUB_CLIENT_SECRET_FILE`) in the \
          environment are enough to add the provider `github`. Addresses are https; http is for this machine only.",
    settings: &[
        &PRESET,
        &NAME,
        &ICON,
        &CLIENT_ID,
        &CLIENT_SECRET,
        &CLIENT_AUTH,
        &PRIVATE_KEY,
        &KEY_ID,
        &SIGNING_ALGORITHM,
        &CLIENT_CERTIFICATE,
        &CLIENT_CERTIFICATE_KEY,
        &ISSUER,
        &METADATA,
        &TENANT,
        &DOMAIN,
        &BASE_URL,
        &REALM,
        &TEAM_ID,
        &SCOPES,
        &SCOPE_SEPARATOR,
        &PKCE,
        &NONCE,
        &ISS_POLICY,
        &EXPECTED_ISS,
        &SERVER_CALLBACK,
        &RESPONSE_MODE,
        &PAR,
        &REQUEST_OBJECT,
        &DPOP,
        &PROMPT,
        &MAX_AGE,
        &ACR_VALUES,
        &LOGIN_HINT,
        &UI_LOCALES,
        &CLAIMS,
        &RESOURCE,
        &AUTHORIZATION_PARAMS,
        &ID_TOKEN_ALGORITHMS,
        &REQUIRED_CLAIMS,
        &SIGNED_USERINFO,
        &WEB_URL,
        &API_URL,
        &AUTHORIZATION_URL,
        &TOKEN_URL,
        &USERINFO_URL,
        &REVOCATION_URL,
        &USER_ID,
        &USER_NAME,
        &USER_LOGIN,
        &USER_EMAIL,
        &USER_EMAIL_VERIFIED,
        &USER_PICTURE,
        &access::ALLOW_EMAILS,
        &access::ALLOW_DOMAINS,
        &access::ALLOW_GROUPS,
        &access::ALLOW_ROLES,
        &access::ALLOW_ORGANIZATIONS,
        &access::ALLOW_TEAMS,
        &access::ALLOW_CLAIMS,
        &access::GROUPS_CLAIM,
        &access::ROLES_CLAIM,
    ],
};
