//! Where a login may lead back to. [RFC 9700 §4.11](https://www.rfc-editor.org/rfc/rfc9700#section-4.11)

use std::collections::BTreeSet;

use oauth2flow_protocol::ReturnTo;
use oauth2flow_protocol::return_to::MAXIMUM_RETURN_TO_BYTES;
use proptest::prelude::*;
use url::{Url, form_urlencoded};

use crate::browser::{Destination, follow};
use crate::support::url;

/// Targets that somebody might be led away with, as a JSON array with one a line. None of them is a plain path of this origin,
/// so each becomes `/`.
const OPEN_REDIRECTS: &str = include_str!("open_redirects.json");

/// The page that the target is resolved against, as a browser would: on the home page, deep in the app, and in development.
const PAGES: [&str; 3] = ["https://app.example/", "https://app.example/deep/page/?tab=1#top", "http://localhost:3000/callback"];

fn parse(target: &str) -> String {
    ReturnTo::parse(target).as_str().to_owned()
}

/// Percent-decodes once, by another implementation than the one under test.
fn decode(text: &str) -> String {
    let value = text.replace('+', "%2B").replace('&', "%26").replace(';', "%3B");
    form_urlencoded::parse(format!("value={value}").as_bytes()).next().unwrap().1.into_owned()
}

/// The target is a path of whatever origin it is resolved on, also for somebody who decodes its path first.
fn check_stays(target: &str) -> Result<(), TestCaseError> {
    prop_assert!(target.starts_with('/') && !target.starts_with("//"), "{target:?}");
    prop_assert!(!target.chars().any(|character| character.is_control() || character == '\\'), "{target:?}");
    prop_assert!(target.is_ascii() && target.len() <= MAXIMUM_RETURN_TO_BYTES, "{target:?}");
    prop_assert_eq!(parse(target), target, "reading it again changes nothing");

    let mut path = target.split(['?', '#']).next().unwrap().to_owned();
    for form in [target.to_owned()].into_iter().chain((0..6).map(|_| {
        path = decode(&path);
        path.clone()
    })) {
        for page in PAGES {
            let page = url(page);
            let resolved = page.join(&form);
            prop_assert!(resolved.is_ok(), "{form:?}");
            let resolved = resolved.unwrap();
            prop_assert_eq!(resolved.origin(), page.origin(), "{:?} of {:?}", form, target);
            prop_assert!(resolved.username().is_empty() && resolved.password().is_none(), "{resolved}");
            prop_assert!(!resolved.path().starts_with("//"), "{resolved}");
            prop_assert!(!is_of_the_flow(resolved.path()), "{resolved}");

            let followed = follow(page.path(), &form);
            let Destination::Path(path) = &followed else { return Err(TestCaseError::fail(format!("{form:?} of {target:?}"))) };
            prop_assert!(!path.starts_with("//") && !is_of_the_flow(path), "{path:?} of {target:?}");
        }
    }
    Ok(())
}

fn is_of_the_flow(path: &str) -> bool {
    matches!(path.split('/').nth(1), Some("callback" | "api"))
}

#[test]
fn a49_an_open_redirect_of_the_table_becomes_the_home_page() {
    let targets: Vec<String> = serde_json::from_str(OPEN_REDIRECTS).unwrap();
    assert!(targets.len() >= 300, "{}", targets.len());
    assert_eq!(targets.iter().collect::<BTreeSet<_>>().len(), targets.len(), "each is there once");

    let kept = targets.iter().filter(|target| parse(target) != "/").collect::<Vec<_>>();

    assert!(kept.is_empty(), "{kept:#?}");
}

#[test]
fn a49_many_targets_of_the_table_would_leave_the_origin_if_they_were_followed() {
    let targets: Vec<String> = serde_json::from_str(OPEN_REDIRECTS).unwrap();
    let page = url(PAGES[0]);

    let leaving = targets.iter().filter(|target| page.join(target).is_ok_and(|resolved| resolved.origin() != page.origin())).count();

    assert!(leaving >= 150, "only {leaving}: the table is not worth much");
    let leaving = targets.iter().filter(|target| follow(page.path(), target) == Destination::Elsewhere).count();
    assert!(leaving >= 150, "only {leaving}: the table is not worth much");
}

#[test]
fn a49_the_url_standard_of_these_tests_follows_its_own_examples() {
    let stays = |path: &str| Destination::Path(path.to_owned());
    for (target, expected) in [
        ("", stays("/deep/page")),
        ("?a", stays("/deep/page")),
        ("#a", stays("/deep/page")),
        ("a", stays("/deep/a")),
        ("./a/", stays("/deep/a/")),
        ("../a", stays("/a")),
        ("..", stays("/")),
        ("../../../a/..", stays("/")),
        ("/", stays("/")),
        (" \u{1}/a\u{0} ", stays("/a")),
        ("/a\t/b\n?//c", stays("/a/b")),
        ("\\a\\.\\b", stays("/a/b")),
        ("/a/%2E%2e/b/%2e", stays("/b/")),
        ("/.//a", stays("//a")),
        ("/a//b", stays("/a//b")),
        ("https:a", stays("/deep/a")),
        ("HTTPS:/a", stays("/a")),
        ("ht\ntps:/a", stays("/a")),
        ("1https:/a", stays("/deep/1https:/a")),
        ("a/b:c", stays("/deep/a/b:c")),
        ("//a", Destination::Elsewhere),
        ("/\t/a", Destination::Elsewhere),
        ("/\\a", Destination::Elsewhere),
        ("\\/a", Destination::Elsewhere),
        ("https://a", Destination::Elsewhere),
        ("https:\\\\a", Destination::Elsewhere),
        ("http:a", Destination::Elsewhere),
        ("javascript:a", Destination::Elsewhere),
        ("a+b-c.1:d", Destination::Elsewhere),
    ] {
        assert_eq!(follow("/deep/page", target), expected, "{target:?}");
    }
}

#[test]
fn a49_a_path_with_query_and_fragment_is_kept_byte_for_byte() {
    for target in [
        "/",
        "/account",
        "/account/",
        "/account?tab=notes#latest",
        "/?",
        "/#",
        "/a?b?c#d#e",
        "/search?q=a%20b+c%2Bd&next=//evil.example/x",
        "/search?next=https://evil.example/#https://evil.example/",
        "/search?q=%2f%2f&r=%0d%0a",
        "/a/b/c;v=1,2/d=e",
        "/@alice",
        "/a:b",
        "/:8080",
        "/a//b",
        "/a/b//",
        "/%20a",
        "/100%25",
        "/100%2525",
        "/%C3%A4",
        "/a%2fb",
        "/a%2Fb%3Fc%23d",
        "/~alice/notes(1)!*$",
        "/...",
        "/.well-known/x",
        "/a..b/.c",
        "/callbacks",
        "/callback-help",
        "/apis",
        "/api-docs",
        "/Callback",
        "/account/callback",
        "/account/api/v1",
        "/evil.example",
        "/https://evil.example",
        "/https:evil.example",
        "/javascript:alert(1)",
        "/100%",
        "/%zz",
        "/%+2f",
    ] {
        assert_eq!(parse(target), target);
        check_stays(target).unwrap();
    }
}

#[test]
fn a49_a_path_is_kept_as_a_browser_would_write_it() {
    for (target, expected) in [
        ("/a/../b", "/b"),
        ("/a/./b", "/a/b"),
        ("/a/b/..", "/a/"),
        ("/..", "/"),
        ("/%2e%2e/b", "/b"),
        ("/grüße?ä=ö#ü", "/gr%C3%BC%C3%9Fe?%C3%A4=%C3%B6#%C3%BC"),
        ("/a b?c d#e f", "/a%20b?c%20d#e%20f"),
        ("/a\"<b>", "/a%22%3Cb%3E"),
        ("/a?'\"<>", "/a?%27%22%3C%3E"),
        // A full stop of another script is none in a path.
        ("/evil。example", "/evil%E3%80%82example"),
        ("/\u{ff0f}evil.example", "/%EF%BC%8Fevil.example"),
    ] {
        assert_eq!(parse(target), expected, "{target}");
        check_stays(expected).unwrap();
    }
}

#[test]
fn a49_the_longest_target_has_1024_bytes_before_and_after() {
    let longest = format!("/{}", "a".repeat(1023));

    assert_eq!(MAXIMUM_RETURN_TO_BYTES, 1024);
    assert_eq!(parse(&longest), longest);
    assert_eq!(parse(&format!("{longest}a")), "/");
    // Each of these becomes six bytes.
    assert_eq!(parse(&format!("/{}", "ä".repeat(170))).len(), 1021);
    assert_eq!(parse(&format!("/{}", "ä".repeat(171))), "/");
}

#[test]
fn a49_without_a_target_the_home_page_is_one() {
    assert_eq!(ReturnTo::default().as_str(), "/");
    assert_eq!(ReturnTo::parse("/account").to_string(), "/account");
}

/// What open redirects are made of.
fn fragment_of_an_attack() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "/", "//", "\\", "/.", "/..", "/./", "/../", "%2f", "%2F", "%5c", "%2e", "%252f", "%255c", "%252e", "%25", "%", ".", "@", ":",
            "?", "#", "&", "=", ";", "\t", "\n", "\r", "\0", "%09", "%0a", "%0d", "%00", " ", "\u{a0}", "\u{200b}", "\u{2028}", "\u{85}",
            "\u{2044}", "\u{ff0f}", "\u{ff3c}", "\u{3002}", "%c0%af", "%ff", "https:", "javascript:", "evil.example", "localhost",
            "[::1]", "callback", "api", "%61pi", "account", "a", "+", "%2b", "%26", "%3f", "%23",
        ])
        .prop_map(str::to_owned),
        1 => "\\PC{0,3}",
        1 => any::<char>().prop_map(String::from),
    ]
}

/// A path with query and fragment in which the URL standard leaves every byte as it is.
fn plain_target() -> impl Strategy<Value = String> {
    let segment = r"([A-Za-z0-9_~!$&()*+,;=:@-]|%20|%C3%A4|%2B|%3B){1,12}";
    let query = r"(\?([A-Za-z0-9._~!$&()*+,;=:@/?-]|%2F|%0A|%5C){0,40})?";
    let fragment = r"(#([A-Za-z0-9._~!$&()*+,;=:@/?-]|%2F|%0A|%5C){0,40})?";
    (prop::collection::vec(segment, 0..8), prop::bool::ANY, query, fragment).prop_map(|(segments, slash, query, fragment)| {
        let slash = if slash && !segments.is_empty() { "/" } else { "" };
        format!("/{}{slash}{query}{fragment}", segments.join("/"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a49_two_readings_of_the_url_standard_agree(
        target in prop_oneof![3 => prop::collection::vec(fragment_of_an_attack(), 0..9).prop_map(|parts| parts.concat()), 1 => "(?s).{0,40}"],
    ) {
        let page = url(PAGES[1]);
        match (page.join(&target), follow(page.path(), &target)) {
            (Ok(resolved), Destination::Path(path)) => {
                prop_assert_eq!(resolved.origin(), page.origin(), "{:?}", target);
                prop_assert_eq!(decode(resolved.path()), decode(&path), "{:?}", target);
            }
            // The page's own host in full: nobody is led away, and these tests do not ask.
            (Ok(resolved), Destination::Elsewhere) => {
                prop_assert!(resolved.origin() != page.origin() || target.contains("app.example"), "{target:?}");
            }
            (Err(_), followed) => prop_assert_eq!(followed, Destination::Elsewhere, "{:?}", target),
        }
    }

    #[test]
    fn a49_no_target_at_all_leaves_the_origin(target in "(?s).{0,60}") {
        check_stays(&parse(&target))?;
    }

    #[test]
    fn a49_no_path_at_all_leaves_the_origin(target in "(?s)/.{0,60}") {
        check_stays(&parse(&target))?;
    }

    #[test]
    fn a49_nothing_made_of_the_parts_of_attacks_leaves_the_origin(
        begin in prop_oneof![3 => Just("/"), 1 => Just("")],
        parts in prop::collection::vec(fragment_of_an_attack(), 0..9),
    ) {
        check_stays(&parse(&format!("{begin}{}", parts.concat())))?;
    }

    #[test]
    fn a49_plain_paths_with_query_and_fragment_are_kept_byte_for_byte(target in plain_target()) {
        prop_assume!(!is_of_the_flow(&target));
        prop_assert_eq!(parse(&target), target.clone());
        let resolved = Url::parse("https://app.example/deep/page").unwrap().join(&target).unwrap();
        prop_assert_eq!(resolved.as_str(), format!("https://app.example{target}"));
    }
}
