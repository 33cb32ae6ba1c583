//! From the configuration to the providers that the protocol knows.

use crate::config::{self, Config, Preset, ProviderConfig, UpstreamConfig};
use anyhow::{Context as _, bail};
use oauth2flow_protocol::{
    ClientSecret, Provider, access,
    membership::{MEMBERSHIP_SCOPE, has_scope},
    preset::{self, Hosts, Location},
    provider::{ClientAuth, Endpoints, IssPolicy, UserMapping},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// The scopes of the demo provider: who the user is, a refresh token, and the notes.
const DEMO_SCOPES: [&str; 6] = ["openid", "profile", "email", "offline_access", "notes:read", "notes:write"];

/// The configured providers.
///
/// # Errors
/// When the protocol finds a contradiction that the configuration's own checks did not.
pub fn providers(config: &Config) -> anyhow::Result<Vec<Provider>> {
    let one = |provider: &ProviderConfig| {
        let mut registered = one(provider).with_context(|| format!("providers.{}", provider.id))?;
        learn(&mut registered, &config.upstreams);
        Ok(registered)
    };
    config.providers.iter().map(one).collect()
}

/// Has a provider's users asked about what the provider's own rule names, and those of the upstreams that are for them.
pub fn learn(provider: &mut Provider, upstreams: &[UpstreamConfig]) {
    let rules: Vec<_> = upstreams
        .iter()
        .filter(|upstream| upstream.is_for(&provider.id))
        .map(|upstream| &upstream.access)
        .chain([&provider.access])
        .collect();
    let facts = access::Places {
        claims: rules.iter().flat_map(|rule| rule.claims.keys().cloned()).collect(),
        organizations: rules.iter().any(|rule| !rule.organizations.is_empty()),
        teams: rules.iter().any(|rule| !rule.teams.is_empty()),
        ..provider.facts.clone()
    };
    if (facts.organizations || facts.teams) && !has_scope(&provider.scopes) {
        provider.scopes.push(MEMBERSHIP_SCOPE.to_owned());
    }
    provider.facts = facts;
}

/// The demo provider, as its client sees it.
pub fn demo(issuer: &str, client_id: &str, client_secret: &SecretString) -> Provider {
    let secret = ClientSecret::new(client_secret.expose_secret().to_owned());
    let mut provider = preset::openid("demo", "Demo", issuer, client_id, Some(secret));
    "demo".clone_into(&mut provider.icon);
    provider.scopes = DEMO_SCOPES.map(str::to_owned).to_vec();
    provider.iss_policy = IssPolicy::Require;
    provider
}

fn one(config: &ProviderConfig) -> anyhow::Result<Provider> {
    let mut provider = at_its_place(config)?;
    provider.id.clone_from(&config.id);
    provider.name = config.name.clone().unwrap_or_else(|| display_name(config));
    if let Some(icon) = config.icon {
        icon.as_str().clone_into(&mut provider.icon);
    }
    authenticate(&mut provider, config);
    ask(&mut provider, config);
    judge(&mut provider, config);
    let problems = provider.problems();
    if !problems.is_empty() {
        bail!(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    }
    Ok(provider)
}

/// What the preset says, with the addresses that the configuration says.
fn at_its_place(config: &ProviderConfig) -> anyhow::Result<Provider> {
    let (id, client_id, preset) = (&config.id, &config.client_id, config.preset.data());
    let secret = config.credentials.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
    Ok(match preset.location {
        Location::Issuer(_) => preset.at_issuer(config.issuer.as_deref().context("issuer is missing")?, client_id, secret),
        Location::Hosts(_) => {
            let hosts = match (&config.web_url, &config.api_url) {
                (Some(web), Some(api)) => Some(Hosts { web: Url::parse(web)?, api: Url::parse(api)? }),
                _ => preset.hosts(),
            };
            hosts.and_then(|hosts| preset.at_hosts(&hosts, client_id, secret)).context("the hosts are missing")?
        }
        Location::Configured => {
            let place = config.user.id.as_deref().context("user.id is missing")?;
            let mapping =
                UserMapping { id: access::place(place), name: None, login: None, email: None, email_verified: None, picture: None };
            match (&config.issuer, &config.endpoints) {
                (Some(issuer), _) => preset::oauth_discovered(id, id, issuer, config.userinfo_url.clone(), mapping, client_id, secret),
                (None, Some(endpoints)) => {
                    let endpoints = Endpoints {
                        authorization: endpoints.authorization_url.clone(),
                        token: endpoints.token_url.clone(),
                        userinfo: config.userinfo_url.clone(),
                        revocation: endpoints.revocation_url.clone(),
                        end_session: None,
                    };
                    preset::oauth(id, id, endpoints, mapping, client_id, secret)
                }
                (None, None) => bail!("the endpoints are missing"),
            }
        }
    })
}

/// How the client shows who it is.
fn authenticate(provider: &mut Provider, config: &ProviderConfig) {
    let credentials = &config.credentials;
    if let Some(client_auth) = credentials.client_auth {
        provider.client_auth = match client_auth {
            config::ClientAuth::Basic => ClientAuth::Basic,
            config::ClientAuth::Post => ClientAuth::Post,
            config::ClientAuth::PrivateKeyJwt => ClientAuth::PrivateKeyJwt,
            config::ClientAuth::SecretJwt => ClientAuth::SecretJwt,
            config::ClientAuth::TlsClientAuth => ClientAuth::TlsClientAuth,
            config::ClientAuth::SelfSignedTls => ClientAuth::SelfSignedTls,
            config::ClientAuth::None => ClientAuth::None,
        };
    }
    provider.signing_key.clone_from(&credentials.signing_key);
    provider.apple_team_id.clone_from(&credentials.team_id);
}

/// What the authorization request asks for, and how.
fn ask(provider: &mut Provider, config: &ProviderConfig) {
    if let Some(scopes) = &config.scopes {
        provider.scopes.clone_from(scopes);
    }
    provider.pkce = config.pkce.unwrap_or(provider.pkce);
    provider.nonce = config.nonce.unwrap_or(provider.nonce);
    provider.response_mode = config.response_mode.unwrap_or(provider.response_mode);
    provider.par = config.par;
    provider.request_object = config.request_object;
    provider.dpop = config.dpop;
    provider.defaults = config.options.clone();
    // What the configuration says goes over what the preset says.
    provider.extra_authorization_params.retain(|(name, _)| !config.authorization_params.contains_key(name));
    provider.extra_authorization_params.extend(pairs(&config.authorization_params));
    if let Some(domain) = &config.hosted_domain {
        // The parameter only chooses what the page offers, and anybody can take it out of the address: the claim decides.
        // ("OpenID Connect", hd, in Google's documentation.)
        provider.extra_authorization_params.push(("hd".to_owned(), domain.clone()));
        provider.required_claims.push(("hd".to_owned(), domain.clone()));
    }
}

/// What is made of the provider's answers.
fn judge(provider: &mut Provider, config: &ProviderConfig) {
    if let Some(iss_policy) = config.iss_policy {
        provider.iss_policy = match iss_policy {
            config::IssPolicy::Require => IssPolicy::Require,
            config::IssPolicy::Allow => IssPolicy::Allow,
            config::IssPolicy::Ignore => IssPolicy::Ignore,
        };
    }
    if let Some(expected_iss) = &config.expected_iss {
        provider.expected_iss = Some(expected_iss.clone());
    }
    if config.preset == Preset::OAuth {
        provider.scope_separator_response = config.scope_separator.as_char();
    }
    provider.id_token_algorithms.clone_from(&config.id_token_algorithms);
    provider.required_claims.extend(pairs(&config.required_claims));
    provider.userinfo_signed = config.signed_userinfo;
    provider.access = config.access.rule.clone();
    for (target, source) in
        [(&mut provider.facts.groups, &config.access.groups_claim), (&mut provider.facts.roles, &config.access.roles_claim)]
    {
        if source.is_some() {
            target.clone_from(source);
        }
    }
    map_user(&mut provider.user_mapping, &config.user);
}

/// The name on the button, when none is set.
fn display_name(config: &ProviderConfig) -> String {
    if config.id == config.preset.as_str() && !matches!(config.preset, Preset::OpenId | Preset::OAuth) {
        return config.preset.data().name.to_owned();
    }
    let mut characters = config.id.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn pairs(table: &std::collections::BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    table.iter().map(|(name, value)| (name.clone(), value.clone()))
}

fn map_user(mapping: &mut UserMapping, config: &config::UserMapping) {
    if let Some(id) = &config.id {
        mapping.id = access::place(id);
    }
    for (target, source) in [
        (&mut mapping.name, &config.name),
        (&mut mapping.login, &config.login),
        (&mut mapping.email, &config.email),
        (&mut mapping.email_verified, &config.email_verified),
        (&mut mapping.picture, &config.picture),
    ] {
        if let Some(source) = source {
            *target = Some(access::place(source));
        }
    }
}
