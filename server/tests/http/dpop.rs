//! Tokens that are bound to a key of the session (RFC 9449).

use crate::support::{Browser, Endpoint, Received, Reply, SignIn as _, StandInProvider, TestApp, Upstream, start_login};
use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey},
};
use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const API: &str = "/api/v1/proxy/api";

struct Bound {
    provider: StandInProvider,
    upstream: Upstream,
    app: TestApp,
    browser: Browser,
}

/// An app whose provider binds every token to a key.
async fn app() -> Bound {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    provider.edit_metadata(|metadata| metadata["dpop_signing_alg_values_supported"] = json!(["ES256", "RS256"]));
    provider.edit_tokens(|tokens| tokens["token_type"] = "DPoP".into());
    let app = TestApp::builder().openid("alpha", &provider).set("providers.alpha.dpop", "require").upstream("api", &upstream).start().await;
    let browser = app.browser();
    Bound { provider, upstream, app, browser }
}

/// A proof: its signature holds under the key in its own header.
struct Proof {
    key: Value,
    claims: Value,
}

impl Proof {
    fn read(received: &Received) -> Self {
        let proof = received.header("dpop").expect("a request with a proof");
        let parts: Vec<_> = proof.split('.').collect();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
        assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("dpop+jwt"), Some("ES256")));
        let key = header["jwk"].clone();
        assert_eq!(key["d"], Value::Null, "the secret half stays here");
        let coordinate = |name: &str| decode(key[name].as_str().unwrap());
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let message = format!("{}.{}", parts[0], parts[1]);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).verify(message.as_bytes(), &decode(parts[2])).unwrap();
        Self { key, claims: serde_json::from_slice(&decode(parts[1])).unwrap() }
    }

    fn thumbprint(&self) -> String {
        let Self { key, .. } = self;
        let members = format!(r#"{{"crv":{},"kty":{},"x":{},"y":{}}}"#, key["crv"], key["kty"], key["x"], key["y"]);
        hash(&members)
    }

    #[track_caller]
    fn assert_is_for(&self, method: &str, url: &str, now: i64) {
        assert_eq!((self.claims["htm"].as_str(), self.claims["htu"].as_str()), (Some(method), Some(url)));
        assert_eq!(self.claims["iat"], now);
        assert!(self.claims["jti"].as_str().unwrap().len() >= 22);
    }
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn wants_nonce_at_token_endpoint(nonce: &str) -> Reply {
    Reply::json(400, &json!({ "error": "use_dpop_nonce" })).header("dpop-nonce", nonce)
}

fn wants_nonce_at_upstream(nonce: &str) -> Reply {
    wants_nonce_in_a_challenge("DPoP", nonce)
}

fn wants_nonce_in_a_challenge(scheme: &str, nonce: &str) -> Reply {
    let challenge = format!(r#"{scheme} error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof""#);
    Reply::json(401, &json!({ "error": "use_dpop_nonce" })).header("www-authenticate", &challenge).header("dpop-nonce", nonce)
}

#[tokio::test]
async fn one_key_proves_the_login_the_token_request_and_every_call() {
    let Bound { provider, upstream, app, browser } = app().await;
    let url = start_login(&browser, "alpha", "/").await;
    let thumbprint = url.query_pairs().find(|(name, _)| name == "dpop_jkt").unwrap().1.into_owned();
    browser.finish(&provider.authorize(&url)).await.assert_status(200);
    let now = app.clock.seconds();

    let at_token_endpoint = Proof::read(&provider.only(Endpoint::Token));
    at_token_endpoint.assert_is_for("POST", &format!("{}/token", provider.issuer()), now);
    assert_eq!(at_token_endpoint.claims["ath"], Value::Null);
    assert_eq!(at_token_endpoint.thumbprint(), thumbprint);

    let userinfo = provider.only(Endpoint::UserInfo);
    assert!(userinfo.header("authorization").unwrap().starts_with("DPoP sentinel-access-"));
    Proof::read(&userinfo).assert_is_for("GET", &format!("{}/userinfo", provider.issuer()), now);

    for _ in 0..2 {
        let call = browser.call(Method::POST, &format!("{API}/items?x=1")).header("dpop", "of-the-browser").body("text");
        call.send().await.assert_status(200);
    }
    let calls = upstream.recording.all();
    let mut token_ids = Vec::new();
    for call in &calls {
        let token = call.header("authorization").unwrap().strip_prefix("DPoP ").unwrap();
        assert_eq!(call.headers.get_all("dpop").iter().count(), 1);
        let proof = Proof::read(call);
        proof.assert_is_for("POST", &format!("{}/base/items", upstream.origin()), now);
        assert_eq!(proof.claims["ath"], hash(token));
        assert_eq!(proof.thumbprint(), thumbprint);
        token_ids.push(proof.claims["jti"].clone());
    }
    assert_ne!(token_ids[0], token_ids[1], "a proof is used once");
}

#[tokio::test]
async fn every_login_has_a_key_of_its_own() {
    let Bound { provider, browser, app: _app, .. } = app().await;
    browser.sign_in(&provider).await;
    browser.sign_in(&provider).await;
    let proofs: Vec<_> = provider.received(Endpoint::Token).iter().map(|received| Proof::read(received).thumbprint()).collect();
    assert_ne!(proofs[0], proofs[1]);
}

#[tokio::test]
async fn the_token_endpoint_gets_the_nonce_that_it_asks_for_and_once_is_enough() {
    let Bound { provider, upstream: _upstream, app, browser } = app().await;
    provider.replace_once(Endpoint::Token, wants_nonce_at_token_endpoint("nonce-1"));
    browser.sign_in(&provider).await;
    let requests = provider.received(Endpoint::Token);
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].form("code"), requests[1].form("code"));
    let proofs: Vec<_> = requests.iter().map(Proof::read).collect();
    assert_eq!((&proofs[0].claims["nonce"], &proofs[1].claims["nonce"]), (&Value::Null, &json!("nonce-1")));
    assert_ne!(proofs[0].claims["jti"], proofs[1].claims["jti"]);

    // The refresh brings it at once, and the session's own key.
    app.clock.advance_seconds(296);
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
    let refresh = &provider.received(Endpoint::Token)[2];
    assert_eq!(refresh.form("grant_type").unwrap(), "refresh_token");
    let proof = Proof::read(refresh);
    assert_eq!(proof.claims["nonce"], "nonce-1");
    assert_eq!(proof.thumbprint(), proofs[0].thumbprint());
}

#[tokio::test]
async fn a_provider_that_is_never_content_with_a_nonce_ends_the_login() {
    let Bound { provider, browser, app: _app, .. } = app().await;
    provider.replace(Endpoint::Token, wants_nonce_at_token_endpoint("nonce-1"));
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    let answer = browser.finish(&callback).await;
    answer.assert_problem(502, "provider_misconfigured");
    assert_eq!(provider.count(Endpoint::Token), 2);
}

#[tokio::test]
async fn a_refresh_gets_the_nonce_that_is_asked_for() {
    let Bound { provider, upstream: _upstream, app, browser } = app().await;
    browser.sign_in(&provider).await;
    app.clock.advance_seconds(301);
    provider.replace_once(Endpoint::Token, wants_nonce_at_token_endpoint("nonce-2"));
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
    let requests = provider.received(Endpoint::Token);
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[1].form("refresh_token"), requests[2].form("refresh_token"));
    assert_eq!(Proof::read(&requests[2]).claims["nonce"], "nonce-2");
}

#[tokio::test]
async fn an_upstream_gets_its_nonce_without_the_app_noticing() {
    let Bound { provider, upstream, browser, app: _app } = app().await;
    browser.sign_in(&provider).await;
    upstream.replace_once("/base/items", wants_nonce_at_upstream("nonce-a"));
    let call = browser.call(Method::POST, &format!("{API}/items")).json(&json!({ "text": "x" })).send().await;
    assert_eq!(call.assert_status(200).json()["body"], r#"{"text":"x"}"#);
    assert_eq!(call.header("dpop-nonce"), None);
    let nonces = || upstream.recording.all().iter().map(|call| Proof::read(call).claims["nonce"].clone()).collect::<Vec<_>>();
    assert_eq!(nonces(), [Value::Null, json!("nonce-a")]);

    // It is remembered, and so is the one that an answer brings by the way.
    upstream.replace_once("/base/", Reply::json(200, &json!({})).header("dpop-nonce", "nonce-b"));
    for _ in 0..2 {
        let call = browser.call(Method::GET, &format!("{API}/")).send().await;
        assert_eq!(call.assert_status(200).header("dpop-nonce"), None);
    }
    assert_eq!(nonces()[2..], [json!("nonce-a"), json!("nonce-b")]);
}

#[tokio::test]
async fn an_upstream_may_write_the_scheme_of_its_challenge_in_any_case() {
    let Bound { provider, upstream, browser, app: _app } = app().await;
    browser.sign_in(&provider).await;
    for (scheme, nonce) in [("dPoP", "nonce-a"), ("dpop", "nonce-b"), ("DPOP", "nonce-c")] {
        upstream.replace_once("/base/", wants_nonce_in_a_challenge(scheme, nonce));
        browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
        assert_eq!(Proof::read(upstream.recording.all().last().unwrap()).claims["nonce"], nonce);
    }
    assert_eq!(upstream.count(), 6);
}

#[tokio::test]
async fn an_upstream_that_is_never_content_is_asked_twice_and_no_more() {
    let Bound { provider, upstream, browser, app: _app } = app().await;
    browser.sign_in(&provider).await;
    upstream.replace("/base/", wants_nonce_at_upstream("nonce-a"));
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(401);
    assert_eq!(upstream.count(), 2);
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(401);
    assert_eq!(upstream.count(), 3, "the nonce has been tried before");
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn what_is_no_nonce_is_neither_tried_nor_remembered() {
    let Bound { provider, upstream, browser, app: _app } = app().await;
    browser.sign_in(&provider).await;
    let call = async || browser.call(Method::GET, &format!("{API}/")).send().await;
    for (times, nonce) in (1..).zip(["a b", "a\"b", "a\\b", "", "a\tb", &"a".repeat(513)]) {
        upstream.replace_once("/base/", wants_nonce_at_upstream(nonce));
        call().await.assert_status(401);
        assert_eq!(upstream.count(), times, "{nonce}: once more would be the same call");
    }
    let nonces = || upstream.recording.all().iter().map(|call| Proof::read(call).claims["nonce"].clone()).collect::<Vec<_>>();
    assert!(nonces().iter().all(Value::is_null), "{:?}", nonces());

    // A good one outlives a bad one.
    for nonce in ["nonce-a", "a b"] {
        upstream.replace_once("/base/", Reply::json(200, &json!({})).header("dpop-nonce", nonce));
        call().await.assert_status(200);
    }
    call().await.assert_status(200);
    assert_eq!(nonces()[6..], [Value::Null, json!("nonce-a"), json!("nonce-a")]);
}

#[tokio::test]
async fn a_token_endpoint_that_moves_gets_the_nonce_of_its_provider() {
    let Bound { provider, upstream: _upstream, app, browser } = app().await;
    provider.replace_once(Endpoint::Token, wants_nonce_at_token_endpoint("nonce-1"));
    browser.sign_in(&provider).await;
    // Nonces are kept by provider: another address in each of its metadata does not add another one here.
    provider.edit_metadata(|metadata| {
        metadata["dpop_signing_alg_values_supported"] = json!(["ES256"]);
        metadata["token_endpoint"] = format!("{}/token?moved", metadata["issuer"].as_str().unwrap()).into();
    });
    app.clock.advance_seconds(2 * 60 * 60);
    browser.sign_in(&provider).await;
    let requests = provider.received(Endpoint::Token);
    assert_eq!(requests.len(), 3);
    assert_eq!(Proof::read(&requests[2]).claims["nonce"], "nonce-1");
}

#[tokio::test]
async fn a_body_that_is_too_large_to_keep_is_sent_once_and_the_next_call_works() {
    let Bound { provider, upstream, browser, app: _app } = app().await;
    browser.sign_in(&provider).await;
    upstream.replace_once("/base/items", wants_nonce_at_upstream("nonce-a"));
    let body = "x".repeat(100 * 1024);
    let call = async || browser.call(Method::POST, &format!("{API}/items")).body(body.clone()).send().await;
    call().await.assert_problem(502, "upstream_unavailable");
    assert_eq!(upstream.count(), 1);
    assert_eq!(call().await.assert_status(200).json()["body"].as_str().unwrap().len(), body.len());
    assert_eq!(Proof::read(&upstream.recording.all()[1]).claims["nonce"], "nonce-a");
}

#[tokio::test]
async fn a_token_that_is_not_bound_is_refused_where_it_has_to_be() {
    let Bound { provider, browser, app: _app, .. } = app().await;
    provider.edit_tokens(|_| {});
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_problem(502, "provider_misconfigured");
    assert!(!browser.is_signed_in().await);
    assert_eq!(provider.count(Endpoint::UserInfo), 0);
}

#[tokio::test]
async fn without_dpop_no_proof_is_made() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::with_upstream(&provider, &upstream).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    upstream.replace_once("/base/", wants_nonce_at_upstream("nonce-a"));
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(401);
    assert_eq!(upstream.only().header("dpop"), None);
    assert_eq!(provider.only(Endpoint::Token).header("dpop"), None);
}

#[tokio::test]
async fn the_key_is_kept_with_the_session_over_a_restart() {
    let Bound { provider, upstream, mut app, browser } = app().await;
    browser.sign_in(&provider).await;
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
    app.stop().await;
    app.start().await;
    browser.call(Method::GET, &format!("{API}/")).send().await.assert_status(200);
    let thumbprints: Vec<_> = upstream.recording.all().iter().map(|call| Proof::read(call).thumbprint()).collect();
    assert_eq!(thumbprints[0], thumbprints[1]);
}
