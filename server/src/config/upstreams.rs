//! `[upstreams.<name>]`: the APIs that the app calls with the user's token.

use super::reader::Reader;
use super::schema::Section;
use super::setting::{Declared, Setting};
use super::value::WebAddress;
use std::time::Duration;
use url::Url;

static URL: Setting<WebAddress> = Setting::required("url", "Where the API is. `/api/v1/proxy/<name>/…` leads to the same path below it.")
    .example("https://api.example.com/v1");
static METHODS: Setting<Vec<String>> =
    Setting::optional("methods", "The methods that are passed on.").default_in_words("all").example("GET POST");
static TIMEOUT: Setting<Duration> = Setting::optional("timeout", "How long the API may take until its answer begins.").default("30s");
static PROVIDERS: Setting<Vec<String>> = Setting::optional(
    "providers",
    "The ids of the providers whose users' tokens may go there. A token of one provider is no business of another's API.",
)
.default_in_words("the provider, when there is only one; otherwise it is required")
.example("example");
static ACR_VALUES: Setting<Vec<String>> = Setting::optional(
    "acr_values",
    "How strongly the user must have been authenticated to call this API, in the provider's words, any of them: otherwise the call is \
     answered with what is missing, and the app can ask the person to sign in again (RFC 9470). Only for providers that issue ID tokens; where \
     the provider has `acr_values` of its own, name some of those.",
)
.example("phr phrh");
static MAX_AUTHENTICATION_AGE: Setting<Duration> = Setting::optional(
    "max_authentication_age",
    "How long ago the user may have been authenticated to call this API; the same happens then.",
)
.example("15m");
static DANGEROUS_ALLOW_HTTP: Setting<bool> = Setting::optional(
    "dangerous_allow_http",
    "Whether tokens may go to another machine over http, where anybody in between can read and use them. A warning is logged.",
)
.default("false");

pub(super) static SECTION: Section = Section {
    name: "upstreams",
    element: Some("example"),
    doc: "The APIs that the app calls through `/api/v1/proxy/<name>/…`; the server attaches the user's access token.",
    settings: &[&URL, &METHODS, &TIMEOUT, &PROVIDERS, &ACR_VALUES, &MAX_AUTHENTICATION_AGE, &DANGEROUS_ALLOW_HTTP],
};

/// An API behind the proxy.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// Its name in addresses.
    pub name: String,
    /// Where it is; http or https, without query and fragment.
    pub url: Url,
    /// The methods that are passed on, if they are limited.
    pub methods: Option<Vec<String>>,
    /// How long it may take until its answer begins.
    pub timeout: Duration,
    /// The providers whose tokens may go there; `None` exactly when there is only one provider.
    pub providers: Option<Vec<String>>,
    /// How strongly the user must have been authenticated; any of them will do, and any at all when there are none.
    pub acr_values: Vec<String>,
    /// How long ago the user may have been authenticated, if that is limited.
    pub max_authentication_age: Option<Duration>,
}

/// A provider, as far as upstreams depend on it.
#[derive(Clone, Copy)]
pub(super) struct KnownProvider<'a> {
    /// Its id.
    pub(super) id: &'a str,
    /// Whether its ID tokens say how strongly and when its users were authenticated.
    pub(super) is_openid: bool,
}

impl UpstreamConfig {
    /// Reads the table of the upstream `name`; `known_providers` are all providers.
    pub(super) fn read(reader: &mut Reader<'_>, name: &str, known_providers: &[KnownProvider<'_>]) -> Option<Self> {
        let url = reader.required(&URL);
        let methods = reader.optional(&METHODS);
        let timeout = reader.optional(&TIMEOUT);
        let providers = reader.optional(&PROVIDERS);
        let allow_http = reader.optional(&DANGEROUS_ALLOW_HTTP);
        validate_url(reader, url.as_ref(), allow_http == Some(true));
        validate_methods(reader, methods.as_deref());
        if timeout.is_some_and(|timeout| timeout.is_zero()) {
            reader.problem(&TIMEOUT, "No API answers in no time.", "Write a duration above zero, such as \"30s\".");
        }
        let acr_values = reader.optional(&ACR_VALUES).unwrap_or_default();
        let max_authentication_age = reader.optional(&MAX_AUTHENTICATION_AGE);
        let known: Vec<_> = known_providers.iter().map(|provider| provider.id).collect();
        validate_providers(reader, providers.as_deref(), &known);
        validate_step_up(reader, &acr_values, max_authentication_age, providers.as_deref(), known_providers);
        Some(Self { name: name.to_owned(), url: url?.url, methods, timeout: timeout?, providers, acr_values, max_authentication_age })
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
fn validate_step_up(
    reader: &mut Reader<'_>,
    acr_values: &[String],
    max_age: Option<Duration>,
    providers: Option<&[String]>,
    known: &[KnownProvider<'_>],
) {
    if reader.is_set(&ACR_VALUES) && acr_values.is_empty() {
        reader.problem(&ACR_VALUES, "The list is empty, so it demands nothing.", "Name some, or leave it out.");
    }
    if max_age.is_some_and(|age| age.is_zero()) {
        let problem = "Whoever signs in again would be too late at once.";
        reader.problem(&MAX_AUTHENTICATION_AGE, problem, "Write a duration above zero, such as \"5m\".");
    }
    let demand: &dyn Declared = match (acr_values, max_age) {
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
