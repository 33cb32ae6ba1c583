//! `[server]`: where the app is and what it is made of.

use super::public_url::PublicUrl;
use super::reader::Reader;
use super::schema::Section;
use super::setting::Setting;
use super::value::choice;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

static LISTEN: Setting<SocketAddr> =
    Setting::optional("listen", "The address and port on which the server listens.").default("127.0.0.1:3000");
static PUBLIC_URL: Setting<PublicUrl> = Setting::optional(
    "public_url",
    "The address by which people's browsers know the app, without a path. It is https; http is for localhost, 127.0.0.0/8 and \
     [::1] only. The redirect address to register at a provider is this with `/callback` behind it.",
)
.default_in_words("`http://localhost:<port>` when the server listens on a loopback address; otherwise it is required")
.example("https://app.example.com");
static RENDER: Setting<Render> =
    Setting::optional("render", "Where pages are made: in the browser (`spa`), or first on the server (`ssr`).").default("spa");
static SITE_DIR: Setting<PathBuf> =
    Setting::optional("site_dir", "The directory with the app's script, WebAssembly and styles, as `cargo xtask` makes it.")
        .default_in_words("the files in the binary, which the one of `cargo xtask build` has")
        .example("target/site");
static AVATAR_HOSTS: Setting<Vec<String>> = Setting::optional(
    "avatar_hosts",
    "The hosts from which the users' pictures may be loaded; the content security policy allows no others. `*.` at the start stands \
     for all subdomains.",
)
.default_in_words("those of the known providers that are configured, such as `avatars.githubusercontent.com`")
.example("avatars.example.com");
static DATA_DIR: Setting<PathBuf> =
    Setting::optional("data_dir", "The directory for what the server keeps: the session database and its key.").default("data");
static TRUSTED_PROXIES: Setting<Vec<IpNet>> = Setting::optional(
    "trusted_proxies",
    "The reverse proxies in front of the server: addresses, and networks such as 10.0.0.0/8. What they say of a client's address in \
     `X-Forwarded-For` or `Forwarded` is believed, and nobody else is.",
)
.default_in_words("none: the address of a client is that of its connection")
.example("127.0.0.1 ::1 10.0.0.0/8");
static SHUTDOWN_GRACE: Setting<Duration> =
    Setting::optional("shutdown_grace", "How long requests that are under way may go on after the signal to stop.").default("20s");

pub(super) static SECTION: Section = Section {
    name: "server",
    element: None,
    doc: "Where the app is and what it is made of. Relative paths start at the working directory.",
    settings: &[&LISTEN, &PUBLIC_URL, &RENDER, &SITE_DIR, &AVATAR_HOSTS, &DATA_DIR, &TRUSTED_PROXIES, &SHUTDOWN_GRACE],
};

choice! {
    /// Where pages are made.
    Render {
        /// In the browser, from a static shell.
        Spa = "spa",
        /// On the server first; the browser takes over.
        Ssr = "ssr",
    }
}

/// Where the app is and what it is made of.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The address and port to listen on.
    pub listen: SocketAddr,
    /// The app's origin, as browsers know it.
    pub public_url: PublicUrl,
    /// Where pages are made.
    pub render: Render,
    /// The directory with the app's files, if one is named.
    pub site_dir: Option<PathBuf>,
    /// Hosts for the `img-src` of the content security policy.
    pub avatar_hosts: Vec<String>,
    /// The directory for what the server keeps.
    pub data_dir: PathBuf,
    /// Whose word on a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How long requests may go on after the signal to stop.
    pub shutdown_grace: Duration,
}

impl ServerConfig {
    /// Reads the section; `avatar_hosts` are those to allow when the section names none.
    pub(super) fn read(reader: &mut Reader<'_>, avatar_hosts: Vec<String>) -> Option<Self> {
        let listen = reader.optional(&LISTEN);
        let public_url = read_public_url(reader, listen);
        let pages = reader.optional(&RENDER);
        let site_dir = reader.path(&SITE_DIR);
        let configured_hosts = reader.optional(&AVATAR_HOSTS);
        let data_dir = reader.path(&DATA_DIR);
        let trusted_proxies = if reader.is_set(&TRUSTED_PROXIES) { reader.optional(&TRUSTED_PROXIES) } else { Some(Vec::new()) };
        let shutdown_grace = reader.optional(&SHUTDOWN_GRACE);
        validate(reader, configured_hosts.as_deref(), trusted_proxies.as_deref());
        Some(Self {
            listen: listen?,
            public_url: public_url?,
            render: pages?,
            site_dir,
            avatar_hosts: configured_hosts.unwrap_or(avatar_hosts),
            data_dir: data_dir?,
            trusted_proxies: trusted_proxies?,
            shutdown_grace: shutdown_grace?,
        })
    }
}

fn read_public_url(reader: &mut Reader<'_>, listen: Option<SocketAddr>) -> Option<PublicUrl> {
    if reader.is_set(&PUBLIC_URL) {
        return reader.optional(&PUBLIC_URL);
    }
    // When `listen` cannot be read, that is the problem, and no second one.
    let listen = listen?;
    let derived = PublicUrl::of_loopback_listener(listen);
    if derived.is_none() {
        let why = if listen.ip().is_loopback() {
            format!("It is required, because port 0 of {listen} stands for any free port.")
        } else {
            format!("It is required, because {listen} can be reached from other machines, under a name that only you know.")
        };
        reader.missing(&PUBLIC_URL, why);
    }
    derived
}

fn validate(reader: &mut Reader<'_>, avatar_hosts: Option<&[String]>, trusted_proxies: Option<&[IpNet]>) {
    for everybody in trusted_proxies.unwrap_or_default().iter().filter(|network| network.prefix_len() == 0) {
        reader.problem(
            &TRUSTED_PROXIES,
            format!("{everybody} is everybody, and anybody could then claim to be anybody else."),
            "Write the addresses or the networks that the proxies connect from, such as 10.0.0.0/8.",
        );
    }
    for host in avatar_hosts.unwrap_or_default() {
        if !is_host(host) {
            reader.problem(
                &AVATAR_HOSTS,
                format!("“{host}” is not a host."),
                "Write the host alone, without scheme and path, such as avatars.example.com or *.example.com.",
            );
        }
    }
}

/// Whether it is a host with an optional port that can stand in a content security policy without ending it.
fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let labels = host.strip_prefix("*.").unwrap_or(host);
    let label = |label: &str| !label.is_empty() && label.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
    labels.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn a_host_cannot_smuggle_a_directive_into_the_policy() {
        for good in ["avatars.example.com", "*.example.com", "localhost:4000", "127.0.0.1"] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", "*", "https://example.com", "example.com/path", "a;script-src", "'self'", "a b", "example.com:http", "a..b"] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
