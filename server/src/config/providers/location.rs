//! Where a provider is: its issuer, its hosts or its endpoints.

use super::{
    choices::Preset,
    settings::{API_URL, AUTHORIZATION_URL, BASE_URL, DOMAIN, ISSUER, REALM, REVOCATION_URL, TENANT, TOKEN_URL, USERINFO_URL, WEB_URL},
};
use crate::config::{
    reader::Reader,
    setting::{Declared, Setting},
    value::WebAddress,
};
use oauth2flow_protocol::preset::Location;
use url::Url;

/// The tenant of all personal Microsoft accounts; their tokens name it in the place of `consumers`.
const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Where `gitlab` is when nothing is said.
const GITLAB: &str = "https://gitlab.com";

/// The endpoints of an OAuth 2.0 provider.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The authorization endpoint.
    pub authorization_url: Url,
    /// The token endpoint.
    pub token_url: Url,
    /// The revocation endpoint.
    pub revocation_url: Option<Url>,
}

/// An address to which codes, secrets and tokens go, or people with their passwords.
pub(super) fn confidential(reader: &mut Reader<'_>, setting: &Setting<WebAddress>) -> Option<WebAddress> {
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

/// The base of other addresses, without a slash at the end.
pub(super) fn base(reader: &mut Reader<'_>, setting: &Setting<WebAddress>) -> Option<String> {
    let address = confidential(reader, setting)?;
    if address.url.query().is_some() {
        reader.problem(setting, format!("“{}” has a query.", address.text), "Leave out the ? and what follows.");
        return None;
    }
    Some(address.text.trim_end_matches('/').to_owned())
}

/// The issuer, as it is written or as it follows from what is written, and the domain.
pub(super) fn issuer(reader: &mut Reader<'_>, preset: Preset) -> (Option<String>, Option<String>) {
    let written = confidential(reader, &ISSUER);
    if written.as_ref().is_some_and(|issuer| issuer.url.query().is_some()) {
        reader.problem(
            &ISSUER,
            "It has a query, and issuers have none (OpenID Connect Discovery §4.1).",
            "Leave out the ? and what follows.",
        );
    }
    let tenant = reader.optional(&TENANT).and_then(|tenant| checked_tenant(reader, tenant));
    let domain = reader.optional(&DOMAIN).and_then(|domain| checked_domain(reader, domain));
    let base_url = base(reader, &BASE_URL);
    let realm = reader.optional(&REALM).and_then(|realm| checked_realm(reader, realm));
    if reader.is_set(&ISSUER) {
        // The parts of a known issuer; Google's domain is none.
        for part in needed(preset, false).into_iter().filter(|part| part.key() != ISSUER.key()) {
            if preset != Preset::OAuth && reader.is_set(part) {
                reader.problem(part, "It is set, and issuer already says where the provider is.", "Remove one of the two.");
            }
        }
        if preset == Preset::GitLab && reader.is_set(&BASE_URL) {
            reader.problem(&BASE_URL, "It is set, and issuer already says where the provider is.", "Remove one of the two.");
        }
        return (written.map(|issuer| issuer.text), domain);
    }
    let base_url = base_url.or_else(|| (preset == Preset::GitLab && !reader.is_set(&BASE_URL)).then(|| GITLAB.to_owned()));
    let parts = [("tenant", &tenant), ("domain", &domain), ("base_url", &base_url), ("realm", &realm)];
    let parts: Vec<_> = parts.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    (preset.data().issuer(&parts), domain)
}

/// What `preset` needs to know where it is. An issuer says it all.
pub(super) fn needed(preset: Preset, has_issuer: bool) -> Vec<&'static dyn Declared> {
    match (preset, has_issuer) {
        (Preset::OpenId, _) => vec![&ISSUER],
        (Preset::OAuth, true) => vec![&USERINFO_URL],
        (Preset::OAuth, false) => vec![&AUTHORIZATION_URL, &TOKEN_URL, &USERINFO_URL],
        (Preset::Entra, false) => vec![&TENANT],
        (Preset::Keycloak, false) => vec![&BASE_URL, &REALM],
        (Preset::Auth0 | Preset::Okta, false) => vec![&DOMAIN],
        _ => Vec::new(),
    }
}

/// The endpoints of a provider without metadata.
pub(super) fn endpoints(reader: &mut Reader<'_>) -> Option<Endpoints> {
    let authorization_url = confidential(reader, &AUTHORIZATION_URL);
    let token_url = confidential(reader, &TOKEN_URL);
    let revocation_url = confidential(reader, &REVOCATION_URL);
    Some(Endpoints {
        authorization_url: authorization_url?.url,
        token_url: token_url?.url,
        revocation_url: revocation_url.map(|address| address.url),
    })
}

/// The hosts that replace those of a provider whose endpoints are known.
pub(super) fn hosts(reader: &mut Reader<'_>, preset: Preset) -> (Option<String>, Option<String>) {
    let (web_url, api_url) = (base(reader, &WEB_URL), base(reader, &API_URL));
    if !matches!(preset.data().location, Location::Hosts(_)) {
        return (web_url, api_url);
    }
    match (reader.is_set(&WEB_URL), reader.is_set(&API_URL)) {
        (false, true) => {
            reader
                .missing(&WEB_URL, "It is required, because api_url is set: people would sign in at one server and tokens go to another.");
        }
        // Enterprise Servers have their API at a fixed path.
        (true, false) if preset != Preset::GitHub => {
            reader
                .missing(&API_URL, "It is required, because web_url is set: people would sign in at one server and tokens go to another.");
        }
        _ => {}
    }
    let api_url = api_url.or_else(|| web_url.as_ref().map(|web_url| format!("{web_url}/api/v3")));
    (web_url, api_url)
}

fn checked_tenant(reader: &mut Reader<'_>, tenant: String) -> Option<String> {
    let is_id = tenant.len() == 36
        && tenant.char_indices().all(
            |(index, character)| {
                if matches!(index, 8 | 13 | 18 | 23) { character == '-' } else { character.is_ascii_hexdigit() }
            },
        );
    match tenant.as_str() {
        "common" | "organizations" => Some(tenant),
        "consumers" => Some(PERSONAL_ACCOUNTS.to_owned()),
        // The issuer of tokens has it in small letters.
        _ if is_id => Some(tenant.to_ascii_lowercase()),
        _ => {
            reader.problem(
                &TENANT,
                format!("“{tenant}” is no directory (tenant) id, and tokens name that, never a domain."),
                "Copy the Directory (tenant) ID from the app registration's overview, or write common, organizations or consumers.",
            );
            None
        }
    }
}

fn checked_domain(reader: &mut Reader<'_>, domain: String) -> Option<String> {
    let is_host = Url::parse(&format!("https://{domain}/"))
        .is_ok_and(|url| url.domain() == Some(domain.as_str()) && url.as_str() == format!("https://{domain}/"));
    if !is_host {
        reader.problem(
            &DOMAIN,
            format!("“{domain}” is not a domain."),
            "Write the name alone, in small letters: without https://, port and path.",
        );
    }
    is_host.then_some(domain)
}

fn checked_realm(reader: &mut Reader<'_>, realm: String) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let fits = realm.bytes().all(allowed) && !matches!(realm.as_str(), "." | "..");
    if !fits {
        reader.problem(
            &REALM,
            format!("“{realm}” cannot stand in an address as it is."),
            "Write the issuer instead, as the realm's endpoint configuration shows it.",
        );
    }
    fits.then_some(realm)
}
