//! What goes together and what does not: no setting is ignored silently.

use super::{
    choices::{ClientAuth, IssPolicy, Metadata, Preset},
    location,
    settings::{
        ACR_VALUES, API_URL, AUTHORIZATION_PARAMS, AUTHORIZATION_URL, BASE_URL, CLAIMS, DOMAIN, EXPECTED_ISS, ID_TOKEN_ALGORITHMS,
        ISS_POLICY, ISSUER, LOGIN_HINT, MAX_AGE, METADATA, NONCE, PAR, PKCE, PROMPT, REALM, REQUEST_OBJECT, REQUIRED_CLAIMS, RESOURCE,
        REVOCATION_URL, SCOPE_SEPARATOR, SCOPES, SIGNED_USERINFO, TEAM_ID, TENANT, TOKEN_URL, UI_LOCALES, USER_EMAIL, USER_EMAIL_VERIFIED,
        USER_ID, USER_LOGIN, USER_NAME, USER_PICTURE, USERINFO_URL, WEB_URL,
    },
};
use crate::config::{reader::Reader, setting::Declared, value::Choice as _};
use oauth2flow_protocol::provider::is_reserved;
use std::collections::BTreeMap;
use url::Url;

/// With what a setting means something.
#[derive(Clone, Copy)]
enum Meaning {
    /// With these presets.
    Only(&'static [Preset]),
    /// With every preset but this.
    Except(Preset),
    /// With providers that issue ID tokens.
    IdTokens,
    /// With providers whose endpoints are discovered.
    Discovered,
    /// With providers whose endpoints are not.
    NotDiscovered,
    /// With an issuer: that of any provider, or one that replaces a known one.
    Issuer,
    /// With providers whose endpoints are known.
    Hosts,
    /// With OAuth 2.0 endpoints that are written here.
    Endpoints,
}

impl Meaning {
    fn includes(self, preset: Preset, has_issuer: bool) -> bool {
        let discovered = preset.is_openid() || preset == Preset::OAuth && has_issuer;
        match self {
            Self::Only(presets) => presets.contains(&preset),
            Self::Except(other) => preset != other,
            Self::IdTokens => preset.is_openid(),
            Self::Discovered => discovered,
            Self::NotDiscovered => !discovered,
            Self::Issuer => preset.is_openid() || preset == Preset::OAuth,
            Self::Hosts => preset.has_hosts(),
            Self::Endpoints => preset == Preset::OAuth && !has_issuer,
        }
    }

    /// The words after “It means nothing with the preset …”.
    fn words(self) -> String {
        match self {
            Self::Only(presets) => format!(", only with {}", and(presets)),
            Self::Except(_) => String::new(),
            Self::IdTokens => ", only with providers that issue ID tokens".to_owned(),
            Self::Discovered => " as it is configured, only with providers that are discovered by an issuer".to_owned(),
            Self::NotDiscovered => {
                " as it is configured, only with providers that are not discovered: otherwise it is the issuer".to_owned()
            }
            Self::Issuer => ", only with providers that are discovered".to_owned(),
            Self::Hosts => {
                let hosts: Vec<_> = Preset::ALL.iter().map(|(_, preset)| *preset).filter(|preset| preset.has_hosts()).collect();
                format!(", only with {}", and(&hosts))
            }
            Self::Endpoints => " as it is configured, only with oauth without an issuer".to_owned(),
        }
    }
}

/// Settings that mean something with some presets only. To ignore them silently would be a trap.
static MEANT_FOR: [(&dyn Declared, Meaning); 30] = [
    (&ISSUER, Meaning::Issuer),
    (&METADATA, Meaning::Only(&[Preset::OpenId, Preset::OAuth])),
    (&TENANT, Meaning::Only(&[Preset::Entra])),
    (&DOMAIN, Meaning::Only(&[Preset::Google, Preset::Auth0, Preset::Okta])),
    (&BASE_URL, Meaning::Only(&[Preset::GitLab, Preset::Keycloak])),
    (&REALM, Meaning::Only(&[Preset::Keycloak])),
    (&TEAM_ID, Meaning::Only(&[Preset::Apple])),
    (&SCOPE_SEPARATOR, Meaning::Only(&[Preset::OAuth])),
    (&NONCE, Meaning::IdTokens),
    (&EXPECTED_ISS, Meaning::NotDiscovered),
    (&PAR, Meaning::Discovered),
    (&REQUEST_OBJECT, Meaning::Discovered),
    (&MAX_AGE, Meaning::IdTokens),
    (&ACR_VALUES, Meaning::IdTokens),
    (&CLAIMS, Meaning::IdTokens),
    (&ID_TOKEN_ALGORITHMS, Meaning::IdTokens),
    (&REQUIRED_CLAIMS, Meaning::IdTokens),
    (&SIGNED_USERINFO, Meaning::IdTokens),
    (&WEB_URL, Meaning::Hosts),
    (&API_URL, Meaning::Hosts),
    (&AUTHORIZATION_URL, Meaning::Endpoints),
    (&TOKEN_URL, Meaning::Endpoints),
    (&USERINFO_URL, Meaning::Only(&[Preset::OAuth])),
    (&REVOCATION_URL, Meaning::Endpoints),
    (&USER_ID, Meaning::Only(&[Preset::OAuth])),
    (&USER_NAME, Meaning::Except(Preset::GitHub)),
    (&USER_LOGIN, Meaning::Except(Preset::GitHub)),
    (&USER_EMAIL, Meaning::Except(Preset::GitHub)),
    (&USER_EMAIL_VERIFIED, Meaning::Except(Preset::GitHub)),
    (&USER_PICTURE, Meaning::Except(Preset::GitHub)),
];

/// Claims of the ID token that are the flow's own.
const OWN_CLAIMS: [&str; 9] = ["iss", "sub", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash"];

/// Parameters that mean nothing unless the ID token is held against them.
const CHECKED_PARAMETERS: [&str; 2] = ["max_age", "acr_values"];

/// Parameters with a setting of their own: what is asked for must not be asked for twice.
static PARAMETERS_WITH_SETTING: [(&str, &dyn Declared); 7] = [
    ("prompt", &PROMPT),
    ("max_age", &MAX_AGE),
    ("acr_values", &ACR_VALUES),
    ("login_hint", &LOGIN_HINT),
    ("ui_locales", &UI_LOCALES),
    ("claims", &CLAIMS),
    ("resource", &RESOURCE),
];

/// What was read, as far as other settings depend on it.
pub(super) struct Read<'a> {
    pub(super) scopes: Option<&'a [String]>,
    pub(super) params: &'a BTreeMap<String, String>,
    pub(super) metadata: Option<Metadata>,
    pub(super) resource: &'a [String],
    pub(super) required_claims: &'a BTreeMap<String, String>,
    pub(super) pkce: Option<bool>,
    pub(super) nonce: Option<bool>,
    pub(super) client_auth: Option<ClientAuth>,
    pub(super) iss_policy: Option<IssPolicy>,
}

/// Checks what is set against the preset and against each other.
pub(super) fn validate(reader: &mut Reader<'_>, preset: Preset, read: &Read<'_>) {
    validate_preset(reader, preset, read.metadata);
    validate_scopes(reader, preset, read.scopes);
    validate_parameters(reader, read);
    validate_claims(reader, preset, read.required_claims);
    if read.client_auth == Some(ClientAuth::None) && read.pkce == Some(false) {
        let fix = "Leave pkce out, or authenticate the client.";
        reader.problem(&PKCE, "A client without a secret has nothing else against stolen codes (RFC 9700 §2.1.1).", fix);
    }
    validate_injection(reader, preset, read);
    if read.iss_policy == Some(IssPolicy::Require) && preset == Preset::OAuth && !reader.is_set(&ISSUER) && !reader.is_set(&EXPECTED_ISS) {
        reader.missing(&EXPECTED_ISS, "It is required, because iss_policy is \"require\".");
    }
    warn(reader, preset, read);
}

/// Every preset has what it needs and nothing that it would ignore.
fn validate_preset(reader: &mut Reader<'_>, preset: Preset, metadata: Option<Metadata>) {
    let has_issuer = reader.is_set(&ISSUER);
    let user_id: Option<&dyn Declared> = if preset == Preset::OAuth { Some(&USER_ID) } else { None };
    for setting in location::needed(preset, has_issuer).into_iter().chain(user_id) {
        if !reader.is_set(setting) {
            reader.missing(setting, format!("It is required with the preset {}.", preset.as_str()));
        }
    }
    for (setting, meaning) in MEANT_FOR {
        if reader.is_set(setting) && !meaning.includes(preset, has_issuer) {
            reader.problem(
                setting,
                format!("It means nothing with the preset {}{}.", preset.as_str(), meaning.words()),
                "Remove it, or set preset to what the provider is.",
            );
        }
    }
    match (preset, metadata) {
        (Preset::OpenId, Some(Metadata::OAuth)) | (Preset::OAuth, Some(Metadata::OpenId)) => {
            let problem = format!("It contradicts the preset {}.", preset.as_str());
            reader.problem(&METADATA, problem, "Remove one of the two.");
        }
        (Preset::OAuth, Some(Metadata::OAuth)) if !has_issuer => {
            reader.missing(&ISSUER, "It is required, because metadata is set.");
        }
        _ => {}
    }
}

fn validate_scopes(reader: &mut Reader<'_>, preset: Preset, scopes: Option<&[String]>) {
    let Some(scopes) = scopes else { return };
    if preset.is_openid() && !scopes.iter().any(|scope| scope == "openid") {
        reader.problem(&SCOPES, "“openid” is missing, so the provider would not say who the user is.", "Add \"openid\".");
    }
    // RFC 6749 §3.3: printable ASCII without space, quotation mark and backslash.
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    for scope in scopes.iter().filter(|scope| !scope.bytes().all(allowed)) {
        let fix = "Write each scope as an item of its own, without blanks or quotes.";
        reader.problem(&SCOPES, format!("“{scope}” is not a scope."), fix);
    }
}

/// RFC 8707 §2 and RFC 8693 §2.1: an absolute URI without a fragment.
pub(in crate::config) fn validate_resources(reader: &mut Reader<'_>, setting: &dyn Declared, resources: &[String]) {
    for resource in resources {
        if !Url::parse(resource).is_ok_and(|url| url.fragment().is_none()) {
            let fix = "Write an absolute address without a fragment, such as https://api.example.com.";
            reader.problem(setting, format!("“{resource}” is not the address of an API."), fix);
        }
    }
}

fn validate_parameters(reader: &mut Reader<'_>, read: &Read<'_>) {
    let is_own = |name: &str| is_reserved(name) && !CHECKED_PARAMETERS.contains(&name);
    for name in read.params.keys().filter(|name| is_own(name)) {
        reader.problem(
            &AUTHORIZATION_PARAMS,
            format!("“{name}” is a parameter that the sign-in sets itself."),
            format!("Remove {name}; scopes have a setting of their own."),
        );
    }
    for (name, setting) in PARAMETERS_WITH_SETTING {
        if !read.params.contains_key(name) {
            continue;
        }
        if CHECKED_PARAMETERS.contains(&name) {
            let problem = format!("“{name}” has a setting of its own, which also checks that the provider has heeded it.");
            reader.problem(&AUTHORIZATION_PARAMS, problem, format!("Move it to {}.", setting.key()));
        } else if reader.is_set(setting) {
            reader.problem(&AUTHORIZATION_PARAMS, format!("“{name}” is in it, and has a setting of its own."), "Keep one of the two.");
        }
    }
    validate_resources(reader, &RESOURCE, read.resource);
}

/// The claims that every sign-in checks by itself, each with a value that no configuration could know.
fn validate_claims(reader: &mut Reader<'_>, preset: Preset, required: &BTreeMap<String, String>) {
    for name in required.keys().filter(|name| OWN_CLAIMS.contains(&name.as_str())) {
        reader.problem(&REQUIRED_CLAIMS, format!("“{name}” is a claim that the sign-in checks itself."), format!("Remove {name}."));
    }
    if preset == Preset::Google && reader.is_set(&DOMAIN) && required.contains_key("hd") {
        reader.problem(&REQUIRED_CLAIMS, "It says what hd must be, and so does domain.", "Remove hd.");
    }
}

/// With neither PKCE nor a nonce nothing ties a code to the sign-in that asked for it: whoever gets hold of one can hand it in with
/// their own. [RFC 9700 §4.5](https://www.rfc-editor.org/rfc/rfc9700#section-4.5)
fn validate_injection(reader: &mut Reader<'_>, preset: Preset, read: &Read<'_>) {
    let data = preset.data();
    let unbound = preset.is_openid() && !read.pkce.unwrap_or(data.pkce) && !read.nonce.unwrap_or(data.nonce);
    if !unbound {
        return;
    }
    if data.pkce || data.nonce {
        let problem = "Neither PKCE nor a nonce is left, so a stolen code could be handed in with somebody else's sign-in (RFC 9700 §4.5).";
        reader.problem(&PKCE, problem, "Leave one of pkce and nonce on.");
    } else {
        reader.warn(
            &PKCE,
            "this provider takes neither PKCE nor a nonce from an ordinary app, so a stolen code could be handed in with somebody else's \
             sign-in; ask it for PKCE, and set pkce = true.",
        );
    }
}

fn warn(reader: &mut Reader<'_>, preset: Preset, read: &Read<'_>) {
    if read.pkce == Some(false) && preset.data().pkce {
        let warning = if preset.is_openid() {
            "PKCE is off, so only the nonce keeps a stolen code from being handed in with somebody else's sign-in."
        } else {
            "PKCE is off, so a stolen code can be handed in with somebody else's sign-in."
        };
        reader.warn(&PKCE, warning);
    }
    if read.nonce == Some(false) && preset.is_openid() && preset.data().nonce {
        reader.warn(&NONCE, "the nonce is off, so an ID token is not tied to the sign-in that asked for it.");
    }
    if read.iss_policy == Some(IssPolicy::Ignore) {
        reader.warn(&ISS_POLICY, "answers without iss are accepted even where the provider promises to send it.");
    }
    if preset == Preset::Slack && read.pkce == Some(true) {
        reader.warn(&PKCE, "Slack makes an app with PKCE a public client for ever; it must be enabled there.");
    }
}

fn and(presets: &[Preset]) -> String {
    let words: Vec<_> = presets.iter().map(|preset| preset.as_str()).collect();
    match words.as_slice() {
        [first @ .., before, last] if !first.is_empty() => format!("{}, {before} and {last}", first.join(", ")),
        words => words.join(" and "),
    }
}
