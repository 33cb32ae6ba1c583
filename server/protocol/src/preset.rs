//! Providers that are known by name, and the two general kinds. Each fact says where it comes from.

use url::Url;

use crate::provider::{Endpoints, Provider, UserMapping};
use crate::secret::ClientSecret;

/// Where GitHub is: the public one, an Enterprise Server, or a stand-in on loopback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitHubHosts {
    /// The base address of the web pages, such as `https://github.com/`.
    pub web: Url,
    /// The base address of the API, such as `https://api.github.com/` or `https://github.example/api/v3/`.
    pub api: Url,
}

/// Any OpenID provider, by its issuer. Without a secret it is a public client.
pub fn openid(_id: &str, _name: &str, _issuer: &str, _client_id: &str, _client_secret: Option<ClientSecret>) -> Provider {
    todo!()
}

/// github.com.
///
/// # Errors
/// None in practice: the addresses are constants, but parsing them is fallible.
pub fn github(_client_id: &str, _client_secret: ClientSecret) -> Result<Provider, url::ParseError> {
    todo!()
}

/// GitHub somewhere else: an Enterprise Server or a stand-in.
///
/// # Errors
/// When an endpoint's path cannot be joined to a base address.
pub fn github_at(_hosts: &GitHubHosts, _client_id: &str, _client_secret: ClientSecret) -> Result<Provider, url::ParseError> {
    todo!()
}

/// Any OAuth 2.0 provider, by its endpoints and a user mapping.
pub fn oauth(
    _id: &str,
    _name: &str,
    _endpoints: Endpoints,
    _user_mapping: UserMapping,
    _client_id: &str,
    _client_secret: Option<ClientSecret>,
) -> Provider {
    todo!()
}
