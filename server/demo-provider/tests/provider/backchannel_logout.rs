//! Logout tokens.

use axum::{Router, extract::State, http::StatusCode, routing::post};
use serde_json::json;
use tokio::{net::TcpListener, sync::mpsc};

use crate::support::{CLIENT_ID, START, TestProvider, encode};

/// A client that takes logout tokens, and answers them as it is told.
async fn client(answer: StatusCode) -> (String, mpsc::UnboundedReceiver<String>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/backchannel-logout", listener.local_addr().unwrap());
    let take = async move |State(sender): State<mpsc::UnboundedSender<String>>, body: String| {
        sender.send(body).unwrap();
        answer
    };
    let router = Router::new().route("/backchannel-logout", post(take)).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (uri, receiver)
}

fn logout_path(id_token: &serde_json::Value) -> String {
    format!("/logout?{}", encode(&[("id_token_hint", id_token.as_str().unwrap())]))
}

#[tokio::test]
async fn the_client_gets_a_logout_token_when_its_session_ends() {
    let (uri, mut received) = client(StatusCode::OK).await;
    let provider = TestProvider::start_with(|config| config.backchannel_logout_uri = Some(uri)).await;
    let mut browser = provider.browser();
    let tokens = browser.tokens("openid").await;
    let (_, id_token) = provider.claims(tokens["id_token"].as_str().unwrap()).await;

    browser.get(&logout_path(&tokens["id_token"])).await;

    let body = received.try_recv().unwrap();
    let (header, claims) = provider.claims(body.strip_prefix("logout_token=").unwrap()).await;
    assert_eq!(header.typ.as_deref(), Some("logout+jwt"));
    assert_eq!(claims["aud"], CLIENT_ID);
    assert_eq!(claims["iat"], START);
    assert_eq!(claims["exp"], START + 120);
    assert_eq!(claims["sub"], id_token["sub"]);
    assert_eq!(claims["sid"], id_token["sid"]);
    assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    assert!(claims["jti"].as_str().is_some_and(|jti| !jti.is_empty()));
    assert!(claims.get("nonce").is_none());

    browser.get(&logout_path(&tokens["id_token"])).await;
    assert!(received.try_recv().is_err(), "a session ends once");
}

#[tokio::test]
async fn a_person_who_never_reached_the_client_is_not_announced() {
    let (uri, mut received) = client(StatusCode::OK).await;
    let provider = TestProvider::start_with(|config| config.backchannel_logout_uri = Some(uri)).await;
    let mut browser = provider.browser();
    let page = browser.authorize(&[]).await;
    browser.log_in(&page, "alice", "demo").await;
    let page = browser.get("/logout").await;
    assert!(browser.post("/logout/confirm", &[("csrf", page.field("csrf"))]).await.body.contains("You are signed out"));
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn a_client_that_refuses_or_is_not_there_stops_no_logout() {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
    };
    let (refusing, _received) = client(StatusCode::BAD_REQUEST).await;
    for uri in [gone, refusing] {
        let provider = TestProvider::start_with(|config| config.backchannel_logout_uri = Some(uri)).await;
        let mut browser = provider.browser();
        let tokens = browser.tokens("openid").await;
        assert!(browser.get(&logout_path(&tokens["id_token"])).await.body.contains("You are signed out"));
        assert!(!browser.cookies.contains_key("demo_provider_session"));
    }
}

#[tokio::test]
async fn a_client_that_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    let provider = TestProvider::start_with(|config| config.backchannel_logout_uri = Some(uri)).await;
    let mut browser = provider.browser();
    let tokens = browser.tokens("openid").await;
    let path = logout_path(&tokens["id_token"]);
    let logout = tokio::time::timeout(std::time::Duration::from_secs(30), browser.get(&path));
    assert!(logout.await.unwrap().body.contains("You are signed out"));
}
