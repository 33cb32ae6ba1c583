//! Who may in: rules of a provider at its sign-in, and of an upstream at each call.

use crate::support::{
    Answer, Browser, Endpoint, GitHubStandIn, Initiator, Log, Reply, SignIn as _, StandInProvider, TestApp, Upstream, start_login,
};
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::HashMap;

const API: &str = "/api/v1/proxy/api/";

/// An app with the provider `alpha` and these settings of its table.
async fn app_with(provider: &StandInProvider, settings: &[(&str, &str)]) -> TestApp {
    let builder = TestApp::builder().openid("alpha", provider);
    settings.iter().fold(builder, |builder, (name, value)| builder.set(&format!("providers.alpha.{name}"), value)).start().await
}

/// Goes through a sign-in at `alpha`, whatever comes of it.
async fn try_to_sign_in(browser: &Browser, provider: &StandInProvider) -> Answer {
    browser.finish(&provider.authorize(&start_login(browser, "alpha", "/account").await)).await
}

/// Adds claims to the ID token.
fn claim(provider: &StandInProvider, claims: Value) {
    provider.edit_claims(move |token| token.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone()));
}

#[tokio::test]
async fn whoever_is_not_let_in_gets_no_session_and_the_tokens_are_taken_back() {
    let log = Log::collect();
    let provider = StandInProvider::start().await;
    let app = app_with(&provider, &[("allow_domains", "example.org")]).await;
    let browser = app.browser();
    let gate = provider.hold(Endpoint::Revocation);
    let refused = try_to_sign_in(&browser, &provider).await;
    refused.assert_problem(403, "not_permitted");
    gate.arrived().await;
    gate.release();
    assert_eq!(provider.received(Endpoint::Revocation)[0].form("token").unwrap().split('-').next(), Some("sentinel"));
    assert!(!browser.is_signed_in().await);
    assert!(browser.transactions().is_empty(), "the login is over");

    let problem = refused.json();
    assert_eq!(
        problem["detail"],
        "You are signed in at Alpha as alice@example.com. This app lets people in by their e-mail address, and yours is not among those."
    );
    assert_eq!(problem["login_url"], "/api/v1/oauth/login?provider=alpha&prompt=login");
    assert!(!refused.text().contains("example.org"), "whom the rule lets in is nobody's business");

    let log = log.text();
    let line = log.lines().find(|line| line.contains("kept out")).unwrap();
    assert!(line.contains("WARN") && line.contains(r#"reason="access_email""#) && line.contains(r#"provider="alpha""#), "{line}");
    for personal in ["alice@example.com", StandInProvider::SUB, "Alice Example", "sentinel"] {
        assert!(!log.contains(personal), "{personal} in {log}");
    }
}

#[tokio::test]
async fn another_account_is_offered_and_let_in() {
    let provider = StandInProvider::start().await;
    let app = app_with(&provider, &[("allow_emails", "bob@example.com"), ("allow_domains", "*.example.com")]).await;
    let browser = app.browser();
    let login_url = try_to_sign_in(&browser, &provider).await.json()["login_url"].as_str().unwrap().to_owned();
    let url = browser.navigate(&format!("{login_url}&return_to=/account")).send().await.assert_status(303).location();
    let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(asked["prompt"], "login");
    provider.edit_userinfo(|user| user["email"] = "Bob@Example.com".into());
    browser.finish(&provider.authorize(&url)).await.assert_status(200);
    assert!(browser.is_signed_in().await);
}

#[tokio::test]
async fn an_address_that_is_not_verified_opens_nothing() {
    let provider = StandInProvider::start().await;
    let app = app_with(&provider, &[("allow_domains", "example.com")]).await;
    for verified in [json!(false), json!(null), json!("no")] {
        provider.edit_userinfo(move |user| user["email_verified"] = verified.clone());
        let refused = try_to_sign_in(&app.browser(), &provider).await;
        refused.assert_problem(403, "not_permitted");
        assert!(refused.json()["detail"].as_str().unwrap().ends_with("does not say that it has confirmed yours."), "{}", refused.text());
    }
    provider.edit_userinfo(|_| {});
    try_to_sign_in(&app.browser(), &provider).await.assert_status(200);
}

#[tokio::test]
async fn groups_roles_and_claims_come_from_the_id_token_or_the_user_endpoint() {
    let provider = StandInProvider::start().await;
    let settings = [
        ("allow_groups", "staff"),
        ("allow_roles", "editor admin"),
        ("roles_claim", "realm_access.roles"),
        ("allow_claims", "level=2&level=3&https%3A%2F%2Fexample.com%2Factive=true"),
    ];
    let app = app_with(&provider, &settings).await;
    let claims = json!({ "groups": ["staff", "other"], "realm_access": { "roles": ["editor"] }, "level": 3 });
    claim(&provider, claims);
    let reason = async |answer: Answer| answer.json()["detail"].as_str().unwrap_or_default().to_owned();
    let refused = try_to_sign_in(&app.browser(), &provider).await;
    refused.assert_problem(403, "not_permitted");
    assert!(reason(refused).await.ends_with("says something that it does not say of you."));
    provider.edit_userinfo(|user| user["https://example.com/active"] = true.into());
    try_to_sign_in(&app.browser(), &provider).await.assert_status(200);

    // What the ID token says of the groups counts, and not what the user endpoint adds.
    provider.edit_userinfo(|user| {
        user["https://example.com/active"] = true.into();
        user["groups"] = json!(["staff"]);
    });
    claim(&provider, json!({ "groups": ["other"], "realm_access": { "roles": ["editor"] }, "level": 3 }));
    assert!(reason(try_to_sign_in(&app.browser(), &provider).await).await.ends_with("you are in none of them."));
    claim(&provider, json!({ "groups": ["staff"], "realm_access": { "roles": ["reader"] }, "level": 3 }));
    assert!(reason(try_to_sign_in(&app.browser(), &provider).await).await.ends_with("you have none of them."));
}

#[tokio::test]
async fn groups_that_did_not_fit_into_the_token_are_said_to_be_unknown() {
    let provider = StandInProvider::start().await;
    let app = app_with(&provider, &[("allow_groups", "staff")]).await;
    claim(
        &provider,
        json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": "https://graph.example/" } } }),
    );
    let refused = try_to_sign_in(&app.browser(), &provider).await;
    refused.assert_problem(403, "not_permitted");
    assert!(refused.json()["detail"].as_str().unwrap().contains("does not tell it which groups you are in"), "{}", refused.text());
    // The user endpoint may say them all.
    provider.edit_userinfo(|user| user["groups"] = json!(["a", "staff"]));
    try_to_sign_in(&app.browser(), &provider).await.assert_status(200);
}

#[tokio::test]
async fn somebody_who_navigates_is_told_on_a_page_with_a_way_to_another_account() {
    let provider = StandInProvider::start().await;
    let app = app_with(&provider, &[("allow_domains", "example.org"), ("server_callback", "true")]).await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/account").await);
    let refused = browser.navigate(callback.as_str()).from(Initiator::CrossSite).send().await;
    refused.assert_problem_page("not_permitted");
    let query: HashMap<_, _> = refused.location().query_pairs().into_owned().collect();
    assert_eq!(query["login_url"], "/api/v1/oauth/login?provider=alpha&prompt=login");
    assert!(!refused.location().as_str().contains("alice"), "an address is no place for a person's address");
}

#[tokio::test]
async fn who_was_signed_in_before_still_is_when_another_account_is_kept_out() {
    let provider = StandInProvider::start().await;
    let app = app_with(&provider, &[("allow_emails", "alice@example.com")]).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    let before = browser.session_cookie();
    provider.edit_userinfo(|user| user["email"] = "mallory@example.com".into());
    try_to_sign_in(&browser, &provider).await.assert_problem(403, "not_permitted");
    assert_eq!(browser.session_cookie(), before);
    assert_eq!(browser.session().await["user"]["email"], "alice@example.com");
}

#[tokio::test]
async fn an_upstream_has_a_rule_of_its_own() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app =
        TestApp::builder().openid("alpha", &provider).upstream("api", &upstream).set("upstreams.api.allow_groups", "staff").start().await;
    claim(&provider, json!({ "groups": ["guests"] }));
    let guest = app.browser();
    guest.sign_in(&provider).await;
    let refused = guest.call(Method::GET, API).send().await;
    refused.assert_problem(403, "not_permitted");
    assert_eq!(
        refused.json()["detail"],
        "You are signed in at Alpha as alice@example.com. This API lets in the members of certain groups, and you are in none of them."
    );
    assert_eq!(refused.json()["login_url"], "/api/v1/oauth/login?provider=alpha&prompt=login");
    assert!(guest.is_signed_in().await);
    assert_eq!(upstream.count(), 0);

    claim(&provider, json!({ "groups": ["guests", "staff"] }));
    let member = app.browser();
    member.sign_in(&provider).await;
    member.call(Method::GET, API).send().await.assert_status(200);
}

#[tokio::test]
async fn a_group_that_a_refresh_takes_away_no_longer_opens_anything() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let builder = TestApp::builder().openid("alpha", &provider).upstream("open", &upstream).upstream("staff", &upstream);
    let app = builder.set("upstreams.staff.allow_groups", "staff").start().await;
    claim(&provider, json!({ "groups": ["guests", "staff"] }));
    let browser = app.browser();
    browser.sign_in(&provider).await;
    // Each call has to wait for a refresh. One need not say everything again, but what it says counts at once, for the call itself too.
    let said = [
        (json!({}), "staff", 200),
        (json!({ "groups": null }), "staff", 200),
        (json!({ "groups": ["guests"] }), "staff", 403),
        (json!({ "groups": ["staff"] }), "open", 200),
        (json!({}), "staff", 200),
        (json!({ "groups": [] }), "open", 200),
        (json!({ "groups": ["staff"] }), "open", 200),
        (json!({ "groups": [] }), "staff", 403),
    ];
    for (refreshes, (claims, api, status)) in said.into_iter().enumerate() {
        provider.edit_claims(move |token| {
            let token = token.as_object_mut().unwrap();
            token.remove("groups");
            token.extend(claims.as_object().unwrap().clone());
        });
        app.clock.advance_seconds(301);
        let before = upstream.count();
        browser.call(Method::GET, &format!("/api/v1/proxy/{api}/")).send().await.assert_status(status);
        assert_eq!(provider.count(Endpoint::Token), 2 + refreshes);
        assert_eq!(upstream.count() - before, usize::from(status == 200));
    }
}

#[tokio::test]
async fn groups_of_the_user_endpoint_outlive_an_id_token_that_has_none() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::builder()
        .openid("alpha", &provider)
        .upstream("staff", &upstream)
        .set("upstreams.staff.allow_groups", "staff")
        .start()
        .await;
    claim(&provider, json!({ "groups": [] }));
    provider.edit_userinfo(|user| user["groups"] = json!(["staff"]));
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for refreshes in 1..=2 {
        app.clock.advance_seconds(301);
        browser.call(Method::GET, "/api/v1/proxy/staff/").send().await.assert_status(200);
        assert_eq!(provider.count(Endpoint::Token), 1 + refreshes);
    }
}

#[tokio::test]
async fn a_rule_that_becomes_stricter_holds_for_those_who_are_signed_in_too() {
    let provider = StandInProvider::start().await;
    let mut app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    app.stop().await;
    app.add_setting("providers.alpha.allow_emails", "bob@example.com");
    app.start().await;
    let gate = provider.hold(Endpoint::Revocation);
    browser.call(Method::GET, API).send().await.assert_problem(401, "unauthenticated");
    gate.arrived().await;
    gate.release();
    assert!(!browser.is_signed_in().await);
    try_to_sign_in(&browser, &provider).await.assert_problem(403, "not_permitted");
}

#[tokio::test]
async fn a_session_rests_while_its_provider_is_not_configured() {
    let log = Log::collect();
    let (alpha, beta) = (StandInProvider::named("alpha").await, StandInProvider::named("beta").await);
    let mut app = TestApp::builder().openid("alpha", &alpha).openid("beta", &beta).start().await;
    let (browser, other) = (app.browser(), app.browser());
    for browser in [&browser, &other] {
        browser.finish(&beta.authorize(&start_login(browser, "beta", "/").await)).await.assert_status(200);
    }
    let cookie = browser.session_cookie();

    app.stop().await;
    let removed = app.remove_provider("beta");
    app.start().await;
    for _ in 0..2 {
        assert!(!browser.is_signed_in().await);
        browser.call(Method::GET, "/api/v1/auth").send().await.assert_problem(401, "unauthenticated");
        browser.call(Method::GET, "/api/v1/sessions").send().await.assert_problem(401, "unauthenticated");
        browser.events().send().await.assert_problem(401, "unauthenticated");
    }
    assert_eq!(browser.session_cookie(), cookie, "the provider may come back");
    assert_eq!(log.text().matches("sessions rest until").count(), 1, "{}", log.text());
    // Whoever wants to can sign out all the same.
    other.log_out().await.assert_status(200);
    assert_eq!(other.session_cookie(), None);

    app.stop().await;
    app.put_back(removed);
    app.start().await;
    browser.call(Method::GET, "/api/v1/auth").send().await.assert_status(200);
    assert_eq!(browser.call(Method::GET, "/api/v1/sessions").send().await.json()["sessions"].as_array().unwrap().len(), 1);
    assert_eq!((alpha.count(Endpoint::Revocation), beta.count(Endpoint::Revocation)), (0, 0));
}

async fn github(settings: &[(&str, &str)]) -> (GitHubStandIn, TestApp) {
    let github = GitHubStandIn::start().await;
    let builder = TestApp::builder().github(&github);
    let app = settings.iter().fold(builder, |builder, (name, value)| builder.set(&format!("providers.github.{name}"), value)).start().await;
    (github, app)
}

fn scope(url: &url::Url) -> String {
    url.query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned()
}

#[tokio::test]
async fn members_of_an_organisation_at_github_are_let_in_wherever_it_stands_in_the_list() {
    let (github, app) = github(&[("allow_organizations", "Example-Org")]).await;
    let browser = app.browser();
    assert_eq!(scope(&start_login(&browser, "github", "/").await), "read:user user:email read:org");
    github.set_organizations(&["one", "two"]);
    browser.sign_in_with_github(&github).await.assert_problem(403, "not_permitted");
    github.set_organizations(&["one", "two", "three", "four", "example-org"]);
    browser.sign_in_with_github(&github).await.assert_status(200);
    let requests = github.recording.received(GitHubStandIn::ORGANIZATIONS_PATH);
    assert_eq!(requests.len(), 1 + 3, "one page, then three");
    assert!(requests.iter().all(|request| request.header("user-agent").unwrap().starts_with("oauth2flow/")));
    assert_eq!(github.recording.count(GitHubStandIn::TEAMS_PATH), 0, "nobody asked for teams");
}

#[tokio::test]
async fn a_team_counts_with_its_organisation_and_the_token_of_others_is_taken_back() {
    let (github, app) = github(&[("allow_teams", "example-org/editors")]).await;
    let browser = app.browser();
    github.set_teams(&[("other-org", "editors"), ("example-org", "readers"), ("example-org", "editors-emeritus")]);
    let gate = github.recording.hold(&GitHubStandIn::revocation_path());
    let refused = browser.sign_in_with_github(&github).await;
    refused.assert_problem(403, "not_permitted");
    gate.arrived().await;
    gate.release();
    assert_eq!(refused.json()["login_url"], "/api/v1/oauth/login?provider=github&prompt=select_account");
    github.set_teams(&[("other-org", "a"), ("other-org", "b"), ("Example-Org", "editors")]);
    browser.sign_in_with_github(&github).await.assert_status(200);
}

#[tokio::test]
async fn a_list_that_github_does_not_open_keeps_out_and_one_that_is_broken_is_tried_again() {
    let (github, app) = github(&[("allow_organizations", "example-org")]).await;
    for (status, problem) in [(403, (403, "not_permitted")), (404, (403, "not_permitted")), (500, (502, "provider_unavailable"))] {
        let reply = Reply::json(status, &json!({ "message": "no" }));
        github.recording.replace(GitHubStandIn::ORGANIZATIONS_PATH, reply);
        let browser = app.browser();
        browser.sign_in_with_github(&github).await.assert_problem(problem.0, problem.1);
        assert!(!browser.is_signed_in().await);
    }
}

#[tokio::test]
async fn without_a_rule_github_is_not_asked_for_more() {
    let (github, app) = github(&[]).await;
    let browser = app.browser();
    assert_eq!(scope(&start_login(&browser, "github", "/").await), "read:user user:email");
    browser.sign_in_with_github(&github).await.assert_status(200);
    assert_eq!(github.recording.count(GitHubStandIn::ORGANIZATIONS_PATH) + github.recording.count(GitHubStandIn::TEAMS_PATH), 0);
}
