//! Known providers that are discovered, but for those with many tenants.

use super::{alice, app, assert_refused, parameters, sign_in, signed_in, start};
use crate::support::{Challenge, Client, Initiator, KnownProvider, Quirks, Reply, TestApp, start_login};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Google, which has no sign-out address, and names itself in its tokens without a scheme, unless these claims say otherwise.
async fn start_google(claims: &Value) -> KnownProvider {
    let quirks = Quirks {
        claims: json!({ "hd": "example.com" }),
        metadata_members: json!({ "end_session_endpoint": null }),
        rsa: true,
        ..Quirks::default()
    };
    let provider = KnownProvider::start(quirks).await;
    let mut all = json!({ "iss": provider.origin().trim_start_matches("http://") });
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    provider.set_claims(&all);
    provider
}

#[tokio::test]
async fn google_may_name_itself_without_a_scheme_and_is_asked_for_offline_access() {
    let provider = start_google(&json!({})).await;
    let app = app("google", &provider, &[("issuer", "{origin}")]).await;
    let (request, user) = signed_in(&app, "google", &provider).await;
    assert_eq!(user, alice());
    assert_eq!(request["access_type"], "offline");
    assert_eq!(request["scope"], "openid profile email");
    assert_eq!(request["code_challenge_method"], "S256");
    assert!(!request.contains_key("hd") && !request.contains_key("prompt"));
}

#[tokio::test]
async fn a24_google_s_tokens_name_google_with_or_without_a_scheme_and_nobody_else() {
    for (iss, accepted) in [
        ("{origin}", true),
        ("accounts.google.example", false),
        ("evil.example", false),
        ("https://evil.example", false),
        ("{origin}/", false),
    ] {
        let provider = start_google(&json!({ "iss": iss })).await;
        let app = app("google", &provider, &[("issuer", "{origin}")]).await;
        let (_, answer) = sign_in(&app.browser(), "google", &provider).await;
        if accepted {
            answer.assert_status(200);
        } else {
            assert_refused(&answer, 502, "id_token_invalid");
            assert_eq!(provider.recording.count("/userinfo"), 0, "{iss}");
        }
    }
}

#[tokio::test]
async fn google_s_domain_is_checked_in_the_token_and_not_only_asked_for() {
    for (hd, accepted) in [(json!("example.com"), true), (json!("example.org"), false), (Value::Null, false)] {
        let provider = start_google(&json!({ "hd": hd })).await;
        let app = app("google", &provider, &[("issuer", "{origin}"), ("domain", "example.com")]).await;
        let (request, answer) = sign_in(&app.browser(), "google", &provider).await;
        assert_eq!(request["hd"], "example.com");
        if accepted {
            answer.assert_status(200);
        } else {
            assert_refused(&answer, 502, "id_token_invalid");
        }
    }
}

#[tokio::test]
async fn google_s_consent_can_be_asked_for_again() {
    let provider = start_google(&json!({})).await;
    let settings = [("issuer", "{origin}"), ("prompt", "consent"), ("authorization_params", "access_type=online")];
    let app = app("google", &provider, &settings).await;
    let (request, _) = signed_in(&app, "google", &provider).await;
    assert_eq!(
        (request["prompt"].as_str(), request["access_type"].as_str()),
        ("consent", "online"),
        "the configuration goes over the preset"
    );
}

#[tokio::test]
async fn gitlab_may_be_below_a_path_and_sign_with_rsa() {
    let provider = KnownProvider::start(Quirks {
        metadata: Some("/gitlab/.well-known/openid-configuration"),
        issuer: "{origin}/gitlab",
        authorization: "/gitlab/oauth/authorize",
        token: "/gitlab/oauth/token",
        userinfo: "/gitlab/oauth/userinfo",
        revocation: "/gitlab/oauth/revoke",
        metadata_members: json!({ "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"] }),
        tokens: json!({ "expires_in": 7200, "created_at": 1_700_000_000 }),
        user: json!({ "sub": KnownProvider::SUB, "name": "Alice Example", "nickname": "alice", "preferred_username": "alice" }),
        rsa: true,
        ..Quirks::default()
    })
    .await;
    let app = app("gitlab", &provider, &[("base_url", "{origin}/gitlab/")]).await;
    let browser = app.browser();
    sign_in(&browser, "gitlab", &provider).await.1.assert_status(200);
    let session = browser.session().await;
    assert_eq!(session["user"], json!({ "sub": KnownProvider::SUB, "name": "Alice Example", "login": "alice" }));

    let gate = provider.recording.hold("/gitlab/oauth/revoke");
    assert_eq!(browser.log_out().await.json()["redirect_to"], Value::Null);
    gate.arrived().await;
    gate.release();
}

fn linkedin() -> Quirks {
    Quirks {
        metadata: Some("/oauth/.well-known/openid-configuration"),
        issuer: "{origin}/oauth",
        authorization: "/oauth/v2/authorization",
        token: "/oauth/v2/accessToken",
        userinfo: "/v2/userinfo",
        client: Client::Body,
        challenge: Challenge::Refused,
        returns_nonce: false,
        metadata_members: json!({ "code_challenge_methods_supported": null, "revocation_endpoint": null }),
        tokens: json!({ "expires_in": 5_184_000, "refresh_token": null, "scope": "email,openid,profile" }),
        rsa: true,
        ..Quirks::default()
    }
}

#[tokio::test]
async fn linkedin_is_sent_no_nonce_and_no_challenge_and_the_secret_in_the_body() {
    let provider = KnownProvider::start(linkedin()).await;
    let app = app("linkedin", &provider, &[("issuer", "{origin}/oauth")]).await;
    let (request, user) = signed_in(&app, "linkedin", &provider).await;
    assert_eq!(user, alice());
    for name in ["nonce", "code_challenge", "code_challenge_method"] {
        assert!(!request.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn what_linkedin_is_odd_about_breaks_an_ordinary_sign_in() {
    for (setting, status, code) in [("pkce", 502, "provider_misconfigured"), ("nonce", 502, "id_token_invalid")] {
        let provider = KnownProvider::start(linkedin()).await;
        let app = app("linkedin", &provider, &[("issuer", "{origin}/oauth"), (setting, "true")]).await;
        let (_, answer) = sign_in(&app.browser(), "linkedin", &provider).await;
        assert_refused(&answer, status, code);
    }
}

fn slack() -> Quirks {
    Quirks {
        authorization: "/openid/connect/authorize",
        token: "/api/openid.connect.token",
        userinfo: "/api/openid.connect.userInfo",
        challenge: Challenge::Refused,
        refusal: |_| (200, json!({ "ok": false, "error": "invalid_code" })),
        metadata_members: json!({
            "response_modes_supported": ["query"], "code_challenge_methods_supported": null, "revocation_endpoint": null,
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }),
        claims: json!({ "https://slack.com/team_id": "T0123456789" }),
        tokens: json!({ "ok": true, "expires_in": null, "refresh_token": null }),
        user: json!({ "ok": true, "sub": KnownProvider::SUB, "name": "Alice Example", "email": "alice@example.com", "email_verified": true }),
        rsa: true,
        ..Quirks::default()
    }
}

#[tokio::test]
async fn slack_is_sent_a_nonce_but_no_challenge_and_answers_in_the_address() {
    let provider = KnownProvider::start(slack()).await;
    let settings = [("issuer", "{origin}"), ("required_claims", "https%3A%2F%2Fslack.com%2Fteam_id=T0123456789")];
    let app = app("slack", &provider, &settings).await;
    let (request, user) = signed_in(&app, "slack", &provider).await;
    assert_eq!(user, alice());
    assert!(request.contains_key("nonce"));
    assert!(!request.contains_key("code_challenge") && !request.contains_key("response_mode"));
}

#[tokio::test]
async fn a21_slack_s_refusals_come_with_status_200_and_are_refusals() {
    let provider = KnownProvider::start(slack()).await;
    let app = app("slack", &provider, &[("issuer", "{origin}")]).await;
    let refusal = Reply::json(200, &json!({ "ok": false, "error": "bad_client_secret" }));
    for path in ["/api/openid.connect.token", "/api/openid.connect.userInfo"] {
        provider.replace(path, refusal.clone());
        let (_, answer) = sign_in(&app.browser(), "slack", &provider).await;
        let code = if path.ends_with("token") { "provider_misconfigured" } else { "provider_invalid_response" };
        assert_refused(&answer, 502, code);
        provider.recording.restore(path);
    }
    // Even if the refusal looks like a description.
    provider.replace("/api/openid.connect.userInfo", Reply::json(200, &json!({ "ok": false, "sub": KnownProvider::SUB })));
    let (_, answer) = sign_in(&app.browser(), "slack", &provider).await;
    assert_refused(&answer, 502, "provider_invalid_response");
}

#[tokio::test]
async fn a_code_that_slack_no_longer_takes_is_told_as_such() {
    let provider = KnownProvider::start(slack()).await;
    let app = app("slack", &provider, &[("issuer", "{origin}")]).await;
    provider.replace("/api/openid.connect.token", Reply::json(200, &json!({ "ok": false, "error": "invalid_code" })));
    let (_, answer) = sign_in(&app.browser(), "slack", &provider).await;
    assert_refused(&answer, 400, "code_rejected");
}

#[tokio::test]
async fn another_workspace_at_slack_is_kept_out_by_a_claim() {
    let provider = KnownProvider::start(slack()).await;
    let settings = [("issuer", "{origin}"), ("required_claims", "https%3A%2F%2Fslack.com%2Fteam_id=T9999999999")];
    let app = app("slack", &provider, &settings).await;
    let (_, answer) = sign_in(&app.browser(), "slack", &provider).await;
    assert_refused(&answer, 502, "id_token_invalid");
}

const TEAM: &str = "ABCDE12345";
const KEY_ID: &str = "KEY1234567";

/// Apple, and the key that an app was given, in PEM.
async fn start_apple() -> (KnownProvider, String) {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap();
    let quirks = Quirks {
        authorization: "/auth/authorize",
        token: "/auth/token",
        revocation: "/auth/revoke",
        client: Client::AppleToken { team: TEAM, key_id: KEY_ID, public_key: pair.public_key().as_ref().to_vec() },
        metadata_members: json!({
            "userinfo_endpoint": null, "code_challenge_methods_supported": null,
            "response_modes_supported": ["query", "fragment", "form_post"], "scopes_supported": ["openid", "email", "name"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }),
        // Addresses and truths as Apple writes them.
        claims: json!({ "email": "abc@privaterelay.appleid.com", "email_verified": "true", "is_private_email": "true" }),
        rsa: true,
        ..Quirks::default()
    };
    let lines: Vec<_> =
        STANDARD.encode(document.as_ref()).as_bytes().chunks(64).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", lines.join("\n"));
    (KnownProvider::start(quirks).await, pem)
}

async fn apple_app(provider: &KnownProvider, pem: &str, team: &str) -> TestApp {
    let builder = TestApp::builder().public_url("https://app.example").variable("OAUTH2FLOW_PROVIDERS_APPLE_PRIVATE_KEY", pem);
    start("apple", provider, &[("issuer", "{origin}"), ("team_id", team), ("key_id", KEY_ID)], builder).await
}

#[tokio::test]
async fn apple_posts_its_answer_and_gets_a_fresh_token_for_a_secret() {
    let (provider, pem) = start_apple().await;
    let app = apple_app(&provider, &pem, TEAM).await;
    let browser = app.browser();
    for (posted, name) in [
        (Some(json!({ "name": { "firstName": "Alice", "lastName": "Example" }, "email": "mallory@example.com" })), json!("Alice Example")),
        // From the second time on there is no name.
        (None, Value::Null),
    ] {
        let url = start_login(&browser, "apple", "/account").await;
        let request = parameters(&url);
        assert_eq!(request["response_mode"], "form_post");
        assert_eq!(request["scope"], "openid email name");
        assert_eq!(request["redirect_uri"], "https://app.example/api/v1/oauth/code");
        assert!(request.contains_key("nonce") && request.contains_key("code_challenge"));

        let mut fields: Vec<_> = provider.authorize(&url).query_pairs().into_owned().collect();
        fields.extend(posted.map(|user| ("user".to_owned(), user.to_string())));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = browser.submit("/api/v1/oauth/code", &fields).from(Initiator::CrossSite).send().await;
        assert_eq!(answer.status, 200, "{:?}", answer.headers);
        let user = browser.session().await["user"].clone();
        assert_eq!(user["sub"], KnownProvider::SUB);
        assert_eq!((&user["email"], &user["email_verified"]), (&json!("abc@privaterelay.appleid.com"), &json!(true)), "what is signed");
        assert_eq!(user["name"], name);
        app.clock.advance_seconds(1);
    }
    let secrets: Vec<_> = provider.recording.received("/auth/token").iter().map(|request| request.form("client_secret").unwrap()).collect();
    assert_ne!(secrets[0], secrets[1], "each request has a token of its own");

    let gate = provider.recording.hold("/auth/revoke");
    browser.log_out().await.assert_status(200);
    gate.arrived().await;
    assert_eq!(provider.recording.received("/auth/revoke")[0].form("client_secret").unwrap().split('.').count(), 3);
    gate.release();
}

#[tokio::test]
async fn apple_does_not_take_a_token_of_another_team() {
    let (provider, pem) = start_apple().await;
    let app = apple_app(&provider, &pem, "ZZZZZ99999").await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "apple", "/").await);
    let fields: Vec<_> = callback.query_pairs().into_owned().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.submit("/api/v1/oauth/code", &fields).from(Initiator::CrossSite).send().await;
    answer.assert_problem_page("provider_misconfigured");
}
