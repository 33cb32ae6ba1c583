//! `[providers.<id>]`: with whom people sign in.

use super::reader::Reader;
use super::schema::Section;
use super::setting::{Declared, Setting};
use super::value::{WebAddress, choice};
use secrecy::SecretString;
use std::collections::BTreeMap;
use url::Url;

static PRESET: Setting<Preset> = Setting::optional(
    "preset",
    "What kind of provider it is: GitHub, any provider that speaks OpenID Connect (everything is discovered from `issuer`), or any \
     provider that speaks OAuth 2.0 (its endpoints and how to read a user are written here).",
)
.default_in_words("`openid` with an `issuer`, `oauth` with an `authorization_url`, `github` for the id `github` or with a `web_url`")
.example("openid");
static NAME: Setting<String> = Setting::optional("name", "What the button says after “Sign in with”.")
    .default_in_words("`GitHub` for the id `github`, otherwise the id with a capital")
    .example("Example");
static ICON: Setting<Icon> =
    Setting::optional("icon", "The icon on the button.").default_in_words("the one of the preset").example("openid");
static CLIENT_ID: Setting<String> =
    Setting::required("client_id", "The client id that the provider gave this app.").example("the-client-id");
static CLIENT_SECRET: Setting<SecretString> =
    Setting::optional("client_secret", "The client secret that the provider gave this app. Required unless `client_auth` is `none`.")
        .example("the-client-secret")
        .secret_or_file();
static CLIENT_AUTH: Setting<ClientAuth> = Setting::optional(
    "client_auth",
    "How the secret is shown to the provider: in the `Authorization` header (`basic`), in the body (`post`), or not at all because there \
     is none (`none`).",
)
.default_in_words("what the preset or the provider's metadata says")
.example("basic");
static ISSUER: Setting<WebAddress> = Setting::optional(
    "issuer",
    "The issuer of an OpenID provider, exactly as the provider writes it, with or without a slash at the end. Required with `openid`, and \
     only for it.",
)
.example("https://accounts.example.com");
static SCOPES: Setting<Vec<String>> = Setting::optional("scopes", "The scopes to ask for. With `openid` they include `openid`.")
    .default_in_words("what the preset needs to say who the user is")
    .example("openid profile email");
static SCOPE_SEPARATOR: Setting<ScopeSeparator> = Setting::optional(
    "scope_separator",
    "What stands between the scopes that the provider says it granted; a space is always understood as well. Only for `oauth`.",
)
.default("space");
static PKCE: Setting<bool> = Setting::optional(
    "pkce",
    "Whether to send a PKCE challenge (S256). Switch it off only for a provider that refuses sign-ins because of it; a warning is logged \
     then.",
)
.default("true");
static NONCE: Setting<bool> = Setting::optional(
    "nonce",
    "Whether to send a nonce and demand it in the ID token. Switch it off only for a provider that leaves it out; a warning is logged \
     then. Only for `openid`.",
)
.default_in_words("`true` for `openid`")
.example("true");
static ISS_POLICY: Setting<IssPolicy> = Setting::optional(
    "iss_policy",
    "What to do when an answer of the provider lacks `iss` (RFC 9207): refuse it (`require`), refuse it only if the provider's metadata \
     promises `iss` (`allow`), or accept it even then (`ignore`). A wrong `iss` is always refused.",
)
.default_in_words("what the preset says, mostly `allow`")
.example("require");
static EXPECTED_ISS: Setting<WebAddress> =
    Setting::optional("expected_iss", "The `iss` that this provider's answers carry. Not for `openid`, where it is the issuer.")
        .default_in_words("GitHub's own for `github`, otherwise none")
        .example("https://login.example.com");
static SERVER_CALLBACK: Setting<bool> = Setting::optional(
    "server_callback",
    "Whether the provider answers to the server instead of the app, as RFC 10017 §6.1.2.1 has it. The redirect address to register is then \
     `/api/v1/oauth/code` behind `server.public_url`, not `/callback`.",
)
.default("false");
static AUTHORIZATION_PARAMS: Setting<BTreeMap<String, String>> =
    Setting::optional("authorization_params", "More parameters for the provider's sign-in page.")
        .example("prompt=consent&access_type=offline");
static WEB_URL: Setting<WebAddress> = Setting::optional("web_url", "Where a GitHub Enterprise Server is. Only for `github`.")
    .default_in_words("`https://github.com`")
    .example("https://github.example.com");
static API_URL: Setting<WebAddress> =
    Setting::optional("api_url", "Where the API of a GitHub Enterprise Server is. Only for `github`, and together with `web_url`.")
        .default_in_words("`https://api.github.com`, or `/api/v3` of `web_url`")
        .example("https://github.example.com/api/v3");
static AUTHORIZATION_URL: Setting<WebAddress> = Setting::optional(
    "authorization_url",
    "The authorization endpoint, which people's browsers visit. Required with `oauth`, and only for it.",
)
.example("https://login.example.com/authorize");
static TOKEN_URL: Setting<WebAddress> =
    Setting::optional("token_url", "The token endpoint, which exchanges the code. Required with `oauth`, and only for it.")
        .example("https://login.example.com/token");
static USERINFO_URL: Setting<WebAddress> =
    Setting::optional("userinfo_url", "Where the user's data is, as a JSON object. Required with `oauth`, and only for it.")
        .example("https://api.example.com/me");
static REVOCATION_URL: Setting<WebAddress> =
    Setting::optional("revocation_url", "The revocation endpoint (RFC 7009), which ends tokens at sign-out. Only for `oauth`.")
        .example("https://login.example.com/revoke");
static USER_ID: Setting<String> = Setting::optional(
    "user.id",
    "The member of the user's data that never changes and is never given to somebody else. Required with `oauth`, and only for it. Here \
     and below, dots lead into nested objects: `data.id`.",
)
.example("id");
static USER_NAME: Setting<String> = Setting::optional("user.name", "The member with the user's name for people. Not for `github`.")
    .default_in_words("`name` for `openid`, otherwise none")
    .example("name");
static USER_LOGIN: Setting<String> = Setting::optional("user.login", "The member with the name the user signs in by. Not for `github`.")
    .default_in_words("`preferred_username` for `openid`, otherwise none")
    .example("username");
static USER_EMAIL: Setting<String> = Setting::optional("user.email", "The member with the user's e-mail address. Not for `github`.")
    .default_in_words("`email` for `openid`, otherwise none")
    .example("email");
static USER_EMAIL_VERIFIED: Setting<String> = Setting::optional(
    "user.email_verified",
    "The member that says whether the provider has checked that address. Without it, the address counts as unchecked. Not for `github`.",
)
.default_in_words("`email_verified` for `openid`, otherwise none")
.example("verified");
static USER_PICTURE: Setting<String> = Setting::optional(
    "user.picture",
    "The member with the address of the user's picture; its host belongs into `server.avatar_hosts`. Not for `github`.",
)
.default_in_words("`picture` for `openid`, otherwise none")
.example("avatar_url");

pub(super) static SECTION: Section = Section {
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
        &ISSUER,
        &SCOPES,
        &SCOPE_SEPARATOR,
        &PKCE,
        &NONCE,
        &ISS_POLICY,
        &EXPECTED_ISS,
        &SERVER_CALLBACK,
        &AUTHORIZATION_PARAMS,
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
    ],
};

/// Settings that mean something with some presets only. To ignore them silently would be a trap.
static MEANT_FOR: [(&dyn Declared, &[Preset]); 16] = [
    (&ISSUER, &[Preset::OpenId]),
    (&SCOPE_SEPARATOR, &[Preset::OAuth]),
    (&NONCE, &[Preset::OpenId]),
    (&EXPECTED_ISS, &[Preset::GitHub, Preset::OAuth]),
    (&WEB_URL, &[Preset::GitHub]),
    (&API_URL, &[Preset::GitHub]),
    (&AUTHORIZATION_URL, &[Preset::OAuth]),
    (&TOKEN_URL, &[Preset::OAuth]),
    (&USERINFO_URL, &[Preset::OAuth]),
    (&REVOCATION_URL, &[Preset::OAuth]),
    (&USER_ID, &[Preset::OAuth]),
    (&USER_NAME, &[Preset::OpenId, Preset::OAuth]),
    (&USER_LOGIN, &[Preset::OpenId, Preset::OAuth]),
    (&USER_EMAIL, &[Preset::OpenId, Preset::OAuth]),
    (&USER_EMAIL_VERIFIED, &[Preset::OpenId, Preset::OAuth]),
    (&USER_PICTURE, &[Preset::OpenId, Preset::OAuth]),
];

/// Parameters of the authorization request that are the flow's own.
const OWN_PARAMETERS: [&str; 12] = [
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
];

choice! {
    /// What kind of provider it is.
    Preset {
        /// GitHub, or a GitHub Enterprise Server.
        GitHub = "github",
        /// Any OpenID provider, by its issuer.
        OpenId = "openid",
        /// Any OAuth 2.0 provider, by its endpoints and a user mapping.
        OAuth = "oauth",
    }
}

choice! {
    /// An icon of the app.
    Icon {
        /// GitHub's mark.
        GitHub = "github",
        /// The sign of OpenID.
        OpenId = "openid",
        /// A key.
        OAuth = "oauth",
    }
}

choice! {
    /// How the client authenticates at the token endpoint ([RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)).
    ClientAuth {
        /// `client_secret_basic`.
        Basic = "basic",
        /// `client_secret_post`.
        Post = "post",
        /// A public client.
        None = "none",
    }
}

choice! {
    /// What to do about a missing `iss` in an authorization response; a wrong one is always refused ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)).
    IssPolicy {
        /// Refuse an answer without it.
        Require = "require",
        /// Refuse an answer without it when the provider's metadata promises it.
        Allow = "allow",
        /// Accept an answer without it even then, for metadata that is wrong about this client.
        Ignore = "ignore",
    }
}

choice! {
    /// What stands between granted scopes.
    ScopeSeparator {
        /// A space, as RFC 6749 §3.3 says.
        Space = "space",
        /// A comma.
        Comma = "comma",
    }
}

impl ScopeSeparator {
    /// The character.
    pub fn as_char(self) -> char {
        match self {
            Self::Space => ' ',
            Self::Comma => ',',
        }
    }
}

/// A provider.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// Its name in addresses.
    pub id: String,
    /// Its name for people, if one is set.
    pub name: Option<String>,
    /// The icon, if one is set: `github`, `openid` or `oauth`.
    pub icon: Option<String>,
    /// What kind it is.
    pub preset: Preset,
    /// The issuer, character by character as it was written; present exactly with [`Preset::OpenId`].
    pub issuer: Option<String>,
    /// The client id.
    pub client_id: String,
    /// The client secret; absent exactly with [`ClientAuth::None`].
    pub client_secret: Option<SecretString>,
    /// The scopes, if they are set.
    pub scopes: Option<Vec<String>>,
    /// How the client authenticates, if it is set.
    pub client_auth: Option<ClientAuth>,
    /// What to do about a missing `iss`, if it is set.
    pub iss_policy: Option<IssPolicy>,
    /// Whether to send a PKCE challenge.
    pub pkce: bool,
    /// Whether to send a nonce and demand it back.
    pub nonce: bool,
    /// Whether the provider answers to the server instead of the app.
    pub server_callback: bool,
    /// More parameters for the authorization request.
    pub authorization_params: BTreeMap<String, String>,
    /// The address of a GitHub Enterprise Server or a stand-in, without a slash at the end.
    pub web_url: Option<String>,
    /// The address of its API, without a slash at the end.
    pub api_url: Option<String>,
    /// The endpoints; present exactly with [`Preset::OAuth`].
    pub endpoints: Option<Endpoints>,
    /// The `iss` of this provider's answers, if it is set.
    pub expected_iss: Option<String>,
    /// What stands between the scopes that the provider says it granted.
    pub scope_separator: ScopeSeparator,
    /// Where in its data a user's properties are.
    pub user: UserMapping,
}

/// The endpoints of an OAuth 2.0 provider.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The authorization endpoint.
    pub authorization_url: Url,
    /// The token endpoint.
    pub token_url: Url,
    /// Where the user's data is.
    pub userinfo_url: Url,
    /// The revocation endpoint.
    pub revocation_url: Option<Url>,
}

/// The members of the provider's data that hold a user's properties; dots lead into nested objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserMapping {
    /// The identifier; present exactly with [`Preset::OAuth`].
    pub id: Option<String>,
    /// The name for people.
    pub name: Option<String>,
    /// The name to sign in by.
    pub login: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the provider has checked the address.
    pub email_verified: Option<String>,
    /// The address of a picture.
    pub picture: Option<String>,
}

impl ProviderConfig {
    /// Reads the table of the provider `id`.
    pub(super) fn read(reader: &mut Reader<'_>, id: &str) -> Option<Self> {
        let preset = if reader.is_set(&PRESET) { reader.optional(&PRESET) } else { Some(guess_preset(reader, id)) };
        let name = reader.optional(&NAME);
        let icon = reader.optional(&ICON).map(|icon| icon.as_str().to_owned());
        let client_id = reader.required(&CLIENT_ID);
        let client_secret = reader.secret(&CLIENT_SECRET);
        let client_auth = reader.optional(&CLIENT_AUTH);
        let issuer = confidential(reader, &ISSUER);
        if issuer.as_ref().is_some_and(|issuer| issuer.url.query().is_some()) {
            reader.problem(
                &ISSUER,
                "It has a query, and issuers have none (OpenID Connect Discovery §4.1).",
                "Leave out the ? and what follows.",
            );
        }
        let scopes = reader.optional(&SCOPES);
        let scope_separator = reader.optional(&SCOPE_SEPARATOR);
        let pkce = reader.optional(&PKCE);
        let nonce = if reader.is_set(&NONCE) { reader.optional(&NONCE) } else { Some(preset == Some(Preset::OpenId)) };
        let iss_policy = reader.optional(&ISS_POLICY);
        let expected_iss = confidential(reader, &EXPECTED_ISS);
        let server_callback = reader.optional(&SERVER_CALLBACK);
        let authorization_params = reader.optional(&AUTHORIZATION_PARAMS).unwrap_or_default();
        let web_url = confidential(reader, &WEB_URL).as_ref().map(without_slash);
        let api_url = confidential(reader, &API_URL).as_ref().map(without_slash);
        let endpoints = read_endpoints(reader);
        let user = UserMapping {
            id: reader.optional(&USER_ID),
            name: reader.optional(&USER_NAME),
            login: reader.optional(&USER_LOGIN),
            email: reader.optional(&USER_EMAIL),
            email_verified: reader.optional(&USER_EMAIL_VERIFIED),
            picture: reader.optional(&USER_PICTURE),
        };
        // Without a preset nothing can be said about what belongs to it.
        let preset = preset?;
        validate_preset(reader, preset);
        validate_client(reader, preset, client_auth);
        validate_request(reader, preset, scopes.as_deref(), &authorization_params);
        warn(reader, preset, pkce, nonce, iss_policy);
        if iss_policy == Some(IssPolicy::Require) && preset == Preset::OAuth && !reader.is_set(&EXPECTED_ISS) {
            reader.missing(&EXPECTED_ISS, "It is required, because iss_policy is \"require\".");
        }
        Some(Self {
            id: id.to_owned(),
            name,
            icon,
            preset,
            issuer: issuer.map(|issuer| issuer.text),
            client_id: client_id?,
            client_secret,
            scopes,
            client_auth,
            iss_policy,
            pkce: pkce?,
            nonce: nonce?,
            server_callback: server_callback?,
            authorization_params,
            web_url,
            api_url,
            endpoints,
            expected_iss: expected_iss.map(|issuer| issuer.text),
            scope_separator: scope_separator?,
            user,
        })
    }

    /// The host of this provider's pictures of users, where it is known.
    pub(super) fn avatar_host(&self) -> Option<String> {
        (self.preset == Preset::GitHub && self.web_url.is_none()).then(|| "avatars.githubusercontent.com".to_owned())
    }
}

fn guess_preset(reader: &Reader<'_>, id: &str) -> Preset {
    if reader.is_set(&ISSUER) {
        Preset::OpenId
    } else if reader.is_set(&AUTHORIZATION_URL) || reader.is_set(&TOKEN_URL) {
        Preset::OAuth
    } else if id == "github" || reader.is_set(&WEB_URL) {
        Preset::GitHub
    } else {
        Preset::OpenId
    }
}

/// An address to which codes, secrets and tokens go, or people with their passwords.
fn confidential(reader: &mut Reader<'_>, setting: &Setting<WebAddress>) -> Option<WebAddress> {
    let address = reader.optional(setting)?;
    if !address.is_confidential() {
        reader.problem(
            setting,
            format!("“{}” is http, and secrets and tokens would travel in the open.", address.text),
            "Write https://; http is only for localhost, 127.0.0.1 and [::1].",
        );
        return None;
    }
    Some(address)
}

fn without_slash(address: &WebAddress) -> String {
    address.text.trim_end_matches('/').to_owned()
}

fn read_endpoints(reader: &mut Reader<'_>) -> Option<Endpoints> {
    let authorization_url = confidential(reader, &AUTHORIZATION_URL);
    let token_url = confidential(reader, &TOKEN_URL);
    let userinfo_url = confidential(reader, &USERINFO_URL);
    let revocation_url = confidential(reader, &REVOCATION_URL);
    Some(Endpoints {
        authorization_url: authorization_url?.url,
        token_url: token_url?.url,
        userinfo_url: userinfo_url?.url,
        revocation_url: revocation_url.map(|address| address.url),
    })
}

/// Every preset has what it needs and nothing that it would ignore.
fn validate_preset(reader: &mut Reader<'_>, preset: Preset) {
    let needed: &[&dyn Declared] = match preset {
        Preset::GitHub => &[],
        Preset::OpenId => &[&ISSUER],
        Preset::OAuth => &[&AUTHORIZATION_URL, &TOKEN_URL, &USERINFO_URL, &USER_ID],
    };
    for setting in needed {
        if !reader.is_set(*setting) {
            reader.missing(*setting, format!("It is required with the preset {}.", preset.as_str()));
        }
    }
    for (setting, presets) in MEANT_FOR {
        if reader.is_set(setting) && !presets.contains(&preset) {
            let meant: Vec<_> = presets.iter().map(|preset| preset.as_str()).collect();
            reader.problem(
                setting,
                format!("It means nothing with the preset {}, only with {}.", preset.as_str(), meant.join(" and ")),
                "Remove it, or set preset to what the provider is.",
            );
        }
    }
    if preset == Preset::GitHub && reader.is_set(&API_URL) && !reader.is_set(&WEB_URL) {
        reader.missing(&WEB_URL, "It is required, because api_url is set: people would sign in at one server and tokens go to another.");
    }
}

/// The client can show who it is.
fn validate_client(reader: &mut Reader<'_>, preset: Preset, client_auth: Option<ClientAuth>) {
    let has_secret = reader.is_set(&CLIENT_SECRET);
    match client_auth {
        Some(ClientAuth::None) if has_secret => {
            reader.problem(&CLIENT_SECRET, "It is set, and client_auth is \"none\".", "Remove one of the two.");
        }
        Some(ClientAuth::None) if preset == Preset::GitHub => {
            reader.problem(&CLIENT_AUTH, "GitHub exchanges no code without a secret.", "Remove it, and set client_secret.");
        }
        Some(ClientAuth::None) => {}
        _ if !has_secret => {
            reader.missing(&CLIENT_SECRET, "It is required, unless client_auth is \"none\".");
        }
        _ => {}
    }
}

/// The authorization request will be a correct one.
fn validate_request(reader: &mut Reader<'_>, preset: Preset, scopes: Option<&[String]>, params: &BTreeMap<String, String>) {
    if let Some(scopes) = scopes {
        if preset == Preset::OpenId && !scopes.iter().any(|scope| scope == "openid") {
            reader.problem(&SCOPES, "“openid” is missing, so the provider would not say who the user is.", "Add \"openid\".");
        }
        // RFC 6749 §3.3: printable ASCII without space, quotation mark and backslash.
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        for scope in scopes.iter().filter(|scope| !scope.bytes().all(allowed)) {
            reader.problem(
                &SCOPES,
                format!("“{scope}” is not a scope."),
                "Write each scope as an item of its own, without blanks or quotes.",
            );
        }
    }
    for name in params.keys().filter(|name| OWN_PARAMETERS.contains(&name.as_str())) {
        reader.problem(
            &AUTHORIZATION_PARAMS,
            format!("“{name}” is a parameter that the sign-in sets itself."),
            format!("Remove {name}; scopes have a setting of their own."),
        );
    }
}

fn warn(reader: &mut Reader<'_>, preset: Preset, pkce: Option<bool>, nonce: Option<bool>, iss_policy: Option<IssPolicy>) {
    if pkce == Some(false) {
        reader.warn(&PKCE, "PKCE is off, so a stolen code is protected by the client secret and the state alone.");
    }
    if nonce == Some(false) && preset == Preset::OpenId {
        reader.warn(&NONCE, "the nonce is off, so an ID token is not tied to the sign-in that asked for it.");
    }
    if iss_policy == Some(IssPolicy::Ignore) {
        reader.warn(&ISS_POLICY, "answers without iss are accepted even where the provider promises to send it.");
    }
}
