//! Known providers that speak OAuth 2.0 only, and those with metadata but without ID tokens. GitHub has a file of its own.

use super::{app, assert_refused, sign_in, signed_in, start};
use crate::support::{Challenge, Client, KnownProvider, Quirks, Reply, TestApp, Upstream};
use axum::http::Method;
use serde_json::{Value, json};

/// What providers without ID tokens have in common.
fn plain() -> Quirks {
    Quirks { metadata: None, claims: Value::Null, ..Quirks::default() }
}

fn discord() -> Quirks {
    Quirks {
        authorization: "/oauth2/authorize",
        token: "/api/oauth2/token",
        userinfo: "/api/users/@me",
        revocation: "/api/oauth2/token/revoke",
        response_iss: Some("{origin}"),
        tokens: json!({ "expires_in": 604_800, "scope": "identify email" }),
        user: json!({
            "id": "80351110224678912", "username": "alice", "global_name": "Alice Example", "discriminator": "0",
            "avatar": "8342729096ea3675442027381ff50dfe", "email": "alice@example.com", "verified": true,
        }),
        ..plain()
    }
}

const DISCORD: [(&str, &str); 2] = [("web_url", "{origin}"), ("api_url", "{origin}/api")];

#[tokio::test]
async fn discord_says_whether_the_address_is_verified() {
    for (verified, expected) in [(json!(true), json!(true)), (json!(false), json!(false)), (Value::Null, Value::Null)] {
        let mut quirks = discord();
        quirks.user["verified"] = verified;
        let provider = KnownProvider::start(quirks).await;
        let app = app("discord", &provider, &DISCORD).await;
        let (request, user) = signed_in(&app, "discord", &provider).await;
        assert_eq!(request["scope"], "identify email");
        assert_eq!((&user["sub"], &user["name"], &user["login"]), (&json!("80351110224678912"), &json!("Alice Example"), &json!("alice")));
        assert_eq!((&user["email"], &user["email_verified"]), (&json!("alice@example.com"), &expected));
        assert_eq!(user.get("picture"), None, "a hash is no address");
    }
}

#[tokio::test]
async fn a14_a15_discord_s_iss_is_its_own_and_never_missing() {
    for response_iss in [Some("{origin}/"), None] {
        let provider = KnownProvider::start(Quirks { response_iss, ..discord() }).await;
        let app = app("discord", &provider, &DISCORD).await;
        let (_, answer) = sign_in(&app.browser(), "discord", &provider).await;
        assert_refused(&answer, 400, "issuer_mismatch");
        assert_eq!(provider.recording.count("/api/oauth2/token"), 0);
    }
}

#[tokio::test]
async fn signing_out_takes_discord_s_token_back() {
    let provider = KnownProvider::start(discord()).await;
    let app = app("discord", &provider, &DISCORD).await;
    let browser = app.browser();
    sign_in(&browser, "discord", &provider).await.1.assert_status(200);
    let gate = provider.recording.hold("/api/oauth2/token/revoke");
    browser.log_out().await.assert_status(200);
    gate.arrived().await;
    gate.release();
}

fn facebook() -> Quirks {
    Quirks {
        authorization: "/v25.0/dialog/oauth",
        token: "/graph/v25.0/oauth/access_token",
        userinfo: "/graph/v25.0/me",
        client: Client::Body,
        suffix: "#_=_",
        refusal: |_| {
            (
                400,
                json!({ "error": { "message": "Error validating client secret.", "type": "OAuthException", "code": 1, "fbtrace_id": "A" } }),
            )
        },
        tokens: json!({ "token_type": "bearer", "expires_in": 5_183_944, "refresh_token": null }),
        user: json!({
            "id": "10161234567890123", "name": "Alice Example",
            "picture": { "data": { "height": 50, "is_silhouette": false, "url": "https://platform-lookaside.fbsbx.com/platform/profilepic/?asid=1" } },
        }),
        ..plain()
    }
}

const FACEBOOK: [(&str, &str); 2] = [("web_url", "{origin}/v25.0"), ("api_url", "{origin}/graph/v25.0")];

#[tokio::test]
async fn a_person_at_facebook_comes_back_with_a_fragment_and_maybe_without_an_address() {
    let provider = KnownProvider::start(facebook()).await;
    let app = app("facebook", &provider, &FACEBOOK).await;
    let browser = app.browser();
    let (request, answer) = sign_in(&browser, "facebook", &provider).await;
    answer.assert_status(200);
    assert_eq!(request["scope"], "public_profile email");
    let session = browser.session().await;
    let picture = "https://platform-lookaside.fbsbx.com/platform/profilepic/?asid=1";
    assert_eq!(session["user"], json!({ "sub": "10161234567890123", "name": "Alice Example", "picture": picture }));
    assert_eq!(session["access_token"]["refreshable"], false);
    let asked = &provider.recording.only("/graph/v25.0/me");
    assert_eq!(asked.uri.query(), Some("fields=id,name,email,picture"), "what is not named is not sent");
    assert!(asked.header("authorization").unwrap().starts_with("Bearer "), "not in the address");
}

#[tokio::test]
async fn facebook_s_errors_are_objects_and_no_less_errors() {
    let provider = KnownProvider::start(facebook()).await;
    let app = app("facebook", &provider, &FACEBOOK).await;
    let error = json!({ "error": { "message": "An active access token must be used.", "type": "OAuthException", "code": 2500 } });
    for status in [200, 400] {
        provider.replace("/graph/v25.0/oauth/access_token", Reply::json(status, &error));
        let (_, answer) = sign_in(&app.browser(), "facebook", &provider).await;
        assert_refused(&answer, 502, "provider_misconfigured");
        provider.recording.restore("/graph/v25.0/oauth/access_token");

        provider.replace("/graph/v25.0/me", Reply::json(status, &error));
        let (_, answer) = sign_in(&app.browser(), "facebook", &provider).await;
        assert_refused(&answer, 502, "provider_invalid_response");
        provider.recording.restore("/graph/v25.0/me");
    }
}

fn x() -> Quirks {
    Quirks {
        authorization: "/i/oauth2/authorize",
        token: "/2/oauth2/token",
        userinfo: "/2/users/me",
        revocation: "/2/oauth2/revoke",
        challenge: Challenge::Required,
        tokens: json!({ "token_type": "bearer", "expires_in": 7200, "scope": "users.read tweet.read offline.access" }),
        user: json!({
            "data": {
                "id": "2244994945", "name": "Alice Example", "username": "alice",
                "profile_image_url": "https://pbs.twimg.com/profile_images/1/normal.jpg",
            },
        }),
        ..plain()
    }
}

const HOSTS_OF_X: [(&str, &str); 2] = [("web_url", "{origin}"), ("api_url", "{origin}/2")];

#[tokio::test]
async fn x_wraps_the_user_wants_a_challenge_and_renews_with_the_secret_in_the_header() {
    let (provider, upstream) = (KnownProvider::start(x()).await, Upstream::start().await);
    let builder = TestApp::builder().upstream("api", &upstream).set("session.idle", "3h");
    let app = start("x", &provider, &HOSTS_OF_X, builder).await;
    let browser = app.browser();
    let (request, answer) = sign_in(&browser, "x", &provider).await;
    answer.assert_status(200);
    assert_eq!(request["scope"], "users.read tweet.read offline.access");
    let session = browser.session().await;
    let picture = "https://pbs.twimg.com/profile_images/1/normal.jpg";
    assert_eq!(session["user"], json!({ "sub": "2244994945", "name": "Alice Example", "login": "alice", "picture": picture }));
    assert_eq!(session["access_token"]["refreshable"], true);
    assert_eq!(provider.recording.only("/2/users/me").uri.query(), Some("user.fields=profile_image_url"));

    app.clock.advance_seconds(7200);
    browser.call(Method::GET, "/api/v1/proxy/api/").send().await.assert_status(200);
    let renewal = provider.recording.received("/2/oauth2/token").pop().unwrap();
    assert_eq!(renewal.form("grant_type").as_deref(), Some("refresh_token"));
    assert!(renewal.header("authorization").unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn a_user_of_x_without_data_is_nobody() {
    for user in [json!({ "id": "2244994945" }), json!({ "data": {} }), json!({ "errors": [{ "title": "Forbidden" }] })] {
        let provider = KnownProvider::start(Quirks { user, ..x() }).await;
        let app = app("x", &provider, &HOSTS_OF_X).await;
        let (_, answer) = sign_in(&app.browser(), "x", &provider).await;
        assert_refused(&answer, 502, "provider_invalid_response");
    }
}

/// A server with metadata of RFC 8414 and nothing of OpenID Connect.
fn with_metadata(metadata: &'static str) -> Quirks {
    Quirks {
        metadata: Some(metadata),
        issuer: "{origin}/tenant",
        metadata_members: json!({
            "jwks_uri": null, "userinfo_endpoint": null, "id_token_signing_alg_values_supported": null, "subject_types_supported": null,
            "authorization_response_iss_parameter_supported": true,
        }),
        response_iss: Some("{origin}/tenant"),
        userinfo: "/api/me",
        user: json!({ "account": { "number": 42 }, "display": "Alice Example" }),
        claims: Value::Null,
        ..Quirks::default()
    }
}

const METADATA: [(&str, &str); 6] = [
    ("issuer", "{origin}/tenant"),
    ("metadata", "oauth"),
    ("userinfo_url", "{origin}/api/me"),
    ("user.id", "account.number"),
    ("user.name", "display"),
    ("scopes", "profile"),
];

#[tokio::test]
async fn an_oauth_server_is_found_by_its_metadata_wherever_that_is() {
    for metadata in [
        "/.well-known/oauth-authorization-server/tenant",
        "/tenant/.well-known/oauth-authorization-server",
        "/tenant/.well-known/openid-configuration",
    ] {
        let provider = KnownProvider::start(with_metadata(metadata)).await;
        let app = app("oauth", &provider, &METADATA).await;
        let browser = app.browser();
        let (request, answer) = sign_in(&browser, "oauth", &provider).await;
        answer.assert_status(200);
        assert_eq!(request["scope"], "profile", "{metadata}");
        assert!(!request.contains_key("nonce"));
        assert_eq!(browser.session().await["user"], json!({ "sub": "42", "name": "Alice Example" }));
        let gate = provider.recording.hold("/revoke");
        browser.log_out().await.assert_status(200);
        gate.arrived().await;
        gate.release();
    }
}

#[tokio::test]
async fn a8_metadata_of_an_oauth_server_with_another_issuer_is_not_used() {
    let quirks = Quirks { issuer: "{origin}/tenant/", ..with_metadata("/.well-known/oauth-authorization-server/tenant") };
    let provider = KnownProvider::start(quirks).await;
    let app = app("oauth", &provider, &METADATA).await;
    let started = app.browser().navigate("/api/v1/oauth/login").send().await;
    started.assert_problem_page("provider_misconfigured");
}

#[tokio::test]
async fn a15_an_oauth_server_that_promises_iss_has_to_send_it() {
    let quirks = Quirks { response_iss: None, ..with_metadata("/.well-known/oauth-authorization-server/tenant") };
    let provider = KnownProvider::start(quirks).await;
    let app = app("oauth", &provider, &METADATA).await;
    let (_, answer) = sign_in(&app.browser(), "oauth", &provider).await;
    assert_refused(&answer, 400, "issuer_mismatch");
}
