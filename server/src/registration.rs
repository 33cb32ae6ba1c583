//! From the configuration to the providers that the protocol knows.

use crate::config::{self, Config, Preset, ProviderConfig};
use anyhow::{Context as _, bail};
use oauth2flow_protocol::{
    ClientSecret, Provider,
    preset::{self, GitHubHosts},
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
    config.providers.iter().map(|provider| one(provider).with_context(|| format!("providers.{}", provider.id))).collect()
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
    let secret = config.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
    let name = config.name.clone().unwrap_or_else(|| display_name(config));
    let mut provider = match config.preset {
        Preset::GitHub => github(config, secret.context("client_secret is missing")?)?,
        Preset::OpenId => {
            let issuer = config.issuer.as_deref().context("issuer is missing")?;
            preset::openid(&config.id, &name, issuer, &config.client_id, secret)
        }
        Preset::OAuth => {
            let endpoints = config.endpoints.as_ref().context("the endpoints are missing")?;
            let endpoints = Endpoints {
                authorization: endpoints.authorization_url.clone(),
                token: endpoints.token_url.clone(),
                userinfo: Some(endpoints.userinfo_url.clone()),
                revocation: endpoints.revocation_url.clone(),
                end_session: None,
            };
            let id = config.user.id.as_deref().context("user.id is missing")?;
            let mapping = UserMapping { id: member(id), name: None, login: None, email: None, email_verified: None, picture: None };
            preset::oauth(&config.id, &name, endpoints, mapping, &config.client_id, secret)
        }
    };
    provider.id.clone_from(&config.id);
    provider.name = name;
    if let Some(icon) = &config.icon {
        provider.icon.clone_from(icon);
    }
    if let Some(scopes) = &config.scopes {
        provider.scopes.clone_from(scopes);
    }
    if let Some(client_auth) = config.client_auth {
        provider.client_auth = match client_auth {
            config::ClientAuth::Basic => ClientAuth::Basic,
            config::ClientAuth::Post => ClientAuth::Post,
            config::ClientAuth::None => ClientAuth::None,
        };
    }
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
    provider.pkce = config.pkce;
    provider.nonce = config.nonce;
    provider.extra_authorization_params.extend(config.authorization_params.iter().map(|(name, value)| (name.clone(), value.clone())));
    map_user(&mut provider.user_mapping, &config.user);
    let problems = provider.problems();
    if !problems.is_empty() {
        bail!(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
    }
    Ok(provider)
}

fn github(config: &ProviderConfig, secret: ClientSecret) -> anyhow::Result<Provider> {
    let Some(web) = &config.web_url else { return Ok(preset::github(&config.client_id, secret)?) };
    let api = config.api_url.clone().unwrap_or_else(|| format!("{web}/api/v3"));
    // A base address that does not end in a slash would lose its last segment when a path is joined to it.
    let base = |text: &str| Url::parse(&format!("{}/", text.trim_end_matches('/')));
    Ok(preset::github_at(&GitHubHosts { web: base(web)?, api: base(&api)? }, &config.client_id, secret)?)
}

fn display_name(config: &ProviderConfig) -> String {
    if config.preset == Preset::GitHub && config.id == "github" {
        return "GitHub".to_owned();
    }
    let mut characters = config.id.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn map_user(mapping: &mut UserMapping, config: &config::UserMapping) {
    if let Some(id) = &config.id {
        mapping.id = member(id);
    }
    for (target, source) in [
        (&mut mapping.name, &config.name),
        (&mut mapping.login, &config.login),
        (&mut mapping.email, &config.email),
        (&mut mapping.email_verified, &config.email_verified),
        (&mut mapping.picture, &config.picture),
    ] {
        if let Some(source) = source {
            *target = Some(member(source));
        }
    }
}

/// A dotted path as the JSON pointer that the protocol reads. What begins with a slash is one already, for members whose
/// names have dots.
fn member(path: &str) -> String {
    if path.contains('.') && !path.starts_with('/') {
        format!("/{}", path.replace('~', "~0").replace('/', "~1").replace('.', "/"))
    } else {
        path.to_owned()
    }
}
