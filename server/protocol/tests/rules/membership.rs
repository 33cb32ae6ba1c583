//! The organisations and teams of a user at GitHub.

use oauth2flow_protocol::access::Known;
use oauth2flow_protocol::membership::{MAXIMUM_MEMBERSHIP_BYTES, MAXIMUM_PAGES, Membership, Memberships, has_scope};
use oauth2flow_protocol::provider::Provider;
use oauth2flow_protocol::userinfo::UserInfoError;
use oauth2flow_protocol::{AccessToken, OutboundRequest, OutboundResponse, preset};
use serde_json::{Value, json};

use crate::support::{client_secret, json_response, response};

const PAGE_2: &str =
    r#"<https://api.github.com/user/orgs?per_page=100&page=2>; rel="next", <https://api.github.com/user/orgs?page=9>; rel="last""#;

fn github() -> Provider {
    let hosts = preset::GITHUB.hosts().unwrap();
    let mut provider = preset::GITHUB.at_hosts(&hosts, "client", Some(client_secret())).unwrap();
    (provider.facts.organizations, provider.facts.teams) = (true, true);
    provider
}

fn token() -> AccessToken {
    AccessToken::new("sentinel-token".to_owned())
}

fn page(body: &Value, link: Option<&str>) -> OutboundResponse {
    OutboundResponse { link: link.map(str::to_owned), ..json_response(body) }
}

/// The first request, and what is found on these pages; as many of them as are asked for.
fn walk(of: Membership, pages: &[OutboundResponse]) -> Result<(Vec<OutboundRequest>, Known), UserInfoError> {
    let provider = github();
    let mut memberships = Memberships::new(of);
    let mut requests: Vec<_> = memberships.first_request(&provider, &token()).into_iter().collect();
    for response in pages {
        match memberships.process(response, &provider, &token())? {
            Some(request) => requests.push(request),
            None => break,
        }
    }
    Ok((requests, memberships.finish()))
}

fn values(known: &Known) -> Vec<&str> {
    known.values.iter().map(String::as_str).collect()
}

#[test]
fn organisations_and_teams_are_asked_for_when_a_rule_names_them() {
    let (mut provider, token) = (github(), token());
    for (of, address) in [
        (Membership::Organizations, "https://api.github.com/user/orgs?per_page=100"),
        (Membership::Teams, "https://api.github.com/user/teams?per_page=100"),
    ] {
        let request = Memberships::new(of).first_request(&provider, &token).unwrap();
        assert_eq!(request.url.as_str(), address);
        assert_eq!(request.header("authorization"), Some("Bearer sentinel-token"));
        assert!(request.header("user-agent").unwrap().starts_with("oauth2flow/"));
    }
    (provider.facts.organizations, provider.facts.teams) = (false, false);
    for of in [Membership::Organizations, Membership::Teams] {
        assert!(Memberships::new(of).first_request(&provider, &token).is_none());
    }
}

#[test]
fn all_pages_are_read() {
    let first = page(&json!([{ "login": "Example-Org" }, { "login": "other" }, { "id": 1 }, "x", { "login": "a b" }]), Some(PAGE_2));
    let second = page(&json!([{ "login": "third" }]), Some(r#"<https://api.github.com/user/orgs?page=1>; rel="first""#));
    let (requests, known) = walk(Membership::Organizations, &[first, second]).unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].url.as_str(), "https://api.github.com/user/orgs?per_page=100&page=2");
    assert_eq!(requests[1].header("authorization"), Some("Bearer sentinel-token"));
    assert_eq!((values(&known), known.incomplete), (vec!["example-org", "other", "third"], false));
}

#[test]
fn a_team_is_named_with_its_organisation() {
    let teams = json!([
        { "slug": "Editors", "name": "The Editors", "organization": { "login": "Example-Org" } },
        { "slug": "no-organisation" },
        { "slug": "a/b", "organization": { "login": "x" } },
    ]);
    let (_, known) = walk(Membership::Teams, &[page(&teams, None)]).unwrap();
    assert_eq!(values(&known), ["example-org/editors"]);
}

#[test]
fn the_token_goes_to_no_other_place_than_the_first_page_s() {
    for next in [
        "https://evil.example/user/orgs?page=2",
        "http://api.github.com/user/orgs?page=2",
        "https://api.github.com:8443/user/orgs?page=2",
        "https://api.github.com/user/../user/teams?page=2",
        "/user/orgs?page=2",
    ] {
        let link = format!("<{next}>; rel=\"next\"");
        let (requests, known) = walk(Membership::Organizations, &[page(&json!([{ "login": "a" }]), Some(&link))]).unwrap();
        assert_eq!(requests.len(), 1, "{next}");
        // What is no address is no page either.
        assert_eq!((values(&known), known.incomplete), (vec!["a"], next.starts_with("http")), "{next}");
    }
}

#[test]
fn endless_pages_come_to_an_end() {
    let pages = vec![page(&json!([{ "login": "a" }]), Some(PAGE_2)); MAXIMUM_PAGES + 5];
    let (requests, known) = walk(Membership::Organizations, &pages).unwrap();
    assert_eq!((requests.len(), known.incomplete), (MAXIMUM_PAGES, true));
}

#[test]
fn a_list_that_the_token_does_not_open_is_incomplete() {
    for status in [403, 404] {
        let refused = response(status, "application/json", r#"{"message": "Must have read:org"}"#);
        let (_, known) = walk(Membership::Teams, &[refused]).unwrap();
        assert_eq!(known, Known::left_out(), "{status}");
    }
}

#[test]
fn anything_but_a_list_is_an_error() {
    for (answer, code) in [
        (response(500, "text/html", ""), "userinfo_unavailable"),
        (response(429, "text/html", ""), "userinfo_unavailable"),
        (response(401, "application/json", "{}"), "userinfo_unauthorized"),
        (response(302, "text/html", ""), "userinfo_unexpected_status"),
        (response(200, "text/html", "[]"), "userinfo_not_json"),
        (response(200, "application/json", "{}"), "userinfo_not_json"),
        (response(200, "application/json", "[{"), "userinfo_malformed"),
        (response(200, "application/json", r#"[{"login": "a", "login": "b"}]"#), "userinfo_malformed"),
        (response(200, "application/json", vec![b' '; MAXIMUM_MEMBERSHIP_BYTES + 1]), "userinfo_too_large"),
    ] {
        assert_eq!(walk(Membership::Organizations, &[answer]).unwrap_err().code(), code);
    }
}

#[test]
fn a_scope_that_opens_more_opens_this() {
    for (scopes, has) in [(vec!["read:user", "user:email"], false), (vec!["read:org"], true), (vec!["admin:org"], true), (vec![], false)] {
        let scopes: Vec<_> = scopes.into_iter().map(str::to_owned).collect();
        assert_eq!(has_scope(&scopes), has, "{scopes:?}");
    }
}
