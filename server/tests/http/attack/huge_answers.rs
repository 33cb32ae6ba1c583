//! A provider answers with more than anybody can want.

use crate::support::{Endpoint, KnownNames, Log, Reply, SignIn as _, StandInProvider, TestApp, start_login};
use oauth2flow::{
    config::OutboundConfig,
    outbound::{Outbound, OutboundError},
};
use oauth2flow_protocol::{jwks, preset};
use serde_json::json;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

#[tokio::test]
async fn a_huge_token_answer_is_cut_off() {
    let padding = "x".repeat(8 * 1024 * 1024);
    let keys = (0..10_000).map(|number| format!("\"key{number}\":0,")).collect::<Vec<_>>().concat();
    let deep = format!("{}{}", "{\"a\":".repeat(10_000), "0".to_owned() + &"}".repeat(10_000));
    for reply in [
        Reply::json(200, &json!({ "access_token": padding, "token_type": "Bearer" })),
        Reply::json(400, &json!({ "error": padding })),
        Reply::new(200, "text/html", padding.clone()),
        Reply::new(200, "application/json", format!("{{{keys}\"access_token\":\"x\"}}")),
        Reply::new(200, "application/json", deep),
        Reply::new(200, "application/json", format!("{}{}", "[".repeat(20_000), "]".repeat(20_000))),
    ] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        provider.replace(Endpoint::Token, reply);
        browser.finish(&callback).await.assert_problem(502, "provider_invalid_response");
        assert!(!browser.is_signed_in().await);
    }
}

/// So many zeros, which take a thousandth of the room.
fn bomb(bytes: u64) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(b'0'), bytes), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_compressed_answer_is_not_unpacked() {
    let bomb = bomb(32 * 1024 * 1024);
    assert!(bomb.len() < 64 * 1024, "the bomb itself would pass: {} bytes", bomb.len());
    let log = Log::collect();
    for encoding in ["gzip", "x-gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip", "\"quoted\""] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let browser = app.browser();
        let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
        provider.replace(Endpoint::Token, Reply::new(200, "application/json", bomb.clone()).header("content-encoding", encoding));
        browser.finish(&callback).await.assert_problem(502, "provider_invalid_response");
        assert_eq!(provider.only(Endpoint::Token).header("accept-encoding"), Some("identity"), "none was asked for");
    }
    assert!(log.text().contains("only an unencoded one was asked for"), "{}", log.text());
    // The same without saying so is only bytes that are no JSON.
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    provider.replace(Endpoint::Token, Reply::new(200, "application/json", bomb));
    browser.finish(&callback).await.assert_problem(502, "provider_invalid_response");
}

#[tokio::test]
async fn an_answer_that_says_it_is_not_encoded_is_read() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let keys = json!({ "keys": [provider.public_key()] });
    provider.replace(Endpoint::Keys, Reply::json(200, &keys).header("content-encoding", "Identity"));
    app.browser().sign_in(&provider).await;
}

#[tokio::test]
async fn compressed_metadata_and_keys_are_refused_too() {
    for endpoint in [Endpoint::Metadata, Endpoint::Keys, Endpoint::UserInfo] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        provider.replace(endpoint, Reply::new(200, "application/json", bomb(1024)).header("content-encoding", "gzip"));
        let browser = app.browser();
        let answer = browser.navigate("/api/v1/oauth/login").send().await;
        if endpoint == Endpoint::Metadata {
            answer.assert_problem_page("provider_invalid_response");
        } else {
            browser.finish(&provider.authorize(&answer.location())).await.assert_problem(502, "provider_invalid_response");
        }
    }
}

/// An answer that announces more than it is allowed, and then takes its time.
#[tokio::test]
async fn an_answer_that_announces_too_much_is_given_up_at_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/jwks", listener.local_addr().unwrap())).unwrap();
    let provider = preset::openid("alpha", "Alpha", url.origin().ascii_serialization().as_str(), "client", None);
    let outbound = Outbound::new(OutboundConfig::default(), Arc::new(KnownNames::default()));
    let client = outbound.to_provider(&provider, None).unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1025\r\n\r\n{").await.unwrap();
        // It stays open: whoever read on would wait for the time limit.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        answer = client.send(jwks::request(&url), 1024) => {
            assert!(matches!(answer, Err(OutboundError::TooLarge { limit_bytes: 1024 })), "{answer:?}");
        }
        () = server => {}
    }
}

#[tokio::test]
async fn a_huge_userinfo_is_cut_off() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    provider.edit_userinfo(|user| user["name"] = "x".repeat(1024 * 1024).into());
    browser.finish(&callback).await.assert_problem(502, "provider_invalid_response");
}
