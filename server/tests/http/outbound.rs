//! How the server reaches providers: certificates, proxies, and what it does not do.

use crate::support::{
    Answer, Authority, Browser, Certificate, Endpoint, Gate, KnownNames, Log, Reply, SignIn as _, SigningKey, StandInProvider, TestApp,
    TestAppBuilder, TlsFront, Tunnel, Upstream, start_login,
};
use axum::http::Method;
use oauth2flow::{
    config::OutboundConfig,
    outbound::{ClientCertificate, Outbound, OutboundSetupError},
};
use oauth2flow_protocol::preset;
use serde_json::json;
use std::{path::PathBuf, sync::Arc};
use tempfile::TempDir;

const LOGIN: &str = "/api/v1/oauth/login?provider=alpha";
const NAME: &str = "provider.example";

/// A file that lives as long as the test.
struct File {
    path: PathBuf,
    _directory: TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("certificate.pem");
        std::fs::write(&path, text).unwrap();
        Self { path, _directory: directory }
    }

    fn path(&self) -> std::path::Display<'_> {
        self.path.display()
    }
}

mod certificates {
    use super::*;

    #[tokio::test]
    async fn an_authority_of_the_company_s_own_is_trusted_when_it_is_configured() {
        let authority = Authority::new();
        let front = TlsFront::start(&authority, NAME);
        let provider = StandInProvider::behind(&front).await;
        let roots = File::new(&format!("Issued to: Example Company\n{}{}", Authority::new().pem(), authority.pem()));
        let app = TestApp::builder()
            .openid("alpha", &provider)
            .name(NAME, "127.0.0.1")
            .set("outbound.root_certificates_file", roots.path())
            .start()
            .await;
        app.browser().sign_in(&provider).await;
    }

    #[tokio::test]
    async fn an_authority_that_nobody_knows_is_refused_and_the_log_says_what_to_do() {
        let log = Log::collect();
        let authority = Authority::new();
        let front = TlsFront::start(&authority, NAME);
        let provider = StandInProvider::behind(&front).await;
        let others = File::new(&Authority::new().pem());
        for builder in [TestApp::builder(), TestApp::builder().set("outbound.root_certificates_file", others.path())] {
            let app = builder.openid("alpha", &provider).name(NAME, "127.0.0.1").start().await;
            app.browser().call(Method::GET, LOGIN).send().await.assert_problem(502, "provider_unavailable");
        }
        assert_eq!(provider.count(Endpoint::Metadata), 0);
        let text = log.text();
        assert_eq!(text.matches("name its certificate in outbound.root_certificates_file").count(), 2, "{text}");
    }

    #[tokio::test]
    async fn a_certificate_of_another_name_is_refused() {
        let authority = Authority::new();
        let front = TlsFront::start(&authority, NAME);
        let provider = StandInProvider::behind(&front).await;
        let roots = File::new(&authority.pem());
        let app = TestApp::builder()
            .set("providers.alpha.issuer", format!("https://other.example:{}", front.port()))
            .set("providers.alpha.client_id", "client")
            .variable("OAUTH2FLOW_PROVIDERS_ALPHA_CLIENT_SECRET", "secret")
            .name("other.example", "127.0.0.1")
            .set("outbound.root_certificates_file", roots.path())
            .start()
            .await;
        app.browser().call(Method::GET, LOGIN).send().await.assert_problem(502, "provider_unavailable");
        assert_eq!(provider.count(Endpoint::Metadata), 0);
    }

    fn with_certificate(builder: TestAppBuilder, Certificate { chain, key }: &Certificate) -> TestAppBuilder {
        builder
            .variable("OAUTH2FLOW_PROVIDERS_ALPHA_CLIENT_CERTIFICATE", chain)
            .variable("OAUTH2FLOW_PROVIDERS_ALPHA_CLIENT_CERTIFICATE_KEY", key)
    }

    #[tokio::test]
    async fn a_provider_that_demands_a_certificate_gets_it() {
        let authority = Authority::new();
        let front = TlsFront::requiring_certificates(&authority, NAME);
        let provider = StandInProvider::behind(&front).await;
        let roots = File::new(&authority.pem());
        let builder = || {
            let builder = TestApp::builder().openid("alpha", &provider).name(NAME, "127.0.0.1");
            builder.set("outbound.root_certificates_file", roots.path())
        };
        let without = builder().start().await;
        without.browser().call(Method::GET, LOGIN).send().await.assert_problem(502, "provider_unavailable");
        assert_eq!(provider.count(Endpoint::Metadata), 0);
        let with = with_certificate(builder(), &authority.client("app.example.com")).start().await;
        with.browser().sign_in(&provider).await;
        assert!(front.certificates().iter().all(Option::is_some));
    }

    #[tokio::test]
    async fn a_certificate_is_shown_to_its_own_provider_only() {
        let authority = Authority::new();
        let fronts = [TlsFront::welcoming_certificates(&authority, NAME), TlsFront::welcoming_certificates(&authority, "beta.example")];
        let (alpha, beta) = (StandInProvider::behind(&fronts[0]).await, StandInProvider::behind(&fronts[1]).await);
        let roots = File::new(&authority.pem());
        let builder = TestApp::builder().openid("alpha", &alpha).openid("beta", &beta);
        let builder = builder.name(NAME, "127.0.0.1").name("beta.example", "127.0.0.1");
        let builder = builder.set("outbound.root_certificates_file", roots.path());
        let app = with_certificate(builder, &authority.client("app.example.com")).start().await;
        app.browser().sign_in(&alpha).await;
        let browser = app.browser();
        browser.finish(&beta.authorize(&start_login(&browser, "beta", "/").await)).await.assert_status(200);
        let [of_alpha, of_beta] = fronts.map(|front| front.certificates());
        assert!(!of_alpha.is_empty() && of_alpha.iter().all(Option::is_some));
        assert!(!of_beta.is_empty() && of_beta.iter().all(Option::is_none));
    }

    #[tokio::test]
    async fn a_key_that_is_not_the_certificate_s_is_no_client() {
        let authority = Authority::new();
        let (one, other) = (authority.client("one.example"), authority.client("other.example"));
        let outbound = Outbound::new(OutboundConfig::default(), Arc::new(KnownNames::default()));
        let provider = preset::openid("alpha", "Alpha", "https://provider.example", "client", None);
        let fitting = ClientCertificate::from_pem(&one.chain, &one.key).unwrap();
        assert!(outbound.to_provider(&provider, Some(&fitting)).is_ok());
        let mixed = ClientCertificate::from_pem(&one.chain, &other.key).unwrap();
        assert!(matches!(outbound.to_provider(&provider, Some(&mixed)), Err(OutboundSetupError::Certificate(_))));
        assert!(ClientCertificate::from_pem(&one.chain, "").is_err());
        assert!(ClientCertificate::from_pem("", &one.key).is_err());
        assert!(!format!("{fitting:?}").contains("BEGIN"));
    }
}

mod proxies {
    use super::*;

    /// A provider on the internet, which is known to the company's proxy alone.
    struct Behind {
        provider: StandInProvider,
        front: TlsFront,
        tunnel: Tunnel,
        roots: File,
    }

    impl Behind {
        async fn start() -> Self {
            let authority = Authority::new();
            let front = TlsFront::start(&authority, NAME);
            let provider = StandInProvider::behind(&front).await;
            let tunnel = Tunnel::start();
            tunnel.name(&format!("{NAME}:{}", front.port()), ([127, 0, 0, 1], front.port()).into());
            Self { provider, front, tunnel, roots: File::new(&authority.pem()) }
        }

        fn app(&self) -> TestAppBuilder {
            TestApp::builder().openid("alpha", &self.provider).set("outbound.root_certificates_file", self.roots.path())
        }

        fn proxy(&self) -> String {
            format!("http://{}", self.tunnel.address())
        }
    }

    #[tokio::test]
    async fn a_proxy_is_asked_to_open_a_tunnel_and_finds_the_address_itself() {
        let behind = Behind::start().await;
        // The name means nothing to this machine.
        let app = behind.app().variable("OAUTH2FLOW_OUTBOUND_PROXY", behind.proxy()).start().await;
        app.browser().sign_in(&behind.provider).await;
        let heads = behind.tunnel.heads();
        assert!(!heads.is_empty());
        for head in heads {
            assert!(head.starts_with(&format!("CONNECT {NAME}:{} HTTP/1.1\r\n", behind.front.port())), "{head}");
            assert!(!head.to_ascii_lowercase().contains("proxy-authorization"), "{head}");
        }
    }

    #[tokio::test]
    async fn a_proxy_s_password_goes_to_the_proxy_and_nowhere_else() {
        let log = Log::collect();
        let behind = Behind::start().await;
        let proxy = format!("http://alice:sentinel-proxy@{}", behind.tunnel.address());
        let app = behind.app().variable("OAUTH2FLOW_OUTBOUND_PROXY", proxy).start().await;
        app.browser().sign_in(&behind.provider).await;
        let heads = behind.tunnel.heads();
        assert!(!heads.is_empty());
        for head in heads {
            let head = head.to_ascii_lowercase();
            assert!(head.contains("proxy-authorization: basic ywxpy2u6c2vudgluzwwtchjvehk="), "{head}");
        }
        for endpoint in [Endpoint::Metadata, Endpoint::Token, Endpoint::UserInfo, Endpoint::Keys] {
            for received in behind.provider.received(endpoint) {
                assert_eq!(received.header("proxy-authorization"), None);
            }
        }
        assert!(!log.text().contains("sentinel-proxy"));
    }

    #[tokio::test]
    async fn the_proxy_of_the_environment_counts_until_one_is_configured() {
        for name in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            let behind = Behind::start().await;
            let app = behind.app().variable(name, behind.tunnel.address().to_string()).start().await;
            app.browser().sign_in(&behind.provider).await;
            assert!(!behind.tunnel.heads().is_empty(), "{name}");
        }
        let (behind, idle) = (Behind::start().await, Tunnel::start());
        let app = behind
            .app()
            .variable("HTTPS_PROXY", idle.address().to_string())
            .variable("OAUTH2FLOW_OUTBOUND_PROXY", behind.proxy())
            .start()
            .await;
        app.browser().sign_in(&behind.provider).await;
        assert!(idle.heads().is_empty());
    }

    #[tokio::test]
    async fn what_needs_no_proxy_is_reached_without_it() {
        for (key, variable, value) in [
            (Some("outbound.no_proxy"), None, NAME),
            (Some("outbound.no_proxy"), None, "example"),
            (Some("outbound.no_proxy"), None, "*"),
            (None, Some("no_proxy"), "corp.example.com, provider.example"),
            (None, Some("NO_PROXY"), "corp.example.com,.example"),
        ] {
            let behind = Behind::start().await;
            let mut builder = behind.app().variable("OAUTH2FLOW_OUTBOUND_PROXY", behind.proxy()).name(NAME, "127.0.0.1");
            if let Some(key) = key {
                builder = builder.set(key, value);
            }
            if let Some(variable) = variable {
                builder = builder.variable(variable, value);
            }
            let app = builder.start().await;
            app.browser().sign_in(&behind.provider).await;
            assert!(behind.tunnel.heads().is_empty(), "{value}");
        }
    }

    #[tokio::test]
    async fn this_machine_s_own_addresses_are_never_asked_for_through_a_proxy() {
        let tunnel = Tunnel::start();
        let provider = StandInProvider::start().await;
        let app = TestApp::builder()
            .openid("alpha", &provider)
            .variable("OAUTH2FLOW_OUTBOUND_PROXY", format!("http://{}", tunnel.address()))
            .start()
            .await;
        app.browser().sign_in(&provider).await;
        assert!(tunnel.heads().is_empty());
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_is_a_provider_that_cannot_be_reached() {
        let behind = Behind::start().await;
        let strict = Tunnel::start();
        let app = behind.app().variable("OAUTH2FLOW_OUTBOUND_PROXY", format!("http://{}", strict.address())).start().await;
        app.browser().call(Method::GET, LOGIN).send().await.assert_problem(502, "provider_unavailable");
    }
}

mod answers {
    use super::*;

    #[tokio::test]
    async fn nothing_that_a_provider_tells_the_client_to_keep_is_kept() {
        let authority = Authority::new();
        let front = TlsFront::start(&authority, NAME);
        let provider = StandInProvider::behind(&front).await;
        let elsewhere = TlsFront::start(&authority, NAME);
        let roots = File::new(&authority.pem());
        let app = TestApp::builder()
            .openid("alpha", &provider)
            .name(NAME, "127.0.0.1")
            .set("outbound.root_certificates_file", roots.path())
            .start()
            .await;
        let origin = provider.issuer();
        let metadata = json!({
            "issuer": origin, "authorization_endpoint": format!("{origin}/authorize"), "token_endpoint": format!("{origin}/token"),
            "jwks_uri": format!("{origin}/jwks"), "userinfo_endpoint": format!("{origin}/userinfo"),
            "id_token_signing_alg_values_supported": ["ES256"], "authorization_response_iss_parameter_supported": true,
        });
        let reply = Reply::json(200, &metadata)
            .header("set-cookie", "sentinel=cookie; Path=/; Max-Age=86400")
            .header("alt-svc", format!("h2=\"{NAME}:{}\"; ma=86400, h3=\":443\"", elsewhere.port()))
            .header("strict-transport-security", "max-age=86400")
            .header("connection", "close");
        provider.replace(Endpoint::Metadata, reply);
        app.browser().sign_in(&provider).await;
        for endpoint in [Endpoint::Token, Endpoint::Keys, Endpoint::UserInfo] {
            let received = provider.only(endpoint);
            assert_eq!(received.header("cookie"), None, "{endpoint:?}");
            assert_eq!(received.header("referer"), None, "{endpoint:?}");
            assert_eq!(received.header("accept-encoding"), Some("identity"), "{endpoint:?}");
        }
        assert_eq!(elsewhere.connections(), 0);
        let protocols = front.protocols();
        assert!(protocols.len() > 1, "a connection that the provider closes is not used again");
        assert!(protocols.iter().all(|protocol| protocol.as_deref() == Some(b"http/1.1")), "HTTP/2 was offered");
    }

    #[tokio::test]
    async fn a_connection_is_used_again() {
        let authority = Authority::new();
        let front = TlsFront::start(&authority, NAME);
        let provider = StandInProvider::behind(&front).await;
        let roots = File::new(&authority.pem());
        let app = TestApp::builder()
            .openid("alpha", &provider)
            .name(NAME, "127.0.0.1")
            .set("outbound.root_certificates_file", roots.path())
            .start()
            .await;
        for _ in 0..3 {
            app.browser().sign_in(&provider).await;
        }
        let requests = provider.count(Endpoint::Token) + provider.count(Endpoint::UserInfo);
        assert_eq!(requests, 6);
        assert!(front.connections() < requests, "{} connections", front.connections());
    }
}

mod metadata {
    use super::*;

    async fn app_and_provider() -> (TestApp, StandInProvider) {
        let provider = StandInProvider::start().await;
        (TestApp::with_provider(&provider).await, provider)
    }

    /// Waits until the answer that is held has been used: until then the old one counts.
    async fn released(gate: &Gate, browser: &Browser, is_new: impl Fn(&url::Url) -> bool) {
        gate.release();
        while !is_new(&start_login(browser, "alpha", "/").await) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn it_is_renewed_behind_the_back_of_whoever_starts_a_login() {
        let (app, provider) = app_and_provider().await;
        let browser = app.browser();
        start_login(&browser, "alpha", "/").await;
        provider.edit_metadata(|metadata| {
            let moved = format!("{}/moved", metadata["issuer"].as_str().unwrap());
            metadata["authorization_endpoint"] = moved.into();
        });
        app.clock.advance_seconds(60 * 60 - 1);
        assert_eq!(start_login(&browser, "alpha", "/").await.path(), "/authorize");
        assert_eq!(provider.count(Endpoint::Metadata), 1);
        let gate = provider.hold(Endpoint::Metadata);
        app.clock.advance_seconds(1);
        for _ in 0..5 {
            // Nobody waits for the provider, and it is asked once.
            assert_eq!(start_login(&browser, "alpha", "/").await.path(), "/authorize");
        }
        gate.arrived().await;
        released(&gate, &browser, |url| url.path() == "/moved").await;
        assert_eq!(provider.count(Endpoint::Metadata), 2);
    }

    #[tokio::test]
    async fn who_comes_when_it_is_long_out_of_date_waits_for_it() {
        let (app, provider) = app_and_provider().await;
        start_login(&app.browser(), "alpha", "/").await;
        provider.edit_metadata(|metadata| {
            let moved = format!("{}/moved", metadata["issuer"].as_str().unwrap());
            metadata["authorization_endpoint"] = moved.into();
        });
        app.clock.advance_seconds(2 * 60 * 60);
        assert_eq!(start_login(&app.browser(), "alpha", "/").await.path(), "/moved");
    }

    #[tokio::test]
    async fn twenty_who_come_at_once_share_one_fetch() {
        let (app, provider) = app_and_provider().await;
        let gate = provider.hold(Endpoint::Metadata);
        let browsers: Vec<_> = (0..20).map(|_| app.browser()).collect();
        let logins = futures_util::future::join_all(browsers.iter().map(|browser| start_login(browser, "alpha", "/")));
        let release = async {
            gate.arrived().await;
            gate.release();
        };
        let (urls, ()) = tokio::join!(logins, release);
        assert_eq!(urls.len(), 20);
        assert_eq!(provider.count(Endpoint::Metadata), 1);
    }

    #[tokio::test]
    async fn a_fetch_goes_on_when_the_browser_that_caused_it_goes_away() {
        let (app, provider) = app_and_provider().await;
        let gate = provider.hold(Endpoint::Metadata);
        let browser = app.browser();
        {
            let mut start = std::pin::pin!(start_login(&browser, "alpha", "/"));
            tokio::select! {
                biased;
                () = gate.arrived() => {}
                _ = &mut start => panic!("the provider has not answered"),
            }
        }
        let (url, ()) = tokio::join!(start_login(&browser, "alpha", "/"), async {
            gate.release();
        });
        assert_eq!(url.path(), "/authorize");
        assert_eq!(provider.count(Endpoint::Metadata), 1);
    }

    #[tokio::test]
    async fn a_provider_that_is_down_at_the_start_is_asked_seldom_and_comes_back_by_itself() {
        let (app, provider) = app_and_provider().await;
        provider.replace(Endpoint::Metadata, Reply::json(503, &json!({})));
        let browser = app.browser();
        let mut fetches = 0;
        // After each failure it is left alone a while longer, and whoever comes meanwhile is told at once.
        for pause in [1, 2, 4, 5, 5, 5] {
            for _ in 0..3 {
                browser.call(Method::GET, LOGIN).send().await.assert_problem(502, "provider_unavailable");
            }
            fetches += 1;
            assert_eq!(provider.count(Endpoint::Metadata), fetches);
            app.clock.advance_seconds(pause - 1);
            browser.call(Method::GET, LOGIN).send().await.assert_problem(502, "provider_unavailable");
            assert_eq!(provider.count(Endpoint::Metadata), fetches, "after {} s", pause - 1);
            app.clock.advance_seconds(1);
        }
        provider.restore(Endpoint::Metadata);
        browser.sign_in(&provider).await;
    }

    #[tokio::test]
    async fn what_a_provider_said_counts_for_a_day_while_it_does_not_answer() {
        let (app, provider) = app_and_provider().await;
        let browser = app.browser();
        start_login(&browser, "alpha", "/").await;
        provider.replace(Endpoint::Metadata, Reply::json(500, &json!({})));
        app.clock.advance_seconds(24 * 60 * 60 - 1);
        start_login(&browser, "alpha", "/").await;
        assert_eq!(provider.count(Endpoint::Metadata), 2);
        app.clock.advance_seconds(5);
        browser.call(Method::GET, LOGIN).send().await.assert_problem(502, "provider_unavailable");
        provider.restore(Endpoint::Metadata);
        app.clock.advance_seconds(5);
        browser.sign_in(&provider).await;
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_keeps_nothing_for_ever() {
        let (app, provider) = app_and_provider().await;
        let browser = app.browser();
        browser.sign_in(&provider).await;
        app.clock.advance_seconds(-24 * 60 * 60);
        start_login(&browser, "alpha", "/").await;
        assert_eq!(provider.count(Endpoint::Metadata), 2);
    }

    /// Where the metadata of an OAuth 2.0 provider can be, in the order in which it is looked for.
    const PLACES: [&str; 3] = [
        "/.well-known/oauth-authorization-server/tenant",
        "/tenant/.well-known/oauth-authorization-server",
        "/tenant/.well-known/openid-configuration",
    ];

    async fn oauth_app(server: &Upstream) -> TestApp {
        TestApp::builder()
            .set("providers.alpha.metadata", "oauth")
            .set("providers.alpha.issuer", format!("{}/tenant", server.origin()))
            .set("providers.alpha.userinfo_url", format!("{}/user", server.origin()))
            .set("providers.alpha.user.id", "id")
            .set("providers.alpha.client_id", "client")
            .variable("OAUTH2FLOW_PROVIDERS_ALPHA_CLIENT_SECRET", "secret")
            .start()
            .await
    }

    fn paths(server: &Upstream) -> Vec<String> {
        server.recording.all().iter().map(|received| received.uri.path().to_owned()).collect()
    }

    #[tokio::test]
    async fn it_is_looked_for_in_every_well_known_place_until_it_is_found() {
        for (index, place) in PLACES.into_iter().enumerate() {
            let server = Upstream::start().await;
            for other in PLACES {
                server.replace(other, Reply::json(404, &json!({})));
            }
            let origin = server.origin();
            let metadata = json!({
                "issuer": format!("{origin}/tenant"), "authorization_endpoint": format!("{origin}/authorize"),
                "token_endpoint": format!("{origin}/token"), "response_types_supported": ["code"],
            });
            server.replace(place, Reply::json(200, &metadata));
            let app = oauth_app(&server).await;
            assert_eq!(start_login(&app.browser(), "alpha", "/").await.path(), "/authorize");
            assert_eq!(paths(&server), PLACES[..=index]);
        }
    }

    #[tokio::test]
    async fn a_place_that_is_down_or_says_something_wrong_is_the_last_one() {
        for (reply, code) in [
            (Reply::json(503, &json!({})), "provider_unavailable"),
            (Reply::json(429, &json!({})), "provider_unavailable"),
            (Reply::json(200, &json!({ "issuer": "https://evil.example" })), "provider_misconfigured"),
        ] {
            let server = Upstream::start().await;
            server.replace(PLACES[0], reply);
            let app = oauth_app(&server).await;
            app.browser().call(Method::GET, LOGIN).send().await.assert_problem(502, code);
            assert_eq!(paths(&server), PLACES[..1]);
        }
    }

    #[tokio::test]
    async fn what_is_nowhere_is_looked_for_in_each_place_once() {
        let server = Upstream::start().await;
        for place in PLACES {
            server.replace(place, Reply::html(404));
        }
        let app = oauth_app(&server).await;
        for _ in 0..3 {
            app.browser().call(Method::GET, LOGIN).send().await.assert_problem(502, "provider_invalid_response");
        }
        assert_eq!(paths(&server), PLACES);
    }
}

mod keys {
    use super::*;

    async fn signed_in() -> (StandInProvider, TestApp, Browser) {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        browser.sign_in(&provider).await;
        (provider, app, browser)
    }

    async fn try_to_sign_in(provider: &StandInProvider, browser: &Browser) -> Answer {
        browser.finish(&provider.authorize(&start_login(browser, "alpha", "/").await)).await
    }

    #[tokio::test]
    async fn they_are_renewed_behind_the_back_of_whoever_signs_in() {
        let (provider, app, browser) = signed_in().await;
        let gate = provider.hold(Endpoint::Keys);
        app.clock.advance_seconds(10 * 60);
        browser.sign_in(&provider).await;
        gate.arrived().await;
        browser.sign_in(&provider).await;
        assert_eq!(provider.count(Endpoint::Keys), 2);
        gate.release();
    }

    #[tokio::test]
    async fn a_key_that_was_withdrawn_long_ago_signs_nobody_in() {
        let (provider, app, browser) = signed_in().await;
        provider.publish(vec![SigningKey::es256("key-2").public()]);
        app.clock.advance_seconds(20 * 60);
        try_to_sign_in(&provider, &browser).await.assert_problem(502, "id_token_invalid");
    }

    #[tokio::test]
    async fn a31_keys_that_cannot_be_had_are_asked_for_once_in_thirty_seconds() {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        provider.replace(Endpoint::Keys, Reply::json(500, &json!({})));
        for _ in 0..3 {
            try_to_sign_in(&provider, &browser).await.assert_problem(502, "provider_unavailable");
            app.clock.advance_seconds(9);
        }
        assert_eq!(provider.count(Endpoint::Keys), 1);
        app.clock.advance_seconds(3);
        provider.restore(Endpoint::Keys);
        browser.sign_in(&provider).await;
        assert_eq!(provider.count(Endpoint::Keys), 2);
    }

    #[tokio::test]
    async fn a_provider_whose_keys_cannot_be_had_any_more_is_believed_for_a_day() {
        let (provider, app, browser) = signed_in().await;
        provider.replace(Endpoint::Keys, Reply::html(500));
        app.clock.advance_seconds(20 * 60);
        browser.sign_in(&provider).await;
        app.clock.advance_seconds(24 * 60 * 60);
        try_to_sign_in(&provider, &browser).await.assert_problem(502, "provider_unavailable");
    }

    #[tokio::test]
    async fn keys_that_have_moved_are_fetched_from_there_at_once() {
        let (provider, app, browser) = signed_in().await;
        let elsewhere = StandInProvider::start().await;
        let (moved, key) = (format!("{}/jwks", elsewhere.issuer()), SigningKey::es256("key-2"));
        elsewhere.publish(vec![key.public()]);
        provider.sign_with_unpublished(key);
        provider.edit_metadata(move |metadata| metadata["jwks_uri"] = moved.as_str().into());
        // Two hours later nobody uses the old metadata any more.
        app.clock.advance_seconds(2 * 60 * 60);
        browser.sign_in(&provider).await;
        assert_eq!((provider.count(Endpoint::Keys), elsewhere.count(Endpoint::Keys)), (1, 1));
    }
}
