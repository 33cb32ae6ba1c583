//! The cookies: their names, their attributes, and reading them from a request.
//!
//! Values are those of RFC 10017 §6.1.3.2. On plain http, which is allowed on loopback only, a browser would refuse
//! `Secure` and with it every prefix, so both are left out there.

use axum::http::{HeaderMap, HeaderValue, header};
use std::fmt::Write as _;

/// The longest a login may take; the transaction cookie lives as long.
pub const TRANSACTION_LIFETIME_SECONDS: u32 = 600;

/// How many logins one browser may have open; the oldest makes way for the next.
pub const MAXIMUM_TRANSACTIONS: usize = 6;

/// When a browser sends a cookie along with a navigation that another site began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// On a plain navigation: what a server callback needs.
    Lax,
    /// Always: what a provider needs that posts its answer (`form_post`). Browsers take it only with `Secure`, and count
    /// `http://localhost` as secure enough for that.
    None,
}

/// Names and attributes for this deployment.
#[derive(Clone, Copy, Debug)]
pub struct Cookies {
    secure: bool,
}

/// What a request says about one cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented<'request> {
    /// Nothing.
    Absent,
    /// One value.
    Value(&'request str),
    /// Several values under one name: another site of the same host is tossing cookies, and none can be trusted.
    Ambiguous,
}

impl Cookies {
    /// `secure` is whether the app is reached over https.
    pub const fn new(secure: bool) -> Self {
        Self { secure }
    }

    /// The session cookie's name.
    pub const fn session_name(self) -> &'static str {
        if self.secure { "__Host-Http-session" } else { "session" }
    }

    const fn transaction_prefix(self) -> &'static str {
        if self.secure { "__Host-Http-tx-" } else { "tx-" }
    }

    /// The name of one login's transaction cookie.
    pub fn transaction_name(self, id: &str) -> String {
        format!("{}{id}", self.transaction_prefix())
    }

    /// Sets the session cookie; it ends with the browser, or when the server ends the session.
    pub fn set_session(self, value: &str) -> HeaderValue {
        self.set(self.session_name(), value, None, SameSite::Strict)
    }

    /// Takes the session cookie back.
    pub fn clear_session(self) -> HeaderValue {
        self.set(self.session_name(), "", Some(0), SameSite::Strict)
    }

    /// Sets one login's transaction cookie.
    pub fn set_transaction(self, id: &str, value: &str, same_site: SameSite) -> HeaderValue {
        self.set(&self.transaction_name(id), value, Some(TRANSACTION_LIFETIME_SECONDS), same_site)
    }

    /// Takes one login's transaction cookie back. A cookie that was set with `Secure` is only replaced by another such.
    pub fn clear_transaction(self, id: &str, same_site: SameSite) -> HeaderValue {
        self.set(&self.transaction_name(id), "", Some(0), same_site)
    }

    /// The name of the cookie that finds a browser's recorded logins.
    pub const fn flow_name(self) -> &'static str {
        if self.secure { "__Host-Http-flow" } else { "flow" }
    }

    /// Sets the cookie of the recorded logins; it ends with the browser. `Lax`, because a provider's redirect may lead straight to the
    /// server.
    pub fn set_flow(self, value: &str) -> HeaderValue {
        self.set(self.flow_name(), value, None, SameSite::Lax)
    }

    /// Takes the cookie of the recorded logins back.
    pub fn clear_flow(self) -> HeaderValue {
        self.set(self.flow_name(), "", Some(0), SameSite::Lax)
    }

    /// The cookie of the recorded logins of the request.
    pub fn flow(self, headers: &HeaderMap) -> Presented<'_> {
        find(headers, self.flow_name())
    }

    /// The name of the cookie that holds the language somebody has chosen.
    pub const fn language_name(self) -> &'static str {
        if self.secure { "__Host-Http-language" } else { "language" }
    }

    /// Sets the cookie of the chosen language, for a year.
    pub fn set_language(self, tag: &str) -> HeaderValue {
        self.set(self.language_name(), tag, Some(365 * 24 * 60 * 60), SameSite::Lax)
    }

    /// The cookie of the chosen language of the request.
    pub fn language(self, headers: &HeaderMap) -> Presented<'_> {
        find(headers, self.language_name())
    }

    /// Every transaction cookie of the request: id and value.
    pub fn transactions(self, headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
        pairs(headers).filter_map(move |(name, value)| Some((name.strip_prefix(self.transaction_prefix())?, value)))
    }

    /// The session cookie of the request.
    pub fn session(self, headers: &HeaderMap) -> Presented<'_> {
        find(headers, self.session_name())
    }

    /// One login's transaction cookie of the request.
    pub fn transaction<'request>(self, headers: &'request HeaderMap, id: &str) -> Presented<'request> {
        find(headers, &self.transaction_name(id))
    }

    #[expect(clippy::expect_used, reason = "names and values are base64url, which every header value may hold")]
    fn set(self, name: &str, value: &str, max_age_seconds: Option<u32>, same_site: SameSite) -> HeaderValue {
        // Enough for all attributes, so that a long value is copied once.
        let mut text = String::with_capacity(name.len() + value.len() + 96);
        let _ = write!(text, "{name}={value}; Path=/; HttpOnly; SameSite={same_site:?}");
        if self.secure || same_site == SameSite::None {
            text.push_str("; Secure");
        }
        if let Some(seconds) = max_age_seconds {
            let _ = write!(text, "; Max-Age={seconds}");
        }
        let mut header = HeaderValue::from_str(&text).expect("a cookie of visible characters");
        header.set_sensitive(true);
        header
    }
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

fn find<'request>(headers: &'request HeaderMap, wanted: &str) -> Presented<'request> {
    let mut values = pairs(headers).filter(|(name, _)| *name == wanted).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (None, _) => Presented::Absent,
        (Some(value), None) => Presented::Value(value),
        (Some(_), Some(_)) => Presented::Ambiguous,
    }
}

#[cfg(test)]
mod tests {
    use super::{Cookies, Presented, SameSite};
    use axum::http::{HeaderMap, HeaderValue, header::COOKIE};

    fn request(cookies: &[&'static str]) -> HeaderMap {
        cookies.iter().map(|cookie| (COOKIE, HeaderValue::from_static(cookie))).collect()
    }

    #[test]
    fn over_https_the_cookies_have_prefix_and_secure() {
        let cookies = Cookies::new(true);
        assert_eq!(cookies.set_session("v"), "__Host-Http-session=v; Path=/; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(
            cookies.set_transaction("id", "v", SameSite::Lax),
            "__Host-Http-tx-id=v; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=600"
        );
    }

    #[test]
    fn on_loopback_they_have_neither() {
        assert_eq!(Cookies::new(false).clear_session(), "session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }

    #[test]
    fn a_cookie_for_a_posted_answer_is_secure_in_any_case() {
        let cookies = Cookies::new(false);
        let set = cookies.set_transaction("id", "v", SameSite::None);
        assert_eq!(set, "tx-id=v; Path=/; HttpOnly; SameSite=None; Secure; Max-Age=600");
        let clear = cookies.clear_transaction("id", SameSite::None);
        assert_eq!(clear, "tx-id=; Path=/; HttpOnly; SameSite=None; Secure; Max-Age=0");
    }

    #[test]
    fn a_name_that_comes_twice_is_not_trusted() {
        let cookies = Cookies::new(false);
        assert_eq!(cookies.session(&request(&["a=1; session=x"])), Presented::Value("x"));
        assert_eq!(cookies.session(&request(&["session=x; session=y"])), Presented::Ambiguous);
        assert_eq!(cookies.session(&request(&["session=x", "session=x"])), Presented::Ambiguous);
        assert_eq!(cookies.session(&request(&["my-session=x"])), Presented::Absent);
    }

    #[test]
    fn transactions_are_found_by_their_prefix() {
        let headers = request(&["tx-a=1; session=x; tx-b=2"]);
        assert_eq!(Cookies::new(false).transactions(&headers).collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
    }
}
