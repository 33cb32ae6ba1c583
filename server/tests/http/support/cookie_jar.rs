//! A browser's cookies, by the rules of RFC 6265bis that matter here.

use super::ManualClock;
use cookie::{Cookie, SameSite};
use jiff::Timestamp;
use oauth2flow::clock::Clock as _;
use std::collections::BTreeMap;
use url::Url;

/// Every cookie by host, name and path.
#[derive(Default)]
pub(crate) struct CookieJar(BTreeMap<(String, String, String), Kept>);

struct Kept {
    value: String,
    same_site: Option<SameSite>,
    ends: Option<Timestamp>,
}

/// Where a request comes from, as far as cookies care.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    Same,
    /// Another site's link or redirect: a navigation with GET.
    CrossNavigation,
    /// Anything else from another site.
    Cross,
}

impl CookieJar {
    /// Keeps or deletes a cookie that `url` has set.
    pub(crate) fn set(&mut self, url: &Url, header: &str, clock: &ManualClock) {
        let cookie = Cookie::parse(header.to_owned()).unwrap();
        // As Chromium and Firefox do, `http://localhost` counts as secure enough.
        let https = url.scheme() == "https" || host(url) == "localhost";
        let path = cookie.path().unwrap_or("/").to_owned();
        let is_host_bound = cookie.secure() == Some(true) && cookie.domain().is_none() && path == "/";
        if (cookie.secure() == Some(true) && !https)
            || (cookie.name().starts_with("__Host-") && !is_host_bound)
            || (cookie.same_site() == Some(SameSite::None) && cookie.secure() != Some(true))
        {
            return;
        }
        let key = (host(url), cookie.name().to_owned(), path);
        let ends = cookie.max_age().map(|age| clock.now() + jiff::SignedDuration::from_secs(age.whole_seconds()));
        if ends.is_some_and(|ends| ends <= clock.now()) {
            self.0.remove(&key);
        } else {
            self.0.insert(key, Kept { value: cookie.value().to_owned(), same_site: cookie.same_site(), ends });
        }
    }

    /// The `Cookie` header of a request to `url`.
    pub(crate) fn header(&self, url: &Url, site: Site, clock: &ManualClock) -> Option<String> {
        let pairs: Vec<_> = self
            .0
            .iter()
            .filter(|((host_of_cookie, _, path), _)| *host_of_cookie == host(url) && url.path().starts_with(path.as_str()))
            .filter(|(_, kept)| kept.ends.is_none_or(|ends| ends > clock.now()))
            .filter(|(_, kept)| match kept.same_site {
                Some(SameSite::Strict) => site == Site::Same,
                Some(SameSite::None) => true,
                _ => site != Site::Cross,
            })
            .map(|((_, name, _), kept)| format!("{name}={}", kept.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The names and values of a host's cookies.
    pub(crate) fn of_host(&self, url: &Url) -> BTreeMap<String, String> {
        self.0.iter().filter(|((name, ..), _)| *name == host(url)).map(|((_, name, _), kept)| (name.clone(), kept.value.clone())).collect()
    }

    /// Puts a cookie in by hand.
    pub(crate) fn put(&mut self, url: &Url, name: &str, value: &str) {
        let kept = Kept { value: value.to_owned(), same_site: Some(SameSite::Strict), ends: None };
        self.0.insert((host(url), name.to_owned(), "/".to_owned()), kept);
    }
}

/// Cookies know no ports.
fn host(url: &Url) -> String {
    url.host_str().unwrap().to_owned()
}
