//! Providers that are known by name, and what is odd about them.

use oauth2flow_protocol::callback::CallbackError;
use oauth2flow_protocol::preset::{self, Hosts, Preset};
use oauth2flow_protocol::provider::{ClientAuth, IssPolicy, IssuerRule, ProviderKind, ResponseMode, RevocationStyle};
use oauth2flow_protocol::token::{TokenError, TokenErrorCode};
use oauth2flow_protocol::userinfo;
use oauth2flow_protocol::{Provider, TokenResponse, User};
use serde_json::json;

use crate::support::{
    CLIENT_ID, CLIENT_SECRET, CODE, ISSUER, Login, after, assert_rejected, client_secret, form, json_response, now, oauth_provider,
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
        let hosts = Hosts { web: url("https://github.corp.example"), api: url(api) };
        let provider = preset::GITHUB.at_hosts(&hosts, "a b", Some(client_secret())).unwrap();
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
    assert_eq!(preset::GITHUB.hosts().unwrap(), Hosts { web: url("https://github.com"), api: url("https://api.github.com") });
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

/// The known provider at its public address, as somebody registers there who has what it needs.
fn known(preset: &Preset) -> Provider {
    let values = [("tenant", TENANT), ("domain", "login.example.com"), ("base_url", "https://login.example.com"), ("realm", "staff")];
    match (preset.issuer(&values), preset.hosts()) {
        (Some(issuer), None) => preset.at_issuer(&issuer, CLIENT_ID, Some(client_secret())),
        (None, Some(hosts)) => preset.at_hosts(&hosts, CLIENT_ID, Some(client_secret())).unwrap(),
        _ => panic!("{} is in no place", preset.id),
    }
}

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/// Every preset that is a provider, not a kind of provider.
fn all_known() -> impl Iterator<Item = &'static Preset> {
    preset::ALL.into_iter().filter(|preset| !matches!(preset.id, "openid" | "oauth"))
}

fn issuer(provider: &Provider) -> &str {
    match &provider.kind {
        ProviderKind::OpenId { issuer } => issuer,
        other => panic!("{other:?}"),
    }
}

fn endpoints(preset: &Preset) -> [String; 4] {
    let metadata = known(preset).fixed_metadata().unwrap();
    let text = |url: Option<url::Url>| url.map(String::from).unwrap_or_default();
    [
        metadata.authorization_endpoint.into(),
        metadata.token_endpoint.into(),
        text(metadata.userinfo_endpoint),
        text(metadata.revocation_endpoint),
    ]
}

fn read_user(provider: Provider, description: &serde_json::Value) -> User {
    let login = Login::fixed(provider);
    userinfo::process(&json_response(description), &login.provider, &login.metadata, None, None, now()).unwrap()
}

#[test]
fn every_preset_is_found_by_its_name_and_by_no_other() {
    for preset in preset::ALL {
        assert_eq!(Preset::named(preset.id).map(|found| found.id), Some(preset.id));
    }
    for name in ["", "Google", "microsoft", "example"] {
        assert!(Preset::named(name).is_none(), "{name}");
    }
}

#[test]
fn every_known_provider_is_without_contradictions() {
    for preset in all_known() {
        let provider = known(preset);
        // Apple's key comes from the configuration.
        let expected = if preset.id == "apple" { 2 } else { 0 };
        assert_eq!(provider.problems().len(), expected, "{}: {:?}", preset.id, provider.problems());
        assert_eq!((provider.id.as_str(), provider.name.as_str()), (preset.id, preset.name));
        assert!(provider.extra_request_headers.iter().any(|(name, _)| *name == "user-agent"));
    }
}

#[test]
fn a1_every_known_provider_is_asked_for_a_code_and_nothing_else() {
    for preset in all_known().filter(|preset| preset.hosts().is_some()) {
        let request = Login::fixed(known(preset)).request();
        assert_eq!(request["response_type"], "code", "{}", preset.id);
        assert_eq!(request.contains_key("code_challenge"), preset.pkce, "{}", preset.id);
    }
}

#[test]
fn known_issuers_are_written_as_their_providers_write_them() {
    for (preset, expected) in [
        (&preset::GOOGLE, "https://accounts.google.com".to_owned()),
        (&preset::ENTRA, format!("https://login.microsoftonline.com/{TENANT}/v2.0")),
        (&preset::GITLAB, "https://login.example.com".to_owned()),
        (&preset::APPLE, "https://appleid.apple.com".to_owned()),
        (&preset::LINKEDIN, "https://www.linkedin.com/oauth".to_owned()),
        (&preset::SLACK, "https://slack.com".to_owned()),
        (&preset::KEYCLOAK, "https://login.example.com/realms/staff".to_owned()),
        // With the slash.
        (&preset::AUTH0, "https://login.example.com/".to_owned()),
        (&preset::OKTA, "https://login.example.com".to_owned()),
    ] {
        assert_eq!(issuer(&known(preset)), expected);
    }
}

#[test]
fn an_issuer_with_a_gap_is_none() {
    assert_eq!(preset::KEYCLOAK.issuer(&[("base_url", "https://login.example.com")]), None);
    assert_eq!(preset::ENTRA.issuer(&[]), None);
    assert_eq!(preset::OPENID.issuer(&[]), None);
    assert_eq!(preset::GITHUB.issuer(&[("tenant", TENANT)]), None);
}

#[test]
fn known_endpoints_are_where_their_providers_have_them() {
    assert_eq!(
        endpoints(&preset::DISCORD),
        [
            "https://discord.com/oauth2/authorize",
            "https://discord.com/api/oauth2/token",
            "https://discord.com/api/users/@me",
            "https://discord.com/api/oauth2/token/revoke"
        ]
    );
    assert_eq!(
        endpoints(&preset::FACEBOOK),
        [
            "https://www.facebook.com/v25.0/dialog/oauth",
            "https://graph.facebook.com/v25.0/oauth/access_token",
            "https://graph.facebook.com/v25.0/me?fields=id,name,email,picture",
            ""
        ]
    );
    assert_eq!(
        endpoints(&preset::X),
        [
            "https://x.com/i/oauth2/authorize",
            "https://api.x.com/2/oauth2/token",
            "https://api.x.com/2/users/me?user.fields=profile_image_url",
            "https://api.x.com/2/oauth2/revoke"
        ]
    );
    let discord = known(&preset::DISCORD);
    assert_eq!((discord.expected_iss.as_deref(), discord.iss_policy), (Some("https://discord.com"), IssPolicy::Require));
}

#[test]
fn only_google_s_tokens_may_name_the_issuer_without_its_scheme() {
    assert_eq!(known(&preset::GOOGLE).issuer_rule, IssuerRule::Alternatives(vec!["accounts.google.com".to_owned()]));
    for preset in all_known().filter(|preset| preset.id != "google") {
        assert_eq!(known(preset).issuer_rule, IssuerRule::Exact, "{}", preset.id);
    }
}

#[test]
fn only_a_shared_tenant_of_entra_has_a_template_for_its_issuer() {
    for (tenant, expected) in
        [("common", IssuerRule::TenantTemplate), ("organizations", IssuerRule::TenantTemplate), (TENANT, IssuerRule::Exact)]
    {
        let issuer = preset::ENTRA.issuer(&[("tenant", tenant)]).unwrap();
        assert_eq!(preset::ENTRA.at_issuer(&issuer, CLIENT_ID, None).issuer_rule, expected, "{tenant}");
    }
}

#[test]
fn google_gives_a_refresh_token_to_whoever_asks_for_offline_access() {
    assert_eq!(known(&preset::GOOGLE).extra_authorization_params, [("access_type".to_owned(), "offline".to_owned())]);
    assert!(!known(&preset::GOOGLE).scopes.contains(&"offline_access".to_owned()), "Google refuses scopes that it does not know");
}

#[test]
fn apple_has_ways_of_its_own() {
    let apple = preset::APPLE.at_issuer("https://appleid.apple.com", CLIENT_ID, None);

    assert_eq!(apple.client_auth, ClientAuth::AppleSecret, "though there is no secret yet");
    assert_eq!(apple.response_mode, ResponseMode::FormPost);
    assert!(apple.pkce && apple.nonce && !apple.end_session);
    assert_eq!(apple.user_mapping.name, None, "nobody has signed the name");
}

#[test]
fn linkedin_is_sent_neither_a_nonce_nor_a_challenge() {
    let linkedin = known(&preset::LINKEDIN);

    assert!(!linkedin.nonce && !linkedin.pkce);
    assert_eq!(linkedin.client_auth, ClientAuth::Post);
}

#[test]
fn slack_is_sent_a_nonce_but_no_challenge() {
    let slack = known(&preset::SLACK);

    assert!(slack.nonce && !slack.pkce && slack.error_in_userinfo);
    assert_eq!(slack.response_mode, ResponseMode::Query);
}

#[test]
fn slack_has_words_of_its_own_for_errors_which_come_with_status_200() {
    let (slack, metadata) = (preset::SLACK.at_issuer(ISSUER, CLIENT_ID, Some(client_secret())), crate::support::metadata());
    for (error, expected) in [
        ("invalid_code", TokenErrorCode::InvalidGrant),
        ("code_already_used", TokenErrorCode::InvalidGrant),
        ("invalid_refresh_token", TokenErrorCode::InvalidGrant),
        ("bad_client_secret", TokenErrorCode::InvalidClient),
        ("invalid_client_id", TokenErrorCode::InvalidClient),
        ("bad_redirect_uri", TokenErrorCode::RedirectUriMismatch),
        ("fatal_error", TokenErrorCode::Other),
    ] {
        match Login::begin(slack.clone(), metadata.clone()).tokens(&json_response(&json!({ "ok": false, "error": error }))) {
            Err(TokenError::Provider { kind, status: 200, .. }) => assert_eq!(kind, expected, "{error}"),
            other => panic!("{error}: {other:?}"),
        }
    }
}

#[test]
fn nobody_but_apple_answers_with_a_form() {
    for preset in all_known().filter(|preset| preset.id != "apple") {
        assert_eq!(known(preset).response_mode, ResponseMode::Query, "{}", preset.id);
    }
}

#[test]
fn only_linkedin_and_slack_do_without_pkce() {
    let without: Vec<_> = preset::ALL.into_iter().filter(|preset| !preset.pkce).map(|preset| preset.id).collect();
    assert_eq!(without, ["linkedin", "slack"]);
}

#[test]
fn x_wraps_the_user_in_data() {
    let user = json!({ "data": { "id": "2244994945", "name": "Alice Example", "username": "alice" } });

    let user = read_user(known(&preset::X), &user);

    assert_eq!((user.sub.as_str(), user.login.as_deref()), ("2244994945", Some("alice")));
    assert_eq!(user.issuer, "https://x.com");
}

#[test]
fn an_unverified_address_at_discord_counts_as_one() {
    let user = json!({ "id": "80351110224678912", "username": "alice", "email": "alice@example.com", "verified": false });

    let user = read_user(known(&preset::DISCORD), &user);

    assert_eq!(user.email_verified, Some(false));
    assert_eq!(user.issuer, "https://discord.com");
}

#[test]
fn a_person_at_facebook_may_have_no_address() {
    let picture = "https://platform-lookaside.fbsbx.com/platform/profilepic/?asid=1";
    let user = json!({ "id": "10161234567890123", "name": "Alice Example", "picture": { "data": { "url": picture } } });

    let user = read_user(known(&preset::FACEBOOK), &user);

    assert_eq!((user.email, user.email_verified), (None, None));
    assert_eq!(user.picture.as_deref(), Some(picture));
}

#[test]
fn an_oauth_provider_with_metadata_is_known_by_its_issuer() {
    let mapping = oauth_provider().user_mapping;
    let provider = preset::oauth_discovered("plain", "Plain", ISSUER, None, mapping, CLIENT_ID, Some(client_secret()));

    assert!(matches!(&provider.kind, ProviderKind::OAuthDiscovered { issuer, userinfo: None } if issuer == ISSUER));
    assert_eq!(provider.user_issuer(), ISSUER);
    assert!(provider.fixed_metadata().is_none());
    assert_eq!(provider.problems(), []);
}
