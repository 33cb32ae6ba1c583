//! Where a provider may send this server.
//!
//! A provider's metadata names endpoints, and so could send this server to its neighbours, with their answers or the time
//! they take to show for it ([RFC 9700 §4.11](https://www.rfc-editor.org/rfc/rfc9700#section-4.11), server-side request forgery).
//! So what is not of the public internet is reached only where the configuration itself put it: the hosts that it names, and
//! addresses of the same kind as theirs. The rule is applied where names become addresses, to the very addresses that are
//! connected to, so that a name cannot point outwards when it is looked at and inwards when it is used.

use super::Names;
use crate::config::{OutboundConfig, ProxyAddress};
use futures_util::future::BoxFuture;
use oauth2flow_protocol::{Provider, address::AddressKind, provider::ProviderKind};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};
use thiserror::Error;
use url::{Host, Url};

/// Why an endpoint is not asked.
#[derive(Clone, Debug, Error)]
pub enum EndpointError {
    /// It leads where the configuration put nothing.
    #[error(
        "{host} leads to a {} address, where the configuration puts nothing of this provider; if that is right, set \
         outbound.dangerous_allow_internal_addresses", kind.as_str()
    )]
    Internal {
        /// The host as the endpoint names it.
        host: String,
        /// Where it leads.
        kind: AddressKind,
    },
    /// The name has no address.
    #[error("the name {host} has no address")]
    Unresolved {
        /// The name.
        host: String,
        /// Why.
        source: Arc<io::Error>,
    },
}

/// Knows where one provider may send this server.
#[derive(Clone)]
pub(super) struct Guard(Arc<Rule>);

struct Rule {
    /// The hosts that the configuration names.
    configured: Vec<Host>,
    /// The hosts of the proxies, which are the company's own.
    proxies: Vec<String>,
    allow_all: bool,
    names: Arc<dyn Names>,
}

impl Guard {
    pub(super) fn new(provider: &Provider, config: &OutboundConfig, names: Arc<dyn Names>) -> Self {
        let proxies = [&config.https_proxy, &config.http_proxy].into_iter().flatten();
        Self(Arc::new(Rule {
            configured: configured_hosts(provider),
            proxies: proxies.filter_map(ProxyAddress::host).map(|host| canonical(host).to_owned()).collect(),
            allow_all: config.dangerous_allow_internal_addresses,
            names,
        }))
    }

    /// Checks what the resolver does not get to see: an address in the place of a name, and a name that is the proxy's.
    pub(super) async fn check(&self, url: &Url) -> Result<(), EndpointError> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.0.check_literal(address.into()).await,
            Some(Host::Ipv6(address)) => self.0.check_literal(address.into()).await,
            Some(Host::Domain(name)) if self.0.proxies.iter().any(|proxy| proxy == canonical(name)) => {
                self.0.addresses(name).await.map(drop)
            }
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }
}

impl Names for Guard {
    fn addresses(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let (rule, name) = (Arc::clone(&self.0), name.to_owned());
        Box::pin(async move {
            let addresses = if rule.proxies.iter().any(|proxy| proxy == canonical(&name)) {
                rule.look_up(&name).await
            } else {
                rule.addresses(&name).await
            };
            addresses.map_err(io::Error::other)
        })
    }
}

impl Rule {
    fn is_configured(&self, host: &Host<&str>) -> bool {
        self.configured.iter().any(|configured| match (configured, host) {
            (Host::Domain(configured), Host::Domain(name)) => canonical(configured) == canonical(name),
            (Host::Ipv4(configured), Host::Ipv4(address)) => configured == address,
            (Host::Ipv6(configured), Host::Ipv6(address)) => configured == address,
            _ => false,
        })
    }

    async fn check_literal(&self, address: IpAddr) -> Result<(), EndpointError> {
        let host = match address {
            IpAddr::V4(address) => Host::Ipv4(address),
            IpAddr::V6(address) => Host::Ipv6(address),
        };
        let kind = AddressKind::of(address);
        if self.allow_all || self.is_configured(&host) || self.allows(kind).await {
            Ok(())
        } else {
            Err(EndpointError::Internal { host: address.to_string(), kind })
        }
    }

    /// The addresses of a name that may be connected to.
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, EndpointError> {
        let all = self.look_up(name).await?;
        if self.allow_all {
            return Ok(all);
        }
        let is_configured = self.is_configured(&Host::Domain(name));
        let mut allowed = Vec::new();
        let mut refused = None;
        for address in all {
            let kind = AddressKind::of(address);
            // The operator has chosen the name, and whoever runs the provider its addresses.
            if is_configured && !is_never_named(kind) || self.allows(kind).await {
                allowed.push(address);
            } else {
                refused = Some(kind);
            }
        }
        match refused {
            Some(kind) if allowed.is_empty() => Err(EndpointError::Internal { host: name.to_owned(), kind }),
            _ => Ok(allowed),
        }
    }

    /// Whether the configuration itself puts the provider at addresses of this kind: all those of one of its hosts are. With one
    /// that is public the host is on the internet, and what else its name leads to is only what its owner says.
    async fn allows(&self, kind: AddressKind) -> bool {
        if kind == AddressKind::Public || is_never_named(kind) {
            return kind == AddressKind::Public;
        }
        for host in &self.configured {
            let addresses = match host {
                Host::Ipv4(address) => vec![IpAddr::V4(*address)],
                Host::Ipv6(address) => vec![IpAddr::V6(*address)],
                Host::Domain(name) => self.look_up(name).await.unwrap_or_default(),
            };
            if !addresses.is_empty() && addresses.into_iter().all(|address| AddressKind::of(address) == kind) {
                return true;
            }
        }
        false
    }

    /// The addresses of a name. Those of this machine's own names are known, whatever DNS may say: `http` is spoken to them.
    /// [RFC 6761 §6.3](https://www.rfc-editor.org/rfc/rfc6761#section-6.3)
    async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, EndpointError> {
        if is_localhost(name) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let unresolved = |error| EndpointError::Unresolved { host: name.to_owned(), source: Arc::new(error) };
        self.names.addresses(name).await.map_err(unresolved)
    }
}

/// The hosts that the configuration names of a provider, whatever it discovers later.
fn configured_hosts(provider: &Provider) -> Vec<Host> {
    let issuer = |issuer: &str| Url::parse(issuer).ok();
    let mut addresses: Vec<Option<Url>> = match &provider.kind {
        ProviderKind::OpenId { issuer: text } => vec![issuer(text)],
        ProviderKind::OAuthDiscovered { issuer: text, userinfo } => vec![issuer(text), userinfo.clone()],
        ProviderKind::OAuth { endpoints } => {
            let optional = [&endpoints.userinfo, &endpoints.revocation, &endpoints.end_session];
            [&endpoints.authorization, &endpoints.token].into_iter().chain(optional.into_iter().flatten()).cloned().map(Some).collect()
        }
    };
    addresses.push(provider.email_endpoint.clone());
    addresses.into_iter().flatten().filter_map(|address| address.host().map(|host| host.to_owned())).collect()
}

/// A name with the dot that may end it taken off.
fn canonical(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether no name may lead there, be it configured or not: where clouds keep their secrets, and where nothing can be.
fn is_never_named(kind: AddressKind) -> bool {
    matches!(kind, AddressKind::LinkLocal | AddressKind::Reserved)
}

fn is_localhost(name: &str) -> bool {
    let name = canonical(name);
    name == "localhost" || name.ends_with(".localhost")
}
