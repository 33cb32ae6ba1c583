//! The end of a session: [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009) and
//! [RP-Initiated Logout](https://openid.net/specs/openid-connect-rpinitiated-1_0.html)

use oauth2flow_protocol::SigningAlgorithm::Es256;
use oauth2flow_protocol::client_auth::ClientAuthError;
use oauth2flow_protocol::logout::{self, RevocationError, TokenToRevoke};
use oauth2flow_protocol::provider::{ClientAuth, RevocationStyle};
use oauth2flow_protocol::{AccessToken, IdToken, Method, OutboundRequest, Provider, ProviderMetadata, RefreshToken, preset};
use serde_json::json;

use crate::client_key::{client_key, verified};
use crate::support::{
    ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, ISSUER, REFRESH_TOKEN, assert_rejected, client_secret, form, metadata, metadata_with,
    oauth_provider, openid_provider, parameters, response, with_context,
};

/// The request that takes a token back, if there is one.
fn revocation_request(provider: &Provider, metadata: &ProviderMetadata, token: TokenToRevoke<'_>) -> Option<OutboundRequest> {
    with_context(1, |context| logout::revocation_request(provider, metadata, token, context)).unwrap()
}

const POST_LOGOUT_REDIRECT_URI: &str = "https://app.example/?a=b&c=%20";

fn access_token() -> AccessToken {
    AccessToken::new(ACCESS_TOKEN.to_owned())
}

fn refresh_token() -> RefreshToken {
    RefreshToken::new(REFRESH_TOKEN.to_owned())
}

#[test]
fn a42_the_refresh_token_is_revoked() {
    let request = revocation_request(&openid_provider(), &metadata(), TokenToRevoke::Refresh(&refresh_token())).unwrap();

    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url.as_str(), "https://login.example/tenant/revoke");
    assert_eq!(request.header("authorization"), Some("Basic YXBwLTE6YStjbGllbnQlMjdzK3NlY3JldA=="));
    let form = form(&request);
    assert_eq!(form.len(), 2, "{form:?}");
    assert_eq!(form["token"], REFRESH_TOKEN);
    assert_eq!(form["token_type_hint"], "refresh_token");
}

#[test]
fn a42_an_access_token_is_revoked_as_one() {
    let mut provider = openid_provider();
    provider.client_auth = ClientAuth::Post;

    let request = revocation_request(&provider, &metadata(), TokenToRevoke::Access(&access_token())).unwrap();

    assert_eq!(form(&request)["token"], ACCESS_TOKEN);
    assert_eq!(form(&request)["token_type_hint"], "access_token");
    assert_eq!(form(&request)["client_secret"], CLIENT_SECRET);
}

#[test]
fn a42_without_an_endpoint_or_against_the_configuration_nothing_is_revoked() {
    let (provider, token) = (openid_provider(), refresh_token());
    let mut unwilling = openid_provider();
    unwilling.revocation = RevocationStyle::None;

    let without_endpoint = metadata_with("revocation_endpoint", json!(null));
    assert!(revocation_request(&provider, &without_endpoint, TokenToRevoke::Refresh(&token)).is_none());
    assert!(revocation_request(&unwilling, &metadata(), TokenToRevoke::Refresh(&token)).is_none());
    let plain = oauth_provider();
    assert!(revocation_request(&plain, &plain.fixed_metadata().unwrap(), TokenToRevoke::Refresh(&token)).is_none());
}

#[test]
fn a42_githubs_token_is_deleted_with_basic_authentication() {
    let provider = preset::github("client/1", client_secret()).unwrap();
    let metadata = provider.fixed_metadata().unwrap();

    let request = revocation_request(&provider, &metadata, TokenToRevoke::Access(&access_token())).unwrap();

    assert_eq!(request.method, Method::Delete);
    assert_eq!(request.url.as_str(), "https://api.github.com/applications/client%2F1/token");
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("authorization"), Some("Basic Y2xpZW50JTJGMTphK2NsaWVudCUyN3Mrc2VjcmV0"));
    assert!(request.header("user-agent").is_some());
    assert_eq!(request.body.as_deref(), Some(r#"{"access_token":"access-token-from-the-provider"}"#));
    assert!(revocation_request(&provider, &metadata, TokenToRevoke::Refresh(&refresh_token())).is_none());
}

#[test]
fn a42_any_success_is_one_and_anything_else_is_not() {
    for status in [200, 204, 299] {
        assert!(logout::process_revocation(&response(status, "text/html", "whatever")).is_ok());
    }
    for status in [199, 301, 400, 401, 404, 422, 429, 503] {
        match logout::process_revocation(&response(status, "application/json", "{}")) {
            Err(error @ RevocationError::Status { status: reported }) => {
                assert_eq!(reported, status);
                assert_eq!(error.code(), "revocation_unexpected_status");
            }
            other => panic!("{status}: {other:?}"),
        }
    }
    assert_rejected!(logout::process_revocation(&response(300, "text/html", "")), RevocationError::Status { status: 300 });
}

#[test]
fn a43_the_end_session_url_has_the_hint_and_the_exact_redirect_uri() {
    let hint = IdToken::new("a.b.c".to_owned());

    let url = logout::end_session_url(&openid_provider(), &metadata(), Some(&hint), POST_LOGOUT_REDIRECT_URI, Some("state-1")).unwrap();

    assert!(url.as_str().starts_with("https://login.example/tenant/logout?"), "{url}");
    let query = parameters(url.query().unwrap());
    assert_eq!(query.len(), 4, "{query:?}");
    assert_eq!(query["id_token_hint"], "a.b.c");
    assert_eq!(query["client_id"], CLIENT_ID);
    assert_eq!(query["post_logout_redirect_uri"], POST_LOGOUT_REDIRECT_URI);
    assert_eq!(query["state"], "state-1");
}

#[test]
fn b_rp_init_logout_no_state_sends_none() {
    let url = logout::end_session_url(&openid_provider(), &metadata(), None, POST_LOGOUT_REDIRECT_URI, None).unwrap();

    let query = parameters(url.query().unwrap());
    assert_eq!(query.keys().collect::<Vec<_>>(), ["client_id", "post_logout_redirect_uri"]);
}

#[test]
fn a43_the_endpoints_own_query_is_kept() {
    let metadata = metadata_with("end_session_endpoint", json!("https://login.example/logout?tenant=a%26b"));

    let url = logout::end_session_url(&openid_provider(), &metadata, None, POST_LOGOUT_REDIRECT_URI, None).unwrap();

    assert_eq!(parameters(url.query().unwrap())["tenant"], "a&b");
}

#[test]
fn a43_without_an_endpoint_or_against_the_configuration_there_is_no_end_session_url() {
    let mut unwilling = openid_provider();
    unwilling.end_session = false;
    let without = metadata_with("end_session_endpoint", json!(null));

    assert!(logout::end_session_url(&openid_provider(), &metadata(), None, POST_LOGOUT_REDIRECT_URI, None).is_some());
    assert!(logout::end_session_url(&openid_provider(), &without, None, POST_LOGOUT_REDIRECT_URI, None).is_none());
    assert!(logout::end_session_url(&unwilling, &metadata(), None, POST_LOGOUT_REDIRECT_URI, None).is_none());
}

#[test]
fn a42_a_revocation_is_proven_like_a_token_request() {
    let key = client_key(Es256);
    let mut provider = openid_provider();
    (provider.client_auth, provider.client_secret, provider.signing_key) = (ClientAuth::PrivateKeyJwt, None, Some(key.clone()));

    let request = revocation_request(&provider, &metadata(), TokenToRevoke::Refresh(&refresh_token())).unwrap();

    let (_, claims) = verified(&form(&request)["client_assertion"], &key.public_jwk());
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!(CLIENT_ID), &json!(ISSUER)));
}

#[test]
fn a42_nothing_is_sent_without_the_credential_that_is_configured() {
    let mut provider = openid_provider();
    provider.client_secret = None;
    let mut github = preset::github("client", client_secret()).unwrap();
    github.client_secret = None;
    let access_token = access_token();

    for (provider, metadata) in [(&provider, metadata()), (&github, github.fixed_metadata().unwrap())] {
        let token = TokenToRevoke::Access(&access_token);
        match with_context(1, |context| logout::revocation_request(provider, &metadata, token, context)) {
            Err(error @ RevocationError::ClientAuth(ClientAuthError::MissingSecret)) => {
                assert_eq!(error.code(), "client_auth_secret_missing");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn rfc_8705_section_5_a_client_with_a_certificate_revokes_at_the_alias() {
    let metadata = metadata_with("mtls_endpoint_aliases", json!({ "revocation_endpoint": "https://mtls.login.example/revoke" }));
    let at = |auth| {
        let mut provider = openid_provider();
        provider.client_auth = auth;
        revocation_request(&provider, &metadata, TokenToRevoke::Access(&access_token())).unwrap().url.to_string()
    };

    assert_eq!(at(ClientAuth::TlsClientAuth), "https://mtls.login.example/revoke");
    assert_eq!(at(ClientAuth::Basic), "https://login.example/tenant/revoke");
}
