//! The settings of an upstream.

use super::header_rules::HeaderFields;
use crate::config::access;
use crate::config::schema::Section;
use crate::config::setting::Setting;
use crate::config::value::{ByteSize, Pem, WebAddress, choice};
use secrecy::SecretString;
use std::path::PathBuf;
use std::time::Duration;

pub(super) static URL: Setting<WebAddress> =
    Setting::required("url", "Where the API is. `/api/v1/proxy/<name>/…` leads to the same path below it.")
        .example("https://api.example.com/v1");
pub(super) static PATHS: Setting<Vec<String>> = Setting::optional(
    "paths",
    "The paths below the API's address that are passed on, as the browser has to write them: exactly, or with all below it when `/*` is at \
     the end.",
)
.default_in_words("all")
.example("/orders /orders/*");
pub(super) static METHODS: Setting<Vec<String>> =
    Setting::optional("methods", "The methods that are passed on; a WebSocket is opened with GET.")
        .default_in_words("all")
        .example("GET POST");
pub(super) static PROVIDERS: Setting<Vec<String>> = Setting::optional(
    "providers",
    "The ids of the providers whose users' tokens may go there. A token of one provider is no business of another's API.",
)
.default_in_words("the provider, when there is only one; otherwise it is required")
.example("example");
pub(super) static ACR_VALUES: Setting<Vec<String>> = Setting::optional(
    "acr_values",
    "How strongly the user must have been authenticated to call this API, in the provider's words, any of them: otherwise the call is \
     answered with what is missing, and the app can ask the person to sign in again (RFC 9470). Only for providers that issue ID tokens; where \
     the provider has `acr_values` of its own, name some of those.",
)
.example("phr phrh");
pub(super) static MAX_AUTHENTICATION_AGE: Setting<Duration> = Setting::optional(
    "max_authentication_age",
    "How long ago the user may have been authenticated to call this API; the same happens then.",
)
.example("15m");
pub(super) static TOKEN_EXCHANGE: Setting<bool> = Setting::optional(
    "token_exchange",
    "Whether the API gets a token of its own, for which the provider exchanges the user's (RFC 8693), instead of the user's.",
)
.default("false");
pub(super) static AUDIENCE: Setting<Vec<String>> = Setting::optional(
    "audience",
    "Whom that token is to be for, by the names that the provider has for its APIs. Only with `token_exchange`.",
)
.example("orders-api");
pub(super) static RESOURCE: Setting<Vec<String>> = Setting::optional(
    "resource",
    "The same by addresses. Only with `token_exchange`; without it the `resource` of the provider is asked for at the sign-in.",
)
.example("https://api.example.com");
pub(super) static SCOPES: Setting<Vec<String>> = Setting::optional("scopes", "What that token is to allow. Only with `token_exchange`.")
    .default_in_words("what the provider gives for this audience")
    .example("orders:read");
pub(super) static TIMEOUT: Setting<Duration> =
    Setting::optional("timeout", "How long the API may take for the next piece of a call's body, and then until its answer begins.")
        .default("30s");
pub(super) static IDLE_TIMEOUT: Setting<Duration> = Setting::optional(
    "idle_timeout",
    "How long an answer may pause once it has begun, and how long a WebSocket may be silent in both directions.",
)
.default("5m");
pub(super) static MAX_BODY: Setting<ByteSize> =
    Setting::optional("max_body", "How large the body of a call may be.").default_in_words("as large as the API likes").example("10MiB");
pub(super) static MAX_CONCURRENT: Setting<usize> = Setting::optional(
    "max_concurrent",
    "How many calls this server makes to the API at a time, streams and WebSockets included; those above are refused at once.",
)
.default_in_words("no limit of its own")
.example("200");
pub(super) static HTTP_VERSION: Setting<HttpVersion> = Setting::optional(
    "http_version",
    "What is spoken: HTTP/2 where the API offers it over TLS (`auto`), HTTP/1.1, or HTTP/2, which an API on plain http must be known to \
     speak. WebSockets are opened over HTTP/1.1, and not at all with `2`.",
)
.default("auto");
pub(super) static POOL_IDLE: Setting<Duration> = Setting::optional(
    "pool_idle",
    "How long an idle connection to the API is kept for the next call; shorter than the API keeps it, where calls that cannot be repeated \
     must never meet one that is just being closed.",
)
.default("50s");
pub(super) static SET_REQUEST_HEADERS: Setting<HeaderFields> = Setting::optional(
    "set_request_headers",
    "Header fields that every call gets, in the place of what the browser has sent: an API key, for instance. As text, one a line.",
)
.example("X-Api-Key: key")
.secret_or_file();
pub(super) static REMOVE_REQUEST_HEADERS: Setting<Vec<String>> =
    Setting::optional("remove_request_headers", "Header fields of the browser that the API is not to see.").example("Accept-Language");
pub(super) static SET_RESPONSE_HEADERS: Setting<HeaderFields> =
    Setting::optional("set_response_headers", "Header fields that every answer gets, in the place of the API's own.")
        .example("X-Served-By: orders");
pub(super) static REMOVE_RESPONSE_HEADERS: Setting<Vec<String>> =
    Setting::optional("remove_response_headers", "Header fields of the API that the browser is not to see.").example("Server X-Powered-By");
pub(super) static FORWARD_USER: Setting<bool> = Setting::optional(
    "forward_user",
    "Whether the API is told who the user is, in `X-Auth-Request-User`, `-Provider`, `-Email` (a verified one only), `-Name`, `-Login` and \
     `-Groups`, percent-encoded. Nobody else can send these.",
)
.default("false");
pub(super) static FORWARD_CLIENT: Setting<bool> = Setting::optional(
    "forward_client",
    "Whether the API is told where the call comes from, in `X-Forwarded-For`, `-Proto` and `-Host`. What the browser says of it is not \
     passed on.",
)
.default("false");
pub(super) static ROOT_CERTIFICATES_FILE: Setting<PathBuf> = Setting::optional(
    "root_certificates_file",
    "A file with certificates in PEM of authorities to trust for this API alone, beside those of the system and of `outbound`.",
)
.example("certificates/orders.pem");
pub(super) static CLIENT_CERTIFICATE: Setting<Pem> = Setting::optional(
    "client_certificate",
    "The certificate, in PEM and with those that issued it, that the API wants to see. Only together with `client_certificate_key`.",
)
.example("-----BEGIN CERTIFICATE-----")
.or_file();
pub(super) static CLIENT_CERTIFICATE_KEY: Setting<SecretString> =
    Setting::optional("client_certificate_key", "The certificate's private key in PEM (PKCS#8). Only together with `client_certificate`.")
        .example("-----BEGIN PRIVATE KEY-----")
        .secret_or_file();
pub(super) static DANGEROUS_ALLOW_HTTP: Setting<bool> = Setting::optional(
    "dangerous_allow_http",
    "Whether tokens may go to another machine over http, where anybody in between can read and use them. A warning is logged.",
)
.default("false");

pub(in crate::config) static SECTION: Section = Section {
    name: "upstreams",
    element: Some("example"),
    doc: "The APIs that the app calls through `/api/v1/proxy/<name>/…`; the server attaches the user's access token. docs/proxy.md tells more.",
    settings: &[
        &URL,
        &PATHS,
        &METHODS,
        &PROVIDERS,
        &ACR_VALUES,
        &MAX_AUTHENTICATION_AGE,
        &TOKEN_EXCHANGE,
        &AUDIENCE,
        &RESOURCE,
        &SCOPES,
        &TIMEOUT,
        &IDLE_TIMEOUT,
        &MAX_BODY,
        &MAX_CONCURRENT,
        &HTTP_VERSION,
        &POOL_IDLE,
        &SET_REQUEST_HEADERS,
        &REMOVE_REQUEST_HEADERS,
        &SET_RESPONSE_HEADERS,
        &REMOVE_RESPONSE_HEADERS,
        &FORWARD_USER,
        &FORWARD_CLIENT,
        &ROOT_CERTIFICATES_FILE,
        &CLIENT_CERTIFICATE,
        &CLIENT_CERTIFICATE_KEY,
        &DANGEROUS_ALLOW_HTTP,
        &access::ALLOW_EMAILS,
        &access::ALLOW_DOMAINS,
        &access::ALLOW_GROUPS,
        &access::ALLOW_ROLES,
        &access::ALLOW_ORGANIZATIONS,
        &access::ALLOW_TEAMS,
        &access::ALLOW_CLAIMS,
    ],
};

choice! {
    /// What is spoken to an upstream.
    HttpVersion {
        /// HTTP/2 where the upstream offers it over TLS, otherwise HTTP/1.1.
        Auto = "auto",
        /// HTTP/1.1.
        Http1 = "1.1",
        /// HTTP/2; without TLS by prior knowledge ([RFC 9113 §3.3](https://www.rfc-editor.org/rfc/rfc9113#section-3.3)).
        Http2 = "2",
    }
}
