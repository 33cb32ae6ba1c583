//! Providers that are known by name, and the two general kinds.
//!
//! What is known about each is data, in one place: the constants of [`catalogue`], where each fact says where it comes from. Here
//! is what makes a [`Provider`] of them.

use std::time::Duration;

use url::Url;

use crate::access;
use crate::authorize::{AuthorizationOptions, Prompt};
use crate::provider::{
    ClientAuth, DpopPolicy, Endpoints, IssPolicy, IssuerRule, ParPolicy, Provider, ProviderKind, ResponseMode, RevocationStyle,
    SignedUserInfo, UserMapping,
};
use crate::secret::ClientSecret;

pub mod catalogue;

pub use catalogue::{
    ALL, APPLE, AUTH0, DISCORD, ENTRA, FACEBOOK, GITHUB, GITLAB, GOOGLE, KEYCLOAK, LINKEDIN, OAUTH, OKTA, OPENID, SLACK, X,
};

/// What is known about a provider before anybody registers an app there.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a quirk of its own, and they combine freely")]
pub struct Preset {
    /// The word for it in a configuration, such as `google`.
    pub id: &'static str,
    /// The name shown to people.
    pub name: &'static str,
    /// The icon's name.
    pub icon: &'static str,
    /// Where it is.
    pub location: Location,
    /// How the client proves who it is, when it has a secret.
    pub client_auth: ClientAuth,
    /// The scopes to ask for.
    pub scopes: &'static [&'static str],
    /// What separates the scopes in token responses.
    pub scope_separator_response: char,
    /// What to do about the `iss` of the authorization response.
    pub iss_policy: IssPolicy,
    /// Whether to send a PKCE challenge.
    pub pkce: bool,
    /// Whether to send a nonce and demand it back.
    pub nonce: bool,
    /// How the authorization response comes back.
    pub response_mode: ResponseMode,
    /// More parameters of the authorization request.
    pub extra_authorization_params: &'static [(&'static str, &'static str)],
    /// How long an access token lives when the provider does not say.
    pub default_token_lifetime: Option<Duration>,
    /// What is odd about the issuer of its metadata and tokens.
    pub issuer_oddity: IssuerOddity,
    /// Where in the user's description each thing is.
    pub user: Places,
    /// The member with the user's groups, where the provider says them.
    pub groups: Option<&'static str>,
    /// The member with the user's roles, where the provider says them.
    pub roles: Option<&'static str>,
    /// What has the provider offer another account.
    pub another_account: Prompt,
    /// Whether the user endpoint is asked, where there is one.
    pub userinfo: bool,
    /// Whether the user endpoint answers status 200 with `ok: false` when it refuses.
    pub error_in_userinfo: bool,
    /// How a token is taken back.
    pub revocation: RevocationStyle,
    /// Whether signing out here signs out at the provider too, where it offers that.
    pub end_session: bool,
    /// The host of its users' pictures, where that is one and known.
    pub avatar_host: Option<&'static str>,
}

/// Where a provider is.
#[derive(Clone, Copy, Debug)]
pub enum Location {
    /// At an issuer, from which everything else is discovered. Names in braces stand for what the configuration says.
    Issuer(&'static str),
    /// At endpoints that its documentation names, on hosts that an installation of one's own may replace.
    Hosts(&'static Paths),
    /// Wherever the configuration says, endpoint by endpoint.
    Configured,
}

/// The endpoints of a provider without metadata.
#[derive(Clone, Copy, Debug)]
pub struct Paths {
    /// The base address of the pages that people see.
    pub web: &'static str,
    /// The base address of the API.
    pub api: &'static str,
    /// The authorization endpoint.
    pub authorization: Address,
    /// The token endpoint.
    pub token: Address,
    /// Where the user is described.
    pub userinfo: Address,
    /// Where the user's e-mail addresses are, when not with the user.
    pub emails: Option<Address>,
    /// Where it says in which organisations the user is.
    pub organizations: Option<Address>,
    /// Where it says in which teams the user is.
    pub teams: Option<Address>,
    /// Where tokens are taken back.
    pub revocation: Option<Address>,
    /// The `iss` of its authorization responses.
    pub expected_iss: Option<Address>,
}

/// A path, and below which of the two base addresses it is. `{client_id}` in it stands for the client's.
#[derive(Clone, Copy, Debug)]
pub enum Address {
    /// Below the pages.
    Web(&'static str),
    /// Below the API.
    Api(&'static str),
}

/// What is odd about the issuer of a provider's metadata and tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuerOddity {
    /// Nothing: it is the configured one.
    None,
    /// ID tokens may name it without its scheme.
    WithoutScheme,
    /// Where many tenants share an address, its metadata holds a placeholder, and each token names its own tenant.
    SharedByTenants,
}

/// Where in the user's description each thing is, as in a [`UserMapping`].
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The stable identifier.
    pub id: &'static str,
    /// The name to greet the user by.
    pub name: Option<&'static str>,
    /// The login name.
    pub login: Option<&'static str>,
    /// The e-mail address.
    pub email: Option<&'static str>,
    /// Whether the address is verified.
    pub email_verified: Option<&'static str>,
    /// The address of the user's picture.
    pub picture: Option<&'static str>,
}

impl Places {
    /// The [standard claims](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims) of OpenID Connect.
    pub const OPENID: Self = Self {
        id: "sub",
        name: Some("name"),
        login: Some("preferred_username"),
        email: Some("email"),
        email_verified: Some("email_verified"),
        picture: Some("picture"),
    };

    fn mapping(self) -> UserMapping {
        let owned = |place: Option<&str>| place.map(str::to_owned);
        UserMapping {
            id: self.id.to_owned(),
            name: owned(self.name),
            login: owned(self.login),
            email: owned(self.email),
            email_verified: owned(self.email_verified),
            picture: owned(self.picture),
        }
    }
}

/// The base addresses of a provider whose endpoints are known: the public ones, an installation of one's own, or a stand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// The base address of the web pages, such as `https://github.com/`.
    pub web: Url,
    /// The base address of the API, such as `https://api.github.com/` or `https://github.example/api/v3/`.
    pub api: Url,
}

impl Preset {
    /// The preset of this name.
    pub fn named(id: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|preset| preset.id == id)
    }

    /// The issuer, with what the configuration says in place of the names in braces; `None` when it does not say all of them, or
    /// when the provider has no issuer.
    pub fn issuer(&self, values: &[(&str, &str)]) -> Option<String> {
        let Location::Issuer(template) = self.location else { return None };
        let issuer = values.iter().fold(template.to_owned(), |issuer, (name, value)| issuer.replace(&format!("{{{name}}}"), value));
        Some(issuer).filter(|issuer| !issuer.is_empty() && !issuer.contains('{'))
    }

    /// The public base addresses of a provider whose endpoints are known.
    pub fn hosts(&self) -> Option<Hosts> {
        let Location::Hosts(paths) = self.location else { return None };
        Some(Hosts { web: Url::parse(paths.web).ok()?, api: Url::parse(paths.api).ok()? })
    }

    /// The provider at its issuer. Without a secret, a client that would need one is a public client.
    pub fn at_issuer(&self, issuer: &str, client_id: &str, client_secret: Option<ClientSecret>) -> Provider {
        Provider {
            issuer_rule: self.issuer_rule(issuer),
            ..self.provider(ProviderKind::OpenId { issuer: issuer.to_owned() }, client_id, client_secret)
        }
    }

    /// The provider at these hosts; `None` when it has no endpoints that are known.
    pub fn at_hosts(&self, hosts: &Hosts, client_id: &str, client_secret: Option<ClientSecret>) -> Option<Provider> {
        let Location::Hosts(paths) = self.location else { return None };
        let at = |address: Address| address.below(hosts, client_id);
        let endpoints = Endpoints {
            authorization: at(paths.authorization),
            token: at(paths.token),
            userinfo: Some(at(paths.userinfo)),
            revocation: paths.revocation.map(at),
            end_session: None,
        };
        Some(Provider {
            expected_iss: paths.expected_iss.map(|address| without_slash(&at(address))),
            email_endpoint: paths.emails.map(at),
            organizations_endpoint: paths.organizations.map(at),
            teams_endpoint: paths.teams.map(at),
            ..self.provider(ProviderKind::OAuth { endpoints: Box::new(endpoints) }, client_id, client_secret)
        })
    }

    fn issuer_rule(&self, issuer: &str) -> IssuerRule {
        match self.issuer_oddity {
            IssuerOddity::WithoutScheme => {
                IssuerRule::Alternatives(issuer.split_once("://").map(|(_, rest)| rest.to_owned()).into_iter().collect())
            }
            // The address of a single tenant names that tenant, in its metadata as well.
            IssuerOddity::SharedByTenants if catalogue::SHARED_TENANTS.iter().any(|tenant| issuer.contains(tenant)) => {
                IssuerRule::TenantTemplate
            }
            IssuerOddity::SharedByTenants | IssuerOddity::None => IssuerRule::Exact,
        }
    }

    fn provider(&self, kind: ProviderKind, client_id: &str, client_secret: Option<ClientSecret>) -> Provider {
        let needs_secret = matches!(self.client_auth, ClientAuth::Basic | ClientAuth::Post);
        Provider {
            id: self.id.to_owned(),
            name: self.name.to_owned(),
            icon: self.icon.to_owned(),
            client_id: client_id.to_owned(),
            client_auth: if needs_secret && client_secret.is_none() { ClientAuth::None } else { self.client_auth },
            client_secret,
            signing_key: None,
            apple_team_id: None,
            kind,
            scopes: self.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            scope_separator_response: self.scope_separator_response,
            iss_policy: self.iss_policy,
            expected_iss: None,
            pkce: self.pkce,
            nonce: self.nonce,
            par: ParPolicy::Auto,
            request_object: false,
            response_mode: self.response_mode,
            dpop: DpopPolicy::Off,
            defaults: AuthorizationOptions::default(),
            extra_authorization_params: owned_pairs(self.extra_authorization_params),
            default_token_lifetime: self.default_token_lifetime,
            id_token_algorithms: Vec::new(),
            issuer_rule: IssuerRule::Exact,
            required_claims: Vec::new(),
            access: access::Rule::default(),
            trusted_audiences: Vec::new(),
            dangerous_allow_internal_endpoints: false,
            user_mapping: self.user.mapping(),
            userinfo: self.userinfo,
            userinfo_signed: SignedUserInfo::Allow,
            error_in_userinfo: self.error_in_userinfo,
            email_endpoint: None,
            organizations_endpoint: None,
            teams_endpoint: None,
            facts: access::Places {
                groups: self.groups.map(str::to_owned),
                roles: self.roles.map(str::to_owned),
                ..access::Places::default()
            },
            another_account: self.another_account,
            revocation: self.revocation,
            end_session: self.end_session,
            extra_request_headers: vec![user_agent()],
            form_encoded_token_response: false,
        }
    }
}

impl Address {
    /// The address below its base; a query of its own is kept.
    fn below(self, hosts: &Hosts, client_id: &str) -> Url {
        let (base, path) = match self {
            Self::Web(path) => (&hosts.web, path),
            Self::Api(path) => (&hosts.api, path),
        };
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut address = base.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/').map(|segment| if segment == "{client_id}" { client_id } else { segment }));
        }
        address.set_query(query);
        address
    }
}

/// Any OpenID provider, by its issuer. Without a secret it is a public client.
pub fn openid(id: &str, name: &str, issuer: &str, client_id: &str, client_secret: Option<ClientSecret>) -> Provider {
    Provider { id: id.to_owned(), name: name.to_owned(), ..OPENID.at_issuer(issuer, client_id, client_secret) }
}

/// github.com.
///
/// # Errors
/// None in practice: the addresses are constants, but parsing them is fallible.
pub fn github(client_id: &str, client_secret: ClientSecret) -> Result<Provider, url::ParseError> {
    let provider = GITHUB.hosts().and_then(|hosts| GITHUB.at_hosts(&hosts, client_id, Some(client_secret)));
    provider.ok_or(url::ParseError::RelativeUrlWithoutBase)
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
    let kind = ProviderKind::OAuth { endpoints: Box::new(endpoints) };
    Provider { id: id.to_owned(), name: name.to_owned(), user_mapping, ..OAUTH.provider(kind, client_id, client_secret) }
}

/// Any OAuth 2.0 provider with metadata ([RFC 8414](https://www.rfc-editor.org/rfc/rfc8414)), by its issuer and a user mapping.
/// Where users are described, such metadata does not say.
pub fn oauth_discovered(
    id: &str,
    name: &str,
    issuer: &str,
    userinfo: Option<Url>,
    user_mapping: UserMapping,
    client_id: &str,
    client_secret: Option<ClientSecret>,
) -> Provider {
    let kind = ProviderKind::OAuthDiscovered { issuer: issuer.to_owned(), userinfo };
    Provider { id: id.to_owned(), name: name.to_owned(), user_mapping, ..OAUTH.provider(kind, client_id, client_secret) }
}

/// Some providers refuse requests without one, and it tells their operators whom to ask.
fn user_agent() -> (&'static str, String) {
    ("user-agent", concat!("oauth2flow/", env!("CARGO_PKG_VERSION")).to_owned())
}

fn owned_pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// An issuer is compared as text, and those of known providers have no slash at the end; a `Url` without a path has one.
fn without_slash(address: &Url) -> String {
    address.as_str().trim_end_matches('/').to_owned()
}
