//! The refresh of an access token. [RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)

use std::time::Duration;

use oauth2flow_protocol::SigningAlgorithm::Es256;
use oauth2flow_protocol::id_token::{IdTokenError, IdTokenIdentity};
use oauth2flow_protocol::provider::{ClientAuth, IssuerRule};
use oauth2flow_protocol::refresh::{self, PendingRefresh, RefreshError};
use oauth2flow_protocol::token::TokenError;
use oauth2flow_protocol::{
    Method, OutboundRequest, OutboundResponse, Provider, ProviderMetadata, RefreshToken, TokenResponse, ValidatedIdToken, preset,
};
use serde_json::{Value, json};

use crate::client_key::{client_key, verified};
use crate::signing_key::{SigningKey, access_token_hash, key_set};
use crate::support::{
    ACCESS_TOKEN, CLIENT_ID, ISSUER, Login, SUBJECT, after, assert_not_implemented, assert_rejected, client_secret, form, json_response,
    metadata, now, openid_provider, response, token_answer, with_context,
};

const OLD_REFRESH_TOKEN: &str = "the old refresh token+/";

fn request(provider: &Provider, metadata: &ProviderMetadata, token: &RefreshToken, scopes: &[&str]) -> (OutboundRequest, PendingRefresh) {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
    with_context(1, |context| refresh::request(provider, metadata, token, &scopes, None, None, context)).unwrap()
}

fn process(answer: &OutboundResponse) -> Result<TokenResponse, RefreshError> {
    let token = RefreshToken::new(OLD_REFRESH_TOKEN.to_owned());
    request(&openid_provider(), &metadata(), &token, &["openid", "notes"]).1.process(answer, now())
}

fn original() -> IdTokenIdentity {
    IdTokenIdentity { issuer: ISSUER.to_owned(), subject: SUBJECT.to_owned(), audience: vec![CLIENT_ID.to_owned()] }
}

/// What becomes of the ID token of a refresh, its claims changed from those of the login.
fn judge(original: &IdTokenIdentity, change: impl FnOnce(&mut Value)) -> Result<Option<ValidatedIdToken>, RefreshError> {
    let mut login = Login::openid();
    login.provider.trusted_audiences = vec!["api".to_owned()];
    let key = SigningKey::es256("key-1");
    let mut claims = login.claims();
    // A refresh sends no nonce, and the ID token should not have one (Core §12.2).
    claims.as_object_mut().unwrap().remove("nonce");
    change(&mut claims);
    let mut answer = token_answer();
    answer["id_token"] = json!(key.sign(&claims));
    let tokens = process(&json_response(&answer)).unwrap();
    refresh::validate_id_token(&login.provider, &login.metadata, &tokens, original, &key_set(&[&key]), now())
}

#[test]
fn a38_the_refresh_request_is_the_one_of_the_specification() {
    let token = RefreshToken::new(OLD_REFRESH_TOKEN.to_owned());

    let (request, _) = request(&openid_provider(), &metadata(), &token, &[]);

    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url.as_str(), "https://login.example/tenant/token");
    assert_eq!(request.header("authorization"), Some("Basic YXBwLTE6YStjbGllbnQlMjdzK3NlY3JldA=="));
    let form = form(&request);
    assert_eq!(form.len(), 2, "{form:?}");
    assert_eq!(form["grant_type"], "refresh_token");
    assert_eq!(form["refresh_token"], OLD_REFRESH_TOKEN);
}

#[test]
fn a38_new_tokens_replace_the_old_ones() {
    let tokens = process(&json_response(&token_answer())).unwrap();

    assert_eq!(tokens.access_token.expose(), ACCESS_TOKEN);
    assert_eq!(tokens.refresh_token.unwrap().expose(), "refresh-token-from-the-provider");
    assert_eq!(tokens.scopes, ["openid", "profile", "email"]);
    assert_eq!(tokens.expires_at, Some(after(Duration::from_hours(1))));
}

#[test]
fn a38_what_the_answer_leaves_out_stays() {
    let tokens = process(&json_response(&json!({ "access_token": ACCESS_TOKEN, "token_type": "bearer" }))).unwrap();

    assert_eq!(tokens.refresh_token.unwrap().expose(), OLD_REFRESH_TOKEN);
    assert_eq!(tokens.scopes, ["openid", "notes"]);
    assert!(tokens.id_token.is_none());
}

#[test]
fn a38_an_answer_belongs_to_one_refresh() {
    assert_not_implemented!(PendingRefresh, Clone);
}

#[test]
fn a39_only_invalid_grant_ends_a_session() {
    let ends = |status: u16, body: &str| process(&response(status, "application/json", body)).unwrap_err().is_invalid_grant();

    assert!(ends(400, r#"{"error":"invalid_grant"}"#));
    assert!(ends(401, r#"{"error":"invalid_grant","error_description":"Token has been revoked"}"#));
    assert!(ends(200, r#"{"error":"bad_refresh_token"}"#));
    for (status, body) in [
        (400, r#"{"error":"invalid_client"}"#),
        (401, r#"{"error":"invalid_client"}"#),
        (400, r#"{"error":"unauthorized_client"}"#),
        (400, r#"{"error":"invalid_request"}"#),
        (400, r#"{"error":"temporarily_unavailable"}"#),
        (400, r#"{"error":"invalid_grant_of_another_kind"}"#),
        (400, r#"{"error":{"code":"invalid_grant"}}"#),
        (400, r#"{"error_description":"invalid_grant"}"#),
        (400, "invalid_grant"),
        (401, "{}"),
        (500, r#"{"error":"invalid_grant"}"#),
        (503, r#"{"error":"invalid_grant"}"#),
        (429, r#"{"error":"invalid_grant"}"#),
        (200, "{}"),
        (200, "<html>"),
    ] {
        assert!(!ends(status, body), "{status} {body}");
    }
    assert!(!process(&response(200, "text/html", "<html>")).unwrap_err().is_invalid_grant());
}

#[test]
fn a39_a_bad_answer_is_judged_as_that_of_an_exchange() {
    assert_rejected!(
        process(&response(200, "application/json", r#"{"token_type":"bearer"}"#)),
        RefreshError::Token(TokenError::MissingMember("access_token"))
    );
    assert_rejected!(process(&response(502, "text/html", "")), RefreshError::Token(TokenError::Unavailable { status: 502 }));
}

#[test]
fn a32_a_refreshed_id_token_that_keeps_iss_sub_and_aud_is_accepted() {
    let token = judge(&original(), |_| {}).unwrap().unwrap();

    assert_eq!(token.identity(), original());
}

#[test]
fn a32_the_nonce_of_the_login_may_come_back() {
    assert!(judge(&original(), |claims| claims["nonce"] = json!("whatever it was")).is_ok());
}

#[test]
fn a32_a_refresh_without_an_id_token_is_fine() {
    let login = Login::openid();
    let tokens = process(&json_response(&token_answer())).unwrap();

    let result = refresh::validate_id_token(&login.provider, &login.metadata, &tokens, &original(), &key_set(&[]), now());

    assert!(matches!(result, Ok(None)), "{result:?}");
}

#[test]
fn b_refresh_token_invalid_issuer_is_rejected() {
    assert_rejected!(
        judge(&original(), |claims| claims["iss"] = json!("https://evil.example")),
        RefreshError::IdToken(IdTokenError::IssuerMismatch)
    );
}

#[test]
fn a32_the_issuer_is_the_logins_even_when_the_configuration_has_changed() {
    let mut earlier = original();
    earlier.issuer = "https://earlier.example".to_owned();

    assert_rejected!(judge(&earlier, |_| {}), RefreshError::IdToken(IdTokenError::IssuerMismatch));
}

#[test]
fn b_refresh_token_invalid_sub_is_rejected() {
    assert_rejected!(judge(&original(), |claims| claims["sub"] = json!("somebody-else")), RefreshError::SubjectChanged);
    assert_rejected!(judge(&original(), |claims| claims["sub"] = json!(null)), RefreshError::IdToken(IdTokenError::MissingClaim("sub")));
}

#[test]
fn a32_another_audience_is_rejected() {
    let more = |claims: &mut Value| {
        claims["aud"] = json!(["api", CLIENT_ID]);
        claims["azp"] = json!(CLIENT_ID);
    };
    let mut both = original();
    both.audience = vec![CLIENT_ID.to_owned(), "api".to_owned()];

    assert_rejected!(judge(&original(), more), RefreshError::AudienceChanged);
    assert_rejected!(judge(&both, |_| {}), RefreshError::AudienceChanged);
    assert!(judge(&both, more).is_ok(), "their order does not matter");
    assert_rejected!(judge(&original(), |claims| claims["aud"] = json!("app-2")), RefreshError::IdToken(IdTokenError::AudienceMismatch));
}

#[test]
fn a32_everything_else_is_checked_as_at_the_login() {
    assert_rejected!(judge(&original(), |claims| claims["exp"] = json!(0)), RefreshError::IdToken(IdTokenError::Expired { .. }));
    assert_rejected!(
        judge(&original(), |claims| claims["at_hash"] = json!("AAAAAAAAAAAAAAAAAAAAAA")),
        RefreshError::IdToken(IdTokenError::AccessTokenHashMismatch)
    );
    let right = access_token_hash(SigningKey::es256("any").algorithm(), ACCESS_TOKEN);
    assert!(judge(&original(), |claims| claims["at_hash"] = json!(right)).is_ok());
}

#[test]
fn a31_a_refreshed_id_token_of_an_unknown_key_asks_for_fresh_keys() {
    let login = Login::openid();
    let (old, new) = (SigningKey::es256("old"), SigningKey::es256("new"));
    let mut answer = token_answer();
    answer["id_token"] = json!(new.sign(&login.claims()));
    let tokens = process(&json_response(&answer)).unwrap();
    let judge =
        |keys: &[&SigningKey]| refresh::validate_id_token(&login.provider, &login.metadata, &tokens, &original(), &key_set(keys), now());

    assert!(judge(&[&old]).unwrap_err().wants_fresh_keys());
    assert!(judge(&[&old, &new]).is_ok());
}

#[test]
fn github_sends_both_new_tokens_and_the_scopes_with_commas() {
    let provider = preset::github("id", client_secret()).unwrap();
    let token = RefreshToken::new("ghr_old".to_owned());
    let (request, pending) = request(&provider, &provider.fixed_metadata().unwrap(), &token, &["read:user"]);
    let answer = json!({
        "access_token": "ghu_new", "expires_in": 28800, "refresh_token": "ghr_new",
        "refresh_token_expires_in": 15_897_600, "scope": "", "token_type": "bearer",
    });

    let tokens = pending.process(&json_response(&answer), now()).unwrap();

    assert_eq!(form(&request)["client_secret"], "a client's secret");
    assert_eq!(tokens.access_token.expose(), "ghu_new");
    assert_eq!(tokens.refresh_token.unwrap().expose(), "ghr_new");
    assert_eq!(tokens.expires_at, Some(after(Duration::from_hours(8))));
    assert_eq!(tokens.scopes, Vec::<String>::new());
}

#[test]
fn a38_a_refresh_is_proven_like_a_code_exchange() {
    let key = client_key(Es256);
    let mut provider = openid_provider();
    (provider.client_auth, provider.client_secret, provider.signing_key) = (ClientAuth::PrivateKeyJwt, None, Some(key.clone()));
    let token = RefreshToken::new(OLD_REFRESH_TOKEN.to_owned());

    let (request, _) = request(&provider, &metadata(), &token, &[]);

    let (_, claims) = verified(&form(&request)["client_assertion"], &key.public_jwk());
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!(CLIENT_ID), &json!(ISSUER)));
}

#[test]
fn a39_a_client_that_cannot_prove_itself_ends_no_session() {
    let mut provider = openid_provider();
    provider.client_secret = None;
    let token = RefreshToken::new(OLD_REFRESH_TOKEN.to_owned());

    match with_context(1, |context| refresh::request(&provider, &metadata(), &token, &[], None, None, context)) {
        Err(error @ RefreshError::Token(TokenError::ClientAuth(_))) => {
            assert!(!error.is_invalid_grant());
            assert_eq!(error.code(), "client_auth_secret_missing");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a32_another_tenants_issuer_is_rejected_although_the_rule_allows_it_at_a_login() {
    let tenant = |digit: &str| [8, 4, 4, 4, 12].map(|length| digit.repeat(length)).join("-");
    let mut login = Login::openid();
    login.provider.issuer_rule = IssuerRule::TenantTemplate;
    login.metadata.issuer_template = Some("https://login.example/{tenantid}".to_owned());
    let key = SigningKey::es256("key-1");
    let mut claims = login.claims();
    claims.as_object_mut().unwrap().remove("nonce");
    (claims["iss"], claims["tid"]) = (json!(format!("https://login.example/{}", tenant("a"))), json!(tenant("a")));
    let mut answer = token_answer();
    answer["id_token"] = json!(key.sign(&claims));
    let tokens = process(&json_response(&answer)).unwrap();
    let judge = |tenant: String| {
        let original = IdTokenIdentity { issuer: format!("https://login.example/{tenant}"), ..original() };
        refresh::validate_id_token(&login.provider, &login.metadata, &tokens, &original, &key_set(&[&key]), now())
    };

    assert!(judge(tenant("a")).is_ok());
    assert_rejected!(judge(tenant("b")), RefreshError::IdToken(IdTokenError::IssuerMismatch));
}

#[test]
fn every_error_about_a_refresh_has_a_stable_code() {
    let code = |name: &str, value: Value| judge(&original(), |claims| claims[name] = value).unwrap_err().code();
    let mut both = original();
    both.audience.push("api".to_owned());

    assert_eq!(code("iss", json!("https://evil.example")), "id_token_issuer_mismatch");
    assert_eq!(code("sub", json!("somebody-else")), "refresh_subject_changed");
    assert_eq!(judge(&both, |_| {}).unwrap_err().code(), "refresh_audience_changed");
    assert_eq!(process(&response(200, "text/html", "")).unwrap_err().code(), "token_response_not_json");
}
