//! Providers that are known by name, and the two general kinds. Each fact says where it comes from.

use url::Url;

use crate::authorize::AuthorizationOptions;
use crate::provider::{
    ClientAuth, DpopPolicy, Endpoints, IssPolicy, IssuerRule, ParPolicy, Provider, ProviderKind, ResponseMode, RevocationStyle, SignedUserInfo,
    UserMapping,
};
use crate::secret::ClientSecret;

/// Where GitHub is: the public one, an Enterprise Server, or a stand-in on loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHubHosts {
    /// The base address of the web pages, such as `https://github.com/`.
    pub web: Url,
    /// The base address of the API, such as `https://api.github.com/` or `https://github.example/api/v3/`.
    pub api: Url,
}

impl GitHubHosts {
    /// github.com.
    ///
    /// # Errors
    /// None in practice: the addresses are constants, but parsing them is fallible.
    pub fn public() -> Result<Self, url::ParseError> {
        Ok(Self { web: Url::parse("https://github.com/")?, api: Url::parse("https://api.github.com/")? })
    }
}

/// Any OpenID provider, by its issuer. Without a secret it is a public client.
pub fn openid(id: &str, name: &str, issuer: &str, client_id: &str, client_secret: Option<ClientSecret>) -> Provider {
    Provider {
        id: id.to_owned(),
        name: name.to_owned(),
        icon: "openid".to_owned(),
        client_id: client_id.to_owned(),
        // The default method when neither side says otherwise: OpenID Connect Core §9.
        client_auth: if client_secret.is_some() { ClientAuth::Basic } else { ClientAuth::None },
        client_secret,
        signing_key: None,
        apple_team_id: None,
        kind: ProviderKind::OpenId { issuer: issuer.to_owned() },
        // Core §5.4: name and picture come with `profile`, the address with `email`.
        scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
        scope_separator_response: ' ',
        iss_policy: IssPolicy::Allow,
        expected_iss: None,
        pkce: true,
        nonce: true,
        par: ParPolicy::Auto,
        request_object: false,
        response_mode: ResponseMode::Query,
        dpop: DpopPolicy::Off,
        defaults: AuthorizationOptions::default(),
        extra_authorization_params: Vec::new(),
        default_token_lifetime: None,
        id_token_algorithms: Vec::new(),
        issuer_rule: IssuerRule::Exact,
        required_claims: Vec::new(),
        trusted_audiences: Vec::new(),
        user_mapping: UserMapping::openid(),
        userinfo_signed: SignedUserInfo::Allow,
        error_in_userinfo: false,
        email_endpoint: None,
        revocation: RevocationStyle::Rfc7009,
        end_session: true,
        extra_request_headers: vec![user_agent()],
        form_encoded_token_response: false,
    }
}

/// github.com.
///
/// # Errors
/// None in practice: the addresses are constants, but parsing them is fallible.
pub fn github(client_id: &str, client_secret: ClientSecret) -> Result<Provider, url::ParseError> {
    github_at(&GitHubHosts::public()?, client_id, client_secret)
}

/// GitHub somewhere else: an Enterprise Server or a stand-in.
///
/// Where nothing else is said, the facts are from "Authorizing OAuth apps" in GitHub's documentation, read in 2026.
///
/// # Errors
/// When an endpoint's path cannot be joined to a base address.
pub fn github_at(hosts: &GitHubHosts, client_id: &str, client_secret: ClientSecret) -> Result<Provider, url::ParseError> {
    let (web, api) = (with_trailing_slash(&hosts.web), with_trailing_slash(&hosts.api));
    let mut revocation = api.clone();
    if let Ok(mut segments) = revocation.path_segments_mut() {
        // "Delete an app token": DELETE /applications/{client_id}/token with Basic authentication. It takes back this
        // token only; /grant would sign the user out of every other browser too.
        segments.pop_if_empty().extend(["applications", client_id, "token"]);
    }
    let endpoints = Endpoints {
        authorization: web.join("login/oauth/authorize")?,
        token: web.join("login/oauth/access_token")?,
        userinfo: Some(api.join("user")?),
        revocation: Some(revocation),
        end_session: None,
    };
    Ok(Provider {
        id: "github".to_owned(),
        name: "GitHub".to_owned(),
        icon: "github".to_owned(),
        client_id: client_id.to_owned(),
        client_secret: Some(client_secret),
        // The documentation shows the secret in the body only.
        client_auth: ClientAuth::Post,
        signing_key: None,
        apple_team_id: None,
        kind: ProviderKind::OAuth { endpoints: Box::new(endpoints) },
        // `user:email` opens /user/emails; the public profile needs no scope, but `read:user` is what GitHub shows as such.
        scopes: ["read:user", "user:email"].map(str::to_owned).to_vec(),
        // Granted scopes come back as "user,gist".
        scope_separator_response: ',',
        // GitHub has sent `iss` since April 2026 (GitHub's changelog); an Enterprise Server of before does not, so it may be missing.
        iss_policy: IssPolicy::Allow,
        expected_iss: Some(web.join("login/oauth")?.to_string()),
        // `code_challenge` with S256 is "strongly recommended"; servers that do not know it ignore it (RFC 6749 §3.1).
        pkce: true,
        // There are no ID tokens.
        nonce: false,
        par: ParPolicy::Auto,
        request_object: false,
        response_mode: ResponseMode::Query,
        dpop: DpopPolicy::Off,
        defaults: AuthorizationOptions::default(),
        extra_authorization_params: Vec::new(),
        // Tokens of OAuth apps do not expire; those of GitHub Apps come with `expires_in` (28800).
        default_token_lifetime: None,
        id_token_algorithms: Vec::new(),
        issuer_rule: IssuerRule::Exact,
        required_claims: Vec::new(),
        trusted_audiences: Vec::new(),
        user_mapping: UserMapping {
            // "Get the authenticated user": the login can be changed and taken over by somebody else, the number cannot.
            id: "id".to_owned(),
            name: Some("name".to_owned()),
            login: Some("login".to_owned()),
            // `email` of /user is the public one and often null; /user/emails says which is primary and verified.
            email: None,
            email_verified: None,
            picture: Some("avatar_url".to_owned()),
        },
        userinfo_signed: SignedUserInfo::Allow,
        error_in_userinfo: false,
        email_endpoint: Some(api.join("user/emails")?),
        revocation: RevocationStyle::GitHub,
        end_session: false,
        // "All API requests must include a valid User-Agent header" (GitHub's REST documentation).
        extra_request_headers: vec![user_agent()],
        // The default answer is form-encoded, but this crate always asks for JSON, which GitHub then sends.
        form_encoded_token_response: false,
    })
}

/// Any OAuth 2.0 provider, by its endpoints and a user mapping.
pub fn oauth(
    id: &str,
    name: &str,
    endpoints: Endpoints,
    user_mapping: UserMapping,
    client_id: &str,
    client_secret: Option<ClientSecret>,
) -> Provider {
    Provider {
        icon: "oauth".to_owned(),
        kind: ProviderKind::OAuth { endpoints: Box::new(endpoints) },
        scopes: Vec::new(),
        nonce: false,
        user_mapping,
        ..openid(id, name, "", client_id, client_secret)
    }
}

/// Some providers refuse requests without one, and it tells their operators whom to ask.
fn user_agent() -> (&'static str, String) {
    ("user-agent", concat!("oauth2flow/", env!("CARGO_PKG_VERSION")).to_owned())
}

/// So that joining a relative path appends to the base instead of replacing its last segment.
fn with_trailing_slash(base: &Url) -> Url {
    let mut base = base.clone();
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    base
}
