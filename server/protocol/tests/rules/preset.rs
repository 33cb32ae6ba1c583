//! Providers that are known by name, and what is odd about them.

use oauth2flow_protocol::callback::CallbackError;
use oauth2flow_protocol::preset::{self, GitHubHosts};
use oauth2flow_protocol::provider::{ClientAuth, IssPolicy, RevocationStyle};
use oauth2flow_protocol::token::{TokenError, TokenErrorCode};
use oauth2flow_protocol::{Provider, TokenResponse};
use serde_json::json;

use crate::support::{
    CLIENT_ID, CLIENT_SECRET, CODE, ISSUER, Login, after, assert_rejected, client_secret, form, json_response, oauth_provider,
    openid_provider, response, url,
};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

fn github() -> Provider {
    preset::github(CLIENT_ID, client_secret()).unwrap()
}

/// What becomes of a form-encoded answer of a provider that may send one.
fn judge_form(body: &str) -> Result<TokenResponse, TokenError> {
    let mut provider = github();
    provider.form_encoded_token_response = true;
    Login::fixed(provider).tokens(&response(200, FORM, body))
}

#[test]
fn github_is_asked_for_a_code_with_pkce_and_without_a_nonce() {
    let login = Login::fixed(github());

    let request = login.request();

    assert!(login.url().as_str().starts_with("https://github.com/login/oauth/authorize?"));
    assert_eq!(request["scope"], "read:user user:email", "they go out with spaces");
    assert_eq!(request["code_challenge_method"], "S256");
    assert_eq!(request.get("nonce"), None);
}

#[test]
fn github_gets_the_secret_in_the_body_and_is_asked_for_json() {
    let (request, _) = Login::fixed(github()).exchange();

    assert_eq!(request.url.as_str(), "https://github.com/login/oauth/access_token");
    assert_eq!(form(&request)["client_id"], CLIENT_ID);
    assert_eq!(form(&request)["client_secret"], CLIENT_SECRET);
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("accept"), Some("application/json"));
    assert!(request.header("user-agent").is_some_and(|agent| agent.starts_with("oauth2flow/")));
}

#[test]
fn github_scopes_come_back_with_commas() {
    let answer = |scope: &str| json!({ "access_token": "gho_x", "scope": scope, "token_type": "bearer" });
    let scopes = |scope: &str| Login::fixed(github()).tokens(&json_response(&answer(scope))).unwrap().scopes;

    assert_eq!(scopes("read:user,user:email"), ["read:user", "user:email"]);
    assert_eq!(scopes("read:user, user:email,,gist"), ["read:user", "user:email", "gist"]);
    assert_eq!(scopes("read:user user:email"), ["read:user", "user:email"]);
}

#[test]
fn github_a_user_who_grants_no_scope_has_granted_none() {
    let answer = json!({ "access_token": "gho_x", "scope": "", "token_type": "bearer" });

    assert_eq!(Login::fixed(github()).tokens(&json_response(&answer)).unwrap().scopes, Vec::<String>::new());
}

#[test]
fn github_tokens_may_live_for_ever_or_for_eight_hours() {
    let forever = json!({ "access_token": "gho_x", "scope": "", "token_type": "bearer" });
    let limited = json!({ "access_token": "ghu_x", "expires_in": 28800, "refresh_token": "ghr_x", "scope": "", "token_type": "bearer" });

    let forever = Login::fixed(github()).tokens(&json_response(&forever)).unwrap();
    let limited = Login::fixed(github()).tokens(&json_response(&limited)).unwrap();

    assert_eq!(forever.expires_at, None);
    assert!(forever.refresh_token.is_none());
    assert_eq!(limited.expires_at, Some(after(std::time::Duration::from_hours(8))));
    assert_eq!(limited.refresh_token.unwrap().expose(), "ghr_x");
}

#[test]
fn github_errors_come_with_status_200() {
    for (error, expected) in [
        ("bad_verification_code", TokenErrorCode::InvalidGrant),
        ("bad_refresh_token", TokenErrorCode::InvalidGrant),
        ("incorrect_client_credentials", TokenErrorCode::InvalidClient),
        ("redirect_uri_mismatch", TokenErrorCode::RedirectUriMismatch),
        ("unverified_user_email", TokenErrorCode::UnverifiedUserEmail),
    ] {
        let answer = json!({ "error": error, "error_description": "Words.", "error_uri": "https://docs.github.com/" });
        match Login::fixed(github()).tokens(&json_response(&answer)) {
            Err(TokenError::Provider { kind, error: reported, description, status: 200 }) => {
                assert_eq!(kind, expected);
                assert_eq!(reported.as_str(), error);
                assert_eq!(description.unwrap().as_str(), "Words.");
            }
            other => panic!("{error}: {other:?}"),
        }
    }
}

#[test]
fn github_answers_json_when_asked_and_a_form_is_refused() {
    let answer = response(200, FORM, "access_token=gho_x&scope=&token_type=bearer");

    assert_rejected!(Login::fixed(github()).tokens(&answer), TokenError::NotJson);
}

#[test]
fn a_form_encoded_answer_is_read_where_the_provider_may_send_one() {
    let tokens = judge_form("access_token=gho_x%2By&scope=read%3Auser%2Cuser%3Aemail&token_type=bearer&expires_in=28800").unwrap();

    assert_eq!(tokens.access_token.expose(), "gho_x+y");
    assert_eq!(tokens.scopes, ["read:user", "user:email"]);
    assert_eq!(tokens.expires_at, Some(after(std::time::Duration::from_hours(8))));
}

#[test]
fn a_form_encoded_error_is_one() {
    assert_rejected!(
        judge_form("error=bad_verification_code&error_description=The+code+is+wrong."),
        TokenError::Provider { kind: TokenErrorCode::InvalidGrant, status: 200, .. }
    );
}

#[test]
fn a_form_encoded_answer_is_judged_by_the_same_rules() {
    assert_rejected!(judge_form("access_token=a&access_token=b&token_type=bearer"), TokenError::DuplicateParameter);
    assert_rejected!(judge_form("token_type=bearer"), TokenError::MissingMember("access_token"));
    assert_rejected!(judge_form("access_token=&token_type=bearer"), TokenError::MissingMember("access_token"));
    assert_rejected!(judge_form("access_token=a"), TokenError::MissingMember("token_type"));
    assert_rejected!(judge_form("access_token=a%0d%0ab&token_type=bearer"), TokenError::InvalidMember("access_token"));
    assert_rejected!(judge_form("access_token=a&token_type=bearer&expires_in=soon"), TokenError::InvalidMember("expires_in"));
    assert_rejected!(judge_form(""), TokenError::MissingMember("access_token"));
}

#[test]
fn a_provider_that_may_send_a_form_may_send_json_as_well_but_nothing_else() {
    let mut provider = github();
    provider.form_encoded_token_response = true;
    let login = Login::fixed(provider);

    assert!(login.tokens(&json_response(&json!({ "access_token": "x", "token_type": "bearer" }))).is_ok());
    assert_rejected!(login.tokens(&response(200, "text/html", "access_token=x&token_type=bearer")), TokenError::NotJson);
    assert_rejected!(login.tokens(&response(200, "text/plain", "access_token=x&token_type=bearer")), TokenError::NotJson);
}

#[test]
fn a16_github_may_leave_out_iss_but_not_send_a_wrong_one() {
    let login = Login::fixed(github());

    assert!(login.answer_from(Some("https://github.com/login/oauth")).is_ok());
    assert!(login.answer_from(None).is_ok());
    for iss in ["https://github.com", "https://github.com/login/oauth/", "https://GitHub.com/login/oauth", "https://evil.example"] {
        assert_rejected!(login.answer_from(Some(iss)), CallbackError::IssMismatch, "{iss}");
    }
}

#[test]
fn github_of_an_enterprise_has_its_own_addresses() {
    for api in ["https://github.corp.example/api/v3", "https://github.corp.example/api/v3/"] {
        let hosts = GitHubHosts { web: url("https://github.corp.example"), api: url(api) };
        let provider = preset::github_at(&hosts, "a b", client_secret()).unwrap();
        let metadata = provider.fixed_metadata().unwrap();

        assert_eq!(metadata.authorization_endpoint.as_str(), "https://github.corp.example/login/oauth/authorize");
        assert_eq!(metadata.token_endpoint.as_str(), "https://github.corp.example/login/oauth/access_token");
        assert_eq!(metadata.userinfo_endpoint.unwrap().as_str(), "https://github.corp.example/api/v3/user");
        assert_eq!(metadata.revocation_endpoint.unwrap().as_str(), "https://github.corp.example/api/v3/applications/a%20b/token");
        assert_eq!(provider.email_endpoint.as_ref().unwrap().as_str(), "https://github.corp.example/api/v3/user/emails");
        assert_eq!(provider.user_issuer(), "https://github.corp.example/login/oauth");
        assert_eq!(provider.problems(), []);
    }
}

#[test]
fn github_in_the_public_is_github_com() {
    assert_eq!(GitHubHosts::public().unwrap(), GitHubHosts { web: url("https://github.com"), api: url("https://api.github.com") });
    assert_eq!(github().revocation, RevocationStyle::GitHub);
    assert!(!github().end_session);
}

#[test]
fn any_openid_provider_is_known_by_its_issuer_alone() {
    let provider = openid_provider();

    assert_eq!(provider.client_auth, ClientAuth::Basic);
    assert_eq!(provider.iss_policy, IssPolicy::Allow);
    assert_eq!(provider.user_issuer(), ISSUER);
    assert!(provider.pkce && provider.nonce && provider.end_session);
    assert_eq!(preset::openid("a", "A", ISSUER, CLIENT_ID, None).client_auth, ClientAuth::None);
}

#[test]
fn any_oauth_provider_is_known_by_its_endpoints_and_a_mapping() {
    let login = Login::fixed(oauth_provider());
    let state = login.state();

    assert!(login.url().as_str().starts_with("https://plain.example/authorize?response_type=code&"));
    assert!(login.answer(&[("code", CODE), ("state", &state)]).is_ok());
    assert!(!login.provider.form_encoded_token_response);
}
