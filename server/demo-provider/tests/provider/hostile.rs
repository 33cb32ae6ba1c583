//! Providers with a defect each: that they have it, that they have nothing else, and that the page about them is true.

use std::{fmt::Write as _, sync::Arc};

use oauth2flow_demo_provider::{Clock, Defect, DemoProviderConfig, Expected, Feature, HostileProviders};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::{CLIENT_ID, CLIENT_SECRET, CODE_CHALLENGE, CODE_VERIFIER, REDIRECT_URI, START, basic, encode, http_client};

struct Hostile {
    providers: Arc<HostileProviders>,
    http: reqwest::Client,
}

impl Hostile {
    async fn start(defects: &[Defect]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = DemoProviderConfig {
            redirect_uris: vec![REDIRECT_URI.into()],
            clock: Clock::new(|| START),
            ..DemoProviderConfig::new(format!("http://{}", listener.local_addr().unwrap()), CLIENT_ID, CLIENT_SECRET)
        };
        let providers = HostileProviders::open(&config, defects).await.unwrap();
        tokio::spawn(providers.clone().serve(listener, std::future::pending()));
        Self { providers: Arc::new(providers), http: http_client() }
    }

    async fn get(&self, address: &str) -> reqwest::Response {
        self.http.get(address).send().await.unwrap()
    }

    async fn json(&self, address: &str) -> Value {
        serde_json::from_slice(&self.get(address).await.bytes().await.unwrap()).unwrap()
    }

    /// Where the browser is sent back to.
    async fn authorize(&self, issuer: &str) -> url::Url {
        let request = [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid"),
            ("state", "the state"),
            ("nonce", "the nonce"),
            ("code_challenge", CODE_CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let answer = self.get(&format!("{issuer}/authorize?{}", encode(&request))).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{issuer}");
        answer.headers()["location"].to_str().unwrap().parse().unwrap()
    }

    async fn exchange(&self, issuer: &str, code: &str) -> reqwest::Response {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT_URI), ("code_verifier", CODE_VERIFIER)];
        let request = self.http.post(format!("{issuer}/token")).header("authorization", basic(CLIENT_ID, CLIENT_SECRET));
        request.header("content-type", "application/x-www-form-urlencoded").body(encode(&form)).send().await.unwrap()
    }
}

#[tokio::test]
async fn each_issuer_has_its_own_metadata_at_all_three_addresses() {
    let hostile = Hostile::start(&[Defect::IdTokenNonceOther]).await;
    let issuer = hostile.providers.issuer(Defect::IdTokenNonceOther);
    let (origin, path) = issuer.split_at(issuer.find("/defects").unwrap());
    let document = hostile.json(&format!("{issuer}/.well-known/openid-configuration")).await;
    assert_eq!(document["issuer"], issuer);
    assert_eq!(document["token_endpoint"], format!("{issuer}/token"));
    assert_eq!(hostile.json(&format!("{issuer}/.well-known/oauth-authorization-server")).await, document);
    assert_eq!(hostile.json(&format!("{origin}/.well-known/oauth-authorization-server{path}")).await, document);
    assert_eq!(hostile.get(&format!("{origin}/.well-known/oauth-authorization-server/defects/none")).await.status(), 404);
    let honest = hostile.json(&format!("{origin}/.well-known/oauth-authorization-server/honest")).await;
    assert_eq!(honest["issuer"], hostile.providers.honest_issuer());
}

#[tokio::test]
async fn nobody_is_asked_anything_and_the_journal_tells_what_came() {
    let hostile = Hostile::start(&[Defect::TokenTypeCapitals]).await;
    let issuer = hostile.providers.issuer(Defect::TokenTypeCapitals);
    let callback = hostile.authorize(&issuer).await;
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let tokens: Value = serde_json::from_slice(&hostile.exchange(&issuer, &code).await.bytes().await.unwrap()).unwrap();
    assert_eq!(tokens["token_type"], "BEARER");
    let journal = hostile.json(&format!("{issuer}/journal")).await;
    assert_eq!(journal["defect"], "token-type-capitals");
    assert_eq!(journal["requests"], serde_json::json!({ "/authorize": 1, "/token": 1 }));
    let index = hostile.get(issuer.split("defects").next().unwrap()).await.text().await.unwrap();
    assert!(index.contains(&issuer));
}

/// The honest provider has no journal, no attacker, and no way to make it post anything.
#[tokio::test]
async fn an_honest_provider_has_none_of_this() {
    let hostile = Hostile::start(&[]).await;
    let issuer = hostile.providers.honest_issuer();
    for path in ["/journal", "/attacker/jwks", "/post-logout-tokens"] {
        assert_eq!(hostile.get(&format!("{issuer}{path}")).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

/// As the demo provider's do everywhere; the tests of the browser look for these words.
#[tokio::test]
async fn a_secret_begins_with_what_it_is() {
    let hostile = Hostile::start(&[Defect::TokenTypeCapitals]).await;
    for issuer in [hostile.providers.honest_issuer(), hostile.providers.issuer(Defect::TokenTypeCapitals)] {
        let code = hostile.authorize(&issuer).await.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
        assert!(code.starts_with("demo-ac-4b1d9c07."), "{code}");
        let tokens: Value = serde_json::from_slice(&hostile.exchange(&issuer, &code).await.bytes().await.unwrap()).unwrap();
        assert!(tokens["access_token"].as_str().unwrap().starts_with("demo-at-4b1d9c07."), "{tokens}");
    }
}

const PAGE: &str = include_str!("../../../../docs/hostile-provider.md");
const BEGIN: &str = "<!-- The table is generated: UPDATE_DOCS=1 cargo nextest run -p oauth2flow-demo-provider hostile -->\n";
const END: &str = "<!-- End of the table. -->\n";

fn table() -> String {
    let mut table = String::from("\n");
    for expected in Expected::ALL {
        let _ = writeln!(table, "### A correct client {}\n", expected.description());
        table.push_str("| issuer | what it does | needs | says |\n|---|---|---|---|\n");
        for defect in Defect::ALL.iter().filter(|defect| defect.expected() == expected) {
            let needs = if defect.needs() == Feature::Nothing { "" } else { defect.needs().description() };
            let _ = writeln!(table, "| `{defect}` | {} | {needs} | {} |", defect.description(), defect.section());
        }
        table.push('\n');
    }
    table
}

#[test]
fn the_page_lists_every_defect() {
    let (before, rest) = PAGE.split_once(BEGIN).unwrap();
    let (listed, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/hostile-provider.md");
        std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
    } else {
        assert_eq!(listed, table(), "run this test with UPDATE_DOCS=1");
    }
}
