//! Who may in.

use std::collections::BTreeSet;

use oauth2flow_protocol::access::{
    self, Denied, DomainPattern, EmailAddress, Facts, Known, MAXIMUM_FACTS_BYTES, MAXIMUM_VALUE_BYTES, MAXIMUM_VALUES, Organization, Rule,
    Subject, Team, place,
};
use oauth2flow_protocol::provider::Provider;
use oauth2flow_protocol::{User, userinfo};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{json_response, metadata, now, oauth_provider};

fn emails(addresses: &[&str]) -> Rule {
    Rule { emails: addresses.iter().map(|address| EmailAddress::parse(address).unwrap()).collect(), ..Rule::default() }
}

fn domains(patterns: &[&str]) -> Rule {
    Rule { domains: patterns.iter().map(|pattern| DomainPattern::parse(pattern).unwrap()).collect(), ..Rule::default() }
}

fn texts(values: &[&str]) -> BTreeSet<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn known(values: &[&str]) -> Known {
    Known { values: texts(values), incomplete: false }
}

fn with_email(email: &str) -> Facts {
    Facts { email: EmailAddress::parse(email), ..Facts::default() }
}

/// A provider that says where its users' facts are.
fn provider() -> Provider {
    let mut provider = oauth_provider();
    provider.user_mapping.email = Some("email".to_owned());
    provider.user_mapping.email_verified = Some("email_verified".to_owned());
    provider.facts.groups = Some("groups".to_owned());
    provider.facts.roles = Some("/realm_access/roles".to_owned());
    provider.facts.claims = texts(&["department", "/nested/deep", "https://example.com/level"]);
    provider
}

/// What is kept of somebody whom the provider describes so.
fn facts(members: Value) -> Facts {
    described(members).facts
}

fn described(mut members: Value) -> User {
    members[&*oauth_provider().user_mapping.id] = json!("1");
    userinfo::process(&json_response(&members), &provider(), &metadata(), None, None, now()).unwrap()
}

#[test]
fn a_rule_without_settings_lets_everybody_in() {
    assert!(Rule::default().is_open());
    assert_eq!(access::decide(&Rule::default(), &Facts::default()), Ok(()));
    assert!(!domains(&["example.com"]).is_open());
}

#[test]
fn an_address_is_compared_as_mail_servers_compare_it() {
    let rule = emails(&["Alice@Example.com"]);
    for address in ["alice@example.com", "ALICE@EXAMPLE.COM", "Alice@example.Com"] {
        assert_eq!(access::decide(&rule, &with_email(address)), Ok(()), "{address}");
    }
    for address in ["alice@example.org", "bob@example.com", "alice+x@example.com", "alice@mail.example.com"] {
        assert_eq!(access::decide(&rule, &with_email(address)), Err(Denied::Email), "{address}");
    }
}

#[test]
fn a_domain_is_that_domain_and_an_asterisk_all_below_it() {
    for (pattern, address, lets_in) in [
        ("example.com", "a@example.com", true),
        ("EXAMPLE.com", "a@Example.COM", true),
        ("example.com", "a@mail.example.com", false),
        ("example.com", "a@evil-example.com", false),
        ("example.com", "a@evilexample.com", false),
        ("example.com", "a@example.com.evil.example", false),
        ("example.com", "a@example.co", false),
        ("example.com", "example.com@evil.example", false),
        ("*.example.com", "a@mail.example.com", true),
        ("*.example.com", "a@a.b.example.com", true),
        ("*.example.com", "a@example.com", false),
        ("*.example.com", "a@evil-example.com", false),
        ("*.example.com", "a@evil.mail-example.com", false),
        ("bücher.example", "a@xn--bcher-kva.example", true),
        ("xn--bcher-kva.example", "a@bücher.example", true),
        ("*.bücher.example", "a@mail.xn--bcher-kva.example", true),
        ("bücher.example", "a@bucher.example", false),
    ] {
        let facts = with_email(address);
        assert!(facts.email.is_some(), "{address}");
        assert_eq!(access::decide(&domains(&[pattern]), &facts).is_ok(), lets_in, "{pattern} {address}");
    }
}

#[test]
fn addresses_and_domains_are_one_setting() {
    let rule = Rule { emails: emails(&["alice@example.org"]).emails, ..domains(&["example.com"]) };
    for address in ["alice@example.org", "bob@example.com"] {
        assert_eq!(access::decide(&rule, &with_email(address)), Ok(()), "{address}");
    }
    assert_eq!(access::decide(&rule, &with_email("bob@example.org")), Err(Denied::Email));
}

#[test]
fn what_could_be_read_as_another_address_is_none() {
    for text in [
        "",
        "@",
        "alice",
        "alice@",
        "@example.com",
        "alice@evil.example@example.com",
        "alice@example.com@evil.example",
        "alice@example.com ",
        " alice@example.com",
        "alice @example.com",
        "alice@example.com\n",
        "alice@example.com\0",
        "\"alice@evil.example\"@example.com",
        "Alice <alice@example.com>",
        "alice@example.com, bob@example.com",
        "alice@example.com;bob@example.com",
        "alice(x)@example.com",
        "alice\\@example.com",
        "alice@[127.0.0.1]",
        "alice@127.0.0.1",
        "alice@0x7f.1",
        "alice@example..com",
        "alice@.example.com",
        "alice@example.com.",
        "alice@exam%70le.com",
        "alice@exam ple.com",
        "alice@example.com/x",
        "alice@example.com:25",
        "alice@example.com#",
        "alice@*.example.com",
        // Look-alikes that a mapping would turn into example.com.
        "alice@ｅｘａｍｐｌｅ.com",
        "alice@example。com",
        "alice@exam\u{ad}ple.com",
        "alice@ex\u{200b}ample.com",
        "alice@\u{212a}elvin.example",
        "alice@BÜCHER.example",
        "alice@bu\u{308}cher.example",
        "alice@xn--",
    ] {
        assert_eq!(EmailAddress::parse(text), None, "{text:?}");
    }
    let long = format!("{}@example.com", "a".repeat(243));
    assert_eq!(EmailAddress::parse(&long), None);
    assert!(EmailAddress::parse(&long[1..]).is_some());
}

#[test]
fn only_domains_are_domains() {
    for text in [
        "",
        "*",
        "*.",
        "*.com",
        "*.*.example.com",
        "a.*.example.com",
        "@example.com",
        "alice@example.com",
        "https://example.com",
        "example.com/",
        ".com",
        "10.0.0.1",
        "a b.example",
    ] {
        assert_eq!(DomainPattern::parse(text), None, "{text:?}");
    }
    for text in ["example.com", "intranet", "*.example.com", "*.a.b.example.com", "bücher.example"] {
        assert!(DomainPattern::parse(text).is_some(), "{text:?}");
    }
}

#[test]
fn an_address_that_the_provider_has_not_verified_is_no_address() {
    let rule = domains(&["example.com"]);
    for (members, lets_in) in [
        (json!({ "email": "a@example.com", "email_verified": true }), true),
        (json!({ "email": "a@example.com", "email_verified": "true" }), true),
        (json!({ "email": "a@example.com", "email_verified": false }), false),
        (json!({ "email": "a@example.com", "email_verified": "yes" }), false),
        (json!({ "email": "a@example.com", "email_verified": 1 }), false),
        (json!({ "email": "a@example.com", "email_verified": null }), false),
        (json!({ "email": "a@example.com" }), false),
        (json!({ "email_verified": true }), false),
        (json!({ "email": ["a@example.com"], "email_verified": true }), false),
    ] {
        let expected = if lets_in { Ok(()) } else { Err(Denied::EmailNotVerified) };
        assert_eq!(access::decide(&rule, &facts(members.clone())), expected, "{members}");
    }
}

#[test]
fn what_is_cut_to_be_shown_is_not_an_address() {
    // Shown, the text would end where the domain of the rule does.
    for email in [
        format!("{}@example.com.evil.example", "a".repeat(288)),
        format!("a@example.com{}evil.example", "\u{200b}".repeat(300)),
        "a@example.com\n.evil.example".to_owned(),
    ] {
        let user = described(json!({ "email": email, "email_verified": true }));
        assert_eq!(user.facts.email, None, "{:?}", user.email);
    }
}

#[test]
fn groups_roles_and_claims_are_found_where_they_are_said_to_be() {
    let facts = facts(json!({
        "groups": ["staff", "Staff", 7, true, null, { "no": 1 }, ["nested"]],
        "realm_access": { "roles": "admin" },
        "department": "sales",
        "nested": { "deep": [1, 2.5] },
        "https://example.com/level": false,
        "other": "nobody asked for it",
    }));
    assert_eq!(facts.groups, known(&["staff", "Staff", "7", "true"]));
    assert_eq!(facts.roles, known(&["admin"]));
    let claims: Vec<_> = facts.claims.iter().map(|(place, known)| (place.as_str(), known.clone())).collect();
    assert_eq!(
        claims,
        [("/nested/deep", known(&["1", "2.5"])), ("department", known(&["sales"])), ("https://example.com/level", known(&["false"]))]
    );
}

/// Takes something away from somebody who fits.
type Change = fn(&mut Facts);

#[test]
fn every_setting_must_be_met_by_any_of_its_values() {
    let all = Rule {
        groups: texts(&["staff", "guests"]),
        roles: texts(&["admin"]),
        organizations: [Organization::parse("Example-Org").unwrap()].into(),
        teams: [Team::parse("Example-Org/Editors").unwrap()].into(),
        claims: [("department".to_owned(), texts(&["sales", "support"]))].into(),
        ..domains(&["example.com"])
    };
    let fits = Facts {
        email: EmailAddress::parse("a@example.com"),
        groups: known(&["guests", "other"]),
        roles: known(&["admin"]),
        organizations: known(&["example-org"]),
        teams: known(&["example-org/editors"]),
        claims: [("department".to_owned(), known(&["support"]))].into(),
    };
    assert_eq!(access::decide(&all, &fits), Ok(()));
    let without: [(Change, Denied); 7] = [
        (|facts| facts.email = None, Denied::EmailNotVerified),
        (|facts| facts.email = EmailAddress::parse("a@example.org"), Denied::Email),
        (|facts| facts.groups = known(&["Staff"]), Denied::Group),
        (|facts| facts.roles = Known::default(), Denied::Role),
        (|facts| facts.organizations = known(&["other"]), Denied::Organization),
        (|facts| facts.teams = known(&["example-org/other"]), Denied::Team),
        (|facts| facts.claims.clear(), Denied::Claim("department".to_owned())),
    ];
    for (change, denied) in without {
        let mut facts = fits.clone();
        change(&mut facts);
        assert_eq!(access::decide(&all, &facts), Err(denied));
    }
}

#[test]
fn what_is_left_to_somebody_else_is_incomplete_and_not_nothing() {
    let rule = Rule { groups: texts(&["staff"]), ..Rule::default() };
    let overage = json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": "https://graph.example/x" } } });
    for members in [overage, json!({ "hasgroups": true })] {
        assert_eq!(access::decide(&rule, &facts(members.clone())), Err(Denied::Incomplete(Subject::Groups)), "{members}");
    }
    let roles = Rule { roles: texts(&["admin"]), ..Rule::default() };
    let nested = facts(json!({ "_claim_names": { "realm_access": "src1" } }));
    assert_eq!(access::decide(&roles, &nested), Err(Denied::Incomplete(Subject::Roles)));
    // What the provider says itself counts, whatever else it says.
    let said = facts(json!({ "groups": ["staff"], "_claim_names": { "groups": "src1" } }));
    assert_eq!(access::decide(&rule, &said), Ok(()));
    for members in
        [json!({}), json!({ "_claim_names": "groups" }), json!({ "_claim_names": { "other": "src1" } }), json!({ "hasgroups": false })]
    {
        assert_eq!(access::decide(&rule, &facts(members.clone())), Err(Denied::Group), "{members}");
    }
}

#[test]
fn too_many_groups_are_incomplete_and_those_that_are_kept_count() {
    let many: Vec<_> = (0..=MAXIMUM_VALUES).map(|number| format!("g{number:04}")).collect();
    let facts = facts(json!({ "groups": many }));
    assert_eq!((facts.groups.values.len(), facts.groups.incomplete), (MAXIMUM_VALUES, true));
    let rule = |group: &str| Rule { groups: texts(&[group]), ..Rule::default() };
    assert_eq!(access::decide(&rule("g0000"), &facts), Ok(()));
    assert_eq!(access::decide(&rule(&format!("g{MAXIMUM_VALUES:04}")), &facts), Err(Denied::Incomplete(Subject::Groups)));
}

#[test]
fn what_is_kept_is_bounded() {
    let long = "g".repeat(MAXIMUM_VALUE_BYTES + 1);
    let one = facts(json!({ "groups": [long, "short"] }));
    assert_eq!(one.groups, Known { values: texts(&["short"]), incomplete: true });
    let many: Vec<_> = (0..130).map(|number| format!("{number:0200}")).collect();
    let full = facts(json!({ "groups": many, "realm_access": { "roles": many } }));
    let bytes: usize = full.groups.values.iter().chain(&full.roles.values).map(String::len).sum();
    assert!(bytes <= MAXIMUM_FACTS_BYTES && full.roles.incomplete, "{bytes}");
}

#[test]
fn a_reason_names_neither_the_rule_s_values_nor_the_person_s() {
    let rule = Rule { groups: texts(&["secret-project"]), ..domains(&["customer.example"]) };
    for facts in
        [with_email("alice@example.com"), Facts { groups: known(&["staff"]), ..with_email("a@customer.example") }, Facts::default()]
    {
        let denied = access::decide(&rule, &facts).unwrap_err();
        for word in ["secret-project", "customer", "alice", "staff"] {
            assert!(!denied.to_string().contains(word), "{denied}");
        }
    }
}

#[test]
fn a_path_is_a_pointer_unless_it_is_a_name() {
    for (path, expected) in [
        ("groups", "groups"),
        ("realm_access.roles", "/realm_access/roles"),
        ("/a.b/c", "/a.b/c"),
        ("a~b/c.d", "/a~0b~1c/d"),
        ("https://example.com/roles", "https://example.com/roles"),
    ] {
        assert_eq!(place(path), expected);
    }
}

#[test]
fn names_of_organisations_and_teams_are_read_or_refused() {
    assert_eq!(Organization::parse("Example-Org").unwrap().as_ref(), "example-org");
    assert_eq!(Team::parse("Example-Org/The-Editors").unwrap().as_ref(), "example-org/the-editors");
    for text in ["", "a b", "a/b", "ä", "https://github.com/a"] {
        assert_eq!(Organization::parse(text), None, "{text}");
    }
    for text in ["", "editors", "/editors", "org/", "org/a/b", "org/the editors", "@org/team"] {
        assert_eq!(Team::parse(text), None, "{text}");
    }
}

#[test]
fn facts_survive_being_stored_and_those_of_older_sessions_are_none() {
    let facts = Facts { groups: Known { values: texts(&["a"]), incomplete: true }, ..with_email("Alice@bücher.example") };
    let stored = serde_json::to_string(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Facts>(&stored).unwrap(), facts);
    assert_eq!(serde_json::to_string(&Facts::default()).unwrap(), "{}");
    assert_eq!(serde_json::from_str::<Facts>("{}").unwrap(), Facts::default());
}

fn word() -> impl Strategy<Value = String> {
    "[a-c]{1,2}"
}

fn words() -> impl Strategy<Value = BTreeSet<String>> {
    proptest::collection::btree_set(word(), 0..4)
}

proptest! {
    /// A domain lets in what ends with it after an `@`, or, with an asterisk, after a dot, and nothing else.
    #[test]
    fn a_domain_never_lets_in_another(domain in "[a-z]{1,3}(-[a-z]{1,2})?\\.[a-z]{2,3}", other in "([a-z-]{0,4}\\.)?[a-z-]{0,6}[a-z]{1,3}\\.[a-z]{2,3}") {
        let email = format!("someone@{other}");
        prop_assume!(EmailAddress::parse(&email).is_some());
        let facts = with_email(&email);
        prop_assert_eq!(access::decide(&domains(&[&domain]), &facts).is_ok(), other == domain);
        let below = format!("*.{domain}");
        prop_assert_eq!(access::decide(&domains(&[&below]), &facts).is_ok(), other.ends_with(&format!(".{domain}")));
    }

    /// More facts never keep anybody out, and more settings never let anybody in.
    #[test]
    fn facts_open_and_settings_close(groups in words(), roles in words(), more in words(), wanted in words(), wanted_roles in words()) {
        let rule = Rule { groups: wanted.clone(), ..Rule::default() };
        let stricter = Rule { roles: wanted_roles, ..rule.clone() };
        let facts = Facts { groups: Known { values: groups.clone(), incomplete: false }, roles: Known { values: roles, incomplete: false }, ..Facts::default() };
        let richer = Facts { groups: Known { values: groups.union(&more).cloned().collect(), incomplete: false }, ..facts.clone() };
        let lets_in = |rule: &Rule, facts: &Facts| access::decide(rule, facts).is_ok();
        prop_assert!(!lets_in(&rule, &facts) || lets_in(&rule, &richer));
        prop_assert!(!lets_in(&stricter, &facts) || lets_in(&rule, &facts));
        prop_assert_eq!(lets_in(&rule, &facts), wanted.is_empty() || !wanted.is_disjoint(&groups));
    }

    /// Whatever is read as an address has one `@`, is the same when it is read again, and is its own only match.
    #[test]
    fn an_address_has_one_meaning(text in "\\PC{0,12}@\\PC{0,12}") {
        if let Some(address) = EmailAddress::parse(&text) {
            prop_assert_eq!(address.as_str().matches('@').count(), 1);
            prop_assert!(address.domain().is_ascii() && !address.domain().contains(char::is_uppercase));
            prop_assert_eq!(EmailAddress::parse(address.as_str()), Some(address.clone()));
        }
    }
}
