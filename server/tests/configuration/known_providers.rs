//! Providers that are known by name.

use crate::{Setup, line};
use oauth2flow::config::{Config, Preset};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/// A table of this name with a client and these settings.
fn table(id: &str, settings: &str) -> Setup {
    Setup::with_file(&format!("[providers.{id}]\nclient_id = \"a\"\nclient_secret = \"b\"\n{settings}"))
}

fn issuer(config: &Config) -> &str {
    config.providers[0].issuer.as_deref().unwrap()
}

/// The keys of all problems, without the table.
fn keys(setup: &Setup) -> Vec<String> {
    setup.problems().into_iter().map(|problem| problem.key.rsplit('.').next().unwrap().to_owned()).collect()
}

#[test]
fn a_table_of_their_name_is_enough_for_most() {
    for (id, preset) in [
        ("github", Preset::GitHub),
        ("google", Preset::Google),
        ("gitlab", Preset::GitLab),
        ("discord", Preset::Discord),
        ("facebook", Preset::Facebook),
        ("x", Preset::X),
        ("linkedin", Preset::LinkedIn),
        ("slack", Preset::Slack),
    ] {
        let config = table(id, "").load().unwrap();
        assert_eq!(config.providers[0].preset, preset, "{id}");
        // LinkedIn takes neither PKCE nor a nonce from an ordinary app.
        assert_eq!(config.warnings.len(), usize::from(id == "linkedin"), "{:?}", config.warnings);
    }
}

#[test]
fn another_name_names_its_preset() {
    let config = table("work", &format!("preset = \"entra\"\ntenant = \"{TENANT}\"\n")).load().unwrap();
    assert_eq!(config.providers[0].preset, Preset::Entra);
    let problem = table("work", "preset = \"microsoft\"\n").problem();
    assert!(problem.fix.contains("google, entra, gitlab"), "{}", problem.fix);
}

#[test]
fn an_issuer_or_endpoints_go_over_the_name() {
    assert_eq!(table("google", "issuer = \"https://a.example\"\n").load().unwrap().providers[0].preset, Preset::OpenId);
    let endpoints =
        "authorization_url = \"https://a.example/1\"\ntoken_url = \"https://a.example/2\"\nuserinfo_url = \"https://a.example/3\"\n";
    assert_eq!(table("x", &format!("{endpoints}user.id = \"id\"\n")).load().unwrap().providers[0].preset, Preset::OAuth);
}

#[test]
fn their_issuers_follow_from_what_is_written() {
    for (id, settings, expected) in [
        ("google", String::new(), "https://accounts.google.com".to_owned()),
        ("linkedin", String::new(), "https://www.linkedin.com/oauth".to_owned()),
        ("slack", String::new(), "https://slack.com".to_owned()),
        ("gitlab", String::new(), "https://gitlab.com".to_owned()),
        ("gitlab", "base_url = \"https://gitlab.example.com/\"\n".to_owned(), "https://gitlab.example.com".to_owned()),
        ("gitlab", "base_url = \"https://example.com/gitlab\"\n".to_owned(), "https://example.com/gitlab".to_owned()),
        ("entra", format!("tenant = \"{TENANT}\"\n"), format!("https://login.microsoftonline.com/{TENANT}/v2.0")),
        ("entra", format!("tenant = \"{}\"\n", TENANT.to_uppercase()), format!("https://login.microsoftonline.com/{TENANT}/v2.0")),
        ("entra", "tenant = \"common\"\n".to_owned(), "https://login.microsoftonline.com/common/v2.0".to_owned()),
        (
            "entra",
            "tenant = \"consumers\"\n".to_owned(),
            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0".to_owned(),
        ),
        (
            "keycloak",
            "base_url = \"https://login.example.com\"\nrealm = \"staff\"\n".to_owned(),
            "https://login.example.com/realms/staff".to_owned(),
        ),
        ("auth0", "domain = \"example.eu.auth0.com\"\n".to_owned(), "https://example.eu.auth0.com/".to_owned()),
        ("okta", "domain = \"example.okta.com\"\n".to_owned(), "https://example.okta.com".to_owned()),
        (
            "okta",
            "preset = \"okta\"\nissuer = \"https://example.okta.com/oauth2/default\"\n".to_owned(),
            "https://example.okta.com/oauth2/default".to_owned(),
        ),
    ] {
        assert_eq!(issuer(&table(id, &settings).load().unwrap()), expected, "{id} {settings}");
    }
}

#[test]
fn what_a_provider_needs_to_be_found_is_demanded() {
    for (id, expected) in
        [("entra", vec!["tenant"]), ("keycloak", vec!["base_url", "realm"]), ("auth0", vec!["domain"]), ("okta", vec!["domain"])]
    {
        let setup = table(id, "");
        assert_eq!(keys(&setup), expected, "{id}");
        let problem = setup.problems().remove(0);
        assert_eq!(problem.problem, format!("It is required with the preset {id}."));
        assert_eq!(problem.source, Some(line(1)));
        // And an issuer says it all.
        assert!(table(id, &format!("preset = \"{id}\"\nissuer = \"https://a.example/\"\n")).load().is_ok(), "{id}");
    }
}

#[test]
fn an_issuer_and_what_it_is_made_of_are_one_too_many() {
    for (id, settings, expected) in [
        ("entra", format!("tenant = \"{TENANT}\"\n"), vec!["tenant"]),
        ("keycloak", "base_url = \"https://a.example\"\nrealm = \"staff\"\n".to_owned(), vec!["base_url", "realm"]),
        ("gitlab", "base_url = \"https://a.example\"\n".to_owned(), vec!["base_url"]),
        ("auth0", "domain = \"a.example\"\n".to_owned(), vec!["domain"]),
        ("okta", "domain = \"a.example\"\n".to_owned(), vec!["domain"]),
    ] {
        let setup = table(id, &format!("preset = \"{id}\"\nissuer = \"https://b.example\"\n{settings}"));
        assert_eq!(keys(&setup), expected, "{id}");
    }
    // Google's domain is whose members may sign in, not where Google is.
    let config = table("google", "preset = \"google\"\nissuer = \"https://a.example\"\ndomain = \"example.com\"\n").load().unwrap();
    assert_eq!(config.providers[0].hosted_domain.as_deref(), Some("example.com"));
}

#[test]
fn a_tenant_is_an_id_and_not_a_domain() {
    for wrong in ["contoso.onmicrosoft.com", "contoso", "72f988bf-86f1-41af-91ab", "Common", &TENANT.replace('-', "_"), "../common"] {
        let problem = table("entra", &format!("tenant = \"{wrong}\"\n")).problem();
        assert_eq!(problem.key, "providers.entra.tenant", "{wrong}");
        assert!(problem.fix.contains("Directory (tenant) ID"), "{}", problem.fix);
    }
}

#[test]
fn a_domain_is_a_name_alone() {
    for wrong in [
        "https://example.okta.com",
        "example.okta.com/",
        "example.okta.com/oauth2",
        "example.okta.com:8443",
        "Example.okta.com",
        "a b",
        "a@b.example",
    ] {
        assert_eq!(table("okta", &format!("domain = \"{wrong}\"\n")).problem().key, "providers.okta.domain", "{wrong}");
    }
}

#[test]
fn a_realm_fits_into_an_address() {
    for wrong in ["a/b", "..", "my realm", "a?b", "{base_url}"] {
        let setup = table("keycloak", &format!("base_url = \"https://a.example\"\nrealm = \"{wrong}\"\n"));
        assert_eq!(setup.problem().key, "providers.keycloak.realm", "{wrong}");
    }
    let setup = table("keycloak", "base_url = \"https://a.example/?x=1\"\nrealm = \"staff\"\n");
    assert_eq!(setup.problem().key, "providers.keycloak.base_url");
    let setup = table("keycloak", "base_url = \"http://a.example\"\nrealm = \"staff\"\n");
    assert_eq!(setup.problem().key, "providers.keycloak.base_url");
}

#[test]
fn the_hosts_of_known_endpoints_come_in_pairs() {
    for id in ["discord", "facebook", "x"] {
        assert_eq!(keys(&table(id, "web_url = \"https://a.example\"\n")), ["api_url"], "{id}");
        assert_eq!(keys(&table(id, "api_url = \"https://a.example\"\n")), ["web_url"], "{id}");
        let config = table(id, "web_url = \"https://a.example/v26.0/\"\napi_url = \"https://b.example\"\n").load().unwrap();
        let provider = &config.providers[0];
        assert_eq!(
            (provider.web_url.as_deref(), provider.api_url.as_deref()),
            (Some("https://a.example/v26.0"), Some("https://b.example"))
        );
    }
    let config = table("github", "web_url = \"https://a.example\"\n").load().unwrap();
    assert_eq!(config.providers[0].api_url.as_deref(), Some("https://a.example/api/v3"), "as Enterprise Servers have it");
    assert_eq!(keys(&table("github", "web_url = \"https://a.example/?b\"\n")), ["web_url"]);
}

#[test]
fn what_means_nothing_with_a_preset_is_told() {
    for (id, setting) in [
        ("google", "tenant = \"common\""),
        ("google", "base_url = \"https://a.example\""),
        ("google", "web_url = \"https://a.example\""),
        ("google", "expected_iss = \"https://a.example\""),
        ("google", "user.id = \"id\""),
        ("google", "scope_separator = \"comma\""),
        ("google", "metadata = \"openid\""),
        ("google", "userinfo_url = \"https://a.example\""),
        ("slack", "domain = \"a.example\""),
        ("slack", "realm = \"staff\""),
        ("slack", "team_id = \"ABCDE12345\""),
        ("github", "issuer = \"https://a.example\"\npreset = \"github\""),
        ("github", "user.name = \"name\""),
        ("discord", "par = \"always\""),
        ("discord", "request_object = true"),
        ("discord", "nonce = true"),
        ("discord", "max_age = \"1h\""),
        ("x", "acr_values = \"phr\""),
        ("x", "claims = '{\"userinfo\":{}}'"),
        ("facebook", "id_token_algorithms = [\"ES256\"]"),
        ("facebook", "required_claims = { a = \"b\" }"),
        ("facebook", "signed_userinfo = \"require\""),
        ("facebook", "token_url = \"https://a.example/token\"\npreset = \"facebook\""),
    ] {
        let problems = table(id, &format!("{setting}\n")).problems();
        let expected = format!("providers.{id}.{}", setting.split(" = ").next().unwrap());
        let told = problems.iter().any(|problem| problem.key == expected && problem.problem.contains("means nothing with the preset"));
        assert!(told, "{id} {setting}: {problems:#?}");
    }
}

#[test]
fn hosts_of_pictures_are_those_of_the_known_providers() {
    let providers = ["github", "google", "x"].map(|id| format!("[providers.{id}]\nclient_id = \"a\"\nclient_secret = \"b\"\n")).concat();
    let config = Setup::with_file(&providers).load().unwrap();
    assert_eq!(config.server.avatar_hosts, ["avatars.githubusercontent.com", "lh3.googleusercontent.com", "pbs.twimg.com"]);
    let elsewhere = table("google", "preset = \"google\"\nissuer = \"https://a.example\"\n").load().unwrap();
    assert!(elsewhere.server.avatar_hosts.is_empty());
}

#[test]
fn a_challenge_for_slack_is_warned_about_and_leaving_it_out_is_not() {
    assert!(table("slack", "pkce = false\n").load().unwrap().warnings.is_empty());
    let warnings = table("slack", "pkce = true\n").load().unwrap().warnings;
    assert!(warnings[0].contains("public client for ever"), "{warnings:?}");
}

#[test]
fn an_oauth_provider_with_metadata_needs_its_issuer_and_who_the_user_is() {
    let settings = "metadata = \"oauth\"\nissuer = \"https://a.example\"\nuserinfo_url = \"https://api.a.example/me\"\nuser.id = \"id\"\n";
    let config = table("example", settings).load().unwrap();
    let provider = &config.providers[0];
    assert_eq!((provider.preset, provider.issuer.as_deref()), (Preset::OAuth, Some("https://a.example")));
    assert_eq!(provider.userinfo_url.as_ref().unwrap().as_str(), "https://api.a.example/me");
    assert!(provider.endpoints.is_none() && !provider.is_openid());

    assert_eq!(keys(&table("example", "metadata = \"oauth\"\nissuer = \"https://a.example\"\n")), ["userinfo_url", "id"]);
    let without_issuer = table("example", "metadata = \"oauth\"\nuserinfo_url = \"https://a.example/me\"\nuser.id = \"id\"\n");
    assert!(keys(&without_issuer).contains(&"issuer".to_owned()));
    let contradiction = table("example", "preset = \"openid\"\nmetadata = \"oauth\"\nissuer = \"https://a.example\"\n");
    assert_eq!(keys(&contradiction), ["metadata"]);
    assert_eq!(keys(&table("example", &format!("{settings}token_url = \"https://a.example/token\"\n"))), ["token_url"]);
    assert_eq!(keys(&table("example", &format!("{settings}expected_iss = \"https://a.example\"\n"))), ["expected_iss"]);
}
