//! A provider's metadata names addresses that are not its own.

use crate::support::{StandInProvider, TestApp, Upstream};
use axum::http::Method;

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
            let answer = app.browser().call(Method::GET, "/api/v1/oauth/login").send().await;
            answer.assert_problem(502, "provider_invalid_response");
            assert!(answer.set_cookies().is_empty(), "{name}: {address}");
            app.clock.advance_seconds(2);
        }
    }
}

#[tokio::test]
async fn no_redirect_of_a_provider_s_is_followed() {
    let internal = Upstream::start().await;
    for status in [301, 302, 303, 307, 308] {
        let provider = StandInProvider::start().await;
        let app = TestApp::with_provider(&provider).await;
        let reply = crate::support::Reply::redirect(status, format!("{}/.well-known/openid-configuration", internal.origin()));
        provider.replace(crate::support::Endpoint::Metadata, reply);
        app.browser().call(Method::GET, "/api/v1/oauth/login").send().await.assert_problem(502, "provider_invalid_response");
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
        provider.sign_with_unpublished(crate::support::SigningKey::es256("of-the-attacker"));
        provider.edit_header(move |header| header[name] = address.as_str().into());
        let browser = app.browser();
        let callback = provider.authorize(&crate::support::start_login(&browser, "alpha", "/").await);
        browser.finish(&callback).await.assert_problem(502, "id_token_invalid");
    }
    assert_eq!(attacker.count(), 0);
}
