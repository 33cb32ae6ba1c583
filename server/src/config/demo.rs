//! `[demo]`: the provider of the one-command run.

use super::public_url::PublicUrl;
use super::reader::Reader;
use super::schema::Section;
use super::setting::Setting;
use std::net::SocketAddr;
use std::time::Duration;

/// The id of the demo provider.
pub(super) const ID: &str = "demo";

static ENABLED: Setting<bool> = Setting::optional(
    "enabled",
    "Whether to start the demo provider. Everybody knows its accounts, so it is only for a public_url on this machine.",
)
.default_in_words("`true` when no provider is configured, otherwise `false`")
.example("true");
static LISTEN: Setting<SocketAddr> =
    Setting::optional("listen", "The loopback address and port on which it listens.").default("127.0.0.1:4000");
static ACCESS_TOKEN_LIFETIME: Setting<Duration> =
    Setting::optional("access_token_lifetime", "How long its access tokens live; short, so that a refresh can be seen.").default("5m");

pub(super) static SECTION: Section = Section {
    name: "demo",
    element: None,
    doc: "A provider for trying things out, with a small notes API. It needs no registration anywhere, and is no place for real users.",
    settings: &[&ENABLED, &LISTEN, &ACCESS_TOKEN_LIFETIME],
};

/// The demo provider.
#[derive(Clone, Debug)]
pub struct DemoConfig {
    /// Whether it runs.
    pub enabled: bool,
    /// The loopback address and port it listens on.
    pub listen: SocketAddr,
    /// The lifetime of its access tokens.
    pub access_token_lifetime: Duration,
}

/// What the demo provider has to get along with.
pub(super) struct Neighbours<'a> {
    pub(super) public_url: Option<&'a PublicUrl>,
    pub(super) server_listen: Option<SocketAddr>,
    pub(super) providers: &'a [&'a str],
}

impl DemoConfig {
    /// Reads the section.
    pub(super) fn read(reader: &mut Reader<'_>, neighbours: &Neighbours<'_>) -> Option<Self> {
        let enabled = if reader.is_set(&ENABLED) { reader.optional(&ENABLED) } else { Some(neighbours.providers.is_empty()) };
        let listen = reader.optional(&LISTEN);
        let access_token_lifetime = reader.optional(&ACCESS_TOKEN_LIFETIME);
        validate(reader, enabled, listen, neighbours);
        if access_token_lifetime.is_some_and(|lifetime| lifetime.as_secs() == 0) {
            reader.problem(&ACCESS_TOKEN_LIFETIME, "It is shorter than a second.", "Write a longer duration, such as \"5m\".");
        }
        Some(Self { enabled: enabled?, listen: listen?, access_token_lifetime: access_token_lifetime? })
    }
}

fn validate(reader: &mut Reader<'_>, enabled: Option<bool>, listen: Option<SocketAddr>, neighbours: &Neighbours<'_>) {
    match enabled {
        Some(true) => {}
        Some(false) if neighbours.providers.is_empty() => {
            reader.problem(
                &ENABLED,
                "It is false, and no provider is configured, so nobody could sign in.",
                "Configure a provider: [providers.<id>], or GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET.",
            );
            return;
        }
        _ => return,
    }
    if let Some(public_url) = neighbours.public_url.filter(|url| !url.is_loopback()) {
        if reader.is_set(&ENABLED) {
            let problem = format!("The demo provider lets everybody in, and {public_url} can be reached from other machines.");
            reader.problem(&ENABLED, problem, "Remove it, and configure a provider.");
        } else {
            let problem = format!("No provider is configured, and the demo provider lets everybody in, so it is not for {public_url}.");
            reader.problem(&ENABLED, problem, "Configure a provider: [providers.<id>], or GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET.");
        }
    }
    if let Some(address) = neighbours.server_listen.filter(|address| !address.ip().is_loopback()) {
        reader.warn(
            &ENABLED,
            &format!("the server listens on {address}, so other machines may reach it, and everybody knows the demo accounts."),
        );
    }
    if neighbours.providers.contains(&ID) {
        reader.problem(
            &ENABLED,
            "A provider is called “demo”, and the demo provider runs under that name.",
            "Rename the provider, or set enabled = false.",
        );
    }
    if let Some(address) = listen.filter(|address| !address.ip().is_loopback()) {
        reader.problem(&LISTEN, format!("{address} can be reached from other machines."), "Choose a port of 127.0.0.1.");
    }
    if listen.is_some_and(|address| address.port() != 0 && Some(address) == neighbours.server_listen) {
        reader.problem(&LISTEN, "The server listens there itself (server.listen).", "Choose another port.");
    }
}
