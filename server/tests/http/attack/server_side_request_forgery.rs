//! A provider's metadata names addresses that are not its own.

use crate::support::{
    Authority, Endpoint, KnownNames, Reply, SignIn as _, SigningKey, StandInProvider, TestApp, TlsFront, Tunnel, Upstream, start_login,
};
use axum::http::Method;
use futures_util::future::{BoxFuture, ready};
use oauth2flow::{
    config::{OutboundConfig, ProxyAddress},
    outbound::{EndpointError, Names, Outbound, OutboundError, ProviderClient},
};
use oauth2flow_protocol::{address::AddressKind, jwks, preset};
use std::{
    io,
    net::{IpAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use url::Url;

const LOGIN: &str = "/api/v1/oauth/login?provider=alpha";
const ISSUER: &str = "https://provider.example";

/// A neighbour that should never be asked.
struct Neighbour(TcpListener);

impl Neighbour {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// The system itself takes connections on loopback, so one that was made is there to be accepted.
    fn was_asked(&self) -> bool {
        self.0.accept().is_ok()
    }

    /// Asks, and stops as soon as a connection has come here: nobody would ever answer it.
    async fn asked_by(&self, client: &ProviderClient, url: &str) -> Outcome {
        let listener = tokio::net::TcpListener::from_std(self.0.try_clone().unwrap()).unwrap();
        tokio::select! {
            biased;
            connection = listener.accept() => {
                connection.unwrap();
                Outcome::Asked
            }
            answer = ask(client, url) => Outcome::Answered(answer),
        }
    }
}

/// What became of a request.
#[derive(Debug)]
enum Outcome {
    Asked,
    Answered(Result<(), OutboundError>),
}

impl Outcome {
    fn refused_as(&self) -> Option<AddressKind> {
        match self {
            Self::Asked => None,
            Self::Answered(answer) => refused_as(answer),
        }
    }
}

fn names(known: &[(&str, &str)]) -> KnownNames {
    let names = KnownNames::default();
    for (name, address) in known {
        names.add(name, address);
    }
    names
}

fn client(issuer: &str, names: impl Names, config: OutboundConfig) -> ProviderClient {
    let provider = preset::openid("alpha", "Alpha", issuer, "client", None);
    Outbound::new(config, Arc::new(names)).to_provider(&provider, None).unwrap()
}

async fn ask(client: &ProviderClient, url: &str) -> Result<(), OutboundError> {
    client.send(jwks::request(&Url::parse(url).unwrap()), 1024).await.map(drop)
}

fn refused_as(answer: &Result<(), OutboundError>) -> Option<AddressKind> {
    match answer {
        Err(OutboundError::Endpoint(EndpointError::Internal { kind, .. })) => Some(*kind),
        _ => None,
    }
}

#[tokio::test]
async fn a_name_that_leads_inwards_is_refused_before_a_connection_is_made() {
    let neighbour = Neighbour::start();
    let port = neighbour.port();
    for (address, kind) in [
        ("127.0.0.1", AddressKind::Loopback),
        ("127.255.255.254", AddressKind::Loopback),
        ("::1", AddressKind::Loopback),
        ("::ffff:127.0.0.1", AddressKind::Loopback),
        ("64:ff9b::127.0.0.1", AddressKind::Loopback),
        ("2002:7f00:1::", AddressKind::Loopback),
        ("10.1.2.3", AddressKind::Private),
        ("172.16.0.1", AddressKind::Private),
        ("192.168.0.1", AddressKind::Private),
        ("100.64.0.1", AddressKind::Private),
        ("fd00::1", AddressKind::Private),
        ("64:ff9b::10.0.0.1", AddressKind::Private),
        ("2002:a00:1::", AddressKind::Private),
        ("169.254.169.254", AddressKind::LinkLocal),
        ("fe80::1", AddressKind::LinkLocal),
        ("::ffff:169.254.169.254", AddressKind::LinkLocal),
        ("0.0.0.0", AddressKind::Reserved),
        ("::", AddressKind::Reserved),
        ("224.0.0.1", AddressKind::Reserved),
        ("ff02::1", AddressKind::Reserved),
        ("255.255.255.255", AddressKind::Reserved),
    ] {
        let names = names(&[("provider.example", "203.0.113.1"), ("inner.example", address)]);
        let client = client(ISSUER, names, OutboundConfig::default());
        let by_name = ask(&client, &format!("https://inner.example:{port}/jwks")).await;
        assert_eq!(refused_as(&by_name), Some(kind), "{address}: {by_name:?}");
        let with_dot = ask(&client, &format!("https://inner.example.:{port}/jwks")).await;
        assert_eq!(refused_as(&with_dot), Some(kind), "{address}: {with_dot:?}");
        let literal = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        let by_address = ask(&client, &format!("https://{literal}:{port}/jwks")).await;
        assert_eq!(refused_as(&by_address), Some(kind), "{address}: {by_address:?}");
    }
    for url in ["https://2130706433", "https://0x7f.1", "https://0177.0.0.1", "https://127.1", "https://localhost", "https://a.localhost"] {
        let client = client(ISSUER, names(&[("provider.example", "203.0.113.1")]), OutboundConfig::default());
        let answer = ask(&client, &format!("{url}:{port}/jwks")).await;
        assert_eq!(refused_as(&answer), Some(AddressKind::Loopback), "{url}: {answer:?}");
    }
    assert!(!neighbour.was_asked());
}

#[tokio::test]
async fn of_a_name_with_several_addresses_only_the_outer_ones_are_tried() {
    let neighbour = Neighbour::start();
    let names = names(&[
        ("provider.example", "203.0.113.1"),
        ("both.example", "127.0.0.1"),
        ("both.example", "::ffff:127.0.0.1"),
        // Nobody is there, and the time limit comes at once.
        ("both.example", "203.0.113.1"),
    ]);
    let config = OutboundConfig { connect_timeout: Duration::from_millis(1), ..OutboundConfig::default() };
    let answer = ask(&client(ISSUER, names, config), &format!("https://both.example:{}/jwks", neighbour.port())).await;
    assert!(matches!(answer, Err(OutboundError::Timeout(_) | OutboundError::Unavailable(_))), "{answer:?}");
    assert!(!neighbour.was_asked());
}

#[tokio::test]
async fn what_the_configuration_itself_put_inside_may_name_its_own_kind() {
    for (issuer, known, asked, allowed) in [
        ("https://provider.example", vec![("provider.example", "127.0.0.1")], "https://provider.example", true),
        ("https://provider.example", vec![("provider.example", "127.0.0.1")], "https://provider.example.", true),
        ("https://provider.example", vec![("provider.example", "127.0.0.1"), ("keys.example", "127.0.0.1")], "https://keys.example", true),
        ("https://provider.example", vec![("provider.example", "127.0.0.1")], "https://127.0.0.1", true),
        ("http://127.0.0.1:1", vec![], "http://localhost", true),
        ("http://localhost:1", vec![], "http://127.0.0.1", true),
        ("https://provider.example", vec![("provider.example", "10.0.0.1"), ("keys.example", "127.0.0.1")], "https://keys.example", false),
        ("https://10.0.0.1", vec![("keys.example", "127.0.0.1")], "https://keys.example", false),
        ("https://10.0.0.1", vec![], "http://localhost", false),
        ("https://169.254.0.1", vec![("keys.example", "127.0.0.1")], "https://keys.example", false),
    ] {
        let neighbour = Neighbour::start();
        let client = client(issuer, names(&known), OutboundConfig::default());
        let outcome = neighbour.asked_by(&client, &format!("{asked}:{}/jwks", neighbour.port())).await;
        if allowed {
            assert!(matches!(outcome, Outcome::Asked), "{issuer} names {asked}: {outcome:?}");
        } else {
            assert!(outcome.refused_as().is_some(), "{issuer} names {asked}: {outcome:?}");
            assert!(!neighbour.was_asked(), "{issuer} names {asked}");
        }
    }
}

#[tokio::test]
async fn a_provider_on_the_internet_does_not_get_inside_by_adding_an_inner_address_to_its_own_name() {
    for (inner, kind) in [("127.0.0.1", AddressKind::Loopback), ("10.0.0.1", AddressKind::Private)] {
        let neighbour = Neighbour::start();
        let known = [("provider.example", "203.0.113.1"), ("provider.example", inner), ("keys.example", inner)];
        let client = client(ISSUER, names(&known), OutboundConfig::default());
        for host in ["keys.example", inner] {
            let answer = ask(&client, &format!("https://{host}:{}/jwks", neighbour.port())).await;
            assert_eq!(refused_as(&answer), Some(kind), "{host}: {answer:?}");
        }
        assert!(!neighbour.was_asked(), "{inner}");
    }
    // A name that is inside with all its addresses does count.
    let neighbour = Neighbour::start();
    let known = [("provider.example", "127.0.0.1"), ("provider.example", "::1"), ("keys.example", "127.0.0.1")];
    let client = client(ISSUER, names(&known), OutboundConfig::default());
    let outcome = neighbour.asked_by(&client, &format!("https://keys.example:{}/jwks", neighbour.port())).await;
    assert!(matches!(outcome, Outcome::Asked), "{outcome:?}");
}

#[tokio::test]
async fn a_configured_name_never_leads_to_a_link_local_or_reserved_address() {
    for (address, kind) in [
        ("169.254.169.254", AddressKind::LinkLocal),
        ("fe80::1", AddressKind::LinkLocal),
        ("::ffff:169.254.169.254", AddressKind::LinkLocal),
        ("0.0.0.0", AddressKind::Reserved),
        ("::", AddressKind::Reserved),
    ] {
        let neighbour = Neighbour::start();
        let url = format!("{ISSUER}:{}/jwks", neighbour.port());
        let alone = names(&[("provider.example", address)]);
        let answer = ask(&client(ISSUER, alone, OutboundConfig::default()), &url).await;
        assert_eq!(refused_as(&answer), Some(kind), "{address}: {answer:?}");
        assert!(!neighbour.was_asked(), "{address}");
        // The other addresses of the name still count.
        let both = names(&[("provider.example", address), ("provider.example", "127.0.0.1")]);
        let outcome = neighbour.asked_by(&client(ISSUER, both, OutboundConfig::default()), &url).await;
        assert!(matches!(outcome, Outcome::Asked), "{address}: {outcome:?}");
    }
    // An address that the operator has written down is the operator's choice; what it names is not.
    let neighbour = Neighbour::start();
    let issuer = format!("https://0.0.0.0:{}", neighbour.port());
    let client = client(&issuer, names(&[("keys.example", "0.0.0.0")]), OutboundConfig::default());
    let named = ask(&client, &format!("https://keys.example:{}/jwks", neighbour.port())).await;
    assert_eq!(refused_as(&named), Some(AddressKind::Reserved), "{named:?}");
    let written = ask(&client, "https://0.0.0.0:1/jwks").await;
    assert_eq!(refused_as(&written), None, "{written:?}");
    assert!(matches!(written, Err(OutboundError::Timeout(_) | OutboundError::Unavailable(_))), "{written:?}");
}

#[tokio::test]
async fn the_dangerous_switch_lets_everything_through() {
    let neighbour = Neighbour::start();
    let names = names(&[("provider.example", "203.0.113.1"), ("inner.example", "127.0.0.1")]);
    let config = OutboundConfig { dangerous_allow_internal_addresses: true, ..OutboundConfig::default() };
    let client = client(ISSUER, names, config);
    for host in ["inner.example", "127.0.0.1", "localhost"] {
        let outcome = neighbour.asked_by(&client, &format!("https://{host}:{}/jwks", neighbour.port())).await;
        assert!(matches!(outcome, Outcome::Asked), "{host}: {outcome:?}");
    }
}

/// A name that leads outwards when it is asked for the first time, and inwards ever after.
struct Rebinding(Arc<AtomicUsize>);

impl Names for Rebinding {
    fn addresses(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let outer: IpAddr = "203.0.113.1".parse().unwrap();
        let inner: IpAddr = "127.0.0.1".parse().unwrap();
        let times = if name == "evil.example" { self.0.fetch_add(1, Ordering::SeqCst) } else { 0 };
        Box::pin(ready(Ok(vec![if times == 0 { outer } else { inner }])))
    }
}

#[tokio::test]
async fn a_name_cannot_change_between_the_look_at_it_and_the_connection() {
    let neighbour = Neighbour::start();
    let times = Arc::new(AtomicUsize::new(0));
    let config = OutboundConfig { connect_timeout: Duration::from_millis(1), ..OutboundConfig::default() };
    let client = client(ISSUER, Rebinding(Arc::clone(&times)), config);
    let url = format!("https://evil.example:{}/jwks", neighbour.port());
    // What was looked at is what is connected to: nobody asks a second time.
    let first = ask(&client, &url).await;
    assert!(matches!(first, Err(OutboundError::Timeout(_) | OutboundError::Unavailable(_))), "{first:?}");
    assert_eq!(times.load(Ordering::SeqCst), 1);
    assert_eq!(refused_as(&ask(&client, &url).await), Some(AddressKind::Loopback));
    assert!(!neighbour.was_asked());
}

#[tokio::test]
async fn a_proxy_inside_is_used_and_cannot_be_named_as_an_endpoint() {
    let neighbour = Neighbour::start();
    let known = [("provider.example", "203.0.113.1"), ("proxy.example", "127.0.0.1")];
    let proxy = ProxyAddress::parse(&format!("http://proxy.example:{}", neighbour.port()));
    let config = OutboundConfig { https_proxy: proxy, ..OutboundConfig::default() };
    let through = neighbour.asked_by(&client(ISSUER, names(&known), config.clone()), "https://provider.example/jwks").await;
    assert!(matches!(through, Outcome::Asked), "{through:?}");
    let config = OutboundConfig { no_proxy: vec!["proxy.example".to_owned()], ..config };
    for url in ["https://proxy.example", "https://proxy.example."] {
        let named = ask(&client(ISSUER, names(&known), config.clone()), &format!("{url}:{}/jwks", neighbour.port())).await;
        assert_eq!(refused_as(&named), Some(AddressKind::Loopback), "{named:?}");
    }
    let literal = ask(&client(ISSUER, names(&known), config), &format!("https://10.0.0.1:{}/jwks", neighbour.port())).await;
    assert_eq!(refused_as(&literal), Some(AddressKind::Private), "a proxy inside could go there");
    assert!(!neighbour.was_asked());
}

#[tokio::test]
async fn a_provider_on_the_internet_cannot_send_the_login_to_a_neighbour() {
    // The provider is reached through the company's proxy, so that for this machine its name leads to the internet.
    let authority = Authority::new();
    let front = TlsFront::start(&authority, "provider.example");
    let provider = StandInProvider::behind(&front).await;
    let tunnel = Tunnel::start();
    tunnel.name(&format!("provider.example:{}", front.port()), ([127, 0, 0, 1], front.port()).into());
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    for member in ["jwks_uri", "token_endpoint", "userinfo_endpoint"] {
        let neighbour = TlsFront::start(&authority, "inner.example");
        let inner = format!("{}/{member}", neighbour.origin());
        provider.edit_metadata(move |metadata| metadata[member] = inner.as_str().into());
        let app = TestApp::builder()
            .openid("alpha", &provider)
            .name("provider.example", "203.0.113.1")
            .name("inner.example", "127.0.0.1")
            .set("outbound.root_certificates_file", roots.display())
            .variable("OAUTH2FLOW_OUTBOUND_PROXY", format!("http://{}", tunnel.address()))
            .set("outbound.no_proxy", "inner.example")
            .start()
            .await;
        let browser = app.browser();
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        browser.finish(&callback).await.assert_problem(502, "provider_invalid_response");
        assert!(!browser.is_signed_in().await);
        assert_eq!(neighbour.connections(), 0, "{member}");
    }
}

#[tokio::test]
async fn with_the_dangerous_switch_a_provider_may_have_its_keys_inside() {
    let authority = Authority::new();
    let front = TlsFront::start(&authority, "provider.example");
    let provider = StandInProvider::behind(&front).await;
    let tunnel = Tunnel::start();
    tunnel.name(&format!("provider.example:{}", front.port()), ([127, 0, 0, 1], front.port()).into());
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    for host in ["127.0.0.1", "inner.example"] {
        let inside = TlsFront::start(&authority, host);
        provider.also_behind(&inside);
        let keys = format!("{}/jwks", inside.origin());
        provider.edit_metadata(move |metadata| metadata["jwks_uri"] = keys.as_str().into());
        let builder = || {
            TestApp::builder()
                .openid("alpha", &provider)
                .name("provider.example", "203.0.113.1")
                .name("inner.example", "127.0.0.1")
                .set("outbound.root_certificates_file", roots.display())
                .variable("OAUTH2FLOW_OUTBOUND_PROXY", format!("http://{}", tunnel.address()))
                .set("outbound.no_proxy", "inner.example")
        };
        let app = builder().set("outbound.dangerous_allow_internal_addresses", "true").start().await;
        app.browser().sign_in(&provider).await;
        assert_eq!(inside.connections(), 1, "{host}");
        let app = builder().start().await;
        let browser = app.browser();
        let started = browser.navigate("/api/v1/oauth/login").send().await;
        if host == "inner.example" {
            browser.finish(&provider.authorize(&started.location())).await.assert_problem(502, "provider_invalid_response");
        } else {
            started.assert_problem_page("provider_invalid_response");
        }
        assert_eq!(inside.connections(), 1, "{host}");
    }
}

#[tokio::test]
async fn an_issuer_that_is_configured_inside_works_by_name() {
    let authority = Authority::new();
    let front = TlsFront::start(&authority, "keycloak.corp.example");
    let provider = StandInProvider::behind(&front).await;
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let app = TestApp::builder()
        .openid("alpha", &provider)
        .name("keycloak.corp.example", "127.0.0.1")
        .set("outbound.root_certificates_file", roots.display())
        .start()
        .await;
    app.browser().sign_in(&provider).await;
}

#[tokio::test]
async fn endpoints_that_are_neither_https_nor_on_this_machine_are_refused() {
    let addresses = [
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/token",
        "http://provider.example/token",
        "file:///etc/passwd",
        "ftp://127.0.0.1/token",
        "gopher://127.0.0.1:70/",
        "//127.0.0.1/token",
        "/token",
        "token",
        "https://user:password@provider.example/token",
        "https://provider.example/token#fragment",
        "javascript:alert(1)",
        "",
    ];
    for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "revocation_endpoint", "end_session_endpoint"]
    {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        for address in addresses {
            provider.edit_metadata(move |metadata| metadata[name] = address.into());
            let answer = app.browser().call(Method::GET, LOGIN).send().await;
            answer.assert_problem(502, "provider_invalid_response");
            assert!(answer.set_cookies().is_empty(), "{name}: {address}");
            app.clock.advance_seconds(5);
        }
    }
}

#[tokio::test]
async fn no_redirect_of_a_provider_s_is_followed() {
    let internal = Upstream::start().await;
    for status in [301, 302, 303, 307, 308] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let reply = Reply::redirect(status, format!("{}/.well-known/openid-configuration", internal.origin()));
        provider.replace(Endpoint::Metadata, reply);
        app.browser().call(Method::GET, LOGIN).send().await.assert_problem(502, "provider_invalid_response");
    }
    assert_eq!(internal.count(), 0);
}

#[tokio::test]
async fn a_key_address_in_a_token_s_header_is_never_fetched() {
    let attacker = Upstream::start().await;
    for name in ["jku", "x5u"] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let address = format!("{}/jwks", attacker.origin());
        provider.sign_with_unpublished(SigningKey::es256("of-the-attacker"));
        provider.edit_header(move |header| header[name] = address.as_str().into());
        let browser = app.browser();
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        browser.finish(&callback).await.assert_problem(502, "id_token_invalid");
    }
    assert_eq!(attacker.count(), 0);
}
