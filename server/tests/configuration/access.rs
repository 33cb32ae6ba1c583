//! Who may in, as it is configured for providers and upstreams.

use crate::Setup;
use oauth2flow_protocol::access::{DomainPattern, EmailAddress};

const OPENID: &str = "[providers.a]\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_secret = \"b\"\n";
const GITHUB: &str = "[providers.github]\nclient_id = \"a\"\nclient_secret = \"b\"\n";
const GOOGLE: &str = "[providers.google]\nclient_id = \"a\"\nclient_secret = \"b\"\n";
const ENTRA: &str = "[providers.entra]\ntenant = \"72f988bf-86f1-41af-91ab-2d7cd011db47\"\nclient_id = \"a\"\nclient_secret = \"b\"\n";
const ORDERS: &str = "[upstreams.orders]\nurl = \"https://orders.example.com/api\"\n";

/// The only problem: its key and what is wrong.
fn problem(file: &str) -> (String, String) {
    let problem = Setup::with_file(file).problem();
    (problem.key, problem.problem)
}

#[test]
fn everybody_may_in_unless_it_is_said_who() {
    let config = Setup::with_file(&format!("{OPENID}{ORDERS}")).load().unwrap();
    assert!(config.providers[0].access.rule.is_open());
    assert!(config.upstreams[0].access.is_open());
}

#[test]
fn every_setting_is_read_for_providers_and_upstreams_alike() {
    let settings = "allow_emails = [\"Alice@Example.com\"]\nallow_domains = [\"example.com\", \"*.example.org\"]\nallow_groups = [\"The staff\"]\n\
                    allow_roles = [\"admin\"]\nallow_claims = { department = [\"sales\", \"support\"], \"nested.level\" = \"3\", active = true }\n";
    let config = Setup::with_file(&format!("{OPENID}{settings}roles_claim = \"realm_access.roles\"\n{ORDERS}{settings}")).load().unwrap();
    let provider = &config.providers[0].access;
    assert_eq!(provider.roles_claim.as_deref(), Some("/realm_access/roles"));
    assert_eq!(provider.groups_claim, None);
    assert_eq!(provider.rule, config.upstreams[0].access);
    let rule = &provider.rule;
    assert!(rule.emails.contains(&EmailAddress::parse("alice@example.com").unwrap()));
    assert_eq!(rule.domains, [DomainPattern::Exactly("example.com".into()), DomainPattern::Below("example.org".into())]);
    assert!(rule.groups.contains("The staff") && rule.roles.contains("admin"));
    let claims: Vec<_> =
        rule.claims.iter().map(|(place, values)| (place.as_str(), values.iter().map(String::as_str).collect::<Vec<_>>())).collect();
    assert_eq!(claims, [("/nested/level", vec!["3"]), ("active", vec!["true"]), ("department", vec!["sales", "support"])]);
}

#[test]
fn the_environment_can_say_it_too() {
    let config = Setup::with_file(OPENID)
        .variable("OAUTH2FLOW_PROVIDERS_A_ALLOW_DOMAINS", "example.com *.example.org")
        .variable("OAUTH2FLOW_PROVIDERS_A_ALLOW_CLAIMS", "department=sales&department=support")
        .load()
        .unwrap();
    let rule = &config.providers[0].access.rule;
    assert_eq!((rule.domains.len(), rule.claims["department"].len()), (2, 2));
}

#[test]
fn organisations_and_teams_are_github_s() {
    let config = Setup::with_file(&format!("{GITHUB}allow_organizations = [\"Example-Org\"]\nallow_teams = [\"Example-Org/Editors\"]\n"))
        .load()
        .unwrap();
    let rule = &config.providers[0].access.rule;
    assert_eq!(rule.organizations.first().unwrap().as_ref(), "example-org");
    assert_eq!(rule.teams.first().unwrap().as_ref(), "example-org/editors");
    let (key, words) = problem(&format!("{OPENID}allow_organizations = [\"x\"]\n"));
    assert_eq!(key, "providers.a.allow_organizations");
    assert!(words.contains("says no organisations, as only github does"), "{words}");
}

#[test]
fn what_nobody_could_be_is_a_problem() {
    for (setting, words) in [
        ("allow_emails = []", "The list is empty, so nobody could come in."),
        ("allow_claims = {}", "The list is empty, so nobody could come in."),
        ("allow_claims = { department = [] }", "The list is empty, so nobody could come in."),
        ("allow_emails = [\"alice\"]", "“alice” is not an e-mail address."),
        ("allow_emails = [\"a@b@example.com\"]", "“a@b@example.com” is not an e-mail address."),
        ("allow_domains = [\"@example.com\"]", "“@example.com” is not a domain."),
        ("allow_domains = [\"*.com\"]", "“*.com” is not a domain."),
        ("allow_domains = [\"BÜCHER.example\"]", "“BÜCHER.example” is not a domain."),
        ("allow_claims = { exp = \"1\" }", "“exp” is another one at every sign-in, so nobody would come in twice."),
        ("allow_claims = { level = 3 }", "Its “level” should be text, or a list of texts."),
        ("allow_claims = { a = { b = \"c\" } }", "Its “a” is a table."),
        ("allow_claims = \"department\"", "“department” has no value."),
    ] {
        assert_eq!(problem(&format!("{OPENID}{setting}\n")).1, words, "{setting}");
        assert_eq!(problem(&format!("{OPENID}{ORDERS}{setting}\n")).1, words, "{setting}");
    }
    for (setting, word) in [
        ("allow_organizations = [\"a b\"]", "“a b” is not the name of an organisation."),
        ("allow_teams = [\"editors\"]", "“editors” is not a team."),
    ] {
        assert_eq!(problem(&format!("{GITHUB}{setting}\n")).1, word);
    }
}

#[test]
fn what_a_provider_never_says_is_a_problem_until_it_is_said_where() {
    for (file, setting, remedy, words) in [
        (
            ENTRA,
            "allow_domains = [\"example.com\"]",
            "user.email_verified = \"xms_edov\"",
            "does not say which e-mail addresses it has verified",
        ),
        (GOOGLE, "allow_groups = [\"staff\"]", "groups_claim = \"groups\"", "says no groups by itself"),
        (GITHUB, "allow_roles = [\"admin\"]", "roles_claim = \"roles\"", "says no roles by itself"),
    ] {
        let found = problem(&format!("{file}{setting}\n")).1;
        assert!(found.contains(words), "{found}");
        Setup::with_file(&format!("{file}{setting}\n{remedy}\n")).load().unwrap();
    }
}

#[test]
fn an_upstream_is_for_providers_whose_users_can_meet_its_rule() {
    let both = format!("{OPENID}{GITHUB}{ORDERS}");
    let (key, words) = problem(&format!("{both}providers = [\"a\", \"github\"]\nallow_teams = [\"x/y\"]\n"));
    assert_eq!(key, "upstreams.orders.allow_teams");
    assert!(words.starts_with("The provider “a” says no teams"), "{words}");
    Setup::with_file(&format!("{both}providers = [\"github\"]\nallow_teams = [\"x/y\"]\n")).load().unwrap();
}
