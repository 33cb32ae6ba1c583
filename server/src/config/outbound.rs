//! `[outbound]`: how the server reaches providers and upstreams.

use super::reader::Reader;
use super::schema::Section;
use super::setting::Setting;
use super::value::duration_text;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// Every certificate authority of the public internet together needs a fifth of it.
const LONGEST_ROOTS_BYTES: u64 = 1024 * 1024;

static PROXY: Setting<SecretString> = Setting::optional(
    "proxy",
    "The proxy on the way to providers and upstreams, http or https; it may hold a user name and a password. Addresses on this machine \
     are never asked for through it.",
)
.default_in_words("the variables `https_proxy` and `http_proxy`, else `all_proxy`, in small letters or capitals")
.example("http://proxy.example.com:3128")
.secret_or_file();
static NO_PROXY: Setting<Vec<String>> = Setting::optional(
    "no_proxy",
    "What is reached without the proxy: domains with all below them, addresses, and networks such as 10.0.0.0/8; `*` is everything.",
)
.default_in_words("the variable `no_proxy`, in small letters or capitals")
.example("corp.example.com 10.0.0.0/8");
static ROOT_CERTIFICATES_FILE: Setting<PathBuf> = Setting::optional(
    "root_certificates_file",
    "A file with certificates in PEM of authorities to trust beside those of the system: a company's own, for instance.",
)
.example("certificates/company.pem");
static CONNECT_TIMEOUT: Setting<Duration> =
    Setting::optional("connect_timeout", "How long a connection to a provider or an upstream may take to come about.").default("5s");
static TOTAL_TIMEOUT: Setting<Duration> =
    Setting::optional("total_timeout", "How long a provider has for its whole answer; its keys have half of it.").default("10s");
static DANGEROUS_ALLOW_INTERNAL_ADDRESSES: Setting<bool> = Setting::optional(
    "dangerous_allow_internal_addresses",
    "Whether a provider on the internet may name endpoints inside this network. It could then make this server ask its neighbours things.",
)
.default("false");

pub(super) static SECTION: Section = Section {
    name: "outbound",
    element: None,
    doc: "How the server reaches providers and upstreams; docs/outbound.md tells more.",
    settings: &[&PROXY, &NO_PROXY, &ROOT_CERTIFICATES_FILE, &CONNECT_TIMEOUT, &TOTAL_TIMEOUT, &DANGEROUS_ALLOW_INTERNAL_ADDRESSES],
};

/// How the server reaches providers and upstreams.
#[derive(Clone, Debug)]
pub struct OutboundConfig {
    /// The proxy for `https` addresses.
    pub https_proxy: Option<ProxyAddress>,
    /// The proxy for `http` addresses; this machine's own are never asked for through it.
    pub http_proxy: Option<ProxyAddress>,
    /// What is reached without a proxy.
    pub no_proxy: Vec<String>,
    /// Certificates of authorities to trust beside those of the system, in DER.
    pub root_certificates: Vec<Vec<u8>>,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long a provider has for its whole answer.
    pub total_timeout: Duration,
    /// Whether a provider on the internet may name endpoints inside this network.
    pub dangerous_allow_internal_addresses: bool,
}

impl Default for OutboundConfig {
    /// What holds when nothing is configured.
    fn default() -> Self {
        Self {
            https_proxy: None,
            http_proxy: None,
            no_proxy: Vec::new(),
            root_certificates: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(10),
            dangerous_allow_internal_addresses: false,
        }
    }
}

/// The address of a proxy. It may hold a password, so `Debug` does not show that part.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress(Url);

impl ProxyAddress {
    /// Reads an address, with `http://` in front when it has no scheme, as other programs do. `None` when it is none, or one of
    /// a kind of proxy that is not spoken here.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) }.ok()?;
        let nothing_behind = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        (matches!(url.scheme(), "http" | "https") && url.has_host() && nothing_behind).then_some(Self(url))
    }

    /// The whole address, its password included.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Its host.
    pub fn host(&self) -> Option<&str> {
        self.0.host_str()
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ProxyAddress({}://{}:{:?})", self.0.scheme(), self.host().unwrap_or_default(), self.0.port_or_known_default())
    }
}

impl OutboundConfig {
    /// Reads the section. What it says of proxies goes over what the environment says to all programs.
    pub(super) fn read(reader: &mut Reader<'_>, environment: &BTreeMap<String, String>) -> Option<Self> {
        let proxy = reader.secret(&PROXY);
        let proxies = if reader.is_set(&PROXY) {
            let proxy = proxy.and_then(|proxy| read_proxy(reader, "It", proxy.expose_secret()));
            (proxy.clone(), proxy)
        } else {
            proxies_of_environment(reader, environment)
        };
        let of_environment = || variable_in_either_case(environment, "no_proxy").map(|(_, value)| value);
        let no_proxy = if reader.is_set(&NO_PROXY) {
            reader.optional(&NO_PROXY)
        } else {
            Some(of_environment().map(|value| value.split(',').map(|entry| entry.trim().to_owned()).collect()).unwrap_or_default())
        };
        let root_certificates = match reader.path(&ROOT_CERTIFICATES_FILE) {
            Some(path) => read_root_certificates(reader, &ROOT_CERTIFICATES_FILE, &path),
            None => (!reader.is_set(&ROOT_CERTIFICATES_FILE)).then(Vec::new),
        };
        let connect_timeout = reader.optional(&CONNECT_TIMEOUT);
        let total_timeout = reader.optional(&TOTAL_TIMEOUT);
        validate(reader, connect_timeout, total_timeout);
        if reader.is_set(&NO_PROXY) {
            validate_no_proxy(reader, no_proxy.as_deref().unwrap_or_default());
        }
        let dangerous_allow_internal_addresses = reader.optional(&DANGEROUS_ALLOW_INTERNAL_ADDRESSES);
        if dangerous_allow_internal_addresses == Some(true) {
            let warning = "a provider's metadata may send this server to any address of this network.";
            reader.warn(&DANGEROUS_ALLOW_INTERNAL_ADDRESSES, warning);
        }
        Some(Self {
            https_proxy: proxies.0,
            http_proxy: proxies.1,
            no_proxy: no_proxy?,
            root_certificates: root_certificates?,
            connect_timeout: connect_timeout?,
            total_timeout: total_timeout?,
            dangerous_allow_internal_addresses: dangerous_allow_internal_addresses?,
        })
    }
}

fn variable_in_either_case(environment: &BTreeMap<String, String>, name: &str) -> Option<(String, String)> {
    [name.to_owned(), name.to_ascii_uppercase()].into_iter().find_map(|name| {
        let value = environment.get(&name).filter(|value| !value.trim().is_empty())?;
        Some((name, value.clone()))
    })
}

/// The proxies for `https` and `http` that the environment names to all programs.
fn proxies_of_environment(reader: &mut Reader<'_>, environment: &BTreeMap<String, String>) -> (Option<ProxyAddress>, Option<ProxyAddress>) {
    let variable = |name| variable_in_either_case(environment, name).or_else(|| variable_in_either_case(environment, "all_proxy"));
    let mut read = |(name, value): (String, String)| read_proxy(reader, &format!("The variable {name}"), &value);
    let (https, http) = (variable("https_proxy"), variable("http_proxy"));
    if https == http {
        let proxy = https.and_then(read);
        return (proxy.clone(), proxy);
    }
    (https.and_then(&mut read), http.and_then(read))
}

/// Reads the address of a proxy. No message holds it: there may be a password in it.
fn read_proxy(reader: &mut Reader<'_>, what: &str, value: &str) -> Option<ProxyAddress> {
    let proxy = ProxyAddress::parse(value);
    if proxy.is_none() {
        reader.problem(
            &PROXY,
            format!("{what} is not the address of an http or https proxy."),
            "Write it in full and without a path, such as http://proxy.example.com:3128; other kinds, such as socks5, are not spoken here.",
        );
    }
    proxy
}

/// Reads the certificates of authorities out of a file that a setting names.
pub(super) fn read_root_certificates(reader: &mut Reader<'_>, setting: &Setting<PathBuf>, path: &Path) -> Option<Vec<Vec<u8>>> {
    let shown = path.display();
    let mut pem = Vec::new();
    if let Err(error) = std::fs::File::open(path).and_then(|file| file.take(LONGEST_ROOTS_BYTES + 1).read_to_end(&mut pem)) {
        let fix = "Check the path and who may read the file.";
        reader.problem(setting, format!("{shown} cannot be read: {error}."), fix);
        return None;
    }
    if pem.len() as u64 > LONGEST_ROOTS_BYTES {
        let fix = "Name a file with the certificates of the authorities that are missing, and no more.";
        reader.problem(setting, format!("{shown} is longer than 1 MiB."), fix);
        return None;
    }
    match certificates(&pem) {
        Ok(certificates) => Some(certificates),
        Err(problem) => {
            let fix = "The file holds certificates in PEM, each between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----; \
                       openssl x509 -in FILE -text shows whether it can be read.";
            reader.problem(setting, format!("{shown} {problem}"), fix);
            None
        }
    }
}

/// The certificates of a PEM text, at least one, each of which can be an authority's.
fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| "holds broken PEM.".to_owned())?;
    if certificates.is_empty() {
        return Err("holds no certificate.".to_owned());
    }
    for (index, certificate) in certificates.iter().enumerate() {
        if RootCertStore::empty().add(certificate.clone()).is_err() {
            return Err(format!("holds something that is no certificate in the place of its certificate {}.", index + 1));
        }
    }
    Ok(certificates.iter().map(|certificate| certificate.to_vec()).collect())
}

fn validate(reader: &mut Reader<'_>, connect_timeout: Option<Duration>, total_timeout: Option<Duration>) {
    for (setting, value) in [(&CONNECT_TIMEOUT, connect_timeout), (&TOTAL_TIMEOUT, total_timeout)] {
        if value.is_some_and(|value| value.is_zero()) {
            reader.problem(setting, "Nothing could be reached in no time.", "Write a duration above zero, such as \"5s\".");
        }
    }
    if let (Some(connect), Some(total)) = (connect_timeout, total_timeout)
        && connect > total
    {
        let (connect, total) = (duration_text(connect), duration_text(total));
        reader.problem(
            &CONNECT_TIMEOUT,
            format!("{connect} is longer than the whole answer may take, outbound.total_timeout = {total}."),
            "Make connect_timeout shorter or total_timeout longer.",
        );
    }
}

fn validate_no_proxy(reader: &mut Reader<'_>, no_proxy: &[String]) {
    for entry in no_proxy {
        if !is_destination(entry) {
            reader.problem(
                &NO_PROXY,
                format!("“{entry}” is neither a domain, an address nor a network, and nothing would ever match it."),
                "Write a domain without scheme, port and asterisk, such as corp.example.com, which includes all below it; an address; or a \
                 network such as 10.0.0.0/8.",
            );
        }
    }
}

/// Whether something can be meant by it: `*`, a domain, with a dot in front or without, an address or a network.
fn is_destination(entry: &str) -> bool {
    if entry == "*" || entry.parse::<IpAddr>().is_ok() {
        return true;
    }
    if let Some((address, length)) = entry.split_once('/') {
        let longest = match address.parse() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        return length.parse::<u8>().is_ok_and(|length| length <= longest);
    }
    let label =
        |label: &str| !label.is_empty() && label.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_'));
    entry.strip_prefix('.').unwrap_or(entry).split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::{OutboundConfig, ProxyAddress, is_destination};

    #[test]
    fn what_no_proxy_could_never_match_is_known() {
        for good in ["*", "example.com", ".example.com", "localhost", "my_host", "10.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"] {
            assert!(is_destination(good), "{good}");
        }
        for bad in ["", "*.example.com", "https://example.com", "example.com:443", "10.0.0.0/33", "10.0.0/8", "example.com/x", "a..b"] {
            assert!(!is_destination(bad), "{bad}");
        }
    }

    #[test]
    fn a_proxy_may_be_written_as_other_programs_take_it() {
        for (written, meant) in [
            ("http://proxy.example.com:3128", "http://proxy.example.com:3128/"),
            ("https://proxy.example.com/", "https://proxy.example.com/"),
            ("proxy.example.com:3128", "http://proxy.example.com:3128/"),
            (" http://alice:secret@[::1]:8080 ", "http://alice:secret@[::1]:8080/"),
        ] {
            assert_eq!(ProxyAddress::parse(written).map(|proxy| proxy.url().to_string()).as_deref(), Some(meant), "{written}");
        }
        for wrong in ["", "socks5://proxy.example.com", "http://", "http://proxy.example.com/path", "ftp://proxy.example.com", "a b"] {
            assert_eq!(ProxyAddress::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_proxy_s_password_is_never_shown() {
        let proxy = ProxyAddress::parse("http://alice:sentinel@proxy.example.com:3128");
        let shown = format!("{:?}", OutboundConfig { https_proxy: proxy, ..OutboundConfig::default() });
        assert!(shown.contains("proxy.example.com") && !shown.contains("sentinel") && !shown.contains("alice"), "{shown}");
    }
}
