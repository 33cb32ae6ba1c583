//! Where a login may lead back to.

use oauth2flow_protocol::ReturnTo;
use url::{Url, form_urlencoded};

/// The pages that a browser may resolve a target against: home, deep in the app, in development.
const PAGES: [&str; 3] = ["https://app.example/", "https://app.example/deep/page/?tab=1#top", "http://localhost:3000/callback"];

/// A target stays on the origin that it is resolved against, also for somebody who decodes its path first, and reading it again
/// changes nothing. Accepted is what does not become the home page.
pub fn return_to(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let target = ReturnTo::parse(text);
    let target = target.as_str();
    assert!(target.starts_with('/') && !target.starts_with("//") && !target.starts_with("/\\"), "{target:?}");
    assert!(target.is_ascii() && !target.chars().any(char::is_control), "{target:?}");
    assert_eq!(ReturnTo::parse(target).as_str(), target);
    assert_stays(target);
    let mut path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
    for _ in 0..4 {
        path = decode(&path);
        assert_stays(&path);
    }
    target != "/"
}

fn assert_stays(target: &str) {
    for page in PAGES {
        let page = Url::parse(page).unwrap();
        let resolved = page.join(target).unwrap_or_else(|error| panic!("{target:?}: {error}"));
        assert_eq!(resolved.origin(), page.origin(), "{target:?}");
        assert!(resolved.username().is_empty() && resolved.password().is_none(), "{target:?}");
        assert!(!resolved.path().starts_with("//"), "{target:?}");
        assert!(!matches!(resolved.path().split('/').nth(1), Some("callback" | "api")), "{target:?}");
    }
}

/// Percent-decodes once, by another implementation than the one that is fuzzed.
fn decode(text: &str) -> String {
    let value = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(value.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}
