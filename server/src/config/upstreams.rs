//! `[upstreams.<name>]`: the APIs that the app calls with the user's token.

mod header_rules;
mod path_pattern;
mod settings;

pub use header_rules::HeaderRules;
pub use path_pattern::PathPattern;
pub use settings::HttpVersion;
pub(super) use settings::SECTION;

use super::access::{self, Provable};
use super::outbound::read_root_certificates;
use super::providers::{ClientCertificate, read_client_certificate, validate_resources};
use super::reader::Reader;
use super::setting::Declared;
use super::value::{ByteSize, WebAddress};
use oauth2flow_protocol::{access::Rule, step_up::Requirements};
use settings::{
    ACR_VALUES, AUDIENCE, CLIENT_CERTIFICATE, CLIENT_CERTIFICATE_KEY, DANGEROUS_ALLOW_HTTP, FORWARD_CLIENT, FORWARD_USER, HTTP_VERSION,
    IDLE_TIMEOUT, MAX_AUTHENTICATION_AGE, MAX_BODY, MAX_CONCURRENT, METHODS, PATHS, POOL_IDLE, PROVIDERS, RESOURCE, ROOT_CERTIFICATES_FILE,
    SCOPES, TIMEOUT, TOKEN_EXCHANGE, URL,
};
use std::time::Duration;
use url::Url;

/// An API behind the proxy.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// Its name in addresses.
    pub name: String,
    /// Where it is; http or https, without query and fragment.
    pub url: Url,
    /// The paths below it that are passed on, if they are limited.
    pub paths: Option<Vec<PathPattern>>,
    /// The methods that are passed on, if they are limited.
    pub methods: Option<Vec<String>>,
    /// The providers whose tokens may go there; `None` exactly when there is only one provider.
    pub providers: Option<Vec<String>>,
    /// What the user's login must have been like.
    pub requirements: Requirements,
    /// What the user's token is exchanged for, if it is.
    pub exchange: Option<TokenExchange>,
    /// How long it may take for the next piece of a body, and then until its answer begins.
    pub timeout: Duration,
    /// How long a body may pause, and a WebSocket be silent.
    pub idle_timeout: Duration,
    /// How large the body of a call may be, if that is limited.
    pub max_body_bytes: Option<u64>,
    /// How many calls there may be at a time, if that is limited.
    pub max_concurrent: Option<usize>,
    /// What is spoken to it.
    pub http_version: HttpVersion,
    /// How long an idle connection is kept.
    pub pool_idle: Duration,
    /// The header fields that are added and taken away.
    pub headers: HeaderRules,
    /// Whether it is told who the user is.
    pub forward_user: bool,
    /// Whether it is told where the call comes from.
    pub forward_client: bool,
    /// Certificates of authorities to trust for it alone, in DER.
    pub root_certificates: Vec<Vec<u8>>,
    /// The certificate that it wants to see.
    pub client_certificate: Option<ClientCertificate>,
    /// Whose calls are passed on.
    pub access: Rule,
}

/// What a token is exchanged for ([RFC 8693 §2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.1)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenExchange {
    /// Whom the new one is to be for, by the provider's names.
    pub audience: Vec<String>,
    /// The same by addresses.
    pub resource: Vec<String>,
    /// What it is to allow; when empty, what the provider gives.
    pub scopes: Vec<String>,
}

/// A provider, as far as upstreams depend on it.
#[derive(Clone, Copy)]
pub(super) struct KnownProvider<'a> {
    /// Its id.
    pub(super) id: &'a str,
    /// Whether its ID tokens say how strongly and when its users were authenticated.
    pub(super) is_openid: bool,
    /// What rules about its users can be decided by.
    pub(super) provable: Provable,
}

impl UpstreamConfig {
    /// An upstream with nothing but a name and an address set.
    pub fn new(name: impl Into<String>, url: Url) -> Self {
        Self {
            name: name.into(),
            url,
            paths: None,
            methods: None,
            providers: None,
            requirements: Requirements::default(),
            exchange: None,
            timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_mins(5),
            max_body_bytes: None,
            max_concurrent: None,
            http_version: HttpVersion::Auto,
            pool_idle: Duration::from_secs(50),
            headers: HeaderRules::default(),
            forward_user: false,
            forward_client: false,
            root_certificates: Vec::new(),
            client_certificate: None,
            access: Rule::default(),
        }
    }

    /// Whether tokens of this provider may go there.
    pub fn is_for(&self, provider: &str) -> bool {
        self.providers.as_ref().is_none_or(|providers| providers.iter().any(|known| known == provider))
    }

    /// Reads the table of the upstream `name`; `known_providers` are all providers.
    pub(super) fn read(reader: &mut Reader<'_>, name: &str, known_providers: &[KnownProvider<'_>]) -> Option<Self> {
        let url = reader.required(&URL);
        let allow_http = reader.optional(&DANGEROUS_ALLOW_HTTP);
        validate_url(reader, url.as_ref(), allow_http == Some(true));
        let paths = reader.optional(&PATHS);
        let paths = paths.map(|paths| read_paths(reader, &paths));
        let methods = reader.optional(&METHODS);
        validate_methods(reader, methods.as_deref());
        let providers = reader.optional(&PROVIDERS);
        let known: Vec<_> = known_providers.iter().map(|provider| provider.id).collect();
        validate_providers(reader, providers.as_deref(), &known);
        let requirements = Requirements {
            acr_values: reader.optional(&ACR_VALUES).unwrap_or_default(),
            max_age: reader.optional(&MAX_AUTHENTICATION_AGE),
        };
        validate_step_up(reader, &requirements, providers.as_deref(), known_providers);
        let exchange = read_exchange(reader);
        let timeout = reader.optional(&TIMEOUT);
        let idle_timeout = reader.optional(&IDLE_TIMEOUT);
        let max_body_bytes = reader.optional(&MAX_BODY).map(|ByteSize(bytes)| bytes);
        let max_concurrent = reader.optional(&MAX_CONCURRENT);
        let http_version = reader.optional(&HTTP_VERSION);
        let pool_idle = reader.optional(&POOL_IDLE);
        validate_limits(reader, timeout, idle_timeout, max_concurrent);
        let headers = HeaderRules::read(reader);
        let forward_user = reader.optional(&FORWARD_USER);
        let forward_client = reader.optional(&FORWARD_CLIENT);
        let root_certificates = match reader.path(&ROOT_CERTIFICATES_FILE) {
            Some(path) => read_root_certificates(reader, &ROOT_CERTIFICATES_FILE, &path),
            None => (!reader.is_set(&ROOT_CERTIFICATES_FILE)).then(Vec::new),
        };
        let client_certificate = read_client_certificate(reader, &CLIENT_CERTIFICATE, &CLIENT_CERTIFICATE_KEY);
        validate_certificate(reader);
        let access = access::read_rule(reader);
        let is_named = |id: &str| providers.as_ref().is_none_or(|providers| providers.iter().any(|provider| provider == id));
        for provider in known_providers.iter().filter(|provider| is_named(provider.id)) {
            access::validate(reader, &access, provider.id, provider.provable);
        }
        Some(Self {
            name: name.to_owned(),
            url: url?.url,
            paths,
            methods,
            providers,
            requirements,
            exchange,
            timeout: timeout?,
            idle_timeout: idle_timeout?,
            max_body_bytes,
            max_concurrent,
            http_version: http_version?,
            pool_idle: pool_idle?,
            headers,
            forward_user: forward_user?,
            forward_client: forward_client?,
            root_certificates: root_certificates?,
            client_certificate,
            access,
        })
    }
}

fn read_paths(reader: &mut Reader<'_>, paths: &[String]) -> Vec<PathPattern> {
    if paths.is_empty() {
        reader.problem(
            &PATHS,
            "The list is empty, so nothing could be called.",
            "Name some, such as [\"/orders/*\"], or leave it out for all.",
        );
    }
    let mut patterns = Vec::new();
    for path in paths {
        match PathPattern::parse(path) {
            Some(pattern) => patterns.push(pattern),
            None => reader.problem(
                &PATHS,
                format!("“{path}” is not a path that could be called."),
                "Write a path that starts with /, such as /orders, or one with all below it, such as /orders/*; an asterisk stands nowhere else.",
            ),
        }
    }
    patterns
}

fn read_exchange(reader: &mut Reader<'_>) -> Option<TokenExchange> {
    let exchanges = reader.optional(&TOKEN_EXCHANGE);
    let audience = reader.optional(&AUDIENCE).unwrap_or_default();
    let resource = reader.optional(&RESOURCE).unwrap_or_default();
    let scopes = reader.optional(&SCOPES).unwrap_or_default();
    if exchanges == Some(false) {
        let only_then: [&dyn Declared; 3] = [&AUDIENCE, &RESOURCE, &SCOPES];
        for setting in only_then {
            if reader.is_set(setting) {
                let fix = "Set token_exchange = true, if the provider knows it (RFC 8693), or remove it.";
                reader.problem(setting, "It means nothing without token_exchange: the API gets the user's own token.", fix);
            }
        }
        return None;
    }
    validate_resources(reader, &RESOURCE, &resource);
    exchanges?.then_some(TokenExchange { audience, resource, scopes })
}

fn validate_limits(reader: &mut Reader<'_>, timeout: Option<Duration>, idle_timeout: Option<Duration>, max_concurrent: Option<usize>) {
    if timeout.is_some_and(|timeout| timeout.is_zero()) {
        reader.problem(&TIMEOUT, "No API answers in no time.", "Write a duration above zero, such as \"30s\".");
    }
    if idle_timeout.is_some_and(|timeout| timeout.is_zero()) {
        reader.problem(&IDLE_TIMEOUT, "Every answer pauses.", "Write a duration above zero, such as \"5m\".");
    }
    if max_concurrent == Some(0) {
        reader.problem(&MAX_CONCURRENT, "Nothing could be called.", "Write a number above zero, or leave it out.");
    }
}

fn validate_certificate(reader: &mut Reader<'_>) {
    match (reader.is_set(&CLIENT_CERTIFICATE), reader.is_set(&CLIENT_CERTIFICATE_KEY)) {
        (true, false) => reader.missing(&CLIENT_CERTIFICATE_KEY, "It is required, because client_certificate is set."),
        (false, true) => reader.missing(&CLIENT_CERTIFICATE, "It is required, because client_certificate_key is set."),
        (true, true) | (false, false) => {}
    }
}

fn validate_url(reader: &mut Reader<'_>, url: Option<&WebAddress>, allow_http: bool) {
    let Some(address) = url else { return };
    if address.url.query().is_some() {
        reader.problem(&URL, format!("“{}” has a query.", address.text), "Leave out the ? and what follows.");
    }
    if address.is_confidential() {
        return;
    }
    if allow_http {
        reader.warn(&DANGEROUS_ALLOW_HTTP, "tokens go to another machine over http; anybody in between can read and use them.");
    } else {
        reader.problem(
            &URL,
            format!("“{}” is http, and tokens would travel in the open (RFC 6750 §5.3).", address.text),
            "Write https://. On a network where nobody else can listen: dangerous_allow_http = true.",
        );
    }
}

fn validate_methods(reader: &mut Reader<'_>, methods: Option<&[String]>) {
    let Some(methods) = methods else { return };
    if methods.is_empty() {
        reader.problem(
            &METHODS,
            "The list is empty, so nothing could be called.",
            "Name some, such as [\"GET\"], or leave it out for all.",
        );
    }
    for method in methods {
        if !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
            reader.problem(&METHODS, format!("“{method}” is not a method."), "Write methods in capitals, such as GET.");
        } else if matches!(method.as_str(), "CONNECT" | "TRACE") {
            reader.problem(&METHODS, format!("{method} is not a method of an API."), "Remove it.");
        }
    }
}

fn validate_providers(reader: &mut Reader<'_>, providers: Option<&[String]>, known: &[&str]) {
    match providers {
        None if known.len() > 1 && !reader.is_set(&PROVIDERS) => {
            reader.missing(&PROVIDERS, format!("It is required, because there is more than one provider: {}.", known.join(", ")));
        }
        None => {}
        Some([]) => reader.problem(&PROVIDERS, "The list is empty, so nobody could call it.", "Name the providers."),
        Some(providers) => {
            for provider in providers.iter().filter(|provider| !known.contains(&provider.as_str())) {
                let fix = if known.is_empty() { "Configure it.".to_owned() } else { format!("The providers are {}.", known.join(", ")) };
                reader.problem(&PROVIDERS, format!("There is no provider “{provider}”."), fix);
            }
        }
    }
}

/// What the API demands can be shown by somebody who signed in.
fn validate_step_up(reader: &mut Reader<'_>, requirements: &Requirements, providers: Option<&[String]>, known: &[KnownProvider<'_>]) {
    let Requirements { acr_values, max_age } = requirements;
    if reader.is_set(&ACR_VALUES) && acr_values.is_empty() {
        reader.problem(&ACR_VALUES, "The list is empty, so it demands nothing.", "Name some, or leave it out.");
    }
    if max_age.is_some_and(|age| age.is_zero()) {
        let problem = "Whoever signs in again would be too late at once.";
        reader.problem(&MAX_AUTHENTICATION_AGE, problem, "Write a duration above zero, such as \"5m\".");
    }
    let demand: &dyn Declared = match (acr_values.as_slice(), max_age) {
        ([_, ..], _) => &ACR_VALUES,
        ([], Some(_)) => &MAX_AUTHENTICATION_AGE,
        ([], None) => return,
    };
    let is_named = |id: &str| providers.is_none_or(|providers| providers.iter().any(|provider| provider == id));
    for provider in known.iter().filter(|provider| !provider.is_openid && is_named(provider.id)) {
        reader.problem(
            demand,
            format!("The provider “{}” issues no ID tokens, so nobody knows how its users were authenticated.", provider.id),
            "Leave it out of providers, or remove the demand.",
        );
    }
}
