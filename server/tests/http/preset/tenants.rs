//! Known providers of which everybody has one of their own: tenants, realms, organizations.

use super::{alice, app, assert_refused, sign_in, signed_in};
use crate::support::{Initiator, KnownProvider, Quirks, start_login};
use serde_json::{Value, json};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const OTHER_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The address that all tenants of Entra share, as its documents have it.
fn entra() -> Quirks {
    Quirks {
        metadata: Some("/common/v2.0/.well-known/openid-configuration"),
        // To the letter.
        issuer: "{origin}/{tenantid}/v2.0",
        authorization: "/common/oauth2/v2.0/authorize",
        token: "/common/oauth2/v2.0/token",
        // It is at Microsoft Graph, and wants a token for that.
        userinfo: "/oidc/userinfo",
        metadata_members: json!({ "code_challenge_methods_supported": null, "revocation_endpoint": null, "end_session_endpoint": "{origin}/logout" }),
        claims: json!({
            "iss": format!("{{origin}}/{TENANT}/v2.0"), "tid": TENANT, "oid": "00000000-0000-0000-66f3-3332eca7ea81",
            "name": "Alice Example", "preferred_username": "alice@contoso.example", "email": "alice@contoso.example",
        }),
        key_members: json!({ "issuer": "{origin}/{tenantid}/v2.0" }),
        rsa: true,
        ..Quirks::default()
    }
}

const SHARED: [(&str, &str); 1] = [("issuer", "{origin}/common/v2.0")];

#[tokio::test]
async fn a_user_of_any_tenant_of_entra_signs_in_with_the_tenant_s_own_issuer() {
    let provider = KnownProvider::start(entra()).await;
    let app = app("entra", &provider, &SHARED).await;
    let (request, user) = signed_in(&app, "entra", &provider).await;
    assert_eq!(
        user,
        json!({ "sub": KnownProvider::SUB, "name": "Alice Example", "login": "alice@contoso.example", "email": "alice@contoso.example" }),
        "nobody has said that the address is verified"
    );
    assert_eq!(request["scope"], "openid profile email offline_access");
    assert_eq!(request["code_challenge_method"], "S256", "though the metadata leaves it out");
    assert_eq!(provider.recording.count("/oidc/userinfo"), 0, "the token may be for another API");
}

#[tokio::test]
async fn a24_a_token_of_entra_names_the_tenant_that_it_is_from() {
    for claims in [
        json!({ "tid": OTHER_TENANT }),
        json!({ "tid": null }),
        json!({ "tid": "common", "iss": "{origin}/common/v2.0" }),
        json!({ "iss": "{origin}/common/v2.0" }),
        json!({ "iss": "{origin}/{tenantid}/v2.0" }),
        json!({ "tid": "{tenantid}", "iss": "{origin}/{tenantid}/v2.0" }),
        json!({ "iss": format!("https://evil.example/{TENANT}/v2.0") }),
        json!({ "iss": format!("{{origin}}/{TENANT}/v2.0/") }),
    ] {
        let provider = KnownProvider::start(entra()).await;
        provider.set_claims(&claims);
        let app = app("entra", &provider, &SHARED).await;
        let (_, answer) = sign_in(&app.browser(), "entra", &provider).await;
        assert_refused(&answer, 502, "id_token_invalid");
    }
}

#[tokio::test]
async fn a_key_of_one_tenant_of_entra_signs_for_no_other() {
    for (issuer, accepted) in [(format!("{{origin}}/{TENANT}/v2.0"), true), (format!("{{origin}}/{OTHER_TENANT}/v2.0"), false)] {
        let provider = KnownProvider::start(Quirks { key_members: json!({ "issuer": issuer }), ..entra() }).await;
        let app = app("entra", &provider, &SHARED).await;
        let (_, answer) = sign_in(&app.browser(), "entra", &provider).await;
        if accepted {
            answer.assert_status(200);
        } else {
            assert_refused(&answer, 502, "id_token_invalid");
        }
    }
}

#[tokio::test]
async fn a_single_tenant_of_entra_lets_in_nobody_else() {
    for (tenant, accepted) in [(TENANT, true), (OTHER_TENANT, false)] {
        let provider = KnownProvider::start(Quirks {
            metadata: Some("/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0/.well-known/openid-configuration"),
            issuer: "{origin}/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
            ..entra()
        })
        .await;
        provider.set_claims(&json!({ "tid": tenant, "iss": format!("{{origin}}/{tenant}/v2.0") }));
        let app = app("entra", &provider, &[("issuer", "{origin}/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0")]).await;
        let (_, answer) = sign_in(&app.browser(), "entra", &provider).await;
        if accepted {
            answer.assert_status(200);
        } else {
            assert_refused(&answer, 502, "id_token_invalid");
        }
    }
}

fn keycloak() -> Quirks {
    Quirks {
        metadata: Some("/auth/realms/staff/.well-known/openid-configuration"),
        issuer: "{origin}/auth/realms/staff",
        authorization: "/auth/realms/staff/protocol/openid-connect/auth",
        token: "/auth/realms/staff/protocol/openid-connect/token",
        userinfo: "/auth/realms/staff/protocol/openid-connect/userinfo",
        response_iss: Some("{origin}/auth/realms/staff"),
        // It stands in every answer, and means nothing to this flow.
        suffix: "&session_state=5a1c0b8e-1f1f-4c93-9a6e-4d5f0c7f2f11",
        metadata_members: json!({
            "authorization_response_iss_parameter_supported": true, "end_session_endpoint": "{origin}/auth/realms/staff/protocol/openid-connect/logout",
        }),
        tokens: json!({ "session_state": "5a1c0b8e-1f1f-4c93-9a6e-4d5f0c7f2f11", "not-before-policy": 0, "refresh_expires_in": 1800 }),
        ..Quirks::default()
    }
}

const REALM: [(&str, &str); 2] = [("base_url", "{origin}/auth"), ("realm", "staff")];

#[tokio::test]
async fn a_realm_of_keycloak_is_found_by_its_name_and_signs_people_out_there_too() {
    let provider = KnownProvider::start(keycloak()).await;
    let app = app("keycloak", &provider, &REALM).await;
    let browser = app.browser();
    sign_in(&browser, "keycloak", &provider).await.1.assert_status(200);
    assert_eq!(browser.session().await["user"], alice());
    let redirect_to = browser.log_out().await.json()["redirect_to"].as_str().unwrap().to_owned();
    assert!(redirect_to.starts_with(&format!("{}/auth/realms/staff/protocol/openid-connect/logout?", provider.origin())), "{redirect_to}");
    assert!(redirect_to.contains("id_token_hint="), "{redirect_to}");
}

#[tokio::test]
async fn the_server_callback_takes_keycloak_s_session_state_too() {
    let provider = KnownProvider::start(keycloak()).await;
    let settings: Vec<_> = REALM.into_iter().chain([("server_callback", "true")]).collect();
    let app = app("keycloak", &provider, &settings).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "keycloak", "/").await);
    assert!(callback.query().unwrap().contains("session_state="));
    browser.navigate(callback.as_str()).from(Initiator::CrossSite).send().await.assert_status(200);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn a15_a_client_of_keycloak_that_leaves_iss_out_needs_that_said() {
    let excluded = || Quirks { response_iss: None, ..keycloak() };
    let provider = KnownProvider::start(excluded()).await;
    let strict = app("keycloak", &provider, &REALM).await;
    let (_, answer) = sign_in(&strict.browser(), "keycloak", &provider).await;
    assert_refused(&answer, 400, "issuer_mismatch");
    assert_eq!(provider.recording.count("/auth/realms/staff/protocol/openid-connect/token"), 0);

    let provider = KnownProvider::start(excluded()).await;
    let settings: Vec<_> = REALM.into_iter().chain([("iss_policy", "ignore")]).collect();
    let lenient = app("keycloak", &provider, &settings).await;
    signed_in(&lenient, "keycloak", &provider).await;

    // A wrong one is refused even then.
    let provider = KnownProvider::start(Quirks { response_iss: Some("{origin}/auth/realms/other"), ..keycloak() }).await;
    let lenient = app("keycloak", &provider, &settings).await;
    let (_, answer) = sign_in(&lenient.browser(), "keycloak", &provider).await;
    assert_refused(&answer, 400, "issuer_mismatch");
}

#[tokio::test]
async fn a_tenant_of_auth0_has_a_slash_at_the_end_of_its_issuer() {
    let auth0 = || Quirks { issuer: "{origin}/", metadata_members: json!({ "end_session_endpoint": null }), ..Quirks::default() };
    let provider = KnownProvider::start(auth0()).await;
    let with_slash =
        app("auth0", &provider, &[("issuer", "{origin}/"), ("authorization_params", "audience=https://api.example.com")]).await;
    let browser = with_slash.browser();
    let (request, answer) = sign_in(&browser, "auth0", &provider).await;
    answer.assert_status(200);
    assert_eq!(request["audience"], "https://api.example.com");
    // Whether there is a sign-out address is a switch of the tenant.
    assert_eq!(browser.log_out().await.json()["redirect_to"], Value::Null);

    let provider = KnownProvider::start(auth0()).await;
    let without_slash = app("auth0", &provider, &[("issuer", "{origin}")]).await;
    let started = without_slash.browser().navigate("/api/v1/oauth/login").send().await;
    started.assert_problem_page("provider_misconfigured");
}

#[tokio::test]
async fn both_kinds_of_servers_of_okta_sign_people_in_and_out() {
    for (metadata, issuer, setting) in [
        ("/.well-known/openid-configuration", "{origin}", "{origin}"),
        ("/oauth2/default/.well-known/openid-configuration", "{origin}/oauth2/default", "{origin}/oauth2/default"),
    ] {
        let provider = KnownProvider::start(Quirks {
            metadata: Some(metadata),
            issuer,
            authorization: "/oauth2/v1/authorize",
            token: "/oauth2/v1/token",
            userinfo: "/oauth2/v1/userinfo",
            metadata_members: json!({ "end_session_endpoint": "{origin}/oauth2/v1/logout" }),
            rsa: true,
            ..Quirks::default()
        })
        .await;
        let app = app("okta", &provider, &[("issuer", setting)]).await;
        let browser = app.browser();
        sign_in(&browser, "okta", &provider).await.1.assert_status(200);
        let redirect_to = browser.log_out().await.json()["redirect_to"].as_str().unwrap().to_owned();
        assert!(redirect_to.starts_with(&format!("{}/oauth2/v1/logout?", provider.origin())), "{redirect_to}");
        assert!(redirect_to.contains("id_token_hint=ey"), "it insists on that: {redirect_to}");
    }
}
